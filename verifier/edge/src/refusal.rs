//! What every refusal looks like on the wire: a gRPC status with `google.rpc.ErrorInfo`.

use std::collections::HashMap;
use std::fmt::{Debug, Display};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// What a status is made of.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The gRPC code.
    pub code: Code,
    /// The stable reason.
    pub reason: &'static str,
    /// The facts, by name.
    pub metadata: Vec<(&'static str, String)>,
    /// The words the caller sees; inside details go to the log only.
    pub message: String,
}

impl Shape {
    /// A refusal whose own words may go to the caller.
    pub fn told(code: Code, reason: &'static str, refusal: &impl Display) -> Self {
        Self::hidden(code, reason, &refusal.to_string())
    }

    /// A refusal whose own words stay in the log; the caller reads `message`.
    #[must_use]
    pub fn hidden(code: Code, reason: &'static str, message: &str) -> Self {
        Self {
            code,
            reason,
            metadata: Vec::new(),
            message: message.to_owned(),
        }
    }

    /// The same with one fact more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.metadata.push((name, value.to_string()));
        self
    }

    /// The same with the three facts of a limit.
    #[must_use]
    pub fn with_limit(self, limit: &'static str, value: u64, max: u64) -> Self {
        self.with("limit", limit)
            .with("value", value)
            .with("max", max)
    }

    /// The status, after a line in the log: with all details of the `refusal` where the fault
    /// is not the caller's.
    #[must_use]
    pub fn into_status(self, refusal: &impl Debug) -> Status {
        let Self {
            code,
            reason,
            metadata,
            message,
        } = self;
        if matches!(code, Code::Internal | Code::Unavailable) {
            tracing::error!(reason, error = ?refusal, "a call failed");
        } else {
            // Not the message: it may quote names out of the document.
            tracing::info!(reason, ?code, "a call was refused");
        }
        let metadata: HashMap<String, String> = metadata
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let details = ErrorDetails::with_error_info(reason, yinxin_proto::ERROR_DOMAIN, metadata);
        Status::with_error_details(code, message, details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_reason_domain_and_facts_but_no_inside_detail() {
        let status = Shape::hidden(Code::Unavailable, "RECORD_UNAVAILABLE", "not now")
            .with_limit("pages_max", 3, 2)
            .into_status(&"the disk is full");
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unavailable, "not now")
        );
        let info = status.get_details_error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("RECORD_UNAVAILABLE", yinxin_proto::ERROR_DOMAIN)
        );
        let facts = [("limit", "pages_max"), ("value", "3"), ("max", "2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(info.metadata, HashMap::from(facts));
        assert!(!format!("{status:?}").contains("disk"));
    }
}
