//! Signing, verifying and hashing beside other libraries, as ratios from one interleaved run.
//!
//! Each candidate runs for half a millisecond in turn, again and again, and the ratio of the
//! turns at the quickest twentieth is printed: a turn in which the machine did something else for a
//! while does not count. `make bench-sm` runs it. Without `--bench` (as `cargo test` starts it) each runs once.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a benchmark may fail loudly"
)]

use ring::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};
use sm2::dsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};
use yinxin_sm::{
    CodePath, Entropy, EntropyUnavailable, PreparedPublicKey, SecretKey, SigningContext, Sm3,
    set_code_path, sm3, sm3_many,
};

struct System(SystemRandom);

impl Entropy for System {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.0.fill(destination).map_err(|_| EntropyUnavailable)
    }
}

fn system() -> System {
    System(SystemRandom::new())
}

struct Candidate<'a> {
    name: &'static str,
    path: Option<CodePath>,
    /// How many operations one call does.
    operations: f64,
    work: Box<dyn FnMut() + 'a>,
    calls: u32,
    /// Seconds an operation took, one for each turn.
    seconds: Vec<f64>,
}

fn candidate<'a>(
    name: &'static str,
    path: Option<CodePath>,
    operations: f64,
    work: impl FnMut() + 'a,
) -> Candidate<'a> {
    Candidate {
        name,
        path,
        operations,
        work: Box::new(work),
        calls: 1,
        seconds: Vec::new(),
    }
}

/// The value that a twentieth of all stay below.
fn quick(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 20]
}

/// Runs all in turn and prints each beside the first.
fn compare(title: &str, unit: &str, turns: usize, mut candidates: Vec<Candidate<'_>>) {
    let turn = Duration::from_micros(500);
    candidates.retain(|one| match one.path {
        Some(path) if set_code_path(path).is_err() => {
            println!("SKIPPED: {}: not on this processor", one.name);
            false
        }
        Some(_) | None => true,
    });
    for index in 0..=turns {
        for one in &mut candidates {
            if let Some(path) = one.path {
                set_code_path(path).unwrap();
            }
            let start = Instant::now();
            for _ in 0..one.calls {
                (one.work)();
            }
            let seconds = start.elapsed().as_secs_f64() / f64::from(one.calls);
            if index == 0 {
                // Warm once more, then choose how many calls fill a turn.
                let start = Instant::now();
                (one.work)();
                let calls = turn.as_secs_f64() / start.elapsed().as_secs_f64();
                one.calls = if turns == 0 {
                    1
                } else {
                    calls.clamp(1.0, 1e6) as u32
                };
            } else {
                one.seconds.push(seconds / one.operations);
            }
        }
    }
    if turns == 0 {
        return;
    }
    println!("\n{title}");
    let base = quick(&candidates[0].seconds);
    for one in &candidates {
        let own = quick(&one.seconds);
        println!(
            "  {:<44} {:>12.1} {unit}/s  {:>6.2}x",
            one.name,
            1.0 / own,
            base / own,
        );
    }
}

fn signing(turns: usize) {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let p256 = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
    let key = Arc::new(SecretKey::generate(&mut system()).unwrap());
    let contexts = [0, 1].map(|_| SigningContext::new(Arc::clone(&key)));
    let secret = key.to_bytes();
    let rustcrypto = sm2::dsa::SigningKey::from_slice("1234567812345678", secret.as_ref()).unwrap();
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let sm_crypto = sm_crypto::sm2::Sign::new(&hex);
    let libsm = libsm::sm2::signature::SigCtx::new();
    let libsm_secret = libsm.load_seckey(secret.as_ref()).unwrap();
    let libsm_public = libsm.pk_from_sk(&libsm_secret).unwrap();
    let digest = sm3(b"what is signed");
    let signs = |path, name| {
        let (key, mut entropy) = (&key, system());
        candidate(name, path, 1.0, move || {
            black_box(key.sign_digest(&digest, &mut entropy).unwrap());
        })
    };
    let prepared = |path, name| {
        let context = &contexts[usize::from(path == Some(CodePath::Portable))];
        let mut entropy = system();
        candidate(name, path, 512.0, move || {
            for _ in 0..512 {
                black_box(context.sign_digest(&digest, &mut entropy).unwrap());
            }
        })
    };
    compare(
        "Signing (a digest, or 32 bytes)",
        "signatures",
        turns,
        vec![
            candidate("ring ECDSA P-256", None, 1.0, || {
                black_box(p256.sign(&random, &digest).unwrap());
            }),
            prepared(Some(CodePath::Adx), "prepared nonces"),
            signs(Some(CodePath::Adx), "alone"),
            prepared(Some(CodePath::Portable), "prepared nonces, portable"),
            signs(Some(CodePath::Portable), "alone, portable"),
            candidate("RustCrypto sm2", None, 1.0, || {
                black_box(rustcrypto.sign_prehash(&digest).unwrap());
            }),
            candidate("libsm", None, 1.0, || {
                let signature = libsm.sign_raw(&digest, &libsm_secret);
                black_box(signature.unwrap());
            }),
            candidate("sm-crypto", None, 1.0, || {
                black_box(sm_crypto.sign_der(&digest, false));
            }),
        ],
    );
    black_box(libsm_public);
}

fn verifying(turns: usize) {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let p256 = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
    let p256_signature = p256.sign(&random, b"what is signed").unwrap();
    let p256_public = UnparsedPublicKey::new(
        &ECDSA_P256_SHA256_FIXED,
        p256.public_key().as_ref().to_vec(),
    );
    let key = SecretKey::generate(&mut system()).unwrap();
    let public = key.public_key();
    let digest = sm3(b"what is signed");
    let signature = key.sign_digest(&digest, &mut system()).unwrap();
    let known = PreparedPublicKey::new(public);
    let point = public.to_sec1_bytes();
    let rustcrypto = sm2::dsa::VerifyingKey::from_sec1_bytes("1234567812345678", &point).unwrap();
    let rustcrypto_signature = sm2::dsa::Signature::from_bytes(&signature.to_raw()).unwrap();
    let hex: String = point[1..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let sm_crypto = sm_crypto::sm2::Verify::new(&hex);
    let der = signature.to_der();
    let libsm = libsm::sm2::signature::SigCtx::new();
    let libsm_public = libsm.load_pubkey(&point).unwrap();
    let libsm_signature = libsm::sm2::signature::Signature::der_decode(&der).unwrap();
    let new_key = |path, name| {
        candidate(name, path, 1.0, move || {
            public.verify_digest(&digest, &signature).unwrap();
        })
    };
    let known_key = |path, name| {
        let known = &known;
        candidate(name, path, 1.0, move || {
            known.verify_digest(&digest, &signature).unwrap();
        })
    };
    compare(
        "Verifying",
        "signatures",
        turns,
        vec![
            candidate("ring ECDSA P-256", None, 1.0, || {
                p256_public
                    .verify(b"what is signed", p256_signature.as_ref())
                    .unwrap();
            }),
            new_key(Some(CodePath::Adx), "new key"),
            known_key(Some(CodePath::Adx), "known key"),
            new_key(Some(CodePath::Portable), "new key, portable"),
            known_key(Some(CodePath::Portable), "known key, portable"),
            candidate(
                "making the table of a key",
                Some(CodePath::Adx),
                1.0,
                || {
                    black_box(PreparedPublicKey::new(public));
                },
            ),
            candidate("RustCrypto sm2", None, 1.0, || {
                rustcrypto
                    .verify_prehash(&digest, &rustcrypto_signature)
                    .unwrap();
            }),
            candidate("libsm", None, 1.0, || {
                let answer = libsm.verify_raw(&digest, &libsm_public, &libsm_signature);
                assert!(answer.unwrap());
            }),
            candidate("sm-crypto", None, 1.0, || {
                assert!(sm_crypto.verify_der(&digest, &der, false));
            }),
        ],
    );
}

fn hashing(turns: usize) {
    let message = vec![0x5a; 16 * 1024];
    let many: Vec<&[u8]> = (0..8).map(|_| &message[..]).collect();
    let mega = message.len() as f64 / 1e6;
    let one = |path, name| {
        let message = &message;
        candidate(name, path, mega, move || {
            black_box(sm3(message));
        })
    };
    compare(
        "SM3 (16 KiB)",
        "MB",
        turns,
        vec![
            candidate("sm3 crate", None, mega, || {
                black_box(<::sm3::Sm3 as ::sm3::Digest>::digest(&message));
            }),
            one(Some(CodePath::Adx), "one stream"),
            one(Some(CodePath::Portable), "one stream, portable"),
            candidate("eight streams", Some(CodePath::Adx), 8.0 * mega, || {
                black_box(sm3_many(&many));
            }),
            candidate(
                "eight streams, portable",
                Some(CodePath::Portable),
                8.0 * mega,
                || {
                    black_box(sm3_many(&many));
                },
            ),
            candidate("libsm", None, mega, || {
                black_box(libsm::sm3::hash::Sm3Hash::new(&message).get_hash());
            }),
        ],
    );
    black_box(Sm3::new());
}

/// Signatures of one thread, of two with one pool between them, and of two with a pool each,
/// which share nothing: what the machine can give at that moment. Where other programs run
/// beside, the processor time a signature costs says more than the clock.
fn scaling(turns: usize) {
    let key = Arc::new(SecretKey::generate(&mut system()).unwrap());
    let [shared, other] = [0, 1].map(|_| SigningContext::new(Arc::clone(&key)));
    let digest = sm3(b"what is signed");
    let work = |context: &SigningContext| {
        let mut entropy = system();
        let start = processor_time();
        for _ in 0..2048 {
            black_box(context.sign_digest(&digest, &mut entropy).unwrap());
        }
        processor_time() - start
    };
    let alone = || {
        let start = Instant::now();
        let own = work(&shared);
        (start.elapsed().as_secs_f64(), own)
    };
    let two = |context: &SigningContext| {
        let start = Instant::now();
        let own: f64 = std::thread::scope(|scope| {
            let threads = [&shared, context].map(|context| scope.spawn(|| work(context)));
            threads.map(|thread| thread.join().unwrap()).iter().sum()
        });
        (start.elapsed().as_secs_f64(), own / 2.0)
    };
    // The least of each: of the clock alone, with one pool, with two; then of processor time.
    let mut least = [f64::MAX; 6];
    for _ in 0..(turns / 8).max(1) {
        let [one, with, without] = [alone(), two(&shared), two(&other)];
        let found = [one.0, with.0, without.0, one.1, with.1, without.1];
        for (least, found) in least.iter_mut().zip(found) {
            *least = least.min(found);
        }
    }
    if turns > 0 {
        let [one, with, without] = [least[0], least[1], least[2]];
        println!(
            "\nTwo threads beside one: {:.2}x on one pool, {:.2}x with a pool each",
            2.0 * one / with,
            2.0 * one / without,
        );
        let [one, with, without] = [least[3], least[4], least[5]].map(|time| time / 2048e-6);
        println!(
            "  processor time a signature: alone {one:.2} us, on one pool {with:.2} us, with a pool each {without:.2} us",
        );
    }
}

/// Seconds this thread has run; zero where the system does not tell.
fn processor_time() -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or(0.0, |nanoseconds| nanoseconds / 1e9)
}

fn main() {
    let turns = if std::env::args().any(|argument| argument == "--bench") {
        101
    } else {
        0
    };
    signing(turns);
    verifying(turns);
    hashing(turns);
    scaling(turns);
}
