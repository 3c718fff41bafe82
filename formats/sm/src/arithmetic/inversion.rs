//! Inversion modulo an odd number of 256 bits in constant time, by division steps.
//!
//! Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (2019), in the
//! half-delta variant, for which 590 steps suffice with 256-bit inputs. Each step looks at the
//! lowest bit of g and at the sign of a counter; 59 steps are done on single words and give a
//! matrix, which is then applied to the long numbers, ten times over.

use super::limbs::Limbs;
use core::hint::black_box;

/// Five limbs of 62 bits, the last with the sign.
type Signed = [i64; 5];

const LOW: u64 = u64::MAX >> 2;
const STEPS: u32 = 59;
const ROUNDS: u32 = 10;

/// A modulus, prepared.
pub(super) struct Modulus {
    limbs: Signed,
    /// 1 / modulus mod 2^62.
    inverse: u64,
}

impl Modulus {
    pub(super) const fn new(modulus: &Limbs) -> Self {
        // Newton: an odd m is its own inverse mod 8, and each turn doubles the bits.
        let mut inverse = modulus[0];
        let mut i = 0;
        while i < 5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(modulus[0].wrapping_mul(inverse)));
            i += 1;
        }
        Self {
            limbs: to_signed(modulus),
            inverse: inverse & LOW,
        }
    }
}

/// 2^62 times the map from (f, g) to what 59 division steps make of it.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 1 / value mod modulus, and zero for zero, in a time that depends on the value.
///
/// A stretch of steps with even g is one shift, and with a small table of inverses up to six odd
/// steps are one multiplication, as in libsecp256k1's description of the method.
pub(super) fn invert_vartime(value: &Limbs, modulus: &Modulus) -> Limbs {
    let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
    let (mut f, mut g) = (modulus.limbs, to_signed(value));
    let mut eta = -1;
    while g != [0; 5] {
        let matrix = division_steps_vartime(&mut eta, f[0].cast_unsigned(), g[0].cast_unsigned());
        apply_modular(&mut d, &mut e, &matrix, modulus);
        apply(&mut f, &mut g, &matrix);
    }
    to_limbs(&normalize(d, f[4] >> 63, modulus))
}

/// 1 / value mod modulus, and zero for zero; in constant time.
pub(super) fn invert(value: &Limbs, modulus: &Modulus) -> Limbs {
    let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
    let (mut f, mut g) = (modulus.limbs, to_signed(value));
    let mut zeta = -1;
    for _ in 0..ROUNDS {
        let matrix = division_steps(&mut zeta, f[0].cast_unsigned(), g[0].cast_unsigned());
        apply_modular(&mut d, &mut e, &matrix, modulus);
        apply(&mut f, &mut g, &matrix);
    }
    // Now g = 0, f = ±1 and d = ±1 / value, above -2 m and below m.
    let d = normalize(d, f[4] >> 63, modulus);
    let result = to_limbs(&d);
    zeroize::Zeroize::zeroize(&mut g);
    result
}

const fn to_signed(limbs: &Limbs) -> Signed {
    [
        (limbs[0] & LOW).cast_signed(),
        ((limbs[0] >> 62 | limbs[1] << 2) & LOW).cast_signed(),
        ((limbs[1] >> 60 | limbs[2] << 4) & LOW).cast_signed(),
        ((limbs[2] >> 58 | limbs[3] << 6) & LOW).cast_signed(),
        (limbs[3] >> 56).cast_signed(),
    ]
}

/// From 0 to m - 1.
fn to_limbs(value: &Signed) -> Limbs {
    let limb = |i: usize| value[i].cast_unsigned();
    [
        limb(0) | limb(1) << 62,
        limb(1) >> 2 | limb(2) << 60,
        limb(2) >> 4 | limb(3) << 58,
        limb(3) >> 6 | limb(4) << 56,
    ]
}

/// 62 steps on the lowest words, with eta = -delta and delta 1 at the start.
///
/// A step: when delta > 0 and g is odd, (f, g) becomes (g, (g - f) / 2) and delta 1 - delta;
/// otherwise g becomes (g + (g mod 2) f) / 2 and delta 1 + delta.
fn division_steps_vartime(eta: &mut i64, mut f: u64, mut g: u64) -> Matrix {
    let (mut u, mut v, mut q, mut r) = (1_u64, 0_u64, 0_u64, 1_u64);
    let mut left = 62;
    loop {
        // The bits above keep the count within what is left.
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            break;
        }
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // No more bits of g than steps are left, or until eta changes its sign again; six at
        // most, because f (f^2 - 2) is -1 / f mod 2^6 for odd f.
        let bits = (*eta + 1).min(i64::from(left)).min(6);
        let times = f
            .wrapping_mul(g)
            .wrapping_mul(f.wrapping_mul(f).wrapping_sub(2))
            & !(u64::MAX << bits);
        g = g.wrapping_add(f.wrapping_mul(times));
        q = q.wrapping_add(u.wrapping_mul(times));
        r = r.wrapping_add(v.wrapping_mul(times));
    }
    Matrix {
        u: u.cast_signed(),
        v: v.cast_signed(),
        q: q.cast_signed(),
        r: r.cast_signed(),
    }
}

/// 59 steps on the lowest words.
#[inline(always)]
fn division_steps(zeta: &mut i64, mut f: u64, mut g: u64) -> Matrix {
    let [[u1, v1], [q1, r1]] = steps::<30>(zeta, &mut f, &mut g);
    let [[u2, v2], [q2, r2]] = steps::<{ STEPS - 30 }>(zeta, &mut f, &mut g);
    // 2^3 makes 62 bits out of 59 steps, so that limbs move by whole places.
    Matrix {
        u: (u2 * u1 + v2 * q1) << 3,
        v: (u2 * v1 + v2 * r1) << 3,
        q: (q2 * u1 + r2 * q1) << 3,
        r: (q2 * v1 + r2 * r1) << 3,
    }
}

/// `N` steps on the lowest words, and the two rows of 2^N times their matrix.
///
/// A step, with zeta = -(delta + 1/2): when delta > 0 and g is odd, (f, g) becomes
/// (g, (g - f) / 2) and delta 1 - delta; otherwise g becomes (g + (g mod 2) f) / 2 and delta
/// 1 + delta. Doubling the row of f stands for halving g.
///
/// The two numbers of a row go the same way, so they share a word: the second is 2^32 times itself
/// there. Up to 30 steps neither is above 2^30, nor below its opposite.
#[inline(always)]
fn steps<const N: u32>(zeta: &mut i64, f: &mut u64, g: &mut u64) -> [[i64; 2]; 2] {
    const { assert!(N <= 30) };
    let (mut row_f, mut row_g) = (1_u64, 1_u64 << 32);
    for _ in 0..N {
        let turn = (*zeta >> 63).cast_unsigned();
        let odd = 0_u64.wrapping_sub(*g & 1);
        // ±f and its row, or nothing.
        *g = g.wrapping_add((*f ^ turn).wrapping_sub(turn) & odd);
        row_g = row_g.wrapping_add((row_f ^ turn).wrapping_sub(turn) & odd);
        let swap = turn & odd;
        *zeta = (*zeta ^ swap.cast_signed()).wrapping_sub(1);
        // f + (g - f) is the old g.
        *f = f.wrapping_add(*g & swap);
        row_f = row_f.wrapping_add(row_g & swap) << 1;
        *g >>= 1;
    }
    [row_f, row_g].map(|row| {
        let first = i64::from(row as i32);
        [first, row.cast_signed().wrapping_sub(first) >> 32]
    })
}

/// (f, g) becomes matrix (f, g) / 2^62, which is exact.
#[inline(always)]
fn apply(f: &mut Signed, g: &mut Signed, matrix: &Matrix) {
    let Matrix { u, v, q, r } = *matrix;
    let mut carry_f = product(u, f[0]) + product(v, g[0]);
    let mut carry_g = product(q, f[0]) + product(r, g[0]);
    for i in 1..5 {
        carry_f = (carry_f >> 62) + product(u, f[i]) + product(v, g[i]);
        carry_g = (carry_g >> 62) + product(q, f[i]) + product(r, g[i]);
        f[i - 1] = low(carry_f);
        g[i - 1] = low(carry_g);
    }
    f[4] = (carry_f >> 62) as i64;
    g[4] = (carry_g >> 62) as i64;
}

/// (d, e) becomes matrix (d, e) / 2^62 mod the modulus, each above -2 m and below m.
#[inline(always)]
fn apply_modular(d: &mut Signed, e: &mut Signed, matrix: &Matrix, modulus: &Modulus) {
    let Matrix { u, v, q, r } = *matrix;
    let (negative_d, negative_e) = (black_box(d[4] >> 63), black_box(e[4] >> 63));
    // As many times the modulus as brings negative inputs above zero, …
    let times_d = (u & negative_d) + (v & negative_e);
    let times_e = (q & negative_d) + (r & negative_e);
    let mut carry_d = product(u, d[0]) + product(v, e[0]);
    let mut carry_e = product(q, d[0]) + product(r, e[0]);
    // … and as many more as clear the lowest 62 bits.
    let clear = |carry: i128, times: i64| {
        let wanted = (carry as u64)
            .wrapping_mul(modulus.inverse)
            .wrapping_add(times.cast_unsigned());
        times - (wanted & LOW).cast_signed()
    };
    let times_d = clear(carry_d, times_d);
    let times_e = clear(carry_e, times_e);
    carry_d += product(times_d, modulus.limbs[0]);
    carry_e += product(times_e, modulus.limbs[0]);
    for i in 1..5 {
        carry_d = (carry_d >> 62)
            + product(u, d[i])
            + product(v, e[i])
            + product(times_d, modulus.limbs[i]);
        carry_e = (carry_e >> 62)
            + product(q, d[i])
            + product(r, e[i])
            + product(times_e, modulus.limbs[i]);
        d[i - 1] = low(carry_d);
        e[i - 1] = low(carry_e);
    }
    d[4] = (carry_d >> 62) as i64;
    e[4] = (carry_e >> 62) as i64;
}

#[inline(always)]
fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

#[inline(always)]
fn low(carry: i128) -> i64 {
    (carry as u64 & LOW).cast_signed()
}

/// The value, negated where `sign` is -1, from 0 to m - 1.
fn normalize(mut value: Signed, sign: i64, modulus: &Modulus) -> Signed {
    let add_if_negative = |value: &mut Signed| {
        // Without the wall the compiler makes a branch of this, as valgrind found.
        let negative = black_box(value[4] >> 63);
        for (limb, m) in value.iter_mut().zip(&modulus.limbs) {
            *limb += m & negative;
        }
    };
    let carry = |value: &mut Signed| {
        for i in 0..4 {
            value[i + 1] += value[i] >> 62;
            value[i] &= LOW.cast_signed();
        }
    };
    add_if_negative(&mut value);
    for limb in &mut value {
        *limb = (*limb ^ sign) - sign;
    }
    carry(&mut value);
    add_if_negative(&mut value);
    carry(&mut value);
    value
}
