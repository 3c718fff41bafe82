//! Points of y^2 = x^3 - 3 x + b.

use super::{Arithmetic, Fe, limbs};
use zeroize::Zeroize;

/// A point other than infinity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Zeroize)]
pub(crate) struct Affine {
    pub(crate) x: Fe,
    pub(crate) y: Fe,
}

/// (X / Z^2, Y / Z^3); infinity has Z = 0.
#[derive(Clone, Copy, Debug, Zeroize)]
pub(crate) struct Jacobian {
    pub(crate) x: Fe,
    pub(crate) y: Fe,
    pub(crate) z: Fe,
}

/// An affine point in a table: x and y, on one cache line.
#[derive(Clone, Copy, Zeroize)]
#[repr(align(64))]
pub(crate) struct TableEntry(pub(crate) [u64; 8]);

/// G.
pub(crate) const G: Affine = Affine {
    x: Fe::constant([
        0x715a_4589_334c_74c7,
        0x8fe3_0bbf_f266_0be1,
        0x5f99_0446_6a39_c994,
        0x32c4_ae2c_1f19_8119,
    ]),
    y: Fe::constant([
        0x02df_32e5_2139_f0a0,
        0xd0a9_877c_c62a_4740,
        0x59bd_cee3_6b69_2153,
        0xbc37_36a2_f4f6_779c,
    ]),
};

impl TableEntry {
    pub(crate) const ZERO: Self = Self([0; 8]);

    #[inline(always)]
    pub(crate) fn new(point: &Affine) -> Self {
        let [x0, x1, x2, x3] = point.x.0;
        let [y0, y1, y2, y3] = point.y.0;
        Self([x0, x1, x2, x3, y0, y1, y2, y3])
    }

    #[inline(always)]
    pub(crate) fn point(&self) -> Affine {
        let [x0, x1, x2, x3, y0, y1, y2, y3] = self.0;
        Affine {
            x: Fe([x0, x1, x2, x3]),
            y: Fe([y0, y1, y2, y3]),
        }
    }
}

impl Affine {
    /// From big-endian coordinates; `None` when one is not below p or the point is not on the
    /// curve.
    pub(crate) fn from_coordinates<A: Arithmetic>(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let point = Self {
            x: Fe::from_canonical::<A>(&limbs::from_bytes(x))?,
            y: Fe::from_canonical::<A>(&limbs::from_bytes(y))?,
        };
        (point.on_curve::<A>() != 0).then_some(point)
    }

    /// Big-endian coordinates.
    pub(crate) fn coordinates<A: Arithmetic>(&self) -> ([u8; 32], [u8; 32]) {
        (
            limbs::to_bytes(&self.x.to_canonical::<A>()),
            limbs::to_bytes(&self.y.to_canonical::<A>()),
        )
    }

    /// All ones when y^2 = x^3 - 3 x + b.
    pub(crate) fn on_curve<A: Arithmetic>(&self) -> u64 {
        let cube = A::multiply(&A::square(&self.x), &self.x);
        let right = cube
            .subtract::<A>(&self.x)
            .subtract::<A>(&self.x)
            .subtract::<A>(&self.x)
            .add::<A>(&Fe::B);
        A::square(&self.y).equal(&right)
    }

    #[inline(always)]
    pub(crate) fn negate_if(&self, mask: u64) -> Self {
        // No point has y = 0: the order is odd.
        Self {
            x: self.x,
            y: self.y.negate_nonzero_if(mask),
        }
    }

    pub(crate) fn select(mask: u64, a: &Self, b: &Self) -> Self {
        Self {
            x: Fe::select(mask, &a.x, &b.x),
            y: Fe::select(mask, &a.y, &b.y),
        }
    }
}

impl Jacobian {
    pub(crate) const INFINITY: Self = Self {
        x: Fe::ONE,
        y: Fe::ONE,
        z: Fe::ZERO,
    };

    #[inline(always)]
    pub(crate) fn from_affine(point: &Affine) -> Self {
        Self {
            x: point.x,
            y: point.y,
            z: Fe::ONE,
        }
    }

    /// 2 P; infinity stays infinity. Four multiplications, four squarings, ten cheap steps.
    #[inline]
    pub(crate) fn double<A: Arithmetic>(&self) -> Self {
        // In an order in which neighbours do not wait for one another: the processor sees only
        // about three products ahead.
        let z_squared = A::square(&self.z);
        let y2 = self.y.double::<A>();
        // 4 Y^2, 4 X Y^2 and 16 Y^4.
        let y_squared4 = A::square(&y2);
        let difference = self.x.subtract::<A>(&z_squared);
        let sum = self.x.add::<A>(&z_squared);
        let beta4 = A::multiply(&self.x, &y_squared4);
        // 3 (X - Z^2)(X + Z^2), since a = -3.
        let alpha = A::multiply(&difference, &sum);
        let y_fourth16 = A::square(&y_squared4);
        let alpha = alpha.double::<A>().add::<A>(&alpha);
        let z = A::multiply(&y2, &self.z);
        let x = A::square(&alpha).subtract::<A>(&beta4.double::<A>());
        let y_fourth8 = y_fourth16.halve();
        let y = A::multiply(&alpha, &beta4.subtract::<A>(&x)).subtract::<A>(&y_fourth8);
        Self { x, y, z }
    }

    /// P + Q for points that are neither infinity nor equal nor opposite: the caller has the
    /// proof. Eight multiplications, three squarings.
    #[inline]
    pub(crate) fn add_distinct<A: Arithmetic>(&self, other: &Affine) -> Self {
        let (h, r) = self.differences::<A>(other);
        self.add_with_differences::<A>(&h, &r)
    }

    /// x Z^2 - X and y Z^3 - Y.
    #[inline(always)]
    pub(super) fn differences<A: Arithmetic>(&self, other: &Affine) -> (Fe, Fe) {
        let z_squared = A::square_unreduced(&self.z);
        let x = A::multiply_by(&other.x, &z_squared);
        let z_cubed = A::multiply_unreduced(&self.z, &z_squared);
        let h = x.subtract::<A>(&self.x);
        let r = A::multiply_by(&other.y, &z_cubed).subtract::<A>(&self.y);
        (h, r)
    }

    #[inline(always)]
    pub(super) fn add_with_differences<A: Arithmetic>(&self, h: &Fe, r: &Fe) -> Self {
        // In an order in which neighbours do not wait for one another, as in `double`.
        let h_squared = A::square_unreduced(h);
        let z = A::multiply(&self.z, h);
        let r_squared = A::square(r);
        let h_cubed = A::multiply_by(h, &h_squared);
        let v = A::multiply_by(&self.x, &h_squared);
        let y_h_cubed = A::multiply(&self.y, &h_cubed);
        let x = r_squared
            .subtract::<A>(&h_cubed)
            .subtract::<A>(&v.double::<A>());
        let y = A::multiply(r, &v.subtract::<A>(&x)).subtract::<A>(&y_h_cubed);
        Self { x, y, z }
    }

    /// The affine point; (0, 0) for infinity, which is not on the curve.
    pub(crate) fn to_affine<A: Arithmetic>(self) -> Affine {
        self.scale::<A>(&self.z.invert::<A>())
    }

    /// The affine point, from 1 / Z.
    #[inline]
    pub(crate) fn scale<A: Arithmetic>(&self, z_inverse: &Fe) -> Affine {
        let squared = A::square_unreduced(z_inverse);
        Affine {
            x: A::multiply_by(&self.x, &squared),
            y: A::multiply_by(&self.y, &A::multiply_unreduced(z_inverse, &squared)),
        }
    }
}

/// The affine points, with one inversion for all; none may be infinity.
pub(crate) fn to_affine_all<A: Arithmetic>(points: &[Jacobian]) -> Vec<Affine> {
    let mut inverses: Vec<Fe> = points.iter().map(|point| point.z).collect();
    invert_all::<A>(&mut inverses);
    points
        .iter()
        .zip(&inverses)
        .map(|(point, inverse)| point.scale::<A>(inverse))
        .collect()
}

/// Inverts every element, none of them zero, with one inversion and three multiplications each.
pub(crate) fn invert_all<A: Arithmetic>(values: &mut [Fe]) {
    let mut prefixes = Vec::with_capacity(values.len());
    let mut product = Fe::ONE;
    for value in &*values {
        prefixes.push(product);
        product = A::multiply(&product, value);
    }
    let mut inverse = product.invert::<A>();
    for (value, prefix) in values.iter_mut().zip(&prefixes).rev() {
        let own = A::multiply(&inverse, prefix);
        inverse = A::multiply(&inverse, value);
        *value = own;
    }
    prefixes.zeroize();
    product.zeroize();
    inverse.zeroize();
}
