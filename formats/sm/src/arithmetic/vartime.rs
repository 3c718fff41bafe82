//! Sums of multiples for verification: public values only, so speed may depend on them.

use super::{
    Affine, Arithmetic, Fe, Scalar,
    field::P,
    generator::{Digits, WINDOWS, Windows, add_affine, windows_of_g},
    limbs,
    point::{G, Jacobian, TableEntry, invert_all, to_affine_all},
    scalar::N,
};
use std::sync::LazyLock;

/// Digits of G are odd and below 2^11: 1024 odd multiples, 64 KiB.
const G_WIDTH: usize = 12;
/// Digits of the key are odd and below 2^4.
const KEY_WIDTH: usize = 5;
const KEY_ENTRIES: usize = 1 << (KEY_WIDTH - 2);

static ODD_MULTIPLES_OF_G: LazyLock<Vec<TableEntry>> = LazyLock::new(odd_multiples_of_g);

/// A public key with its windows: 148 KiB.
pub(crate) struct KeyTable(Windows);

impl KeyTable {
    pub(crate) fn new<A: Arithmetic>(point: &Affine) -> Self {
        Self(Windows::new::<A>(point))
    }
}

/// s G + t P, by one chain of doublings for both.
pub(crate) fn sum_vartime<A: Arithmetic>(s: &Scalar, point: &Affine, t: &Scalar) -> Jacobian {
    let of_g = &*ODD_MULTIPLES_OF_G;
    let of_key = KeyMultiples::new::<A>(point);
    let (s, s_length) = signed_digits(s, G_WIDTH);
    let (t, t_length) = signed_digits(t, KEY_WIDTH);
    let mut sum = Jacobian::INFINITY;
    for i in (0..s_length.max(t_length)).rev() {
        sum = sum.double::<A>();
        if t[i] != 0 {
            sum = of_key.add_to::<A>(&sum, t[i]);
        }
        if s[i] != 0 {
            let entry = of_g[usize::from(s[i].unsigned_abs() >> 1)].point();
            let negative = if s[i] < 0 { u64::MAX } else { 0 };
            sum = sum.add_vartime::<A>(&entry.negate_if(negative));
        }
    }
    sum
}

/// s G + t P without doublings, from both tables; s and t are not zero.
pub(crate) fn sum_prepared_vartime<A: Arithmetic>(
    s: &Scalar,
    key: &KeyTable,
    t: &Scalar,
) -> Jacobian {
    let (s, s_negated) = s.odd();
    let (t, t_negated) = t.odd();
    let (s, t) = (Digits::new(&s), Digits::new(&t));
    let of_g = windows_of_g();
    let mut sum = Jacobian::INFINITY;
    for i in 0..WINDOWS {
        for (digits, windows, negated) in [(&s, of_g, s_negated), (&t, &key.0, t_negated)] {
            let (index, negative) = digits.digit(i);
            let entry = windows.window(i)[index as usize].point();
            sum = sum.add_vartime::<A>(&entry.negate_if(negative ^ negated));
        }
    }
    sum
}

/// Whether the point's x, taken mod n, is `wanted`; false for infinity. Spares the inversion:
/// x = X / Z^2 is compared as X = x Z^2, for x = wanted and, where it is below p, wanted + n.
pub(crate) fn check_x_vartime<A: Arithmetic>(point: &Jacobian, wanted: &Scalar) -> bool {
    if point.z.is_zero() != 0 {
        return false;
    }
    let z_squared = A::square(&point.z);
    let is = |x: &limbs::Limbs| {
        Fe::from_canonical::<A>(x).is_some_and(|x| A::multiply(&x, &z_squared).equal(&point.x) != 0)
    };
    let (larger, carry) = limbs::add(wanted.limbs(), &N);
    is(wanted.limbs()) || (!carry && limbs::subtract(&larger, &P).1 && is(&larger))
}

impl Jacobian {
    /// P + Q, whatever they are.
    #[inline]
    pub(super) fn add_vartime<A: Arithmetic>(&self, other: &Affine) -> Self {
        let (h, r) = self.differences::<A>(other);
        if h.is_zero() == 0 && self.z.is_zero() == 0 {
            return self.add_with_differences::<A>(&h, &r);
        }
        if self.z.is_zero() != 0 {
            Self::from_affine(other)
        } else if r.is_zero() != 0 {
            self.double::<A>()
        } else {
            Self::INFINITY
        }
    }
}

/// The odd multiples up to 15 of a key, as Jacobian points with Z^2 and Z^3: making them affine
/// would cost about what it saves.
struct KeyMultiples([Multiple; KEY_ENTRIES]);

#[derive(Clone, Copy)]
struct Multiple {
    point: Jacobian,
    z_squared: Fe,
    z_cubed: Fe,
}

impl Multiple {
    #[inline]
    fn new<A: Arithmetic>(point: Jacobian) -> Self {
        let z_squared = A::square(&point.z);
        Self {
            z_squared,
            z_cubed: A::multiply(&z_squared, &point.z),
            point,
        }
    }

    /// P + this, or P - this; whatever they are.
    #[inline]
    fn add_to<A: Arithmetic>(&self, p: &Jacobian, negative: bool) -> Jacobian {
        let q = &self.point;
        let q_y = if negative {
            Fe::ZERO.subtract::<A>(&q.y)
        } else {
            q.y
        };
        let z_squared = A::square(&p.z);
        let z_cubed = A::multiply(&z_squared, &p.z);
        let x1 = A::multiply(&p.x, &self.z_squared);
        let y1 = A::multiply(&p.y, &self.z_cubed);
        let h = A::multiply(&q.x, &z_squared).subtract::<A>(&x1);
        let r = A::multiply(&q_y, &z_cubed).subtract::<A>(&y1);
        if p.z.is_zero() != 0 {
            return Jacobian { y: q_y, ..*q };
        }
        if h.is_zero() != 0 {
            return if r.is_zero() != 0 {
                p.double::<A>()
            } else {
                Jacobian::INFINITY
            };
        }
        // The sum of (x1, y1) and its fellow, both over Z = Z_P Z_Q.
        let z = A::multiply(&p.z, &q.z);
        Jacobian { x: x1, y: y1, z }.add_with_differences::<A>(&h, &r)
    }
}

impl KeyMultiples {
    fn new<A: Arithmetic>(point: &Affine) -> Self {
        let first = Jacobian::from_affine(point);
        let twice = Multiple::new::<A>(first.double::<A>());
        let mut multiples = [Multiple::new::<A>(first); KEY_ENTRIES];
        for i in 1..KEY_ENTRIES {
            multiples[i] = Multiple::new::<A>(twice.add_to::<A>(&multiples[i - 1].point, false));
        }
        Self(multiples)
    }

    #[inline]
    fn add_to<A: Arithmetic>(&self, sum: &Jacobian, digit: i16) -> Jacobian {
        self.0[usize::from(digit.unsigned_abs() >> 1)].add_to::<A>(sum, digit < 0)
    }
}

/// The w-ary non-adjacent form: odd digits below 2^(w - 1) in size, at least w - 1 zeros
/// between them; and how many places there are.
fn signed_digits(scalar: &Scalar, width: usize) -> ([i16; 257], usize) {
    let mut digits = [0; 257];
    let [k0, k1, k2, k3] = *scalar.limbs();
    let k = [k0, k1, k2, k3, 0, 0];
    let mut length = 0;
    let mut carry = 0;
    let mut at = 0;
    while at < 257 {
        let (limb, shift) = (at / 64, at % 64);
        let window = k[limb] >> shift | (k[limb + 1] << 1) << (63 - shift);
        if window & 1 == carry {
            // Zeros, or ones that the carry turns into zeros.
            let skip = if carry == 0 { window } else { !window };
            at += (skip.trailing_zeros() as usize).clamp(1, 64 - shift);
            continue;
        }
        let value = (window & ((1 << width) - 1)) + carry;
        carry = value >> (width - 1);
        let digit = value.cast_signed() - (carry << width).cast_signed();
        digits[at] = digit as i16;
        length = at + 1;
        at += width;
    }
    (digits, length)
}

/// 1, 3, 5, … 2047 times G: each round adds a power of two to all that is known.
fn odd_multiples_of_g() -> Vec<TableEntry> {
    type A = super::Portable;
    let mut doublings = vec![Jacobian::from_affine(&G)];
    for i in 1..G_WIDTH {
        doublings.push(doublings[i - 1].double::<A>());
    }
    let powers = to_affine_all::<A>(&doublings);
    let mut multiples = vec![G];
    for step in &powers[1..G_WIDTH - 1] {
        let mut differences: Vec<Fe> = multiples
            .iter()
            .map(|known| step.x.subtract::<A>(&known.x))
            .collect();
        invert_all::<A>(&mut differences);
        let new: Vec<Affine> = multiples
            .iter()
            .zip(&differences)
            .map(|(known, inverse)| add_affine::<A>(known, step, inverse))
            .collect();
        multiples.extend(new);
    }
    multiples.iter().map(TableEntry::new).collect()
}
