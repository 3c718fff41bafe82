//! Words are found where a reader sees them, in every kind of font and on turned pages.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{Builder, open};
use yinxin_pdf::{PdfError, TextMatch, TextSearch};

const HELVETICA: &str = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
const SONG: &str = "<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H\
    /DescendantFonts[<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light\
    /CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>/DW 1000/W[1[207]2 95 500]>>]>>";

/// One page of 200 × 100 mm with this content; `page` are further entries of the page.
fn page_with(content: &str, page: &str, fonts: &[&str], streams: &[(u32, &str, &str)]) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    builder.object(2, "<</Type/Pages/Kids[10 0 R]/Count 1>>");
    let mut resources = String::new();
    for (index, font) in fonts.iter().enumerate() {
        let number = 20 + index as u32;
        resources += &format!("/F{index} {number} 0 R");
        builder.object(number, font);
    }
    builder.object(
        10,
        &format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 566.929 283.465]/Contents 5 0 R\
             /Resources<</Font<<{resources}>>/XObject<</X0 40 0 R/X1 41 0 R>>>>{page}>>"
        ),
    );
    builder.stream(5, "", content.as_bytes());
    for (number, entries, data) in streams {
        builder.stream(*number, entries, data.as_bytes());
    }
    builder.end_with_table("");
    builder.bytes
}

fn search(bytes: &[u8], word: &str) -> TextSearch {
    open(bytes).unwrap().find_text(word, [0]).unwrap()
}

fn only(bytes: &[u8], word: &str) -> TextMatch {
    let found = search(bytes, word);
    assert_eq!(found.matches.len(), 1, "{word}: {found:?}");
    found.matches[0]
}

fn near(what: &str, found: [f64; 2], expected: [f64; 2]) {
    let off = (found[0] - expected[0]).hypot(found[1] - expected[1]);
    assert!(off < 0.05, "{what}: at {found:?}, not {expected:?}");
}

/// Points from the lower left as millimetres from the upper left.
fn seen(x: f64, y: f64) -> [f64; 2] {
    [x, 283.465 - y].map(|points| points * 25.4 / 72.0)
}

#[test]
fn words_are_found_behind_other_words_of_known_width() {
    // "Date: " in Helvetica: 722 556 278 556 278 278 thousandths.
    let before = 12.0 * 2.668;
    for (what, content, x, y) in [
        (
            "one string",
            "BT /F0 12 Tf 50 100 Td (Date: today) Tj ET",
            50.0 + before,
            100.0,
        ),
        (
            "kerned",
            "BT /F0 12 Tf 1 0 0 1 50 100 Tm [(Date: ) -1000 (to) 20 (day)] TJ ET",
            50.0 + before + 12.0,
            100.0,
        ),
        (
            "in pieces",
            "BT /F0 12 Tf 50 100 Td (Date: ) Tj (to) Tj (day) Tj ET",
            50.0 + before,
            100.0,
        ),
        (
            "character and word spacing",
            "BT /F0 12 Tf 2 Tc 3 Tw 50 100 Td (Date: today) Tj ET",
            50.0 + before + 6.0 * 2.0 + 3.0,
            100.0,
        ),
        (
            "narrowed",
            "BT /F0 12 Tf 50 Tz 50 100 Td (Date: today) Tj ET",
            50.0 + before / 2.0,
            100.0,
        ),
        (
            "lines",
            "BT /F0 12 Tf 14 TL 50 128 Td (x) Tj T* (y) Tj (Date: today) ' ET",
            50.0 + before,
            100.0,
        ),
        (
            "TD and quotes",
            "BT /F0 12 Tf 50 128 TD 0 -14 TD (y) Tj 0 0 (Date: today) \" ET",
            50.0 + before,
            100.0,
        ),
        (
            "raised",
            "BT /F0 12 Tf 5 Ts 50 95 Td (Date: today) Tj ET",
            50.0 + before,
            100.0,
        ),
        (
            "moved and scaled",
            "q 2 0 0 2 10 20 cm BT /F0 6 Tf 20 40 Td (Date: today) Tj ET Q",
            50.0 + before,
            100.0,
        ),
    ] {
        let found = only(&page_with(content, "", &[HELVETICA], &[]), "today");
        near(what, found.start_mm, seen(x, y));
        // "today" is 278 556 556 556 500 thousandths wide.
        if what == "one string" {
            let width = 12.0 * 2.446 * 25.4 / 72.0;
            assert!((found.right_mm - found.left_mm - width).abs() < 0.05);
            assert!((found.bottom_mm - found.top_mm - 12.0 * 25.4 / 72.0).abs() < 0.05);
        }
    }
}

#[test]
fn chinese_is_found_in_every_kind_of_font() {
    let to_unicode = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n\
        1 begincodespacerange <0000> <ffff> endcodespacerange\n\
        2 beginbfchar <0001> <5370> <0002> <2F49> endbfchar\n\
        1 beginbfrange <0010> <0012> <7532> endbfrange endcmap end end";
    let one_byte = "begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n\
        2 beginbfchar <21> <5370> <22> <6708> endbfchar endcmap";
    let identity = "<</Type/Font/Subtype/Type0/BaseFont/AAAAAA+Kai/Encoding/Identity-H/ToUnicode 40 0 R\
        /DescendantFonts[<</Type/Font/Subtype/CIDFontType2/DW 500/W[1[1000 1000]16 18 1000]>>]>>";
    let simple = "<</Type/Font/Subtype/TrueType/BaseFont/AAAAAA+Kai/FirstChar 33/LastChar 34\
        /Widths[1000 1000]/ToUnicode 41 0 R/FontDescriptor<</Type/FontDescriptor/Flags 4>>>>";
    let named = "<</Type/Font/Subtype/Type1/BaseFont/Kai/FirstChar 1/LastChar 2/Widths[1000 1000]\
        /Encoding<</Differences[1/uni5370/uni6708]>>>>";
    let gbk = SONG.replace("UniGB-UCS2-H", "GBK-EUC-H");
    let own = SONG.replace("/UniGB-UCS2-H", " 42 0 R");
    let map = "begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n\
        2 begincidchar <05> 1 <06> 2 endcidchar endcmap";
    let own = own.replace("/DW 1000", "/DW 1000/ToUnicode 43 0 R");
    let own = own
        .replace("/Type0", "/Type0/ToUnicode 43 0 R")
        .replace("W[1[207]2 95 500]", "W[1 2 1000]");
    let own_unicode = "begincmap 2 beginbfchar <05> <5370> <06> <6708> endbfchar endcmap";
    let streams = [
        (40, "", to_unicode),
        (41, "", one_byte),
        (42, "/Type/CMap/CMapName/Own", map),
        (43, "", own_unicode),
    ];
    for (what, font, string) in [
        ("identity with ToUnicode", identity, "<00010002>"),
        ("one byte with ToUnicode", simple, "<2122>"),
        ("glyph names", named, "<0102>"),
        ("UniGB-UCS2-H", SONG, "<53706708>"),
        ("GBK-EUC-H", gbk.as_str(), "<D3A1D4C2>"),
        ("a CMap of its own", own.as_str(), "<0506>"),
    ] {
        let content = format!("BT /F0 10 Tf 30 60 Td {string} Tj {string} Tj ET");
        let bytes = page_with(&content, "", &[font], &streams);
        let found = search(&bytes, "印月");
        assert_eq!(found.matches.len(), 2, "{what}: {found:?}");
        near(what, found.matches[0].start_mm, seen(30.0, 60.0));
        near(what, found.matches[1].start_mm, seen(50.0, 60.0));
        assert_eq!(found.unknown_glyphs, 0, "{what}");
    }
    let bytes = page_with(
        "BT /F0 10 Tf 30 60 Td <001000110012> Tj ET",
        "",
        &[identity],
        &streams,
    );
    near("a range", only(&bytes, "申甴").start_mm, seen(40.0, 60.0));
    // Half-width letters in front of ideographs.
    let content = "BT /F0 10 Tf 30 60 Td <0041004253706708> Tj ET";
    let bytes = page_with(content, "", &[SONG], &[]);
    near(
        "behind letters",
        only(&bytes, "印").start_mm,
        seen(40.0, 60.0),
    );
}

#[test]
fn vertical_writing_runs_down() {
    let font = SONG.replace("UniGB-UCS2-H", "UniGB-UCS2-V");
    let content = "BT /F0 10 Tf 100 200 Td <675153D153703002> Tj ET";
    let bytes = page_with(content, "", &[&font], &[]);
    let found = only(&bytes, "印");
    near("its start", found.start_mm, seen(100.0, 180.0));
    near(
        "its corner",
        [found.left_mm, found.top_mm],
        seen(95.0, 180.0),
    );
    near(
        "its other corner",
        [found.right_mm, found.bottom_mm],
        seen(105.0, 170.0),
    );
}

#[test]
fn text_in_forms_and_turned_text_is_found() {
    let form = "/Type/XObject/Subtype/Form/BBox[0 0 100 100]/Matrix[1 0 0 1 7 9]\
        /Resources<</Font<</F0 20 0 R>>>>";
    let bytes = page_with(
        "q 2 0 0 2 10 20 cm /X0 Do Q",
        "",
        &[HELVETICA],
        &[(40, form, "BT /F0 6 Tf 3 4 Td (here) Tj ET")],
    );
    near("a form", only(&bytes, "here").start_mm, seen(30.0, 46.0));
    // Turned by 90 degrees against the clock: the word runs up.
    let bytes = page_with(
        "BT /F0 12 Tf 0 1 -1 0 80 50 Tm (Date: today) Tj ET",
        "",
        &[HELVETICA],
        &[],
    );
    let found = only(&bytes, "today");
    near("turned", found.start_mm, seen(80.0, 50.0 + 12.0 * 2.668));
    assert!(found.bottom_mm - found.top_mm > 2.0 * (found.right_mm - found.left_mm));
}

#[test]
fn places_are_those_a_reader_sees_on_turned_cropped_and_scaled_pages() {
    let content = "BT /F0 12 Tf 100 200 Td (today) Tj ET";
    let mm = |points: f64| points * 25.4 / 72.0;
    for (what, page, expected) in [
        ("a quarter", "/Rotate 90", [mm(200.0), mm(100.0)]),
        ("half", "/Rotate 180", [mm(566.929 - 100.0), mm(200.0)]),
        (
            "three quarters",
            "/Rotate 270",
            [mm(283.465 - 200.0), mm(566.929 - 100.0)],
        ),
        ("cropped", "/CropBox[50 40 500 250]", [mm(50.0), mm(50.0)]),
        (
            "twice as large",
            "/UserUnit 2",
            [2.0 * mm(100.0), 2.0 * mm(83.465)],
        ),
    ] {
        let found = only(&page_with(content, page, &[HELVETICA], &[]), "today");
        near(what, found.start_mm, expected);
    }
}

#[test]
fn occurrences_come_in_reading_order_and_once() {
    let line = |x: u32, y: u32| format!("BT /F0 12 Tf {x} {y} Td (seal) Tj ET ");
    let content = [line(200, 100), line(50, 200), line(50, 100), line(51, 200)].concat();
    let found = search(&page_with(&content, "", &[HELVETICA], &[]), "seal");
    let places: Vec<[f64; 2]> = found.matches.iter().map(|found| found.start_mm).collect();
    assert_eq!(places.len(), 3, "{places:?}");
    for (place, expected) in
        places
            .iter()
            .zip([seen(50.0, 200.0), seen(50.0, 100.0), seen(200.0, 100.0)])
    {
        near("in order", *place, expected);
    }
}

#[test]
fn blanks_and_forms_of_characters_make_no_difference() {
    let content = "BT /F0 12 Tf 50 100 Td (S e a l  here) Tj ET";
    let bytes = page_with(content, "", &[HELVETICA], &[]);
    for word in ["Seal", "Se al", "Ｓｅａｌ", "S e a l h"] {
        near(word, only(&bytes, word).start_mm, seen(50.0, 100.0));
    }
    assert!(search(&bytes, "seal").matches.is_empty(), "case makes one");
    for word in ["", "  "] {
        assert!(search(&bytes, word).matches.is_empty());
    }
    // Radicals that look like ideographs, as Chromium writes them: ⽰例村⺠.
    let song = "BT /F0 12 Tf 50 100 Td <2F704F8B67512EA0> Tj ET";
    let bytes = page_with(song, "", &[SONG], &[]);
    near(
        "radicals",
        only(&bytes, "示例村民").start_mm,
        seen(50.0, 100.0),
    );
    // Two columns are not one word.
    let apart = "BT /F0 12 Tf 50 100 Td (Se) Tj 200 0 Td (al) Tj ET";
    let bytes = page_with(apart, "", &[HELVETICA], &[]);
    assert!(search(&bytes, "Seal").matches.is_empty());
}

#[test]
fn what_cannot_be_read_is_counted() {
    let symbolic = "<</Type/Font/Subtype/TrueType/BaseFont/AAAAAA+X/FirstChar 0/LastChar 1\
        /Widths[500 500]/FontDescriptor<</Type/FontDescriptor/Flags 4>>>>";
    let image =
        "/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8";
    let bytes = page_with(
        "/X0 Do BT /F0 10 Tf <000100> Tj /F9 10 Tf (lost) Tj ET",
        "",
        &[symbolic],
        &[(40, image, "x")],
    );
    let found = search(&bytes, "seal");
    let expected = TextSearch {
        pages: 1,
        pages_without_text: 1,
        unknown_glyphs: 3,
        images: 1,
        ..TextSearch::default()
    };
    assert_eq!(found, expected);
}

#[test]
fn hostile_content_ends_with_an_answer() {
    let looping = "/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X0 40 0 R>>>>";
    let many_states = "q ".repeat(100_000);
    let many_glyphs = format!(
        "BT /F0 1 Tf {} ET",
        format!("({}) Tj ", "x".repeat(1000)).repeat(600)
    );
    let many_operands = "1 ".repeat(100_000);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for (what, content, limit) in [
        ("a form in itself", "/X0 Do", Some("form_levels")),
        ("states", many_states.as_str(), Some("graphics_states")),
        ("glyphs", &many_glyphs, Some("page_glyphs")),
        ("operands", &many_operands, Some("operands")),
        ("nesting", &deep, None),
        ("matrices", "1e9 0 0 1 0 0 cm", None),
        ("no font", "BT (x) Tj [(x)] TJ ET Q Q Q", None),
        (
            "huge numbers",
            "BT /F0 1 Tf 99999999999999999999. 0 0 1 0 0 Tm 99999999999999999999999999999. 0 0 1 0 0 Tm (x) Tj ET",
            None,
        ),
    ] {
        let bytes = page_with(content, "", &[HELVETICA], &[(40, looping, "/X0 Do /X0 Do")]);
        match (open(&bytes).unwrap().find_text("seal", [0]), limit) {
            (Err(PdfError::LimitExceeded { limit: met, .. }), Some(limit)) => {
                assert_eq!(met, limit, "{what}")
            }
            (Ok(_) | Err(PdfError::Syntax { .. }), None) => {}
            (other, _) => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn hostile_fonts_end_with_an_answer() {
    let composite = |entries: &str| {
        format!(
            "<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/ToUnicode 40 0 R\
             /DescendantFonts[<</Type/Font/Subtype/CIDFontType2/BaseFont/A{entries}>>]>>"
        )
    };
    let over_and_over = composite(&format!("/W[{}]", "0 65535 500 ".repeat(100_000)));
    let past_the_end = composite("/W[4294967295[500 600] 4294967290 4294967295 700]");
    let long = format!(
        "begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0001> <{}> \
         endbfchar endcmap",
        "7AE0".repeat(4_000)
    );
    let ligature = long.replace(&"7AE0".repeat(4_000), &"7AE0".repeat(200));
    let many = format!("BT /F0 1 Tf {} ET", "<00010001> Tj ".repeat(10_000));
    for (what, font, to_unicode, limit) in [
        ("widths over one another", &over_and_over, "", None),
        ("widths past the last CID", &past_the_end, "", None),
        (
            "a glyph of 4000 characters",
            &composite(""),
            long.as_str(),
            None,
        ),
        (
            "many glyphs of 200",
            &composite(""),
            &ligature,
            Some("page_characters"),
        ),
    ] {
        let bytes = page_with(&many, "", &[font], &[(40, "", to_unicode)]);
        let found =
            support::within_two_seconds(what, || open(&bytes).unwrap().find_text("seal", [0]));
        match (found, limit) {
            (Err(PdfError::LimitExceeded { limit: met, .. }), Some(limit)) => {
                assert_eq!(met, limit, "{what}");
            }
            (Ok(found), None) => assert_eq!(found.characters, 0, "{what}"),
            (other, _) => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn forms_that_show_forms_again_and_again_pass_a_limit() {
    let form = |below: u32| {
        format!("/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X0 {below} 0 R>>>>")
    };
    let ten_times = "/X0 Do ".repeat(10);
    let entries: Vec<String> = (41..49).map(form).collect();
    let streams: Vec<(u32, &str, &str)> = (40..)
        .zip(&entries)
        .map(|(number, entries)| (number, entries.as_str(), ten_times.as_str()))
        .chain([(48, "/Type/XObject/Subtype/Form/BBox[0 0 1 1]", "")])
        .collect();
    let bytes = page_with("/X0 Do", "", &[HELVETICA], &streams);
    let found =
        support::within_two_seconds("forms", || open(&bytes).unwrap().find_text("seal", [0]));
    let Err(PdfError::LimitExceeded { limit, .. }) = found else {
        panic!("{found:?}");
    };
    assert_eq!(limit, "page_forms");
}
