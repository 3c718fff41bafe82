//! Which code runs: chosen once by what the processor can do.

use super::{Arithmetic, Portable};
use std::sync::atomic::{AtomicU8, Ordering};

/// The code that does the arithmetic and the digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePath {
    /// Plain Rust, on every machine.
    Portable,
    /// x86-64 with BMI1, BMI2, ADX and AVX2.
    Adx,
}

/// The processor lacks what this code path needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this processor has no BMI1, BMI2, ADX and AVX2")]
pub struct CodePathUnavailable;

const UNDECIDED: u8 = 0;
const PORTABLE: u8 = 1;
const ADX: u8 = 2;

static CHOSEN: AtomicU8 = AtomicU8::new(UNDECIDED);

/// The code path in use: the fastest the processor has, unless [`set_code_path`] chose.
#[must_use]
#[inline]
pub fn code_path() -> CodePath {
    match CHOSEN.load(Ordering::Relaxed) {
        PORTABLE => CodePath::Portable,
        ADX => CodePath::Adx,
        _ => {
            let path = if adx_available() {
                CodePath::Adx
            } else {
                CodePath::Portable
            };
            store(path);
            path
        }
    }
}

/// Chooses the code path for the whole process: for measurements, and for an operator who
/// distrusts one on a machine. [`crate::self_test`] then tests that one.
///
/// # Errors
/// [`CodePathUnavailable`]; nothing has changed then.
pub fn set_code_path(path: CodePath) -> Result<(), CodePathUnavailable> {
    if path == CodePath::Adx && !adx_available() {
        return Err(CodePathUnavailable);
    }
    store(path);
    Ok(())
}

fn store(path: CodePath) {
    let value = match path {
        CodePath::Portable => PORTABLE,
        CodePath::Adx => ADX,
    };
    CHOSEN.store(value, Ordering::Relaxed);
}

/// The only door to [`super::Adx`]: where this is false, none of its code may run.
pub(crate) fn adx_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            // Valgrind 3.19 runs these instructions and hides their feature bit.
            && (cfg!(feature = "valgrind-secrets") || std::arch::is_x86_feature_detected!("adx"))
            && std::arch::is_x86_feature_detected!("avx2")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Work that runs on either arithmetic.
pub(crate) trait Job {
    type Output;

    fn run<A: Arithmetic>(self) -> Self::Output;
}

/// Runs `job` on the code path in use.
#[inline]
pub(crate) fn run<J: Job>(job: J) -> J::Output {
    match code_path() {
        #[cfg(target_arch = "x86_64")]
        CodePath::Adx => job.run::<super::Adx>(),
        #[cfg(not(target_arch = "x86_64"))]
        CodePath::Adx => job.run::<Portable>(),
        CodePath::Portable => job.run::<Portable>(),
    }
}
