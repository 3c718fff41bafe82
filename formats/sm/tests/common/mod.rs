//! What the tests of this crate share.
#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part"
)]

use yinxin_sm::{Entropy, EntropyUnavailable};

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// A stream that looks random and is the same every time: SM3 in counter mode.
pub(crate) struct Replayed {
    seed: u64,
    counter: u64,
}

pub(crate) fn replayed(seed: u64) -> Replayed {
    Replayed { seed, counter: 0 }
}

impl Entropy for Replayed {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
        for piece in destination.chunks_mut(32) {
            self.counter += 1;
            let block = [self.seed.to_be_bytes(), self.counter.to_be_bytes()].concat();
            piece.copy_from_slice(&yinxin_sm::sm3(&block)[..piece.len()]);
        }
        Ok(())
    }
}
