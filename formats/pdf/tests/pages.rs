//! The page tree: inheritance, boxes, counts that lie.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{Builder, id, open};
use yinxin_pdf::Value;

/// A catalog at 1 and the given objects.
fn tree(objects: &[(u32, &str)]) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    for (number, body) in objects {
        builder.object(*number, body);
    }
    builder.end_with_table("");
    builder.bytes
}

#[test]
fn pages_inherit_what_they_do_not_have() {
    let bytes = tree(&[
        (
            2,
            "<</Type/Pages/Kids[3 0 R 6 0 R]/Count 3/MediaBox[0 0 600 800]/Rotate 90/Resources 9 0 R>>",
        ),
        (
            3,
            "<</Type/Pages/Kids[4 0 R 5 0 R]/Count 2/CropBox[50 60 1000 700]/Rotate -90>>",
        ),
        (4, "<</Type/Page>>"),
        (
            5,
            "<</Type/Page/MediaBox 7 0 R/Rotate 450/UserUnit 2.5/Resources<</A 1>>>>",
        ),
        (6, "<</Type/Page/CropBox[10 10 20 20]/Rotate 0>>"),
        (7, "[100 8 0 R 0 0]"),
        (8, "200.5"),
    ]);
    let document = open(&bytes).unwrap();
    for pass in 0..6 {
        let page = document.page(0).unwrap();
        assert_eq!(
            (page.id, page.rotate, page.user_unit),
            (id(4), 270, 1.0),
            "{pass}"
        );
        assert_eq!(page.media_box, [0.0, 0.0, 600.0, 800.0]);
        assert_eq!(page.crop_box, [50.0, 60.0, 600.0, 700.0]);
        assert_eq!(
            page.resources.as_ref().and_then(Value::as_reference),
            Some(id(9))
        );
        let page = document.page(1).unwrap();
        assert_eq!((page.id, page.rotate, page.user_unit), (id(5), 90, 2.5));
        assert_eq!(page.media_box, [0.0, 0.0, 100.0, 200.5]);
        assert_eq!(page.crop_box, [50.0, 60.0, 100.0, 200.5]);
        assert!(
            page.resources
                .is_some_and(|resources| resources.as_dictionary().is_some())
        );
        let page = document.page(2).unwrap();
        assert_eq!((page.id, page.rotate, page.page_index), (id(6), 0, 2));
        assert_eq!(page.crop_box, [10.0, 10.0, 20.0, 20.0]);
        assert_eq!(document.page(3).unwrap_err().reason(), "PDF_PAGE_MISSING");
    }
    assert_eq!(document.page_count().unwrap(), 3);
}

#[test]
fn a_single_page_of_a_large_document_costs_a_few_objects() {
    let mut builder = Builder::with_pages(0);
    builder.pages(20_000);
    builder.end_with_table("");
    let limits = yinxin_pdf::Limits {
        parsed_bytes_max: 1_000_000,
        ..Default::default()
    };
    let document = yinxin_pdf::Document::open(&builder.bytes, limits).unwrap();
    let page = document.page(19_999).unwrap();
    assert_eq!(page.id, id(10 + 19_999));
    // All 20,000 pages are read once, not the kids of the root 20,000 times.
    let document = open(&builder.bytes).unwrap();
    support::within_two_seconds("20,000 pages", || {
        for page_index in 0..20_000 {
            assert_eq!(
                document.page(page_index).unwrap().id.number,
                10 + page_index as u32
            );
        }
    });
    assert_eq!(document.page_count().unwrap(), 20_000);
}

#[test]
fn a_tree_that_is_none_is_refused() {
    let page = (4, "<</Type/Page/MediaBox[0 0 9 9]>>");
    for (what, objects, expected) in [
        ("no root", vec![page], "PDF_PAGE_TREE_BROKEN"),
        ("a page as root", vec![(2, page.1)], "PDF_PAGE_TREE_BROKEN"),
        (
            "a stream as root",
            vec![(
                2,
                "<</Type/Pages/Kids[]/Count 0/Length 0>>stream\n\nendstream",
            )],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "no kids",
            vec![(2, "<</Type/Pages/Count 1>>")],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "no count",
            vec![(2, "<</Type/Pages/Kids[4 0 R]>>"), page],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "a negative count",
            vec![(2, "<</Type/Pages/Kids[4 0 R]/Count -1>>"), page],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "too low a count",
            vec![(2, "<</Type/Pages/Kids[4 0 R]/Count 0>>"), page],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "too high a count",
            vec![(2, "<</Type/Pages/Kids[4 0 R]/Count 2>>"), page],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "a huge count",
            vec![(2, "<</Type/Pages/Kids[4 0 R]/Count 99999999>>"), page],
            "PDF_LIMIT",
        ),
        (
            "a direct kid",
            vec![(2, "<</Type/Pages/Kids[<</Type/Page>>]/Count 1>>")],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "a missing kid",
            vec![(2, "<</Type/Pages/Kids[5 0 R]/Count 1>>")],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "a kid of another type",
            vec![(2, "<</Type/Pages/Kids[1 0 R]/Count 1>>")],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "a page twice",
            vec![(2, "<</Type/Pages/Kids[4 0 R 4 0 R]/Count 2>>"), page],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "a loop",
            vec![
                (2, "<</Type/Pages/Kids[3 0 R]/Count 1>>"),
                (3, "<</Type/Pages/Kids[2 0 R]/Count 1>>"),
            ],
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "a branch without pages",
            vec![
                (2, "<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>"),
                (3, "<</Type/Pages/Kids[]/Count 0>>"),
                page,
            ],
            "PDF_PAGE_TREE_BROKEN",
        ),
    ] {
        let bytes = tree(&objects);
        let document = open(&bytes).unwrap();
        assert_eq!(
            document.page_count().unwrap_err().reason(),
            expected,
            "{what}"
        );
        // The search by /Count may not see the fault, but it ends and never gives another page.
        if let Ok(page) = document.page(0) {
            assert_eq!(page.id, id(4), "{what}");
        }
    }
}

#[test]
fn a_loop_in_the_tree_ends_the_search_too() {
    let bytes = tree(&[
        (2, "<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        (3, "<</Type/Pages/Kids[2 0 R]/Count 1>>"),
    ]);
    assert_eq!(
        open(&bytes).unwrap().page(0).unwrap_err().reason(),
        "PDF_LIMIT"
    );
}

#[test]
fn boxes_and_rotations_that_are_none_are_refused() {
    for (what, entries, expected) in [
        ("right", "/MediaBox[0 0 9 9]", "OPENED"),
        ("no box", "", "PDF_PAGE_TREE_BROKEN"),
        ("three numbers", "/MediaBox[0 0 9]", "PDF_WRONG_TYPE"),
        ("a name", "/MediaBox/A4", "PDF_WRONG_TYPE"),
        ("names", "/MediaBox[0 0/A 4]", "PDF_WRONG_TYPE"),
        (
            "a crop box outside",
            "/MediaBox[0 0 9 9]/CropBox[10 10 20 20]",
            "PDF_PAGE_TREE_BROKEN",
        ),
        (
            "an oblique rotation",
            "/MediaBox[0 0 9 9]/Rotate 45",
            "PDF_WRONG_TYPE",
        ),
        (
            "a real rotation",
            "/MediaBox[0 0 9 9]/Rotate 90.0",
            "PDF_WRONG_TYPE",
        ),
        (
            "a unit of 0",
            "/MediaBox[0 0 9 9]/UserUnit 0",
            "PDF_WRONG_TYPE",
        ),
    ] {
        let page = format!("<</Type/Page{entries}>>");
        let bytes = tree(&[(2, "<</Type/Pages/Kids[4 0 R]/Count 1>>"), (4, &page)]);
        let result = open(&bytes).unwrap().page(0);
        assert_eq!(
            result.map_or_else(|error| error.reason(), |_| "OPENED"),
            expected,
            "{what}"
        );
    }
}
