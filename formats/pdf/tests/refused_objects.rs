//! Damaged objects and object streams: each is refused with its reason when it is asked for.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{Builder, Place, deflate, id, open, read_all, replaced};

fn reason(bytes: &[u8]) -> &'static str {
    read_all(bytes).map_or_else(|error| error.reason(), |()| "OPENED")
}

fn plain() -> Vec<u8> {
    let mut builder = Builder::with_pages(1);
    builder.object(3, "(three)");
    builder.end_with_table("");
    builder.bytes
}

#[test]
fn a_damaged_object_is_refused_when_it_is_asked_for() {
    for (what, body, expected) in [
        ("right", "(three)", "OPENED"),
        ("a comment", "(three) % and more", "OPENED"),
        ("nothing", "", "PDF_SYNTAX"),
        ("two values", "(a)(b)", "PDF_SYNTAX"),
        ("an open string", "(three", "PDF_SYNTAX"),
        ("an open hexadecimal string", "<00", "PDF_SYNTAX"),
        ("an open array", "[three", "PDF_SYNTAX"),
        ("an open dictionary", "<</A 1", "PDF_SYNTAX"),
        ("closed twice", "[1]]", "PDF_SYNTAX"),
        ("a key without value", "<</K>>", "PDF_SYNTAX"),
        ("a key that is no name", "<<(K)1>>", "PDF_SYNTAX"),
        ("a key twice", "<</A 1/A 2>>", "PDF_DUPLICATE_KEY"),
        (
            "a hidden key twice",
            "<</A 1/B 1/#41 2>>",
            "PDF_DUPLICATE_KEY",
        ),
        (
            "a key twice, once null",
            "[<</A null/A 2>>]",
            "PDF_DUPLICATE_KEY",
        ),
        ("a number with two points", "1.2.3", "PDF_SYNTAX"),
        ("a number with an exponent", "1e5", "PDF_SYNTAX"),
        ("a huge integer", "99999999999999999999", "PDF_SYNTAX"),
        ("a name with #", "/a#g1", "PDF_SYNTAX"),
        ("a name with #00", "/a#00", "PDF_SYNTAX"),
        ("a bad hexadecimal string", "<0g>", "PDF_SYNTAX"),
        ("braces", "{three}", "PDF_SYNTAX"),
        ("a word", "three", "PDF_SYNTAX"),
        (
            "a reference of a huge generation",
            "1 65536 R",
            "PDF_SYNTAX",
        ),
        ("a signed reference", "1 +0 R", "PDF_SYNTAX"),
        (
            "a stream of no dictionary",
            "1 stream\nabc\nendstream",
            "PDF_SYNTAX",
        ),
    ] {
        let mut builder = Builder::with_pages(1);
        builder.object(3, body);
        builder.end_with_table("");
        assert_eq!(reason(&builder.bytes), expected, "{what}");
    }
    let good = plain();
    let with = |from: &str, to: &str| replaced(&good, from, to);
    for (what, bytes, expected) in [
        (
            "no endobj",
            with("(three)\nendobj", "(three)\nendogj"),
            "PDF_SYNTAX",
        ),
        (
            "another number",
            with("\n3 0 obj", "\n4 0 obj"),
            "PDF_OBJECT_MISMATCH",
        ),
        (
            "another generation",
            with("\n3 0 obj", "\n3 1 obj"),
            "PDF_OBJECT_MISMATCH",
        ),
        (
            "a longer number",
            with("\n3 0 obj", "33 0 obj"),
            "PDF_OBJECT_MISMATCH",
        ),
        (
            "no keyword",
            with("\n3 0 obj", "\n3 0 jbo"),
            "PDF_OBJECT_MISMATCH",
        ),
    ] {
        assert_eq!(reason(&bytes), expected, "{what}");
    }
}

#[test]
fn a_wrong_length_is_refused() {
    for (what, body, expected) in [
        ("right", "<</Length 3>>stream\nabc\nendstream", "OPENED"),
        (
            "without line end",
            "<</Length 3>>stream\nabcendstream",
            "OPENED",
        ),
        ("missing", "<<>>stream\nabc\nendstream", "PDF_STREAM_LENGTH"),
        (
            "short by two",
            "<</Length 1>>stream\nabc\nendstream",
            "PDF_STREAM_LENGTH",
        ),
        (
            "long by two",
            "<</Length 5>>stream\nabc\nendstream",
            "PDF_STREAM_LENGTH",
        ),
        (
            "negative",
            "<</Length -3>>stream\nabc\nendstream",
            "PDF_STREAM_LENGTH",
        ),
        (
            "behind the file",
            "<</Length 99999>>stream\nabc\nendstream",
            "PDF_STREAM_LENGTH",
        ),
        (
            "near 2^63",
            "<</Length 9223372036854775807>>stream\nabc\nendstream",
            "PDF_STREAM_LENGTH",
        ),
        (
            "a name",
            "<</Length/Three>>stream\nabc\nendstream",
            "PDF_STREAM_LENGTH",
        ),
        (
            "of itself",
            "<</Length 3 0 R>>stream\nabc\nendstream",
            "PDF_STREAM_LENGTH",
        ),
        (
            "of nothing",
            "<</Length 9 0 R>>stream\nabc\nendstream",
            "PDF_STREAM_LENGTH",
        ),
        (
            "CR alone",
            "<</Length 3>>stream\rabc\nendstream",
            "PDF_SYNTAX",
        ),
        (
            "in another file",
            "<</Length 3/F(x)>>stream\nabc\nendstream",
            "PDF_WRONG_TYPE",
        ),
        (
            "broken Flate",
            "<</Length 3/Filter/FlateDecode>>stream\nabc\nendstream",
            "PDF_FILTER_BROKEN",
        ),
    ] {
        let mut builder = Builder::with_pages(1);
        builder.object(3, body);
        builder.end_with_table("");
        assert_eq!(reason(&builder.bytes), expected, "{what}");
    }
}

#[test]
fn a_length_that_an_update_changes_is_refused() {
    let mut builder = Builder::with_pages(1);
    builder.object(
        3,
        "<</Length 4 0 R>>stream\nabc\nendstream endobj\nendstream",
    );
    builder.object(4, "3");
    builder.end_with_table("");
    assert!(open(&builder.bytes).unwrap().object(id(3)).is_ok());
    builder.object(4, "20");
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    assert!(document.object_at(id(3), 0).is_ok());
    assert_eq!(
        document.object(id(3)).unwrap_err().reason(),
        "PDF_STREAM_LENGTH"
    );
}

/// A file with object 5 in the object stream 4 that `entries` and `text` describe.
fn with_object_stream(entries: &str, text: &str) -> Vec<u8> {
    let mut builder = Builder::with_pages(1);
    builder.stream(
        4,
        &format!("{entries}/Filter/FlateDecode"),
        &deflate(text.as_bytes()),
    );
    builder.place(5, Place::Stream(4, 0));
    builder.end_with_stream(6, "");
    builder.bytes
}

#[test]
fn an_object_stream_that_is_not_what_the_cross_reference_says_is_refused() {
    let right = "/Type/ObjStm/N 1/First 4";
    for (what, entries, text, expected) in [
        ("right", right, "5 0 (five)", "OPENED"),
        (
            "no type",
            "/N 1/First 4",
            "5 0 (five)",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        (
            "another object",
            right,
            "7 0 (five)",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        (
            "no objects",
            "/Type/ObjStm/N 0/First 4",
            "5 0 (five)",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        (
            "a huge /N",
            "/Type/ObjStm/N 999999/First 4",
            "5 0 (five)",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        (
            "/First behind it",
            "/Type/ObjStm/N 1/First 99",
            "5 0 (five)",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        (
            "an offset behind it",
            right,
            "5 9 (five)",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        (
            "two values",
            right,
            "5 0 (five) 5",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        (
            "falling offsets",
            "/Type/ObjStm/N 2/First 8",
            "5 2 6 0 1 2",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        (
            "a stream in it",
            right,
            "5 0 <<>>stream",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
        ("broken syntax", right, "5 0 (five", "PDF_SYNTAX"),
        (
            "an indirect /N",
            "/Type/ObjStm/N 1 0 R/First 4",
            "5 0 (five)",
            "PDF_OBJECT_STREAM_BROKEN",
        ),
    ] {
        assert_eq!(
            reason(&with_object_stream(entries, text)),
            expected,
            "{what}"
        );
    }
}

#[test]
fn an_object_stream_redefined_by_an_update_does_not_speak_for_older_entries() {
    let mut builder = Builder::with_pages(1);
    builder.object_stream(4, &[(5, "(old)")]);
    builder.end_with_stream(6, "");
    builder.object_stream(4, &[(5, "(new)")]);
    builder.places.remove(&5);
    builder.end_with_stream(7, "");
    let document = open(&builder.bytes).unwrap();
    assert_eq!(
        document.object_at(id(5), 0).unwrap().value.as_string(),
        Some(&b"old"[..])
    );
    assert_eq!(
        document.object(id(5)).unwrap_err().reason(),
        "PDF_OBJECT_STREAM_BROKEN"
    );
}

#[test]
fn object_streams_inside_object_streams_are_refused() {
    let mut builder = Builder::with_pages(1);
    builder.place(4, Place::Stream(5, 0));
    builder.place(5, Place::Stream(4, 0));
    builder.end_with_stream(6, "");
    let document = open(&builder.bytes).unwrap();
    assert_eq!(
        document.object(id(4)).unwrap_err().reason(),
        "PDF_OBJECT_STREAM_BROKEN"
    );
    // Its /Length in itself: reading it would need itself.
    let mut builder = Builder::with_pages(1);
    builder.object(
        4,
        "<</Type/ObjStm/N 1/First 4/Length 5 0 R>>stream\n5 0 6\nendstream",
    );
    builder.place(5, Place::Stream(4, 0));
    builder.end_with_stream(6, "");
    let document = open(&builder.bytes).unwrap();
    assert_eq!(
        document.object(id(5)).unwrap_err().reason(),
        "PDF_OBJECT_STREAM_BROKEN"
    );
}
