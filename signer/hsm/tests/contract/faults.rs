//! What an SDF device does wrong, and what becomes of it.

use std::time::{Duration, Instant};

use yinxin_hsm::{
    FieldLayout, OpenError, Pkcs11Library, SdfError, SdfKeyKind, SdfKeyStore, SdfSettings,
};
use yinxin_keys_dev::{DevKey, KeyKind};
use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::{KeyStore as _, KeyStoreError};

use crate::sdf::{TestLibrary, key};
use crate::suite::KEY;

fn settings(library: &TestLibrary, kind: SdfKeyKind) -> SdfSettings {
    SdfSettings {
        library: library.path(),
        layout: FieldLayout::Bytes64,
        keys: vec![key(kind)],
    }
}

fn sm2() -> (TestLibrary, SdfKeyStore) {
    let library = TestLibrary::new();
    let store = SdfKeyStore::open(settings(&library, SdfKeyKind::Sm2)).unwrap();
    (library, store)
}

fn sign(store: &SdfKeyStore) -> Result<Vec<u8>, KeyStoreError> {
    store.sign(KEY, &SignatureAlgorithm::Sm2Sm3, b"a message")
}

#[test]
fn every_documented_code_is_told_by_its_name_and_the_next_call_works() {
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
        assert!(sign(&store).is_ok(), "after {error}");
    }
}

#[test]
fn a_device_that_comes_back_is_used_again() {
    let (library, store) = sm2();
    library.control("dropped = 1");
    for _ in 0..3 {
        assert!(matches!(
            sign(&store),
            Err(KeyStoreError::DeviceUnavailable { .. })
        ));
    }
    library.control("");
    assert!(sign(&store).is_ok());
}

#[test]
fn a_password_refused_while_reconnecting_is_never_tried_again() {
    let (library, store) = sm2();
    library.control("dropped = 1");
    assert!(sign(&store).is_err());
    library.control("password = 22222222");
    assert!(matches!(sign(&store), Err(KeyStoreError::WrongPin { .. })));
    // Even the right password is not offered: a person must look at the device first.
    library.control("");
    assert!(matches!(sign(&store), Err(KeyStoreError::WrongPin { .. })));
}

#[test]
fn a_device_that_comes_back_with_lies_is_refused() {
    let (library, store) = sm2();
    library.control("dropped = 1");
    assert!(sign(&store).is_err());
    library.control("wrong_signature = 1");
    assert!(matches!(
        sign(&store),
        Err(KeyStoreError::SelfTestFailed { .. })
    ));
    library.control("");
    assert!(sign(&store).is_ok());
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
            let error = SdfKeyStore::open(settings(&library, kind)).unwrap_err();
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
            SdfKeyStore::open(settings),
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
        SdfKeyStore::open(settings),
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
    assert!(matches!(
        SdfKeyStore::open(absent),
        Err(OpenError::Library { .. })
    ));

    // A copy without the function a key needs: any library that is not an SDF one.
    let mut other = settings(&library, SdfKeyKind::Sm2);
    other.library = "libc.so.6".into();
    assert!(matches!(
        SdfKeyStore::open(other),
        Err(OpenError::SymbolMissing {
            symbol: "SDF_OpenDevice",
            ..
        })
    ));
    assert!(matches!(
        Pkcs11Library::load(&library.path()),
        Err(OpenError::Library { .. })
    ));
}
