//! Who may use a seal, over gRPC: approvals of single uses, and the history of use rules.
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
use yinxin_tests::offices::{Offices, header};
use yinxin_tests::services::plain_pdf;

const CODE: &str = "44190000000017";

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
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
                    further_seal_id: String::new(),
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
        let pending = offices.refused(with(&approval.id, "unsigned")).await;
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
        let half = offices.refused(with(&approval.id, "half")).await;
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
            assert_eq!(offices.refused(altered).await, expected, "{what}");
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
            offices.refused(with(&approval.id, "second")).await,
            "APPROVAL_USED"
        );

        // Not after its time.
        let short = ask(10).await;
        offices.approve("wang", &short).await.unwrap();
        offices.approve("qian", &short).await.unwrap();
        tokio::time::sleep(Duration::from_secs(12)).await;
        assert_eq!(
            offices.refused(with(&short.id, "late")).await,
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
fn each_further_seal_of_a_request_needs_and_spends_its_own_approval() {
    const SECOND: &str = "44190000000018";
    run(async {
        let offices = Offices::start(&["keys"]).await;
        offices.new_seal(CODE, offices.terms("keys", 1, 4)).await;
        offices.new_seal(SECOND, offices.terms("keys", 1, 4)).await;
        for (id, code, approvals) in [("free", CODE, 0), ("two", SECOND, 2)] {
            offices
                .set_rule(v1::UseRule {
                    id: id.to_owned(),
                    seals: vec![code.to_owned()],
                    approvals,
                    ..Default::default()
                })
                .await;
        }
        let pdf = plain_pdf();
        let visible = |x_mm| v1::Placement {
            position: Some(v1::placement::Position::Visible(v1::VisiblePlacement {
                page_number: 1,
                x_mm,
                y_mm: 200.0,
                field_name: String::new(),
            })),
            ..Default::default()
        };
        let both = |request_id: &str, approval_ids: &[&str]| {
            let further = |x_mm| v1::FurtherSeal {
                seal_id: SECOND.to_owned(),
                profile: v1::SealProfile::PadesBB.into(),
                placement: Some(visible(x_mm)),
                ..Default::default()
            };
            let mut header = header(request_id, CODE, "a");
            // The second seal twice: one use, at two places.
            header.further_seals = vec![further(20.0), further(120.0)];
            if let Some(usage) = &mut header.usage {
                usage.approval_ids = approval_ids.iter().map(|id| (*id).to_owned()).collect();
            }
            header
        };
        let ask = async |further_seal_id: &str| {
            let request = v1::RequestApprovalRequest {
                subject: Some(v1::request_approval_request::Subject::Document(both(
                    "",
                    &[],
                ))),
                document_sha256: DigestAlgorithm::Sha256.digest(&pdf),
                valid_seconds: 0,
                further_seal_id: further_seal_id.to_owned(),
            };
            let mut seals = offices.data.seals();
            seals
                .request_approval(request)
                .await
                .map(tonic::Response::into_inner)
        };

        assert_eq!(
            offices.refused(both("without", &[])).await,
            "APPROVAL_NEEDED"
        );
        let unknown = ask("44190000000019").await.unwrap_err();
        assert_eq!(reason(&unknown).0, "FIELD_INVALID");
        let approval = ask(SECOND).await.unwrap();
        assert_eq!(approval.needed, 2);
        let said = &approval.statement;
        assert!(said.contains(&format!("seal: {SECOND} ")), "{said}");
        for place in ["x_mm: 20.0, y_mm: 200.0", "x_mm: 120.0, y_mm: 200.0"] {
            assert!(said.contains(place), "{said}");
        }
        offices.approve("wang", &approval).await.unwrap();
        let half = offices.refused(both("half", &[&approval.id])).await;
        assert_eq!(half, "APPROVAL_INCOMPLETE");
        offices.approve("zhao", &approval).await.unwrap();

        // One for the first seal says nothing for the second; nor does one for other places of it.
        let first = ask("").await.unwrap();
        assert!(first.statement.contains(&format!("seal: {CODE} ")));
        assert_eq!(
            offices.refused(both("first-only", &[&first.id])).await,
            "APPROVAL_OTHER_SEAL"
        );
        let mut elsewhere = both("elsewhere", &[&approval.id]);
        elsewhere.further_seals.truncate(1);
        assert_eq!(offices.refused(elsewhere).await, "APPROVAL_OTHER_PLACE");

        let request = both("good", &[&first.id, &approval.id]);
        let (_, sealed) = offices.data.seal(request, pdf.clone()).await.unwrap();
        assert_eq!(offices.verifies(&sealed).await, 3);
        assert_eq!(
            offices.refused(both("again", &[&approval.id])).await,
            "APPROVAL_USED"
        );

        // The refused requests left no use behind, the good one a use for each seal.
        let mut sun = offices.person("sun").seals();
        let request = v1::ListUsesRequest::default();
        let uses = sun.list_uses(request).await.unwrap().into_inner().uses;
        let lines: Vec<_> = uses
            .iter()
            .map(|one| (one.seal.as_str(), one.approvers.len()))
            .collect();
        assert_eq!(lines, [(CODE, 0), (SECOND, 2)]);
        assert!(uses[1].place.contains("x_mm: 120.0"), "{}", uses[1].place);
        assert!(!uses[0].place.contains("x_mm: 120.0"), "{}", uses[0].place);
    });
}

#[test]
fn the_history_of_use_rules_says_who_changed_which_when() {
    run(async {
        let offices = Offices::start(&["keys"]).await;
        offices.new_seal(CODE, offices.terms("keys", 1, 4)).await;
        let before = SystemClock.now().0;
        let set = async |person: &str, id: &str, quota_per_day| {
            let rule = v1::UseRule {
                id: id.to_owned(),
                seals: vec![CODE.to_owned()],
                callers: vec!["dept-data".to_owned()],
                operations: vec!["seal-document".to_owned()],
                quota_per_day,
                ..Default::default()
            };
            let request = v1::SetUseRuleRequest { rule: Some(rule) };
            let mut seals = offices.person(person).seals();
            seals.set_use_rule(request).await.unwrap();
        };
        set("wang", "counter", Some(15)).await;
        set("zhao", "kiosk", None).await;
        set("zhao", "counter", None).await;
        let withdraw = v1::WithdrawUseRuleRequest {
            id: "counter".to_owned(),
        };
        let mut qian = offices.person("qian").seals();
        qian.withdraw_use_rule(withdraw).await.unwrap();

        let history = async |id: &str, after_number, page_size| {
            let request = v1::ListUseRuleHistoryRequest {
                id: id.to_owned(),
                after_number,
                page_size,
            };
            let mut sun = offices.person("sun").seals();
            let answer = sun.list_use_rule_history(request).await.unwrap();
            answer.into_inner().changes
        };
        let all = history("", 0, 0).await;
        let said: Vec<_> = all
            .iter()
            .map(|one| {
                let quota = one.rule.as_ref().map(|rule| rule.quota_per_day);
                (one.actor.as_str(), one.id.as_str(), quota)
            })
            .collect();
        assert_eq!(
            said,
            [
                ("wang", "counter", Some(Some(15))),
                ("zhao", "kiosk", Some(None)),
                ("zhao", "counter", Some(None)),
                ("qian", "counter", None),
            ]
        );
        let now = SystemClock.now().0;
        assert!(all.iter().all(|one| {
            let at = one.at.as_ref().unwrap().seconds;
            (before..=now).contains(&at)
        }));
        assert_eq!(history("counter", 0, 0).await.len(), 3);
        assert_eq!(history("", all[0].number, 2).await, all[1..3]);
    });
}
