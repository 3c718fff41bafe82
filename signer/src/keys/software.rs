//! Keys in memory, opened once at start from encrypted PKCS#8 files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pkcs8::PrivateKeyInfo;
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::ObjectIdentifier;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use yinxin_pki::{SignatureAlgorithm, sm2_message_digest};
use yinxin_sm::{Error as SmError, SecretKey, Signature, SigningContext};

use super::{KeyStore, KeyStoreError, RsaPadding, key_file};
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
    Sm2(Sm2Key),
}

enum Sm2Key {
    /// Each signature takes its own fresh randomness, mixed with key and message.
    Fresh(Box<SecretKey>),
    /// With nonces prepared ahead. A request that finds none left prepares the next 512 itself,
    /// two to four milliseconds: less than writing its record to disk, and once in 512 requests.
    Prepared(Box<SigningContext>),
}

impl Sm2Key {
    fn secret_key(&self) -> &SecretKey {
        match self {
            Self::Fresh(key) => key,
            Self::Prepared(context) => context.secret_key(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SmError> {
        let entropy = &mut SystemEntropy::new();
        let digest = sm2_message_digest(self.secret_key().public_key(), message)?;
        match self {
            Self::Fresh(key) => key.sign_digest(&digest, entropy),
            Self::Prepared(context) => context.sign_digest(&digest, entropy),
        }
    }
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

/// Signatures withheld in this process, see [`withheld_signatures`].
static WITHHELD: AtomicU64 = AtomicU64::new(0);

/// How many signatures software keys have made and not given out since the process started,
/// because they failed the check that each one goes through. Anything but zero means that the
/// machine computes wrongly, or that somebody makes it do so.
#[must_use]
pub fn withheld_signatures() -> u64 {
    WITHHELD.load(Ordering::Relaxed)
}

/// Software keys by name.
#[derive(Default)]
pub struct SoftwareKeyStore {
    keys: BTreeMap<String, SoftwareKey>,
    prepares_nonces: bool,
    rsa_padding: RsaPadding,
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

    /// A store without keys whose SM2 keys will sign with nonces prepared ahead, in two thirds of
    /// the time. Not for a machine that can be resumed twice from one snapshot of its memory: both
    /// copies would use the same nonces, and two such signatures give the key away.
    #[must_use]
    pub fn with_prepared_nonces() -> Self {
        Self {
            prepares_nonces: true,
            ..Self::default()
        }
    }

    /// The same store, whose RSA keys sign with this padding and no other.
    #[must_use]
    pub fn with_rsa_padding(self, rsa_padding: RsaPadding) -> Self {
        Self {
            rsa_padding,
            ..self
        }
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
        let key =
            parse(pkcs8_der, self.prepares_nonces).map_err(|why| KeyStoreError::Unusable {
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

fn parse(pkcs8_der: &[u8], prepares_nonces: bool) -> Result<SoftwareKey, &'static str> {
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
        Ok(SM2P256V1) => {
            let key =
                SecretKey::from_pkcs8_der(pkcs8_der).map_err(|_| "the SM2 key is inconsistent")?;
            if !prepares_nonces {
                return Ok(SoftwareKey::Sm2(Sm2Key::Fresh(Box::new(key))));
            }
            let context = SigningContext::new(Arc::new(key));
            context
                .prepare(&mut SystemEntropy::new())
                .map_err(|_| "no nonces could be prepared: the system gives no randomness, or the machine computes wrongly")?;
            Ok(SoftwareKey::Sm2(Sm2Key::Prepared(Box::new(context))))
        }
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

/// Logs why an SM2 key did not sign, and counts what was withheld.
fn note_failure(key: &str, error: &SmError) {
    if *error == SmError::FaultDetected {
        WITHHELD.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            key,
            "a signature failed its own check and was withheld: the machine computes wrongly, or somebody makes it do so; take it out of service"
        );
    } else {
        tracing::error!(key, %error, "an SM2 key did not sign");
    }
}

impl KeyStore for SoftwareKeyStore {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        Ok(match self.key(key)? {
            SoftwareKey::Rsa { spki, .. } | SoftwareKey::P256 { spki, .. } => spki.clone(),
            SoftwareKey::Sm2(key) => key.secret_key().public_key().to_spki_der(),
        })
    }

    fn rsa_padding(&self, key: &str) -> Result<RsaPadding, KeyStoreError> {
        self.key(key).map(|_| self.rsa_padding)
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
            (SoftwareKey::Rsa { pair, .. }, asked) if *asked == self.rsa_padding.algorithm() => {
                let padding: &dyn RsaEncoding = match self.rsa_padding {
                    RsaPadding::Pkcs1 => &RSA_PKCS1_SHA256,
                    RsaPadding::Pss => &RSA_PSS_SHA256,
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| failed())?;
                Ok(signature)
            }
            (SoftwareKey::P256 { pair, .. }, SignatureAlgorithm::EcdsaP256Sha256) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| failed()),
            (SoftwareKey::Sm2(sm2), SignatureAlgorithm::Sm2Sm3) => sm2
                .sign(message)
                .map(|signature| signature.to_der())
                .map_err(|error| {
                    note_failure(key, &error);
                    failed()
                }),
            (other, _) => Err(KeyStoreError::WrongAlgorithm {
                key: key.to_owned(),
                kind: other.kind(),
                algorithm: algorithm.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_withheld_signature_counts_as_one() {
        let before = withheld_signatures();
        note_failure("key", &SmError::from(yinxin_sm::EntropyUnavailable));
        assert_eq!(withheld_signatures(), before);
        note_failure("key", &SmError::FaultDetected);
        assert_eq!(withheld_signatures(), before + 1);
    }
}
