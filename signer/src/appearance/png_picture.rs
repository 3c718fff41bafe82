//! Uploaded pictures of seals: PNG with alpha.

use std::sync::Arc;

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
        check_limit("bytes", bytes.len(), FILE_BYTES_MAX)?;
        let mut decoder = png::Decoder::new_with_limits(
            std::io::Cursor::new(&bytes),
            png::Limits { bytes: 80 << 20 },
        );
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(|cause| unreadable(&cause))?;
        let info = reader.info();
        let pixels = [info.width, info.height];
        for side in pixels {
            check_limit("pixels on a side", side as usize, SIDE_PIXELS_MAX as usize)?;
        }
        if info.is_animated() {
            return Err(PictureError::Forbidden {
                what: "animation".to_owned(),
            });
        }
        let [width, height] = pixels.map(f64::from);
        check_aspect(width / height, width_mm / height_mm)?;
        let found = (width * 25.4 / width_mm).min(height * 25.4 / height_mm);
        // 42 mm are 496.06 dots: a picture of 496 is meant.
        if found < DOTS_PER_INCH_MIN - 0.5 {
            return Err(PictureError::DotsPerInch {
                found,
                min: DOTS_PER_INCH_MIN,
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
        let [info_width, info_height] = pixels;
        let area = info_width as usize * info_height as usize;
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
        drop(reader);
        let image = Image {
            width: info_width,
            height: info_height,
            colour: image_data(pixels, png::ColorType::Rgb, &colour)?,
            alpha: Some(image_data(pixels, png::ColorType::Grayscale, &alpha)?),
        };
        Ok(Self {
            bytes,
            pixels,
            size_mm: [width_mm, height_mm],
            image: Arc::new(image),
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

/// Samples as the data of `IDAT` chunks, which are those of a PDF image with `/Predictor 15`.
fn image_data(
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
