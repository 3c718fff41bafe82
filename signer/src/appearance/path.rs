//! Paths of lines and cubic curves, and how PDF and SVG spell them.

use std::f64::consts::TAU;

/// An affine map `[a b c d e f]` in the order of PDF (ISO 32000-2, 8.3.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Matrix([f64; 6]);

impl Matrix {
    pub(super) fn new(values: [f64; 6]) -> Self {
        Self(values)
    }

    pub(super) fn translate(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    pub(super) fn scale(x: f64, y: f64) -> Self {
        Self([x, 0.0, 0.0, y, 0.0, 0.0])
    }

    /// Turns by `angle` radians against the clock.
    pub(super) fn rotate(angle: f64) -> Self {
        let (sine, cosine) = angle.sin_cos();
        Self([cosine, sine, -sine, cosine, 0.0, 0.0])
    }

    /// First `self`, then `next`.
    pub(super) fn then(self, next: Self) -> Self {
        let Self([a, b, c, d, e, f]) = self;
        let Self([na, nb, nc, nd, _, _]) = next;
        let origin = next.apply([e, f]);
        Self([
            a * na + b * nc,
            a * nb + b * nd,
            c * na + d * nc,
            c * nb + d * nd,
            origin[0],
            origin[1],
        ])
    }

    pub(super) fn apply(self, [x, y]: [f64; 2]) -> [f64; 2] {
        let Self([a, b, c, d, e, f]) = self;
        [a * x + c * y + e, b * x + d * y + f]
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Segment {
    Move([f64; 2]),
    Line([f64; 2]),
    Curve([f64; 2], [f64; 2], [f64; 2]),
    Close,
}

impl Segment {
    /// A quadratic curve as the cubic one that PDF has.
    pub(super) fn quadratic(from: [f64; 2], control: [f64; 2], to: [f64; 2]) -> Self {
        let [cx, cy] = control;
        let towards = |[x, y]: [f64; 2]| [x + (cx - x) * 2.0 / 3.0, y + (cy - y) * 2.0 / 3.0];
        Self::Curve(towards(from), towards(to), to)
    }

    fn map(self, matrix: Matrix) -> Self {
        match self {
            Self::Move(to) => Self::Move(matrix.apply(to)),
            Self::Line(to) => Self::Line(matrix.apply(to)),
            Self::Curve(first, second, to) => {
                Self::Curve(matrix.apply(first), matrix.apply(second), matrix.apply(to))
            }
            Self::Close => Self::Close,
        }
    }

    /// The points that bound the segment: a curve lies within its control points.
    pub(super) fn points(self) -> impl Iterator<Item = [f64; 2]> {
        let points = match self {
            Self::Move(to) | Self::Line(to) => [Some(to), None, None],
            Self::Curve(first, second, to) => [Some(first), Some(second), Some(to)],
            Self::Close => [None; 3],
        };
        points.into_iter().flatten()
    }
}

/// Closed figures, one after another.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Path(Vec<Segment>);

impl Path {
    pub(super) fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    pub(super) fn append(&mut self, other: &Self, matrix: Matrix) {
        self.0
            .extend(other.0.iter().map(|segment| segment.map(matrix)));
    }

    pub(super) fn transformed(&self, matrix: Matrix) -> Self {
        Self(self.0.iter().map(|segment| segment.map(matrix)).collect())
    }

    /// An ellipse around the origin with these half axes.
    pub(super) fn ellipse(&mut self, [a, b]: [f64; 2]) {
        let mut circle = Self::default();
        circle.circle(1.0);
        self.append(&circle, Matrix::scale(a, b));
    }

    /// A square around the origin; its corners are cut round by `corner`.
    pub(super) fn square(&mut self, half: f64, corner: f64) {
        let straight = half - corner;
        // As for the circle: the control points stand this far from the corner.
        let near = half - corner * 0.447_715;
        self.push(Segment::Move([half, -straight]));
        for quarter in 0..4u8 {
            let turn = Matrix::rotate(TAU / 4.0 * f64::from(quarter));
            self.push(Segment::Line(turn.apply([half, straight])));
            self.push(Segment::Curve(
                turn.apply([half, near]),
                turn.apply([near, half]),
                turn.apply([straight, half]),
            ));
        }
        self.push(Segment::Close);
    }

    /// A circle around the origin in four curves; they stray 0.03 % from the round.
    pub(super) fn circle(&mut self, radius: f64) {
        // 4/3 (√2 − 1): the control arm of a quarter circle.
        let arm = radius * 0.552_284_749_830_793_6;
        let start = [radius, 0.0];
        self.push(Segment::Move(start));
        for quarter in 1..=4u8 {
            let turn = Matrix::rotate(TAU / 4.0 * f64::from(quarter - 1));
            self.push(Segment::Curve(
                turn.apply([radius, arm]),
                turn.apply([arm, radius]),
                turn.apply([0.0, radius]),
            ));
        }
        self.push(Segment::Close);
    }

    /// A five-pointed star around the origin, one point up, `radius` to the points.
    pub(super) fn star(&mut self, radius: f64) {
        // The notches of the pentagram lie at (3 − √5) / 2 of its radius.
        let notch = radius * (3.0 - 5.0_f64.sqrt()) / 2.0;
        for corner in 0..10u8 {
            let reach = if corner % 2 == 0 { radius } else { notch };
            let at = Matrix::rotate(-TAU / 10.0 * f64::from(corner)).apply([0.0, reach]);
            self.push(if corner == 0 {
                Segment::Move(at)
            } else {
                Segment::Line(at)
            });
        }
        self.push(Segment::Close);
    }

    /// Path construction operators (ISO 32000-2, table 58), in [`UNITS_PER_POINT`].
    pub(super) fn write_pdf(&self, out: &mut Vec<u8>) {
        for segment in &self.0 {
            for [x, y] in segment.points().map(in_units) {
                out.extend_from_slice(format!("{x} {y} ").as_bytes());
            }
            out.extend_from_slice(match segment {
                Segment::Move(_) => b"m\n",
                Segment::Line(_) => b"l\n",
                Segment::Curve(..) => b"c\n",
                Segment::Close => b"h\n",
            });
        }
    }

    /// The `d` attribute of an SVG path, in [`UNITS_PER_POINT`]. Points are given from
    /// the end of the segment before (SVG 1.1, 8.3), which takes half the bytes; they are rounded
    /// before that, so that errors do not add up.
    pub(super) fn svg_data(&self) -> String {
        let mut out = String::new();
        // Where the last segment ended, and where its figure began.
        let (mut pen, mut start) = ([0, 0], [0, 0]);
        for segment in &self.0 {
            out.push(match segment {
                Segment::Move(_) => 'm',
                Segment::Line(_) => 'l',
                Segment::Curve(..) => 'c',
                Segment::Close => 'z',
            });
            let mut last = pen;
            let mut is_first = true;
            for point in segment.points().map(in_units) {
                last = point;
                for axis in [point[0] - pen[0], point[1] - pen[1]] {
                    if axis >= 0 && !is_first {
                        out.push(' ');
                    }
                    is_first = false;
                    out.push_str(&axis.to_string());
                }
            }
            match segment {
                Segment::Move(_) => start = last,
                Segment::Close => last = start,
                Segment::Line(_) | Segment::Curve(..) => {}
            }
            pen = last;
        }
        out
    }
}

/// How finely a drawing is written: 0.02 pt are 7 µm, a third of a dot at 1,200 dots per inch. Whole
/// numbers of such units are shorter than decimals of points.
pub(super) const UNITS_PER_POINT: f64 = 50.0;

fn in_units(point: [f64; 2]) -> [i64; 2] {
    point.map(|number| (number * UNITS_PER_POINT).round() as i64)
}

/// A decimal without exponent, trailing zeros or a negative zero.
pub(super) fn decimal(number: f64, places: usize) -> String {
    let text = format!("{number:.places$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    match text {
        "-0" => "0".to_owned(),
        _ => text.to_owned(),
    }
}
