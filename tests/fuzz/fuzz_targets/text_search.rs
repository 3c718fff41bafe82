//! Looks for words in arbitrary documents and in arbitrary content streams, fonts and CMaps, and
//! for the places that depend on them; asks whose turn it is in a signing plan.
//!
//! An input that begins with `T` is content, ToUnicode, CMap, entries of a simple font and of a
//! descendant font, each ended by 1F; it is wrapped in a document. Any other is a file or a script.
//!
//! Laws: what is found has finite edges in their order on a page that was searched; what a page
//! shows does not depend on the word; pages one by one give what all give together; a second search
//! is the first one again; a place has an area on a page of the document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_fuzz::{limits, script};
use yinxin_pdf::{Document, FieldTarget, PdfError, Placement, SignatureOptions, TextSearch};
use yinxin_signer::places::{Edge, Keyword, Occurrence, Pages, Place, Seam, resolve};
use yinxin_signer::plan::{LaterSigner, PLAN_FIELD, SigningPlan, check_turn};

/// Pages looked at; the seeds have two.
const PAGES_MAX: usize = 8;
const SEAL_MM: [f64; 2] = [42.0, 42.0];

fuzz_target!(|input: &[u8]| {
    let file = match input.strip_prefix(b"T") {
        Some(parts) => wrapped(parts),
        None => script::document(input),
    };
    if let Ok(document) = Document::open(&file, limits()) {
        let _ = look(&document, &file).map_err(describe);
    }
});

fn describe(error: PdfError) {
    assert!(!error.reason().is_empty());
    let _ = error.to_string();
}

/// A page with the content, and once more as a form, in a simple and a composite font.
fn wrapped(parts: &[u8]) -> Vec<u8> {
    // What separates the records of a script cannot stand in one.
    let clean = |part: &[u8]| -> Vec<u8> {
        let is_free = |byte: u8| byte != script::REVISION && byte != script::RECORD;
        part.iter()
            .map(|byte| if is_free(*byte) { *byte } else { b' ' })
            .collect()
    };
    let mut parts = parts.split(|byte| *byte == script::STREAM).map(clean);
    let mut next = || parts.next().unwrap_or_default();
    let (content, to_unicode, cmap) = (next(), next(), next());
    let (simple, descendant) = (next(), next());
    let stream =
        |entries: &str, data: &[u8]| [entries.as_bytes(), &[script::STREAM], data].concat();
    let fonts = "/Font<</F0 7 0 R/F1 8 0 R>>/XObject<</X0 12 0 R/X1 13 0 R>>";
    let records: [(u8, Vec<u8>); 11] = [
        (1, b"<</Type/Catalog/Pages 2 0 R>>".to_vec()),
        (2, b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>".to_vec()),
        (
            3,
            format!("<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<<{fonts}>>>>").into_bytes(),
        ),
        (4, stream("", &content)),
        (
            7,
            [b"<</Type/Font/ToUnicode 9 0 R", &simple[..], b">>"].concat(),
        ),
        (
            8,
            b"<</Type/Font/Subtype/Type0/BaseFont/A/ToUnicode 9 0 R/Encoding 10 0 R/DescendantFonts[11 0 R]>>"
                .to_vec(),
        ),
        (9, stream("", &to_unicode)),
        (10, stream("/Type/CMap/CMapName/A", &cmap)),
        (11, [b"<</Type/Font/Subtype/CIDFontType2", &descendant[..], b">>"].concat()),
        (
            12,
            stream(
                &format!("/Subtype/Form/BBox[0 0 595 842]/Matrix[0.9 0.1 -0.1 0.9 5 5]/Resources<<{fonts}>>"),
                &content,
            ),
        ),
        (13, stream("/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", b"x")),
    ];
    let mut input = vec![0];
    for (place, (number, body)) in records.iter().enumerate() {
        if place > 0 {
            input.push(script::RECORD);
        }
        input.push(*number);
        input.extend_from_slice(body);
    }
    script::document(&input)
}

fn look(document: &Document<'_>, file: &[u8]) -> Result<(), PdfError> {
    let pages = document.page_count()?.min(PAGES_MAX);
    let mut first: Option<TextSearch> = None;
    for word in ["章", "a", "盖章处", "月", " "] {
        let search = document.find_text(word, 0..pages)?;
        check(&search, pages);
        assert!(word != " " || search.matches.is_empty());
        let shown = TextSearch {
            matches: Vec::new(),
            ..search.clone()
        };
        assert_eq!(*first.get_or_insert_with(|| shown.clone()), shown);
        let mut one_by_one = Vec::new();
        for page_index in 0..pages {
            one_by_one.extend(document.find_text(word, [page_index])?.matches);
        }
        assert_eq!(one_by_one, search.matches);
        // Afresh, with nothing remembered.
        let again = Document::open(file, limits())?.find_text(word, 0..pages)?;
        assert_eq!(again, search);
    }
    places(document);
    plans(document);
    Ok(())
}

fn check(search: &TextSearch, pages: usize) {
    assert_eq!(search.pages, pages);
    assert!(search.pages_without_text <= pages);
    for found in &search.matches {
        assert!(found.page_index < pages);
        assert!(found.left_mm.is_finite() && found.left_mm <= found.right_mm);
        assert!(found.top_mm.is_finite() && found.top_mm <= found.bottom_mm);
        assert!(found.right_mm.is_finite() && found.bottom_mm.is_finite());
        assert!(found.start_mm.iter().all(|number| number.is_finite()));
    }
}

fn places(document: &Document<'_>) {
    let keyword = |occurrence| {
        Place::Keyword(Keyword {
            text: "章".to_owned(),
            occurrence,
            pages: Pages::All,
            offset_x_mm: 1.0,
            offset_y_mm: -1.0,
        })
    };
    let seam = Place::Seam(Seam {
        edge: Edge::Top,
        pages: Pages::All,
        sheets_per_seal_max: 3,
        is_double_sided: true,
        along_mm: None,
    });
    let issuer = "村".to_owned();
    for place in [
        keyword(Occurrence::All),
        keyword(Occurrence::Number(1)),
        Place::IssuerAndDate { issuer },
        seam,
    ] {
        let placement = match resolve(document, &place, SEAL_MM, true) {
            Ok(placement) => placement,
            Err(error) => {
                assert!(!error.reason().is_empty() && !error.to_string().is_empty());
                continue;
            }
        };
        let spots = match placement {
            Placement::Places(spots) => spots,
            Placement::Visible {
                page_index,
                x_mm,
                y_mm,
                ..
            } => {
                assert!(x_mm.is_finite() && y_mm.is_finite());
                assert!(document.page(page_index).is_ok());
                continue;
            }
            Placement::Invisible { .. } => panic!("no place was asked to be invisible"),
        };
        for spot in spots {
            assert!(document.page(spot.page_index).is_ok());
            assert!(spot.x_mm.is_finite() && spot.y_mm.is_finite());
            assert!(spot.width_mm > 0.0 && spot.height_mm > 0.0);
        }
    }
}

fn plans(document: &Document<'_>) {
    for target in [
        FieldTarget::New { name: None },
        FieldTarget::Existing {
            name: format!("{PLAN_FIELD}.b"),
        },
    ] {
        let _ = check_turn(document, &target).map_err(|error| error.to_string());
    }
    let plan = SigningPlan {
        first: "a".to_owned(),
        later: vec![LaterSigner {
            name: "b".to_owned(),
            place: Place::Pages {
                pages: Pages::Last,
                x_mm: 20.0,
                y_mm: 20.0,
            },
            size_mm: SEAL_MM,
        }],
        certifies: true,
        last_locks: true,
    };
    let _ = plan
        .begin(document, &SignatureOptions::default())
        .map_err(|error| error.to_string());
}
