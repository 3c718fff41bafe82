//! What no later signature explains: named, so that a person can look.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use yinxin_pdf::{Dictionary, Document, ObjectId, PdfError, Value};

use super::Comparison;
use super::objects::{self, Delta, missing_is_none};
use crate::report::Changed;

/// Objects of the signed state that are read to look for references to nothing.
const OBJECTS_READ_MAX: usize = 2_000_000;

impl Comparison<'_, '_> {
    /// Accounts for every difference that is left.
    pub(super) fn rest(&mut self) {
        self.containers();
        for number in std::mem::take(&mut self.walk.dangling) {
            self.flag(Some(number), Changed::DanglingReference, None);
        }
        let reached = self.reached_by_changes();
        let left: Vec<u32> = self
            .deltas
            .keys()
            .copied()
            .filter(|number| !self.explained.contains(number))
            .collect();
        for number in left {
            let Some(delta) = self.deltas.get(&number) else {
                continue;
            };
            if delta.is_new() && !reached.contains(&number) {
                self.explained.insert(number);
                self.allow(Some(number), Changed::Orphan);
            } else {
                let uses = self.walk.uses.get(&number);
                let keys = uses.map(|uses| uses.keys.clone()).unwrap_or_default();
                let (what, key) = what_is(delta, &keys);
                self.flag(Some(number), what, key.as_deref());
            }
        }
    }

    /// Cross-reference and object streams carry other objects, which are compared one by one. An
    /// object stream of the signed state must stay: entries that were not touched lead into it.
    fn containers(&mut self) {
        let is = |object: &yinxin_pdf::Object<'_>, name: &[u8]| {
            object.value.is_stream()
                && object
                    .dictionary()
                    .is_some_and(|stream| stream.has_name(b"Type", name))
        };
        for (number, delta) in &self.deltas {
            let Some(now) = &delta.now else { continue };
            let harmless = match &delta.then {
                None => is(now, b"XRef") || is(now, b"ObjStm"),
                Some(then) => is(then, b"XRef") && is(now, b"XRef"),
            };
            if harmless {
                self.explained.insert(*number);
            }
        }
    }

    /// New objects that changed objects lead to, directly or through other new ones.
    fn reached_by_changes(&self) -> BTreeSet<u32> {
        let mut reached = BTreeSet::new();
        let mut waiting = Vec::new();
        objects::references(
            &Value {
                span: 0..0,
                kind: yinxin_pdf::Kind::Dictionary(self.current.trailer().clone()),
            },
            b"",
            &mut |id, _| waiting.push(id.number),
        );
        for delta in self.deltas.values().filter(|delta| !delta.is_new()) {
            if let Some(now) = &delta.now {
                objects::references(&now.value, b"", &mut |id, _| waiting.push(id.number));
            }
        }
        while let Some(number) = waiting.pop() {
            let Some(delta) = self.deltas.get(&number).filter(|delta| delta.is_new()) else {
                continue;
            };
            if !reached.insert(number) {
                continue;
            }
            if let Some(now) = &delta.now {
                objects::references(&now.value, b"", &mut |id, _| waiting.push(id.number));
            }
        }
        reached
    }
}

/// Who refers to the numbers that differ, in the signed state.
#[derive(Default)]
pub(super) struct Walk {
    /// New numbers that the signed state already referred to.
    dangling: BTreeSet<u32>,
    uses: BTreeMap<u32, Uses>,
}

#[derive(Default)]
struct Uses {
    /// Keys nearest above the references met, each once.
    keys: Vec<Vec<u8>>,
    count: usize,
}

/// Keys remembered for one object; more would only repeat what it is used as.
const KEYS_MAX: usize = 16;

impl Walk {
    /// How many references lead to a number that differs.
    pub(super) fn references_to(&self, number: u32) -> usize {
        self.uses.get(&number).map_or(0, |uses| uses.count)
    }
}

/// Follows every reference of the signed state from its trailer.
pub(super) fn walk(
    signed: &Document<'_>,
    deltas: &BTreeMap<u32, Delta<'_>>,
) -> Result<Walk, PdfError> {
    let mut walk = Walk::default();
    if deltas.is_empty() {
        return Ok(walk);
    }
    let mut seen: HashSet<u32> = HashSet::new();
    let mut waiting: Vec<ObjectId> = Vec::new();
    let mut note = |value: &Value, walk: &mut Walk, waiting: &mut Vec<ObjectId>| {
        objects::references(value, b"", &mut |id, key| {
            if deltas.contains_key(&id.number) {
                let uses = walk.uses.entry(id.number).or_default();
                uses.count += 1;
                if uses.keys.len() < KEYS_MAX && !uses.keys.iter().any(|known| known == key) {
                    uses.keys.push(key.to_vec());
                }
            }
            if seen.insert(id.number) {
                waiting.push(id);
            }
        });
    };
    for key in [b"Root".as_slice(), b"Info"] {
        if let Some(value) = signed.trailer().get(key) {
            note(value, &mut walk, &mut waiting);
        }
    }
    let mut read = 0_usize;
    while let Some(id) = waiting.pop() {
        if deltas.get(&id.number).is_some_and(Delta::is_new) {
            walk.dangling.insert(id.number);
            continue;
        }
        read += 1;
        if read > OBJECTS_READ_MAX {
            return Err(PdfError::LimitExceeded {
                limit: "objects read to compare revisions",
                value: read as u64,
                max: OBJECTS_READ_MAX as u64,
            });
        }
        if let Some(object) = missing_is_none(signed.object(id).map(Some))? {
            note(&object.value, &mut walk, &mut waiting);
        }
    }
    Ok(walk)
}

/// What a changed object is to the document, by its type, else by who refers to it; and under
/// which key.
fn what_is(delta: &Delta<'_>, keys: &[Vec<u8>]) -> (Changed, Option<Vec<u8>>) {
    let first_key = keys.first().cloned();
    if delta.unreadable {
        return (Changed::Unreadable, first_key);
    }
    let Some(now) = &delta.now else {
        return (Changed::Deleted, first_key);
    };
    let dictionary = delta.then.as_ref().unwrap_or(now).dictionary();
    if let Some(what) = dictionary.and_then(by_type) {
        return (what, first_key);
    }
    // An object may be used in several ways; what shows on a page counts most.
    let uses = keys
        .iter()
        .filter_map(|key| by_key(key).map(|(weight, what)| (weight, what, key)));
    match uses.min_by_key(|(weight, ..)| *weight) {
        Some((_, what, key)) => (what, Some(key.clone())),
        None => (Changed::Other, first_key),
    }
}

/// What an object is that stands under this key; the number orders by weight.
fn by_key(key: &[u8]) -> Option<(u8, Changed)> {
    Some(match key {
        b"Contents" | b"XObject" | b"Font" | b"Resources" | b"ExtGState" | b"Pattern"
        | b"Shading" | b"ColorSpace" | b"Properties" | b"FontFile" | b"FontFile2"
        | b"FontFile3" | b"SMask" | b"ToUnicode" | b"DescendantFonts" | b"FontDescriptor"
        | b"Encoding" | b"CharProcs" => (0, Changed::PageContent),
        b"Kids" => (1, Changed::PageTree),
        b"Annots" => (2, Changed::PageAnnotations),
        b"AP" | b"N" | b"D" | b"R" => (3, Changed::Annotation),
        b"Fields" | b"AcroForm" => (4, Changed::Form),
        b"K" | b"ParentTree" | b"StructTreeRoot" | b"Nums" => (5, Changed::Structure),
        _ => return None,
    })
}

fn by_type(dictionary: &Dictionary) -> Option<Changed> {
    if dictionary.get(b"ByteRange").is_some() {
        return Some(Changed::ExistingSignature);
    }
    if let Some(field_type) = dictionary.get(b"FT") {
        let signed = field_type.as_name() == Some(b"Sig") && dictionary.get(b"V").is_some();
        return Some(if signed {
            Changed::ExistingSignature
        } else {
            Changed::FormField
        });
    }
    match dictionary.get(b"Type").and_then(Value::as_name) {
        Some(b"Catalog") => return Some(Changed::Catalog),
        Some(b"Pages") => return Some(Changed::PageTree),
        Some(b"Page") => return Some(Changed::Page),
        Some(b"Metadata") => return Some(Changed::Metadata),
        Some(b"ObjStm") => return Some(Changed::ObjectStream),
        Some(b"StructTreeRoot" | b"StructElem") => return Some(Changed::Structure),
        Some(b"Font" | b"FontDescriptor") => return Some(Changed::PageContent),
        Some(_) | None => {}
    }
    let is_widget = dictionary.has_name(b"Subtype", b"Widget");
    let is_annotation = dictionary.get(b"Rect").is_some() && dictionary.get(b"Subtype").is_some();
    match (is_widget, is_annotation) {
        (true, _) => Some(Changed::FormField),
        (false, true) => Some(Changed::Annotation),
        (false, false) => None,
    }
}
