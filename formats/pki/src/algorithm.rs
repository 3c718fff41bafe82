//! Signature algorithms and their `AlgorithmIdentifier`s.

use crate::pss::{self, Pss, PssFault, PssHash};
use crate::tlv::{self, Element, tag};
use crate::{DigestAlgorithm, PkiError, oid};

/// How a signature over certificates, lists and signed attributes was made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 8.2).
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSASSA-PSS with one hash throughout (RFC 4055 3.1).
    RsaPss(Pss),
    /// RSASSA-PSS with parameters that are not accepted.
    RsaPssRefused(PssFault),
    /// ECDSA on P-256 with SHA-256 (RFC 5758 3.2).
    EcdsaP256Sha256,
    /// SM2 with SM3 and the default distinguished identifier (GB/T 32918.2, GM/T 0009).
    Sm2Sm3,
    /// Anything else, or one of the above with parameters it must not have.
    Unsupported {
        /// The object identifier, dotted.
        oid: String,
    },
}

impl SignatureAlgorithm {
    /// Reads an `AlgorithmIdentifier` as certificates carry it.
    ///
    /// ```text
    /// AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
    /// ```
    ///
    /// RSA and SM2 are taken with parameters absent or NULL (RFC 4055 5; GM/T 0015 says "not
    /// needed" while its own example has NULL), ECDSA only without (RFC 5758 3.2). RSASSA-PSS is
    /// taken with the parameters of [`Pss`].
    ///
    /// # Errors
    /// [`PkiError::Structure`] when the bytes are no `AlgorithmIdentifier`.
    pub fn from_identifier_der(der: &[u8]) -> Result<Self, PkiError> {
        let mut reader = tlv::Reader::new(der);
        let element = reader.expect(tag::SEQUENCE, "AlgorithmIdentifier")?;
        reader.finish("AlgorithmIdentifier")?;
        Self::from_identifier(&element)
    }

    pub(crate) fn from_identifier(element: &Element<'_>) -> Result<Self, PkiError> {
        let identifier = AlgorithmIdentifier::read(element)?;
        if identifier.oid == oid::RSASSA_PSS {
            return Ok(Self::pss(element));
        }
        Ok(Self::of(&identifier))
    }

    fn pss(identifier: &Element<'_>) -> Self {
        let mut fields = identifier.children();
        // The identifier was read before, so that both elements are there as far as they are.
        let parameters = fields.next().and_then(|_| fields.next());
        match pss::read_parameters(parameters.ok().as_ref()) {
            Ok(pss) => Self::RsaPss(pss),
            Err(fault) => Self::RsaPssRefused(fault),
        }
    }

    fn of(identifier: &AlgorithmIdentifier) -> Self {
        let absent_or_null = identifier.parameters != Parameters::Other;
        let known = match identifier.oid.as_str() {
            oid::SHA256_WITH_RSA if absent_or_null => Some(Self::RsaPkcs1Sha256),
            oid::SHA384_WITH_RSA if absent_or_null => Some(Self::RsaPkcs1Sha384),
            oid::SHA512_WITH_RSA if absent_or_null => Some(Self::RsaPkcs1Sha512),
            oid::SM2_WITH_SM3 if absent_or_null => Some(Self::Sm2Sm3),
            oid::ECDSA_WITH_SHA256 if identifier.parameters == Parameters::Absent => {
                Some(Self::EcdsaP256Sha256)
            }
            _ => None,
        };
        known.unwrap_or_else(|| Self::Unsupported {
            oid: identifier.oid.clone(),
        })
    }

    /// Reads the signatureAlgorithm of a CMS signer info, where the digest may stand beside it:
    /// rsaEncryption takes its hash from `digest_oid` (RFC 3370 3.2), and SM2 is also met as
    /// 1.2.156.10197.1.301.1 and 1.2.156.10197.1.301 (GM/T 0010).
    pub(crate) fn from_cms_identifier(
        element: &Element<'_>,
        digest_oid: &str,
    ) -> Result<Self, PkiError> {
        let identifier = AlgorithmIdentifier::read(element)?;
        if identifier.parameters == Parameters::Other || identifier.oid == oid::RSASSA_PSS {
            return Self::from_identifier(element);
        }
        Ok(match (identifier.oid.as_str(), digest_oid) {
            (oid::RSA_ENCRYPTION, oid::SHA256) => Self::RsaPkcs1Sha256,
            (oid::RSA_ENCRYPTION, oid::SHA384) => Self::RsaPkcs1Sha384,
            (oid::RSA_ENCRYPTION, oid::SHA512) => Self::RsaPkcs1Sha512,
            (oid::SM2_SIGN | oid::CURVE_SM2, oid::SM3) => Self::Sm2Sm3,
            _ => Self::of(&identifier),
        })
    }

    /// The DER `AlgorithmIdentifier` for certificates and lists: NULL beside RSA as RFC 4055 5
    /// wants it, absent beside the others.
    ///
    /// For what is refused or unsupported this is the bare object identifier.
    pub fn identifier_der(&self) -> Vec<u8> {
        let dotted = match self {
            Self::RsaPkcs1Sha256 => oid::SHA256_WITH_RSA,
            Self::RsaPkcs1Sha384 => oid::SHA384_WITH_RSA,
            Self::RsaPkcs1Sha512 => oid::SHA512_WITH_RSA,
            Self::RsaPss(_) | Self::RsaPssRefused(_) => oid::RSASSA_PSS,
            Self::EcdsaP256Sha256 => oid::ECDSA_WITH_SHA256,
            Self::Sm2Sm3 => oid::SM2_WITH_SM3,
            Self::Unsupported { oid } => oid,
        };
        match self {
            Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512 => {
                tlv::sequence(&[&tlv::oid(dotted), &tlv::null()])
            }
            Self::RsaPss(pss) => tlv::sequence(&[&tlv::oid(dotted), &pss.parameters_der()]),
            Self::EcdsaP256Sha256
            | Self::Sm2Sm3
            | Self::RsaPssRefused(_)
            | Self::Unsupported { .. } => tlv::sequence(&[&tlv::oid(dotted)]),
        }
    }

    /// The DER `AlgorithmIdentifier` for a CMS signer info. For RSA with PKCS#1 v1.5 that is
    /// rsaEncryption, the one form every implementation must know (RFC 3370 3.2) and what Acrobat
    /// writes itself; PSS carries its parameters (RFC 4056 3).
    pub fn cms_identifier_der(&self) -> Vec<u8> {
        match self {
            Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512 => {
                tlv::sequence(&[&tlv::oid(oid::RSA_ENCRYPTION), &tlv::null()])
            }
            Self::RsaPss(_)
            | Self::RsaPssRefused(_)
            | Self::EcdsaP256Sha256
            | Self::Sm2Sm3
            | Self::Unsupported { .. } => self.identifier_der(),
        }
    }

    /// The digest the algorithm hashes with, if it is one of ours.
    pub const fn digest(&self) -> Option<DigestAlgorithm> {
        match self {
            Self::RsaPkcs1Sha256 | Self::EcdsaP256Sha256 => Some(DigestAlgorithm::Sha256),
            Self::RsaPss(pss) => match pss.hash() {
                PssHash::Sha256 => Some(DigestAlgorithm::Sha256),
                PssHash::Sha384 | PssHash::Sha512 => None,
            },
            Self::Sm2Sm3 => Some(DigestAlgorithm::Sm3),
            Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512
            | Self::RsaPssRefused(_)
            | Self::Unsupported { .. } => None,
        }
    }

    /// The object identifier of the digest the algorithm hashes with; `None` for unsupported ones.
    pub(crate) const fn digest_oid(&self) -> Option<&'static str> {
        match self {
            Self::RsaPkcs1Sha256 | Self::EcdsaP256Sha256 => Some(oid::SHA256),
            Self::RsaPkcs1Sha384 => Some(oid::SHA384),
            Self::RsaPkcs1Sha512 => Some(oid::SHA512),
            Self::RsaPss(pss) => Some(pss.hash().oid()),
            Self::Sm2Sm3 => Some(oid::SM3),
            Self::RsaPssRefused(_) | Self::Unsupported { .. } => None,
        }
    }

    /// A short name for people: `RSA-SHA256`, `ECDSA-P256-SHA256`, `SM2-SM3`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "RSA-SHA256",
            Self::RsaPkcs1Sha384 => "RSA-SHA384",
            Self::RsaPkcs1Sha512 => "RSA-SHA512",
            Self::RsaPss(pss) => match pss.hash() {
                PssHash::Sha256 => "RSA-PSS-SHA256",
                PssHash::Sha384 => "RSA-PSS-SHA384",
                PssHash::Sha512 => "RSA-PSS-SHA512",
            },
            Self::RsaPssRefused(_) => "RSA-PSS with refused parameters",
            Self::EcdsaP256Sha256 => "ECDSA-P256-SHA256",
            Self::Sm2Sm3 => "SM2-SM3",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}

/// An `AlgorithmIdentifier` as far as we look into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlgorithmIdentifier {
    pub(crate) oid: String,
    pub(crate) parameters: Parameters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameters {
    Absent,
    Null,
    Other,
}

impl AlgorithmIdentifier {
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, PkiError> {
        let mut reader = element.children();
        let oid = reader.expect(tag::OID, "algorithm")?.oid()?;
        let parameters = if reader.is_empty() {
            Parameters::Absent
        } else {
            let parameters = reader.next()?;
            if parameters.tag == tag::NULL && parameters.content.is_empty() {
                Parameters::Null
            } else {
                Parameters::Other
            }
        };
        reader.finish("AlgorithmIdentifier")?;
        Ok(Self { oid, parameters })
    }

    /// Whether two identifiers name the same algorithm: absent and NULL parameters count as the
    /// same, other parameters only when both elements are equal byte for byte.
    pub(crate) fn same(left: &Element<'_>, right: &Element<'_>) -> Result<bool, PkiError> {
        if left.raw == right.raw {
            return Ok(true);
        }
        let (left, right) = (Self::read(left)?, Self::read(right)?);
        Ok(left.oid == right.oid
            && left.parameters != Parameters::Other
            && right.parameters != Parameters::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_back_as_written() {
        for algorithm in [
            SignatureAlgorithm::RsaPkcs1Sha256,
            SignatureAlgorithm::RsaPkcs1Sha384,
            SignatureAlgorithm::RsaPkcs1Sha512,
            SignatureAlgorithm::RsaPss(Pss::SHA256),
            SignatureAlgorithm::RsaPss(Pss::new(PssHash::Sha384)),
            SignatureAlgorithm::RsaPss(Pss::new(PssHash::Sha512)),
            SignatureAlgorithm::EcdsaP256Sha256,
            SignatureAlgorithm::Sm2Sm3,
        ] {
            let der = algorithm.identifier_der();
            assert_eq!(
                SignatureAlgorithm::from_identifier_der(&der).unwrap(),
                algorithm
            );
            let cms = algorithm.cms_identifier_der();
            let element = tlv::Reader::new(&cms).next().unwrap();
            assert_eq!(
                SignatureAlgorithm::from_cms_identifier(&element, algorithm.digest_oid().unwrap())
                    .unwrap(),
                algorithm
            );
        }
    }

    #[test]
    fn sm2_is_taken_with_parameters_absent_or_null_and_nothing_else() {
        let oid = tlv::oid(oid::SM2_WITH_SM3);
        for (parameters, expected) in [
            (vec![], SignatureAlgorithm::Sm2Sm3),
            (tlv::null(), SignatureAlgorithm::Sm2Sm3),
            (
                tlv::integer(1),
                SignatureAlgorithm::Unsupported {
                    oid: oid::SM2_WITH_SM3.into(),
                },
            ),
        ] {
            let der = tlv::sequence(&[&oid, &parameters]);
            assert_eq!(
                SignatureAlgorithm::from_identifier_der(&der).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn pss_without_parameters_or_with_null_is_refused() {
        let oid = tlv::oid(oid::RSASSA_PSS);
        for parameters in [vec![], tlv::null()] {
            let der = tlv::sequence(&[&oid, &parameters]);
            let refused = SignatureAlgorithm::RsaPssRefused(PssFault::Unreadable);
            assert_eq!(
                SignatureAlgorithm::from_identifier_der(&der).unwrap(),
                refused
            );
            let element = tlv::Reader::new(&der).next().unwrap();
            assert_eq!(
                SignatureAlgorithm::from_cms_identifier(&element, oid::SHA256).unwrap(),
                refused
            );
        }
    }

    #[test]
    fn gm_names_of_sm2_count_only_beside_sm3() {
        for dotted in [oid::SM2_SIGN, oid::CURVE_SM2] {
            let der = tlv::sequence(&[&tlv::oid(dotted), &tlv::null()]);
            let element = tlv::Reader::new(&der).next().unwrap();
            assert_eq!(
                SignatureAlgorithm::from_cms_identifier(&element, oid::SM3).unwrap(),
                SignatureAlgorithm::Sm2Sm3
            );
            assert_eq!(
                SignatureAlgorithm::from_cms_identifier(&element, oid::SHA256).unwrap(),
                SignatureAlgorithm::Unsupported { oid: dotted.into() }
            );
        }
    }
}
