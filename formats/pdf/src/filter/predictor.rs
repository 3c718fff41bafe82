//! Predictors of Flate and LZW data (ISO 32000-2, 7.4.4.4).

use super::Fault;

/// The `/DecodeParms` of a predictor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predictor {
    pub(crate) predictor: i64,
    pub(crate) colors: i64,
    pub(crate) bits_per_component: i64,
    pub(crate) columns: i64,
}

impl Predictor {
    /// No prediction: the default of Table 8.
    pub(crate) const NONE: Predictor = Predictor {
        predictor: 1,
        colors: 1,
        bits_per_component: 8,
        columns: 1,
    };

    /// Undoes the prediction in place.
    pub(super) fn undo(&self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        if self.predictor == 1 {
            return Ok(());
        }
        let (pixel, row) = self.widths().ok_or(Fault::Broken("predictor parameters"))?;
        match self.predictor {
            2 if self.bits_per_component == 8 => {
                for line in bytes.chunks_mut(row) {
                    undo_left(line, pixel);
                }
                Ok(())
            }
            10..=15 => undo_png(bytes, pixel, row),
            _ => Err(Fault::Broken("unknown predictor")),
        }
    }

    /// Bytes a pixel (at least 1) and bytes a row.
    fn widths(&self) -> Option<(usize, usize)> {
        let colors = usize::try_from(self.colors)
            .ok()
            .filter(|n| (1..=32).contains(n))?;
        let bits = usize::try_from(self.bits_per_component).ok()?;
        if !matches!(bits, 1 | 2 | 4 | 8 | 16) {
            return None;
        }
        let columns = usize::try_from(self.columns)
            .ok()
            .filter(|n| (1..=1 << 24).contains(n))?;
        let pixel_bits = colors * bits;
        Some((pixel_bits.div_ceil(8), (pixel_bits * columns).div_ceil(8)))
    }
}

/// Each byte is the difference to the one a pixel before it.
fn undo_left(line: &mut [u8], pixel: usize) {
    for at in pixel..line.len() {
        let left = line.get(at - pixel).copied().unwrap_or(0);
        if let Some(byte) = line.get_mut(at) {
            *byte = byte.wrapping_add(left);
        }
    }
}

/// PNG (RFC 2083, 6): each row has its own filter type in front. The last row may be short.
fn undo_png(bytes: &mut Vec<u8>, pixel: usize, row: usize) -> Result<(), Fault> {
    let mut output = Vec::with_capacity(bytes.len());
    let mut above: Vec<u8> = vec![0; row];
    let mut line: Vec<u8> = Vec::with_capacity(row);
    for coded in bytes.chunks(row + 1) {
        let Some((kind, coded)) = coded.split_first() else {
            continue;
        };
        line.clear();
        for (at, byte) in coded.iter().enumerate() {
            let up = above.get(at).copied().unwrap_or(0);
            let (left, corner) = match at.checked_sub(pixel) {
                None => (0, 0),
                Some(before) => (
                    line.get(before).copied().unwrap_or(0),
                    above.get(before).copied().unwrap_or(0),
                ),
            };
            let predicted = match kind {
                0 => 0,
                1 => left,
                2 => up,
                3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
                4 => paeth(left, up, corner),
                _ => return Err(Fault::Broken("unknown PNG filter type")),
            };
            line.push(byte.wrapping_add(predicted));
        }
        output.extend_from_slice(&line);
        std::mem::swap(&mut above, &mut line);
    }
    *bytes = output;
    Ok(())
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let estimate = a + b - c;
    let (to_a, to_b, to_c) = (
        (estimate - a).abs(),
        (estimate - b).abs(),
        (estimate - c).abs(),
    );
    if to_a <= to_b && to_a <= to_c {
        left
    } else if to_b <= to_c {
        up
    } else {
        corner
    }
}
