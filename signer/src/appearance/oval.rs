//! Where each letter of an oval or of a square name seal goes.
//!
//! All in points around the centre of the seal, y upwards.

use super::font::Glyph;
use super::layout::Place;
use super::path::Matrix;

/// The free space between ring and letters, as a part of the half height: 0.7 mm at 30 mm.
const GAP: f64 = 0.047;

/// The height of the name's letters, as a part of the half height: 4.2 mm at 30 mm, which is what
/// the invoice seal has (国家税务总局公告2011年第7号).
const NAME_HEIGHT: f64 = 0.28;

/// How far the name may run down on each side, as the parameter of the ellipse from the top.
const NAME_END: f64 = 112.0 * std::f64::consts::PI / 180.0;

/// The widest and the narrowest letter, as a part of its height.
const RATIO: [f64; 2] = [0.46, 0.74];

/// How much of its share of the curve a letter fills.
const FILL: f64 = 0.88;

/// Steps in which the length of a curve is measured.
const STEPS: u32 = 720;

/// The texts of an oval seal.
pub(super) struct Texts<'a> {
    pub(super) name: &'a [Glyph],
    pub(super) middle: &'a [Glyph],
    pub(super) lower: &'a [Glyph],
    pub(super) code: &'a [Glyph],
}

/// One place for each letter of name, middle, lower line and code, in this order.
pub(super) fn oval(half: [f64; 2], ring: f64, texts: &Texts<'_>) -> Vec<Place> {
    let [half_width, half_height] = half;
    let gap = half_height * GAP;
    let outer = Ellipse {
        a: half_width - ring - gap,
        b: half_height - ring - gap,
    };
    let mut places = outer.name(texts.name, half_height);
    let letter = half_height * NAME_HEIGHT;
    places.extend(line(
        texts.middle,
        [-0.14 * half_height, 0.23 * half_height],
        0.86 * (outer.a - letter),
    ));
    let (bottom, top) = if texts.code.is_empty() {
        (-0.73, -0.44)
    } else {
        (-0.65, -0.38)
    };
    let chord = outer.a
        * (1.0 - (bottom * half_height / outer.b).powi(2))
            .max(0.0)
            .sqrt();
    places.extend(line(
        texts.lower,
        [bottom * half_height, top * half_height],
        (0.86 * chord).min(0.5 * half_width),
    ));
    places.extend(outer.code(texts.code, half_height));
    places
}

/// A straight line from left to right between two heights, within `half_room` of the middle.
fn line(glyphs: &[Glyph], [bottom, top]: [f64; 2], half_room: f64) -> Vec<Place> {
    let shares: f64 = glyphs.iter().map(|glyph| glyph.share).sum();
    if shares <= 0.0 {
        return Vec::new();
    }
    let [narrow, wide] = RATIO;
    let mut height = top - bottom;
    let pitch = (2.0 * half_room / shares).min(height * wide * 1.2);
    let width = (0.9 * pitch).min(wide * height);
    if width < narrow * height {
        height = width / narrow;
    }
    let foot = bottom + (top - bottom - height) / 2.0;
    let mut x = -pitch * shares / 2.0;
    glyphs
        .iter()
        .map(|glyph| {
            let half = pitch * glyph.share / 2.0;
            let place = Place {
                width,
                height,
                share: glyph.share,
                to_seal: Matrix::translate(x + half, foot),
            };
            x += 2.0 * half;
            place
        })
        .collect()
}

/// Half axes; the parameter runs clockwise from the top.
struct Ellipse {
    a: f64,
    b: f64,
}

impl Ellipse {
    /// The point `depth` inside the ellipse, and the outward normal there.
    fn inside(&self, parameter: f64, depth: f64) -> ([f64; 2], [f64; 2]) {
        let (sine, cosine) = parameter.sin_cos();
        let (nx, ny) = (self.b * sine, self.a * cosine);
        let length = nx.hypot(ny);
        let (nx, ny) = (nx / length, ny / length);
        (
            [self.a * sine - depth * nx, self.b * cosine - depth * ny],
            [nx, ny],
        )
    }

    /// The parameters at which the curve `depth` inside, between `from` and `to`, has run through
    /// each of the wanted parts (0 to 1, rising) of its length; and that length.
    fn walk(&self, depth: f64, [from, to]: [f64; 2], parts: &[f64]) -> (Vec<f64>, f64) {
        let at = |step: u32| from + (to - from) * f64::from(step) / f64::from(STEPS);
        let lengths: Vec<f64> = (1..=STEPS)
            .map(|step| {
                let ([x0, y0], _) = self.inside(at(step - 1), depth);
                let ([x1, y1], _) = self.inside(at(step), depth);
                (x1 - x0).hypot(y1 - y0)
            })
            .collect();
        let total: f64 = lengths.iter().sum();
        let parameters = parts
            .iter()
            .map(|part| {
                let mut left = part * total;
                for (step, length) in (0u32..).zip(&lengths) {
                    if left <= *length {
                        let share = left / length;
                        return at(step) + (to - from) / f64::from(STEPS) * share;
                    }
                    left -= length;
                }
                to
            })
            .collect();
        (parameters, total)
    }

    fn name(&self, glyphs: &[Glyph], half_height: f64) -> Vec<Place> {
        let shares: f64 = glyphs.iter().map(|glyph| glyph.share).sum();
        if shares <= 0.0 {
            return Vec::new();
        }
        let [narrow, wide] = RATIO;
        let mut height = half_height * NAME_HEIGHT;
        let (mut end, mut width) = (NAME_END, 0.0);
        // Lower letters stand on a longer curve, which lets them be wider: three rounds settle it.
        for _ in 0..3 {
            let (_, length) = self.walk(height, [-NAME_END, NAME_END], &[]);
            let room = FILL * length / shares;
            width = room.min(wide * height);
            if room < narrow * height {
                height = room / narrow;
            }
            // A short name does not run down the sides: at most 1.7 widths for each letter.
            end = NAME_END * (1.7 * width * shares / length).min(1.0);
        }
        width = width.max(narrow * height).min(wide * height);
        let mut parts = Vec::new();
        let mut before = 0.0;
        for glyph in glyphs {
            parts.push((before + glyph.share / 2.0) / shares);
            before += glyph.share;
        }
        let (parameters, length) = self.walk(height, [-end, end], &parts);
        width = width.min(FILL * length / shares);
        parameters
            .into_iter()
            .zip(glyphs)
            .map(|(parameter, glyph)| {
                let ([x, y], [nx, ny]) = self.inside(parameter, height);
                Place {
                    width,
                    height,
                    share: glyph.share,
                    to_seal: Matrix::new([ny, -nx, nx, ny, x, y]),
                }
            })
            .collect()
    }

    /// Small digits along the lower edge, heads to the centre.
    fn code(&self, glyphs: &[Glyph], half_height: f64) -> Vec<Place> {
        let shares: f64 = glyphs.iter().map(|glyph| glyph.share).sum();
        if shares <= 0.0 {
            return Vec::new();
        }
        let height = 0.085 * half_height;
        let width = 0.9 * height;
        let low = std::f64::consts::PI;
        // From the lower left, so against the parameter's sense.
        let (_, half_length) = self.walk(height, [low, low + 1.2], &[]);
        let wanted = 1.2 * width * shares / 2.0;
        let (ends, _) = self.walk(height, [low, low + 1.2], &[(wanted / half_length).min(1.0)]);
        let end = ends.first().map_or(0.5, |parameter| parameter - low);
        let mut parts = Vec::new();
        let mut before = 0.0;
        for glyph in glyphs {
            parts.push((before + glyph.share / 2.0) / shares);
            before += glyph.share;
        }
        let (parameters, _) = self.walk(height, [low + end, low - end], &parts);
        parameters
            .into_iter()
            .zip(glyphs)
            .map(|(parameter, glyph)| {
                let ([x, y], [nx, ny]) = self.inside(parameter, 0.0);
                Place {
                    width,
                    height,
                    share: glyph.share,
                    to_seal: Matrix::new([-ny, nx, -nx, -ny, x, y]),
                }
            })
            .collect()
    }
}

/// One place for each letter of a square seal of half side `half`, inside a margin: columns from
/// right to left, each read from top to bottom.
pub(super) fn columns(half: f64, margin: f64, glyphs: &[Glyph]) -> Vec<Place> {
    let counts: &[u8] = match glyphs.len() {
        0 => return Vec::new(),
        1 => &[1],
        2 => &[1, 1],
        3 => &[1, 2],
        4 => &[2, 2],
        5 => &[2, 3],
        _ => &[3, 3],
    };
    let side = 2.0 * (half - margin);
    let columns = if counts.len() == 1 { 1.0 } else { 2.0 };
    let cell_width = side / columns;
    let mut places = Vec::new();
    let mut left = glyphs.iter();
    for (column, count) in counts.iter().enumerate() {
        let x = if columns < 2.0 {
            0.0
        } else if column == 0 {
            cell_width / 2.0
        } else {
            -cell_width / 2.0
        };
        let cell_height = side / f64::from(*count);
        for (row, glyph) in (1..=*count).zip(left.by_ref()) {
            let height = 0.93 * cell_height;
            places.push(Place {
                width: 0.9 * cell_width,
                height,
                share: glyph.share,
                to_seal: Matrix::translate(
                    x,
                    side / 2.0 - f64::from(row) * cell_height + (cell_height - height) / 2.0,
                ),
            });
        }
    }
    places
}
