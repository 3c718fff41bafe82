//! Key stores: the only code that touches a private key.

pub mod key_file;
mod router;
mod software;

pub use router::KeyRouter;
pub use software::{SoftwareKeyStore, withheld_signatures};

use yinxin_pki::{Pss, SignatureAlgorithm};

/// Why a key store did not sign.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The configuration names a key that no store holds.
    #[error("no key store holds a key named {key}")]
    NoSuchKey {
        /// The name asked for.
        key: String,
    },
    /// Two keys of one name: which one signs must never depend on chance.
    #[error("two keys are named {key}")]
    NameTaken {
        /// The name.
        key: String,
    },
    /// The key cannot make signatures of this algorithm.
    #[error("the key {key} is of kind {kind} and cannot sign with {algorithm:?}")]
    WrongAlgorithm {
        /// The key's name.
        key: String,
        /// What the key is.
        kind: &'static str,
        /// What was asked.
        algorithm: SignatureAlgorithm,
    },
    /// The key file is not a key we can use, or the passphrase is wrong.
    #[error("the key {key} cannot be opened: {why}")]
    Unusable {
        /// The key's name.
        key: String,
        /// What is wrong; never anything secret.
        why: String,
    },
    /// The PIN or password was refused. Devices count these and lock themselves: whoever meets
    /// this must not try the same one again.
    #[error("the PIN or password of {holder} was refused")]
    WrongPin {
        /// The token's label, or the key's name where each key has its own password.
        holder: String,
    },
    /// The device is not there, is lost, or gives no session.
    #[error("the device of the key {key} is unavailable: {operation} gave {answer}")]
    DeviceUnavailable {
        /// The key's name.
        key: String,
        /// The call of the device's interface.
        operation: &'static str,
        /// The device's answer, by the name its standard gives it.
        answer: String,
    },
    /// The device signs for others, and the line is full or the caller's time was up in it.
    #[error("the device {device} is busy: {limit} is {max}")]
    DeviceBusy {
        /// The device's name.
        device: String,
        /// Which limit was met.
        limit: &'static str,
        /// Its value.
        max: u64,
    },
    /// The device is there and refused.
    #[error("the device of the key {key} refused: {operation} gave {answer}")]
    DeviceRefused {
        /// The key's name.
        key: String,
        /// The call of the device's interface.
        operation: &'static str,
        /// The device's answer, by the name its standard gives it.
        answer: String,
    },
    /// The device said that all is well and gave what cannot be right.
    #[error("the device of the key {key} gave a broken answer: {why}")]
    BadAnswer {
        /// The key's name.
        key: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The device does not sign what its public key verifies: it must not be used.
    #[error("the self-test of the key {key} failed: {why}")]
    SelfTestFailed {
        /// The key's name.
        key: String,
        /// What differs.
        why: &'static str,
    },
    /// The signing operation itself failed.
    #[error("signing with the key {key} failed")]
    SigningFailed {
        /// The key's name.
        key: String,
    },
}

impl KeyStoreError {
    /// The stable name of what went wrong, for figures.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoSuchKey { .. } => "no-such-key",
            Self::NameTaken { .. } => "name-taken",
            Self::WrongAlgorithm { .. } => "wrong-algorithm",
            Self::Unusable { .. } => "unusable",
            Self::WrongPin { .. } => "wrong-pin",
            Self::DeviceUnavailable { .. } => "device-unavailable",
            Self::DeviceBusy { .. } => "device-busy",
            Self::DeviceRefused { .. } => "device-refused",
            Self::BadAnswer { .. } => "bad-answer",
            Self::SelfTestFailed { .. } => "self-test-failed",
            Self::SigningFailed { .. } => "signing-failed",
        }
    }
}

/// The padding of an RSA key's signatures. A key has one: whoever sees two of one key has more to
/// work with (RFC 8017 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RsaPadding {
    /// PKCS#1 v1.5, which every reader knows.
    #[default]
    Pkcs1,
    /// PSS with a salt of 32 octets.
    Pss,
}

impl RsaPadding {
    /// The algorithm of signatures with it; the hash is SHA-256.
    #[must_use]
    pub const fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Pkcs1 => SignatureAlgorithm::RsaPkcs1Sha256,
            Self::Pss => SignatureAlgorithm::RsaPss(Pss::SHA256),
        }
    }
}

/// Holds private keys and signs with them; it never hands one out.
pub trait KeyStore: Send + Sync {
    /// The DER SubjectPublicKeyInfo of a key, so that a certificate can be matched with it.
    ///
    /// # Errors
    /// [`KeyStoreError::NoSuchKey`].
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError>;

    /// How a key pads if it is an RSA key; of other keys it says nothing.
    ///
    /// # Errors
    /// [`KeyStoreError::NoSuchKey`].
    fn rsa_padding(&self, key: &str) -> Result<RsaPadding, KeyStoreError>;

    /// The signature over `message` (never over a digest of it): the RSA octets,
    /// DER `SEQUENCE { r, s }` for ECDSA and for SM2, the latter with Z of the default
    /// distinguishing identifier (GM/T 0009).
    ///
    /// # Errors
    /// As the variants of [`KeyStoreError`] say.
    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError>;
}
