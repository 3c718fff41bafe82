//! The picture of a seal as an image XObject: written once, found again in a later update
//! (ISO 32000-2, 8.9.5).

use std::borrow::Cow;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use lopdf::{Dictionary, Stream};

use super::error::UpdateError;
use super::lookup::entry;
use super::request::Image;
use super::signature::name;
use super::{Update, new_reference};
use crate::document::Document;
use crate::error::PdfError;
use crate::filter::{self, Filter, Predictor};
use crate::form::SignatureField;
use crate::object::{Kind, Object, ObjectId, Value};

/// Levels of forms in which the picture of an earlier seal is looked for: the appearance and the
/// shared form below it.
const LEVELS_MAX: usize = 2;

/// What is less opaque than this, of 255, is clear in a flattened picture: over the text below it
/// would be paper white with a trace of colour.
const OPACITY_MIN: u8 = 16;

/// A picture ready to be written.
pub(super) struct Picture<'r> {
    width: u32,
    height: u32,
    colour: Cow<'r, [u8]>,
    /// `/SMask` or `/Mask`, and the data behind it.
    mask: Option<(MaskKind, Cow<'r, [u8]>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MaskKind {
    /// Eight bits of opacity a pixel.
    Soft,
    /// One bit a pixel, set where nothing is painted (8.9.6.3).
    Stencil,
}

/// How samples are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Samples {
    Colour,
    Opacity,
    Stencil,
}

impl Samples {
    fn colours(self) -> i64 {
        match self {
            Self::Colour => 3,
            Self::Opacity | Self::Stencil => 1,
        }
    }

    fn bits(self) -> i64 {
        match self {
            Self::Colour | Self::Opacity => 8,
            Self::Stencil => 1,
        }
    }
}

impl MaskKind {
    fn key(self) -> &'static str {
        match self {
            Self::Soft => "SMask",
            Self::Stencil => "Mask",
        }
    }

    fn samples(self) -> Samples {
        match self {
            Self::Soft => Samples::Opacity,
            Self::Stencil => Samples::Stencil,
        }
    }
}

impl<'r> Picture<'r> {
    /// As it is, with a soft mask if it has clear parts.
    pub(super) fn of(image: &'r Image) -> Self {
        let alpha = image.alpha.as_deref();
        Self {
            width: image.width,
            height: image.height,
            colour: Cow::Borrowed(&image.colour),
            mask: alpha.map(|alpha| (MaskKind::Soft, Cow::Borrowed(alpha))),
        }
    }

    /// Without a soft mask: colours as they are over white paper, and a stencil where the picture
    /// is clear.
    ///
    /// # Errors
    /// The image's data are not those of its size.
    pub(super) fn flattened(image: &'r Image) -> Result<Self, PdfError> {
        let Some(alpha) = &image.alpha else {
            return Ok(Self::of(image));
        };
        let columns = image.width as usize;
        let colour = plain_samples(image, Samples::Colour, &image.colour)?;
        let alpha = plain_samples(image, Samples::Opacity, alpha)?;
        let mut flat = Vec::with_capacity(colour.len() + image.height as usize);
        let mut stencil = Vec::with_capacity(alpha.len() / 8 + 2 * image.height as usize);
        for (colours, opacities) in colour.chunks(3 * columns).zip(alpha.chunks(columns)) {
            // PNG row filters: none for the stencil, the pixel before for the colours.
            stencil.push(0);
            for eight in opacities.chunks(8) {
                let bit =
                    |place: usize, opacity: u8| u8::from(opacity < OPACITY_MIN) << (7 - place);
                let byte = eight.iter().enumerate();
                stencil.push(byte.fold(0, |byte, (place, opacity)| byte | bit(place, *opacity)));
            }
            flat.push(1);
            let mut before = [0_u8; 3];
            for (pixel, opacity) in colours.chunks_exact(3).zip(opacities) {
                for (sample, before) in pixel.iter().zip(&mut before) {
                    let over_white = over_white(*sample, *opacity);
                    flat.push(over_white.wrapping_sub(*before));
                    *before = over_white;
                }
            }
        }
        Ok(Self {
            width: image.width,
            height: image.height,
            colour: Cow::Owned(deflate(&flat)),
            mask: Some((MaskKind::Stencil, Cow::Owned(deflate(&stencil)))),
        })
    }

    /// The same picture in the appearance of an earlier seal, or a new one.
    pub(super) fn place(
        &self,
        update: &mut Update<'_, '_>,
        fields: &[SignatureField],
    ) -> Result<ObjectId, UpdateError> {
        match self.known(update.document, fields) {
            Some(id) => Ok(id),
            None => self.add(update),
        }
    }

    fn add(&self, update: &mut Update<'_, '_>) -> Result<ObjectId, UpdateError> {
        let mask = match &self.mask {
            None => None,
            Some((kind, data)) => {
                let entries = self.entries(kind.samples());
                let id = update.new_id()?;
                update.add(id, Stream::new(entries, data.to_vec()));
                Some((kind.key(), id))
            }
        };
        let mut entries = self.entries(Samples::Colour);
        if let Some((key, id)) = mask {
            entries.set(key, new_reference(id));
        }
        let id = update.new_id()?;
        update.add(id, Stream::new(entries, self.colour.to_vec()));
        Ok(id)
    }

    fn entries(&self, samples: Samples) -> Dictionary {
        let mut parameters = Dictionary::new();
        parameters.set("Predictor", 15);
        parameters.set("Colors", samples.colours());
        parameters.set("BitsPerComponent", samples.bits());
        parameters.set("Columns", i64::from(self.width));
        let mut entries = Dictionary::new();
        entries.set("Type", name("XObject"));
        entries.set("Subtype", name("Image"));
        entries.set("Width", i64::from(self.width));
        entries.set("Height", i64::from(self.height));
        match samples {
            Samples::Colour => entries.set("ColorSpace", name("DeviceRGB")),
            Samples::Opacity => entries.set("ColorSpace", name("DeviceGray")),
            Samples::Stencil => entries.set("ImageMask", true),
        }
        entries.set("BitsPerComponent", samples.bits());
        entries.set("Filter", name("FlateDecode"));
        entries.set("DecodeParms", parameters);
        entries
    }

    /// What cannot be read has no such picture.
    fn known(&self, document: &Document<'_>, fields: &[SignatureField]) -> Option<ObjectId> {
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
                self.below(document, &document.object(normal).ok()?, 0)
            })
    }

    fn below(&self, document: &Document<'_>, form: &Object<'_>, level: usize) -> Option<ObjectId> {
        let resources = entry(document, &form.value, b"Resources").ok()??;
        let objects = entry(document, &resources, b"XObject").ok()??;
        objects.as_dictionary()?.iter().find_map(|named| {
            let id = named.value.as_reference()?;
            let object = document.object(id).ok()?;
            if self.is_in(document, &object) {
                return Some(id);
            }
            let goes_on = level + 1 < LEVELS_MAX && object.value.is_stream();
            goes_on.then(|| self.below(document, &object, level + 1))?
        })
    }

    fn is_in(&self, document: &Document<'_>, object: &Object<'_>) -> bool {
        if !self.holds(document, object, Samples::Colour, &self.colour) {
            return false;
        }
        let mask = |key: &str| {
            let value = object.dictionary()?.get(key.as_bytes())?;
            document.object(value.as_reference()?).ok()
        };
        match &self.mask {
            None => mask("SMask").is_none() && mask("Mask").is_none(),
            Some((kind, data)) => mask(kind.key())
                .is_some_and(|mask| self.holds(document, &mask, kind.samples(), data)),
        }
    }

    fn holds(
        &self,
        document: &Document<'_>,
        object: &Object<'_>,
        samples: Samples,
        data: &[u8],
    ) -> bool {
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
        let is_of_kind = match samples {
            Samples::Colour => dictionary.has_name(b"ColorSpace", b"DeviceRGB"),
            Samples::Opacity => dictionary.has_name(b"ColorSpace", b"DeviceGray"),
            Samples::Stencil => {
                dictionary.get(b"ImageMask").and_then(Value::as_boolean) == Some(true)
            }
        };
        // Ours has these keys and no others, such as /Decode or /OC: nine, with /Length, and a mask.
        let is_masked = samples == Samples::Colour && self.mask.is_some();
        document.bytes().get(place.clone()) == Some(data)
            && is_of_kind
            && dictionary.has_name(b"Subtype", b"Image")
            && dictionary.has_name(b"Filter", b"FlateDecode")
            && number(b"Width") == Some(i64::from(self.width))
            && number(b"Height") == Some(i64::from(self.height))
            && number(b"BitsPerComponent") == Some(samples.bits())
            && parameters.is_some_and(|parameters| {
                parameters.get(b"Predictor").and_then(Value::as_integer) == Some(15)
            })
            && dictionary.iter().count() == 9 + usize::from(is_masked)
    }
}

/// The samples behind the compression, without row filters.
fn plain_samples(image: &Image, samples: Samples, data: &[u8]) -> Result<Vec<u8>, PdfError> {
    let predictor = Predictor {
        predictor: 15,
        colors: samples.colours(),
        bits_per_component: samples.bits(),
        columns: i64::from(image.width),
    };
    let row = image.width as usize * samples.colours() as usize;
    let bytes = row * image.height as usize;
    // A filter type before each row.
    let room = bytes + image.height as usize;
    let limit = "picture of the seal";
    let plain = filter::decode(data, &[Filter::Flate(predictor)], 0, room, limit, &mut 0)?;
    if plain.len() != bytes {
        return Err(UpdateError::RequestInvalid {
            field: "appearance",
            problem: "has a picture whose data are not of its size",
        }
        .into());
    }
    Ok(plain)
}

fn over_white(sample: u8, opacity: u8) -> u8 {
    let (sample, opacity) = (u32::from(sample), u32::from(opacity));
    let mixed = (sample * opacity + 255 * (255 - opacity) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

fn deflate(rows: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(rows)
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not fail")
}
