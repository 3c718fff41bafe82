//! How much of what comes from outside is worked through.

use crate::SesError;

/// Limits on a seal or seal signature from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the whole object in bytes. Real ones are 5 to 40 KiB; a large picture makes more.
    pub bytes_max: usize,
    /// Entries of the seal's certList. Real seals hold one to three.
    pub signers_max: usize,
    /// Extensions of one object. Most seen: 3.
    pub extensions_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 1024 * 1024,
            signers_max: 256,
            extensions_max: 64,
        }
    }
}

/// `Ok` unless `value` passes `max`.
pub(crate) fn check(limit: &'static str, value: usize, max: usize) -> Result<(), SesError> {
    if value <= max {
        Ok(())
    } else {
        Err(SesError::LimitExceeded { limit, value, max })
    }
}
