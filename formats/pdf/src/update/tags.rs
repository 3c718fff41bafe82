//! The new widget in the structure tree of a tagged document (ISO 32000-2, 14.7.5, 14.8.4.8.4).
//!
//! Only for the first signature of a document: later ones would change objects that an earlier
//! signer has seen, and validators differ in what they make of that. A tree of unusual shape is
//! left as it is.

use lopdf::{Dictionary, Object as NewObject};

use super::lookup::{Found, entry};
use super::patch::{Patch, Slot, reference};
use super::signature::{name, text_string};
use super::{Note, Update, new_reference};
use crate::error::PdfError;
use crate::object::{Object, ObjectId, Value};
use crate::page::Page;

/// Levels of a number tree; honest ones have two or three.
const LEVELS_MAX: usize = 16;

/// Whether the document is tagged at all.
pub(super) fn is_tagged(update: &Update<'_, '_>) -> Result<bool, PdfError> {
    let document = update.document;
    Ok(document
        .lookup(document.catalog(), b"StructTreeRoot")?
        .is_some())
}

/// Puts a `<Form>` element for each widget, with its alternate text, into the tree and gives the
/// first one's `/StructParent`; the others follow it. `None`, with a note, when the tree has a shape
/// that this code does not extend.
pub(super) fn add(
    update: &mut Update<'_, '_>,
    widgets: &[(&Page<'_>, ObjectId, &str)],
) -> Result<Option<i64>, PdfError> {
    let Some(plan) = Plan::make(update)? else {
        update.notes.push(Note::NotTagged);
        return Ok(None);
    };
    let mut elements = Vec::new();
    let mut next = plan.key;
    for (page, widget, alternate_text) in widgets {
        let element = update.new_id()?;
        let mut marked = Dictionary::new();
        marked.set("Type", name("OBJR"));
        marked.set("Obj", new_reference(*widget));
        marked.set("Pg", new_reference(page.id));
        let mut entries = Dictionary::new();
        entries.set("Type", name("StructElem"));
        entries.set("S", name("Form"));
        entries.set("P", new_reference(plan.parent.id));
        entries.set("Pg", new_reference(page.id));
        entries.set("Alt", text_string(alternate_text));
        entries.set("K", marked);
        update.add(element, NewObject::Dictionary(entries));
        let row = [format!("{next} ").as_bytes(), &reference(element)].concat();
        update.append_to(&plan.leaf, Some(&plan.leaf_value), "Nums", row)?;
        elements.push(element);
        next += 1;
        if page
            .dictionary
            .dictionary()
            .is_some_and(|page| page.get(b"Tabs").is_none())
        {
            let order = Patch::Replace(b"/S".to_vec());
            update.changes.entry(&Slot::object(page.id), "Tabs", order);
        }
    }
    plan.add_kids(update, &elements)?;
    for (slot, first) in &plan.limits {
        let limits = format!("[{first} {}]", next - 1).into_bytes();
        update.changes.entry(slot, "Limits", Patch::Replace(limits));
    }
    let next = next.to_string().into_bytes();
    update
        .changes
        .entry(&plan.root, "ParentTreeNextKey", Patch::Replace(next));
    Ok(Some(plan.key))
}

/// Where the parts of the new entry go.
struct Plan<'a> {
    root: Slot,
    /// The element that gets a kid: the only one below the root, or the root itself.
    parent: Object<'a>,
    /// The key in the parent tree.
    key: i64,
    /// The node of the parent tree that gets the entry.
    leaf: Slot,
    leaf_value: Value,
    /// The nodes on the way to it that say which keys they hold, with their first key.
    limits: Vec<(Slot, i64)>,
}

impl<'a> Plan<'a> {
    fn make(update: &Update<'_, 'a>) -> Result<Option<Self>, PdfError> {
        let document = update.document;
        let found = Found::follow(document, document.catalog().get(b"StructTreeRoot"))?;
        let Found::There(root) = found else {
            return Ok(None);
        };
        let Some(dictionary) = root.dictionary().filter(|_| !root.value.is_stream()) else {
            return Ok(None);
        };
        let root_slot = Slot::object(root.id);

        // Number trees grow at their right end: the new key is larger than all others.
        let (mut leaf, mut leaf_value) =
            match Found::follow(document, dictionary.get(b"ParentTree"))? {
                Found::There(tree) => (Slot::object(tree.id), tree.value),
                Found::Here(tree) => (root_slot.inside("ParentTree"), tree),
                Found::Nothing => return Ok(None),
            };
        let mut limits = Vec::new();
        for level in 0.. {
            if level == LEVELS_MAX || leaf_value.as_dictionary().is_none() || leaf_value.is_stream()
            {
                return Ok(None);
            }
            if let Some(bounds) = entry(document, &leaf_value, b"Limits")? {
                let first = bounds
                    .as_array()
                    .and_then(|bounds| bounds.first()?.as_integer());
                let Some(first) = first else { return Ok(None) };
                limits.push((leaf.clone(), first));
            }
            let Some(kids) = entry(document, &leaf_value, b"Kids")? else {
                break;
            };
            let last = kids.as_array().and_then(|kids| kids.last());
            match Found::follow(document, last)? {
                Found::There(kid) => (leaf, leaf_value) = (Slot::object(kid.id), kid.value),
                Found::Here(_) | Found::Nothing => return Ok(None),
            }
        }
        let mut key = 0;
        if let Some(rows) = entry(document, &leaf_value, b"Nums")? {
            let Some(rows) = rows.as_array() else {
                return Ok(None);
            };
            if let Some([last, _]) = rows.last_chunk::<2>() {
                let Some(last) = last.as_integer() else {
                    return Ok(None);
                };
                key = last.saturating_add(1);
            }
        }
        let next = document.lookup(dictionary, b"ParentTreeNextKey")?;
        let key = key.max(next.and_then(|next| next.as_integer()).unwrap_or(0));
        // An annotation's key is a small number; anything else is not a tree worth extending.
        if !(0..i64::from(i32::MAX)).contains(&key) {
            return Ok(None);
        }
        let parent = only_element(update, dictionary.get(b"K"))?.unwrap_or_else(|| root.clone());
        Ok(Some(Self {
            root: root_slot,
            parent,
            key,
            leaf,
            leaf_value,
            limits,
        }))
    }

    /// Adds the elements to `/K` of the parent, which may be an array or one kid alone.
    fn add_kids(&self, update: &mut Update<'_, 'a>, elements: &[ObjectId]) -> Result<(), PdfError> {
        let slot = Slot::object(self.parent.id);
        let kids = self.parent.dictionary().and_then(|parent| parent.get(b"K"));
        let found = Found::follow(update.document, kids)?;
        let alone = found
            .value()
            .is_some_and(|value| value.as_array().is_none());
        let references: Vec<Vec<u8>> = elements.iter().copied().map(reference).collect();
        let references = references.join(&b' ');
        if let Some(kids) = kids.filter(|_| alone) {
            let kid = self.parent.raw().get(kids.span.clone()).unwrap_or_default();
            let all = [b"[", kid, b" ", &references, b"]"].concat();
            update.changes.entry(&slot, "K", Patch::Replace(all));
            return Ok(());
        }
        update.append_to(&slot, Some(&self.parent.value), "K", references)
    }
}

/// The element below the root, usually `<Document>`, if there is exactly one.
fn only_element<'a>(
    update: &Update<'_, 'a>,
    kids: Option<&Value>,
) -> Result<Option<Object<'a>>, PdfError> {
    let document = update.document;
    let found = Found::follow(document, kids)?;
    let found = match found.value().and_then(Value::as_array) {
        Some([kid]) => Found::follow(document, Some(kid))?,
        Some(_) => return Ok(None),
        None => found,
    };
    let Found::There(element) = found else {
        return Ok(None);
    };
    let is_element = element
        .dictionary()
        .is_some_and(|element| element.get(b"S").is_some());
    Ok(is_element.then_some(element))
}
