//! The structures of GM/T 0018 as bytes, read from outside our own types.

/// RSAref_MAX_LEN (GM/T 0018-2012, 5.5): a modulus of 2048 bits.
const RSA_FIELD_BYTES: usize = 256;

/// Longer than any structure we ask for, so that a library of the other layout does not write past
/// the end.
pub(super) const BUFFER_BYTES: usize = 1024;

/// What a buffer holds before the device writes; a byte of it left behind shows nothing, a byte
/// changed past the structure shows that the layout is another.
const UNTOUCHED: u8 = 0xa5;

/// How long the fields of the ECC structures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldLayout {
    /// ECCref_MAX_LEN = 64 (GM/T 0018-2012, 5.6): 32-byte values after 32 zero bytes.
    Bytes64,
    /// Machines from before the standard: fields of 32 bytes.
    Bytes32,
}

impl FieldLayout {
    const fn field_bytes(self) -> usize {
        match self {
            Self::Bytes64 => 64,
            Self::Bytes32 => 32,
        }
    }
}

/// Where a device writes a structure; aligned for its 32-bit members.
#[repr(C, align(8))]
pub(super) struct Buffer([u8; BUFFER_BYTES]);

impl Buffer {
    pub(super) const fn new() -> Self {
        Self([UNTOUCHED; BUFFER_BYTES])
    }

    pub(super) const fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    /// The first `length` bytes; `None` when the device wrote past them.
    pub(super) fn written(&self, length: usize) -> Option<&[u8]> {
        let (written, rest) = self.0.split_at_checked(length)?;
        rest.iter()
            .all(|octet| *octet == UNTOUCHED)
            .then_some(written)
    }
}

/// `ECCrefPublicKey { unsigned int bits; x[]; y[] }` as 04 ‖ X ‖ Y.
pub(super) fn ecc_public_key(
    buffer: &Buffer,
    layout: FieldLayout,
) -> Result<[u8; 65], &'static str> {
    let structure = buffer
        .written(4 + 2 * layout.field_bytes())
        .ok_or("the public key is longer than the configured layout")?;
    let (bits, fields) = structure
        .split_first_chunk()
        .ok_or("the public key is too short")?;
    if u32::from_ne_bytes(*bits) != 256 {
        return Err("the public key is not of 256 bits");
    }
    let (x, y) = fields.split_at(layout.field_bytes());
    let mut point = [4; 65];
    let (_, coordinates) = point.split_at_mut(1);
    for (field, place) in [x, y].into_iter().zip(coordinates.chunks_exact_mut(32)) {
        place.copy_from_slice(value(field).ok_or("a coordinate is longer than 32 bytes")?);
    }
    Ok(point)
}

/// `ECCSignature { r[]; s[] }` as r ‖ s, 32 bytes each.
pub(super) fn ecc_signature(
    buffer: &Buffer,
    layout: FieldLayout,
) -> Result<[u8; 64], &'static str> {
    let structure = buffer
        .written(2 * layout.field_bytes())
        .ok_or("the signature is longer than the configured layout")?;
    let (r, s) = structure.split_at(layout.field_bytes());
    let mut raw = [0; 64];
    for (field, place) in [r, s].into_iter().zip(raw.chunks_exact_mut(32)) {
        place.copy_from_slice(value(field).ok_or("r or s is longer than 32 bytes")?);
    }
    Ok(raw)
}

/// `RSArefPublicKey { unsigned int bits; m[256]; e[256] }` as modulus and exponent.
pub(super) fn rsa_public_key(buffer: &Buffer) -> Result<(&[u8], &[u8]), &'static str> {
    let structure = buffer
        .written(4 + 2 * RSA_FIELD_BYTES)
        .ok_or("the public key is longer than its structure")?;
    let (bits, fields) = structure
        .split_first_chunk()
        .ok_or("the public key is too short")?;
    let (modulus, exponent) = fields.split_at(RSA_FIELD_BYTES);
    if u32::from_ne_bytes(*bits) != 2048 || modulus.first().is_none_or(|octet| octet & 0x80 == 0) {
        return Err("the modulus is not of 2048 bits");
    }
    Ok((modulus, exponent))
}

/// The last 32 bytes of a field whose others are zero.
fn value(field: &[u8]) -> Option<&[u8]> {
    let (zeros, value) = field.split_last_chunk::<32>()?;
    zeros.iter().all(|octet| *octet == 0).then_some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test may fail loudly")]
    use super::*;

    fn buffer_with(bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::new();
        buffer.0[..bytes.len()].copy_from_slice(bytes);
        buffer
    }

    #[test]
    fn values_stand_at_the_right_of_64_byte_fields() {
        let mut structure = vec![0; 128];
        structure[32..64].fill(1);
        structure[96..].fill(2);
        let mut raw = [1; 64];
        raw[32..].fill(2);
        let good = buffer_with(&structure);
        assert_eq!(ecc_signature(&good, FieldLayout::Bytes64), Ok(raw));
        assert_eq!(
            ecc_signature(&buffer_with(&raw), FieldLayout::Bytes32),
            Ok(raw)
        );

        structure[0] = 1;
        assert!(ecc_signature(&buffer_with(&structure), FieldLayout::Bytes64).is_err());
    }

    #[test]
    fn the_other_layout_is_noticed() {
        let mut wide = vec![0; 128];
        wide[63] = 1;
        wide[127] = 1;
        assert!(ecc_signature(&buffer_with(&wide), FieldLayout::Bytes32).is_err());
        assert!(ecc_signature(&buffer_with(&[1; 64]), FieldLayout::Bytes64).is_err());
    }

    #[test]
    fn a_public_key_of_another_length_is_refused() {
        let mut structure = vec![0; 132];
        structure[..4].copy_from_slice(&256_u32.to_ne_bytes());
        let good = buffer_with(&structure);
        assert!(ecc_public_key(&good, FieldLayout::Bytes64).is_ok());
        structure[..4].copy_from_slice(&384_u32.to_ne_bytes());
        let other = buffer_with(&structure);
        assert!(ecc_public_key(&other, FieldLayout::Bytes64).is_err());
        assert!(rsa_public_key(&buffer_with(&[0; 516])).is_err());
    }
}
