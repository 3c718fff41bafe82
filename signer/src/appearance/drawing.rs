//! The shapes of one seal, and the two ways they are written: PDF operators and SVG.

use std::sync::Arc;

use base64ct::{Base64, Encoding as _};
use yinxin_pdf::{Appearance, Image};

use super::path::{self, Matrix, Path, UNITS_PER_POINT};
use super::{AppearanceError, POINTS_PER_MM};

/// Seal red, #E60012, as device RGB; PDF/A wants an RGB output intent beside it.
pub(super) const RED: [u8; 3] = [0xE6, 0x00, 0x12];

/// The letters of a 阴文 seal: paper, painted.
pub(super) const WHITE: [u8; 3] = [0xFF; 3];

/// How a layer is laid on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Paint {
    /// Filled; inner figures are holes.
    EvenOdd,
    /// Filled; figures that run the same way add up.
    NonZero,
    /// As `NonZero`, thickened by a stroke of this width in points.
    Fleshed(f64),
}

/// Figures of one colour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    pub(super) path: Path,
    pub(super) colour: [u8; 3],
    pub(super) paint: Paint,
}

/// A picture of pixels within a drawing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DrawnImage {
    /// For the page.
    pub(super) image: Arc<Image>,
    /// The same as a file.
    pub(super) png: Vec<u8>,
    /// Left, bottom, width and height in points.
    pub(super) rectangle: [f64; 4],
}

/// A drawn seal: vector shapes at true size, ready to be written as a PDF appearance or as SVG.
#[derive(Debug, Clone, PartialEq)]
pub struct SealDrawing {
    /// In points; the origin of the shapes is the lower left corner.
    pub(super) width: f64,
    pub(super) height: f64,
    /// Below the layers.
    pub(super) image: Option<DrawnImage>,
    pub(super) layers: Vec<Layer>,
    pub(super) description: String,
}

impl SealDrawing {
    /// A drawing of `width_mm` by `height_mm`; `description` follows «电子印章» in the alternate
    /// text.
    pub(super) fn new(
        [width_mm, height_mm]: [f64; 2],
        layers: Vec<Layer>,
        description: &str,
    ) -> Self {
        Self {
            width: width_mm * POINTS_PER_MM,
            height: height_mm * POINTS_PER_MM,
            image: None,
            layers,
            description: alternate_text(description),
        }
    }

    /// The true width in millimetres.
    #[must_use]
    pub fn width_mm(&self) -> f64 {
        self.width / POINTS_PER_MM
    }

    /// The true height in millimetres.
    #[must_use]
    pub fn height_mm(&self) -> f64 {
        self.height / POINTS_PER_MM
    }

    /// The PDF appearance: bbox `[0 0 w h]` in points, path operators and device RGB, and
    /// the image of an emblem if there is one.
    #[must_use]
    pub fn appearance(&self) -> Appearance {
        let unit = path::decimal(1.0 / UNITS_PER_POINT, 3);
        let mut out = format!("q {unit} 0 0 {unit} 0 0 cm\n").into_bytes();
        if let Some(drawn) = &self.image {
            let [x, y, width, height] = drawn.rectangle.map(units);
            let operators = format!("q {width} 0 0 {height} {x} {y} cm /Im0 Do Q\n");
            out.extend_from_slice(operators.as_bytes());
        }
        let mut colour = None;
        for layer in &self.layers {
            if colour != Some(layer.colour) {
                let [red, green, blue] = layer
                    .colour
                    .map(|part| path::decimal(f64::from(part) / 255.0, 4));
                let operators = format!("{red} {green} {blue} rg\n{red} {green} {blue} RG\n");
                out.extend_from_slice(operators.as_bytes());
                colour = Some(layer.colour);
            }
            // The line width must not come between path and painting (ISO 32000-2, 8.2).
            if let Paint::Fleshed(width) = layer.paint {
                let operators = format!("{} w 1 j\n", units(width));
                out.extend_from_slice(operators.as_bytes());
            }
            layer.path.write_pdf(&mut out);
            out.extend_from_slice(match layer.paint {
                Paint::EvenOdd => b"f*\n".as_slice(),
                Paint::NonZero => b"f\n",
                Paint::Fleshed(_) => b"B\n",
            });
        }
        out.extend_from_slice(b"Q\n");
        Appearance {
            content: out.into(),
            bbox: [0.0, 0.0, self.width, self.height],
            alternate_text: self.description.clone(),
            image: self.image.as_ref().map(|drawn| Arc::clone(&drawn.image)),
        }
    }

    /// The same shapes as an SVG of true size, the picture inside an `SESeal`.
    #[must_use]
    pub fn svg(&self) -> String {
        let millimetres =
            [self.width, self.height].map(|side| path::decimal(side / POINTS_PER_MM, 2));
        let [width_mm, height_mm] = millimetres;
        let [width, height] = [self.width, self.height].map(units);
        let downwards = Matrix::new([1.0, 0.0, 0.0, -1.0, 0.0, self.height]);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width_mm}mm\" \
             height=\"{height_mm}mm\" viewBox=\"0 0 {width} {height}\">"
        );
        if let Some(drawn) = &self.image {
            let [left, bottom, across, up] = drawn.rectangle;
            let [x, y, width, height] = [left, self.height - bottom - up, across, up].map(units);
            // SVG 1.1, which knows no other href for images.
            out.push_str(&format!(
                "<image xmlns:xlink=\"http://www.w3.org/1999/xlink\" x=\"{x}\" y=\"{y}\" \
                 width=\"{width}\" height=\"{height}\" xlink:href=\"data:image/png;base64,{}\"/>",
                Base64::encode_string(&drawn.png)
            ));
        }
        for layer in &self.layers {
            let [red, green, blue] = layer.colour;
            let colour = format!("#{red:02X}{green:02X}{blue:02X}");
            let paint = match layer.paint {
                Paint::EvenOdd => " fill-rule=\"evenodd\"".to_owned(),
                Paint::NonZero => String::new(),
                Paint::Fleshed(width) => format!(
                    " stroke=\"{colour}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
                    units(width)
                ),
            };
            let data = layer.path.transformed(downwards).svg_data();
            out.push_str(&format!("<path fill=\"{colour}\"{paint} d=\"{data}\"/>"));
        }
        out.push_str("</svg>");
        out
    }
}

/// A length in the units of what is written.
fn units(length: f64) -> String {
    path::decimal(length * UNITS_PER_POINT, 1)
}

/// What a screen reader says in place of a seal.
pub(super) fn alternate_text(description: &str) -> String {
    format!("电子印章 (electronic seal): {description}")
}

/// The glyphs of one text, its length checked first.
pub(super) fn glyphs(
    text: &str,
    field: &'static str,
    max: usize,
    font: &super::SealFont,
) -> Result<Vec<super::font::Glyph>, AppearanceError> {
    let characters = text.chars().count();
    if characters == 0 || characters > max {
        return Err(AppearanceError::TextLength {
            text: field,
            characters,
            max,
        });
    }
    text.chars()
        .map(|character| font.glyph(character))
        .collect()
}
