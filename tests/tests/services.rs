//! Both services over mutual TLS: who may do what, what a retry gives, what a refusal says.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::future::Future;

use tonic::Code;
use yinxin_keys_dev::{Installation, SEAL_ID};
use yinxin_pdf::{Document, FieldTarget, Limits, Placement, SignatureOptions, SignatureRequest};
use yinxin_pki::DigestAlgorithm;
use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_tests::department::{Department, marital_proof, reason, seal_header};
use yinxin_tests::services::{Services, install, plain_pdf};

/// A running pair of services, and a connection of each department to each.
struct House {
    installation: Installation,
    data: Department,
    bank: Department,
    verifier: Department,
    signer_port: u16,
}

fn in_house<F: Future<Output = ()>>(test: impl FnOnce(House) -> F) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let installation = install(folder.path());
        let services = Services::start(&installation).await;
        let (signer, verifier) = (services.signer.port(), services.verifier.port());
        let (data, bank) = (
            &installation.client_config,
            &installation.bank_client_config,
        );
        let house = House {
            data: Department::connect(data, signer).await.unwrap(),
            bank: Department::connect(bank, signer).await.unwrap(),
            verifier: Department::connect(bank, verifier).await.unwrap(),
            signer_port: signer,
            installation,
        };
        test(house).await;
        // Not before: the services live in it.
        drop(folder);
    });
}

#[test]
fn each_profile_appends_to_the_document_and_passes_the_verifier() {
    in_house(|house| async move {
        let cases = [
            (v1::SealProfile::PadesBB, 1),
            (v1::SealProfile::GmSeal, 1),
            (v1::SealProfile::GmCms, 1),
            (v1::SealProfile::Dual, 2),
        ];
        for (profile, signatures) in cases {
            let pdf = plain_pdf();
            let header = seal_header(&format!("{profile:?}"), profile);
            let (receipt, sealed) = house.data.seal(header, pdf.clone()).await.unwrap();
            assert!(
                sealed.starts_with(&pdf),
                "{profile:?}: the original stays as it is"
            );
            assert_eq!(receipt.document_bytes, sealed.len() as u64);
            assert_eq!(
                receipt.document_sha256,
                DigestAlgorithm::Sha256.digest(&sealed)
            );
            assert_eq!(receipt.receipt.unwrap().signatures.len(), signatures);
            let report = house.verifier.verify(sealed.into()).await.unwrap();
            assert_eq!(
                report.indication(),
                v1::Indication::TotalPassed,
                "{}",
                report.report_text
            );
            assert_eq!(report.signatures.len(), signatures);
        }
    });
}

#[test]
fn the_same_request_gives_the_same_bytes_and_another_body_is_refused() {
    in_house(|house| async move {
        let header = seal_header("once", v1::SealProfile::Dual);
        let first = house.data.seal(header.clone(), plain_pdf()).await.unwrap();
        let second = house.data.seal(header.clone(), plain_pdf()).await.unwrap();
        assert_eq!(first.1, second.1);
        assert_eq!(first.0.receipt, second.0.receipt);
        assert_eq!([first.0.replayed, second.0.replayed], [false, true]);

        let mut other_bytes = plain_pdf().to_vec();
        other_bytes.push(b'\n');
        let other_place = v1::SealDocumentHeader {
            reason: "why".to_owned(),
            ..header.clone()
        };
        let others = [
            (header, Bytes::from(other_bytes)),
            (other_place, plain_pdf()),
        ];
        for (header, document) in others {
            let refused = house.data.seal(header, document).await.unwrap_err();
            assert_eq!(refused.code(), Code::AlreadyExists);
            assert_eq!(reason(&refused).0, "REQUEST_ID_REUSED");
        }
    });
}

#[test]
fn two_calls_with_one_request_id_at_the_same_time_make_one_document() {
    in_house(|house| async move {
        let request = marital_proof("twins", v1::SealProfile::Dual);
        let calls = (0..6).map(|_| {
            let (data, request) = (house.data.clone(), request.clone());
            tokio::spawn(async move { data.issue(request).await })
        });
        let mut documents = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                Ok(answer) => documents.push(answer.document),
                Err(status) => assert_eq!(reason(&status).0, "REQUEST_IN_FLIGHT"),
            }
        }
        assert!(!documents.is_empty());
        documents.dedup();
        assert_eq!(documents.len(), 1, "one document, however many callers");
    });
}

#[test]
fn a_department_may_do_what_the_table_says_and_nothing_else() {
    in_house(|house| async move {
        let denied = [
            (
                "another department",
                house
                    .bank
                    .issue(marital_proof("a", v1::SealProfile::Dual))
                    .await
                    .unwrap_err(),
                "DEPARTMENT_UNKNOWN",
            ),
            (
                "another seal",
                house
                    .data
                    .issue(v1::IssueLicenceRequest {
                        seal_id: "no-such-seal".to_owned(),
                        ..marital_proof("b", v1::SealProfile::Dual)
                    })
                    .await
                    .unwrap_err(),
                "SEAL_NOT_PERMITTED",
            ),
            (
                "another department, a document",
                house
                    .bank
                    .seal(seal_header("c", v1::SealProfile::Dual), plain_pdf())
                    .await
                    .unwrap_err(),
                "DEPARTMENT_UNKNOWN",
            ),
        ];
        for (what, status, expected) in denied {
            assert_eq!(status.code(), Code::PermissionDenied, "{what}");
            assert_eq!(reason(&status).0, expected, "{what}");
        }
    });
}

#[test]
fn a_caller_without_a_client_certificate_does_not_get_in() {
    in_house(|house| async move {
        let ca = std::fs::read(house.installation.keys.tls_root()).unwrap();
        let tls = tonic::transport::ClientTlsConfig::new()
            .ca_certificate(tonic::transport::Certificate::from_pem(ca));
        let address = format!("https://localhost:{}", house.signer_port);
        let endpoint = tonic::transport::Channel::from_shared(address).unwrap();
        let connected = endpoint.tls_config(tls).unwrap().connect().await;
        // TLS 1.3 tells a client of a missing certificate only after its own handshake is done.
        if let Ok(channel) = connected {
            let mut client = v1::licence_service_client::LicenceServiceClient::new(channel);
            let request = marital_proof("nobody", v1::SealProfile::Dual);
            let status = client.issue_licence(request).await.unwrap_err();
            assert_ne!(status.code(), Code::Ok);
        }
    });
}

#[test]
fn a_refused_request_names_the_field_and_the_rule() {
    in_house(|house| async move {
        let good = || marital_proof("fields", v1::SealProfile::Dual);
        let with_fields = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut fields: serde_json::Value = serde_json::from_str(&good().fields_json).unwrap();
            change(&mut fields);
            v1::IssueLicenceRequest {
                fields_json: fields.to_string(),
                ..good()
            }
        };
        let cases = [
            (
                "a citizen number with a wrong check digit",
                with_fields(&|fields| {
                    fields["spouse_citizen_number"] = "110105199001010028".into();
                }),
                ("LICENCE_FIELD_INVALID", "fields_json.spouse_citizen_number"),
            ),
            (
                "an unknown field",
                with_fields(&|fields| fields["nickname"] = "x".into()),
                ("LICENCE_FIELD_INVALID", "fields_json.nickname"),
            ),
            (
                "a missing field",
                with_fields(&|fields| {
                    fields.as_object_mut().unwrap().remove("holder_name");
                }),
                ("LICENCE_FIELD_INVALID", "fields_json.holder_name"),
            ),
            (
                "no JSON",
                v1::IssueLicenceRequest {
                    fields_json: "{".to_owned(),
                    ..good()
                },
                ("FIELD_INVALID", "fields_json"),
            ),
            (
                "no profile",
                v1::IssueLicenceRequest {
                    profile: 0,
                    ..good()
                },
                ("FIELD_INVALID", "profile"),
            ),
            (
                "a request id with a space",
                v1::IssueLicenceRequest {
                    request_id: "a b".to_owned(),
                    ..good()
                },
                ("FIELD_INVALID", "request_id"),
            ),
            (
                "no operator",
                v1::IssueLicenceRequest {
                    operator: None,
                    ..good()
                },
                ("FIELD_INVALID", "operator"),
            ),
        ];
        for (what, request, (expected, field)) in cases {
            let status = house.data.issue(request).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status:?}");
            let (reason, facts) = reason(&status);
            assert_eq!(
                (reason.as_str(), facts["field"].as_str()),
                (expected, Some(field)),
                "{what}"
            );
        }
        // After all these refusals the number series has no gap.
        let issued = house.data.issue(good()).await.unwrap();
        assert!(issued.licence.unwrap().number.ends_with("-000001"));
    });
}

#[test]
fn a_name_with_a_character_no_font_has_is_refused_by_name() {
    in_house(|house| async move {
        let mut request = marital_proof("rare", v1::SealProfile::Dual);
        request.fields_json = request.fields_json.replace("张示例", "张\u{1F9FF}例");
        let status = house.data.issue(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let reason = reason(&status).0;
        assert!(
            ["GLYPH_MISSING", "LICENCE_FIELD_INVALID"].contains(&reason.as_str()),
            "{reason}"
        );
    });
}

#[test]
fn a_document_that_cannot_be_sealed_is_refused_with_a_reason() {
    in_house(|house| async move {
        let cases: [(&str, Vec<u8>, Code); 4] = [
            ("nothing", Vec::new(), Code::InvalidArgument),
            ("no PDF", b"hello".to_vec(), Code::InvalidArgument),
            (
                "half a PDF",
                plain_pdf()[..200].to_vec(),
                Code::InvalidArgument,
            ),
            (
                "junk before it",
                [b"junk".as_slice(), &plain_pdf()].concat(),
                Code::InvalidArgument,
            ),
        ];
        for (what, bytes, code) in cases {
            let header = seal_header(&what.replace(' ', "-"), v1::SealProfile::Dual);
            let status = house.data.seal(header, bytes.into()).await.unwrap_err();
            assert_eq!(status.code(), code, "{what}: {status:?}");
            assert!(!reason(&status).0.is_empty());
        }
        let mut header = seal_header("off-the-page", v1::SealProfile::GmSeal);
        header.placement = Some(v1::Placement {
            position: Some(v1::placement::Position::Visible(v1::VisiblePlacement {
                page_number: 1,
                x_mm: 190.0,
                y_mm: 20.0,
                field_name: String::new(),
            })),
            ..v1::Placement::default()
        });
        let status = house.data.seal(header, plain_pdf()).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    });
}

#[test]
fn a_digest_is_sealed_while_the_document_stays_at_the_department() {
    in_house(|house| async move {
        let profiles = [
            v1::SealProfile::PadesBB,
            v1::SealProfile::GmSeal,
            v1::SealProfile::GmCms,
        ];
        for profile in profiles {
            let pdf = plain_pdf();
            let described = house
                .data
                .describe(v1::DescribeSealRequest {
                    seal_id: SEAL_ID.to_owned(),
                    profile: profile.into(),
                })
                .await
                .unwrap();
            let document = Document::open(&pdf, Limits::default()).unwrap();
            let update = yinxin_pdf::prepare(
                &document,
                &SignatureRequest {
                    field: FieldTarget::New { name: None },
                    placement: Placement::Invisible { page_index: 0 },
                    appearance: None,
                    filter: described.filter.clone(),
                    sub_filter: described.sub_filter.clone(),
                    contents_bytes: described.container_bytes_max as usize,
                    signing_time: SystemClock.now().0,
                    signing_offset_minutes: 480,
                    name: None,
                    reason: None,
                    location: None,
                    options: SignatureOptions::default(),
                },
            )
            .unwrap();
            let algorithm = match described.digest_algorithm() {
                v1::DigestAlgorithm::Sm3 => DigestAlgorithm::Sm3,
                v1::DigestAlgorithm::Sha256 | v1::DigestAlgorithm::Unspecified => {
                    DigestAlgorithm::Sha256
                }
            };
            let covered = update.covered(&pdf).concat();
            let request = v1::SealDigestRequest {
                request_id: format!("digest-{profile:?}"),
                seal_id: SEAL_ID.to_owned(),
                profile: profile.into(),
                digest_algorithm: described.digest_algorithm,
                digest: algorithm.digest(&covered),
                document_name: "contract.pdf".to_owned(),
                field_name: update.field_name().to_owned(),
                case_number: "TEST-1".to_owned(),
                operator: Some(v1::Operator {
                    account: "tester".to_owned(),
                    ..Default::default()
                }),
                usage: None,
            };
            let answer = house.data.seal_digest(request.clone()).await.unwrap();
            let again = house.data.seal_digest(request).await.unwrap();
            assert_eq!(answer.container, again.container);
            let sealed = [&pdf[..], &update.finish(&answer.container).unwrap()].concat();
            let report = house.verifier.verify(sealed.into()).await.unwrap();
            assert_eq!(
                report.indication(),
                v1::Indication::TotalPassed,
                "{}",
                report.report_text
            );
        }
    });
}

#[test]
fn a_dual_digest_and_a_digest_of_the_wrong_length_are_refused() {
    in_house(|house| async move {
        let request = |profile: v1::SealProfile, algorithm: v1::DigestAlgorithm, bytes: usize| {
            v1::SealDigestRequest {
                request_id: format!("{profile:?}-{bytes}"),
                seal_id: SEAL_ID.to_owned(),
                profile: profile.into(),
                digest_algorithm: algorithm.into(),
                digest: vec![1; bytes],
                document_name: "x".to_owned(),
                field_name: "Seal-1".to_owned(),
                case_number: "TEST-1".to_owned(),
                operator: Some(v1::Operator {
                    account: "tester".to_owned(),
                    ..Default::default()
                }),
                usage: None,
            }
        };
        use v1::{DigestAlgorithm as D, SealProfile as P};
        let cases = [
            (request(P::Dual, D::Sm3, 32), "PROFILE_NOT_FOR_DIGESTS"),
            (request(P::GmSeal, D::Sm3, 31), "DIGEST_LENGTH"),
            (request(P::GmSeal, D::Sha256, 32), "FIELD_INVALID"),
        ];
        for (request, expected) in cases {
            let status = house.data.seal_digest(request).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            assert_eq!(reason(&status).0, expected);
        }
    });
}
