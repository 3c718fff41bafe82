//! Numbers of four limbs: carries, selection without branches, bytes.

/// 256 bits, the least limb first.
pub(crate) type Limbs = [u64; 4];

/// All ones for `true`, zero for `false`.
///
/// The compiler may see through it and select with a conditional move, which is what we want; a
/// branch would be reported by the constant-time test on the release binary.
#[inline(always)]
pub(crate) fn mask(condition: bool) -> u64 {
    0_u64.wrapping_sub(u64::from(condition))
}

/// `b` where the mask is all ones, `a` where it is zero.
#[inline(always)]
pub(crate) fn select(mask: u64, a: &Limbs, b: &Limbs) -> Limbs {
    core::array::from_fn(|i| a[i] ^ (mask & (a[i] ^ b[i])))
}

/// All ones when the two are equal.
#[inline(always)]
pub(crate) fn equal(a: &Limbs, b: &Limbs) -> u64 {
    let difference = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);
    zero_word(difference)
}

/// All ones when all limbs are zero.
#[inline(always)]
pub(crate) fn is_zero(a: &Limbs) -> u64 {
    zero_word(a[0] | a[1] | a[2] | a[3])
}

/// All ones for zero: x | -x has its top bit set for every other x.
#[inline(always)]
fn zero_word(word: u64) -> u64 {
    core::hint::black_box(((word | word.wrapping_neg()) >> 63).wrapping_sub(1))
}

/// a + b and the carry.
#[inline(always)]
pub(crate) fn add(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (s0, c) = a[0].overflowing_add(b[0]);
    let (s1, c) = a[1].carrying_add(b[1], c);
    let (s2, c) = a[2].carrying_add(b[2], c);
    let (s3, c) = a[3].carrying_add(b[3], c);
    ([s0, s1, s2, s3], c)
}

/// a - b and the borrow.
#[inline(always)]
pub(crate) fn subtract(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (d0, c) = a[0].overflowing_sub(b[0]);
    let (d1, c) = a[1].borrowing_sub(b[1], c);
    let (d2, c) = a[2].borrowing_sub(b[2], c);
    let (d3, c) = a[3].borrowing_sub(b[3], c);
    ([d0, d1, d2, d3], c)
}

/// (carry 2^256 + a) mod m, for a value below 2 m.
#[inline(always)]
pub(crate) fn reduce_once(a: &Limbs, carry: bool, modulus: &Limbs) -> Limbs {
    let (reduced, borrow) = subtract(a, modulus);
    // Below m already when the subtraction borrows more than the carry gives.
    let (_, below) = u64::from(carry).borrowing_sub(0, borrow);
    select(mask(below), &reduced, a)
}

/// a + b mod m, both below m.
#[inline(always)]
pub(crate) fn add_mod(a: &Limbs, b: &Limbs, modulus: &Limbs) -> Limbs {
    let (sum, carry) = add(a, b);
    reduce_once(&sum, carry, modulus)
}

/// a - b mod m, both below m.
#[inline(always)]
pub(crate) fn subtract_mod(a: &Limbs, b: &Limbs, modulus: &Limbs) -> Limbs {
    let (difference, borrow) = subtract(a, b);
    let mask = mask(borrow);
    add(&difference, &modulus.map(|limb| limb & mask)).0
}

/// low + high 2^64.
#[inline(always)]
pub(crate) const fn wide(low: u64, high: u64) -> u128 {
    low as u128 | (high as u128) << 64
}

/// The limbs of low + high 2^128.
#[inline(always)]
pub(crate) const fn narrow(low: u128, high: u128) -> Limbs {
    [
        low as u64,
        (low >> 64) as u64,
        high as u64,
        (high >> 64) as u64,
    ]
}

/// The 512-bit product, row by row; a row's products are first added up among themselves, so
/// that the compiler finds two chains of carries and not one sum for each product.
#[inline(always)]
pub(crate) fn multiply(a: &Limbs, b: &Limbs) -> [u64; 8] {
    let row = |x: u64| {
        let (r0, h0) = x.carrying_mul(b[0], 0);
        let (l1, h1) = x.carrying_mul(b[1], 0);
        let (l2, h2) = x.carrying_mul(b[2], 0);
        let (l3, h3) = x.carrying_mul(b[3], 0);
        let (r1, c) = l1.overflowing_add(h0);
        let (r2, c) = l2.carrying_add(h1, c);
        let (r3, c) = l3.carrying_add(h2, c);
        [r0, r1, r2, r3, h3.wrapping_add(u64::from(c))]
    };
    let add = |t: Limbs, r: [u64; 5]| {
        let (t0, c) = t[0].overflowing_add(r[0]);
        let (t1, c) = t[1].carrying_add(r[1], c);
        let (t2, c) = t[2].carrying_add(r[2], c);
        let (t3, c) = t[3].carrying_add(r[3], c);
        // A row and what is above it so far are together below 2^320.
        [t0, t1, t2, t3, r[4].wrapping_add(u64::from(c))]
    };
    let [t0, t1, t2, t3, t4] = row(a[0]);
    let [t1, t2, t3, t4, t5] = add([t1, t2, t3, t4], row(a[1]));
    let [t2, t3, t4, t5, t6] = add([t2, t3, t4, t5], row(a[2]));
    let [t3, t4, t5, t6, t7] = add([t3, t4, t5, t6], row(a[3]));
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// The 512-bit square: each mixed product once, doubled, and the squares on the diagonal.
#[inline(always)]
pub(crate) fn square(a: &Limbs) -> [u64; 8] {
    let (t1, c) = a[0].carrying_mul(a[1], 0);
    let (t2, c) = a[0].carrying_mul(a[2], c);
    let (t3, t4) = a[0].carrying_mul(a[3], c);
    let (t3, c) = a[1].carrying_mul(a[2], t3);
    let (t4, t5) = a[1].carrying_mul_add(a[3], t4, c);
    let (t5, t6) = a[2].carrying_mul(a[3], t5);
    let mixed = [t1, t2, t3, t4, t5, t6];
    let doubled = [
        0,
        mixed[0] << 1,
        (mixed[1] << 1) | (mixed[0] >> 63),
        (mixed[2] << 1) | (mixed[1] >> 63),
        (mixed[3] << 1) | (mixed[2] >> 63),
        (mixed[4] << 1) | (mixed[3] >> 63),
        (mixed[5] << 1) | (mixed[4] >> 63),
        mixed[5] >> 63,
    ];
    let mut t = [0; 8];
    let mut carry = false;
    for i in 0..4 {
        let (low, high) = a[i].carrying_mul(a[i], 0);
        (t[2 * i], carry) = doubled[2 * i].carrying_add(low, carry);
        (t[2 * i + 1], carry) = doubled[2 * i + 1].carrying_add(high, carry);
    }
    t
}

/// From 32 bytes, big-endian.
pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = chunk
            .iter()
            .fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    }
    limbs
}

/// To 32 bytes, big-endian.
pub(crate) fn to_bytes(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (limb, chunk) in limbs.iter().rev().zip(bytes.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

/// 2 a mod m, while compiling.
pub(crate) const fn double_const(a: &Limbs, modulus: &Limbs) -> Limbs {
    let mut sum = [0; 4];
    let mut difference = [0; 4];
    let mut carry = 0;
    let mut borrow = false;
    let mut i = 0;
    while i < 4 {
        sum[i] = a[i] << 1 | carry;
        carry = a[i] >> 63;
        (difference[i], borrow) = borrowing_sub_const(sum[i], modulus[i], borrow);
        i += 1;
    }
    if carry == 1 || !borrow {
        difference
    } else {
        sum
    }
}

/// `u64::borrowing_sub`, which is not const yet.
pub(crate) const fn borrowing_sub_const(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(borrow as u64);
    (difference, first | second)
}
