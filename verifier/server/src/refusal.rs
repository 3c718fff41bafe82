//! Every refusal, and the one function that turns it into a gRPC status.

use tonic::{Code, Status};
use yinxin_edge::Shape;
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

impl Refusal {
    fn shape(&self) -> Shape {
        let told = |code, reason| Shape::told(code, reason, self);
        let hidden = Shape::hidden;
        match self {
            Self::Stream { rule } => {
                told(Code::InvalidArgument, "STREAM_OUT_OF_ORDER").with("rule", rule)
            }
            // The code is tonic's: OUT_OF_RANGE for a message that is too long, and so on.
            Self::Broken(status) => told(status.code(), "STREAM_BROKEN"),
            Self::Field { field, rule } => told(Code::InvalidArgument, "FIELD_INVALID")
                .with("field", field)
                .with("rule", rule),
            Self::Limit { limit, value, max } => {
                told(Code::ResourceExhausted, "LIMIT_EXCEEDED").with_limit(limit, *value, *max)
            }
            Self::TooSlow { seconds } => told(Code::DeadlineExceeded, "REQUEST_TOO_SLOW")
                .with("limit", "request_seconds_max")
                .with("max", seconds),
            Self::Busy => told(Code::ResourceExhausted, "BUSY"),
            Self::CannotLook(CannotLook::Document(error)) => {
                if let PdfError::LimitExceeded { limit, value, max } = error {
                    told(Code::ResourceExhausted, error.reason()).with_limit(limit, *value, *max)
                } else {
                    told(Code::InvalidArgument, error.reason())
                }
            }
            Self::Spool(SpoolError::TooLong { max }) => told(
                Code::ResourceExhausted,
                "LIMIT_EXCEEDED",
            )
            .with_limit(crate::upload::LIMIT, max.saturating_add(1), *max),
            Self::Spool(SpoolError::Io { .. }) => hidden(
                Code::Unavailable,
                "SPOOL_UNAVAILABLE",
                "the server cannot take documents in now",
            ),
            Self::Internal { .. } => hidden(Code::Internal, "INTERNAL", "our own fault"),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        refusal.shape().into_status(&refusal)
    }
}
