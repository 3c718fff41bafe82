//! SoftHSM2 from the distribution, with one key pair made through PKCS#11.
//!
//! SoftHSM2 takes its folder from the environment of the process and knows one login for all of
//! it, so that each test runs in a process of its own: this executable, called again.

use std::path::Path;
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::Attribute;
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use yinxin_hsm::{
    DeviceKeyStore, NewTokenKey, NewTokenKeyKind, OpenError, Pkcs11Key, Pkcs11KeyKind,
    Pkcs11Library, Pkcs11Settings, Secret, TokenManager, TokenSelector,
};
use yinxin_keys_dev::{DevKey, KeyKind};
use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::{KeyStore, KeyStoreError, RsaPadding};

use crate::suite::{Ask, Device, KEY, boxed, eventually, pool, skip, up};

/// Where Debian and Fedora put it.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
const TOKEN: &str = "yinxin test";
const PIN: &str = "11111111";
/// secp256r1 as CKA_EC_PARAMS.
const P256_PARAMETERS: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

pub(crate) struct Rsa(Token);
pub(crate) struct RsaPss(Token);
pub(crate) struct P256(Token);

struct Token {
    library: Pkcs11Library,
    raw: Pkcs11,
    kind: Pkcs11KeyKind,
}

impl Token {
    /// A token with one key pair; `configuration` is added to SoftHSM2's.
    fn enter(test: &str, kind: Pkcs11KeyKind, configuration: &str) -> Option<Self> {
        let Some(path) = LIBRARIES.iter().map(Path::new).find(|path| path.exists()) else {
            skip(test, "SoftHSM2 is not installed (Debian: softhsm2)");
            return None;
        };
        if std::env::var_os("YINXIN_SOFTHSM_TEST").is_none() {
            run_in_a_process_of_its_own(test, configuration);
            return None;
        }
        let library = Pkcs11Library::load(path).unwrap();
        let raw = Pkcs11::new(path).unwrap();
        // The library is initialised already; a second call says so and changes nothing.
        assert!(
            raw.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
                .is_err()
        );
        let slot = raw.get_all_slots().unwrap()[0];
        let officer = AuthPin::new("22222222".into());
        raw.init_token(slot, &officer, TOKEN).unwrap();
        let token = Self { library, raw, kind };
        let session = token
            .raw
            .open_rw_session(token.raw.get_slots_with_initialized_token().unwrap()[0])
            .unwrap();
        session.login(UserType::So, Some(&officer)).unwrap();
        session.init_pin(&AuthPin::new(PIN.into())).unwrap();
        drop(session);
        token.make_key_pair(1);
        Some(token)
    }

    fn make_key_pair(&self, id: u8) {
        let slot = self.raw.get_slots_with_initialized_token().unwrap()[0];
        let session = self.raw.open_rw_session(slot).unwrap();
        session
            .login(UserType::User, Some(&AuthPin::new(PIN.into())))
            .unwrap();
        let named = |rest: Vec<Attribute>| {
            let mut template = vec![
                Attribute::Token(true),
                Attribute::Label(b"seal key".to_vec()),
                Attribute::Id(vec![id]),
            ];
            template.extend(rest);
            template
        };
        let (mechanism, public) = match self.kind {
            Pkcs11KeyKind::Rsa | Pkcs11KeyKind::RsaPss => (
                Mechanism::RsaPkcsKeyPairGen,
                vec![
                    Attribute::ModulusBits(2048.into()),
                    Attribute::PublicExponent(vec![1, 0, 1]),
                ],
            ),
            _ => (
                Mechanism::EccKeyPairGen,
                vec![Attribute::EcParams(P256_PARAMETERS.to_vec())],
            ),
        };
        let private = named(vec![
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ]);
        session
            .generate_key_pair(&mechanism, &named(public), &private)
            .unwrap();
    }

    fn key(&self) -> Pkcs11Key {
        Pkcs11Key {
            name: KEY.to_owned(),
            label: Some("seal key".to_owned()),
            id: None,
            kind: self.kind.clone(),
            public_key_spki: None,
        }
    }

    fn open(&self, ask: Ask) -> Option<Result<Box<dyn KeyStore>, OpenError>> {
        let mut key = self.key();
        let mut pin = PIN;
        match ask {
            Ask::Right => {}
            Ask::WrongSecret => pin = "99999999",
            Ask::MissingKey => key.label = Some("no such label".to_owned()),
            Ask::TwoOfOneName => {
                self.make_key_pair(2);
                // Its id tells it from the other.
                let mut told_apart = key.clone();
                told_apart.id = Some(vec![2]);
                assert!(self.open_with(PIN, told_apart).is_ok());
            }
            Ask::SignsWrongly => {
                let kind = match self.kind {
                    Pkcs11KeyKind::Rsa | Pkcs11KeyKind::RsaPss => KeyKind::Rsa { bits: 2048 },
                    _ => KeyKind::P256,
                };
                let other = DevKey::generate(kind).unwrap();
                key.public_key_spki = Some(other.spki_der().to_vec());
            }
        }
        Some(self.open_with(pin, key))
    }

    fn start(
        &self,
        pin: &str,
        key: Pkcs11Key,
        serial: Option<String>,
    ) -> Result<DeviceKeyStore, OpenError> {
        let settings = Pkcs11Settings {
            library: self.library.clone(),
            token: TokenSelector {
                label: Some(TOKEN.to_owned()),
                serial,
            },
            pin: Secret::new(pin.as_bytes().to_vec()),
            keys: vec![key],
        };
        settings.start("softhsm", pool())
    }

    fn open_with(&self, pin: &str, key: Pkcs11Key) -> Result<Box<dyn KeyStore>, OpenError> {
        boxed(self.start(pin, key, None))
    }
}

fn run_in_a_process_of_its_own(test: &str, more: &str) {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n{more}\n",
        tokens.display()
    );
    std::fs::write(&configuration, text).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env("SOFTHSM2_CONF", configuration)
        .env("YINXIN_SOFTHSM_TEST", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

macro_rules! device {
    ($device:ident, $kind:expr) => {
        impl Device for $device {
            fn enter(test: &str) -> Option<Self> {
                Token::enter(test, $kind, "").map(Self)
            }

            fn algorithm(&self) -> SignatureAlgorithm {
                match self.0.kind {
                    Pkcs11KeyKind::Rsa => RsaPadding::Pkcs1.algorithm(),
                    Pkcs11KeyKind::RsaPss => RsaPadding::Pss.algorithm(),
                    _ => SignatureAlgorithm::EcdsaP256Sha256,
                }
            }

            fn open(&self, ask: Ask) -> Option<Result<Box<dyn KeyStore>, OpenError>> {
                self.0.open(ask)
            }
        }
    };
}

device!(Rsa, Pkcs11KeyKind::Rsa);
device!(RsaPss, Pkcs11KeyKind::RsaPss);
device!(P256, Pkcs11KeyKind::P256);

#[test]
fn tokens_are_told_apart_by_label_and_serial() {
    let name = "softhsm::tokens_are_told_apart_by_label_and_serial";
    let Some(token) = Token::enter(name, Pkcs11KeyKind::P256, "") else {
        return;
    };
    let spare = token
        .raw
        .get_all_slots()
        .unwrap()
        .into_iter()
        .find(|slot| !token.raw.get_token_info(*slot).unwrap().token_initialized())
        .unwrap();
    let open = |serial: Option<String>| {
        let key = Pkcs11Key {
            name: KEY.to_owned(),
            label: None,
            id: Some(vec![1]),
            kind: Pkcs11KeyKind::P256,
            public_key_spki: None,
        };
        up(token.start(PIN, key, serial))
    };
    let slot = token.raw.get_slots_with_initialized_token().unwrap()[0];
    let serial = token.raw.get_token_info(slot).unwrap();
    let serial = serial.serial_number().trim_end().to_owned();
    assert!(open(None).is_ok());

    let officer = AuthPin::new("22222222".into());
    token.raw.init_token(spare, &officer, TOKEN).unwrap();
    assert!(matches!(
        open(None),
        Err(OpenError::TokenAmbiguous { count: 2, .. })
    ));
    assert!(open(Some(serial)).is_ok());
    assert!(matches!(
        open(Some("0000".to_owned())),
        Err(OpenError::NoSuchToken { .. })
    ));
}

#[test]
fn a_token_without_the_hashing_mechanism_signs_our_digest() {
    let name = "softhsm::a_token_without_the_hashing_mechanism_signs_our_digest";
    let less = "slots.mechanisms = CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_RSA_PKCS";
    let Some(token) = Token::enter(name, Pkcs11KeyKind::Rsa, less) else {
        return;
    };
    let slot = token.raw.get_slots_with_initialized_token().unwrap()[0];
    let mechanisms = token.raw.get_mechanism_list(slot).unwrap();
    assert!(!mechanisms.contains(&MechanismType::SHA256_RSA_PKCS));
    assert!(mechanisms.contains(&MechanismType::RSA_PKCS));
    crate::suite::signs_and_verifies(&Rsa(token));
}

#[test]
fn a_token_without_the_hashing_mechanism_pads_our_digest_with_pss() {
    let name = "softhsm::a_token_without_the_hashing_mechanism_pads_our_digest_with_pss";
    let less = "slots.mechanisms = CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_RSA_PKCS_PSS";
    let Some(token) = Token::enter(name, Pkcs11KeyKind::RsaPss, less) else {
        return;
    };
    let slot = token.raw.get_slots_with_initialized_token().unwrap()[0];
    let mechanisms = token.raw.get_mechanism_list(slot).unwrap();
    assert!(!mechanisms.contains(&MechanismType::SHA256_RSA_PKCS_PSS));
    assert!(mechanisms.contains(&MechanismType::RSA_PKCS_PSS));
    crate::suite::signs_and_verifies(&RsaPss(token));
}

#[test]
fn a_store_whose_sessions_are_gone_connects_again() {
    let name = "softhsm::a_store_whose_sessions_are_gone_connects_again";
    let Some(token) = Token::enter(name, Pkcs11KeyKind::P256, "") else {
        return;
    };
    let store = token.start(PIN, token.key(), None).unwrap();
    let algorithm = SignatureAlgorithm::EcdsaP256Sha256;
    assert!(store.sign(KEY, &algorithm, b"before").is_ok());
    // The library must not be shut while a thread is inside it (PKCS#11, 5.4, C_Finalize), as those
    // are that still connect.
    eventually(|| store.status().sessions == pool().sessions);
    // The nearest to a token that is pulled out and put in again: all sessions are gone.
    token.raw.clone().finalize().unwrap();
    let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    token.raw.initialize(arguments).unwrap();
    // A call may meet all the lost sessions and be told; soon none is.
    eventually(|| store.sign(KEY, &algorithm, b"after").is_ok());
}

#[test]
fn keys_are_made_shown_and_destroyed() {
    let name = "softhsm::keys_are_made_shown_and_destroyed";
    let Some(token) = Token::enter(name, Pkcs11KeyKind::Rsa, "") else {
        return;
    };
    let selector = TokenSelector {
        label: Some(TOKEN.to_owned()),
        serial: None,
    };
    let pin = Secret::new(PIN.as_bytes().to_vec());
    let wrong = Secret::new(b"99999999".to_vec());
    assert!(matches!(
        TokenManager::login(&token.library, &selector, &wrong),
        Err(OpenError::Key(KeyStoreError::WrongPin { .. }))
    ));
    let manager = TokenManager::login(&token.library, &selector, &pin).unwrap();
    assert_eq!(manager.token().unwrap().label, TOKEN);
    let algorithms = [
        SignatureAlgorithm::RsaPkcs1Sha256,
        SignatureAlgorithm::RsaPkcs1Sha256,
        SignatureAlgorithm::EcdsaP256Sha256,
    ];
    let kinds = [
        (NewTokenKeyKind::Rsa { bits: 2048 }, Pkcs11KeyKind::Rsa),
        (NewTokenKeyKind::Rsa { bits: 3072 }, Pkcs11KeyKind::Rsa),
        (NewTokenKeyKind::P256, Pkcs11KeyKind::P256),
    ];
    for ((new, kind), (id, algorithm)) in kinds.into_iter().zip((0x40..).zip(algorithms)) {
        let label = format!("made {id}");
        let key = NewTokenKey {
            label: label.clone(),
            id: vec![id],
            kind: new,
        };
        let made = manager.generate(&key).unwrap();
        assert!(made.never_left(), "{made:?}");
        assert!(matches!(
            manager.generate(&key),
            Err(KeyStoreError::NameTaken { .. })
        ));
        let shown = manager.keys(Some(&label), Some(&[id])).unwrap();
        assert_eq!(shown, [made]);

        let key = Pkcs11Key {
            name: KEY.to_owned(),
            label: Some(label.clone()),
            id: Some(vec![id]),
            kind,
            public_key_spki: None,
        };
        let store = token.open_with(PIN, key).unwrap();
        assert!(store.sign(KEY, &algorithm, b"message").is_ok());
        drop(store);
        assert_eq!(manager.destroy(&label, &[id]).unwrap(), 2);
        assert!(matches!(
            manager.destroy(&label, &[id]),
            Err(KeyStoreError::NoSuchKey { .. })
        ));
    }
    assert_eq!(manager.keys(None, None).unwrap().len(), 1);
}
