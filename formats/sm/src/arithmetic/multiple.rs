//! A multiple of any point, for decryption and encryption: the scalar is secret, the point is not.
//!
//! k is made odd (k or n - k) and written with 52 digits d_i, odd, from -31 to 31, so that
//! k = Σ d_i 2^(5 i): the digits are 2 b_i - 31 where b_i are the 5-bit windows of
//! (k - 1) / 2 + 2^259. The highest is always 1. The table has the odd multiples up to 31.
//!
//! Why plain additions suffice but for the last: before digit i the sum is a = 32 A with A odd and
//! at least 1, so that a = ±d_i never holds for the integers. Mod n it could only hold where
//! a + |d_i| >= n, which for i >= 1 is far away; for i = 0, a - d_0 = n is possible (k = n + 2 d_0
//! with d_0 < 0): the sum is then the entry itself, and twice the sum is taken instead, without a
//! branch. a + d_0 = k is from 1 to n - 1.

use super::{
    Affine, Arithmetic, Fe, Scalar,
    point::{Jacobian, TableEntry, to_affine_all},
};
use zeroize::Zeroize as _;

const WINDOW_BITS: usize = 5;
const DIGITS: usize = 52;
const ENTRIES: usize = 1 << (WINDOW_BITS - 1);

/// k P for k from 1 to n - 1, in constant time as to k. P is public and on the curve.
pub(crate) fn multiple_of_point<A: Arithmetic>(point: &Affine, k: &Scalar) -> Affine {
    let entries = odd_multiples::<A>(point);
    let (mut odd, negated) = k.odd();
    let [k0, k1, k2, k3] = *odd.limbs();
    let mut windows = [
        k0 >> 1 | k1 << 63,
        k1 >> 1 | k2 << 63,
        k2 >> 1 | k3 << 63,
        k3 >> 1,
        1 << 3,
        0,
    ];
    let entry = |i: usize| {
        let bit = i * WINDOW_BITS;
        let (limb, shift) = (bit / 64, bit % 64);
        let window = (windows[limb] >> shift | (windows[limb + 1] << 1) << (63 - shift)) & 0x1f;
        let negative = (window >> 4).wrapping_sub(1);
        A::scan(&entries, (window ^ negative) & 0xf)
            .point()
            .negate_if(negative)
    };
    let mut sum = Jacobian::from_affine(point);
    for i in (1..DIGITS - 1).rev() {
        sum = times_32::<A>(&sum).add_distinct::<A>(&entry(i));
    }
    sum = add::<A>(&times_32::<A>(&sum), &entry(0));
    let result = sum.to_affine::<A>().negate_if(negated);
    odd.zeroize();
    windows.zeroize();
    sum.zeroize();
    result
}

fn times_32<A: Arithmetic>(point: &Jacobian) -> Jacobian {
    let mut sum = point.double::<A>();
    for _ in 1..WINDOW_BITS {
        sum = sum.double::<A>();
    }
    sum
}

/// P + Q for points that are not opposite; twice P when they are equal.
fn add<A: Arithmetic>(p: &Jacobian, q: &Affine) -> Jacobian {
    let (h, r) = p.differences::<A>(q);
    let equal = h.is_zero();
    let added = p.add_with_differences::<A>(&h, &r);
    let doubled = p.double::<A>();
    Jacobian {
        x: Fe::select(equal, &added.x, &doubled.x),
        y: Fe::select(equal, &added.y, &doubled.y),
        z: Fe::select(equal, &added.z, &doubled.z),
    }
}

/// 1, 3, 5, … 31 times P; no addition is exceptional, n being prime.
fn odd_multiples<A: Arithmetic>(point: &Affine) -> Vec<TableEntry> {
    let first = Jacobian::from_affine(point);
    let twice = first.double::<A>().to_affine::<A>();
    let mut multiples = vec![first];
    for i in 1..ENTRIES {
        multiples.push(multiples[i - 1].add_distinct::<A>(&twice));
    }
    to_affine_all::<A>(&multiples)
        .iter()
        .map(TableEntry::new)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::{Portable, multiple_of_g, point::G};

    /// n - 1 - small.
    fn near_n(small: u8) -> Scalar {
        let mut bytes = [0; 32];
        bytes[31] = small + 1;
        let below = Scalar::from_bytes(&bytes).unwrap();
        Scalar::default().subtract(&below)
    }

    fn small(value: u8) -> Scalar {
        let mut bytes = [0; 32];
        bytes[31] = value;
        Scalar::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn multiples_of_g_are_those_of_the_table_of_g() {
        let mut scalars: Vec<Scalar> = (1..=70).map(small).chain((0..70).map(near_n)).collect();
        let mut hash = crate::sm3(b"scalars");
        for _ in 0..50 {
            hash = crate::sm3(&hash);
            scalars.push(Scalar::reduce_bytes(&hash));
        }
        for k in scalars {
            let expected = multiple_of_g::<Portable>(&k);
            assert_eq!(multiple_of_point::<Portable>(&G, &k), expected, "{k:?}");
            #[cfg(target_arch = "x86_64")]
            if crate::arithmetic::adx_available() {
                let found = multiple_of_point::<crate::arithmetic::Adx>(&G, &k);
                assert_eq!(found, expected, "{k:?}");
            }
        }
    }
}
