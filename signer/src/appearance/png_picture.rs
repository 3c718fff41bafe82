//! Uploaded pictures of seals: PNG with alpha.

use std::sync::Arc;

use base64ct::{Base64, Encoding as _};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use yinxin_pdf::{Appearance, Image};

use super::picture::{
    FILE_BYTES_MAX, PictureError, check_aspect, check_declared, check_limit, unreadable,
};
use super::{POINTS_PER_MM, drawing, path};

/// 60 mm at 1200 dpi is 2835 pixels.
const SIDE_PIXELS_MAX: u32 = 4096;

/// No official resolution was found; 300 dpi is what printers need for sharp small letters.
const DOTS_PER_INCH_MIN: f64 = 300.0;

/// A PNG of a seal, looked through to its last pixel.
///
/// It goes as it is into an `SESeal`, and as an image with a soft mask onto the page.
#[derive(Debug, Clone, PartialEq)]
pub struct PngPicture {
    bytes: Vec<u8>,
    pixels: [u32; 2],
    size_mm: [f64; 2],
    image: Arc<Image>,
}

impl PngPicture {
    /// Reads a PNG that is meant to be `width_mm` by `height_mm` large.
    ///
    /// # Errors
    /// Damaged, animated, too large, opaque, of another proportion, or under 300 dots per inch.
    pub fn read(bytes: Vec<u8>, width_mm: f64, height_mm: f64) -> Result<Self, PictureError> {
        check_declared([width_mm, height_mm])?;
        let pixels = Pixels::read(&bytes)?;
        let [width, height] = [pixels.width, pixels.height].map(f64::from);
        check_aspect(width / height, width_mm / height_mm)?;
        check_dots((width * 25.4 / width_mm).min(height * 25.4 / height_mm))?;
        Ok(Self {
            pixels: [pixels.width, pixels.height],
            image: Arc::new(pixels.image()?),
            bytes,
            size_mm: [width_mm, height_mm],
        })
    }

    /// The file as it was uploaded.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn pixels(&self) -> [u32; 2] {
        self.pixels
    }

    /// The declared width and height in millimetres.
    #[must_use]
    pub fn size_mm(&self) -> [f64; 2] {
        self.size_mm
    }

    /// The PDF appearance: bbox `[0 0 w h]` in points, and the picture over all of it.
    /// `description` follows «电子印章» in the alternate text, as in [`VectorPicture::drawing`].
    #[must_use]
    pub fn appearance(&self, description: &str) -> Appearance {
        let [width, height] = self.size_mm.map(|side| side * POINTS_PER_MM);
        let [across, up] = [width, height].map(|side| path::decimal(side, 3));
        Appearance {
            content: format!("q {across} 0 0 {up} 0 0 cm /Im0 Do Q\n")
                .into_bytes()
                .into(),
            bbox: [0.0, 0.0, width, height],
            alternate_text: drawing::alternate_text(description),
            image: Some(Arc::clone(&self.image)),
        }
    }
}

/// Refuses fewer dots per inch than printers need.
pub(super) fn check_dots(found: f64) -> Result<(), PictureError> {
    // 42 mm are 496.06 dots: a picture of 496 is meant.
    if found >= DOTS_PER_INCH_MIN - 0.5 {
        return Ok(());
    }
    Err(PictureError::DotsPerInch {
        found,
        min: DOTS_PER_INCH_MIN,
    })
}

/// The pixels of a PNG, in rows from the top: three samples of colour each, and one of alpha.
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    colour: Vec<u8>,
    alpha: Vec<u8>,
}

impl Pixels {
    /// # Errors
    /// Damaged, animated, too large, or opaque.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PictureError> {
        check_limit("bytes", bytes.len(), FILE_BYTES_MAX)?;
        let mut decoder = png::Decoder::new_with_limits(
            std::io::Cursor::new(bytes),
            png::Limits { bytes: 80 << 20 },
        );
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(|cause| unreadable(&cause))?;
        let info = reader.info();
        let [width, height] = [info.width, info.height];
        for side in [width, height] {
            check_limit("pixels on a side", side as usize, SIDE_PIXELS_MAX as usize)?;
        }
        if info.is_animated() {
            return Err(PictureError::Forbidden {
                what: "animation".to_owned(),
            });
        }
        let samples = match reader.output_color_type().0 {
            png::ColorType::GrayscaleAlpha => 2,
            png::ColorType::Rgba => 4,
            png::ColorType::Grayscale | png::ColorType::Rgb | png::ColorType::Indexed => {
                return Err(PictureError::NoAlpha);
            }
        };
        let mut clear = false;
        let area = width as usize * height as usize;
        let mut colour = Vec::with_capacity(3 * area);
        let mut alpha = Vec::with_capacity(area);
        while let Some(row) = reader.next_row().map_err(|cause| unreadable(&cause))? {
            for pixel in row.data().chunks_exact(samples) {
                match *pixel {
                    // The colour of what cannot be seen is noise that would be stored.
                    [.., 0] => {
                        colour.extend([0xFF; 3]);
                        alpha.push(0);
                        clear = true;
                    }
                    [grey, opacity] => {
                        colour.extend([grey; 3]);
                        alpha.push(opacity);
                    }
                    [red, green, blue, opacity] => {
                        colour.extend([red, green, blue]);
                        alpha.push(opacity);
                    }
                    _ => {}
                }
            }
        }
        if !clear {
            return Err(PictureError::NoAlpha);
        }
        reader.finish().map_err(|cause| unreadable(&cause))?;
        Ok(Self {
            width,
            height,
            colour,
            alpha,
        })
    }

    /// Gives each pixel that can be seen another colour.
    pub(super) fn recolour(&mut self, to: impl Fn([u8; 3]) -> [u8; 3]) {
        for pixel in self.colour.as_chunks_mut::<3>().0 {
            *pixel = to(*pixel);
        }
    }

    /// As an image for a page.
    ///
    /// # Errors
    /// None is known: the encoder writes into memory.
    pub(super) fn image(&self) -> Result<Image, PictureError> {
        let size = [self.width, self.height];
        Ok(Image {
            width: self.width,
            height: self.height,
            colour: image_data(size, png::ColorType::Rgb, &self.colour)?,
            alpha: Some(image_data(size, png::ColorType::Grayscale, &self.alpha)?),
        })
    }

    /// As a PNG again.
    ///
    /// # Errors
    /// As [`Pixels::image`].
    pub(super) fn png(&self) -> Result<Vec<u8>, PictureError> {
        let pixels = self.colour.as_chunks::<3>().0;
        let samples: Vec<u8> = pixels
            .iter()
            .zip(&self.alpha)
            .flat_map(|([red, green, blue], alpha)| [*red, *green, *blue, *alpha])
            .collect();
        encode([self.width, self.height], png::ColorType::Rgba, &samples)
    }
}

/// Samples as the data of `IDAT` chunks, which are those of a PDF image with `/Predictor 15`.
fn image_data(
    size: [u32; 2],
    kind: png::ColorType,
    samples: &[u8],
) -> Result<Vec<u8>, PictureError> {
    let file = encode(size, kind, samples)?;
    // A signature of 8 bytes; then chunks of length, type, data and checksum (PNG, clause 5).
    let mut data = Vec::new();
    let mut rest = file.get(8..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if after.starts_with(b"IDAT") {
            data.extend_from_slice(after.get(4..4 + length).unwrap_or_default());
        }
        rest = after.get(8 + length..).unwrap_or_default();
    }
    Ok(data)
}

fn encode(
    [width, height]: [u32; 2],
    kind: png::ColorType,
    samples: &[u8],
) -> Result<Vec<u8>, PictureError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(kind);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(samples)?;
            writer.finish()
        })
        .map_err(|cause| unreadable(&cause))?;
    Ok(file)
}

/// The bytes of an uploaded file; base64 (RFC 4648, 4, with padding) in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile(pub Vec<u8>);

impl Serialize for PictureFile {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Base64::encode_string(&self.0))
    }
}

impl<'de> Deserialize<'de> for PictureFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Base64::decode_vec(&text)
            .map(Self)
            .map_err(|_| D::Error::custom("a picture must be base64 with padding, on one line"))
    }
}
