//! SM2 encryption (GB/T 32918.4), in the shape of GM/T 0009: what key centres wrap keys with.

use crate::{
    Entropy, Error, PublicKey, SecretKey, Sm3,
    arithmetic::{Affine, Arithmetic, Job, Scalar, multiple_of_point, run},
    declassify::declassify,
};
use der::{AnyRef, Decode as _, Encode as _, Sequence, Tag, Tagged as _, asn1::OctetStringRef};
use zeroize::{Zeroize as _, Zeroizing};

/// The longest ciphertext that is read. Keys are wrapped in 16 to 64 bytes; documents are not
/// encrypted with SM2.
const CIPHERTEXT_BYTES_MAX: usize = 64 * 1024;

/// An all-zero mask has probability 2^-8 for one byte: GB/T 32918.4, 6.1 A5 takes another k.
const MASKS_MAX: usize = 16;

/// What SM2 encryption gives.
///
/// ```text
/// SM2Cipher ::= SEQUENCE { XCoordinate INTEGER, YCoordinate INTEGER,
///                          HASH OCTET STRING (SIZE(32)), CipherText OCTET STRING }
/// ```
/// (GM/T 0009-2012, 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    /// C1.
    point: PublicKey,
    /// C3.
    hash: [u8; 32],
    /// C2.
    masked: Vec<u8>,
}

#[derive(Sequence)]
struct Sm2Cipher<'a> {
    x: AnyRef<'a>,
    y: AnyRef<'a>,
    hash: OctetStringRef<'a>,
    masked: OctetStringRef<'a>,
}

const MALFORMED: Error = Error::Malformed {
    structure: "SM2Cipher",
};

impl Ciphertext {
    /// Reads a DER SM2Cipher. Coordinates without their sign octet are taken.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::PublicKeyNotOnCurve`] for a point that is none.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        if der.len() > CIPHERTEXT_BYTES_MAX {
            return Err(MALFORMED);
        }
        let Ok(cipher) = Sm2Cipher::from_der(der) else {
            return Err(MALFORMED);
        };
        let mut sec1 = [4; 65];
        let [_, coordinates @ ..] = &mut sec1;
        for (place, coordinate) in coordinates.chunks_mut(32).zip([cipher.x, cipher.y]) {
            place.copy_from_slice(&magnitude(coordinate).ok_or(MALFORMED)?);
        }
        Ok(Self {
            point: PublicKey::from_sec1_bytes(&sec1)?,
            hash: cipher.hash.as_bytes().try_into().map_err(|_| MALFORMED)?,
            masked: cipher.masked.as_bytes().to_vec(),
        })
    }

    /// DER SM2Cipher.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let sec1 = self.point.to_sec1_bytes();
        let [_, coordinates @ ..] = &sec1;
        let (x, y) = coordinates.split_at(32);
        let (x, y) = (integer_content(x), integer_content(y));
        let number = |content| AnyRef::new(Tag::Integer, content).expect("33 bytes fit");
        let octets = |bytes| OctetStringRef::new(bytes).expect("a ciphertext fits");
        Sm2Cipher {
            x: number(&x),
            y: number(&y),
            hash: octets(&self.hash),
            masked: octets(&self.masked),
        }
        .to_der()
        .expect("a ciphertext of limited size can be encoded")
    }
}

/// The content octets of a non-negative INTEGER, minimal (X.690, 8.3.2).
fn integer_content(magnitude: &[u8]) -> Vec<u8> {
    let mut content = vec![0];
    content.extend(magnitude.iter().skip_while(|octet| **octet == 0));
    if let [0, second, ..] = content.as_slice()
        && second & 0x80 == 0
    {
        content.remove(0);
    }
    content
}

/// A non-negative INTEGER of up to 32 octets, whether or not its sign octet is there.
fn magnitude(number: AnyRef<'_>) -> Option<[u8; 32]> {
    if number.tag() != Tag::Integer {
        return None;
    }
    let octets = number.value();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let significant = octets.get(zeros..)?;
    let mut padded = [0; 32];
    let start = padded.len().checked_sub(significant.len())?;
    padded.get_mut(start..)?.copy_from_slice(significant);
    Some(padded)
}

impl PublicKey {
    /// Encrypts `message`, 1 byte to some KiB (GB/T 32918.4, 6.1).
    ///
    /// # Errors
    /// [`Error::EntropyUnavailable`]; [`Error::Malformed`] for a message that is empty or too long.
    pub fn encrypt(&self, message: &[u8], entropy: &mut dyn Entropy) -> Result<Ciphertext, Error> {
        if message.is_empty() || message.len() > CIPHERTEXT_BYTES_MAX / 2 {
            return Err(MALFORMED);
        }
        for _ in 0..MASKS_MAX {
            let ephemeral = SecretKey::generate(entropy)?;
            let shared = Shared::new(&ephemeral, self)?;
            let Some(mask) = shared.mask(message.len()) else {
                continue;
            };
            return Ok(Ciphertext {
                point: ephemeral.public_key().clone(),
                hash: shared.hash(message),
                masked: message.iter().zip(&*mask).map(|(m, t)| m ^ t).collect(),
            });
        }
        Err(Error::NoncesExhausted)
    }
}

impl SecretKey {
    /// Decrypts (GB/T 32918.4, 7.1).
    ///
    /// # Errors
    /// [`Error::DecryptionFailed`] for a ciphertext that was changed or made for another key.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, Error> {
        let shared = Shared::new(self, &ciphertext.point)?;
        let mask = shared
            .mask(ciphertext.masked.len())
            .ok_or(Error::DecryptionFailed)?;
        let masked = ciphertext.masked.iter().zip(&*mask);
        let message = Zeroizing::new(masked.map(|(c, t)| c ^ t).collect::<Vec<u8>>());
        let hash = Zeroizing::new(shared.hash(&message));
        let difference = (hash.iter().zip(&ciphertext.hash)).fold(0, |all, (a, b)| all | (a ^ b));
        if declassify(difference) != 0 {
            return Err(Error::DecryptionFailed);
        }
        Ok(message)
    }
}

/// x2 ‖ y2, known to both sides.
struct Shared(Zeroizing<[u8; 64]>);

impl Shared {
    fn new(secret: &SecretKey, public: &PublicKey) -> Result<Self, Error> {
        let d = Scalar::from_bytes(&secret.to_bytes()).ok_or(Error::SecretKeyOutOfRange)?;
        run(Multiply {
            d: Zeroizing::new(d),
            sec1: public.to_sec1_bytes(),
        })
        .ok_or(Error::FaultDetected)
        .map(Self)
    }

    /// t = KDF(x2 ‖ y2, klen) (GB/T 32918.4, 5.4.3); `None` when it is all zeros, or for no bytes.
    fn mask(&self, length: usize) -> Option<Zeroizing<Vec<u8>>> {
        let mut mask = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(32)));
        for counter in (1_u32..).take(length.div_ceil(32)) {
            let mut digest = Sm3::new();
            digest.update(self.0.as_ref());
            digest.update(&counter.to_be_bytes());
            let mut block = digest.finalize();
            mask.extend_from_slice(&block);
            block.zeroize();
        }
        mask.truncate(length);
        let any = mask.iter().fold(0, |all, octet| all | octet);
        (declassify(any) != 0).then_some(mask)
    }

    /// SM3(x2 ‖ M ‖ y2).
    fn hash(&self, message: &[u8]) -> [u8; 32] {
        let (x, y) = self.0.split_at(32);
        let mut digest = Sm3::new();
        for part in [x, message, y] {
            digest.update(part);
        }
        digest.finalize()
    }
}

struct Multiply {
    d: Zeroizing<Scalar>,
    sec1: [u8; 65],
}

impl Job for Multiply {
    type Output = Option<Zeroizing<[u8; 64]>>;

    fn run<A: Arithmetic>(self) -> Self::Output {
        let (_, coordinates) = self.sec1.split_first()?;
        let (x, y) = coordinates.split_at(32);
        let point = Affine::from_coordinates::<A>(x.try_into().ok()?, y.try_into().ok()?)?;
        let mut product = multiple_of_point::<A>(&point, &self.d);
        // A fault shows here, before anything depends on it.
        if declassify(product.on_curve::<A>()) == 0 {
            return None;
        }
        let (mut x, mut y) = product.coordinates::<A>();
        let mut shared = Zeroizing::new([0; 64]);
        let (first, second) = shared.split_at_mut(32);
        first.copy_from_slice(&x);
        second.copy_from_slice(&y);
        product.zeroize();
        x.zeroize();
        y.zeroize();
        Some(shared)
    }
}

#[cfg(test)]
mod tests;
