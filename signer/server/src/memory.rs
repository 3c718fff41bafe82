//! Keys in memory are not written to swap, where the system allows that.

use rustix::mm::{MlockAllFlags, mlockall};

/// Keeps the pages that the process has now in memory: the keys are among them, since it has just
/// opened them. What it maps later, documents above all, stays as it is.
pub(crate) fn lock() {
    // ONFAULT: pages that nobody has touched, such as most of the program, are not loaded for it.
    match mlockall(MlockAllFlags::CURRENT | MlockAllFlags::ONFAULT) {
        Ok(()) => tracing::info!("memory is locked: keys are not written to swap"),
        Err(error) => tracing::warn!(
            %error,
            "memory cannot be locked, keys may be written to swap: raise the limit \
             (LimitMEMLOCK=infinity) or run without swap"
        ),
    }
}
