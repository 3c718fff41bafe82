//! The seam stamp (骑缝章): one seal in parts on the edges of the sheets, whole when they are fanned.
//!
//! Sheets fanned with the first on top show a little of each sheet below: beside the right edge or
//! under the lower one the sheets follow in order, beside the left edge or over the upper one in
//! reverse order. The parts are given out so, and stand at the very edge.

use yinxin_pdf::{Document, Part, Spot};

use super::{Pages, PlaceError};

/// A seal is split over so many sheets if nothing else is asked for; strips of 2 mm from a seal of
/// 42 mm can still be told from one another.
pub const SHEETS_PER_SEAL_DEFAULT: u32 = 20;

/// The thinnest strips of a seal of 42 mm have 0.4 mm.
pub const SHEETS_PER_SEAL_MAX: u32 = 100;

/// An edge of the page as seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The right one, the usual.
    Right,
    /// The left one.
    Left,
    /// The upper one.
    Top,
    /// The lower one.
    Bottom,
}

/// A seam stamp.
#[derive(Clone, Debug, PartialEq)]
pub struct Seam {
    /// Which edge; of sheets printed on both sides that of the front page.
    pub edge: Edge,
    /// Which pages.
    pub pages: Pages,
    /// The most sheets that one seal is split over, 2 to [`SHEETS_PER_SEAL_MAX`]. More sheets are
    /// parted in groups as even as can be, each with a whole seal.
    pub sheets_per_seal_max: u32,
    /// Two pages make a sheet, the first of the document being a front. The back shows the part of
    /// its front: on the opposite edge, which on paper is the same one, or, at the upper and lower
    /// edge, mirrored along it.
    pub is_double_sided: bool,
    /// Where the middle of the seal is along the edge, from the upper or left end; the middle of
    /// the edge if it is not given.
    pub along_mm: Option<f64>,
}

impl Seam {
    pub(super) fn spots(
        &self,
        document: &Document<'_>,
        size_mm: [f64; 2],
    ) -> Result<Vec<Spot>, PlaceError> {
        if !(2..=SHEETS_PER_SEAL_MAX).contains(&self.sheets_per_seal_max) {
            return Err(PlaceError::SeamGroup {
                asked: self.sheets_per_seal_max,
                max: SHEETS_PER_SEAL_MAX,
            });
        }
        let pages = self.pages.indices(document)?;
        let sheet_of = |page_index: &usize| match self.is_double_sided {
            true => page_index / 2,
            false => *page_index,
        };
        let sheets: Vec<&[usize]> = pages
            .chunk_by(|one, other| sheet_of(one) == sheet_of(other))
            .collect();
        if sheets.len() < 2 {
            return Err(PlaceError::SeamNeedsSheets {
                sheets: sheets.len(),
            });
        }
        let mut spots = Vec::with_capacity(pages.len());
        let mut rest = sheets.as_slice();
        for size in group_sizes(sheets.len(), self.sheets_per_seal_max as usize) {
            let (group, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            for (place, sheet) in group.iter().enumerate() {
                for page_index in *sheet {
                    let page_mm = document.page(*page_index)?.size_mm();
                    spots.push(self.spot(*page_index, page_mm, size_mm, place, group.len()));
                }
            }
        }
        Ok(spots)
    }

    /// What the page at `place` of a group of `count` sheets shows.
    fn spot(
        &self,
        page_index: usize,
        (page_width_mm, page_height_mm): (f64, f64),
        [width_mm, height_mm]: [f64; 2],
        place: usize,
        count: usize,
    ) -> Spot {
        let is_back = self.is_double_sided && page_index % 2 == 1;
        let edge = match (self.edge, is_back) {
            (Edge::Right, true) => Edge::Left,
            (Edge::Left, true) => Edge::Right,
            (edge, _) => edge,
        };
        // Fronts say the order; backs show what their fronts show.
        let place = match self.edge {
            Edge::Right | Edge::Bottom => place,
            Edge::Left | Edge::Top => count - 1 - place,
        };
        let share = |place: usize| place as f64 / count as f64;
        let (from, to) = (share(place), share(place + 1));
        let along = |room: f64, length: f64, mirrored: bool| {
            let middle = self.along_mm.unwrap_or(room / 2.0);
            let middle = if mirrored { room - middle } else { middle };
            middle - length / 2.0
        };
        match edge {
            Edge::Right | Edge::Left => {
                let strip_mm = width_mm / count as f64;
                Spot {
                    page_index,
                    x_mm: match edge {
                        Edge::Left => 0.0,
                        Edge::Right | Edge::Top | Edge::Bottom => page_width_mm - strip_mm,
                    },
                    y_mm: along(page_height_mm, height_mm, false),
                    width_mm: strip_mm,
                    height_mm,
                    part: Part {
                        left: from,
                        right: to,
                        ..Part::WHOLE
                    },
                }
            }
            Edge::Top | Edge::Bottom => {
                let strip_mm = height_mm / count as f64;
                Spot {
                    page_index,
                    x_mm: along(page_width_mm, width_mm, is_back),
                    y_mm: match edge {
                        Edge::Top => 0.0,
                        Edge::Bottom | Edge::Right | Edge::Left => page_height_mm - strip_mm,
                    },
                    width_mm,
                    height_mm: strip_mm,
                    part: Part {
                        top: from,
                        bottom: to,
                        ..Part::WHOLE
                    },
                }
            }
        }
    }
}

/// `count` sheets in as few groups of at most `max` as there can be, as even as can be. None is of
/// one sheet, which would carry a whole seal: with `max` 2 an odd sheet joins two others.
fn group_sizes(count: usize, max: usize) -> impl Iterator<Item = usize> {
    let groups = count.div_ceil(max.max(1)).min(count / 2).max(1);
    let (size, larger) = (count / groups, count % groups);
    (0..groups).map(move |group| size + usize::from(group < larger))
}

#[cfg(test)]
mod tests {
    use super::group_sizes;

    #[test]
    fn groups_are_even_and_none_is_a_single_sheet() {
        for (count, max, expected) in [
            (2, 20, vec![2]),
            (7, 20, vec![7]),
            (7, 4, vec![4, 3]),
            (21, 20, vec![11, 10]),
            (5, 2, vec![3, 2]),
            (41, 20, vec![14, 14, 13]),
        ] {
            let sizes: Vec<usize> = group_sizes(count, max).collect();
            assert_eq!(sizes, expected, "{count} by {max}");
        }
        assert_eq!(group_sizes(300, 20).collect::<Vec<_>>(), vec![20; 15]);
    }
}
