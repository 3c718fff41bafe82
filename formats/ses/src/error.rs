//! What can be wrong with seals and seal signatures.

use yinxin_pki::{PkiError, tlv::TlvError};

/// Why bytes are no seal or seal signature, or why its signature does not hold.
///
/// [`SesError::NotAscii`], and [`SesError::LimitExceeded`] when writing, are the caller's fault,
/// all others the document's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SesError {
    /// The bytes are not the structure they should be.
    #[error(transparent)]
    Structure(#[from] TlvError),
    /// A limit of [`crate::Limits`] is passed.
    #[error("{limit} is {value}, more than {max}")]
    LimitExceeded {
        /// Which limit.
        limit: &'static str,
        /// What the object has.
        value: usize,
        /// What is allowed.
        max: usize,
    },
    /// A SEQUENCE of as many elements as no version of the object has.
    #[error("{object} of {elements} elements is of no known version")]
    UnknownShape {
        /// `SESeal` or `SES_Signature`.
        object: &'static str,
        /// How many elements it has.
        elements: usize,
    },
    /// A certListType other than 1 (certificates) and 2 (digests).
    #[error("certListType {value} is neither 1 nor 2")]
    UnknownCertListType {
        /// The type found.
        value: u64,
    },
    /// A number that no such field can have.
    #[error("{field} is {value}")]
    NumberTooLarge {
        /// Which field.
        field: &'static str,
        /// The number found.
        value: u64,
    },
    /// Text for an IA5String that is not ASCII.
    #[error("{field} must be ASCII")]
    NotAscii {
        /// Which field.
        field: &'static str,
    },
    /// The certificate inside cannot be read.
    #[error("the certificate inside: {0}")]
    Certificate(#[source] PkiError),
    /// A signature algorithm we do not verify.
    #[error("signature algorithm {oid} is not supported")]
    AlgorithmUnsupported {
        /// Its object identifier.
        oid: String,
    },
    /// The certificate's key is of another kind than the signature algorithm, or unusable.
    #[error("the certificate's key does not fit the signature: {0}")]
    KeyDoesNotFit(#[source] PkiError),
    /// The signature value has none of the known forms, or its numbers are out of range.
    #[error("the signature value cannot be read")]
    SignatureMalformed,
    /// The signature was not made over these bytes by this key.
    #[error("the signature does not match")]
    SignatureInvalid,
    /// The signature matches only under an empty distinguishing identifier, as OpenSSL makes it
    /// when nobody gives one; GM/T 0009-2012, clause 10 asks for the default one.
    #[error("the signature was made with an empty identifier instead of the default one")]
    SignatureUnderEmptyDistid,
}

impl SesError {
    /// A stable name of the reason, for machines.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Structure(_) => "SES_STRUCTURE",
            Self::LimitExceeded { .. } => "SES_LIMIT",
            Self::UnknownShape { .. } => "SES_UNKNOWN_SHAPE",
            Self::UnknownCertListType { .. } => "SES_UNKNOWN_CERT_LIST_TYPE",
            Self::NumberTooLarge { .. } => "SES_NUMBER_TOO_LARGE",
            Self::NotAscii { .. } => "SES_NOT_ASCII",
            Self::Certificate(_) => "SES_CERTIFICATE",
            Self::AlgorithmUnsupported { .. } => "SES_ALGORITHM_UNSUPPORTED",
            Self::KeyDoesNotFit(_) => "SES_KEY_DOES_NOT_FIT",
            Self::SignatureMalformed => "SES_SIGNATURE_MALFORMED",
            Self::SignatureInvalid => "SES_SIGNATURE_INVALID",
            Self::SignatureUnderEmptyDistid => "SES_SIGNATURE_UNDER_EMPTY_DISTID",
        }
    }
}
