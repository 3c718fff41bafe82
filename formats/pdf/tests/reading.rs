//! Right files of every form: what the reader says about them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::fmt::Write as _;

use support::{Builder, Place, deflate, find, id, open, read_all};
use yinxin_pdf::{Document, Kind, Limits, ObjectId, ObjectSource, PdfError, XrefEntry, XrefKind};

fn two_revisions() -> Builder {
    let mut builder = Builder::with_pages(2);
    builder.object(3, "(old)");
    builder.end_with_table("");
    builder.object(3, "(new)");
    builder.object(4, "[1 2.5 /N#41me <0aF> (a\\(b\\)) 3 0 R true null]");
    builder.end_with_table("");
    builder
}

#[test]
fn spans_are_offsets_in_the_file() {
    let bytes = two_revisions().bytes;
    let document = open(&bytes).unwrap();
    let object = document.object(id(4)).unwrap();
    let text = |span: &std::ops::Range<usize>| String::from_utf8_lossy(&bytes[span.clone()]);
    let written: Vec<_> = object
        .value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| text(&value.span))
        .collect();
    assert_eq!(
        written,
        [
            "1",
            "2.5",
            "/N#41me",
            "<0aF>",
            "(a\\(b\\))",
            "3 0 R",
            "true",
            "null"
        ]
    );
    let values = object.value.as_array().unwrap();
    assert_eq!(values[2].as_name(), Some(&b"NAme"[..]));
    assert_eq!(
        values[3].kind,
        Kind::String {
            bytes: vec![0x0a, 0xf0],
            hexadecimal: true
        }
    );
    assert_eq!(values[4].as_string(), Some(&b"a(b)"[..]));
    let ObjectSource::File { span } = &object.source else {
        panic!("it stands in the file")
    };
    assert!(text(span).starts_with("4 0 obj") && text(span).ends_with("endobj"));
    assert_eq!(object.written(), &bytes[object.value.span.clone()]);
}

#[test]
fn each_revision_shows_the_document_of_its_time() {
    let bytes = two_revisions().bytes;
    let document = open(&bytes).unwrap();
    let [first, second] = document.revisions() else {
        panic!("two revisions")
    };
    assert_eq!((first.index, second.index), (0, 1));
    assert_eq!(first.end, find(&bytes, "3 0 obj\n(new)"));
    assert_eq!((second.end, second.eof_end), (bytes.len(), bytes.len() - 1));
    assert!(bytes[second.startxref_offset..].starts_with(b"startxref"));
    let old = document.object_at(id(3), 0).unwrap();
    assert_eq!(
        (old.value.as_string(), old.revision_index),
        (Some(&b"old"[..]), 0)
    );
    let new = document.object(id(3)).unwrap();
    assert_eq!(
        (new.value.as_string(), new.revision_index),
        (Some(&b"new"[..]), 1)
    );
    assert_eq!(
        document.object_at(id(4), 0).unwrap_err().reason(),
        "PDF_OBJECT_MISSING"
    );
    let changed: Vec<_> = document
        .objects_changed_after(0)
        .iter()
        .map(|(number, at, _)| (*number, *at))
        .collect();
    assert_eq!(changed, [(3, 1), (4, 1)]);
    assert!(document.objects_changed_after(1).is_empty());
    assert_eq!(
        document.object_at(id(1), 2).unwrap_err().reason(),
        "PDF_REVISION_MISSING"
    );
}

#[test]
fn a_revision_ends_behind_its_eof_with_or_without_white_space() {
    let bytes = two_revisions().bytes;
    let document = open(&bytes).unwrap();
    let end = document.revisions()[0].end;
    for (offset, expected) in [
        (end, Some(0)),
        (end - 1, Some(0)),
        (end - 2, None),
        (end + 1, None),
        (bytes.len(), Some(1)),
        (bytes.len() - 1, Some(1)),
        (bytes.len() + 1, None),
        (0, None),
    ] {
        assert_eq!(document.revision_ending_at(offset), expected, "{offset}");
    }
}

#[test]
fn a_freed_number_is_missing_and_its_next_generation_is_another_object() {
    let mut builder = Builder::with_pages(1);
    builder.object(3, "(first)");
    builder.end_with_table("");
    builder.place(3, Place::Free(1));
    builder.end_with_table("");
    let offset = builder.bytes.len();
    builder
        .bytes
        .extend_from_slice(b"3 1 obj\n(second)\nendobj\n");
    builder.place(3, Place::File(offset, 1));
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    assert!(document.object_at(id(3), 0).is_ok());
    assert_eq!(
        document.object_at(id(3), 1).unwrap_err().reason(),
        "PDF_OBJECT_MISSING"
    );
    assert_eq!(
        document.object(id(3)).unwrap_err().reason(),
        "PDF_GENERATION_MISMATCH"
    );
    let second = document.object(ObjectId::new(3, 1)).unwrap();
    assert_eq!(second.value.as_string(), Some(&b"second"[..]));
    let freed = document.revisions()[1].entry(3);
    assert_eq!(
        freed,
        Some(XrefEntry::Free {
            next: 0,
            generation: 1
        })
    );
}

#[test]
fn object_streams_and_xref_streams_are_read() {
    let mut builder = Builder::with_pages(1);
    builder.object_stream(5, &[(3, "(three)"), (4, "<</A 3 0 R/B[1 2]>>")]);
    builder.end_with_stream(6, "");
    builder.object_stream(7, &[(4, "(four)")]);
    builder.end_with_stream(8, "");
    let document = open(&builder.bytes).unwrap();
    assert_eq!(document.revisions()[1].kind, XrefKind::Stream);
    let three = document.object(id(3)).unwrap();
    assert_eq!(
        three.source,
        ObjectSource::ObjectStream {
            container: id(5),
            index: 0
        }
    );
    assert_eq!(three.written(), b"(three)");
    let old = document.object_at(id(4), 0).unwrap();
    let name = old.dictionary().unwrap().get(b"A").unwrap();
    assert_eq!(&old.raw()[name.span.clone()], b"3 0 R");
    assert_eq!(
        document.resolve(name).unwrap().as_string(),
        Some(&b"three"[..])
    );
    assert_eq!(
        document.object(id(4)).unwrap().value.as_string(),
        Some(&b"four"[..])
    );
    read_all(&builder.bytes).unwrap();
}

#[test]
fn an_xref_stream_with_png_prediction_is_read() {
    let mut builder = Builder::with_pages(1);
    builder.place(6, Place::File(builder.bytes.len(), 0));
    let (rows, index) = builder.stream_rows();
    let mut predicted = Vec::new();
    let mut above = [0; 7];
    for row in rows.chunks(7) {
        predicted.push(2);
        predicted.extend(
            row.iter()
                .zip(above)
                .map(|(byte, up)| byte.wrapping_sub(up)),
        );
        above.copy_from_slice(row);
    }
    let entries = builder.trailer_entries("/DecodeParms<</Predictor 12/Columns 7>>");
    let entries = format!("/Type/XRef/W[1 4 2]/Index[{index}]/Filter/FlateDecode{entries}");
    let offset = builder.stream(6, &entries, &deflate(&predicted));
    builder.end_revision(offset);
    read_all(&builder.bytes).unwrap();
}

/// A hybrid file: `hidden` says what the stream says about object 5, which is free in the table.
fn hybrid(in_table: Place) -> Vec<u8> {
    let mut builder = Builder::with_pages(1);
    builder.object_stream(4, &[(5, "(hidden)")]);
    let in_stream = builder.places.remove(&5).unwrap();
    let mut table = std::mem::take(&mut builder.places);
    table.insert(5, in_table);
    builder.place(5, in_stream);
    let stream = builder.bytes.len();
    let (rows, index) = builder.stream_rows();
    let entries = format!("/Type/XRef/W[1 4 2]/Index[{index}]/Size 20");
    builder.stream(6, &entries, &rows);
    table.extend(
        std::mem::take(&mut builder.places)
            .into_iter()
            .filter(|(number, _)| *number == 6),
    );
    builder.places = table;
    builder.end_with_table(&format!("/XRefStm {stream}"));
    builder.bytes
}

#[test]
fn a_hybrid_file_shows_what_its_stream_adds() {
    let bytes = hybrid(Place::Free(0));
    let document = open(&bytes).unwrap();
    assert_eq!(document.revisions()[0].kind, XrefKind::Hybrid);
    assert_eq!(document.revisions()[0].xref_spans.len(), 2);
    assert_eq!(
        document.object(id(5)).unwrap().value.as_string(),
        Some(&b"hidden"[..])
    );
}

/// Word writes a classic file, and behind its %%EOF an empty table that names the stream.
#[test]
fn a_hybrid_file_as_word_writes_it_is_read() {
    let mut builder = Builder::with_pages(1);
    let stream = builder.bytes.len();
    builder.place(4, Place::File(stream, 0));
    let (rows, index) = builder.stream_rows();
    builder.stream(
        4,
        &format!("/Type/XRef/W[1 4 2]/Index[{index}]/Size 20"),
        &rows,
    );
    builder.end_with_table("");
    let offset = builder.bytes.len();
    let trailer = builder.trailer_entries(&format!("/XRefStm {stream}"));
    let end = format!("xref\n0 0\ntrailer\n<<{trailer}>>\n");
    builder.bytes.extend_from_slice(end.as_bytes());
    builder.end_revision(offset);
    let document = open(&builder.bytes).unwrap();
    let kinds: Vec<_> = document
        .revisions()
        .iter()
        .map(|revision| revision.kind)
        .collect();
    assert_eq!(kinds, [XrefKind::Table, XrefKind::Hybrid]);
    read_all(&builder.bytes).unwrap();
}

#[test]
fn a_hybrid_file_whose_table_says_something_else_is_refused() {
    let error = open(&hybrid(Place::File(15, 0))).unwrap_err();
    assert!(
        matches!(error, PdfError::HybridDisagrees { number: 5, .. }),
        "{error}"
    );
}

/// A linearized file as Annex F draws it: first-page section in front, main section at the end.
fn linearized() -> Vec<u8> {
    let objects = [
        (3, "<</Type/Catalog/Pages 1 0 R>>".to_owned()),
        (4, "<</Type/Page/Parent 1 0 R/Number 0>>".to_owned()),
    ];
    let rest = [
        (
            1,
            "<</Type/Pages/Kids[4 0 R 2 0 R]/Count 2/MediaBox[0 0 100 100]>>".to_owned(),
        ),
        (5, "(last)".to_owned()),
    ];
    let page = "<</Type/Page/Parent 1 0 R/Number 1>>";
    // Two passes: the second knows the offsets.
    let (mut length, mut main) = (0, 0);
    let mut places = [0; 8];
    let mut text = String::new();
    for _ in 0..2 {
        let mut next = [0; 8];
        text = String::from("%PDF-1.5\n");
        next[6] = text.len();
        let linear = format!("<</Linearized 1/L {length:010}/H[0 0]/O 4/E 0/N 2/T {main:010}>>");
        writeln!(text, "6 0 obj\n{linear}\nendobj").unwrap();
        let first = text.len();
        writeln!(text, "xref\n3 4").unwrap();
        for number in [3, 4, 5, 6] {
            writeln!(text, "{:010} 00000 n ", places[number]).unwrap();
        }
        writeln!(
            text,
            "trailer\n<</Size 7/Root 3 0 R/Prev {main:010}>>\nstartxref\n0\n%%EOF"
        )
        .unwrap();
        for (number, body) in objects.iter().chain(&rest) {
            next[*number] = text.len();
            writeln!(text, "{number} 0 obj\n{body}\nendobj").unwrap();
        }
        next[2] = text.len();
        writeln!(text, "2 0 obj\n{page}\nendobj").unwrap();
        main = text.len();
        writeln!(text, "xref\n0 3\n0000000000 65535 f ").unwrap();
        for number in [1, 2] {
            writeln!(text, "{:010} 00000 n ", places[number]).unwrap();
        }
        writeln!(text, "trailer\n<</Size 3>>\nstartxref\n{first}\n%%EOF").unwrap();
        length = text.len();
        places = next;
    }
    text.into_bytes()
}

#[test]
fn a_linearized_file_is_one_revision() {
    let bytes = linearized();
    let document = open(&bytes).unwrap();
    let [revision] = document.revisions() else {
        panic!("one revision")
    };
    assert_eq!(revision.entries().len(), 7);
    assert_eq!(revision.end, bytes.len());
    assert_eq!(revision.xref_spans.len(), 2);
    assert_eq!(document.catalog_id(), id(3));
    assert_eq!(document.page_count().unwrap(), 2);
    read_all(&bytes).unwrap();
}

#[test]
fn an_updated_linearized_file_has_two_revisions() {
    let mut builder = Builder::new();
    builder.bytes = linearized();
    let length = builder.bytes.len();
    builder.places.clear();
    builder.prev = Some(find(&builder.bytes, "xref\n3 4"));
    (builder.root, builder.size) = (3, 7);
    builder.object(5, "(changed)");
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    let ends: Vec<_> = document
        .revisions()
        .iter()
        .map(|revision| revision.end)
        .collect();
    assert_eq!(ends, [length, builder.bytes.len()]);
    assert_eq!(
        document.object(id(5)).unwrap().value.as_string(),
        Some(&b"changed"[..])
    );
    assert_eq!(document.revision_ending_at(length), Some(0));
    read_all(&builder.bytes).unwrap();
}

#[test]
fn a_forward_prev_is_only_for_linearized_files() {
    let bytes = linearized();
    for (what, from, to) in [
        (
            "no linearization dictionary",
            "/Linearized 1",
            "/Linearised 1",
        ),
        ("another length", "/L 0", "/L 1"),
        (
            "an older section behind the main one",
            "<</Size 3>>",
            "<</Size 3/Prev 9>>",
        ),
    ] {
        let error = open(&support::replaced(&bytes, from, to)).unwrap_err();
        assert_eq!(error.reason(), "PDF_XREF_FORWARD", "{what}: {error}");
    }
}

#[test]
fn the_spellings_that_the_standard_allows_are_read() {
    let builder = || Builder::with_pages(1);
    let whole = |mut builder: Builder| {
        builder.end_with_table("");
        builder.bytes
    };
    let text = String::from_utf8_lossy(&whole(builder())[15..]).into_owned();
    let head = whole(builder())[..15].to_vec();
    let with = |from: &str, to: &str| [head.clone(), text.replace(from, to).into_bytes()].concat();
    for (what, bytes) in [
        ("SP CR", with("n \n", "n \r")),
        ("CR LF", with("n \n", "n\r\n")),
        (
            "a comment of iText",
            with("startxref", "%iText-7.1.9\nstartxref"),
        ),
        ("no line end behind %%EOF", with("%%EOF\n", "%%EOF")),
        (
            "white space behind %%EOF",
            with("%%EOF\n", "%%EOF\r\n\n \0"),
        ),
        ("trailer in one line", with("trailer\n<<", "trailer<<")),
        ("startxref with CR LF", with("startxref\n", "startxref\r\n")),
    ] {
        read_all(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
}

#[test]
fn streams_with_direct_and_indirect_lengths_and_all_filters_are_decoded() {
    let mut builder = Builder::with_pages(1);
    let data = b"It was the best of times, it was the worst of times. It was".to_vec();
    let hexadecimal: String = data.iter().map(|byte| format!("{byte:02x} ")).collect();
    builder.stream(3, "", &data);
    builder.stream(4, "/Filter/FlateDecode", &deflate(&data));
    builder.stream(
        5,
        "/Filter[/ASCIIHexDecode]",
        format!("{hexadecimal}>").as_bytes(),
    );
    let nested: String = deflate(&data)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    builder.stream(
        6,
        "/Filter[/ASCIIHexDecode/FlateDecode]/DecodeParms[null null]",
        format!("{nested}>").as_bytes(),
    );
    let body = format!(
        "<</Length 8 0 R>>stream\r\n{}endstream",
        String::from_utf8_lossy(&data)
    );
    builder.object(7, &body);
    builder.object_stream(9, &[(8, &data.len().to_string())]);
    builder.end_with_stream(30, "");
    let document = open(&builder.bytes).unwrap();
    for number in 3..8 {
        let object = document.object(id(number)).unwrap();
        assert_eq!(document.stream_data(&object).unwrap(), data, "{number}");
    }
    let error = document
        .stream_data(&document.object(id(1)).unwrap())
        .unwrap_err();
    assert_eq!(error.reason(), "PDF_WRONG_TYPE");
}

#[test]
fn lazily_an_entry_of_offset_0_hurts_nobody_until_it_is_asked_for() {
    let mut builder = Builder::with_pages(1);
    builder.place(3, Place::File(0, 0));
    builder.place(4, Place::File(99_999, 0));
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    assert!(document.page(0).is_ok());
    assert_eq!(
        document.object(id(3)).unwrap_err().reason(),
        "PDF_OBJECT_OFFSET"
    );
    assert_eq!(
        document.object(id(4)).unwrap_err().reason(),
        "PDF_OBJECT_OFFSET"
    );
}

#[test]
fn limits_are_named_when_passed() {
    let bytes = two_revisions().bytes;
    let limits = Limits::default;
    for (name, limits) in [
        (
            "file_bytes_max",
            Limits {
                file_bytes_max: 100,
                ..limits()
            },
        ),
        (
            "objects_max",
            Limits {
                objects_max: 3,
                ..limits()
            },
        ),
        (
            "revisions_max",
            Limits {
                revisions_max: 1,
                ..limits()
            },
        ),
        (
            "object_values_max",
            Limits {
                object_values_max: 2,
                ..limits()
            },
        ),
        (
            "object_bytes_max",
            Limits {
                object_bytes_max: 10,
                ..limits()
            },
        ),
        (
            "parsed_bytes_max",
            Limits {
                parsed_bytes_max: 10,
                ..limits()
            },
        ),
    ] {
        match Document::open(&bytes, limits) {
            Err(PdfError::LimitExceeded { limit, .. }) => assert_eq!(limit, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    let limits = Limits {
        pages_max: 1,
        ..limits()
    };
    let document = Document::open(&bytes, limits).unwrap();
    assert_eq!(document.page_count().unwrap_err().reason(), "PDF_LIMIT");
}
