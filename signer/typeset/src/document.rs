//! From laid-out pages to the bytes of a PDF/A.

use typst::foundations::Smart;
use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::error::TypesetError;
use crate::world::Desk;

/// Refuses pages that would show an empty box for a character. PDF/A forbids `.notdef` as well
/// (ISO 19005-2, 6.2.11.8); this check comes first because it can name the characters.
pub(crate) fn require_glyphs(document: &PagedDocument) -> Result<(), TypesetError> {
    for (page, page_number) in document.pages().iter().zip(1..) {
        let mut characters = Vec::new();
        collect_missing(&page.frame, &mut characters);
        if !characters.is_empty() {
            return Err(TypesetError::MissingGlyph {
                characters,
                page_number,
            });
        }
    }
    Ok(())
}

fn collect_missing(frame: &Frame, characters: &mut Vec<char>) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => collect_missing(&group.frame, characters),
            FrameItem::Text(text) => {
                for glyph in text.glyphs.iter().filter(|glyph| glyph.id == 0) {
                    for character in text.text.get(glyph.range()).unwrap_or_default().chars() {
                        if !characters.contains(&character) {
                            characters.push(character);
                        }
                    }
                }
            }
            FrameItem::Shape(..)
            | FrameItem::Image(..)
            | FrameItem::Link(..)
            | FrameItem::Tag(_) => {}
        }
    }
}

/// Writes PDF/A-2b with tags. `identifier` is hashed into the document identifier.
pub(crate) fn export(
    desk: &Desk<'_>,
    document: &PagedDocument,
    identifier: String,
) -> Result<Vec<u8>, TypesetError> {
    let (created, offset_minutes) = desk.created();
    let options = PdfOptions {
        ident: Smart::Custom(identifier),
        creator: Smart::Custom(Some("Yinxin".to_owned())),
        timestamp: created.and_then(|moment| Timestamp::new_local(moment, offset_minutes)),
        page_ranges: None,
        standards: PdfStandards::new(&[PdfStandard::A_2b])
            .expect("one standard does not contradict itself"),
        tagged: true,
        pretty: false,
    };
    typst_pdf::pdf(document, &options).map_err(|errors| desk.template_error(&errors))
}
