//! A private key in memory.

use std::sync::Arc;

use pkcs8::PrivateKeyInfo;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use yinxin_pki::{SignatureAlgorithm, issue};
use zeroize::Zeroizing;

use crate::{DevKeysError, SystemEntropy};

/// The kinds of keys we make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA with a modulus of this many bits: 2048, 3072 or 4096.
    Rsa {
        /// Length of the modulus.
        bits: usize,
    },
    /// ECDSA on P-256.
    P256,
    /// SM2.
    Sm2,
}

/// A private key and what belongs to it. Cheap to clone; shows nothing of itself.
#[derive(Clone)]
pub struct DevKey(Arc<Inner>);

struct Inner {
    pkcs8_der: Zeroizing<Vec<u8>>,
    spki_der: Vec<u8>,
    signer: Signer,
}

enum Signer {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Sm2(yinxin_sm::SecretKey),
}

impl DevKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`DevKeysError::EntropyUnavailable`], [`DevKeysError::KeyNotMade`].
    pub fn generate(kind: KeyKind) -> Result<Self, DevKeysError> {
        let mut entropy = SystemEntropy::new()?;
        match kind {
            KeyKind::Rsa { bits } => {
                let not_made = |detail: String| DevKeysError::KeyNotMade {
                    kind: "RSA",
                    detail,
                };
                let key = RsaPrivateKey::new(&mut entropy, bits)
                    .map_err(|error| not_made(error.to_string()))?;
                let pkcs8_der = key
                    .to_pkcs8_der()
                    .map_err(|error| not_made(error.to_string()))?;
                Self::from_pkcs8_der(pkcs8_der.as_bytes())
            }
            KeyKind::P256 => {
                let pkcs8_der =
                    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, entropy.ring())
                        .map_err(|_| DevKeysError::EntropyUnavailable)?;
                Self::from_pkcs8_der(pkcs8_der.as_ref())
            }
            KeyKind::Sm2 => {
                let key = yinxin_sm::SecretKey::generate(&mut entropy).map_err(|error| {
                    DevKeysError::KeyNotMade {
                        kind: "SM2",
                        detail: error.to_string(),
                    }
                })?;
                Self::from_pkcs8_der(&key.to_pkcs8_der())
            }
        }
    }

    /// Reads an unencrypted PKCS #8 key of any of our kinds (RFC 5958).
    ///
    /// # Errors
    /// [`DevKeysError::KeyMalformed`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, DevKeysError> {
        let info = PrivateKeyInfo::try_from(der).map_err(malformed)?;
        let algorithm = info.algorithm;
        let (signer, spki_der) = if algorithm.oid == rsa::pkcs1::ALGORITHM_OID {
            let pair = RsaKeyPair::from_pkcs8(der).map_err(malformed)?;
            let spki_der = issue::rsa_spki_der(pair.public_key().as_ref());
            (Signer::Rsa(pair), spki_der)
        } else if let Ok(key) = yinxin_sm::SecretKey::from_pkcs8_der(der) {
            let spki_der = key.public_key().to_spki_der();
            (Signer::Sm2(key), spki_der)
        } else {
            let entropy = SystemEntropy::new()?;
            let pair =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, entropy.ring())
                    .map_err(malformed)?;
            let spki_der = issue::p256_spki_der(pair.public_key().as_ref());
            (Signer::P256(pair), spki_der)
        };
        Ok(Self(Arc::new(Inner {
            pkcs8_der: Zeroizing::new(der.to_vec()),
            spki_der,
            signer,
        })))
    }

    /// The unencrypted PKCS #8 key.
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.0.pkcs8_der
    }

    /// The `SubjectPublicKeyInfo`.
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki_der
    }

    /// The algorithm this key signs with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.signer {
            Signer::Rsa(_) => SignatureAlgorithm::RsaPkcs1Sha256,
            Signer::P256(_) => SignatureAlgorithm::EcdsaP256Sha256,
            Signer::Sm2(_) => SignatureAlgorithm::Sm2Sm3,
        }
    }

    /// The signature over `message`: PKCS #1 v1.5, or DER `SEQUENCE { r, s }`. SM2 uses the default
    /// distinguished identifier.
    ///
    /// # Errors
    /// [`DevKeysError::NotSigned`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, DevKeysError> {
        let mut entropy = SystemEntropy::new()?;
        let kind = self.algorithm().name();
        let not_signed = || DevKeysError::NotSigned { kind };
        match &self.0.signer {
            Signer::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, entropy.ring(), message, &mut signature)
                    .map_err(|_| not_signed())?;
                Ok(signature)
            }
            Signer::P256(pair) => pair
                .sign(entropy.ring(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| not_signed()),
            Signer::Sm2(key) => key
                .sign(yinxin_sm::DEFAULT_DISTID, message, &mut entropy)
                .map(|signature| signature.to_der())
                .map_err(|_| not_signed()),
        }
    }

    /// The signature over `message` with RSASSA-PSS, SHA-256 and 32 octets of salt.
    ///
    /// # Errors
    /// [`DevKeysError::NotSigned`], also for keys that are not RSA.
    pub fn sign_pss(&self, message: &[u8]) -> Result<Vec<u8>, DevKeysError> {
        let not_signed = || DevKeysError::NotSigned { kind: "RSA-PSS" };
        let Signer::Rsa(pair) = &self.0.signer else {
            return Err(not_signed());
        };
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(
            &RSA_PSS_SHA256,
            SystemEntropy::new()?.ring(),
            message,
            &mut signature,
        )
        .map_err(|_| not_signed())?;
        Ok(signature)
    }

    /// The SM2 key itself; `None` for the other kinds.
    pub fn sm2(&self) -> Option<&yinxin_sm::SecretKey> {
        match &self.0.signer {
            Signer::Sm2(key) => Some(key),
            Signer::Rsa(_) | Signer::P256(_) => None,
        }
    }
}

impl std::fmt::Debug for DevKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "DevKey({})", self.algorithm().name())
    }
}

fn malformed(error: impl std::fmt::Display) -> DevKeysError {
    DevKeysError::KeyMalformed {
        detail: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yinxin_pki::{PublicKey, verify_signature};

    #[test]
    fn a_key_of_each_kind_signs_and_comes_back_from_its_bytes() {
        for kind in [KeyKind::Rsa { bits: 2048 }, KeyKind::P256, KeyKind::Sm2] {
            let key = DevKey::generate(kind).unwrap();
            let again = DevKey::from_pkcs8_der(key.pkcs8_der()).unwrap();
            assert_eq!(key.spki_der(), again.spki_der());
            let public = PublicKey::from_spki_der(key.spki_der()).unwrap();
            let signature = again.sign(b"message").unwrap();
            verify_signature(&public, &key.algorithm(), b"message", &signature).unwrap();
            assert!(verify_signature(&public, &key.algorithm(), b"massage", &signature).is_err());
        }
    }

    #[test]
    fn bytes_that_are_no_key_are_refused() {
        assert!(matches!(
            DevKey::from_pkcs8_der(b"\x30\x00"),
            Err(DevKeysError::KeyMalformed { .. })
        ));
    }
}
