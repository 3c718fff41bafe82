//! What can be wrong with CMS signed data.

use crate::PkiError;
use crate::tlv::TlvError;

/// Why bytes are not the CMS signed data they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// The bytes are not the structure of RFC 5652.
    #[error(transparent)]
    Structure(#[from] TlvError),
    /// A limit on input from outside is passed.
    #[error("{limit} is {value}, more than {max}")]
    LimitExceeded {
        /// Which limit.
        limit: &'static str,
        /// What the input has.
        value: usize,
        /// What is allowed.
        max: usize,
    },
    /// A content type that is not signed data.
    #[error("content type {oid} is not signed data")]
    NotSignedData {
        /// The type found.
        oid: String,
    },
    /// An attribute that must stand here does not (RFC 5652 11).
    #[error("signed attribute {oid} is missing")]
    AttributeMissing {
        /// Which attribute.
        oid: &'static str,
    },
    /// An attribute that may stand once stands several times (RFC 5652 11).
    #[error("signed attribute {oid} stands {count} times")]
    AttributeRepeated {
        /// Which attribute.
        oid: &'static str,
        /// How often it stands.
        count: usize,
    },
    /// An attribute that must have one value has none or several (RFC 5652 11).
    #[error("signed attribute {oid} has {count} values")]
    AttributeValueCount {
        /// Which attribute.
        oid: &'static str,
        /// How many values it has.
        count: usize,
    },
    /// An attribute whose value is not of its type.
    #[error("signed attribute {oid} cannot be read")]
    AttributeMalformed {
        /// Which attribute.
        oid: &'static str,
    },
    /// The digest algorithm beside the signature is not the one the signature hashes with.
    #[error("digest algorithm {digest_oid} does not belong to a signature of {algorithm}")]
    DigestDoesNotFitSignature {
        /// digestAlgorithm.
        digest_oid: String,
        /// The name of the signature algorithm.
        algorithm: &'static str,
    },
    /// A signature straight over content that is not inside; see
    /// [`crate::cms::SignerInfo::verify_content`].
    #[error("the signature has no signed attributes and the content is not inside")]
    ContentNotInside,
    /// The signature, or the key it is tried with.
    #[error(transparent)]
    Pki(PkiError),
}

impl From<PkiError> for CmsError {
    fn from(error: PkiError) -> Self {
        match error {
            PkiError::Structure(error) => Self::Structure(error),
            PkiError::LimitExceeded { limit, value, max } => {
                Self::LimitExceeded { limit, value, max }
            }
            PkiError::CertificateMalformed { .. }
            | PkiError::SignatureAlgorithmsDiffer
            | PkiError::ExtensionRepeated { .. }
            | PkiError::ExtensionMalformed { .. }
            | PkiError::PublicKeyMalformed { .. }
            | PkiError::PemMalformed { .. }
            | PkiError::PemBlockMissing { .. }
            | PkiError::AlgorithmUnsupported { .. }
            | PkiError::PssParameters(_)
            | PkiError::KeyUnsupported { .. }
            | PkiError::KeyDoesNotFitAlgorithm { .. }
            | PkiError::RsaModulusLength { .. }
            | PkiError::RsaExponent { .. }
            | PkiError::SignatureMalformed
            | PkiError::SignatureInvalid => Self::Pki(error),
        }
    }
}

impl CmsError {
    /// A stable name of the reason, for machines.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Structure(_) => "CMS_STRUCTURE",
            Self::LimitExceeded { .. } => "CMS_LIMIT",
            Self::NotSignedData { .. } => "CMS_NOT_SIGNED_DATA",
            Self::AttributeMissing { .. } => "CMS_ATTRIBUTE_MISSING",
            Self::AttributeRepeated { .. } => "CMS_ATTRIBUTE_REPEATED",
            Self::AttributeValueCount { .. } => "CMS_ATTRIBUTE_VALUE_COUNT",
            Self::AttributeMalformed { .. } => "CMS_ATTRIBUTE_MALFORMED",
            Self::DigestDoesNotFitSignature { .. } => "CMS_DIGEST_DOES_NOT_FIT_SIGNATURE",
            Self::ContentNotInside => "CMS_CONTENT_NOT_INSIDE",
            Self::Pki(error) => error.reason(),
        }
    }
}
