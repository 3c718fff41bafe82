//! Seals in many places, by word and on the seam of pages, as other people's tools see them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod places;

use std::path::{Path, PathBuf};
use std::time::Instant;

use places::{Picture, Sealed, render, words};
use yinxin_pdf::{Document, FieldTarget, Limits};
use yinxin_signer::appearance::PngPicture;
use yinxin_signer::places::{Edge, Keyword, Occurrence, Pages, Place, Seam};
use yinxin_signer::plan::{LaterSigner, SigningPlan};
use yinxin_signer::road::{Order, Wishes};
use yinxin_signer::seal::Seal;
use yinxin_tests::pages::pages;
use yinxin_tests::peers;
use yinxin_tests::process::run_ok;
use yinxin_tests::producers::Producer;
use yinxin_tests::sealing::{Kind, bench, visible};
use yinxin_verifier::Indication;

/// The side of the seals here: 2, 7 and 20 strips of it have whole tenths of a millimetre.
const SIDE_MM: f64 = 42.0;

/// Ten pixels a millimetre.
const DOTS_PER_INCH: u32 = 254;

fn passes_our_verifier(what: &str, bytes: &[u8], signatures: usize) {
    let report = yinxin_verifier::verify(bytes, &bench().trust, &bench().options()).unwrap();
    assert_eq!(report.signatures.len(), signatures, "{what}");
    assert_eq!(
        report.indication,
        Indication::TotalPassed,
        "{what}: {}",
        serde_json::to_string(&report.signatures).unwrap()
    );
}

/// The seal of the bench with a face that no two strips of share.
fn large_seal() -> Seal {
    let mut seal = bench().first.clone();
    seal.width_mm = SIDE_MM;
    seal.height_mm = SIDE_MM;
    seal.appearance.content =
        b"q 0.9 0 0.07 RG 4 w 3 3 107 107 re 3 3 m 110 110 l 3 80 m 110 20 l \
        30 3 m 40 60 90 70 80 110 c S Q"
            .as_slice()
            .into();
    seal
}

fn seam(edge: Edge, is_double_sided: bool) -> Place {
    Place::Seam(Seam {
        edge,
        pages: Pages::All,
        sheets_per_seal_max: 20,
        is_double_sided,
        along_mm: None,
    })
}

fn seal_at(document: &[u8], seal: &Seal, place: Place) -> Vec<u8> {
    let order = Order {
        seal,
        place,
        ..bench().order(Kind::PadesRsa)
    };
    bench().seal_order(document, &order).unwrap()
}

/// The document with a seam stamp, and with a second one on another edge.
fn seamed(count: usize) -> (Vec<u8>, Vec<u8>) {
    let seal = large_seal();
    let start = Instant::now();
    let once = seal_at(&pages(count), &seal, seam(Edge::Right, false));
    eprintln!(
        "seam on {count} pages: sealed and checked in {:?}",
        start.elapsed()
    );
    assert!(start.elapsed().as_secs() < 20, "{count} pages");
    let twice = seal_at(&once, &seal, seam(Edge::Left, false));
    (once, twice)
}

#[test]
fn a_seam_stamp_is_accepted_by_all_and_a_second_one_leaves_the_first_valid() {
    for count in [2, 7, 300] {
        let what = format!("{count} pages");
        let (once, twice) = seamed(count);
        passes_our_verifier(&what, &once, 1);
        passes_our_verifier(&what, &twice, 2);
        let folder = tempfile::tempdir().unwrap();
        let [once, twice] = [("once", once), ("twice", twice)].map(|(name, bytes)| {
            let file = folder.path().join(format!("{name}.pdf"));
            std::fs::write(&file, bytes).unwrap();
            file
        });
        let root = bench().rsa_root();
        for (file, fields) in [(&once, &[count][..]), (&twice, &[count, count])] {
            Sealed {
                what: &format!("{what}, {} seals", fields.len()),
                file,
                root: &root,
                fields,
            }
            .is_accepted_by_all();
        }
    }
}

fn accepted_by_pyhanko(what: &str, file: &Path, fields: usize) {
    let root = bench().rsa_root();
    Sealed {
        what,
        file,
        root: &root,
        fields: &[fields],
    }
    .is_accepted_by_pyhanko();
}

#[test]
fn the_strips_of_a_seam_stamp_put_side_by_side_are_the_whole_seal() {
    let seal = large_seal();
    let whole = seal_at(
        &pages(1),
        &seal,
        Place::Pages {
            pages: Pages::First,
            x_mm: 100.0,
            y_mm: 127.5,
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let Some(whole) = render(folder.path(), "whole", &whole, DOTS_PER_INCH, 1) else {
        return;
    };
    let side = (SIDE_MM * 10.0) as usize;
    let whole = whole[0].cut(1000, 1275, side, side);
    assert!(whole.dark() > 5_000, "the seal can be seen");
    for (count, edge) in [
        (2, Edge::Right),
        (7, Edge::Right),
        (300, Edge::Right),
        (7, Edge::Left),
        (7, Edge::Top),
        (7, Edge::Bottom),
    ] {
        let what = format!("{count} pages, {edge:?}");
        let bytes = seal_at(&pages(count), &seal, seam(edge, false));
        let group = count.min(20);
        let name = format!("{count}{edge:?}");
        let Some(shown) = render(folder.path(), &name, &bytes, DOTS_PER_INCH, group) else {
            return;
        };
        let strip = side / group;
        let parts: Vec<Picture> = shown
            .iter()
            .map(|page| match edge {
                Edge::Right => page.cut(2100 - strip, 1275, strip, side),
                Edge::Left => page.cut(0, 1275, strip, side),
                Edge::Top => page.cut(840, 0, side, strip),
                Edge::Bottom => page.cut(840, 2970 - strip, side, strip),
            })
            .collect();
        let joined = match edge {
            Edge::Right => Picture::beside(&parts),
            Edge::Bottom => Picture::below(&parts),
            Edge::Left => Picture::beside(&parts.into_iter().rev().collect::<Vec<_>>()),
            Edge::Top => Picture::below(&parts.into_iter().rev().collect::<Vec<_>>()),
        };
        let differing = joined.differing_pixels(&whole);
        let part = differing as f64 / (side * side) as f64;
        eprintln!("{what}: {differing} of {} pixels differ", side * side);
        assert!(
            part < 0.005,
            "{what}: {:.2} % of the pixels differ",
            part * 100.0
        );
    }
}

/// The file turned page by page.
fn turned(file: &Path, folder: &Path) -> Option<PathBuf> {
    let out = folder.join("turned.pdf");
    let mut qpdf = peers::tool("qpdf")?;
    qpdf.args(["--rotate=90:1", "--rotate=270:2"]);
    run_ok(qpdf.arg(file).arg(&out)).unwrap();
    Some(out)
}

#[test]
fn a_word_is_found_to_a_millimetre_whoever_wrote_the_page() {
    const WORD: &str = "盖章处";
    for producer in Producer::CHINESE {
        let Some(file) = producer.pdf() else { continue };
        let folder = tempfile::tempdir().unwrap();
        let mut files = vec![file.clone()];
        files.extend(turned(&file, folder.path()));
        for (file, way) in files.iter().zip(["as made", "turned"]) {
            let what = format!("{}, {way}", producer.name());
            let Some(expected) = words(file, WORD) else {
                return;
            };
            let bytes = std::fs::read(file).unwrap();
            let document = Document::open(&bytes, Limits::default()).unwrap();
            let found = document.find_text(WORD, 0..2).unwrap();
            assert_eq!(found.matches.len(), 2, "{what}: {found:?}");
            assert_eq!(expected.len(), 2, "{what}: MuPDF");
            for (place, (found, expected)) in found.matches.iter().zip(&expected).enumerate() {
                let [x, y] = found.start_mm;
                let off = (x - expected.start_mm[0]).hypot(y - expected.start_mm[1]);
                assert!(off < 0.3, "{what}: {found:?}, MuPDF has {expected:?}");
                let middle = [
                    (found.left_mm + found.right_mm) / 2.0,
                    (found.top_mm + found.bottom_mm) / 2.0,
                ];
                let off =
                    (middle[0] - expected.middle_mm[0]).hypot(middle[1] - expected.middle_mm[1]);
                assert!(
                    off < 1.0,
                    "{what}: middle {middle:?}, MuPDF has {expected:?}"
                );

                let place = Place::Keyword(Keyword {
                    text: WORD.to_owned(),
                    occurrence: Occurrence::Number(place as u32 + 1),
                    pages: Pages::All,
                    offset_x_mm: 15.0,
                    offset_y_mm: 30.0,
                });
                let mut seal = large_seal();
                // Small enough to stay on the page, a frame only, and in pure red.
                seal.width_mm = 20.0;
                seal.height_mm = 20.0;
                seal.appearance.content = b"1 0 0 rg 0 0 113 113 re f".as_slice().into();
                let sealed = seal_at(&bytes, &seal, place);
                let name = format!("{}-{way}-{}", producer.name(), found.page_index);
                let Some(shown) = render(folder.path(), &name, &sealed, 127, 2) else {
                    return;
                };
                let [left, top, right, bottom] = shown[found.page_index].solid(18.0, 18.0);
                let stands = [(left + right) / 2.0, (top + bottom) / 2.0];
                let wanted = [expected.middle_mm[0] + 15.0, expected.middle_mm[1] + 30.0];
                let off = (stands[0] - wanted[0]).hypot(stands[1] - wanted[1]);
                assert!(
                    off < 1.0,
                    "{what}: the seal stands at {stands:?}, not {wanted:?}"
                );
            }
        }
    }
}

#[test]
fn a_contract_of_three_parties_is_signed_in_order_certified_and_closed() {
    let document = pages(2);
    let folder = tempfile::tempdir().unwrap();
    let party = |name: &str, y_mm: f64| LaterSigner {
        name: name.to_owned(),
        place: visible(1, 20.0, y_mm).into(),
        size_mm: [40.0, 40.0],
    };
    let plan = SigningPlan {
        first: "甲方".to_owned(),
        later: vec![party("乙方", 80.0), party("丙方", 140.0)],
        certifies: true,
        last_locks: true,
    };
    let first = Order {
        place: visible(1, 20.0, 20.0).into(),
        wishes: Wishes {
            plan: Some(plan),
            ..Wishes::default()
        },
        ..bench().order(Kind::PadesRsa)
    };
    let signs = |name: &str, kind: Kind| Order {
        field: FieldTarget::Existing {
            name: format!("SigningPlan.{name}"),
        },
        place: visible(0, 0.0, 0.0).into(),
        wishes: Wishes::default(),
        ..bench().order(kind)
    };
    let fourth = Order {
        place: visible(0, 120.0, 20.0).into(),
        wishes: Wishes::default(),
        ..bench().order(Kind::PadesP256)
    };
    let refused = |document: &[u8], order: &Order<'_>| {
        bench().seal_order(document, order).unwrap_err().reason()
    };
    let once = bench().seal_order(&document, &first).unwrap();
    assert_eq!(refused(&once, &first), "PLAN_NOT_THE_FIRST");
    assert_eq!(
        refused(&once, &signs("丙方", Kind::PadesRsa)),
        "PLAN_OUT_OF_ORDER"
    );
    assert_eq!(
        refused(&once, &signs("丁方", Kind::PadesRsa)),
        "PLAN_NOT_IN_PLAN"
    );
    assert_eq!(refused(&once, &fourth), "PLAN_NOT_IN_PLAN");
    let twice = bench()
        .seal_order(&once, &signs("乙方", Kind::PadesP256))
        .unwrap();
    assert_eq!(
        refused(&twice, &signs("乙方", Kind::PadesP256)),
        "PLAN_OUT_OF_ORDER"
    );
    let thrice = bench()
        .seal_order(&twice, &signs("丙方", Kind::PadesRsa))
        .unwrap();
    assert_eq!(refused(&thrice, &fourth), "PLAN_COMPLETE");
    for (count, bytes) in [(1, &once), (2, &twice), (3, &thrice)] {
        let what = format!("{count} parties");
        passes_our_verifier(&what, bytes, count);
        let file = folder.path().join(format!("{count}.pdf"));
        std::fs::write(&file, bytes).unwrap();
        accepted_by_pyhanko(&what, &file, count);
        if let Some(found) = peers::qpdf_check(&file) {
            assert_eq!(found, (0, 0), "{what}");
        }
    }
}

#[test]
fn a_picture_of_300_dots_an_inch_is_stored_once_however_many_places_show_it() {
    let png = places::noisy_png(496);
    assert!(png.len() > 200_000, "{} bytes", png.len());
    let picture = PngPicture::read(png.clone(), SIDE_MM, SIDE_MM).unwrap();
    let mut seal = large_seal();
    seal.appearance = picture.appearance("示例");
    let everywhere = || Place::Pages {
        pages: Pages::All,
        x_mm: 120.0,
        y_mm: 200.0,
    };
    let mut grown = Vec::new();
    for count in [1, 50] {
        let document = pages(count);
        let start = Instant::now();
        let once = seal_at(&document, &seal, everywhere());
        let spent = start.elapsed();
        let start = Instant::now();
        let twice = seal_at(
            &once,
            &seal,
            Place::Pages {
                pages: Pages::First,
                x_mm: 20.0,
                y_mm: 20.0,
            },
        );
        let again = start.elapsed();
        eprintln!(
            "a PNG of {} bytes in {count} places: {} bytes more, sealed and checked in {spent:?}; \
             once more in the same file: {} bytes, {again:?}",
            png.len(),
            once.len() - document.len(),
            twice.len() - once.len(),
        );
        grown.push(once.len() - document.len());
        let images = |bytes: &[u8]| {
            bytes
                .windows(14)
                .filter(|part| part == b"/Subtype/Image")
                .count()
        };
        assert_eq!(images(&once), 2, "colour and mask");
        assert_eq!(images(&twice), 2, "the second seal shows the same picture");
        assert!(twice.len() - once.len() < 60_000);
        passes_our_verifier("a picture", &twice, 2);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sealed.pdf");
        std::fs::write(&file, &twice).unwrap();
        accepted_by_pyhanko("a picture", &file, count + 1);
        // It looks as the PNG does: most of it is there, and its clear corners are clear.
        let Some(shown) = render(folder.path(), "shown", &once, DOTS_PER_INCH, 1) else {
            continue;
        };
        let stamp = shown[0].cut(1200, 2000, 420, 420);
        assert!(stamp.dark() > 40_000, "{} dark pixels", stamp.dark());
        assert_eq!(shown[0].cut(1200, 2000, 10, 10).dark(), 0);
    }
    let per_place = (grown[1] - grown[0]) / 49;
    assert!(
        per_place < 1_000,
        "{per_place} bytes for each further place"
    );
}
