//! The field of integers mod p = 2^256 - 2^224 - 2^96 + 2^64 - 1, in Montgomery form.

use super::{
    Arithmetic,
    inversion::{self, Modulus},
    limbs::{self, Limbs},
};
use zeroize::Zeroize;

/// p.
pub(crate) const P: Limbs = [
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// 2^256 mod p = 2^224 + 2^96 - 2^64 + 1.
const R: Limbs = [1, 0xffff_ffff, 0, 0x1_0000_0000];

/// 2^512 mod p.
const R2: Limbs = power_of_two(512);

/// 2^768 mod p: turns (a R)^-1 into a^-1 R by one multiplication.
const R3: Limbs = power_of_two(768);

/// p ≡ -1 mod 2^62, so that it is its own negated inverse up to sign.
const INVERSION: Modulus = Modulus::new(&P);

/// a R mod p with R = 2^256, always below p but inside [`Unreduced`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Zeroize)]
pub(crate) struct Fe(pub(crate) Limbs);

/// A product whose last subtraction of p is spared: below 2^256, and good as one factor of another
/// product in the same arithmetic, the other factor being an [`Fe`].
#[derive(Clone, Copy)]
pub(crate) struct Unreduced(pub(crate) Fe);

impl Fe {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self(R);

    /// The curve's b.
    pub(crate) const B: Self = Self::constant([
        0xddbc_bd41_4d94_0e93,
        0xf397_89f5_15ab_8f92,
        0x4d5a_9e4b_cf65_09a7,
        0x28e9_fa9e_9d9f_5e34,
    ]);

    /// Into Montgomery form, while compiling: 256 doublings.
    pub(crate) const fn constant(mut value: Limbs) -> Self {
        let mut i = 0;
        while i < 256 {
            value = limbs::double_const(&value, &P);
            i += 1;
        }
        Self(value)
    }

    /// From an integer below p; `None` for others.
    pub(crate) fn from_canonical<A: Arithmetic>(value: &Limbs) -> Option<Self> {
        let (_, below) = limbs::subtract(value, &P);
        below.then(|| A::multiply(&Self(*value), &Self(R2)))
    }

    /// The integer below p.
    pub(crate) fn to_canonical<A: Arithmetic>(self) -> Limbs {
        A::multiply(&self, &Self([1, 0, 0, 0])).0
    }

    #[inline(always)]
    pub(crate) fn add<A: Arithmetic>(&self, other: &Self) -> Self {
        A::add(self, other)
    }

    #[inline(always)]
    pub(crate) fn subtract<A: Arithmetic>(&self, other: &Self) -> Self {
        A::subtract(self, other)
    }

    #[inline(always)]
    pub(crate) fn double<A: Arithmetic>(&self) -> Self {
        A::add(self, self)
    }

    /// Half: (a + p) / 2 for odd a.
    #[inline(always)]
    pub(crate) fn halve(&self) -> Self {
        let mask = 0_u64.wrapping_sub(self.0[0] & 1);
        let (sum, carry) = limbs::add(&self.0, &P.map(|limb| limb & mask));
        Self([
            sum[0] >> 1 | sum[1] << 63,
            sum[1] >> 1 | sum[2] << 63,
            sum[2] >> 1 | sum[3] << 63,
            sum[3] >> 1 | u64::from(carry) << 63,
        ])
    }

    /// -a where the mask is all ones, a where it is zero; for a other than zero.
    #[inline(always)]
    pub(crate) fn negate_nonzero_if(&self, mask: u64) -> Self {
        let (negative, _) = limbs::subtract(&P, &self.0);
        Self(limbs::select(mask, &self.0, &negative))
    }

    #[inline(always)]
    pub(crate) fn select(mask: u64, a: &Self, b: &Self) -> Self {
        Self(limbs::select(mask, &a.0, &b.0))
    }

    #[inline(always)]
    pub(crate) fn equal(&self, other: &Self) -> u64 {
        limbs::equal(&self.0, &other.0)
    }

    #[inline(always)]
    pub(crate) fn is_zero(&self) -> u64 {
        limbs::is_zero(&self.0)
    }

    /// a^-1, and zero for zero.
    pub(crate) fn invert_vartime<A: Arithmetic>(&self) -> Self {
        let inverse = inversion::invert_vartime(&self.0, &INVERSION);
        A::multiply(&Self(inverse), &Self(R3))
    }

    /// a^-1, and zero for zero; in constant time.
    pub(crate) fn invert<A: Arithmetic>(&self) -> Self {
        A::multiply(&Self(inversion::invert(&self.0, &INVERSION)), &Self(R3))
    }
}

/// The 512-bit value `t`, below p 2^256, divided by 2^256 mod p.
#[inline(always)]
pub(crate) fn montgomery_reduce(t: &[u64; 8]) -> Fe {
    let (value, above) = montgomery_divide(t);
    reduce_once(&value, above)
}

/// As [`montgomery_reduce`], only that p may be left in the value.
#[inline(always)]
pub(crate) fn montgomery_reduce_below_2_256(t: &[u64; 8]) -> Unreduced {
    let (value, above) = montgomery_divide(t);
    // The value is below 2 p. If it is 2^256 or more, adding 2^256 - p to the four limbs takes p from
    // it; what is left is below p, so that nothing is carried.
    let mask = 0_u64.wrapping_sub(above);
    let (sum, _) = limbs::add(&value, &R.map(|limb| limb & mask));
    Unreduced(Fe(sum))
}

/// The value divided by 2^256 mod p, below 2 p: four limbs and what is above them.
///
/// p ≡ -1 mod 2^64, so the Montgomery factor is 1: adding t0 p clears the limb t0, and t0 p is
/// shifts of t0. Two limbs go at a time: with M = m0 + m1 2^64 the sum t + M p is, from limb 1,
/// t + M (1 + 2^192) - (M << 32)(1 + 2^128); limb 1 gives m1 and vanishes too.
#[inline(always)]
fn montgomery_divide(t: &[u64; 8]) -> (Limbs, u64) {
    let (low, above) = clear_two([t[0], t[1], t[2], t[3], t[4], t[5]]);
    let (t6, c) = t[6].overflowing_add(above);
    let t7 = t[7].wrapping_add(u64::from(c));
    clear_two([low[0], low[1], low[2], low[3], t6, t7])
}

/// 2^256 - p in halves of 128 bits: so written, the compiler keeps a chain of carries into
/// constants together, which it takes apart with 64-bit limbs.
const R_LOW: u128 = limbs::wide(R[0], R[1]);
const R_HIGH: u128 = limbs::wide(R[2], R[3]);

/// (above 2^256 + value) mod p, for a value below 2 p: `above` is 0 or 1.
///
/// Subtracting p is adding 2^256 - p, whose carry tells whether the value was p or more.
#[inline(always)]
pub(crate) fn reduce_once(value: &Limbs, above: u64) -> Fe {
    let (low, carry) = limbs::wide(value[0], value[1]).overflowing_add(R_LOW);
    // The lowest bit of R_HIGH is zero.
    let (high, carry) = limbs::wide(value[2], value[3]).overflowing_add(R_HIGH | u128::from(carry));
    let reduced = limbs::narrow(low, high);
    let mask = 0_u64.wrapping_sub(above | u64::from(carry));
    Fe(limbs::select(mask, value, &reduced))
}

/// a - b mod p, both below p.
///
/// The borrow of the last limb is taken as the upper half of a wider difference: as a condition
/// the compiler makes a branch of it where it sees fit, as valgrind found.
#[inline(always)]
pub(crate) fn subtract(a: &Limbs, b: &Limbs) -> Fe {
    let (d0, borrow) = a[0].overflowing_sub(b[0]);
    let (d1, borrow) = a[1].borrowing_sub(b[1], borrow);
    let (d2, borrow) = a[2].borrowing_sub(b[2], borrow);
    let top = i128::from(a[3]) - i128::from(b[3]) - i128::from(borrow);
    // All ones after a borrow: p is added then.
    let mask = (top >> 64) as u64;
    let (d0, borrow) = d0.overflowing_sub(mask & R[0]);
    let (d1, borrow) = d1.borrowing_sub(mask & R[1], borrow);
    let (d2, borrow) = d2.borrowing_sub(R[2], borrow);
    let d3 = (top as u64)
        .wrapping_sub(mask & R[3])
        .wrapping_sub(u64::from(borrow));
    Fe([d0, d1, d2, d3])
}

/// Limbs 2 to 5 of t + M p where limbs 0 and 1 have become zero, and what is left for limb 6,
/// the carry less the borrow: 0 or 1.
#[inline(always)]
fn clear_two(t: [u64; 6]) -> (Limbs, u64) {
    let m0 = t[0];
    let s0 = m0 << 32;
    let m1 = t[1].wrapping_add(m0).wrapping_sub(s0);
    let s1 = m1 << 32 | m0 >> 32;
    let s2 = m1 >> 32;

    let (t1, c) = t[1].overflowing_add(m0);
    let (t2, c) = t[2].carrying_add(m1, c);
    let (t3, c) = t[3].carrying_add(0, c);
    let (t4, c) = t[4].carrying_add(m0, c);
    let (t5, carry) = t[5].carrying_add(m1, c);

    let (_, b) = t1.overflowing_sub(s0);
    let (t2, b) = t2.borrowing_sub(s1, b);
    let (t3, b) = t3.borrowing_sub(s0 | s2, b);
    let (t4, b) = t4.borrowing_sub(s1, b);
    let (t5, borrow) = t5.borrowing_sub(s2, b);
    let above = u64::from(carry).wrapping_sub(u64::from(borrow));
    ([t2, t3, t4, t5], above)
}

/// 2^exponent mod p for an exponent from 256.
const fn power_of_two(exponent: u32) -> Limbs {
    let mut value = R;
    let mut i = 256;
    while i < exponent {
        value = limbs::double_const(&value, &P);
        i += 1;
    }
    value
}
