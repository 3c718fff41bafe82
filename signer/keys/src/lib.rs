//! The life of a key, as a person leads it: what `yinxin keys` does.
//!
//! ```text
//! Step (from the command line or a ceremony file) → audit "begun" → done in a Room → audit "done"
//! ```
//! A [`Room`] is a folder with a card for each key, its certificates, the custodians and the audit.
//! Private keys are in it only as encrypted files; those of a device stay there.

mod audit_file;
mod ceremony;
mod certify;
mod copies;
mod destroy;
mod error;
mod list;
mod make;
mod perform;
mod room;
mod secret;
mod step;
mod store;

pub use audit_file::AuditFile;
pub use ceremony::{Ceremony, Person};
pub use error::KeysError;
pub use list::{Listed, SealUse, list};
pub use perform::{Context, Facts, perform};
pub use room::{Card, CardStore, Room};
pub use secret::SecretSource;
pub use step::{
    AddCustodian, Adopt, Approve, Attest, Backup, Cipher, Csr, Destroy, Generate,
    ImportEncryptionKey, InstallCertificate, Restore, Step,
};
