//! Places worked out on small documents of our own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use yinxin_pdf::{Document, Limits, Placement, Spot};

use super::*;

/// A document of A5 pages (148 × 210 mm) with these contents, in Helvetica and a Song face.
fn document(contents: &[&str]) -> Vec<u8> {
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        String::new(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        "<</Type/Font/Subtype/Type0/BaseFont/STSong/Encoding/UniGB-UCS2-H/DescendantFonts\
         [<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong/DW 1000/W[1 95 500]>>]>>"
            .to_owned(),
    ];
    let mut kids = Vec::new();
    for content in contents {
        let number = objects.len() + 1;
        kids.push(format!("{number} 0 R"));
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 419.528 595.276]/Contents {} 0 R\
             /Resources<</Font<</F0 3 0 R/F1 4 0 R>>>>>>",
            number + 1
        ));
        objects.push(format!(
            "<</Length {}>>\nstream\n{content}\nendstream",
            content.len()
        ));
    }
    objects[1] = format!(
        "<</Type/Pages/Kids[{}]/Count {}>>",
        kids.join(" "),
        kids.len()
    );
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        table += &format!("{:010} 00000 n \n", bytes.len());
        bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let start = bytes.len();
    let size = objects.len() + 1;
    bytes.extend(
        format!("{table}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes(),
    );
    bytes
}

/// Text at millimetres from the upper left, 4 mm high.
fn text(font: &str, x_mm: f64, y_mm: f64, string: &str) -> String {
    let points = |mm: f64| mm * 72.0 / 25.4;
    format!(
        "BT /{font} {} Tf {} {} Td {string} Tj ET ",
        points(4.0),
        points(x_mm),
        points(210.0 - y_mm)
    )
}

fn song(x_mm: f64, y_mm: f64, string: &str) -> String {
    let digits: String = string
        .encode_utf16()
        .map(|unit| format!("{unit:04X}"))
        .collect();
    text("F1", x_mm, y_mm, &format!("<{digits}>"))
}

const SEAL: [f64; 2] = [42.0, 42.0];

fn resolved(bytes: &[u8], place: &Place) -> Result<Placement, PlaceError> {
    let document = Document::open(bytes, Limits::default()).unwrap();
    resolve(&document, place, SEAL, false)
}

fn spots(bytes: &[u8], place: &Place) -> Vec<Spot> {
    match resolved(bytes, place).unwrap() {
        Placement::Places(spots) => spots,
        Placement::Visible {
            page_index,
            x_mm,
            y_mm,
            width_mm,
            height_mm,
        } => vec![Spot {
            page_index,
            x_mm,
            y_mm,
            width_mm,
            height_mm,
            part: Part::WHOLE,
        }],
        Placement::Invisible { .. } => panic!("it cannot be seen"),
    }
}

fn keyword(text: &str, occurrence: Occurrence) -> Keyword {
    Keyword {
        text: text.to_owned(),
        occurrence,
        pages: Pages::All,
        offset_x_mm: 0.0,
        offset_y_mm: 0.0,
    }
}

fn near(what: &str, found: [f64; 2], expected: [f64; 2]) {
    let off = (found[0] - expected[0]).hypot(found[1] - expected[1]);
    assert!(off < 0.05, "{what}: {found:?}, not {expected:?}");
}

#[test]
fn the_middle_of_the_seal_stands_over_the_middle_of_the_word() {
    let first = song(40.0, 60.0, "经办人盖章处") + &song(60.0, 120.0, "盖章");
    let second = song(70.0, 80.0, "盖章");
    let bytes = document(&[&first, &second]);
    // «盖章» begins 3 em of 4 mm behind 40 mm; an em box reaches from 3.52 mm above the line.
    let middles = [(0, [56.0, 58.48]), (0, [64.0, 118.48]), (1, [74.0, 78.48])];
    for (occurrence, expected) in [
        (Occurrence::Number(1), &middles[..1]),
        (Occurrence::Number(2), &middles[1..2]),
        (Occurrence::Last, &middles[2..]),
        (Occurrence::All, &middles[..]),
    ] {
        let found = spots(&bytes, &Place::Keyword(keyword("盖章", occurrence)));
        assert_eq!(found.len(), expected.len());
        for (spot, (page_index, middle)) in found.iter().zip(expected) {
            assert_eq!(spot.page_index, *page_index);
            let found = [spot.x_mm + 21.0, spot.y_mm + 21.0];
            near(&format!("{occurrence:?}"), found, *middle);
        }
    }
    let moved = Keyword {
        offset_x_mm: 10.0,
        offset_y_mm: -5.0,
        ..keyword("盖章", Occurrence::Number(1))
    };
    let spot = spots(&bytes, &Place::Keyword(moved))[0];
    near("moved", [spot.x_mm + 21.0, spot.y_mm + 21.0], [66.0, 53.48]);
}

#[test]
fn a_missing_word_is_told_with_what_there_is_instead() {
    let bytes = document(&[&song(40.0, 60.0, "申请书"), ""]);
    for (what, place, reason, says) in [
        (
            "a word that is not there",
            keyword("盖章", Occurrence::Last),
            "KEYWORD_NOT_FOUND",
            "none of the 2 pages searched; they hold 3 readable characters, 0 glyphs that cannot \
             be read and 0 pictures; 1 of them have no text",
        ),
        (
            "one that is there once",
            keyword("申请", Occurrence::Number(2)),
            "KEYWORD_OCCURRENCE_MISSING",
            "occurs 1 times",
        ),
        (
            "the number 0",
            keyword("申请", Occurrence::Number(0)),
            "KEYWORD_OCCURRENCE_MISSING",
            "count from 1",
        ),
        (
            "no word",
            keyword(" ", Occurrence::Last),
            "KEYWORD_INVALID",
            "1 to 64 characters",
        ),
        (
            "a page that is not there",
            Keyword {
                pages: Pages::Listed(vec![2]),
                ..keyword("申请", Occurrence::Last)
            },
            "PAGE_MISSING",
            "page 3 of a document of 2 pages",
        ),
    ] {
        let error = resolved(&bytes, &Place::Keyword(place)).unwrap_err();
        assert_eq!(error.reason(), reason, "{what}");
        assert!(error.to_string().contains(says), "{what}: {error}");
    }
}

#[test]
fn the_seal_rides_over_the_year_and_covers_the_month() {
    let content = song(30.0, 20.0, "示例村民委员会证明")
        + &song(80.0, 120.0, "示例村民委员会")
        + &song(78.0, 128.0, "2026年11月22日")
        + &song(20.0, 190.0, "2025年1月");
    let bytes = document(&[&content]);
    let place = Place::IssuerAndDate {
        issuer: "示例村民委员会".to_owned(),
    };
    let spot = spots(&bytes, &place)[0];
    // «年» begins at 78 + 4 × 2 = 86 mm, «月» ends at 86 + 4 + 2 × 2 + 4 = 98 mm; the block goes
    // from 116.48 to 128.48 mm and its middle is 4.2 mm below that of the seal.
    near(
        "the middle",
        [spot.x_mm + 21.0, spot.y_mm + 21.0],
        [92.0, 122.48 - 4.2],
    );
    // The date of the issuer's own page counts, whatever stands on a later one.
    let pages = document(&[&content, &song(30.0, 20.0, "示例村民委员会印")]);
    assert_eq!(spots(&pages, &place)[0].page_index, 0);
    // Names, years and months all over one another.
    let heap = song(30.0, 20.0, &"年月示例村民委员会".repeat(2_000));
    let start = std::time::Instant::now();
    let _found_or_not = resolved(&document(&[&heap]), &place);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    let heading_only = document(&[&song(30.0, 20.0, "示例村民委员会证明")]);
    let error = resolved(&heading_only, &place).unwrap_err();
    assert_eq!(error.reason(), "DATE_NOT_FOUND", "{error}");
}

fn seam(edge: Edge, is_double_sided: bool) -> Seam {
    Seam {
        edge,
        pages: Pages::All,
        sheets_per_seal_max: 4,
        is_double_sided,
        along_mm: None,
    }
}

#[test]
fn the_parts_of_a_seam_stamp_make_one_seal_when_the_sheets_are_fanned() {
    let bytes = document(&[""; 7]);
    // On each edge: the parts in the order of the pages, as seen from the left or from above.
    for (edge, is_forward) in [
        (Edge::Right, true),
        (Edge::Bottom, true),
        (Edge::Left, false),
        (Edge::Top, false),
    ] {
        let spots = spots(&bytes, &Place::Seam(seam(edge, false)));
        assert_eq!(spots.len(), 7);
        for (group, count) in [(&spots[..4], 4.0), (&spots[4..], 3.0)] {
            for (place, spot) in group.iter().enumerate() {
                let place = if is_forward {
                    place as f64
                } else {
                    count - 1.0 - place as f64
                };
                let (from, to) = match edge {
                    Edge::Right | Edge::Left => (spot.part.left, spot.part.right),
                    Edge::Top | Edge::Bottom => (spot.part.top, spot.part.bottom),
                };
                assert!((from - place / count).abs() < 1e-9, "{edge:?} {spot:?}");
                assert!((to - (place + 1.0) / count).abs() < 1e-9);
                let touches = match edge {
                    Edge::Right => spot.x_mm + spot.width_mm - 148.0,
                    Edge::Left => spot.x_mm,
                    Edge::Top => spot.y_mm,
                    Edge::Bottom => spot.y_mm + spot.height_mm - 210.0,
                };
                assert!(touches.abs() < 0.01, "{edge:?} {spot:?}");
            }
        }
    }
}

#[test]
fn both_sides_of_a_sheet_show_the_same_part_at_the_same_edge_of_the_paper() {
    let bytes = document(&[""; 7]);
    let spots = spots(&bytes, &Place::Seam(seam(Edge::Right, true)));
    assert_eq!(spots.len(), 7, "four sheets, the last with one page");
    for (page_index, spot) in spots.iter().enumerate() {
        assert_eq!(spot.page_index, page_index);
        let place = (page_index / 2) as f64;
        assert!((spot.part.left - place / 4.0).abs() < 1e-9);
        let is_back = page_index % 2 == 1;
        assert_eq!(spot.x_mm == 0.0, is_back, "{spot:?}");
    }
    let along = Seam {
        along_mm: Some(50.0),
        ..seam(Edge::Bottom, true)
    };
    let spots = self::spots(&bytes, &Place::Seam(along));
    assert!((spots[0].x_mm - 29.0).abs() < 0.01);
    assert!((spots[1].x_mm - (148.0 - 50.0 - 21.0)).abs() < 0.01);
}

#[test]
fn places_that_cannot_be_are_refused_each_with_its_reason() {
    let one = document(&[""]);
    let three = document(&[""; 3]);
    let group = |sheets_per_seal_max| Seam {
        sheets_per_seal_max,
        ..seam(Edge::Right, false)
    };
    for (bytes, place, reason) in [
        (
            &one,
            Place::Seam(seam(Edge::Right, false)),
            "SEAM_NEEDS_TWO_SHEETS",
        ),
        (&three, Place::Seam(group(1)), "SEAM_GROUP_INVALID"),
        (&three, Place::Seam(group(101)), "SEAM_GROUP_INVALID"),
        (
            &three,
            Place::Pages {
                pages: Pages::Listed(Vec::new()),
                x_mm: 1.0,
                y_mm: 1.0,
            },
            "PAGES_MISSING",
        ),
        (
            &three,
            Place::At(Placement::Visible {
                page_index: 0,
                x_mm: 0.0,
                y_mm: 0.0,
                width_mm: 149.0,
                height_mm: 20.0,
            }),
            "SEAL_LARGER_THAN_PAGE",
        ),
    ] {
        assert_eq!(resolved(bytes, &place).unwrap_err().reason(), reason);
    }
    let pages = |pages| Place::Pages {
        pages,
        x_mm: 5.0,
        y_mm: 6.0,
    };
    for (which, expected) in [
        (Pages::All, vec![0, 1, 2]),
        (Pages::First, vec![0]),
        (Pages::Last, vec![2]),
        (Pages::Listed(vec![2, 0, 2]), vec![0, 2]),
    ] {
        let found = spots(&three, &pages(which));
        let found: Vec<usize> = found.iter().map(|spot| spot.page_index).collect();
        assert_eq!(found, expected);
    }
}
