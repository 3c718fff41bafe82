//! A device as the pool sees it: a place that gives sessions.

use std::sync::{Arc, Mutex, PoisonError};

use yinxin_pki::{PublicKey, SignatureAlgorithm};
use yinxin_signer::keys::KeyStoreError;

use crate::OpenError;

/// What a pool must know of a key before it has met the device.
#[derive(Clone, Debug)]
pub(crate) struct KeyFacts {
    /// The name callers use.
    pub(crate) name: String,
    /// The algorithm it signs with.
    pub(crate) algorithm: SignatureAlgorithm,
    /// The SubjectPublicKeyInfo of its certificate, if the settings name one.
    pub(crate) expected_spki: Option<Vec<u8>>,
}

/// A device: where it is, how to log in, and which of its keys are used.
pub(crate) trait Device: Send + Sync {
    /// The keys, in the order in which [`Session::sign`] counts them. No name comes twice.
    fn keys(&self) -> Vec<KeyFacts>;

    /// Opens a session of its own, logs in, and finds every key. The pool tests the keys.
    ///
    /// # Errors
    /// [`OpenError`]. A PIN or password that is refused is [`KeyStoreError::WrongPin`], and the
    /// device is not asked again with it, by any session.
    fn connect(&self) -> Result<Connected, OpenError>;

    /// Forgets that a PIN or password was refused: a person has looked at the device.
    fn forgive(&self);
}

/// A session that was just opened.
pub(crate) struct Connected {
    /// The session.
    pub(crate) session: Box<dyn Session>,
    /// The SubjectPublicKeyInfo of every key, in the order of [`Device::keys`].
    pub(crate) spkis: Vec<Vec<u8>>,
}

/// A session with a device, used by one thread at a time and closed when dropped.
pub(crate) trait Session: Send {
    /// The signature of the key at `index`, in the form of [`yinxin_signer::keys::KeyStore::sign`].
    fn sign(&mut self, index: usize, message: &[u8]) -> Result<Vec<u8>, Failed>;
}

/// The keys of a session, each as it is set up and as the device has shown it.
pub(crate) struct SessionKeys<Settings> {
    settings: Arc<[Settings]>,
    public_keys: Vec<PublicKey>,
}

impl<Settings> SessionKeys<Settings> {
    /// Both are in the order of [`Device::keys`].
    pub(crate) fn new(settings: &Arc<[Settings]>, public_keys: Vec<PublicKey>) -> Self {
        Self {
            settings: Arc::clone(settings),
            public_keys,
        }
    }

    /// # Errors
    /// [`KeyStoreError::NoSuchKey`]; the session goes on.
    pub(crate) fn get(&self, index: usize) -> Result<(&Settings, &PublicKey), Failed> {
        let settings = self.settings.get(index);
        settings.zip(self.public_keys.get(index)).ok_or(Failed {
            error: KeyStoreError::NoSuchKey { key: String::new() },
            session_lost: false,
        })
    }
}

/// A signature that a session did not give.
#[derive(Debug)]
pub(crate) struct Failed {
    /// Why.
    pub(crate) error: KeyStoreError,
    /// Whether the session can no longer be relied upon.
    pub(crate) session_lost: bool,
}

/// Lets one thread at a time show the PIN or password, and nobody after it was refused: devices
/// count, and lock themselves.
#[derive(Debug, Default)]
pub(crate) struct LoginGate(Mutex<Option<String>>);

impl LoginGate {
    /// Runs `login` unless an earlier one was refused.
    ///
    /// # Errors
    /// [`KeyStoreError::WrongPin`], and those of `login`.
    pub(crate) fn pass(
        &self,
        login: impl FnOnce() -> Result<(), KeyStoreError>,
    ) -> Result<(), KeyStoreError> {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(holder) = &*refused {
            let holder = holder.clone();
            return Err(KeyStoreError::WrongPin { holder });
        }
        let done = login();
        if let Err(KeyStoreError::WrongPin { holder }) = &done {
            *refused = Some(holder.clone());
        }
        done
    }

    /// Lets the next one try again.
    pub(crate) fn forgive(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
