//! Why a step was not done.

use std::path::PathBuf;

use yinxin_hsm::OpenError;
use yinxin_pki::PkiError;
use yinxin_signer::ceremony::approval::NotApproved;
use yinxin_signer::ceremony::audit::ChainBroken;
use yinxin_signer::ceremony::{CertificateProblem, GenerateError};
use yinxin_signer::keys::KeyStoreError;
use yinxin_signer::keys::key_file::KeyFileError;

/// Why a step was not done. Never holds anything secret.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A name that would not do as a file's.
    #[error("the name {name:?} must be 1 to 64 of a-z, 0-9, - and _")]
    Name {
        /// The name.
        name: String,
    },
    /// The room has a key of this name.
    #[error("there is a key named {name} already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The room has no key of this name.
    #[error("there is no key named {name} in {room}", room = room.display())]
    NoSuchKey {
        /// The name.
        name: String,
        /// The folder.
        room: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A file says what it must not.
    #[error("{path}: {detail}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A field of a step, a ceremony or a device.
    #[error("{field}: {rule}")]
    Value {
        /// The field.
        field: String,
        /// Its rule.
        rule: String,
    },
    /// A passphrase or PIN that cannot be had.
    #[error("the secret from {from}: {detail}")]
    Secret {
        /// Where it should come from.
        from: String,
        /// Why not.
        detail: String,
    },
    /// The place of the key cannot do that.
    #[error("{what} is not possible for the key {name}: {why}")]
    NotHere {
        /// What was asked.
        what: &'static str,
        /// The key.
        name: String,
        /// Why, and what to do instead.
        why: &'static str,
    },
    /// What was written, or came back, is not the key of the card.
    #[error("this is not the key {name} of the card: {why}")]
    OtherKey {
        /// The key.
        name: String,
        /// What differs.
        why: &'static str,
    },
    /// A key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// No key was made.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// A device.
    #[error(transparent)]
    Device(#[from] OpenError),
    /// A key store.
    #[error(transparent)]
    Store(#[from] KeyStoreError),
    /// A certificate or request cannot be read.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A certificate is not installed.
    #[error(transparent)]
    Certificate(#[from] CertificateProblem),
    /// An envelope does not open.
    #[error("the envelope cannot be opened: {0}")]
    Envelope(yinxin_sm::Error),
    /// A second person is missing.
    #[error(transparent)]
    NotApproved(#[from] NotApproved),
    /// The audit is not whole: nothing is done before that is cleared up.
    #[error("{0}; nothing is done until this is cleared up")]
    Audit(#[from] ChainBroken),
}

impl KeysError {
    pub(crate) fn value(field: &str, rule: impl Into<String>) -> Self {
        Self::Value {
            field: field.to_owned(),
            rule: rule.into(),
        }
    }
}

/// What the system says of a file.
pub(crate) fn file_error(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> KeysError + '_ {
    move |source| KeysError::File {
        path: path.to_owned(),
        source,
    }
}
