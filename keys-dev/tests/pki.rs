//! The set in memory: what each certificate is for, and the odd ones tests need.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use yinxin_keys_dev::{CertificateRequest, DevPki, KeyKind, SealRequest, dev_name};
use yinxin_pki::issue::BasicConstraints;
use yinxin_pki::{KeyUsage, UnixSeconds};
use yinxin_ses::{CertList, Picture, Seal};

/// 2026-11-22T08:00:00Z.
const NOW: UnixSeconds = UnixSeconds(1_795_334_400);

fn pki() -> &'static DevPki {
    static PKI: OnceLock<DevPki> = OnceLock::new();
    PKI.get_or_init(|| DevPki::make(NOW).unwrap())
}

#[test]
fn each_certificate_is_signed_by_its_issuer_and_marked() {
    let pki = pki();
    for (subject, issuer) in [
        (&pki.rsa_root, &pki.rsa_root),
        (&pki.rsa_issuing, &pki.rsa_root),
        (&pki.rsa_signer, &pki.rsa_issuing),
        (&pki.p256_signer, &pki.rsa_issuing),
        (&pki.sm2_root, &pki.sm2_root),
        (&pki.sm2_issuing, &pki.sm2_root),
        (&pki.seal_maker, &pki.sm2_issuing),
        (&pki.sm2_signer, &pki.sm2_issuing),
        (&pki.tls_root, &pki.tls_root),
        (&pki.tls_server, &pki.tls_root),
        (&pki.department_data, &pki.tls_root),
        (&pki.department_bank, &pki.tls_root),
    ] {
        let certificate = &subject.certificate;
        certificate
            .verify_signed_by(issuer.certificate.public_key())
            .unwrap();
        assert_eq!(certificate.issuer_der(), issuer.certificate.subject_der());
        assert!(certificate.is_dev_only(), "{certificate:?}");
        assert!(certificate.not_before() < NOW && NOW < certificate.not_after());
        assert_eq!(certificate.spki_der(), subject.key.spki_der());
        let signature = subject.sign(b"message").unwrap();
        yinxin_pki::verify_signature(
            certificate.public_key(),
            &subject.key.algorithm(),
            b"message",
            &signature,
        )
        .unwrap();
    }
}

#[test]
fn signers_have_the_key_usage_of_a_signing_certificate_and_nothing_more() {
    let pki = pki();
    for identity in [
        &pki.rsa_signer,
        &pki.p256_signer,
        &pki.sm2_signer,
        &pki.seal_maker,
    ] {
        let certificate = &identity.certificate;
        assert_eq!(certificate.key_usage(), Some(KeyUsage::SIGNING));
        assert!(certificate.is_key_usage_critical());
        assert!(!certificate.is_ca());
    }
    for identity in [&pki.rsa_issuing, &pki.sm2_issuing] {
        assert!(identity.certificate.is_ca());
        assert_eq!(identity.certificate.path_length(), Some(0));
        assert_eq!(identity.certificate.key_usage(), Some(KeyUsage::AUTHORITY));
    }
    assert_eq!(
        pki.department_data.certificate.common_name().unwrap(),
        "dept-data"
    );
    assert_eq!(
        pki.department_bank.certificate.common_name().unwrap(),
        "dept-bank"
    );
}

#[test]
fn certificates_no_authority_would_issue_can_be_had() {
    let pki = pki();
    let subject = dev_name("示例市民政局", "异常");
    let good = CertificateRequest::signer(
        subject,
        KeyKind::Sm2,
        UnixSeconds(NOW.0 - 100),
        UnixSeconds(NOW.0 + 100),
    );
    let expired = pki
        .sm2_issuing
        .issue(&CertificateRequest {
            not_before: UnixSeconds(NOW.0 - 100),
            not_after: UnixSeconds(NOW.0 - 50),
            ..good.clone()
        })
        .unwrap();
    assert!(expired.certificate.not_after() < NOW);
    let encryption = pki
        .sm2_issuing
        .issue(&CertificateRequest {
            key_usage: KeyUsage::ENCRYPTION,
            ..good.clone()
        })
        .unwrap();
    assert_eq!(
        encryption.certificate.key_usage(),
        Some(KeyUsage::ENCRYPTION)
    );
    let no_authority = pki
        .sm2_root
        .issue(&CertificateRequest {
            basic_constraints: BasicConstraints::EndEntity,
            ..good.clone()
        })
        .unwrap();
    let below = no_authority.issue(&good).unwrap();
    assert!(!no_authority.certificate.is_ca());
    below
        .certificate
        .verify_signed_by(no_authority.certificate.public_key())
        .unwrap();
    // The same name with another key.
    let again = pki.sm2_issuing.issue(&good).unwrap();
    assert_eq!(
        again.certificate.subject_der(),
        below.certificate.subject_der()
    );
    assert_ne!(again.certificate.spki_der(), below.certificate.spki_der());
    // The same key certified again.
    let renewed = pki
        .sm2_issuing
        .issue(&CertificateRequest {
            key: Some(again.key.clone()),
            ..good
        })
        .unwrap();
    assert_eq!(renewed.certificate.spki_der(), again.certificate.spki_der());
    assert_ne!(renewed.certificate, again.certificate);
}

#[test]
fn a_revoked_certificate_stands_on_its_issuers_list_only() {
    let pki = pki();
    let revoked = &pki.sm2_signer.certificate;
    let at = UnixSeconds(NOW.0 - 1000);
    let lists = pki.crl_with(&[(revoked, at, Some(1))]).unwrap();
    assert_eq!(lists.len(), 4);
    for list in lists {
        let found = list.find(revoked.serial_der_integer_content());
        let is_issuers = list.issuer_der() == revoked.issuer_der();
        assert_eq!(found.is_some(), is_issuers);
        assert_eq!(list.next_update(), Some(UnixSeconds(NOW.0 + 30 * 86_400)));
        if let Some(found) = found {
            assert_eq!((found.at, found.reason), (at, Some(1)));
            list.verify_signed_by(pki.sm2_issuing.certificate.public_key())
                .unwrap();
        }
    }
}

#[test]
fn a_seal_is_signed_by_its_maker_for_its_signer() {
    let pki = pki();
    let picture = Picture {
        kind: "SVG".into(),
        data: b"<svg/>".to_vec(),
        width_mm: 42,
        height_mm: 42,
    };
    let der = pki
        .make_seal("44190000000001", "示例市民政局公章", picture.clone())
        .unwrap();
    let seal = Seal::parse(&der).unwrap();
    seal.verify_maker_signature().unwrap();
    assert_eq!(
        seal.maker_certificate_der(),
        pki.seal_maker.certificate.der()
    );
    assert_eq!(seal.property().name, "示例市民政局公章");
    assert_eq!(*seal.picture(), picture);
    assert!(matches!(&seal.property().cert_list, CertList::Certificates(list) if list.len() == 1));
    assert!(
        seal.property()
            .cert_list
            .permits(pki.sm2_signer.certificate.der())
    );
    assert!(
        !seal
            .property()
            .cert_list
            .permits(pki.seal_maker.certificate.der())
    );

    // A seal whose time is over.
    let request = SealRequest {
        valid_end: UnixSeconds(NOW.0 - 1),
        ..SealRequest::new("1", "x", picture, &pki.sm2_signer.certificate)
    };
    let seal = Seal::parse(&pki.seal_maker.make_seal(&request).unwrap()).unwrap();
    assert_eq!(seal.property().valid_end, UnixSeconds(NOW.0 - 1));
}

#[test]
fn the_whole_set_is_made_in_seconds_in_an_unoptimised_build() {
    let start = Instant::now();
    DevPki::make(NOW).unwrap();
    let elapsed = start.elapsed();
    eprintln!("DevPki::make took {elapsed:?}");
    // Three RSA keys, found by luck: usually one to two seconds; a loaded machine takes longer.
    assert!(elapsed < Duration::from_secs(60), "{elapsed:?}");
}
