//! The signer's memory: the record in SQLite and the documents in a local folder.
//!
//! What a method here has answered survives a power cut. The rules of the record stand in
//! `yinxin_signer::record`; `tests/contract` holds every backend to them.

mod folder;
mod lock;
mod read_back;
mod sqlite;

pub use folder::{DocumentFolder, DocumentSpool, Flusher, FolderError, StoredDocument};
pub use sqlite::{ChangeError, OpenError, SqliteRecord, StoredApproval};
