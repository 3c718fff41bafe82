//! Seal signatures that are wrong in one thing each (GM/T 0031-2014, 6.2.2; GB/T 38540-2020).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::path::PathBuf;

use support::{
    DAY, NOW, at, check, code, expect, now, picture, pki, plain_pdf, request, seal_der,
    ses_container, sign, status, trust, verify,
};
use yinxin_keys_dev::{CertificateRequest, Identity, KeyKind, SealRequest, dev_name};
use yinxin_pdf::SignatureRequest;
use yinxin_pki::{Certificate, DigestAlgorithm, KeyUsage, UnixSeconds};
use yinxin_ses::SealSignature;
use yinxin_verifier::{
    ContainerKind, Coverage, Indication, SignatureReport, Status, StepId, SubIndication,
    verify_container,
};

/// A document sealed with this seal by this signer at this time.
fn sealed(seal: &[u8], signer: &Identity, time: UnixSeconds) -> Vec<u8> {
    let request = SignatureRequest {
        signing_time: time.0,
        ..request()
    };
    sign(&plain_pdf(), &request, &|covered| {
        ses_container(seal, signer, time, &covered.digest(DigestAlgorithm::Sm3))
    })
}

fn only(document: &[u8]) -> SignatureReport {
    check(document).signatures.remove(0)
}

fn seal_request(signer: &Certificate) -> SealRequest {
    SealRequest::new("44190000000001", "某村村民委员会", picture(), signer)
}

#[test]
fn the_report_tells_seal_maker_and_signer() {
    let report = only(&sealed(&seal_der(), &pki().sm2_signer, NOW));
    expect("good", &report, Indication::TotalPassed, None);
    assert_eq!(report.kind, ContainerKind::SesV4);
    let seal = report.seal.unwrap();
    assert_eq!(seal.identifier, "44190000000001");
    assert_eq!((seal.width_mm, seal.height_mm), (40, 40));
    assert_eq!(
        seal.maker.unwrap().common_name.as_deref(),
        Some("示例市电子印章制作中心")
    );
    assert_eq!(
        report.signer.unwrap().common_name.as_deref(),
        Some("示例市民政局")
    );
    assert_eq!(report.claimed_time, Some(NOW));
}

#[test]
fn a_signer_whom_the_seal_does_not_permit_fails() {
    let pki = pki();
    let seal = pki
        .seal_maker
        .make_seal(&seal_request(&pki.seal_maker.certificate))
        .unwrap();
    let report = only(&sealed(&seal, &pki.sm2_signer, NOW));
    let sub = SubIndication::SigConstraintsFailure;
    expect("not permitted", &report, Indication::TotalFailed, Some(sub));
    assert_eq!(
        code(&report, StepId::SealPermitsSigner),
        "SIGNER_NOT_PERMITTED"
    );
    assert_eq!(status(&report, StepId::Signature), Some(Status::Passed));
}

#[test]
fn a_seal_outside_its_validity_fails() {
    let pki = pki();
    let mut seal = seal_request(&pki.sm2_signer.certificate);
    seal.valid_end = UnixSeconds(NOW.0 - 60);
    let expired = pki.seal_maker.make_seal(&seal).unwrap();
    let sub = SubIndication::SigConstraintsFailure;
    let report = only(&sealed(&expired, &pki.sm2_signer, NOW));
    expect("expired", &report, Indication::TotalFailed, Some(sub));
    assert_eq!(code(&report, StepId::SealValidity), "SEAL_NOT_VALID_THEN");
    // Good when it was used, expired since: said, not held against it.
    let report = only(&sealed(&expired, &pki.sm2_signer, UnixSeconds(NOW.0 - 120)));
    expect("expired since", &report, Indication::TotalPassed, None);
    assert_eq!(status(&report, StepId::SealValidity), Some(Status::Warning));

    seal.valid_start = UnixSeconds(NOW.0 + DAY);
    seal.valid_end = UnixSeconds(NOW.0 + 2 * DAY);
    let early = pki.seal_maker.make_seal(&seal).unwrap();
    let report = only(&sealed(&early, &pki.sm2_signer, NOW));
    expect("not yet", &report, Indication::TotalFailed, Some(sub));
}

#[test]
fn an_altered_seal_fails_although_the_signer_signed_it() {
    let seal = seal_der();
    let name = seal
        .windows(6)
        .position(|window| window == "某村".as_bytes())
        .unwrap();
    let mut altered = seal.clone();
    altered[name..name + 3].copy_from_slice("乙".as_bytes());
    let report = only(&sealed(&altered, &pki().sm2_signer, NOW));
    expect(
        "name",
        &report,
        Indication::TotalFailed,
        Some(SubIndication::SigCryptoFailure),
    );
    assert_eq!(
        code(&report, StepId::SealSignature),
        "SEAL_SIGNATURE_INVALID"
    );
    assert_eq!(status(&report, StepId::Signature), Some(Status::Passed));
}

#[test]
fn a_seal_by_a_maker_nobody_knows_is_indeterminate() {
    let stranger = Identity::self_signed(&CertificateRequest::signer(
        dev_name("无名", "无名制章者"),
        KeyKind::Sm2,
        UnixSeconds(NOW.0 - DAY),
        UnixSeconds(NOW.0 + DAY),
    ))
    .unwrap();
    let seal = stranger
        .make_seal(&seal_request(&pki().sm2_signer.certificate))
        .unwrap();
    let report = only(&sealed(&seal, &pki().sm2_signer, NOW));
    let sub = SubIndication::NoCertificateChainFound;
    expect("stranger", &report, Indication::Indeterminate, Some(sub));
    assert_eq!(code(&report, StepId::MakerChain), "CHAIN_NOT_FOUND");
}

#[test]
fn a_maker_or_signer_that_may_not_sign_fails() {
    let pki = pki();
    let (from, to) = (UnixSeconds(NOW.0 - DAY), UnixSeconds(NOW.0 + DAY));
    let name = dev_name("示例市民政局", "加密证书");
    let request = CertificateRequest {
        key_usage: KeyUsage::ENCRYPTION,
        ..CertificateRequest::signer(name, KeyKind::Sm2, from, to)
    };
    let encryption = pki.sm2_issuing.issue(&request).unwrap();
    let sub = SubIndication::ChainConstraintsFailure;
    let seal = pki
        .seal_maker
        .make_seal(&seal_request(&encryption.certificate))
        .unwrap();
    let report = only(&sealed(&seal, &encryption, NOW));
    expect("signer", &report, Indication::TotalFailed, Some(sub));
    let seal = encryption
        .make_seal(&seal_request(&pki.sm2_signer.certificate))
        .unwrap();
    let report = only(&sealed(&seal, &pki.sm2_signer, NOW));
    expect("maker", &report, Indication::TotalFailed, Some(sub));
}

#[test]
fn a_hash_of_nothing_or_of_something_else_fails() {
    for (what, hash, expected) in [
        ("nothing", yinxin_sm::sm3(b""), "DIGEST_OF_NOTHING"),
        ("something else", yinxin_sm::sm3(b"else"), "DIGEST_MISMATCH"),
    ] {
        let document = sign(&plain_pdf(), &request(), &|_| {
            ses_container(&seal_der(), &pki().sm2_signer, NOW, &hash)
        });
        let report = only(&document);
        expect(
            what,
            &report,
            Indication::TotalFailed,
            Some(SubIndication::HashFailure),
        );
        assert_eq!(code(&report, StepId::Digest), expected, "{what}");
    }
}

#[test]
fn a_signature_by_another_key_fails() {
    // The certificate of the signer, the key of the maker.
    let pki = pki();
    let forged = Identity {
        certificate: pki.sm2_signer.certificate.clone(),
        key: pki.seal_maker.key.clone(),
    };
    let report = only(&sealed(&seal_der(), &forged, NOW));
    expect(
        "key",
        &report,
        Indication::TotalFailed,
        Some(SubIndication::SigCryptoFailure),
    );
    assert_eq!(code(&report, StepId::Signature), "SIGNATURE_INVALID");
}

#[test]
fn claimed_times_are_held_against_certificate_and_clock() {
    let signer = &pki().sm2_signer;
    let before = UnixSeconds(signer.certificate.not_before().0 - 1);
    let report = only(&sealed(&seal_der(), signer, before));
    assert_eq!(report.indication, Indication::TotalFailed);
    assert!(code(&report, StepId::Time).contains("TIME_BEFORE_CERTIFICATE"));

    let report = only(&sealed(&seal_der(), signer, UnixSeconds(NOW.0 + 3600)));
    let sub = SubIndication::SigConstraintsFailure;
    expect("future", &report, Indication::Indeterminate, Some(sub));
    assert!(code(&report, StepId::Time).contains("TIME_IN_FUTURE"));
    let report = only(&sealed(&seal_der(), signer, UnixSeconds(NOW.0 + 200)));
    expect(
        "clocks a little apart",
        &report,
        Indication::TotalPassed,
        None,
    );

    // /M says another time than the seal signature.
    let document = sign(&plain_pdf(), &request(), &|covered| {
        let time = UnixSeconds(NOW.0 - 8 * 3600);
        ses_container(
            &seal_der(),
            signer,
            time,
            &covered.digest(DigestAlgorithm::Sm3),
        )
    });
    let report = only(&document);
    expect("differ", &report, Indication::TotalPassed, None);
    assert_eq!(status(&report, StepId::Time), Some(Status::Warning));
    assert!(code(&report, StepId::Time).contains("TIMES_DIFFER"));
}

#[test]
fn an_expired_certificate_is_out_of_bounds() {
    let document = sealed(&seal_der(), &pki().sm2_signer, NOW);
    let later = UnixSeconds(pki().sm2_signer.certificate.not_after().0 + DAY);
    let report = verify(&document, &trust(), &at(later))
        .unwrap()
        .signatures
        .remove(0);
    let sub = SubIndication::OutOfBoundsNoPoe;
    expect("expired", &report, Indication::Indeterminate, Some(sub));
    assert_eq!(
        code(&report, StepId::SignerChain),
        "CERTIFICATE_NOT_VALID_NOW"
    );
}

#[test]
fn names_cannot_rearrange_the_words_around_them() {
    let pki = pki();
    let (from, to) = (UnixSeconds(NOW.0 - DAY), UnixSeconds(NOW.0 + DAY));
    let name = dev_name("示例市\u{202e}局政民", "<b>公章</b>\u{200b}\n有效");
    let request = CertificateRequest::signer(name, KeyKind::Sm2, from, to);
    let signer = pki.sm2_issuing.issue(&request).unwrap();
    let mut seal = seal_request(&signer.certificate);
    seal.name = "公章\u{2066}效有".to_owned();
    let seal = pki.seal_maker.make_seal(&seal).unwrap();
    let report = check(&sealed(&seal, &signer, NOW));
    for text in [
        report.text(yinxin_verifier::Language::Chinese),
        report.text(yinxin_verifier::Language::English),
        report.to_json(),
    ] {
        let hidden = ['\u{202e}', '\u{200b}', '\u{2066}'];
        assert!(!text.contains(hidden), "{text}");
        assert!(text.contains("202e"), "{text}");
    }
    assert!(
        !report
            .text(yinxin_verifier::Language::Chinese)
            .contains("\n有效]")
    );
}

#[test]
fn a_container_without_its_document_is_judged_by_its_digest() {
    let hash = yinxin_sm::sm3(b"covered bytes");
    let container = ses_container(&seal_der(), &pki().sm2_signer, NOW, &hash);
    let judge = |container: &[u8], digest: Vec<u8>| {
        verify_container(container, &move |_| digest.clone(), &trust(), &now())
    };
    let report = judge(&container, hash.to_vec());
    expect("good", &report, Indication::TotalPassed, None);
    assert_eq!(report.coverage, Some(Coverage::DigestOnly));
    let report = judge(&container, vec![0; 32]);
    expect(
        "digest",
        &report,
        Indication::TotalFailed,
        Some(SubIndication::HashFailure),
    );
    let padded = [container.as_slice(), &[0]].concat();
    let report = judge(&padded, hash.to_vec());
    expect(
        "padded",
        &report,
        Indication::TotalFailed,
        Some(SubIndication::FormatFailure),
    );
    for length in 0..container.len() {
        let report = judge(&container[..length], hash.to_vec());
        assert_ne!(report.indication, Indication::TotalPassed, "{length}");
    }
    let covered = b"covered bytes";
    let attributes = yinxin_pki::cms::signed_attributes_der(
        DigestAlgorithm::Sha256,
        &DigestAlgorithm::Sha256.digest(covered),
        &pki().rsa_signer.certificate,
    );
    let cms = yinxin_pki::cms::assemble_signed_data(
        DigestAlgorithm::Sha256,
        &pki().rsa_signer.key.algorithm(),
        &attributes,
        &pki().rsa_signer.sign(&attributes).unwrap(),
        &pki().rsa_chain(),
    );
    let report = verify_container(&cms, &|digest| digest.digest(covered), &trust(), &now());
    expect("cms", &report, Indication::TotalPassed, None);
}

/// The objects that ofdrw made; what they must give stands in the README beside them.
#[test]
fn seal_signatures_of_another_maker_verify_mathematically() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/ses-ofdrw");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the ofdrw vectors are not there");
        return;
    }
    for (file, kind) in [
        ("SignedValueV4.dat", ContainerKind::SesV4),
        ("SignedValueV5.dat", ContainerKind::SesV5),
    ] {
        let container = std::fs::read(folder.join(file)).unwrap();
        let signature = SealSignature::parse(&container).unwrap();
        let hash = signature.data_hash().to_vec();
        let time = signature.time().at.unwrap();
        let report = verify_container(&container, &|_| hash.clone(), &trust(), &at(time));
        assert_eq!(report.kind, kind, "{file}");
        for step in [StepId::Signature, StepId::SealSignature, StepId::Digest] {
            assert_eq!(
                status(&report, step),
                Some(Status::Passed),
                "{file} {step:?}"
            );
        }
        assert_ne!(
            report.indication,
            Indication::TotalPassed,
            "{file}: nobody trusts its root"
        );
    }
}
