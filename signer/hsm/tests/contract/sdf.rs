//! The SDF test library, one copy of its file to a test.

use std::path::PathBuf;
use std::sync::LazyLock;

use tempfile::TempDir;
use yinxin_hsm::{FieldLayout, OpenError, SdfKey, SdfKeyKind, SdfSettings, Secret};
use yinxin_keys_dev::{DevKey, KeyKind};
use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::KeyStore;

use crate::suite::{Ask, Device, KEY, boxed, pool};

/// One RSA key for all devices of this process, because making one takes seconds.
static RSA_KEY: LazyLock<DevKey> =
    LazyLock::new(|| DevKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap());

/// A device of its own: a copy of the library with its control file beside it.
pub(crate) struct TestLibrary {
    folder: TempDir,
}

impl TestLibrary {
    pub(crate) fn new() -> Self {
        // Cargo lays the cdylib of a dev-dependency beside the executables that asked for it.
        let built = std::env::current_exe().unwrap().with_file_name(format!(
            "{}yinxin_sdf_test.so",
            std::env::consts::DLL_PREFIX
        ));
        let folder = TempDir::new().unwrap();
        std::fs::copy(built, folder.path().join("device.so")).unwrap();
        Self { folder }
    }

    pub(crate) fn with_rsa() -> Self {
        let library = Self::new();
        let file = library.folder.path().join("device.so.rsa");
        std::fs::write(file, RSA_KEY.pkcs8_der()).unwrap();
        library
    }

    /// Another device with the same keys.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        for file in ["device.so.sm2", "device.so.rsa"] {
            let from = self.folder.path().join(file);
            if from.exists() {
                std::fs::copy(from, copy.folder.path().join(file)).unwrap();
            }
        }
        copy
    }

    /// Sessions that are open in the device.
    pub(crate) fn open_sessions(&self) -> u64 {
        self.count("yinxin_sdf_test_sessions")
    }

    /// Wrong passwords that the device was given.
    pub(crate) fn refused_passwords(&self) -> u64 {
        self.count("yinxin_sdf_test_refused")
    }

    #[allow(
        unsafe_code,
        reason = "the test library's own two functions, which take nothing"
    )]
    fn count(&self, function: &str) -> u64 {
        // SAFETY: the file is our own library, which is loaded already.
        let library = unsafe { libloading::Library::new(self.path()) }.unwrap();
        // SAFETY: both functions take nothing and give a number.
        let function =
            unsafe { library.get::<extern "C" fn() -> u64>(function.as_bytes()) }.unwrap();
        function()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("device.so")
    }

    /// Replaces the control file at once, so that no call meets half of it.
    pub(crate) fn control(&self, lines: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, lines).unwrap();
        std::fs::rename(new, self.folder.path().join("device.so.control")).unwrap();
    }
}

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
