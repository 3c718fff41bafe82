//! What every key store must do, whatever holds the keys.

use std::io::Write as _;
use std::sync::Arc;

use std::time::{Duration, Instant};

use yinxin_hsm::{DeviceKeyStore, OpenError, PoolSettings};
use yinxin_pki::{PublicKey, SignatureAlgorithm, verify_signature};
use yinxin_signer::keys::{KeyStore, KeyStoreError, RsaPadding};

/// The name of the key under test.
pub(crate) const KEY: &str = "seal";

/// Four sessions, and a device that is tried again soon.
pub(crate) fn pool() -> PoolSettings {
    PoolSettings {
        retry_min: Duration::from_millis(10),
        retry_max: Duration::from_millis(50),
        ..PoolSettings::default()
    }
}

/// The store once its device is up, or why it is not.
pub(crate) fn up(started: Result<DeviceKeyStore, OpenError>) -> Result<DeviceKeyStore, OpenError> {
    let store = started?;
    store.wait_until_up(Duration::from_secs(60))?;
    Ok(store)
}

/// The same for the contract.
pub(crate) fn boxed(
    started: Result<DeviceKeyStore, OpenError>,
) -> Result<Box<dyn KeyStore>, OpenError> {
    up(started).map(|store| -> Box<dyn KeyStore> { Box::new(store) })
}

/// Waits until something holds that a pool brings about by itself.
pub(crate) fn eventually(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "it never came true");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How a store is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// As it should be.
    Right,
    /// With a PIN, password or passphrase that is not the right one.
    WrongSecret,
    /// For a key that is not there.
    MissingKey,
    /// With two keys that answer to one name.
    TwoOfOneName,
    /// On a device whose signatures its public key does not verify.
    SignsWrongly,
}

/// A key store that can be made, rightly and wrongly.
pub(crate) trait Device: Sized {
    /// A fresh device; `None` when the test is skipped or has run in a process of its own.
    fn enter(test: &str) -> Option<Self>;
    /// What its key signs with.
    fn algorithm(&self) -> SignatureAlgorithm;
    /// The opened store; `None` when this kind of store cannot be asked for that.
    fn open(&self, ask: Ask) -> Option<Result<Box<dyn KeyStore>, OpenError>>;
}

/// A skip that shows even for a test that passes.
pub(crate) fn skip(what: &str, why: &str) {
    // Not eprintln!, which the test runner would swallow. Nobody to tell if this fails.
    let _ = std::io::stderr().write_all(format!("SKIPPED: {what}: {why}\n").as_bytes());
}

fn opened<D: Device>(device: &D) -> Box<dyn KeyStore> {
    device.open(Ask::Right).unwrap().unwrap()
}

fn refused<D: Device>(device: &D, ask: Ask) -> Option<OpenError> {
    match device.open(ask) {
        Some(Ok(_)) => panic!("{ask:?} was accepted"),
        Some(Err(error)) => Some(error),
        None => {
            skip("contract", &format!("this store knows no {ask:?}"));
            None
        }
    }
}

fn verify(store: &dyn KeyStore, algorithm: &SignatureAlgorithm, message: &[u8], signature: &[u8]) {
    let spki_der = store.public_key_spki(KEY).unwrap();
    let key = PublicKey::from_spki_der(&spki_der).unwrap();
    verify_signature(&key, algorithm, message, signature).unwrap();
    assert!(verify_signature(&key, algorithm, b"another message", signature).is_err());
}

pub(crate) fn signs_and_verifies<D: Device>(device: &D) {
    let (store, algorithm) = (opened(device), device.algorithm());
    let long = vec![0x5a; 1 << 20];
    for message in [&b""[..], b"a message", &long] {
        let signature = store.sign(KEY, &algorithm, message).unwrap();
        verify(&*store, &algorithm, message, &signature);
    }
}

pub(crate) fn refuses_another_algorithm<D: Device>(device: &D) {
    let others = match device.algorithm() {
        SignatureAlgorithm::Sm2Sm3 => vec![SignatureAlgorithm::EcdsaP256Sha256],
        // A key has one padding.
        SignatureAlgorithm::RsaPkcs1Sha256 => {
            vec![SignatureAlgorithm::Sm2Sm3, RsaPadding::Pss.algorithm()]
        }
        SignatureAlgorithm::RsaPss(_) => {
            vec![SignatureAlgorithm::Sm2Sm3, RsaPadding::Pkcs1.algorithm()]
        }
        _ => vec![SignatureAlgorithm::Sm2Sm3],
    };
    let store = opened(device);
    for other in others {
        assert!(matches!(
            store.sign(KEY, &other, b"a message"),
            Err(KeyStoreError::WrongAlgorithm { key, .. }) if key == KEY
        ));
    }
    let pads = store.rsa_padding(KEY).unwrap() == RsaPadding::Pss;
    assert_eq!(
        pads,
        matches!(device.algorithm(), SignatureAlgorithm::RsaPss(_))
    );
}

pub(crate) fn refuses_a_wrong_secret<D: Device>(device: &D) {
    let error = refused(device, Ask::WrongSecret).unwrap();
    // A file cannot tell a wrong passphrase from a broken file; a device can.
    assert!(
        matches!(
            error,
            OpenError::Key(KeyStoreError::WrongPin { .. } | KeyStoreError::Unusable { .. })
        ),
        "{error}"
    );
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("99999999"), "{shown}");
    let store = opened(device);
    assert!(store.sign(KEY, &device.algorithm(), b"after it").is_ok());
}

pub(crate) fn names_a_missing_key<D: Device>(device: &D) {
    let store = opened(device);
    assert!(matches!(
        store.sign("nobody", &device.algorithm(), b"a message"),
        Err(KeyStoreError::NoSuchKey { key }) if key == "nobody"
    ));
    assert!(store.public_key_spki("nobody").is_err());
    drop(store);
    if let Some(error) = refused(device, Ask::MissingKey) {
        assert!(
            matches!(error, OpenError::Key(KeyStoreError::NoSuchKey { .. })),
            "{error}"
        );
    }
}

pub(crate) fn refuses_two_keys_of_one_name<D: Device>(device: &D) {
    let error = refused(device, Ask::TwoOfOneName).unwrap();
    assert!(
        matches!(error, OpenError::Key(KeyStoreError::NameTaken { .. })),
        "{error}"
    );
}

pub(crate) fn serves_64_threads<D: Device>(device: &D) {
    let (store, algorithm) = (opened(device), device.algorithm());
    std::thread::scope(|scope| {
        for thread in 0..64 {
            let (store, algorithm) = (&*store, &algorithm);
            scope.spawn(move || {
                for turn in 0..2 {
                    let message = format!("thread {thread}, turn {turn}");
                    let signature = store.sign(KEY, algorithm, message.as_bytes()).unwrap();
                    verify(store, algorithm, message.as_bytes(), &signature);
                }
            });
        }
    });
}

/// Callers that nobody waits for any more leave the store as it was.
pub(crate) fn outlives_callers_that_go_away<D: Device>(device: &D) {
    let algorithm = device.algorithm();
    let store: Arc<dyn KeyStore> = Arc::from(opened(device));
    let mut forgotten = Vec::new();
    for turn in 0..16_u8 {
        let (store, algorithm) = (Arc::clone(&store), algorithm.clone());
        forgotten.push(std::thread::spawn(move || {
            store.sign(KEY, &algorithm, &[turn]).is_ok()
        }));
    }
    let signature = store.sign(KEY, &algorithm, b"a message").unwrap();
    verify(&*store, &algorithm, b"a message", &signature);
    // Only so that the process does not end under them: a vendor's library may not bear that.
    for one in forgotten {
        assert!(one.join().unwrap());
    }
}

pub(crate) fn refuses_a_device_that_signs_wrongly<D: Device>(device: &D) {
    if let Some(error) = refused(device, Ask::SignsWrongly) {
        assert!(
            matches!(error, OpenError::Key(KeyStoreError::SelfTestFailed { .. })),
            "{error}"
        );
    }
}

/// The contract as tests of a [`Device`], in a module of the given name.
#[macro_export]
macro_rules! key_store_contract {
    ($module:ident, $device:ty) => {
        mod $module {
            $crate::key_store_contract!(@tests $module, $device,
                signs_and_verifies
                refuses_another_algorithm
                refuses_a_wrong_secret
                names_a_missing_key
                refuses_two_keys_of_one_name
                serves_64_threads
                outlives_callers_that_go_away
                refuses_a_device_that_signs_wrongly
            );
        }
    };
    (@tests $module:ident, $device:ty, $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                let name = concat!(stringify!($module), "::", stringify!($test));
                if let Some(device) = <$device as $crate::suite::Device>::enter(name) {
                    $crate::suite::$test(&device);
                }
            }
        )*
    };
}
