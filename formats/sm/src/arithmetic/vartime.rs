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
    let of_key = odd_multiples::<A>(point);
    let (s, s_length) = signed_digits(s, G_WIDTH);
    let (t, t_length) = signed_digits(t, KEY_WIDTH);
    let mut sum = Jacobian::INFINITY;
    for i in (0..s_length.max(t_length)).rev() {
        sum = sum.double::<A>();
        if t[i] != 0 {
            let multiple = of_key[usize::from(t[i].unsigned_abs() >> 1)];
            sum = sum.add_vartime::<A>(&multiple.negate_if(limbs::mask(t[i] < 0)));
        }
        if s[i] != 0 {
            let multiple = of_g[usize::from(s[i].unsigned_abs() >> 1)].point();
            sum = sum.add_vartime::<A>(&multiple.negate_if(limbs::mask(s[i] < 0)));
        }
    }
    sum
}

/// s G + t P without doublings, from both tables; s and t are not zero.
///
/// Neighbouring windows of one point are first added in pairs, with one inversion for all: six
/// multiplications against eleven. No such pair is exceptional: the terms are odd multiples of
/// 2^(7 i) and 2^(7 i + 7), so that neither their sum nor their difference is zero, and below
/// 2^253 both are no multiples of n.
pub(crate) fn sum_prepared_vartime<A: Arithmetic>(
    s: &Scalar,
    key: &KeyTable,
    t: &Scalar,
) -> Jacobian {
    const PAIRS: usize = WINDOWS / 2;
    let mut pairs = [(G, G); 2 * PAIRS];
    let mut last = [G; 2];
    let tables = [(s, windows_of_g()), (t, &key.0)];
    for (i, (scalar, windows)) in tables.into_iter().enumerate() {
        let (odd, negated) = scalar.odd();
        let digits = Digits::new(&odd);
        let entry = |i: usize| {
            let (index, negative) = digits.digit(i);
            let point = windows.window(i)[index as usize].point();
            point.negate_if(negative ^ negated)
        };
        for (i, pair) in pairs[i * PAIRS..][..PAIRS].iter_mut().enumerate() {
            *pair = (entry(2 * i), entry(2 * i + 1));
        }
        last[i] = entry(WINDOWS - 1);
    }
    let mut prefixes = [Fe::ONE; 2 * PAIRS];
    let mut product = Fe::ONE;
    for ((first, second), prefix) in pairs.iter().zip(&mut prefixes) {
        *prefix = product;
        product = A::multiply(&product, &second.x.subtract::<A>(&first.x));
    }
    let mut inverse = product.invert_vartime::<A>();
    let mut sum = Jacobian::from_affine(&last[0]).add_vartime::<A>(&last[1]);
    for ((first, second), prefix) in pairs.iter().zip(&prefixes).rev() {
        let own = A::multiply(&inverse, prefix);
        inverse = A::multiply(&inverse, &second.x.subtract::<A>(&first.x));
        sum = sum.add_vartime::<A>(&add_affine::<A>(first, second, &own));
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

/// The odd multiples up to 15 of a key.
///
/// Each is the one before plus 2 P, both over the same Z (Meloni, "New point addition formulae
/// for ECC applications", 2007), which costs five multiplications and two squarings and leaves
/// 2 P over the new Z, the old one times the difference of the two x. So one inversion, of the
/// last Z, and the differences give every 1 / Z. No difference is zero: neither 2 P ± P nor
/// another multiple of P up to 17 is infinity.
fn odd_multiples<A: Arithmetic>(point: &Affine) -> [Affine; KEY_ENTRIES] {
    let double = Jacobian::from_affine(point).double::<A>();
    let z = double.z;
    let mut two = Affine {
        x: double.x,
        y: double.y,
    };
    let z_squared = A::square(&z);
    // P itself over that Z.
    let mut last = Affine {
        x: A::multiply(&point.x, &z_squared),
        y: A::multiply(&point.y, &A::multiply(&z_squared, &z)),
    };
    let mut multiples = [*point; KEY_ENTRIES];
    let mut differences = [Fe::ONE; KEY_ENTRIES];
    let mut product = z;
    for (multiple, difference) in multiples.iter_mut().zip(&mut differences).skip(1) {
        let dx = two.x.subtract::<A>(&last.x);
        let dy = two.y.subtract::<A>(&last.y);
        let squared = A::square(&dx);
        let x = A::multiply(&last.x, &squared);
        two.x = A::multiply(&two.x, &squared);
        two.y = A::multiply(&two.y, &two.x.subtract::<A>(&x));
        last.x = A::square(&dy).subtract::<A>(&x).subtract::<A>(&two.x);
        last.y = A::multiply(&dy, &two.x.subtract::<A>(&last.x)).subtract::<A>(&two.y);
        product = A::multiply(&product, &dx);
        (*multiple, *difference) = (last, dx);
    }
    let mut inverse = product.invert_vartime::<A>();
    for (multiple, difference) in multiples.iter_mut().zip(&differences).skip(1).rev() {
        let Affine { x, y } = *multiple;
        *multiple = Jacobian { x, y, z: Fe::ONE }.scale::<A>(&inverse);
        inverse = A::multiply(&inverse, difference);
    }
    multiples
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
