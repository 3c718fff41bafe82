//! Harness of the tests: other people's tools, real files, hostile files, sealing without a server.
//!
//! A tool that is missing is a visible skip, never a silent pass: see [`skip`].
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test harness fails loudly"
)]

pub mod child;
pub mod department;
pub mod hostile;
pub mod large;
pub mod metrics;
pub mod offices;
pub mod pages;
pub mod peers;
pub mod process;
pub mod producers;
pub mod refusals;
pub mod sealing;
pub mod services;
pub mod signer_process;
pub mod skip;

use std::path::PathBuf;

/// The workspace's folder.
#[must_use]
pub fn workspace() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder
        .parent()
        .expect("tests/ stands in the workspace")
        .to_owned()
}

/// Where the tests keep what they build, download or make: never in git.
#[must_use]
pub fn target() -> PathBuf {
    workspace().join("target")
}
