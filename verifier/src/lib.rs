//! Verifies sealed documents: bytes, time and trust in, report out.
//!
//! ```text
//! let report = yinxin_verifier::verify(&document, &trust, &Options::at(now))?;
//! println!("{}", report.text(Language::Chinese));
//! ```
//!
//! This library has no clock, opens no file and no socket: the same document, trust and options
//! give the same report for ever. An invalid document is a [`Report`]; [`CannotLook`] means that
//! it is no document we can look at. The signer uses it, too, before anything is released.
//!
//! For each signature, in the words of ETSI EN 319 102-1: what /Contents holds, told by content;
//! /ByteRange to the byte; what the file gained afterwards; digest, signature and attributes; the
//! certificate's path to a configured anchor and its revocation; for a seal signature also the
//! seal, its maker, its validity and whom it permits, and its status if a list of its registry is at
//! hand. A step that fails makes the signature
//! TOTAL-FAILED, one that cannot be decided makes it INDETERMINATE.
//!
//! Not checked yet, and reported as such: time stamps, OCSP answers, the document security store.
//! Without a time stamp the signing time is the signer's claim.

mod chain;
mod changes;
mod cms;
mod codes;
mod container;
mod coverage;
mod digests;
mod document;
mod escape;
mod finding;
mod pdf_date;
mod report;
mod seal_status;
mod ses;
mod text;

use yinxin_pdf::{Limits, PdfError};
use yinxin_pki::{Certificate, CertificateRevocationList, DigestAlgorithm, UnixSeconds};

pub use digests::HashedStart;
pub use document::{verify, verify_from};
pub use escape::escape;
pub use finding::Finding;
pub use report::{
    CertificateFacts, Change, ChangeVerdict, Changed, ChangesAfter, ContainerKind, Coverage,
    DocumentFacts, Indication, RemovedSignatures, Report, SealFacts, SignatureReport, Status, Step,
    StepId, SubIndication,
};
pub use seal_status::{
    Moment, SEAL_STATUS_BYTES_MAX, SealStanding, SealStatusEntry, SealStatusError, SealStatusList,
    Sha256,
};
pub use text::Language;

use container::{Container, Surroundings, container_sha256};
use finding::Steps;

/// Whom the verifier believes.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Certificates that are trusted as they stand: every accepted path ends at one.
    pub anchors: Vec<Certificate>,
    /// Certificates that may stand between; trusted only through an anchor.
    pub intermediates: Vec<Certificate>,
    /// Revocation lists, of any of the authorities.
    pub crls: Vec<CertificateRevocationList>,
    /// Status lists of registries of seals.
    pub seal_statuses: Vec<SealStatusList>,
    /// Whether certificates made for trials (`OU=DEV-ONLY`) may be in a path.
    pub allow_dev_only: bool,
}

/// What a verification is made for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time of verification.
    pub at: UnixSeconds,
    /// Limits on the document.
    pub limits: Limits,
}

impl Options {
    /// A verification for this moment, with default limits.
    #[must_use]
    pub fn at(at: UnixSeconds) -> Self {
        Self {
            at,
            limits: Limits::default(),
        }
    }
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotLook {
    /// The document cannot be read strictly, so that nobody can say what it shows.
    #[error(transparent)]
    Document(#[from] PdfError),
}

impl CannotLook {
    /// The stable reason, such as `PDF_ENCRYPTED`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Document(error) => error.reason(),
        }
    }
}

/// Verifies a signature container whose document stayed elsewhere.
///
/// `covered_digest` gives the digest of the covered bytes in the algorithm that the container
/// asks for. Coverage is reported as [`Coverage::DigestOnly`]; nothing can be said about the
/// document around the covered bytes. Zero padding after the container is an error here.
#[must_use]
pub fn verify_container(
    container: &[u8],
    covered_digest: &dyn Fn(DigestAlgorithm) -> Vec<u8>,
    trust: &Trust,
    options: &Options,
) -> SignatureReport {
    let mut steps = Steps::default();
    let mut report = SignatureReport::empty();
    report.coverage = Some(Coverage::DigestOnly);
    let container_sha256 = container_sha256(container, trust);
    if let Some(container) = Container::read_exact(container, &mut steps) {
        let surroundings = Surroundings {
            trust,
            options,
            digest: container.digest_algorithm().map(covered_digest),
            container_sha256,
            covers_nothing: false,
            dictionary_time: None,
            wants_certificate_attribute: true,
        };
        report.kind = container.kind();
        report.take(container.judge(&surroundings, &mut steps));
    }
    report.conclude(steps);
    report
}
