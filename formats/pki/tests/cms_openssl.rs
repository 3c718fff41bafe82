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
    CmsError, SignedData, SignerIdentifier, assemble_signed_data, signed_attributes_der,
    signed_data_length_max,
};
use yinxin_pki::{
    Certificate, DigestAlgorithm, PkiError, Pss, PssFault, PssHash, SignatureAlgorithm,
};

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
        // The certificate is signed with PSS as well.
        ("RSA-PSS-2048", Key::rsa_pss(2048)),
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

/// What openssl signs with this hash and salt length, read.
fn pss_of_openssl(
    folder: &Path,
    identity: &(String, String),
    hash: &str,
    salt: &str,
) -> SignedData {
    let content = file(folder, "content", CONTENT);
    let out = path(folder, "pss.cms");
    openssl(&[
        "cms",
        "-sign",
        "-binary",
        "-md",
        hash,
        "-outform",
        "DER",
        "-in",
        &content,
        "-signer",
        &identity.1,
        "-inkey",
        &identity.0,
        "-keyopt",
        "rsa_padding_mode:pss",
        "-keyopt",
        &format!("rsa_pss_saltlen:{salt}"),
        "-out",
        &out,
    ]);
    SignedData::parse(&std::fs::read(&out).unwrap()).unwrap()
}

#[test]
fn pss_of_openssl_is_verified_with_every_hash_and_with_salts_that_are_long_enough() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let identity = openssl_identity(folder.path(), "rsa", "rsa_keygen_bits:2048");
    let certificate = std::fs::read(&identity.1).unwrap();
    let certificate = Certificate::from_pem_or_der(&certificate).unwrap();
    for (hash, salt, expected_hash, salt_bytes) in [
        ("sha256", "digest", PssHash::Sha256, 32),
        ("sha384", "digest", PssHash::Sha384, 48),
        ("sha512", "digest", PssHash::Sha512, 64),
        // What pyHanko and openssl 3.0 write: as long as the modulus lets it be.
        ("sha256", "max", PssHash::Sha256, 222),
        ("sha512", "max", PssHash::Sha512, 190),
        ("sha256", "33", PssHash::Sha256, 33),
    ] {
        let data = pss_of_openssl(folder.path(), &identity, hash, salt);
        let info = &data.signer_infos()[0];
        let SignatureAlgorithm::RsaPss(pss) = *info.signature_algorithm() else {
            panic!("{hash} {salt}: {:?}", info.signature_algorithm());
        };
        assert_eq!((pss.hash(), pss.salt_bytes()), (expected_hash, salt_bytes));
        info.verify(&certificate).unwrap();

        let message = info.signed_attributes().unwrap().set_der();
        let key = certificate.public_key();
        let verify = |message: &[u8], signature: &[u8]| {
            yinxin_pki::verify_signature(key, info.signature_algorithm(), message, signature)
        };
        verify(message, info.signature()).unwrap();
        let refused = Err(PkiError::SignatureInvalid);
        assert_eq!(verify(b"another message", info.signature()), refused);
        for index in [0, 1, 100, 254, 255] {
            let mut wrong = info.signature().to_vec();
            wrong[index] ^= 1;
            assert_eq!(verify(message, &wrong), refused, "{hash} {salt} {index}");
        }
        for wrong in [&[][..], &[0; 256], &[0xff; 256], &info.signature()[1..]] {
            assert_eq!(verify(message, wrong), refused, "{hash} {salt}");
        }
        let longer = [&[0], info.signature()].concat();
        assert_eq!(verify(message, &longer), refused, "{hash} {salt}");
        // The parameters are not signed: with others, the signature is none.
        let other = SignatureAlgorithm::RsaPss(Pss::new(match pss.hash() {
            PssHash::Sha256 => PssHash::Sha512,
            PssHash::Sha384 | PssHash::Sha512 => PssHash::Sha256,
        }));
        let result = yinxin_pki::verify_signature(key, &other, message, info.signature());
        assert_eq!(result, refused);
    }
}

#[test]
fn pss_of_openssl_with_a_short_salt_or_sha1_is_refused_with_its_reason() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let identity = openssl_identity(folder.path(), "rsa", "rsa_keygen_bits:2048");
    let certificate = std::fs::read(&identity.1).unwrap();
    let certificate = Certificate::from_pem_or_der(&certificate).unwrap();
    let salt = |octets| PssFault::SaltLength {
        octets,
        octets_min: 32,
        octets_max: 990,
    };
    let sha1 = PssFault::Hash {
        oid: "1.3.14.3.2.26".to_owned(),
    };
    for (hash, length, fault) in [
        ("sha256", "20", salt(20)),
        ("sha256", "0", salt(0)),
        ("sha1", "20", sha1),
    ] {
        let data = pss_of_openssl(folder.path(), &identity, hash, length);
        let result = data.signer_infos()[0].verify(&certificate);
        assert_eq!(
            result,
            Err(CmsError::Pki(PkiError::PssParameters(fault))),
            "{hash} {length}"
        );
    }
}
