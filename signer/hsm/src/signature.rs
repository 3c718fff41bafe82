//! The forms of what goes into a device and of what comes out of it.

use ring::digest::{SHA256, digest};
use yinxin_pki::tlv;
use yinxin_sm::Signature;

/// DigestInfo of SHA-256 without the digest (RFC 8017, 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The order of P-256 (SEC 2, 2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// SHA-256 of a message.
pub(crate) fn sha256(message: &[u8]) -> Vec<u8> {
    digest(&SHA256, message).as_ref().to_vec()
}

/// `DigestInfo ::= SEQUENCE { digestAlgorithm, digest OCTET STRING }` over `message`
/// (RFC 8017, 9.2).
pub(crate) fn sha256_digest_info(message: &[u8]) -> Vec<u8> {
    let mut info = SHA256_DIGEST_INFO.to_vec();
    info.extend_from_slice(digest(&SHA256, message).as_ref());
    info
}

/// EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 9.2): 00 01 FF…FF 00 DigestInfo, as long as the modulus.
/// `None` for a modulus of under 62 octets.
pub(crate) fn pkcs1_padded(message: &[u8], modulus_bytes: usize) -> Option<Vec<u8>> {
    let info = sha256_digest_info(message);
    let padding = modulus_bytes.checked_sub(info.len() + 3)?;
    if padding < 8 {
        return None;
    }
    let mut padded = vec![0x00, 0x01];
    padded.resize(2 + padding, 0xff);
    padded.push(0x00);
    padded.extend_from_slice(&info);
    Some(padded)
}

/// r ‖ s of a P-256 key as DER `SEQUENCE { r, s }`; `None` unless it is 64 octets and both are from
/// 1 to n - 1.
pub(crate) fn p256_der(raw: &[u8]) -> Option<Vec<u8>> {
    let raw: &[u8; 64] = raw.try_into().ok()?;
    let (r, s) = raw.split_at(32);
    for value in [r, s] {
        if value.iter().all(|octet| *octet == 0) || value >= P256_ORDER.as_slice() {
            return None;
        }
    }
    Some(tlv::sequence(&[
        &tlv::unsigned_integer(r),
        &tlv::unsigned_integer(s),
    ]))
}

/// r ‖ s of an SM2 key as DER; `None` unless both are in range.
pub(crate) fn sm2_der_from_raw(raw: &[u8]) -> Option<Vec<u8>> {
    let raw: &[u8; 64] = raw.try_into().ok()?;
    Signature::from_raw(raw)
        .ok()
        .map(|signature| signature.to_der())
}

/// An SM2 signature in DER, perhaps without sign octets, as strict DER.
pub(crate) fn sm2_der_from_der(der: &[u8]) -> Option<Vec<u8>> {
    match Signature::from_field_bytes(der) {
        Ok((signature, yinxin_sm::Encoding::Der | yinxin_sm::Encoding::DerWithoutSignByte)) => {
            Some(signature.to_der())
        }
        Ok((_, yinxin_sm::Encoding::Raw)) | Err(_) => None,
    }
}

/// SubjectPublicKeyInfo of an RSA key from its big-endian integers; leading zeros are dropped.
pub(crate) fn rsa_spki_der(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    yinxin_pki::issue::rsa_spki_der(&tlv::sequence(&[
        &tlv::unsigned_integer(modulus),
        &tlv::unsigned_integer(exponent),
    ]))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may fail loudly"
    )]
    use super::*;

    #[test]
    fn the_padding_fills_the_modulus_and_ends_with_the_digest() {
        let padded = pkcs1_padded(b"abc", 256).unwrap();
        assert_eq!(padded.len(), 256);
        assert_eq!(padded[..3], [0, 1, 0xff]);
        assert_eq!(padded[256 - 52], 0);
        assert_eq!(padded[256 - 32..], sha256(b"abc"));
        assert!(pkcs1_padded(b"abc", 61).is_none());
        assert!(pkcs1_padded(b"abc", 62).is_some());
    }

    #[test]
    fn values_out_of_range_are_no_signature() {
        let mut raw = [1_u8; 64];
        assert!(p256_der(&raw).is_some());
        assert!(p256_der(&raw[..63]).is_none());
        raw[..32].copy_from_slice(&P256_ORDER);
        assert!(p256_der(&raw).is_none());
        raw[..32].fill(0);
        assert!(p256_der(&raw).is_none());
        assert!(sm2_der_from_raw(&[0; 64]).is_none());
        assert!(sm2_der_from_raw(&[1; 64]).is_some());
        assert!(sm2_der_from_der(&[1; 64]).is_none());
    }
}
