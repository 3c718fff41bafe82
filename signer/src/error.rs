//! What can go wrong on the road of a document, by whose move it is.

use yinxin_pdf::PdfError;
use yinxin_pki::UnixSeconds;

use crate::keys::KeyStoreError;
use crate::places::PlaceError;
use crate::plan::PlanError;

/// The configuration and the keys do not fit together. Found at start, before any port opens.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The key's certificate holds a public key we do not sign with.
    #[error("the certificate of key {key} has a public key of an unknown kind ({algorithm_oid})")]
    KeyKind {
        /// The key's name.
        key: String,
        /// Its algorithm.
        algorithm_oid: String,
    },
    /// The key store's key is another one than the certificate's.
    #[error("the key {key} does not belong to its certificate")]
    KeyIsNotTheCertificates {
        /// The key's name.
        key: String,
    },
    /// The certificate is not meant for signing documents.
    #[error(
        "the certificate of key {key} permits neither digitalSignature nor nonRepudiation: \
         a seal is bound to the signing certificate of a pair, not to the encryption one"
    )]
    KeyUsage {
        /// The key's name.
        key: String,
    },
    /// The seal object's maker signature is wrong.
    #[error("the seal object of {seal} is not intact")]
    SealObject {
        /// The seal's id.
        seal: String,
        /// What is wrong with it.
        #[source]
        source: yinxin_ses::SesError,
    },
    /// The seal's certList does not hold the signer.
    #[error(
        "the seal object of {seal} does not permit its signer's certificate: \
         after a renewal the seal must be made again"
    )]
    SignerNotInSeal {
        /// The seal's id.
        seal: String,
    },
    /// Nothing to sign with.
    #[error("the seal {seal} has neither an SM2 nor an RSA or P-256 key")]
    SealWithoutKey {
        /// The seal's id.
        seal: String,
    },
    /// A digest of the wrong length reached a container.
    #[error("a digest of {bytes} bytes was given where 32 are needed")]
    DigestLength {
        /// Its length.
        bytes: usize,
    },
    /// The key store refuses.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
}

/// Why a document was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The document, or the place asked for, does not allow it.
    #[error(transparent)]
    Document(#[from] PdfError),
    /// The place cannot be worked out, or is refused.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The document's signing plan does not allow it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The seal has no key for this profile.
    #[error("the seal {seal} does not offer the profile {profile}")]
    ProfileNotOffered {
        /// The seal's id.
        seal: String,
        /// The profile asked for.
        profile: &'static str,
    },
    /// The certificate is not valid now.
    #[error(
        "the certificate of seal {seal} is valid from {not_before} to {not_after}, not at {at}"
    )]
    CertificateNotValidAt {
        /// The seal's id.
        seal: String,
        /// Now.
        at: UnixSeconds,
        /// First moment.
        not_before: UnixSeconds,
        /// Last moment.
        not_after: UnixSeconds,
    },
    /// The seal is not valid now.
    #[error("the seal {seal} is valid from {valid_start} to {valid_end}, not at {at}")]
    SealNotValidAt {
        /// The seal's id.
        seal: String,
        /// Now.
        at: UnixSeconds,
        /// First moment.
        valid_start: UnixSeconds,
        /// Last moment.
        valid_end: UnixSeconds,
    },
    /// A digest sealing makes one container, a dual sealing two.
    #[error("a digest can be sealed with one profile at a time, not with {profile}")]
    NotForDigests {
        /// The profile asked for.
        profile: &'static str,
    },
    /// The digest does not have the length of its algorithm.
    #[error("the digest has {bytes} bytes, {algorithm} gives 32")]
    DigestLength {
        /// What was given.
        bytes: usize,
        /// The algorithm.
        algorithm: &'static str,
    },
    /// Keys, certificates and seal do not fit together after all.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The key store did not sign.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// Our own verifier did not accept what we made; it was not released.
    #[error("our own verifier refuses the sealed document: {why}")]
    SelfCheck {
        /// The verifier's words, for the log.
        why: String,
    },
    /// The record could not be written, so nothing was signed or released.
    #[error(transparent)]
    Record(#[from] crate::record::RecordError),
}

impl SealError {
    /// The stable reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Document(error) => error.reason(),
            Self::Place(error) => error.reason(),
            Self::Plan(error) => error.reason(),
            Self::ProfileNotOffered { .. } => "PROFILE_NOT_OFFERED",
            Self::CertificateNotValidAt { .. } => "CERTIFICATE_NOT_VALID",
            Self::SealNotValidAt { .. } => "SEAL_NOT_VALID",
            Self::NotForDigests { .. } => "PROFILE_NOT_FOR_DIGESTS",
            Self::DigestLength { .. } => "DIGEST_LENGTH",
            Self::Setup(_) => "SETUP",
            Self::Keys(KeyStoreError::DeviceBusy { .. }) => "KEY_STORE_BUSY",
            Self::Keys(_) => "KEY_STORE",
            Self::SelfCheck { .. } => "SELF_CHECK_FAILED",
            Self::Record(_) => "RECORD_UNAVAILABLE",
        }
    }
}
