//! A seal's life over gRPC: from application to loss, renewed by people and by rule, with its status
//! at every past moment and the use log.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::time::Duration;

use yinxin_pki::{DigestAlgorithm, UnixSeconds};
use yinxin_proto::v1;
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_signer::profile::SignatureProfile;
use yinxin_tests::department::{reason, seal_header};
use yinxin_tests::offices::{Offices, header, moment};
use yinxin_tests::services::plain_pdf;
use yinxin_tests::{peers, process};
use yinxin_verifier::{Indication, Options, StepId, SubIndication, verify};
use yinxin_verifier_server::{read_seal_statuses, read_trust};

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
            offices.refused(header("early", CODE, "a")).await,
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
            offices.refused(header("while-suspended", CODE, "a")).await,
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
            offices.refused(header("lost", CODE, "a")).await,
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
            offices.verifies(document).await;
        }

        // The list of that day, in the hands of a verifier that asks no registry.
        let folder = offices.trust.join("seal-status");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("registry.json"), offices.status_list().await).unwrap();
        let mut trust = read_trust(&offices.trust, true).unwrap();
        trust.seal_statuses = read_seal_statuses(&offices.trust).unwrap();
        let now = SystemClock.now();
        let judged = |document: &[u8], at: UnixSeconds| {
            let mut report = verify(document, &trust, &Options::at(at)).unwrap();
            (report.signatures.len() == 1)
                .then(|| report.signatures.remove(0))
                .unwrap()
        };
        for document in [&sealed[0], &sealed[14], &by_old_version, &by_new_version] {
            let signature = judged(document, now);
            assert_eq!(signature.indication, Indication::TotalPassed);
            let status = signature.step(StepId::SealStatus).unwrap();
            let found = serde_json::to_value(&status.findings).unwrap();
            assert_eq!(found[0]["code"], "SEAL_NOT_IN_FORCE", "{found}");
            assert_eq!(found[0]["state"], "lost", "{found}");
            assert_eq!(found[1]["code"], "SIGNATURE_RECORDED_BEFORE", "{found}");
        }
        // Stamped with the stolen key: after «lost», or, as the thief may say, before it.
        let seal_der = &renewed.versions[1].seal_der;
        for profile in [SignatureProfile::GmSeal, SignatureProfile::PadesBB] {
            for (what, claimed, indication, sub) in [
                (
                    "after",
                    lost_at,
                    Indication::TotalFailed,
                    SubIndication::Revoked,
                ),
                (
                    "dated back",
                    renewed_at,
                    Indication::Indeterminate,
                    SubIndication::RevokedNoPoe,
                ),
            ] {
                let at = UnixSeconds(claimed);
                let forged = offices.seal_unasked("second", seal_der, profile, &plain_pdf(), at);
                let signature = judged(&forged, now);
                let found = (signature.indication, signature.sub_indication);
                assert_eq!(found, (indication, Some(sub)), "{what}, {profile:?}");
                // Nobody who does not know of the loss can see it.
                offices.verifies(&forged).await;
            }
        }
        // The configuration's own seal is in force, until the list is too old to say so.
        let (_, beside) = offices
            .data
            .seal(seal_header("beside", v1::SealProfile::GmSeal), plain_pdf())
            .await
            .unwrap();
        for (at, indication) in [
            (now, Indication::TotalPassed),
            (UnixSeconds(now.0 + 2 * 86_400), Indication::Indeterminate),
        ] {
            assert_eq!(judged(&beside, at).indication, indication, "{at}");
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
fn when_a_key_is_succeeded_its_seals_are_renewed_by_the_rule() {
    const OTHER: &str = "44190000000018";
    const SUSPENDED: &str = "44190000000019";
    // Long enough for the offices to open and the seals to be made.
    let from = SystemClock.now().0 + 25;
    let rule = format!(
        "[[renewal]]
         name = \"village-2027\"
         from = \"{}\"
         succeeds = \"first-sm2\"
         by = {{ key = \"second-sm2\", certificates = \"FOLDER/second-sm2.chain.pem\" }}\n",
        UnixSeconds(from)
    );
    run(async {
        use v1::SealAction as Action;
        let offices = Offices::start_with(&["first", "second", "third"], &rule).await;
        for (code, keys) in [(CODE, "first"), (SUSPENDED, "first"), (OTHER, "third")] {
            let terms = offices.terms(keys, 1, 4);
            offices.new_seal_in_use(code, terms).await;
        }
        let (_, before) = offices
            .data
            .seal(header("before", CODE, "a"), plain_pdf())
            .await
            .unwrap();
        offices
            .change("li", SUSPENDED, Action::Suspend)
            .await
            .unwrap();
        assert!(
            SystemClock.now().0 < from,
            "the offices took too long to open"
        );

        let seal = async |code: &str| {
            let request = v1::GetSealRequest {
                code: code.to_owned(),
            };
            let mut sun = offices.person("sun").seals();
            sun.get_seal(request).await.unwrap().into_inner()
        };
        let renewed = async |code: &str| {
            // The signer wakes at the moment of a rule, and looks once a minute otherwise.
            for _ in 0..400 {
                let now = seal(code).await;
                if now.active_version == 2 {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            panic!("{code} is not renewed: {:?}", seal(code).await);
        };
        let now = renewed(CODE).await;
        let steps: Vec<_> = now.history[5..]
            .iter()
            .map(|one| (one.change.as_str(), one.actor.as_str(), one.version))
            .collect();
        let author = "rule:village-2027";
        assert_eq!(
            steps,
            [
                ("renewal-applied", author, 2),
                ("approved", author, 2),
                ("made", author, 2),
                ("filed", author, 2),
                ("activated", author, 2),
            ]
        );
        assert_eq!(now.history[5].reason, "second-sm2 succeeds first-sm2");
        assert!(now.history[5].at.unwrap().seconds >= from);
        let [old, new] = now.versions.as_slice() else {
            panic!("{:?}", now.versions);
        };
        assert_eq!(new.filing_number, old.filing_number);
        assert_ne!(new.certificates_sha256[0], old.certificates_sha256[0]);
        // The other side stays what it was.
        assert_eq!(new.certificates_sha256[1], old.certificates_sha256[1]);
        let made = yinxin_ses::Seal::parse(&new.seal_der).unwrap();
        assert_eq!(
            (made.es_id(), made.verify_maker_signature()),
            (CODE, Ok(()))
        );

        let (receipt, after) = offices
            .data
            .seal(header("after", CODE, "a"), plain_pdf())
            .await
            .unwrap();
        let used = &receipt.receipt.unwrap().signatures[0].certificate_sha256;
        assert_eq!(used, &new.certificates_sha256[0]);
        for document in [before, after] {
            offices.verifies(&document).await;
        }

        // A seal on other keys is left alone, a suspended one until it is resumed.
        assert_eq!(seal(OTHER).await.active_version, 1);
        assert_eq!(seal(SUSPENDED).await.active_version, 1);
        offices
            .change("li", SUSPENDED, Action::Resume)
            .await
            .unwrap();
        let resumed = renewed(SUSPENDED).await;
        assert_eq!(resumed.history.last().unwrap().actor, author);
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
                .new_seal_in_use(code, offices.terms("keys", list, layout))
                .await;
            let der = &seal.versions[0].seal_der;
            let read = yinxin_ses::Seal::parse(der).unwrap();
            assert_eq!(read.header().version, u64::from(layout), "{code}");
            match &read.property().cert_list {
                yinxin_ses::CertList::Certificates(_) => assert_eq!(list, 1, "{code}"),
                yinxin_ses::CertList::Digests(_) => assert_eq!(list, 2, "{code}"),
            }
            std::fs::write(folder.path().join(format!("{code}.esl")), der).unwrap();
            let (_, sealed) = offices
                .data
                .seal(header(code, code, "a"), plain_pdf())
                .await
                .unwrap();
            offices.verifies(&sealed).await;
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
