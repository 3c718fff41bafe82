//! The folder `made/`: seeds, sealed documents and the certificates behind them.
//!
//! `make-seeds` writes it, the targets read it. No private key is kept: after `make-seeds` has
//! ended nobody can sign any more, and whatever verifies must be one of its own signatures.

use std::path::PathBuf;

use yinxin_pki::{Certificate, CertificateRevocationList, UnixSeconds};
use yinxin_verifier::Trust;

/// 2026-11-22T08:00:00Z, when everything is signed and verified.
pub const NOW: UnixSeconds = UnixSeconds(1_795_334_400);

/// The folder.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("made")
}

/// A file in it.
///
/// # Panics
/// When there is none: a target that has nothing to compare with would pass for nothing.
#[must_use]
pub fn file(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `cargo run --example make-seeds` first",
            path.display()
        )
    })
}

/// The files of one of its folders, by name.
///
/// # Panics
/// As [`file()`].
#[must_use]
pub fn files(name: &str) -> Vec<Vec<u8>> {
    let path = folder().join(name);
    let entries = std::fs::read_dir(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `cargo run --example make-seeds` first",
            path.display()
        )
    });
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("the file was listed"))
        .collect()
}

/// All certificates: authorities, signers, seal maker.
#[must_use]
pub fn certificates() -> Vec<Certificate> {
    Certificate::list_from_pem_or_der(&file("trust/certificates.pem"))
        .expect("make-seeds writes what can be read")
}

/// The revocation lists.
#[must_use]
pub fn crls() -> Vec<CertificateRevocationList> {
    CertificateRevocationList::list_from_pem_or_der(&file("trust/crls.pem"))
        .expect("make-seeds writes what can be read")
}

/// Whom the documents' verifier believes.
#[must_use]
pub fn trust() -> Trust {
    let read = |name| {
        Certificate::list_from_pem_or_der(&file(name)).expect("make-seeds writes what can be read")
    };
    Trust {
        anchors: read("trust/anchors.pem"),
        intermediates: read("trust/intermediates.pem"),
        crls: crls(),
        seal_statuses: Vec::new(),
        allow_dev_only: true,
    }
}
