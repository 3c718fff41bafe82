//! Places, several seals and signing plans over the service.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod places;

use std::future::Future;
use std::path::{Path, PathBuf};

use places::{Picture, Sealed, render, words};
use yinxin_keys_dev::SEAL_ID;
use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_proto::v1::keyword_placement::Occurrence;
use yinxin_proto::v1::page_selection::Pages;
use yinxin_proto::v1::placement::Position;
use yinxin_proto::v1::seam_placement::Edge;
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_tests::department::{Department, reason, seal_header};
use yinxin_tests::pages::pages;
use yinxin_tests::producers::Producer;
use yinxin_tests::services::{Services, install};

/// Ten pixels a millimetre.
const DOTS_PER_INCH: u32 = 254;

/// The side of the seal, in pixels.
const SIDE: usize = 420;

struct House {
    data: Department,
    verifier: Department,
    /// The RSA root, for other people's verifiers.
    root: PathBuf,
    folder: PathBuf,
}

fn in_house<F: Future<Output = ()>>(test: impl FnOnce(House) -> F) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let installation = install(folder.path());
        let services = Services::start(&installation).await;
        let (signer, verifier) = (services.signer.port(), services.verifier.port());
        let root = folder.path().join("rsa-root.pem");
        let pki = installation.keys.pki(SystemClock.now()).unwrap();
        std::fs::write(&root, pki.rsa_root.certificate.to_pem()).unwrap();
        let house = House {
            data: Department::connect(&installation.client_config, signer)
                .await
                .unwrap(),
            verifier: Department::connect(&installation.bank_client_config, verifier)
                .await
                .unwrap(),
            root,
            folder: folder.path().to_owned(),
        };
        test(house).await;
        drop(folder);
    });
}

fn at(position: Position) -> v1::Placement {
    v1::Placement {
        position: Some(position),
        ..v1::Placement::default()
    }
}

fn visible(page_number: u32, x_mm: f64, y_mm: f64) -> v1::Placement {
    at(Position::Visible(v1::VisiblePlacement {
        page_number,
        x_mm,
        y_mm,
        field_name: String::new(),
    }))
}

fn keyword(word: &str, occurrence: Option<Occurrence>) -> v1::Placement {
    at(Position::Keyword(v1::KeywordPlacement {
        keyword: word.to_owned(),
        occurrence,
        offset_x_mm: 40.0,
        offset_y_mm: 60.0,
        ..v1::KeywordPlacement::default()
    }))
}

fn seam() -> v1::Placement {
    at(Position::Seam(v1::SeamPlacement::default()))
}

fn header(name: &str, placement: v1::Placement) -> v1::SealDocumentHeader {
    v1::SealDocumentHeader {
        placement: Some(placement),
        ..seal_header(name, v1::SealProfile::PadesBB)
    }
}

fn document() -> Bytes {
    pages(3).into()
}

async fn passes(house: &House, what: &str, sealed: Vec<u8>, signatures: usize) {
    let report = house.verifier.verify(sealed.into()).await.unwrap();
    assert_eq!(
        report.indication(),
        v1::Indication::TotalPassed,
        "{what}: {}",
        report.report_text
    );
    assert_eq!(report.signatures.len(), signatures, "{what}");
}

#[test]
fn every_kind_of_place_gives_a_document_that_the_verifier_passes() {
    in_house(|house| async move {
        let on = |pages| {
            at(Position::Pages(v1::PagesPlacement {
                pages: Some(v1::PageSelection { pages: Some(pages) }),
                x_mm: 100.0,
                y_mm: 100.0,
                field_name: String::new(),
            }))
        };
        let listed = v1::PageList {
            page_numbers: vec![3, 1],
        };
        for (what, placement) in [
            ("all pages", on(Pages::All(true))),
            ("the last page", on(Pages::Last(true))),
            ("two pages", on(Pages::Listed(listed))),
            ("a word", keyword("Page 2", None)),
            (
                "a word everywhere",
                keyword("Page", Some(Occurrence::All(true))),
            ),
            ("the seam", seam()),
        ] {
            for profile in [v1::SealProfile::PadesBB, v1::SealProfile::Dual] {
                let name = format!("{what}-{profile:?}").replace(' ', "-");
                let header = v1::SealDocumentHeader {
                    profile: profile.into(),
                    ..header(&name, placement.clone())
                };
                let (receipt, sealed) = house.data.seal(header, document()).await.unwrap();
                let signatures = receipt.receipt.unwrap().signatures.len();
                passes(&house, what, sealed, signatures).await;
            }
        }
    });
}

#[test]
fn several_seals_of_one_request_make_a_revision_each() {
    in_house(|house| async move {
        let further = |profile: v1::SealProfile, placement| v1::FurtherSeal {
            seal_id: SEAL_ID.to_owned(),
            profile: profile.into(),
            placement: Some(placement),
            ..v1::FurtherSeal::default()
        };
        let header = v1::SealDocumentHeader {
            further_seals: vec![
                further(v1::SealProfile::PadesBB, seam()),
                further(v1::SealProfile::Dual, visible(2, 20.0, 20.0)),
            ],
            ..header("several", visible(1, 20.0, 20.0))
        };
        let (receipt, sealed) = house.data.seal(header, document()).await.unwrap();
        let signatures = receipt.receipt.unwrap().signatures;
        let fields: Vec<&str> = signatures
            .iter()
            .map(|one| one.field_name.as_str())
            .collect();
        assert_eq!(fields, ["Seal-1", "Seal-2-p1", "Seal-3", "Seal-4"]);
        passes(&house, "several", sealed, 4).await;

        // A seal that is not permitted stops them all.
        let mut stranger = further(v1::SealProfile::PadesBB, seam());
        stranger.seal_id = "stranger".to_owned();
        let refused = v1::SealDocumentHeader {
            further_seals: vec![stranger],
            ..self::header("stranger", visible(1, 20.0, 20.0))
        };
        let status = house.data.seal(refused, document()).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::PermissionDenied, "{status:?}");
    });
}

#[test]
fn a_place_that_cannot_be_is_refused_with_its_reason() {
    in_house(|house| async move {
        let (_, once) = house
            .data
            .seal(header("once", visible(1, 20.0, 20.0)), document())
            .await
            .unwrap();
        let once = Bytes::from(once);
        let overlapping = v1::Placement {
            may_overlap: true,
            ..visible(1, 30.0, 30.0)
        };
        house
            .data
            .seal(header("over", overlapping), once.clone())
            .await
            .unwrap();
        let outside = v1::Placement {
            may_leave_page: true,
            ..visible(1, 190.0, 100.0)
        };
        house
            .data
            .seal(header("out", outside), once.clone())
            .await
            .unwrap();
        for (name, placement, expected) in [
            ("over-1", visible(1, 30.0, 30.0), "STAMP_OVERLAPS"),
            (
                "out-1",
                visible(1, 190.0, 100.0),
                "PDF_PLACEMENT_OUTSIDE_PAGE",
            ),
            ("word", keyword("盖章处", None), "KEYWORD_NOT_FOUND"),
            (
                "word-9",
                keyword("Page", Some(Occurrence::Number(9))),
                "KEYWORD_OCCURRENCE_MISSING",
            ),
            (
                "date",
                at(Position::IssuerAndDate(v1::IssuerAndDatePlacement {
                    issuer: "Page 1".to_owned(),
                    field_name: String::new(),
                })),
                "DATE_NOT_FOUND",
            ),
        ] {
            let status = house
                .data
                .seal(header(name, placement), once.clone())
                .await
                .unwrap_err();
            assert_eq!(reason(&status).0, expected, "{name}: {status:?}");
        }
        let status = house
            .data
            .seal(header("one-page", seam()), pages(1).into())
            .await
            .unwrap_err();
        assert_eq!(reason(&status).0, "SEAM_NEEDS_TWO_SHEETS");
    });
}

#[test]
fn the_signers_of_a_plan_come_in_their_order_and_nobody_else_does() {
    in_house(|house| async move {
        let later = |name: &str, y_mm: f64| v1::LaterSigner {
            name: name.to_owned(),
            placement: Some(visible(3, 20.0, y_mm)),
            ..v1::LaterSigner::default()
        };
        let plan = v1::SigningPlan {
            first_name: "甲方".to_owned(),
            later: vec![later("乙方", 80.0), later("丙方", 140.0)],
            last_locks: true,
        };
        let first = v1::SealDocumentHeader {
            plan: Some(plan),
            certification: v1::Certification::FillingAndSigning.into(),
            ..header("first", visible(3, 20.0, 20.0))
        };
        let signs = |request: &str, name: &str| {
            let existing = v1::ExistingField {
                name: format!("SigningPlan.{name}"),
            };
            header(request, at(Position::ExistingField(existing)))
        };
        let dual = v1::SealDocumentHeader {
            request_id: "dual".to_owned(),
            profile: v1::SealProfile::Dual.into(),
            ..first.clone()
        };
        let status = house.data.seal(dual, document()).await.unwrap_err();
        assert_eq!(reason(&status).0, "FIELD_INVALID", "{status:?}");

        let (_, once) = house.data.seal(first, document()).await.unwrap();
        let refused = |request: v1::SealDocumentHeader, bytes: &[u8]| {
            let bytes = Bytes::copy_from_slice(bytes);
            let data = house.data.clone();
            async move { reason(&data.seal(request, bytes).await.unwrap_err()).0 }
        };
        assert_eq!(
            refused(signs("too-early", "丙方"), &once).await,
            "PLAN_OUT_OF_ORDER"
        );
        let stranger = header("stranger", visible(1, 20.0, 20.0));
        assert_eq!(refused(stranger, &once).await, "PLAN_NOT_IN_PLAN");
        let (_, twice) = house
            .data
            .seal(signs("second", "乙方"), once.into())
            .await
            .unwrap();
        let (_, thrice) = house
            .data
            .seal(signs("third", "丙方"), twice.into())
            .await
            .unwrap();
        let fourth = header("fourth", visible(1, 20.0, 20.0));
        assert_eq!(refused(fourth, &thrice).await, "PLAN_COMPLETE");
        passes(&house, "three parties", thrice, 3).await;
    });
}

/// The sealed document as a file, after every reader has accepted it.
async fn accepted_by_all(
    house: &House,
    what: &str,
    placement: v1::Placement,
    document: Bytes,
) -> Vec<u8> {
    let name = what.replace(' ', "-");
    let request = header(&name, placement);
    let (_, sealed) = house.data.seal(request, document).await.unwrap();
    passes(house, what, sealed.clone(), 1).await;
    let file = house.folder.join(format!("{name}.pdf"));
    std::fs::write(&file, &sealed).unwrap();
    let document = yinxin_pdf::Document::open(&sealed, yinxin_pdf::Limits::default()).unwrap();
    let fields = document.signature_fields().unwrap().len();
    Sealed {
        what,
        file: &file,
        root: &house.root,
        fields: &[fields],
    }
    .is_accepted_by_all();
    sealed
}

fn assert_same(what: &str, one: &Picture, other: &Picture) {
    let (pixels, differing) = (one.pixels(), one.differing_pixels(other));
    eprintln!("{what}: {differing} of {pixels} pixels differ");
    assert!(differing * 200 < pixels, "{what}: {differing} of {pixels}");
}

#[test]
fn both_sides_of_the_sheets_show_the_seal_of_a_seam_when_they_are_put_side_by_side() {
    in_house(|house| async move {
        let on_page = at(Position::Pages(v1::PagesPlacement {
            pages: Some(v1::PageSelection {
                pages: Some(Pages::First(true)),
            }),
            x_mm: 100.0,
            y_mm: 127.5,
            field_name: String::new(),
        }));
        let whole = accepted_by_all(&house, "the whole seal", on_page, document()).await;
        let folder = house.folder.as_path();
        let Some(whole) = render(folder, "whole", &whole, DOTS_PER_INCH, 1) else {
            return;
        };
        let whole = whole[0].cut(1000, 1275, SIDE, SIDE);
        assert!(whole.dark() > 5_000, "the seal can be seen");
        // Three sheets; four, of which the last has no back.
        for (count, edge) in [
            (6, Edge::Right),
            (7, Edge::Right),
            (7, Edge::Left),
            (6, Edge::Bottom),
            (7, Edge::Top),
        ] {
            let what = format!("both sides of {count} pages {edge:?}");
            let placement = at(Position::Seam(v1::SeamPlacement {
                edge: edge.into(),
                double_sided: true,
                // Left of the middle, so that a back that is not mirrored is seen.
                along_mm: if matches!(edge, Edge::Top | Edge::Bottom) {
                    60.0
                } else {
                    0.0
                },
                ..v1::SeamPlacement::default()
            }));
            let pdf = pages(count).into();
            let sealed = accepted_by_all(&house, &what, placement, pdf).await;
            let name = what.replace(' ', "-");
            let Some(shown) = render(folder, &name, &sealed, DOTS_PER_INCH, count) else {
                return;
            };
            let strip = SIDE / count.div_ceil(2);
            let part = |page: &Picture, is_back: bool| match (edge, is_back) {
                (Edge::Right, false) | (Edge::Left, true) => {
                    page.cut(2100 - strip, 1275, strip, SIDE)
                }
                (Edge::Left, false) | (Edge::Right, true) => page.cut(0, 1275, strip, SIDE),
                (Edge::Bottom, false) => page.cut(390, 2970 - strip, SIDE, strip),
                (Edge::Bottom, true) => page.cut(2100 - 390 - SIDE, 2970 - strip, SIDE, strip),
                (Edge::Top, false) => page.cut(390, 0, SIDE, strip),
                (Edge::Top, true) => page.cut(2100 - 390 - SIDE, 0, SIDE, strip),
                (Edge::Unspecified, _) => panic!("an edge is named"),
            };
            let side_of = |remainder: usize| -> Vec<Picture> {
                let pages = shown.iter().skip(remainder).step_by(2);
                pages.map(|page| part(page, remainder == 1)).collect()
            };
            let (mut fronts, backs) = (side_of(0), side_of(1));
            for (sheet, (front, back)) in fronts.iter().zip(&backs).enumerate() {
                assert!(front.dark() > 100, "{what}: sheet {sheet} shows something");
                assert_same(&format!("{what}, sheet {sheet}"), back, front);
            }
            if matches!(edge, Edge::Left | Edge::Top) {
                fronts.reverse();
            }
            let joined = if matches!(edge, Edge::Right | Edge::Left) {
                Picture::beside(&fronts)
            } else {
                Picture::below(&fronts)
            };
            assert_same(&format!("{what}, fronts"), &joined, &whole);
            if edge == Edge::Right {
                // Turned over and fanned to the left, the backs follow in the order of the pages.
                let joined = Picture::beside(&backs);
                let shown = whole.cut(0, 0, strip * backs.len(), SIDE);
                assert_same(&format!("{what}, backs"), &joined, &shown);
            }
        }
    });
}

/// Where the seal must stand by MuPDF's reading: over year and month, and a tenth of its height
/// above the middle between issuer and date.
fn over_the_date(file: &Path, issuer: &str) -> Option<[f64; 2]> {
    let name = *words(file, issuer)?.last().unwrap();
    // One by one: MuPDF puts blanks between ideographs and digits.
    let [year, month] = [
        *words(file, "年")?.last().unwrap(),
        *words(file, "月")?.last().unwrap(),
    ];
    let x = (year.middle_mm[0] + month.middle_mm[0]) / 2.0;
    Some([x, (name.middle_mm[1] + year.middle_mm[1]) / 2.0 - 4.2])
}

#[test]
fn the_seal_rides_over_the_year_to_a_millimetre_whoever_wrote_the_page() {
    const ISSUER: &str = "示例村民委员会";
    in_house(|house| async move {
        for producer in [
            Producer::ChineseTypst,
            Producer::ChineseLibreOffice,
            Producer::ChineseChromium,
        ] {
            let Some(file) = producer.pdf() else { continue };
            let Some(wanted) = over_the_date(&file, ISSUER) else {
                return;
            };
            let what = format!("issuer and date by {}", producer.name());
            let plain = std::fs::read(&file).unwrap();
            let placement = at(Position::IssuerAndDate(v1::IssuerAndDatePlacement {
                issuer: ISSUER.to_owned(),
                field_name: String::new(),
            }));
            let sealed = accepted_by_all(&house, &what, placement, plain.clone().into()).await;
            let folder = house.folder.as_path();
            let picture = |name: &str, bytes: &[u8]| {
                let shown = render(folder, name, bytes, DOTS_PER_INCH, 1)?;
                shown.into_iter().next()
            };
            let (Some(before), Some(after)) =
                (picture("before", &plain), picture("after", &sealed))
            else {
                return;
            };
            // The ring of the seal touches all four edges.
            let [left, top, right, bottom] = after.changed(&before);
            assert!(
                (right - left - 42.0).abs() < 0.5,
                "{what}: {left} to {right}"
            );
            assert!(
                (bottom - top - 42.0).abs() < 0.5,
                "{what}: {top} to {bottom}"
            );
            let stands = [(left + right) / 2.0, (top + bottom) / 2.0];
            let off = (stands[0] - wanted[0]).hypot(stands[1] - wanted[1]);
            eprintln!("{what}: {off:.2} mm off");
            assert!(
                off < 1.0,
                "{what}: the seal stands at {stands:?}, not {wanted:?}"
            );
        }
    });
}
