//! The SDF test library, one copy of its file to a test.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::PathBuf;
use std::sync::LazyLock;

use tempfile::TempDir;
use yinxin_keys_dev::{DevKey, KeyKind};

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
