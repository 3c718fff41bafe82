//! SM3 with vector registers: one stream whose message expansion runs beside the rounds, and
//! eight streams side by side.
//!
//! The twins are in `portable`; the tests run both on the same inputs. These functions run only
//! after `arithmetic::path` has seen the processor's feature bits.
#![expect(
    unsafe_code,
    reason = "vector registers are loaded and stored through pointers"
)]

use super::{
    State,
    portable::{four_rounds, p0, round},
    rounds::round_constants,
};
use core::arch::{asm, x86_64::*};

const T: [u32; 64] = round_constants();

/// Rotation of each 32-bit lane; AVX2 has shifts only.
macro_rules! rotate {
    (128, $x:expr, $by:literal) => {{
        let x = $x;
        _mm_or_si128(_mm_slli_epi32::<$by>(x), _mm_srli_epi32::<{ 32 - $by }>(x))
    }};
    (256, $x:expr, $by:literal) => {{
        let x = $x;
        _mm256_or_si256(
            _mm256_slli_epi32::<$by>(x),
            _mm256_srli_epi32::<{ 32 - $by }>(x),
        )
    }};
}

/// Takes in whole blocks of one stream.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn compress(state: &mut State, blocks: &[[u8; 64]]) {
    let swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    for block in blocks {
        let load = |at: usize| {
            // SAFETY: 16 of the block's 64 bytes; `loadu` asks for no alignment.
            let words = unsafe { _mm_loadu_si128(block.as_ptr().cast::<__m128i>().add(at)) };
            _mm_shuffle_epi8(words, swap)
        };
        // W of the next sixteen rounds, four in each register.
        let (mut w0, mut w1, mut w2, mut w3) = (load(0), load(1), load(2), load(3));
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
        let mut w = [0_u32; 4];
        let mut primes = [0_u32; 4];
        // Four rounds with W and W' = W_j ^ W_{j+4}, while the next four words are computed.
        macro_rules! step {
            ($j:expr, $kind:ident) => {
                // SAFETY: 16 bytes each; the text does nothing. For all the compiler knows it
                // reads and writes the memory: otherwise it takes the words out of the vector
                // registers one by one, which costs more than adding them from memory.
                unsafe {
                    _mm_storeu_si128(w.as_mut_ptr().cast(), w0);
                    _mm_storeu_si128(primes.as_mut_ptr().cast(), _mm_xor_si128(w0, w1));
                    asm!(
                        "/* {0} {1} */",
                        in(reg) w.as_mut_ptr(),
                        in(reg) primes.as_mut_ptr(),
                        options(nostack, preserves_flags),
                    );
                }
                let next = expand(w0, w1, w2, w3);
                let at = |j: usize| w[j & 3];
                let prime = |j: usize| primes[j & 3];
                four_rounds!($j, [a b c d e f g h], at, prime, $kind);
                (w0, w1, w2, w3) = (w1, w2, w3, next);
                // The last round leaves words that nobody reads.
                let _ = (w0, w1, w2, w3);
            };
        }
        step!(0, early);
        step!(4, early);
        step!(8, early);
        step!(12, early);
        step!(16, late);
        step!(20, late);
        step!(24, late);
        step!(28, late);
        step!(32, late);
        step!(36, late);
        step!(40, late);
        step!(44, late);
        step!(48, late);
        step!(52, late);
        step!(56, late);
        step!(60, late);
        for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word ^= new;
        }
    }
}

/// x + T_J, not to be reordered: the compiler would add the constant last, behind the word that
/// everything waits for.
#[inline(always)]
fn add_constant<const J: usize>(mut x: u32) -> u32 {
    // SAFETY: one addition in a register.
    unsafe {
        asm!(
            "add {x:e}, {t}",
            x = inout(reg) x,
            t = const T[J].cast_signed(),
            options(pure, nomem, nostack),
        );
    }
    x
}

/// The next four words of W from sixteen.
///
/// The last of the four needs the first; P1 is linear, so that its share is added afterwards:
/// P1(x <<< 15) = (x <<< 15) ^ (x <<< 30) ^ (x <<< 6).
#[inline]
#[target_feature(enable = "avx2")]
fn expand(w0: __m128i, w1: __m128i, w2: __m128i, w3: __m128i) -> __m128i {
    // W_{j-9}, W_{j-3} (three of them), W_{j-13}, W_{j-6}.
    let nine = _mm_alignr_epi8::<12>(w2, w1);
    let three = _mm_srli_si128::<4>(w3);
    let thirteen = _mm_alignr_epi8::<12>(w1, w0);
    let six = _mm_alignr_epi8::<8>(w3, w2);
    let x = _mm_xor_si128(_mm_xor_si128(w0, nine), rotate!(128, three, 15));
    let p1 = _mm_xor_si128(x, _mm_xor_si128(rotate!(128, x, 15), rotate!(128, x, 23)));
    let rest = _mm_xor_si128(rotate!(128, thirteen, 7), six);
    let words = _mm_xor_si128(p1, rest);
    let first = _mm_slli_si128::<12>(words);
    let share = _mm_xor_si128(
        rotate!(128, first, 15),
        _mm_xor_si128(rotate!(128, first, 30), rotate!(128, first, 6)),
    );
    _mm_xor_si128(words, share)
}

/// Takes in as many whole blocks of each of eight streams as the shortest has.
#[target_feature(enable = "avx2")]
pub(super) fn compress_eight(states: &mut [State; 8], streams: &[&[[u8; 64]]; 8]) {
    let count = streams.iter().map(|stream| stream.len()).min().unwrap_or(0);
    let mut v = transpose(core::array::from_fn(|lane| {
        // SAFETY: a state is 32 bytes; `loadu` asks for no alignment.
        unsafe { _mm256_loadu_si256(states[lane].as_ptr().cast()) }
    }));
    let swap = _mm256_broadcastsi128_si256(_mm_set_epi8(
        12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3,
    ));
    let mut w = [_mm256_setzero_si256(); 68];
    let blocks = |block: usize| streams.map(|stream| &stream[block]);
    for blocks in (0..count).map(blocks) {
        for half in 0..2 {
            let words = transpose(core::array::from_fn(|lane| {
                let bytes = blocks[lane].as_ptr().cast::<__m256i>();
                // SAFETY: 32 of a block's 64 bytes; `loadu` asks for no alignment.
                let words = unsafe { _mm256_loadu_si256(bytes.add(half)) };
                _mm256_shuffle_epi8(words, swap)
            }));
            w[8 * half..8 * half + 8].copy_from_slice(&words);
        }
        v = rounds_of_eight(v, &mut w);
    }
    for (state, words) in states.iter_mut().zip(transpose(v)) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_si256(state.as_mut_ptr().cast(), words) };
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn rounds_of_eight(v: [__m256i; 8], w: &mut [__m256i; 68]) -> [__m256i; 8] {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
        _mm256_xor_si256(a, _mm256_xor_si256(b, c))
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = v;
    macro_rules! round_of_eight {
        ($j:expr, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
         $kind:ident) => {
            let j = $j;
            // W_{j+4}, from round 12 on.
            if j >= 12 {
                let x = xor3(w[j - 12], w[j - 5], rotate!(256, w[j + 1], 15));
                let p1 = xor3(x, rotate!(256, x, 15), rotate!(256, x, 23));
                w[j + 4] = xor3(p1, rotate!(256, w[j - 9], 7), w[j - 2]);
            }
            let a12 = rotate!(256, $a, 12);
            let t = _mm256_set1_epi32(T[j].cast_signed());
            let ss1 = rotate!(256, _mm256_add_epi32(_mm256_add_epi32(a12, t), $e), 7);
            let ss2 = _mm256_xor_si256(ss1, a12);
            let (ff, gg) = round_of_eight!(@ $kind, $a $b $c $e $f $g);
            let tt1 = _mm256_add_epi32(
                _mm256_add_epi32($d, _mm256_xor_si256(w[j], w[j + 4])),
                _mm256_add_epi32(ff, ss2),
            );
            let tt2 = _mm256_add_epi32(_mm256_add_epi32($h, w[j]), _mm256_add_epi32(gg, ss1));
            $d = tt1;
            $h = xor3(tt2, rotate!(256, tt2, 9), rotate!(256, tt2, 17));
            $b = rotate!(256, $b, 9);
            $f = rotate!(256, $f, 19);
        };
        (@ early, $a:ident $b:ident $c:ident $e:ident $f:ident $g:ident) => {
            (xor3($a, $b, $c), xor3($e, $f, $g))
        };
        (@ late, $a:ident $b:ident $c:ident $e:ident $f:ident $g:ident) => {
            (
                // The majority: a and b, or c where they differ.
                _mm256_xor_si256(
                    _mm256_and_si256(_mm256_xor_si256($a, $b), _mm256_xor_si256($a, $c)),
                    $a,
                ),
                _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256($f, $g), $e), $g),
            )
        };
    }
    macro_rules! four_of_eight {
        ($j:expr, $kind:ident) => {
            round_of_eight!($j, a b c d e f g h, $kind);
            round_of_eight!($j + 1, d a b c h e f g, $kind);
            round_of_eight!($j + 2, c d a b g h e f, $kind);
            round_of_eight!($j + 3, b c d a f g h e, $kind);
        };
    }
    let mut at = 0;
    while at < 16 {
        four_of_eight!(at, early);
        at += 4;
    }
    while at < 64 {
        four_of_eight!(at, late);
        at += 4;
    }
    let new = [a, b, c, d, e, f, g, h];
    core::array::from_fn(|i| _mm256_xor_si256(v[i], new[i]))
}

/// Eight words of eight streams: rows become columns.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(rows: [__m256i; 8]) -> [__m256i; 8] {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
    let low = |a, b| _mm256_unpacklo_epi32(a, b);
    let high = |a, b| _mm256_unpackhi_epi32(a, b);
    let pairs = [
        low(r0, r1),
        high(r0, r1),
        low(r2, r3),
        high(r2, r3),
        low(r4, r5),
        high(r4, r5),
        low(r6, r7),
        high(r6, r7),
    ];
    let quads = [
        _mm256_unpacklo_epi64(pairs[0], pairs[2]),
        _mm256_unpackhi_epi64(pairs[0], pairs[2]),
        _mm256_unpacklo_epi64(pairs[1], pairs[3]),
        _mm256_unpackhi_epi64(pairs[1], pairs[3]),
        _mm256_unpacklo_epi64(pairs[4], pairs[6]),
        _mm256_unpackhi_epi64(pairs[4], pairs[6]),
        _mm256_unpacklo_epi64(pairs[5], pairs[7]),
        _mm256_unpackhi_epi64(pairs[5], pairs[7]),
    ];
    let mut columns = [_mm256_setzero_si256(); 8];
    for i in 0..4 {
        columns[i] = _mm256_permute2x128_si256::<0x20>(quads[i], quads[i + 4]);
        columns[i + 4] = _mm256_permute2x128_si256::<0x31>(quads[i], quads[i + 4]);
    }
    columns
}
