//! Every refusal, and the one function that turns it into a gRPC status.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use yinxin_pdf::PdfError;
use yinxin_signer::error::SealError;
use yinxin_signer::licence::FieldError;
use yinxin_signer::policy::Denied;
use yinxin_signer::record::RecordError;
use yinxin_store::FolderError;
use yinxin_typeset::TypesetError;

/// The domain of every reason we give.
const DOMAIN: &str = "yinxin";

/// Why a call gets an error and not an answer. The variants say whose move it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    // ── The caller's move ────────────────────────────────────────────────────
    #[error("a client certificate with a common name is needed")]
    NoClientCertificate,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{field}: {rule}")]
    Field { field: &'static str, rule: String },
    #[error("a field of the licence is refused: {0}")]
    LicenceField(#[from] FieldError),
    #[error("there is no licence type {name}")]
    NoSuchLicenceType { name: String },
    #[error("the request id was used before with a different request")]
    DifferentBody,
    #[error("the same request is being worked on; ask again")]
    InFlight,
    #[error("{limit} is {max}; this request has {value}")]
    Limit {
        limit: &'static str,
        value: u64,
        max: u64,
    },
    #[error("the stream of the document ended early or is out of order: {rule}")]
    Stream { rule: &'static str },
    #[error("the request took longer than {seconds} s")]
    TooSlow { seconds: u64 },
    // ── The document's, or the seal's ────────────────────────────────────────
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("the text cannot be typeset: {0}")]
    Typeset(#[from] TypesetError),
    // ── The outside world's, or ours ─────────────────────────────────────────
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Store(#[from] FolderError),
    #[error("the server is shutting down")]
    ShuttingDown,
    #[error("our own fault: {what}")]
    Internal { what: &'static str },
}

/// What a status is made of.
struct Shape {
    code: Code,
    reason: &'static str,
    metadata: HashMap<String, String>,
    /// The words the caller sees; inside details go to the log only.
    message: String,
}

impl Refusal {
    fn shape(&self) -> Shape {
        let words = self.to_string();
        let plain = |code, reason| (code, reason, HashMap::new(), words.clone());
        let hidden =
            |code, reason, message: &str| (code, reason, HashMap::new(), message.to_owned());
        let facts = |pairs: &[(&str, String)]| {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect()
        };
        let (code, reason, metadata, message) = match self {
            Self::NoClientCertificate => plain(Code::Unauthenticated, "CLIENT_CERTIFICATE_NEEDED"),
            Self::Denied(denied) => plain(Code::PermissionDenied, denied.reason()),
            Self::Field { field, rule } => (
                Code::InvalidArgument,
                "FIELD_INVALID",
                facts(&[("field", (*field).to_owned()), ("rule", rule.clone())]),
                words.clone(),
            ),
            Self::LicenceField(error) => (
                Code::InvalidArgument,
                "LICENCE_FIELD_INVALID",
                facts(&[
                    ("field", format!("fields_json.{}", error.field)),
                    ("rule", error.rule.to_string()),
                ]),
                words.clone(),
            ),
            Self::NoSuchLicenceType { .. } => plain(Code::NotFound, "LICENCE_TYPE_UNKNOWN"),
            Self::DifferentBody => plain(Code::AlreadyExists, "REQUEST_ID_REUSED"),
            Self::InFlight => plain(Code::Aborted, "REQUEST_IN_FLIGHT"),
            Self::Limit { limit, value, max } => (
                Code::ResourceExhausted,
                "LIMIT_EXCEEDED",
                facts(&[
                    ("limit", (*limit).to_owned()),
                    ("value", value.to_string()),
                    ("max", max.to_string()),
                ]),
                words.clone(),
            ),
            Self::Stream { .. } => plain(Code::InvalidArgument, "STREAM_OUT_OF_ORDER"),
            Self::TooSlow { .. } => plain(Code::DeadlineExceeded, "REQUEST_TOO_SLOW"),
            Self::Seal(error) => match error {
                SealError::Document(document) => {
                    let code = if matches!(document, PdfError::LimitExceeded { .. }) {
                        Code::ResourceExhausted
                    } else if matches!(document, PdfError::Update(_)) {
                        Code::FailedPrecondition
                    } else {
                        Code::InvalidArgument
                    };
                    plain(code, document.reason())
                }
                SealError::NotForDigests { .. } | SealError::DigestLength { .. } => {
                    plain(Code::InvalidArgument, error.reason())
                }
                SealError::ProfileNotOffered { .. }
                | SealError::CertificateNotValidAt { .. }
                | SealError::SealNotValidAt { .. } => {
                    plain(Code::FailedPrecondition, error.reason())
                }
                SealError::Keys(_) => hidden(
                    Code::Unavailable,
                    error.reason(),
                    "the key store cannot sign now",
                ),
                SealError::Record(_) => hidden(
                    Code::Unavailable,
                    error.reason(),
                    "the record cannot be written now; nothing was signed",
                ),
                SealError::Setup(_) => {
                    hidden(Code::Internal, error.reason(), "the seal is set up wrongly")
                }
                SealError::SelfCheck { .. } => hidden(
                    Code::Internal,
                    error.reason(),
                    "our own verifier refuses what was made; it was not released",
                ),
            },
            Self::Typeset(error) => match error {
                TypesetError::MissingGlyph { .. } => plain(Code::InvalidArgument, "GLYPH_MISSING"),
                TypesetError::NoFonts
                | TypesetError::FontUnreadable { .. }
                | TypesetError::FileName { .. }
                | TypesetError::Created { .. }
                | TypesetError::Template { .. } => hidden(
                    Code::Internal,
                    "TYPESETTING_FAILED",
                    "the licence's template cannot be typeset",
                ),
            },
            Self::Record(_) => hidden(
                Code::Unavailable,
                "RECORD_UNAVAILABLE",
                "the record is not available now",
            ),
            Self::Store(FolderError::TooLong { max }) => (
                Code::ResourceExhausted,
                "LIMIT_EXCEEDED",
                facts(&[
                    ("limit", "document bytes".to_owned()),
                    ("max", max.to_string()),
                ]),
                words.clone(),
            ),
            Self::Store(
                FolderError::InUse { .. } | FolderError::Missing { .. } | FolderError::Io { .. },
            ) => hidden(
                Code::Unavailable,
                "DOCUMENT_STORE_UNAVAILABLE",
                "the document store is not available now",
            ),
            Self::ShuttingDown => plain(Code::Unavailable, "SHUTTING_DOWN"),
            Self::Internal { .. } => hidden(Code::Internal, "INTERNAL", "our own fault"),
        };
        Shape {
            code,
            reason,
            metadata,
            message,
        }
    }

    /// The stable reason, for the log and the record.
    pub(crate) fn reason(&self) -> &'static str {
        self.shape().reason
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let Shape {
            code,
            reason,
            metadata,
            message,
        } = refusal.shape();
        if matches!(code, Code::Internal | Code::Unavailable) {
            tracing::error!(reason, error = ?refusal, "a call failed");
        } else {
            tracing::info!(reason, %code, "a call was refused");
        }
        let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
        Self::with_error_details(code, message, details)
    }
}
