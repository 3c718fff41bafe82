//! Seals, rules, approvals and uses in SQLite: what is durable, and what holds when many ask at
//! once.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use yinxin_pki::UnixSeconds;
use yinxin_signer::appearance::SealKind;
use yinxin_signer::approval::{Approval, ApprovalRefused, ApprovalSignature, Claimed};
use yinxin_signer::record::{Intent, NewRequest, Operation, Record as _, RequestKey};
use yinxin_signer::registry::{
    Actor, Application, CertListKind, Change, Duties, Face, Filing, KeyBinding, Material,
    SealLayout, SealState, Terms,
};
use yinxin_signer::rules::{Denied, UseRule, beijing_day};
use yinxin_signer::usage::{PermittingRule, UseClaim, UseFacts, UseFilter, UseGroup, UseRefused};
use yinxin_store::{ChangeError, SqliteRecord};

/// 2026-11-24T02:00:00Z.
const NOW: UnixSeconds = UnixSeconds(1_795_485_600);
const CODE: &str = "village";
const DUTIES: Duties = Duties {
    applicant_may_keep: true,
};

async fn open(folder: &tempfile::TempDir) -> SqliteRecord {
    SqliteRecord::open(&folder.path().join("record.sqlite"))
        .await
        .unwrap()
}

fn application() -> Application {
    Application {
        code: CODE.to_owned(),
        name: "示范村民委员会".to_owned(),
        owner_name: "示范村民委员会".to_owned(),
        owner_code: "54441900MB0000019N".to_owned(),
        kind: SealKind::LegalName,
        division_code: None,
        keeper: "li".to_owned(),
        terms: Terms {
            face: Face::Plain {
                upper_text: "示范村民委员会".to_owned(),
                lower_text: None,
                diameter_mm: 42.0,
            },
            cert_list: CertListKind::Certificates,
            layout: SealLayout::V4,
            valid_from: NOW.0 - 3600,
            valid_until: NOW.0 + 86_400,
            gm: None,
            pades: Some(KeyBinding {
                key: "key".to_owned(),
                certificates_pem: include_str!("../../src/registry/testdata/first.pem").to_owned(),
            }),
        },
    }
}

async fn change(record: &SqliteRecord, change: Change) -> Result<u32, ChangeError> {
    record
        .change_seal(CODE, None, change, &Actor::Configuration, DUTIES, NOW)
        .await
        .map(|seal| seal.sequence())
}

/// A record with one active seal: five events.
async fn with_seal(folder: &tempfile::TempDir) -> SqliteRecord {
    let record = open(folder).await;
    record
        .apply_for_seal(application(), &Actor::Configuration, DUTIES, NOW)
        .await
        .unwrap();
    let material = Material {
        ses_pem: None,
        ses_sha256: None,
        maker: None,
    };
    let filing = Filing {
        number: "1".to_owned(),
        authority: "示范市公安局".to_owned(),
    };
    for one in [
        Change::Approved,
        Change::Made {
            material: Box::new(material),
        },
        Change::Filed { filing },
        Change::Activated,
    ] {
        change(&record, one).await.unwrap();
    }
    record
}

async fn open_request(record: &SqliteRecord, id: &str) -> RequestKey {
    let key = RequestKey {
        caller: "dept".to_owned(),
        request_id: id.to_owned(),
    };
    record
        .open_request(&NewRequest {
            key: key.clone(),
            operation: Operation::SealDocument,
            body_sha256: [1; 32],
            details_json: "{}".to_owned(),
            opened_at: NOW,
            holder: "run".to_owned(),
        })
        .await
        .unwrap();
    key
}

fn claim(key: RequestKey, quota: Option<u32>, approvals: u8) -> UseClaim {
    UseClaim {
        key,
        seal_version: 1,
        seal_sequence: 5,
        rules: vec![PermittingRule {
            id: "rule".to_owned(),
            quota_per_day: quota,
            approvals,
        }],
        approval_ids: Vec::new(),
        claimed: Claimed {
            caller: "dept".to_owned(),
            operation: "seal-document".to_owned(),
            seal: CODE.to_owned(),
            document_sha256: [2; 32],
            place_sha256: [3; 32],
            copies: 1,
        },
        facts: UseFacts {
            operator: "wang".to_owned(),
            unit: "counter-3".to_owned(),
            item: "water".to_owned(),
            ..UseFacts::default()
        },
        at: NOW,
    }
}

/// Enters a use with an intent, each under an ordinal of its own.
async fn enter_use(record: &SqliteRecord, claim: &UseClaim) -> Result<(), UseRefused> {
    static ORDINAL: AtomicU32 = AtomicU32::new(0);
    let intent = Intent {
        key: claim.key.clone(),
        attempt: 1,
        ordinal: ORDINAL.fetch_add(1, Ordering::Relaxed),
        seal_id: CODE.to_owned(),
        profile: "gm-seal".to_owned(),
        certificate_sha256: [3; 32],
        digest_algorithm: "sm3".to_owned(),
        digest: vec![4; 32],
        recorded_at: NOW,
    };
    let entered = record
        .record_intent(&intent, std::slice::from_ref(claim))
        .await;
    entered.map(|_| ())
}

fn denied(result: Result<(), UseRefused>) -> Option<Denied> {
    match result {
        Ok(()) => None,
        Err(UseRefused::Denied(denied)) => Some(denied),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_seals_events_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let record = with_seal(&folder).await;
    let before = record.seals().await.unwrap();
    record.close().await;
    drop(record);
    let record = open(&folder).await;
    let after = record.seals().await.unwrap();
    assert_eq!(after, before);
    assert_eq!(after[0].state(), SealState::Active);
    assert_eq!(after[0].sequence(), 5);
    let taken = record
        .apply_for_seal(application(), &Actor::Configuration, DUTIES, NOW)
        .await;
    assert!(
        matches!(&taken, Err(ChangeError::Registry(error)) if error.reason() == "SEAL_CODE_TAKEN")
    );
}

#[tokio::test]
async fn a_change_by_somebody_who_has_not_seen_the_last_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let record = with_seal(&folder).await;
    let suspended = Change::Suspended {
        reason: "r".to_owned(),
    };
    let stale = record
        .change_seal(
            CODE,
            Some(4),
            suspended.clone(),
            &Actor::Configuration,
            DUTIES,
            NOW,
        )
        .await;
    assert!(
        matches!(&stale, Err(ChangeError::Registry(error)) if error.reason() == "SEAL_CHANGED")
    );
    record
        .change_seal(CODE, Some(5), suspended, &Actor::Configuration, DUTIES, NOW)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_uses_at_once_under_a_quota_of_fifteen_five_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let record = Arc::new(with_seal(&folder).await);
    let mut asking = Vec::new();
    for index in 0..20 {
        let key = open_request(&record, &format!("r{index}")).await;
        let record = Arc::clone(&record);
        asking.push(tokio::spawn(async move {
            enter_use(&record, &claim(key, Some(15), 0)).await
        }));
    }
    let mut refused = 0;
    for one in asking {
        match denied(one.await.unwrap()) {
            None => {}
            Some(reason) => {
                assert_eq!(reason, Denied::Quota);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 5);
    let day = beijing_day(NOW);
    assert_eq!(record.uses_of_rule("rule", &day).await.unwrap(), 15);
    // The next day in Beijing begins anew.
    let key = open_request(&record, "tomorrow").await;
    let mut tomorrow = claim(key, Some(15), 0);
    tomorrow.at = UnixSeconds(NOW.0 + 86_400);
    assert_eq!(denied(enter_use(&record, &tomorrow).await), None);
}

#[tokio::test]
async fn a_use_counts_once_for_its_request_over_attempts_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let record = with_seal(&folder).await;
    let key = open_request(&record, "again").await;
    assert_eq!(
        denied(enter_use(&record, &claim(key.clone(), Some(1), 0)).await),
        None
    );
    record.close().await;
    drop(record);
    let record = open(&folder).await;
    assert_eq!(
        denied(enter_use(&record, &claim(key, Some(1), 0)).await),
        None
    );
    let other = open_request(&record, "other").await;
    assert_eq!(
        denied(enter_use(&record, &claim(other, Some(1), 0)).await),
        Some(Denied::Quota)
    );
}

#[tokio::test]
async fn a_rule_without_room_gives_way_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let record = with_seal(&folder).await;
    for (id, expected) in [("1", "rule"), ("2", "second")] {
        let mut one = claim(open_request(&record, id).await, Some(1), 0);
        one.rules.push(PermittingRule {
            id: "second".to_owned(),
            quota_per_day: None,
            approvals: 0,
        });
        enter_use(&record, &one).await.unwrap();
        let rows = record.uses(&UseFilter::default(), 0, 10).await.unwrap();
        assert_eq!(rows.last().unwrap().rule, expected);
    }
}

#[tokio::test]
async fn a_seal_that_changed_since_the_signer_looked_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let record = with_seal(&folder).await;
    let key = open_request(&record, "r").await;
    change(
        &record,
        Change::Suspended {
            reason: "r".to_owned(),
        },
    )
    .await
    .unwrap();
    let refused = enter_use(&record, &claim(key.clone(), None, 0)).await;
    assert!(matches!(refused, Err(UseRefused::SealChanged { .. })));
    let unopened = RequestKey {
        request_id: "never opened".to_owned(),
        ..key
    };
    let refused = enter_use(&record, &claim(unopened, None, 0)).await;
    assert!(matches!(refused, Err(UseRefused::Record(_))));
}

fn approval(id: &str) -> Approval {
    Approval {
        id: id.to_owned(),
        caller: "dept".to_owned(),
        operator: "wang".to_owned(),
        operation: "seal-document".to_owned(),
        seal: CODE.to_owned(),
        seal_name: "示范村民委员会".to_owned(),
        document_sha256: [2; 32],
        place_sha256: [3; 32],
        place: "page 1".to_owned(),
        copies: 1,
        case_number: "c".to_owned(),
        needed: 2,
        created_at: NOW,
        expires_at: UnixSeconds(NOW.0 + 60),
    }
}

async fn approved(record: &SqliteRecord, id: &str, signatures: u8) {
    record.request_approval(&approval(id)).await.unwrap();
    for index in 0..signatures {
        let signature = ApprovalSignature {
            approver: format!("approver-{index}"),
            certificate_sha256: [index; 32],
            cms_der: vec![index],
            signed_at: NOW,
        };
        record
            .sign_approval(id, usize::from(index), &signature)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_approval_covers_one_use_of_exactly_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let record = with_seal(&folder).await;
    approved(&record, "half", 1).await;
    approved(&record, "good", 2).await;
    type Alter = fn(&mut UseClaim);
    let cases: [(&str, Alter, ApprovalRefused); 9] = [
        (
            "none",
            |one| one.approval_ids.clear(),
            ApprovalRefused::Needed,
        ),
        (
            "unknown",
            |one| one.approval_ids = vec!["no".to_owned()],
            ApprovalRefused::Unknown,
        ),
        (
            "another department's",
            |one| one.claimed.caller = "bank".to_owned(),
            ApprovalRefused::Unknown,
        ),
        (
            "one signature of two",
            |one| one.approval_ids = vec!["half".to_owned()],
            ApprovalRefused::Incomplete,
        ),
        (
            "a changed byte",
            |one| one.claimed.document_sha256[31] ^= 1,
            ApprovalRefused::OtherDocument,
        ),
        (
            "another place",
            |one| one.claimed.place_sha256[0] ^= 1,
            ApprovalRefused::OtherPlace,
        ),
        (
            "more copies",
            |one| one.claimed.copies = 2,
            ApprovalRefused::OtherCopies,
        ),
        (
            "another operation",
            |one| one.claimed.operation = "seal-digest".to_owned(),
            ApprovalRefused::OtherOperation,
        ),
        (
            "a minute too late",
            |one| one.at = UnixSeconds(NOW.0 + 61),
            ApprovalRefused::Expired,
        ),
    ];
    let key = open_request(&record, "r").await;
    let good = || {
        let mut one = claim(key.clone(), None, 2);
        one.approval_ids = vec!["good".to_owned()];
        one
    };
    for (what, alter, expected) in cases {
        let mut bad = good();
        alter(&mut bad);
        match enter_use(&record, &bad).await {
            Err(UseRefused::Approval(reason)) => assert_eq!(reason, expected, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    enter_use(&record, &good()).await.unwrap();
    // The same request again, as after a crash; then another one.
    enter_use(&record, &good()).await.unwrap();
    let second = UseClaim {
        key: open_request(&record, "second").await,
        ..good()
    };
    assert!(matches!(
        enter_use(&record, &second).await,
        Err(UseRefused::Approval(ApprovalRefused::Used))
    ));
    assert!(record.approval("good").await.unwrap().unwrap().used);
    let row = record
        .uses(&UseFilter::default(), 0, 10)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(row.approvers, ["approver-0", "approver-1"]);
    assert_eq!(row.approval.as_deref(), Some("good"));
}

#[tokio::test]
async fn the_log_is_asked_and_counted_by_seal_unit_item_and_day() {
    let folder = tempfile::tempdir().unwrap();
    let record = with_seal(&folder).await;
    for (id, unit, item, days) in [
        ("1", "a", "water", 0),
        ("2", "a", "grave", 0),
        ("3", "b", "water", 1),
    ] {
        let mut one = claim(open_request(&record, id).await, None, 0);
        one.facts.unit = unit.to_owned();
        one.facts.item = item.to_owned();
        one.at = UnixSeconds(NOW.0 + days * 86_400);
        enter_use(&record, &one).await.unwrap();
    }
    let count = async |group| {
        record
            .count_uses(&UseFilter::default(), group)
            .await
            .unwrap()
            .into_iter()
            .map(|one| (one.group, one.entered, one.released))
            .collect::<Vec<_>>()
    };
    let named = |name: &str, entered| (name.to_owned(), entered, 0);
    assert_eq!(count(UseGroup::Seal).await, [named(CODE, 3)]);
    assert_eq!(
        count(UseGroup::Unit).await,
        [named("dept/a", 2), named("dept/b", 1)]
    );
    assert_eq!(
        count(UseGroup::Item).await,
        [named("grave", 1), named("water", 2)]
    );
    assert_eq!(
        count(UseGroup::Day).await,
        [named("2026-11-24", 2), named("2026-11-25", 1)]
    );
    let filter = UseFilter {
        item: Some("water".to_owned()),
        to_day: Some("2026-11-24".to_owned()),
        ..UseFilter::default()
    };
    let rows = record.uses(&filter, 0, 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].key.request_id.as_str(), rows[0].result.as_str()),
        ("1", "open")
    );
    assert!(
        record
            .uses(&filter, rows[0].id, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn the_last_word_on_a_rule_holds() {
    let folder = tempfile::tempdir().unwrap();
    let record = open(&folder).await;
    let mut rule = UseRule {
        id: "r".to_owned(),
        seals: [CODE.to_owned()].into(),
        callers: ["dept".to_owned()].into(),
        operations: ["seal-document".to_owned()].into(),
        units: [].into(),
        items: [].into(),
        channels: [].into(),
        hours: None,
        valid_from: None,
        valid_until: None,
        quota_per_day: Some(1),
        approvals: 0,
    };
    record.set_rule("r", Some(&rule), "a", NOW).await.unwrap();
    rule.quota_per_day = Some(2);
    record.set_rule("r", Some(&rule), "a", NOW).await.unwrap();
    assert_eq!(record.rules().await.unwrap(), [rule]);
    record.set_rule("r", None, "a", NOW).await.unwrap();
    assert_eq!(record.rules().await.unwrap(), []);
}
