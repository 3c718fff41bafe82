//! Forged /ByteRange and /Contents: each is refused for its own reason.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{
    Places, Profile, append, check, code, expect, now, places, plain_pdf, revise, seal, trust,
    verify, written,
};
use yinxin_pdf::{Document, Limits};
use yinxin_verifier::{Indication, StepId, SubIndication};

fn sealed() -> Vec<u8> {
    seal(&plain_pdf(), Profile::Rsa)
}

/// The sealed file with the text of a span replaced, filled up with spaces.
fn overwrite(pdf: &[u8], span: std::ops::Range<usize>, text: &str) -> Vec<u8> {
    let mut changed = pdf.to_vec();
    assert!(text.len() <= span.len(), "{text} is too long");
    changed[span.clone()].fill(b' ');
    changed[span.start..span.start + text.len()].copy_from_slice(text.as_bytes());
    changed
}

fn rename(pdf: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = pdf
        .windows(from.len())
        .rposition(|window| window == from.as_bytes())
        .unwrap();
    overwrite(pdf, at..at + from.len(), to)
}

/// Checks one forgery: TOTAL-FAILED, FORMAT_FAILURE, and the code at its step.
fn refused(what: &str, forged: &[u8], step: StepId, expected: &str) {
    let report = check(forged);
    assert_eq!(report.indication, Indication::TotalFailed, "{what}");
    let signature = &report.signatures[0];
    expect(
        what,
        signature,
        Indication::TotalFailed,
        Some(SubIndication::FormatFailure),
    );
    let codes = code(signature, step);
    assert!(
        codes.split(' ').any(|code| code == expected),
        "{what}: {codes}"
    );
}

#[test]
fn a_byte_range_that_is_not_exact_fails() {
    let pdf = sealed();
    let Places {
        contents,
        byte_range,
        ..
    } = places(&pdf);
    let (start, end, length) = (contents.start, contents.end, pdf.len());
    let rest = length - end;
    let cases = [
        (
            "three numbers",
            format!("[0 {start} {end}]"),
            "BYTE_RANGE_COUNT",
        ),
        (
            "five numbers",
            format!("[0 {start} {end} {rest} 0]"),
            "BYTE_RANGE_COUNT",
        ),
        ("no numbers", "[]".to_owned(), "BYTE_RANGE_COUNT"),
        (
            "not from the start",
            format!("[1 {} {end} {rest}]", start - 1),
            "BYTE_RANGE_START",
        ),
        (
            "from before the start",
            format!("[-1 {start} {end} {rest}]"),
            "BYTE_RANGE_START",
        ),
        (
            "a negative length",
            format!("[0 -{start} {end} {rest}]"),
            "BYTE_RANGE_OUT_OF_FILE",
        ),
        (
            "a negative rest",
            format!("[0 {start} {end} -{rest}]"),
            "BYTE_RANGE_OUT_OF_FILE",
        ),
        (
            "past the end",
            format!("[0 {start} {end} {}]", rest + 1),
            "BYTE_RANGE_OUT_OF_FILE",
        ),
        (
            "far out",
            format!("[0 {start} {end} {}]", i64::MAX),
            "BYTE_RANGE_OUT_OF_FILE",
        ),
        (
            "sum overflows",
            format!("[0 {start} {} {}]", length - 1, i64::MAX),
            "BYTE_RANGE_OUT_OF_FILE",
        ),
        (
            "overlap",
            format!("[0 {end} {start} {rest}]"),
            "BYTE_RANGE_OVERLAP",
        ),
        (
            "no gap",
            format!("[0 {start} {start} {}]", length - start),
            "BYTE_RANGE_GAP",
        ),
        (
            "gap too wide on the left",
            format!("[0 {} {end} {rest}]", start - 1),
            "BYTE_RANGE_GAP",
        ),
        (
            "gap too wide on the right",
            format!("[0 {start} {} {}]", end + 1, rest - 1),
            "BYTE_RANGE_GAP",
        ),
        (
            "gap without the brackets",
            format!("[0 {} {} {}]", start + 1, end - 1, rest + 1),
            "BYTE_RANGE_GAP",
        ),
        (
            "gap elsewhere",
            format!("[0 10 20 {}]", length - 20),
            "BYTE_RANGE_GAP",
        ),
        (
            "ends inside",
            format!("[0 {start} {end} {}]", rest - 20),
            "RANGE_ENDS_INSIDE_REVISION",
        ),
        (
            "ends inside the dictionary",
            format!("[0 {start} {end} 0]"),
            "DICTIONARY_NOT_COVERED",
        ),
    ];
    for (what, text, expected) in cases {
        let forged = overwrite(&pdf, byte_range.clone(), &text);
        refused(what, &forged, StepId::Coverage, expected);
    }
}

#[test]
fn a_signature_dictionary_that_is_none_fails() {
    let pdf = sealed();
    let Places {
        contents,
        byte_range,
        ..
    } = places(&pdf);
    let replace_range = |text: &str| overwrite(&pdf, byte_range.clone(), text);
    let replace_contents = |text: &str| overwrite(&pdf, contents.clone(), text);
    let digits = String::from_utf8(pdf[contents.start + 1..contents.end - 1].to_vec()).unwrap();
    let cases = [
        (
            "a null range",
            replace_range("null"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "a range that is a number",
            replace_range("5"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "real numbers",
            replace_range("[0.0 1.5 3 4]"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "indirect numbers",
            replace_range("[0 1 7 0 R 4]"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "an indirect range",
            replace_range("7 0 R"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "no range",
            rename(&pdf, "/ByteRange", "/ByteRangE"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "no contents",
            rename(&pdf, "/Contents <", "/contents <"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "two ranges",
            rename(&pdf, "/SubFilter", "/ByteRange"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "null contents",
            replace_contents("null"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "empty contents",
            replace_contents("<>"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "indirect contents",
            replace_contents("7 0 R"),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "literal contents",
            replace_contents(&format!("({digits})")),
            "SIGNATURE_DICTIONARY_BROKEN",
        ),
        (
            "an odd digit",
            replace_contents(&format!("<{}>", &digits[1..])),
            "CONTAINER_BROKEN",
        ),
        (
            "white space inside",
            {
                let mut text = format!("<{digits}>");
                text.replace_range(501..503, "  ");
                replace_contents(&text)
            },
            "CONTENTS_NOT_PLAIN",
        ),
        (
            "digits in both cases",
            {
                let at = 200 + digits[200..].find(['a', 'b', 'c', 'd', 'e', 'f']).unwrap();
                let mut text = format!("<{digits}>");
                let upper = digits[at..=at].to_ascii_uppercase();
                text.replace_range(at + 1..at + 2, &upper);
                replace_contents(&text)
            },
            "CONTENTS_NOT_PLAIN",
        ),
        (
            "something in the padding",
            {
                let mut text = format!("<{digits}>");
                let end = text.len();
                text.replace_range(end - 9..end - 7, "01");
                replace_contents(&text)
            },
            "PADDING_NOT_ZERO",
        ),
        (
            "a container cut short",
            {
                let half = digits.len() / 8 * 2;
                replace_contents(&format!("<{}>", &digits[..half]))
            },
            "CONTAINER_BROKEN",
        ),
        (
            "a container that is none",
            replace_contents(&format!("<{}>", "30020500".repeat(3))),
            "PADDING_NOT_ZERO",
        ),
        (
            "an unknown container",
            { replace_contents(&format!("<30020500{}>", "0".repeat(digits.len() - 8))) },
            "CONTAINER_BROKEN",
        ),
    ];
    for (what, forged, expected) in cases {
        refused(what, &forged, StepId::Format, expected);
    }
}

#[test]
fn a_container_of_another_kind_is_named() {
    let pdf = sealed();
    let contents = places(&pdf).contents;
    // SEQUENCE { OBJECT IDENTIFIER id-data, [0] { } }
    let other = "300d06092a864886f70d010701a000";
    let digits = contents.len() - 2;
    let text = format!("<{other}{}>", "0".repeat(digits - other.len()));
    let forged = overwrite(&pdf, contents, &text);
    refused("id-data", &forged, StepId::Format, "CONTAINER_UNKNOWN");
}

#[test]
fn bytes_after_the_end_are_seen() {
    let pdf = sealed();
    for tail in ["\n", " ", "\r\n\r\n", "\0"] {
        let mut longer = pdf.clone();
        longer.extend_from_slice(tail.as_bytes());
        refused(
            &format!("{tail:?}"),
            &longer,
            StepId::Coverage,
            "BYTES_AFTER_LAST_REVISION",
        );
    }
    for tail in ["junk", "%comment\n", "9 0 obj\nnull\nendobj\n", "\n%%EOF\n"] {
        let mut longer = pdf.clone();
        longer.extend_from_slice(tail.as_bytes());
        match verify(&longer, &trust(), &now()) {
            Err(error) => assert!(error.reason().starts_with("PDF_"), "{tail}"),
            Ok(report) => assert_eq!(report.indication, Indication::TotalFailed, "{tail}"),
        }
    }
}

#[test]
fn a_copied_signature_dictionary_is_not_the_signature() {
    let pdf = sealed();
    let Places {
        dictionary, field, ..
    } = places(&pdf);
    let copy = written(&pdf, dictionary);
    let same_number = revise(
        &pdf,
        &[
            (dictionary, &copy),
            (5, "<</Length 0>>\nstream\n\nendstream"),
        ],
    );
    refused(
        "under its number",
        &same_number,
        StepId::Coverage,
        "BYTE_RANGE_GAP",
    );

    let other = written(&pdf, field).replace(&format!("{dictionary} 0 R"), "90 0 R");
    let other_number = revise(&pdf, &[(90, &copy), (field, &other)]);
    refused(
        "under another number",
        &other_number,
        StepId::Coverage,
        "BYTE_RANGE_GAP",
    );
}

#[test]
fn a_field_without_a_signature_behind_it_fails() {
    let pdf = sealed();
    let Places {
        dictionary, field, ..
    } = places(&pdf);
    let reference = format!("{dictionary} 0 R");
    let field_text = written(&pdf, field);
    for (what, value) in [
        ("nothing there", "99 0 R"),
        ("a stream", "5 0 R"),
        ("a dictionary of its own", "<</Type/Sig>>"),
        ("a string", "(signed)"),
    ] {
        let forged = revise(&pdf, &[(field, &field_text.replace(&reference, value))]);
        let report = check(&forged);
        assert_eq!(report.indication, Indication::TotalFailed, "{what}");
        assert!(
            code(&report.signatures[0], StepId::Format).contains("BROKEN"),
            "{what}"
        );
    }
}

#[test]
fn a_signature_dictionary_in_an_object_stream_fails() {
    let mut pdf = sealed();
    let Places { dictionary, .. } = places(&pdf);
    let copy = written(&pdf, dictionary);
    let (prev, id) = {
        let document = Document::open(&pdf, Limits::default()).unwrap();
        let size = document
            .trailer()
            .get(b"Size")
            .unwrap()
            .as_integer()
            .unwrap();
        (document.newest().xref_offset, size)
    };
    // The container is `id`, the cross-reference stream `id + 1`.
    let header = format!("{dictionary} 0 ");
    let container = pdf.len();
    pdf.extend_from_slice(
        format!(
            "{id} 0 obj\n<</Type/ObjStm/N 1/First {}/Length {}>>\nstream\n{header}{copy}\nendstream\nendobj\n",
            header.len(),
            header.len() + copy.len()
        )
        .as_bytes(),
    );
    let section = pdf.len();
    let row = |kind: u8, place: usize, last: u16| {
        let mut row = vec![kind];
        row.extend_from_slice(&u32::try_from(place).unwrap().to_be_bytes());
        row.extend_from_slice(&last.to_be_bytes());
        row
    };
    let rows = [
        row(2, usize::try_from(id).unwrap(), 0),
        row(1, container, 0),
        row(1, section, 0),
    ]
    .concat();
    let entries = format!(
        "/Type/XRef/W[1 4 2]/Index[{dictionary} 1 {id} 2]/Size {}/Root 1 0 R/Info 8 0 R/Prev {prev}/Length {}",
        id + 2,
        rows.len()
    );
    pdf.extend_from_slice(format!("{} 0 obj\n<<{entries}>>\nstream\n", id + 1).as_bytes());
    pdf.extend_from_slice(&rows);
    pdf.extend_from_slice(format!("\nendstream\nendobj\nstartxref\n{section}\n%%EOF\n").as_bytes());
    refused(
        "in an object stream",
        &pdf,
        StepId::Format,
        "SIGNATURE_IN_OBJECT_STREAM",
    );
}

#[test]
fn an_incremental_update_without_cross_reference_is_refused_or_fails() {
    let mut pdf = sealed();
    pdf.extend_from_slice(b"5 0 obj\n<</Length 0>>\nstream\n\nendstream\nendobj\n%%EOF\n");
    assert!(verify(&pdf, &trust(), &now()).is_err());
    // A second startxref that leads back to the first section.
    let mut pdf = sealed();
    let document = Document::open(&pdf, Limits::default()).unwrap();
    let offset = document.newest().xref_offset;
    pdf.extend_from_slice(format!("5 0 obj\n(x)\nendobj\nstartxref\n{offset}\n%%EOF\n").as_bytes());
    match verify(&pdf, &trust(), &now()) {
        Err(error) => assert!(error.reason().starts_with("PDF_")),
        Ok(report) => assert_eq!(report.indication, Indication::TotalFailed),
    }
}

#[test]
fn a_cross_reference_that_repeats_old_entries_changes_nothing() {
    let mut pdf = sealed();
    let Places {
        dictionary, field, ..
    } = places(&pdf);
    let (prev, offsets) = {
        let document = Document::open(&pdf, Limits::default()).unwrap();
        let offset = |number| match document.newest().entry(number) {
            Some(yinxin_pdf::XrefEntry::InFile { offset, .. }) => offset,
            entry => panic!("{entry:?}"),
        };
        (
            document.newest().xref_offset,
            [dictionary, field].map(|it| (it, offset(it))),
        )
    };
    let id = r"/ID[<0102><0304>]";
    append(&mut pdf, &[], &format!("/Info 8 0 R{id}"), Some(prev));
    let at = pdf
        .windows(8)
        .rposition(|window| window == b"trailer\n")
        .unwrap();
    let mut table = String::new();
    for (number, offset) in offsets {
        table += &format!("{number} 1\n{offset:010} 00000 n \n");
    }
    pdf.splice(at..at, table.bytes());
    let report = check(&pdf);
    expect(
        "repeated entries",
        &report.signatures[0],
        Indication::TotalPassed,
        None,
    );
}
