//! CMS containers that are wrong in one thing each.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;
#[path = "support/cms.rs"]
#[allow(dead_code, reason = "shared support")]
mod support_cms;

use support::{Covered, check, code, expect, pki, plain_pdf, request, sign};
use support_cms::{
    CONTENT_TYPE, DATA, GM_DATA, GM_SIGNED_DATA, MESSAGE_DIGEST, Parts, SIGNING_TIME, attribute,
    indefinite, signing_certificate,
};
use yinxin_keys_dev::{CertificateRequest, DevKey, KeyKind, dev_name};
use yinxin_pdf::SignatureRequest;
use yinxin_pki::{DigestAlgorithm, Pss, SignatureAlgorithm, cms, tlv};
use yinxin_verifier::{ContainerKind, Indication, SignatureReport, StepId, SubIndication};

type Spoil = Box<dyn Fn(&mut Parts<'_>, &Covered)>;

/// A document with an RSA CMS, spoilt before it was signed.
fn rsa(spoil: &dyn Fn(&mut Parts<'_>, &Covered)) -> SignatureReport {
    of(&request(), &|covered| {
        let mut parts = Parts::new(&pki().rsa_signer, pki().rsa_chain(), covered);
        spoil(&mut parts, covered);
        parts.build()
    })
}

/// The same with SM2.
fn sm2(spoil: &dyn Fn(&mut Parts<'_>, &Covered)) -> SignatureReport {
    of(&request(), &|covered| {
        let mut parts = Parts::new(&pki().sm2_signer, pki().sm2_chain(), covered);
        spoil(&mut parts, covered);
        parts.build()
    })
}

fn of(request: &SignatureRequest, make: &dyn Fn(&Covered) -> Vec<u8>) -> SignatureReport {
    let mut report = check(&sign(&plain_pdf(), request, make));
    assert_eq!(report.signatures.len(), 1);
    report.signatures.remove(0)
}

fn digest_attribute(digest: &[u8]) -> Vec<u8> {
    attribute(MESSAGE_DIGEST, &[tlv::octet_string(digest)])
}

#[test]
fn a_cms_put_together_by_hand_passes() {
    expect("rsa", &rsa(&|_, _| {}), Indication::TotalPassed, None);
    let report = sm2(&|_, _| {});
    expect("sm2", &report, Indication::TotalPassed, None);
    assert_eq!(report.kind, ContainerKind::CmsRfc);
}

#[test]
fn a_pss_signature_passes() {
    let report = of(&request(), &|covered| {
        let (signer, digest) = (&pki().rsa_signer, DigestAlgorithm::Sha256);
        let attributes =
            cms::signed_attributes_der(digest, &covered.digest(digest), &signer.certificate);
        let signature = signer.key.sign_pss(&attributes).unwrap();
        let algorithm = SignatureAlgorithm::RsaPss(Pss::SHA256);
        let chain = pki().rsa_chain();
        cms::assemble_signed_data(digest, &algorithm, &attributes, &signature, &chain)
    });
    expect("pss", &report, Indication::TotalPassed, None);
}

#[test]
fn each_fault_of_a_cms_has_its_own_reason() {
    use Indication::{Indeterminate as Unclear, TotalFailed as Failed};
    use SubIndication as Sub;
    let zero = || vec![0; 32];
    let cases: Vec<(&str, Spoil, Indication, SubIndication, StepId, &str)> = vec![
        (
            "content inside",
            Box::new(|p, _| p.content = Some(b"other".to_vec())),
            Failed,
            Sub::FormatFailure,
            StepId::Format,
            "CONTENT_INSIDE",
        ),
        (
            "the digest inside, outside of the GM arc",
            Box::new(|p, c| p.content = Some(c.digest(DigestAlgorithm::Sha256))),
            Failed,
            Sub::FormatFailure,
            StepId::Format,
            "CONTENT_INSIDE",
        ),
        (
            "no signer",
            Box::new(|p, _| p.signers = 0),
            Failed,
            Sub::FormatFailure,
            StepId::Format,
            "SIGNER_COUNT",
        ),
        (
            "two signers",
            Box::new(|p, _| p.signers = 2),
            Failed,
            Sub::FormatFailure,
            StepId::Format,
            "SIGNER_COUNT",
        ),
        (
            "no signed attributes",
            Box::new(|p, _| p.attributes = None),
            Failed,
            Sub::SigCryptoFailure,
            StepId::SignedAttributes,
            "SIGNED_ATTRIBUTES_MISSING",
        ),
        (
            "another digest",
            Box::new(move |p, _| p.attributes.as_mut().unwrap()[1] = digest_attribute(&zero())),
            Failed,
            Sub::HashFailure,
            StepId::Digest,
            "DIGEST_MISMATCH",
        ),
        (
            "a digest cut short",
            Box::new(|p, c| {
                let digest = c.digest(DigestAlgorithm::Sha256);
                p.attributes.as_mut().unwrap()[1] = digest_attribute(&digest[..31]);
            }),
            Failed,
            Sub::HashFailure,
            StepId::Digest,
            "DIGEST_MISMATCH",
        ),
        (
            "no digest",
            Box::new(|p, _| {
                p.attributes.as_mut().unwrap().remove(1);
            }),
            Failed,
            Sub::FormatFailure,
            StepId::Digest,
            "SIGNED_ATTRIBUTE_BROKEN",
        ),
        (
            "the digest twice",
            Box::new(|p, _| {
                let twice = p.attributes.as_ref().unwrap()[1].clone();
                p.attributes.as_mut().unwrap().push(twice);
            }),
            Failed,
            Sub::FormatFailure,
            StepId::Digest,
            "SIGNED_ATTRIBUTE_BROKEN",
        ),
        (
            "two digests in one attribute",
            Box::new(|p, c| {
                let value = tlv::octet_string(&c.digest(DigestAlgorithm::Sha256));
                p.attributes.as_mut().unwrap()[1] =
                    attribute(MESSAGE_DIGEST, &[value.clone(), value]);
            }),
            Failed,
            Sub::FormatFailure,
            StepId::Digest,
            "SIGNED_ATTRIBUTE_BROKEN",
        ),
        (
            "another content type",
            Box::new(|p, _| {
                p.attributes.as_mut().unwrap()[0] = attribute(CONTENT_TYPE, &[tlv::oid("1.2.3.4")]);
            }),
            Failed,
            Sub::FormatFailure,
            StepId::SignedAttributes,
            "CONTENT_TYPE_WRONG",
        ),
        (
            "no content type",
            Box::new(|p, _| {
                p.attributes.as_mut().unwrap().remove(0);
            }),
            Failed,
            Sub::FormatFailure,
            StepId::SignedAttributes,
            "SIGNED_ATTRIBUTE_BROKEN",
        ),
        (
            "another eContentType",
            Box::new(|p, _| p.content_type = "1.2.3.4"),
            Failed,
            Sub::FormatFailure,
            StepId::Format,
            "CONTENT_TYPE_WRONG",
        ),
        (
            "attributes out of order",
            Box::new(|p, _| {
                p.sort = false;
                p.attributes.as_mut().unwrap().sort();
                p.attributes.as_mut().unwrap().reverse();
            }),
            Failed,
            Sub::FormatFailure,
            StepId::SignedAttributes,
            "SIGNED_ATTRIBUTES_NOT_SORTED",
        ),
        (
            "the signature over [0]",
            Box::new(|p, _| p.signed_tag = 0xa0),
            Failed,
            Sub::SigCryptoFailure,
            StepId::Signature,
            "SIGNATURE_INVALID",
        ),
        (
            "a signature of zeros",
            Box::new(|p, _| p.signature = Some(vec![0; 256])),
            Failed,
            Sub::SigCryptoFailure,
            StepId::Signature,
            "SIGNATURE_INVALID",
        ),
        (
            "an empty signature",
            Box::new(|p, _| p.signature = Some(Vec::new())),
            Failed,
            Sub::SigCryptoFailure,
            StepId::Signature,
            "SIGNATURE_INVALID",
        ),
        (
            "another certificate meant",
            Box::new(|p, _| {
                p.attributes.as_mut().unwrap()[2] =
                    signing_certificate(DigestAlgorithm::Sha256, &pki().p256_signer.certificate);
            }),
            Unclear,
            Sub::NoSigningCertificateFound,
            StepId::SignerCertificate,
            "SIGNING_CERTIFICATE_ATTRIBUTE_DIFFERS",
        ),
        (
            "no certificate meant",
            Box::new(|p, _| {
                p.attributes.as_mut().unwrap().remove(2);
            }),
            Unclear,
            Sub::SigConstraintsFailure,
            StepId::SignerCertificate,
            "SIGNING_CERTIFICATE_ATTRIBUTE_MISSING",
        ),
        (
            "the certificate left out",
            Box::new(|p, _| {
                p.certificates.remove(0);
            }),
            Unclear,
            Sub::NoSigningCertificateFound,
            StepId::SignerCertificate,
            "SIGNER_CERTIFICATE_NOT_FOUND",
        ),
        (
            "another certificate named",
            Box::new(|p, _| {
                p.named = pki().p256_signer.certificate.clone();
            }),
            Unclear,
            Sub::NoSigningCertificateFound,
            StepId::SignerCertificate,
            "SIGNER_CERTIFICATE_NOT_FOUND",
        ),
        (
            "another digest listed",
            Box::new(|p, _| {
                p.listed_digest_oid = DigestAlgorithm::Sm3.oid().to_owned();
            }),
            Failed,
            Sub::FormatFailure,
            StepId::Format,
            "CONTAINER_BROKEN",
        ),
        (
            "SHA-1",
            Box::new(|p, _| {
                p.digest_oid = "1.3.14.3.2.26".to_owned();
                p.listed_digest_oid = p.digest_oid.clone();
            }),
            Unclear,
            Sub::CryptoConstraintsFailure,
            StepId::Algorithm,
            "DIGEST_ALGORITHM_UNSUPPORTED",
        ),
        (
            "the signature's digest is another",
            Box::new(|p, _| {
                // sha512WithRSAEncryption beside SHA-256.
                p.signature_algorithm_der =
                    tlv::sequence(&[&tlv::oid("1.2.840.113549.1.1.13"), &tlv::null()]);
            }),
            Failed,
            Sub::SigCryptoFailure,
            StepId::Algorithm,
            "ALGORITHMS_DIFFER",
        ),
        (
            "PSS with a salt of 20 octets",
            Box::new(|p, _| {
                let ours = SignatureAlgorithm::RsaPss(Pss::SHA256).identifier_der();
                // The last octet is the salt's length.
                p.signature_algorithm_der = [&ours[..ours.len() - 1], &[20]].concat();
            }),
            Unclear,
            Sub::CryptoConstraintsFailure,
            StepId::Algorithm,
            "SIGNATURE_PARAMETERS_REFUSED",
        ),
        (
            "an algorithm nobody knows",
            Box::new(|p, _| p.signature_algorithm_der = tlv::sequence(&[&tlv::oid("1.2.3.4")])),
            Unclear,
            Sub::CryptoConstraintsFailure,
            StepId::Signature,
            "SIGNATURE_NOT_TRIED",
        ),
        (
            "PKCS#1 v1.5 that calls itself PSS",
            Box::new(|p, _| {
                p.signature_algorithm_der =
                    SignatureAlgorithm::RsaPss(Pss::SHA256).identifier_der();
            }),
            Failed,
            Sub::SigCryptoFailure,
            StepId::Signature,
            "SIGNATURE_INVALID",
        ),
        (
            "the version of another kind",
            Box::new(|p, _| p.signer_version = 3),
            Failed,
            Sub::FormatFailure,
            StepId::Format,
            "CONTAINER_BROKEN",
        ),
        (
            "a version nobody wrote",
            Box::new(|p, _| p.version = 2),
            Failed,
            Sub::FormatFailure,
            StepId::Format,
            "CONTAINER_BROKEN",
        ),
    ];
    for (what, spoil, indication, sub_indication, step, expected) in cases {
        let report = rsa(&*spoil);
        let codes = code(&report, step);
        assert!(
            codes.split(' ').any(|code| code == expected),
            "{what}: {codes}"
        );
        assert_eq!(report.indication, indication, "{what}");
        // Of several faults the gravest names the whole; what matters is that this one does not hide.
        if report
            .steps
            .iter()
            .filter(|step| step.sub_indication.is_some())
            .count()
            == 1
        {
            assert_eq!(report.sub_indication, Some(sub_indication), "{what}");
        }
    }
}

#[test]
fn a_cms_of_other_makers_is_read() {
    // Indefinite lengths (BER) are accepted on reading.
    let report = of(&request(), &|covered| {
        let der = Parts::new(&pki().rsa_signer, pki().rsa_chain(), covered).build();
        let ber = indefinite(&der, 4);
        assert!(der != ber && yinxin_pki::tlv::Reader::new(&ber).next().is_err());
        ber
    });
    expect("ber", &report, Indication::TotalPassed, None);
    // Under other names than PAdES the certificate need not be a signed attribute.
    let other = SignatureRequest {
        sub_filter: "adbe.pkcs7.detached".to_owned(),
        ..request()
    };
    let report = of(&other, &|covered| {
        let mut parts = Parts::new(&pki().rsa_signer, pki().rsa_chain(), covered);
        parts.attributes.as_mut().unwrap().remove(2);
        let time = attribute(SIGNING_TIME, &[tlv::utc_time(support::NOW)]);
        parts.attributes.as_mut().unwrap().push(time);
        parts.build()
    });
    expect(
        "adbe.pkcs7.detached",
        &report,
        Indication::TotalPassed,
        None,
    );
}

#[test]
fn gm_arc_containers_hold_the_digest_or_its_attributes() {
    let gm = |parts: &mut Parts<'_>| {
        parts.outer_type = GM_SIGNED_DATA;
        parts.content_type = GM_DATA;
        parts.signature_algorithm_der =
            tlv::sequence(&[&tlv::oid("1.2.156.10197.1.301.1"), &tlv::null()]);
    };
    let other = SignatureRequest {
        sub_filter: "GM.sm2cms.detached".to_owned(),
        ..request()
    };
    let make = |spoil: &dyn Fn(&mut Parts<'_>, &Covered)| {
        of(&other, &|covered| {
            let mut parts = Parts::new(&pki().sm2_signer, pki().sm2_chain(), covered);
            gm(&mut parts);
            spoil(&mut parts, covered);
            parts.build()
        })
    };
    let report = make(&|parts, covered| {
        parts.attributes = None;
        parts.content = Some(covered.digest(DigestAlgorithm::Sm3));
    });
    assert_eq!(report.kind, ContainerKind::CmsGm);
    expect("hash style", &report, Indication::TotalPassed, None);
    let report = make(&|parts, _| {
        parts.attributes = None;
        parts.content = Some(vec![7; 32]);
    });
    expect(
        "another hash",
        &report,
        Indication::TotalFailed,
        Some(SubIndication::HashFailure),
    );
    let report = make(&|parts, _| {
        parts.attributes.as_mut().unwrap()[0] = attribute(CONTENT_TYPE, &[tlv::oid(GM_DATA)]);
    });
    expect("attributes", &report, Indication::TotalPassed, None);
    let report = make(&|parts, _| parts.attributes = None);
    assert_eq!(report.indication, Indication::TotalFailed);
    let report = make(&|parts, _| {
        parts.content_type = DATA;
        parts.attributes.as_mut().unwrap()[0] = attribute(CONTENT_TYPE, &[tlv::oid(GM_DATA)]);
    });
    expect(
        "types differ",
        &report,
        Indication::TotalFailed,
        Some(SubIndication::FormatFailure),
    );
}

/// A signature value out of r, s and the message.
type Value = dyn Fn(&[u8], &[u8], &[u8]) -> Vec<u8>;

#[test]
fn sm2_signature_values_are_taken_strictly() {
    use yinxin_sm::{SecretKey, Signature};
    let secret = || SecretKey::from_pkcs8_der(pki().sm2_signer.key.pkcs8_der()).unwrap();
    let n = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123";
    let n: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&n[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let pair =
        |r: &[u8], s: &[u8]| tlv::sequence(&[&tlv::unsigned_integer(r), &tlv::unsigned_integer(s)]);
    let make = |value: &Value| {
        sm2(&|parts, _| {
            let mut attributes = parts.attributes.clone().unwrap();
            attributes.sort();
            let message = tlv::encode(0x31, &attributes.concat());
            let der = parts.signer.sign(&message).unwrap();
            let raw = Signature::from_der(&der).unwrap().to_raw();
            parts.signature = Some(value(&raw[..32], &raw[32..], &message));
        })
    };
    let cases: [(&str, Box<Value>, bool); 9] = [
        ("der", Box::new(move |r, s, _| pair(r, s)), true),
        ("raw r and s", Box::new(|r, s, _| [r, s].concat()), true),
        ("r = 0", Box::new(move |_, s, _| pair(&[0], s)), false),
        ("s = 0", Box::new(move |r, _, _| pair(r, &[0])), false),
        (
            "s = n",
            {
                let n = n.clone();
                Box::new(move |r, _, _| pair(r, &n))
            },
            false,
        ),
        (
            "s + 2^256 n",
            Box::new(move |r, s, _| {
                let mut longer = n.clone();
                longer.extend_from_slice(s);
                pair(r, &longer)
            }),
            false,
        ),
        (
            "trailing bytes",
            Box::new(move |r, s, _| [pair(r, s), vec![0]].concat()),
            false,
        ),
        (
            "another identifier",
            Box::new(move |_, _, message| {
                let mut entropy = yinxin_keys_dev::SystemEntropy::new().unwrap();
                secret()
                    .sign(b"ALICE123@YAHOO.COM", message, &mut entropy)
                    .unwrap()
                    .to_der()
            }),
            false,
        ),
        (
            "without Z",
            Box::new(move |_, _, message| {
                let mut entropy = yinxin_keys_dev::SystemEntropy::new().unwrap();
                let digest = yinxin_sm::sm3(message);
                SecretKey::from_pkcs8_der(pki().sm2_signer.key.pkcs8_der())
                    .unwrap()
                    .sign_digest(&digest, &mut entropy)
                    .unwrap()
                    .to_der()
            }),
            false,
        ),
    ];
    for (what, value, good) in cases {
        let report = make(&*value);
        if good {
            expect(what, &report, Indication::TotalPassed, None);
        } else {
            expect(
                what,
                &report,
                Indication::TotalFailed,
                Some(SubIndication::SigCryptoFailure),
            );
        }
    }
}

#[test]
fn a_certificate_for_encryption_does_not_sign() {
    let pki = pki();
    let request = CertificateRequest {
        key_usage: yinxin_pki::KeyUsage::ENCRYPTION,
        key: Some(pki.rsa_signer.key.clone()),
        ..CertificateRequest::signer(
            dev_name("示例市民政局", "encryption"),
            KeyKind::P256,
            pki.rsa_signer.certificate.not_before(),
            pki.rsa_signer.certificate.not_after(),
        )
    };
    let encryption = pki.rsa_issuing.issue(&request).unwrap();
    let chain = vec![
        encryption.certificate.clone(),
        pki.rsa_issuing.certificate.clone(),
    ];
    let report = of(&support::request(), &|covered| {
        Parts::new(&encryption, chain.clone(), covered).build()
    });
    expect(
        "encryption",
        &report,
        Indication::Indeterminate,
        Some(SubIndication::ChainConstraintsFailure),
    );
    assert_eq!(code(&report, StepId::SignerCertificate), "KEY_USAGE_UNFIT");
}

#[test]
fn a_key_of_another_kind_does_not_verify() {
    // A P-256 key behind an SM2 signature algorithm, and the other way round.
    let pki = pki();
    for (what, signer, algorithm) in [
        (
            "p256 as sm2",
            &pki.p256_signer,
            pki.sm2_signer.key.algorithm(),
        ),
        (
            "sm2 as p256",
            &pki.sm2_signer,
            pki.p256_signer.key.algorithm(),
        ),
    ] {
        let chain = vec![signer.certificate.clone()];
        let report = of(&support::request(), &|covered| {
            let mut parts = Parts::new(signer, chain.clone(), covered);
            parts.signature_algorithm_der = algorithm.cms_identifier_der();
            parts.build()
        });
        assert_eq!(report.indication, Indication::TotalFailed, "{what}");
        assert!(
            code(&report, StepId::Signature).contains("SIGNATURE_INVALID"),
            "{what}"
        );
    }
    assert!(DevKey::generate(KeyKind::P256).is_ok());
}
