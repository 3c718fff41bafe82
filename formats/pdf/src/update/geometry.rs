//! From millimetres on the page as seen to `/Rect` and `/Matrix` (ISO 32000-2, 12.5.5).

use super::error::UpdateError;

/// Points per millimetre at `/UserUnit` 1 (ISO 32000-2, 8.3.2.3).
const POINTS_PER_MM: f64 = 72.0 / 25.4;

/// How far a stamp may stick out, for the rounding of those who compute its place: 10 µm.
const TOLERANCE_MM: f64 = 0.01;

/// Which part of default user space a page shows, and how it is turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sheet {
    /// The visible rectangle, `[left, bottom, right, top]` in default user space.
    pub(super) visible: [f64; 4],
    pub(super) turn: Turn,
    /// The size of a unit of default user space, in 1/72 inch.
    pub(super) user_unit: f64,
}

/// `/Rotate`: how far the page is turned clockwise when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

impl Turn {
    /// From the degrees of `/Rotate`; anything but right angles is taken as none.
    pub(super) fn from_degrees(degrees: i32) -> Self {
        match degrees.rem_euclid(360) {
            90 => Self::Quarter,
            180 => Self::Half,
            270 => Self::ThreeQuarters,
            _ => Self::None,
        }
    }

    pub(super) fn degrees(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Quarter => 90,
            Self::Half => 180,
            Self::ThreeQuarters => 270,
        }
    }

    fn is_sideways(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }
}

/// A stamp in millimetres from the upper left corner of the page as seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamp {
    pub(super) x_mm: f64,
    pub(super) y_mm: f64,
    pub(super) width_mm: f64,
    pub(super) height_mm: f64,
}

/// How a form XObject gets upright into its rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    pub(super) bbox: [f64; 4],
    pub(super) matrix: [f64; 6],
}

impl Sheet {
    /// A page that shows `visible` (its CropBox within its MediaBox).
    pub(super) fn new(visible: [f64; 4], rotate: i32, user_unit: f64) -> Self {
        Self {
            visible: normalised(visible),
            turn: Turn::from_degrees(rotate),
            user_unit,
        }
    }

    /// Width and height as seen, in millimetres.
    pub(crate) fn size_mm(&self) -> (f64, f64) {
        let [left, bottom, right, top] = self.visible;
        let mm = |units: f64| units * self.user_unit / POINTS_PER_MM;
        let (width, height) = (mm(right - left), mm(top - bottom));
        if self.turn.is_sideways() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// The rectangle of a stamp in default user space.
    ///
    /// # Errors
    /// The stamp has no size, or does not lie wholly on the page and `may_leave_page` is not set.
    pub(super) fn rectangle(
        &self,
        page_index: usize,
        stamp: &Stamp,
        may_leave_page: bool,
    ) -> Result<[f64; 4], UpdateError> {
        let Stamp {
            x_mm,
            y_mm,
            width_mm,
            height_mm,
        } = *stamp;
        let finite = [x_mm, y_mm, width_mm, height_mm]
            .iter()
            .all(|length| length.is_finite());
        if !finite || width_mm <= 0.0 || height_mm <= 0.0 {
            return Err(UpdateError::RequestInvalid {
                field: "placement",
                problem: "is not a rectangle of positive size",
            });
        }
        let (page_width_mm, page_height_mm) = self.size_mm();
        let fits = |start: f64, length: f64, room: f64| {
            start >= -TOLERANCE_MM && start + length <= room + TOLERANCE_MM
        };
        let lies_on_page =
            fits(x_mm, width_mm, page_width_mm) && fits(y_mm, height_mm, page_height_mm);
        if !lies_on_page && !may_leave_page {
            let um = |mm: f64| (mm * 1000.0).round() as i64;
            return Err(UpdateError::OutsidePage {
                page_index,
                page_width_um: um(page_width_mm),
                page_height_um: um(page_height_mm),
                x_um: um(x_mm),
                y_um: um(y_mm),
                width_um: um(width_mm),
                height_um: um(height_mm),
            });
        }
        let [x, y] = self.point(x_mm, y_mm);
        let [other_x, other_y] = self.point(x_mm + width_mm, y_mm + height_mm);
        Ok(normalised([x, y, other_x, other_y]))
    }

    /// Where a point of default user space is seen, in millimetres from the upper left corner.
    pub(crate) fn seen(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [left, bottom, right, top] = self.visible;
        let (x, y) = match self.turn {
            Turn::None => (x - left, top - y),
            Turn::Quarter => (y - bottom, x - left),
            Turn::Half => (right - x, y - bottom),
            Turn::ThreeQuarters => (top - y, right - x),
        };
        [x, y].map(|units| units * self.user_unit / POINTS_PER_MM)
    }

    /// A point of the page as seen, `x_mm` rightwards and `y_mm` downwards, in default user space.
    fn point(&self, x_mm: f64, y_mm: f64) -> [f64; 2] {
        let [left, bottom, right, top] = self.visible;
        let units = |mm: f64| mm * POINTS_PER_MM / self.user_unit;
        let (x, y) = (units(x_mm), units(y_mm));
        match self.turn {
            Turn::None => [left + x, top - y],
            // Turned clockwise by a quarter, the left edge of the sheet lies at the top.
            Turn::Quarter => [left + y, bottom + x],
            Turn::Half => [right - x, bottom + y],
            Turn::ThreeQuarters => [right - y, top - x],
        }
    }
}

/// Stands an appearance upright in the middle of `rectangle`, its proportions kept.
///
/// A viewer stretches the transformed BBox over the whole rectangle (ISO 32000-2, 12.5.5,
/// algorithm 8.1); a BBox grown to the rectangle's proportions makes that stretching even.
pub(super) fn fit(appearance_bbox: [f64; 4], rectangle: [f64; 4], turn: Turn) -> Fit {
    let [left, bottom, right, top] = normalised(appearance_bbox);
    let (width, height) = (right - left, top - bottom);
    let [rect_left, rect_bottom, rect_right, rect_top] = normalised(rectangle);
    let (mut across, mut up) = (rect_right - rect_left, rect_top - rect_bottom);
    if turn.is_sideways() {
        (across, up) = (up, across);
    }
    let scale = (across / width).min(up / height);
    // The rounding of a rectangle to thousandths must not show as a different BBox.
    let margin = |room: f64, length: f64| {
        let margin = (room / scale - length) / 2.0;
        if margin < length * 1e-4 { 0.0 } else { margin }
    };
    let (beside, above) = (margin(across, width), margin(up, height));
    let bbox = [left - beside, bottom - above, right + beside, top + above];
    let [left, bottom, right, top] = bbox;
    // Turned against the clock as far as the page is turned with it, then moved to the origin.
    let matrix = match turn {
        Turn::None => [1.0, 0.0, 0.0, 1.0, -left, -bottom],
        Turn::Quarter => [0.0, 1.0, -1.0, 0.0, top, -left],
        Turn::Half => [-1.0, 0.0, 0.0, -1.0, right, top],
        Turn::ThreeQuarters => [0.0, -1.0, 1.0, 0.0, -bottom, right],
    };
    Fit { bbox, matrix }
}

/// The rectangle with its lower left corner first.
pub(super) fn normalised([one_x, one_y, other_x, other_y]: [f64; 4]) -> [f64; 4] {
    [
        one_x.min(other_x),
        one_y.min(other_y),
        one_x.max(other_x),
        one_y.max(other_y),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const A4: [f64; 4] = [0.0, 0.0, 595.275_590_551, 841.889_763_78];

    /// Where the viewer's algorithm puts a point of the appearance (ISO 32000-2, 12.5.5).
    fn shown(fit: &Fit, rectangle: [f64; 4], [x, y]: [f64; 2]) -> [f64; 2] {
        let [a, b, c, d, e, f] = fit.matrix;
        let map = |[x, y]: [f64; 2]| [a * x + c * y + e, b * x + d * y + f];
        let [left, bottom, right, top] = fit.bbox;
        let corners = [[left, bottom], [right, bottom], [right, top], [left, top]].map(map);
        let least = |axis: usize| {
            corners
                .iter()
                .map(|corner| corner[axis])
                .fold(f64::MAX, f64::min)
        };
        let most = |axis: usize| {
            corners
                .iter()
                .map(|corner| corner[axis])
                .fold(f64::MIN, f64::max)
        };
        let [rect_left, rect_bottom, rect_right, rect_top] = rectangle;
        let point = map([x, y]);
        [
            rect_left + (point[0] - least(0)) * (rect_right - rect_left) / (most(0) - least(0)),
            rect_bottom + (point[1] - least(1)) * (rect_top - rect_bottom) / (most(1) - least(1)),
        ]
    }

    #[test]
    fn every_corner_of_the_seal_lands_where_it_was_asked_for() {
        let crops = [
            A4,
            [50.0, 100.0, 500.0, 700.0],
            [-40.0, -60.0, 400.0, 500.0],
        ];
        let stamp = Stamp {
            x_mm: 20.0,
            y_mm: 35.0,
            width_mm: 42.0,
            height_mm: 42.0,
        };
        let diameter = 42.0 * POINTS_PER_MM;
        for crop in crops {
            for rotate in [0, 90, 180, 270, -90, 450] {
                for user_unit in [1.0, 2.0, 0.5] {
                    let name = format!("{crop:?} turned {rotate} at unit {user_unit}");
                    let sheet = Sheet::new(crop, rotate, user_unit);
                    let stamp = Stamp {
                        // Keeps the stamp on the small sheet of user unit 0.5.
                        x_mm: if user_unit < 1.0 { 5.0 } else { stamp.x_mm },
                        ..stamp
                    };
                    let rectangle = sheet.rectangle(0, &stamp, false).expect(&name);
                    let fit = fit([0.0, 0.0, diameter, diameter], rectangle, sheet.turn);
                    let corners = [
                        ([0.0, diameter], [stamp.x_mm, stamp.y_mm]),
                        ([diameter, diameter], [stamp.x_mm + 42.0, stamp.y_mm]),
                        ([0.0, 0.0], [stamp.x_mm, stamp.y_mm + 42.0]),
                        ([diameter, 0.0], [stamp.x_mm + 42.0, stamp.y_mm + 42.0]),
                    ];
                    for (corner, expected) in corners {
                        let got = sheet.seen(shown(&fit, rectangle, corner));
                        let off = (got[0] - expected[0]).hypot(got[1] - expected[1]);
                        assert!(
                            off < 1e-6,
                            "{name}: {corner:?} at {got:?}, not {expected:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn known_rectangles_by_hand() {
        let stamp = Stamp {
            x_mm: 25.4,
            y_mm: 50.8,
            width_mm: 25.4,
            height_mm: 12.7,
        };
        let media = [0.0, 0.0, 600.0, 800.0];
        let cases = [
            ("upright", media, 0, 1.0, [72.0, 620.0, 144.0, 656.0]),
            ("quarter", media, 90, 1.0, [144.0, 72.0, 180.0, 144.0]),
            ("half", media, 180, 1.0, [456.0, 144.0, 528.0, 180.0]),
            (
                "three quarters",
                media,
                270,
                1.0,
                [420.0, 656.0, 456.0, 728.0],
            ),
            (
                "cropped",
                [10.0, 20.0, 500.0, 700.0],
                0,
                1.0,
                [82.0, 520.0, 154.0, 556.0],
            ),
            ("unit 2", media, 0, 2.0, [36.0, 710.0, 72.0, 728.0]),
            (
                "reversed crop",
                [500.0, 700.0, 10.0, 20.0],
                0,
                1.0,
                [82.0, 520.0, 154.0, 556.0],
            ),
        ];
        for (name, crop, rotate, user_unit, expected) in cases {
            let sheet = Sheet::new(crop, rotate, user_unit);
            let got = sheet.rectangle(0, &stamp, false).expect(name);
            for (value, wanted) in got.iter().zip(expected) {
                assert!((value - wanted).abs() < 1e-9, "{name}: {got:?}");
            }
        }
    }

    #[test]
    fn a_stamp_off_the_page_is_refused_with_the_sizes() {
        let sheet = Sheet::new(A4, 90, 1.0);
        let at = |x_mm, y_mm| Stamp {
            x_mm,
            y_mm,
            width_mm: 42.0,
            height_mm: 42.0,
        };
        assert!(
            sheet.rectangle(0, &at(255.0, 168.0), false).is_ok(),
            "turned A4 is 297 wide"
        );
        for (name, stamp) in [
            ("right", at(256.0, 10.0)),
            ("below", at(10.0, 169.0)),
            ("left", at(-1.0, 10.0)),
            ("above", at(10.0, -1.0)),
        ] {
            let error = sheet.rectangle(3, &stamp, false).expect_err(name);
            let UpdateError::OutsidePage {
                page_index: 3,
                page_width_um: 297_000,
                page_height_um: 210_000,
                ..
            } = error
            else {
                panic!("{name}: {error}")
            };
        }
        for bad in [f64::NAN, f64::INFINITY, 0.0, -3.0] {
            let stamp = Stamp {
                width_mm: bad,
                ..at(10.0, 10.0)
            };
            assert!(matches!(
                sheet.rectangle(0, &stamp, false),
                Err(UpdateError::RequestInvalid {
                    field: "placement",
                    ..
                })
            ));
        }
    }

    #[test]
    fn an_appearance_keeps_its_proportions_in_the_middle_of_any_rectangle() {
        for (rectangle, turn) in [
            ([10.0, 10.0, 210.0, 60.0], Turn::None),
            ([10.0, 10.0, 60.0, 210.0], Turn::None),
            ([10.0, 10.0, 210.0, 60.0], Turn::Quarter),
            ([10.0, 10.0, 60.0, 210.0], Turn::Half),
        ] {
            let fit = fit([0.0, 0.0, 100.0, 100.0], rectangle, turn);
            let middle = shown(&fit, rectangle, [50.0, 50.0]);
            let [left, bottom, right, top] = rectangle;
            assert!(
                (middle[0] - (left + right) / 2.0).abs() < 1e-9,
                "{middle:?}"
            );
            assert!(
                (middle[1] - (bottom + top) / 2.0).abs() < 1e-9,
                "{middle:?}"
            );
            let edge = shown(&fit, rectangle, [100.0, 50.0]);
            let reach = (edge[0] - middle[0]).hypot(edge[1] - middle[1]);
            assert!(
                (reach - 25.0).abs() < 1e-9,
                "{rectangle:?} {turn:?}: {reach}"
            );
        }
    }
}
