//! EMSA-PSS (RFC 8017 9.1) with MGF1 (B.2.1), and signatures whose salt ring does not take.

use num_bigint::BigUint;
use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};

use super::{Pss, PssHash};
use crate::PkiError;
use crate::public_key::{magnitude, read_rsa_integers};

const TRAILER: u8 = 0xbc;

impl PssHash {
    const fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        }
    }

    fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        digest(self.algorithm(), &parts.concat()).as_ref().to_vec()
    }
}

/// What a device raises to the private exponent for RSASSA-PSS with SHA-256: as long as the
/// modulus. `None` for a modulus of under 528 bits. The salt must be fresh and random.
#[must_use]
pub fn sha256_pss_encode(message: &[u8], modulus_bits: usize, salt: &[u8; 32]) -> Option<Vec<u8>> {
    encode(PssHash::Sha256, message, modulus_bits, salt)
}

/// EMSA-PSS-ENCODE (RFC 8017 9.1.1), with a zero in front where the modulus is one octet longer.
fn encode(hash: PssHash, message: &[u8], modulus_bits: usize, salt: &[u8]) -> Option<Vec<u8>> {
    let digest_bytes = usize::from(hash.digest_bytes());
    let encoded_bits = modulus_bits.checked_sub(1)?;
    let encoded_bytes = encoded_bits.div_ceil(8);
    // DB = zeros, 01, salt; behind it stand H and the trailer.
    let data_bytes = encoded_bytes.checked_sub(digest_bytes + 1)?;
    let zeros = data_bytes.checked_sub(1 + salt.len())?;
    let hashed = hash.digest(&[&[0; 8], &hash.digest(&[message]), salt]);
    let mut data = vec![0; zeros];
    data.push(0x01);
    data.extend_from_slice(salt);
    mask(hash, &hashed, &mut data);
    if let Some(first) = data.first_mut() {
        *first &= 0xff_u8 >> (8 * encoded_bytes - encoded_bits);
    }
    let mut encoded = vec![0; modulus_bits.div_ceil(8) - encoded_bytes];
    encoded.append(&mut data);
    encoded.extend_from_slice(&hashed);
    encoded.push(TRAILER);
    Some(encoded)
}

/// Adds MGF1 of `seed` to `data`.
fn mask(hash: PssHash, seed: &[u8], data: &mut [u8]) {
    let blocks = data.chunks_mut(hash.digest_bytes().into());
    for (counter, block) in (0_u32..).zip(blocks) {
        let mask = hash.digest(&[seed, &counter.to_be_bytes()]);
        for (octet, mask) in block.iter_mut().zip(mask) {
            *octet ^= mask;
        }
    }
}

/// The salt that is hidden in what a signature opens to, wherever it is and whatever else it says.
fn salt_of(pss: Pss, opened: &[u8], modulus_bits: usize) -> Option<Vec<u8>> {
    let encoded_bytes = modulus_bits.checked_sub(1)?.div_ceil(8);
    let encoded = opened.get(opened.len().checked_sub(encoded_bytes)?..)?;
    let (data, rest) = encoded
        .split_at_checked(encoded_bytes.checked_sub(usize::from(pss.hash().digest_bytes()) + 1)?)?;
    let (_, hashed) = rest.split_last()?;
    let mut data = data.to_vec();
    mask(pss.hash(), hashed, &mut data);
    let salt_at = data.len().checked_sub(pss.salt_bytes().into())?;
    data.get(salt_at..).map(<[u8]>::to_vec)
}

/// `Ok` if `signature` was made over `message` (RFC 8017 8.1.2): the salt is taken out, and with it
/// everything must come out again, octet for octet. The caller has checked the key's lengths.
pub(crate) fn verify(
    pss: Pss,
    pkcs1_der: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), PkiError> {
    let invalid = || PkiError::SignatureInvalid;
    let (modulus, exponent) = read_rsa_integers(pkcs1_der)?;
    let (Some(modulus), Some(exponent)) = (magnitude(modulus), magnitude(exponent)) else {
        return Err(invalid());
    };
    let modulus_bytes = modulus.len();
    let (modulus, exponent) = (
        BigUint::from_bytes_be(modulus),
        BigUint::from_bytes_be(exponent),
    );
    let value = BigUint::from_bytes_be(signature);
    // num-bigint's modpow is for odd moduli at this speed, and an even one is nobody's key.
    if signature.len() != modulus_bytes || value >= modulus || !modulus.bit(0) {
        return Err(invalid());
    }
    let power = value.modpow(&exponent, &modulus).to_bytes_be();
    let mut opened = vec![0; modulus_bytes.saturating_sub(power.len())];
    opened.extend_from_slice(&power);
    let modulus_bits = usize::try_from(modulus.bits()).map_err(|_| invalid())?;
    let salt = salt_of(pss, &opened, modulus_bits).ok_or_else(invalid)?;
    match encode(pss.hash(), message, modulus_bits, &salt) {
        Some(expected) if expected == opened => Ok(()),
        Some(_) | None => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_fills_the_modulus_stays_below_it_and_gives_its_salt_back() {
        for bits in [528, 2047, 2048, 2049, 2050] {
            let encoded = sha256_pss_encode(b"abc", bits, &[7; 32]).unwrap();
            assert_eq!(encoded.len(), bits.div_ceil(8), "{bits}");
            assert_eq!(encoded.last(), Some(&TRAILER));
            let value = BigUint::from_bytes_be(&encoded);
            assert!(value.bits() < bits as u64, "{bits}");
            assert_eq!(salt_of(Pss::SHA256, &encoded, bits).unwrap(), [7; 32]);
        }
        assert!(sha256_pss_encode(b"abc", 520, &[7; 32]).is_none());
        assert!(sha256_pss_encode(b"abc", 0, &[7; 32]).is_none());
    }
}
