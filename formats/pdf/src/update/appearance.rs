//! What the widgets of one signature show: form XObjects over one shared content and one shared
//! picture (ISO 32000-2, 8.9.5, 8.10, 12.5.5).

use std::collections::BTreeMap;

use lopdf::{Dictionary, Stream};

use super::archive::Archive;
use super::error::UpdateError;
use super::field::numbers;
use super::geometry::{self, Fit, Turn};
use super::picture::Picture;
use super::request::{Appearance, Operators, Part};
use super::signature::name;
use super::{Update, new_reference};
use crate::document::Document;
use crate::error::PdfError;
use crate::form::SignatureField;
use crate::object::ObjectId;

/// Draws one appearance in as many places as are asked for.
pub(super) struct Artist<'r> {
    appearance: &'r Appearance,
    archive: Archive,
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
    pub(super) fn new(
        document: &Document<'_>,
        appearance: &'r Appearance,
        is_shared: bool,
    ) -> Result<Self, UpdateError> {
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
            archive: Archive::of(document),
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
        let mut resources = match &self.appearance.image {
            None => Dictionary::new(),
            Some(image) => {
                let picture = if self.archive.forbids_soft_masks() {
                    Picture::flattened(image)?
                } else {
                    Picture::of(image)
                };
                xobject("Im0", picture.place(update, fields)?)
            }
        };
        if let Some(spaces) = self.archive.default_colours() {
            resources.set("ColorSpace", spaces);
        }
        self.resources = Some(resources.clone());
        Ok(resources)
    }
}

/// A form that draws nothing.
pub(super) fn nothing(update: &mut Update<'_, '_>) -> Result<ObjectId, UpdateError> {
    let entries = form([0.0, 0.0, 1.0, 1.0], Dictionary::new());
    add_deflated(update, entries, &Vec::new().into())
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

fn invalid(problem: &'static str) -> UpdateError {
    UpdateError::RequestInvalid {
        field: "appearance",
        problem,
    }
}
