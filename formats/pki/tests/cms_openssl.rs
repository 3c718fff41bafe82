//! openssl accepts our signed data, and we accept openssl's.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::path::Path;

use support::{Key, file, openssl, openssl_or_skip, path, self_signed};
use yinxin_pki::cms::{
    SignedData, SignerIdentifier, assemble_signed_data, signed_attributes_der,
    signed_data_length_max,
};
use yinxin_pki::{Certificate, DigestAlgorithm, SignatureAlgorithm};

const CONTENT: &[u8] = b"what the signature covers\r\n\x00\xff";

#[test]
fn openssl_verifies_what_we_build() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let content = file(folder.path(), "content", CONTENT);
    for (case, key) in [
        ("RSA-2048", Key::rsa(2048)),
        ("RSA-3072", Key::rsa(3072)),
        ("RSA-4096", Key::rsa(4096)),
        ("P-256", Key::p256()),
    ] {
        let certificate = self_signed(&key);
        let digest = DigestAlgorithm::Sha256;
        let algorithm = key.algorithm();
        let attributes = signed_attributes_der(digest, &digest.digest(CONTENT), &certificate);
        let certificates = [certificate.clone()];
        let der = assemble_signed_data(
            digest,
            &algorithm,
            &attributes,
            &key.sign(&attributes),
            &certificates,
        );
        let bound = signed_data_length_max(digest, &algorithm, &certificate, &certificates);
        if case.starts_with("RSA") {
            assert_eq!(der.len(), bound, "{case}");
        }
        let data = SignedData::parse(&der).unwrap();
        assert_eq!(*data.signer_infos()[0].signature_algorithm(), algorithm);
        data.signer_infos()[0].verify(&certificate).unwrap();

        let anchor = file(folder.path(), "anchor.pem", certificate.to_pem().as_bytes());
        let cms = file(folder.path(), "cms.der", &der);
        // -cades: openssl also checks signing-certificate-v2. The time lies in the certificate's validity.
        let arguments = [
            "cms",
            "-verify",
            "-binary",
            "-inform",
            "DER",
            "-in",
            &cms,
            "-content",
            &content,
            "-CAfile",
            &anchor,
            "-purpose",
            "any",
            "-cades",
            "-attime",
            "1795334400",
        ];
        let output = openssl(&arguments);
        assert_eq!(output.stdout, CONTENT, "{case}");

        let wrong = file(folder.path(), "wrong", b"other bytes");
        let mut arguments = arguments;
        arguments[8] = &wrong;
        let refused = std::process::Command::new("openssl")
            .args(arguments)
            .output()
            .unwrap();
        assert!(!refused.status.success(), "{case}");
    }
}

/// A key and certificate of openssl's own.
fn openssl_identity(folder: &Path, algorithm: &str, option: &str) -> (String, String) {
    let key = path(folder, "key.pem");
    let certificate = path(folder, "certificate.pem");
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        algorithm,
        "-pkeyopt",
        option,
        "-nodes",
        "-keyout",
        &key,
        "-out",
        &certificate,
        "-subj",
        "/C=CN/O=x/CN=signer",
        "-days",
        "30",
        "-sha256",
    ]);
    (key, certificate)
}

#[test]
fn signed_data_of_openssl_is_read_and_verified() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let content = file(folder.path(), "content", CONTENT);
    let out = path(folder.path(), "cms");
    for (algorithm, option, expected) in [
        (
            "rsa",
            "rsa_keygen_bits:2048",
            SignatureAlgorithm::RsaPkcs1Sha256,
        ),
        (
            "ec",
            "ec_paramgen_curve:P-256",
            SignatureAlgorithm::EcdsaP256Sha256,
        ),
    ] {
        let (key, certificate_file) = openssl_identity(folder.path(), algorithm, option);
        let certificate = std::fs::read(&certificate_file).unwrap();
        let certificate = Certificate::from_pem_or_der(&certificate).unwrap();
        for options in [
            &[][..],
            &["-cades"],
            &["-keyid"],
            &["-noattr", "-nodetach"],
            &["-nodetach", "-stream"],
            &["-indef", "-stream", "-nodetach", "-cades"],
            &["-nocerts"],
        ] {
            let fixed = [
                "cms",
                "-sign",
                "-binary",
                "-md",
                "sha256",
                "-outform",
                "DER",
                "-in",
                &content,
                "-signer",
                &certificate_file,
                "-inkey",
                &key,
                "-out",
                &out,
            ];
            openssl(&[&fixed[..], options].concat());
            let bytes = std::fs::read(&out).unwrap();
            let data = SignedData::parse(&bytes).unwrap();
            let [info] = data.signer_infos() else {
                panic!("one signer info");
            };
            assert_eq!(*info.signature_algorithm(), expected, "{options:?}");
            info.verify(&certificate).unwrap();

            let has = |option| options.contains(&option);
            assert_eq!(data.encapsulated_content().is_some(), has("-nodetach"));
            if has("-nodetach") {
                assert_eq!(data.encapsulated_content(), Some(CONTENT));
            }
            assert_eq!(data.certificates().is_empty(), has("-nocerts"));
            assert_eq!(
                matches!(info.identifier(), SignerIdentifier::SubjectKeyId(_)),
                has("-keyid")
            );
            assert!(info.identifier().names(&certificate));
            let Some(attributes) = info.signed_attributes() else {
                assert!(has("-noattr"));
                continue;
            };
            assert_eq!(
                attributes.message_digest().unwrap(),
                DigestAlgorithm::Sha256.digest(CONTENT)
            );
            assert!(attributes.is_der_sorted());
            assert!(attributes.signing_time().unwrap().is_some());
            let ess = attributes.signing_certificate_v2().unwrap();
            assert_eq!(ess.is_some(), has("-cades"), "{options:?}");
            if let Some(ess) = ess {
                assert_eq!(ess.names(&certificate), Some(true));
            }
        }
    }
}
