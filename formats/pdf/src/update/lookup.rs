//! Looking things up on the way to a change: where a value really stands.

use crate::document::Document;
use crate::error::PdfError;
use crate::object::{Object, Value};

/// A value after its references have been followed.
pub(super) enum Found<'a> {
    /// Nothing: no entry, `null`, or a reference to no object (ISO 32000-2, 7.3.10).
    Nothing,
    /// The value stands where it was looked for.
    Here(Value),
    /// The value is an object of its own.
    There(Object<'a>),
}

impl<'a> Found<'a> {
    /// Follows `value` as far as it refers.
    pub(super) fn follow(document: &Document<'a>, value: Option<&Value>) -> Result<Self, PdfError> {
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return Ok(Self::Nothing);
        };
        let Some(id) = value.as_reference() else {
            return Ok(Self::Here(value.clone()));
        };
        let object = document.follow(id, document.newest_index())?;
        Ok(match object {
            Some(object) if !object.value.is_null() => Self::There(object),
            _ => Self::Nothing,
        })
    }

    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Nothing => None,
            Self::Here(value) => Some(value),
            Self::There(object) => Some(&object.value),
        }
    }
}

/// The value of `key` with its references followed; `None` for nothing.
pub(super) fn entry(
    document: &Document<'_>,
    dictionary: &Value,
    key: &[u8],
) -> Result<Option<Value>, PdfError> {
    match dictionary.as_dictionary() {
        Some(dictionary) => document.lookup(dictionary, key),
        None => Ok(None),
    }
}

/// The elements of an array entry with their references followed; none for anything else.
pub(super) fn elements(
    document: &Document<'_>,
    dictionary: &Value,
    key: &[u8],
) -> Result<Vec<Value>, PdfError> {
    let array = entry(document, dictionary, key)?;
    let elements = array.as_ref().and_then(Value::as_array).unwrap_or_default();
    elements
        .iter()
        .map(|element| document.resolve(element))
        .collect()
}
