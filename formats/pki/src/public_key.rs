//! Public keys as certificates carry them.

use crate::algorithm::{AlgorithmIdentifier, Parameters};
use crate::pss::{self, Pss};
use crate::tlv::{self, tag};
use crate::{PkiError, SignatureAlgorithm, oid};

/// A public key of a kind we verify with, or the name of a kind we do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA (RFC 8017).
    Rsa {
        /// Length of the modulus in bits, from its highest set bit.
        modulus_bits: usize,
        /// The public exponent.
        exponent: u64,
        /// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }`.
        pkcs1_der: Vec<u8>,
        /// Which paddings it is for.
        usage: RsaUsage,
    },
    /// A point on P-256. Whether it is on the curve shows when it is used.
    EcP256 {
        /// 65 octets: 04, X, Y (SEC 1 2.3.3).
        sec1: Vec<u8>,
    },
    /// A point on the SM2 curve, checked to be on it.
    Sm2(yinxin_sm::PublicKey),
    /// Another algorithm, another curve, or an RSA exponent past 64 bits.
    Unsupported {
        /// The algorithm, or for elliptic curves the curve, dotted.
        algorithm_oid: String,
    },
}

/// Which signatures an RSA key is for (RFC 4055 1.2 and 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaUsage {
    /// rsaEncryption: any.
    Any,
    /// id-RSASSA-PSS without parameters: PSS only.
    Pss,
    /// id-RSASSA-PSS with parameters: PSS with this hash, and a salt at least as long.
    PssWith(Pss),
}

impl RsaUsage {
    pub(crate) fn permits(self, algorithm: &SignatureAlgorithm) -> bool {
        match self {
            Self::Any => true,
            Self::Pss => matches!(algorithm, SignatureAlgorithm::RsaPss(_)),
            Self::PssWith(bound) => {
                matches!(algorithm, SignatureAlgorithm::RsaPss(pss) if bound.permits(*pss))
            }
        }
    }
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 4.1.2.7, RFC 5480, GM/T 0015).
    ///
    /// ```text
    /// SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
    /// ```
    ///
    /// # Errors
    /// [`PkiError::Structure`] when it is none, [`PkiError::PublicKeyMalformed`] when its key is
    /// not one of its algorithm. An unknown algorithm is no error.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PkiError> {
        let mut reader = tlv::Reader::new(der);
        let spki = reader.expect(tag::SEQUENCE, "SubjectPublicKeyInfo")?;
        reader.finish("SubjectPublicKeyInfo")?;

        let mut fields = spki.children();
        let algorithm_element = fields.expect(tag::SEQUENCE, "algorithm")?;
        let key = fields
            .expect(tag::BIT_STRING, "subjectPublicKey")?
            .bit_string()?;
        fields.finish("SubjectPublicKeyInfo")?;

        let algorithm = AlgorithmIdentifier::read(&algorithm_element)?;
        match algorithm.oid.as_str() {
            oid::RSA_ENCRYPTION if algorithm.parameters != Parameters::Other => {
                Self::rsa(key, RsaUsage::Any)
            }
            oid::RSASSA_PSS => {
                let mut parameters = algorithm_element.children();
                parameters.next()?;
                if parameters.is_empty() {
                    return Self::rsa(key, RsaUsage::Pss);
                }
                match pss::read_parameters(Some(&parameters.next()?)) {
                    Ok(pss) => Self::rsa(key, RsaUsage::PssWith(pss)),
                    Err(_) => Ok(Self::Unsupported {
                        algorithm_oid: algorithm.oid,
                    }),
                }
            }
            oid::EC_PUBLIC_KEY => {
                let mut parameters = algorithm_element.children();
                parameters.next()?;
                let Some(curve) = parameters.next_if(tag::OID)? else {
                    // Curves spelt out in full are for the textbook (RFC 5480 2.1.1 forbids them).
                    return Ok(Self::Unsupported {
                        algorithm_oid: algorithm.oid,
                    });
                };
                Self::elliptic(curve.oid()?, key)
            }
            _ => Ok(Self::Unsupported {
                algorithm_oid: algorithm.oid,
            }),
        }
    }

    fn rsa(pkcs1_der: &[u8], usage: RsaUsage) -> Result<Self, PkiError> {
        let malformed = || PkiError::PublicKeyMalformed {
            algorithm_oid: oid::RSA_ENCRYPTION.into(),
        };
        let (modulus, exponent) = read_rsa_integers(pkcs1_der).map_err(|_| malformed())?;
        let (Some(modulus), Some(exponent)) = (magnitude(modulus), magnitude(exponent)) else {
            return Err(malformed());
        };
        let Some(exponent) = integer_of(exponent) else {
            return Ok(Self::Unsupported {
                algorithm_oid: oid::RSA_ENCRYPTION.into(),
            });
        };
        Ok(Self::Rsa {
            modulus_bits: bit_length(modulus),
            exponent,
            pkcs1_der: pkcs1_der.to_vec(),
            usage,
        })
    }

    fn elliptic(curve_oid: String, point: &[u8]) -> Result<Self, PkiError> {
        match curve_oid.as_str() {
            oid::CURVE_P256 if point.len() == 65 && point.first() == Some(&4) => Ok(Self::EcP256 {
                sec1: point.to_vec(),
            }),
            oid::CURVE_SM2 => yinxin_sm::PublicKey::from_sec1_bytes(point)
                .map(Self::Sm2)
                .map_err(|_| PkiError::PublicKeyMalformed {
                    algorithm_oid: curve_oid,
                }),
            oid::CURVE_P256 => Err(PkiError::PublicKeyMalformed {
                algorithm_oid: curve_oid,
            }),
            _ => Ok(Self::Unsupported {
                algorithm_oid: curve_oid,
            }),
        }
    }

    /// A short name for people: `RSA`, `RSA-PSS`, `P-256`, `SM2`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Rsa {
                usage: RsaUsage::Any,
                ..
            } => "RSA",
            Self::Rsa { .. } => "RSA-PSS",
            Self::EcP256 { .. } => "P-256",
            Self::Sm2(_) => "SM2",
            Self::Unsupported { .. } => "unsupported",
        }
    }

    /// The longest signature value this key makes, in octets: for RSA its modulus, for the curves
    /// a DER `SEQUENCE { r, s }` with both leading bits set. `None` for unsupported keys.
    pub const fn signature_bytes_max(&self) -> Option<usize> {
        match self {
            Self::Rsa { modulus_bits, .. } => Some(modulus_bits.div_ceil(8)),
            Self::EcP256 { .. } | Self::Sm2(_) => Some(72),
            Self::Unsupported { .. } => None,
        }
    }
}

/// modulus and publicExponent, content octets.
pub(crate) fn read_rsa_integers(pkcs1_der: &[u8]) -> Result<(&[u8], &[u8]), PkiError> {
    let mut reader = tlv::Reader::new(pkcs1_der);
    let mut fields = reader.expect(tag::SEQUENCE, "RSAPublicKey")?.children();
    reader.finish("RSAPublicKey")?;
    let modulus = fields.expect(tag::INTEGER, "modulus")?.content;
    let exponent = fields.expect(tag::INTEGER, "publicExponent")?.content;
    fields.finish("RSAPublicKey")?;
    Ok((modulus, exponent))
}

/// A positive INTEGER's octets without leading zeros; `None` for zero and negative ones.
pub(crate) fn magnitude(content: &[u8]) -> Option<&[u8]> {
    if content.first()? & 0x80 != 0 {
        return None;
    }
    let leading = content.iter().take_while(|octet| **octet == 0).count();
    content.get(leading..).filter(|rest| !rest.is_empty())
}

fn bit_length(magnitude: &[u8]) -> usize {
    let leading = magnitude.first().map_or(0, |octet| octet.leading_zeros());
    magnitude.len() * 8 - leading as usize
}

fn integer_of(magnitude: &[u8]) -> Option<u64> {
    if magnitude.len() > 8 {
        return None;
    }
    Some(
        magnitude
            .iter()
            .fold(0, |value, octet| value << 8 | u64::from(*octet)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let key = tlv::sequence(&[
            &tlv::encode(tag::INTEGER, modulus),
            &tlv::encode(tag::INTEGER, exponent),
        ]);
        tlv::sequence(&[
            &tlv::sequence(&[&tlv::oid(oid::RSA_ENCRYPTION), &tlv::null()]),
            &tlv::bit_string(&key),
        ])
    }

    #[test]
    fn an_rsa_key_tells_the_length_of_its_modulus() {
        let mut modulus = vec![0_u8; 257];
        modulus[1] = 0x80;
        let PublicKey::Rsa {
            modulus_bits,
            exponent,
            ..
        } = PublicKey::from_spki_der(&rsa_spki(&modulus, &[1, 0, 1])).unwrap()
        else {
            panic!("not read as RSA");
        };
        assert_eq!((modulus_bits, exponent), (2048, 65537));
    }

    #[test]
    fn rsa_integers_must_be_positive() {
        for (modulus, exponent) in [
            (&[0x80, 1][..], &[3][..]),
            (&[0x10, 1], &[0x80]),
            (&[0], &[3]),
            (&[], &[3]),
        ] {
            assert!(matches!(
                PublicKey::from_spki_der(&rsa_spki(modulus, exponent)),
                Err(PkiError::PublicKeyMalformed { .. })
            ));
        }
    }

    #[test]
    fn unknown_curves_and_algorithms_are_named_not_refused() {
        let p384 = "1.3.132.0.34";
        let spki = tlv::sequence(&[
            &tlv::sequence(&[&tlv::oid(oid::EC_PUBLIC_KEY), &tlv::oid(p384)]),
            &tlv::bit_string(&[4; 97]),
        ]);
        assert_eq!(
            PublicKey::from_spki_der(&spki).unwrap(),
            PublicKey::Unsupported {
                algorithm_oid: p384.into()
            }
        );
    }

    #[test]
    fn a_point_off_the_sm2_curve_is_no_key() {
        let mut point = [1_u8; 65];
        point[0] = 4;
        let spki = tlv::sequence(&[
            &tlv::sequence(&[&tlv::oid(oid::EC_PUBLIC_KEY), &tlv::oid(oid::CURVE_SM2)]),
            &tlv::bit_string(&point),
        ]);
        assert!(matches!(
            PublicKey::from_spki_der(&spki),
            Err(PkiError::PublicKeyMalformed { .. })
        ));
    }
}
