//! Objects and streams: nesting, bombs, lengths, lies.

use std::collections::BTreeMap;

use super::maker::{Maker, deflated};

pub(super) fn nested(open: &str, close: &str, depth: usize) -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 4 0 R", "");
    maker.object(
        4,
        &format!(
            "<</Fields {}1 {}>>",
            open.repeat(depth),
            close.repeat(depth)
        ),
    );
    maker.table("");
    maker.file
}

pub(super) fn nested_trailer() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    maker.table(&format!("/A {}{}", "[".repeat(10_000), "]".repeat(10_000)));
    maker.file
}

/// Eight object streams of 200 MiB each in 1.6 MB; the catalog, the pages and the form stand in
/// them, so that every road has to look inside.
pub(super) fn object_stream_bombs() -> Vec<u8> {
    let mut maker = Maker::default();
    let bodies = [
        (1_u32, "<</Type/Catalog/Pages 2 0 R/AcroForm 4 0 R>>"),
        (2, "<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        (
            3,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>/Annots 8 0 R>>",
        ),
        (4, "<</Fields 5 0 R>>"),
        (5, "[6 0 R]"),
        (6, "<</FT/Sig/T(a)/Kids[7 0 R]>>"),
        (7, "<</Subtype/Widget/Rect[0 0 0 0]/Parent 6 0 R>>"),
        (8, "[]"),
    ];
    let mut inside = BTreeMap::new();
    for (number, body) in bodies {
        let header = format!("{number} 0 ");
        let container = 20 + number;
        let entries = format!("/Type/ObjStm/N 1/First {}/Filter/FlateDecode", header.len());
        let data = deflated(format!("{header}{body}").as_bytes(), b' ', 200 << 20);
        maker.stream(container, &entries, &data);
        inside.insert(number, (container, 0));
    }
    maker.xref_stream(40, &inside, "", None);
    maker.file
}

pub(super) fn object_stream_in_itself() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.stream(5, "/Type/ObjStm/N 2/First 8", b"1 0 5 9 <<>> <<>>");
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0)), (5, (5, 1))]), "", None);
    maker.file
}

pub(super) fn object_stream_lies() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.stream(
        5,
        "/Type/ObjStm/N 2147483647/First 2147483647",
        b"1 0 <</Type/Catalog>>",
    );
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

pub(super) fn object_stream_extends_loop() -> Vec<u8> {
    let mut maker = Maker::default();
    let pages = "<</Type/Pages/Kids[3 0 R]/Count 1>>";
    maker.object(2, pages);
    maker.object(
        3,
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>",
    );
    maker.stream(
        5,
        "/Type/ObjStm/N 1/First 4/Extends 6 0 R",
        b"1 0 <</Type/Catalog/Pages 2 0 R>>",
    );
    maker.stream(6, "/Type/ObjStm/N 1/First 4/Extends 5 0 R", b"7 0 <<>>");
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0)), (7, (6, 0))]), "", None);
    maker.file
}

pub(super) fn filter_chain() -> Vec<u8> {
    let mut maker = Maker::default();
    let filters = "/FlateDecode ".repeat(10_000);
    let mut data = b"1 0 <</Type/Catalog/Pages 2 0 R>>".to_vec();
    for _ in 0..50 {
        data = deflated(&data, 0, 0);
    }
    maker.stream(
        5,
        &format!("/Type/ObjStm/N 1/First 4/Filter[{filters}]"),
        &data,
    );
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

pub(super) fn predictor_of_huge_rows() -> Vec<u8> {
    let mut maker = Maker::default();
    let data = deflated(b"\x021 0 <</Type/Catalog/Pages 2 0 R>>", 2, 1 << 20);
    maker.stream(
        5,
        "/Type/ObjStm/N 1/First 4/Filter/FlateDecode/DecodeParms<</Predictor 12\
         /Columns 2147483647/Colors 2147483647/BitsPerComponent 16>>",
        &data,
    );
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

pub(super) fn stream_length_loop() -> Vec<u8> {
    let mut maker = Maker::default();
    let at = maker.file.len();
    maker
        .file
        .extend_from_slice(b"5 0 obj\n<</Type/ObjStm/N 1/First 4/Length 5 0 R>>\nstream\n1 0 <<>>\nendstream\nendobj\n");
    maker.alias(5, at);
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

pub(super) fn stream_length_lies() -> Vec<u8> {
    let mut maker = Maker::default();
    let at = maker.file.len();
    maker.file.extend_from_slice(
        b"5 0 obj\n<</Type/ObjStm/N 1/First 4/Length 9223372036854775807>>\nstream\n1 0 <<>>\nendstream\nendobj\n",
    );
    maker.alias(5, at);
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

pub(super) fn duplicate_key() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 4 0 R/AcroForm 5 0 R", "");
    maker.object(4, "<</Fields[]>>");
    maker.object(5, "<</Fields[]>>");
    maker.table("");
    maker.file
}

pub(super) fn huge_number() -> Vec<u8> {
    let digits = "9".repeat(1_000_000);
    let mut maker = Maker::with_page(&format!("/A {digits}/B -{digits}.{digits}"), "");
    maker.table("");
    maker.file
}

pub(super) fn long_name() -> Vec<u8> {
    let mut maker = Maker::with_page(&format!("/{} 1", "a".repeat(4 << 20)), "");
    maker.table("");
    maker.file
}
