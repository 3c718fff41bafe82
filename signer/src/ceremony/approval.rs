//! A second person: what is irreversible needs the signatures of two custodians.
//!
//! A custodian signs a statement in plain text with a key of their own, here or with any other
//! tool, and the two signatures stay in the audit, where anyone can check them again.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use yinxin_pki::{Certificate, PublicKey, SignatureAlgorithm, UnixSeconds, verify_signature};

use super::fingerprint;

/// How many different persons destroy a key.
pub const APPROVALS_NEEDED: usize = 2;

/// How long an approval holds, in seconds: a ceremony of one day.
const VALID_SECONDS: i64 = 86_400;

/// An act that needs approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act<'a> {
    /// `destroy`.
    pub action: &'a str,
    /// The key's name.
    pub key: &'a str,
    /// The key itself, so that no other one of that name is meant.
    pub spki_der: &'a [u8],
}

impl Act<'_> {
    /// The text that is signed, UTF-8, ending in a line feed.
    #[must_use]
    pub fn statement(&self, at: UnixSeconds) -> String {
        let mut text = String::from("Yinxin approval of a key ceremony · 印信密钥操作批准书\n");
        let lines = [
            ("action", self.action.to_owned()),
            ("key", self.key.to_owned()),
            ("public-key-sha256", fingerprint(self.spki_der)),
            ("approved-at", at.to_string()),
        ];
        for (name, value) in lines {
            writeln!(text, "{name}: {value}").expect("a String takes everything");
        }
        text
    }
}

/// One custodian's signature over a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// When, RFC 3339; part of the statement.
    pub approved_at: String,
    /// SHA-256 of the custodian's certificate.
    pub certificate_sha256: String,
    /// The signature in hexadecimal: PKCS#1 v1.5 with SHA-256, or DER `SEQUENCE { r, s }`.
    pub signature_hex: String,
}

impl Approval {
    /// Puts a signature over [`Act::statement`] at `at` into its shape.
    #[must_use]
    pub fn new(at: UnixSeconds, custodian: &Certificate, signature: &[u8]) -> Self {
        Self {
            approved_at: at.to_string(),
            certificate_sha256: fingerprint(custodian.der()),
            signature_hex: base16ct::lower::encode_string(signature),
        }
    }
}

/// Why approvals do not suffice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// No custodian has this certificate.
    #[error("no custodian has the certificate {certificate_sha256}")]
    Unknown {
        /// SHA-256 of the certificate.
        certificate_sha256: String,
    },
    /// The signature is not over this act.
    #[error("the approval of {custodian} is not a signature over this act")]
    Signature {
        /// Who.
        custodian: String,
    },
    /// Too old, or from the future.
    #[error("the approval of {custodian} was given at {approved_at}: it holds for one day")]
    Stale {
        /// Who.
        custodian: String,
        /// When.
        approved_at: String,
    },
    /// The custodian's certificate is not valid.
    #[error("the certificate of {custodian} is not valid now")]
    CertificateNotValid {
        /// Who.
        custodian: String,
    },
    /// One person, or one key, twice.
    #[error(
        "{needed} approvals by different persons with different keys are needed, these are {found}"
    )]
    TooFew {
        /// How many different persons approve.
        found: usize,
        /// How many must.
        needed: usize,
    },
}

/// The names of the custodians who approve `act`, when two different persons with different keys
/// do, not longer ago than a day.
///
/// # Errors
/// [`NotApproved`].
pub fn check(
    act: &Act<'_>,
    approvals: &[Approval],
    custodians: &[Certificate],
    now: UnixSeconds,
) -> Result<Vec<String>, NotApproved> {
    let mut names = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for approval in approvals {
        let custodian = (custodians.iter())
            .find(|one| fingerprint(one.der()) == approval.certificate_sha256)
            .ok_or_else(|| NotApproved::Unknown {
                certificate_sha256: approval.certificate_sha256.clone(),
            })?;
        let name = custodian.subject_text();
        check_one(act, approval, custodian, now)?;
        names.insert(name);
        keys.insert(custodian.spki_der().to_vec());
    }
    let found = names.len().min(keys.len());
    if found < APPROVALS_NEEDED {
        return Err(NotApproved::TooFew {
            found,
            needed: APPROVALS_NEEDED,
        });
    }
    Ok(names.into_iter().collect())
}

fn check_one(
    act: &Act<'_>,
    approval: &Approval,
    custodian: &Certificate,
    now: UnixSeconds,
) -> Result<(), NotApproved> {
    let name = || custodian.subject_text();
    if now < custodian.not_before() || now > custodian.not_after() {
        return Err(NotApproved::CertificateNotValid { custodian: name() });
    }
    let wrong = || NotApproved::Signature { custodian: name() };
    let at = UnixSeconds::parse_rfc3339(&approval.approved_at).ok_or_else(wrong)?;
    let age = now.0.saturating_sub(at.0);
    if !(0..=VALID_SECONDS).contains(&age) {
        return Err(NotApproved::Stale {
            custodian: name(),
            approved_at: approval.approved_at.clone(),
        });
    }
    let signature = base16ct::mixed::decode_vec(&approval.signature_hex).map_err(|_| wrong())?;
    let algorithm = match custodian.public_key() {
        PublicKey::Rsa { .. } => SignatureAlgorithm::RsaPkcs1Sha256,
        PublicKey::EcP256 { .. } => SignatureAlgorithm::EcdsaP256Sha256,
        PublicKey::Sm2(_) => SignatureAlgorithm::Sm2Sm3,
        PublicKey::Unsupported { .. } => return Err(wrong()),
    };
    verify_signature(
        custodian.public_key(),
        &algorithm,
        act.statement(at).as_bytes(),
        &signature,
    )
    .map_err(|_| wrong())
}
