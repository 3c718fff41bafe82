//! Which objects differ between two states of a file, and what "the same" means.

use std::collections::{BTreeMap, BTreeSet};

use super::references::TOUCHED_OBJECTS_MAX;
use yinxin_pdf::{Dictionary, Document, Kind, Object, ObjectId, PdfError, Value, XrefEntry};

/// References followed from one value to the next.
const REFERENCES_MAX: usize = 32;

/// One object number that means something else now.
pub(super) struct Delta<'d> {
    /// What it was in the signed state; absent when it was free or unknown.
    pub(super) then: Option<Object<'d>>,
    /// What it is now; absent when it was deleted or cannot be read.
    pub(super) now: Option<Object<'d>>,
    /// It is there now, but cannot be read.
    pub(super) unreadable: bool,
}

impl Delta<'_> {
    pub(super) fn is_new(&self) -> bool {
        self.then.is_none() && self.now.is_some()
    }
}

/// Compares every number that a revision after the signed one names.
pub(super) fn deltas<'d>(
    signed: &'d Document<'_>,
    current: &'d Document<'_>,
) -> Result<BTreeMap<u32, Delta<'d>>, PdfError> {
    let mut touched = BTreeSet::new();
    for revision in current.revisions().iter().skip(signed.revisions().len()) {
        for (number, _) in revision.entries() {
            if number == 0 {
                continue;
            }
            touched.insert(number);
            if touched.len() > TOUCHED_OBJECTS_MAX {
                return Err(PdfError::LimitExceeded {
                    limit: "objects changed after a signature",
                    value: touched.len() as u64,
                    max: TOUCHED_OBJECTS_MAX as u64,
                });
            }
        }
    }
    let mut deltas = BTreeMap::new();
    for number in touched {
        if let Some(delta) = delta(signed, current, number)? {
            deltas.insert(number, delta);
        }
    }
    Ok(deltas)
}

fn delta<'d>(
    signed: &'d Document<'_>,
    current: &'d Document<'_>,
    number: u32,
) -> Result<Option<Delta<'d>>, PdfError> {
    let entry_then = newest_entry(signed, number);
    let entry_now = newest_entry(current, number);
    if entry_then == entry_now {
        return Ok(None);
    }
    let then = missing_is_none(read(signed, number, entry_then))?;
    let (now, unreadable) = match read(current, number, entry_now) {
        Ok(object) => (object, false),
        Err(error @ PdfError::LimitExceeded { .. }) => return Err(error),
        Err(_) => (None, true),
    };
    let same = match (&then, &now) {
        (Some(then), Some(now)) => {
            then.id == now.id && same_value(current.bytes(), &then.value, &now.value)
        }
        (None, None) => !unreadable,
        (Some(_), None) | (None, Some(_)) => false,
    };
    Ok((!same).then_some(Delta {
        then,
        now,
        unreadable,
    }))
}

/// What the newest revision that knows `number` says of it.
pub(super) fn newest_entry(document: &Document<'_>, number: u32) -> Option<XrefEntry> {
    document
        .revisions()
        .iter()
        .rev()
        .find_map(|revision| revision.entry(number))
}

/// The id under which an entry's object is asked for; none for a free number.
pub(super) fn object_id(number: u32, entry: XrefEntry) -> Option<ObjectId> {
    match entry {
        XrefEntry::Free { .. } => None,
        XrefEntry::InFile { generation, .. } => Some(ObjectId::new(number, generation)),
        XrefEntry::InStream { .. } => Some(ObjectId::new(number, 0)),
    }
}

/// The object, unless it is free, unknown or null.
fn read<'d>(
    document: &'d Document<'_>,
    number: u32,
    entry: Option<XrefEntry>,
) -> Result<Option<Object<'d>>, PdfError> {
    let Some(id) = entry.and_then(|entry| object_id(number, entry)) else {
        return Ok(None);
    };
    let object = document.object(id)?;
    Ok((!object.value.is_null()).then_some(object))
}

/// The value behind any references; `None` for null, for a missing object and for a broken one,
/// which for every reader is the same (ISO 32000-2, 7.3.10).
pub(super) fn resolve(
    document: &Document<'_>,
    value: Option<&Value>,
) -> Result<Option<Value>, PdfError> {
    let Some(value) = value else { return Ok(None) };
    let mut value = value.clone();
    for _ in 0..REFERENCES_MAX {
        let Some(id) = value.as_reference() else {
            return Ok((!value.is_null()).then_some(value));
        };
        match missing_is_none(document.object(id).map(Some))? {
            Some(object) => value = object.value,
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// Turns every error but a limit into `None`.
pub(super) fn missing_is_none<T>(
    result: Result<Option<T>, PdfError>,
) -> Result<Option<T>, PdfError> {
    match result {
        Ok(found) => Ok(found),
        Err(error @ PdfError::LimitExceeded { .. }) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Whether two values say the same; where and how they were written does not matter, the encoded
/// bytes of a stream do. Both spans index into `bytes`.
pub(super) fn same_value(bytes: &[u8], left: &Value, right: &Value) -> bool {
    match (&left.kind, &right.kind) {
        (Kind::Array(left), Kind::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same_value(bytes, left, right))
        }
        (Kind::Dictionary(left), Kind::Dictionary(right)) => {
            differing_keys(bytes, left, right).is_empty()
        }
        (
            Kind::Stream {
                dictionary: left,
                data: left_data,
            },
            Kind::Stream {
                dictionary: right,
                data: right_data,
            },
        ) => {
            bytes.get(left_data.clone()) == bytes.get(right_data.clone())
                && differing_keys(bytes, left, right).is_empty()
        }
        (Kind::String { bytes: left, .. }, Kind::String { bytes: right, .. }) => left == right,
        (left, right) => left == right,
    }
}

/// The keys whose values differ, sorted; an entry that is null counts as absent.
pub(super) fn differing_keys(bytes: &[u8], left: &Dictionary, right: &Dictionary) -> Vec<Vec<u8>> {
    let keys: BTreeSet<&[u8]> = left
        .iter()
        .chain(right.iter())
        .map(|entry| entry.key.as_slice())
        .collect();
    keys.into_iter()
        .filter(|key| match (left.get(key), right.get(key)) {
            (Some(left), Some(right)) => !same_value(bytes, left, right),
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        })
        .map(<[u8]>::to_vec)
        .collect()
}

/// Calls `visit` for every reference inside a value, with the nearest key above it.
pub(super) fn references<'v>(
    value: &'v Value,
    key: &'v [u8],
    visit: &mut dyn FnMut(ObjectId, &'v [u8]),
) {
    match &value.kind {
        Kind::Reference(id) => visit(*id, key),
        Kind::Array(values) => values
            .iter()
            .for_each(|value| references(value, key, visit)),
        Kind::Dictionary(dictionary) | Kind::Stream { dictionary, .. } => {
            for entry in dictionary.iter() {
                references(&entry.value, &entry.key, visit);
            }
        }
        Kind::Null
        | Kind::Boolean(_)
        | Kind::Integer(_)
        | Kind::Real(_)
        | Kind::String { .. }
        | Kind::Name(_) => {}
    }
}
