//! Keys in a PKCS#11 token.

mod connection;
mod manage;
mod settings;

use std::path::Path;
use std::sync::Arc;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::Slot;
use yinxin_signer::keys::KeyStoreError;

use crate::device::{Connected, Device, Failed, KeyFacts, LoginGate, Session, SessionKeys};
use crate::{DeviceKeyStore, OpenError, PoolSettings, Secret};
use connection::Connection;
pub use manage::{KeyAttributes, NewTokenKey, NewTokenKeyKind, TokenFacts, TokenManager};
pub use settings::{Pkcs11Key, Pkcs11KeyKind, Sm2Encoding, Sm2Input, Sm2Numbers, TokenSelector};

/// A vendor's PKCS#11 library, loaded and initialised. Cheap to clone; it is never finalised,
/// because another user of it in this process would lose its sessions.
#[derive(Clone, Debug)]
pub struct Pkcs11Library(Pkcs11);

impl Pkcs11Library {
    /// Loads the library at `path` and initialises it for use by many threads. One that this
    /// process has initialised before is taken as it is.
    ///
    /// # Errors
    /// [`OpenError::Library`].
    pub fn load(path: &Path) -> Result<Self, OpenError> {
        let broken = |error: Error| OpenError::Library {
            path: path.to_owned(),
            detail: error.to_string(),
        };
        let library = Pkcs11::new(path).map_err(broken)?;
        match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {
                Ok(Self(library))
            }
            Err(other) => Err(broken(other)),
        }
    }

    /// The one slot whose token fits. Slot numbers change between starts, so they are no selector.
    fn slot(&self, selector: &TokenSelector) -> Result<Slot, OpenError> {
        let listing = |error: &Error| OpenError::Listing {
            operation: "C_GetSlotList",
            answer: connection::answer_of(error),
        };
        let mut found = Vec::new();
        for slot in (self.0.get_slots_with_initialized_token()).map_err(|error| listing(&error))? {
            // A token that was pulled out between the two calls is not the one we want.
            let Ok(token) = self.0.get_token_info(slot) else {
                continue;
            };
            let same = |asked: &Option<String>, has: &str| {
                asked.as_deref().is_none_or(|asked| asked == has.trim_end())
            };
            if same(&selector.label, token.label()) && same(&selector.serial, token.serial_number())
            {
                found.push(slot);
            }
        }
        let (label, serial) = (selector.label.clone(), selector.serial.clone());
        match found.as_slice() {
            [] => Err(OpenError::NoSuchToken { label, serial }),
            [slot] => Ok(*slot),
            several => Err(OpenError::TokenAmbiguous {
                label,
                serial,
                count: several.len(),
            }),
        }
    }
}

/// A token and its keys.
#[derive(Clone, Debug)]
pub struct Pkcs11Settings {
    /// The vendor's library, loaded.
    pub library: Pkcs11Library,
    /// Which token.
    pub token: TokenSelector,
    /// Its user's PIN.
    pub pin: Secret,
    /// The keys to use.
    pub keys: Vec<Pkcs11Key>,
}

impl Pkcs11Settings {
    /// Starts sessions with the token. In each, every key must be there once, its public key must
    /// be the expected one and must verify a signature over a fixed message;
    /// [`DeviceKeyStore::wait_until_up`] tells of the first. `name` is for errors and figures.
    ///
    /// A token that another store of this process is logged in to takes any PIN, because PKCS#11
    /// knows one login for the whole process.
    ///
    /// # Errors
    /// What can be seen to be wrong before the token is asked: [`OpenError::KeyUnnamed`],
    /// [`OpenError::NumberNotVendors`], [`OpenError::PoolSetting`], [`KeyStoreError::NameTaken`].
    pub fn start(self, name: &str, pool: PoolSettings) -> Result<DeviceKeyStore, OpenError> {
        settings::check(&self.keys)?;
        let token = Token {
            library: self.library,
            selector: self.token,
            pin: self.pin,
            keys: self.keys.into(),
            gate: LoginGate::default(),
        };
        DeviceKeyStore::start(name, Box::new(token), pool)
    }
}

struct Token {
    library: Pkcs11Library,
    selector: TokenSelector,
    pin: Secret,
    keys: Arc<[Pkcs11Key]>,
    gate: LoginGate,
}

impl Device for Token {
    fn keys(&self) -> Vec<KeyFacts> {
        let facts = |key: &Pkcs11Key| KeyFacts {
            name: key.name.clone(),
            algorithm: key.kind.algorithm(),
            expected_spki: key.public_key_spki.clone(),
        };
        self.keys.iter().map(facts).collect()
    }

    fn connect(&self) -> Result<Connected, OpenError> {
        let slot = self.library.slot(&self.selector)?;
        let library = &self.library.0;
        let mut connection =
            Connection::open(library, slot, &self.selector, &self.pin, &self.gate)?;
        let mut public_keys = Vec::with_capacity(self.keys.len());
        let mut spkis = Vec::with_capacity(self.keys.len());
        for settings in &*self.keys {
            let key = connection.find(settings)?;
            public_keys.push(key.public_key);
            spkis.push(key.spki_der);
        }
        let session = TokenSession {
            connection,
            keys: SessionKeys::new(&self.keys, public_keys),
        };
        Ok(Connected {
            session: Box::new(session),
            spkis,
        })
    }

    fn forgive(&self) {
        self.gate.forgive();
    }
}

struct TokenSession {
    connection: Connection,
    keys: SessionKeys<Pkcs11Key>,
}

impl Session for TokenSession {
    fn sign(&mut self, index: usize, message: &[u8]) -> Result<Vec<u8>, Failed> {
        let (settings, key) = self.keys.get(index)?;
        self.connection
            .sign(settings, key, message)
            .map_err(|error| {
                let session_lost = matches!(
                    error,
                    KeyStoreError::DeviceUnavailable { .. } | KeyStoreError::BadAnswer { .. }
                );
                Failed {
                    error,
                    session_lost,
                }
            })
    }
}
