//! Signature fields of the interactive form (ISO 32000-2, 12.7).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::document::Document;
use crate::error::{PdfError, SignatureProblem};
use crate::limits::check;
use crate::object::{Dictionary, Object, ObjectId, Value};
use crate::text::text_string;

/// A place of a signature: one signature field and one widget of it.
///
/// A field with several widgets is given once for each, and several fields may name one
/// signature (`value`), as seam stamps do.
#[derive(Clone, Debug, PartialEq)]
pub struct SignatureField {
    /// The fully qualified name: partial names joined by periods.
    pub name: String,
    /// The field.
    pub field_id: ObjectId,
    /// The widget annotation; the field itself when both are merged, `None` when it has none.
    pub widget_id: Option<ObjectId>,
    /// The page that shows the widget, from 0.
    pub page_index: Option<usize>,
    /// The widget's `/Rect`: left, bottom, right, top.
    pub rect: Option<[f64; 4]>,
    /// The signature dictionary; `None` for an empty field.
    pub value: Option<ObjectId>,
    /// The revision whose cross reference leads to the signature dictionary.
    pub revision_index: Option<usize>,
    /// A `/V` that is neither missing nor a reference: something is there, and no signature.
    pub problem: Option<SignatureProblem>,
}

/// A node of the field tree with what it has from above.
struct Waiting {
    id: ObjectId,
    /// Its fully qualified name; before the visit that of its parent.
    name: Arc<str>,
    is_signature: bool,
    value: FieldValue,
    depth: usize,
}

/// As much of `/V` as matters for a signature, so that a long text is not inherited as a copy.
#[derive(Clone, Copy)]
enum FieldValue {
    Missing,
    Reference(ObjectId),
    Direct,
}

/// What walking the tree collects.
#[derive(Default)]
struct Found {
    fields: Vec<SignatureField>,
    /// For widgets with `/P`: that page.
    pages: Vec<Option<ObjectId>>,
}

impl Document<'_> {
    /// All signature fields below `/AcroForm`, one for each widget, in the order of the tree.
    ///
    /// References to objects that do not exist are skipped, as `null` they mean nothing
    /// (7.3.10); names, types and values are inherited (12.7.4.1).
    ///
    /// # Errors
    /// [`PdfError::FormBroken`] when the tree has loops or holds anything but references to
    /// dictionaries, [`PdfError::LimitExceeded`], and whatever reading pages brings when a widget
    /// is to be found on them.
    pub fn signature_fields(&self) -> Result<Vec<SignatureField>, PdfError> {
        let broken = |problem| PdfError::FormBroken {
            id: self.catalog_id(),
            problem,
        };
        let Some(form) = self.lookup(self.catalog(), b"AcroForm")? else {
            return Ok(Vec::new());
        };
        let form = form
            .as_dictionary()
            .filter(|_| !form.is_stream())
            .ok_or(broken("/AcroForm is not a dictionary"))?;
        let Some(roots) = self.lookup(form, b"Fields")? else {
            return Ok(Vec::new());
        };
        let roots = roots.as_array().ok_or(broken("/Fields is not an array"))?;

        let mut found = Found::default();
        let mut seen = HashSet::new();
        let mut waiting: Vec<Waiting> = Vec::new();
        let top = Waiting {
            id: self.catalog_id(),
            name: Arc::from(""),
            is_signature: false,
            value: FieldValue::Missing,
            depth: 0,
        };
        self.push_kids(roots, &top, &mut waiting)?;
        while let Some(node) = waiting.pop() {
            if !seen.insert(node.id.number) {
                let problem = "it is in the tree of fields twice";
                return Err(PdfError::FormBroken {
                    id: node.id,
                    problem,
                });
            }
            check(
                "form_nodes_max",
                seen.len() as u64,
                self.limits.form_nodes_max as u64,
            )?;
            self.visit_field(node, &mut waiting, &mut seen, &mut found)?;
        }
        let values: HashSet<ObjectId> = found
            .fields
            .iter()
            .filter_map(|field| field.value)
            .collect();
        check(
            "signatures_max",
            values.len() as u64,
            self.limits.signatures_max as u64,
        )?;
        self.find_pages(found)
    }

    fn push_kids(
        &self,
        kids: &[Value],
        parent: &Waiting,
        waiting: &mut Vec<Waiting>,
    ) -> Result<(), PdfError> {
        check(
            "nesting_max",
            parent.depth as u64,
            self.limits.nesting_max as u64,
        )?;
        let nodes = waiting.len().saturating_add(kids.len());
        check(
            "form_nodes_max",
            nodes as u64,
            self.limits.form_nodes_max as u64,
        )?;
        // The last is taken first, so that fields come in the order of the tree.
        for kid in kids.iter().rev().filter(|kid| !kid.is_null()) {
            let problem = "a field is not an indirect object";
            let id = kid.as_reference().ok_or(PdfError::FormBroken {
                id: parent.id,
                problem,
            })?;
            waiting.push(Waiting {
                id,
                name: Arc::clone(&parent.name),
                is_signature: parent.is_signature,
                value: parent.value,
                depth: parent.depth + 1,
            });
        }
        Ok(())
    }

    fn visit_field(
        &self,
        mut node: Waiting,
        waiting: &mut Vec<Waiting>,
        seen: &mut HashSet<u32>,
        found: &mut Found,
    ) -> Result<(), PdfError> {
        let id = node.id;
        let broken = |problem| PdfError::FormBroken { id, problem };
        let Some(object) = self.form_object(id)? else {
            return Ok(());
        };
        let dictionary = object
            .dictionary()
            .filter(|_| !object.value.is_stream())
            .ok_or(broken("it is not a dictionary"))?;
        if let Some(partial) = self.lookup(dictionary, b"T")? {
            let partial = partial.as_string().ok_or(broken("/T is not a string"))?;
            let partial = text_string(partial);
            check(
                "field_name_bytes",
                (node.name.len() + partial.len()) as u64,
                NAME_BYTES_MAX,
            )?;
            node.name = match &*node.name {
                "" => partial.into(),
                parent => format!("{parent}.{partial}").into(),
            };
        }
        if let Some(field_type) = self.lookup(dictionary, b"FT")? {
            node.is_signature = field_type.as_name() == Some(b"Sig");
        }
        if let Some(value) = dictionary.get(b"V") {
            node.value = value
                .as_reference()
                .map_or(FieldValue::Direct, FieldValue::Reference);
        }
        let kids = self.lookup(dictionary, b"Kids")?;
        let kids = match &kids {
            Some(kids) => kids.as_array().ok_or(broken("/Kids is not an array"))?,
            None => &[],
        };
        if !node.is_signature {
            return self.push_kids(kids, &node, waiting);
        }
        let found_before = found.fields.len();
        // A kid with a partial name is a field of its own, one without is a widget (12.7.4.1).
        let mut fields: Vec<Value> = Vec::new();
        for kid in kids.iter().filter(|kid| !kid.is_null()) {
            let kid_id = kid
                .as_reference()
                .ok_or(broken("a kid is not an indirect object"))?;
            let Some(kid_object) = self.form_object(kid_id)? else {
                continue;
            };
            let dictionary = kid_object
                .dictionary()
                .filter(|_| !kid_object.value.is_stream())
                .ok_or(broken("a kid is not a dictionary"))?;
            if dictionary.get(b"T").is_some() {
                fields.push(kid.clone());
                continue;
            }
            if !seen.insert(kid_id.number) {
                return Err(broken("a widget is in the tree of fields twice"));
            }
            check(
                "form_nodes_max",
                seen.len() as u64,
                self.limits.form_nodes_max as u64,
            )?;
            self.add_field(&node, Some(&kid_object), found)?;
        }
        if fields.is_empty() && found.fields.len() == found_before {
            let is_widget = dictionary.has_name(b"Subtype", b"Widget");
            self.add_field(&node, is_widget.then_some(&object), found)?;
        }
        self.push_kids(&fields, &node, waiting)
    }

    fn form_object(&self, id: ObjectId) -> Result<Option<Object<'_>>, PdfError> {
        match self.object(id) {
            Err(PdfError::ObjectMissing { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    fn add_field(
        &self,
        node: &Waiting,
        widget: Option<&Object<'_>>,
        found: &mut Found,
    ) -> Result<(), PdfError> {
        let dictionary = widget.and_then(|widget| widget.dictionary());
        let rect = match dictionary.and_then(|dictionary| dictionary.get(b"Rect")) {
            Some(rect) => Some(self.rectangle(rect, "Rect")?),
            None => None,
        };
        let (value, problem) = match node.value {
            FieldValue::Missing => (None, None),
            FieldValue::Reference(id) => (Some(id), None),
            FieldValue::Direct => (None, Some(SignatureProblem::ValueNotIndirect)),
        };
        found
            .pages
            .push(dictionary.and_then(|dictionary| dictionary.get(b"P")?.as_reference()));
        found.fields.push(SignatureField {
            name: node.name.to_string(),
            field_id: node.id,
            widget_id: widget.map(|widget| widget.id),
            page_index: None,
            rect,
            value,
            revision_index: value
                .and_then(|value| self.entry_at(value.number, self.newest_index()))
                .map(|(revision_index, _)| revision_index),
            problem,
        });
        Ok(())
    }

    /// Finds the page of each widget: by `/P`, and for those without by the pages' `/Annots`.
    fn find_pages(&self, found: Found) -> Result<Vec<SignatureField>, PdfError> {
        let Found { mut fields, pages } = found;
        if fields.iter().all(|field| field.widget_id.is_none()) {
            return Ok(fields);
        }
        let index = self.page_index()?;
        let mut homeless: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for (place, (field, page)) in fields.iter_mut().zip(pages).enumerate() {
            match (page, field.widget_id) {
                (Some(page), _) => field.page_index = index.position(page),
                (None, Some(widget)) => homeless.entry(widget).or_default().push(place),
                (None, None) => {}
            }
        }
        let mut arrays_seen = HashSet::new();
        for (page_index, id) in index.ids().enumerate() {
            if homeless.is_empty() {
                break;
            }
            let page = self.object(id)?;
            let empty = Dictionary::default();
            let Some(annotations) = page.dictionary().unwrap_or(&empty).get(b"Annots") else {
                continue;
            };
            // Pages that share one array would be read again and again.
            if annotations
                .as_reference()
                .is_some_and(|array| !arrays_seen.insert(array))
            {
                continue;
            }
            let annotations = self.resolve(annotations)?;
            let widgets = annotations.as_array().unwrap_or_default().iter();
            for widget in widgets.filter_map(Value::as_reference) {
                for place in homeless.remove(&widget).unwrap_or_default() {
                    if let Some(field) = fields.get_mut(place) {
                        field.page_index = Some(page_index);
                    }
                }
            }
        }
        Ok(fields)
    }
}

/// Length of a fully qualified name in bytes; the longest honest ones are some hundred.
const NAME_BYTES_MAX: u64 = 4096;
