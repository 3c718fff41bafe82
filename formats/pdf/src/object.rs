//! Objects that know where they stood (ISO 32000-2, 7.3).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::error::PdfError;

/// Number and generation of an indirect object (ISO 32000-2, 7.3.10).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ObjectId {
    /// The object number.
    pub number: u32,
    /// The generation; 0 for everything in an object stream.
    pub generation: u16,
}

impl ObjectId {
    /// `number generation R`.
    pub const fn new(number: u32, generation: u16) -> Self {
        ObjectId { number, generation }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.number, self.generation)
    }
}

/// A parsed value and the bytes it was written in.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Offsets in the file; for an object out of an object stream, in the decoded stream.
    pub span: Range<usize>,
    /// What was written there.
    pub kind: Kind,
}

/// The nine kinds of PDF objects, and the reference.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// `17`
    Integer(i64),
    /// `1.5`
    Real(f64),
    /// `(text)` or `<74657874>`, decoded.
    String {
        /// The string's bytes, with escapes resolved.
        bytes: Vec<u8>,
        /// Whether it was written between angle brackets.
        hexadecimal: bool,
    },
    /// `/Name`, with `#xx` resolved and without the slash.
    Name(Vec<u8>),
    /// `[ … ]`
    Array(Vec<Value>),
    /// `<< … >>`
    Dictionary(Dictionary),
    /// A dictionary and its data.
    Stream {
        /// The stream dictionary.
        dictionary: Dictionary,
        /// Where the encoded data stand in the file.
        data: Range<usize>,
    },
    /// `12 0 R`
    Reference(ObjectId),
}

impl Value {
    /// The integer, if it is one. A real is none, whatever its value.
    pub fn as_integer(&self) -> Option<i64> {
        if let Kind::Integer(value) = self.kind {
            Some(value)
        } else {
            None
        }
    }

    /// The number, whether integer or real.
    pub fn as_number(&self) -> Option<f64> {
        if let Kind::Real(value) = self.kind {
            return Some(value);
        }
        // Integers of PDF coordinates are far below 2^53.
        self.as_integer().map(|value| value as f64)
    }

    /// The boolean, if it is one.
    pub fn as_boolean(&self) -> Option<bool> {
        if let Kind::Boolean(value) = self.kind {
            Some(value)
        } else {
            None
        }
    }

    /// The name without its slash, if it is one.
    pub fn as_name(&self) -> Option<&[u8]> {
        if let Kind::Name(name) = &self.kind {
            Some(name)
        } else {
            None
        }
    }

    /// The bytes of a string of either form.
    pub fn as_string(&self) -> Option<&[u8]> {
        if let Kind::String { bytes, .. } = &self.kind {
            Some(bytes)
        } else {
            None
        }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Kind::Array(values) = &self.kind {
            Some(values)
        } else {
            None
        }
    }

    /// The dictionary, also that of a stream.
    pub fn as_dictionary(&self) -> Option<&Dictionary> {
        if let Kind::Stream { dictionary, .. } = &self.kind {
            return Some(dictionary);
        }
        if let Kind::Dictionary(dictionary) = &self.kind {
            Some(dictionary)
        } else {
            None
        }
    }

    /// The id it refers to, if it is a reference.
    pub fn as_reference(&self) -> Option<ObjectId> {
        if let Kind::Reference(id) = self.kind {
            Some(id)
        } else {
            None
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Whether it is a stream.
    pub fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Stream { .. })
    }
}

/// A dictionary in the order in which it was written; no key occurs twice.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Dictionary {
    /// The entries in file order.
    pub entries: Vec<Entry>,
    /// From `<<` to behind `>>`.
    pub span: Range<usize>,
}

/// One key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key with `#xx` resolved and without the slash.
    pub key: Vec<u8>,
    /// Where the key stands, with its slash.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Value,
}

impl Dictionary {
    /// The value of `key`; a value `null` is the same as none (ISO 32000-2, 7.3.7).
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    /// Whether `key` is the name `name`.
    pub fn has_name(&self, key: &[u8], name: &[u8]) -> bool {
        self.get(key).and_then(Value::as_name) == Some(name)
    }

    /// The entries in file order, those with the value `null` included.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// `Err(DuplicateKey)` when two entries have one key.
    pub(crate) fn check_keys(&self) -> Result<(), PdfError> {
        let mut order: Vec<&Entry> = self.entries.iter().collect();
        order.sort_by(|left, right| left.key.cmp(&right.key));
        let twice = order
            .iter()
            .zip(order.iter().skip(1))
            .find(|(left, right)| left.key == right.key);
        match twice {
            None => Ok(()),
            // The sort is stable, so that the second of the pair is the later one in the file.
            Some((_, second)) => Err(PdfError::DuplicateKey {
                offset: second.key_span.start,
                key: String::from_utf8_lossy(&second.key).into_owned(),
            }),
        }
    }
}

/// An indirect object, read on demand.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    /// Its number and generation, as asked and as written.
    pub id: ObjectId,
    /// Its value.
    pub value: Value,
    /// Where it stood.
    pub source: ObjectSource,
    /// Index of the revision whose cross reference leads here.
    pub revision_index: usize,
    /// The newest revision that was looked at; references inside are to be resolved there.
    pub(crate) view_index: usize,
    pub(crate) raw: Raw<'a>,
}

/// Where an object stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectSource {
    /// In the file itself.
    File {
        /// From the number of its header to behind `endobj`.
        span: Range<usize>,
    },
    /// In an object stream.
    ObjectStream {
        /// The stream.
        container: ObjectId,
        /// The object's place in the stream, from 0.
        index: u32,
    },
}

#[derive(Clone)]
pub(crate) enum Raw<'a> {
    File(&'a [u8]),
    Decoded(Arc<Vec<u8>>),
}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Raw::File(bytes) => write!(formatter, "File({} bytes)", bytes.len()),
            Raw::Decoded(bytes) => write!(formatter, "Decoded({} bytes)", bytes.len()),
        }
    }
}

impl Object<'_> {
    /// The bytes into which all spans of the value index: the file, or the decoded object stream.
    pub fn raw(&self) -> &[u8] {
        match &self.raw {
            Raw::File(bytes) => bytes,
            Raw::Decoded(bytes) => bytes,
        }
    }

    /// The bytes the value was written in, without header and `endobj`.
    pub fn written(&self) -> &[u8] {
        self.raw().get(self.value.span.clone()).unwrap_or_default()
    }

    /// The dictionary, also that of a stream.
    pub fn dictionary(&self) -> Option<&Dictionary> {
        self.value.as_dictionary()
    }
}
