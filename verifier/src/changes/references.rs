//! Who refers to objects that came or changed after a signature.
//!
//! Two questions need every reference of a signed state: does it already refer to a number that
//! only a later revision fills (a page prepared with a reference to nothing), and does anything
//! else use an object that is let grow. Nearly all objects of a file are the same in all its
//! states, so they are read once for all signatures; only the few that differ are read for each.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use yinxin_pdf::{Document, ObjectId, PdfError, Value, XrefEntry};

use super::objects::{self, Delta, missing_is_none, object_id};

/// Objects that later revisions may name before the comparison gives up. A signature touches
/// about ten; a seam stamp over a thousand pages some thousand.
pub(super) const TOUCHED_OBJECTS_MAX: usize = 20_000;

/// Versions of those objects that are read in all.
const VERSIONS_READ_MAX: usize = 200_000;

/// Keys remembered for one object; more would only repeat what it is used as.
const KEYS_MAX: usize = 16;

/// The references to one number.
#[derive(Clone, Default)]
pub(super) struct Uses {
    /// Keys nearest above the references met, each once.
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) count: usize,
}

impl Uses {
    fn add(&mut self, key: &[u8]) {
        self.count += 1;
        if self.keys.len() < KEYS_MAX && !self.keys.iter().any(|known| known == key) {
            self.keys.push(key.to_vec());
        }
    }
}

/// What all states of a file since the oldest signature have in common.
#[derive(Default)]
pub(crate) struct Background {
    /// Numbers that a revision after the oldest signed one names.
    touched: BTreeSet<u32>,
    /// References to them from all other objects.
    uses: BTreeMap<u32, Uses>,
}

impl Background {
    /// Reads every object that no revision after `first_revision` touched.
    ///
    /// Objects count as soon as any state since then leads to them.
    ///
    /// # Errors
    /// [`PdfError::LimitExceeded`].
    pub(crate) fn read(document: &Document<'_>, first_revision: usize) -> Result<Self, PdfError> {
        let newer = || document.revisions().iter().skip(first_revision + 1);
        let mut touched = BTreeSet::new();
        for number in newer().flat_map(|revision| revision.entries().map(|(number, _)| number)) {
            touched.insert(number);
            limit(
                "objects changed after a signature",
                touched.len(),
                TOUCHED_OBJECTS_MAX,
            )?;
        }
        let mut walk = Walk {
            touched: &touched,
            uses: BTreeMap::new(),
            seen: Seen::default(),
            waiting: Vec::new(),
        };
        let mut versions_read = 0;
        for revision in document.revisions().iter().skip(first_revision) {
            for key in [b"Root".as_slice(), b"Info"] {
                if let Some(value) = revision.trailer.get(key) {
                    walk.start_from(value);
                }
            }
            for number in &touched {
                // The oldest state of each, then each version that a revision brings.
                let entry = if revision.index == first_revision {
                    document
                        .entry_at(*number, first_revision)
                        .map(|(_, entry)| entry)
                } else {
                    revision.entry(*number)
                };
                let Some(id) = entry.and_then(|entry| object_id(*number, entry)) else {
                    continue;
                };
                versions_read += 1;
                limit(
                    "versions of changed objects",
                    versions_read,
                    VERSIONS_READ_MAX,
                )?;
                let object = document.object_at(id, revision.index).map(Some);
                if let Some(object) = missing_is_none(object)? {
                    walk.start_from(&object.value);
                }
            }
        }
        while let Some(id) = walk.waiting.pop() {
            let visited = document.references(id, &mut |id, key| walk.note(id, key));
            missing_is_none(visited.map(Some))?;
        }
        let uses = walk.uses;
        Ok(Self { touched, uses })
    }

    /// Who refers to the numbers that differ, in the signed state.
    pub(super) fn uses_in(
        &self,
        signed: &Document<'_>,
        deltas: &BTreeMap<u32, Delta<'_>>,
    ) -> Result<BTreeMap<u32, Uses>, PdfError> {
        let mut uses: BTreeMap<u32, Uses> = self
            .uses
            .iter()
            .filter(|(number, _)| deltas.contains_key(number))
            .map(|(number, uses)| (*number, uses.clone()))
            .collect();
        let mut note = |value: &Value| {
            objects::references(value, b"", &mut |id, key| {
                if deltas.contains_key(&id.number) {
                    uses.entry(id.number).or_default().add(key);
                }
            });
        };
        for key in [b"Root".as_slice(), b"Info"] {
            if let Some(value) = signed.trailer().get(key) {
                note(value);
            }
        }
        for number in &self.touched {
            let entry: Option<XrefEntry> = objects::newest_entry(signed, *number);
            let Some(id) = entry.and_then(|entry| object_id(*number, entry)) else {
                continue;
            };
            if let Some(object) = missing_is_none(signed.object(id).map(Some))? {
                note(&object.value);
            }
        }
        Ok(uses)
    }
}

struct Walk<'t> {
    touched: &'t BTreeSet<u32>,
    uses: BTreeMap<u32, Uses>,
    seen: Seen,
    waiting: Vec<ObjectId>,
}

impl Walk<'_> {
    /// Goes on to what a touched object or a trailer refers to; those references themselves are
    /// counted per state.
    fn start_from(&mut self, value: &Value) {
        objects::references(value, b"", &mut |id, _| self.follow(id));
    }

    /// Counts a reference in an object that is the same in all states, or goes on to where it
    /// leads.
    fn note(&mut self, id: ObjectId, key: &[u8]) {
        if self.touched.contains(&id.number) {
            self.uses.entry(id.number).or_default().add(key);
        } else {
            self.follow(id);
        }
    }

    fn follow(&mut self, id: ObjectId) {
        if !self.touched.contains(&id.number) && self.seen.insert(id.number) {
            self.waiting.push(id);
        }
    }
}

/// Object numbers met before: a bit for each of the usual ones.
#[derive(Default)]
struct Seen {
    usual: Vec<u64>,
    others: HashSet<u32>,
}

impl Seen {
    /// Numbers below this cost at most a mebibyte.
    const USUAL_END: u32 = 8 * 1024 * 1024;

    /// Whether the number is new.
    fn insert(&mut self, number: u32) -> bool {
        if number >= Self::USUAL_END {
            return self.others.insert(number);
        }
        let (place, bit) = ((number / 64) as usize, 1_u64 << (number % 64));
        if place >= self.usual.len() {
            self.usual.resize(place + 1, 0);
        }
        let Some(word) = self.usual.get_mut(place) else {
            return false;
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

fn limit(limit: &'static str, value: usize, max: usize) -> Result<(), PdfError> {
    if value > max {
        let (value, max) = (value as u64, max as u64);
        return Err(PdfError::LimitExceeded { limit, value, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_new_once() {
        let mut seen = Seen::default();
        let numbers = [
            0,
            1,
            63,
            64,
            700_000,
            Seen::USUAL_END - 1,
            Seen::USUAL_END,
            u32::MAX,
        ];
        for number in numbers {
            assert!(seen.insert(number), "{number}");
        }
        for number in numbers {
            assert!(!seen.insert(number), "{number}");
        }
        assert!(seen.insert(65));
    }
}
