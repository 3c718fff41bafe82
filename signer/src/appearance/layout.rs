//! Where each letter of a round seal goes.
//!
//! All in points around the centre of the seal, y upwards; angles in radians, clockwise from the
//! top.

use std::f64::consts::PI;

use super::font::{Cell, Glyph};
use super::path::Matrix;

/// The height of the letters of a short name, as a part of the radius: 7.2 mm at 42 mm.
const ARC_HEIGHT: f64 = 0.345;

/// How much of that each further letter costs.
const ARC_HEIGHT_STEP: f64 = 0.002;

/// The free space between ring and letters, as a part of the radius: 1.05 mm at 42 mm.
const ARC_GAP: f64 = 0.05;

/// The widest letter, as a part of its height. Seal makers condense the Song face.
const RATIO_MAX: f64 = 0.74;

/// The narrowest letter. A longer name gets smaller letters rather than thinner ones.
const RATIO_MIN: f64 = 0.46;

/// How much of the room at the narrow (inner) end of its sector a letter may fill.
const FILL: f64 = 0.88;

/// The widest angle between two letters; short names do not run round the whole seal.
const PITCH_MAX: f64 = 36.0 * PI / 180.0;

/// The most of the circle that the name may take, edge to edge.
const SPAN_MAX: f64 = 292.0 * PI / 180.0;

/// The angle kept free between the ends of the name and the line under the star.
const LOWER_CLEARANCE: f64 = 6.0 * PI / 180.0;

/// A letter's box and the map that brings it there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// The width of a Han letter here, in points.
    pub(super) width: f64,
    pub(super) height: f64,
    /// From the box (x around 0, y from 0) to the seal.
    pub(super) to_seal: Matrix,
    /// The part of the width that this letter takes.
    pub(super) share: f64,
}

impl Place {
    /// The map from font units to the seal.
    pub(super) fn glyph_matrix(&self, cell: &Cell, glyph: &Glyph) -> Matrix {
        Matrix::translate(-glyph.centre, -cell.bottom)
            .then(Matrix::scale(
                self.width / cell.width,
                self.height / cell.height,
            ))
            .then(self.to_seal)
    }

    /// The corners of the box, for the test that nothing overlaps.
    #[cfg(test)]
    pub(super) fn corners(&self) -> [[f64; 2]; 4] {
        let half = self.width * self.share / 2.0;
        [
            [-half, 0.0],
            [half, 0.0],
            [half, self.height],
            [-half, self.height],
        ]
        .map(|corner| self.to_seal.apply(corner))
    }

    /// The width over the height of a Han letter.
    #[cfg(test)]
    pub(super) fn ratio(&self) -> f64 {
        self.width / self.height
    }
}

/// One place for each letter of the name, then for each of the lower line, then of the code.
pub(super) fn places(
    radius: f64,
    ring: f64,
    upper: &[Glyph],
    lower: &[Glyph],
    code: &[Glyph],
) -> Vec<Place> {
    let code = Code::new(radius, ring, code);
    let line = Line::new(radius, ring, lower, code.as_ref());
    let mut span_max = SPAN_MAX;
    if let Some(line) = &line {
        span_max = span_max.min(line.free_span());
    }
    if let Some(code) = &code {
        span_max = span_max.min(2.0 * (PI - code.half_span - LOWER_CLEARANCE));
    }
    let mut places = arc(radius, ring, upper, span_max);
    if let Some(line) = line {
        places.extend(line.places(lower));
    }
    if let Some(code) = code {
        places.extend(code.places);
    }
    places
}

fn arc(radius: f64, ring: f64, glyphs: &[Glyph], span_max: f64) -> Vec<Place> {
    let shares: f64 = glyphs.iter().map(|glyph| glyph.share).sum();
    // Short names open wide, long ones close in on the limit: 7 letters take about 213°,
    // 12 take 245°, 20 take 267°, as on cut seals.
    let wanted = 310.0_f64.to_radians() * shares / (shares + 3.2);
    let span = wanted.min(span_max).min(PITCH_MAX * shares);
    let pitch = span / shares;

    let outer = radius - ring - radius * ARC_GAP;
    let mut height = radius * (ARC_HEIGHT - ARC_HEIGHT_STEP * (shares - 5.0).max(0.0));
    // The sector's width where the letter's foot stands: 2 r tan(pitch / 2), r = outer − height.
    let slope = FILL * 2.0 * (pitch / 2.0).tan();
    if slope * (outer - height) < RATIO_MIN * height {
        height = slope * outer / (RATIO_MIN + slope);
    }
    let width = (slope * (outer - height)).min(RATIO_MAX * height);

    let mut angle = -span / 2.0;
    glyphs
        .iter()
        .map(|glyph| {
            let half = pitch * glyph.share / 2.0;
            let place = Place {
                width,
                height,
                share: glyph.share,
                to_seal: Matrix::translate(0.0, outer - height)
                    .then(Matrix::rotate(-(angle + half))),
            };
            angle += 2.0 * half;
            place
        })
        .collect()
}

/// The straight line under the star.
struct Line {
    bottom: f64,
    width: f64,
    height: f64,
    pitch: f64,
    half_length: f64,
}

impl Line {
    fn new(radius: f64, ring: f64, glyphs: &[Glyph], code: Option<&Code>) -> Option<Self> {
        if glyphs.is_empty() {
            return None;
        }
        let shares: f64 = glyphs.iter().map(|glyph| glyph.share).sum();
        // The foot of the line lies 0.76 of the radius below the centre: 16 mm at 42 mm. A code
        // pushes it up.
        let (bottom, inner) = match code {
            Some(code) => (-0.67 * radius, code.top - 0.03 * radius),
            None => (-0.76 * radius, radius - ring - radius * ARC_GAP),
        };
        let chord = (inner * inner - bottom * bottom).sqrt();
        let room = 2.0 * 0.92 * chord;

        let mut height = radius * 0.20;
        let pitch = (room / shares).min(height * RATIO_MAX * 1.35);
        let mut width = pitch * 0.9;
        if width < RATIO_MIN * height {
            height = width / RATIO_MIN;
        }
        width = width.min(RATIO_MAX * height);
        Some(Self {
            bottom,
            width,
            height,
            pitch,
            half_length: pitch * shares / 2.0,
        })
    }

    /// The span that the arc may take without coming near the line, edge to edge.
    fn free_span(&self) -> f64 {
        let top = (self.bottom + self.height).abs();
        2.0 * (PI - self.half_length.atan2(top) - LOWER_CLEARANCE)
    }

    fn places(&self, glyphs: &[Glyph]) -> Vec<Place> {
        let mut x = -self.half_length;
        glyphs
            .iter()
            .map(|glyph| {
                let half = self.pitch * glyph.share / 2.0;
                let place = Place {
                    width: self.width,
                    height: self.height,
                    share: glyph.share,
                    to_seal: Matrix::translate(x + half, self.bottom),
                };
                x += 2.0 * half;
                place
            })
            .collect()
    }
}

/// The height of the code's digits, as a part of the radius: 1.5 mm at 42 mm.
const CODE_HEIGHT: f64 = 0.07;

/// The free space between ring and code, as a part of the radius.
const CODE_GAP: f64 = 0.025;

/// The small digits along the lower edge, from left to right with their heads to the centre.
struct Code {
    /// The distance of the digits' heads from the centre.
    top: f64,
    half_span: f64,
    places: Vec<Place>,
}

impl Code {
    fn new(radius: f64, ring: f64, glyphs: &[Glyph]) -> Option<Self> {
        if glyphs.is_empty() {
            return None;
        }
        let shares: f64 = glyphs.iter().map(|glyph| glyph.share).sum();
        let foot = radius - ring - radius * CODE_GAP;
        let height = radius * CODE_HEIGHT;
        let top = foot - height;
        let width = height * 0.9;
        // 1.2 widths for each at the narrow end, where the heads stand.
        let pitch = 2.0 * (1.2 * width / 2.0 / top).atan();
        let half_span = pitch * shares / 2.0;
        let mut angle = -half_span;
        let places = glyphs
            .iter()
            .map(|glyph| {
                let half = pitch * glyph.share / 2.0;
                let place = Place {
                    width,
                    height,
                    share: glyph.share,
                    to_seal: Matrix::translate(0.0, -foot).then(Matrix::rotate(angle + half)),
                };
                angle += 2.0 * half;
                place
            })
            .collect();
        Some(Self {
            top,
            half_span,
            places,
        })
    }
}
