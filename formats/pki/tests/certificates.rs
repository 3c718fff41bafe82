//! Certificates: what is written is read back, and what is wrong is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::net::{IpAddr, Ipv6Addr};

use support::{
    Key, NOW, YEAR, damaged, file, name, openssl, openssl_or_skip, path, self_signed,
    sign_certificate, template,
};
use yinxin_pki::issue::{self, BasicConstraints, CertificateTemplate, RawExtension, purpose};
use yinxin_pki::{
    CERTIFICATE_BYTES_MAX, Certificate, KeyUsage, PkiError, Pss, PssHash, PublicKey,
    SignatureAlgorithm, UnixSeconds, tlv, verify_signature,
};

#[test]
fn every_field_of_a_template_is_read_back() {
    for key in [Key::p256(), Key::sm2()] {
        let authority = self_signed(&key);
        let end_key = Key::sm2();
        let subject = name("a, b");
        let end = CertificateTemplate {
            serial: vec![0x80, 0xab],
            subject: subject.clone(),
            not_before: UnixSeconds(NOW.0),
            not_after: UnixSeconds(NOW.0 + 30 * YEAR),
            subject_spki_der: end_key.spki_der(),
            basic_constraints: BasicConstraints::Absent,
            key_usage: KeyUsage::SIGNING,
            extended_key_usage: vec![purpose::CLIENT_AUTH, purpose::EMAIL_PROTECTION],
            subject_alt_dns: vec!["localhost".into()],
            subject_alt_ip: vec![IpAddr::V6(Ipv6Addr::LOCALHOST)],
            authority_key_id: authority.subject_key_id().map(<[u8]>::to_vec),
            crl_distribution_point: Some("http://crl.example/1.crl".into()),
            ..template(&key)
        };
        let certificate = Certificate::from_der(&sign_certificate(&end, &key)).unwrap();

        assert_eq!(certificate.serial_hex(), "0080AB");
        assert_eq!(certificate.issuer_der(), authority.subject_der());
        assert_eq!(certificate.subject_der(), subject.to_der());
        assert_eq!(
            certificate.subject_text(),
            "CN=a\\, b,OU=DEV-ONLY,O=示例市民政局,C=CN"
        );
        assert_eq!(certificate.common_name().unwrap(), "a, b");
        assert_eq!(certificate.organization_name().unwrap(), "示例市民政局");
        assert_eq!(certificate.organizational_units(), ["DEV-ONLY"]);
        assert!(certificate.is_dev_only());
        assert_eq!(certificate.not_before(), end.not_before);
        // Past 2049: GeneralizedTime.
        assert_eq!(certificate.not_after(), end.not_after);
        assert_eq!(certificate.spki_der(), end_key.spki_der());
        assert_eq!(certificate.public_key().kind(), "SM2");
        assert_eq!(certificate.signature_algorithm(), key.algorithm());
        assert!(!certificate.is_ca());
        assert_eq!(certificate.path_length(), None);
        assert_eq!(certificate.key_usage(), Some(KeyUsage::SIGNING));
        assert!(certificate.is_key_usage_critical());
        assert_eq!(
            certificate.extended_key_usage().unwrap(),
            [purpose::CLIENT_AUTH, purpose::EMAIL_PROTECTION]
        );
        assert_eq!(certificate.authority_key_id(), authority.subject_key_id());
        assert_eq!(
            certificate.subject_key_id().unwrap(),
            issue::key_id(&end_key.spki_der()).unwrap()
        );
        assert_eq!(
            certificate.crl_distribution_points(),
            ["http://crl.example/1.crl"]
        );
        assert!(certificate.unknown_critical_extensions().is_empty());
        assert!(!certificate.is_self_issued());
        certificate
            .verify_signed_by(authority.public_key())
            .unwrap();
        assert_eq!(
            Certificate::from_pem_or_der(certificate.to_pem().as_bytes()).unwrap(),
            certificate
        );

        assert!(authority.is_ca());
        assert_eq!(authority.path_length(), Some(1));
        assert!(authority.is_self_issued());
        authority.verify_signed_by(authority.public_key()).unwrap();
    }
}

#[test]
fn every_combination_of_key_usage_bits_is_read_back() {
    let key = Key::p256();
    for bits in 1_u16..512 {
        let bit = |index: u16| bits & (1 << index) != 0;
        let key_usage = KeyUsage {
            digital_signature: bit(0),
            content_commitment: bit(1),
            key_encipherment: bit(2),
            data_encipherment: bit(3),
            key_agreement: bit(4),
            key_cert_sign: bit(5),
            crl_sign: bit(6),
            encipher_only: bit(7),
            decipher_only: bit(8),
        };
        let template = CertificateTemplate {
            key_usage,
            ..template(&key)
        };
        let certificate = Certificate::from_der(&sign_certificate(&template, &key)).unwrap();
        assert_eq!(certificate.key_usage(), Some(key_usage));
    }
}

#[test]
fn damage_anywhere_neither_panics_nor_verifies() {
    for key in [Key::p256(), Key::sm2()] {
        let good = self_signed(&key);
        let public_key = good.public_key().clone();
        for bytes in damaged(good.der()) {
            let Ok(certificate) = Certificate::from_der(&bytes) else {
                continue;
            };
            if certificate.verify_signed_by(&public_key).is_ok() {
                // Only a signature value that means the same may differ.
                assert_eq!(certificate.tbs_der(), good.tbs_der());
            }
        }
    }
}

#[test]
fn surplus_bytes_are_refused() {
    let key = Key::p256();
    let der = self_signed(&key).der().to_vec();
    let outer = tlv::Reader::new(&der).next().unwrap();
    let mut parts = outer.children();
    let tbs = parts.next().unwrap();
    let rest = &outer.content[tbs.raw.len()..];
    let null = tlv::null();
    for (case, bytes) in [
        ("after the certificate", [&der[..], &null].concat()),
        (
            "inside the certificate",
            tlv::sequence(&[outer.content, &null]),
        ),
        (
            "inside tbsCertificate",
            tlv::sequence(&[&tlv::sequence(&[tbs.content, &null]), rest]),
        ),
    ] {
        assert!(Certificate::from_der(&bytes).is_err(), "{case}");
    }
}

#[test]
fn the_algorithm_inside_must_be_the_one_outside() {
    let key = Key::p256();
    let tbs_der = template(&key).tbs_der(&SignatureAlgorithm::Sm2Sm3).unwrap();
    let algorithm = key.algorithm();
    let der = issue::assemble(&tbs_der, &algorithm, &key.sign(&tbs_der));
    assert_eq!(
        Certificate::from_der(&der),
        Err(PkiError::SignatureAlgorithmsDiffer)
    );
}

#[test]
fn sm2_parameters_may_be_absent_inside_and_null_outside() {
    let key = Key::sm2();
    let tbs_der = template(&key).tbs_der(&SignatureAlgorithm::Sm2Sm3).unwrap();
    let with_null = tlv::sequence(&[&tlv::oid("1.2.156.10197.1.501"), &tlv::null()]);
    let der = tlv::sequence(&[&tbs_der, &with_null, &tlv::bit_string(&key.sign(&tbs_der))]);
    let certificate = Certificate::from_der(&der).unwrap();
    certificate
        .verify_signed_by(certificate.public_key())
        .unwrap();
}

#[test]
fn a_raw_sm2_signature_is_taken_too() {
    let key = Key::sm2();
    let tbs_der = template(&key).tbs_der(&key.algorithm()).unwrap();
    let raw = yinxin_sm::Signature::from_der(&key.sign(&tbs_der))
        .unwrap()
        .to_raw();
    let der = issue::assemble(&tbs_der, &key.algorithm(), &raw);
    let certificate = Certificate::from_der(&der).unwrap();
    certificate
        .verify_signed_by(certificate.public_key())
        .unwrap();
}

#[test]
fn extensions_we_do_not_process_are_named_when_critical() {
    let key = Key::p256();
    let name_constraints = tlv::sequence(&[&tlv::context(
        0,
        true,
        &tlv::sequence(&[&tlv::context(2, false, b"example.org")]),
    )]);
    let extension = |oid, critical| RawExtension {
        oid,
        critical,
        value_der: name_constraints.clone(),
    };
    let with_extensions = |other_extensions| {
        let template = CertificateTemplate {
            other_extensions,
            ..template(&key)
        };
        Certificate::from_der(&sign_certificate(&template, &key))
    };
    let certificate = with_extensions(vec![
        extension("2.5.29.30", true),
        extension("1.2.3.4", true),
    ])
    .unwrap();
    assert_eq!(
        certificate.unknown_critical_extensions(),
        ["2.5.29.30", "1.2.3.4"]
    );
    let certificate = with_extensions(vec![extension("1.2.3.4", false)]).unwrap();
    assert!(certificate.unknown_critical_extensions().is_empty());
    assert_eq!(
        with_extensions(vec![
            extension("1.2.3.4", false),
            extension("1.2.3.4", false)
        ]),
        Err(PkiError::ExtensionRepeated {
            oid: "1.2.3.4".into()
        })
    );
    assert_eq!(
        with_extensions(vec![extension("2.5.29.37", false)]),
        Err(PkiError::ExtensionMalformed {
            oid: "2.5.29.37".into()
        })
    );
}

#[test]
fn a_certificate_past_the_limit_is_refused_before_it_is_read() {
    let bytes = vec![0x30; CERTIFICATE_BYTES_MAX + 1];
    assert_eq!(
        Certificate::from_der(&bytes),
        Err(PkiError::LimitExceeded {
            limit: "certificate_bytes",
            value: CERTIFICATE_BYTES_MAX + 1,
            max: CERTIFICATE_BYTES_MAX
        })
    );
}

#[test]
fn keys_and_algorithms_of_different_kinds_do_not_fit() {
    let p256 = self_signed(&Key::p256());
    let sm2 = self_signed(&Key::sm2());
    for (key, algorithm) in [
        (p256.public_key(), SignatureAlgorithm::Sm2Sm3),
        (p256.public_key(), SignatureAlgorithm::RsaPkcs1Sha256),
        (sm2.public_key(), SignatureAlgorithm::EcdsaP256Sha256),
        (sm2.public_key(), SignatureAlgorithm::RsaPkcs1Sha512),
    ] {
        assert!(matches!(
            verify_signature(key, &algorithm, b"", b""),
            Err(PkiError::KeyDoesNotFitAlgorithm { .. })
        ));
    }
}

#[test]
fn rsa_keys_outside_the_accepted_range_sign_nothing() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (case, options) in [
        (
            "1024 bits",
            ["rsa_keygen_bits:1024", "rsa_keygen_pubexp:65537"],
        ),
        (
            "exponent 3",
            ["rsa_keygen_bits:2048", "rsa_keygen_pubexp:3"],
        ),
        ("good", ["rsa_keygen_bits:2048", "rsa_keygen_pubexp:65537"]),
    ] {
        let key = path(folder.path(), "key.pem");
        let [bits, exponent] = options;
        openssl(&[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            bits,
            "-pkeyopt",
            exponent,
            "-out",
            &key,
        ]);
        let output = openssl(&[
            "req", "-x509", "-new", "-key", &key, "-subj", "/CN=x", "-days", "1", "-sha256",
        ]);
        let certificate = Certificate::from_pem_or_der(&output.stdout).unwrap();
        let result = certificate.verify_signed_by(certificate.public_key());
        match case {
            "1024 bits" => assert_eq!(
                result,
                Err(PkiError::RsaModulusLength {
                    bits: 1024,
                    bits_min: 2048,
                    bits_max: 8192
                })
            ),
            "exponent 3" => assert_eq!(result, Err(PkiError::RsaExponent { exponent: 3 })),
            _ => assert_eq!(result, Ok(())),
        }
    }
}

#[test]
fn certificates_of_openssl_are_read_and_verified() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    const PSS: &[&str] = &[
        "-sigopt",
        "rsa_padding_mode:pss",
        "-sigopt",
        "rsa_pss_saltlen:digest",
    ];
    for (algorithm, option, digest, expected) in [
        (
            "RSA",
            "rsa_keygen_bits:2048",
            "-sha256",
            SignatureAlgorithm::RsaPkcs1Sha256,
        ),
        (
            "RSA",
            "rsa_keygen_bits:2048",
            "-sha256",
            SignatureAlgorithm::RsaPss(Pss::SHA256),
        ),
        (
            "RSA",
            "rsa_keygen_bits:2048",
            "-sha384",
            SignatureAlgorithm::RsaPss(Pss::new(PssHash::Sha384)),
        ),
        // A key that is for PSS only, and says so.
        (
            "RSA-PSS",
            "rsa_keygen_bits:2048",
            "-sha512",
            SignatureAlgorithm::RsaPss(Pss::new(PssHash::Sha512)),
        ),
        (
            "RSA",
            "rsa_keygen_bits:3072",
            "-sha384",
            SignatureAlgorithm::RsaPkcs1Sha384,
        ),
        (
            "RSA",
            "rsa_keygen_bits:2048",
            "-sha512",
            SignatureAlgorithm::RsaPkcs1Sha512,
        ),
        (
            "EC",
            "ec_paramgen_curve:P-256",
            "-sha256",
            SignatureAlgorithm::EcdsaP256Sha256,
        ),
    ] {
        let key = path(folder.path(), "key.pem");
        openssl(&[
            "genpkey",
            "-algorithm",
            algorithm,
            "-pkeyopt",
            option,
            "-out",
            &key,
        ]);
        let padding = if matches!(expected, SignatureAlgorithm::RsaPss(_)) {
            PSS
        } else {
            &[]
        };
        let arguments = [
            "req",
            "-x509",
            "-new",
            "-key",
            &key,
            "-utf8",
            "-subj",
            "/C=CN/O=示例/CN=根",
            "-days",
            "1",
            "-set_serial",
            "0xFEDC",
            digest,
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
            "-addext",
            "extendedKeyUsage=timeStamping",
            "-addext",
            "crlDistributionPoints=URI:http://crl.example/a.crl",
        ];
        let output = openssl(&[&arguments[..], padding].concat());
        let certificate = Certificate::from_pem_or_der(&output.stdout).unwrap();
        assert_eq!(certificate.signature_algorithm(), expected);
        assert_eq!(certificate.subject_text(), "CN=根,O=示例,C=CN");
        assert_eq!(certificate.serial_hex(), "00FEDC");
        assert_eq!(certificate.key_usage(), Some(KeyUsage::AUTHORITY));
        assert_eq!(
            certificate.extended_key_usage().unwrap(),
            [purpose::TIME_STAMPING]
        );
        assert_eq!(
            certificate.crl_distribution_points(),
            ["http://crl.example/a.crl"]
        );
        assert!(certificate.is_ca());
        assert!(!certificate.is_dev_only());
        certificate
            .verify_signed_by(certificate.public_key())
            .unwrap();
    }
}

#[test]
fn openssl_reads_what_we_write() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for key in [Key::p256(), Key::sm2()] {
        let template = CertificateTemplate {
            subject_alt_dns: vec!["localhost".into()],
            subject_alt_ip: vec![IpAddr::V6(Ipv6Addr::LOCALHOST)],
            extended_key_usage: vec![purpose::SERVER_AUTH],
            crl_distribution_point: Some("http://crl.example/1.crl".into()),
            ..template(&key)
        };
        let certificate = Certificate::from_der(&sign_certificate(&template, &key)).unwrap();
        let file = file(folder.path(), "c.pem", certificate.to_pem().as_bytes());
        let output = openssl(&["x509", "-in", &file, "-noout", "-text", "-nameopt", "utf8"]);
        let text = String::from_utf8(output.stdout).unwrap();
        for expected in [
            "CN=签发者",
            "CA:TRUE, pathlen:1",
            "Digital Signature, Non Repudiation, Certificate Sign, CRL Sign",
            "TLS Web Server Authentication",
            "DNS:localhost, IP Address:0:0:0:0:0:0:0:1",
            "URI:http://crl.example/1.crl",
        ] {
            assert!(text.contains(expected), "{expected} not in {text}");
        }
    }
}

#[test]
fn a_certificate_of_another_maker_of_seals_is_read() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/vectors/ses-ofdrw/sign_cert.pem");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("SKIPPED: {} is not there", path.display());
        return;
    };
    let certificate = Certificate::from_pem_or_der(&bytes).unwrap();
    assert!(matches!(
        certificate.public_key(),
        PublicKey::Sm2(_) | PublicKey::Rsa { .. }
    ));
    eprintln!("{certificate:?} {:?}", certificate.key_usage());
}

/// More verifications than an authority's key needs to get its table.
const USES: usize = 12;

#[test]
fn what_is_remembered_of_keys_and_signatures_changes_no_answer() {
    for (key, other) in [(Key::sm2(), Key::sm2()), (Key::p256(), Key::p256())] {
        let authority = self_signed(&key);
        let stranger = self_signed(&other);
        let der = sign_certificate(&template(&key), &key);
        let mut forged_der = der.clone();
        *forged_der.last_mut().unwrap() ^= 1;
        for round in 0..USES {
            let certificate = Certificate::from_der(&der).unwrap();
            let forged = Certificate::from_der(&forged_der).unwrap();
            // Twice each: the second answer may be a remembered one.
            for _ in 0..2 {
                assert!(certificate.verify_issued_by(&authority).is_ok(), "{round}");
                assert!(certificate.verify_issued_by(&stranger).is_err(), "{round}");
                assert!(forged.verify_issued_by(&authority).is_err(), "{round}");
            }
            assert!(certificate.clone().verify_issued_by(&authority).is_ok());
        }
    }
}

#[test]
fn a_key_that_is_for_pss_makes_no_other_signature() {
    if !openssl_or_skip() {
        return;
    }
    let key = Key::rsa_pss(2048);
    let signature = key.sign(b"message");
    let (pkcs1, other) = match &key {
        Key::RsaPss(pair) => {
            let mut signature = vec![0; pair.public().modulus_len()];
            let random = ring::rand::SystemRandom::new();
            pair.sign(
                &ring::signature::RSA_PKCS1_SHA256,
                &random,
                b"message",
                &mut signature,
            )
            .unwrap();
            (SignatureAlgorithm::RsaPkcs1Sha256, signature)
        }
        Key::Rsa(_) | Key::P256(_) | Key::Sm2(_) => panic!("an RSA key for PSS"),
    };
    let bits = {
        let mut fields = tlv::Reader::new(&key.spki_der())
            .next()
            .unwrap()
            .content
            .to_vec();
        let algorithm = tlv::Reader::new(&fields).next().unwrap().raw.len();
        fields.split_off(algorithm)
    };
    let oid = tlv::oid("1.2.840.113549.1.1.10");
    let identifier = |pss: Pss| SignatureAlgorithm::RsaPss(pss).identifier_der();
    let bound = [
        ("for PSS", tlv::sequence(&[&oid]), true),
        ("for PSS with SHA-256", identifier(Pss::SHA256), true),
        (
            "for PSS with SHA-512",
            identifier(Pss::new(PssHash::Sha512)),
            false,
        ),
    ];
    for (what, algorithm, fits) in bound {
        let spki = tlv::sequence(&[&algorithm, &bits]);
        let public = PublicKey::from_spki_der(&spki).unwrap();
        assert_eq!(public.kind(), "RSA-PSS", "{what}");
        let result = verify_signature(&public, &key.algorithm(), b"message", &signature);
        assert_eq!(result.is_ok(), fits, "{what}: {result:?}");
        assert!(matches!(
            verify_signature(&public, &pkcs1, b"message", &other),
            Err(PkiError::KeyDoesNotFitAlgorithm { .. })
        ));
    }
    // Parameters that we do not accept make a key that we do not know.
    let short = tlv::sequence(&[&oid, &tlv::sequence(&[])]);
    let spki = tlv::sequence(&[&short, &bits]);
    assert_eq!(
        PublicKey::from_spki_der(&spki).unwrap().kind(),
        "unsupported"
    );
}
