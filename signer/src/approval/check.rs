//! Whether an approver's signature counts, and whether an approval covers a use.

use yinxin_pki::{Certificate, DigestAlgorithm, PublicKey, SignatureAlgorithm, UnixSeconds, cms};
use yinxin_verifier::{Indication, Options, SubIndication, Trust, verify_container};

use super::{Approval, ApprovalSignature};
use crate::keys::{KeyStore, KeyStoreError};
use crate::registry::{Person, RegistryError, Role};

/// Why a signature under an approval is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// There is no such approval.
    #[error("there is no approval {id}")]
    Unknown {
        /// The id asked for.
        id: String,
    },
    /// Roles, and parts that must be different people's.
    #[error(transparent)]
    Duty(#[from] RegistryError),
    /// The approval's time is over.
    #[error("the approval {id} was open until {expires_at}")]
    Expired {
        /// Which.
        id: String,
        /// Until when.
        expires_at: UnixSeconds,
    },
    /// This person, or enough people, have signed.
    #[error("the approval {id} has {person}'s signature already, or as many as it needs")]
    SignedAlready {
        /// Which.
        id: String,
        /// Who.
        person: String,
    },
    /// The signature is none over this statement, or its certificate is not trusted.
    #[error("the signature over the statement is not valid: {why}")]
    Signature {
        /// The verifier's words.
        why: String,
    },
    /// The certificate is not one that this person signs approvals with.
    #[error("the certificate is not one with which {person} signs approvals")]
    OtherCertificate {
        /// Who.
        person: String,
    },
}

impl ApprovalError {
    /// The stable reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "APPROVAL_UNKNOWN",
            Self::Duty(error) => error.reason(),
            Self::Expired { .. } => "APPROVAL_EXPIRED",
            Self::SignedAlready { .. } => "APPROVAL_SIGNED_ALREADY",
            Self::Signature { .. } => "APPROVAL_SIGNATURE_INVALID",
            Self::OtherCertificate { .. } => "APPROVAL_CERTIFICATE_UNKNOWN",
        }
    }
}

/// Why an approval does not cover a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefused {
    /// The rule asks for an approval and the request names none for this seal.
    #[error("this use needs an approval; ask for one with RequestApproval")]
    Needed,
    /// There is no such approval, or it is another department's.
    #[error("there is no such approval for this department")]
    Unknown,
    /// Not enough people have signed.
    #[error("the approval lacks signatures")]
    Incomplete,
    /// Its time is over.
    #[error("the approval has expired")]
    Expired,
    /// It was used.
    #[error("the approval has been used; it is good once")]
    Used,
    /// It speaks of another operation.
    #[error("the approval is for another operation")]
    OtherOperation,
    /// It speaks of another document.
    #[error("the approval is for another document")]
    OtherDocument,
    /// It speaks of another seal.
    #[error("the approval is for another seal")]
    OtherSeal,
    /// It speaks of another place.
    #[error("the approval is for another place, profile or reason")]
    OtherPlace,
    /// It speaks of another number of copies.
    #[error("the approval is for another number of copies")]
    OtherCopies,
}

impl ApprovalRefused {
    /// The stable reason.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Needed => "APPROVAL_NEEDED",
            Self::Unknown => "APPROVAL_UNKNOWN",
            Self::Incomplete => "APPROVAL_INCOMPLETE",
            Self::Expired => "APPROVAL_EXPIRED",
            Self::Used => "APPROVAL_USED",
            Self::OtherOperation => "APPROVAL_OTHER_OPERATION",
            Self::OtherDocument => "APPROVAL_OTHER_DOCUMENT",
            Self::OtherSeal => "APPROVAL_OTHER_SEAL",
            Self::OtherPlace => "APPROVAL_OTHER_PLACE",
            Self::OtherCopies => "APPROVAL_OTHER_COPIES",
        }
    }
}

/// What is about to be sealed, as an approval must cover it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The department.
    pub caller: String,
    /// The operation's stable name.
    pub operation: String,
    /// The seal's code.
    pub seal: String,
    /// As [`Approval::document_sha256`].
    pub document_sha256: [u8; 32],
    /// As [`Approval::place_sha256`].
    pub place_sha256: [u8; 32],
    /// As [`Approval::copies`].
    pub copies: u32,
}

/// Checks that an approval covers a use now. `signatures` is how many people have signed, `needed`
/// how many the rule asks for.
///
/// # Errors
/// The first thing that does not fit.
pub fn check_use(
    approval: &Approval,
    signatures: usize,
    used: bool,
    needed: u8,
    claimed: &Claimed,
    at: UnixSeconds,
) -> Result<(), ApprovalRefused> {
    if approval.caller != claimed.caller {
        return Err(ApprovalRefused::Unknown);
    }
    if used {
        return Err(ApprovalRefused::Used);
    }
    if at > approval.expires_at {
        return Err(ApprovalRefused::Expired);
    }
    if approval.operation != claimed.operation {
        return Err(ApprovalRefused::OtherOperation);
    }
    if approval.seal != claimed.seal {
        return Err(ApprovalRefused::OtherSeal);
    }
    if approval.document_sha256 != claimed.document_sha256 {
        return Err(ApprovalRefused::OtherDocument);
    }
    if approval.place_sha256 != claimed.place_sha256 {
        return Err(ApprovalRefused::OtherPlace);
    }
    if approval.copies != claimed.copies {
        return Err(ApprovalRefused::OtherCopies);
    }
    if signatures < usize::from(needed.max(approval.needed)) {
        return Err(ApprovalRefused::Incomplete);
    }
    Ok(())
}

/// Checks one approver's detached CMS over the statement, and gives what the record keeps.
/// `keeper` is who keeps the seal, `signed` who has signed before.
///
/// # Errors
/// As the variants of [`ApprovalError`] say.
pub fn check_signature(
    approval: &Approval,
    person: &Person,
    keeper: &str,
    signed: &[ApprovalSignature],
    cms_der: &[u8],
    trust: &Trust,
    at: UnixSeconds,
) -> Result<ApprovalSignature, ApprovalError> {
    person.must_be(Role::Approver)?;
    if person.name == keeper {
        return Err(RegistryError::SamePerson {
            rule: "the approver and the keeper of a seal must be two people (国办发〔2001〕52号)",
        }
        .into());
    }
    if person.name == approval.operator || person.name == approval.caller {
        return Err(RegistryError::SamePerson {
            rule: "a use must be approved by somebody else than who asks for it",
        }
        .into());
    }
    if at > approval.expires_at {
        return Err(ApprovalError::Expired {
            id: approval.id.clone(),
            expires_at: approval.expires_at,
        });
    }
    let taken = signed.len() >= usize::from(approval.needed)
        || signed.iter().any(|one| one.approver == person.name);
    if taken {
        return Err(ApprovalError::SignedAlready {
            id: approval.id.clone(),
            person: person.name.clone(),
        });
    }
    let statement = approval.statement();
    let report = verify_container(
        cms_der,
        &|algorithm: DigestAlgorithm| algorithm.digest(statement.as_bytes()),
        trust,
        &Options::at(at),
    );
    // As at release: revocation lists that are not at hand are no fault of the signer's.
    let acceptable = match report.indication {
        Indication::TotalPassed => true,
        Indication::Indeterminate => report.sub_indication == Some(SubIndication::TryLater),
        Indication::TotalFailed => false,
    };
    if !acceptable {
        return Err(ApprovalError::Signature {
            why: format!("{:?} {:?}", report.indication, report.sub_indication),
        });
    }
    // The verifier takes seal signatures, too; an approval is a person's CMS.
    let certificate = signer_certificate(cms_der).ok_or_else(|| ApprovalError::Signature {
        why: "no signer's certificate is in it".to_owned(),
    })?;
    let certificate_sha256 = certificate.sha256();
    // Two people must not be one key, whatever the configuration lists.
    let known = person.certificates_sha256.contains(&certificate_sha256)
        && signed
            .iter()
            .all(|one| one.certificate_sha256 != certificate_sha256);
    if !known {
        return Err(ApprovalError::OtherCertificate {
            person: person.name.clone(),
        });
    }
    Ok(ApprovalSignature {
        approver: person.name.clone(),
        certificate_sha256,
        cms_der: cms_der.to_vec(),
        signed_at: at,
    })
}

/// The certificate that the only signature names; the verifier has checked the signature by it.
fn signer_certificate(cms_der: &[u8]) -> Option<Certificate> {
    let data = cms::SignedData::parse(cms_der).ok()?;
    let [signer] = data.signer_infos() else {
        return None;
    };
    signer.signer_certificate(&data).cloned()
}

/// An approver's detached CMS over a statement, made with a key of theirs; `certificates` has their
/// own first.
///
/// # Errors
/// [`KeyStoreError`]; a certificate without a key that we sign with is
/// [`KeyStoreError::Unusable`].
pub fn statement_cms(
    statement: &str,
    keys: &dyn KeyStore,
    key: &str,
    certificates: &[Certificate],
) -> Result<Vec<u8>, KeyStoreError> {
    let unusable = |why: &'static str| KeyStoreError::Unusable {
        key: key.to_owned(),
        why: why.into(),
    };
    let certificate = certificates
        .first()
        .ok_or_else(|| unusable("no certificate is given with it"))?;
    let (digest, algorithm) = match certificate.public_key() {
        PublicKey::Rsa { .. } => (DigestAlgorithm::Sha256, SignatureAlgorithm::RsaPkcs1Sha256),
        PublicKey::EcP256 { .. } => (DigestAlgorithm::Sha256, SignatureAlgorithm::EcdsaP256Sha256),
        PublicKey::Sm2(_) => (DigestAlgorithm::Sm3, SignatureAlgorithm::Sm2Sm3),
        PublicKey::Unsupported { .. } => {
            return Err(unusable("its certificate is of a kind we do not sign with"));
        }
    };
    let attributes =
        cms::signed_attributes_der(digest, &digest.digest(statement.as_bytes()), certificate);
    let signature = keys.sign(key, &algorithm, &attributes)?;
    Ok(cms::assemble_signed_data(
        digest,
        &algorithm,
        &attributes,
        &signature,
        certificates,
    ))
}
