//! A seal's life over gRPC: from application to loss, used under rules and approvals, with its
//! status at every past moment and the use log.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::time::Duration;

use yinxin_pki::DigestAlgorithm;
use yinxin_proto::v1;
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_tests::department::{reason, seal_header};
use yinxin_tests::offices::{Offices, moment};
use yinxin_tests::services::plain_pdf;
use yinxin_tests::{peers, process};

const CODE: &str = "44190000000017";

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

/// Waits until the next second has begun: events are dated to the second.
async fn next_second() -> i64 {
    let now = SystemClock.now().0;
    while SystemClock.now().0 == now {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    SystemClock.now().0
}

fn header(request_id: &str, code: &str, operator: &str) -> v1::SealDocumentHeader {
    v1::SealDocumentHeader {
        seal_id: code.to_owned(),
        operator: Some(v1::Operator {
            account: operator.to_owned(),
            name: String::new(),
        }),
        usage: Some(v1::UseContext {
            unit: "counter-3".to_owned(),
            item_code: "water".to_owned(),
            channel: v1::UseChannel::Counter.into(),
            terminal: "T-1".to_owned(),
            ..Default::default()
        }),
        ..seal_header(request_id, v1::SealProfile::GmSeal)
    }
}

async fn refused(offices: &Offices, header: v1::SealDocumentHeader) -> String {
    let status = offices.data.seal(header, plain_pdf()).await.unwrap_err();
    reason(&status).0
}

#[test]
fn a_villages_seal_lives_through_a_day_and_its_status_and_log_agree() {
    run(async {
        let offices = Offices::start(&["first", "second"]).await;
        use v1::{SealAction as Action, SealState as State};

        // Applied for, approved, made, filed, active: each by the person whose part it is.
        let mut zhang = offices.person("zhang").seals();
        let application = offices.application(CODE, offices.terms("first", 1, 4));
        zhang.apply_seal(application.clone()).await.unwrap();
        let taken = zhang.apply_seal(application).await.unwrap_err();
        assert_eq!(reason(&taken).0, "SEAL_CODE_TAKEN");
        for (what, person, action, expected) in [
            (
                "the applicant approves",
                "zhang",
                Action::Approve,
                "ROLE_MISSING",
            ),
            (
                "a department approves",
                "dept-data",
                Action::Approve,
                "ROLE_MISSING",
            ),
            ("made before approval", "chen", Action::Make, "SEAL_STATE"),
        ] {
            let request = v1::ChangeSealRequest {
                code: CODE.to_owned(),
                action: action.into(),
                ..Default::default()
            };
            let mut client = if person == "dept-data" {
                offices.data.seals()
            } else {
                offices.person(person).seals()
            };
            let status = client.change_seal(request).await.unwrap_err();
            assert_eq!(reason(&status).0, expected, "{what}");
        }
        assert_eq!(
            refused(&offices, header("early", CODE, "a")).await,
            "SEAL_NOT_PERMITTED",
            "no rule names it"
        );
        let seal = offices.activate(CODE).await;
        assert_eq!(seal.state(), State::Active);
        let made = yinxin_ses::Seal::parse(&seal.versions[0].seal_der).unwrap();
        assert_eq!(
            (made.es_id(), made.verify_maker_signature()),
            (CODE, Ok(()))
        );

        // Twenty proofs by three operators under a quota of fifteen.
        offices
            .set_rule(v1::UseRule {
                id: "village-counter".to_owned(),
                seals: vec![CODE.to_owned()],
                items: vec!["water".to_owned()],
                channels: vec![v1::UseChannel::Counter.into()],
                quota_per_day: Some(15),
                ..Default::default()
            })
            .await;
        let mut sealed = Vec::new();
        let mut over_quota = 0;
        for index in 0..20 {
            let operator = ["a", "b", "c"][index % 3];
            let header = header(&format!("proof-{index}"), CODE, operator);
            match offices.data.seal(header, plain_pdf()).await {
                Ok((_, document)) => sealed.push(document),
                Err(status) => {
                    assert_eq!(reason(&status).0, "QUOTA_USED_UP");
                    over_quota += 1;
                }
            }
        }
        assert_eq!((sealed.len(), over_quota), (15, 5));
        let again = offices
            .data
            .seal(header("proof-0", CODE, "a"), plain_pdf())
            .await
            .unwrap();
        assert_eq!(again.1, sealed[0], "what was released is given again");
        let explained = offices
            .data
            .seals()
            .explain_use(v1::ExplainUseRequest {
                operation: "seal-document".to_owned(),
                seal_id: CODE.to_owned(),
                usage: header("x", CODE, "a").usage,
                ..Default::default()
            })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            (explained.permitted, explained.reason.as_str()),
            (false, "QUOTA_USED_UP")
        );
        offices
            .set_rule(v1::UseRule {
                id: "village-counter".to_owned(),
                seals: vec![CODE.to_owned()],
                ..Default::default()
            })
            .await;

        // Suspended, resumed, renewed with a new certificate, lost.
        let active_at = SystemClock.now().0;
        next_second().await;
        offices.change("li", CODE, Action::Suspend).await.unwrap();
        let suspended_at = SystemClock.now().0;
        assert_eq!(
            refused(&offices, header("while-suspended", CODE, "a")).await,
            "SEAL_SUSPENDED"
        );
        next_second().await;
        offices.change("li", CODE, Action::Resume).await.unwrap();
        let first_certificate = seal.versions[0].certificates_sha256[0].clone();
        zhang
            .renew_seal(v1::RenewSealRequest {
                code: CODE.to_owned(),
                terms: Some(offices.terms("second", 2, 4)),
                reason: "certificate renewed".to_owned(),
            })
            .await
            .unwrap();
        let (_, by_old_version) = offices
            .data
            .seal(header("during-renewal", CODE, "a"), plain_pdf())
            .await
            .unwrap();
        let renewed = offices.activate(CODE).await;
        assert_eq!((renewed.active_version, renewed.versions.len()), (2, 2));
        let (receipt, by_new_version) = offices
            .data
            .seal(header("renewed", CODE, "a"), plain_pdf())
            .await
            .unwrap();
        let used = &receipt.receipt.unwrap().signatures[0].certificate_sha256;
        assert_eq!(used, &renewed.versions[1].certificates_sha256[0]);
        next_second().await;
        let renewed_at = SystemClock.now().0;
        next_second().await;
        offices
            .change("zhang", CODE, Action::ReportLost)
            .await
            .unwrap();
        let lost_at = SystemClock.now().0;
        assert_eq!(
            refused(&offices, header("lost", CODE, "a")).await,
            "SEAL_LOST"
        );
        let resumed = offices
            .change("li", CODE, Action::Resume)
            .await
            .unwrap_err();
        assert_eq!(reason(&resumed).0, "SEAL_STATE");
        let same_keys = zhang
            .renew_seal(v1::RenewSealRequest {
                code: CODE.to_owned(),
                terms: Some(offices.terms("first", 1, 4)),
                reason: "back again".to_owned(),
            })
            .await
            .unwrap_err();
        assert_eq!(reason(&same_keys).0, "SEAL_LOST_KEY_KEPT");

        // What it was at each past moment.
        for (at, number, state) in [
            (active_at, 0, State::Active),
            (suspended_at, 1, State::Suspended),
            (renewed_at, 0, State::Active),
            (lost_at, 1, State::Lost),
            (lost_at + 3600, 1, State::Lost),
        ] {
            assert_eq!(offices.status(CODE, at).await, (number, state), "{at}");
        }
        for (at, expected) in [(active_at, 0), (renewed_at, 1)] {
            let request = v1::GetSealStatusRequest {
                code: CODE.to_owned(),
                at: Some(moment(at)),
                certificate_sha256: first_certificate.clone(),
            };
            let answer = offices.data.seals().get_seal_status(request).await.unwrap();
            assert_eq!(answer.into_inner().seal_status, expected, "{at}");
        }
        let revoked = offices
            .data
            .seals()
            .list_seal_revocations(v1::ListSealRevocationsRequest {
                from: Some(moment(active_at)),
                to: Some(moment(lost_at + 1)),
                page: 0,
            })
            .await
            .unwrap()
            .into_inner();
        let lines: Vec<_> = revoked
            .revocations
            .iter()
            .map(|one| (one.code.as_str(), one.invalid_type))
            .collect();
        assert_eq!(lines, [(CODE, 2)]);

        // Old proofs still verify; those of both versions.
        for document in [&sealed[0], &by_old_version, &by_new_version] {
            let report = offices
                .verifier
                .verify(document.clone().into())
                .await
                .unwrap();
            assert_eq!(
                report.indication(),
                v1::Indication::TotalPassed,
                "{}",
                report.report_text
            );
        }

        // The log says the same.
        let mut sun = offices.person("sun").seals();
        let filter = v1::UseFilter {
            seal: CODE.to_owned(),
            ..Default::default()
        };
        let uses = sun
            .list_uses(v1::ListUsesRequest {
                filter: Some(filter.clone()),
                ..Default::default()
            })
            .await
            .unwrap()
            .into_inner()
            .uses;
        assert_eq!(uses.len(), 17);
        assert!(uses.iter().all(|one| one.result == "released"));
        let sha256 = DigestAlgorithm::Sha256.digest(&sealed[0]);
        assert_eq!(uses[0].sealed_sha256, sha256);
        assert_eq!(
            uses[0].document_sha256,
            DigestAlgorithm::Sha256.digest(&plain_pdf())
        );
        assert_eq!(
            (
                uses[0].operator.as_str(),
                uses[0].unit.as_str(),
                uses[0].rule.as_str()
            ),
            ("a", "counter-3", "village-counter")
        );
        assert_eq!((uses[15].seal_version, uses[16].seal_version), (1, 2));
        let counts = sun
            .count_uses(v1::CountUsesRequest {
                filter: Some(filter),
                group: v1::UseGroup::Item.into(),
            })
            .await
            .unwrap()
            .into_inner()
            .counts;
        assert_eq!(counts.len(), 1);
        assert_eq!((counts[0].entered, counts[0].released), (17, 17));
        let mut zhang = offices.person("zhang").seals();
        let denied = zhang.list_uses(v1::ListUsesRequest::default()).await;
        assert_eq!(reason(&denied.unwrap_err()).0, "ROLE_MISSING");
    });
}

#[test]
fn an_approval_by_two_people_is_good_once_for_exactly_what_they_signed() {
    run(async {
        let offices = Offices::start(&["keys"]).await;
        offices.new_seal(CODE, offices.terms("keys", 1, 4)).await;
        offices.new_seal("OTHER", offices.terms("keys", 1, 4)).await;
        offices
            .set_rule(v1::UseRule {
                id: "two".to_owned(),
                seals: vec![CODE.to_owned(), "OTHER".to_owned()],
                approvals: 2,
                ..Default::default()
            })
            .await;
        let pdf = plain_pdf();
        let ask = async |valid_seconds| {
            offices
                .data
                .seals()
                .request_approval(v1::RequestApprovalRequest {
                    subject: Some(v1::request_approval_request::Subject::Document(header(
                        "", CODE, "a",
                    ))),
                    document_sha256: DigestAlgorithm::Sha256.digest(&pdf),
                    valid_seconds,
                })
                .await
                .unwrap()
                .into_inner()
        };
        let with = |id: &str, request_id: &str| {
            let mut header = header(request_id, CODE, "a");
            if let Some(usage) = &mut header.usage {
                usage.approval_ids = vec![id.to_owned()];
            }
            header
        };
        let approval = ask(0).await;
        assert!(approval.statement.contains(CODE), "{}", approval.statement);
        assert_eq!(approval.needed, 2);

        // Each signature by its own person, with their own certificate.
        let pending = refused(&offices, with(&approval.id, "unsigned")).await;
        assert_eq!(pending, "APPROVAL_INCOMPLETE");
        let other_words = approval.statement.replace("copies: 1", "copies: 9");
        let forged = [
            (
                "another statement",
                "zhao",
                offices.sign_statement("zhao", &other_words),
                "APPROVAL_SIGNATURE_INVALID",
            ),
            (
                "another's certificate",
                "zhao",
                offices.sign_statement("wang", &approval.statement),
                "APPROVAL_CERTIFICATE_UNKNOWN",
            ),
            (
                "no CMS",
                "zhao",
                vec![1, 2, 3],
                "APPROVAL_SIGNATURE_INVALID",
            ),
            (
                "an auditor",
                "sun",
                offices.sign_statement("wang", &approval.statement),
                "ROLE_MISSING",
            ),
        ];
        for (what, person, cms_der, expected) in forged {
            let request = v1::SignApprovalRequest {
                id: approval.id.clone(),
                cms_der,
            };
            let mut client = offices.person(person).seals();
            let status = client.sign_approval(request).await.unwrap_err();
            assert_eq!(reason(&status).0, expected, "{what}");
        }
        offices.approve("wang", &approval).await.unwrap();
        let twice = offices.approve("wang", &approval).await.unwrap_err();
        assert_eq!(reason(&twice).0, "APPROVAL_SIGNED_ALREADY");
        let half = refused(&offices, with(&approval.id, "half")).await;
        assert_eq!(half, "APPROVAL_INCOMPLETE");
        let signed = offices.approve("zhao", &approval).await.unwrap();
        assert_eq!(signed.signed.len(), 2);

        // What it does not cover, each with its own reason.
        type Alter = fn(&mut v1::SealDocumentHeader);
        let cases: [(&str, Alter, &str); 5] = [
            (
                "another seal",
                |one| one.seal_id = "OTHER".to_owned(),
                "APPROVAL_OTHER_SEAL",
            ),
            (
                "another place",
                |one| {
                    one.placement = seal_header("", v1::SealProfile::GmSeal).placement;
                    if let Some(v1::placement::Position::Visible(visible)) = one
                        .placement
                        .as_mut()
                        .and_then(|placement| placement.position.as_mut())
                    {
                        visible.x_mm += 1.0;
                    }
                },
                "APPROVAL_OTHER_PLACE",
            ),
            (
                "more copies",
                |one| one.usage.as_mut().unwrap().copies = 2,
                "APPROVAL_OTHER_COPIES",
            ),
            (
                "no approval",
                |one| one.usage.as_mut().unwrap().approval_ids.clear(),
                "APPROVAL_NEEDED",
            ),
            (
                "an approval that never was",
                |one| one.usage.as_mut().unwrap().approval_ids = vec!["0".to_owned()],
                "APPROVAL_UNKNOWN",
            ),
        ];
        for (index, (what, alter, expected)) in cases.into_iter().enumerate() {
            let mut altered = with(&approval.id, &format!("case-{index}"));
            alter(&mut altered);
            assert_eq!(refused(&offices, altered).await, expected, "{what}");
        }
        let mut changed_byte = pdf.to_vec();
        changed_byte.push(b'\n');
        let status = offices
            .data
            .seal(with(&approval.id, "changed"), changed_byte.into())
            .await
            .unwrap_err();
        assert_eq!(reason(&status).0, "APPROVAL_OTHER_DOCUMENT");

        // Once, and not a second time.
        let good = with(&approval.id, "good");
        offices.data.seal(good.clone(), pdf.clone()).await.unwrap();
        let (replayed, _) = offices.data.seal(good, pdf.clone()).await.unwrap();
        assert!(replayed.replayed);
        assert_eq!(
            refused(&offices, with(&approval.id, "second")).await,
            "APPROVAL_USED"
        );

        // Not after its time.
        let short = ask(10).await;
        offices.approve("wang", &short).await.unwrap();
        offices.approve("qian", &short).await.unwrap();
        tokio::time::sleep(Duration::from_secs(12)).await;
        assert_eq!(
            refused(&offices, with(&short.id, "late")).await,
            "APPROVAL_EXPIRED"
        );

        let mut sun = offices.person("sun").seals();
        let request = v1::ListUsesRequest::default();
        let uses = sun.list_uses(request).await.unwrap().into_inner().uses;
        let [only] = uses.as_slice() else {
            panic!("one use: {uses:?}");
        };
        assert_eq!(only.approvers, ["wang", "zhao"]);
        assert_eq!(only.approval, approval.id);
    });
}

#[test]
fn filing_records_go_out_and_come_back_with_their_numbers() {
    run(async {
        let offices = Offices::start(&["keys"]).await;
        let mut zhang = offices.person("zhang").seals();
        let application = offices.application(CODE, offices.terms("keys", 1, 4));
        zhang.apply_seal(application).await.unwrap();
        for (person, action) in [
            ("wang", v1::SealAction::Approve),
            ("chen", v1::SealAction::Make),
        ] {
            offices.change(person, CODE, action).await.unwrap();
        }
        let mut chen = offices.person("chen").seals();
        let exported = chen
            .export_filings(v1::ExportFilingsRequest {})
            .await
            .unwrap()
            .into_inner()
            .filings_json;
        let mut filings: serde_json::Value = serde_json::from_str(&exported).unwrap();
        let own = filings
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .find(|one| one["seal_code"] == CODE)
            .unwrap();
        own["filing"] = serde_json::json!({"number": "粤备1", "authority": "示范市公安局"});
        for expected in ["filed", "known"] {
            let answer = chen
                .import_filings(v1::ImportFilingsRequest {
                    filings_json: filings.to_string(),
                })
                .await
                .unwrap()
                .into_inner();
            let outcome = answer.filings.iter().find(|one| one.code == CODE).unwrap();
            assert_eq!(outcome.outcome, expected, "{}", outcome.message);
        }
        let seal = offices
            .change("li", CODE, v1::SealAction::Activate)
            .await
            .unwrap();
        assert_eq!(seal.versions[0].filing_number, "粤备1");
    });
}

#[test]
fn ofdrw_accepts_seals_and_seal_signatures_of_both_layouts_and_both_lists() {
    let folder = tempfile::tempdir().unwrap();
    // ofdrw-gm reads no v5 of its own; it takes one without a time stamp as the v4 it is shaped like.
    let cases = [
        ("V4-1", 1, 4),
        ("V4-2", 2, 4),
        ("V5-1", 1, 5),
        ("V5-2", 2, 5),
    ];
    run(async {
        let offices = Offices::start(&["keys"]).await;
        offices
            .set_rule(v1::UseRule {
                id: "all".to_owned(),
                seals: vec![yinxin_keys_dev::SEAL_ID.to_owned()],
                ..Default::default()
            })
            .await;
        for (code, list, layout) in cases {
            let seal = offices
                .new_seal(code, offices.terms("keys", list, layout))
                .await;
            let der = &seal.versions[0].seal_der;
            let read = yinxin_ses::Seal::parse(der).unwrap();
            assert_eq!(read.header().version, u64::from(layout), "{code}");
            match &read.property().cert_list {
                yinxin_ses::CertList::Certificates(_) => assert_eq!(list, 1, "{code}"),
                yinxin_ses::CertList::Digests(_) => assert_eq!(list, 2, "{code}"),
            }
            std::fs::write(folder.path().join(format!("{code}.esl")), der).unwrap();
            offices
                .set_rule(v1::UseRule {
                    id: code.to_owned(),
                    seals: vec![code.to_owned()],
                    ..Default::default()
                })
                .await;
            let (_, sealed) = offices
                .data
                .seal(header(code, code, "a"), plain_pdf())
                .await
                .unwrap();
            let report = offices
                .verifier
                .verify(sealed.clone().into())
                .await
                .unwrap();
            assert_eq!(
                report.indication(),
                v1::Indication::TotalPassed,
                "{code}: {}",
                report.report_text
            );
            std::fs::write(folder.path().join(format!("{code}.pdf")), &sealed).unwrap();
        }
    });
    for (code, ..) in cases {
        let Some(mut java) = peers::java("verify-ses", "yinxin.peers.VerifySes") else {
            return;
        };
        java.arg("seal")
            .arg(folder.path().join(format!("{code}.esl")));
        let output = process::run(&mut java, process::TOOL_TIME_MAX).unwrap();
        assert!(output.success(), "{code}: {}", output.text());
        let report = &output.json_lines()[0];
        assert_eq!(report["seal_signature"], true, "{code}: {report}");
        assert_eq!(report["seal_id"], code, "{report}");
    }
    let files: Vec<_> = cases
        .iter()
        .map(|(code, ..)| folder.path().join(format!("{code}.pdf")))
        .collect();
    let Some(reports) = peers::verify_ses(&files) else {
        return;
    };
    for ((code, _, layout), report) in cases.iter().zip(&reports) {
        let signature = &report["signatures"][0];
        for word in [
            "der",
            "signature",
            "data_hash",
            "cert_list",
            "seal_signature",
        ] {
            assert_eq!(signature[word], true, "{code}, {word}: {signature}");
        }
        assert_eq!(signature["version"], *layout, "{code}: {signature}");
    }
}
