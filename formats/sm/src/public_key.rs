//! Public keys: Z, the digest that is signed, and verification.

use crate::{Error, Signature, Sm3, distid, encoding, hexadecimal::Hexadecimal};
use sm2::{
    FieldBytes, ProjectivePoint, Scalar,
    elliptic_curve::{
        Group as _,
        ops::{LinearCombination as _, Reduce as _},
        point::AffineCoordinates as _,
    },
};

/// A point of sm2p256v1 other than infinity.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    point: sm2::PublicKey,
    sec1: [u8; 65],
}

impl PublicKey {
    /// Reads the uncompressed form 04 ‖ X ‖ Y.
    ///
    /// # Errors
    /// [`Error::PublicKeyForm`] for any other form; [`Error::PublicKeyNotOnCurve`].
    pub fn from_sec1_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let sec1 = <[u8; 65]>::try_from(bytes)
            .ok()
            .filter(|sec1| sec1.first() == Some(&4))
            .ok_or(Error::PublicKeyForm {
                length: bytes.len(),
            })?;
        let point =
            sm2::PublicKey::from_sec1_bytes(&sec1).map_err(|_| Error::PublicKeyNotOnCurve)?;
        Ok(Self { point, sec1 })
    }

    pub(crate) fn from_point(point: sm2::PublicKey) -> Self {
        let sec1 = point
            .to_sec1_bytes()
            .as_ref()
            .try_into()
            .expect("an uncompressed point takes 65 bytes");
        Self { point, sec1 }
    }

    /// The uncompressed form 04 ‖ X ‖ Y.
    #[must_use]
    pub fn to_sec1_bytes(&self) -> [u8; 65] {
        self.sec1
    }

    /// Reads a DER SubjectPublicKeyInfo: id-ecPublicKey with the curve 1.2.156.10197.1.301
    /// (GM/T 0015-2012).
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::OtherAlgorithm`], [`Error::OtherCurve`], and as
    /// [`PublicKey::from_sec1_bytes`].
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        encoding::parse_spki(der)
    }

    /// DER SubjectPublicKeyInfo, 91 bytes.
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        encoding::write_spki(self)
    }

    /// Z: the digest of the identifier `distid`, the curve and this key (GB/T 32918.2, 5.5).
    ///
    /// # Errors
    /// [`Error::DistidTooLong`].
    pub fn z(&self, distid: &[u8]) -> Result<[u8; 32], Error> {
        let [_, coordinates @ ..] = &self.sec1;
        distid::z(distid, coordinates)
    }

    /// e = SM3(Z ‖ M): the digest that is signed.
    ///
    /// # Errors
    /// [`Error::DistidTooLong`].
    pub fn message_digest(&self, distid: &[u8], message: &[u8]) -> Result<[u8; 32], Error> {
        let mut digest = self.message_digester(distid)?;
        digest.update(message);
        Ok(digest.finalize())
    }

    /// SM3 that has taken in Z already, for a message that comes in pieces.
    ///
    /// # Errors
    /// [`Error::DistidTooLong`].
    pub fn message_digester(&self, distid: &[u8]) -> Result<Sm3, Error> {
        let mut digest = Sm3::new();
        digest.update(&self.z(distid)?);
        Ok(digest)
    }

    /// Checks a signature over `message` (GB/T 32918.2, 7.1).
    ///
    /// # Errors
    /// [`Error::SignatureMismatch`]; [`Error::DistidTooLong`].
    pub fn verify(
        &self,
        distid: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Error> {
        self.verify_digest(&self.message_digest(distid, message)?, signature)
    }

    /// Checks a signature over the digest e (GB/T 32918.2, 7.1, from B5).
    ///
    /// # Errors
    /// [`Error::SignatureMismatch`].
    pub fn verify_digest(&self, digest: &[u8; 32], signature: &Signature) -> Result<(), Error> {
        let e = Scalar::reduce_bytes(&FieldBytes::from(*digest));
        // B1 and B2: a Signature is in range.
        let (r, s) = signature.scalars();
        // B5
        let t = *r + *s;
        if bool::from(t.is_zero()) {
            return Err(Error::SignatureMismatch);
        }
        // B6
        let point = ProjectivePoint::lincomb(
            &ProjectivePoint::GENERATOR,
            &s,
            &self.point.to_projective(),
            &t,
        );
        if bool::from(point.is_identity()) {
            return Err(Error::SignatureMismatch);
        }
        // B7
        let x1 = Scalar::reduce_bytes(&point.to_affine().x());
        if e + x1 == *r {
            Ok(())
        } else {
            Err(Error::SignatureMismatch)
        }
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PublicKey")
            .field(&Hexadecimal(&self.sec1))
            .finish()
    }
}
