//! The arithmetic under SM2: limbs, field, scalars and points of sm2p256v1.
//!
//! Everything here works on four 64-bit limbs, the least first. What touches a secret has no
//! branch and no memory index that depends on it; functions that do not keep to this say
//! `vartime` in their name and only ever see public values.
//!
//! [`Arithmetic`] is what a processor may do in its own way: compute in the field and scan a
//! table. [`Portable`] does it in plain Rust, [`Adx`] with BMI2, ADX and AVX2; both are tested
//! against each other and against big integers.
#![expect(
    clippy::indexing_slicing,
    reason = "arrays of fixed size, indexed by loop counters and, where values are public, by digits in range"
)]

#[cfg(target_arch = "x86_64")]
mod adx;
mod batch;
mod field;
mod generator;
mod inversion;
mod lanes;
mod limbs;
mod multiple;
mod path;
mod point;
mod portable;
mod scalar;
#[cfg(test)]
mod tests;
mod vartime;

#[cfg(target_arch = "x86_64")]
pub(crate) use adx::Adx;
pub(crate) use batch::{BATCH, multiples_of_g};
pub(crate) use field::{Fe, Unreduced};
pub(crate) use generator::multiple_of_g;
pub(crate) use multiple::multiple_of_point;
#[cfg(test)]
pub(crate) use path::adx_available;
pub use path::{CodePath, CodePathUnavailable, code_path, set_code_path};
pub(crate) use path::{Job, run};
pub(crate) use point::Affine;
pub(crate) use portable::Portable;
pub(crate) use scalar::{Factor, Scalar};
pub(crate) use vartime::{KeyTable, check_x_vartime, sum_prepared_vartime, sum_vartime};

use lanes::{Columns, PLACE_BITS, Room, Row};
use point::TableEntry;

/// Field multiplication and constant-time table scans, in one processor's way.
pub(crate) trait Arithmetic {
    /// a b / 2^256 mod p.
    fn multiply(a: &Fe, b: &Fe) -> Fe;

    /// a^2 / 2^256 mod p.
    fn square(a: &Fe) -> Fe;

    /// a b / 2^256 mod p, for a factor that this arithmetic has not reduced.
    #[inline(always)]
    fn multiply_by(a: &Fe, b: &Unreduced) -> Fe {
        Self::multiply(a, &b.0)
    }

    /// As [`Arithmetic::multiply_by`], where the product is again a factor and nothing else.
    #[inline(always)]
    fn multiply_unreduced(a: &Fe, b: &Unreduced) -> Unreduced {
        Unreduced(Self::multiply_by(a, b))
    }

    /// As [`Arithmetic::square`], where the square is a factor and nothing else.
    #[inline(always)]
    fn square_unreduced(a: &Fe) -> Unreduced {
        Unreduced(Self::square(a))
    }

    /// a + b mod p.
    fn add(a: &Fe, b: &Fe) -> Fe;

    /// a - b mod p.
    fn subtract(a: &Fe, b: &Fe) -> Fe;

    /// The entry at `index`, read without the memory bus telling which; all zeros for an index
    /// out of range, below 2^32.
    fn scan(entries: &[TableEntry], index: u64) -> TableEntry;

    /// For each lane the entry at its place, whose bits are in `places`, the lowest first.
    fn read(
        table: &Columns,
        places: &[Row; PLACE_BITS],
        room: &mut Room,
        entries: &mut [TableEntry],
    );
}
