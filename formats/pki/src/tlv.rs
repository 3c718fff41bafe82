//! Tag-length-value: a BER/DER reader that keeps the original bytes, and the DER we write.
//!
//! What was signed is never re-encoded, so every [`Element`] hands out the very bytes it was
//! read from. The reader takes BER where BER does no harm (lengths longer than needed, any
//! non-zero octet as TRUE), because real seals and signatures need it; it takes definite lengths
//! only. [`normalise_ber`] turns indefinite lengths into definite ones on a copy.
//!
//! Nothing here knows what the elements mean, and no input makes it panic.

mod ber;
mod time;
mod write;

pub use ber::{BerLimits, der_length, normalise_ber};
pub use time::{Civil, UnixSeconds};
pub use write::{
    bit_string, boolean, certificate_time, context, encode, generalized_time, ia5_string, integer,
    null, octet_string, oid, printable_string, sequence, set_of, try_oid, unsigned_integer,
    utc_time, utf8_string,
};

/// The identifier octets this project meets (ITU-T X.680, 8.4).
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING, primitive.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING, primitive.
    pub const OCTET_STRING: u8 = 0x04;
    /// OCTET STRING, constructed: BER only.
    pub const OCTET_STRING_CONSTRUCTED: u8 = 0x24;
    /// NULL.
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub const OID: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// UTF8String.
    pub const UTF8_STRING: u8 = 0x0c;
    /// PrintableString.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// IA5String.
    pub const IA5_STRING: u8 = 0x16;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: u8 = 0x30;
    /// SET and SET OF.
    pub const SET: u8 = 0x31;

    /// The tag `[n]` in constructed form, as EXPLICIT tagging writes it; `n` below 31.
    #[must_use]
    pub const fn context_constructed(n: u8) -> u8 {
        0xa0 | (n & 0x1f)
    }

    /// The tag `[n]` in primitive form, as IMPLICIT tagging of a primitive writes it; `n` below 31.
    #[must_use]
    pub const fn context_primitive(n: u8) -> u8 {
        0x80 | (n & 0x1f)
    }
}

/// Why bytes are not the tag-length-value structure that was asked for.
///
/// `offset` counts from the start of the outermost input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// The input ends inside an element, or where one was asked for.
    #[error("the input ends inside the element at offset {offset}")]
    Truncated {
        /// Where the element begins.
        offset: usize,
    },
    /// Tag numbers above 30; no structure this project reads has one.
    #[error("a tag number above 30 at offset {offset}")]
    HighTagNumber {
        /// Where the tag stands.
        offset: usize,
    },
    /// An indefinite length where only definite ones are read; see [`normalise_ber`].
    #[error("an indefinite length at offset {offset}")]
    IndefiniteLength {
        /// Where the element begins.
        offset: usize,
    },
    /// A length no memory holds, the reserved form 0xff, or an indefinite length on a primitive.
    #[error("an impossible length at offset {offset}")]
    BadLength {
        /// Where the element begins.
        offset: usize,
    },
    /// Another tag than the structure asks for here.
    #[error("{field}: tag 0x{found:02x} at offset {offset} where 0x{expected:02x} belongs")]
    UnexpectedTag {
        /// What was being read.
        field: &'static str,
        /// The tag the structure asks for.
        expected: u8,
        /// The tag met.
        found: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A mandatory element is absent.
    #[error("{field} is missing at offset {offset}")]
    Missing {
        /// What was being read.
        field: &'static str,
        /// Where it should begin.
        offset: usize,
    },
    /// Bytes follow where the structure ends.
    #[error("{field}: {count} bytes too many at offset {offset}")]
    TrailingBytes {
        /// What was being read.
        field: &'static str,
        /// Where the surplus begins.
        offset: usize,
        /// How many bytes there are.
        count: usize,
    },
    /// The content is no value of its type.
    #[error("no valid {kind} at offset {offset}")]
    BadValue {
        /// The ASN.1 type.
        kind: &'static str,
        /// Where the element begins.
        offset: usize,
    },
    /// The input passes a limit of [`BerLimits`].
    #[error("{limit} is {value}, more than {max}")]
    LimitExceeded {
        /// Which limit: `bytes_max` or `depth_max`.
        limit: &'static str,
        /// What the input has, as far as it was read.
        value: usize,
        /// What is allowed.
        max: usize,
    },
}

/// One element, with the bytes it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The identifier octet: class, form and number.
    pub tag: u8,
    /// Tag, length and content, exactly as they stood.
    pub raw: &'a [u8],
    /// The content octets.
    pub content: &'a [u8],
    /// Where `raw` begins in the outermost input.
    pub offset: usize,
}

/// Reads elements one after another.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
    base: usize,
}

impl<'a> Reader<'a> {
    /// A reader over a whole input or over the content of a constructed element.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    fn at(bytes: &'a [u8], base: usize) -> Self {
        Self {
            rest: bytes,
            length: bytes.len(),
            base,
        }
    }

    /// How many bytes of this reader's own input are behind it.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.length - self.rest.len()
    }

    fn absolute(&self) -> usize {
        self.base + self.offset()
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next tag, without moving; `None` at the end.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    ///
    /// # Errors
    /// [`TlvError::Truncated`] at the end or inside an element, and what a header can be wrong in.
    #[expect(
        clippy::should_implement_trait,
        reason = "an Iterator cannot end with an error and be resumed as plainly"
    )]
    pub fn next(&mut self) -> Result<Element<'a>, TlvError> {
        let offset = self.absolute();
        let header = Header::read(self.rest, offset)?;
        let Some(length) = header.content_length else {
            return Err(TlvError::IndefiniteLength { offset });
        };
        let truncated = TlvError::Truncated { offset };
        let total = header.size.checked_add(length).ok_or(truncated)?;
        let (raw, rest) = self.rest.split_at_checked(total).ok_or(truncated)?;
        let content = raw.get(header.size..).ok_or(truncated)?;
        self.rest = rest;
        Ok(Element {
            tag: header.tag,
            raw,
            content,
            offset,
        })
    }

    /// The next element if it carries `tag`; `None`, without moving, if it does not or at the end.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub fn next_if(&mut self, tag: u8) -> Result<Option<Element<'a>>, TlvError> {
        if self.peek() == Some(tag) {
            self.next().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The next element, which must carry `tag`.
    ///
    /// # Errors
    /// [`TlvError::Missing`] at the end, [`TlvError::UnexpectedTag`], else as [`Reader::next`].
    pub fn expect(&mut self, tag: u8, field: &'static str) -> Result<Element<'a>, TlvError> {
        let offset = self.absolute();
        match self.peek() {
            None => Err(TlvError::Missing { field, offset }),
            Some(found) if found != tag => Err(TlvError::UnexpectedTag {
                field,
                expected: tag,
                found,
                offset,
            }),
            Some(_) => self.next(),
        }
    }

    /// States that the structure ends here.
    ///
    /// # Errors
    /// [`TlvError::TrailingBytes`] when it does not.
    pub fn finish(self, field: &'static str) -> Result<(), TlvError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(TlvError::TrailingBytes {
                field,
                offset: self.absolute(),
                count: self.rest.len(),
            })
        }
    }
}

impl<'a> Element<'a> {
    /// A reader over the content.
    #[must_use]
    pub fn children(&self) -> Reader<'a> {
        Reader::at(
            self.content,
            self.offset + self.raw.len() - self.content.len(),
        )
    }

    /// An OBJECT IDENTIFIER in dotted form.
    ///
    /// # Errors
    /// [`TlvError::UnexpectedTag`]; [`TlvError::BadValue`] for an arc that is cut off, padded or
    /// longer than 128 bits.
    pub fn oid(&self) -> Result<String, TlvError> {
        self.require(tag::OID, "OBJECT IDENTIFIER")?;
        let bad = self.bad("OBJECT IDENTIFIER");
        let mut text = String::new();
        let mut arc: u128 = 0;
        let mut inside = false;
        for &octet in self.content {
            if !inside && octet == 0x80 {
                return Err(bad);
            }
            if arc > u128::MAX >> 7 {
                return Err(bad);
            }
            arc = (arc << 7) | u128::from(octet & 0x7f);
            inside = octet & 0x80 != 0;
            if inside {
                continue;
            }
            if text.is_empty() {
                // X.690, 8.19.4: the first two arcs share one number, 40 * first + second.
                let first = (arc / 40).min(2);
                text = format!("{first}.{}", arc - first * 40);
            } else {
                text.push('.');
                text.push_str(&arc.to_string());
            }
            arc = 0;
        }
        if inside || text.is_empty() {
            return Err(bad);
        }
        Ok(text)
    }

    /// The octets of a BIT STRING, without the octet that counts unused bits.
    ///
    /// # Errors
    /// [`TlvError::UnexpectedTag`]; [`TlvError::BadValue`] when that octet is absent or not zero.
    pub fn bit_string(&self) -> Result<&'a [u8], TlvError> {
        self.require(tag::BIT_STRING, "BIT STRING")?;
        match self.content.split_first() {
            Some((0, octets)) => Ok(octets),
            Some(_) | None => Err(self.bad("BIT STRING")),
        }
    }

    /// A UTCTime or GeneralizedTime. A fraction of a second is dropped; a zone is needed.
    ///
    /// UTCTime years are 1950 to 2049 (RFC 5280, 4.1.2.5.1).
    ///
    /// # Errors
    /// [`TlvError::UnexpectedTag`]; [`TlvError::BadValue`] for anything that is no such moment.
    pub fn time(&self) -> Result<UnixSeconds, TlvError> {
        if self.tag == tag::UTC_TIME {
            time::parse_utc_time(self.content).ok_or(self.bad("UTCTime"))
        } else {
            self.require(tag::GENERALIZED_TIME, "GeneralizedTime")?;
            time::parse_generalized_time(self.content).ok_or(self.bad("GeneralizedTime"))
        }
    }

    /// An INTEGER from 0 to 2^64 - 1.
    ///
    /// # Errors
    /// [`TlvError::UnexpectedTag`]; [`TlvError::BadValue`] when empty, negative or larger.
    pub fn integer_u64(&self) -> Result<u64, TlvError> {
        self.require(tag::INTEGER, "INTEGER")?;
        let bad = self.bad("INTEGER");
        match self.content.first() {
            None => return Err(bad),
            Some(first) if first & 0x80 != 0 => return Err(bad),
            Some(_) => {}
        }
        self.content.iter().try_fold(0_u64, |value, &octet| {
            if value > u64::MAX >> 8 {
                Err(bad)
            } else {
                Ok((value << 8) | u64::from(octet))
            }
        })
    }

    /// A BOOLEAN; BER's any non-zero octet counts as TRUE.
    ///
    /// # Errors
    /// [`TlvError::UnexpectedTag`]; [`TlvError::BadValue`] when the content is not one octet.
    pub fn boolean(&self) -> Result<bool, TlvError> {
        self.require(tag::BOOLEAN, "BOOLEAN")?;
        match self.content {
            [octet] => Ok(*octet != 0),
            _ => Err(self.bad("BOOLEAN")),
        }
    }

    /// The text of a UTF8String, or of a PrintableString or IA5String read as UTF-8.
    ///
    /// # Errors
    /// [`TlvError::UnexpectedTag`] for another type; [`TlvError::BadValue`] when it is not UTF-8.
    pub fn utf8(&self) -> Result<&'a str, TlvError> {
        if !matches!(self.tag, tag::PRINTABLE_STRING | tag::IA5_STRING) {
            self.require(tag::UTF8_STRING, "UTF8String")?;
        }
        std::str::from_utf8(self.content).map_err(|_| self.bad("UTF8String"))
    }

    /// The universal tag, or any context tag: the caller of an IMPLICIT field knows its type.
    fn require(&self, expected: u8, field: &'static str) -> Result<(), TlvError> {
        if self.tag == expected || self.tag & 0xe0 == 0x80 {
            Ok(())
        } else {
            Err(TlvError::UnexpectedTag {
                field,
                expected,
                found: self.tag,
                offset: self.offset,
            })
        }
    }

    fn bad(&self, kind: &'static str) -> TlvError {
        TlvError::BadValue {
            kind,
            offset: self.offset,
        }
    }
}

struct Header {
    tag: u8,
    /// How many octets tag and length take.
    size: usize,
    /// `None` for an indefinite length.
    content_length: Option<usize>,
}

impl Header {
    fn read(bytes: &[u8], offset: usize) -> Result<Self, TlvError> {
        let truncated = TlvError::Truncated { offset };
        let (&tag, rest) = bytes.split_first().ok_or(truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(TlvError::HighTagNumber { offset });
        }
        let (&first, rest) = rest.split_first().ok_or(truncated)?;
        if first < 0x80 {
            return Ok(Self {
                tag,
                size: 2,
                content_length: Some(usize::from(first)),
            });
        }
        if first == 0x80 {
            // X.690, 8.1.3.2: a primitive cannot have an indefinite length.
            return if tag & 0x20 == 0 {
                Err(TlvError::BadLength { offset })
            } else {
                Ok(Self {
                    tag,
                    size: 2,
                    content_length: None,
                })
            };
        }
        if first == 0xff {
            return Err(TlvError::BadLength { offset });
        }
        let count = usize::from(first & 0x7f);
        let octets = rest.get(..count).ok_or(truncated)?;
        let length = octets.iter().try_fold(0_usize, |value, &octet| {
            if value > usize::MAX >> 8 {
                Err(TlvError::BadLength { offset })
            } else {
                Ok((value << 8) | usize::from(octet))
            }
        })?;
        Ok(Self {
            tag,
            size: 2 + count,
            content_length: Some(length),
        })
    }
}

#[cfg(test)]
mod tests;
