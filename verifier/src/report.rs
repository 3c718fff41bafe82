//! The report: what was found, step by step, and one indication per signature.
//!
//! The words are those of ETSI EN 319 102-1. Everything here serialises to JSON under stable
//! names: fields in snake_case, codes in capitals. Text taken from a document or a certificate
//! has been through [`escape`](crate::escape::escape), so that no name can rearrange the words
//! around it.

use serde::{Serialize, Serializer};
use yinxin_pki::{Certificate, UnixSeconds};

pub use crate::codes::{ContainerKind, Indication, Status, StepId, SubIndication};
use crate::container::ContainerFacts;
use crate::escape::escape;
use crate::finding::{Finding, Steps};
use crate::seal_status::Sha256;

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
    /// Signatures of an older state, in a document that shows none any more.
    pub removed_signatures: Option<RemovedSignatures>,
}

/// Signatures that a later revision took out of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemovedSignatures {
    /// The revision, from 1, that still shows them.
    pub revision: usize,
    /// The fields they were in.
    pub fields: Vec<String>,
}

/// What identifies a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentFacts {
    /// Length in bytes.
    pub length: u64,
    /// SHA-256 of the whole file.
    pub sha256: Sha256,
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
            sha256: base16ct::lower::encode_string(&certificate.sha256()),
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
    /// Changes that do not alter what was signed; the first 256.
    pub allowed: Vec<Change>,
    /// Changes that no later signature explains; the first 256.
    pub unexplained: Vec<Change>,
    /// How many unexplained changes there are in all.
    pub unexplained_count: usize,
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
