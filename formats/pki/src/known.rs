//! What is worth remembering about objects that are used again and again: a key, and under which
//! key a signature held.
//!
//! Both are memories of pure computations, kept in the object whose bytes they belong to: answers
//! never depend on them, and they go when the object goes. Objects that are read again and again are kept by
//! [`crate::Memory`].

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use yinxin_sm::PreparedPublicKey;

use crate::{PkiError, PublicKey};

/// A table of an SM2 key's multiples costs as much as seven to nine verifications, and 148 KiB. A
/// certificate that came with a single document is seldom used more than twice.
const USES_BEFORE_TABLE: u32 = 8;

/// An SM2 key's table, once the key has been used so often that it pays.
#[derive(Default)]
pub(crate) struct KnownKey {
    uses: AtomicU32,
    table: OnceLock<PreparedPublicKey>,
}

impl KnownKey {
    /// The table of `key`, which is always the same one; counts this use.
    pub(crate) fn table(&self, key: &PublicKey) -> Option<&PreparedPublicKey> {
        let PublicKey::Sm2(key) = key else {
            return None;
        };
        if let Some(table) = self.table.get() {
            return Some(table);
        }
        if self.uses.fetch_add(1, Ordering::Relaxed) < USES_BEFORE_TABLE {
            return None;
        }
        Some(self.table.get_or_init(|| PreparedPublicKey::new(key)))
    }
}

/// The key under which an object's own signature held.
#[derive(Default)]
pub(crate) struct SignedUnder(OnceLock<PublicKey>);

impl SignedUnder {
    /// `Ok` at once if the signature held under this very key before; otherwise `verify` says.
    pub(crate) fn check(
        &self,
        key: &PublicKey,
        verify: impl FnOnce() -> Result<(), PkiError>,
    ) -> Result<(), PkiError> {
        if self.0.get() == Some(key) {
            return Ok(());
        }
        verify()?;
        // Another thread may have been first, with the same key or another under which it holds.
        let _ = self.0.set(key.clone());
        Ok(())
    }
}
