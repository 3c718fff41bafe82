//! The status lists of registries of seals: what is read, and what they do to a signature.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::{
    DAY, NOW, PROFILES, Profile, at, code, expect, now, pki, places, plain_pdf, seal, status, trust,
};
use yinxin_pki::{DigestAlgorithm, UnixSeconds, tlv};
use yinxin_verifier::{
    Indication, SealStanding, SealStatusEntry, SealStatusList, SignatureReport, Status, StepId,
    SubIndication, Trust, verify,
};

/// esID of the test seal.
const CODE: &str = "44190000000001";

fn certificate(profile: Profile) -> [u8; 32] {
    match profile {
        Profile::Rsa => pki().rsa_signer.certificate.sha256(),
        Profile::P256 => pki().p256_signer.certificate.sha256(),
        Profile::GmCms | Profile::GmSeal => pki().sm2_signer.certificate.sha256(),
    }
}

/// The digest under which the registry's signer would have recorded the signature.
fn recorded(document: &[u8]) -> [u8; 32] {
    let contents = places(document).contents;
    let digits = std::str::from_utf8(&document[contents.start + 1..contents.end - 1]).unwrap();
    let bytes: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    let container = &bytes[..tlv::der_length(&bytes).unwrap()];
    DigestAlgorithm::Sha256
        .digest(container)
        .try_into()
        .unwrap()
}

fn entry(
    code: &str,
    (standing, since): (SealStanding, i64),
    profile: Profile,
    recorded: &[[u8; 32]],
) -> SealStatusEntry {
    SealStatusEntry::new(
        [code, "某村村民委员会"],
        (standing, UnixSeconds(NOW.0 + since), "why"),
        [certificate(profile)],
        recorded.iter().copied(),
    )
}

/// A list of the day after the signatures.
fn list(entries: Vec<SealStatusEntry>) -> SealStatusList {
    SealStatusList::new(
        UnixSeconds(NOW.0 + DAY),
        UnixSeconds(NOW.0 + 2 * DAY),
        entries,
    )
    .unwrap()
}

fn judge(document: &[u8], lists: Vec<SealStatusList>, time: UnixSeconds) -> SignatureReport {
    let trust = Trust {
        seal_statuses: lists,
        ..trust()
    };
    let mut report = verify(document, &trust, &at(time)).unwrap();
    report.signatures.remove(0)
}

#[test]
fn without_a_list_that_names_the_seal_its_status_is_said_to_be_not_checked() {
    for profile in PROFILES {
        let document = seal(&plain_pdf(), profile);
        let others = SealStatusEntry::new(
            [CODE, "a renewed one"],
            (SealStanding::Lost, NOW, ""),
            [[7; 32]],
            [],
        );
        for lists in [vec![], vec![list(vec![])], vec![list(vec![others])]] {
            let report = judge(&document, lists, NOW);
            expect("not named", &report, Indication::TotalPassed, None);
            assert_eq!(
                status(&report, StepId::SealStatus),
                Some(Status::NotChecked)
            );
            assert_eq!(code(&report, StepId::SealStatus), "SEAL_STATUS_UNKNOWN");
        }
    }
}

#[test]
fn a_signature_is_held_against_the_moment_at_which_its_seal_ended() {
    use SealStanding::{Active, Cancelled, Lost, Revoked, Suspended, Withdrawn};
    use SubIndication::{Revoked as After, RevokedNoPoe as NoProof, TryLater};
    for profile in PROFILES {
        let document = seal(&plain_pdf(), profile);
        let proof = recorded(&document);
        let passed = (Indication::TotalPassed, None);
        let failed = (Indication::TotalFailed, Some(After));
        let unproven = (Indication::Indeterminate, Some(NoProof));
        let later = (Indication::Indeterminate, Some(TryLater));
        for (what, standing, recorded, expected) in [
            ("in force", (Active, 0), &[][..], passed),
            ("lost at that second", (Lost, 0), &[], failed),
            ("lost an hour before", (Lost, -3600), &[], failed),
            ("lost an hour after", (Lost, 3600), &[], unproven),
            ("the same, recorded", (Lost, 3600), &[proof], passed),
            ("the same second, recorded", (Lost, 0), &[proof], passed),
            ("another one recorded", (Lost, 3600), &[[7; 32]], unproven),
            ("revoked before", (Revoked, -1), &[], failed),
            ("revoked after", (Revoked, 1), &[], unproven),
            ("withdrawn before", (Withdrawn, -1), &[], failed),
            (
                "cancelled after, recorded",
                (Cancelled, 1),
                &[proof],
                passed,
            ),
            ("cancelled before", (Cancelled, -1), &[], failed),
            ("suspended", (Suspended, -1), &[], later),
            (
                "suspended later, recorded",
                (Suspended, 1),
                &[proof],
                passed,
            ),
        ] {
            let lists = vec![
                list(vec![]),
                list(vec![entry(CODE, standing, profile, recorded)]),
            ];
            let report = judge(&document, lists, UnixSeconds(NOW.0 + DAY));
            expect(
                &format!("{profile:?}, {what}"),
                &report,
                expected.0,
                expected.1,
            );
        }
        let stale = judge(
            &document,
            vec![list(vec![entry(CODE, (Active, 0), profile, &[])])],
            UnixSeconds(NOW.0 + 2 * DAY + 1),
        );
        expect("out of date", &stale, later.0, later.1);
        assert_eq!(
            code(&stale, StepId::SealStatus),
            "SEAL_STATUS_LIST_OUTDATED"
        );
        // That a seal is lost holds for ever.
        let lost = judge(
            &document,
            vec![list(vec![entry(CODE, (Lost, -1), profile, &[])])],
            UnixSeconds(NOW.0 + 2 * DAY + 1),
        );
        expect("lost, by an old list", &lost, failed.0, failed.1);
    }
}

#[test]
fn another_seal_of_the_same_certificate_counts_only_if_its_key_is_lost() {
    let document = seal(&plain_pdf(), Profile::GmSeal);
    for (standing, indication) in [
        (SealStanding::Revoked, Indication::TotalPassed),
        (SealStanding::Lost, Indication::TotalFailed),
    ] {
        let other = entry("44190000000002", (standing, -1), Profile::GmSeal, &[]);
        let own = entry(CODE, (SealStanding::Active, 0), Profile::GmSeal, &[]);
        let report = judge(&document, vec![list(vec![other, own])], NOW);
        assert_eq!(report.indication, indication, "{standing:?}");
    }
}

#[test]
fn a_list_is_read_whole_or_refused_with_what_is_wrong() {
    let lost = entry(CODE, (SealStanding::Lost, 0), Profile::GmSeal, &[[9; 32]]);
    let active = entry("2", (SealStanding::Active, 0), Profile::Rsa, &[]);
    let good = list(vec![lost, active]);
    let text = good.to_json();
    assert_eq!(SealStatusList::from_json(text.as_bytes()).unwrap(), good);
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["seals"][0]["invalid_type"], 2);
    assert_eq!(file["seals"][0]["effective_at"], "2026-11-22T08:00:00Z");
    assert_eq!(file["seals"][1]["seal_status"], 0);

    type Alter = fn(&mut Value);
    let cases: [(&str, Alter, &str); 15] = [
        ("another format", |it| it["format"] = json!("crl"), "format"),
        ("no moment", |it| it["as_of"] = json!("yesterday"), "moment"),
        (
            "ends before it begins",
            |it| it["valid_until"] = it["as_of"].clone(),
            "valid_until",
        ),
        (
            "an unknown key",
            |it| it["seal"] = json!([]),
            "unknown field",
        ),
        (
            "an unknown key in a line",
            |it| it["seals"][0]["version"] = json!(1),
            "unknown field",
        ),
        (
            "an unknown state",
            |it| it["seals"][0]["state"] = json!("gone"),
            "unknown variant",
        ),
        (
            "lost, and in force",
            |it| it["seals"][0]["seal_status"] = json!(0),
            "seal_status",
        ),
        (
            "lost, and revoked",
            |it| it["seals"][0]["invalid_type"] = json!(0),
            "invalid_type",
        ),
        (
            "lost at no time",
            |it| {
                drop(
                    it["seals"][0]
                        .as_object_mut()
                        .unwrap()
                        .remove("effective_at"),
                )
            },
            "effective_at",
        ),
        (
            "lost in the future",
            |it| it["seals"][0]["effective_at"] = json!("2026-11-24T00:00:00Z"),
            "effective_at",
        ),
        (
            "in force since",
            |it| it["seals"][1]["effective_at"] = it["as_of"].clone(),
            "effective_at",
        ),
        (
            "no certificates",
            |it| it["seals"][0]["certificates_sha256"] = json!([]),
            "certificates_sha256",
        ),
        (
            "a short digest",
            |it| it["seals"][0]["certificates_sha256"] = json!(["09"]),
            "digest",
        ),
        (
            "two fates",
            |it| {
                let again = it["seals"][0].clone();
                it["seals"].as_array_mut().unwrap().push(again);
            },
            "two fates",
        ),
        (
            "no code",
            |it| it["seals"][0]["seal_code"] = json!(""),
            "seal_code",
        ),
    ];
    for (what, alter, said) in cases {
        let mut altered = file.clone();
        alter(&mut altered);
        let error = SealStatusList::from_json(altered.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(said), "{what}: {error}");
    }
    for bytes in [&b""[..], b"{", b"[]", &[0xFF; 40]] {
        assert!(SealStatusList::from_json(bytes).is_err());
    }
    let long = vec![b' '; yinxin_verifier::SEAL_STATUS_BYTES_MAX + 1];
    let error = SealStatusList::from_json(&long).unwrap_err().to_string();
    assert!(error.contains("bytes"), "{error}");
}

#[test]
fn the_words_say_what_became_of_the_seal_and_when() {
    let document = seal(&plain_pdf(), Profile::GmSeal);
    let lost = entry(CODE, (SealStanding::Lost, 0), Profile::GmSeal, &[]);
    let report = judge(&document, vec![list(vec![lost])], now().at);
    for (language, words) in [
        (
            yinxin_verifier::Language::Chinese,
            "印章已于 2026年11月22日 16:00:00（北京时间） 挂失（why） [REVOKED]",
        ),
        (
            yinxin_verifier::Language::English,
            "the seal was reported lost at 2026-11-22T08:00:00Z (why) [REVOKED]",
        ),
    ] {
        let text = report.text(language);
        assert!(text.contains(words), "{text}");
    }
}
