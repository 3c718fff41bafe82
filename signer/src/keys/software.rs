//! Keys in memory, opened once at start from encrypted PKCS#8 files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use pkcs8::PrivateKeyInfo;
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::ObjectIdentifier;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use yinxin_pki::SignatureAlgorithm;
use yinxin_sm::{DEFAULT_DISTID, Entropy};

use super::{KeyStore, KeyStoreError, key_file};
use crate::ports::SystemEntropy;

/// rsaEncryption (RFC 8017, A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-ecPublicKey (RFC 5480, 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// secp256r1 (RFC 5480, 2.1.1.1).
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// The SM2 curve (GB/T 33560, table A.1).
const SM2P256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");

enum SoftwareKey {
    Rsa { pair: RsaKeyPair, spki: Vec<u8> },
    P256 { pair: EcdsaKeyPair, spki: Vec<u8> },
    Sm2(yinxin_sm::SecretKey),
}

impl SoftwareKey {
    fn kind(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::P256 { .. } => "EC P-256",
            Self::Sm2(_) => "SM2",
        }
    }
}

/// Software keys by name.
#[derive(Default)]
pub struct SoftwareKeyStore {
    keys: BTreeMap<String, SoftwareKey>,
}

impl std::fmt::Debug for SoftwareKeyStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.keys.keys()).finish()
    }
}

impl SoftwareKeyStore {
    /// A store without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens an encrypted PKCS#8 file (PEM `ENCRYPTED PRIVATE KEY` or the same in DER, PBES2) and
    /// keeps its key under `name`. RSA of 2048 to 4096 bits, EC P-256 and SM2 are known.
    ///
    /// # Errors
    /// [`KeyStoreError::NameTaken`]; [`KeyStoreError::Unusable`] when the file is not encrypted,
    /// the passphrase is wrong, or the key is of another kind.
    pub fn open_encrypted(
        &mut self,
        name: &str,
        file: &[u8],
        passphrase: &[u8],
    ) -> Result<(), KeyStoreError> {
        let clear =
            key_file::decrypt(file, passphrase).map_err(|error| KeyStoreError::Unusable {
                key: name.to_owned(),
                why: error.to_string(),
            })?;
        self.insert(name, &clear)
    }

    /// Keeps an unencrypted DER PKCS#8 key under `name`.
    ///
    /// # Errors
    /// As [`SoftwareKeyStore::open_encrypted`].
    pub fn insert(&mut self, name: &str, pkcs8_der: &[u8]) -> Result<(), KeyStoreError> {
        let key = parse(pkcs8_der).map_err(|why| KeyStoreError::Unusable {
            key: name.to_owned(),
            why: why.to_owned(),
        })?;
        match self.keys.entry(name.to_owned()) {
            Entry::Occupied(_) => Err(KeyStoreError::NameTaken {
                key: name.to_owned(),
            }),
            Entry::Vacant(place) => {
                place.insert(key);
                Ok(())
            }
        }
    }

    fn key(&self, name: &str) -> Result<&SoftwareKey, KeyStoreError> {
        self.keys.get(name).ok_or_else(|| KeyStoreError::NoSuchKey {
            key: name.to_owned(),
        })
    }
}

fn parse(pkcs8_der: &[u8]) -> Result<SoftwareKey, &'static str> {
    let info = PrivateKeyInfo::from_der(pkcs8_der).map_err(|_| "the PKCS#8 inside is broken")?;
    if info.algorithm.oid == RSA_ENCRYPTION {
        let pair = RsaKeyPair::from_pkcs8(pkcs8_der)
            .map_err(|_| "the RSA key is not of 2048 to 4096 bits, or is inconsistent")?;
        let spki = spki(RSA_ENCRYPTION, None, pair.public_key().as_ref());
        return Ok(SoftwareKey::Rsa { pair, spki });
    }
    if info.algorithm.oid != EC_PUBLIC_KEY {
        return Err("the key is neither RSA nor on an elliptic curve");
    }
    match info.algorithm.parameters_oid() {
        Ok(SECP256R1) => {
            let pair = EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                pkcs8_der,
                &SystemRandom::new(),
            )
            .map_err(|_| "the P-256 key is inconsistent")?;
            let spki = spki(EC_PUBLIC_KEY, Some(SECP256R1), pair.public_key().as_ref());
            Ok(SoftwareKey::P256 { pair, spki })
        }
        Ok(SM2P256V1) => yinxin_sm::SecretKey::from_pkcs8_der(pkcs8_der)
            .map(SoftwareKey::Sm2)
            .map_err(|_| "the SM2 key is inconsistent"),
        Ok(_) | Err(_) => Err("the key's curve is neither P-256 nor SM2"),
    }
}

fn spki(algorithm: ObjectIdentifier, curve: Option<ObjectIdentifier>, key: &[u8]) -> Vec<u8> {
    use yinxin_pki::tlv;
    let parameters = match curve {
        Some(curve) => tlv::oid(&curve.to_string()),
        None => tlv::null(),
    };
    let algorithm = tlv::sequence(&[&tlv::oid(&algorithm.to_string()), &parameters]);
    tlv::sequence(&[&algorithm, &tlv::bit_string(key)])
}

impl KeyStore for SoftwareKeyStore {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        Ok(match self.key(key)? {
            SoftwareKey::Rsa { spki, .. } | SoftwareKey::P256 { spki, .. } => spki.clone(),
            SoftwareKey::Sm2(secret) => secret.public_key().to_spki_der(),
        })
    }

    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        let failed = || KeyStoreError::SigningFailed {
            key: key.to_owned(),
        };
        match (self.key(key)?, algorithm) {
            (SoftwareKey::Rsa { pair, .. }, SignatureAlgorithm::RsaPkcs1Sha256) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map_err(|_| failed())?;
                Ok(signature)
            }
            (SoftwareKey::P256 { pair, .. }, SignatureAlgorithm::EcdsaP256Sha256) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| failed()),
            (SoftwareKey::Sm2(secret), SignatureAlgorithm::Sm2Sm3) => {
                let mut entropy = SystemEntropy::new();
                let entropy: &mut dyn Entropy = &mut entropy;
                secret
                    .sign(DEFAULT_DISTID, message, entropy)
                    .map(|signature| signature.to_der())
                    .map_err(|_| failed())
            }
            (other, _) => Err(KeyStoreError::WrongAlgorithm {
                key: key.to_owned(),
                kind: other.kind(),
                algorithm: algorithm.clone(),
            }),
        }
    }
}
