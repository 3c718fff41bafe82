//! The arithmetic in plain Rust, for every machine.

use super::{
    Arithmetic, Fe,
    field::{P, montgomery_reduce},
    limbs,
    point::TableEntry,
};

/// Plain Rust: 64-bit limbs, 128-bit products.
pub(crate) struct Portable;

impl Arithmetic for Portable {
    #[inline(always)]
    fn multiply(a: &Fe, b: &Fe) -> Fe {
        montgomery_reduce(&limbs::multiply(&a.0, &b.0))
    }

    #[inline(always)]
    fn square(a: &Fe) -> Fe {
        montgomery_reduce(&limbs::square(&a.0))
    }

    #[inline(always)]
    fn add(a: &Fe, b: &Fe) -> Fe {
        Fe(limbs::add_mod(&a.0, &b.0, &P))
    }

    #[inline(always)]
    fn subtract(a: &Fe, b: &Fe) -> Fe {
        Fe(limbs::subtract_mod(&a.0, &b.0, &P))
    }

    #[inline]
    fn scan(entries: &[TableEntry], index: u64) -> TableEntry {
        let mut found = TableEntry::ZERO;
        for (i, entry) in (0_u64..).zip(entries) {
            // Both are small, so that only zero less one has its top bit set.
            let mask = (((i ^ index).wrapping_sub(1)).cast_signed() >> 63).cast_unsigned();
            for (word, source) in found.0.iter_mut().zip(&entry.0) {
                *word |= mask & source;
            }
        }
        found
    }
}
