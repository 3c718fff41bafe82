//! The report: what was found, step by step, and one indication per signature.
//!
//! The words are those of ETSI EN 319 102-1. Everything here serialises to JSON under stable
//! names: fields in snake_case, codes in capitals. Text taken from a document or a certificate
//! has been through [`escape`](crate::escape::escape), so that no name can rearrange the words
//! around it.

use std::fmt;

use serde::{Serialize, Serializer};
use yinxin_pki::{Certificate, UnixSeconds};

use crate::container::ContainerFacts;
use crate::escape::escape;
use crate::finding::{Finding, Steps};

/// What the verifier says of one document.
///
/// The same document, trust and options give the same report for ever.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The worst indication of all signatures.
    pub indication: Indication,
    /// Why, when the indication is not TOTAL-PASSED.
    pub sub_indication: Option<SubIndication>,
    /// The time the verification was made for: an input, not a clock.
    #[serde(serialize_with = "rfc3339")]
    pub verified_at: UnixSeconds,
    /// The document itself.
    pub document: DocumentFacts,
    /// One entry per signature, oldest first.
    pub signatures: Vec<SignatureReport>,
    /// Names of the signature fields that nobody has signed, in the order of the form.
    pub empty_fields: Vec<String>,
}

/// What identifies a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentFacts {
    /// Length in bytes.
    pub length: u64,
    /// SHA-256 of the whole file, lower-case hexadecimal.
    pub sha256: String,
    /// How many times the file was written: 1 for a file without incremental updates.
    pub revisions: usize,
    /// Number of pages as the newest revision shows them; absent when the page tree is broken.
    pub pages: Option<usize>,
}

/// What the verifier says of one signature.
#[derive(Clone, Debug, Serialize)]
pub struct SignatureReport {
    /// Fully qualified names of the fields that show this signature; a seam stamp has several.
    pub fields: Vec<String>,
    /// Pages (from 1) that show this signature, ascending.
    pub page_numbers: Vec<usize>,
    /// The container found in /Contents; decided by content, not by names.
    pub kind: ContainerKind,
    /// /SubFilter as written: the producer's claim, for information.
    pub sub_filter: Option<String>,
    /// TOTAL-PASSED, TOTAL-FAILED or INDETERMINATE.
    pub indication: Indication,
    /// Why, when the indication is not TOTAL-PASSED.
    pub sub_indication: Option<SubIndication>,
    /// Who signed, from the certificate that verifies the signature.
    pub signer: Option<CertificateFacts>,
    /// The seal inside a seal signature.
    pub seal: Option<SealFacts>,
    /// When the signer says the signature was made. A claim: no time stamp proves it.
    #[serde(serialize_with = "optional_rfc3339")]
    pub claimed_time: Option<UnixSeconds>,
    /// How much of the file the signature covers; absent when /ByteRange is not acceptable.
    pub coverage: Option<Coverage>,
    /// What the file gained after this signature; absent without an acceptable coverage.
    pub changes_after: Option<ChangesAfter>,
    /// One entry per step, in the order of [`StepId`].
    pub steps: Vec<Step>,
}

impl SignatureReport {
    /// A report of nothing yet.
    pub(crate) fn empty() -> Self {
        Self {
            fields: Vec::new(),
            page_numbers: Vec::new(),
            kind: ContainerKind::Unknown,
            sub_filter: None,
            indication: Indication::Indeterminate,
            sub_indication: Some(SubIndication::Generic),
            signer: None,
            seal: None,
            claimed_time: None,
            coverage: None,
            changes_after: None,
            steps: Vec::new(),
        }
    }

    /// Takes what the container says.
    pub(crate) fn take(&mut self, facts: ContainerFacts) {
        self.signer = facts.signer;
        self.seal = facts.seal;
        self.claimed_time = facts.claimed_time;
    }

    /// Sums the steps up: one that failed makes TOTAL-FAILED, one that could not be decided
    /// INDETERMINATE. TOTAL-PASSED needs the steps without which nothing is proven.
    pub(crate) fn conclude(&mut self, steps: Steps) {
        self.steps = steps.finish();
        let worst = self.steps.iter().map(|step| step.status).max();
        self.indication = match worst {
            Some(Status::Failed) => Indication::TotalFailed,
            Some(Status::Indeterminate) | None => Indication::Indeterminate,
            Some(Status::Passed | Status::NotChecked | Status::Warning) => {
                let proven = |id| {
                    self.step(id)
                        .is_some_and(|step| matches!(step.status, Status::Passed | Status::Warning))
                };
                let document_seen = self.coverage == Some(Coverage::DigestOnly)
                    || (proven(StepId::Coverage) && proven(StepId::ChangesAfter));
                if document_seen && ESSENTIAL_STEPS.into_iter().all(proven) {
                    Indication::TotalPassed
                } else {
                    Indication::Indeterminate
                }
            }
        };
        self.sub_indication = if self.indication == Indication::TotalPassed {
            None
        } else {
            self.steps
                .iter()
                .filter(|step| Some(step.status) == worst)
                .filter_map(|step| step.sub_indication)
                .max()
                .or(Some(SubIndication::Generic))
        };
    }

    /// The step, if it was part of this verification.
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}

/// Steps that every accepted signature went through; a forgotten one must not pass for a good one.
const ESSENTIAL_STEPS: [StepId; 8] = [
    StepId::Format,
    StepId::Digest,
    StepId::Algorithm,
    StepId::Signature,
    StepId::SignerCertificate,
    StepId::SignerChain,
    StepId::SignerRevocation,
    StepId::Time,
];

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

/// What a certificate says of its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateFacts {
    /// Common name.
    pub common_name: Option<String>,
    /// Organisation.
    pub organization: Option<String>,
    /// The whole subject, RFC 4514 style.
    pub subject: String,
    /// The whole issuer, RFC 4514 style.
    pub issuer: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// First moment of validity.
    #[serde(serialize_with = "rfc3339")]
    pub not_before: UnixSeconds,
    /// Last moment of validity.
    #[serde(serialize_with = "rfc3339")]
    pub not_after: UnixSeconds,
    /// SHA-256 of the DER, lower-case hexadecimal.
    pub sha256: String,
    /// Made for trials (`OU=DEV-ONLY`).
    pub dev_only: bool,
}

impl CertificateFacts {
    /// The facts of a certificate, escaped for showing.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        Self {
            common_name: certificate.common_name().as_deref().map(escape),
            organization: certificate.organization_name().as_deref().map(escape),
            subject: escape(&certificate.subject_text()),
            issuer: escape(&certificate.issuer_text()),
            serial: certificate.serial_hex(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            sha256: hex(&certificate.sha256()),
            dev_only: certificate.is_dev_only(),
        }
    }

    /// The shortest name a person recognises: organisation, else common name, else the subject.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.common_name
            .as_deref()
            .or(self.organization.as_deref())
            .unwrap_or(&self.subject)
    }
}

/// What a seal says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SealFacts {
    /// esID: the seal's unique identifier.
    pub identifier: String,
    /// The seal's name.
    pub name: String,
    /// Vid: the vendor identifier.
    pub vendor: String,
    /// The business-defined type number.
    pub seal_type: u64,
    /// createDate.
    #[serde(serialize_with = "rfc3339")]
    pub created: UnixSeconds,
    /// validStart.
    #[serde(serialize_with = "rfc3339")]
    pub valid_from: UnixSeconds,
    /// validEnd.
    #[serde(serialize_with = "rfc3339")]
    pub valid_to: UnixSeconds,
    /// The maker (制章者) whose certificate stands in the seal; absent when it cannot be read.
    pub maker: Option<CertificateFacts>,
    /// Picture width in millimetres.
    pub width_mm: u32,
    /// Picture height in millimetres.
    pub height_mm: u32,
}

/// How much of the file a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "extent", rename_all = "snake_case")]
pub enum Coverage {
    /// Every byte but its own /Contents.
    WholeFile,
    /// Every byte of the file as it was after that many revisions.
    WholeRevision {
        /// The revision it ends with, from 1.
        revision: usize,
        /// How many the file has now.
        revisions: usize,
    },
    /// Only a digest was handed in; the document stayed elsewhere.
    DigestOnly,
}

/// What happened to the file after a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangesAfter {
    /// The sum of it.
    pub verdict: ChangeVerdict,
    /// Fields that were signed later, in the order of the form.
    pub later_fields: Vec<String>,
    /// Changes that do not alter what was signed, each named.
    pub allowed: Vec<Change>,
    /// Changes that no later signature explains.
    pub unexplained: Vec<Change>,
    /// Pages when it was signed; absent when the page tree is broken.
    pub pages_before: Option<usize>,
    /// Pages now; absent when the page tree is broken.
    pub pages_after: Option<usize>,
}

/// The sum of a comparison between the signed revision and the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChangeVerdict {
    /// Nothing follows.
    None,
    /// Only signatures (and what comes with them) follow.
    LaterSignatures,
    /// As [`Self::LaterSignatures`], and additions that change nothing on a page, such as
    /// validation data. They are named, not analysed finer.
    LaterAdditions,
    /// Something else was changed. The signed revision itself is whole.
    Changed,
    /// A limit stopped the comparison.
    Undetermined,
}

/// One object or dictionary entry that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The object number; absent for the trailer.
    pub object: Option<u32>,
    /// What the object is to the document.
    pub what: Changed,
    /// The dictionary key that differs, when one can be named.
    pub key: Option<String>,
}

/// What a changed object is to the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// The catalog.
    Catalog,
    /// The form dictionary or its array of fields.
    Form,
    /// A node of the page tree.
    PageTree,
    /// A page's dictionary.
    Page,
    /// What a page draws.
    PageContent,
    /// The list of annotations of a page.
    PageAnnotations,
    /// An annotation that is no signature widget.
    Annotation,
    /// A form field that is no newly signed signature field.
    FormField,
    /// A field or dictionary of an existing signature.
    ExistingSignature,
    /// Document security store (validation data).
    SecurityStore,
    /// Developer extensions of the catalog.
    Extensions,
    /// /Perms.
    Permissions,
    /// Document information.
    Information,
    /// XMP metadata.
    Metadata,
    /// The logical structure (tags).
    Structure,
    /// An object that held other objects.
    ObjectStream,
    /// The trailer.
    Trailer,
    /// An existing object was deleted.
    Deleted,
    /// A new object that stands where an old reference pointed to nothing.
    DanglingReference,
    /// A new object that nothing refers to.
    Orphan,
    /// An object that cannot be read.
    Unreadable,
    /// Any other object.
    Other,
}

/// One step of the verification.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Which step.
    pub id: StepId,
    /// The worst of its findings; passed without one.
    pub status: Status,
    /// The sub-indication this step asks for.
    pub sub_indication: Option<SubIndication>,
    /// What was found, with the facts.
    pub findings: Vec<Finding>,
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a String does not fail");
    }
    text
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for this shape"
)]
pub(crate) fn rfc3339<S: Serializer>(time: &UnixSeconds, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(time)
}

#[expect(clippy::ref_option, reason = "serde asks for this shape")]
pub(crate) fn optional_rfc3339<S: Serializer>(
    time: &Option<UnixSeconds>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.collect_str(time),
        None => to.serialize_none(),
    }
}
