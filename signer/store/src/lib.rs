//! The signer's memory: the record in SQLite, with the short documents in it, and the longer
//! documents in a local folder.
//!
//! What a method here has answered survives a power cut. The rules of the record stand in
//! `yinxin_signer::record`; `tests/contract` holds every backend to them.

mod folder;
mod lock;
mod read_back;
mod spool;
mod sqlite;

pub use folder::{DocumentFolder, FolderError};
pub use spool::{DocumentSpool, Flusher, GrownSoFar, StoredDocument};
pub use sqlite::{ChangeError, OpenError, SqliteRecord, StoredApproval};
