//! Encrypted files, held in memory.

use yinxin_hsm::OpenError;
use yinxin_keys_dev::{DevKey, KeyKind, encrypt_key_pem};
use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::{KeyStore, RsaPadding, SoftwareKeyStore};

use crate::suite::{Ask, Device, KEY};

pub(crate) struct Rsa(File);
pub(crate) struct RsaPss(File);
pub(crate) struct P256(File);
pub(crate) struct Sm2(File);
pub(crate) struct Sm2Prepared(File);

struct File {
    pem: String,
    algorithm: SignatureAlgorithm,
    new_store: fn() -> SoftwareKeyStore,
}

impl File {
    fn new(
        kind: KeyKind,
        algorithm: SignatureAlgorithm,
        new_store: fn() -> SoftwareKeyStore,
    ) -> Self {
        let key = DevKey::generate(kind).unwrap();
        Self {
            pem: encrypt_key_pem(&key, b"11111111").unwrap(),
            algorithm,
            new_store,
        }
    }

    fn open(&self, ask: Ask) -> Option<Result<Box<dyn KeyStore>, OpenError>> {
        let passphrase: &[u8] = match ask {
            Ask::Right | Ask::TwoOfOneName => b"11111111",
            Ask::WrongSecret => b"99999999",
            Ask::MissingKey | Ask::SignsWrongly => return None,
        };
        let mut store = (self.new_store)();
        let times = if ask == Ask::TwoOfOneName { 2 } else { 1 };
        for _ in 0..times {
            if let Err(error) = store.open_encrypted(KEY, self.pem.as_bytes(), passphrase) {
                return Some(Err(error.into()));
            }
        }
        Some(Ok(Box::new(store)))
    }
}

macro_rules! device {
    ($device:ident, $kind:expr, $algorithm:expr, $store:path) => {
        impl Device for $device {
            fn enter(_test: &str) -> Option<Self> {
                Some(Self(File::new($kind, $algorithm, $store)))
            }

            fn algorithm(&self) -> SignatureAlgorithm {
                self.0.algorithm.clone()
            }

            fn open(&self, ask: Ask) -> Option<Result<Box<dyn KeyStore>, OpenError>> {
                self.0.open(ask)
            }
        }
    };
}

fn pss_store() -> SoftwareKeyStore {
    SoftwareKeyStore::new().with_rsa_padding(RsaPadding::Pss)
}

device!(
    Rsa,
    KeyKind::Rsa { bits: 2048 },
    RsaPadding::Pkcs1.algorithm(),
    SoftwareKeyStore::new
);
device!(
    RsaPss,
    KeyKind::Rsa { bits: 2048 },
    RsaPadding::Pss.algorithm(),
    pss_store
);
device!(
    P256,
    KeyKind::P256,
    SignatureAlgorithm::EcdsaP256Sha256,
    SoftwareKeyStore::new
);
device!(
    Sm2,
    KeyKind::Sm2,
    SignatureAlgorithm::Sm2Sm3,
    SoftwareKeyStore::new
);
device!(
    Sm2Prepared,
    KeyKind::Sm2,
    SignatureAlgorithm::Sm2Sm3,
    SoftwareKeyStore::with_prepared_nonces
);
