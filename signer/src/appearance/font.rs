//! Glyph outlines of a font face, unscaled, with the box in which its Han characters sit.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::FileRef;
use skrifa::string::StringId;
use skrifa::{FontRef, GlyphId, MetadataProvider};

use super::AppearanceError;
use super::path::{Path, Segment};

/// Characters whose ink together fills the Han cell: boxes, long strokes, crowns and feet.
const CELL_CHARACTERS: &str = "国圆圈会委霸鹰叠重嘉东章";

/// A font face for the lettering of seals: OpenType with CFF or TrueType outlines.
#[derive(Clone)]
pub struct SealFont {
    bytes: Vec<u8>,
    index: u32,
    cell: Cell,
}

/// The ink box that the Han characters of a face share, in font units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// The width of the ink.
    pub(super) width: f64,
    pub(super) bottom: f64,
    pub(super) height: f64,
}

/// One character, ready to be placed.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    pub(super) outline: Path,
    /// The x that goes to the middle of its place, in font units.
    pub(super) centre: f64,
    /// How much of a Han cell it takes: 1 for Han, less for digits, Latin letters and brackets.
    pub(super) share: f64,
}

impl std::fmt::Debug for SealFont {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SealFont")
            .field("bytes", &self.bytes.len())
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl SealFont {
    /// The face `index` of an OpenType font or collection; 0 for a file of one face.
    ///
    /// # Errors
    /// The bytes are not a font, or hold no such face.
    pub fn from_bytes(bytes: Vec<u8>, index: u32) -> Result<Self, AppearanceError> {
        let mut font = Self {
            bytes,
            index,
            cell: Cell {
                width: 1.0,
                bottom: 0.0,
                height: 1.0,
            },
        };
        font.cell = font.measure_cell()?;
        Ok(font)
    }

    /// The face with the simplified Chinese forms: the first whose family name says `SC` or `GB`,
    /// else the first of all.
    ///
    /// Collections such as Noto CJK hold one face per region, with different shapes for the same
    /// characters.
    ///
    /// # Errors
    /// The bytes are not a font.
    pub fn simplified_chinese(bytes: Vec<u8>) -> Result<Self, AppearanceError> {
        let faces: Vec<FontRef<'_>> = FileRef::new(&bytes)
            .map_err(|cause| unreadable(0, &cause))?
            .fonts()
            .map_while(Result::ok)
            .collect();
        let index = faces
            .iter()
            .zip(0u32..)
            .find(|(face, _)| is_simplified(face))
            .map_or(0, |(_, index)| index);
        Self::from_bytes(bytes, index)
    }

    pub(super) fn cell(&self) -> Cell {
        self.cell
    }

    /// The outline of a character.
    pub(super) fn glyph(&self, character: char) -> Result<Glyph, AppearanceError> {
        let outline = self.outline(character)?;
        let (left, right) = bounds(&outline, 0)
            // A glyph without ink is a blank: it would leave a gap in a name.
            .ok_or(AppearanceError::CharacterWithoutMark { character })?;
        if is_han(character) {
            let advance = self.advance(character)?;
            return Ok(Glyph {
                outline,
                centre: advance / 2.0,
                share: 1.0,
            });
        }
        // Full-width brackets and digits bring half an empty cell along; only the ink counts.
        let share = ((right - left) / self.cell.width + 0.18).min(1.0);
        Ok(Glyph {
            outline,
            centre: f64::midpoint(left, right),
            share,
        })
    }

    fn face(&self) -> Result<FontRef<'_>, AppearanceError> {
        FontRef::from_index(&self.bytes, self.index).map_err(|cause| unreadable(self.index, &cause))
    }

    fn glyph_id(&self, face: &FontRef<'_>, character: char) -> Result<GlyphId, AppearanceError> {
        if character.is_whitespace() || character.is_control() || is_invisible(character) {
            return Err(AppearanceError::CharacterWithoutMark { character });
        }
        face.charmap()
            .map(character)
            .filter(|glyph| glyph.to_u32() != 0)
            .ok_or(AppearanceError::MissingGlyph { character })
    }

    fn advance(&self, character: char) -> Result<f64, AppearanceError> {
        let face = self.face()?;
        let glyph = self.glyph_id(&face, character)?;
        face.glyph_metrics(Size::unscaled(), LocationRef::default())
            .advance_width(glyph)
            .map(f64::from)
            .ok_or(AppearanceError::MissingGlyph { character })
    }

    fn outline(&self, character: char) -> Result<Path, AppearanceError> {
        let face = self.face()?;
        let glyph = self.glyph_id(&face, character)?;
        let outline = face
            .outline_glyphs()
            .get(glyph)
            .ok_or(AppearanceError::MissingGlyph { character })?;
        let mut pen = PathPen::default();
        outline
            .draw(
                DrawSettings::unhinted(Size::unscaled(), LocationRef::default()),
                &mut pen,
            )
            .map_err(|cause| AppearanceError::UnreadableGlyph {
                character,
                cause: cause.to_string(),
            })?;
        Ok(pen.path)
    }

    /// The union of the ink of well-filled characters, so that the seal's letters reach the height
    /// that its layout gives them whatever the face calls its em square.
    fn measure_cell(&self) -> Result<Cell, AppearanceError> {
        let face = self.face()?;
        let units = f64::from(
            face.metrics(Size::unscaled(), LocationRef::default())
                .units_per_em,
        );
        let mut half_width: f64 = 0.0;
        let mut vertical: Option<(f64, f64)> = None;
        for character in CELL_CHARACTERS.chars() {
            // A face without some of them is measured by the rest.
            let Ok(outline) = self.outline(character) else {
                continue;
            };
            let middle = self.advance(character)? / 2.0;
            if let Some((left, right)) = bounds(&outline, 0) {
                half_width = half_width.max(middle - left).max(right - middle);
            }
            if let Some((low, high)) = bounds(&outline, 1) {
                let (bottom, top) = vertical.unwrap_or((low, high));
                vertical = Some((bottom.min(low), top.max(high)));
            }
        }
        let (bottom, top) = vertical.unwrap_or((-0.1 * units, 0.86 * units));
        if half_width <= 0.0 {
            half_width = (0.48 * units).max(1.0);
        }
        Ok(Cell {
            width: 2.0 * half_width,
            bottom,
            height: (top - bottom).max(1.0),
        })
    }
}

/// The smallest and largest coordinate on one axis (0 = x, 1 = y).
fn bounds(path: &Path, axis: usize) -> Option<(f64, f64)> {
    path.segments()
        .iter()
        .flat_map(|segment| segment.points())
        .filter_map(|point| point.get(axis).copied())
        .fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((low.min(value), high.max(value))),
        })
}

fn unreadable(index: u32, cause: &dyn std::fmt::Display) -> AppearanceError {
    AppearanceError::UnreadableFont {
        index,
        cause: cause.to_string(),
    }
}

fn is_simplified(face: &FontRef<'_>) -> bool {
    [StringId::TYPOGRAPHIC_FAMILY_NAME, StringId::FAMILY_NAME]
        .into_iter()
        .flat_map(|id| face.localized_strings(id))
        .any(|name| {
            let name = name.to_string();
            name.split([' ', '-', '_'])
                .any(|word| matches!(word, "SC" | "GB" | "CN"))
        })
}

/// Unified ideographs with their extensions and the compatibility block.
fn is_han(character: char) -> bool {
    matches!(u32::from(character),
        0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

/// Joiners, direction marks, variation selectors, byte order mark.
fn is_invisible(character: char) -> bool {
    matches!(u32::from(character),
        0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF
        | 0xE_0000..=0xE_0FFF)
}

/// Collects an outline; quadratic curves of TrueType become cubic ones, which PDF has.
#[derive(Default)]
struct PathPen {
    path: Path,
    at: [f64; 2],
}

impl OutlinePen for PathPen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.at = [x.into(), y.into()];
        self.path.push(Segment::Move(self.at));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.at = [x.into(), y.into()];
        self.path.push(Segment::Line(self.at));
    }

    fn quad_to(&mut self, cx0: f32, cy0: f32, x: f32, y: f32) {
        let to: [f64; 2] = [x.into(), y.into()];
        let curve = Segment::quadratic(self.at, [cx0.into(), cy0.into()], to);
        self.at = to;
        self.path.push(curve);
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.at = [x.into(), y.into()];
        self.path.push(Segment::Curve(
            [cx0.into(), cy0.into()],
            [cx1.into(), cy1.into()],
            self.at,
        ));
    }

    fn close(&mut self) {
        self.path.push(Segment::Close);
    }
}
