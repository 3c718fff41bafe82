//! SM2 over PKCS#11, with a vendor's numbers, on the test device: no registry offers a token that
//! knows SM2.

use yinxin_hsm::{
    DeviceKeyStore, OpenError, Pkcs11Key, Pkcs11KeyKind, Pkcs11Library, Pkcs11Settings, Secret,
    Sm2Encoding, Sm2Input, Sm2Numbers, TokenSelector,
};
use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::{KeyStore, KeyStoreError};

use crate::suite::{Ask, Device, KEY, boxed, eventually, pool, up};
use crate::support::TestLibrary;

/// The curve's OID.
const CURVE: [u8; 10] = [0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];

fn key(mechanism: u64, input: Sm2Input, output: Sm2Encoding) -> Pkcs11Key {
    Pkcs11Key {
        name: KEY.to_owned(),
        label: Some(yinxin_sdf_test::token::KEY_LABEL.to_owned()),
        id: None,
        kind: Pkcs11KeyKind::Sm2(Sm2Numbers {
            key_type: Some(yinxin_sdf_test::token::KEY_TYPE),
            mechanism,
            curve_parameters: Some(CURVE.to_vec()),
            input,
            output,
        }),
        public_key_spki: None,
    }
}

fn start(library: &TestLibrary, pin: &str, key: Pkcs11Key) -> Result<DeviceKeyStore, OpenError> {
    let settings = Pkcs11Settings {
        library: Pkcs11Library::load(&library.path())?,
        token: TokenSelector {
            label: Some(yinxin_sdf_test::token::TOKEN_LABEL.to_owned()),
            serial: None,
        },
        pin: Secret::new(pin.as_bytes().to_vec()),
        keys: vec![key],
    };
    settings.start("token", pool())
}

fn open(
    library: &TestLibrary,
    mut key: Pkcs11Key,
    ask: Ask,
) -> Option<Result<Box<dyn KeyStore>, OpenError>> {
    let mut pin = "11111111";
    library.control("");
    match ask {
        Ask::Right => {}
        Ask::WrongSecret => pin = "99999999",
        Ask::MissingKey => key.label = Some("no such label".to_owned()),
        Ask::TwoOfOneName => library.control("two_keys = 1"),
        Ask::SignsWrongly => library.control("wrong_signature = 1"),
    }
    Some(boxed(start(library, pin, key)))
}

macro_rules! device {
    ($device:ident, $mechanism:expr, $input:ident, $output:ident) => {
        pub(crate) struct $device(TestLibrary);

        impl Device for $device {
            fn enter(_test: &str) -> Option<Self> {
                Some(Self(TestLibrary::new()))
            }

            fn algorithm(&self) -> SignatureAlgorithm {
                SignatureAlgorithm::Sm2Sm3
            }

            fn open(&self, ask: Ask) -> Option<Result<Box<dyn KeyStore>, OpenError>> {
                let key = key($mechanism, Sm2Input::$input, Sm2Encoding::$output);
                open(&self.0, key, ask)
            }
        }
    };
}

device!(DigestRaw, 0x8000_8105, Digest, Raw);
device!(DigestDer, 0x8000_8104, Digest, Der);
device!(ZAndMessageDer, 0x8000_8101, ZAndMessage, Der);
device!(MessageRaw, 0x8000_8102, Message, Raw);

#[test]
fn wrong_numbers_are_found_before_the_key_is_used() {
    let library = TestLibrary::new();
    for (what, mechanism, input, output) in [
        (
            "Z is missing",
            0x8000_8100,
            Sm2Input::Message,
            Sm2Encoding::Raw,
        ),
        (
            "Z comes twice",
            0x8000_8102,
            Sm2Input::ZAndMessage,
            Sm2Encoding::Raw,
        ),
        (
            "DER is no r, s",
            0x8000_8104,
            Sm2Input::Digest,
            Sm2Encoding::Raw,
        ),
        (
            "r, s is no DER",
            0x8000_8105,
            Sm2Input::Digest,
            Sm2Encoding::Der,
        ),
        (
            "no such mechanism",
            0x8000_8199,
            Sm2Input::Digest,
            Sm2Encoding::Raw,
        ),
    ] {
        let error = up(start(&library, "11111111", key(mechanism, input, output))).unwrap_err();
        assert!(
            matches!(
                error,
                OpenError::Key(
                    KeyStoreError::SelfTestFailed { .. }
                        | KeyStoreError::BadAnswer { .. }
                        | KeyStoreError::DeviceRefused { .. }
                )
            ),
            "{what}: {error}"
        );
    }
}

#[test]
fn a_token_that_was_pulled_out_is_logged_in_to_again() {
    let library = TestLibrary::new();
    let raw = key(0x8000_8105, Sm2Input::Digest, Sm2Encoding::Raw);
    let store = up(start(&library, "11111111", raw)).unwrap();
    let sign = || store.sign(KEY, &SignatureAlgorithm::Sm2Sm3, b"a message");
    assert!(sign().is_ok());
    library.control("dropped = 1");
    eventually(|| matches!(sign(), Err(KeyStoreError::DeviceUnavailable { .. })));
    library.control("");
    eventually(|| sign().is_ok());
}
