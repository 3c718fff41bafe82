//! The writer of incremental updates: one signature, one appended tail (ISO 32000-2, 7.5.6, 12.8).
//!
//! [`prepare`] makes the tail with an empty slot for the signature value and the exact byte range
//! around it; whoever signs hashes [`PreparedUpdate::covered`] and hands the value to
//! [`PreparedUpdate::finish`]. The original is read and never copied or touched.
//!
//! An update holds the signature dictionary, the field with its widget and its appearance, and
//! new versions of the objects that must know of them: the page or its `/Annots`, the form or the
//! catalog. Entries of those objects that do not change keep their bytes. No object is freed, no
//! stream gets a new version, and the cross reference has the form of the newest section.
//!
//! Refused: encrypted documents (by the reader), XFA forms, what an earlier certification or lock
//! forbids. `/NeedAppearances true` is left alone and reported: PDF/A forbids it, but the forms of
//! LibreOffice and others carry it, and taking it away could blank their other fields.

mod appearance;
mod archive;
mod error;
mod field;
mod geometry;
mod lookup;
mod patch;
mod permission;
mod picture;
mod prepared;
mod request;
mod signature;
mod tags;
mod tail;

pub use error::UpdateError;
pub use prepared::{Note, PreparedUpdate};
pub use request::{
    Appearance, Certification, EmptyField, FieldFamily, FieldTarget, Image, Operators, Part,
    Placement, SignatureOptions, SignatureRequest, Spot,
};

use lopdf::{Dictionary, Object as NewObject};

use crate::document::Document;
use crate::error::PdfError;
use crate::object::{ObjectId, Value};
use crate::page::Page;
use patch::{Changes, Patch, Slot, reference};
use tail::Tail;

/// Both bits of `/SigFlags` (12.7.3, table 225).
const SIGNATURES_EXIST_APPEND_ONLY: i64 = 3;

/// How a page is seen.
pub(crate) fn sheet(page: &Page<'_>) -> geometry::Sheet {
    geometry::Sheet::new(page.crop_box, page.rotate, page.user_unit)
}

/// Makes the update that signs `document`, up to the signature value itself.
///
/// The same document and request give the same bytes.
///
/// # Errors
/// [`PdfError::Update`] when the request does not fit the document, and whatever reading the
/// objects concerned brings.
pub fn prepare(
    document: &Document<'_>,
    request: &SignatureRequest,
) -> Result<PreparedUpdate, PdfError> {
    let entries = signature::Entries::new(request)?;
    // A tree with wrong counts could be written to, but whoever verifies walks all of it.
    document.page_count()?;
    let form = Form::find(document)?;
    let mut update = Update::new(document)?;
    if form.needs_appearances {
        update.notes.push(Note::NeedAppearances);
    }
    let field = field::plan(&mut update, &form, request)?;
    form.take_note_of(&mut update, &field)?;
    let mut field_reference = field.reference;
    if let Some(certification) = request.options.certification {
        permission::note_certification(&mut update, field.signature_id)?;
        field_reference = Some(permission::certification_reference(certification));
    }

    let mut tail = Tail::after(document.bytes());
    let slots = entries.write(field.signature_id, field_reference.as_deref(), &mut tail);
    let Update {
        changes,
        new_objects,
        numbers_end,
        notes,
        ..
    } = update;
    for (id, object) in &new_objects {
        tail.object(*id, object);
    }
    for (id, patch) in changes.iter() {
        let object = document.object(id)?;
        // What is patched is written as a dictionary or array: the data would be lost, and a page
        // that shows them would show something else.
        if object.value.is_stream() {
            return Err(PdfError::WrongType {
                offset: object.value.span.start,
                key: "stream",
                expected: "a dictionary or an array, because the update changes it",
            });
        }
        tail.spliced(id, &patch.apply(object.raw(), Some(&object.value)));
    }
    let bytes = tail.close(document, numbers_end)?;
    Ok(PreparedUpdate::new(
        bytes,
        document.bytes().len() as u64,
        slots,
        field.name,
        notes,
    )?)
}

/// An update under construction.
struct Update<'d, 'a> {
    document: &'d Document<'a>,
    changes: Changes,
    new_objects: Vec<(ObjectId, NewObject)>,
    /// One above the highest object number in use.
    numbers_end: u32,
    notes: Vec<Note>,
}

impl<'d, 'a> Update<'d, 'a> {
    fn new(document: &'d Document<'a>) -> Result<Self, PdfError> {
        let sizes = document.revisions().iter().filter_map(|revision| {
            let size = revision.trailer.get(b"Size")?.as_integer()?;
            u32::try_from(size).ok()
        });
        let numbers = document
            .revisions()
            .iter()
            .flat_map(|revision| revision.entries().map(|(number, _)| number));
        let highest = numbers.max().unwrap_or(0);
        let numbers_end = highest
            .checked_add(1)
            .ok_or(UpdateError::ObjectNumbersUsedUp)?
            .max(sizes.max().unwrap_or(1));
        Ok(Self {
            document,
            changes: Changes::default(),
            new_objects: Vec::new(),
            numbers_end,
            notes: Vec::new(),
        })
    }

    /// A number that no revision has used.
    fn new_id(&mut self) -> Result<ObjectId, UpdateError> {
        let id = ObjectId::new(self.numbers_end, 0);
        self.numbers_end = self
            .numbers_end
            .checked_add(1)
            .ok_or(UpdateError::ObjectNumbersUsedUp)?;
        Ok(id)
    }

    fn add(&mut self, id: ObjectId, object: impl Into<NewObject>) {
        self.new_objects.push((id, object.into()));
    }

    /// Adds `element` to the array that is the value of `key` in `dictionary`, wherever that
    /// array stands; makes the array if there is none.
    fn append_to(
        &mut self,
        slot: &Slot,
        dictionary: Option<&Value>,
        key: &'static str,
        element: Vec<u8>,
    ) -> Result<(), PdfError> {
        let value = dictionary
            .and_then(Value::as_dictionary)
            .and_then(|dictionary| dictionary.get(key.as_bytes()));
        let found = lookup::Found::follow(self.document, value)?;
        let is_array = found.value().is_none_or(|value| value.as_array().is_some());
        if !is_array {
            let offset = value.map_or(0, |value| value.span.start);
            let expected = "an array";
            return Err(PdfError::WrongType {
                offset,
                key,
                expected,
            });
        }
        match found {
            lookup::Found::Nothing | lookup::Found::Here(_) => {
                let append = Patch::Append(vec![element]);
                self.changes.entry(slot, key, append);
            }
            lookup::Found::There(object) => self.changes.append(object.id, element),
        }
        Ok(())
    }
}

/// The interactive form of the document (12.7.3), if it has one.
struct Form {
    /// Where its dictionary stands.
    slot: Option<Slot>,
    dictionary: Option<Value>,
    needs_appearances: bool,
}

impl Form {
    /// # Errors
    /// [`UpdateError::XfaForm`].
    fn find(document: &Document<'_>) -> Result<Self, PdfError> {
        let value = document.catalog().get(b"AcroForm");
        let found = lookup::Found::follow(document, value)?;
        let slot = match &found {
            lookup::Found::Nothing => None,
            lookup::Found::Here(_) => Some(Slot::object(document.catalog_id()).inside("AcroForm")),
            lookup::Found::There(object) => Some(Slot::object(object.id)),
        };
        let dictionary = found.value().cloned();
        let Some(form) = &dictionary else {
            return Ok(Self {
                slot,
                dictionary,
                needs_appearances: false,
            });
        };
        if form.as_dictionary().is_none() || form.is_stream() {
            return Err(PdfError::FormBroken {
                id: document.catalog_id(),
                problem: "/AcroForm is not a dictionary",
            });
        }
        if lookup::entry(document, form, b"XFA")?.is_some() {
            return Err(UpdateError::XfaForm.into());
        }
        let flag = lookup::entry(document, form, b"NeedAppearances")?;
        Ok(Self {
            slot,
            needs_appearances: flag.and_then(|flag| flag.as_boolean()) == Some(true),
            dictionary,
        })
    }

    /// The names of the fields at the top of the tree, of every type.
    fn root_names(&self, document: &Document<'_>) -> Result<Vec<String>, PdfError> {
        let mut names = Vec::new();
        let Some(form) = &self.dictionary else {
            return Ok(names);
        };
        for field in lookup::elements(document, form, b"Fields")? {
            let name = lookup::entry(document, &field, b"T")?;
            names.extend(
                name.as_ref()
                    .and_then(Value::as_string)
                    .map(crate::text_string),
            );
        }
        Ok(names)
    }

    /// Enters a new field and sets `/SigFlags`: signatures exist, only append (12.7.3, table 225).
    fn take_note_of(
        &self,
        update: &mut Update<'_, '_>,
        field: &field::Planned,
    ) -> Result<(), PdfError> {
        let Some(slot) = &self.slot else {
            return Self::make(update, field);
        };
        let document = update.document;
        for id in &field.new_fields {
            update.append_to(slot, self.dictionary.as_ref(), "Fields", reference(*id))?;
        }
        let flags = match &self.dictionary {
            Some(form) => lookup::entry(document, form, b"SigFlags")?,
            None => None,
        };
        let flags = flags.and_then(|flags| flags.as_integer()).unwrap_or(0);
        if flags & SIGNATURES_EXIST_APPEND_ONLY != SIGNATURES_EXIST_APPEND_ONLY {
            let flags = (flags | SIGNATURES_EXIST_APPEND_ONLY)
                .to_string()
                .into_bytes();
            update
                .changes
                .entry(slot, "SigFlags", Patch::Replace(flags));
        }
        Ok(())
    }

    /// A form of its own object, so that the next signature need not touch the catalog.
    fn make(update: &mut Update<'_, '_>, field: &field::Planned) -> Result<(), PdfError> {
        let id = update.new_id()?;
        let fields = field
            .new_fields
            .iter()
            .copied()
            .map(new_reference)
            .collect();
        let mut form = Dictionary::new();
        form.set("Fields", NewObject::Array(fields));
        form.set("SigFlags", SIGNATURES_EXIST_APPEND_ONLY);
        update.add(id, form);
        let catalog = Slot::object(update.document.catalog_id());
        let value = Patch::Replace(reference(id));
        update.changes.entry(&catalog, "AcroForm", value);
        Ok(())
    }
}

/// A reference in an object of the update.
fn new_reference(id: ObjectId) -> NewObject {
    NewObject::Reference((id.number, id.generation))
}
