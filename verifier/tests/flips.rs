//! Every byte of a sealed file counts: one altered anywhere never passes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{PROFILES, Profile, now, places, plain_pdf, seal, trust, verify};
use yinxin_verifier::Indication;

/// Bits that are turned over: the lowest, the case of letters, the highest, all.
const MASKS: [u8; 4] = [0x01, 0x20, 0x80, 0xff];

/// Offsets where some alteration still passes.
fn survivors(sealed: &[u8], offsets: impl Iterator<Item = usize>) -> Vec<(usize, u8)> {
    let (trust, options) = (trust(), now());
    let mut found = Vec::new();
    let mut altered = sealed.to_vec();
    for offset in offsets {
        for mask in MASKS {
            altered[offset] ^= mask;
            let passes = verify(&altered, &trust, &options)
                .is_ok_and(|report| report.indication == Indication::TotalPassed);
            altered[offset] ^= mask;
            if passes {
                found.push((offset, mask));
            }
        }
    }
    found
}

fn shown(sealed: &[u8], survivors: &[(usize, u8)]) -> String {
    let around = |offset: usize| {
        let from = offset.saturating_sub(16);
        String::from_utf8_lossy(&sealed[from..(offset + 16).min(sealed.len())]).into_owned()
    };
    survivors
        .iter()
        .take(20)
        .map(|(offset, mask)| format!("{offset} ^ {mask:02x}: {}\n", around(*offset)))
        .collect()
}

/// One altered byte at every `step` offsets; the padding of /Contents more thinly.
fn alter(profile: Profile, step: usize) {
    let sealed = seal(&plain_pdf(), profile);
    let contents = places(&sealed).contents;
    let container_end = contents.end.min(contents.start + 2 * 3500);
    let offsets = (0..sealed.len())
        .step_by(step)
        .filter(|offset| !(container_end..contents.end - 40).contains(offset) || offset % 41 == 0);
    let found = survivors(&sealed, offsets);
    assert!(found.is_empty(), "{profile:?}\n{}", shown(&sealed, &found));
}

#[test]
fn no_altered_byte_passes() {
    // Primes, so that the profiles do not all hit the same places.
    for (profile, step) in PROFILES.into_iter().zip([29, 31, 37, 23]) {
        alter(profile, step);
    }
}

#[test]
#[ignore = "every byte of every profile takes minutes"]
fn no_altered_byte_passes_anywhere() {
    for profile in PROFILES {
        alter(profile, 1);
    }
}

#[test]
fn no_shortened_file_passes_or_panics() {
    for profile in [Profile::Rsa, Profile::GmSeal] {
        let sealed = seal(&plain_pdf(), profile);
        let (trust, options) = (trust(), now());
        for length in (0..sealed.len())
            .rev()
            .step_by(13)
            .chain(sealed.len() - 40..sealed.len())
        {
            let passes = verify(&sealed[..length], &trust, &options)
                .is_ok_and(|report| report.indication == Indication::TotalPassed);
            assert!(
                !passes,
                "{profile:?}: {length} of {} bytes pass",
                sealed.len()
            );
        }
    }
}

/// A generator of test cases; the seed is printed when one fails.
struct Chance(u64);

impl Chance {
    /// xorshift64* (Vigna).
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }
}

#[test]
fn no_rearranged_file_passes_or_panics() {
    let once = seal(&plain_pdf(), Profile::GmSeal);
    let (trust, options) = (trust(), now());
    for sealed in [&once, &seal(&once, Profile::P256)] {
        for seed in 1..250_u64 {
            let mut chance = Chance(seed * 0x9e37_79b9);
            let mut pdf = sealed.clone();
            let from = chance.below(pdf.len());
            let length = 1 + chance.below(40);
            let to = (from + length).min(pdf.len());
            let part: Vec<u8> = pdf[from..to].to_vec();
            match chance.below(4) {
                0 => drop(pdf.drain(from..to)),
                1 => drop(pdf.splice(from..from, part.iter().copied())),
                2 => {
                    let other = chance.below(pdf.len());
                    drop(pdf.splice(other..other, part.iter().copied()));
                }
                _ => {
                    let other = chance.below(pdf.len() - length);
                    let moved = pdf[other..other + part.len()].to_vec();
                    pdf[other..other + part.len()].copy_from_slice(&part);
                    pdf[from..to].copy_from_slice(&moved);
                }
            }
            if pdf == *sealed {
                continue;
            }
            let passes = verify(&pdf, &trust, &options)
                .is_ok_and(|report| report.indication == Indication::TotalPassed);
            assert!(!passes, "seed {seed}");
        }
    }
}
