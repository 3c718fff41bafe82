//! Changes to existing objects that keep every byte they do not concern.

use std::collections::BTreeMap;

use crate::object::{Kind, ObjectId, Value};

/// What happens to one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Patch {
    /// Other bytes take its place.
    Replace(Vec<u8>),
    /// Elements more at the end of an array; an array of them alone where there was no array.
    Append(Vec<Vec<u8>>),
    /// Some entries of a dictionary change; a new dictionary where there was no value.
    Entries(Vec<(&'static str, Patch)>),
}

impl Patch {
    /// The value's bytes after the change. `raw` is what the spans of `value` index into.
    pub(super) fn apply(&self, raw: &[u8], value: Option<&Value>) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Replace(bytes) => out.extend_from_slice(bytes),
            Self::Append(elements) => {
                let written = value
                    .filter(|value| matches!(value.kind, Kind::Array(_)))
                    .and_then(|array| raw.get(array.span.clone()))
                    .and_then(|array| array.strip_suffix(b"]"));
                out.extend_from_slice(written.unwrap_or(b"["));
                // An array may end in a token that would run into the next one.
                if out.len() > 1 {
                    out.push(b' ');
                }
                out.extend_from_slice(&elements.join(&b' '));
                out.push(b']');
            }
            Self::Entries(entries) => apply_entries(entries, raw, value, &mut out),
        }
        out
    }

    /// Takes the place of this change; two that append become one. One array may be reached in two
    /// ways, as `/Fields` and as `/Annots`: an element goes in once.
    fn join(&mut self, later: Self) {
        match (self, later) {
            (Self::Append(elements), Self::Append(more)) => {
                for element in more {
                    if !elements.contains(&element) {
                        elements.push(element);
                    }
                }
            }
            (known, later) => *known = later,
        }
    }

    /// Adds a change of `key`, inside the dictionaries that `path` leads through.
    fn insert(&mut self, path: &[&'static str], key: &'static str, patch: Patch) {
        let Self::Entries(entries) = self else {
            return;
        };
        let (step, rest) = match path.split_first() {
            None => {
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, known)) => known.join(patch),
                    None => entries.push((key, patch)),
                }
                return;
            }
            Some((step, rest)) => (*step, rest),
        };
        if !entries.iter().any(|(known, _)| *known == step) {
            entries.push((step, Self::Entries(Vec::new())));
        }
        for (known, inner) in entries {
            if *known == step {
                inner.insert(rest, key, patch);
                return;
            }
        }
    }
}

fn apply_entries(
    entries: &[(&'static str, Patch)],
    raw: &[u8],
    value: Option<&Value>,
    out: &mut Vec<u8>,
) {
    let dictionary = value.and_then(Value::as_dictionary);
    let mut pending: Vec<&(&'static str, Patch)> = entries.iter().collect();
    if let Some(dictionary) = dictionary {
        let mut copied = dictionary.span.start;
        // Before the closing `>>`.
        let end = dictionary.span.end.saturating_sub(2);
        for entry in dictionary.iter() {
            let Some(place) = pending
                .iter()
                .position(|(key, _)| key.as_bytes() == entry.key.as_slice())
            else {
                continue;
            };
            let (_, patch) = pending.remove(place);
            let span = &entry.value.span;
            out.extend_from_slice(raw.get(copied..span.start).unwrap_or_default());
            if raw.get(entry.key_span.end..span.start) == Some(b"") {
                out.push(b' ');
            }
            // `null` is the same as no value (ISO 32000-2, 7.3.7).
            let old = (!entry.value.is_null()).then_some(&entry.value);
            out.extend_from_slice(&patch.apply(raw, old));
            copied = span.end;
        }
        out.extend_from_slice(raw.get(copied..end).unwrap_or_default());
    } else {
        out.extend_from_slice(b"<<");
    }
    for (key, patch) in pending {
        out.extend_from_slice(b"/");
        out.extend_from_slice(key.as_bytes());
        out.push(b' ');
        out.extend_from_slice(&patch.apply(raw, None));
    }
    out.extend_from_slice(b">>");
}

/// A dictionary to change: an indirect object, or a direct one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) object: ObjectId,
    pub(super) path: Vec<&'static str>,
}

impl Slot {
    pub(super) fn object(object: ObjectId) -> Self {
        Self {
            object,
            path: Vec::new(),
        }
    }

    /// The dictionary that is the value of `key` in this one.
    pub(super) fn inside(&self, key: &'static str) -> Self {
        let mut path = self.path.clone();
        path.push(key);
        Self {
            object: self.object,
            path,
        }
    }
}

/// All changes of one update, in the order of object numbers.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<ObjectId, Patch>);

impl Changes {
    /// Sets, extends or patches one entry.
    pub(super) fn entry(&mut self, slot: &Slot, key: &'static str, patch: Patch) {
        self.0
            .entry(slot.object)
            .or_insert_with(|| Patch::Entries(Vec::new()))
            .insert(&slot.path, key, patch);
    }

    /// Adds an element to an indirect array.
    pub(super) fn append(&mut self, array: ObjectId, element: Vec<u8>) {
        let append = Patch::Append(vec![element]);
        match self.0.get_mut(&array) {
            Some(known) => known.join(append),
            None => {
                self.0.insert(array, append);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ObjectId, &Patch)> {
        self.0.iter().map(|(id, patch)| (*id, patch))
    }
}

/// `12 0 R`
pub(super) fn reference(id: ObjectId) -> Vec<u8> {
    format!("{} {} R", id.number, id.generation).into_bytes()
}
