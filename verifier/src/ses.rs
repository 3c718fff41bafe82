//! Seal signatures: the verification of GM/T 0031-2014, 6.2.2 and GB/T 38540-2020.
//!
//! Where those standards say that a check fails, the step fails and with it the signature, also
//! where EN 319 102-1 would say INDETERMINATE: a seal that does not permit its signer
//! (SIG_CONSTRAINTS_FAILURE), or a certificate whose key usage forbids signing
//! (CHAIN_CONSTRAINTS_FAILURE). A missing path to an anchor stays INDETERMINATE, because it may be
//! our configuration that lacks the anchor.

use yinxin_pki::{Certificate, DigestAlgorithm, UnixSeconds};
use yinxin_ses::{Seal, SealSignature, SealVersion, SesError};

use crate::chain;
use crate::cms::{algorithm_name, judge_key};
use crate::container::{
    CLOCK_TOLERANCE_SECONDS, ContainerFacts, Surroundings, judge_time, may_sign, note_unchecked,
};
use crate::escape::escape;
use crate::finding::{Finding, Judgement, Steps, failed, passed, unclear, warning};
use crate::report::{CertificateFacts, ContainerKind, SealFacts, Status, StepId, SubIndication};
use crate::seal_status;

/// sha256WithRSAEncryption, which the text of v1 permits.
const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";

pub(crate) fn kind(signature: &SealSignature) -> ContainerKind {
    match signature.version() {
        SealVersion::V1 => ContainerKind::SesV1,
        SealVersion::V4 => ContainerKind::SesV4,
        SealVersion::V5 => ContainerKind::SesV5,
    }
}

/// The digest that dataHash is made with.
pub(crate) fn digest_algorithm(signature: &SealSignature) -> Option<DigestAlgorithm> {
    if signature.signature_algorithm_oid() == SHA256_WITH_RSA {
        Some(DigestAlgorithm::Sha256)
    } else {
        Some(DigestAlgorithm::Sm3)
    }
}

pub(crate) fn judge(
    signature: &SealSignature,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) -> ContainerFacts {
    let seal = signature.seal();
    note_unchecked(
        signature.time_stamp().is_some() || seal.time_stamp().is_some(),
        steps,
    );
    judge_form(signature, steps);
    judge_digest(signature, surroundings, steps);
    let claimed_time = claimed_time(signature, surroundings, steps);

    let id = StepId::Signature;
    note_signature(
        id,
        signature.verify_signer_signature(),
        Finding::SignatureInvalid,
        steps,
    );
    let id = StepId::SealSignature;
    note_signature(
        id,
        seal.verify_maker_signature(),
        Finding::SealSignatureInvalid,
        steps,
    );

    let permits = seal
        .property()
        .cert_list
        .permits(signature.signer_certificate_der());
    steps.note(
        StepId::SealPermitsSigner,
        if permits {
            passed()
        } else {
            failed(
                SubIndication::SigConstraintsFailure,
                Finding::SignerNotPermitted,
            )
        },
    );
    judge_seal_validity(seal, claimed_time, surroundings.options.at, steps);
    if let Ok(certificate) = DigestAlgorithm::Sha256
        .digest(signature.signer_certificate_der())
        .try_into()
    {
        let code = Some(seal.es_id());
        seal_status::judge(code, &certificate, claimed_time, surroundings, steps);
    }
    let maker = judge_maker(seal, surroundings, steps);
    let signer = judge_signer(signature, claimed_time, surroundings, steps);
    ContainerFacts {
        signer,
        seal: Some(seal_facts(seal, maker)),
        claimed_time,
    }
}

fn judge_form(signature: &SealSignature, steps: &mut Steps) {
    let seal = signature.seal();
    if signature.to_sign_version() != seal.header().version {
        // Met in the field (a producer of 2019 writes 3 around a seal of version 4).
        steps.note(StepId::Format, warning(Finding::SealVersionsDiffer));
    }
    let critical = seal.extensions().iter().chain(signature.extensions());
    for extension in critical.filter(|extension| extension.critical) {
        // Unknown critical extensions occur in live seals; to refuse them is a policy, not a fact.
        let finding = Finding::SealExtensionUnknown {
            oid: escape(&extension.oid),
        };
        steps.note(StepId::Format, warning(finding));
    }
}

fn judge_digest(signature: &SealSignature, surroundings: &Surroundings<'_>, steps: &mut Steps) {
    let algorithm = digest_algorithm(signature).unwrap_or(DigestAlgorithm::Sm3);
    let signed = signature.data_hash();
    let judgement = match &surroundings.digest {
        None => unclear(
            SubIndication::SignedDataNotFound,
            Finding::DigestNotComputed,
        ),
        Some(_) if signed == algorithm.digest(b"") && !surroundings.covers_nothing => {
            failed(SubIndication::HashFailure, Finding::DigestOfNothing)
        }
        Some(digest) if signed == digest.as_slice() => passed(),
        Some(_) => failed(
            SubIndication::HashFailure,
            Finding::DigestMismatch {
                algorithm: algorithm_name(algorithm),
            },
        ),
    };
    steps.note(StepId::Digest, judgement);
}

/// timeInfo; /M only where v1 has no readable time of its own.
fn claimed_time(
    signature: &SealSignature,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) -> Option<UnixSeconds> {
    if let (Some(container), Some(dictionary)) = (signature.time().at, surroundings.dictionary_time)
        && container.0.abs_diff(dictionary.0) > CLOCK_TOLERANCE_SECONDS.unsigned_abs()
    {
        steps.note(
            StepId::Time,
            warning(Finding::TimesDiffer {
                dictionary,
                container,
            }),
        );
    }
    signature.time().at.or(surroundings.dictionary_time)
}

fn note_signature(id: StepId, result: Result<(), SesError>, invalid: Finding, steps: &mut Steps) {
    let judgement = match result {
        Ok(()) => passed(),
        Err(SesError::AlgorithmUnsupported { oid }) => {
            let finding = Finding::SignatureAlgorithmUnsupported { oid: escape(&oid) };
            steps.note(
                StepId::Algorithm,
                unclear(SubIndication::CryptoConstraintsFailure, finding.clone()),
            );
            unclear(SubIndication::CryptoConstraintsFailure, finding)
        }
        Err(SesError::SignatureUnderEmptyDistid) => failed(
            SubIndication::SigCryptoFailure,
            Finding::SignatureUnderEmptyIdentifier,
        ),
        Err(_) => failed(SubIndication::SigCryptoFailure, invalid),
    };
    steps.note(id, judgement);
}

fn judge_seal_validity(
    seal: &Seal,
    claimed: Option<UnixSeconds>,
    at: UnixSeconds,
    steps: &mut Steps,
) {
    let (from, to) = (seal.property().valid_start, seal.property().valid_end);
    let judgement = match claimed {
        None => unclear(SubIndication::SigConstraintsFailure, Finding::TimeMissing),
        Some(claimed) if claimed < from || claimed > to => failed(
            SubIndication::SigConstraintsFailure,
            Finding::SealNotValidThen {
                at: claimed,
                from,
                to,
            },
        ),
        Some(_) if at > to => warning(Finding::SealExpiredSince { to }),
        Some(_) => passed(),
    };
    steps.note(StepId::SealValidity, judgement);
}

/// The maker's certificate: path, key usage, revocation.
fn judge_maker(
    seal: &Seal,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) -> Option<CertificateFacts> {
    let Ok(maker) = Certificate::recall(seal.maker_certificate_der()) else {
        let finding = Finding::MakerCertificateUnreadable;
        steps.note(
            StepId::MakerChain,
            failed(SubIndication::FormatFailure, finding),
        );
        return None;
    };
    if !may_sign(&maker) {
        let finding = Finding::KeyUsageUnfit {
            subject: chain::name_of(&maker),
        };
        steps.note(
            StepId::MakerChain,
            failed(SubIndication::ChainConstraintsFailure, finding),
        );
    }
    let (trust, at) = (surroundings.trust, surroundings.options.at);
    let made = seal.property().create_date;
    let mut found = chain::find_chain(&maker, &[], trust, at);
    if seal.version() == SealVersion::V5
        && found.judgement.sub_indication == Some(SubIndication::OutOfBoundsNoPoe)
    {
        // GM/T 0031-2025: a maker's certificate that was good when the seal was made and has
        // expired since is worth a warning only.
        let then = chain::find_chain(&maker, &[], trust, made);
        if then.judgement.status == Status::Passed {
            found.judgement = Judgement {
                status: Status::Warning,
                sub_indication: None,
                finding: found.judgement.finding,
            };
        }
    }
    steps.note(StepId::MakerChain, found.judgement);
    let path = found.path.as_deref();
    chain::note_revocation(StepId::MakerRevocation, path, trust, at, Some(made), steps);
    Some(CertificateFacts::of(&maker))
}

/// The signer's certificate: path, key usage, revocation, time.
fn judge_signer(
    signature: &SealSignature,
    claimed: Option<UnixSeconds>,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) -> Option<CertificateFacts> {
    let Ok(signer) = Certificate::recall(signature.signer_certificate_der()) else {
        let finding = Finding::CertificateUnreadable { count: 1 };
        steps.note(
            StepId::SignerCertificate,
            failed(SubIndication::FormatFailure, finding),
        );
        return None;
    };
    steps.note(StepId::Algorithm, passed());
    judge_key(signer.public_key(), steps);
    steps.note(
        StepId::SignerCertificate,
        if may_sign(&signer) {
            passed()
        } else {
            let finding = Finding::KeyUsageUnfit {
                subject: chain::name_of(&signer),
            };
            failed(SubIndication::ChainConstraintsFailure, finding)
        },
    );
    let (trust, at) = (surroundings.trust, surroundings.options.at);
    let found = chain::find_chain(&signer, &[], trust, at);
    steps.note(StepId::SignerChain, found.judgement);
    let path = found.path.as_deref();
    chain::note_revocation(StepId::SignerRevocation, path, trust, at, claimed, steps);
    judge_time(claimed, &signer, at, true, steps);
    Some(CertificateFacts::of(&signer))
}

fn seal_facts(seal: &Seal, maker: Option<CertificateFacts>) -> SealFacts {
    let property = seal.property();
    SealFacts {
        identifier: escape(seal.es_id()),
        name: escape(&property.name),
        vendor: escape(&seal.header().vendor_id),
        seal_type: property.seal_type,
        created: property.create_date,
        valid_from: property.valid_start,
        valid_to: property.valid_end,
        maker,
        width_mm: seal.picture().width_mm,
        height_mm: seal.picture().height_mm,
    }
}
