//! Secret keys: making, keeping and signing.

use crate::{Entropy, EntropyUnavailable, Error, PublicKey, Signature, encoding};
use sm2::{
    FieldBytes, NonZeroScalar, ProjectivePoint, Scalar, Sm2,
    elliptic_curve::{
        Curve as _, FieldBytesEncoding as _, PrimeField as _,
        ops::{MulByGenerator as _, Reduce as _},
        point::AffineCoordinates as _,
    },
};
use zeroize::{Zeroize as _, Zeroizing};

/// Candidates out of range have probability 2^-32 each; two in a row mean a broken source.
const CANDIDATES_MAX: usize = 16;

/// A nonce that gives no signature has probability 2^-254.
const NONCES_MAX: usize = 4;

/// A secret key; wiped from memory when it goes out of scope, and never printed.
pub struct SecretKey {
    d: NonZeroScalar,
    /// (1 + d)^-1, as secret as d itself.
    inverse: Scalar,
    public_key: PublicKey,
}

impl SecretKey {
    /// A new key, uniform from 1 to n - 2.
    ///
    /// # Errors
    /// [`Error::EntropyUnavailable`].
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, Error> {
        for _ in 0..CANDIDATES_MAX {
            let mut candidate = Zeroizing::new([0; 32]);
            entropy.fill(candidate.as_mut())?;
            if let Ok(key) = Self::from_bytes(&candidate) {
                return Ok(key);
            }
        }
        Err(EntropyUnavailable.into())
    }

    /// From d, big-endian.
    ///
    /// # Errors
    /// [`Error::SecretKeyOutOfRange`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
        let mut repr = FieldBytes::from(*bytes);
        let scalar = Option::<Scalar>::from(Scalar::from_repr(repr));
        repr.zeroize();
        let scalar = Zeroizing::new(scalar.ok_or(Error::SecretKeyOutOfRange)?);
        let d = Option::<NonZeroScalar>::from(NonZeroScalar::new(*scalar))
            .ok_or(Error::SecretKeyOutOfRange)?;
        // n - 1 has no inverse of 1 + d; GB/T 32918.1, 6.1 ends at n - 2.
        let sum = Zeroizing::new(*scalar + Scalar::ONE);
        let inverse = Option::<Scalar>::from(sum.invert()).ok_or(Error::SecretKeyOutOfRange)?;
        let public_key = PublicKey::from_point(sm2::PublicKey::from_secret_scalar(&d));
        Ok(Self {
            d,
            inverse,
            public_key,
        })
    }

    /// d, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut repr = self.d.to_repr();
        let bytes = Zeroizing::new(repr.into());
        repr.zeroize();
        bytes
    }

    /// Reads an unencrypted DER PKCS#8 PrivateKeyInfo (RFC 5208, RFC 5958), with or without the
    /// curve repeated inside and the public key beside.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::OtherAlgorithm`], [`Error::OtherCurve`],
    /// [`Error::SecretKeyOutOfRange`], and [`Error::PublicKeyMismatch`] when a public key is
    /// there and belongs to another secret.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        encoding::parse_pkcs8(der)
    }

    /// Unencrypted DER PKCS#8 PrivateKeyInfo, 138 bytes, in the shape OpenSSL writes.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        encoding::write_pkcs8(self)
    }

    /// Reads a DER ECPrivateKey (RFC 5915) that names its curve.
    ///
    /// # Errors
    /// As [`SecretKey::from_pkcs8_der`].
    pub fn from_sec1_der(der: &[u8]) -> Result<Self, Error> {
        encoding::parse_sec1(der)
    }

    /// DER ECPrivateKey with curve and public key, 121 bytes.
    #[must_use]
    pub fn to_sec1_der(&self) -> Zeroizing<Vec<u8>> {
        encoding::write_sec1(self, encoding::Parameters::Written)
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Signs `message` under the identifier `distid` (GB/T 32918.2, 6.1).
    ///
    /// # Errors
    /// [`Error::EntropyUnavailable`]; [`Error::DistidTooLong`].
    pub fn sign(
        &self,
        distid: &[u8],
        message: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Signature, Error> {
        self.sign_digest(&self.public_key.message_digest(distid, message)?, entropy)
    }

    /// Signs the digest e = SM3(Z ‖ M); see [`PublicKey::message_digest`].
    ///
    /// The nonce comes from key, digest and fresh randomness together (RFC 6979 with the
    /// additional data of its section 3.6): a source that repeats itself does not give the key
    /// away, and neither does a fault that repeats a message.
    ///
    /// # Errors
    /// [`Error::EntropyUnavailable`].
    pub fn sign_digest(
        &self,
        digest: &[u8; 32],
        entropy: &mut dyn Entropy,
    ) -> Result<Signature, Error> {
        let e = Scalar::reduce_bytes(&FieldBytes::from(*digest));
        let order = sm2::U256::encode_field_bytes(&Sm2::ORDER);
        let mut secret = self.d.to_repr();
        let mut outcome = Err(Error::NoncesExhausted);
        for _ in 0..NONCES_MAX {
            let mut randomness = Zeroizing::new([0; 32]);
            if let Err(unavailable) = entropy.fill(randomness.as_mut()) {
                outcome = Err(unavailable.into());
                break;
            }
            let mut nonce = rfc6979::generate_k::<::sm3::Sm3, _>(
                &secret,
                &order,
                &e.to_repr(),
                randomness.as_ref(),
            );
            let k = Zeroizing::new(Scalar::reduce_bytes(&nonce));
            nonce.zeroize();
            if let Some(signature) = self.sign_with_nonce(&e, &k) {
                outcome = Ok(signature);
                break;
            }
        }
        secret.zeroize();
        outcome
    }

    /// A4 to A7; `None` when another nonce is needed.
    fn sign_with_nonce(&self, e: &Scalar, k: &Scalar) -> Option<Signature> {
        // A4
        let point = ProjectivePoint::mul_by_generator(k).to_affine();
        // A5
        let r = *e + Scalar::reduce_bytes(&point.x());
        let sum = Zeroizing::new(r + *k);
        if bool::from(r.is_zero() | sum.is_zero()) {
            return None;
        }
        // A6
        let product = Zeroizing::new(r * *self.d);
        let difference = Zeroizing::new(*k - *product);
        let s = self.inverse * *difference;
        // A7
        Signature::from_scalars(&r, &s)
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.d.zeroize();
        self.inverse.zeroize();
    }
}

impl std::fmt::Debug for SecretKey {
    /// The public key only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// The published example, recomputed with its own nonce.
#[cfg(test)]
mod tests;
