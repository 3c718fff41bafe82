//! Hostile input: a typed error or an answer, within two seconds and 256 MiB, never a panic.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use support::{Builder, Place, deflate, id, open, read_all, within_two_seconds};
use yinxin_pdf::{Document, Limits, PdfError};

/// What one hostile file may cost beyond the test's own bytes; the rule for the service is 256 MiB.
const MEMORY_KIB_MAX: u64 = 128 * 1024;

/// The tests of this file run one at a time, so that memory and time are those of one.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` within two seconds and little memory above what is in use before it.
fn measured<T>(name: &str, work: impl FnOnce() -> T) -> T {
    // Sets the peak back to what is in use now.
    let is_reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = is_reset.then(|| memory_kib("VmRSS:")).flatten();
    let result = within_two_seconds(name, work);
    match (before, memory_kib("VmHWM:")) {
        (Some(before), Some(peak)) => {
            let used = peak.saturating_sub(before);
            assert!(used < MEMORY_KIB_MAX, "{name} used {used} KiB");
        }
        _ => eprintln!("SKIPPED: this system does not tell the peak of memory ({name})"),
    }
    result
}

fn memory_kib(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// One small file of every form.
fn small_files() -> Vec<(&'static str, Vec<u8>)> {
    let table = {
        let mut builder = Builder::with_pages(1);
        builder.object(3, "<</Type/Sig/ByteRange[0 1 2 3]/Contents<00>>>");
        builder.end_with_table("");
        builder.object(
            1,
            "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
        );
        builder.object(
            4,
            "<</T(a)/FT/Sig/V 3 0 R/Subtype/Widget/P 10 0 R/Rect[0 0 1 1]>>",
        );
        builder.end_with_table("");
        builder.bytes
    };
    let stream = {
        let mut builder = Builder::with_pages(1);
        builder.object_stream(4, &[(5, "<</A[1 2.5(x)]>>"), (6, "7")]);
        builder.stream(3, "/Filter/FlateDecode", &deflate(b"some data"));
        builder.end_with_stream(7, "");
        builder.bytes
    };
    vec![("table", table), ("stream", stream)]
}

#[test]
fn every_truncation_is_an_answer_or_an_error() {
    let _alone = alone();
    for (name, bytes) in small_files() {
        read_all(&bytes).unwrap();
        for length in 0..bytes.len() {
            let cut = &bytes[..length];
            // The end of the first revision is a whole file; and so is one without the last line end.
            let whole = cut.ends_with(b"%%EOF") || cut.ends_with(b"%%EOF\n");
            let result = read_all(cut);
            assert_eq!(result.is_ok(), whole, "{name} cut to {length}: {result:?}");
        }
    }
}

#[test]
fn every_flipped_byte_is_an_answer_or_an_error() {
    let _alone = alone();
    for (_, bytes) in small_files() {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x04, 0x10, 0x20, 0x80, 0xff] {
                let mut flipped = bytes.clone();
                flipped[at] ^= flip;
                let _ = within_two_seconds("a flipped byte", || read_all(&flipped));
            }
        }
    }
}

#[test]
fn every_byte_left_out_or_doubled_is_an_answer_or_an_error() {
    let _alone = alone();
    for (_, bytes) in small_files() {
        for at in 0..bytes.len() {
            let mut less = bytes.clone();
            less.remove(at);
            let _ = read_all(&less);
            let mut more = bytes.clone();
            more.insert(at, bytes[at]);
            let _ = read_all(&more);
        }
    }
}

#[test]
fn ten_thousand_nested_values_pass_the_limit_without_recursing_into_them() {
    let _alone = alone();
    for (name, open_text, close) in [
        ("arrays", "[", "]"),
        ("dictionaries", "<</A", ">>"),
        ("both", "[<</A", ">>]"),
    ] {
        let mut builder = Builder::with_pages(1);
        builder.object(
            3,
            &format!("{}1{}", open_text.repeat(10_000), close.repeat(10_000)),
        );
        builder.object(4, &open_text.repeat(100_000));
        builder.end_with_table("");
        let document = open(&builder.bytes).unwrap();
        for number in [3, 4] {
            let error = measured(name, || document.object(id(number))).unwrap_err();
            let expected = PdfError::LimitExceeded {
                limit: "nesting_max",
                value: 101,
                max: 100,
            };
            assert_eq!(error, expected, "{name}");
        }
    }
    // Parentheses nest in a string and are no values.
    let mut builder = Builder::with_pages(1);
    builder.object(3, &format!("{}{}", "(".repeat(10_000), ")".repeat(10_000)));
    builder.end_with_table("");
    read_all(&builder.bytes).unwrap();
}

#[test]
fn a_hundred_levels_are_read_and_one_more_is_not() {
    let _alone = alone();
    let limits = Limits::default();
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(yinxin_pdf::parse_value(nested(100).as_bytes(), 0, &limits).is_ok());
    assert!(yinxin_pdf::parse_value(nested(101).as_bytes(), 0, &limits).is_err());
}

/// Spec 1.3, 2: 20,000 entries that lead to one object of 200 KB.
#[test]
fn entries_that_all_lead_to_one_large_object_cost_nothing() {
    let _alone = alone();
    let mut builder = Builder::with_pages(1);
    let offset = builder.object(100, &format!("({})", "x".repeat(200_000)));
    for number in 101..20_101 {
        builder.place(number, Place::File(offset, 0));
    }
    builder.end_with_table("");
    measured("the alias file", || {
        let document = open(&builder.bytes).unwrap();
        for number in 101..20_101 {
            assert_eq!(
                document.object(id(number)).unwrap_err().reason(),
                "PDF_OBJECT_MISMATCH"
            );
        }
    });
}

/// Objects inside the strings of other objects: reading each would be reading all of them.
#[test]
fn objects_nested_in_one_another_pass_the_limit_on_reading() {
    let _alone = alone();
    let count = 5_000;
    let mut builder = Builder::with_pages(1);
    for number in 100..100 + count {
        builder.place(number, Place::File(builder.bytes.len(), 0));
        write!(builder.bytes, "{number} 0 obj <</A(").unwrap();
    }
    for _ in 0..count {
        builder.bytes.extend_from_slice(b")>> endobj ");
    }
    builder.end_with_table("");
    let limits = Limits {
        parsed_bytes_max: 16 * 1024 * 1024,
        ..Limits::default()
    };
    let document = Document::open(&builder.bytes, limits).unwrap();
    let error = measured("nested objects", || {
        (100..100 + count).find_map(|number| document.object(id(number)).err())
    });
    assert!(matches!(
        error,
        Some(PdfError::LimitExceeded {
            limit: "parsed_bytes_max",
            ..
        })
    ));
}

/// Spec 1.3, 3: eight object streams of 200 MiB each in a file of 1.6 MB.
#[test]
fn bombs_in_object_streams_stop_at_the_limit() {
    let _alone = alone();
    let bomb = bomb(200 * 1024 * 1024);
    let mut builder = Builder::with_pages(1);
    for container in 20..28 {
        builder.stream(
            container,
            "/Type/ObjStm/N 1/First 4/Filter/FlateDecode",
            &bomb,
        );
        builder.place(container + 20, Place::Stream(container, 0));
    }
    builder.end_with_stream(60, "");
    measured("eight bombs", || {
        let document = open(&builder.bytes).unwrap();
        for number in 40..48 {
            let error = document.object(id(number)).unwrap_err();
            assert_eq!(error.reason(), "PDF_LIMIT", "{error}");
        }
    });
}

/// Zeroes, deflated without ever holding them.
fn bomb(length: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeroes = vec![0; 64 * 1024];
    for _ in 0..length / zeroes.len() {
        encoder.write_all(&zeroes).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn a_bomb_as_cross_reference_stops_at_the_limit() {
    let _alone = alone();
    let mut builder = Builder::with_pages(1);
    let entries = "/Type/XRef/W[1 4 2]/Size 30/Root 1 0 R/Filter/FlateDecode";
    let offset = builder.stream(20, entries, &bomb(200 * 1024 * 1024));
    builder.end_revision(offset);
    let error = measured("a bomb", || open(&builder.bytes).map(drop)).unwrap_err();
    assert_eq!(error.reason(), "PDF_LIMIT", "{error}");
}

/// Every stage stops by itself: Flate in Flate, LZW, run lengths, ASCII85 `z`.
#[test]
fn bombs_of_every_filter_stop_at_the_limit() {
    let _alone = alone();
    let long = 20 * 1024 * 1024;
    let twice = deflate(&bomb(200 * 1024 * 1024));
    let runs = [[129, 0].repeat(long / 128 + 1), vec![128]].concat();
    let zeroes = [vec![b'z'; long / 4 + 1], b"~>".to_vec()].concat();
    for (name, filter, data) in [
        ("Flate in Flate", "[/FlateDecode/FlateDecode]", twice),
        ("run lengths", "/RunLengthDecode", runs),
        ("base 85", "/ASCII85Decode", zeroes),
        ("LZW", "/LZWDecode", lzw_bomb()),
        ("none", "[]", vec![b' '; long]),
    ] {
        let mut builder = Builder::with_pages(1);
        builder.stream(3, &format!("/Filter{filter}"), &data);
        builder.end_with_table("");
        let document = open(&builder.bytes).unwrap();
        let object = document.object(id(3)).unwrap();
        let error = measured(name, || document.stream_data(&object)).unwrap_err();
        assert_eq!(error.reason(), "PDF_LIMIT", "{name}: {error}");
    }
}

/// Ever longer runs of one byte until the table is full; then the longest again and again.
fn lzw_bomb() -> Vec<u8> {
    let (mut bits, mut count, mut bytes) = (0_u64, 0, Vec::new());
    let growing = (258..4096).map(|code| match code {
        0..511 => (code, 9),
        511..1023 => (code, 10),
        1023..2047 => (code, 11),
        _ => (code, 12),
    });
    let codes = [(256, 9), (0, 9)]
        .into_iter()
        .chain(growing)
        .chain([(4095, 12); 8_000]);
    for (code, width) in codes {
        bits = bits << width | code;
        count += width;
        while count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

#[test]
fn many_decoded_streams_pass_the_limit_of_the_document() {
    let _alone = alone();
    let mut builder = Builder::with_pages(1);
    builder.stream(3, "/Filter/FlateDecode", &bomb(15 * 1024 * 1024));
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    let object = document.object(id(3)).unwrap();
    let results: Vec<bool> = (0..6)
        .map(|_| document.stream_data(&object).is_ok())
        .collect();
    assert_eq!(results, [true, true, true, true, false, false]);
}

#[test]
fn ten_thousand_revisions_pass_the_limit() {
    let _alone = alone();
    let mut builder = Builder::with_pages(1);
    for _ in 0..10_000 {
        builder.place(0, Place::Free(65535));
        builder.end_with_table("");
    }
    let error = measured("10,000 revisions", || open(&builder.bytes).map(drop));
    assert_eq!(error.unwrap_err().reason(), "PDF_LIMIT");
}

#[test]
fn a_million_entries_are_read_and_three_million_are_not() {
    let _alone = alone();
    let rows = |count: usize| {
        let mut builder = Builder::with_pages(1);
        let prev = builder.end_with_table("");
        let offset = builder.bytes.len();
        let mut text = format!("xref\n20 {count}\n");
        text += &"0000000000 00000 n \n".repeat(count);
        let size = 20 + count;
        text += &format!("trailer\n<</Size {size}/Root 1 0 R/Prev {prev}>>\n");
        builder.bytes.extend_from_slice(text.as_bytes());
        builder.end_revision(offset);
        builder.bytes
    };
    let million = rows(1_000_000);
    measured("1,000,000 entries", || assert!(open(&million).is_ok()));
    let error = measured("3,000,000 entries", || open(&rows(3_000_000)).map(drop));
    assert_eq!(error.unwrap_err().reason(), "PDF_LIMIT");
}

#[test]
fn references_that_lead_in_circles_end() {
    let _alone = alone();
    let mut builder = Builder::with_pages(1);
    builder.object(3, "4 0 R");
    builder.object(4, "3 0 R");
    builder.object(5, "5 0 R");
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    for number in [3, 5] {
        let object = document.object(id(number)).unwrap();
        let error = document.resolve(&object.value).unwrap_err();
        assert_eq!(error.reason(), "PDF_REFERENCE_LOOP");
    }
}

#[test]
fn a_large_object_of_tiny_values_passes_the_limit_on_values() {
    let _alone = alone();
    let mut builder = Builder::with_pages(1);
    builder.object(3, &format!("[{}]", "0 ".repeat(3_000_000)));
    builder.object(4, &format!("[{}]", "/a".repeat(3_000_000)));
    builder.object(5, &format!("<00{}>", " ".repeat(20_000_000)));
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    for (number, expected) in [
        (3, "object_values_max"),
        (4, "object_values_max"),
        (5, "object_bytes_max"),
    ] {
        match measured(expected, || document.object(id(number))) {
            Err(PdfError::LimitExceeded { limit, .. }) => assert_eq!(limit, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn white_space_and_comments_without_end_are_read_once() {
    let _alone = alone();
    let mut builder = Builder::with_pages(1);
    let blank = " ".repeat(4_000_000);
    builder.object(3, &format!("[1 %{blank}\n2]"));
    builder.end_with_table("");
    builder.bytes.extend_from_slice(blank.as_bytes());
    measured("white space", || read_all(&builder.bytes)).unwrap();
}

/// Empty Flate blocks decode to nothing, and streams inside one another could share them.
#[test]
fn data_that_decode_to_nothing_count_as_read() {
    let _alone = alone();
    let mut data = vec![0x78, 0x9c];
    data.extend([0x00, 0x00, 0x00, 0xff, 0xff].repeat(200_000));
    data.extend([0x01, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01]);
    let mut builder = Builder::with_pages(1);
    builder.stream(3, "/Filter/FlateDecode", &data);
    builder.end_with_table("");
    let limits = Limits {
        parsed_bytes_max: 3_500_000,
        ..Limits::default()
    };
    let document = Document::open(&builder.bytes, limits).unwrap();
    let object = document.object(id(3)).unwrap();
    let results: Vec<bool> = (0..5)
        .map(|_| document.stream_data(&object).is_ok())
        .collect();
    assert_eq!(results, [true, true, true, false, false]);
}
