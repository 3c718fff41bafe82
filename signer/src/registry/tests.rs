//! The life of a seal, step by step, and what is refused on the way.

use std::collections::BTreeSet;

use yinxin_pki::UnixSeconds;

use super::*;
use crate::appearance::SealKind;

/// 2026-11-24T02:00:00Z.
const NOW: i64 = 1_795_485_600;
const DAY: i64 = 86_400;

// Two throw-away self-signed P-256 certificates without private keys, valid from 2026-11-22 for 19 years.
const FIRST_PEM: &str = include_str!("testdata/first.pem");
const SECOND_PEM: &str = include_str!("testdata/second.pem");

fn terms(certificates_pem: &str) -> Terms {
    Terms {
        face: Face::Plain {
            upper_text: "示范村民委员会".to_owned(),
            lower_text: None,
            diameter_mm: 42.0,
        },
        cert_list: CertListKind::Certificates,
        layout: SealLayout::V4,
        valid_from: NOW - DAY,
        valid_until: NOW + 100 * DAY,
        gm: None,
        pades: Some(KeyBinding {
            key: "key".to_owned(),
            certificates_pem: certificates_pem.to_owned(),
        }),
    }
}

fn application() -> Application {
    Application {
        code: "44190000000001".to_owned(),
        name: "示范村民委员会".to_owned(),
        owner_name: "示范市示范镇示范村村民委员会".to_owned(),
        owner_code: "54441900MB0000019N".to_owned(),
        kind: SealKind::LegalName,
        division_code: None,
        keeper: "li".to_owned(),
        terms: terms(FIRST_PEM),
    }
}

fn person(name: &str, roles: &[Role]) -> Person {
    Person {
        name: name.to_owned(),
        roles: roles.iter().copied().collect(),
        certificates_sha256: BTreeSet::new(),
    }
}

fn made() -> Change {
    Change::Made {
        material: Box::new(Material {
            ses_pem: None,
            ses_sha256: None,
            maker: None,
        }),
    }
}

fn filed(number: &str) -> Change {
    Change::Filed {
        filing: Filing {
            number: number.to_owned(),
            authority: "示范市公安局".to_owned(),
        },
    }
}

fn why() -> String {
    "reason".to_owned()
}

/// A seal that has gone through these changes, an hour apart, beginning at [`NOW`].
struct Life {
    events: Vec<SealEvent>,
    record: SealRecord,
}

impl Life {
    fn new() -> Self {
        let event = SealRecord::first_event(application(), &Actor::Configuration, UnixSeconds(NOW));
        Self {
            record: SealRecord::begin(&event).unwrap(),
            events: vec![event],
        }
    }

    fn step(&mut self, change: Change) -> Result<(), RegistryError> {
        let at = UnixSeconds(NOW + 3600 * i64::from(self.record.sequence()));
        let event = self.record.next_event(change, &Actor::Configuration, at);
        self.record.follow(&event)?;
        self.events.push(event);
        Ok(())
    }

    fn through(mut self, changes: impl IntoIterator<Item = Change>) -> Self {
        for change in changes {
            self.step(change).unwrap();
        }
        self
    }

    fn active() -> Self {
        Self::new().through([Change::Approved, made(), filed("1"), Change::Activated])
    }
}

fn at_hour(hour: i64) -> UnixSeconds {
    UnixSeconds(NOW + 3600 * hour)
}

#[test]
fn the_state_at_every_past_moment_is_what_the_events_say() {
    let life = Life::active().through([
        Change::Suspended { reason: why() },
        Change::Resumed { reason: why() },
        Change::Lost { reason: why() },
        Change::RenewalApplied {
            terms: Box::new(terms(SECOND_PEM)),
            reason: why(),
        },
        Change::Approved,
        made(),
        filed("2"),
        Change::Activated,
        Change::Revoked { reason: why() },
    ]);
    let expected = [
        (0, "applied", None),
        (1, "approved", None),
        (2, "made", None),
        (3, "filed", None),
        (4, "active", Some(1)),
        (5, "suspended", Some(1)),
        (6, "active", Some(1)),
        (7, "lost", Some(1)),
        (8, "lost", Some(1)),
        (11, "lost", Some(1)),
        (12, "active", Some(2)),
        (13, "revoked", Some(2)),
    ];
    let again = SealRecord::from_events(&life.events).unwrap().unwrap();
    assert_eq!(again, life.record, "the events are the truth");
    assert_eq!(again.status_at(UnixSeconds(NOW - 1)), None);
    for (hour, state, version) in expected {
        for at in [at_hour(hour), UnixSeconds(at_hour(hour + 1).0 - 1)] {
            let status = again.status_at(at).unwrap();
            assert_eq!(
                (status.state.name(), status.version),
                (state, version),
                "{at}"
            );
            assert_eq!(status.is_valid(), state == "active");
        }
    }
    let [first, second] = again.versions() else {
        panic!("two versions");
    };
    assert!(again.permits_at(&first.certificates[0], at_hour(6)));
    assert!(
        !again.permits_at(&second.certificates[0], at_hour(6)),
        "not its certificate yet"
    );
    assert!(
        !again.permits_at(&first.certificates[0], at_hour(12)),
        "not its certificate any more"
    );
    assert!(again.permits_at(&second.certificates[0], at_hour(12)));

    let kinds: Vec<_> = revocations([&again], at_hour(0), at_hour(20))
        .iter()
        .map(|entry| (entry.kind.number(), entry.at))
        .collect();
    assert_eq!(kinds, [(2, at_hour(7)), (0, at_hour(13))]);
    assert_eq!(revocations([&again], at_hour(8), at_hour(12)), []);
}

#[test]
fn a_seal_past_its_last_second_is_expired_and_one_before_its_first_not_yet_valid() {
    let record = Life::active().record;
    let version = record.active_version().unwrap();
    for (at, state) in [
        (version.valid_until, SealState::Active),
        (UnixSeconds(version.valid_until.0 + 1), SealState::Expired),
    ] {
        assert_eq!(record.status_at(at).unwrap().state, state);
    }
    let mut later = application();
    later.terms.valid_from = NOW + 30 * DAY;
    let event = SealRecord::first_event(later, &Actor::Configuration, UnixSeconds(NOW));
    let mut life = Life {
        record: SealRecord::begin(&event).unwrap(),
        events: vec![event],
    };
    for change in [Change::Approved, made(), filed("1"), Change::Activated] {
        life.step(change).unwrap();
    }
    assert_eq!(
        life.record.status_at(at_hour(10)).unwrap().state,
        SealState::NotYetValid
    );
}

#[test]
fn a_change_that_does_not_follow_on_the_state_is_refused_and_changes_nothing() {
    let lost = || Change::Lost { reason: why() };
    let suspended = || Change::Suspended { reason: why() };
    let renewal = || Change::RenewalApplied {
        terms: Box::new(terms(SECOND_PEM)),
        reason: why(),
    };
    let cases: [(&str, Life, Change); 11] = [
        ("made before approval", Life::new(), made()),
        (
            "filed before it is made",
            Life::new().through([Change::Approved]),
            filed("1"),
        ),
        (
            "active before filing",
            Life::new().through([Change::Approved, made()]),
            Change::Activated,
        ),
        ("suspended before it was active", Life::new(), suspended()),
        ("renewed before it was active", Life::new(), renewal()),
        (
            "resumed while active",
            Life::active(),
            Change::Resumed { reason: why() },
        ),
        (
            "resumed after loss",
            Life::active().through([lost()]),
            Change::Resumed { reason: why() },
        ),
        (
            "two renewals at once",
            Life::active().through([renewal()]),
            renewal(),
        ),
        (
            "activated while suspended",
            Life::active().through([renewal(), Change::Approved, made(), filed("2"), suspended()]),
            Change::Activated,
        ),
        (
            "anything after the end",
            Life::active().through([Change::Cancelled { reason: why() }]),
            lost(),
        ),
        (
            "approved after rejection",
            Life::new().through([Change::Rejected { reason: why() }]),
            Change::Approved,
        ),
    ];
    for (what, mut life, change) in cases {
        let before = life.record.clone();
        let refused = life.step(change).unwrap_err();
        assert_eq!(refused.reason(), "SEAL_STATE", "{what}: {refused}");
        assert_eq!(life.record, before, "{what}");
    }
}

#[test]
fn a_lost_seal_comes_back_with_other_keys_only() {
    let mut life = Life::active().through([Change::Lost { reason: why() }]);
    let same = Change::RenewalApplied {
        terms: Box::new(terms(FIRST_PEM)),
        reason: why(),
    };
    assert_eq!(life.step(same.clone()), Err(RegistryError::LostKeyKept));
    // Nor when the renewal was on its way before the loss.
    let mut life = Life::active().through([
        same,
        Change::Approved,
        made(),
        filed("2"),
        Change::Lost { reason: why() },
    ]);
    assert_eq!(
        life.step(Change::Activated),
        Err(RegistryError::LostKeyKept)
    );
}

#[test]
fn each_part_is_a_role_and_some_parts_are_two_peoples() {
    let everything: Vec<Role> = Role::ALL.to_vec();
    let duties = Duties {
        applicant_may_keep: false,
    };
    let zhang = person("zhang", &[Role::Applicant]);
    let event = SealRecord::first_event(application(), &Actor::Person(&zhang), UnixSeconds(NOW));
    let record = SealRecord::begin(&event).unwrap();
    let applied = Change::Applied {
        application: Box::new(application()),
    };
    let suspended = Change::Suspended { reason: why() };
    type Case<'a> = (
        &'a str,
        Option<&'a SealRecord>,
        &'a Change,
        Person,
        Result<(), &'a str>,
    );
    let cases: [Case<'_>; 10] = [
        (
            "an applicant applies",
            None,
            &applied,
            zhang.clone(),
            Ok(()),
        ),
        (
            "an auditor applies",
            None,
            &applied,
            person("wang", &[Role::Auditor]),
            Err("ROLE_MISSING"),
        ),
        (
            "the keeper applies",
            None,
            &applied,
            person("li", &everything),
            Err("DUTIES_NOT_SEPARATE"),
        ),
        (
            "the applicant approves",
            Some(&record),
            &Change::Approved,
            person("zhang", &everything),
            Err("DUTIES_NOT_SEPARATE"),
        ),
        (
            "the keeper approves",
            Some(&record),
            &Change::Approved,
            person("li", &everything),
            Err("DUTIES_NOT_SEPARATE"),
        ),
        (
            "a third person approves",
            Some(&record),
            &Change::Approved,
            person("wang", &[Role::Approver]),
            Ok(()),
        ),
        (
            "another keeper activates",
            Some(&record),
            &Change::Activated,
            person("zhao", &[Role::Keeper]),
            Err("DUTIES_NOT_SEPARATE"),
        ),
        (
            "the keeper activates",
            Some(&record),
            &Change::Activated,
            person("li", &[Role::Keeper]),
            Ok(()),
        ),
        (
            "an applicant suspends",
            Some(&record),
            &suspended,
            zhang,
            Err("ROLE_MISSING"),
        ),
        (
            "an approver suspends",
            Some(&record),
            &suspended,
            person("wang", &[Role::Approver]),
            Ok(()),
        ),
    ];
    for (what, record, change, person, expected) in cases {
        let result = check_duty(record, change, &Actor::Person(&person), duties);
        assert_eq!(result.map_err(|error| error.reason()), expected, "{what}");
    }
    let keeps = person("li", &everything);
    let relaxed = Duties {
        applicant_may_keep: true,
    };
    assert_eq!(
        check_duty(None, &applied, &Actor::Person(&keeps), relaxed),
        Ok(())
    );
}

#[test]
fn work_begun_before_a_succession_is_told_from_work_begun_before_anything_else() {
    let renewal = || Change::RenewalApplied {
        terms: Box::new(terms(SECOND_PEM)),
        reason: why(),
    };
    let life = Life::active();
    let before = life.record.sequence();
    assert!(life.record.only_succeeded_since(before));
    // While the new version is on its way, and once it is there.
    let life = life.through([renewal(), Change::Approved]);
    assert!(life.record.only_succeeded_since(before));
    let life = life.through([made(), filed("2"), Change::Activated]);
    assert!(life.record.only_succeeded_since(before));

    // A person's change, and a seal that is out of use, are something else.
    let mut renewed_by_person = Life::active();
    let zhang = person("zhang", &[Role::Applicant]);
    let at = at_hour(9);
    let event = renewed_by_person
        .record
        .next_event(renewal(), &Actor::Person(&zhang), at);
    renewed_by_person.record.follow(&event).unwrap();
    assert!(!renewed_by_person.record.only_succeeded_since(before));
    let suspended = life.through([Change::Suspended { reason: why() }]);
    assert!(!suspended.record.only_succeeded_since(before));
}

#[test]
fn an_application_that_breaks_a_rule_names_the_field() {
    type Spoil = fn(&mut Application);
    let cases: [(&str, Spoil); 8] = [
        ("code", |one| one.code = "印".to_owned()),
        ("name", |one| one.name.clear()),
        ("keeper", |one| one.keeper = "a\nb".to_owned()),
        ("owner_code", |one| {
            one.owner_code = "54441900MB0000018N".to_owned()
        }),
        ("division_code", |one| {
            one.division_code = Some("12".to_owned())
        }),
        ("terms", |one| one.terms.pades = None),
        ("terms.valid_until", |one| {
            one.terms.valid_until = one.terms.valid_from
        }),
        ("certificates_pem", |one| {
            one.terms.pades = Some(KeyBinding {
                key: "k".to_owned(),
                certificates_pem: "no PEM".to_owned(),
            });
        }),
    ];
    assert_eq!(application().check(), Ok(()));
    for (expected, change) in cases {
        let mut bad = application();
        change(&mut bad);
        match bad.check() {
            Err(RegistryError::Field { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn changes_survive_json_and_keep_their_names() {
    let life = Life::active();
    for event in &life.events {
        let json = serde_json::to_string(&event.change).unwrap();
        assert!(
            json.contains(&format!("\"kind\":\"{}\"", event.change.name())),
            "{json}"
        );
        let back: Change = serde_json::from_str(&json).unwrap();
        assert_eq!(back, event.change);
    }
}

#[test]
fn a_filing_record_comes_back_with_its_number_once() {
    let mut life = Life::new().through([Change::Approved, made()]);
    let mut filing = life.record.filing_records(at_hour(3)).remove(0);
    assert_eq!(
        (filing.state.as_str(), filing.seal_type.as_str()),
        ("made", "01")
    );
    assert!(
        life.record.take_filing(&filing).is_err(),
        "without a number"
    );
    filing.filing = Some(Filing {
        number: "粤公备1".to_owned(),
        authority: "示范市公安局".to_owned(),
    });
    let mut other = filing.clone();
    other.ses_sha256 = Some("00".to_owned());
    assert!(
        life.record.take_filing(&other).is_err(),
        "another seal object"
    );
    match life.record.take_filing(&filing).unwrap() {
        FilingOutcome::Files(change) => life.step(change).unwrap(),
        FilingOutcome::KnownAlready => panic!("not filed yet"),
    }
    assert_eq!(
        life.record.take_filing(&filing),
        Ok(FilingOutcome::KnownAlready)
    );
    filing.filing.as_mut().unwrap().number = "2".to_owned();
    assert!(life.record.take_filing(&filing).is_err(), "another number");
}
