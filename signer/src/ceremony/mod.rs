//! The life of a key, from its making to its destruction, as far as it needs no file, device or
//! terminal: making software keys, checking what an authority sends, approvals of a second
//! person, the audit chain. The command `yinxin keys` and its ceremonies stand on this.

pub mod approval;
pub mod audit;
mod certificate;
mod generate;

pub use certificate::{CertificateProblem, KeyPurpose, Trusted, check_certificates};
pub use generate::{GenerateError, KeyKind, generate};

/// SHA-256 in lower-case hexadecimal: how keys, certificates and entries are named on paper.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}
