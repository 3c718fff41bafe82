//! The SDF test library, one copy of its file to a test.

use yinxin_hsm::{FieldLayout, OpenError, SdfKey, SdfKeyKind, SdfSettings, Secret};
use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::{KeyStore, RsaPadding};

use crate::suite::{Ask, Device, KEY, boxed, pool};
use crate::support::TestLibrary;

/// The settings of one key with the right password.
pub(crate) fn key(kind: SdfKeyKind) -> SdfKey {
    SdfKey {
        name: KEY.to_owned(),
        index: 1,
        kind,
        password: Some(Secret::new(b"11111111".to_vec())),
        public_key_spki: None,
    }
}

fn open(
    library: &TestLibrary,
    layout: FieldLayout,
    kind: SdfKeyKind,
    ask: Ask,
) -> Option<Result<Box<dyn KeyStore>, OpenError>> {
    let bits = match layout {
        FieldLayout::Bytes64 => "layout = 64",
        FieldLayout::Bytes32 => "layout = 32",
    };
    let wrong = if ask == Ask::SignsWrongly { 1 } else { 0 };
    library.control(&format!("{bits}\nwrong_signature = {wrong}\n"));
    let mut keys = vec![key(kind)];
    match ask {
        Ask::Right | Ask::SignsWrongly => {}
        Ask::WrongSecret => keys[0].password = Some(Secret::new(b"99999999".to_vec())),
        Ask::MissingKey => keys[0].index = 9,
        Ask::TwoOfOneName => keys.push(key(kind)),
    }
    let settings = SdfSettings {
        library: library.path(),
        layout,
        keys,
    };
    Some(boxed(settings.start("device", pool())))
}

macro_rules! device {
    ($device:ident, $library:expr, $layout:expr, $kind:expr, $algorithm:expr) => {
        pub(crate) struct $device(TestLibrary);

        impl Device for $device {
            fn enter(_test: &str) -> Option<Self> {
                Some(Self($library))
            }

            fn algorithm(&self) -> SignatureAlgorithm {
                $algorithm
            }

            fn open(&self, ask: Ask) -> Option<Result<Box<dyn KeyStore>, OpenError>> {
                open(&self.0, $layout, $kind, ask)
            }
        }
    };
}

device!(
    Rsa,
    TestLibrary::with_rsa(),
    FieldLayout::Bytes64,
    SdfKeyKind::Rsa,
    SignatureAlgorithm::RsaPkcs1Sha256
);
device!(
    RsaPss,
    TestLibrary::with_rsa(),
    FieldLayout::Bytes64,
    SdfKeyKind::RsaPss,
    RsaPadding::Pss.algorithm()
);
device!(
    Sm2,
    TestLibrary::new(),
    FieldLayout::Bytes64,
    SdfKeyKind::Sm2,
    SignatureAlgorithm::Sm2Sm3
);
device!(
    Sm2In32Bytes,
    TestLibrary::new(),
    FieldLayout::Bytes32,
    SdfKeyKind::Sm2,
    SignatureAlgorithm::Sm2Sm3
);
