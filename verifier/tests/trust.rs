//! Paths to anchors and revocation: what is trusted, and when.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{
    DAY, NOW, Profile, at, cms_container, code, expect, now, pki, plain_pdf, request, seal, sign,
    trust, verify,
};
use yinxin_keys_dev::{CertificateRequest, CrlRequest, Identity, KeyKind, dev_name};
use yinxin_pki::issue::{BasicConstraints, RawExtension};
use yinxin_pki::{Certificate, CertificateRevocationList, KeyUsage, UnixSeconds};
use yinxin_verifier::{Indication, SignatureReport, StepId, SubIndication, Trust};

const DAY_AGO: UnixSeconds = UnixSeconds(NOW.0 - DAY);
const IN_A_YEAR: UnixSeconds = UnixSeconds(NOW.0 + 365 * DAY);

fn judge(document: &[u8], trust: &Trust, at: UnixSeconds) -> SignatureReport {
    verify(document, trust, &support::at(at))
        .unwrap()
        .signatures
        .remove(0)
}

fn signer(name: &str) -> CertificateRequest {
    CertificateRequest::signer(
        dev_name("示例市民政局", name),
        KeyKind::P256,
        DAY_AGO,
        IN_A_YEAR,
    )
}

fn authority(name: &str, path_length: Option<u8>) -> CertificateRequest {
    let name = dev_name("示例市电子认证中心", name);
    CertificateRequest::authority(name, KeyKind::P256, DAY_AGO, IN_A_YEAR, path_length)
}

/// A document signed by the first of a chain; the last is the anchor.
fn signed(chain: &[&Identity]) -> (Vec<u8>, Trust) {
    let certificates: Vec<Certificate> = chain[..chain.len() - 1]
        .iter()
        .map(|identity| identity.certificate.clone())
        .collect();
    let document = sign(&plain_pdf(), &request(), &|covered| {
        cms_container(chain[0], &certificates, covered)
    });
    let trust = Trust {
        anchors: vec![chain[chain.len() - 1].certificate.clone()],
        intermediates: Vec::new(),
        crls: chain[1..]
            .iter()
            .map(|it| it.crl(&CrlRequest::new(NOW)).unwrap())
            .collect(),
        seal_statuses: Vec::new(),
        allow_dev_only: true,
    };
    (document, trust)
}

#[test]
fn without_its_anchor_nothing_is_trusted() {
    let document = seal(&plain_pdf(), Profile::Rsa);
    let sub = Some(SubIndication::NoCertificateChainFound);
    for (what, anchors) in [
        ("none", Vec::new()),
        ("another", vec![pki().sm2_root.certificate.clone()]),
    ] {
        let trust = Trust { anchors, ..trust() };
        expect(
            what,
            &judge(&document, &trust, NOW),
            Indication::Indeterminate,
            sub,
        );
    }
    // Intermediates alone are no anchors, an anchor below the root is.
    let trust = Trust {
        anchors: vec![pki().rsa_issuing.certificate.clone()],
        ..trust()
    };
    expect(
        "issuing",
        &judge(&document, &trust, NOW),
        Indication::TotalPassed,
        None,
    );
    let trust = Trust {
        anchors: vec![pki().rsa_signer.certificate.clone()],
        ..trust
    };
    expect(
        "itself",
        &judge(&document, &trust, NOW),
        Indication::TotalPassed,
        None,
    );
}

#[test]
fn a_root_that_only_bears_the_name_is_not_the_root() {
    let document = seal(&plain_pdf(), Profile::Rsa);
    let name = dev_name("示例市电子认证中心", "Yinxin Dev RSA Root CA");
    let lookalike = Identity::self_signed(&CertificateRequest::authority(
        name,
        KeyKind::P256,
        DAY_AGO,
        IN_A_YEAR,
        None,
    ))
    .unwrap();
    assert_eq!(
        lookalike.certificate.subject_der(),
        pki().rsa_root.certificate.subject_der()
    );
    let trust = Trust {
        anchors: vec![lookalike.certificate.clone()],
        intermediates: Vec::new(),
        ..trust()
    };
    let report = judge(&document, &trust, NOW);
    let sub = SubIndication::NoCertificateChainFound;
    expect("lookalike", &report, Indication::Indeterminate, Some(sub));
    assert_eq!(
        code(&report, StepId::SignerChain),
        "CHAIN_SIGNATURE_INVALID"
    );
    // Beside the true one it does no harm.
    let trust = Trust {
        anchors: vec![lookalike.certificate, pki().rsa_root.certificate.clone()],
        ..support::trust()
    };
    expect(
        "both",
        &judge(&document, &trust, NOW),
        Indication::TotalPassed,
        None,
    );
}

#[test]
fn certificates_made_for_trials_are_refused_unless_allowed() {
    for profile in support::PROFILES {
        let trust = Trust {
            allow_dev_only: false,
            ..trust()
        };
        let report = judge(&seal(&plain_pdf(), profile), &trust, NOW);
        let sub = SubIndication::ChainConstraintsFailure;
        expect(
            &format!("{profile:?}"),
            &report,
            Indication::Indeterminate,
            Some(sub),
        );
        assert_eq!(code(&report, StepId::SignerChain), "DEVELOPMENT_ONLY");
    }
}

#[test]
fn validity_is_judged_at_the_time_of_verification() {
    let root = Identity::self_signed(&authority("root", None)).unwrap();
    let leaf = root.issue(&signer("leaf")).unwrap();
    let (document, mut trust) = signed(&[&leaf, &root]);
    let out = Some(SubIndication::OutOfBoundsNoPoe);
    for (what, time, expected) in [
        ("then", NOW, None),
        ("after", UnixSeconds(IN_A_YEAR.0 + 1), out),
        ("on the last second", IN_A_YEAR, None),
        ("before", UnixSeconds(DAY_AGO.0 - 1), out),
    ] {
        trust.crls = vec![root.crl(&CrlRequest::new(time)).unwrap()];
        let report = judge(&document, &trust, time);
        let chain = report.step(StepId::SignerChain).unwrap();
        assert_eq!(chain.sub_indication, expected, "{what}");
        assert_eq!(
            report.indication == Indication::TotalPassed,
            expected.is_none(),
            "{what}"
        );
    }
}

#[test]
fn authorities_must_be_authorities() {
    let root = Identity::self_signed(&authority("root", Some(1))).unwrap();
    let fault = |what: &str, spoil: &dyn Fn(&mut CertificateRequest), expected: &str| {
        let mut request = authority("issuing", None);
        spoil(&mut request);
        let issuing = root.issue(&request).unwrap();
        let leaf = issuing.issue(&signer("leaf")).unwrap();
        let (document, trust) = signed(&[&leaf, &issuing, &root]);
        let report = judge(&document, &trust, NOW);
        if expected.is_empty() {
            expect(what, &report, Indication::TotalPassed, None);
        } else {
            let sub = SubIndication::ChainConstraintsFailure;
            expect(what, &report, Indication::Indeterminate, Some(sub));
            assert_eq!(code(&report, StepId::SignerChain), expected, "{what}");
        }
    };
    fault("right", &|_| {}, "");
    fault(
        "CA:FALSE",
        &|it| it.basic_constraints = BasicConstraints::EndEntity,
        "NOT_AN_AUTHORITY",
    );
    fault(
        "no constraints",
        &|it| it.basic_constraints = BasicConstraints::Absent,
        "NOT_AN_AUTHORITY",
    );
    fault(
        "may not certify",
        &|it| it.key_usage = KeyUsage::SIGNING,
        "NOT_AN_AUTHORITY",
    );
    fault(
        "an unknown critical extension",
        &|it| it.other_extensions = vec![extension("1.2.3.4", true)],
        "CRITICAL_EXTENSION_UNKNOWN",
    );
    fault(
        "an unknown one",
        &|it| it.other_extensions = vec![extension("1.2.3.4", false)],
        "",
    );
    fault(
        "name constraints",
        &|it| it.other_extensions = vec![extension("2.5.29.30", true)],
        "CRITICAL_EXTENSION_UNKNOWN",
    );
}

fn extension(oid: &'static str, critical: bool) -> RawExtension {
    RawExtension {
        oid,
        critical,
        value_der: vec![0x30, 0x00],
    }
}

#[test]
fn path_lengths_and_depth_hold() {
    let root = Identity::self_signed(&authority("root", Some(0))).unwrap();
    let issuing = root.issue(&authority("issuing", None)).unwrap();
    let leaf = issuing.issue(&signer("leaf")).unwrap();
    let (document, trust) = signed(&[&leaf, &issuing, &root]);
    let report = judge(&document, &trust, NOW);
    assert_eq!(code(&report, StepId::SignerChain), "PATH_TOO_LONG");

    // Six authorities between are the most: eight certificates in the path.
    for (between, good) in [(6, true), (7, false)] {
        let mut chain = vec![Identity::self_signed(&authority("deep root", None)).unwrap()];
        for depth in 0..between {
            let next = chain
                .last()
                .unwrap()
                .issue(&authority(&format!("deep {depth}"), None));
            chain.push(next.unwrap());
        }
        let leaf = chain.last().unwrap().issue(&signer("deep leaf")).unwrap();
        chain.push(leaf);
        let chain: Vec<&Identity> = chain.iter().rev().collect();
        let (document, trust) = signed(&chain);
        let report = judge(&document, &trust, NOW);
        assert_eq!(
            report.indication == Indication::TotalPassed,
            good,
            "{between} between"
        );
    }
}

#[test]
fn loops_and_crowds_of_authorities_end() {
    // Two authorities that certify each other, and many of one name.
    let one = Identity::self_signed(&authority("one", None)).unwrap();
    let two = Identity::self_signed(&authority("two", None)).unwrap();
    let cross = |issuer: &Identity, of: &Identity, name: &str| {
        let request = CertificateRequest {
            key: Some(of.key.clone()),
            ..authority(name, None)
        };
        issuer.issue(&request).unwrap()
    };
    let leaf = one.issue(&signer("leaf")).unwrap();
    let mut inside = vec![leaf.certificate.clone()];
    for _ in 0..15 {
        inside.push(cross(&two, &one, "one").certificate);
        inside.push(cross(&one, &two, "two").certificate);
    }
    let document = sign(
        &plain_pdf(),
        &yinxin_pdf::SignatureRequest {
            contents_bytes: 30_000,
            ..request()
        },
        &|covered| cms_container(&leaf, &inside, covered),
    );
    let started = std::time::Instant::now();
    let report = judge(&document, &trust(), NOW);
    assert!(started.elapsed().as_secs() < 10);
    expect(
        "crowd",
        &report,
        Indication::Indeterminate,
        Some(SubIndication::Generic),
    );
    assert_eq!(code(&report, StepId::SignerChain), "CHAIN_SEARCH_LIMIT");
    let trusted = Trust {
        anchors: vec![one.certificate.clone()],
        intermediates: Vec::new(),
        crls: vec![one.crl(&CrlRequest::new(NOW)).unwrap()],
        seal_statuses: Vec::new(),
        allow_dev_only: true,
    };
    expect(
        "anchored",
        &judge(&document, &trusted, NOW),
        Indication::TotalPassed,
        None,
    );
}

/// What, of which certificate, since when, why, and what comes of it.
type Revoked<'c> = (
    &'static str,
    &'c Certificate,
    UnixSeconds,
    Option<u8>,
    Indication,
    Option<SubIndication>,
);

#[test]
fn revocation_is_judged_by_when_it_happened() {
    use Indication::{Indeterminate, TotalFailed, TotalPassed};
    let document = seal(&plain_pdf(), Profile::Rsa);
    let leaf = &pki().rsa_signer.certificate;
    let issuing = &pki().rsa_issuing.certificate;
    let before = UnixSeconds(NOW.0 - 60);
    let after = UnixSeconds(NOW.0 + 60);
    let cases: [Revoked<'_>; 7] = [
        (
            "before it was signed",
            leaf,
            before,
            None,
            TotalFailed,
            Some(SubIndication::Revoked),
        ),
        (
            "in that second",
            leaf,
            NOW,
            Some(1),
            TotalFailed,
            Some(SubIndication::Revoked),
        ),
        (
            "after it was signed",
            leaf,
            after,
            Some(4),
            Indeterminate,
            Some(SubIndication::RevokedNoPoe),
        ),
        (
            "the authority",
            issuing,
            after,
            None,
            Indeterminate,
            Some(SubIndication::RevokedCaNoPoe),
        ),
        (
            "suspended",
            leaf,
            before,
            Some(6),
            Indeterminate,
            Some(SubIndication::TryLater),
        ),
        (
            "another certificate",
            &pki().p256_signer.certificate,
            before,
            None,
            TotalPassed,
            None,
        ),
        (
            "removed from the list",
            leaf,
            before,
            Some(8),
            Indeterminate,
            Some(SubIndication::TryLater),
        ),
    ];
    for (what, certificate, since, reason, indication, sub_indication) in cases {
        let crls = pki().crl_with(&[(certificate, since, reason)]).unwrap();
        let trust = Trust { crls, ..trust() };
        let report = judge(&document, &trust, UnixSeconds(NOW.0 + 3600));
        expect(what, &report, indication, sub_indication);
    }
}

#[test]
fn lists_that_do_not_speak_for_the_moment_prove_nothing() {
    let document = seal(&plain_pdf(), Profile::Rsa);
    let issuing = &pki().rsa_issuing;
    let with = |list: CertificateRevocationList| {
        let root = pki().rsa_root.crl(&CrlRequest::new(NOW)).unwrap();
        Trust {
            crls: vec![root, list],
            ..trust()
        }
    };
    let list = |spoil: &dyn Fn(&mut CrlRequest)| {
        let mut request = CrlRequest::new(NOW);
        spoil(&mut request);
        issuing.crl(&request).unwrap()
    };
    let stranger = Identity {
        certificate: issuing.certificate.clone(),
        key: pki().p256_signer.key.clone(),
    };
    let cases = [
        (
            "none at all",
            Trust {
                crls: Vec::new(),
                ..trust()
            },
            "REVOCATION_UNKNOWN",
        ),
        (
            "out of date",
            with(list(&|it| it.next_update = Some(UnixSeconds(NOW.0 - 1)))),
            "REVOCATION_LIST_OUTDATED",
        ),
        (
            "from the future",
            with(list(&|it| it.this_update = UnixSeconds(NOW.0 + 1))),
            "REVOCATION_LIST_OUTDATED",
        ),
        (
            "without an end",
            with(list(&|it| it.next_update = None)),
            "REVOCATION_LIST_OUTDATED",
        ),
        (
            "by another key",
            with(stranger.crl(&CrlRequest::new(NOW)).unwrap()),
            "REVOCATION_LIST_FORGED",
        ),
        (
            "a delta",
            with(list(&|it| {
                it.other_extensions = vec![RawExtension {
                    oid: "2.5.29.27",
                    critical: true,
                    value_der: vec![2, 1, 1],
                }]
            })),
            "REVOCATION_UNKNOWN",
        ),
    ];
    for (what, trust, expected) in cases {
        let report = judge(&document, &trust, NOW);
        expect(
            what,
            &report,
            Indication::Indeterminate,
            Some(SubIndication::TryLater),
        );
        assert!(
            code(&report, StepId::SignerRevocation).contains(expected),
            "{what}"
        );
    }
    // A revocation counts on an outdated list as well.
    let old = list(&|it| {
        it.next_update = Some(UnixSeconds(NOW.0 - 1));
        *it = it
            .clone()
            .with_revoked(&pki().rsa_signer.certificate, DAY_AGO, None);
    });
    let report = judge(&document, &with(old), NOW);
    expect(
        "revoked",
        &report,
        Indication::TotalFailed,
        Some(SubIndication::Revoked),
    );
}

#[test]
fn a_graver_doubt_is_not_hidden_behind_try_later() {
    let document = seal(&plain_pdf(), Profile::GmSeal);
    let trust = Trust {
        crls: Vec::new(),
        allow_dev_only: false,
        ..trust()
    };
    let report = judge(&document, &trust, NOW);
    let sub = SubIndication::ChainConstraintsFailure;
    expect("both", &report, Indication::Indeterminate, Some(sub));
    let _ = (now(), at(NOW));
}

#[test]
fn short_rsa_keys_are_too_weak() {
    let issuing = &pki().rsa_issuing;
    let Ok(leaf) = issuing.issue(&CertificateRequest {
        key_kind: KeyKind::Rsa { bits: 1024 },
        ..signer("weak")
    }) else {
        eprintln!("SKIPPED: ring makes no signatures with RSA-1024");
        return;
    };
    let document = sign(&plain_pdf(), &request(), &|covered| {
        cms_container(&leaf, std::slice::from_ref(&leaf.certificate), covered)
    });
    let report = judge(&document, &trust(), NOW);
    assert_ne!(report.indication, Indication::TotalPassed);
    assert!(code(&report, StepId::Algorithm).contains("KEY_TOO_WEAK"));
}
