//! Why a place cannot be worked out.

use yinxin_pdf::{PdfError, TextSearch};

/// Why a place cannot be worked out, or is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlaceError {
    /// The word is on none of the pages.
    #[error("«{keyword}» is on none of the {} pages searched; {}", .search.pages, looked_at(.search))]
    KeywordNotFound {
        /// The word.
        keyword: String,
        /// What there was to search.
        search: Box<TextSearch>,
    },
    /// The word is there, but not so often.
    #[error(
        "«{keyword}» occurs {found} times; occurrence {asked} was asked for (they count from 1)"
    )]
    OccurrenceMissing {
        /// The word.
        keyword: String,
        /// Which one was asked for.
        asked: u32,
        /// How many there are.
        found: usize,
    },
    /// A word is empty or too long to be one.
    #[error("a keyword has 1 to {max} characters, blanks not alone; this one has {characters}")]
    KeywordLength {
        /// Its length.
        characters: usize,
        /// The longest.
        max: usize,
    },
    /// The issuer is there, but no date stands below it.
    #[error(
        "no date with «年» and «月» stands within {max_mm} mm below «{issuer}», which occurs {found} times"
    )]
    DateNotFound {
        /// The issuer.
        issuer: String,
        /// How often it occurs.
        found: usize,
        /// How far below it a date is looked for.
        max_mm: f64,
    },
    /// No page was named.
    #[error("no page is named")]
    NoPages,
    /// The document has fewer pages.
    #[error("page {page_number} of a document of {page_count} pages")]
    PageMissing {
        /// Which was asked for, from 1.
        page_number: usize,
        /// How many there are.
        page_count: usize,
    },
    /// One signature is shown in so many places at most.
    #[error("{places} places for one signature; at most {max} are made, so name fewer pages")]
    TooManyPlaces {
        /// How many were asked for.
        places: usize,
        /// The limit.
        max: usize,
    },
    /// A seam is between at least two sheets.
    #[error("a seam stamp needs at least two sheets of paper; there is {sheets}")]
    SeamNeedsSheets {
        /// How many there are.
        sheets: usize,
    },
    /// A seal cannot be split so.
    #[error("a seal is split over 2 to {max} sheets, not over {asked}")]
    SeamGroup {
        /// What was asked for.
        asked: u32,
        /// The most.
        max: u32,
    },
    /// The seal is larger than the page.
    #[error(
        "a seal of {width_mm:.1} × {height_mm:.1} mm is larger than page {page_number} of {page_width_mm:.1} × {page_height_mm:.1} mm"
    )]
    LargerThanPage {
        /// The page, from 1.
        page_number: usize,
        /// The seal's width.
        width_mm: f64,
        /// The seal's height.
        height_mm: f64,
        /// The page's width.
        page_width_mm: f64,
        /// The page's height.
        page_height_mm: f64,
    },
    /// The place lies over the field of another seal.
    #[error("the place lies over the signature field {field:?}; that must be asked for")]
    Overlaps {
        /// The other field.
        field: String,
    },
    /// The document cannot be read so far.
    #[error(transparent)]
    Document(#[from] PdfError),
}

impl PlaceError {
    /// The stable code for machines, logs and `google.rpc.ErrorInfo`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::KeywordNotFound { .. } => "KEYWORD_NOT_FOUND",
            Self::OccurrenceMissing { .. } => "KEYWORD_OCCURRENCE_MISSING",
            Self::KeywordLength { .. } => "KEYWORD_INVALID",
            Self::DateNotFound { .. } => "DATE_NOT_FOUND",
            Self::NoPages => "PAGES_MISSING",
            Self::PageMissing { .. } => "PAGE_MISSING",
            Self::TooManyPlaces { .. } => "PLACES_TOO_MANY",
            Self::SeamNeedsSheets { .. } => "SEAM_NEEDS_TWO_SHEETS",
            Self::SeamGroup { .. } => "SEAM_GROUP_INVALID",
            Self::LargerThanPage { .. } => "SEAL_LARGER_THAN_PAGE",
            Self::Overlaps { .. } => "STAMP_OVERLAPS",
            Self::Document(error) => error.reason(),
        }
    }
}

/// What a search had to look at, and what may be the matter.
fn looked_at(search: &TextSearch) -> String {
    let TextSearch {
        characters,
        unknown_glyphs,
        images,
        pages_without_text,
        ..
    } = search;
    let hint = if *characters == 0 && *images > 0 {
        ": they are pictures without text, as scans are; name a page and a place instead"
    } else if *characters == 0 && *unknown_glyphs > 0 {
        ": their fonts do not say which characters they show; name a page and a place instead"
    } else {
        ""
    };
    format!(
        "they hold {characters} readable characters, {unknown_glyphs} glyphs that cannot be read \
         and {images} pictures; {pages_without_text} of them have no text{hint}"
    )
}
