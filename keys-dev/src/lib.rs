//! Throw-away certification authorities, keys and seals, made on demand and never committed.
//!
//! Two ways in:
//! - [`DevPki`] makes everything in memory, for tests; from it come further certificates of any
//!   validity and key usage, revocation lists and seals.
//! - [`DevKeys`] keeps the same in a folder, for the demo and the two services; made the first time,
//!   used again afterwards.
//!
//! Every subject carries `OU=DEV-ONLY`, which a production profile refuses. The `rsa` crate makes keys
//! and nothing else; every signature of RSA and ECDSA is made by ring.

mod crl;
mod devices;
mod error;
mod folder;
mod identity;
mod installation;
mod key;
mod key_file;
mod pki;
mod random;
mod seal;

pub use crl::CrlRequest;
pub use devices::{softhsm_configuration, softhsm_library};
pub use error::DevKeysError;
pub use folder::{DevKeys, KeyFiles, PlainKeyFiles};
pub use identity::{CertificateRequest, Identity};
pub use installation::{
    DIVISION_CODE, Installation, InstallationOptions, OWNER_CODE, OWNER_NAME, SEAL_DIAMETER_MM,
    SEAL_ID,
};
pub use key::{DevKey, KeyKind};
pub use key_file::{decrypt_key_pem, encrypt_key_pem};
pub use pki::{DevPki, dev_name};
pub use random::SystemEntropy;
pub use seal::SealRequest;
