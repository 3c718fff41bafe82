//! Cross references that loop, lie, alias or explode.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::maker::{Maker, deflated};

pub(super) fn endless_startxref() -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    for _ in 0..200_000 {
        file.extend_from_slice(b"startxref\n9\n%%EOF\n");
    }
    file
}

pub(super) fn prev_loop_of_one() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker.table(&format!("/Prev {at}"));
    maker.file
}

pub(super) fn prev_loop_of_two() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    // The second table's place is known once the first one is written with as many digits.
    let first = maker.file.len();
    let mut probe = maker.clone();
    probe.table("/Prev 0000000000");
    let second = probe.file.len();
    maker.table(&format!("/Prev {second:010}"));
    assert_eq!(maker.file.len(), second, "the probe had the same length");
    maker.table(&format!("/Prev {first}"));
    maker.file
}

pub(super) fn prev_forward() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker.table(&format!("/Prev {}", at + 100_000));
    maker.file
}

pub(super) fn prev_into_a_stream() -> Vec<u8> {
    let mut maker = Maker::with_page("", "/Contents 4 0 R");
    let inner = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1/Root 9 0 R>>\n";
    maker.stream(4, "", inner);
    let into = maker.offset(4) + 40;
    maker.table(&format!("/Prev {into}"));
    maker.file
}

pub(super) fn xrefstm_loop() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker.table(&format!("/XRefStm {at}"));
    maker.file
}

/// 20,000 entries that all point at one object of 200 KB.
pub(super) fn alias(used: bool) -> Vec<u8> {
    let fields: String = (10..20_010)
        .map(|number| format!("{number} 0 R "))
        .collect();
    let catalog = if used {
        format!("/AcroForm<</Fields[{fields}]>>")
    } else {
        String::new()
    };
    let mut maker = Maker::with_page(&catalog, "");
    maker.object(4, &format!("<</FT/Tx/T(a)/Big({})>>", "x".repeat(200_000)));
    let target = maker.offset(4);
    for number in 10..20_010 {
        maker.alias(number, target);
    }
    maker.table("");
    maker.file
}

pub(super) fn alias_of_the_catalog() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 9 0 R", "");
    let at = maker.file.len();
    // Its header says 1, its entry says 9.
    maker
        .file
        .extend_from_slice(b"1 0 obj\n<</Fields[]/Lang(other)>>\nendobj\n");
    maker.alias(9, at);
    maker.table("");
    maker.file
}

pub(super) fn offset_elsewhere(offset: usize) -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 9 0 R", "");
    maker.alias(9, offset);
    maker.table("");
    maker.file
}

pub(super) fn offset_into_a_stream() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 9 0 R", "/Contents 4 0 R");
    maker.stream(4, "", b"0 g 1 0 obj\n<</Fields[]>>\nendobj\n");
    let into = maker.offset(4) + 40;
    maker.alias(9, into);
    maker.table("");
    maker.file
}

pub(super) fn xref_stream_bomb() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let data = deflated(b"", 0, 300 << 20);
    maker.xref_stream(9, &BTreeMap::new(), "/Filter/FlateDecode", Some(data));
    maker.file
}

fn bent_xref_stream(index: &str, widths: &str, data: &[u8]) -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker.stream(
        9,
        &format!("/Type/XRef/Size 10/Index[{index}]/W[{widths}]/Root 1 0 R"),
        data,
    );
    write!(maker.file, "startxref\n{at}\n%%EOF\n").unwrap();
    maker.file
}

pub(super) fn xref_stream_widths() -> Vec<u8> {
    bent_xref_stream("0 10", "2147483647 2147483647 2147483647", &[0; 100])
}

pub(super) fn xref_stream_index() -> Vec<u8> {
    // No width at all: each of four billion rows costs no byte.
    bent_xref_stream("0 4294967295", "0 0 0", &[])
}

pub(super) fn xref_table_count() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker
        .file
        .extend_from_slice(b"xref\n0 4294967295\n0000000000 65535 f \n");
    maker.end(10, "", at);
    maker.file
}

/// Compressed cross-reference streams of a million rows each, one revision after the other.
pub(super) fn million_entries_many_times() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let mut previous = maker.table("");
    let rows = deflated(b"", 0, 6_000_000);
    for number in 0..30_u32 {
        let at = maker.file.len();
        maker.stream(
            2_000_000 + number,
            &format!(
                "/Type/XRef/Size 2000000/Index[1000 1000000]/W[1 4 1]/Root 1 0 R/Prev {previous}\
                 /Filter/FlateDecode"
            ),
            &rows,
        );
        write!(maker.file, "startxref\n{at}\n%%EOF\n").unwrap();
        previous = at;
    }
    maker.file
}

pub(super) fn revisions(count: usize) -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let mut previous = maker.table("");
    for _ in 0..count {
        let at = maker.file.len();
        maker
            .file
            .extend_from_slice(b"xref\n0 1\n0000000000 65535 f \n");
        maker.end(4, &format!("/Prev {previous}"), at);
        previous = at;
    }
    maker.file
}
