//! Damaged and doctored files: each is refused with its reason, none is repaired. Single objects
//! are in refused_objects.rs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{Builder, Place, find, id, open, read_all, replaced};
use yinxin_pdf::PdfError;

fn plain() -> Vec<u8> {
    let mut builder = Builder::with_pages(1);
    builder.object(3, "(three)");
    builder.end_with_table("");
    builder.bytes
}

fn reason(bytes: &[u8]) -> &'static str {
    read_all(bytes).map_or_else(|error| error.reason(), |()| "OPENED")
}

/// A file whose newest trailer has `extra`.
fn with_trailer(extra: &str) -> Vec<u8> {
    let mut builder = Builder::with_pages(1);
    builder.end_with_table(extra);
    builder.bytes
}

#[test]
fn a_damaged_frame_of_the_file_is_refused() {
    let good = plain();
    let with = |from: &str, to: &str| replaced(&good, from, to);
    let table = find(&good, "xref\n0 4");
    let startxref = format!("startxref\n{table}\n");
    for (what, bytes, expected) in [
        ("nothing", Vec::new(), "PDF_NOT_A_PDF"),
        ("a picture", b"\x89PNG\r\n\x1a\n".to_vec(), "PDF_NOT_A_PDF"),
        (
            "junk before the header",
            [b"\n".to_vec(), good.clone()].concat(),
            "PDF_JUNK_BEFORE_HEADER",
        ),
        (
            "a byte order mark",
            [b"\xef\xbb\xbf".to_vec(), good.clone()].concat(),
            "PDF_JUNK_BEFORE_HEADER",
        ),
        (
            "no version",
            with("%PDF-1.7", "%PDF-x.y"),
            "PDF_HEADER_BROKEN",
        ),
        (
            "junk behind %%EOF",
            [good.clone(), b"junk".to_vec()].concat(),
            "PDF_JUNK_AFTER_EOF",
        ),
        (
            "a comment behind %%EOF",
            [good.clone(), b"% c\n".to_vec()].concat(),
            "PDF_JUNK_AFTER_EOF",
        ),
        ("no %%EOF", with("%%EOF\n", ""), "PDF_EOF_MISSING"),
        (
            "no startxref",
            with("startxref\n", "startxrfe\n"),
            "PDF_STARTXREF_MISSING",
        ),
        (
            "no number",
            with(&startxref, "startxref\n"),
            "PDF_STARTXREF_MISSING",
        ),
        (
            "a negative number",
            with(&startxref, "startxref\n-5\n"),
            "PDF_STARTXREF_MISSING",
        ),
        (
            "all in one line",
            with(&startxref, &startxref.replace('\n', " ")),
            "PDF_STARTXREF_MISSING",
        ),
        (
            "one too low",
            with(&startxref, &format!("startxref\n{}\n", table - 1)),
            "PDF_XREF_BROKEN",
        ),
        (
            "one too high",
            with(&startxref, &format!("startxref\n{}\n", table + 1)),
            "PDF_XREF_BROKEN",
        ),
        (
            "startxref 0",
            with(&startxref, "startxref\n0\n"),
            "PDF_XREF_BROKEN",
        ),
        (
            "behind the file",
            with(&startxref, "startxref\n99999\n"),
            "PDF_XREF_FORWARD",
        ),
        (
            "a huge number",
            with(&startxref, "startxref\n99999999999999999999999\n"),
            "PDF_STARTXREF_MISSING",
        ),
        (
            "another startxref behind it",
            [good.clone(), format!("{startxref}%%EOF\n").into_bytes()].concat(),
            "PDF_XREF_BROKEN",
        ),
    ] {
        assert_eq!(reason(&bytes), expected, "{what}");
    }
}

#[test]
fn a_damaged_table_is_refused() {
    let good = plain();
    let with = |from: &str, to: &str| replaced(&good, from, to);
    let row = |number: usize| {
        let offset = find(&good, &format!("{number} 0 obj"));
        format!("{offset:010} 00000 n \n")
    };
    for (what, bytes, expected) in [
        (
            "19 bytes",
            with(&row(1), &row(1).replace(" \n", "\n")),
            "PDF_XREF_BROKEN",
        ),
        (
            "21 bytes",
            with(&row(1), &row(1).replace(" \n", " \r\n")),
            "PDF_XREF_BROKEN",
        ),
        (
            "another kind",
            with(&row(1), &row(1).replace('n', "x")),
            "PDF_XREF_BROKEN",
        ),
        (
            "no digits",
            with(&row(1), &row(1).replacen('0', "+", 1)),
            "PDF_XREF_BROKEN",
        ),
        (
            "generation 65536",
            with(&row(1), &row(1).replace(" 00000", " 65536")),
            "PDF_XREF_BROKEN",
        ),
        (
            "fewer rows than said",
            with("0 4\n", "0 5\n"),
            "PDF_XREF_BROKEN",
        ),
        (
            "more rows than said",
            with("0 4\n", "0 3\n"),
            "PDF_XREF_BROKEN",
        ),
        (
            "more rows than the file",
            with("0 4\n", "0 99999999\n"),
            "PDF_XREF_BROKEN",
        ),
        (
            "numbers at /Size",
            with("/Size 11", "/Size 10"),
            "PDF_XREF_BROKEN",
        ),
        ("no /Size", with("/Size 11", ""), "PDF_TRAILER_BROKEN"),
        (
            "a negative /Size",
            with("/Size 11", "/Size -1"),
            "PDF_TRAILER_BROKEN",
        ),
        ("no trailer", with("trailer", "retrial"), "PDF_XREF_BROKEN"),
        ("a number twice", with("10 1\n", "3 1\n"), "PDF_XREF_BROKEN"),
        (
            "shifted by one",
            with("0 4\n", "1 4\n"),
            "PDF_OBJECT_MISSING",
        ),
        ("no /Root", with("/Root 1 0 R", ""), "PDF_TRAILER_BROKEN"),
        (
            "a direct /Root",
            with("/Root 1 0 R", "/Root<</Type/Catalog>>"),
            "PDF_TRAILER_BROKEN",
        ),
        (
            "/Root to a page",
            with("/Root 1 0 R", "/Root 10 0 R"),
            "PDF_TRAILER_BROKEN",
        ),
        (
            "/Root to nothing",
            with("/Root 1 0 R", "/Root 9 0 R"),
            "PDF_OBJECT_MISSING",
        ),
        (
            "/Root twice",
            with("/Root 1 0 R", "/Root 1 0 R/Ro#6ft 3 0 R"),
            "PDF_DUPLICATE_KEY",
        ),
    ] {
        assert_eq!(reason(&bytes), expected, "{what}");
    }
}

#[test]
fn a_chain_that_does_not_lead_back_is_refused() {
    let own = find(&plain(), "xref\n0 4");
    for (what, bytes, expected) in [
        (
            "to itself",
            with_trailer_prev(|table| table),
            "PDF_XREF_LOOP",
        ),
        (
            "forward",
            with_trailer_prev(|table| table + 5),
            "PDF_XREF_FORWARD",
        ),
        ("to an object", with_trailer_prev(|_| 15), "PDF_XREF_BROKEN"),
        ("to 0", with_trailer_prev(|_| 0), "PDF_XREF_BROKEN"),
        ("negative", with_trailer("/Prev -1"), "PDF_TRAILER_BROKEN"),
        (
            "a reference",
            with_trailer("/Prev 3 0 R"),
            "PDF_TRAILER_BROKEN",
        ),
        ("encrypted", with_trailer("/Encrypt 3 0 R"), "PDF_ENCRYPTED"),
        (
            "an /XRefStm that is a table",
            with_trailer("/XRefStm 15"),
            "PDF_XREF_BROKEN",
        ),
    ] {
        assert_eq!(reason(&bytes), expected, "{what}");
    }
    // An older revision is cut off: its section is there, its startxref is not.
    let mut builder = Builder {
        bytes: plain(),
        prev: Some(own),
        size: 11,
        ..Builder::new()
    };
    builder.object(3, "(new)");
    builder.end_with_table("");
    let old_tail = format!("startxref\n{own}\n%%EOF\n3 0 obj");
    assert_eq!(reason(&builder.bytes), "OPENED");
    let bytes = replaced(
        &builder.bytes,
        &old_tail,
        &old_tail.replace("startxref", "startxxxx"),
    );
    assert_eq!(reason(&bytes), "PDF_XREF_BROKEN");
}

fn with_trailer_prev(prev: impl Fn(usize) -> usize) -> Vec<u8> {
    let table = find(&with_trailer(""), "xref\n0 3");
    with_trailer(&format!("/Prev {}", prev(table)))
}

#[test]
fn encryption_added_by_an_update_is_refused_too() {
    let mut builder = Builder::with_pages(1);
    builder.end_with_table("");
    builder.end_with_table("/Encrypt 4 0 R");
    assert_eq!(reason(&builder.bytes), "PDF_ENCRYPTED");
    let mut builder = Builder::with_pages(1);
    builder.end_with_stream(3, "/Encrypt 4 0 R");
    assert_eq!(reason(&builder.bytes), "PDF_ENCRYPTED");
}

#[test]
fn loops_through_two_sections_are_refused() {
    // Two tables that name each other; the second pass knows where the newer one stands.
    let mut newer = 0;
    let mut bytes = Vec::new();
    for _ in 0..2 {
        let mut builder = Builder::with_pages(1);
        builder.end_with_table(&format!("/Prev {newer:06}"));
        newer = builder.end_with_table("");
        bytes = builder.bytes;
    }
    assert_eq!(reason(&bytes), "PDF_XREF_LOOP");
}

/// Spec 4.4, 21: an unused number leads to another `1 0 obj`.
#[test]
fn an_aliased_entry_cannot_replace_the_catalog() {
    let mut builder = Builder::with_pages(1);
    let evil = builder.object(5, "(placeholder)");
    builder.bytes.truncate(evil);
    builder
        .bytes
        .extend_from_slice(b"1 0 obj\n<</Type/Catalog/Pages 2 0 R/Lang(EVIL)>>\nendobj\n");
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    assert!(document.catalog().get(b"Lang").is_none());
    let error = document.object(id(5)).unwrap_err();
    assert_eq!(
        error,
        PdfError::ObjectMismatch {
            asked: id(5),
            offset: evil
        }
    );
}

/// A file whose xref stream has the given `/W` and `/Index` entries and rows as they are.
fn with_xref_stream(entries: &str, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut builder = Builder::with_pages(1);
    builder.place(3, Place::File(builder.bytes.len(), 0));
    let (mut rows, _) = builder.stream_rows();
    change(&mut rows);
    let entries = format!("{entries}{}", builder.trailer_entries(""));
    let offset = builder.stream(3, &entries, &rows);
    builder.end_revision(offset);
    builder.bytes
}

#[test]
fn a_damaged_xref_stream_is_refused() {
    let same = |_: &mut Vec<u8>| {};
    let right = "/Type/XRef/W[1 4 2]/Index[0 4 10 1]";
    for (what, bytes, expected) in [
        ("right", with_xref_stream(right, same), "OPENED"),
        (
            "no type",
            with_xref_stream("/W[1 4 2]/Index[0 4 10 1]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "no /W",
            with_xref_stream("/Type/XRef/Index[0 4 10 1]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "two widths",
            with_xref_stream("/Type/XRef/W[1 6]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "a width of 9",
            with_xref_stream("/Type/XRef/W[1 9 2]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "a negative width",
            with_xref_stream("/Type/XRef/W[1 -4 2]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "no width",
            with_xref_stream("/Type/XRef/W[0 0 0]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "no /Index",
            with_xref_stream("/Type/XRef/W[1 4 2]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "an odd /Index",
            with_xref_stream("/Type/XRef/W[1 4 2]/Index[0 4 10]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "numbers at /Size",
            with_xref_stream("/Type/XRef/W[1 4 2]/Index[0 4 11 1]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "a huge /Index",
            with_xref_stream("/Type/XRef/W[1 4 2]/Index[0 9223372036854775807]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "a number twice",
            with_xref_stream("/Type/XRef/W[1 4 2]/Index[0 4 3 1]", same),
            "PDF_XREF_BROKEN",
        ),
        (
            "a byte too many",
            with_xref_stream(right, |rows| rows.push(0)),
            "PDF_XREF_BROKEN",
        ),
        (
            "a byte too few",
            with_xref_stream(right, |rows| rows.truncate(rows.len() - 1)),
            "PDF_XREF_BROKEN",
        ),
        (
            "a filter of images",
            with_xref_stream("/Filter/DCTDecode/Type/XRef/W[1 4 2]", same),
            "PDF_FILTER_UNSUPPORTED",
        ),
    ] {
        assert_eq!(reason(&bytes), expected, "{what}");
    }
}
