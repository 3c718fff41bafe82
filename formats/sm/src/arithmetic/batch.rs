//! Many multiples of G at once: affine additions whose inversions are shared.
//!
//! The loop goes by windows, so that 4 KiB of table serve the whole batch. Each window costs a
//! batch one inversion and each scalar six multiplications, against eleven for an addition in
//! Jacobian coordinates. That no addition is exceptional is proved in `generator`; the
//! exceptional pair of scalars is replaced and put right there too.

use super::{
    Affine, Arithmetic, Fe, Scalar,
    generator::{Prepared, WINDOWS, add_affine, windows_of_g},
    point::TableEntry,
};
use zeroize::{Zeroize as _, Zeroizing};

/// How many scalars share their inversions: twice as many would gain one in a hundred more.
pub(crate) const BATCH: usize = 512;

/// One multiple, and all ones if it lies on the curve: the guard against a computing fault.
pub(crate) struct BatchPoint {
    pub(crate) point: Affine,
    pub(crate) on_curve: u64,
}

/// k G for each k, all from 1 to n - 1 and at most [`BATCH`] of them; in constant time.
pub(crate) fn multiples_of_g<A: Arithmetic>(scalars: &[Scalar]) -> Vec<BatchPoint> {
    let windows = windows_of_g();
    let prepared = Zeroizing::new(scalars.iter().map(Prepared::new).collect::<Vec<_>>());
    let entry = |k: &Prepared, i: usize| {
        let (index, negative) = k.digits.digit(i);
        A::scan(windows.window(i), index)
            .point()
            .negate_if(negative)
    };
    let mut sums: Zeroizing<Vec<Affine>> =
        Zeroizing::new(prepared.iter().map(|k| entry(k, 0)).collect());
    let mut terms = Zeroizing::new(vec![TableEntry::ZERO; scalars.len()]);
    let mut prefixes = Zeroizing::new(vec![Fe::ZERO; scalars.len()]);
    for i in 1..WINDOWS {
        let mut product = Fe::ONE;
        for (((k, sum), term), prefix) in prepared
            .iter()
            .zip(sums.iter())
            .zip(terms.iter_mut())
            .zip(prefixes.iter_mut())
        {
            let point = entry(k, i);
            *term = TableEntry::new(&point);
            *prefix = product;
            product = A::multiply(&product, &point.x.subtract::<A>(&sum.x));
        }
        let mut inverse = product.invert::<A>();
        for ((sum, term), prefix) in sums.iter_mut().zip(terms.iter()).zip(prefixes.iter()).rev() {
            let point = term.point();
            let own = A::multiply(&inverse, prefix);
            inverse = A::multiply(&inverse, &point.x.subtract::<A>(&sum.x));
            *sum = add_affine::<A>(sum, &point, &own);
        }
        product.zeroize();
        inverse.zeroize();
    }
    prepared
        .iter()
        .zip(sums.iter())
        .map(|(k, sum)| {
            let point = k.finish(sum);
            BatchPoint {
                point,
                on_curve: point.on_curve::<A>(),
            }
        })
        .collect()
}
