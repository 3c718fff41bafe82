//! Why a command ended without doing its work, in the person's language.

use std::fmt;
use std::path::Path;

use tonic_types::StatusExt as _;

use crate::language::Language;

/// Said to a person, once, at the end.
#[derive(Debug)]
pub(crate) struct Failure {
    chinese: String,
    english: String,
}

impl Failure {
    pub(crate) fn new(chinese: impl Into<String>, english: impl Into<String>) -> Self {
        Self {
            chinese: chinese.into(),
            english: english.into(),
        }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, error: &dyn fmt::Display) -> Self {
        let path = path.display();
        Self::new(format!("文件 {path}：{error}"), format!("{path}: {error}"))
    }

    /// The server's refusal: its words, the stable reason, and the facts.
    pub(crate) fn status(status: &tonic::Status) -> Self {
        let details = status.get_error_details();
        let (reason, facts) = match details.error_info() {
            Some(info) => {
                let mut facts: Vec<_> = info
                    .metadata
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                facts.sort();
                (info.reason.clone(), facts.join(", "))
            }
            None => (format!("{:?}", status.code()), String::new()),
        };
        let message = status.message();
        Self::new(
            format!("服务拒绝了请求：[{reason}] {message} {facts}"),
            format!("the service refused: [{reason}] {message} {facts}"),
        )
    }

    pub(crate) fn text(&self, language: Language) -> &str {
        language.pick(&self.chinese, &self.english)
    }
}

/// Anything whose own words are enough, with what we were doing.
pub(crate) fn doing<E: fmt::Display>(
    chinese: &'static str,
    english: &'static str,
) -> impl FnOnce(E) -> Failure {
    move |error| Failure::new(format!("{chinese}：{error}"), format!("{english}: {error}"))
}
