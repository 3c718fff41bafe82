//! Finding words on pages, for places that are said by a word: content streams are read as far as
//! text needs it, with the fonts and encodings that say what a string means and how wide it is.
//!
//! What nobody can tell stays unknown: a font that gives no Unicode, a picture of text. Word and
//! line order are those of the content; characters of one word must stand beside one another.

mod encoding;
mod font;
mod interpreter;
mod latin;
mod operands;

use unicode_normalization::UnicodeNormalization as _;

use crate::document::Document;
use crate::error::PdfError;
use crate::update::sheet;
use interpreter::{PageText, Place, Reader};

/// How far the next character may stand from the end of the last one along the line, and how far
/// from the line, in em: spaced-out words are one word, columns are not.
const GAP_MAX_EM: f64 = 3.0;
const BACK_MAX_EM: f64 = 0.5;
const OFF_LINE_MAX_EM: f64 = 0.5;

/// The same word drawn twice, as bold letters are made: no farther apart than this.
const SAME_PLACE_MM: f64 = 0.8;

/// Radicals of the CJK Radicals Supplement that are whole ideographs, and which (Unicode's
/// EquivalentUnifiedIdeograph.txt). NFKC leaves them alone, and Chromium writes 民 as one of them.
const RADICALS: [(char, char); 33] = [
    ('\u{2e81}', '厂'),
    ('\u{2e9f}', '母'),
    ('\u{2ea0}', '民'),
    ('\u{2ea9}', '王'),
    ('\u{2ec1}', '虎'),
    ('\u{2ec4}', '西'),
    ('\u{2ec5}', '见'),
    ('\u{2ec6}', '角'),
    ('\u{2ec9}', '贝'),
    ('\u{2ecb}', '车'),
    ('\u{2ed1}', '長'),
    ('\u{2ed3}', '长'),
    ('\u{2ed4}', '门'),
    ('\u{2ed7}', '雨'),
    ('\u{2ed8}', '青'),
    ('\u{2ed9}', '韦'),
    ('\u{2eda}', '页'),
    ('\u{2edb}', '风'),
    ('\u{2edc}', '飞'),
    ('\u{2edd}', '食'),
    ('\u{2ee1}', '首'),
    ('\u{2ee2}', '马'),
    ('\u{2ee3}', '骨'),
    ('\u{2ee4}', '鬼'),
    ('\u{2ee5}', '鱼'),
    ('\u{2ee6}', '鸟'),
    ('\u{2ee7}', '卤'),
    ('\u{2ee8}', '麦'),
    ('\u{2ee9}', '黄'),
    ('\u{2eea}', '黾'),
    ('\u{2eec}', '齐'),
    ('\u{2eee}', '齿'),
    ('\u{2ef0}', '龙'),
];

/// Where a word stands on a page as a reader sees it, in millimetres from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextMatch {
    /// The page, counted from 0.
    pub page_index: usize,
    /// The left edge of the word's em boxes.
    pub left_mm: f64,
    /// Their upper edge.
    pub top_mm: f64,
    /// Their right edge.
    pub right_mm: f64,
    /// Their lower edge.
    pub bottom_mm: f64,
    /// Where the first character begins on the baseline (for vertical writing, the middle of its
    /// upper edge).
    pub start_mm: [f64; 2],
}

/// What a search gave, and what there was to search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextSearch {
    /// Page by page, from above to below, from left to right.
    pub matches: Vec<TextMatch>,
    /// Pages looked at.
    pub pages: usize,
    /// Of these, pages without one character that can be read.
    pub pages_without_text: usize,
    /// Characters read.
    pub characters: usize,
    /// Glyphs whose characters nobody can tell.
    pub unknown_glyphs: usize,
    /// Pictures shown; a scanned page is one picture.
    pub images: usize,
}

impl Document<'_> {
    /// Searches pages for a word. Blanks make no difference, nor do the compatibility forms of a
    /// character (Unicode's NFKC: full-width letters, radicals that look like ideographs). A word
    /// that is broken over two lines is not found.
    ///
    /// # Errors
    /// [`PdfError::PageMissing`]; content that is not PDF syntax (the offset counts in the decoded
    /// content), a filter that is not known, a passed limit.
    pub fn find_text(
        &self,
        word: &str,
        pages: impl IntoIterator<Item = usize>,
    ) -> Result<TextSearch, PdfError> {
        let word: Vec<char> = searchable(word.chars()).collect();
        let mut reader = Reader::new(self);
        let mut search = TextSearch::default();
        for page_index in pages {
            let page = self.page(page_index)?;
            let text = reader.page(&page)?;
            search.pages += 1;
            search.pages_without_text += usize::from(text.characters.is_empty());
            search.characters += text.characters.len();
            search.unknown_glyphs += text.unknown;
            search.images += text.images;
            let sheet = sheet(&page);
            let mut found: Vec<TextMatch> = words(&text, &word)
                .into_iter()
                .filter_map(|places| {
                    let start_mm = sheet.seen(places.first()?.start);
                    let corners = places.iter().flat_map(|place| place.corners);
                    let mut edges = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
                    for [x, y] in corners.map(|corner| sheet.seen(corner)) {
                        let [left, top, right, bottom] = edges;
                        edges = [left.min(x), top.min(y), right.max(x), bottom.max(y)];
                    }
                    let [left_mm, top_mm, right_mm, bottom_mm] = edges;
                    Some(TextMatch {
                        page_index,
                        left_mm,
                        top_mm,
                        right_mm,
                        bottom_mm,
                        start_mm,
                    })
                })
                .collect();
            // Lines by whole millimetres, so that a word set a little higher keeps its place.
            found.sort_by(|one, other| {
                let line = |found: &TextMatch| (found.top_mm + found.bottom_mm).round();
                line(one)
                    .total_cmp(&line(other))
                    .then(one.left_mm.total_cmp(&other.left_mm))
            });
            found.dedup_by(|later, earlier| {
                (later.left_mm - earlier.left_mm).abs() < SAME_PLACE_MM
                    && (later.top_mm - earlier.top_mm).abs() < SAME_PLACE_MM
            });
            search.matches.append(&mut found);
        }
        Ok(search)
    }
}

/// Characters as they are compared.
fn searchable(characters: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    // A soft hyphen and a zero-width space are seen as little as a blank.
    let is_seen = |character: &char| {
        !character.is_whitespace() && !matches!(character, '\u{ad}' | '\u{200b}' | '\u{feff}')
    };
    let ideograph = |character: char| {
        let known = RADICALS.binary_search_by_key(&character, |(radical, _)| *radical);
        let known = known.ok().and_then(|place| RADICALS.get(place));
        known.map_or(character, |(_, ideograph)| *ideograph)
    };
    characters.nfkc().map(ideograph).filter(is_seen)
}

/// The glyphs of each occurrence of `word`.
fn words(text: &PageText, word: &[char]) -> Vec<Vec<Place>> {
    if word.is_empty() {
        return Vec::new();
    }
    let mut stream: Vec<(char, usize)> = Vec::with_capacity(text.characters.len());
    for (character, glyph) in &text.characters {
        let parts = searchable(std::iter::once(*character));
        stream.extend(parts.map(|part| (part, *glyph)));
    }
    let mut found = Vec::new();
    for window in stream.windows(word.len()) {
        let is_it = window
            .iter()
            .zip(word)
            .all(|((character, _), wanted)| character == wanted);
        if !is_it {
            continue;
        }
        let mut glyphs: Vec<usize> = window.iter().map(|(_, glyph)| *glyph).collect();
        glyphs.dedup();
        let places: Option<Vec<Place>> = glyphs
            .iter()
            .map(|glyph| text.places.get(*glyph).copied())
            .collect();
        let Some(places) = places else { continue };
        if places
            .iter()
            .zip(places.iter().skip(1))
            .all(|(one, next)| stand_together(one, next))
        {
            found.push(places);
        }
    }
    found
}

/// Whether the second glyph follows the first one on its line.
fn stand_together(one: &Place, next: &Place) -> bool {
    let [start_x, start_y] = one.start;
    let [end_x, end_y] = one.end;
    let length = (end_x - start_x).hypot(end_y - start_y);
    if length <= 0.0 || one.em <= 0.0 {
        // A mark without width belongs to what it stands on.
        return true;
    }
    let (along_x, along_y) = ((end_x - start_x) / length, (end_y - start_y) / length);
    let [next_x, next_y] = next.start;
    let (away_x, away_y) = (next_x - end_x, next_y - end_y);
    let gap = (away_x * along_x + away_y * along_y) / one.em;
    let off_line = (away_x * along_y - away_y * along_x).abs() / one.em;
    (-BACK_MAX_EM..=GAP_MAX_EM).contains(&gap) && off_line <= OFF_LINE_MAX_EM
}
