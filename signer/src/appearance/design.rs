//! A seal as data, checked by the rules of its kind and owner, and drawn.

use serde::{Deserialize, Serialize};

use super::drawing::{Layer, Paint, RED, SealDrawing, WHITE, glyphs};
use super::font::Glyph;
use super::layout::Place;
use super::oval::{self, Texts};
use super::path::{Matrix, Path};
use super::rules::{self, OwnerLevel, RuleError, SealKind, Shape};
use super::{AppearanceError, Centre, Emblem, POINTS_PER_MM, RoundSeal, SealFont};

/// A seal to draw, as data: what it is, whose, and its form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealDesign {
    /// What the seal is for.
    pub kind: SealKind,
    /// Whose seal it is.
    pub owner: OwnerLevel,
    /// Its outline, size and texts.
    pub form: SealForm,
}

/// Outline, size and texts of a seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "snake_case", deny_unknown_fields)]
pub enum SealForm {
    /// A round seal.
    Round {
        /// The full name, 1 to 36 characters; over 20, its last part stands under the star.
        name: String,
        /// A line below the star such as «合同专用章», at most 14 characters.
        #[serde(default)]
        lower_text: Option<String>,
        /// 13 digits along the lower edge.
        #[serde(default)]
        code: Option<String>,
        /// The outer diameter.
        diameter_mm: f64,
        /// What stands in the middle.
        centre: Centre,
        /// Its picture, for [`Centre::Emblem`] and nothing else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emblem: Option<Emblem>,
    },
    /// An oval seal.
    Oval {
        /// The full name along the upper arc, 1 to 30 characters.
        name: String,
        /// A line across the middle, such as the taxpayer's number, at most 20 characters.
        #[serde(default)]
        middle_text: Option<String>,
        /// A line below it such as «发票专用章», at most 8 characters.
        #[serde(default)]
        lower_text: Option<String>,
        /// 13 digits along the lower edge.
        #[serde(default)]
        code: Option<String>,
        /// The long axis.
        width_mm: f64,
        /// The short axis.
        height_mm: f64,
    },
    /// A square name seal.
    Square {
        /// 1 to 6 characters, in columns from right to left.
        text: String,
        /// The side.
        side_mm: f64,
        /// Which of strokes and ground is red.
        relief: Relief,
    },
}

/// Which part of a name seal is red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relief {
    /// 阳文: red strokes and border; the ground is left as it is.
    Raised,
    /// 阴文: white strokes on red.
    Sunken,
}

/// The longest name that runs round as a whole; a longer one ends under the star
/// (国发〔1999〕25号: the first part runs round, the last stands straight).
const ROUND_NAME_MAX: usize = 20;

/// Longest name of an oval seal.
const OVAL_NAME_MAX: usize = 30;

/// A unified credit code has 18 characters, an old taxpayer's number up to 20.
const OVAL_MIDDLE_MAX: usize = 20;

/// Longest line at the foot of an oval seal.
const OVAL_LOWER_MAX: usize = 8;

/// Longest text of a name seal: a double surname, a given name of two and «之印».
const SQUARE_MAX: usize = 6;

/// The police's number of a seal: 6 digits for the county, 7 in sequence.
const CODE_DIGITS: usize = 13;

/// Where the last part of a long name may begin: the words for what the body is.
const NAME_ENDINGS: [&str; 16] = [
    "股份有限公司",
    "有限责任公司",
    "居民委员会",
    "村民委员会",
    "工作委员会",
    "管理委员会",
    "领导小组办公室",
    "人民政府",
    "有限公司",
    "委员会",
    "管理局",
    "服务中心",
    "办公室",
    "办事处",
    "分公司",
    "中心",
];

/// Draws a seal by its design.
///
/// The library holds no national emblem: its master drawing (GB 15093) is the owner's to supply, in
/// the design.
///
/// # Errors
/// A rule of size or form is broken, a text is out of range, a character cannot be drawn, or the
/// emblem is missing.
pub fn draw_seal(design: &SealDesign, font: &SealFont) -> Result<SealDrawing, AppearanceError> {
    match &design.form {
        SealForm::Round {
            name,
            lower_text,
            code,
            diameter_mm,
            centre,
            emblem,
        } => {
            let size = [*diameter_mm, *diameter_mm];
            check(design, Shape::Round, size, Some(*centre), lower_text)?;
            let (upper, tail) = if lower_text.is_none() {
                split_name(name)
            } else {
                (name.as_str(), None)
            };
            let seal = RoundSeal {
                upper_text: upper.to_owned(),
                lower_text: lower_text.clone().or(tail.map(str::to_owned)),
                diameter_mm: *diameter_mm,
                centre: *centre,
            };
            let mut drawing = super::draw(&seal, code.as_deref(), font, emblem.as_ref())?;
            if tail.is_some() {
                drawing.description = format!("电子印章 (electronic seal): {name}");
            }
            Ok(drawing)
        }
        SealForm::Oval {
            name,
            middle_text,
            lower_text,
            code,
            width_mm,
            height_mm,
        } => {
            check(
                design,
                Shape::Oval,
                [*width_mm, *height_mm],
                None,
                lower_text,
            )?;
            let texts = [name, middle_text.as_deref().unwrap_or_default()];
            draw_oval(
                [*width_mm, *height_mm],
                texts,
                lower_text.as_deref(),
                code.as_deref(),
                font,
            )
        }
        SealForm::Square {
            text,
            side_mm,
            relief,
        } => {
            check(design, Shape::Square, [*side_mm, *side_mm], None, &None)?;
            draw_square(text, *side_mm, *relief, font)
        }
    }
}

fn check(
    design: &SealDesign,
    shape: Shape,
    size_mm: [f64; 2],
    centre: Option<Centre>,
    purpose: &Option<String>,
) -> Result<(), RuleError> {
    rules::check(design.kind, design.owner, shape, size_mm, centre)?;
    let kind = design.kind;
    match kind {
        SealKind::Finance | SealKind::Invoice | SealKind::Contract | SealKind::Business
            if purpose.is_none() =>
        {
            Err(RuleError::PurposeMissing { kind })
        }
        SealKind::LegalName
        | SealKind::Finance
        | SealKind::Invoice
        | SealKind::Contract
        | SealKind::LegalRepresentative
        | SealKind::Business
        | SealKind::Personal => Ok(()),
    }
}

/// A long name's first part and its last, cut before the word for what the body is, else so that
/// a third is left.
pub(super) fn split_name(name: &str) -> (&str, Option<&str>) {
    let characters = name.chars().count();
    if characters <= ROUND_NAME_MAX {
        return (name, None);
    }
    let ending = NAME_ENDINGS
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    let first = ending.map_or(characters - characters / 3, |first| first.chars().count());
    // A short ending may leave more than the arc's due: the cut comes earlier then.
    let first = first.min(26);
    let at = name
        .char_indices()
        .nth(first)
        .map_or(name.len(), |(at, _)| at);
    let (upper, tail) = name.split_at(at);
    (upper, (!tail.is_empty()).then_some(tail))
}

/// The glyphs of the code, after its form is checked.
pub(super) fn code_glyphs(
    code: Option<&str>,
    font: &SealFont,
) -> Result<Vec<Glyph>, AppearanceError> {
    let Some(code) = code else {
        return Ok(Vec::new());
    };
    if code.len() != CODE_DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AppearanceError::Code {
            digits: CODE_DIGITS,
        });
    }
    glyphs(code, "code", CODE_DIGITS, font)
}

/// The letters at their places, moved to the page.
pub(super) fn letters<'a>(
    glyphs: impl IntoIterator<Item = &'a Glyph>,
    places: Vec<Place>,
    to_page: Matrix,
    font: &SealFont,
) -> Path {
    let cell = font.cell();
    let mut letters = Path::default();
    for (glyph, place) in glyphs.into_iter().zip(places) {
        letters.append(
            &glyph.outline,
            place.glyph_matrix(&cell, glyph).then(to_page),
        );
    }
    letters
}

fn draw_oval(
    size_mm: [f64; 2],
    [name, middle]: [&str; 2],
    lower: Option<&str>,
    code: Option<&str>,
    font: &SealFont,
) -> Result<SealDrawing, AppearanceError> {
    let optional = |text: &str, field, max| match text {
        "" => Ok(Vec::new()),
        text => glyphs(text, field, max, font),
    };
    let name_glyphs = glyphs(name, "name", OVAL_NAME_MAX, font)?;
    let middle_glyphs = optional(middle, "middle_text", OVAL_MIDDLE_MAX)?;
    let lower_glyphs = match lower {
        Some(text) => glyphs(text, "lower_text", OVAL_LOWER_MAX, font)?,
        None => Vec::new(),
    };
    let code_glyphs = code_glyphs(code, font)?;

    let half = size_mm.map(|side| side * POINTS_PER_MM / 2.0);
    let [half_width, half_height] = half;
    let to_page = Matrix::translate(half_width, half_height);
    // 1 mm, 国家税务总局公告2011年第7号.
    let ring = POINTS_PER_MM;
    let mut frame = Path::default();
    frame.ellipse([half_width, half_height]);
    frame.ellipse([half_width - ring, half_height - ring]);
    if middle_glyphs.is_empty() {
        let mut star = Path::default();
        star.star(half_height * 0.32);
        frame.append(&star, Matrix::translate(0.0, 0.06 * half_height));
    }
    let places = oval::oval(
        half,
        ring,
        &Texts {
            name: &name_glyphs,
            middle: &middle_glyphs,
            lower: &lower_glyphs,
            code: &code_glyphs,
        },
    );
    let all = name_glyphs
        .iter()
        .chain(&middle_glyphs)
        .chain(&lower_glyphs)
        .chain(&code_glyphs);
    let letters = letters(all, places, to_page, font);
    let description: Vec<&str> = [name, middle, lower.unwrap_or_default()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    let layers = vec![
        Layer {
            path: frame.transformed(to_page),
            colour: RED,
            paint: Paint::EvenOdd,
        },
        Layer {
            path: letters,
            colour: RED,
            paint: Paint::Fleshed(half_height * 0.008),
        },
    ];
    Ok(SealDrawing::new(size_mm, layers, &description.join(" ")))
}

fn draw_square(
    text: &str,
    side_mm: f64,
    relief: Relief,
    font: &SealFont,
) -> Result<SealDrawing, AppearanceError> {
    let glyphs = glyphs(text, "text", SQUARE_MAX, font)?;
    let half = side_mm * POINTS_PER_MM / 2.0;
    let to_page = Matrix::translate(half, half);
    // A border of one twentieth: 0.9 to 1 mm.
    let border = half * 0.1;
    let corner = half * 0.08;
    let mut frame = Path::default();
    frame.square(half, corner);
    let (margin, colour) = match relief {
        Relief::Raised => {
            frame.square(half - border, corner * 0.5);
            (border + half * 0.06, RED)
        }
        Relief::Sunken => (half * 0.11, WHITE),
    };
    let letters = letters(&glyphs, oval::columns(half, margin, &glyphs), to_page, font);
    let layers = vec![
        Layer {
            path: frame.transformed(to_page),
            colour: RED,
            paint: Paint::EvenOdd,
        },
        Layer {
            path: letters,
            colour,
            // Name seals are cut with a full line.
            paint: Paint::Fleshed(half * 0.022),
        },
    ];
    Ok(SealDrawing::new([side_mm, side_mm], layers, text))
}
