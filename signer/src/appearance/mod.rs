//! Draws seals from a design and a font, as PDF operators and as SVG, and reads uploaded pictures.
//!
//! Round, oval and square seals in the sizes of 国发〔1999〕25号 and of seal makers' custom
//! ([`draw_seal`]). Letters are outlines taken from the font, so a sealed document embeds no font
//! and both pictures show the same shapes. A regular Song face looks most like a cut seal.
//!
//! What is drawn is shapes, for the page and for the seal object; an uploaded PNG stays pixels, as a
//! whole seal ([`PngPicture`]) or as the emblem in one ([`Emblem`]). The gallery test renders the SVG
//! with a renderer that only the tests depend on.

mod design;
mod drawing;
mod emblem;
mod font;
mod layout;
mod oval;
mod path;
mod picture;
mod png_picture;
mod rules;
mod seal_picture;

#[cfg(test)]
mod gallery;
#[cfg(test)]
mod tests;

pub use design::{Relief, SealDesign, SealForm, draw_seal};
pub use drawing::SealDrawing;
pub use emblem::Emblem;
pub use font::SealFont;
pub use picture::{PictureError, VectorPicture};
pub use png_picture::{PictureFile, PngPicture};
pub use rules::{OwnerLevel, RuleError, SealKind, Shape, SizeRule, size_rule};
pub use seal_picture::SealPicture;

use drawing::{Layer, Paint, RED, glyphs};
use emblem::DrawnEmblem;
use path::{Matrix, Path};
use serde::{Deserialize, Serialize};
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

/// What stands in the middle of a round seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Centre {
    /// The five-pointed star, one third of the diameter across.
    Star,
    /// The national emblem, as the picture that goes with the design ([`Emblem`]).
    Emblem,
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
    /// The code is not made of so many digits.
    #[error("the code of a seal is {digits} digits")]
    Code {
        /// How many it must have.
        digits: usize,
    },
    /// A seal with an emblem in the middle was asked for without its picture.
    #[error("a picture of the emblem is needed")]
    EmblemMissing,
    /// A picture of an emblem for a seal that has none in the middle.
    #[error("a picture of an emblem is given, and the middle of the seal holds none")]
    EmblemNotShown,
    /// The picture of the emblem.
    #[error("the emblem: {0}")]
    Emblem(#[from] PictureError),
    /// A rule of size or form is broken.
    #[error(transparent)]
    Rule(#[from] RuleError),
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
    Ok(draw(seal, None, font, None)?.appearance())
}

/// The same seal as an SVG of true size, the picture inside an `SESeal`.
///
/// # Errors
/// As [`draw_round_seal`].
pub fn round_seal_svg(seal: &RoundSeal, font: &SealFont) -> Result<String, AppearanceError> {
    Ok(draw(seal, None, font, None)?.svg())
}

/// The same seal as a drawing, for both pictures and its true size.
///
/// # Errors
/// As [`draw_round_seal`].
pub fn draw_round_drawing(
    seal: &RoundSeal,
    font: &SealFont,
) -> Result<SealDrawing, AppearanceError> {
    draw(seal, None, font, None)
}

/// How far the corners of an emblem's picture reach, as a part of the radius: the feet of the
/// name's letters stand at 0.55 or more from 38 mm on.
const EMBLEM_REACH: f64 = 0.5;

fn draw(
    seal: &RoundSeal,
    code: Option<&str>,
    font: &SealFont,
    emblem: Option<&Emblem>,
) -> Result<SealDrawing, AppearanceError> {
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
    let code = design::code_glyphs(code, font)?;

    let radius = diameter_mm * POINTS_PER_MM / 2.0;
    let to_page = Matrix::translate(radius, radius);
    let ring = ring_width_mm(diameter_mm) * POINTS_PER_MM;

    let mut frame = Path::default();
    frame.circle(radius);
    frame.circle(radius - ring);
    let mut layers = Vec::new();
    let mut image = None;
    match (seal.centre, emblem) {
        (Centre::Star, None) => frame.star(radius / 3.0),
        (Centre::None, None) => {}
        (Centre::Star | Centre::None, Some(_)) => return Err(AppearanceError::EmblemNotShown),
        (Centre::Emblem, None) => return Err(AppearanceError::EmblemMissing),
        (Centre::Emblem, Some(emblem)) => {
            match emblem.draw(EMBLEM_REACH * radius, [radius, radius])? {
                DrawnEmblem::Shapes(shapes) => layers.extend(shapes),
                DrawnEmblem::Image(drawn) => image = Some(drawn),
            }
        }
    }
    let places = layout::places(radius, ring, &upper, &lower, &code);
    let all = upper.iter().chain(&lower).chain(&code);
    let letters = design::letters(all, places, to_page, font);
    layers.push(Layer {
        path: frame.transformed(to_page),
        colour: RED,
        paint: Paint::EvenOdd,
    });
    layers.push(Layer {
        path: letters,
        colour: RED,
        // A cut seal has no hairlines: the thin horizontals of a Song face get a little flesh. The
        // narrow letters of a long name get less, or they would close up.
        paint: Paint::Fleshed(radius * if upper.len() > 20 { 0.004 } else { 0.008 }),
    });
    let description = match &seal.lower_text {
        Some(lower) => format!("{} {lower}", seal.upper_text),
        None => seal.upper_text.clone(),
    };
    let mut drawing = SealDrawing::new([diameter_mm, diameter_mm], layers, &description);
    drawing.image = image;
    Ok(drawing)
}

/// 1.2 mm for the 42 mm seal, 1.0 mm for every other size, as seal makers have it.
fn ring_width_mm(diameter_mm: f64) -> f64 {
    if (diameter_mm - DIAMETER_MM_COMMON).abs() < 0.05 {
        1.2
    } else {
        1.0
    }
}
