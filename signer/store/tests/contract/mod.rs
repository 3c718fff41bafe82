//! What every record must hold to, whatever it is kept in.
//!
//! A backend says how to open its record twice over the same data, and gets one test for
//! each rule: `record_contract!(sqlite, Sqlite::new)`.

use std::future::Future;

use yinxin_pki::UnixSeconds;
use yinxin_signer::record::{
    Intent, IntentId, LicenceRow, LicenceSeries, NewRequest, Opened, Operation, Outcome, Record,
    RecordError, Release, RequestKey, SealedIntent,
};
use yinxin_signer::usage::UseRefused;

/// One empty record, and how to come back to it.
pub trait Backend {
    /// The record.
    type Record: Record + 'static;
    /// Opens the record; the one opened before, if any, has been dropped or closed.
    fn open(&self) -> impl Future<Output = Self::Record>;
    /// Closes it as an orderly stop does.
    fn close(&self, record: Self::Record) -> impl Future<Output = ()>;
}

macro_rules! record_contract {
    ($backend:ident, $new:expr) => {
        record_contract!(@each $backend, $new,
            a_new_request_proceeds_as_its_first_attempt,
            a_request_that_is_being_worked_on_is_in_flight,
            another_body_under_the_same_key_is_refused_in_every_state,
            callers_do_not_share_their_keys,
            a_given_up_request_proceeds_with_the_time_of_its_first_attempt,
            giving_up_fails_the_intents_without_an_outcome_and_no_other,
            giving_up_what_is_not_open_changes_nothing,
            a_request_left_by_another_run_is_taken_over,
            a_released_request_is_given_again_after_a_restart,
            a_digest_sealing_is_released_without_document_or_licence,
            a_short_document_is_given_again_with_its_release,
            a_release_seals_the_intents_it_names,
            an_outcome_that_does_not_fit_stops_the_release_and_leaves_nothing,
            numbers_count_from_one_in_each_series,
            a_request_keeps_its_number_over_attempts_and_restarts,
            no_number_without_an_open_request,
            no_number_is_given_twice_to_requests_that_ask_at_once,
            no_intent_without_an_open_request,
            an_ordinal_is_taken_once_in_an_attempt,
            an_intent_of_another_attempt_is_refused,
            an_outcome_needs_its_intent,
            an_intent_has_one_outcome,
            nothing_is_released_without_an_intent,
            nothing_is_released_while_an_intent_has_no_outcome,
            nothing_is_released_after_a_failed_intent,
            an_earlier_attempt_does_not_stand_in_the_way_of_a_release,
            nothing_is_released_twice,
            an_identifier_or_number_is_never_licensed_twice,
            a_refused_release_leaves_the_request_open,
            open_intents_are_those_a_crash_left,
            one_of_many_equal_requests_proceeds,
            texts_are_data_and_never_statements,
        );
    };
    (@each $backend:ident, $new:expr, $($rule:ident,)*) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    contract::$rule($new()).await;
                }
            )*
        }
    };
}
pub(crate) use record_contract;

fn key(request_id: &str) -> RequestKey {
    RequestKey {
        caller: "civil-affairs".to_owned(),
        request_id: request_id.to_owned(),
    }
}

fn request_by(holder: &str, request_id: &str) -> NewRequest {
    NewRequest {
        key: key(request_id),
        operation: Operation::IssueLicence,
        body_sha256: [7; 32],
        details_json: r#"{"case":"C-1"}"#.to_owned(),
        opened_at: UnixSeconds(1_000),
        holder: holder.to_owned(),
    }
}

fn request(request_id: &str) -> NewRequest {
    request_by("run-1", request_id)
}

fn series(issuer: &str, year: i32) -> LicenceSeries {
    LicenceSeries {
        licence_type: "marital-proof".to_owned(),
        issuer: issuer.to_owned(),
        year,
    }
}

fn intent(request_id: &str, attempt: u32, ordinal: u32) -> Intent {
    Intent {
        key: key(request_id),
        attempt,
        ordinal,
        seal_id: "village-1".to_owned(),
        profile: "gm-seal".to_owned(),
        certificate_sha256: [3; 32],
        digest_algorithm: "sm3".to_owned(),
        digest: vec![4; 32],
        recorded_at: UnixSeconds(1_001),
    }
}

fn sealed() -> Outcome {
    Outcome::Sealed {
        container_sha256: [5; 32],
        at: UnixSeconds(1_002),
    }
}

fn failed() -> Outcome {
    Outcome::Failed {
        reason: "SELF_CHECK_FAILED".to_owned(),
        at: UnixSeconds(1_002),
    }
}

fn licence(identifier: &str, number: &str) -> LicenceRow {
    LicenceRow {
        identifier: identifier.to_owned(),
        number: number.to_owned(),
        licence_type: "marital-proof".to_owned(),
        issuer_code: "54440000000000000X".to_owned(),
        version: 1,
        metadata_json: r#"{"holders":["王"]}"#.to_owned(),
        document_sha256: [6; 32],
        issued_at: UnixSeconds(1_003),
    }
}

fn release(licence: Option<LicenceRow>) -> Release {
    Release {
        document_sha256: Some([6; 32]),
        document: None,
        container: None,
        receipt_json: r#"{"a":1}"#.to_owned(),
        licence,
        released_at: UnixSeconds(1_004),
    }
}

fn proceeds(opened: Opened) -> (UnixSeconds, u32) {
    match opened {
        Opened::Proceed {
            first_opened_at,
            attempt,
        } => (first_opened_at, attempt),
        other => panic!("expected to proceed, got {other:?}"),
    }
}

#[track_caller]
fn assert_intent_refused(result: Result<IntentId, UseRefused>) {
    assert!(
        matches!(result, Err(UseRefused::Record(RecordError::Refused { .. }))),
        "{result:?}"
    );
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, RecordError>) {
    assert!(
        matches!(result, Err(RecordError::Refused { .. })),
        "{result:?}"
    );
}

/// Opens a request and seals its ordinals, so that it may be released.
async fn sealed_request(record: &impl Record, request_id: &str) {
    let (_, attempt) = proceeds(record.open_request(&request(request_id)).await.unwrap());
    let id = record
        .record_intent(&intent(request_id, attempt, 0), &[])
        .await
        .unwrap();
    record.record_outcome(id, &sealed()).await.unwrap();
}

pub async fn a_new_request_proceeds_as_its_first_attempt(backend: impl Backend) {
    let record = backend.open().await;
    let opened = record.open_request(&request("r")).await.unwrap();
    assert_eq!(proceeds(opened), (UnixSeconds(1_000), 1));
}

pub async fn a_request_that_is_being_worked_on_is_in_flight(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    assert_eq!(
        record.open_request(&request("r")).await.unwrap(),
        Opened::InFlight
    );
}

pub async fn another_body_under_the_same_key_is_refused_in_every_state(backend: impl Backend) {
    let record = backend.open().await;
    let mut body = request("r");
    body.body_sha256 = [8; 32];
    let mut operation = request("r");
    operation.operation = Operation::SealDocument;
    let check = async |state: &str| {
        for other in [&body, &operation] {
            let opened = record.open_request(other).await.unwrap();
            assert_eq!(opened, Opened::DifferentBody, "{state}");
        }
    };
    record.open_request(&request("r")).await.unwrap();
    check("open").await;
    record
        .give_up(&key("r"), "KEYS_UNAVAILABLE", UnixSeconds(1))
        .await
        .unwrap();
    check("given up").await;
    sealed_request(&record, "r").await;
    record
        .release(&key("r"), &release(None), &[])
        .await
        .unwrap();
    check("released").await;
}

pub async fn callers_do_not_share_their_keys(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    let mut other = request("r");
    other.key.caller = "water-works".to_owned();
    other.body_sha256 = [9; 32];
    assert_eq!(proceeds(record.open_request(&other).await.unwrap()).1, 1);
}

pub async fn a_given_up_request_proceeds_with_the_time_of_its_first_attempt(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    record
        .give_up(&key("r"), "KEYS_UNAVAILABLE", UnixSeconds(1_100))
        .await
        .unwrap();
    let mut again = request("r");
    again.opened_at = UnixSeconds(2_000);
    let opened = record.open_request(&again).await.unwrap();
    assert_eq!(proceeds(opened), (UnixSeconds(1_000), 2));
}

pub async fn giving_up_fails_the_intents_without_an_outcome_and_no_other(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    let first = record.record_intent(&intent("r", 1, 0), &[]).await.unwrap();
    let second = record.record_intent(&intent("r", 1, 1), &[]).await.unwrap();
    record.record_outcome(first, &sealed()).await.unwrap();
    record
        .give_up(&key("r"), "KEYS_UNAVAILABLE", UnixSeconds(1))
        .await
        .unwrap();
    assert_refused(record.record_outcome(first, &failed()).await);
    assert_refused(record.record_outcome(second, &sealed()).await);
    assert!(record.open_intents("run-2").await.unwrap().is_empty());
}

pub async fn giving_up_what_is_not_open_changes_nothing(backend: impl Backend) {
    let record = backend.open().await;
    record
        .give_up(&key("never"), "X", UnixSeconds(1))
        .await
        .unwrap();
    sealed_request(&record, "r").await;
    record
        .release(&key("r"), &release(None), &[])
        .await
        .unwrap();
    record
        .give_up(&key("r"), "X", UnixSeconds(1))
        .await
        .unwrap();
    let opened = record.open_request(&request("r")).await.unwrap();
    assert_eq!(opened, Opened::Released(Box::new(release(None))));
}

pub async fn a_request_left_by_another_run_is_taken_over(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    drop(record);
    let record = backend.open().await;
    let opened = record
        .open_request(&request_by("run-2", "r"))
        .await
        .unwrap();
    assert_eq!(proceeds(opened), (UnixSeconds(1_000), 2));
    let opened = record
        .open_request(&request_by("run-2", "r"))
        .await
        .unwrap();
    assert_eq!(opened, Opened::InFlight);
}

pub async fn a_released_request_is_given_again_after_a_restart(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "r").await;
    let released = release(Some(licence("id-1", "no-1")));
    record.release(&key("r"), &released, &[]).await.unwrap();
    backend.close(record).await;
    let record = backend.open().await;
    let opened = record
        .open_request(&request_by("run-2", "r"))
        .await
        .unwrap();
    assert_eq!(opened, Opened::Released(Box::new(released.clone())));
    let found = record.licence("id-1").await.unwrap();
    assert_eq!(found, Some(released));
    assert_eq!(record.licence("id-2").await.unwrap(), None);
}

pub async fn a_digest_sealing_is_released_without_document_or_licence(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "r").await;
    let mut released = release(None);
    released.document_sha256 = None;
    released.container = Some(vec![1, 2, 3]);
    record.release(&key("r"), &released, &[]).await.unwrap();
    let opened = record.open_request(&request("r")).await.unwrap();
    assert_eq!(opened, Opened::Released(Box::new(released)));
}

pub async fn a_short_document_is_given_again_with_its_release(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "r").await;
    let mut released = release(Some(licence("id-1", "no-1")));
    released.document = Some([9, 8, 7].to_vec().into());
    record.release(&key("r"), &released, &[]).await.unwrap();
    backend.close(record).await;
    let record = backend.open().await;
    let opened = record.open_request(&request("r")).await.unwrap();
    assert_eq!(opened, Opened::Released(Box::new(released.clone())));
    assert_eq!(record.licence("id-1").await.unwrap(), Some(released));
}

fn sealed_as(intent: IntentId) -> SealedIntent {
    SealedIntent {
        intent,
        container_sha256: [5; 32],
    }
}

pub async fn a_release_seals_the_intents_it_names(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    let first = record.record_intent(&intent("r", 1, 0), &[]).await.unwrap();
    let second = record.record_intent(&intent("r", 1, 1), &[]).await.unwrap();
    let both = [sealed_as(first), sealed_as(second)];
    record
        .release(&key("r"), &release(None), &both)
        .await
        .unwrap();
    assert_refused(record.record_outcome(first, &failed()).await);
    assert_refused(record.record_outcome(second, &failed()).await);
    assert!(record.open_intents("run-2").await.unwrap().is_empty());
}

pub async fn an_outcome_that_does_not_fit_stops_the_release_and_leaves_nothing(
    backend: impl Backend,
) {
    let record = backend.open().await;
    record.open_request(&request("other")).await.unwrap();
    let others = record.record_intent(&intent("other", 1, 0), &[]).await;
    record.open_request(&request("r")).await.unwrap();
    let earlier = record.record_intent(&intent("r", 1, 0), &[]).await.unwrap();
    record
        .give_up(&key("r"), "KEYS_UNAVAILABLE", UnixSeconds(1))
        .await
        .unwrap();
    record.open_request(&request("r")).await.unwrap();
    let good = record.record_intent(&intent("r", 2, 0), &[]).await.unwrap();
    let unknown = IntentId(good.0 + 100);
    for (what, bad) in [
        ("another request's", others.unwrap()),
        ("an earlier attempt's", earlier),
        ("nobody's", unknown),
        ("the same twice", good),
    ] {
        let sealed = [sealed_as(good), sealed_as(bad)];
        let refused = record.release(&key("r"), &release(None), &sealed).await;
        assert!(
            matches!(refused, Err(RecordError::Refused { .. })),
            "{what}: {refused:?}"
        );
    }
    // Nothing of it stayed: the intent has no outcome yet.
    record
        .release(&key("r"), &release(None), &[sealed_as(good)])
        .await
        .unwrap();
}

pub async fn numbers_count_from_one_in_each_series(backend: impl Backend) {
    let record = backend.open().await;
    let cases = [
        ("a", series("441900001001", 2026), 1),
        ("b", series("441900001001", 2026), 2),
        ("c", series("441900001002", 2026), 1),
        ("d", series("441900001001", 2027), 1),
        ("e", series("441900001001", 2026), 3),
    ];
    for (request_id, series, expected) in cases {
        record.open_request(&request(request_id)).await.unwrap();
        let number = record
            .reserve_number(&key(request_id), &series)
            .await
            .unwrap();
        assert_eq!(number, expected, "{request_id}");
    }
}

pub async fn a_request_keeps_its_number_over_attempts_and_restarts(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    let series = series("441900001001", 2026);
    assert_eq!(record.reserve_number(&key("r"), &series).await.unwrap(), 1);
    assert_eq!(record.reserve_number(&key("r"), &series).await.unwrap(), 1);
    drop(record);
    let record = backend.open().await;
    record
        .open_request(&request_by("run-2", "other"))
        .await
        .unwrap();
    assert_eq!(
        record.reserve_number(&key("other"), &series).await.unwrap(),
        2
    );
    record
        .open_request(&request_by("run-2", "r"))
        .await
        .unwrap();
    assert_eq!(record.reserve_number(&key("r"), &series).await.unwrap(), 1);
}

pub async fn no_number_without_an_open_request(backend: impl Backend) {
    let record = backend.open().await;
    let series = series("441900001001", 2026);
    assert_refused(record.reserve_number(&key("r"), &series).await);
    record.open_request(&request("r")).await.unwrap();
    record
        .give_up(&key("r"), "X", UnixSeconds(1))
        .await
        .unwrap();
    assert_refused(record.reserve_number(&key("r"), &series).await);
}

pub async fn no_number_is_given_twice_to_requests_that_ask_at_once(backend: impl Backend) {
    let record = std::sync::Arc::new(backend.open().await);
    let tasks: Vec<_> = (0..50)
        .map(|index| {
            let record = record.clone();
            tokio::spawn(async move {
                let request_id = format!("r-{index}");
                record.open_request(&request(&request_id)).await.unwrap();
                let series = series("441900001001", 2026);
                record
                    .reserve_number(&key(&request_id), &series)
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<u64>>());
}

pub async fn no_intent_without_an_open_request(backend: impl Backend) {
    let record = backend.open().await;
    assert_intent_refused(record.record_intent(&intent("r", 1, 0), &[]).await);
    sealed_request(&record, "r").await;
    record
        .release(&key("r"), &release(None), &[])
        .await
        .unwrap();
    assert_intent_refused(record.record_intent(&intent("r", 1, 1), &[]).await);
}

pub async fn an_ordinal_is_taken_once_in_an_attempt(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    let first = record.record_intent(&intent("r", 1, 0), &[]).await.unwrap();
    assert_intent_refused(record.record_intent(&intent("r", 1, 0), &[]).await);
    let second = record.record_intent(&intent("r", 1, 1), &[]).await.unwrap();
    assert_ne!(first, second);
}

pub async fn an_intent_of_another_attempt_is_refused(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    record
        .open_request(&request_by("run-2", "r"))
        .await
        .unwrap();
    assert_intent_refused(record.record_intent(&intent("r", 1, 0), &[]).await);
    assert_intent_refused(record.record_intent(&intent("r", 3, 0), &[]).await);
    record.record_intent(&intent("r", 2, 0), &[]).await.unwrap();
}

pub async fn an_outcome_needs_its_intent(backend: impl Backend) {
    let record = backend.open().await;
    assert_refused(record.record_outcome(IntentId(1), &sealed()).await);
}

pub async fn an_intent_has_one_outcome(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    let id = record.record_intent(&intent("r", 1, 0), &[]).await.unwrap();
    record.record_outcome(id, &failed()).await.unwrap();
    assert_refused(record.record_outcome(id, &sealed()).await);
}

pub async fn nothing_is_released_without_an_intent(backend: impl Backend) {
    let record = backend.open().await;
    assert_refused(record.release(&key("r"), &release(None), &[]).await);
    record.open_request(&request("r")).await.unwrap();
    assert_refused(record.release(&key("r"), &release(None), &[]).await);
}

pub async fn nothing_is_released_while_an_intent_has_no_outcome(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "r").await;
    let second = record.record_intent(&intent("r", 1, 1), &[]).await.unwrap();
    assert_refused(record.release(&key("r"), &release(None), &[]).await);
    record.record_outcome(second, &sealed()).await.unwrap();
    record
        .release(&key("r"), &release(None), &[])
        .await
        .unwrap();
}

pub async fn nothing_is_released_after_a_failed_intent(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "r").await;
    let second = record.record_intent(&intent("r", 1, 1), &[]).await.unwrap();
    record.record_outcome(second, &failed()).await.unwrap();
    assert_refused(record.release(&key("r"), &release(None), &[]).await);
}

pub async fn an_earlier_attempt_does_not_stand_in_the_way_of_a_release(backend: impl Backend) {
    let record = backend.open().await;
    record.open_request(&request("r")).await.unwrap();
    record.record_intent(&intent("r", 1, 0), &[]).await.unwrap();
    record
        .open_request(&request_by("run-2", "r"))
        .await
        .unwrap();
    // The first attempt's intent is sealed by nobody; the second stands alone.
    assert_refused(record.release(&key("r"), &release(None), &[]).await);
    let id = record.record_intent(&intent("r", 2, 0), &[]).await.unwrap();
    record.record_outcome(id, &sealed()).await.unwrap();
    record
        .release(&key("r"), &release(None), &[])
        .await
        .unwrap();
}

pub async fn nothing_is_released_twice(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "r").await;
    record
        .release(&key("r"), &release(None), &[])
        .await
        .unwrap();
    assert_refused(record.release(&key("r"), &release(None), &[]).await);
}

pub async fn an_identifier_or_number_is_never_licensed_twice(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "first").await;
    let first = release(Some(licence("id-1", "no-1")));
    record.release(&key("first"), &first, &[]).await.unwrap();
    sealed_request(&record, "second").await;
    for (identifier, number) in [("id-1", "no-2"), ("id-2", "no-1")] {
        let second = release(Some(licence(identifier, number)));
        assert_refused(record.release(&key("second"), &second, &[]).await);
    }
    let second = release(Some(licence("id-2", "no-2")));
    record.release(&key("second"), &second, &[]).await.unwrap();
}

pub async fn a_refused_release_leaves_the_request_open(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "first").await;
    let first = release(Some(licence("id-1", "no-1")));
    record.release(&key("first"), &first, &[]).await.unwrap();
    sealed_request(&record, "second").await;
    assert_refused(record.release(&key("second"), &first, &[]).await);
    assert_eq!(
        record.open_request(&request("second")).await.unwrap(),
        Opened::InFlight
    );
}

pub async fn open_intents_are_those_a_crash_left(backend: impl Backend) {
    let record = backend.open().await;
    sealed_request(&record, "done").await;
    record
        .release(&key("done"), &release(None), &[])
        .await
        .unwrap();
    record.open_request(&request("left")).await.unwrap();
    let left = record
        .record_intent(&intent("left", 1, 0), &[])
        .await
        .unwrap();
    assert!(record.open_intents("run-1").await.unwrap().is_empty());
    drop(record);

    let record = backend.open().await;
    let found = record.open_intents("run-2").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, left);
    assert_eq!(found[0].intent, intent("left", 1, 0));
    record.record_outcome(left, &failed()).await.unwrap();
    assert!(record.open_intents("run-2").await.unwrap().is_empty());
}

pub async fn one_of_many_equal_requests_proceeds(backend: impl Backend) {
    let record = std::sync::Arc::new(backend.open().await);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let record = record.clone();
            tokio::spawn(async move { record.open_request(&request("r")).await.unwrap() })
        })
        .collect();
    let mut proceeding = 0;
    for task in tasks {
        match task.await.unwrap() {
            Opened::Proceed { .. } => proceeding += 1,
            Opened::InFlight => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(proceeding, 1);
}

pub async fn texts_are_data_and_never_statements(backend: impl Backend) {
    let record = backend.open().await;
    let text = "'; DROP TABLE request; -- \0 印信 \u{1f4a0}";
    let mut hostile = request(text);
    hostile.details_json = text.to_owned();
    record.open_request(&hostile).await.unwrap();
    let id = record
        .record_intent(&intent(text, 1, 0), &[])
        .await
        .unwrap();
    record.record_outcome(id, &sealed()).await.unwrap();
    let mut released = release(Some(licence(text, text)));
    released.receipt_json = text.to_owned();
    record.release(&key(text), &released, &[]).await.unwrap();
    let opened = record.open_request(&hostile).await.unwrap();
    assert_eq!(opened, Opened::Released(Box::new(released)));
}
