//! Public keys: Z, the digest that is signed, and verification.

use crate::{Error, Signature, Sm3, distid, encoding, hexadecimal::Hexadecimal};
use sm2::{
    FieldBytes, ProjectivePoint, Scalar,
    elliptic_curve::{
        Group as _,
        ops::{LinearCombination as _, Reduce as _},
        point::AffineCoordinates as _,
        sec1::ToEncodedPoint as _,
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

    /// Whether `bytes` are this point, uncompressed or compressed.
    pub(crate) fn is_sec1(&self, bytes: &[u8]) -> bool {
        bytes == self.sec1 || bytes == self.point.to_encoded_point(true).as_bytes()
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

#[cfg(test)]
mod tests {
    use super::*;
    use sm2::elliptic_curve::PrimeField as _;

    /// A key and its secret scalar, which the tests solve equations with.
    fn key() -> (Scalar, PublicKey) {
        let d = Scalar::from(0x1234_5678_u64);
        let point = (ProjectivePoint::GENERATOR * d).to_affine();
        let point = sm2::PublicKey::from_affine(point).unwrap();
        (d, PublicKey::from_point(point))
    }

    fn signature(r: Scalar, s: Scalar) -> Signature {
        Signature::from_scalars(&r, &s).unwrap()
    }

    #[test]
    fn r_and_s_that_cancel_out_are_refused() {
        let (_, key) = key();
        let forged = signature(Scalar::ONE, -Scalar::ONE);
        assert_eq!(
            key.verify_digest(&[0; 32], &forged),
            Err(Error::SignatureMismatch)
        );
    }

    #[test]
    fn a_signature_that_leads_to_infinity_is_refused() {
        // s G + t P is infinity for s = -t d, and reading its x as 0 would accept e = r.
        let (d, key) = key();
        let t = Scalar::from(5_u64);
        let s = -(t * d);
        let r = t - s;
        let digest = r.to_repr().into();
        assert_eq!(
            key.verify_digest(&digest, &signature(r, s)),
            Err(Error::SignatureMismatch)
        );
    }

    #[test]
    fn a_digest_above_the_order_is_reduced() {
        // With k = 1 and e = 2^256 - 1, which is above n.
        let (d, key) = key();
        let e = Scalar::reduce_bytes(&FieldBytes::from([0xff; 32]));
        let x1 = Scalar::reduce_bytes(&ProjectivePoint::GENERATOR.to_affine().x());
        let r = e + x1;
        let s = (d + Scalar::ONE).invert().unwrap() * (Scalar::ONE - r * d);
        assert_eq!(key.verify_digest(&[0xff; 32], &signature(r, s)), Ok(()));
        assert!(key.verify_digest(&[0xfe; 32], &signature(r, s)).is_err());
    }

    #[test]
    fn only_uncompressed_points_of_the_curve_are_keys() {
        let (_, key) = key();
        let good = key.to_sec1_bytes();
        assert_eq!(PublicKey::from_sec1_bytes(&good), Ok(key.clone()));
        assert!(key.is_sec1(&good));
        let compressed = key.point.to_encoded_point(true);
        assert!(key.is_sec1(compressed.as_bytes()));
        assert!(!key.is_sec1(&good[1..]));

        let mut hybrid = good;
        hybrid[0] = 6 | (good[64] & 1);
        for (name, bytes) in [
            ("nothing", &[][..]),
            ("infinity", &[0]),
            ("compressed", compressed.as_bytes()),
            ("without its first byte", &good[1..]),
            ("hybrid", &hybrid),
            ("too long", &[&good[..], &[0]].concat()),
        ] {
            assert_eq!(
                PublicKey::from_sec1_bytes(bytes),
                Err(Error::PublicKeyForm {
                    length: bytes.len()
                }),
                "{name}"
            );
        }
        let mut off = good;
        off[64] ^= 1;
        let mut large = good;
        large[1..33].fill(0xff);
        for (name, bytes) in [("off the curve", off), ("x above p", large)] {
            assert_eq!(
                PublicKey::from_sec1_bytes(&bytes),
                Err(Error::PublicKeyNotOnCurve),
                "{name}"
            );
        }
    }

    #[test]
    fn identifiers_have_a_longest_length() {
        let (_, key) = key();
        assert!(key.z(&vec![b'x'; crate::DISTID_BYTES_MAX]).is_ok());
        assert_eq!(
            key.z(&vec![b'x'; crate::DISTID_BYTES_MAX + 1]),
            Err(Error::DistidTooLong { length: 8192 })
        );
        assert_ne!(key.z(b""), key.z(crate::DEFAULT_DISTID));
    }
}
