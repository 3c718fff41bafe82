//! ASCIIHexDecode, ASCII85Decode and RunLengthDecode (ISO 32000-2, 7.4.2, 7.4.3, 7.4.5).

use super::{Fault, Sink};
use crate::lexer::{hex_value, is_whitespace};

pub(super) fn hexadecimal(input: &[u8], sink: &mut Sink) -> Result<(), Fault> {
    let mut high: Option<u8> = None;
    for byte in input.iter().copied().filter(|byte| !is_whitespace(*byte)) {
        if byte == b'>' {
            return match high {
                Some(high) => sink.push(high << 4),
                None => Ok(()),
            };
        }
        let digit = hex_value(byte).ok_or(Fault::Broken("not a hexadecimal digit"))?;
        match high.take() {
            None => high = Some(digit),
            Some(high) => sink.push(high << 4 | digit)?,
        }
    }
    Err(Fault::Broken("no end-of-data marker"))
}

pub(super) fn base85(input: &[u8], sink: &mut Sink) -> Result<(), Fault> {
    let mut group: u64 = 0;
    let mut count: usize = 0;
    let mut input = input.iter().copied().filter(|byte| !is_whitespace(*byte));
    while let Some(byte) = input.next() {
        match byte {
            b'~' if input.next() == Some(b'>') => return end_base85(group, count, sink),
            b'z' if count == 0 => sink.extend(&[0; 4])?,
            b'!'..=b'u' => {
                group = group * 85 + u64::from(byte - b'!');
                count += 1;
                if count == 5 {
                    sink.extend(&word(group)?.to_be_bytes())?;
                    (group, count) = (0, 0);
                }
            }
            _ => return Err(Fault::Broken("not a base-85 digit")),
        }
    }
    Err(Fault::Broken("no end-of-data marker"))
}

fn word(group: u64) -> Result<u32, Fault> {
    u32::try_from(group).map_err(|_| Fault::Broken("a base-85 group above 2^32"))
}

/// A last group of n digits stands for n - 1 bytes.
fn end_base85(group: u64, count: usize, sink: &mut Sink) -> Result<(), Fault> {
    if count == 0 {
        return Ok(());
    }
    if count == 1 {
        return Err(Fault::Broken("a base-85 group of one digit"));
    }
    let padded = (count..5).fold(group, |group, _| group * 85 + 84);
    sink.extend(
        word(padded)?
            .to_be_bytes()
            .get(..count - 1)
            .unwrap_or_default(),
    )
}

pub(super) fn run_length(input: &[u8], sink: &mut Sink) -> Result<(), Fault> {
    let mut rest = input;
    loop {
        let Some((length, after)) = rest.split_first() else {
            return Err(Fault::Broken("no end-of-data marker"));
        };
        rest = match length {
            128 => return Ok(()),
            0..=127 => {
                let (run, after) = after
                    .split_at_checked(usize::from(*length) + 1)
                    .ok_or(Fault::Broken("the data are cut off"))?;
                sink.extend(run)?;
                after
            }
            129..=255 => {
                let (byte, after) = after
                    .split_first()
                    .ok_or(Fault::Broken("the data are cut off"))?;
                sink.extend(&vec![*byte; 257 - usize::from(*length)])?;
                after
            }
        };
    }
}
