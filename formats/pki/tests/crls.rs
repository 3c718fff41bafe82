//! Revocation lists: what is written is read back, and what is wrong is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{Key, NOW, damaged, file, name, openssl, openssl_or_skip, self_signed};
use yinxin_pki::issue::{self, CrlTemplate, RawExtension, RevokedCertificate};
use yinxin_pki::{
    CRL_BYTES_MAX, CertificateRevocationList, PkiError, Revocation, UnixSeconds, tlv,
};

fn template(revoked: Vec<RevokedCertificate>) -> CrlTemplate {
    CrlTemplate {
        issuer_der: name("签发者").to_der(),
        this_update: NOW,
        next_update: Some(UnixSeconds(NOW.0 + 86_400)),
        number: 0x1234,
        authority_key_id: Some(vec![7; 20]),
        revoked,
        other_extensions: Vec::new(),
    }
}

fn revoked(serial: &[u8], at: i64, reason: Option<u8>) -> RevokedCertificate {
    RevokedCertificate {
        serial_content: serial.to_vec(),
        at: UnixSeconds(at),
        reason,
    }
}

fn sign(template: &CrlTemplate, key: &Key) -> Vec<u8> {
    let algorithm = key.algorithm();
    let tbs_der = template.tbs_der(&algorithm);
    issue::assemble(&tbs_der, &algorithm, &key.sign(&tbs_der))
}

#[test]
fn every_field_of_a_template_is_read_back() {
    for key in [Key::p256(), Key::sm2()] {
        let lines = vec![
            revoked(&[9], NOW.0 - 10, Some(1)),
            revoked(&[0, 0x80], NOW.0 - 20, None),
            revoked(&[1], NOW.0 - 30, Some(6)),
        ];
        let crl = CertificateRevocationList::from_der(&sign(&template(lines), &key)).unwrap();
        assert_eq!(crl.issuer_der(), name("签发者").to_der());
        assert_eq!(crl.this_update(), NOW);
        assert_eq!(crl.next_update(), Some(UnixSeconds(NOW.0 + 86_400)));
        assert_eq!(crl.crl_number().unwrap(), "1234");
        assert_eq!(crl.authority_key_id().unwrap(), [7; 20]);
        assert_eq!(crl.len(), 3);
        assert!(!crl.is_delta_or_indirect());
        assert!(crl.unknown_critical_extensions().is_empty());
        for (serial, expected) in [
            (&[9][..], Some((NOW.0 - 10, Some(1)))),
            (&[0, 0x80], Some((NOW.0 - 20, None))),
            (&[1], Some((NOW.0 - 30, Some(6)))),
            (&[0x80], None),
            (&[2], None),
            (&[], None),
        ] {
            let expected = expected.map(|(at, reason)| Revocation {
                at: UnixSeconds(at),
                reason,
            });
            assert_eq!(crl.find(serial), expected, "{serial:?}");
        }
        let certificate = self_signed(&key);
        crl.verify_signed_by(certificate.public_key()).unwrap();
        assert!(
            crl.verify_signed_by(self_signed(&Key::p256()).public_key())
                .is_err()
        );
        let again = CertificateRevocationList::from_pem_or_der(crl.to_pem().as_bytes()).unwrap();
        assert_eq!(again, crl);
    }
}

#[test]
fn a_list_may_have_no_lines_and_no_next_update() {
    let key = Key::p256();
    let template = CrlTemplate {
        next_update: None,
        ..template(Vec::new())
    };
    let crl = CertificateRevocationList::from_der(&sign(&template, &key)).unwrap();
    assert!(crl.is_empty());
    assert_eq!(crl.next_update(), None);
    assert_eq!(crl.find(&[1]), None);
}

#[test]
fn of_two_lines_for_one_certificate_the_earlier_counts() {
    let lines = vec![
        revoked(&[5], NOW.0 - 10, Some(1)),
        revoked(&[5], NOW.0 - 90, Some(6)),
    ];
    let crl = CertificateRevocationList::from_der(&sign(&template(lines), &Key::p256())).unwrap();
    assert_eq!(crl.find(&[5]).unwrap().at, UnixSeconds(NOW.0 - 90));
}

#[test]
fn lists_that_prove_nothing_by_what_they_leave_out_say_so() {
    let key = Key::p256();
    let point = |number| tlv::sequence(&[&tlv::context(number, false, &[0xff])]);
    for (case, oid, value_der, expected) in [
        ("delta", "2.5.29.27", tlv::integer(1), true),
        ("users only", "2.5.29.28", point(1), true),
        ("authorities only", "2.5.29.28", point(2), true),
        ("some reasons only", "2.5.29.28", point(3), true),
        ("indirect", "2.5.29.28", point(4), true),
        ("attribute certificates only", "2.5.29.28", point(5), true),
        (
            "a place",
            "2.5.29.28",
            tlv::sequence(&[&tlv::context(0, true, b"")]),
            false,
        ),
    ] {
        let template = CrlTemplate {
            other_extensions: vec![RawExtension {
                oid,
                critical: true,
                value_der,
            }],
            ..template(Vec::new())
        };
        let crl = CertificateRevocationList::from_der(&sign(&template, &key)).unwrap();
        assert_eq!(crl.is_delta_or_indirect(), expected, "{case}");
        assert!(crl.unknown_critical_extensions().is_empty(), "{case}");
    }
}

#[test]
fn unknown_critical_extensions_are_named() {
    let template = CrlTemplate {
        other_extensions: vec![RawExtension {
            oid: "1.2.3.4",
            critical: true,
            value_der: tlv::null(),
        }],
        ..template(Vec::new())
    };
    let crl = CertificateRevocationList::from_der(&sign(&template, &Key::p256())).unwrap();
    assert_eq!(crl.unknown_critical_extensions(), ["1.2.3.4"]);
}

#[test]
fn damage_anywhere_neither_panics_nor_verifies() {
    let key = Key::sm2();
    let public_key = self_signed(&key).public_key().clone();
    let good = sign(&template(vec![revoked(&[5], NOW.0, Some(1))]), &key);
    let tbs_der = tlv::Reader::new(&good).next().unwrap().children().next();
    let tbs_der = tbs_der.unwrap().raw;
    for bytes in damaged(&good) {
        if let Ok(crl) = CertificateRevocationList::from_der(&bytes)
            && crl.verify_signed_by(&public_key).is_ok()
        {
            assert!(crl.der().windows(tbs_der.len()).any(|part| part == tbs_der));
        }
    }
}

#[test]
fn a_list_past_the_limit_is_refused_before_it_is_read() {
    assert_eq!(
        CertificateRevocationList::from_der(&vec![0x30; CRL_BYTES_MAX + 1]),
        Err(PkiError::LimitExceeded {
            limit: "crl_bytes",
            value: CRL_BYTES_MAX + 1,
            max: CRL_BYTES_MAX
        })
    );
}

#[test]
fn a_list_of_a_hundred_thousand_lines_is_searched_by_serial() {
    let lines = (0..100_000_u32)
        .map(|index| revoked(&[&[1], &index.to_be_bytes()[..]].concat(), NOW.0, None))
        .collect();
    let crl = CertificateRevocationList::from_der(&sign(&template(lines), &Key::p256())).unwrap();
    assert_eq!(crl.len(), 100_000);
    assert!(crl.find(&[1, 0, 0, 0xff, 0xfe]).is_some());
    assert!(crl.find(&[1, 0, 0xff, 0xff, 0xff]).is_none());
}

#[test]
fn lists_of_openssl_are_read_and_verified() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    std::fs::create_dir(folder.path().join("new")).unwrap();
    file(folder.path(), "number", b"0A\n");
    file(
        folder.path(),
        "index",
        b"R\t361231235959Z\t261101000000Z,keyCompromise\t00FEDC\tunknown\t/CN=x\n",
    );
    let key = support::path(folder.path(), "key.pem");
    let certificate = support::path(folder.path(), "ca.pem");
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        &key,
        "-out",
        &certificate,
        "-subj",
        "/CN=ca",
        "-days",
        "30",
    ]);
    let config = file(
        folder.path(),
        "config",
        format!(
            "[ca]\ndefault_ca=d\n[d]\ndatabase={directory}/index\ncrlnumber={directory}/number\n\
             default_md=sha256\ndefault_crl_days=7\ncrl_extensions=e\n[e]\n\
             authorityKeyIdentifier=keyid\n"
        )
        .as_bytes(),
    );
    let output = openssl(&[
        "ca",
        "-gencrl",
        "-config",
        &config,
        "-keyfile",
        &key,
        "-cert",
        &certificate,
    ]);
    let crl = CertificateRevocationList::from_pem_or_der(&output.stdout).unwrap();
    let issuer = std::fs::read(&certificate).unwrap();
    let issuer = yinxin_pki::Certificate::from_pem_or_der(&issuer).unwrap();
    crl.verify_signed_by(issuer.public_key()).unwrap();
    assert_eq!(crl.issuer_der(), issuer.subject_der());
    assert_eq!(crl.authority_key_id(), issuer.subject_key_id());
    assert_eq!(crl.crl_number().unwrap(), "0A");
    assert_eq!(
        crl.find(&[0, 0xfe, 0xdc]),
        Some(Revocation {
            at: UnixSeconds::from_civil(2026, 11, 1, 0, 0, 0).unwrap(),
            reason: Some(1)
        })
    );
}
