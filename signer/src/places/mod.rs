//! Where a seal goes, said as an office says it, worked out against the document: pages, a word,
//! issuer and date, the seam of the pages.
//!
//! Lengths are millimetres on the page as a reader sees it, from its upper left corner.

mod error;
mod issuer_date;
mod seam;

#[cfg(test)]
mod tests;

pub use error::PlaceError;
pub use seam::{Edge, SHEETS_PER_SEAL_DEFAULT, SHEETS_PER_SEAL_MAX, Seam};

use yinxin_pdf::{Document, Part, Placement, Spot, TextMatch, TextSearch};

/// Places of one signature. Each is a field, and readers list them all.
pub const PLACES_MAX: usize = 2_000;

/// The longest word that is looked for.
const KEYWORD_CHARACTERS_MAX: usize = 64;

/// Where a seal goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Exactly there, or nowhere to be seen.
    At(Placement),
    /// At one place on each of some pages.
    Pages {
        /// Which.
        pages: Pages,
        /// From the left edge of the page to that of the seal.
        x_mm: f64,
        /// From the upper edge of the page to that of the seal.
        y_mm: f64,
    },
    /// By a word on the page.
    Keyword(Keyword),
    /// Over issuer and date («骑年盖月»): centred over year and month, issuer and date a little
    /// below its middle (GB/T 9704-2012, 7.3.5.1).
    IssuerAndDate {
        /// The issuer as the document writes it; its last occurrence with a date below counts.
        issuer: String,
    },
    /// In parts on the edges of the pages (骑缝章).
    Seam(Seam),
}

impl From<Placement> for Place {
    fn from(placement: Placement) -> Self {
        Self::At(placement)
    }
}

impl Place {
    /// Whether the page will show something.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        !matches!(self, Self::At(Placement::Invisible { .. }))
    }
}

/// Some of the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Every page.
    All,
    /// The first.
    First,
    /// The last.
    Last,
    /// These, counted from 0; the order and repetitions make no difference.
    Listed(Vec<usize>),
}

impl Pages {
    /// Their indices in ascending order.
    fn indices(&self, document: &Document<'_>) -> Result<Vec<usize>, PlaceError> {
        let page_count = document.page_count()?;
        let mut indices: Vec<usize> = match self {
            Self::All => (0..page_count).collect(),
            Self::First => vec![0],
            Self::Last => vec![page_count.saturating_sub(1)],
            Self::Listed(listed) => listed.clone(),
        };
        indices.sort_unstable();
        indices.dedup();
        if indices.is_empty() {
            return Err(PlaceError::NoPages);
        }
        match indices.iter().find(|index| **index >= page_count) {
            Some(index) => Err(PlaceError::PageMissing {
                page_number: index + 1,
                page_count,
            }),
            None => Ok(indices),
        }
    }
}

/// A place by a word: the middle of the seal stands over the middle of the word, moved by the
/// offset.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyword {
    /// The word; blanks in it make no difference.
    pub text: String,
    /// Which of its occurrences.
    pub occurrence: Occurrence,
    /// Where it is looked for.
    pub pages: Pages,
    /// Rightwards, in millimetres.
    pub offset_x_mm: f64,
    /// Downwards, in millimetres.
    pub offset_y_mm: f64,
}

/// Which occurrence of a word, in reading order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// The n-th, counted from 1.
    Number(u32),
    /// The last.
    Last,
    /// Every one.
    All,
}

/// Works a place out for a seal of `size_mm` (width, height).
///
/// # Errors
/// [`PlaceError`].
pub fn resolve(
    document: &Document<'_>,
    place: &Place,
    size_mm: [f64; 2],
    may_leave_page: bool,
) -> Result<Placement, PlaceError> {
    let [width_mm, height_mm] = size_mm;
    let whole = |page_index, x_mm, y_mm| Spot {
        page_index,
        x_mm,
        y_mm,
        width_mm,
        height_mm,
        part: Part::WHOLE,
    };
    let spots: Vec<Spot> = match place {
        Place::At(placement) => {
            if let Placement::Visible {
                page_index,
                width_mm,
                height_mm,
                ..
            } = placement
                && !may_leave_page
            {
                check_size(document, *page_index, [*width_mm, *height_mm])?;
            }
            return Ok(placement.clone());
        }
        Place::Pages { pages, x_mm, y_mm } => pages
            .indices(document)?
            .into_iter()
            .map(|page_index| whole(page_index, *x_mm, *y_mm))
            .collect(),
        Place::Keyword(keyword) => keyword
            .middles(document)?
            .into_iter()
            .map(|(page_index, [x, y])| whole(page_index, x - width_mm / 2.0, y - height_mm / 2.0))
            .collect(),
        Place::IssuerAndDate { issuer } => {
            let (page_index, [x, y]) = issuer_date::middle(document, issuer, height_mm)?;
            vec![whole(page_index, x - width_mm / 2.0, y - height_mm / 2.0)]
        }
        Place::Seam(seam) => seam.spots(document, size_mm)?,
    };
    if spots.len() > PLACES_MAX {
        return Err(PlaceError::TooManyPlaces {
            places: spots.len(),
            max: PLACES_MAX,
        });
    }
    if !may_leave_page {
        for spot in &spots {
            check_size(document, spot.page_index, [spot.width_mm, spot.height_mm])?;
        }
    }
    Ok(match spots.as_slice() {
        [only] if only.part == Part::WHOLE => Placement::Visible {
            page_index: only.page_index,
            x_mm: only.x_mm,
            y_mm: only.y_mm,
            width_mm: only.width_mm,
            height_mm: only.height_mm,
        },
        _ => Placement::Places(spots),
    })
}

/// A seal larger than the page would leave it wherever it stood; that is worth its own word.
fn check_size(
    document: &Document<'_>,
    page_index: usize,
    [width_mm, height_mm]: [f64; 2],
) -> Result<(), PlaceError> {
    let (page_width_mm, page_height_mm) = document.page(page_index)?.size_mm();
    if width_mm > page_width_mm || height_mm > page_height_mm {
        return Err(PlaceError::LargerThanPage {
            page_number: page_index + 1,
            width_mm,
            height_mm,
            page_width_mm,
            page_height_mm,
        });
    }
    Ok(())
}

impl Keyword {
    /// Where the middle of the seal goes, on each page.
    fn middles(&self, document: &Document<'_>) -> Result<Vec<(usize, [f64; 2])>, PlaceError> {
        let search = find(document, &self.text, &self.pages)?;
        let count = search.matches.len();
        let chosen: Vec<TextMatch> = match self.occurrence {
            Occurrence::All => search.matches,
            Occurrence::Last => search.matches.into_iter().last().into_iter().collect(),
            Occurrence::Number(number) => {
                let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
                let found = index.and_then(|index| search.matches.into_iter().nth(index));
                let found = found.ok_or_else(|| PlaceError::OccurrenceMissing {
                    keyword: self.text.clone(),
                    asked: number,
                    found: count,
                })?;
                vec![found]
            }
        };
        let middle = |found: TextMatch| {
            let [x, y] = middle_of(&found);
            (
                found.page_index,
                [x + self.offset_x_mm, y + self.offset_y_mm],
            )
        };
        Ok(chosen.into_iter().map(middle).collect())
    }
}

fn middle_of(found: &TextMatch) -> [f64; 2] {
    [
        (found.left_mm + found.right_mm) / 2.0,
        (found.top_mm + found.bottom_mm) / 2.0,
    ]
}

/// Every occurrence; at least one.
fn find(document: &Document<'_>, text: &str, pages: &Pages) -> Result<TextSearch, PlaceError> {
    let characters = text.chars().count();
    if text.trim().is_empty() || characters > KEYWORD_CHARACTERS_MAX {
        return Err(PlaceError::KeywordLength {
            characters,
            max: KEYWORD_CHARACTERS_MAX,
        });
    }
    let search = document.find_text(text, pages.indices(document)?)?;
    if search.matches.is_empty() {
        return Err(PlaceError::KeywordNotFound {
            keyword: text.to_owned(),
            search: Box::new(search),
        });
    }
    Ok(search)
}
