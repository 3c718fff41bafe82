//! What can be wrong with certificates, lists, keys and signatures.

use crate::pss::PssFault;
use crate::tlv::TlvError;

/// Why a certificate, a revocation list, a key or a signature is not what it should be.
///
/// All of these are the document's or the outside world's fault; none is ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// The bytes are not the structure asked for.
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
    /// The certificate reader refuses the bytes (RFC 5280 4.1).
    #[error("not an X.509 certificate: {detail}")]
    CertificateMalformed {
        /// The reader's own words.
        detail: String,
    },
    /// signatureAlgorithm and tbsCertificate.signature (or those of a list) differ (RFC 5280 4.1.1.2).
    #[error("the signature algorithm inside the signed part is not the one outside it")]
    SignatureAlgorithmsDiffer,
    /// The same extension twice (RFC 5280 4.2).
    #[error("extension {oid} stands twice")]
    ExtensionRepeated {
        /// Which extension.
        oid: String,
    },
    /// An extension whose value is not what its identifier promises.
    #[error("extension {oid} cannot be read")]
    ExtensionMalformed {
        /// Which extension.
        oid: String,
    },
    /// The subject public key is not a key of its algorithm, or not on its curve.
    #[error("the public key ({algorithm_oid}) cannot be read")]
    PublicKeyMalformed {
        /// The algorithm the key claims.
        algorithm_oid: String,
    },
    /// A block between BEGIN and END lines that is not base64, or has no end.
    #[error("PEM block {number} cannot be read: {detail}")]
    PemMalformed {
        /// Which block, counted from 1.
        number: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// No block of the kind asked for.
    #[error("no PEM block \"{label}\"")]
    PemBlockMissing {
        /// The kind asked for.
        label: &'static str,
    },
    /// A signature algorithm we do not verify.
    #[error("signature algorithm {oid} is not supported")]
    AlgorithmUnsupported {
        /// Its object identifier.
        oid: String,
    },
    /// RSASSA-PSS with parameters we do not accept.
    #[error("the parameters of RSASSA-PSS are not accepted: {0}")]
    PssParameters(PssFault),
    /// A public key algorithm we do not verify with.
    #[error("public key algorithm {oid} is not supported")]
    KeyUnsupported {
        /// Its object identifier.
        oid: String,
    },
    /// An RSA signature beside an SM2 key, and the like.
    #[error("a {key} key cannot have made a signature of {algorithm}")]
    KeyDoesNotFitAlgorithm {
        /// The kind of the key.
        key: &'static str,
        /// The name of the signature algorithm.
        algorithm: &'static str,
    },
    /// An RSA modulus outside the accepted range.
    #[error("an RSA modulus of {bits} bits; accepted are {bits_min} to {bits_max}")]
    RsaModulusLength {
        /// Its length.
        bits: usize,
        /// Shortest accepted.
        bits_min: usize,
        /// Longest accepted.
        bits_max: usize,
    },
    /// An RSA public exponent below 2^16 + 1 or even.
    #[error("the RSA public exponent {exponent} is not accepted")]
    RsaExponent {
        /// The exponent.
        exponent: u64,
    },
    /// The signature value has not the shape its algorithm gives it.
    #[error("the signature value cannot be read")]
    SignatureMalformed,
    /// The signature was not made over these bytes by this key.
    #[error("the signature does not match")]
    SignatureInvalid,
}

impl PkiError {
    /// A stable name of the reason, for machines.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Structure(_) => "PKI_STRUCTURE",
            Self::LimitExceeded { .. } => "PKI_LIMIT",
            Self::CertificateMalformed { .. } => "PKI_CERTIFICATE_MALFORMED",
            Self::SignatureAlgorithmsDiffer => "PKI_SIGNATURE_ALGORITHMS_DIFFER",
            Self::ExtensionRepeated { .. } => "PKI_EXTENSION_REPEATED",
            Self::ExtensionMalformed { .. } => "PKI_EXTENSION_MALFORMED",
            Self::PublicKeyMalformed { .. } => "PKI_PUBLIC_KEY_MALFORMED",
            Self::PemMalformed { .. } => "PKI_PEM_MALFORMED",
            Self::PemBlockMissing { .. } => "PKI_PEM_BLOCK_MISSING",
            Self::AlgorithmUnsupported { .. } => "PKI_ALGORITHM_UNSUPPORTED",
            Self::PssParameters(_) => "PKI_PSS_PARAMETERS",
            Self::KeyUnsupported { .. } => "PKI_KEY_UNSUPPORTED",
            Self::KeyDoesNotFitAlgorithm { .. } => "PKI_KEY_DOES_NOT_FIT_ALGORITHM",
            Self::RsaModulusLength { .. } => "PKI_RSA_MODULUS_LENGTH",
            Self::RsaExponent { .. } => "PKI_RSA_EXPONENT",
            Self::SignatureMalformed => "PKI_SIGNATURE_MALFORMED",
            Self::SignatureInvalid => "PKI_SIGNATURE_INVALID",
        }
    }
}
