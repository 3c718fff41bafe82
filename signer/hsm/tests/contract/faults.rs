//! What an SDF device does wrong, and what becomes of it.

use std::time::{Duration, Instant};

use yinxin_hsm::{
    DeviceKeyStore, DeviceState, FieldLayout, OpenError, Pkcs11Library, PoolSettings, SdfError,
    SdfKeyKind, SdfSettings, SharedKey,
};
use yinxin_keys_dev::{DevKey, KeyKind};
use yinxin_pki::{PublicKey, SignatureAlgorithm, verify_signature};
use yinxin_signer::keys::{KeyStore, KeyStoreError};

use crate::sdf::key;
use crate::suite::{KEY, eventually, pool, up};
use crate::support::TestLibrary;

fn settings(library: &TestLibrary, kind: SdfKeyKind) -> SdfSettings {
    SdfSettings {
        library: library.path(),
        layout: FieldLayout::Bytes64,
        keys: vec![key(kind)],
    }
}

fn open(settings: SdfSettings) -> Result<DeviceKeyStore, OpenError> {
    up(settings.start("device", pool()))
}

fn sm2() -> (TestLibrary, DeviceKeyStore) {
    sm2_with(pool())
}

fn sm2_with(pool: PoolSettings) -> (TestLibrary, DeviceKeyStore) {
    let library = TestLibrary::new();
    let started = settings(&library, SdfKeyKind::Sm2).start("device", pool);
    (library, up(started).unwrap())
}

fn sign(store: &dyn KeyStore) -> Result<Vec<u8>, KeyStoreError> {
    store.sign(KEY, &SignatureAlgorithm::Sm2Sm3, b"a message")
}

#[test]
fn every_documented_code_is_told_by_its_name_and_the_device_is_used_again() {
    let (library, store) = sm2();
    for code in (0x0100_0001..=0x0100_001f).chain([0x0101_0001]) {
        library.control(&format!("code.SDF_InternalSign_ECC = {code:#x}"));
        let error = SdfError::from_code(code).unwrap();
        let told = sign(&store).unwrap_err();
        match &told {
            KeyStoreError::NoSuchKey { .. } => assert_eq!(error, SdfError::KeyNotExist),
            KeyStoreError::DeviceUnavailable { answer, .. } => {
                assert!(error.is_loss());
                assert_eq!(*answer, error.to_string());
            }
            KeyStoreError::DeviceRefused {
                operation, answer, ..
            } => {
                assert_eq!(*operation, "SDF_InternalSign_ECC");
                assert_eq!(*answer, error.to_string());
            }
            other => panic!("{error}: {other}"),
        }
        library.control("");
        eventually(|| sign(&store).is_ok());
        eventually(|| store.status().sessions == 4);
    }
}

#[test]
fn a_device_that_comes_back_is_used_again_by_itself() {
    let (library, store) = sm2();
    library.control("dropped = 1");
    for _ in 0..3 {
        assert!(matches!(
            sign(&store),
            Err(KeyStoreError::DeviceUnavailable { .. })
        ));
    }
    eventually(|| store.status().state == DeviceState::Down);
    library.control("");
    // Without a caller.
    eventually(|| store.status().sessions == 4);
    assert!(sign(&store).is_ok());
}

#[test]
fn while_a_device_is_lost_callers_are_told_at_once() {
    let (library, store) = sm2();
    library.control("dropped = 1\nhang_ms.SDF_OpenDevice = 300");
    eventually(|| sign(&store).is_err() && store.status().state == DeviceState::Down);
    let start = Instant::now();
    for _ in 0..100 {
        assert!(sign(&store).is_err());
    }
    assert!(start.elapsed() < Duration::from_millis(200));
}

#[test]
fn a_password_refused_while_reconnecting_is_never_tried_again_by_itself() {
    let (library, store) = sm2();
    library.control("dropped = 1");
    eventually(|| sign(&store).is_err() && store.status().sessions == 0);
    library.control("password = 22222222");
    eventually(|| matches!(sign(&store), Err(KeyStoreError::WrongPin { .. })));
    assert_eq!(store.status().state, DeviceState::PinRefused);
    assert_eq!(library.refused_passwords(), 1, "four sessions, one try");
    // Even the right password is not offered: a person must look at the device first.
    library.control("");
    std::thread::sleep(Duration::from_millis(200));
    assert!(matches!(sign(&store), Err(KeyStoreError::WrongPin { .. })));
    store.try_again();
    eventually(|| sign(&store).is_ok());
}

#[test]
fn a_wrong_password_is_tried_once_by_all_sessions_together() {
    let library = TestLibrary::new();
    library.control("password = 22222222");
    let store = settings(&library, SdfKeyKind::Sm2)
        .start("device", pool())
        .unwrap();
    assert!(matches!(
        store.wait_until_up(Duration::from_secs(10)),
        Err(OpenError::Key(KeyStoreError::WrongPin { .. }))
    ));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(library.refused_passwords(), 1);
}

#[test]
fn a_device_that_comes_back_with_lies_is_refused() {
    let (library, store) = sm2();
    library.control("dropped = 1");
    eventually(|| sign(&store).is_err() && store.status().sessions == 0);
    library.control("wrong_signature = 1");
    eventually(|| matches!(sign(&store), Err(KeyStoreError::SelfTestFailed { .. })));
    library.control("");
    eventually(|| sign(&store).is_ok());
}

#[test]
fn a_wrong_signature_now_and_then_reaches_nobody() {
    let (library, store) = sm2();
    library.control("wrong_one_in = 10");
    let spki_der = store.public_key_spki(KEY).unwrap();
    let key = PublicKey::from_spki_der(&spki_der).unwrap();
    for _ in 0..100 {
        let signature = sign(&store).unwrap();
        verify_signature(&key, &SignatureAlgorithm::Sm2Sm3, b"a message", &signature).unwrap();
    }
    let status = store.status();
    assert!(status.wrong_signatures >= 5, "{status:?}");
    assert_eq!(status.signed, 100);
}

#[test]
fn a_hanging_device_costs_a_bounded_number_of_threads_and_no_caller_its_time() {
    let (library, store) = sm2_with(PoolSettings {
        sessions: 2,
        stuck_max: 3,
        sign_max: Duration::from_millis(400),
        hang_max: Duration::from_millis(100),
        connect_max: Duration::from_millis(300),
        ..pool()
    });
    eventually(|| store.status().sessions == 2);
    library.control("hang_ms.SDF_InternalSign_ECC = 3000");
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let asked = Instant::now();
                    assert!(sign(&store).is_err());
                    assert!(asked.elapsed() < Duration::from_millis(700));
                }
            });
        }
    });
    assert!(start.elapsed() < Duration::from_millis(2900));
    let status = store.status();
    assert!((1..=5).contains(&status.stuck), "{status:?}");
    library.control("");
    eventually(|| sign(&store).is_ok());
    eventually(|| store.status().stuck == 0 && store.status().sessions == 2);
    eventually(|| library.open_sessions() == 2);
}

#[test]
fn a_full_line_and_a_time_that_is_up_are_refused_with_their_limit() {
    let (library, store) = sm2_with(PoolSettings {
        sessions: 1,
        waiting_max: 2,
        sign_max: Duration::from_millis(500),
        hang_max: Duration::from_millis(500),
        ..pool()
    });
    library.control("hang_ms.SDF_InternalSign_ECC = 300");
    let told = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                if let Err(KeyStoreError::DeviceBusy { limit, .. }) = sign(&store) {
                    told.lock().unwrap().push(limit);
                }
            });
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let mut told = told.into_inner().unwrap();
    told.sort_unstable();
    // One signs, one more fits into half a second, one waits in vain, two find the line full.
    assert_eq!(
        told,
        ["sign_max in milliseconds", "waiting_max", "waiting_max"]
    );
    assert_eq!(store.status().refused_busy, 3);
    eventually(|| store.status().waiting == 0);
}

#[test]
fn a_second_device_with_the_same_key_takes_over() {
    let (first_library, first) = sm2();
    let second_library = first_library.copy();
    let second = open(settings(&second_library, SdfKeyKind::Sm2)).unwrap();
    let both = SharedKey::new(vec![first.clone(), second.clone()]);
    assert_eq!(
        first.public_key_spki(KEY).unwrap(),
        second.public_key_spki(KEY).unwrap()
    );
    assert!(sign(&both).is_ok());
    assert_eq!(second.status().signed, 0, "the first is the preferred one");

    first_library.control("dropped = 1");
    for _ in 0..10 {
        assert!(sign(&both).is_ok());
    }
    assert_eq!(second.status().signed, 10);
    assert_eq!((second.status().failovers, second.status().hedges), (10, 0));

    first_library.control("");
    eventually(|| first.status().sessions == 4);
    assert!(sign(&both).is_ok());
    assert_eq!(second.status().signed, 10);
}

#[test]
fn a_slow_device_is_overtaken_by_the_second() {
    let quick = PoolSettings {
        hedge_after: Duration::from_millis(50),
        ..pool()
    };
    let (first_library, first) = sm2_with(quick);
    let second_library = first_library.copy();
    let second = open(settings(&second_library, SdfKeyKind::Sm2)).unwrap();
    let both = SharedKey::new(vec![first, second.clone()]);
    first_library.control("hang_ms.SDF_InternalSign_ECC = 1000");
    let start = Instant::now();
    assert!(sign(&both).is_ok());
    assert!(start.elapsed() < Duration::from_millis(900));
    assert_eq!(second.status().signed, 1);
    assert_eq!((second.status().failovers, second.status().hedges), (0, 1));
}

#[test]
fn a_device_that_gives_fewer_sessions_than_wanted_is_used_with_those() {
    let library = TestLibrary::new();
    library.control("sessions_max = 2");
    let store = open(settings(&library, SdfKeyKind::Sm2)).unwrap();
    for _ in 0..20 {
        assert!(sign(&store).is_ok());
    }
    assert_eq!(store.status().sessions, 2);
    assert_eq!(store.status().state, DeviceState::Up);
}

#[test]
fn a_session_that_nobody_uses_is_checked_by_a_signature() {
    let (library, store) = sm2_with(PoolSettings {
        check_every: Duration::from_millis(50),
        ..pool()
    });
    eventually(|| store.status().sessions == 4);
    library.control("dropped = 1");
    eventually(|| store.status().state == DeviceState::Down);
    library.control("");
    eventually(|| store.status().sessions == 4);
}

#[test]
fn a_store_that_is_dropped_closes_its_sessions() {
    let (library, store) = sm2();
    eventually(|| library.open_sessions() == 4);
    drop(store);
    assert_eq!(library.open_sessions(), 0);
}

#[test]
fn a_device_that_is_away_at_the_start_is_used_when_it_comes() {
    let library = TestLibrary::new();
    library.control("dropped = 1");
    let store = settings(&library, SdfKeyKind::Sm2)
        .start("device", pool())
        .unwrap();
    assert!(matches!(
        store.wait_until_up(Duration::from_secs(10)),
        Err(OpenError::Key(KeyStoreError::DeviceUnavailable { .. }))
    ));
    assert!(store.public_key_spki(KEY).is_err());
    library.control("");
    eventually(|| sign(&store).is_ok());
    assert!(store.public_key_spki(KEY).is_ok());
}

#[test]
fn short_answers_are_refused() {
    for (function, kind) in [
        ("SDF_ExportSignPublicKey_ECC", SdfKeyKind::Sm2),
        ("SDF_InternalSign_ECC", SdfKeyKind::Sm2),
        ("SDF_ExportSignPublicKey_RSA", SdfKeyKind::Rsa),
        ("SDF_InternalPrivateKeyOperation_RSA", SdfKeyKind::Rsa),
    ] {
        let library = TestLibrary::with_rsa();
        for short in [1, 100, 1000] {
            library.control(&format!("short.{function} = {short}"));
            let error = open(settings(&library, kind)).unwrap_err();
            // One octet left as it was may still look like a number: then the self-test sees it.
            assert!(
                matches!(
                    error,
                    OpenError::Key(
                        KeyStoreError::BadAnswer { .. } | KeyStoreError::SelfTestFailed { .. }
                    )
                ),
                "{function} short of {short}: {error}"
            );
        }
    }
}

#[test]
fn the_wrong_layout_is_noticed_when_the_store_is_opened() {
    let library = TestLibrary::new();
    for (device, configured) in [(64, FieldLayout::Bytes32), (32, FieldLayout::Bytes64)] {
        library.control(&format!("layout = {device}"));
        let mut settings = settings(&library, SdfKeyKind::Sm2);
        settings.layout = configured;
        assert!(matches!(
            open(settings),
            Err(OpenError::Key(KeyStoreError::BadAnswer { .. }))
        ));
    }
}

#[test]
fn another_key_than_the_certificates_is_refused() {
    let library = TestLibrary::new();
    let mut settings = settings(&library, SdfKeyKind::Sm2);
    let other = DevKey::generate(KeyKind::Sm2).unwrap();
    settings.keys[0].public_key_spki = Some(other.spki_der().to_vec());
    assert!(matches!(
        open(settings),
        Err(OpenError::Key(KeyStoreError::SelfTestFailed { .. }))
    ));
}

#[test]
fn a_slow_device_is_waited_for() {
    let (library, store) = sm2();
    library.control("hang_ms.SDF_InternalSign_ECC = 200");
    let start = Instant::now();
    assert!(sign(&store).is_ok());
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn a_library_that_is_none_is_named() {
    let library = TestLibrary::new();
    let mut absent = settings(&library, SdfKeyKind::Sm2);
    absent.library.set_extension("absent");
    assert!(matches!(open(absent), Err(OpenError::Library { .. })));

    // A copy without the function a key needs: any library that is not an SDF one.
    let mut other = settings(&library, SdfKeyKind::Sm2);
    other.library = "libc.so.6".into();
    assert!(matches!(
        open(other),
        Err(OpenError::SymbolMissing {
            symbol: "SDF_OpenDevice",
            ..
        })
    ));
    assert!(matches!(
        Pkcs11Library::load("libc.so.6".as_ref()),
        Err(OpenError::Library { .. })
    ));
}
