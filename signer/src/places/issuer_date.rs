//! «骑年盖月»: the seal over issuer and date.

use yinxin_pdf::{Document, TextMatch};

use super::{Pages, PlaceError, find, middle_of};

/// How far below the issuer its date may stand: some empty lines of an official letter.
const DATE_BELOW_MAX_MM: f64 = 45.0;

/// How far beside the issuer's edges the date may stand: 4 characters of size 3 (GB/T 9704, 7.3.5).
const DATE_BESIDE_MAX_MM: f64 = 40.0;

/// From «年» to «月»: a month of two ideographs in the largest type.
const MONTH_WIDTH_MAX_MM: f64 = 40.0;

/// Characters of one line.
const SAME_LINE_MM: f64 = 2.0;

/// So far below the middle of the seal stands the middle of issuer and date («居印章中心偏下位置»), as a
/// part of its height.
const BELOW_MIDDLE: f64 = 0.1;

/// Issuers, years and months that are compared with one another on a page; an office writes a few.
const OCCURRENCES_MAX: usize = 1_000;

/// The page, and where the middle of the seal goes.
pub(super) fn middle(
    document: &Document<'_>,
    issuer: &str,
    height_mm: f64,
) -> Result<(usize, [f64; 2]), PlaceError> {
    let issuers = find(document, issuer, &Pages::All)?.matches;
    // The last one counts: the name may stand in the heading, too.
    for names in issuers.chunk_by(same_page).rev() {
        let Some(page_index) = names.first().map(|name| name.page_index) else {
            continue;
        };
        let dates = dates_on(document, page_index)?;
        for name in names.iter().rev().take(OCCURRENCES_MAX) {
            if let Some((year, month)) = nearest_below(&dates, name) {
                let x = (year.left_mm + month.right_mm) / 2.0;
                let lowest = year.bottom_mm.max(month.bottom_mm);
                let y = (name.top_mm + lowest) / 2.0 - BELOW_MIDDLE * height_mm;
                return Ok((page_index, [x, y]));
            }
        }
    }
    Err(PlaceError::DateNotFound {
        issuer: issuer.to_owned(),
        found: issuers.len(),
        max_mm: DATE_BELOW_MAX_MM,
    })
}

fn same_page(one: &TextMatch, other: &TextMatch) -> bool {
    one.page_index == other.page_index
}

/// «年» and «月» of each date of a page.
fn dates_on(
    document: &Document<'_>,
    page_index: usize,
) -> Result<Vec<(TextMatch, TextMatch)>, PlaceError> {
    let on_page = |word: &str| -> Result<Vec<TextMatch>, PlaceError> {
        let mut matches = document.find_text(word, [page_index])?.matches;
        matches.truncate(OCCURRENCES_MAX);
        Ok(matches)
    };
    let years = on_page("年")?;
    let months = on_page("月")?;
    let of_year = |year: TextMatch| {
        let [_, year_y] = middle_of(&year);
        let month = months.iter().find(|month| {
            let [_, month_y] = middle_of(month);
            let to_the_right = month.left_mm - year.right_mm;
            (month_y - year_y).abs() < SAME_LINE_MM
                && (0.0..=MONTH_WIDTH_MAX_MM).contains(&to_the_right)
        })?;
        Some((year, *month))
    };
    Ok(years.into_iter().filter_map(of_year).collect())
}

/// The nearest date below an issuer.
fn nearest_below(
    dates: &[(TextMatch, TextMatch)],
    name: &TextMatch,
) -> Option<(TextMatch, TextMatch)> {
    dates
        .iter()
        .filter(|(year, _)| {
            let below = year.top_mm - name.bottom_mm;
            (-SAME_LINE_MM..=DATE_BELOW_MAX_MM).contains(&below)
                && year.left_mm > name.left_mm - DATE_BESIDE_MAX_MM
                && year.right_mm < name.right_mm + DATE_BESIDE_MAX_MM
        })
        .min_by(|(one, _), (other, _)| one.top_mm.total_cmp(&other.top_mm))
        .copied()
}
