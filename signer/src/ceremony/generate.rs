//! New keys for the software store.

use std::fmt;
use std::str::FromStr;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::OsRng;
use yinxin_pki::{PublicKey, SignatureAlgorithm};
use zeroize::Zeroizing;

use crate::ports::SystemEntropy;

/// The kinds of keys that seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, 2048 bits.
    Rsa2048,
    /// RSA, 3072 bits.
    Rsa3072,
    /// RSA, 4096 bits.
    Rsa4096,
    /// ECDSA on P-256.
    P256,
    /// SM2.
    Sm2,
}

impl KeyKind {
    /// All of them, as they are written.
    pub const ALL: [Self; 5] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::P256,
        Self::Sm2,
    ];

    /// `rsa-2048`, `rsa-3072`, `rsa-4096`, `p-256`, `sm2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::P256 => "p-256",
            Self::Sm2 => "sm2",
        }
    }

    /// The length of an RSA modulus; `None` for the curves.
    #[must_use]
    pub const fn modulus_bits(self) -> Option<u16> {
        match self {
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
            Self::P256 | Self::Sm2 => None,
        }
    }

    /// How keys of this kind sign.
    #[must_use]
    pub const fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => SignatureAlgorithm::RsaPkcs1Sha256,
            Self::P256 => SignatureAlgorithm::EcdsaP256Sha256,
            Self::Sm2 => SignatureAlgorithm::Sm2Sm3,
        }
    }

    /// What a public key is; `None` for one that we do not seal with.
    #[must_use]
    pub fn of_public_key(key: &PublicKey) -> Option<Self> {
        match key {
            PublicKey::Rsa { modulus_bits, .. } => Self::ALL
                .into_iter()
                .find(|kind| kind.modulus_bits().map(usize::from) == Some(*modulus_bits)),
            PublicKey::EcP256 { .. } => Some(Self::P256),
            PublicKey::Sm2(_) => Some(Self::Sm2),
            PublicKey::Unsupported { .. } => None,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for KeyKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| format!("there is no kind {text}; use one of {names}"))
    }
}

/// Why no key was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// The system's generator failed.
    #[error("the system gives no randomness")]
    EntropyUnavailable,
    /// The maker of keys refused.
    #[error("no {kind} key was made: {detail}")]
    NotMade {
        /// What was asked for.
        kind: KeyKind,
        /// Its own words; never anything secret.
        detail: String,
    },
}

/// A new key as unencrypted DER PKCS#8, from the system's randomness.
///
/// RSA keys are made by the `rsa` crate, because ring makes none; they sign with ring
/// (RUSTSEC-2023-0071 is about private operations, not about making keys).
///
/// # Errors
/// [`GenerateError`].
pub fn generate(kind: KeyKind) -> Result<Zeroizing<Vec<u8>>, GenerateError> {
    let not_made = |detail: String| GenerateError::NotMade { kind, detail };
    if let Some(bits) = kind.modulus_bits() {
        let key = RsaPrivateKey::new(&mut OsRng, bits.into())
            .map_err(|error| not_made(error.to_string()))?;
        let der = key
            .to_pkcs8_der()
            .map_err(|error| not_made(error.to_string()))?;
        return Ok(Zeroizing::new(der.as_bytes().to_vec()));
    }
    if kind == KeyKind::P256 {
        return EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
            .map(|document| Zeroizing::new(document.as_ref().to_vec()))
            .map_err(|_| GenerateError::EntropyUnavailable);
    }
    yinxin_sm::SecretKey::generate(&mut SystemEntropy::new())
        .map(|key| key.to_pkcs8_der())
        .map_err(|error| not_made(error.to_string()))
}
