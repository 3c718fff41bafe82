//! LZWDecode (ISO 32000-2, 7.4.4).

use super::{Fault, Sink};

const CLEAR: usize = 256;
const END: usize = 257;
const CODES_MAX: usize = 4096;

/// Codes of 9 to 12 bits, most significant bit first. With `early_change` (the default) the
/// width grows one code early.
pub(super) fn decode(input: &[u8], early_change: bool, sink: &mut Sink) -> Result<(), Fault> {
    let early = usize::from(early_change);
    let mut bits = BitReader {
        input,
        held: 0,
        count: 0,
    };
    // Each entry above 257 is a place and length in the output so far: a code's text always
    // stands there already.
    let mut table: Vec<(usize, usize)> = Vec::with_capacity(CODES_MAX);
    let mut previous: Option<(usize, usize)> = None;
    let mut width = 9;
    // Data without the code for the end are common, and the end of the input is as clear.
    while let Some(code) = bits.take(width) {
        if code == END {
            return Ok(());
        }
        if code == CLEAR {
            table.clear();
            previous = None;
            width = 9;
            continue;
        }
        let start = sink.bytes.len();
        match code.checked_sub(END + 1) {
            None => sink.push(u8::try_from(code).unwrap_or_default())?,
            Some(index) => match (table.get(index).copied(), previous) {
                (Some((from, length)), _) => copy(sink, from, length)?,
                // The one code that is used before it is known: the previous text and its first byte.
                (None, Some((from, length))) if index == table.len() => {
                    copy(sink, from, length)?;
                    copy(sink, from, 1)?;
                }
                _ => return Err(Fault::Broken("an unknown code")),
            },
        }
        if let Some((from, length)) = previous
            && table.len() + END + 1 < CODES_MAX
        {
            // The previous text and the first byte of this one stand next to each other.
            table.push((from, length + 1));
        }
        previous = Some((start, sink.bytes.len() - start));
        width = match table.len() + END + 1 + early {
            0..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
    }
    Ok(())
}

fn copy(sink: &mut Sink, from: usize, length: usize) -> Result<(), Fault> {
    if length > sink.room - sink.bytes.len() {
        return Err(Fault::TooLong);
    }
    sink.bytes.extend_from_within(from..from + length);
    Ok(())
}

struct BitReader<'b> {
    input: &'b [u8],
    held: u32,
    count: u32,
}

impl BitReader<'_> {
    fn take(&mut self, width: u32) -> Option<usize> {
        while self.count < width {
            let (byte, rest) = self.input.split_first()?;
            self.input = rest;
            self.held = self.held << 8 | u32::from(*byte);
            self.count += 8;
        }
        self.count -= width;
        let code = self.held >> self.count & ((1 << width) - 1);
        Some(code as usize)
    }
}
