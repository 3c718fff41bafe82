//! Every refusal, and the one function that turns it into a gRPC status.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use yinxin_pdf::PdfError;
use yinxin_spool::SpoolError;
use yinxin_verifier::CannotLook;

/// Why a call gets an error and not an answer. The variants say whose move it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    // ── The caller's move ────────────────────────────────────────────────────
    #[error("the stream of the document ended early or is out of order: {rule}")]
    Stream { rule: &'static str },
    /// tonic's own word on the caller's side of the stream: broken off, cancelled, a
    /// message that is too long or no message.
    #[error("the stream of the document broke off: {0}")]
    Broken(Status),
    #[error("{field}: {rule}")]
    Field {
        field: &'static str,
        rule: &'static str,
    },
    #[error("{limit} is {max}; this request has {value}")]
    Limit {
        limit: &'static str,
        value: u64,
        max: u64,
    },
    #[error("the request took longer than {seconds} s")]
    TooSlow { seconds: u64 },
    #[error("too much is under way; wait a moment and send again")]
    Busy,
    // ── The document's ───────────────────────────────────────────────────────
    #[error(transparent)]
    CannotLook(#[from] CannotLook),
    // ── The outside world's, or ours ─────────────────────────────────────────
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("our own fault: {what}")]
    Internal { what: &'static str },
}

/// What a status is made of.
struct Shape {
    code: Code,
    reason: &'static str,
    metadata: Vec<(&'static str, String)>,
    /// The words the caller sees; inside details go to the log only.
    message: String,
}

fn limit(limit: &'static str, value: u64, max: u64) -> Vec<(&'static str, String)> {
    vec![
        ("limit", limit.to_owned()),
        ("value", value.to_string()),
        ("max", max.to_string()),
    ]
}

impl Refusal {
    fn shape(&self) -> Shape {
        let with = |code, reason, metadata| Shape {
            code,
            reason,
            metadata,
            message: self.to_string(),
        };
        let hidden = |code, reason, message: &str| Shape {
            code,
            reason,
            metadata: Vec::new(),
            message: message.to_owned(),
        };
        match self {
            Self::Stream { rule } => with(
                Code::InvalidArgument,
                "STREAM_OUT_OF_ORDER",
                vec![("rule", (*rule).to_owned())],
            ),
            // The code is tonic's: OUT_OF_RANGE for a message that is too long, and so on.
            Self::Broken(status) => with(status.code(), "STREAM_BROKEN", Vec::new()),
            Self::Field { field, rule } => with(
                Code::InvalidArgument,
                "FIELD_INVALID",
                vec![("field", (*field).to_owned()), ("rule", (*rule).to_owned())],
            ),
            Self::Limit {
                limit: name,
                value,
                max,
            } => with(
                Code::ResourceExhausted,
                "LIMIT_EXCEEDED",
                limit(name, *value, *max),
            ),
            Self::TooSlow { seconds } => with(
                Code::DeadlineExceeded,
                "REQUEST_TOO_SLOW",
                vec![
                    ("limit", "request_seconds_max".to_owned()),
                    ("max", seconds.to_string()),
                ],
            ),
            Self::Busy => with(Code::ResourceExhausted, "BUSY", Vec::new()),
            Self::CannotLook(CannotLook::Document(error)) => match pdf_limit(error) {
                Some(metadata) => with(Code::ResourceExhausted, error.reason(), metadata),
                None => with(Code::InvalidArgument, error.reason(), Vec::new()),
            },
            Self::Spool(SpoolError::TooLong { max }) => with(
                Code::ResourceExhausted,
                "LIMIT_EXCEEDED",
                limit(crate::upload::LIMIT, max.saturating_add(1), *max),
            ),
            Self::Spool(SpoolError::Io { .. }) => hidden(
                Code::Unavailable,
                "SPOOL_UNAVAILABLE",
                "the server cannot take documents in now",
            ),
            Self::Internal { .. } => hidden(Code::Internal, "INTERNAL", "our own fault"),
        }
    }
}

/// The facts of a limit inside a document, if it is one.
fn pdf_limit(error: &PdfError) -> Option<Vec<(&'static str, String)>> {
    if let PdfError::LimitExceeded {
        limit: name,
        value,
        max,
    } = error
    {
        return Some(limit(name, *value, *max));
    }
    None
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
            // Not the message: it may quote names out of the document.
            tracing::info!(reason, ?code, "a call was refused");
        }
        let metadata: HashMap<String, String> = metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let details = ErrorDetails::with_error_info(reason, yinxin_proto::ERROR_DOMAIN, metadata);
        Self::with_error_details(code, message, details)
    }
}
