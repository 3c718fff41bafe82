//! The compression function in plain Rust (GB/T 32905, 5.3).

use super::{State, rounds::round_constants};

const T: [u32; 64] = round_constants();

#[inline(always)]
pub(super) fn p0(x: u32) -> u32 {
    x ^ x.rotate_left(9) ^ x.rotate_left(17)
}

#[inline(always)]
fn p1(x: u32) -> u32 {
    x ^ x.rotate_left(15) ^ x.rotate_left(23)
}

/// One round with W_j and W'_j = W_j ^ W_{j+4}, and with the `add_constant` of the place where it
/// is used: what it leaves in `b`, `d`, `f` and `h` is the next round's `c`, `a`, `g` and `e`.
macro_rules! round {
    ($j:expr, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
     $w:expr, $prime:expr, early) => {
        round!(@ $j, $a $b $c $d $e $f $g $h, $w, $prime,
            $a ^ $b ^ $c, $e ^ $f ^ $g)
    };
    ($j:expr, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
     $w:expr, $prime:expr, late) => {
        round!(@ $j, $a $b $c $d $e $f $g $h, $w, $prime,
            // The majority, and e choosing between f and g.
            ($a & $b) | ($c & ($a | $b)),
            (($f ^ $g) & $e) ^ $g)
    };
    (@ $j:expr, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
     $w:expr, $prime:expr, $ff:expr, $gg:expr) => {
        let a12 = $a.rotate_left(12);
        // e arrives last.
        let ss1 = add_constant::<{ $j }>(a12).wrapping_add($e).rotate_left(7);
        let ss2 = ss1 ^ a12;
        let w = $w;
        // What arrives last is added last.
        $d = $d.wrapping_add($prime).wrapping_add($ff).wrapping_add(ss2);
        $h = p0($h.wrapping_add(w).wrapping_add($gg).wrapping_add(ss1));
        $b = $b.rotate_left(9);
        $f = $f.rotate_left(19);
    };
}

/// Four rounds, after which every letter is back in its place.
macro_rules! four_rounds {
    ($j:expr, [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident],
     $w:expr, $prime:expr, $kind:ident) => {
        round!($j, $a $b $c $d $e $f $g $h, $w($j), $prime($j), $kind);
        round!($j + 1, $d $a $b $c $h $e $f $g, $w($j + 1), $prime($j + 1), $kind);
        round!($j + 2, $c $d $a $b $g $h $e $f, $w($j + 2), $prime($j + 2), $kind);
        round!($j + 3, $b $c $d $a $f $g $h $e, $w($j + 3), $prime($j + 3), $kind);
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) use {four_rounds, round};

/// x + T_J.
#[inline(always)]
fn add_constant<const J: usize>(x: u32) -> u32 {
    x.wrapping_add(T[J])
}

/// Takes in whole blocks.
pub(super) fn compress(state: &mut State, blocks: &[[u8; 64]]) {
    for block in blocks {
        let mut w = [0_u32; 68];
        for (word, bytes) in w.iter_mut().zip(block.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        for j in 16..68 {
            w[j] = p1(w[j - 16] ^ w[j - 9] ^ w[j - 3].rotate_left(15))
                ^ w[j - 13].rotate_left(7)
                ^ w[j - 6];
        }
        let at = |j: usize| w[j];
        let prime = |j: usize| w[j] ^ w[j + 4];
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
        four_rounds!(0, [a b c d e f g h], at, prime, early);
        four_rounds!(4, [a b c d e f g h], at, prime, early);
        four_rounds!(8, [a b c d e f g h], at, prime, early);
        four_rounds!(12, [a b c d e f g h], at, prime, early);
        four_rounds!(16, [a b c d e f g h], at, prime, late);
        four_rounds!(20, [a b c d e f g h], at, prime, late);
        four_rounds!(24, [a b c d e f g h], at, prime, late);
        four_rounds!(28, [a b c d e f g h], at, prime, late);
        four_rounds!(32, [a b c d e f g h], at, prime, late);
        four_rounds!(36, [a b c d e f g h], at, prime, late);
        four_rounds!(40, [a b c d e f g h], at, prime, late);
        four_rounds!(44, [a b c d e f g h], at, prime, late);
        four_rounds!(48, [a b c d e f g h], at, prime, late);
        four_rounds!(52, [a b c d e f g h], at, prime, late);
        four_rounds!(56, [a b c d e f g h], at, prime, late);
        four_rounds!(60, [a b c d e f g h], at, prime, late);
        for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word ^= new;
        }
    }
}
