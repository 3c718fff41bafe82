//! The arithmetic in plain Rust, for every machine.

use super::{
    Arithmetic, Fe, Unreduced,
    field::{montgomery_reduce, montgomery_reduce_below_2_256, reduce_once, subtract},
    lanes::{self, Columns, PLACE_BITS, Room, Row},
    limbs,
    point::TableEntry,
};

use core::hint::black_box;

/// Entries whose masks are made together: a whole window.
const MASKS: usize = 64;

/// Entries whose turns in the loop are written out; windows are multiples of it.
const UNROLLED: usize = 4;

/// On cache lines of their own, so that no load lies across two.
#[repr(align(64))]
struct Masks([u64; MASKS]);

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
    fn multiply_unreduced(a: &Fe, b: &Unreduced) -> Unreduced {
        montgomery_reduce_below_2_256(&limbs::multiply(&a.0, &b.0.0))
    }

    #[inline(always)]
    fn square_unreduced(a: &Fe) -> Unreduced {
        montgomery_reduce_below_2_256(&limbs::square(&a.0))
    }

    #[inline(always)]
    fn add(a: &Fe, b: &Fe) -> Fe {
        let (sum, carry) = limbs::add(&a.0, &b.0);
        reduce_once(&sum, u64::from(carry))
    }

    #[inline(always)]
    fn subtract(a: &Fe, b: &Fe) -> Fe {
        subtract(&a.0, &b.0)
    }

    #[inline]
    fn scan(entries: &[TableEntry], index: u64) -> TableEntry {
        let mut found = TableEntry::ZERO;
        for (start, entries) in (0_u32..).step_by(MASKS).zip(entries.chunks(MASKS)) {
            // The masks go through memory, all at once: seeing where they come from, the compiler
            // makes a branch of each, as valgrind and the timing test found.
            let mut masks = Masks([0; MASKS]);
            for (place, mask) in (start..).zip(&mut masks.0) {
                *mask = 0_u64.wrapping_sub(u64::from(place == index as u32));
            }
            let masks = &black_box(&mut masks).0;
            let (groups, rest) = entries.as_chunks::<UNROLLED>();
            debug_assert!(rest.is_empty(), "no window has such a size");
            let (masks, _) = masks.as_chunks::<UNROLLED>();
            for (masks, group) in masks.iter().zip(groups) {
                for (mask, entry) in masks.iter().zip(group) {
                    for (word, source) in found.0.iter_mut().zip(&entry.0) {
                        *word |= mask & source;
                    }
                }
            }
        }
        found
    }

    #[inline]
    fn read(
        table: &Columns,
        places: &[Row; PLACE_BITS],
        room: &mut Room,
        entries: &mut [TableEntry],
    ) {
        lanes::read(table, places, room, entries);
    }
}
