//! A signature (r, s) and the forms it is met in.

use crate::{Error, arithmetic::Scalar, hexadecimal::Hexadecimal};

/// An SM2 signature whose r and s are both from 1 to n - 1.
///
/// ```text
/// SM2Signature ::= SEQUENCE { R INTEGER, S INTEGER }     (GM/T 0009-2012, 7.3)
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    raw: [u8; 64],
}

/// The form a signature was met in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// DER, as the standards ask.
    Der,
    /// DER in all but an INTEGER without its leading 00, which the reader must take as positive.
    /// The example certificate printed in GM/T 0015-2012 has one.
    DerWithoutSignByte,
    /// 64 bytes r ‖ s, met inside seal signatures and CMS of some producers.
    Raw,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

impl Signature {
    /// Reads strict DER.
    ///
    /// # Errors
    /// [`Error::SignatureForm`] for anything else; [`Error::SignatureOutOfRange`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        match parse_sequence(der) {
            Some((raw, Encoding::Der)) => Self::from_raw(&raw),
            Some((_, Encoding::DerWithoutSignByte | Encoding::Raw)) | None => {
                Err(Error::SignatureForm { length: der.len() })
            }
        }
    }

    /// Reads r ‖ s, 32 bytes each.
    ///
    /// # Errors
    /// [`Error::SignatureOutOfRange`].
    pub fn from_raw(raw: &[u8; 64]) -> Result<Self, Error> {
        let signature = Self { raw: *raw };
        let (r, s) = signature.halves();
        if nonzero_scalar(r).is_some() && nonzero_scalar(s).is_some() {
            Ok(signature)
        } else {
            Err(Error::SignatureOutOfRange)
        }
    }

    /// Reads what producers in the field write, and says which form it was.
    ///
    /// # Errors
    /// [`Error::SignatureForm`] for any other form; [`Error::SignatureOutOfRange`].
    pub fn from_field_bytes(bytes: &[u8]) -> Result<(Self, Encoding), Error> {
        let (raw, encoding) = parse_sequence(bytes)
            .or_else(|| Some((<[u8; 64]>::try_from(bytes).ok()?, Encoding::Raw)))
            .ok_or(Error::SignatureForm {
                length: bytes.len(),
            })?;
        Ok((Self::from_raw(&raw)?, encoding))
    }

    /// DER: 8 to 72 bytes, 70 to 72 nearly always.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let (r, s) = self.halves();
        let mut integers = Vec::with_capacity(70);
        for magnitude in [r, s] {
            let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
            let magnitude = magnitude.get(zeros..).unwrap_or_default();
            let sign_byte = magnitude.first().is_some_and(|first| first & 0x80 != 0);
            integers.push(INTEGER);
            push_length(magnitude.len() + usize::from(sign_byte), &mut integers);
            if sign_byte {
                integers.push(0);
            }
            integers.extend_from_slice(magnitude);
        }
        let mut der = Vec::with_capacity(72);
        der.push(SEQUENCE);
        push_length(integers.len(), &mut der);
        der.extend_from_slice(&integers);
        der
    }

    /// r ‖ s, 32 bytes each.
    #[must_use]
    pub fn to_raw(&self) -> [u8; 64] {
        self.raw
    }

    /// From scalars; `None` when one of them is zero.
    pub(crate) fn from_scalars(r: &Scalar, s: &Scalar) -> Option<Self> {
        let mut raw = [0; 64];
        let (first, second) = raw.split_at_mut(32);
        first.copy_from_slice(&r.to_bytes());
        second.copy_from_slice(&s.to_bytes());
        Self::from_raw(&raw).ok()
    }

    pub(crate) fn scalars(&self) -> (Scalar, Scalar) {
        let (r, s) = self.halves();
        let checked = "both were checked when the signature was made";
        (
            nonzero_scalar(r).expect(checked),
            nonzero_scalar(s).expect(checked),
        )
    }

    fn halves(&self) -> (&[u8], &[u8]) {
        self.raw.split_at(32)
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (r, s) = self.halves();
        f.debug_struct("Signature")
            .field("r", &Hexadecimal(r))
            .field("s", &Hexadecimal(s))
            .finish()
    }
}

fn nonzero_scalar(bytes: &[u8]) -> Option<Scalar> {
    Scalar::from_bytes(bytes.try_into().ok()?).filter(|scalar| scalar.is_zero() == 0)
}

fn push_length(length: usize, out: &mut Vec<u8>) {
    out.push(u8::try_from(length).expect("two integers of 33 bytes stay below 128"));
}

/// r ‖ s out of `SEQUENCE { INTEGER, INTEGER }`; minimal lengths only, nothing after it.
fn parse_sequence(bytes: &[u8]) -> Option<([u8; 64], Encoding)> {
    let (content, rest) = parse_element(SEQUENCE, bytes)?;
    if !rest.is_empty() {
        return None;
    }
    let (r, rest) = parse_element(INTEGER, content)?;
    let (s, rest) = parse_element(INTEGER, rest)?;
    if !rest.is_empty() {
        return None;
    }
    let mut raw = [0; 64];
    let mut encoding = Encoding::Der;
    let (first, second) = raw.split_at_mut(32);
    for (content, half) in [(r, first), (s, second)] {
        let magnitude = match content.split_first() {
            None => return None,
            // Without its sign byte an INTEGER reads as negative.
            Some((0x80.., _)) => {
                encoding = Encoding::DerWithoutSignByte;
                content
            }
            Some((0, [])) => content,
            Some((0, magnitude)) if magnitude.first().is_some_and(|first| first & 0x80 != 0) => {
                magnitude
            }
            Some((0, _)) => return None,
            Some(_) => content,
        };
        let padding = half.len().checked_sub(magnitude.len())?;
        half.get_mut(padding..)?.copy_from_slice(magnitude);
    }
    Some((raw, encoding))
}

/// The content of the first element, which has `tag` and a length of one byte, and what follows.
fn parse_element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        [found, length @ ..=0x7f, rest @ ..] if *found == tag => {
            rest.split_at_checked(usize::from(*length))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: [u8; 32] = crate::hexadecimal::bytes32(
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123",
    );

    fn raw(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
        let mut raw = [0; 64];
        raw[..32].copy_from_slice(&r);
        raw[32..].copy_from_slice(&s);
        raw
    }

    fn small(value: u8) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[31] = value;
        bytes
    }

    fn below_n(by: u8) -> [u8; 32] {
        let mut bytes = N;
        bytes[31] -= by;
        bytes
    }

    #[test]
    fn r_and_s_are_from_one_to_n_minus_one() {
        for (name, r, s, good) in [
            ("one and n - 1", small(1), below_n(1), true),
            ("n - 1 and one", below_n(1), small(1), true),
            ("zero r", small(0), small(1), false),
            ("zero s", small(1), small(0), false),
            ("r is n", N, small(1), false),
            ("s is n", small(1), N, false),
            ("all ones", [0xff; 32], [0xff; 32], false),
        ] {
            let parsed = Signature::from_raw(&raw(r, s));
            assert_eq!(parsed.is_ok(), good, "{name}");
            if !good {
                assert_eq!(parsed, Err(Error::SignatureOutOfRange), "{name}");
            }
        }
    }

    #[test]
    fn der_goes_both_ways_at_every_length() {
        let mut lengths = std::collections::BTreeSet::new();
        for bytes in 1..=32 {
            for first in [0x01, 0x7f, 0x80, 0xfe] {
                let mut r = [0; 32];
                r[32 - bytes] = first;
                let signature = Signature::from_raw(&raw(r, below_n(7))).unwrap();
                let der = signature.to_der();
                lengths.insert(der.len());
                assert_eq!(Signature::from_der(&der), Ok(signature));
                assert_eq!(
                    Signature::from_field_bytes(&der),
                    Ok((signature, Encoding::Der))
                );
                assert_eq!(
                    Signature::from_field_bytes(&signature.to_raw()),
                    Ok((signature, Encoding::Raw))
                );
            }
        }
        assert_eq!((lengths.first(), lengths.last()), (Some(&40), Some(&72)));
    }

    #[test]
    fn strict_der_refuses_every_other_spelling() {
        for (name, bytes) in [
            ("empty", &[][..]),
            ("empty sequence", &[0x30, 0]),
            ("empty integer", &[0x30, 5, 2, 0, 2, 1, 1]),
            ("padded integer", &[0x30, 7, 2, 2, 0, 1, 2, 1, 1]),
            ("negative integer", &[0x30, 6, 2, 1, 0x80, 2, 1, 1]),
            ("long length", &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1]),
            ("long inner length", &[0x30, 7, 2, 0x81, 1, 1, 2, 1, 1]),
            ("trailing byte", &[0x30, 6, 2, 1, 1, 2, 1, 1, 0]),
            ("third integer", &[0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1]),
            ("one integer", &[0x30, 3, 2, 1, 1]),
            ("another tag", &[0x31, 6, 2, 1, 1, 2, 1, 1]),
            ("cut off", &[0x30, 6, 2, 1, 1, 2, 1]),
        ] {
            assert_eq!(
                Signature::from_der(bytes),
                Err(Error::SignatureForm {
                    length: bytes.len()
                }),
                "{name}"
            );
        }
        let long = [&[0x30, 38, 2, 33][..], &[1; 33], &[2, 1, 1]].concat();
        assert!(
            Signature::from_der(&long).is_err(),
            "an integer of 33 bytes"
        );
        assert_eq!(
            Signature::from_der(&[0x30, 6, 2, 1, 0, 2, 1, 1]),
            Err(Error::SignatureOutOfRange)
        );
    }

    #[test]
    fn an_integer_without_its_sign_byte_is_taken_as_positive_in_the_field() {
        let signature = Signature::from_raw(&raw(below_n(1), small(5))).unwrap();
        let mut der = signature.to_der();
        assert_eq!(der[4], 0);
        der.remove(4);
        der[1] -= 1;
        der[3] -= 1;
        assert_eq!(
            Signature::from_field_bytes(&der),
            Ok((signature, Encoding::DerWithoutSignByte))
        );
        assert!(Signature::from_der(&der).is_err());
    }

    #[test]
    fn field_bytes_of_no_known_form_are_refused() {
        for length in [0, 1, 63, 65, 72] {
            assert_eq!(
                Signature::from_field_bytes(&vec![1; length]),
                Err(Error::SignatureForm { length })
            );
        }
        assert_eq!(
            Signature::from_field_bytes(&[0; 64]),
            Err(Error::SignatureOutOfRange)
        );
    }
}
