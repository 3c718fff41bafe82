//! Draws the visible round official seal from a name and a font, as PDF operators and as SVG.
//!
//! Ring, five-pointed star, the name along the upper arc from left to right, an optional straight
//! line under the star, in the sizes of 国发〔1999〕25号 and of seal makers' custom. Letters are
//! outlines taken from the font, so a sealed document embeds no font and both pictures show the
//! same shapes. A regular Song face looks most like a cut seal.

mod font;
mod layout;
mod path;

#[cfg(test)]
mod tests;

pub use font::SealFont;

use path::{Matrix, Path};
use yinxin_pdf::Appearance;

/// Points per millimetre; the default unit of PDF is 1/72 inch (ISO 32000-2, 8.3.2.3).
const POINTS_PER_MM: f64 = 72.0 / 25.4;

/// The smallest seal that can be read in print.
const DIAMETER_MM_MIN: f64 = 20.0;

/// The State Council's own seal is 60 mm (国发〔1999〕25号); nothing official is larger.
const DIAMETER_MM_MAX: f64 = 60.0;

/// Seals of villages, residents' committees and towns; their ring is 1.2 mm wide.
const DIAMETER_MM_COMMON: f64 = 42.0;

/// Longest name that still leaves legible letters: about 2 mm wide at 42 mm.
const UPPER_CHARACTERS_MAX: usize = 36;

/// Longest line that fits under the star in legible letters.
const LOWER_CHARACTERS_MAX: usize = 14;

/// Seal red, #E60012, as device RGB; PDF/A wants an RGB output intent beside it.
const RED: [u8; 3] = [0xE6, 0x00, 0x12];

/// What stands in the middle of a round seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centre {
    /// The five-pointed star, one third of the diameter across.
    Star,
    /// Nothing.
    None,
}

/// A round official seal to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundSeal {
    /// The full legal name along the upper arc, 1 to 36 characters.
    pub upper_text: String,
    /// A line below the star such as «电子证照专用章», at most 14 characters.
    pub lower_text: Option<String>,
    /// The outer diameter, 20 to 60 mm; 42 for a village or residents' committee.
    pub diameter_mm: f64,
    /// What stands in the middle.
    pub centre: Centre,
}

/// Why a seal could not be drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AppearanceError {
    /// The font has no glyph for a character of the seal. Another font is needed: a seal is never
    /// drawn with a gap or a box in a name.
    #[error("the font has no glyph for «{character}» (U+{:04X})", *character as u32)]
    MissingGlyph {
        /// The character.
        character: char,
    },
    /// A character that leaves no mark: a space, a line break, a control or format character.
    #[error("U+{:04X} has no place in the text of a seal", *character as u32)]
    CharacterWithoutMark {
        /// The character.
        character: char,
    },
    /// A text is empty or too long to be legible.
    #[error("{text} has {characters} characters; a seal holds 1 to {max}")]
    TextLength {
        /// `upper_text` or `lower_text`.
        text: &'static str,
        /// How many characters it has.
        characters: usize,
        /// The most it may have.
        max: usize,
    },
    /// The diameter is not that of any official seal.
    #[error("a diameter of {diameter_mm} mm is outside {min} to {max} mm")]
    Diameter {
        /// The diameter asked for.
        diameter_mm: f64,
        /// The smallest allowed.
        min: f64,
        /// The largest allowed.
        max: f64,
    },
    /// The bytes are not an OpenType font or collection, or the face is not in it.
    #[error("face {index} cannot be read from the font: {cause}")]
    UnreadableFont {
        /// The face asked for.
        index: u32,
        /// What the font reader said.
        cause: String,
    },
    /// The font has the glyph but its outline is damaged.
    #[error("the outline of «{character}» cannot be read: {cause}")]
    UnreadableGlyph {
        /// The character.
        character: char,
        /// What the font reader said.
        cause: String,
    },
}

/// The seal as a PDF appearance: bbox `[0 0 d d]` in points, path operators and device RGB only.
///
/// # Errors
/// The diameter or a text out of range, a character the font cannot draw.
pub fn draw_round_seal(seal: &RoundSeal, font: &SealFont) -> Result<Appearance, AppearanceError> {
    let drawing = draw(seal, font)?;
    let alternate_text = match &seal.lower_text {
        Some(lower) => format!("电子印章 (electronic seal): {} {lower}", seal.upper_text),
        None => format!("电子印章 (electronic seal): {}", seal.upper_text),
    };
    Ok(Appearance {
        content: drawing.to_pdf(),
        bbox: [0.0, 0.0, drawing.size, drawing.size],
        alternate_text,
    })
}

/// The same seal as an SVG of true size, the picture inside an `SESeal`.
///
/// # Errors
/// As [`draw_round_seal`].
pub fn round_seal_svg(seal: &RoundSeal, font: &SealFont) -> Result<String, AppearanceError> {
    Ok(draw(seal, font)?.to_svg(seal.diameter_mm))
}

/// All the shapes of a seal, in points, origin at the lower left.
struct Drawing {
    size: f64,
    /// Ring and star, filled by the even-odd rule.
    frame: Path,
    /// The letters, filled by the non-zero rule and thickened by a stroke of `letter_stroke`.
    letters: Path,
    letter_stroke: f64,
}

fn draw(seal: &RoundSeal, font: &SealFont) -> Result<Drawing, AppearanceError> {
    let diameter_mm = seal.diameter_mm;
    if !(DIAMETER_MM_MIN..=DIAMETER_MM_MAX).contains(&diameter_mm) {
        return Err(AppearanceError::Diameter {
            diameter_mm,
            min: DIAMETER_MM_MIN,
            max: DIAMETER_MM_MAX,
        });
    }
    let upper = glyphs(&seal.upper_text, "upper_text", UPPER_CHARACTERS_MAX, font)?;
    let lower = match &seal.lower_text {
        Some(text) => glyphs(text, "lower_text", LOWER_CHARACTERS_MAX, font)?,
        None => Vec::new(),
    };

    let radius = diameter_mm * POINTS_PER_MM / 2.0;
    let to_page = Matrix::translate(radius, radius);
    let ring = ring_width_mm(diameter_mm) * POINTS_PER_MM;

    let mut frame = Path::default();
    frame.circle(radius);
    frame.circle(radius - ring);
    if seal.centre == Centre::Star {
        frame.star(radius / 3.0);
    }

    let cell = font.cell();
    let mut letters = Path::default();
    for (glyph, place) in upper
        .iter()
        .chain(&lower)
        .zip(layout::places(radius, ring, &upper, &lower))
    {
        letters.append(&glyph.outline, place.glyph_matrix(&cell, glyph));
    }
    Ok(Drawing {
        size: 2.0 * radius,
        frame: frame.transformed(to_page),
        letters: letters.transformed(to_page),
        // A cut seal has no hairlines: the thin horizontals of a Song face get a little flesh.
        letter_stroke: radius * 0.008,
    })
}

/// 1.2 mm for the 42 mm seal, 1.0 mm for every other size, as seal makers have it.
fn ring_width_mm(diameter_mm: f64) -> f64 {
    if (diameter_mm - DIAMETER_MM_COMMON).abs() < 0.05 {
        1.2
    } else {
        1.0
    }
}

fn glyphs(
    text: &str,
    field: &'static str,
    max: usize,
    font: &SealFont,
) -> Result<Vec<font::Glyph>, AppearanceError> {
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

impl Drawing {
    fn to_pdf(&self) -> Vec<u8> {
        let [red, green, blue] = RED.map(|part| path::decimal(f64::from(part) / 255.0, 4));
        let mut out = format!("q\n{red} {green} {blue} rg\n{red} {green} {blue} RG\n").into_bytes();
        self.frame.write_pdf(&mut out);
        out.extend_from_slice(b"f*\n");
        out.extend_from_slice(
            format!("{} w 1 j\n", path::decimal(self.letter_stroke, 3)).as_bytes(),
        );
        self.letters.write_pdf(&mut out);
        out.extend_from_slice(b"B\nQ\n");
        out
    }

    fn to_svg(&self, diameter_mm: f64) -> String {
        let [red, green, blue] = RED;
        let size = path::decimal(self.size, 2);
        let millimetres = path::decimal(diameter_mm, 2);
        let downwards = Matrix::new([1.0, 0.0, 0.0, -1.0, 0.0, self.size]);
        let frame = self.frame.transformed(downwards).svg_data();
        let letters = self.letters.transformed(downwards).svg_data();
        let stroke = path::decimal(self.letter_stroke, 3);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{millimetres}mm\" \
             height=\"{millimetres}mm\" viewBox=\"0 0 {size} {size}\">\
             <g fill=\"#{red:02X}{green:02X}{blue:02X}\">\
             <path fill-rule=\"evenodd\" d=\"{frame}\"/>\
             <path stroke=\"#{red:02X}{green:02X}{blue:02X}\" stroke-width=\"{stroke}\" \
             stroke-linejoin=\"round\" d=\"{letters}\"/></g></svg>"
        )
    }
}
