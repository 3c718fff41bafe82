//! Opens arbitrary bytes, or the file that a script describes, and reads all that can be read.
//!
//! Laws: every span lies inside the file and holds what was read from it; a second reading is the
//! first one again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_fuzz::{limits, script, view};
use yinxin_pdf::{Document, ObjectId, ObjectSource, PdfError, parse_value, text_string};

fuzz_target!(|input: &[u8]| {
    let _ = parse_value(input, 0, &limits()).map_err(describe);
    let _ = text_string(input);
    let file = script::document(input);
    if let Err(error) = read(&file) {
        describe(error);
    }
});

fn describe(error: PdfError) {
    assert!(!error.reason().is_empty());
    let _ = error.to_string();
}

fn read(file: &[u8]) -> Result<(), PdfError> {
    let document = Document::open(file, limits())?;
    for revision in document.revisions() {
        assert!(revision.end <= file.len());
        assert!(revision.eof_end <= revision.end);
        assert!(revision.startxref_offset < revision.eof_end);
        assert!(document.revision_ending_at(revision.end) == Some(revision.index));
        for (number, _) in revision.entries().take(200) {
            for generation in [0, 1] {
                let id = ObjectId::new(number, generation);
                let Ok(object) = document.object_at(id, revision.index) else {
                    continue;
                };
                if let ObjectSource::File { span } = &object.source {
                    assert!(span.end <= file.len() && span.start <= object.value.span.start);
                }
                assert!(object.raw().get(object.value.span.clone()).is_some());
                let _ = object.written();
                if object.value.is_stream() {
                    let _ = document.stream_data(&object).map_err(describe);
                }
            }
        }
        let _ = document.objects_changed_after(revision.index);
        let _ = document.read_catalog(revision.index).map_err(describe);
    }
    if let Ok(pages) = document.page_count() {
        for page_index in 0..pages.min(20) {
            let page = document.page(page_index)?;
            assert!([0, 90, 180, 270].contains(&page.rotate));
            let numbers = [page.media_box, page.crop_box].concat();
            assert!(numbers.iter().all(|number| number.is_finite()));
            assert!(page.user_unit.is_finite() && page.user_unit > 0.0);
        }
        assert!(document.page(pages).is_err());
    }
    let fields = document.signature_fields()?;
    for field in &fields {
        let Some(value) = field.value else { continue };
        if let Ok(signature) = document.signature(value) {
            assert!(signature.in_object_stream || signature.contents.end <= file.len());
            let _ = signature.byte_range.len();
        }
    }
    let _ = view::pages(&document, &[]).map_err(describe);
    let again = Document::open(file, limits())?.signature_fields()?;
    assert_eq!(format!("{fields:?}"), format!("{again:?}"));
    Ok(())
}
