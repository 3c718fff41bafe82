//! Places, several seals and signing plans over the service.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod places;

use std::future::Future;

use places::pages;
use yinxin_keys_dev::{Installation, SEAL_ID};
use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_proto::v1::keyword_placement::Occurrence;
use yinxin_proto::v1::page_selection::Pages;
use yinxin_proto::v1::placement::Position;
use yinxin_tests::department::{Department, reason, seal_header};
use yinxin_tests::services::{Services, install};

struct House {
    data: Department,
    verifier: Department,
    #[allow(dead_code, reason = "the services live in it")]
    installation: Installation,
}

fn in_house<F: Future<Output = ()>>(test: impl FnOnce(House) -> F) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let installation = install(folder.path());
        let services = Services::start(&installation).await;
        let (signer, verifier) = (services.signer.port(), services.verifier.port());
        let house = House {
            data: Department::connect(&installation.client_config, signer)
                .await
                .unwrap(),
            verifier: Department::connect(&installation.bank_client_config, verifier)
                .await
                .unwrap(),
            installation,
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
