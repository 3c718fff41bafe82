//! Secret keys: making, keeping and signing.

use crate::{Entropy, EntropyUnavailable, Error, PublicKey, Signature, encoding};
use crate::{
    arithmetic::{Arithmetic, Factor, Job, Scalar, multiple_of_g, run},
    declassify::declassify,
    sm3::Sm3,
};
use zeroize::{Zeroize as _, Zeroizing};

/// Candidates out of range have probability 2^-32 each; two in a row mean a broken source.
const CANDIDATES_MAX: usize = 16;

/// A nonce that gives no signature has probability 2^-32, being n or more nearly always.
const NONCES_MAX: usize = 8;

/// Keeps nonces apart from every other use of SM3 with the key; 32 bytes, so that it fills one
/// block with d.
const NONCE_LABEL: &[u8; 32] = b"Yinxin SM2 nonce, key + chance 1";

/// A secret key; wiped from memory when it goes out of scope, and never printed.
pub struct SecretKey {
    d: Scalar,
    d_factor: Factor,
    /// (1 + d)^-1, as secret as d itself.
    inverse: Factor,
    /// SM3 that has taken in d and the label: nonces begin here.
    nonces: Sm3,
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
        let d = Scalar::from_bytes(bytes).ok_or(Error::SecretKeyOutOfRange)?;
        let mut d = Zeroizing::new(d);
        // n - 1 has no inverse of 1 + d; GB/T 32918.1, 6.1 ends at n - 2.
        let sum = Zeroizing::new(d.add(&Scalar::ONE));
        if declassify(d.is_zero() | sum.is_zero()) != 0 {
            return Err(Error::SecretKeyOutOfRange);
        }
        let mut nonces = Sm3::new();
        nonces.update(bytes);
        nonces.update(NONCE_LABEL);
        let key = Self {
            d: *d,
            d_factor: d.to_factor(),
            inverse: sum.invert(),
            nonces,
            public_key: run(Derive(&d))?,
        };
        d.zeroize();
        Ok(key)
    }

    /// d, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.d.to_bytes())
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
    /// The nonce comes from key, digest and fresh randomness together (in the spirit of RFC
    /// 6979, section 3.6): a source that repeats itself does not give the key away, and neither
    /// does a fault that repeats a message. It is k = SM3(d ‖ label ‖ randomness ‖ e), taken
    /// again while not from 1 to n - 1.
    ///
    /// # Errors
    /// [`Error::EntropyUnavailable`]; [`Error::FaultDetected`].
    pub fn sign_digest(
        &self,
        digest: &[u8; 32],
        entropy: &mut dyn Entropy,
    ) -> Result<Signature, Error> {
        let e = Scalar::reduce_bytes(digest);
        for _ in 0..NONCES_MAX {
            let mut randomness = Zeroizing::new([0; 32]);
            entropy.fill(randomness.as_mut())?;
            let mut hash = self.nonces.clone();
            hash.update(randomness.as_ref());
            hash.update(digest);
            let Some(k) = nonce(hash) else { continue };
            if let Some(signature) = self.sign_with_nonce(&e, &k)? {
                return Ok(signature);
            }
        }
        Err(Error::NoncesExhausted)
    }

    /// A4 to A7; `None` when another nonce is needed.
    fn sign_with_nonce(&self, e: &Scalar, k: &Scalar) -> Result<Option<Signature>, Error> {
        let mut x1 = run(NoncePoint(k))?;
        let signature = self.sign_with_point(e, k, &x1);
        x1.zeroize();
        signature
    }

    /// A5 to A7 for a nonce and its point's x1 mod n; `None` when another is needed.
    pub(crate) fn sign_with_point(
        &self,
        e: &Scalar,
        k: &Scalar,
        x1: &Scalar,
    ) -> Result<Option<Signature>, Error> {
        // A5
        let r = e.add(x1);
        let sum = Zeroizing::new(r.add(k));
        // A6: s = (k - r d) / (1 + d) = (k + r) / (1 + d) - r
        let s = sum.multiply(&self.inverse).subtract(&r);
        if declassify(r.is_zero() | sum.is_zero() | s.is_zero()) != 0 {
            return Ok(None);
        }
        // The guard: s (1 + d) = k - r d, that is s + (r + s) d = k.
        let product = Zeroizing::new(r.add(&s).multiply(&self.d_factor));
        let right = Zeroizing::new(product.add(&s));
        if declassify(right.equal(k)) == 0 {
            return Err(Error::FaultDetected);
        }
        // A7
        let (r, s) = (declassify(r), declassify(s));
        Signature::from_scalars(&r, &s)
            .map(Some)
            .ok_or(Error::FaultDetected)
    }
}

/// The scalar a hash gives, when it is from 1 to n - 1; wipes the hash's state.
pub(crate) fn nonce(hash: Sm3) -> Option<Zeroizing<Scalar>> {
    let bytes = Zeroizing::new(hash.finalize());
    let k = Zeroizing::new(Scalar::from_bytes(&bytes)?);
    (declassify(k.is_zero()) == 0).then_some(k)
}

/// d G as a public key.
struct Derive<'a>(&'a Scalar);

impl Job for Derive<'_> {
    type Output = Result<PublicKey, Error>;

    fn run<A: Arithmetic>(self) -> Self::Output {
        let point = declassify(multiple_of_g::<A>(self.0));
        if point.on_curve::<A>() == 0 {
            return Err(Error::FaultDetected);
        }
        Ok(PublicKey::from_point::<A>(point))
    }
}

/// x1 mod n of k G, which must be on the curve.
struct NoncePoint<'a>(&'a Scalar);

impl Job for NoncePoint<'_> {
    type Output = Result<Scalar, Error>;

    fn run<A: Arithmetic>(self) -> Self::Output {
        let point = Zeroizing::new(multiple_of_g::<A>(self.0));
        if declassify(point.on_curve::<A>()) == 0 {
            return Err(Error::FaultDetected);
        }
        Ok(Scalar::reduce(&point.x.to_canonical::<A>()))
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.d.zeroize();
        self.d_factor.zeroize();
        self.inverse.zeroize();
        self.nonces.wipe();
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
