//! Public keys: Z, the digest that is signed, and verification.

use crate::{
    Error, Signature, Sm3,
    arithmetic::{Affine, Arithmetic, Job, KeyTable, Scalar, check_x_vartime, run},
    arithmetic::{sum_prepared_vartime, sum_vartime},
    distid, encoding,
    hexadecimal::Hexadecimal,
};

/// A point of sm2p256v1 other than infinity.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    point: Affine,
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
        run(Decode(sec1)).ok_or(Error::PublicKeyNotOnCurve)
    }

    pub(crate) fn from_point<A: Arithmetic>(point: Affine) -> Self {
        let (x, y) = point.coordinates::<A>();
        let mut sec1 = [4; 65];
        let [_, coordinates @ ..] = &mut sec1;
        let (first, second) = coordinates.split_at_mut(32);
        first.copy_from_slice(&x);
        second.copy_from_slice(&y);
        Self { point, sec1 }
    }

    /// The uncompressed form 04 ‖ X ‖ Y.
    #[must_use]
    pub fn to_sec1_bytes(&self) -> [u8; 65] {
        self.sec1
    }

    /// Whether `bytes` are this point, uncompressed or compressed.
    pub(crate) fn is_sec1(&self, bytes: &[u8]) -> bool {
        let [_, coordinates @ ..] = &self.sec1;
        let (x, y) = coordinates.split_at(32);
        let odd = y.last().is_some_and(|last| last & 1 == 1);
        bytes == self.sec1
            || bytes
                .split_first()
                .is_some_and(|(first, rest)| *first == 2 + u8::from(odd) && rest == x)
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
        run(Verify {
            point: &self.point,
            table: None,
            digest,
            signature,
        })
    }
}

/// A public key with a table of its multiples (148 KiB): its signatures are checked in about a
/// quarter of the time. Making the table takes as long as some ten verifications, so it pays
/// for keys that come again: a service's own, an authority's, a seal maker's.
pub struct PreparedPublicKey {
    key: PublicKey,
    table: KeyTable,
}

impl PreparedPublicKey {
    /// Computes the table of `key`.
    #[must_use]
    pub fn new(key: &PublicKey) -> Self {
        Self {
            table: run(Prepare(&key.point)),
            key: key.clone(),
        }
    }

    /// The key itself.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// As [`PublicKey::verify`].
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(
        &self,
        distid: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Error> {
        self.verify_digest(&self.key.message_digest(distid, message)?, signature)
    }

    /// As [`PublicKey::verify_digest`].
    ///
    /// # Errors
    /// [`Error::SignatureMismatch`].
    pub fn verify_digest(&self, digest: &[u8; 32], signature: &Signature) -> Result<(), Error> {
        run(Verify {
            point: &self.key.point,
            table: Some(&self.table),
            digest,
            signature,
        })
    }
}

impl std::fmt::Debug for PreparedPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PreparedPublicKey").field(&self.key).finish()
    }
}

/// Bytes that begin with 04, as a key.
struct Decode([u8; 65]);

impl Job for Decode {
    type Output = Option<PublicKey>;

    fn run<A: Arithmetic>(self) -> Self::Output {
        let [_, coordinates @ ..] = &self.0;
        let (x, y) = coordinates.split_first_chunk::<32>()?;
        let point = Affine::from_coordinates::<A>(x, y.first_chunk()?)?;
        Some(PublicKey {
            point,
            sec1: self.0,
        })
    }
}

struct Prepare<'a>(&'a Affine);

impl Job for Prepare<'_> {
    type Output = KeyTable;

    fn run<A: Arithmetic>(self) -> Self::Output {
        KeyTable::new::<A>(self.0)
    }
}

/// GB/T 32918.2, 7.1, from B5.
struct Verify<'a> {
    point: &'a Affine,
    table: Option<&'a KeyTable>,
    digest: &'a [u8; 32],
    signature: &'a Signature,
}

impl Job for Verify<'_> {
    type Output = Result<(), Error>;

    fn run<A: Arithmetic>(self) -> Self::Output {
        let e = Scalar::reduce_bytes(self.digest);
        // B1 and B2: a Signature is in range.
        let (r, s) = self.signature.scalars();
        // B5
        let t = r.add(&s);
        if t.is_zero() != 0 {
            return Err(Error::SignatureMismatch);
        }
        // B6
        let sum = match self.table {
            Some(table) => sum_prepared_vartime::<A>(&s, table, &t),
            None => sum_vartime::<A>(&s, self.point, &t),
        };
        // B7: infinity has no x and is refused.
        if check_x_vartime::<A>(&sum, &r.subtract(&e)) {
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
    use crate::arithmetic::{Portable, multiple_of_g};

    /// A key and its secret scalar, which the tests solve equations with.
    fn key() -> (Scalar, PublicKey) {
        let d = scalar(0x1234_5678);
        let point = multiple_of_g::<Portable>(&d);
        (d, PublicKey::from_point::<Portable>(point))
    }

    fn scalar(value: u64) -> Scalar {
        Scalar::from_limbs([value, 0, 0, 0]).unwrap()
    }

    /// Both ways of verifying, which must agree.
    fn verify(key: &PublicKey, digest: &[u8; 32], signature: &Signature) -> Result<(), Error> {
        let answer = key.verify_digest(digest, signature);
        let prepared = PreparedPublicKey::new(key);
        assert_eq!(prepared.verify_digest(digest, signature), answer);
        answer
    }

    fn signature(r: Scalar, s: Scalar) -> Signature {
        Signature::from_scalars(&r, &s).unwrap()
    }

    #[test]
    fn r_and_s_that_cancel_out_are_refused() {
        let (_, key) = key();
        let forged = signature(Scalar::ONE, Scalar::default().subtract(&Scalar::ONE));
        assert_eq!(
            verify(&key, &[0; 32], &forged),
            Err(Error::SignatureMismatch)
        );
    }

    #[test]
    fn a_signature_that_leads_to_infinity_is_refused() {
        // s G + t P is infinity for s = -t d, and reading its x as 0 would accept e = r.
        let (d, key) = key();
        let t = scalar(5);
        let s = Scalar::default().subtract(&t.multiply(&d.to_factor()));
        let r = t.subtract(&s);
        let digest = r.to_bytes();
        assert_eq!(
            verify(&key, &digest, &signature(r, s)),
            Err(Error::SignatureMismatch)
        );
    }

    #[test]
    fn a_digest_above_the_order_is_reduced() {
        // With k = 1 and e = 2^256 - 1, which is above n.
        let (d, key) = key();
        let e = Scalar::reduce_bytes(&[0xff; 32]);
        let g = multiple_of_g::<Portable>(&Scalar::ONE);
        let r = e.add(&Scalar::reduce_bytes(&g.coordinates::<Portable>().0));
        let inverse = d.add(&Scalar::ONE).invert();
        let s = Scalar::ONE
            .subtract(&r.multiply(&d.to_factor()))
            .multiply(&inverse);
        assert_eq!(verify(&key, &[0xff; 32], &signature(r, s)), Ok(()));
        assert!(verify(&key, &[0xfe; 32], &signature(r, s)).is_err());
    }

    #[test]
    fn only_uncompressed_points_of_the_curve_are_keys() {
        let (_, key) = key();
        let good = key.to_sec1_bytes();
        assert_eq!(PublicKey::from_sec1_bytes(&good), Ok(key.clone()));
        assert!(key.is_sec1(&good));
        let compressed = [&[2 | (good[64] & 1)], &good[1..33]].concat();
        assert!(key.is_sec1(&compressed));
        assert!(!key.is_sec1(&[&[3 ^ (good[64] & 1)], &good[1..33]].concat()));
        assert!(!key.is_sec1(&good[1..]));

        let mut hybrid = good;
        hybrid[0] = 6 | (good[64] & 1);
        for (name, bytes) in [
            ("nothing", &[][..]),
            ("infinity", &[0]),
            ("compressed", &compressed),
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
