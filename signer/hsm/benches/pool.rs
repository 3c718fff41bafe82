//! RSA-2048 in SoftHSM2: through a pool of as many sessions as processors, through one session,
//! and by calling the library directly with as many threads. `cargo bench -p yinxin-hsm --bench
//! pool`; without `--bench` the same for a moment, so that it does not rot.
//!
//! The three are measured in turns, and the medians of the turns' ratios are printed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use yinxin_hsm::{
    DeviceKeyStore, Pkcs11Key, Pkcs11KeyKind, Pkcs11Library, Pkcs11Settings, PoolSettings, Secret,
    TokenSelector,
};
use yinxin_keys_dev::{DevKey, KeyKind, softhsm_library};
use yinxin_pki::{SignatureAlgorithm, to_pem};
use yinxin_signer::keys::KeyStore as _;

const KEY: &str = "seal";
const LABEL: &str = "seal key";
const TOKEN: &str = "yinxin bench";
const PIN: &str = "11111111";
const MESSAGE: &[u8] = b"what is signed is hashed by the token";

fn main() {
    let Some(library) = softhsm_library() else {
        let _ = std::io::stderr()
            .write_all(b"SKIPPED: bench of pools: SoftHSM2 is not installed (Debian: softhsm2)\n");
        return;
    };
    if std::env::var_os("YINXIN_POOL_BENCH").is_none() {
        return in_a_process_of_its_own();
    }
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (turns, time) = if is_bench {
        (5, Duration::from_secs(2))
    } else {
        (1, Duration::from_millis(100))
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let many = pool(&library, threads);
    let one = pool(&library, 1);
    let (mut to_one, mut to_raw) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        // One caller more than sessions, so that a session never waits for one.
        let pooled = rate(threads + 1, time, || sign(&many));
        let alone = rate(threads + 1, time, || sign(&one));
        let direct = direct(&library, threads, time);
        println!(
            "{threads} sessions {pooled:.0}/s, one session {alone:.0}/s, {threads} threads directly {direct:.0}/s"
        );
        to_one.push(pooled / alone);
        to_raw.push(pooled / direct);
    }
    println!(
        "pool to one session {:.2}, pool to the library itself {:.2} (medians of {turns})",
        median(to_one),
        median(to_raw)
    );
    println!("{:#?}", many.status());
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Calls a second, by so many threads.
fn rate(threads: usize, time: Duration, call: impl Fn() + Sync) -> f64 {
    let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    call();
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
    });
    calls.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

fn pool(library: &Path, sessions: usize) -> DeviceKeyStore {
    let settings = Pkcs11Settings {
        library: Pkcs11Library::load(library).unwrap(),
        token: TokenSelector {
            label: Some(TOKEN.to_owned()),
            serial: None,
        },
        pin: Secret::new(PIN.as_bytes().to_vec()),
        keys: vec![Pkcs11Key {
            name: KEY.to_owned(),
            label: Some(LABEL.to_owned()),
            id: None,
            kind: Pkcs11KeyKind::Rsa,
            public_key_spki: None,
        }],
    };
    let pool = PoolSettings {
        sessions,
        ..PoolSettings::default()
    };
    let store = settings.start("bench", pool).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while store.status().sessions < sessions {
        assert!(Instant::now() < end, "{:?}", store.status());
        std::thread::sleep(Duration::from_millis(10));
    }
    store
}

fn sign(store: &DeviceKeyStore) {
    store
        .sign(KEY, &SignatureAlgorithm::RsaPkcs1Sha256, MESSAGE)
        .unwrap();
}

/// The library without us: a session for each thread.
fn direct(library: &Path, threads: usize, time: Duration) -> f64 {
    let library = Pkcs11::new(library).unwrap();
    let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let slot = library.get_slots_with_initialized_token().unwrap()[0];
            let session = library.open_ro_session(slot).unwrap();
            // The pools have logged this process in already.
            let _ = session.login(UserType::User, Some(&AuthPin::new(PIN.into())));
            let private = [Attribute::Class(ObjectClass::PRIVATE_KEY)];
            let key = session.find_objects(&private).unwrap()[0];
            let (stop, calls) = (&stop, &calls);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let signed = session.sign(&Mechanism::Sha256RsaPkcs, key, MESSAGE);
                    assert_eq!(signed.unwrap().len(), 256);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
    });
    calls.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

/// SoftHSM2 takes its folder from the environment of the process.
fn in_a_process_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(&configuration, text).unwrap();
    let file: PathBuf = folder.path().join("key.pem");
    let key = DevKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap();
    std::fs::write(&file, to_pem("PRIVATE KEY", key.pkcs8_der())).unwrap();
    let util = |arguments: &[&str]| {
        let done = Command::new("softhsm2-util")
            .args(arguments)
            .env("SOFTHSM2_CONF", &configuration)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let token = ["--init-token", "--free", "--label", TOKEN, "--so-pin", PIN];
    util(&[&token[..], &["--pin", PIN]].concat());
    let import = ["--import", file.to_str().unwrap(), "--token", TOKEN];
    util(&[&import[..], &["--label", LABEL, "--id", "01", "--pin", PIN]].concat());
    let status = Command::new(std::env::current_exe().unwrap())
        .args(std::env::args_os().skip(1))
        .env("SOFTHSM2_CONF", &configuration)
        .env("YINXIN_POOL_BENCH", "1")
        .status()
        .unwrap();
    assert!(status.success());
}
