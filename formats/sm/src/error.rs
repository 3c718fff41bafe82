//! What can be wrong with keys, signatures and their encodings.

use crate::{DISTID_BYTES_MAX, EntropyUnavailable};

/// Why a key or signature was refused, or none could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A public key that is not the 65 bytes 04 ‖ X ‖ Y.
    #[error("a public key of {length} bytes is not the 65 bytes 04, X, Y")]
    PublicKeyForm {
        /// Length of what was given.
        length: usize,
    },
    /// A coordinate out of range, or a point that is not on sm2p256v1.
    #[error("the public key is not a point of the curve")]
    PublicKeyNotOnCurve,
    /// A secret key that is not from 1 to n - 2 (GB/T 32918.1, 6.1).
    #[error("the secret key is out of range")]
    SecretKeyOutOfRange,
    /// The public key stored beside a secret key belongs to another one.
    #[error("the stored public key does not belong to the secret key")]
    PublicKeyMismatch,
    /// The bytes are not the structure they should be.
    #[error("no valid {structure}")]
    Malformed {
        /// `SubjectPublicKeyInfo`, `PrivateKeyInfo`, `ECPrivateKey`, `SM2Cipher`,
        /// `SM2EnvelopedKey`.
        structure: &'static str,
    },
    /// A key of another algorithm than id-ecPublicKey.
    #[error("the key's algorithm is {oid}")]
    OtherAlgorithm {
        /// The algorithm found.
        oid: String,
    },
    /// A key on another curve than sm2p256v1, or without a named curve.
    #[error("the key's curve is {}", .oid.as_deref().unwrap_or("not named"))]
    OtherCurve {
        /// The curve found; `None` when there is no curve name.
        oid: Option<String>,
    },
    /// A distinguishing identifier whose bit length does not fit two bytes.
    #[error("a distinguishing identifier of {length} bytes, more than {DISTID_BYTES_MAX}")]
    DistidTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Bytes in none of the encodings of a signature.
    #[error("{length} bytes that are no SM2 signature")]
    SignatureForm {
        /// Length of what was given.
        length: usize,
    },
    /// r or s is not from 1 to n - 1 (GB/T 32918.2, 7.1 B1 and B2).
    #[error("r or s of the signature is out of range")]
    SignatureOutOfRange,
    /// The signature does not belong to this message, key and identifier.
    #[error("the signature does not verify")]
    SignatureMismatch,
    /// The ciphertext was changed, or made for another key.
    #[error("the ciphertext was changed, or made for another key")]
    DecryptionFailed,
    /// There is no randomness to be had.
    #[error(transparent)]
    EntropyUnavailable(#[from] EntropyUnavailable),
    /// No nonce gave a signature, which a working source of randomness does not let happen.
    #[error("no nonce gave a signature")]
    NoncesExhausted,
    /// A signature, or a point on the way to it, failed the algebra that must hold before it
    /// leaves (the nonce's point on the curve, s (1 + d) = k - r d): the machine computed
    /// wrongly, and what it computed could give the key away.
    #[error("the machine computed wrongly; nothing was released")]
    FaultDetected,
    /// This machine computes published test vectors wrongly.
    #[error("the self-test of {part} failed")]
    SelfTest {
        /// What went wrong: `SM3`, `Z`, `e`, `verification`, `public key`,
        /// `signing` or `prepared signing`.
        part: &'static str,
    },
}
