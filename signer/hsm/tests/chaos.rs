//! A device that fails in every way while 32 callers sign. Thirty seconds with the tests;
//! `yinxin_sdf_test::chaos` says how to have it longer, or the same again.
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
use yinxin_sdf_test::chaos::{Chaos, Signs};
use yinxin_signer::keys::{KeyStore as _, KeyStoreError};

const KEY: &str = "seal";
const CALLERS: usize = 32;
const SESSIONS: usize = 8;
const SIGN_MAX: Duration = Duration::from_secs(2);
/// What a caller may wait beyond its deadline: the machine is shared.
const LATE_MAX: Duration = Duration::from_secs(1);

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

/// The pool in its torment.
struct Pool<'a> {
    library: &'a TestLibrary,
    store: &'a DeviceKeyStore,
    counts: &'a Counts,
}

impl Signs for Pool<'_> {
    fn control(&self, lines: &str) {
        self.library.control(lines);
    }

    fn forgive(&self) {
        self.store.try_again();
    }

    fn done(&self) -> u64 {
        self.counts.signed.load(Ordering::Relaxed)
    }

    fn state(&self) -> String {
        format!("{:?}", self.store.status())
    }
}

#[test]
fn callers_are_answered_rightly_or_told_and_the_pool_heals() {
    let chaos = Chaos::from_environment(10, 1500, 30);
    let library = TestLibrary::new();
    library.control(&chaos.good());
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
            chaos.torment(&Pool {
                library: &library,
                store: &store,
                counts: &counts,
            });
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
    println!(
        "{} refused; {status:#?}",
        counts.refused.load(Ordering::Relaxed)
    );
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
