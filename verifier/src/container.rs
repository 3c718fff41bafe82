//! What stands in /Contents: told by content, not by /Filter and /SubFilter.
//!
//! No public standard fixes the names for SM2 in PDF, and every producer has its own; so a seal
//! signature is recognised by its shape and a CMS by its object identifier.

use yinxin_pki::cms::SignedData;
use yinxin_pki::{Certificate, DigestAlgorithm, UnixSeconds, tlv};
use yinxin_ses::SealSignature;

use crate::finding::{Finding, Steps, failed, not_checked, passed, unclear, warning};
use crate::report::{CertificateFacts, ContainerKind, SealFacts, StepId, SubIndication};
use crate::{Options, Trust, cms, ses};

/// id-ct-TSTInfo: what a time stamp token carries (RFC 3161, 2.4.2).
const TIMESTAMP_INFO: &str = "1.2.840.113549.1.9.16.1.4";

/// A readable container.
pub(crate) enum Container {
    Ses(Box<SealSignature>),
    Cms(Box<SignedData>),
    DocumentTimestamp,
}

/// What is known from outside the container.
pub(crate) struct Surroundings<'a> {
    pub(crate) trust: &'a Trust,
    pub(crate) options: &'a Options,
    /// The digest of the covered bytes in the container's algorithm, if it could be computed.
    pub(crate) digest: Option<Vec<u8>>,
    /// SHA-256 of the container, if somebody will ask for it.
    pub(crate) container_sha256: Option<[u8; 32]>,
    /// Whether nothing at all is covered.
    pub(crate) covers_nothing: bool,
    /// /M of the signature dictionary.
    pub(crate) dictionary_time: Option<UnixSeconds>,
    /// Whether a CMS must name its certificate in a signed attribute (PAdES baseline,
    /// EN 319 142-1, 6.3).
    pub(crate) wants_certificate_attribute: bool,
}

/// What the container says, for the report.
#[derive(Default)]
pub(crate) struct ContainerFacts {
    pub(crate) signer: Option<CertificateFacts>,
    pub(crate) seal: Option<SealFacts>,
    pub(crate) claimed_time: Option<UnixSeconds>,
}

impl Container {
    /// Reads what /Contents holds, padding included.
    pub(crate) fn read(contents: &[u8], steps: &mut Steps) -> Option<Self> {
        let broken = |message: String| {
            failed(
                SubIndication::FormatFailure,
                Finding::ContainerBroken { message },
            )
        };
        let length = match tlv::der_length(contents) {
            Ok(length) => length,
            Err(error) => {
                steps.note(StepId::Format, broken(error.to_string()));
                return None;
            }
        };
        let (container, padding) = contents.split_at_checked(length)?;
        if let Some(place) = padding.iter().position(|byte| *byte != 0) {
            let offset = length + place;
            steps.note(
                StepId::Format,
                failed(
                    SubIndication::FormatFailure,
                    Finding::PaddingNotZero { offset },
                ),
            );
        }
        Self::parse(container, steps, broken)
    }

    /// Reads a container without padding.
    pub(crate) fn read_exact(container: &[u8], steps: &mut Steps) -> Option<Self> {
        Self::parse(container, steps, |message| {
            failed(
                SubIndication::FormatFailure,
                Finding::ContainerBroken { message },
            )
        })
    }

    fn parse(
        container: &[u8],
        steps: &mut Steps,
        broken: impl Fn(String) -> crate::finding::Judgement,
    ) -> Option<Self> {
        if yinxin_ses::looks_like_seal_signature(container) {
            return match SealSignature::parse(container) {
                Ok(signature) => {
                    steps.note(StepId::Format, passed());
                    Some(Self::Ses(Box::new(signature)))
                }
                Err(error) => {
                    steps.note(StepId::Format, broken(error.to_string()));
                    None
                }
            };
        }
        match SignedData::parse(container) {
            Ok(data) if data.content_type() == TIMESTAMP_INFO => {
                steps.note(
                    StepId::Format,
                    unclear(SubIndication::Generic, Finding::DocumentTimestampNotChecked),
                );
                Some(Self::DocumentTimestamp)
            }
            Ok(data) => {
                steps.note(StepId::Format, passed());
                Some(Self::Cms(Box::new(data)))
            }
            Err(yinxin_pki::cms::CmsError::NotSignedData { .. }) => {
                steps.note(
                    StepId::Format,
                    failed(SubIndication::FormatFailure, Finding::ContainerUnknown),
                );
                None
            }
            Err(error) => {
                steps.note(StepId::Format, broken(error.to_string()));
                None
            }
        }
    }

    pub(crate) fn kind(&self) -> ContainerKind {
        match self {
            Self::Ses(signature) => ses::kind(signature),
            Self::Cms(data) if data.is_gm_arc() => ContainerKind::CmsGm,
            Self::Cms(_) => ContainerKind::CmsRfc,
            Self::DocumentTimestamp => ContainerKind::DocumentTimestamp,
        }
    }

    /// The digest that the covered bytes need; none when we know no such algorithm.
    pub(crate) fn digest_algorithm(&self) -> Option<DigestAlgorithm> {
        match self {
            Self::Ses(signature) => ses::digest_algorithm(signature),
            Self::Cms(data) => cms::digest_algorithm(data),
            Self::DocumentTimestamp => None,
        }
    }

    /// Judges everything that the container itself tells.
    pub(crate) fn judge(
        &self,
        surroundings: &Surroundings<'_>,
        steps: &mut Steps,
    ) -> ContainerFacts {
        match self {
            Self::Ses(signature) => ses::judge(signature, surroundings, steps),
            Self::Cms(data) => cms::judge(data, surroundings, steps),
            Self::DocumentTimestamp => {
                steps.note(StepId::Timestamp, not_checked(Finding::TimestampNotChecked));
                ContainerFacts::default()
            }
        }
    }
}

/// The digest under which a registry has recorded a container, padding left out; none where no status
/// list asks for it.
pub(crate) fn container_sha256(contents: &[u8], trust: &Trust) -> Option<[u8; 32]> {
    if trust.seal_statuses.is_empty() {
        return None;
    }
    let container = contents.get(..tlv::der_length(contents).ok()?)?;
    DigestAlgorithm::Sha256.digest(container).try_into().ok()
}

/// The time a signature claims against its certificate and the time of verification.
///
/// `strict` follows GM/T 0031-2014, 6.2.2 d, where a claimed time outside the certificate's
/// validity fails. EN 319 102-1 gives an unproven claim no weight, so elsewhere it is only
/// INDETERMINATE.
pub(crate) fn judge_time(
    claimed: Option<UnixSeconds>,
    certificate: &Certificate,
    at: UnixSeconds,
    strict: bool,
    steps: &mut Steps,
) {
    let Some(claimed) = claimed else {
        // Only a seal signature must say when it was made; a seal has a validity to hold it against.
        let judgement = if strict {
            unclear(SubIndication::SigConstraintsFailure, Finding::TimeMissing)
        } else {
            warning(Finding::TimeMissing)
        };
        steps.note(StepId::Time, judgement);
        return;
    };
    let judge = |sub_indication, finding| {
        if strict {
            failed(sub_indication, finding)
        } else {
            unclear(SubIndication::OutOfBoundsNoPoe, finding)
        }
    };
    if claimed.0 > at.0.saturating_add(CLOCK_TOLERANCE_SECONDS) {
        let finding = Finding::TimeInFuture { claimed };
        steps.note(
            StepId::Time,
            unclear(SubIndication::SigConstraintsFailure, finding),
        );
    }
    if claimed < certificate.not_before() {
        let finding = Finding::TimeBeforeCertificate {
            not_before: certificate.not_before(),
        };
        steps.note(StepId::Time, judge(SubIndication::NotYetValid, finding));
    }
    if claimed > certificate.not_after() {
        let finding = Finding::TimeAfterCertificate {
            not_after: certificate.not_after(),
        };
        steps.note(StepId::Time, judge(SubIndication::Expired, finding));
    }
    steps.note(
        StepId::Time,
        crate::finding::passed_with(Finding::TimeClaimedOnly),
    );
}

/// How far two honest clocks may be apart.
pub(crate) const CLOCK_TOLERANCE_SECONDS: i64 = 300;

/// Whether a certificate may sign documents: its key usage, if any, has digitalSignature or
/// nonRepudiation. The encryption certificate of a dual pair has neither (GM/T 0015).
pub(crate) fn may_sign(certificate: &Certificate) -> bool {
    certificate
        .key_usage()
        .is_none_or(|usage| usage.digital_signature || usage.content_commitment)
}

/// What this version does not look into.
pub(crate) fn note_unchecked(has_timestamp: bool, steps: &mut Steps) {
    let finding = if has_timestamp {
        Finding::TimestampNotChecked
    } else {
        Finding::TimestampAbsent
    };
    steps.note(StepId::Timestamp, not_checked(finding));
    steps.note(
        StepId::EmbeddedRevocation,
        not_checked(Finding::EmbeddedRevocationNotChecked),
    );
}
