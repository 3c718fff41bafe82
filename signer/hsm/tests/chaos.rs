//! A device that fails in every way while 32 callers sign.
//!
//! Thirty seconds with the tests; by hand `YINXIN_CHAOS_SECONDS=600`, and `YINXIN_CHAOS_SEED=N` to
//! have the same faults again.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::TestLibrary;
use yinxin_hsm::{
    DeviceKeyStore, DeviceState, FieldLayout, PoolSettings, SdfKey, SdfKeyKind, SdfSettings, Secret,
};
use yinxin_pki::{PublicKey, SignatureAlgorithm, verify_signature};
use yinxin_signer::keys::{KeyStore as _, KeyStoreError};

const KEY: &str = "seal";
const CALLERS: usize = 32;
const SESSIONS: usize = 8;
const SIGN_MAX: Duration = Duration::from_secs(2);
/// What a caller may wait beyond its deadline: the machine is shared.
const LATE_MAX: Duration = Duration::from_secs(1);
/// Within this time of a repair, throughput must be back.
const BACK_WITHIN: Duration = Duration::from_secs(5);
const WINDOW: Duration = Duration::from_secs(1);

/// A device that takes 10 ms for a signature and errs once in a thousand times.
const GOOD: &str = "hang_ms.SDF_InternalSign_ECC = 10\nwrong_one_in = 1000\n";

#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    PasswordRevoked,
    Slow,
    SessionsDropped,
    Hanging,
    WrongSignatures,
}

const FAULTS: [Fault; 6] = [
    Fault::Killed,
    Fault::PasswordRevoked,
    Fault::Slow,
    Fault::SessionsDropped,
    Fault::Hanging,
    Fault::WrongSignatures,
];

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[derive(Default)]
struct Counts {
    signed: AtomicU64,
    refused: AtomicU64,
}

/// Signs until told to stop; every answer comes in time, and every signature is right.
fn call(store: &DeviceKeyStore, stop: &AtomicBool, counts: &Counts) {
    let spki_der = store.public_key_spki(KEY).unwrap();
    let key = PublicKey::from_spki_der(&spki_der).unwrap();
    let algorithm = SignatureAlgorithm::Sm2Sm3;
    let mut turn = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let message = turn.to_be_bytes();
        let asked = Instant::now();
        let answer = store.sign(KEY, &algorithm, &message);
        assert!(
            asked.elapsed() < SIGN_MAX + LATE_MAX,
            "{:?}",
            asked.elapsed()
        );
        match answer {
            Ok(signature) => {
                verify_signature(&key, &algorithm, &message, &signature)
                    .expect("no wrong signature is given out");
                counts.signed.fetch_add(1, Ordering::Relaxed);
            }
            Err(
                KeyStoreError::DeviceUnavailable { .. }
                | KeyStoreError::DeviceBusy { .. }
                | KeyStoreError::WrongPin { .. }
                | KeyStoreError::SelfTestFailed { .. }
                | KeyStoreError::BadAnswer { .. },
            ) => {
                counts.refused.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// Signatures in one window.
fn throughput(counts: &Counts) -> u64 {
    let before = counts.signed.load(Ordering::Relaxed);
    std::thread::sleep(WINDOW);
    counts.signed.load(Ordering::Relaxed) - before
}

#[test]
fn callers_are_answered_rightly_or_told_and_the_pool_heals() {
    let seconds = number("YINXIN_CHAOS_SECONDS").unwrap_or(30);
    let seed = number("YINXIN_CHAOS_SEED").unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::from(since.unwrap().subsec_nanos())
    });
    println!("YINXIN_CHAOS_SEED={seed}");
    let library = TestLibrary::new();
    library.control(GOOD);
    let settings = SdfSettings {
        library: library.path(),
        layout: FieldLayout::Bytes64,
        keys: vec![SdfKey {
            name: KEY.to_owned(),
            index: 1,
            kind: SdfKeyKind::Sm2,
            password: Some(Secret::new(b"11111111".to_vec())),
            public_key_spki: None,
        }],
    };
    let pool = PoolSettings {
        sessions: SESSIONS,
        stuck_max: SESSIONS,
        sign_max: SIGN_MAX,
        hang_max: Duration::from_secs(1),
        connect_max: Duration::from_secs(2),
        ..PoolSettings::default()
    };
    let store = settings.start("chaos", pool).unwrap();
    store.wait_until_up(Duration::from_secs(30)).unwrap();
    await_sessions(&store);
    let sessions_at_start = library.open_sessions();

    let (stop, counts) = (AtomicBool::new(false), Counts::default());
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| call(&store, &stop, &counts));
        }
        // Whatever fails in here, the callers must end.
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            torment(&library, &store, &counts, seconds, seed);
        }));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = told {
            std::panic::resume_unwind(panic);
        }
    });
    await_sessions(&store);
    // Threads that were given up come back when the device lets them.
    let end = Instant::now() + Duration::from_secs(10);
    while library.open_sessions() != sessions_at_start {
        assert!(Instant::now() < end, "{:?}", store.status());
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = store.status();
    println!("{status:#?}");
    assert_eq!((status.sessions, status.stuck), (SESSIONS, 0));
    assert_eq!(status.state, DeviceState::Up);
}

fn await_sessions(store: &DeviceKeyStore) {
    let end = Instant::now() + Duration::from_secs(10);
    while store.status().sessions < SESSIONS {
        assert!(Instant::now() < end, "{:?}", store.status());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One fault after the other, each followed by a repair.
fn torment(
    library: &TestLibrary,
    store: &DeviceKeyStore,
    counts: &Counts,
    seconds: u64,
    seed: u64,
) {
    let mut chance = Chance(seed);
    std::thread::sleep(WINDOW);
    let normal = (throughput(counts) + throughput(counts)) / 2;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut left = Vec::new();
    let mut epoch = 0;
    let mut slowest = Duration::ZERO;
    while Instant::now() < end {
        if left.is_empty() {
            left = FAULTS.to_vec();
        }
        let pick = chance.below(left.len() as u64) as usize;
        let fault = left.swap_remove(pick);
        let lasts = Duration::from_millis(300 + chance.below(1700));
        let epoch_line = |epoch: u64| format!("epoch = {epoch}\n");
        let order = match fault {
            Fault::Killed => "dropped = 1\n".to_owned(),
            Fault::PasswordRevoked => "password = 22222222\n".to_owned(),
            Fault::Slow => "hang_ms.SDF_InternalSign_ECC = 500\n".to_owned(),
            Fault::SessionsDropped => GOOD.to_owned(),
            Fault::Hanging => "hang_ms.SDF_InternalSign_ECC = 1500\n".to_owned(),
            Fault::WrongSignatures => "wrong_one_in = 3\n".to_owned(),
        };
        if matches!(fault, Fault::SessionsDropped | Fault::PasswordRevoked) {
            epoch += 1;
        }
        library.control(&(order + &epoch_line(epoch)));
        std::thread::sleep(lasts);
        library.control(&(GOOD.to_owned() + &epoch_line(epoch)));
        if matches!(fault, Fault::PasswordRevoked) {
            // What a person does who has put the password right.
            store.try_again();
        }
        let repaired = Instant::now();
        let mut reached = 0;
        while reached * 10 < normal * 9 {
            assert!(
                repaired.elapsed() < BACK_WITHIN,
                "{fault:?}: {reached} of {normal} signatures a second after the repair; {:?}",
                store.status()
            );
            reached = throughput(counts);
        }
        let back = repaired.elapsed();
        slowest = slowest.max(back);
        println!("{fault:?} for {lasts:?}: {reached} of {normal} a second within {back:?}");
    }
    println!(
        "{} signed, {} refused; the slowest way back took {slowest:?}",
        counts.signed.load(Ordering::Relaxed),
        counts.refused.load(Ordering::Relaxed)
    );
}
