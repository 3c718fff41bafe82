//! What no later signature explains: named, so that a person can look.

use std::collections::BTreeSet;

use yinxin_pdf::{Dictionary, Value};

use super::Comparison;
use super::objects::{self, Delta};
use crate::report::Changed;

impl Comparison<'_, '_> {
    /// Accounts for every difference that is left.
    pub(super) fn rest(&mut self) {
        self.containers();
        let is_new = |number: &u32| self.deltas.get(number).is_some_and(Delta::is_new);
        let dangling: Vec<u32> = self.uses.keys().copied().filter(is_new).collect();
        for number in dangling {
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
                self.allow(Some(number), Changed::Orphan, None);
            } else {
                let uses = self.uses.get(&number);
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
