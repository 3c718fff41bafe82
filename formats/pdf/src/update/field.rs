//! The field that takes the signature, its widget and what the widget shows
//! (ISO 32000-2, 12.5.6.19, 12.7.5.5).

use std::collections::BTreeMap;
use std::rc::Rc;

use lopdf::{Dictionary, Object as NewObject};

use super::appearance::{self, Artist};
use super::archive::Archive;
use super::error::UpdateError;
use super::geometry::{Sheet, Stamp, Turn};
use super::lookup::entry;
use super::patch::{Patch, Slot, reference};
use super::permission::{self, Signed};
use super::request::{
    EmptyField, FieldFamily, FieldTarget, Part, Placement, SignatureRequest, Spot,
};
use super::signature::{checked_text, name, text_string};
use super::{Form, Note, Update, new_reference, tags};
use crate::document::Document;
use crate::error::PdfError;
use crate::form::SignatureField;
use crate::object::{ObjectId, Value};
use crate::page::Page;

/// Annotation flags (12.5.3, table 167). PDF/A-2, 6.3.2 wants Print set and the others clear.
const HIDDEN: i64 = 1 << 1;
const PRINT: i64 = 1 << 2;
const NO_VIEW: i64 = 1 << 5;
const LOCKED: i64 = 1 << 7;

/// A field that is ready to be signed.
pub(super) struct Planned {
    /// The object of the signature dictionary.
    pub(super) signature_id: ObjectId,
    /// The fully qualified name; of several fields that of the first.
    pub(super) name: String,
    /// The written `/Reference` of the signature dictionary, if a lock asks for one.
    pub(super) reference: Option<Vec<u8>>,
    /// New fields at the top of the tree, to be entered in the form.
    pub(super) new_fields: Vec<ObjectId>,
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
    permission::check_first(&signed, request)?;
    match &request.field {
        FieldTarget::New { name } => new_field(update, form, &fields, name.as_deref(), request),
        FieldTarget::Existing { name } => existing_field(update, &fields, name, request),
    }
}

/// The name asked for if it is free, else the first free `Seal-n`.
fn new_name(update: &Update<'_, '_>, form: &Form, asked: Option<&str>) -> Result<String, PdfError> {
    let taken = form.root_names(update.document)?;
    // `Seal-7` is taken by the places `Seal-7-p1`, `Seal-7-p2`, … of one signature, too.
    let is_free = |name: &str| {
        let mut taken = taken.iter().filter_map(|known| known.strip_prefix(name));
        taken.all(|rest| !rest.is_empty() && !rest.starts_with("-p"))
    };
    let Some(asked) = asked else {
        return (1_u32..)
            .map(|number| format!("Seal-{number}"))
            .find(|name| is_free(name))
            .ok_or(UpdateError::ObjectNumbersUsedUp.into());
    };
    let name = partial_name(asked)?;
    if !is_free(asked) {
        return Err(UpdateError::FieldNameTaken { name }.into());
    }
    Ok(name)
}

/// A name that a field can have among its siblings (12.7.4.2).
fn partial_name(asked: &str) -> Result<String, UpdateError> {
    let name = asked.to_owned();
    if asked.is_empty() || asked.contains('.') {
        return Err(UpdateError::FieldNameInvalid { name });
    }
    Ok(name)
}

fn new_field(
    update: &mut Update<'_, '_>,
    form: &Form,
    fields: &[SignatureField],
    asked: Option<&str>,
    request: &SignatureRequest,
) -> Result<Planned, PdfError> {
    let signature_id = update.new_id()?;
    let spots = spots(&request.placement)?;
    let Some(family) = &request.options.family else {
        let name = new_name(update, form, asked)?;
        let mut widgets = Widgets::lay(update, &spots, request.options.may_leave_page)?;
        tag(update, fields, &mut widgets, request, &mut [])?;
        let names = [name.as_str(), name.as_str()];
        let (new_fields, first) =
            signed_field(update, fields, None, names, request, &widgets, signature_id)?;
        return Ok(Planned {
            signature_id,
            name: first,
            reference: None,
            new_fields,
        });
    };
    let parent_name = new_name(update, form, Some(&family.parent))?;
    let name = partial_name(asked.unwrap_or("1"))?;
    check_siblings(&name, family)?;
    let parent = update.new_id()?;
    let mut widgets = Widgets::lay(update, &spots, request.options.may_leave_page)?;
    let mut empty_widgets = Vec::with_capacity(family.empty.len());
    for empty in &family.empty {
        empty_widgets.push((empty_widget(update, empty, request)?, empty));
    }
    tag(update, fields, &mut widgets, request, &mut empty_widgets)?;
    let qualified = format!("{parent_name}.{name}");
    let names = [name.as_str(), qualified.as_str()];
    let (roots, first) = signed_field(
        update,
        fields,
        Some(parent),
        names,
        request,
        &widgets,
        signature_id,
    )?;
    let mut kids: Vec<NewObject> = roots.into_iter().map(new_reference).collect();
    for (widget, empty) in &empty_widgets {
        empty_field(update, parent, empty, widget)?;
        kids.push(new_reference(widget.id));
    }
    let mut entries = Dictionary::new();
    entries.set("T", checked_text("family.parent", &parent_name)?);
    entries.set("Kids", kids);
    update.add(parent, NewObject::Dictionary(entries));
    Ok(Planned {
        signature_id,
        name: first,
        reference: None,
        new_fields: vec![parent],
    })
}

fn check_siblings(first: &str, family: &FieldFamily) -> Result<(), UpdateError> {
    let mut names = vec![first];
    for empty in &family.empty {
        let name = partial_name(&empty.name)?;
        if names.contains(&empty.name.as_str()) {
            return Err(UpdateError::FieldNameTaken { name });
        }
        names.push(&empty.name);
    }
    Ok(())
}

/// The new field that is signed: its roots, and the fully qualified name of its (first) field. In
/// several places it is one field each with one value: `Seal-7-p1`, `Seal-7-p2`, …, because pyHanko
/// takes a parent without value for a field that nobody signed; in a family, which nothing was
/// signed before, `p1`, `p2`, … below a parent, so that the signer keeps one name.
fn signed_field(
    update: &mut Update<'_, '_>,
    fields: &[SignatureField],
    parent: Option<ObjectId>,
    [name, qualified]: [&str; 2],
    request: &SignatureRequest,
    widgets: &Widgets<'_>,
    signature_id: ObjectId,
) -> Result<(Vec<ObjectId>, String), PdfError> {
    for widget in &widgets.0 {
        note_overlaps(update, fields, widget.page.page_index, widget.rectangle);
    }
    let several = widgets.0.len() > 1;
    let group = if several && parent.is_some() {
        Some(update.new_id()?)
    } else {
        None
    };
    let mut artist = match &request.appearance {
        Some(appearance) => Some(Artist::new(update.document, appearance, several)?),
        None => None,
    };
    for (number, widget) in (1_i64..).zip(&widgets.0) {
        let mut entries = widget.entries();
        let partial = match (several, group) {
            (false, _) => name.to_owned(),
            (true, None) => format!("{name}-p{number}"),
            (true, Some(_)) => format!("p{number}"),
        };
        entries.set("T", checked_text("field", &partial)?);
        entries.set("V", new_reference(signature_id));
        if let Some(parent) = group.or(parent) {
            entries.set("Parent", new_reference(parent));
        }
        if let Some(part) = widget.part {
            let (Some(artist), Some(appearance)) = (&mut artist, &request.appearance) else {
                return Err(invalid("appearance", "is missing for a visible place").into());
            };
            let turn = widget.sheet.turn;
            let form = artist.draw(update, fields, part, widget.rectangle, turn)?;
            entries.set("TU", text_string(&appearance.alternate_text));
            entries.set("AP", normal_appearance(form));
        } else if Archive::of(update.document).wants_all_appearances() {
            entries.set("AP", normal_appearance(appearance::nothing(update)?));
        }
        update.add(widget.id, NewObject::Dictionary(entries));
        widget.enter_in_page(update)?;
    }
    let Some(group) = group else {
        let first = if several {
            format!("{qualified}-p1")
        } else {
            qualified.to_owned()
        };
        let roots = widgets.0.iter().map(|widget| widget.id).collect();
        return Ok((roots, first));
    };
    let kids: Vec<NewObject> = widgets
        .0
        .iter()
        .map(|widget| new_reference(widget.id))
        .collect();
    let mut entries = Dictionary::new();
    entries.set("T", checked_text("field", name)?);
    entries.set("Kids", kids);
    if let Some(parent) = parent {
        entries.set("Parent", new_reference(parent));
    }
    update.add(group, NewObject::Dictionary(entries));
    Ok((vec![group], format!("{qualified}.p1")))
}

/// Enters the widgets that have an area in the structure tree of a tagged document: those of the
/// signature, if it shows anything, then those of empty fields.
fn tag<'a>(
    update: &mut Update<'_, 'a>,
    fields: &[SignatureField],
    widgets: &mut Widgets<'a>,
    request: &SignatureRequest,
    empty: &mut [(Widget<'a>, &EmptyField)],
) -> Result<(), PdfError> {
    let mut tagged = Vec::new();
    if let Some(appearance) = &request.appearance {
        let text = appearance.alternate_text.as_str();
        tagged.extend(widgets.0.iter_mut().map(|widget| (widget, text)));
    }
    tagged.extend((empty.iter_mut()).map(|(widget, empty)| (widget, empty.description.as_str())));
    tagged.retain(|(widget, _)| widget.part.is_some());
    if tagged.is_empty() || !tags::is_tagged(update)? {
        return Ok(());
    }
    if fields.iter().any(|field| field.value.is_some()) {
        update.notes.push(Note::NotTagged);
        return Ok(());
    }
    let elements: Vec<_> = (tagged.iter())
        .map(|(widget, text)| (&*widget.page, widget.id, *text))
        .collect();
    let Some(first) = tags::add(update, &elements)? else {
        return Ok(());
    };
    for (key, (widget, _)) in (first..).zip(&mut tagged) {
        widget.tag_key = Some(key);
    }
    Ok(())
}

/// Where an empty field goes: in one place.
fn empty_widget<'a>(
    update: &mut Update<'_, 'a>,
    empty: &EmptyField,
    request: &SignatureRequest,
) -> Result<Widget<'a>, PdfError> {
    let spots = spots(&empty.placement)?;
    let widgets = Widgets::lay(update, &spots, request.options.may_leave_page)?;
    let [widget] = <[Widget<'a>; 1]>::try_from(widgets.0)
        .map_err(|_| invalid("family", "has an empty field in several places"))?;
    Ok(widget)
}

/// A field for a later signer. It shows nothing yet, not even a frame: what is not signed is not
/// seen.
fn empty_field(
    update: &mut Update<'_, '_>,
    parent: ObjectId,
    empty: &EmptyField,
    widget: &Widget<'_>,
) -> Result<(), PdfError> {
    let mut entries = widget.entries();
    entries.set("T", checked_text("family", &empty.name)?);
    entries.set("TU", checked_text("family", &empty.description)?);
    entries.set("Parent", new_reference(parent));
    if empty.closes_document {
        let mut lock = Dictionary::new();
        lock.set("Type", name("SigFieldLock"));
        lock.set("Action", name("All"));
        lock.set("P", 1);
        let id = update.new_id()?;
        update.add(id, NewObject::Dictionary(lock));
        entries.set("Lock", new_reference(id));
    }
    // PDF/A-2, 6.3.3: a widget with area has an appearance, and this one draws nothing.
    if widget.part.is_some() || Archive::of(update.document).wants_all_appearances() {
        entries.set("AP", normal_appearance(appearance::nothing(update)?));
    }
    update.add(widget.id, NewObject::Dictionary(entries));
    widget.enter_in_page(update)
}

/// Where one widget goes: with area, or without.
enum Place {
    Visible(Spot),
    Invisible { page_index: usize },
}

fn spots(placement: &Placement) -> Result<Vec<Place>, UpdateError> {
    Ok(match placement {
        &Placement::Invisible { page_index } => vec![Place::Invisible { page_index }],
        &Placement::Visible {
            page_index,
            x_mm,
            y_mm,
            width_mm,
            height_mm,
        } => vec![Place::Visible(Spot {
            page_index,
            x_mm,
            y_mm,
            width_mm,
            height_mm,
            part: Part::WHOLE,
        })],
        Placement::Places(spots) if spots.is_empty() => {
            return Err(invalid("placement", "names no place"));
        }
        Placement::Places(spots) => spots.iter().copied().map(Place::Visible).collect(),
    })
}

/// A widget with its place worked out.
struct Widget<'a> {
    id: ObjectId,
    page: Rc<Page<'a>>,
    sheet: Sheet,
    rectangle: [f64; 4],
    /// The part of the appearance that it shows; none without area.
    part: Option<Part>,
    /// Its `/StructParent`, once it stands in the structure tree.
    tag_key: Option<i64>,
}

struct Widgets<'a>(Vec<Widget<'a>>);

impl<'a> Widgets<'a> {
    fn lay(
        update: &mut Update<'_, 'a>,
        places: &[Place],
        may_leave_page: bool,
    ) -> Result<Self, PdfError> {
        let mut pages: BTreeMap<usize, Rc<Page<'a>>> = BTreeMap::new();
        let mut widgets = Vec::with_capacity(places.len());
        for place in places {
            let (page_index, spot) = match place {
                Place::Invisible { page_index } => (*page_index, None),
                Place::Visible(spot) => (spot.page_index, Some(spot)),
            };
            let page = match pages.get(&page_index) {
                Some(page) => Rc::clone(page),
                None => {
                    let page = Rc::new(update.document.page(page_index)?);
                    pages.insert(page_index, Rc::clone(&page));
                    page
                }
            };
            let sheet = super::sheet(&page);
            let rectangle = match spot {
                None => [0.0; 4],
                Some(spot) => {
                    let stamp = Stamp {
                        x_mm: spot.x_mm,
                        y_mm: spot.y_mm,
                        width_mm: spot.width_mm,
                        height_mm: spot.height_mm,
                    };
                    sheet.rectangle(page_index, &stamp, may_leave_page)?
                }
            };
            widgets.push(Widget {
                id: update.new_id()?,
                page,
                sheet,
                rectangle,
                part: spot.map(|spot| spot.part),
                tag_key: None,
            });
        }
        Ok(Self(widgets))
    }
}

impl Widget<'_> {
    fn entries(&self) -> Dictionary {
        let mut entries = Dictionary::new();
        entries.set("Type", name("Annot"));
        entries.set("Subtype", name("Widget"));
        entries.set("FT", name("Sig"));
        entries.set("F", PRINT | LOCKED);
        entries.set("P", new_reference(self.page.id));
        entries.set("Rect", numbers(self.rectangle));
        if self.part.is_some() && self.sheet.turn != Turn::None {
            let mut characteristics = Dictionary::new();
            characteristics.set("R", self.sheet.turn.degrees());
            entries.set("MK", characteristics);
        }
        if let Some(key) = self.tag_key {
            entries.set("StructParent", key);
        }
        entries
    }

    fn enter_in_page(&self, update: &mut Update<'_, '_>) -> Result<(), PdfError> {
        let annotations = Slot::object(self.page.id);
        let page_value = &self.page.dictionary.value;
        let element = reference(self.id);
        update.append_to(&annotations, Some(page_value), "Annots", element)
    }
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
        let artist = Artist::new(update.document, appearance, false)?;
        show_in(
            update, fields, field_name, widget, page_index, rectangle, artist,
        )?;
    }
    Ok(Planned {
        signature_id,
        name,
        reference: lock,
        new_fields: Vec::new(),
    })
}

/// Gives an existing widget its appearance.
fn show_in(
    update: &mut Update<'_, '_>,
    fields: &[SignatureField],
    field_name: &str,
    widget: ObjectId,
    page_index: Option<usize>,
    rectangle: [f64; 4],
    mut artist: Artist<'_>,
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
    let form = artist.draw(update, fields, Part::WHOLE, rectangle, turn)?;
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

fn normal_appearance(form: ObjectId) -> Dictionary {
    let mut appearances = Dictionary::new();
    appearances.set("N", new_reference(form));
    appearances
}

/// An array of numbers, rounded to thousandths of a point (0.35 µm).
pub(super) fn numbers<const COUNT: usize>(values: [f64; COUNT]) -> NewObject {
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
    if left >= right || bottom >= top {
        return;
    }
    let over = |other: [f64; 4]| {
        let [other_left, other_bottom, other_right, other_top] = other;
        left < other_right && other_left < right && bottom < other_top && other_bottom < top
    };
    for field in fields {
        if field.page_index == Some(page_index) && field.rect.is_some_and(over) {
            let note = Note::OverlapsField {
                name: field.name.clone(),
            };
            if !update.notes.contains(&note) {
                update.notes.push(note);
            }
        }
    }
}

fn invalid(field: &'static str, problem: &'static str) -> UpdateError {
    UpdateError::RequestInvalid { field, problem }
}
