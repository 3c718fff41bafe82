//! Applications, filing records, use rules and approvals as they come from outside.
//!
//! The first eight bytes are a moment, the rest is text: JSON, or a CMS under an approval.
//!
//! Laws: what was read is written and read again as the same; checks name a field; a rule permits a
//! use exactly if its verdict has no reason against it; no stranger's CMS signs an approval; a
//! statement has as many lines as it has facts.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use yinxin_fuzz::made;
use yinxin_pki::UnixSeconds;
use yinxin_signer::approval::{Approval, check_signature};
use yinxin_signer::record::Operation;
use yinxin_signer::registry::{
    Actor, Application, FilingOutcome, FilingRecord, Person, Role, SealRecord, Terms,
};
use yinxin_signer::rules::{Channel, UseRule, Wanted, beijing_day, evaluate, explain};
use yinxin_verifier::Trust;

fuzz_target!(|input: &[u8]| {
    let Some((moment, rest)) = input.split_first_chunk::<8>() else {
        return;
    };
    let at = UnixSeconds(i64::from_le_bytes(*moment));
    let _ = beijing_day(at);
    if let Ok(text) = std::str::from_utf8(rest) {
        if let Some(application) = same_again::<Application>(text) {
            apply(application, at);
        }
        if let Some(terms) = same_again::<Terms>(text) {
            let _ = (terms.check(), terms.validity(), terms.certificate_digests());
        }
        if let Some(records) = same_again::<Vec<FilingRecord>>(text) {
            records.iter().for_each(file);
        }
        if let Some(rule) = same_again::<UseRule>(text) {
            judge(&rule, at);
        }
        state(text, at);
    }
    sign(rest, at);
});

/// What serde reads, after it was written and read again.
fn same_again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    text: &str,
) -> Option<T> {
    let read: T = serde_json::from_str(text).ok()?;
    let written = serde_json::to_string(&read).expect("it can be written");
    // A number of JSON may lie beside the nearest that f64 has; after one round it is that one.
    let once: T = serde_json::from_str(&written).expect("it was written by us");
    let twice = serde_json::to_string(&once).expect("it can be written");
    assert_eq!(written, twice);
    Some(once)
}

fn apply(application: Application, at: UnixSeconds) {
    if let Err(error) = application.check() {
        assert!(!error.reason().is_empty() && !error.to_string().is_empty());
        return;
    }
    let code = application.code.clone();
    let event = SealRecord::first_event(application, &Actor::Configuration, at);
    let record = SealRecord::begin(&event).expect("what was checked begins a seal");
    assert_eq!(record.application().code, code);
    let _ = (record.status_at(at), record.filing_records(at));
}

fn file(record: &FilingRecord) {
    static FILED: OnceLock<SealRecord> = OnceLock::new();
    let filed = FILED.get_or_init(|| {
        let text = made::file("application.json");
        let application = serde_json::from_slice(&text).expect("make-seeds writes what is read");
        let event = SealRecord::first_event(application, &Actor::Configuration, made::NOW);
        SealRecord::begin(&event).expect("an application begins a seal")
    });
    match filed.take_filing(record) {
        Ok(FilingOutcome::Files(_) | FilingOutcome::KnownAlready) => {
            panic!("nothing was made that could be filed")
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn judge(rule: &UseRule, at: UnixSeconds) {
    if let Err(error) = rule.check() {
        assert!(!error.field.is_empty());
    }
    let first = |set: &std::collections::BTreeSet<String>| set.first().cloned().unwrap_or_default();
    let (caller, seal, unit) = (first(&rule.callers), first(&rule.seals), first(&rule.units));
    let item = first(&rule.items);
    for channel in [None, Some(Channel::Counter)] {
        let wanted = Wanted {
            caller: &caller,
            operation: Operation::SealDocument,
            seal: &seal,
            unit: &unit,
            items: &[&item],
            channel,
            at,
        };
        let verdicts = explain([rule], &wanted);
        match evaluate([rule], &wanted) {
            Ok(decision) => {
                assert_eq!(decision.rules, [rule]);
                assert_eq!(verdicts[0].denied, None);
            }
            Err(denied) => {
                assert!(!denied.reason().is_empty());
                let reason = verdicts
                    .first()
                    .map_or(Some(denied), |verdict| verdict.denied);
                assert_eq!(reason, Some(denied));
            }
        }
    }
}

/// An approval with this text in each of its places.
fn approval(text: &str, at: UnixSeconds) -> Approval {
    Approval {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        caller: text.to_owned(),
        operator: text.to_owned(),
        operation: "seal-document".to_owned(),
        seal: "1".to_owned(),
        seal_name: text.to_owned(),
        document_sha256: [1; 32],
        place_sha256: [2; 32],
        place: text.to_owned(),
        copies: 1,
        case_number: text.to_owned(),
        needed: 2,
        created_at: at,
        expires_at: at,
    }
}

fn state(text: &str, at: UnixSeconds) {
    if !text.chars().any(char::is_control) {
        assert_eq!(approval(text, at).statement().lines().count(), 13);
    }
}

/// Whoever is trusted, nobody has signed this statement.
fn sign(cms_der: &[u8], at: UnixSeconds) {
    static TRUST: OnceLock<Trust> = OnceLock::new();
    let person = Person {
        name: "approver".to_owned(),
        roles: [Role::Approver].into(),
        certificates_sha256: made::certificates()
            .iter()
            .map(yinxin_pki::Certificate::sha256)
            .collect(),
    };
    let approval = approval("office", at);
    let trust = TRUST.get_or_init(made::trust);
    let signed = check_signature(&approval, &person, "keeper", &[], cms_der, trust, at);
    let error = signed.expect_err("nobody can sign");
    assert!(!error.reason().is_empty() && !error.to_string().is_empty());
}
