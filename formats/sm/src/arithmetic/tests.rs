//! Both ways of doing the arithmetic against big integers, with inputs where carries happen.

use super::{
    batch::multiples_of_g,
    field::{Fe, P},
    generator::EXCEPTION,
    limbs::{self, Limbs},
    point::{G, Jacobian, TableEntry},
    scalar::N,
    vartime::{KeyTable, check_x_vartime, sum_prepared_vartime, sum_vartime},
    *,
};
use num_bigint::BigUint;
use proptest::prelude::*;

fn big(value: &Limbs) -> BigUint {
    BigUint::from_bytes_be(&limbs::to_bytes(value))
}

fn small(value: &BigUint) -> Limbs {
    let bytes = value.to_bytes_be();
    let mut padded = [0; 32];
    padded[32 - bytes.len()..].copy_from_slice(&bytes);
    limbs::from_bytes(&padded)
}

fn r_inverse(modulus: &BigUint) -> BigUint {
    (BigUint::from(1_u8) << 256_u32).modpow(&(modulus - 2_u8), modulus)
}

/// Words that make carries run: all zeros, all ones, and what lies beside the limbs of p and n.
fn edge_words() -> Vec<u64> {
    let mut words = vec![
        0,
        1,
        2,
        3,
        u64::MAX,
        u64::MAX - 1,
        1 << 32,
        (1 << 32) - 1,
        1 << 63,
    ];
    for limb in P.iter().chain(&N) {
        words.extend([
            limb.wrapping_sub(1),
            *limb,
            limb.wrapping_add(1),
            limb.wrapping_neg(),
        ]);
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// Numbers below `modulus` that are made of such words, and those next to 0 and to `modulus`.
fn edges(modulus: &Limbs) -> Vec<Limbs> {
    let modulus = big(modulus);
    let mut edges: Vec<Limbs> = (0..4_u8)
        .flat_map(|by| [small(&BigUint::from(by)), small(&(&modulus - 1_u8 - by))])
        .collect();
    for bit in [32_u32, 64, 96, 128, 160, 192, 224, 255] {
        let power = BigUint::from(1_u8) << bit;
        edges.extend([
            small(&(&power - 1_u8)),
            small(&power),
            small(&(&modulus - &power)),
        ]);
    }
    let words = edge_words();
    for (i, a) in words.iter().enumerate() {
        for (j, b) in words.iter().enumerate() {
            let value = [
                *a,
                *b,
                words[(i + j) % words.len()],
                words[(i * 7 + j) % words.len()],
            ];
            edges.push(small(&(big(&value) % &modulus)));
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn element(modulus: &'static Limbs) -> impl Strategy<Value = Limbs> {
    let below = move |value: Limbs| small(&(big(&value) % big(modulus)));
    let word = prop_oneof![any::<u64>(), prop::sample::select(edge_words())];
    prop::array::uniform4(word).prop_map(below)
}

/// One pair of inputs through every operation of the field, on one arithmetic.
fn check_field<A: Arithmetic>(a: &Limbs, b: &Limbs, p: &BigUint, r_inverse: &BigUint) {
    let (fa, fb) = (Fe(*a), Fe(*b));
    let (a, b) = (big(a), big(b));
    let check = |name: &str, found: Fe, expected: BigUint| {
        assert_eq!(big(&found.0), expected, "{name} of {fa:x?} and {fb:x?}");
    };
    check("product", A::multiply(&fa, &fb), &a * &b * r_inverse % p);
    check("square", A::square(&fa), &a * &a * r_inverse % p);
    check("sum", fa.add::<A>(&fb), (&a + &b) % p);
    check("difference", fa.subtract::<A>(&fb), (&a + p - &b) % p);
    check("double", fa.double::<A>(), (&a + &a) % p);
    check("half", fa.halve().double::<A>(), a.clone());
    if a != BigUint::ZERO {
        check("negative", fa.negate_nonzero_if(u64::MAX), p - &a);
    }
    assert_eq!(fa.equal(&fb) != 0, a == b);
    assert_eq!(fa.is_zero() != 0, a == BigUint::ZERO);
    assert_eq!(big(&fa.to_canonical::<A>()), &a * r_inverse % p);
}

/// What an arithmetic does not reduce, and what it makes of that.
fn check_factors<A: Arithmetic>(a: &Limbs, b: &Limbs, p: &BigUint, r_inverse: &BigUint) {
    let (fa, fb) = (Fe(*a), Fe(*b));
    let (a, b) = (big(a), big(b));
    let square = A::square_unreduced(&fb);
    let expected = &b * &b * r_inverse % p;
    assert_eq!(big(&square.0.0) % p, expected, "{b:x} squared");
    let product = &a * expected * r_inverse % p;
    let found = A::multiply_by(&fa, &square);
    assert_eq!(big(&found.0), product, "{a:x} by the square of {b:x}");
    let found = A::multiply_unreduced(&fa, &square);
    assert_eq!(
        big(&found.0.0) % p,
        product,
        "{a:x} by the square of {b:x}, unreduced"
    );
}

/// The portable code takes any four limbs for a factor.
fn check_portable_factor(a: &Limbs, factor: &Limbs, p: &BigUint, r_inverse: &BigUint) {
    let product = big(a) * big(factor) * r_inverse % p;
    let found = Portable::multiply_by(&Fe(*a), &Unreduced(Fe(*factor)));
    assert_eq!(big(&found.0), product, "{a:x?} by {factor:x?}");
    let found = Portable::multiply_unreduced(&Fe(*a), &Unreduced(Fe(*factor)));
    assert_eq!(
        big(&found.0.0) % p,
        product,
        "{a:x?} by {factor:x?}, unreduced"
    );
}

/// Runs `$check` on every arithmetic that this machine has.
macro_rules! on_every_path {
    ($check:ident($($argument:expr),*)) => {
        $check::<Portable>($($argument),*);
        #[cfg(target_arch = "x86_64")]
        if path::adx_available() {
            $check::<Adx>($($argument),*);
        }
    };
}

#[test]
fn the_field_agrees_with_big_integers_where_carries_happen() {
    let (p, edges) = (big(&P), edges(&P));
    let r_inverse = r_inverse(&p);
    for (i, a) in edges.iter().enumerate() {
        for offset in [0, 1, 7, 100, 333, 500] {
            let b = &edges[(i * 31 + offset) % edges.len()];
            on_every_path!(check_field(a, b, &p, &r_inverse));
        }
    }
}

#[test]
fn factors_need_not_be_below_p_where_carries_happen() {
    let (p, edges) = (big(&P), edges(&P));
    let r_inverse = r_inverse(&p);
    // Those that are p or more, and p more than a few below it.
    let words = edge_words();
    let top = words.iter().map(|word| [*word, words[0], *word, u64::MAX]);
    let beyond: Vec<Limbs> = top
        .chain((0..3).map(|by| limbs::add(&P, &[by, 0, 0, 0]).0))
        .chain([[u64::MAX; 4], [0, 0, 0, u64::MAX]])
        .collect();
    for (i, a) in edges.iter().enumerate() {
        for offset in [0, 5, 17] {
            let b = &beyond[(i * 3 + offset) % beyond.len()];
            check_portable_factor(a, b, &p, &r_inverse);
            let b = &edges[(i * 31 + offset) % edges.len()];
            on_every_path!(check_factors(a, b, &p, &r_inverse));
        }
    }
    for b in &beyond {
        check_portable_factor(&small(&(&p - 1_u8)), b, &p, &r_inverse);
    }
}

#[test]
fn the_two_paths_agree_on_every_pair_of_edges() {
    #[cfg(target_arch = "x86_64")]
    if path::adx_available() {
        let edges = edges(&P);
        for a in edges.iter().map(|a| Fe(*a)) {
            assert_eq!(Portable::square(&a), Adx::square(&a), "{a:x?}");
            for b in edges.iter().map(|b| Fe(*b)) {
                let found = [
                    Adx::multiply(&a, &b),
                    Adx::add(&a, &b),
                    Adx::subtract(&a, &b),
                ];
                let expected = [
                    Portable::multiply(&a, &b),
                    Portable::add(&a, &b),
                    Portable::subtract(&a, &b),
                ];
                assert_eq!(found, expected, "{a:x?} {b:x?}");
            }
        }
        return;
    }
    eprintln!("SKIPPED: this processor has no BMI2, ADX and AVX2");
}

#[test]
fn inverses_agree_with_big_integers() {
    let (p, n) = (big(&P), big(&N));
    for a in edges(&P).iter().step_by(17) {
        let inverse = Fe(*a).invert::<Portable>();
        let one = if Fe(*a).is_zero() != 0 {
            Fe::ZERO
        } else {
            Fe::ONE
        };
        assert_eq!(Portable::multiply(&Fe(*a), &inverse), one, "{a:x?} mod p");
        assert!(big(&inverse.0) < p);
    }
    for a in edges(&N).iter().step_by(17) {
        let inverse = Scalar::from_limbs(*a).unwrap().invert();
        let product = big(Scalar::from_limbs(*a).unwrap().multiply(&inverse).limbs());
        let one = BigUint::from(u8::from(big(a) != BigUint::ZERO));
        assert_eq!(product, one % &n, "{a:x?} mod n");
    }
}

fn check_scalar(a: &Limbs, b: &Limbs, n: &BigUint) {
    let (sa, sb) = (
        Scalar::from_limbs(*a).unwrap(),
        Scalar::from_limbs(*b).unwrap(),
    );
    let (a, b) = (big(a), big(b));
    assert_eq!(
        big(sa.multiply(&sb.to_factor()).limbs()),
        &a * &b % n,
        "{sa:x?} {sb:x?}"
    );
    assert_eq!(big(sa.add(&sb).limbs()), (&a + &b) % n);
    assert_eq!(big(sa.subtract(&sb).limbs()), (&a + n - &b) % n);
}

#[test]
fn scalars_agree_with_big_integers_where_carries_happen() {
    let (n, edges) = (big(&N), edges(&N));
    for (i, a) in edges.iter().enumerate() {
        for offset in [0, 1, 7, 100, 333, 500] {
            check_scalar(a, &edges[(i * 31 + offset) % edges.len()], &n);
        }
    }
    for a in edges.iter().chain(&[N, P, [u64::MAX; 4]]) {
        assert_eq!(big(Scalar::reduce(a).limbs()), big(a) % &n);
        assert_eq!(Scalar::from_limbs(*a).is_some(), big(a) < n);
        assert_eq!(
            Fe::from_canonical::<Portable>(a).is_some(),
            big(a) < big(&P)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_field_agrees_with_big_integers(a in element(&P), b in element(&P)) {
        let p = big(&P);
        let r_inverse = r_inverse(&p);
        on_every_path!(check_field(&a, &b, &p, &r_inverse));
    }

    #[test]
    fn factors_need_not_be_below_p(a in element(&P), b in prop::array::uniform4(any::<u64>())) {
        let p = big(&P);
        let r_inverse = r_inverse(&p);
        check_portable_factor(&a, &b, &p, &r_inverse);
        // Most random numbers are below p; few are above it.
        let beyond = [b[0], b[1], b[2], b[3] | 0xffff_ffff_0000_0000];
        check_portable_factor(&a, &beyond, &p, &r_inverse);
        let b = small(&(big(&b) % &p));
        on_every_path!(check_factors(&a, &b, &p, &r_inverse));
    }

    #[test]
    fn scalars_agree_with_big_integers(a in element(&N), b in element(&N)) {
        check_scalar(&a, &b, &big(&N));
    }

    #[test]
    fn an_inverse_times_its_number_is_one(a in element(&P), b in element(&N)) {
        if a != [0; 4] {
            let inverse = Fe(a).invert::<Portable>();
            prop_assert_eq!(Portable::multiply(&Fe(a), &inverse), Fe::ONE);
        }
        if b != [0; 4] {
            let b = Scalar::from_limbs(b).unwrap();
            prop_assert_eq!(b.multiply(&b.invert()), Scalar::ONE);
        }
    }
}

/// k G by doubling and adding with the complete addition, bit by bit.
fn slow_multiple(k: &Scalar, point: &Affine) -> Jacobian {
    let mut sum = Jacobian::INFINITY;
    for limb in k.limbs().iter().rev() {
        for bit in (0..64).rev() {
            sum = sum.double::<Portable>();
            if limb >> bit & 1 == 1 {
                sum = sum.add_vartime::<Portable>(point);
            }
        }
    }
    sum
}

fn scalar(value: &BigUint) -> Scalar {
    Scalar::from_limbs(small(value)).unwrap()
}

/// Small ones, those near n, the exceptional pairs and their neighbours, and single bits.
fn edge_scalars() -> Vec<Scalar> {
    let n = big(&N);
    let exceptions = [
        (BigUint::from(30_u8) << 252_u32) - &n,
        (BigUint::from(255_u8) << 249_u32) - &n,
    ];
    assert_eq!(exceptions[0], big(EXCEPTION.limbs()));
    assert_eq!(exceptions[1], big(batch::EXCEPTION.limbs()));
    let mut values: Vec<BigUint> = (1..=20_u8)
        .flat_map(|by| [BigUint::from(by), &n - by])
        .collect();
    for (exception, by) in exceptions
        .iter()
        .flat_map(|one| (0..4_u8).map(move |by| (one, by)))
    {
        values.extend([
            exception + by,
            exception - by,
            &n - exception + by,
            &n - exception - by,
        ]);
    }
    let digits = (6_u32..256).step_by(7).chain((7..256).step_by(8));
    for bit in digits.chain([252, 253, 254, 255]) {
        let power = BigUint::from(1_u8) << bit;
        values.extend([&power - 1_u8, power.clone(), &power + 1_u8, &n - &power]);
    }
    values.push((&n - 1_u8) / 2_u8);
    values.push((&n + 1_u8) / 2_u8);
    values.iter().map(scalar).collect()
}

fn check_multiples<A: Arithmetic>(scalars: &[Scalar]) {
    let batch: Vec<_> = scalars
        .chunks(BATCH)
        .flat_map(multiples_of_g::<A>)
        .collect();
    for (k, in_batch) in scalars.iter().zip(&batch) {
        let expected = slow_multiple(k, &G).to_affine::<Portable>();
        assert_eq!(multiple_of_g::<A>(k), expected, "{k:x?}");
        assert_eq!(in_batch.point, expected, "{k:x?} in a batch");
        assert_ne!(in_batch.on_curve, 0);
    }
}

#[test]
fn multiples_of_g_are_right_alone_and_in_batches_at_the_edges_too() {
    on_every_path!(check_multiples(&edge_scalars()));
}

fn check_sums<A: Arithmetic>(scalars: &[Scalar]) {
    let seven = Scalar::from_limbs([7, 0, 0, 0]).unwrap();
    for key in [
        G,
        multiple_of_g::<Portable>(&seven),
        multiple_of_g::<Portable>(&EXCEPTION),
    ] {
        let table = KeyTable::new::<A>(&key);
        for (i, s) in scalars.iter().enumerate() {
            let t = &scalars[(i * 5 + 3) % scalars.len()];
            let expected = slow_multiple(t, &key).to_affine::<Portable>();
            let expected = slow_multiple(s, &G).add_vartime::<Portable>(&expected);
            let x = expected
                .to_affine::<Portable>()
                .x
                .to_canonical::<Portable>();
            let infinite = expected.z.is_zero() != 0;
            for sum in [
                sum_vartime::<A>(s, &key, t),
                sum_prepared_vartime::<A>(s, &table, t),
            ] {
                assert_eq!(sum.z.is_zero() != 0, infinite, "{s:x?} {t:x?}");
                assert_eq!(check_x_vartime::<A>(&sum, &Scalar::reduce(&x)), !infinite);
                if !infinite {
                    assert_eq!(sum.to_affine::<A>(), expected.to_affine::<Portable>());
                }
            }
        }
        // s G + t P with opposite, equal and doubled points.
        for (s, t) in [(1_u64, 1_u64), (7, 1), (14, 2), (14, 1), (7, 3)] {
            let s = Scalar::from_limbs([s, 0, 0, 0]).unwrap();
            let t = Scalar::from_limbs([t, 0, 0, 0]).unwrap();
            for s in [s, Scalar::default().subtract(&s)] {
                let sum = sum_vartime::<A>(&s, &key, &t);
                let prepared = sum_prepared_vartime::<A>(&s, &table, &t);
                let expected = slow_multiple(&t, &key).to_affine::<Portable>();
                let expected = slow_multiple(&s, &G).add_vartime::<Portable>(&expected);
                assert_eq!(sum.to_affine::<A>(), expected.to_affine::<A>());
                assert_eq!(prepared.to_affine::<A>(), expected.to_affine::<A>());
            }
        }
    }
}

#[test]
fn sums_for_verification_are_right_at_the_edges_too() {
    on_every_path!(check_sums(&edge_scalars()));
}

fn check_scan<A: Arithmetic>() {
    let entries: Vec<TableEntry> = (0..64).map(|i| TableEntry([i + 1; 8])).collect();
    for length in [8, 64] {
        for index in 0..80 {
            let expected = if index < length { index + 1 } else { 0 };
            let found = A::scan(&entries[..usize::try_from(length).unwrap()], index);
            assert_eq!(found.0, [expected; 8]);
        }
    }
}

#[test]
fn a_scan_finds_each_entry_and_nothing_beyond() {
    on_every_path!(check_scan());
}

#[test]
fn x_of_a_point_is_compared_mod_n() {
    // x from n to p - 1 stands for x - n as well: both spellings must be taken.
    let n = big(&N);
    let mut found = 0;
    for above in 0..40_u8 {
        let x = Fe::from_canonical::<Portable>(&small(&(&n + above))).unwrap();
        let point = Jacobian {
            x,
            y: Fe::ONE,
            z: Fe::ONE,
        };
        let wanted = scalar(&BigUint::from(above));
        assert!(check_x_vartime::<Portable>(&point, &wanted));
        assert!(!check_x_vartime::<Portable>(
            &point,
            &wanted.add(&Scalar::ONE)
        ));
        found += 1;
    }
    assert_eq!(found, 40);
    assert!(!check_x_vartime::<Portable>(
        &Jacobian::INFINITY,
        &Scalar::ONE
    ));
}
