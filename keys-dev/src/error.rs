//! What can go wrong while keys are made, kept or used.

use std::path::PathBuf;

use yinxin_pki::PkiError;

/// Why development keys could not be made or loaded.
#[derive(Debug, thiserror::Error)]
pub enum DevKeysError {
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    EntropyUnavailable,
    /// A key could not be made.
    #[error("no {kind} key could be made: {detail}")]
    KeyNotMade {
        /// The kind of key.
        kind: &'static str,
        /// What the library said.
        detail: String,
    },
    /// Bytes that are no private key of a kind we use.
    #[error("not a private key we can use: {detail}")]
    KeyMalformed {
        /// What is wrong.
        detail: String,
    },
    /// A signature could not be made.
    #[error("the {kind} key did not sign")]
    NotSigned {
        /// The kind of key.
        kind: &'static str,
    },
    /// Certificate, key or list that cannot be read.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A seal whose fields do not fit their types.
    #[error(transparent)]
    Seal(#[from] yinxin_ses::SesError),
    /// A key file that the passphrase does not open.
    #[error("the key file cannot be opened with this passphrase")]
    PassphraseWrong,
    /// A file or folder that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program that was asked to do something.
    #[error("{tool}: {detail}")]
    Tool {
        /// Which.
        tool: &'static str,
        /// What it said, or why it did not start.
        detail: String,
    },
    /// A folder that holds other things, or keys that were not finished; nothing was changed in it.
    #[error("{} is not empty and holds no complete set of development keys", path.display())]
    FolderOccupied {
        /// Which folder.
        path: PathBuf,
    },
    /// A key and a certificate that do not belong together.
    #[error("the key in {} is not the one its certificate names", path.display())]
    KeyNotOfCertificate {
        /// The key file.
        path: PathBuf,
    },
}
