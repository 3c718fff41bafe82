//! The signature dictionary with its empty slot (ISO 32000-2, 12.8.1, table 255).

use std::ops::Range;

use lopdf::{Dictionary, Object, StringFormat};
use time::{OffsetDateTime, UtcOffset};

use super::error::UpdateError;
use super::request::SignatureRequest;
use super::tail::Tail;
use crate::object::ObjectId;

/// More than any container with its timestamps and revocation values; real ones have 2 to 40 KB.
const CONTENTS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longer names and reasons are mistakes.
const TEXT_CHARACTERS_MAX: usize = 1024;

/// The longest name object (ISO 32000-1, annex C.2).
const NAME_BYTES_MAX: usize = 127;

/// Four numbers of ten digits with their blanks: what a byte range can need.
const BYTE_RANGE_WIDTH: usize = "[0 9999999999 9999999999 9999999999]".len();

/// Where the parts that are filled in later stand, counted in the tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slots {
    /// The array `/ByteRange` with its brackets.
    pub(super) byte_range: Range<usize>,
    /// The hexadecimal string `/Contents` with its angle brackets.
    pub(super) contents: Range<usize>,
}

/// The values of a request that need checking or conversion before they can be written.
#[derive(Debug)]
pub(super) struct Entries {
    before: Dictionary,
    after: Dictionary,
    contents_bytes: usize,
}

impl Entries {
    /// # Errors
    /// A value of the request is empty, too long or not a date.
    pub(super) fn new(request: &SignatureRequest) -> Result<Self, UpdateError> {
        let mut before = Dictionary::new();
        before.set("Type", name("Sig"));
        before.set("Filter", checked_name("filter", &request.filter)?);
        before.set(
            "SubFilter",
            checked_name("sub_filter", &request.sub_filter)?,
        );

        let mut after = Dictionary::new();
        let date = pdf_date(request.signing_time, request.signing_offset_minutes)?;
        after.set(
            "M",
            Object::String(date.into_bytes(), StringFormat::Literal),
        );
        for (key, field, value) in [
            ("Name", "name", &request.name),
            ("Reason", "reason", &request.reason),
            ("Location", "location", &request.location),
        ] {
            if let Some(value) = value {
                after.set(key, checked_text(field, value)?);
            }
        }
        if request.contents_bytes == 0 || request.contents_bytes > CONTENTS_BYTES_MAX {
            return Err(UpdateError::RequestInvalid {
                field: "contents_bytes",
                problem: "is not between 1 byte and 4 MiB",
            });
        }
        Ok(Self {
            before,
            after,
            contents_bytes: request.contents_bytes,
        })
    }

    /// Writes the object with an empty slot. `reference` is the written value of `/Reference`.
    pub(super) fn write(self, id: ObjectId, reference: Option<&[u8]>, tail: &mut Tail) -> Slots {
        tail.begin(id);
        tail.raw(b"<<");
        tail.entries(&self.before);
        tail.raw(b"/ByteRange ");
        let byte_range = tail.raw(&[b' '; BYTE_RANGE_WIDTH]);
        tail.raw(b"/Contents ");
        let contents = tail.slot(self.contents_bytes);
        tail.entries(&self.after);
        if let Some(reference) = reference {
            tail.raw(b"/Reference ");
            tail.raw(reference);
        }
        tail.raw(b">>");
        tail.end();
        Slots {
            byte_range,
            contents,
        }
    }
}

/// The array of `/ByteRange`, padded with blanks to the width of its slot.
pub(super) fn byte_range_text(range: [u64; 4]) -> String {
    let [first, before, second, after] = range;
    let numbers = format!("[{first} {before} {second} {after}");
    format!("{numbers:<width$}]", width = BYTE_RANGE_WIDTH - 1)
}

/// `D:20261122160000+08'00'` (ISO 32000-2, 7.9.4; the last apostrophe for readers of PDF 1.7).
fn pdf_date(seconds: i64, offset_minutes: i16) -> Result<String, UpdateError> {
    let wrong = |field, problem| UpdateError::RequestInvalid { field, problem };
    let offset = UtcOffset::from_whole_seconds(i32::from(offset_minutes) * 60)
        .ok()
        .filter(|offset| offset.whole_hours().abs() < 24)
        .ok_or(wrong("signing_offset_minutes", "is not below a day"))?;
    let at = OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|at| at.checked_to_offset(offset))
        .filter(|at| (0..=9999).contains(&at.year()))
        .ok_or(wrong("signing_time", "is not in the years 0 to 9999"))?;
    let sign = if offset.is_negative() { '-' } else { '+' };
    Ok(format!(
        "D:{:04}{:02}{:02}{:02}{:02}{:02}{sign}{:02}'{:02}'",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        offset.whole_hours().abs(),
        offset.minutes_past_hour().abs(),
    ))
}

/// A name object of a constant.
pub(super) fn name(name: &str) -> Object {
    Object::Name(name.as_bytes().to_vec())
}

fn checked_name(field: &'static str, text: &str) -> Result<Object, UpdateError> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX || text.contains('\0') {
        return Err(UpdateError::RequestInvalid {
            field,
            problem: "is not a name of 1 to 127 bytes",
        });
    }
    Ok(name(text))
}

/// A text string of a value of the request.
pub(super) fn checked_text(field: &'static str, text: &str) -> Result<Object, UpdateError> {
    if text.chars().count() > TEXT_CHARACTERS_MAX {
        return Err(UpdateError::RequestInvalid {
            field,
            problem: "is longer than 1024 characters",
        });
    }
    Ok(text_string(text))
}

/// PDFDocEncoding for ASCII, UTF-16BE with its byte order mark for all else (7.9.2.2).
pub(super) fn text_string(text: &str) -> Object {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Object::String(text.as_bytes().to_vec(), StringFormat::Literal);
    }
    let mut bytes = vec![0xFE, 0xFF];
    bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    // Hexadecimal, because some readers mistake line ends inside a literal string.
    Object::String(bytes, StringFormat::Hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_the_offset_asked_for() {
        let cases = [
            (0, 0, "D:19700101000000+00'00'"),
            (1_795_334_400, 480, "D:20261122160000+08'00'"),
            (1_795_334_400, -570, "D:20261121223000-09'30'"),
            (951_782_400, 0, "D:20000229000000+00'00'"),
        ];
        for (seconds, offset, expected) in cases {
            assert_eq!(pdf_date(seconds, offset).unwrap(), expected);
        }
        for (seconds, offset, field) in [
            (i64::MAX, 0, "signing_time"),
            (-62_135_596_800 - 86_400 * 800, 0, "signing_time"),
            (0, 1440, "signing_offset_minutes"),
            (0, i16::MIN, "signing_offset_minutes"),
        ] {
            let error = pdf_date(seconds, offset).unwrap_err();
            assert!(
                matches!(&error, UpdateError::RequestInvalid { field: at, .. } if *at == field),
                "{seconds} {offset}: {error}"
            );
        }
    }

    #[test]
    fn a_byte_range_has_one_width_whatever_its_numbers() {
        for range in [
            [0, 1, 2, 3],
            [0, 9_999_999_999, 9_999_999_999, 9_999_999_999],
        ] {
            let text = byte_range_text(range);
            assert_eq!(text.len(), BYTE_RANGE_WIDTH, "{text}");
            assert!(text.starts_with('[') && text.ends_with(']'));
        }
        assert_eq!(
            byte_range_text([0, 10, 20, 30])
                .trim_end_matches(']')
                .trim_end(),
            "[0 10 20 30"
        );
    }

    #[test]
    fn text_is_ascii_or_utf_16() {
        assert_eq!(
            text_string("Seal (1)"),
            Object::String(b"Seal (1)".to_vec(), StringFormat::Literal)
        );
        assert_eq!(
            text_string("印A"),
            Object::String(
                vec![0xFE, 0xFF, 0x53, 0x70, 0, 0x41],
                StringFormat::Hexadecimal
            )
        );
    }
}
