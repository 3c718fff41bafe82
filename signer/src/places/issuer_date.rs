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

/// The page, and where the middle of the seal goes.
pub(super) fn middle(
    document: &Document<'_>,
    issuer: &str,
    height_mm: f64,
) -> Result<(usize, [f64; 2]), PlaceError> {
    let issuers = find(document, issuer, &Pages::All)?.matches;
    // The last one counts: the name may stand in the heading, too.
    for name in issuers.iter().rev() {
        if let Some((year, month)) = date_below(document, name)? {
            let x = (year.left_mm + month.right_mm) / 2.0;
            let lowest = year.bottom_mm.max(month.bottom_mm);
            let y = (name.top_mm + lowest) / 2.0 - BELOW_MIDDLE * height_mm;
            return Ok((name.page_index, [x, y]));
        }
    }
    Err(PlaceError::DateNotFound {
        issuer: issuer.to_owned(),
        found: issuers.len(),
        max_mm: DATE_BELOW_MAX_MM,
    })
}

/// «年» and «月» of the nearest date below.
fn date_below(
    document: &Document<'_>,
    name: &TextMatch,
) -> Result<Option<(TextMatch, TextMatch)>, PlaceError> {
    let on_page = |word: &str| document.find_text(word, [name.page_index]);
    let months = on_page("月")?.matches;
    let nearest = on_page("年")?
        .matches
        .into_iter()
        .filter(|year| {
            let below = year.top_mm - name.bottom_mm;
            (-SAME_LINE_MM..=DATE_BELOW_MAX_MM).contains(&below)
                && year.left_mm > name.left_mm - DATE_BESIDE_MAX_MM
                && year.right_mm < name.right_mm + DATE_BESIDE_MAX_MM
        })
        .filter_map(|year| {
            let [_, year_y] = middle_of(&year);
            let month = months.iter().find(|month| {
                let [_, month_y] = middle_of(month);
                let to_the_right = month.left_mm - year.right_mm;
                (month_y - year_y).abs() < SAME_LINE_MM
                    && (0.0..=MONTH_WIDTH_MAX_MM).contains(&to_the_right)
            })?;
            Some((year, *month))
        })
        .min_by(|(one, _), (other, _)| one.top_mm.total_cmp(&other.top_mm));
    Ok(nearest)
}
