//! Does the time of signing tell anything of the secret? Dudect's method: two classes of
//! secrets, chosen at random call by call, and Welch's t of their times, whole and with the
//! slowest cut away at several heights.
//!
//! `cargo run --release -p yinxin-sm --example timing [CALLS]`; |t| above 4.5 calls for a look,
//! above 10 is a leak. Run by hand on a quiet machine.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    missing_docs,
    reason = "run by hand"
)]

use std::{hint::black_box, time::Instant};
use yinxin_sm::{CodePath, Entropy, EntropyUnavailable, SecretKey, set_code_path, sm3};

/// Fills with what it was given: in effect the secret k is chosen by class.
struct Given([u8; 32]);

impl Entropy for Given {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
        destination.copy_from_slice(&self.0);
        Ok(())
    }
}

fn welch(classes: &[Vec<f64>; 2], limit: f64) -> f64 {
    let [a, b] = classes.each_ref().map(|times| {
        let kept: Vec<f64> = times
            .iter()
            .copied()
            .filter(|time| *time <= limit)
            .collect();
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (a.0 - b.0) / (a.1 + b.1).sqrt()
}

/// The largest |t| over the cuts.
///
/// What a call works on is made before its clock starts, in the same way for both classes.
fn measure<T>(
    name: &str,
    calls: u32,
    mut prepare: impl FnMut(bool, u32) -> T,
    mut work: impl FnMut(&T),
) {
    let mut classes = [Vec::new(), Vec::new()];
    for call in 0..calls + calls / 10 {
        let coin = sm3(&call.to_be_bytes())[0] & 1 == 1;
        let input = black_box(prepare(coin, call));
        let start = Instant::now();
        work(&input);
        let time = start.elapsed().as_secs_f64();
        if call >= calls / 10 {
            classes[usize::from(coin)].push(time);
        }
    }
    let mut all: Vec<f64> = classes.concat();
    all.sort_by(f64::total_cmp);
    let cuts = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999_999];
    let t: Vec<String> = cuts
        .iter()
        .map(|cut| {
            let limit = all[(cut * all.len() as f64) as usize];
            format!("{:+.2}", welch(&classes, limit))
        })
        .collect();
    println!("{name:<44} t at cuts {cuts:?}: {}", t.join(" "));
}

fn main() {
    let calls = std::env::args()
        .nth(1)
        .map_or(100_000, |calls| calls.parse().unwrap());
    for path in [CodePath::Portable, CodePath::Adx] {
        if set_code_path(path).is_err() {
            println!("SKIPPED: {path:?} is not on this processor");
            continue;
        }
        println!("{path:?}, {calls} calls each");
        let bytes = |coin: bool, call: u32| {
            // One class has the same secret always, nearly all zeros; the other a random one.
            let mut random = sm3(&call.to_le_bytes());
            random[0] = 0x7f;
            let mut few = [0; 32];
            few[31] = 1;
            [few, random][usize::from(coin)]
        };
        measure(
            "making a key: few bits against random",
            calls,
            bytes,
            |secret| {
                black_box(SecretKey::from_bytes(secret).unwrap());
            },
        );
        let key = SecretKey::from_bytes(&[3; 32]).unwrap();
        measure(
            "signing: one nonce against random",
            calls,
            bytes,
            |chance| {
                black_box(key.sign_digest(&[7; 32], &mut Given(*chance)).unwrap());
            },
        );
        // Made anew for each call, so that both classes lie at the same address.
        let choose = |coin: bool, call| {
            let secret = [bytes(false, 0), [3; 32]][usize::from(coin)];
            (SecretKey::from_bytes(&secret).unwrap(), bytes(true, call))
        };
        measure(
            "signing: key of few bits against another",
            calls,
            choose,
            |(key, chance)| {
                black_box(key.sign_digest(&[7; 32], &mut Given(*chance)).unwrap());
            },
        );
    }
}
