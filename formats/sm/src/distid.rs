//! The distinguishing identifier and the digest Z that binds it to a public key.

use crate::{Error, Sm3, hexadecimal::bytes32};

/// The identifier used where nobody chose one (GM/T 0009-2012, clause 10).
pub const DEFAULT_DISTID: &[u8] = b"1234567812345678";

/// The longest identifier: its length in bits must fit two bytes (GB/T 32918.2, 5.5).
pub const DISTID_BYTES_MAX: usize = 0xffff / 8;

// sm2p256v1 (GB/T 32918.5): what goes into Z besides identifier and key.
const A: [u8; 32] = bytes32("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC");
const B: [u8; 32] = bytes32("28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93");
const G_X: [u8; 32] = bytes32("32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7");
const G_Y: [u8; 32] = bytes32("BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0");

/// Z = SM3(ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA) (GB/T 32918.2, 5.5).
///
/// `coordinates` is xA ‖ yA.
pub(crate) fn z(distid: &[u8], coordinates: &[u8]) -> Result<[u8; 32], Error> {
    let bits = distid
        .len()
        .checked_mul(8)
        .and_then(|bits| u16::try_from(bits).ok())
        .ok_or(Error::DistidTooLong {
            length: distid.len(),
        })?;
    let mut digest = Sm3::new();
    digest.update(&bits.to_be_bytes());
    for part in [distid, &A, &B, &G_X, &G_Y, coordinates] {
        digest.update(part);
    }
    Ok(digest.finalize())
}
