//! Certification requests: openssl accepts ours, and we read openssl's.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{Key, file, openssl, openssl_or_skip, path};
use yinxin_pki::issue::{self, Name, NameAttribute};
use yinxin_pki::{CertificationRequest, KeyUsage, PkiError, RequestTemplate, to_pem};

fn template(key: &Key) -> RequestTemplate {
    RequestTemplate {
        subject: Name::new()
            .with(NameAttribute::Country, "CN")
            .with(NameAttribute::Organization, "示范村村民委员会")
            .with(NameAttribute::CommonName, "电子印章"),
        subject_spki_der: key.spki_der(),
        key_usage: KeyUsage::SIGNING,
    }
}

fn signed(key: &Key, template: &RequestTemplate) -> Vec<u8> {
    let info = template.info_der();
    issue::assemble(&info, &key.algorithm(), &key.sign(&info))
}

#[test]
fn openssl_verifies_the_requests_of_every_kind_of_key() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (case, key) in [
        ("RSA-2048", Key::rsa(2048)),
        ("RSA-4096", Key::rsa(4096)),
        ("P-256", Key::p256()),
        ("SM2", Key::sm2()),
    ] {
        let der = signed(&key, &template(&key));
        let pem = to_pem(yinxin_pki::REQUEST_PEM_LABEL, &der);
        file(folder.path(), "request.pem", pem.as_bytes());
        let request = path(folder.path(), "request.pem");
        let mut words = vec!["req", "-verify", "-noout", "-text", "-in", &request];
        if case == "SM2" {
            // OpenSSL's default identifier is the empty one; GM/T 0009 has another.
            words.extend(["-vfyopt", "distid:1234567812345678"]);
        }
        let done = openssl(&words);
        let said = String::from_utf8_lossy(&done.stdout).into_owned()
            + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{case}: {said}");
        assert!(said.contains("verify OK"), "{case}: {said}");
        assert!(said.contains("Digital Signature"), "{case}: {said}");
    }
}

#[test]
fn a_request_is_read_back_and_a_changed_one_does_not_verify() {
    for key in [Key::p256(), Key::sm2()] {
        let template = template(&key);
        let der = signed(&key, &template);
        let request = CertificationRequest::from_pem_or_der(&der).unwrap();
        request.verify().unwrap();
        assert_eq!(request.spki_der(), template.subject_spki_der);
        assert_eq!(request.subject_der(), template.subject.to_der());

        let place = der.windows(2).position(|two| two == b"CN").unwrap();
        let mut changed = der.clone();
        changed[place] = b'D';
        let changed = CertificationRequest::from_pem_or_der(&changed).unwrap();
        assert_eq!(changed.verify(), Err(PkiError::SignatureInvalid));
        for length in 0..der.len() {
            assert!(CertificationRequest::from_pem_or_der(&der[..length]).is_err());
        }
    }
    let long = vec![0x30; 65 * 1024];
    assert!(matches!(
        CertificationRequest::from_pem_or_der(&long),
        Err(PkiError::LimitExceeded { .. })
    ));
}

#[test]
fn we_read_what_openssl_asks_for() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let key = path(folder.path(), "key.pem");
    let words = [
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/C=CN/CN=Seal",
        "-keyout",
        &key,
    ];
    let done = openssl(&words);
    assert!(done.status.success());
    let request = CertificationRequest::from_pem_or_der(&done.stdout).unwrap();
    request.verify().unwrap();
}
