//! The record: what was asked, what we were about to sign, what came of it.
//!
//! Nothing is signed before its intent is durable here, and nothing is released before its
//! outcome is. The trait is implemented by `yinxin-store`; this room only says what must hold.
//!
//! One request (a caller's idempotency key) has one or more intents (one for each signature), each
//! intent at most one outcome, and the request at most one release.

use std::future::Future;

use bytes::Bytes;
use yinxin_pki::UnixSeconds;

use crate::usage::{UseClaim, UseRefused};

/// A caller's idempotency key: unique for each caller, chosen by the caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// The department, as authenticated by its client certificate.
    pub caller: String,
    /// The caller's own identifier of this request, 1 to 64 visible ASCII characters.
    pub request_id: String,
}

/// What a caller may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Issue a licence from fields.
    IssueLicence,
    /// Seal a PDF that the caller sends.
    SealDocument,
    /// Seal a digest; the PDF stays with the caller.
    SealDigest,
}

impl Operation {
    /// The stable name, as in configuration and in the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::IssueLicence => "issue-licence",
            Self::SealDocument => "seal-document",
            Self::SealDigest => "seal-digest",
        }
    }

    /// The operation of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::IssueLicence, Self::SealDocument, Self::SealDigest]
            .into_iter()
            .find(|operation| operation.name() == name)
    }
}

/// A request at the moment it comes in.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Whose key.
    pub key: RequestKey,
    /// What is asked.
    pub operation: Operation,
    /// SHA-256 over everything of the request that decides its result.
    pub body_sha256: [u8; 32],
    /// Who at the department, which case, which seal and profile: a JSON object for the record.
    pub details_json: String,
    /// Now.
    pub opened_at: UnixSeconds,
    /// Names this run of this process. A request left open by another run was left by a crash
    /// and may be taken over; one left open by this run is still being worked on.
    pub holder: String,
}

/// What the record knows of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Go on. The first attempt's number and day hold for every later one.
    Proceed {
        /// When the request was first opened.
        first_opened_at: UnixSeconds,
        /// 1 for the first attempt.
        attempt: u32,
    },
    /// Done before: give this again.
    Released(Box<Release>),
    /// The same request is being worked on in this process.
    InFlight,
    /// The key was used before with another body or operation.
    DifferentBody,
}

/// The series in which a licence number is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenceSeries {
    /// The kind of licence whose numbers are counted together, for example `proof`.
    pub licence_type: String,
    /// The issuer's series, for example a village's 12-digit division code.
    pub issuer: String,
    /// The calendar year in which numbers start again from 1.
    pub year: i32,
}

/// One signature we are about to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The request it belongs to.
    pub key: RequestKey,
    /// The attempt of the request.
    pub attempt: u32,
    /// 0 for the first signature of the attempt, 1 for the second of a dual sealing.
    pub ordinal: u32,
    /// The seal.
    pub seal_id: String,
    /// The profile's stable name, for example `gm-seal`.
    pub profile: String,
    /// SHA-256 of the signer's certificate.
    pub certificate_sha256: [u8; 32],
    /// The digest of the covered bytes, and its algorithm's name.
    pub digest_algorithm: String,
    /// The digest of the covered bytes.
    pub digest: Vec<u8>,
    /// When the intent was recorded.
    pub recorded_at: UnixSeconds,
}

/// Names a recorded intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntentId(pub i64);

/// What came of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The signature was made and our own verifier accepted it.
    Sealed {
        /// SHA-256 of the container (SES or CMS DER, without padding).
        container_sha256: [u8; 32],
        /// When the outcome was recorded.
        at: UnixSeconds,
    },
    /// No signature was released under this intent.
    Failed {
        /// The stable reason, for example `SELF_CHECK_FAILED`.
        reason: String,
        /// When the outcome was recorded.
        at: UnixSeconds,
    },
}

/// An intent whose signature was made and accepted by our own verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedIntent {
    /// Which.
    pub intent: IntentId,
    /// SHA-256 of the container (SES or CMS DER, without padding).
    pub container_sha256: [u8; 32],
}

/// A licence as the record keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenceRow {
    /// GB/T 36904 identifier, unique for ever.
    pub identifier: String,
    /// The number on the face, unique for ever.
    pub number: String,
    /// The licence type, for example `marital-proof`.
    pub licence_type: String,
    /// The issuer's unified credit code.
    pub issuer_code: String,
    /// The version, from 1.
    pub version: u16,
    /// The metadata of GB/T 36903 as JSON.
    pub metadata_json: String,
    /// SHA-256 of the sealed document.
    pub document_sha256: [u8; 32],
    /// When it was issued.
    pub issued_at: UnixSeconds,
}

/// What left the house under a request: enough to give it again, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// SHA-256 of the released document; none for a digest sealing.
    pub document_sha256: Option<[u8; 32]>,
    /// The document itself, if it is short: then the record keeps it. Longer ones are in the
    /// document folder.
    pub document: Option<Bytes>,
    /// The released container, for a digest sealing.
    pub container: Option<Vec<u8>>,
    /// The receipt, as JSON, as it was first given.
    pub receipt_json: String,
    /// The issued licence, if one was.
    pub licence: Option<LicenceRow>,
    /// When it was released.
    pub released_at: UnixSeconds,
}

/// An intent that never got an outcome: left by a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// Which.
    pub id: IntentId,
    /// What was about to be signed.
    pub intent: Intent,
}

/// Why the record could not be written or read. All of these are ours or the outside world's,
/// never the caller's.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The database did not do what it was asked.
    #[error("the record is unavailable while {doing}")]
    Unavailable {
        /// What we were doing.
        doing: &'static str,
        /// The database's own words, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A rule of the record would have been broken.
    #[error("the record refuses: {rule}")]
    Refused {
        /// The rule.
        rule: &'static str,
    },
}

/// The durable record. Every method but two returns only after its effect would survive a power
/// cut. Those two say so: what they have written becomes durable with the next intent of their
/// request at the latest, and nothing is signed before that.
pub trait Record: Send + Sync {
    /// Opens a request, or says what became of it before. A request that is lost in a crash
    /// right after it was opened was never worked on.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    fn open_request(
        &self,
        request: &NewRequest,
    ) -> impl Future<Output = Result<Opened, RecordError>> + Send;

    /// The sequence number, from 1, that this request has in a series. Asking again under the
    /// same key gives the same number; no number is ever given to two requests. A number that is
    /// lost in a crash right after it was reserved stands on no signed document.
    ///
    /// # Errors
    /// `Refused` when the request is not open; `Unavailable`.
    fn reserve_number(
        &self,
        key: &RequestKey,
        series: &LicenceSeries,
    ) -> impl Future<Output = Result<u64, RecordError>> + Send;

    /// Records what is about to be signed and, in the same transaction and before it, enters uses
    /// of seals in the log: that each seal is what the signer thinks, that a rule has room today,
    /// and that an approval covers the use and is used up by it. A later attempt of the request
    /// finds its uses entered.
    ///
    /// # Errors
    /// [`UseRefused`]: nothing is entered and nothing may be signed. Of the record itself:
    /// `Refused` when the request is not open or the attempt has this ordinal already;
    /// `Unavailable`.
    fn record_intent(
        &self,
        intent: &Intent,
        uses: &[UseClaim],
    ) -> impl Future<Output = Result<IntentId, UseRefused>> + Send;

    /// Records what came of an intent.
    ///
    /// # Errors
    /// `Refused` when there is no such intent or it has an outcome already; `Unavailable`.
    fn record_outcome(
        &self,
        intent: IntentId,
        outcome: &Outcome,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Gives the intents in `sealed` their `Sealed` outcome, enters the licence and closes the
    /// request with what it released, in one transaction.
    ///
    /// # Errors
    /// `Refused` when an intent in `sealed` is not of the last attempt or has an outcome already,
    /// when an intent of the last attempt is then not sealed, when the request is not open, or
    /// when the licence's identifier or number is taken; `Unavailable`.
    fn release(
        &self,
        key: &RequestKey,
        release: &Release,
        sealed: &[SealedIntent],
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Lets go of a request whose attempt failed, so that the caller may try again. Intents of
    /// the attempt without an outcome get `Failed` with the given reason.
    ///
    /// # Errors
    /// `Unavailable`.
    fn give_up(
        &self,
        key: &RequestKey,
        reason: &str,
        at: UnixSeconds,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Intents without an outcome whose request is not held by `holder`: what a crash left.
    ///
    /// # Errors
    /// `Unavailable`.
    fn open_intents(
        &self,
        holder: &str,
    ) -> impl Future<Output = Result<Vec<OpenIntent>, RecordError>> + Send;

    /// What was released with a licence, by the licence's identifier.
    ///
    /// # Errors
    /// `Unavailable`.
    fn licence(
        &self,
        identifier: &str,
    ) -> impl Future<Output = Result<Option<Release>, RecordError>> + Send;
}
