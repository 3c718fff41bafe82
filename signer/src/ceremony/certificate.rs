//! What an authority sends is checked before it is installed.

use yinxin_pki::{Certificate, PkiError, UnixSeconds};

/// What a certificate shall be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Sealing: digitalSignature or nonRepudiation.
    Signing,
    /// The encryption certificate of a dual pair (GM/T 0015): keyEncipherment, dataEncipherment or
    /// keyAgreement, and no signing.
    Encryption,
}

/// Why a certificate is not installed. All of these are the authority's, or of whoever brought
/// the wrong file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// The file holds none.
    #[error("the file holds no certificate")]
    None,
    /// It certifies another key.
    #[error("the first certificate ({subject}) is for another key")]
    OtherKey {
        /// Its subject.
        subject: String,
    },
    /// Its keyUsage does not fit.
    #[error("the keyUsage of {subject} does not permit {purpose}")]
    Usage {
        /// Its subject.
        subject: String,
        /// What it was to be used for.
        purpose: &'static str,
    },
    /// It is not valid now.
    #[error("{subject} is valid from {not_before} to {not_after}, not at {at}")]
    NotValidAt {
        /// Its subject.
        subject: String,
        /// Now.
        at: UnixSeconds,
        /// First moment.
        not_before: UnixSeconds,
        /// Last moment.
        not_after: UnixSeconds,
    },
    /// A certificate above it is no authority, or may not sign certificates.
    #[error("{issuer}, which issued {subject}, is no certification authority")]
    NoAuthority {
        /// Whose issuer.
        subject: String,
        /// The issuer.
        issuer: String,
    },
    /// The signature of an issuer does not verify.
    #[error("{subject} was not signed by {issuer}: {source}")]
    NotSigned {
        /// Whose signature.
        subject: String,
        /// Who should have signed.
        issuer: String,
        /// The mathematics.
        source: PkiError,
    },
    /// Nobody knows the issuer.
    #[error(
        "the issuer of {subject}, {issuer}, is neither in the file nor in the trust folder: \
         add the authority's certificate"
    )]
    IssuerMissing {
        /// Whose issuer.
        subject: String,
        /// Its name.
        issuer: String,
    },
    /// The chain ends in a root that nobody trusts.
    #[error("the root {root} is not among the trusted ones")]
    RootNotTrusted {
        /// Its name.
        root: String,
    },
    /// A throw-away certificate where real ones belong.
    #[error("{subject} is marked DEV-ONLY and is good for trials only")]
    DevelopmentOnly {
        /// Its subject.
        subject: String,
    },
    /// Longer than any honest chain.
    #[error("the chain has more than {max} certificates")]
    TooLong {
        /// What is allowed.
        max: usize,
    },
}

/// Longest real chain seen: 4.
const CHAIN_MAX: usize = 8;

/// Whose certificates end a chain.
#[derive(Clone, Copy, Debug)]
pub struct Trusted<'a> {
    /// Roots.
    pub anchors: &'a [Certificate],
    /// Authorities below them.
    pub intermediates: &'a [Certificate],
    /// Whether throw-away certificates pass.
    pub allow_dev_only: bool,
}

/// The chain of `certificates`, nearest first and without the root, when the first of them is for
/// the key `spki_der`, may be used for `purpose`, is valid at `at`, and leads to a trusted root.
///
/// # Errors
/// [`CertificateProblem`], the first thing that is not as it must be.
pub fn check_certificates(
    certificates: &[Certificate],
    spki_der: &[u8],
    purpose: KeyPurpose,
    trusted: Trusted<'_>,
    at: UnixSeconds,
) -> Result<Vec<Certificate>, CertificateProblem> {
    let leaf = certificates.first().ok_or(CertificateProblem::None)?;
    let subject = leaf.subject_text();
    if leaf.spki_der() != spki_der {
        return Err(CertificateProblem::OtherKey { subject });
    }
    check_usage(leaf, purpose)?;
    let mut chain = Vec::new();
    let mut tip = leaf;
    loop {
        check_one(tip, trusted, at)?;
        if chain.len() == CHAIN_MAX {
            return Err(CertificateProblem::TooLong { max: CHAIN_MAX });
        }
        let is_anchor =
            |one: &Certificate| (trusted.anchors.iter()).any(|anchor| anchor.der() == one.der());
        if tip.is_self_issued() {
            return if is_anchor(tip) {
                Ok(chain)
            } else {
                let root = tip.subject_text();
                Err(CertificateProblem::RootNotTrusted { root })
            };
        }
        chain.push(tip.clone());
        let issuer = (certificates.iter())
            .chain(trusted.intermediates)
            .chain(trusted.anchors)
            .find(|candidate| candidate.subject_der() == tip.issuer_der())
            .ok_or_else(|| CertificateProblem::IssuerMissing {
                subject: tip.subject_text(),
                issuer: tip.issuer_text(),
            })?;
        let may_sign = issuer.is_ca() && issuer.key_usage().is_none_or(|usage| usage.key_cert_sign);
        if !may_sign {
            return Err(CertificateProblem::NoAuthority {
                subject: tip.subject_text(),
                issuer: issuer.subject_text(),
            });
        }
        tip.verify_signed_by(issuer.public_key())
            .map_err(|source| CertificateProblem::NotSigned {
                subject: tip.subject_text(),
                issuer: issuer.subject_text(),
                source,
            })?;
        tip = issuer;
    }
}

fn check_one(
    certificate: &Certificate,
    trusted: Trusted<'_>,
    at: UnixSeconds,
) -> Result<(), CertificateProblem> {
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    let subject = certificate.subject_text();
    if at < not_before || at > not_after {
        return Err(CertificateProblem::NotValidAt {
            subject,
            at,
            not_before,
            not_after,
        });
    }
    if certificate.is_dev_only() && !trusted.allow_dev_only {
        return Err(CertificateProblem::DevelopmentOnly { subject });
    }
    Ok(())
}

fn check_usage(leaf: &Certificate, purpose: KeyPurpose) -> Result<(), CertificateProblem> {
    let usage = leaf.key_usage();
    let signs = usage.is_some_and(|usage| usage.digital_signature || usage.content_commitment);
    let encrypts = usage.is_some_and(|usage| {
        usage.key_encipherment || usage.data_encipherment || usage.key_agreement
    });
    let (permitted, word) = match purpose {
        KeyPurpose::Signing => (signs, "signing documents"),
        // A dual pair keeps the two apart: what the authority's key centre also holds must not
        // sign.
        KeyPurpose::Encryption => (encrypts && !signs, "encryption only"),
    };
    if permitted {
        return Ok(());
    }
    Err(CertificateProblem::Usage {
        subject: leaf.subject_text(),
        purpose: word,
    })
}
