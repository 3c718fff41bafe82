//! Digests of a document that grows only at its end.
//!
//! A sealed document is its original plus a tail, so the original's bytes need hashing once:
//! the state after them is cloned for each question.

use ring::digest::{Context, SHA256};
use yinxin_pki::DigestAlgorithm;
use yinxin_sm::Sm3;

/// Running digests over the bytes seen so far.
#[derive(Clone)]
pub struct PrefixDigests {
    length: u64,
    sha256: Context,
    sm3: Option<Sm3>,
}

impl std::fmt::Debug for PrefixDigests {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PrefixDigests")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl PrefixDigests {
    /// Digests of nothing yet. SHA-256 always runs, it names the document; SM3 costs several
    /// times as much and runs only where an SM2 profile will want it.
    #[must_use]
    pub fn new(with_sm3: bool) -> Self {
        Self {
            length: 0,
            sha256: Context::new(&SHA256),
            sm3: with_sm3.then(Sm3::new),
        }
    }

    /// The next bytes of the document.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.sha256.update(bytes);
        if let Some(sm3) = &mut self.sm3 {
            sm3.update(bytes);
        }
    }

    /// How many bytes were seen.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// SHA-256 of the bytes seen.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.sha256.clone().finish().as_ref());
        digest
    }

    /// The digest of the bytes seen followed by `parts`; none when that algorithm was not run.
    #[must_use]
    pub fn digest(&self, algorithm: DigestAlgorithm, parts: &[&[u8]]) -> Option<Vec<u8>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let mut context = self.sha256.clone();
                parts.iter().for_each(|part| context.update(part));
                Some(context.finish().as_ref().to_vec())
            }
            DigestAlgorithm::Sm3 => {
                let mut context = self.sm3.clone()?;
                parts.iter().for_each(|part| context.update(part));
                Some(context.finalize().to_vec())
            }
        }
    }
}
