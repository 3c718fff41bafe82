//! Integers mod n, the order of the curve's group.
//!
//! A [`Scalar`] is the integer itself; a [`Factor`] is one in Montgomery form. Multiplying one
//! by the other gives a plain scalar again, so nothing is ever converted back.

use super::{
    inversion::{self, Modulus},
    limbs::{self, Limbs},
};
use crate::declassify::declassify;
use zeroize::Zeroize;

/// n.
pub(crate) const N: Limbs = [
    0x53bb_f409_39d5_4123,
    0x7203_df6b_21c6_052b,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// -1 / n mod 2^64.
const MINUS_INVERSE: u64 = {
    let mut inverse = N[0];
    let mut i = 0;
    while i < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(N[0].wrapping_mul(inverse)));
        i += 1;
    }
    inverse.wrapping_neg()
};

/// 2^512 mod n.
const R2: Limbs = {
    let mut value = [1, 0, 0, 0];
    let mut i = 0;
    while i < 512 {
        value = limbs::double_const(&value, &N);
        i += 1;
    }
    value
};

const INVERSION: Modulus = Modulus::new(&N);

/// An integer from 0 to n - 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Zeroize)]
pub(crate) struct Scalar(Limbs);

/// a 2^256 mod n: what a scalar is multiplied by.
#[derive(Clone, Copy, Zeroize)]
pub(crate) struct Factor(Limbs);

impl Scalar {
    pub(crate) const ONE: Self = Self([1, 0, 0, 0]);

    /// The integer, when below n.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_limbs(limbs::from_bytes(bytes))
    }

    pub(crate) fn from_limbs(value: Limbs) -> Option<Self> {
        let (_, below) = limbs::subtract(&value, &N);
        // Of a secret candidate only this much is told.
        declassify(below).then_some(Self(value))
    }

    /// 2^256 + value - n, while compiling; the caller knows that it is below n.
    pub(super) const fn minus_n_wrapping(value: Limbs) -> Self {
        let mut difference = [0; 4];
        let mut borrow = false;
        let mut i = 0;
        while i < 4 {
            (difference[i], borrow) = limbs::borrowing_sub_const(value[i], N[i], borrow);
            i += 1;
        }
        assert!(borrow, "value is below n");
        Self(difference)
    }

    /// The integer mod n; 2^256 is below 2 n.
    pub(crate) fn reduce(value: &Limbs) -> Self {
        Self(limbs::reduce_once(value, false, &N))
    }

    pub(crate) fn reduce_bytes(bytes: &[u8; 32]) -> Self {
        Self::reduce(&limbs::from_bytes(bytes))
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        limbs::to_bytes(&self.0)
    }

    pub(crate) fn limbs(&self) -> &Limbs {
        &self.0
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        Self(limbs::add_mod(&self.0, &other.0, &N))
    }

    pub(crate) fn subtract(&self, other: &Self) -> Self {
        Self(limbs::subtract_mod(&self.0, &other.0, &N))
    }

    pub(crate) fn multiply(&self, factor: &Factor) -> Self {
        Self(montgomery_multiply(&self.0, &factor.0))
    }

    pub(crate) fn to_factor(self) -> Factor {
        Factor(montgomery_multiply(&self.0, &R2))
    }

    /// 1 / a as a factor, zero for zero; in constant time.
    pub(crate) fn invert(&self) -> Factor {
        Self(inversion::invert(&self.0, &INVERSION)).to_factor()
    }

    /// All ones for zero.
    pub(crate) fn is_zero(&self) -> u64 {
        limbs::is_zero(&self.0)
    }

    /// All ones when equal.
    pub(crate) fn equal(&self, other: &Self) -> u64 {
        limbs::equal(&self.0, &other.0)
    }

    pub(crate) fn select(mask: u64, a: &Self, b: &Self) -> Self {
        Self(limbs::select(mask, &a.0, &b.0))
    }

    /// The odd one of k and n - k, and all ones when it is the latter. For k other than zero.
    pub(crate) fn odd(&self) -> (Self, u64) {
        let even = limbs::mask(self.0[0] & 1 == 0);
        let (other, _) = limbs::subtract(&N, &self.0);
        (Self(limbs::select(even, &self.0, &other)), even)
    }
}

/// a b / 2^256 mod n; below n when a b is below n 2^256.
fn montgomery_multiply(a: &Limbs, b: &Limbs) -> Limbs {
    let mut t = limbs::multiply(a, b);
    let mut top = 0;
    for i in 0..4 {
        let m = t[i].wrapping_mul(MINUS_INVERSE);
        let mut carry = 0;
        for j in 0..4 {
            (t[i + j], carry) = m.carrying_mul_add(N[j], t[i + j], carry);
        }
        let (sum, c1) = t[i + 4].overflowing_add(carry);
        let (sum, c2) = sum.overflowing_add(top);
        t[i + 4] = sum;
        top = u64::from(c1) + u64::from(c2);
    }
    limbs::reduce_once(&[t[4], t[5], t[6], t[7]], top == 1, &N)
}
