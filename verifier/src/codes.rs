//! The codes of a report: indications, steps, outcomes, kinds. Each has a stable name.

use std::fmt;

use serde::Serialize;

/// The indications of EN 319 102-1, 5.1.3.
///
/// Ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Indication {
    /// Every check succeeded.
    #[serde(rename = "TOTAL-PASSED")]
    TotalPassed,
    /// What is known does not suffice to say yes or no.
    #[serde(rename = "INDETERMINATE")]
    Indeterminate,
    /// The signature is wrong, or the file is no longer what was signed.
    #[serde(rename = "TOTAL-FAILED")]
    TotalFailed,
}

impl Indication {
    /// `TOTAL-PASSED`, `INDETERMINATE` or `TOTAL-FAILED`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TotalPassed => "TOTAL-PASSED",
            Self::Indeterminate => "INDETERMINATE",
            Self::TotalFailed => "TOTAL-FAILED",
        }
    }
}

impl fmt::Display for Indication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// The reasons behind an indication (EN 319 102-1, tables 5 and 6), and one of our own.
///
/// Ordered by weight: when several steps give one, the report shows the greatest. TRY_LATER is the
/// least, because only it can mend itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubIndication {
    /// Ours: the document carries no signature at all.
    NoSignature,
    /// Revocation information is absent, out of date or says "suspended".
    TryLater,
    /// Something stood in the way that has no code of its own, such as a limit.
    Generic,
    /// A certificate is outside its validity now, and nothing proves when the signature was made.
    OutOfBoundsNoPoe,
    /// As [`Self::OutOfBoundsNoPoe`], the certificate being known not to be revoked.
    OutOfBoundsNotRevoked,
    /// No path leads from the certificate to a configured anchor.
    NoCertificateChainFound,
    /// A certificate in the path breaks a rule on what it may be used for.
    ChainConstraintsFailure,
    /// An algorithm or key is too weak or unknown.
    CryptoConstraintsFailure,
    /// The certificate that made the signature cannot be told.
    NoSigningCertificateFound,
    /// The signature breaks a rule of its format on who may sign what and when.
    SigConstraintsFailure,
    /// A certification authority is revoked.
    RevokedCaNoPoe,
    /// The certificate is revoked, and nothing proves that the signature is older.
    RevokedNoPoe,
    /// The bytes that were signed cannot be had.
    SignedDataNotFound,
    /// The signing certificate was not yet valid when the signature says it was made.
    NotYetValid,
    /// The signing certificate had expired when the signature says it was made.
    Expired,
    /// The certificate was revoked before the signature says it was made.
    Revoked,
    /// The signature value does not verify.
    SigCryptoFailure,
    /// The document's digest is not the signed one.
    HashFailure,
    /// The signature or the file around it is not built as its standard asks; also: the file was
    /// changed after signing in a way that no later signature explains.
    FormatFailure,
}

impl SubIndication {
    /// The code, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSignature => "NO_SIGNATURE",
            Self::TryLater => "TRY_LATER",
            Self::Generic => "GENERIC",
            Self::OutOfBoundsNoPoe => "OUT_OF_BOUNDS_NO_POE",
            Self::OutOfBoundsNotRevoked => "OUT_OF_BOUNDS_NOT_REVOKED",
            Self::NoCertificateChainFound => "NO_CERTIFICATE_CHAIN_FOUND",
            Self::ChainConstraintsFailure => "CHAIN_CONSTRAINTS_FAILURE",
            Self::CryptoConstraintsFailure => "CRYPTO_CONSTRAINTS_FAILURE",
            Self::NoSigningCertificateFound => "NO_SIGNING_CERTIFICATE_FOUND",
            Self::SigConstraintsFailure => "SIG_CONSTRAINTS_FAILURE",
            Self::RevokedCaNoPoe => "REVOKED_CA_NO_POE",
            Self::RevokedNoPoe => "REVOKED_NO_POE",
            Self::SignedDataNotFound => "SIGNED_DATA_NOT_FOUND",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
            Self::SigCryptoFailure => "SIG_CRYPTO_FAILURE",
            Self::HashFailure => "HASH_FAILURE",
            Self::FormatFailure => "FORMAT_FAILURE",
        }
    }
}

impl fmt::Display for SubIndication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// What stands in /Contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerKind {
    /// GM/T 0031-2014 seal signature.
    SesV1,
    /// GB/T 38540-2020 seal signature.
    SesV4,
    /// GM/T 0031-2025 seal signature.
    SesV5,
    /// CMS SignedData under the object identifiers of RFC 5652.
    CmsRfc,
    /// CMS SignedData under the object identifiers of GM/T 0010.
    CmsGm,
    /// An RFC 3161 document time stamp; not looked into yet.
    DocumentTimestamp,
    /// None of these.
    Unknown,
}

impl ContainerKind {
    /// The code, as in JSON: `ses-v4`, `cms-rfc`, …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SesV1 => "ses-v1",
            Self::SesV4 => "ses-v4",
            Self::SesV5 => "ses-v5",
            Self::CmsRfc => "cms-rfc",
            Self::CmsGm => "cms-gm",
            Self::DocumentTimestamp => "document-timestamp",
            Self::Unknown => "unknown",
        }
    }
}

/// The steps, in the order they are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepId {
    /// The signature dictionary and the container can be read and are built as they should.
    Format,
    /// /ByteRange leaves out this signature's /Contents and nothing else.
    Coverage,
    /// What the file gained after the signature.
    ChangesAfter,
    /// The digest of the covered bytes is the signed one.
    Digest,
    /// Digest, signature algorithm and key fit together and are strong enough.
    Algorithm,
    /// The signed attributes of a CMS.
    SignedAttributes,
    /// The signature value.
    Signature,
    /// The certificate is the one the signer meant, and may sign.
    SignerCertificate,
    /// A path from the signer's certificate to a configured anchor.
    SignerChain,
    /// Revocation of the signer's certificate and of those above it.
    SignerRevocation,
    /// The seal permits this signer (certList).
    SealPermitsSigner,
    /// The maker's signature over the seal.
    SealSignature,
    /// The claimed signing time lies in the seal's validity.
    SealValidity,
    /// The seal is in force by the status list of its registry, or was when this was signed.
    SealStatus,
    /// A path from the maker's certificate to a configured anchor, and its key usage.
    MakerChain,
    /// Revocation of the maker's certificate and of those above it.
    MakerRevocation,
    /// The claimed signing time fits the certificate and the time of verification.
    Time,
    /// Time stamps: not checked yet.
    Timestamp,
    /// OCSP answers and the document security store: not checked yet.
    EmbeddedRevocation,
}

impl StepId {
    /// The code, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Coverage => "coverage",
            Self::ChangesAfter => "changes_after",
            Self::Digest => "digest",
            Self::Algorithm => "algorithm",
            Self::SignedAttributes => "signed_attributes",
            Self::Signature => "signature",
            Self::SignerCertificate => "signer_certificate",
            Self::SignerChain => "signer_chain",
            Self::SignerRevocation => "signer_revocation",
            Self::SealPermitsSigner => "seal_permits_signer",
            Self::SealSignature => "seal_signature",
            Self::SealValidity => "seal_validity",
            Self::SealStatus => "seal_status",
            Self::MakerChain => "maker_chain",
            Self::MakerRevocation => "maker_revocation",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::EmbeddedRevocation => "embedded_revocation",
        }
    }
}

/// The outcome of a step, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// As it should be.
    Passed,
    /// Not looked at; the finding says why.
    NotChecked,
    /// Acceptable, but somebody should know.
    Warning,
    /// Cannot be told from what is known.
    Indeterminate,
    /// Wrong.
    Failed,
}

impl Status {
    /// The code, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::NotChecked => "NOT_CHECKED",
            Self::Warning => "WARNING",
            Self::Indeterminate => "INDETERMINATE",
            Self::Failed => "FAILED",
        }
    }
}
