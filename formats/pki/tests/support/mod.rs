//! Keys, certificates and openssl for the tests of this crate.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::process::{Command, Output};

use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use yinxin_pki::issue::{self, BasicConstraints, CertificateTemplate, Name, NameAttribute};
use yinxin_pki::{Certificate, KeyUsage, Pss, SignatureAlgorithm, UnixSeconds};

/// 2026-11-22T08:00:00Z.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_795_334_400);
pub(crate) const YEAR: i64 = 365 * 86_400;

pub(crate) struct SystemEntropy;

impl yinxin_sm::Entropy for SystemEntropy {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), yinxin_sm::EntropyUnavailable> {
        SystemRandom::new()
            .fill(destination)
            .map_err(|_| yinxin_sm::EntropyUnavailable)
    }
}

pub(crate) enum Key {
    Rsa(RsaKeyPair),
    RsaPss(RsaKeyPair),
    P256(EcdsaKeyPair),
    Sm2(yinxin_sm::SecretKey),
}

impl Key {
    pub(crate) fn p256() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
        Self::P256(pair.unwrap())
    }

    pub(crate) fn sm2() -> Self {
        Self::Sm2(yinxin_sm::SecretKey::generate(&mut SystemEntropy).unwrap())
    }

    /// Made by openssl, because ring makes none.
    pub(crate) fn rsa(bits: usize) -> Self {
        let output = openssl(&[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            &format!("rsa_keygen_bits:{bits}"),
            "-outform",
            "DER",
        ]);
        // PKCS #8 or PKCS #1, as the version of openssl likes.
        let pair = RsaKeyPair::from_pkcs8(&output.stdout)
            .or_else(|_| RsaKeyPair::from_der(&output.stdout));
        Self::Rsa(pair.unwrap())
    }

    /// The same, signing with PSS.
    pub(crate) fn rsa_pss(bits: usize) -> Self {
        match Self::rsa(bits) {
            Self::Rsa(pair) => Self::RsaPss(pair),
            other @ (Self::RsaPss(_) | Self::P256(_) | Self::Sm2(_)) => other,
        }
    }

    pub(crate) fn spki_der(&self) -> Vec<u8> {
        match self {
            Self::Rsa(pair) | Self::RsaPss(pair) => issue::rsa_spki_der(pair.public_key().as_ref()),
            Self::P256(pair) => issue::p256_spki_der(pair.public_key().as_ref()),
            Self::Sm2(key) => key.public_key().to_spki_der(),
        }
    }

    pub(crate) fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Rsa(_) => SignatureAlgorithm::RsaPkcs1Sha256,
            Self::RsaPss(_) => SignatureAlgorithm::RsaPss(Pss::SHA256),
            Self::P256(_) => SignatureAlgorithm::EcdsaP256Sha256,
            Self::Sm2(_) => SignatureAlgorithm::Sm2Sm3,
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::RsaPss(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Sm2(key) => key
                .sign(yinxin_sm::DEFAULT_DISTID, message, &mut SystemEntropy)
                .unwrap()
                .to_der(),
        }
    }
}

pub(crate) fn name(common_name: &str) -> Name {
    Name::new()
        .with(NameAttribute::Country, "CN")
        .with(NameAttribute::Organization, "示例市民政局")
        .with(NameAttribute::OrganizationalUnit, "DEV-ONLY")
        .with(NameAttribute::CommonName, common_name)
}

/// A self-signed authority's template.
pub(crate) fn template(key: &Key) -> CertificateTemplate {
    CertificateTemplate {
        serial: vec![0x91, 2, 3],
        issuer_der: name("签发者").to_der(),
        subject: name("签发者"),
        not_before: UnixSeconds(NOW.0 - 86_400),
        not_after: UnixSeconds(NOW.0 + 3 * YEAR),
        subject_spki_der: key.spki_der(),
        basic_constraints: BasicConstraints::Authority {
            path_length: Some(1),
        },
        key_usage: KeyUsage {
            digital_signature: true,
            content_commitment: true,
            ..KeyUsage::AUTHORITY
        },
        extended_key_usage: Vec::new(),
        subject_alt_dns: Vec::new(),
        subject_alt_ip: Vec::new(),
        authority_key_id: None,
        crl_distribution_point: None,
        other_extensions: Vec::new(),
    }
}

pub(crate) fn sign_certificate(template: &CertificateTemplate, key: &Key) -> Vec<u8> {
    let algorithm = key.algorithm();
    let tbs_der = template.tbs_der(&algorithm).unwrap();
    issue::assemble(&tbs_der, &algorithm, &key.sign(&tbs_der))
}

/// The certificate of [`template`].
pub(crate) fn self_signed(key: &Key) -> Certificate {
    Certificate::from_der(&sign_certificate(&template(key), key)).unwrap()
}

/// Whether openssl is there; says so when it is not.
pub(crate) fn openssl_or_skip() -> bool {
    let found = Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: openssl is not installed");
    }
    found
}

/// Runs openssl, which must succeed.
pub(crate) fn openssl(arguments: &[&str]) -> Output {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

pub(crate) fn file(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

pub(crate) fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// Every prefix, and every octet changed in three ways.
pub(crate) fn damaged(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let prefixes = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    let flips = (0..bytes.len()).flat_map(|index| {
        [0x01, 0x80, 0xff].map(|mask| {
            let mut changed = bytes.to_vec();
            changed[index] ^= mask;
            changed
        })
    });
    prefixes.chain(flips)
}
