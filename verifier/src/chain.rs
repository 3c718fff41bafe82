//! Paths from a certificate to a configured anchor, and revocation along them.
//!
//! A subset of RFC 5280, 6.1: names chain, signatures verify, every certificate is valid at the
//! time of verification, authorities are marked as such and may sign certificates, path lengths
//! hold, and a critical extension we do not know ends the path. Names are compared byte by byte;
//! certificate policies and name constraints are not processed, so a path with critical ones is
//! refused (RFC 5280 permits both).

use yinxin_pki::{
    Certificate, CertificateRevocationList, PublicKey, SignatureAlgorithm, UnixSeconds,
};

use crate::Trust;
use crate::escape::escape;
use crate::finding::{
    Finding, Judgement, Steps, failed, not_checked, passed_with, unclear, warning,
};
use crate::report::{StepId, SubIndication};

/// Certificates in a path, signer and anchor included. Longest real chain seen: 4.
const PATH_DEPTH_MAX: usize = 8;

/// Signatures checked while one path is searched. An honest pool needs as many as the path is
/// long; cross-certified ones a few more.
const SIGNATURE_CHECKS_MAX: usize = 64;

/// Shortest RSA modulus accepted (ETSI TS 119 312).
const RSA_BITS_MIN: usize = 2048;

/// Smallest RSA exponent accepted (ETSI TS 119 312).
const RSA_EXPONENT_MIN: u64 = 65_537;

/// CRL reason codes of RFC 5280, 5.3.1.
const REASON_CERTIFICATE_HOLD: u8 = 6;
const REASON_REMOVE_FROM_CRL: u8 = 8;

/// A path from a certificate (first) to an anchor (last).
pub(crate) type Path<'a> = Vec<&'a Certificate>;

/// What the search came to.
pub(crate) struct ChainOutcome<'a> {
    /// The best path to an anchor; it may still break a rule.
    pub(crate) path: Option<Path<'a>>,
    /// One judgement for the chain step.
    pub(crate) judgement: Judgement,
}

/// Searches the best path from `leaf`, through `inside` (certificates of the container) and the
/// configured ones, to an anchor, valid at `at`.
pub(crate) fn find_chain<'a>(
    leaf: &'a Certificate,
    inside: &'a [Certificate],
    trust: &'a Trust,
    at: UnixSeconds,
) -> ChainOutcome<'a> {
    let mut search = Search {
        trust,
        inside,
        at,
        checks_left: SIGNATURE_CHECKS_MAX,
        best: None,
        broken_link: None,
        missing_issuer: leaf,
        deepest: 0,
    };
    let mut path = vec![leaf];
    search.extend(&mut path);
    search.outcome()
}

/// What keeps a complete path from being accepted, from light to grave.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Validity,
    DevelopmentOnly,
    Weak,
    Constraint,
}

struct Search<'a> {
    trust: &'a Trust,
    inside: &'a [Certificate],
    at: UnixSeconds,
    checks_left: usize,
    /// The best complete path, with what is wrong with it.
    best: Option<(Option<(Fault, Finding)>, Path<'a>)>,
    /// A certificate that named an issuer we have, which did not sign it.
    broken_link: Option<&'a Certificate>,
    /// The certificate farthest from the leaf whose issuer nobody could show.
    missing_issuer: &'a Certificate,
    deepest: usize,
}

impl<'a> Search<'a> {
    /// Tries every way on from the end of `path`; true when a faultless path was found.
    fn extend(&mut self, path: &mut Path<'a>) -> bool {
        let Some(&tip) = path.last() else {
            return false;
        };
        if self
            .trust
            .anchors
            .iter()
            .any(|anchor| anchor.der() == tip.der())
        {
            return self.offer(path);
        }
        if path.len() >= PATH_DEPTH_MAX {
            return false;
        }
        let mut linked = false;
        for candidate in self.candidates(tip) {
            if path.iter().any(|passed| passed.der() == candidate.der()) {
                continue;
            }
            let Some(left) = self.checks_left.checked_sub(1) else {
                return false;
            };
            self.checks_left = left;
            if tip.verify_issued_by(candidate).is_err() {
                self.broken_link.get_or_insert(tip);
                continue;
            }
            linked = true;
            path.push(candidate);
            let done = self.extend(path);
            path.pop();
            if done {
                return true;
            }
        }
        if !linked && path.len() > self.deepest {
            self.deepest = path.len();
            self.missing_issuer = tip;
        }
        false
    }

    /// Certificates whose subject is the issuer of `tip`: anchors first, then configured ones,
    /// then those of the container; among them those whose key identifier fits first.
    fn candidates(&self, tip: &Certificate) -> Vec<&'a Certificate> {
        let trust = self.trust;
        let mut found: Vec<&'a Certificate> = trust
            .anchors
            .iter()
            .chain(&trust.intermediates)
            .chain(self.inside)
            .filter(|candidate| candidate.subject_der() == tip.issuer_der())
            .collect();
        found.sort_by_key(
            |candidate| match (tip.authority_key_id(), candidate.subject_key_id()) {
                (Some(wanted), Some(offered)) => wanted != offered,
                (Some(_) | None, None) | (None, Some(_)) => false,
            },
        );
        found
    }

    /// Keeps a complete path if it is the best so far; true when nothing is wrong with it.
    fn offer(&mut self, path: &Path<'a>) -> bool {
        let fault = self.fault(path);
        let weight = |fault: &Option<(Fault, Finding)>| fault.as_ref().map(|(weight, _)| *weight);
        let better = match &self.best {
            None => true,
            Some((best, _)) => weight(&fault) < weight(best),
        };
        let faultless = fault.is_none();
        if better {
            self.best = Some((fault, path.clone()));
        }
        faultless
    }

    /// The gravest fault of a complete path.
    fn fault(&self, path: &[&Certificate]) -> Option<(Fault, Finding)> {
        let mut gravest: Option<(Fault, Finding)> = None;
        for (depth, certificate) in path.iter().enumerate() {
            let is_anchor = depth + 1 == path.len();
            let found = certificate_fault(path, depth, certificate, is_anchor, self.at, self.trust);
            if let Some((fault, finding)) = found
                && gravest.as_ref().is_none_or(|(known, _)| fault > *known)
            {
                gravest = Some((fault, finding));
            }
        }
        gravest
    }

    fn outcome(self) -> ChainOutcome<'a> {
        let Some((fault, path)) = self.best else {
            let judgement = if self.checks_left == 0 {
                unclear(SubIndication::Generic, Finding::ChainSearchLimit)
            } else if let Some(broken) = self.broken_link {
                unclear(
                    SubIndication::NoCertificateChainFound,
                    Finding::ChainSignatureInvalid {
                        subject: escape(&broken.subject_text()),
                    },
                )
            } else {
                unclear(
                    SubIndication::NoCertificateChainFound,
                    Finding::ChainNotFound {
                        issuer: escape(&self.missing_issuer.issuer_text()),
                    },
                )
            };
            return ChainOutcome {
                path: None,
                judgement,
            };
        };
        let judgement = match fault {
            None => passed_with(Finding::ChainFound {
                anchor: path
                    .last()
                    .map(|anchor| name_of(anchor))
                    .unwrap_or_default(),
                certificates: path.len(),
            }),
            Some((Fault::Validity, finding)) => unclear(SubIndication::OutOfBoundsNoPoe, finding),
            Some((Fault::DevelopmentOnly | Fault::Constraint, finding)) => {
                unclear(SubIndication::ChainConstraintsFailure, finding)
            }
            Some((Fault::Weak, finding)) => {
                unclear(SubIndication::CryptoConstraintsFailure, finding)
            }
        };
        ChainOutcome {
            path: Some(path),
            judgement,
        }
    }
}

/// What is wrong with one certificate of a complete path; `depth` 0 is the leaf.
fn certificate_fault(
    path: &[&Certificate],
    depth: usize,
    certificate: &Certificate,
    is_anchor: bool,
    at: UnixSeconds,
    trust: &Trust,
) -> Option<(Fault, Finding)> {
    let subject = || name_of(certificate);
    let unknown = certificate.unknown_critical_extensions();
    if !unknown.is_empty() {
        let finding = Finding::CriticalExtensionUnknown {
            subject: subject(),
            oids: unknown.iter().map(|oid| escape(oid)).collect(),
        };
        return Some((Fault::Constraint, finding));
    }
    if depth > 0 {
        let may_certify = certificate
            .key_usage()
            .is_none_or(|usage| usage.key_cert_sign);
        if !certificate.is_ca() || !may_certify {
            return Some((
                Fault::Constraint,
                Finding::NotAnAuthority { subject: subject() },
            ));
        }
        // RFC 5280, 4.2.1.9: self-issued certificates do not count.
        let between = path
            .get(1..depth)
            .unwrap_or_default()
            .iter()
            .filter(|authority| !authority.is_self_issued())
            .count();
        if certificate
            .path_length()
            .is_some_and(|most| between > most as usize)
        {
            return Some((
                Fault::Constraint,
                Finding::PathTooLong { subject: subject() },
            ));
        }
    }
    // Nobody relies on the signature over an anchor: it is trusted as it stands.
    let weak_signature = !is_anchor
        && matches!(
            certificate.signature_algorithm(),
            SignatureAlgorithm::Unsupported { .. } | SignatureAlgorithm::RsaPssRefused(_)
        );
    if weak_signature || is_weak(certificate.public_key()) {
        return Some((Fault::Weak, Finding::ChainTooWeak { subject: subject() }));
    }
    if certificate.is_dev_only() && !trust.allow_dev_only {
        return Some((
            Fault::DevelopmentOnly,
            Finding::DevelopmentOnly { subject: subject() },
        ));
    }
    if at < certificate.not_before() || at > certificate.not_after() {
        let finding = Finding::CertificateNotValidNow {
            subject: subject(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        };
        return Some((Fault::Validity, finding));
    }
    None
}

/// Whether a key is too weak or of a kind we do not know.
pub(crate) fn is_weak(key: &PublicKey) -> bool {
    match key {
        PublicKey::Rsa {
            modulus_bits,
            exponent,
            ..
        } => *modulus_bits < RSA_BITS_MIN || *exponent < RSA_EXPONENT_MIN,
        PublicKey::EcP256 { .. } | PublicKey::Sm2(_) => false,
        PublicKey::Unsupported { .. } => true,
    }
}

/// Judges revocation along a path: every certificate but the anchor needs a list by its issuer
/// that is current at `at`.
///
/// `claimed` is when the signature says it was made. A certificate revoked before that fails
/// (GM/T 0031-2014, 6.2.2 d); one revoked later is REVOKED_NO_POE, because nothing proves the
/// claim (EN 319 102-1, 5.2.6).
fn judge_revocation(
    path: &[&Certificate],
    trust: &Trust,
    at: UnixSeconds,
    claimed: Option<UnixSeconds>,
) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for (depth, pair) in path.windows(2).enumerate() {
        let &[certificate, issuer] = pair else {
            continue;
        };
        let is_leaf = depth == 0;
        let subject = name_of(certificate);
        match look_up(certificate, issuer, trust, at, &mut judgements) {
            Standing::Good => {}
            Standing::Revoked { since, reason } => {
                let finding = Finding::CertificateRevoked {
                    subject,
                    since,
                    reason,
                };
                judgements.push(match (is_leaf, claimed) {
                    (true, Some(claimed)) if claimed >= since => {
                        failed(SubIndication::Revoked, finding)
                    }
                    (true, Some(_) | None) => unclear(SubIndication::RevokedNoPoe, finding),
                    (false, _) => unclear(SubIndication::RevokedCaNoPoe, finding),
                });
            }
            Standing::OnHold => judgements.push(unclear(
                SubIndication::TryLater,
                Finding::CertificateOnHold { subject },
            )),
            Standing::Unknown => judgements.push(unclear(
                SubIndication::TryLater,
                Finding::RevocationUnknown { subject },
            )),
            Standing::Outdated => judgements.push(unclear(
                SubIndication::TryLater,
                Finding::RevocationListOutdated { subject },
            )),
        }
    }
    if judgements
        .iter()
        .all(|judgement| judgement.sub_indication.is_none())
    {
        judgements.push(passed_with(Finding::NotRevoked));
    }
    judgements
}

/// Judges revocation along a path, if there is one, into a step.
pub(crate) fn note_revocation(
    id: StepId,
    path: Option<&[&Certificate]>,
    trust: &Trust,
    at: UnixSeconds,
    claimed: Option<UnixSeconds>,
    steps: &mut Steps,
) {
    match path {
        Some(path) => {
            for judgement in judge_revocation(path, trust, at, claimed) {
                steps.note(id, judgement);
            }
        }
        None => steps.note(id, not_checked(Finding::RevocationWithoutChain)),
    }
}

enum Standing {
    Good,
    Revoked {
        since: UnixSeconds,
        reason: Option<u8>,
    },
    OnHold,
    /// Only lists that are not current at the time of verification.
    Outdated,
    Unknown,
}

/// What the lists at hand say of one certificate. A revocation counts even on an outdated list;
/// "not revoked" only on a current one.
fn look_up(
    certificate: &Certificate,
    issuer: &Certificate,
    trust: &Trust,
    at: UnixSeconds,
    judgements: &mut Vec<Judgement>,
) -> Standing {
    let mut standing = Standing::Unknown;
    for list in &trust.crls {
        if list.issuer_der() != certificate.issuer_der() || list.is_delta_or_indirect() {
            continue;
        }
        let may_sign = issuer.key_usage().is_none_or(|usage| usage.crl_sign);
        if !may_sign || list.verify_issued_by(issuer).is_err() {
            // Another authority of the same name may have made it; it proves nothing here.
            judgements.push(warning(Finding::RevocationListForged {
                subject: name_of(certificate),
            }));
            continue;
        }
        if let Some(entry) = list.find(certificate.serial_der_integer_content()) {
            match entry.reason {
                Some(REASON_REMOVE_FROM_CRL) => {}
                Some(REASON_CERTIFICATE_HOLD) => standing = Standing::OnHold,
                Some(_) | None => {
                    return Standing::Revoked {
                        since: entry.at,
                        reason: entry.reason,
                    };
                }
            }
            continue;
        }
        standing = match (standing, is_current(list, at)) {
            (Standing::OnHold, _) => Standing::OnHold,
            (_, true) | (Standing::Good, false) => Standing::Good,
            (Standing::Unknown | Standing::Outdated | Standing::Revoked { .. }, false) => {
                Standing::Outdated
            }
        };
    }
    standing
}

/// Whether a list speaks for the moment `at`. Without nextUpdate nobody knows how long it holds
/// (RFC 5280, 5.1.2.5 asks for it).
fn is_current(list: &CertificateRevocationList, at: UnixSeconds) -> bool {
    list.this_update() <= at && list.next_update().is_some_and(|next| at <= next)
}

/// The name a person recognises, escaped.
pub(crate) fn name_of(certificate: &Certificate) -> String {
    certificate
        .common_name()
        .map_or_else(|| escape(&certificate.subject_text()), |name| escape(&name))
}
