//! What the widgets of one signature show: form XObjects over one shared content and one shared
//! picture (ISO 32000-2, 8.9.5, 8.10, 12.5.5).

use std::collections::BTreeMap;

use lopdf::{Dictionary, Stream};

use super::error::UpdateError;
use super::field::numbers;
use super::geometry::{self, Fit, Turn};
use super::lookup::entry;
use super::request::{Appearance, Image, Operators, Part};
use super::signature::name;
use super::{Update, new_reference};
use crate::document::Document;
use crate::error::PdfError;
use crate::form::SignatureField;
use crate::object::{Kind, Object, ObjectId, Value};

/// Levels of forms in which the picture of an earlier seal is looked for: the appearance and the
/// shared form below it.
const LEVELS_MAX: usize = 2;

/// Draws one appearance in as many places as are asked for.
pub(super) struct Artist<'r> {
    appearance: &'r Appearance,
    /// Whether the content goes into a form of its own that the places share.
    is_shared: bool,
    /// Resources of a form with the content in it.
    resources: Option<Dictionary>,
    /// The shared form.
    whole: Option<ObjectId>,
    /// Forms that are drawn already, by matrix and box in thousandths of a point.
    drawn: BTreeMap<[i64; 10], ObjectId>,
}

impl<'r> Artist<'r> {
    /// # Errors
    /// The appearance has no area, or a picture without pixels.
    pub(super) fn new(appearance: &'r Appearance, is_shared: bool) -> Result<Self, UpdateError> {
        let [left, bottom, right, top] = appearance.bbox;
        let finite = appearance.bbox.iter().all(|edge| edge.is_finite());
        if !finite || left >= right || bottom >= top {
            return Err(invalid("has a bbox without area"));
        }
        if let Some(image) = &appearance.image
            && (image.width == 0 || image.height == 0)
        {
            return Err(invalid("has a picture without pixels"));
        }
        Ok(Self {
            appearance,
            is_shared,
            resources: None,
            whole: None,
            drawn: BTreeMap::new(),
        })
    }

    /// `part` of the appearance as a form XObject that stands upright in `rectangle`. The same part
    /// in rectangles of one size is one form. `fields` are those of the document: the picture of an
    /// earlier seal is used again.
    pub(super) fn draw(
        &mut self,
        update: &mut Update<'_, '_>,
        fields: &[SignatureField],
        part: Part,
        rectangle: [f64; 4],
        turn: Turn,
    ) -> Result<ObjectId, PdfError> {
        let Fit { bbox, matrix } = geometry::fit(self.part(part)?, rectangle, turn);
        let mut key = [0; 10];
        for (slot, value) in key.iter_mut().zip(bbox.iter().chain(&matrix)) {
            *slot = (value * 1000.0).round() as i64;
        }
        if let Some(id) = self.drawn.get(&key) {
            return Ok(*id);
        }
        let (resources, content) = if self.is_shared {
            let whole = self.whole(update, fields)?;
            let resources = xobject("Fm0", whole);
            (resources, b"/Fm0 Do\n".as_slice().into())
        } else {
            let resources = self.resources(update, fields)?;
            (resources, self.appearance.content.clone())
        };
        let mut entries = form(bbox, resources);
        entries.set("Matrix", numbers(matrix));
        let id = add_deflated(update, entries, &content)?;
        self.drawn.insert(key, id);
        Ok(id)
    }

    /// A part in the space of the content.
    fn part(&self, part: Part) -> Result<[f64; 4], UpdateError> {
        let share = |low: f64, high: f64| (0.0..high).contains(&low) && high <= 1.0;
        if !share(part.left, part.right) || !share(part.top, part.bottom) {
            return Err(invalid("is to be shown in a part that it does not have"));
        }
        let [left, bottom, right, top] = self.appearance.bbox;
        let (width, height) = (right - left, top - bottom);
        Ok([
            left + part.left * width,
            top - part.bottom * height,
            left + part.right * width,
            top - part.top * height,
        ])
    }

    /// The form with the whole content.
    fn whole(
        &mut self,
        update: &mut Update<'_, '_>,
        fields: &[SignatureField],
    ) -> Result<ObjectId, PdfError> {
        if let Some(id) = self.whole {
            return Ok(id);
        }
        let resources = self.resources(update, fields)?;
        let entries = form(self.appearance.bbox, resources);
        let id = add_deflated(update, entries, &self.appearance.content)?;
        self.whole = Some(id);
        Ok(id)
    }

    fn resources(
        &mut self,
        update: &mut Update<'_, '_>,
        fields: &[SignatureField],
    ) -> Result<Dictionary, PdfError> {
        if let Some(resources) = &self.resources {
            return Ok(resources.clone());
        }
        let resources = match &self.appearance.image {
            None => Dictionary::new(),
            Some(image) => {
                let known = known_image(update.document, fields, image);
                let id = match known {
                    Some(id) => id,
                    None => add_image(update, image)?,
                };
                xobject("Im0", id)
            }
        };
        self.resources = Some(resources.clone());
        Ok(resources)
    }
}

fn form(bbox: [f64; 4], resources: Dictionary) -> Dictionary {
    let mut entries = Dictionary::new();
    entries.set("Type", name("XObject"));
    entries.set("Subtype", name("Form"));
    entries.set("FormType", 1);
    entries.set("BBox", numbers(bbox));
    entries.set("Resources", resources);
    entries
}

/// `<</XObject<</Im0 12 0 R>>>>`
fn xobject(key: &str, id: ObjectId) -> Dictionary {
    let mut named = Dictionary::new();
    named.set(key, new_reference(id));
    let mut resources = Dictionary::new();
    resources.set("XObject", named);
    resources
}

fn add_deflated(
    update: &mut Update<'_, '_>,
    mut entries: Dictionary,
    content: &Operators,
) -> Result<ObjectId, UpdateError> {
    entries.set("Filter", name("FlateDecode"));
    let id = update.new_id()?;
    update.add(id, Stream::new(entries, content.deflated().to_vec()));
    Ok(id)
}

fn add_image(update: &mut Update<'_, '_>, image: &Image) -> Result<ObjectId, UpdateError> {
    let samples = |update: &mut Update<'_, '_>, space: &str, colours: i64, mask, data: &[u8]| {
        let mut parameters = Dictionary::new();
        parameters.set("Predictor", 15);
        parameters.set("Colors", colours);
        parameters.set("BitsPerComponent", 8);
        parameters.set("Columns", i64::from(image.width));
        let mut entries = Dictionary::new();
        entries.set("Type", name("XObject"));
        entries.set("Subtype", name("Image"));
        entries.set("Width", i64::from(image.width));
        entries.set("Height", i64::from(image.height));
        entries.set("ColorSpace", name(space));
        entries.set("BitsPerComponent", 8);
        entries.set("Filter", name("FlateDecode"));
        entries.set("DecodeParms", parameters);
        if let Some(mask) = mask {
            entries.set("SMask", new_reference(mask));
        }
        let id = update.new_id()?;
        update.add(id, Stream::new(entries, data.to_vec()));
        Ok::<_, UpdateError>(id)
    };
    let mask = match &image.alpha {
        None => None,
        Some(alpha) => Some(samples(update, "DeviceGray", 1, None, alpha)?),
    };
    samples(update, "DeviceRGB", 3, mask, &image.colour)
}

/// The same picture in the appearance of an earlier seal. What cannot be read has no such picture.
fn known_image(
    document: &Document<'_>,
    fields: &[SignatureField],
    image: &Image,
) -> Option<ObjectId> {
    fields
        .iter()
        .filter(|field| field.value.is_some())
        .find_map(|field| {
            let widget = document.object(field.widget_id?).ok()?;
            let appearances = entry(document, &widget.value, b"AP").ok()??;
            let normal = appearances
                .as_dictionary()?
                .get(b"N")
                .and_then(Value::as_reference)?;
            image_below(document, &document.object(normal).ok()?, image, 0)
        })
}

fn image_below(
    document: &Document<'_>,
    form: &Object<'_>,
    image: &Image,
    level: usize,
) -> Option<ObjectId> {
    let resources = entry(document, &form.value, b"Resources").ok()??;
    let objects = entry(document, &resources, b"XObject").ok()??;
    objects.as_dictionary()?.iter().find_map(|named| {
        let id = named.value.as_reference()?;
        let object = document.object(id).ok()?;
        if is_image(document, &object, image) {
            return Some(id);
        }
        let goes_on = level + 1 < LEVELS_MAX && object.value.is_stream();
        goes_on.then(|| image_below(document, &object, image, level + 1))?
    })
}

fn is_image(document: &Document<'_>, object: &Object<'_>, image: &Image) -> bool {
    let holds = |object: &Object<'_>, data: &[u8], space: &[u8]| {
        let Kind::Stream {
            dictionary,
            data: place,
        } = &object.value.kind
        else {
            return false;
        };
        let number = |key: &[u8]| dictionary.get(key).and_then(Value::as_integer);
        let parameters = dictionary
            .get(b"DecodeParms")
            .and_then(Value::as_dictionary);
        document.bytes().get(place.clone()) == Some(data)
            && dictionary.has_name(b"Subtype", b"Image")
            && dictionary.has_name(b"ColorSpace", space)
            && dictionary.has_name(b"Filter", b"FlateDecode")
            && number(b"Width") == Some(i64::from(image.width))
            && number(b"Height") == Some(i64::from(image.height))
            && number(b"BitsPerComponent") == Some(8)
            && parameters.is_some_and(|parameters| {
                parameters.get(b"Predictor").and_then(Value::as_integer) == Some(15)
            })
            // Ours has the keys of `add_image` and no others, such as /Decode or /OC.
            && dictionary.iter().count() == if dictionary.get(b"SMask").is_some() { 10 } else { 9 }
    };
    if !holds(object, &image.colour, b"DeviceRGB") {
        return false;
    }
    let mask = object
        .dictionary()
        .and_then(|dictionary| dictionary.get(b"SMask"))
        .and_then(Value::as_reference)
        .and_then(|id| document.object(id).ok());
    match (&image.alpha, mask) {
        (None, None) => true,
        (Some(alpha), Some(mask)) => holds(&mask, alpha, b"DeviceGray"),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn invalid(problem: &'static str) -> UpdateError {
    UpdateError::RequestInvalid {
        field: "appearance",
        problem,
    }
}
