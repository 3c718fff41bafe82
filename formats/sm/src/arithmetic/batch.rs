//! Many multiples of G at once: affine additions whose inversions are shared.
//!
//! k is made odd (k or n - k) and written with 32 digits d_i, odd, from -255 to 255, so that
//! k = Σ d_i 2^(8 i): the digits are 2 b_i - 255 where b_i are the bytes of (k - 1) / 2 + 2^255.
//! The loop goes by windows: one table is read for the whole batch (see `lanes`), and each scalar
//! pays six multiplications, against eleven for an addition in Jacobian coordinates.
//!
//! Why plain additions suffice, as in `generator`: before window i the sum is |a| < 2^(8 i), odd,
//! and the next term is |t| >= 2^(8 i), so that a = ±t can only hold mod n where |a| + |t| >= n.
//! For i <= 30 that sum stays below 2^248. For i = 31, t = d 2^248 with d from 1 to 255 and
//! a + t = k is neither 0 nor n; a = t mod n means a = t - n, which is above -2^248 for d = 255
//! alone: the one exceptional scalar, k = 2 t - n = 255 2^249 - n. It and its opposite are
//! replaced without a branch, and their result is put in at the end.

use super::{
    Affine, Arithmetic, Fe, Scalar,
    generator::{Prepared, odd_multiples},
    lanes::{self, Columns, ENTRIES, LANES, PLACE_BITS, Room, Row},
    point::{G, Jacobian, TableEntry},
};
use std::sync::LazyLock;
use zeroize::{Zeroize as _, Zeroizing};

/// How many scalars share their inversions: twice as many would gain one in a hundred more.
pub(crate) const BATCH: usize = LANES;

const WINDOW_BITS: usize = PLACE_BITS + 1;
const WINDOWS: usize = 256 / WINDOW_BITS;

/// Scalars whose products do not wait for one another; a batch is a multiple of it.
const CHAINS: usize = 2;

/// 255 2^249 - n, the one odd scalar whose last addition would be a doubling.
pub(super) const EXCEPTION: Scalar = Scalar::minus_n_wrapping([0, 0, 0, 0xfe << 56]);

static GENERATOR: LazyLock<Generator> = LazyLock::new(|| {
    let entries = odd_multiples::<super::Portable>(&G, WINDOW_BITS, WINDOWS * ENTRIES);
    // The last entry is 255 2^248 G, and 255 2^249 is the exceptional scalar mod n.
    let last = entries[WINDOWS * ENTRIES - 1].point();
    let exception = Jacobian::from_affine(&last).double::<super::Portable>();
    Generator {
        windows: entries.chunks(ENTRIES).map(Columns::new).collect(),
        exception: exception.to_affine::<super::Portable>(),
    }
});

/// 256 KiB.
struct Generator {
    windows: Vec<Columns>,
    /// (255 2^249 - n) G.
    exception: Affine,
}

/// One multiple, and all ones if it lies on the curve: the guard against a computing fault.
pub(crate) struct BatchPoint {
    pub(crate) point: Affine,
    pub(crate) on_curve: u64,
}

/// k G for each k, all from 1 to n - 1 and at most [`BATCH`] of them; in constant time.
pub(crate) fn multiples_of_g<A: Arithmetic>(scalars: &[Scalar]) -> Vec<BatchPoint> {
    let generator = &*GENERATOR;
    let prepare = |k| Prepared::new(k, &EXCEPTION);
    let prepared = Zeroizing::new(scalars.iter().map(prepare).collect::<Vec<_>>());
    let digits = Zeroizing::new(prepared.iter().map(digits).collect::<Vec<_>>());
    let rows = Zeroizing::new(lanes::rows(digits.iter().copied()));
    let mut room = Zeroizing::new(Room::new());
    let mut terms = Zeroizing::new(vec![TableEntry::ZERO; BATCH]);
    let mut sums = Zeroizing::new(vec![TableEntry::ZERO; BATCH]);
    let mut prefixes = Zeroizing::new(vec![Fe::ZERO; BATCH]);
    for (i, (table, bits)) in generator
        .windows
        .iter()
        .zip(rows.chunks_exact(WINDOW_BITS))
        .enumerate()
    {
        // The uppermost bit is zero for a negative digit, whose other bits are inverted.
        let negative = bits[PLACE_BITS].not();
        let places: [Row; PLACE_BITS] = core::array::from_fn(|bit| bits[bit].xor(&negative));
        A::read(table, &places, &mut room, &mut terms);
        for (term, digits) in terms.iter_mut().zip(digits.iter()) {
            let positive = digits[i / 8] >> (8 * (i % 8) + PLACE_BITS) & 1;
            *term = TableEntry::new(&term.point().negate_if(positive.wrapping_sub(1)));
        }
        if i == 0 {
            sums.copy_from_slice(&terms);
        } else {
            add_all::<A>(&mut sums, &terms, &mut prefixes);
        }
    }
    prepared
        .iter()
        .zip(sums.iter())
        .map(|(k, sum)| {
            let point = k.finish(&sum.point(), &generator.exception);
            BatchPoint {
                point,
                on_curve: point.on_curve::<A>(),
            }
        })
        .collect()
}

/// (k - 1) / 2 + 2^255 of an odd scalar, whose bytes are the digits.
fn digits(prepared: &Prepared) -> super::limbs::Limbs {
    let k = prepared.odd.limbs();
    [
        k[0] >> 1 | k[1] << 63,
        k[1] >> 1 | k[2] << 63,
        k[2] >> 1 | k[3] << 63,
        k[3] >> 1 | 1 << 63,
    ]
}

/// Adds to each sum its term: one inversion in all, five multiplications and a squaring each.
fn add_all<A: Arithmetic>(sums: &mut [TableEntry], terms: &[TableEntry], prefixes: &mut [Fe]) {
    type Lot<T> = [T; CHAINS];
    let (sums, _) = sums.as_chunks_mut::<CHAINS>();
    let (terms, _) = terms.as_chunks::<CHAINS>();
    let (prefixes, _) = prefixes.as_chunks_mut::<CHAINS>();
    let differences = |sums: &Lot<TableEntry>, terms: &Lot<TableEntry>| -> Lot<Fe> {
        core::array::from_fn(|c| terms[c].point().x.subtract::<A>(&sums[c].point().x))
    };
    let multiply = |a: &Lot<Fe>, b: &Lot<Fe>| -> Lot<Fe> {
        core::array::from_fn(|c| A::multiply(&a[c], &b[c]))
    };
    let mut products = [Fe::ONE; CHAINS];
    for ((sums, terms), prefixes) in sums.iter().zip(terms).zip(prefixes.iter_mut()) {
        *prefixes = products;
        products = multiply(&products, &differences(sums, terms));
    }
    let mut inverses = products;
    super::point::invert_all::<A>(&mut inverses);
    for ((sums, terms), prefixes) in sums.iter_mut().zip(terms).zip(prefixes.iter()).rev() {
        let own = multiply(&inverses, prefixes);
        inverses = multiply(&inverses, &differences(sums, terms));
        let (p, q) = (sums.map(|sum| sum.point()), terms.map(|term| term.point()));
        let slopes: Lot<Fe> =
            core::array::from_fn(|c| A::multiply(&q[c].y.subtract::<A>(&p[c].y), &own[c]));
        let x: Lot<Fe> = core::array::from_fn(|c| {
            A::square(&slopes[c])
                .subtract::<A>(&p[c].x)
                .subtract::<A>(&q[c].x)
        });
        for (c, sum) in sums.iter_mut().enumerate() {
            let y = A::multiply(&slopes[c], &p[c].x.subtract::<A>(&x[c])).subtract::<A>(&p[c].y);
            *sum = TableEntry::new(&Affine { x: x[c], y });
        }
    }
    products.zeroize();
    inverses.zeroize();
}
