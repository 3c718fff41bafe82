//! The field that takes the signature, its widget and what the widget shows
//! (ISO 32000-2, 12.5.6.19, 12.7.5.5).

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use lopdf::{Dictionary, Object as NewObject, Stream};

use super::error::UpdateError;
use super::geometry::{self, Fit, Sheet, Stamp, Turn};
use super::lookup::entry;
use super::patch::{Patch, Slot, reference};
use super::permission::{self, Signed};
use super::request::{Appearance, FieldTarget, Placement, SignatureRequest};
use super::signature::{checked_text, name, text_string};
use super::{Form, Note, Update, new_reference, tags};
use crate::document::Document;
use crate::error::PdfError;
use crate::form::SignatureField;
use crate::object::{ObjectId, Value};

/// Annotation flags (12.5.3, table 167). PDF/A-2, 6.3.2 wants Print set and the others clear.
const HIDDEN: i64 = 1 << 1;
const PRINT: i64 = 1 << 2;
const NO_VIEW: i64 = 1 << 5;
const LOCKED: i64 = 1 << 7;

/// A field that is ready to be signed.
pub(super) struct Planned {
    /// The object of the signature dictionary.
    pub(super) signature_id: ObjectId,
    /// The fully qualified name.
    pub(super) name: String,
    /// The written `/Reference` of the signature dictionary, if a lock asks for one.
    pub(super) reference: Option<Vec<u8>>,
    /// A new field, to be entered in the form.
    pub(super) new_field: Option<ObjectId>,
}

/// Finds or makes the field and records all changes that it needs, except for those of the form.
pub(super) fn plan(
    update: &mut Update<'_, '_>,
    form: &Form,
    request: &SignatureRequest,
) -> Result<Planned, PdfError> {
    let fields = update.document.signature_fields()?;
    let signed: Vec<Signed> = fields
        .iter()
        .filter_map(|field| {
            Some(Signed {
                field: field.name.clone(),
                value: field.value?,
            })
        })
        .collect();
    permission::check_earlier(update.document, &signed, &request.field)?;
    match &request.field {
        FieldTarget::New { name } => {
            let name = new_name(update, form, name.as_deref())?;
            new_field(update, &fields, name, request)
        }
        FieldTarget::Existing { name } => existing_field(update, &fields, name, request),
    }
}

/// The name asked for if it is free, else the first free `Seal-n`.
fn new_name(update: &Update<'_, '_>, form: &Form, asked: Option<&str>) -> Result<String, PdfError> {
    let taken = form.root_names(update.document)?;
    let is_free = |name: &str| taken.iter().all(|known| known != name);
    let Some(asked) = asked else {
        return (1_u32..)
            .map(|number| format!("Seal-{number}"))
            .find(|name| is_free(name))
            .ok_or(UpdateError::ObjectNumbersUsedUp.into());
    };
    let name = asked.to_owned();
    if asked.is_empty() || asked.contains('.') {
        return Err(UpdateError::FieldNameInvalid { name }.into());
    }
    if !is_free(asked) {
        return Err(UpdateError::FieldNameTaken { name }.into());
    }
    Ok(name)
}

fn new_field(
    update: &mut Update<'_, '_>,
    fields: &[SignatureField],
    field_name: String,
    request: &SignatureRequest,
) -> Result<Planned, PdfError> {
    let page = update.document.page(request.placement.page_index())?;
    let sheet = Sheet::new(page.crop_box, page.rotate, page.user_unit);
    let signature_id = update.new_id()?;
    let widget = update.new_id()?;

    let mut entries = Dictionary::new();
    entries.set("Type", name("Annot"));
    entries.set("Subtype", name("Widget"));
    entries.set("FT", name("Sig"));
    entries.set("T", checked_text("field", &field_name)?);
    entries.set("V", new_reference(signature_id));
    entries.set("F", PRINT | LOCKED);
    entries.set("P", new_reference(page.id));
    match (&request.placement, &request.appearance) {
        (Placement::Invisible { .. }, _) => {
            entries.set("Rect", numbers([0.0; 4]));
        }
        (Placement::Visible { .. }, None) => {
            return Err(invalid("appearance", "is missing for a visible place").into());
        }
        (
            &Placement::Visible {
                page_index,
                x_mm,
                y_mm,
                width_mm,
                height_mm,
            },
            Some(appearance),
        ) => {
            let stamp = Stamp {
                x_mm,
                y_mm,
                width_mm,
                height_mm,
            };
            let rectangle = sheet.rectangle(page_index, &stamp)?;
            let form = draw(update, appearance, rectangle, sheet.turn)?;
            entries.set("Rect", numbers(rectangle));
            entries.set("TU", text_string(&appearance.alternate_text));
            entries.set("AP", normal_appearance(form));
            if sheet.turn != Turn::None {
                let mut characteristics = Dictionary::new();
                characteristics.set("R", sheet.turn.degrees());
                entries.set("MK", characteristics);
            }
            note_overlaps(update, fields, page_index, rectangle);
            if tags::is_tagged(update)? {
                if fields.iter().any(|field| field.value.is_some()) {
                    update.notes.push(Note::NotTagged);
                } else {
                    let text = &appearance.alternate_text;
                    if let Some(key) = tags::add(update, &page, widget, text)? {
                        entries.set("StructParent", key);
                    }
                }
            }
        }
    }
    update.add(widget, NewObject::Dictionary(entries));
    let annotations = Slot::object(page.id);
    let page_value = &page.dictionary.value;
    update.append_to(&annotations, Some(page_value), "Annots", reference(widget))?;
    Ok(Planned {
        signature_id,
        name: field_name,
        reference: None,
        new_field: Some(widget),
    })
}

fn existing_field(
    update: &mut Update<'_, '_>,
    fields: &[SignatureField],
    field_name: &str,
    request: &SignatureRequest,
) -> Result<Planned, PdfError> {
    let name = field_name.to_owned();
    let mut places = fields.iter().filter(|field| field.name == field_name);
    let Some(first) = places.next() else {
        let mut existing: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        existing.dedup();
        return Err(UpdateError::FieldNotFound { name, existing }.into());
    };
    if first.value.is_some() || first.problem.is_some() {
        return Err(UpdateError::FieldAlreadySigned { name }.into());
    }
    let document = update.document;
    let field = document.object(first.field_id)?;
    permission::check_seed_value(document, &field.value, field_name, request)?;
    let lock = permission::lock_reference(document, &field, document.catalog_id())?;
    let signature_id = update.new_id()?;
    let value = Patch::Replace(reference(signature_id));
    update
        .changes
        .entry(&Slot::object(first.field_id), "V", value);

    // A field should have one widget (12.7.5.5); of several the first that can be seen is used.
    let shown = std::iter::once(first).chain(places).find_map(|place| {
        let rectangle = place.rect?;
        let [left, bottom, right, top] = rectangle;
        let has_area = right > left && top > bottom;
        Some((place.widget_id?, place.page_index, rectangle)).filter(|_| has_area)
    });
    if let (Some((widget, page_index, rectangle)), Some(appearance)) = (shown, &request.appearance)
    {
        show_in(
            update, field_name, widget, page_index, rectangle, appearance,
        )?;
    }
    Ok(Planned {
        signature_id,
        name,
        reference: lock,
        new_field: None,
    })
}

/// Gives an existing widget its appearance.
fn show_in(
    update: &mut Update<'_, '_>,
    field_name: &str,
    widget: ObjectId,
    page_index: Option<usize>,
    rectangle: [f64; 4],
    appearance: &Appearance,
) -> Result<(), PdfError> {
    let document = update.document;
    let object = document.object(widget)?;
    let flags = entry(document, &object.value, b"F")?;
    let flags = flags.and_then(|flags| flags.as_integer()).unwrap_or(0);
    let shown_on = page_showing(document, widget, page_index)?;
    let Some(page_index) = shown_on.filter(|_| flags & (HIDDEN | NO_VIEW) == 0) else {
        let name = field_name.to_owned();
        return Err(UpdateError::FieldHidden { name }.into());
    };
    let slot = Slot::object(widget);
    if flags & PRINT == 0 {
        let flags = (flags | PRINT).to_string().into_bytes();
        update.changes.entry(&slot, "F", Patch::Replace(flags));
    }
    let turn = Turn::from_degrees(document.page(page_index)?.rotate);
    let form = draw(update, appearance, rectangle, turn)?;
    let normal = [b"<</N ", reference(form).as_slice(), b">>"].concat();
    update.changes.entry(&slot, "AP", Patch::Replace(normal));
    Ok(())
}

/// The page whose `/Annots` has the widget: its `/P` is a claim (12.5.2). The page that it claims
/// is asked first.
fn page_showing(
    document: &Document<'_>,
    widget: ObjectId,
    claimed: Option<usize>,
) -> Result<Option<usize>, PdfError> {
    let index = document.page_index()?;
    let mut pages: Vec<(usize, ObjectId)> = index.ids().enumerate().collect();
    pages.sort_by_key(|(page_index, _)| Some(*page_index) != claimed);
    for (page_index, id) in pages {
        let annotations = entry(document, &document.object(id)?.value, b"Annots")?;
        let annotations = annotations.as_ref().and_then(Value::as_array);
        let shows = |one: &Value| one.as_reference() == Some(widget);
        if annotations.unwrap_or_default().iter().any(shows) {
            return Ok(Some(page_index));
        }
    }
    Ok(None)
}

/// The appearance as a form XObject that stands upright in `rectangle` (8.10, 12.5.5).
fn draw(
    update: &mut Update<'_, '_>,
    appearance: &Appearance,
    rectangle: [f64; 4],
    turn: Turn,
) -> Result<ObjectId, PdfError> {
    let [left, bottom, right, top] = appearance.bbox;
    let finite = appearance.bbox.iter().all(|edge| edge.is_finite());
    if !finite || left >= right || bottom >= top {
        return Err(invalid("appearance", "has a bbox without area").into());
    }
    let Fit { bbox, matrix } = geometry::fit(appearance.bbox, rectangle, turn);
    let mut entries = Dictionary::new();
    entries.set("Type", name("XObject"));
    entries.set("Subtype", name("Form"));
    entries.set("FormType", 1);
    entries.set("BBox", numbers(bbox));
    entries.set("Matrix", numbers(matrix));
    entries.set("Resources", Dictionary::new());
    entries.set("Filter", name("FlateDecode"));
    let id = update.new_id()?;
    update.add(id, Stream::new(entries, deflate(&appearance.content)));
    Ok(id)
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(content)
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not fail")
}

fn normal_appearance(form: ObjectId) -> Dictionary {
    let mut appearances = Dictionary::new();
    appearances.set("N", new_reference(form));
    appearances
}

/// An array of numbers, rounded to thousandths of a point (0.35 µm).
fn numbers<const COUNT: usize>(values: [f64; COUNT]) -> NewObject {
    let number = |value: f64| {
        let rounded = (value * 1000.0).round() / 1000.0;
        if rounded.fract() == 0.0 && rounded.abs() < 1e9 {
            NewObject::Integer(rounded as i64)
        } else {
            NewObject::Real(rounded as f32)
        }
    };
    NewObject::Array(values.into_iter().map(number).collect())
}

fn note_overlaps(
    update: &mut Update<'_, '_>,
    fields: &[SignatureField],
    page_index: usize,
    [left, bottom, right, top]: [f64; 4],
) {
    let over = |other: [f64; 4]| {
        let [other_left, other_bottom, other_right, other_top] = other;
        left < other_right && other_left < right && bottom < other_top && other_bottom < top
    };
    for field in fields {
        if field.page_index == Some(page_index) && field.rect.is_some_and(over) {
            let name = field.name.clone();
            update.notes.push(Note::OverlapsField { name });
        }
    }
}

fn invalid(field: &'static str, problem: &'static str) -> UpdateError {
    UpdateError::RequestInvalid { field, problem }
}
