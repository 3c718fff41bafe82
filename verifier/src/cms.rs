//! CMS signed data in a PDF: PAdES baseline B-B, the same with SM2, and GM/T 0010.

use yinxin_pki::cms::{CmsError, SignedAttributes, SignedData, SignerInfo};
use yinxin_pki::{Certificate, DigestAlgorithm, PkiError, PublicKey, SignatureAlgorithm};

use crate::Trust;
use crate::chain;
use crate::container::{
    CLOCK_TOLERANCE_SECONDS, ContainerFacts, Surroundings, judge_time, may_sign, note_unchecked,
};
use crate::escape::escape;
use crate::finding::{Finding, Steps, failed, passed, unclear, warning};
use crate::report::{CertificateFacts, StepId, SubIndication};
use crate::seal_status;

/// id-data (RFC 5652, 4) and its GM/T 0010 counterpart.
const DATA: [&str; 2] = ["1.2.840.113549.1.7.1", "1.2.156.10197.6.1.4.2.1"];

/// id-aa-timeStampToken (RFC 3161, appendix A).
const SIGNATURE_TIMESTAMP: &str = "1.2.840.113549.1.9.16.2.14";

/// Signatures checked among the certificates of one container; an honest one needs one for each.
const NEIGHBOUR_CHECKS_MAX: usize = 64;

/// The digest the only signer asks for.
pub(crate) fn digest_algorithm(data: &SignedData) -> Option<DigestAlgorithm> {
    match data.signer_infos() {
        [signer] => signer.digest_algorithm(),
        _ => None,
    }
}

pub(crate) fn judge(
    data: &SignedData,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) -> ContainerFacts {
    let [signer] = data.signer_infos() else {
        let finding = Finding::SignerCount {
            count: data.signer_infos().len(),
        };
        steps.note(
            StepId::Format,
            failed(SubIndication::FormatFailure, finding),
        );
        return ContainerFacts::default();
    };
    let has_timestamp = signer
        .unsigned_attribute_oids()
        .iter()
        .any(|oid| oid == SIGNATURE_TIMESTAMP);
    note_unchecked(has_timestamp, steps);
    judge_frame(data, signer, steps);
    judge_digest(data, signer, surroundings, steps);
    let claimed_time = claimed_time(signer, surroundings, steps);
    let Some(certificate) = find_certificate(data, signer, surroundings, steps) else {
        return ContainerFacts {
            claimed_time,
            ..ContainerFacts::default()
        };
    };
    judge_algorithms(signer, certificate, steps);
    match signer.verify(certificate) {
        Ok(()) => steps.note(StepId::Signature, passed()),
        Err(CmsError::Pki(
            PkiError::AlgorithmUnsupported { .. }
            | PkiError::KeyUnsupported { .. }
            | PkiError::PssParameters(_),
        )) => steps.note(
            StepId::Signature,
            unclear(
                SubIndication::CryptoConstraintsFailure,
                Finding::SignatureNotTried,
            ),
        ),
        Err(_) => steps.note(
            StepId::Signature,
            failed(SubIndication::SigCryptoFailure, Finding::SignatureInvalid),
        ),
    }
    if !may_sign(certificate) {
        let finding = Finding::KeyUsageUnfit {
            subject: chain::name_of(certificate),
        };
        steps.note(
            StepId::SignerCertificate,
            unclear(SubIndication::ChainConstraintsFailure, finding),
        );
    }
    judge_neighbours(data, surroundings.trust, steps);

    let (trust, at) = (surroundings.trust, surroundings.options.at);
    let found = chain::find_chain(certificate, data.certificates(), trust, at);
    steps.note(StepId::SignerChain, found.judgement);
    chain::note_revocation(
        StepId::SignerRevocation,
        found.path.as_deref(),
        trust,
        at,
        claimed_time,
        steps,
    );
    judge_time(claimed_time, certificate, at, false, steps);
    seal_status::judge(
        None,
        &certificate.sha256(),
        claimed_time,
        surroundings,
        steps,
    );
    ContainerFacts {
        signer: Some(CertificateFacts::of(certificate)),
        claimed_time,
        ..ContainerFacts::default()
    }
}

/// Versions, content type and the lists that must agree with each other: none of them is signed,
/// so none may be free to change.
fn judge_frame(data: &SignedData, signer: &SignerInfo, steps: &mut Steps) {
    use yinxin_pki::cms::SignerIdentifier;
    if !DATA.contains(&data.content_type()) {
        let finding = Finding::ContentTypeWrong {
            oid: escape(data.content_type()),
        };
        steps.note(
            StepId::Format,
            failed(SubIndication::FormatFailure, finding),
        );
    }
    let signer_version = match signer.identifier() {
        SignerIdentifier::IssuerAndSerial { .. } => 1,
        SignerIdentifier::SubjectKeyId(_) => 3,
    };
    // RFC 5652, 5.1: 1 or 3 for id-data and X.509 certificates alone; 4 and 5 come with attribute
    // certificates and other formats.
    let versions_agree = signer.version() == signer_version
        && matches!(data.version(), 1 | 3..=5)
        && data.version() >= signer_version;
    let broken = if !versions_agree {
        Some("the version numbers of SignedData and SignerInfo contradict their contents")
    } else if !data
        .digest_algorithm_oids()
        .iter()
        .any(|oid| oid == signer.digest_algorithm_oid())
    {
        Some("digestAlgorithms does not name the signer's digest")
    } else {
        None
    };
    if let Some(message) = broken {
        let finding = Finding::ContainerBroken {
            message: message.to_owned(),
        };
        steps.note(
            StepId::Format,
            failed(SubIndication::FormatFailure, finding),
        );
    }
    if data.certificates_unreadable() > 0 {
        let finding = Finding::CertificateUnreadable {
            count: data.certificates_unreadable(),
        };
        steps.note(StepId::Format, unclear(SubIndication::Generic, finding));
    }
}

/// The digest of the covered bytes against the signed attributes or the content inside.
fn judge_digest(
    data: &SignedData,
    signer: &SignerInfo,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) {
    let Some(algorithm) = signer.digest_algorithm() else {
        let oid = escape(signer.digest_algorithm_oid());
        steps.note(
            StepId::Algorithm,
            unclear(
                SubIndication::CryptoConstraintsFailure,
                Finding::DigestAlgorithmUnsupported { oid },
            ),
        );
        steps.note(
            StepId::Digest,
            unclear(
                SubIndication::CryptoConstraintsFailure,
                Finding::DigestNotComputed,
            ),
        );
        return;
    };
    let Some(digest) = &surroundings.digest else {
        steps.note(
            StepId::Digest,
            unclear(
                SubIndication::SignedDataNotFound,
                Finding::DigestNotComputed,
            ),
        );
        return;
    };
    let mismatch = || {
        failed(
            SubIndication::HashFailure,
            Finding::DigestMismatch {
                algorithm: algorithm_name(algorithm),
            },
        )
    };
    let content = data.encapsulated_content();
    // GM/T 0010 in the field: the content inside is the document's digest (gm-formats 3.2).
    let hash_style = data.is_gm_arc() && content.is_some();
    if content.is_some() && !hash_style {
        steps.note(
            StepId::Format,
            failed(SubIndication::FormatFailure, Finding::ContentInside),
        );
    }
    if hash_style {
        let same = content == Some(digest.as_slice());
        steps.note(StepId::Digest, if same { passed() } else { mismatch() });
    }
    match signer.signed_attributes() {
        None if hash_style => {}
        None => {
            let finding = Finding::SignedAttributesMissing;
            steps.note(
                StepId::SignedAttributes,
                failed(SubIndication::FormatFailure, finding),
            );
            steps.note(
                StepId::Digest,
                unclear(
                    SubIndication::SignedDataNotFound,
                    Finding::DigestNotComputed,
                ),
            );
        }
        Some(attributes) => {
            let signed_digest = if hash_style {
                algorithm.digest(content.unwrap_or_default())
            } else {
                digest.clone()
            };
            judge_attributes(data, attributes, steps);
            match attributes.message_digest() {
                Ok(found) if found == signed_digest => steps.note(StepId::Digest, passed()),
                Ok(_) => steps.note(StepId::Digest, mismatch()),
                Err(error) => steps.note(StepId::Digest, broken_attribute(&error)),
            }
        }
    }
}

fn judge_attributes(data: &SignedData, attributes: &SignedAttributes, steps: &mut Steps) {
    let id = StepId::SignedAttributes;
    steps.note(id, passed());
    if !attributes.is_der_sorted() {
        // RFC 5652, 5.4: what is hashed is the DER encoding.
        let finding = Finding::SignedAttributesNotSorted;
        steps.note(id, failed(SubIndication::FormatFailure, finding));
    }
    match attributes.content_type() {
        Ok(oid) if oid == data.content_type() => {}
        Ok(oid) => {
            let finding = Finding::ContentTypeWrong { oid: escape(&oid) };
            steps.note(id, failed(SubIndication::FormatFailure, finding));
        }
        Err(error) => steps.note(id, broken_attribute(&error)),
    }
    if let Err(error) = attributes.signing_time() {
        steps.note(id, broken_attribute(&error));
    }
}

fn broken_attribute(error: &yinxin_pki::cms::CmsError) -> crate::finding::Judgement {
    let finding = Finding::SignedAttributeBroken {
        message: error.to_string(),
    };
    failed(SubIndication::FormatFailure, finding)
}

/// When the signer says it was: the signing-time attribute, else /M, which the digest covers.
fn claimed_time(
    signer: &SignerInfo,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) -> Option<yinxin_pki::UnixSeconds> {
    let attribute = signer
        .signed_attributes()
        .and_then(|attributes| attributes.signing_time().ok().flatten());
    if let (Some(container), Some(dictionary)) = (attribute, surroundings.dictionary_time)
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
    attribute.or(surroundings.dictionary_time)
}

/// The certificate the signer meant: named by the signer info, and by signing-certificate-v2 if
/// that stands among the signed attributes (RFC 5035, 3).
fn find_certificate<'a>(
    data: &'a SignedData,
    signer: &SignerInfo,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) -> Option<&'a Certificate> {
    let id = StepId::SignerCertificate;
    let named = || {
        data.certificates()
            .iter()
            .filter(|certificate| signer.identifier().names(certificate))
    };
    let Some(first) = named().next() else {
        let finding = Finding::SignerCertificateNotFound;
        steps.note(
            id,
            unclear(SubIndication::NoSigningCertificateFound, finding),
        );
        return None;
    };
    let attribute = signer
        .signed_attributes()
        .map(SignedAttributes::signing_certificate_v2);
    match attribute {
        Some(Err(error)) => {
            steps.note(id, broken_attribute(&error));
            Some(first)
        }
        Some(Ok(Some(attribute))) => {
            let meant = named().find(|certificate| attribute.names(certificate) == Some(true));
            match meant {
                Some(_) => steps.note(id, passed()),
                None => {
                    let finding = Finding::SigningCertificateAttributeDiffers;
                    steps.note(
                        id,
                        unclear(SubIndication::NoSigningCertificateFound, finding),
                    );
                }
            }
            meant.or(Some(first))
        }
        Some(Ok(None)) | None => {
            let finding = Finding::SigningCertificateAttributeMissing;
            steps.note(
                id,
                if surroundings.wants_certificate_attribute {
                    unclear(SubIndication::SigConstraintsFailure, finding)
                } else {
                    warning(finding)
                },
            );
            Some(first)
        }
    }
}

fn judge_algorithms(signer: &SignerInfo, certificate: &Certificate, steps: &mut Steps) {
    let id = StepId::Algorithm;
    steps.note(id, passed());
    let algorithm = signer.signature_algorithm();
    let refused = if let SignatureAlgorithm::Unsupported { oid } = algorithm {
        Some(Finding::SignatureAlgorithmUnsupported { oid: escape(oid) })
    } else if let SignatureAlgorithm::RsaPssRefused(fault) = algorithm {
        Some(Finding::SignatureParametersRefused {
            message: format!("RSASSA-PSS: {fault}"),
        })
    } else {
        None
    };
    if let Some(finding) = refused {
        steps.note(
            id,
            unclear(SubIndication::CryptoConstraintsFailure, finding),
        );
    } else if let Some(digest) = signer.digest_algorithm()
        && algorithm.digest() != Some(digest)
    {
        steps.note(
            id,
            failed(SubIndication::FormatFailure, Finding::AlgorithmsDiffer),
        );
    }
    judge_key(certificate.public_key(), steps);
}

/// Notes a key that is too weak.
pub(crate) fn judge_key(key: &PublicKey, steps: &mut Steps) {
    if chain::is_weak(key) {
        let finding = match key {
            PublicKey::Rsa { modulus_bits, .. } => Finding::KeyTooWeak {
                bits: *modulus_bits,
            },
            PublicKey::Unsupported { algorithm_oid } => Finding::SignatureAlgorithmUnsupported {
                oid: escape(algorithm_oid),
            },
            PublicKey::EcP256 { .. } | PublicKey::Sm2(_) => Finding::KeyTooWeak { bits: 256 },
        };
        steps.note(
            StepId::Algorithm,
            unclear(SubIndication::CryptoConstraintsFailure, finding),
        );
    }
}

/// Certificates inside that name an issuer we have must be signed by it, and none may be an altered
/// copy of one we have. Nothing signs this part of the container, so a certificate that was tampered
/// with must not pass unnoticed just because a path exists without it.
fn judge_neighbours(data: &SignedData, trust: &Trust, steps: &mut Steps) {
    let certificates = data.certificates();
    let mut checks_left = NEIGHBOUR_CHECKS_MAX;
    let configured = || trust.intermediates.iter().chain(&trust.anchors);
    for certificate in certificates {
        let mut issuers = certificates
            .iter()
            .chain(configured())
            .filter(|issuer| issuer.subject_der() == certificate.issuer_der())
            // An authority of the same name with another key is another one.
            .filter(
                |issuer| match (certificate.authority_key_id(), issuer.subject_key_id()) {
                    (Some(wanted), Some(offered)) => wanted == offered,
                    (Some(_) | None, None) | (None, Some(_)) => true,
                },
            )
            .peekable();
        let has_issuer = issuers.peek().is_some();
        let verifies = issuers.any(|issuer| {
            checks_left = checks_left.saturating_sub(1);
            checks_left > 0 && certificate.verify_issued_by(issuer).is_ok()
        });
        if checks_left == 0 {
            steps.note(
                StepId::SignerCertificate,
                unclear(SubIndication::Generic, Finding::ChainSearchLimit),
            );
            return;
        }
        let is_altered_copy = || {
            configured().any(|known| {
                known.der() != certificate.der()
                    && (known.tbs_der() == certificate.tbs_der()
                        || known.signature_value() == certificate.signature_value())
            })
        };
        if !verifies && (has_issuer || is_altered_copy()) {
            let finding = Finding::CertificateForged {
                subject: chain::name_of(certificate),
            };
            steps.note(
                StepId::SignerCertificate,
                unclear(SubIndication::ChainConstraintsFailure, finding),
            );
        }
    }
}

pub(crate) const fn algorithm_name(algorithm: DigestAlgorithm) -> &'static str {
    match algorithm {
        DigestAlgorithm::Sha256 => "SHA-256",
        DigestAlgorithm::Sm3 => "SM3",
    }
}
