//! Multiples of a fixed point by a table of its windows.
//!
//! k is made odd (k or n - k) and written with 37 digits d_i, odd, from -127 to 127, so that
//! k = Σ d_i 2^(7 i): the digits are 2 b_i - 127 where b_i are the 7-bit windows of
//! (k - 1) / 2 + 2^258. No digit is zero, and all numbers of digits are the same. The table has
//! the odd multiples up to 127 of 2^(7 i) P for each window; the last window needs only eight,
//! because k is below 2^256.
//!
//! Why plain additions suffice (windows are added from the lowest): before window i the sum is
//! |a| < 2^(7 i), odd, and the next term is |t| >= 2^(7 i), so that a = ±t never holds for the
//! integers. Mod n it could only hold where |a| + |t| >= n. For i <= 35 that sum stays below
//! 2^252. For i = 36, t = d 2^252 with d from 1 to 15 and a + t = k is neither 0 nor n; a = t
//! mod n means k = 2 t - n, which is from 1 to n - 1 for d = 15 alone: the one exceptional
//! nonce, 30 2^252 - n. It and its opposite are replaced without a branch, and their
//! result is put in at the end.

use super::{
    Affine, Arithmetic, Scalar,
    point::{G, Jacobian, TableEntry, invert_all, to_affine_all},
};
use std::sync::LazyLock;
use zeroize::Zeroize as _;

const WINDOW_BITS: usize = 7;
pub(super) const WINDOWS: usize = 37;
const WINDOW_ENTRIES: usize = 64;
const LAST_ENTRIES: usize = 8;

/// 30 2^252 - n, the one odd scalar whose last addition would be a doubling.
pub(super) const EXCEPTION: Scalar = Scalar::minus_n_wrapping([0, 0, 0, 0xe << 60]);

/// A table of one point's windows: 36 times 64 entries, then 8; 148 KiB.
pub(super) struct Windows(Vec<TableEntry>);

static GENERATOR: LazyLock<Generator> = LazyLock::new(|| {
    let windows = Windows::new::<super::Portable>(&G);
    // The last entry is 15 2^252 G, and 30 2^252 is the exceptional scalar mod n.
    let last = windows.window(WINDOWS - 1)[LAST_ENTRIES - 1].point();
    let exception = Jacobian::from_affine(&last).double::<super::Portable>();
    Generator {
        windows,
        exception: exception.to_affine::<super::Portable>(),
    }
});

struct Generator {
    windows: Windows,
    /// (30 2^252 - n) G.
    exception: Affine,
}

impl Windows {
    pub(super) fn new<A: Arithmetic>(point: &Affine) -> Self {
        Self(odd_multiples::<A>(
            point,
            WINDOW_BITS,
            (WINDOWS - 1) * WINDOW_ENTRIES + LAST_ENTRIES,
        ))
    }

    #[inline(always)]
    pub(super) fn window(&self, i: usize) -> &[TableEntry] {
        let start = i * WINDOW_ENTRIES;
        let length = if i + 1 == WINDOWS {
            LAST_ENTRIES
        } else {
            WINDOW_ENTRIES
        };
        &self.0[start..start + length]
    }
}

/// So many entries of a table of `point` in windows of `bits` bits: the odd multiples below
/// 2^bits of 2^(bits i) P, one window after another; the last may be shorter by a power of two.
///
/// The doublings of the point are made affine together; then come rounds in which the odd
/// multiples below 2 s, plus 2 s, give those below 4 s. No addition is exceptional:
/// (2 j + 1 ± 2 s) 2^(bits i) is no multiple of the prime n.
pub(super) fn odd_multiples<A: Arithmetic>(
    point: &Affine,
    bits: usize,
    length: usize,
) -> Vec<TableEntry> {
    let window_entries = 1 << (bits - 1);
    let doublings_wanted = length.div_ceil(window_entries) * bits;
    let mut doublings = Vec::with_capacity(doublings_wanted);
    let mut next = Jacobian::from_affine(point);
    for _ in 0..doublings_wanted {
        doublings.push(next);
        next = next.double::<A>();
    }
    let powers = to_affine_all::<A>(&doublings);
    let mut entries = vec![TableEntry::ZERO; length];
    for (i, window) in entries.chunks_mut(window_entries).enumerate() {
        window[0] = TableEntry::new(&powers[i * bits]);
    }
    let mut differences = Vec::with_capacity(length);
    for round in 1..bits {
        let half = 1 << (round - 1);
        let in_round = |window: &[TableEntry]| half < window.len();
        differences.clear();
        for (i, window) in entries.chunks(window_entries).enumerate() {
            let step = &powers[i * bits + round];
            if in_round(window) {
                let known = &window[..half];
                differences.extend(
                    known
                        .iter()
                        .map(|entry| step.x.subtract::<A>(&entry.point().x)),
                );
            }
        }
        invert_all::<A>(&mut differences);
        let mut inverses = differences.iter();
        for (i, window) in entries.chunks_mut(window_entries).enumerate() {
            let step = &powers[i * bits + round];
            if in_round(window) {
                let (known, new) = window.split_at_mut(half);
                for ((known, new), inverse) in known.iter().zip(new).zip(&mut inverses) {
                    *new = TableEntry::new(&add_affine::<A>(&known.point(), step, inverse));
                }
            }
        }
    }
    entries
}

/// P + Q from 1 / (xQ - xP).
#[inline(always)]
pub(super) fn add_affine<A: Arithmetic>(p: &Affine, q: &Affine, inverse: &super::Fe) -> Affine {
    let slope = A::multiply(&q.y.subtract::<A>(&p.y), inverse);
    let x = A::square(&slope).subtract::<A>(&p.x).subtract::<A>(&q.x);
    let y = A::multiply(&slope, &p.x.subtract::<A>(&x)).subtract::<A>(&p.y);
    Affine { x, y }
}

/// An odd scalar as digits: where the windows of (k - 1) / 2 + 2^258 are read from.
#[derive(zeroize::Zeroize)]
pub(super) struct Digits([u64; 5]);

impl Digits {
    #[inline(always)]
    pub(super) fn new(odd: &Scalar) -> Self {
        let k = odd.limbs();
        Self([
            k[0] >> 1 | k[1] << 63,
            k[1] >> 1 | k[2] << 63,
            k[2] >> 1 | k[3] << 63,
            k[3] >> 1,
            1 << 2,
        ])
    }

    /// Where digit i stands in its window's entries, and all ones when it is negative.
    #[inline(always)]
    pub(super) fn digit(&self, i: usize) -> (u64, u64) {
        let bit = i * WINDOW_BITS;
        let (limb, shift) = (bit / 64, bit % 64);
        let above = if limb < 4 { self.0[limb + 1] } else { 0 };
        let window = (self.0[limb] >> shift | (above << 1) << (63 - shift)) & 0x7f;
        let negative = (window >> 6).wrapping_sub(1);
        ((window ^ negative) & 0x3f, negative)
    }
}

/// The scalar to compute with, odd and not the exception, and what to do with the result.
#[derive(zeroize::Zeroize)]
pub(super) struct Prepared {
    pub(super) odd: Scalar,
    negated: u64,
    exceptional: u64,
}

impl Prepared {
    #[inline(always)]
    pub(super) fn new(k: &Scalar, exception: &Scalar) -> Self {
        let (odd, negated) = k.odd();
        let exceptional = odd.equal(exception);
        Self {
            odd: Scalar::select(exceptional, &odd, &Scalar::ONE),
            negated,
            exceptional,
        }
    }

    /// The multiple by the scalar itself, from that by `odd` and that by the exception.
    #[inline(always)]
    pub(super) fn finish(&self, result: &Affine, exception: &Affine) -> Affine {
        Affine::select(self.exceptional, result, exception).negate_if(self.negated)
    }
}

/// The windows of G.
pub(super) fn windows_of_g() -> &'static Windows {
    &GENERATOR.windows
}

/// k G for k from 1 to n - 1, in constant time.
pub(crate) fn multiple_of_g<A: Arithmetic>(k: &Scalar) -> Affine {
    let mut prepared = Prepared::new(k, &EXCEPTION);
    let mut digits = Digits::new(&prepared.odd);
    let windows = windows_of_g();
    let (index, negative) = digits.digit(0);
    let first = A::scan(windows.window(0), index);
    let mut sum = Jacobian::from_affine(&first.point().negate_if(negative));
    for i in 1..WINDOWS {
        let (index, negative) = digits.digit(i);
        let entry = A::scan(windows.window(i), index);
        sum = sum.add_distinct::<A>(&entry.point().negate_if(negative));
    }
    let mut affine = sum.to_affine::<A>();
    let point = prepared.finish(&affine, &GENERATOR.exception);
    prepared.zeroize();
    digits.zeroize();
    sum.zeroize();
    affine.zeroize();
    point
}
