//! What signing does to a form and to pages: fields, widgets, annotations.

use std::collections::BTreeSet;

use yinxin_pdf::{Dictionary, ObjectId, PdfError, Value};

use super::Comparison;
use super::objects::{self, missing_is_none};
use crate::report::Changed;

/// Levels of new fields above a widget. A seam stamp has two.
const FIELD_DEPTH_MAX: usize = 8;

/// What a new signature field or its widget may carry (ISO 32000-2, tables 166, 168, 191, 226,
/// 227, 235). No actions, no optional content.
const NEW_FIELD_KEYS: [&[u8]; 27] = [
    b"AP",
    b"AS",
    b"BS",
    b"Border",
    b"C",
    b"Contents",
    b"DA",
    b"F",
    b"FT",
    b"Ff",
    b"H",
    b"Kids",
    b"Lang",
    b"Lock",
    b"M",
    b"MK",
    b"NM",
    b"P",
    b"Parent",
    b"Q",
    b"Rect",
    b"SV",
    b"StructParent",
    b"Subtype",
    b"T",
    b"TU",
    b"Type",
];

/// What filling an empty signature field may change.
const SIGNED_FIELD_KEYS: [&[u8]; 10] = [
    b"AP", b"AS", b"DA", b"F", b"Ff", b"M", b"MK", b"Q", b"TU", b"V",
];

/// Entries that lead out of a field: to its page, its parent and children, its value.
const OUTWARD_KEYS: [&[u8]; 4] = [b"P", b"Parent", b"Kids", b"V"];

impl Comparison<'_, '_> {
    /// The form: only /Fields may grow, only by signed signature fields; /SigFlags may be set.
    pub(super) fn form(&mut self, then: &Dictionary, now: &Dictionary) -> Result<(), PdfError> {
        let catalog = self.current.catalog_id().number;
        let value_then = then.get(b"AcroForm");
        let Some(value_now) = now.get(b"AcroForm") else {
            if value_then.is_some() {
                self.flag(Some(catalog), Changed::Catalog, Some(b"AcroForm"));
            }
            return Ok(());
        };
        let form_then = self.then(value_then)?;
        let form_then = form_then.as_ref().and_then(Value::as_dictionary);
        let form_now = self.now(Some(value_now))?;
        let Some(form_now) = form_now.as_ref().and_then(Value::as_dictionary) else {
            self.flag(Some(catalog), Changed::Form, None);
            return Ok(());
        };
        self.explained
            .extend(value_now.as_reference().map(|id| id.number));
        let object = value_now.as_reference().map_or(catalog, |id| id.number);
        let empty = Dictionary::default();
        for key in self.keys_that_differ(form_then.unwrap_or(&empty), form_now) {
            let allowed = match key.as_slice() {
                b"Fields" | b"SigFlags" => true,
                // Defaults for text fields, which a form that did not exist has none of.
                b"DR" | b"DA" => form_then.is_none(),
                _ => false,
            };
            if !allowed {
                self.flag(Some(object), Changed::Form, Some(&key));
            }
        }
        if form_then.is_none()
            && let Some(resources) = form_now.get(b"DR")
        {
            self.explain_new_objects(resources);
        }
        let fields_then = form_then.and_then(|form| form.get(b"Fields"));
        let fields_now = form_now.get(b"Fields");
        self.explained
            .extend(fields_now.and_then(Value::as_reference).map(|id| id.number));
        let fields_then = self.then(fields_then)?;
        let fields_now = self.now(fields_now)?;
        match self.appended(fields_then.as_ref(), fields_now.as_ref()) {
            None => self.flag(Some(object), Changed::Form, Some(b"Fields")),
            Some(added) => {
                for value in added {
                    match value.as_reference() {
                        Some(id) => self.new_field(id, false, 0)?,
                        None => self.flag(Some(object), Changed::FormField, None),
                    }
                }
            }
        }
        Ok(())
    }

    /// What an array gained at its end; `None` when anything before was changed.
    fn appended(&self, then: Option<&Value>, now: Option<&Value>) -> Option<Vec<Value>> {
        let elements = |value: Option<&Value>| match value {
            None => Some(Vec::new()),
            Some(value) => value.as_array().map(<[Value]>::to_vec),
        };
        let (then, mut now) = (elements(then)?, elements(now)?);
        if now.len() < then.len() {
            return None;
        }
        let added = now.split_off(then.len());
        then.iter()
            .zip(&now)
            .all(|(then, now)| self.equal(then, now))
            .then_some(added)
    }

    /// A field that the form gained: explained if it is new throughout and signed.
    fn new_field(
        &mut self,
        id: ObjectId,
        inherits_signature: bool,
        depth: usize,
    ) -> Result<(), PdfError> {
        let Some(dictionary) = self.new_dictionary(id) else {
            self.flag(Some(id.number), Changed::FormField, None);
            return Ok(());
        };
        let is_signature = inherits_signature || dictionary.has_name(b"FT", b"Sig");
        let unknown = dictionary
            .iter()
            .find(|entry| entry.key != b"V" && !NEW_FIELD_KEYS.contains(&entry.key.as_slice()));
        if let Some(entry) = unknown {
            self.flag(Some(id.number), Changed::FormField, Some(&entry.key));
            return Ok(());
        }
        if depth > FIELD_DEPTH_MAX || dictionary.get(b"FT").is_some() && !is_signature {
            self.flag(Some(id.number), Changed::FormField, Some(b"FT"));
            return Ok(());
        }
        let is_signed = match dictionary.get(b"V") {
            Some(value) if !self.new_signature(value) => {
                self.flag(Some(id.number), Changed::FormField, Some(b"V"));
                return Ok(());
            }
            Some(_) => is_signature,
            None => false,
        };
        let kids = self.now(dictionary.get(b"Kids"))?;
        let kids: Vec<Value> = kids
            .as_ref()
            .and_then(Value::as_array)
            .map(<[Value]>::to_vec)
            .unwrap_or_default();
        if !is_signed && kids.is_empty() {
            // An empty field that nobody asked for may cover what was signed.
            self.flag(Some(id.number), Changed::FormField, None);
            return Ok(());
        }
        self.explained.insert(id.number);
        self.explained.extend(
            dictionary
                .get(b"Kids")
                .and_then(Value::as_reference)
                .map(|id| id.number),
        );
        self.explain_field_parts(id.number, &dictionary);
        for kid in kids {
            match (kid.as_reference(), is_signed) {
                (Some(kid), false) => self.new_field(kid, is_signature, depth + 1)?,
                (Some(kid), true) => self.new_widget(kid, id),
                (None, _) => self.flag(Some(id.number), Changed::FormField, Some(b"Kids")),
            }
        }
        Ok(())
    }

    /// A widget that stands apart from its newly signed field.
    fn new_widget(&mut self, id: ObjectId, field: ObjectId) {
        let Some(dictionary) = self.new_dictionary(id) else {
            self.flag(Some(id.number), Changed::FormField, None);
            return;
        };
        let belongs = dictionary.get(b"Parent").and_then(Value::as_reference) == Some(field);
        let known = dictionary
            .iter()
            .all(|entry| NEW_FIELD_KEYS.contains(&entry.key.as_slice()));
        if !belongs || !known || !dictionary.has_name(b"Subtype", b"Widget") {
            self.flag(Some(id.number), Changed::FormField, None);
            return;
        }
        self.explained.insert(id.number);
        self.explain_field_parts(id.number, &dictionary);
    }

    /// Accepts the new objects a field or widget consists of, and its place on a page.
    fn explain_field_parts(&mut self, number: u32, dictionary: &Dictionary) {
        if dictionary.has_name(b"Subtype", b"Widget") {
            self.widgets.insert(number);
        }
        for entry in dictionary.iter() {
            if !OUTWARD_KEYS.contains(&entry.key.as_slice()) {
                self.explain_new_objects(&entry.value);
            }
        }
    }

    /// Whether a field's value is a signature dictionary that did not exist before.
    fn new_signature(&mut self, value: &Value) -> bool {
        let Some(id) = value.as_reference() else {
            return false;
        };
        let Some(dictionary) = self.new_dictionary(id) else {
            return false;
        };
        if dictionary.get(b"ByteRange").is_none() || dictionary.get(b"Contents").is_none() {
            return false;
        }
        self.explained.insert(id.number);
        self.later_signatures.insert(id.number);
        for entry in dictionary.iter() {
            self.explain_new_objects(&entry.value);
        }
        true
    }

    /// The dictionary of an object that is new since the signature.
    fn new_dictionary(&self, id: ObjectId) -> Option<Dictionary> {
        let delta = self.deltas.get(&id.number).filter(|delta| delta.is_new())?;
        let object = delta.now.as_ref().filter(|object| object.id == id)?;
        match object.value.is_stream() {
            true => None,
            false => object.dictionary().cloned(),
        }
    }

    /// Accepts every new object that can be reached from `value` through new objects.
    pub(super) fn explain_new_objects(&mut self, value: &Value) {
        let mut numbers = Vec::new();
        objects::references(value, b"", &mut |id, _| numbers.push(id.number));
        while let Some(number) = numbers.pop() {
            let Some(delta) = self.deltas.get(&number) else {
                continue;
            };
            if !delta.is_new() || !self.explained.insert(number) {
                continue;
            }
            if let Some(object) = &delta.now {
                objects::references(&object.value, b"", &mut |id, _| numbers.push(id.number));
            }
        }
    }

    /// Signature fields that existed empty and have been signed since.
    pub(super) fn existing_fields(&mut self) -> Result<(), PdfError> {
        let mut signed_now = BTreeSet::new();
        for number in self.changed_numbers() {
            let Some((then, now)) = self.both_dictionaries(number) else {
                continue;
            };
            if !self.is_empty_signature_field(&then)? {
                continue;
            }
            let differing = self.keys_that_differ(&then, &now);
            let stray = differing
                .iter()
                .find(|key| !SIGNED_FIELD_KEYS.contains(&key.as_slice()));
            let value = now.get(b"V").cloned();
            if let Some(key) = stray {
                self.flag(Some(number), Changed::FormField, Some(key));
            } else if value.is_some_and(|value| self.new_signature(&value)) {
                self.explained.insert(number);
                self.explain_field_parts(number, &now);
                signed_now.insert(number);
            }
        }
        for number in self.changed_numbers() {
            let Some((then, now)) = self.both_dictionaries(number) else {
                continue;
            };
            let parent = then.get(b"Parent").and_then(Value::as_reference);
            let is_their_widget = then.has_name(b"Subtype", b"Widget")
                && parent.is_some_and(|id| signed_now.contains(&id.number));
            let differing = self.keys_that_differ(&then, &now);
            let only_looks = differing
                .iter()
                .all(|key| key != b"V" && SIGNED_FIELD_KEYS.contains(&key.as_slice()));
            if is_their_widget && only_looks {
                self.explained.insert(number);
                self.explain_field_parts(number, &now);
            }
        }
        Ok(())
    }

    fn changed_numbers(&self) -> Vec<u32> {
        let changed = |number: &u32| !self.explained.contains(number);
        self.deltas.keys().copied().filter(changed).collect()
    }

    fn both_dictionaries(&self, number: u32) -> Option<(Dictionary, Dictionary)> {
        let delta = self.deltas.get(&number)?;
        let (then, now) = (delta.then.as_ref()?, delta.now.as_ref()?);
        if then.value.is_stream() || now.value.is_stream() || then.id != now.id {
            return None;
        }
        Some((then.dictionary()?.clone(), now.dictionary()?.clone()))
    }

    /// Whether a dictionary of the signed state was a signature field without value.
    fn is_empty_signature_field(&self, field: &Dictionary) -> Result<bool, PdfError> {
        let mut level = field.clone();
        let mut is_signature = false;
        for _ in 0..FIELD_DEPTH_MAX {
            if level.get(b"V").is_some() {
                return Ok(false);
            }
            is_signature |= level.has_name(b"FT", b"Sig");
            let parent = self.then(level.get(b"Parent"))?;
            match parent.as_ref().and_then(Value::as_dictionary) {
                Some(parent) => level = parent.clone(),
                None => break,
            }
        }
        // A widget without a name of its own is part of its parent, not a field.
        Ok(is_signature && field.get(b"T").is_some())
    }

    /// Pages: only /Annots may grow, only by widgets of newly signed fields.
    pub(super) fn pages(&mut self) -> Result<(), PdfError> {
        for id in self.pages_to_compare()? {
            let then = missing_is_none(self.signed.object(id).map(Some))?;
            let now = missing_is_none(self.current.object(id).map(Some))?;
            let (Some(then), Some(now)) = (then, now) else {
                continue;
            };
            let (Some(then), Some(now)) = (then.dictionary(), now.dictionary()) else {
                continue;
            };
            if !then.has_name(b"Type", b"Page") {
                continue;
            }
            for key in self.keys_that_differ(then, now) {
                let tab_order = key == b"Tabs" && then.get(b"Tabs").is_none();
                if key != b"Annots" && !tab_order {
                    self.flag(Some(id.number), Changed::Page, Some(&key));
                }
            }
            let list_then = self.then(then.get(b"Annots"))?;
            let list_now = self.now(now.get(b"Annots"))?;
            let only_widgets = self
                .appended(list_then.as_ref(), list_now.as_ref())
                .is_some_and(|added| {
                    added.iter().all(|value| {
                        value
                            .as_reference()
                            .is_some_and(|id| self.widgets.contains(&id.number))
                    })
                });
            let list = now
                .get(b"Annots")
                .and_then(Value::as_reference)
                .map(|id| id.number);
            if !only_widgets {
                self.flag(
                    Some(list.unwrap_or(id.number)),
                    Changed::PageAnnotations,
                    Some(b"Annots"),
                );
            }
            if self.deltas.contains_key(&id.number) {
                self.explained.insert(id.number);
            }
            self.explained.extend(list);
        }
        Ok(())
    }

    /// Pages that differ, and those whose list of annotations may differ in an object of its own.
    fn pages_to_compare(&self) -> Result<BTreeSet<ObjectId>, PdfError> {
        let mut pages = BTreeSet::new();
        for delta in self.deltas.values() {
            if let Some(then) = &delta.then
                && then
                    .dictionary()
                    .is_some_and(|page| page.has_name(b"Type", b"Page"))
            {
                pages.insert(then.id);
            }
        }
        for number in &self.widgets {
            let widget = self.deltas.get(number).and_then(|delta| delta.now.as_ref());
            let page = widget.and_then(|object| object.dictionary()?.get(b"P")?.as_reference());
            pages.extend(page);
        }
        for field in self.current.signature_fields()? {
            if let Some(page_index) = field.page_index
                && let Some(widget) = field.widget_id
                && self.widgets.contains(&widget.number)
                && let Ok(page) = self.current.page(page_index)
            {
                pages.insert(page.id);
            }
        }
        Ok(pages)
    }
}
