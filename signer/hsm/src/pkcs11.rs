//! Keys in a PKCS#11 token.

mod connection;
mod settings;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::Slot;
use yinxin_pki::{PublicKey, SignatureAlgorithm};
use yinxin_signer::keys::{KeyStore, KeyStoreError};

use crate::{OpenError, Secret, self_test};
use connection::{Connection, OpenedKey};
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

/// Keys of one token, by name.
pub struct Pkcs11KeyStore {
    library: Pkcs11Library,
    selector: TokenSelector,
    pin: Secret,
    keys: Vec<(Pkcs11Key, Vec<u8>, PublicKey)>,
    state: Mutex<State>,
}

enum State {
    Connected(Connection),
    Lost,
    /// The PIN was refused while reconnecting: nothing is tried again, or the token locks.
    PinRefused {
        holder: String,
    },
}

impl std::fmt::Debug for Pkcs11KeyStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_set()
            .entries(self.keys.iter().map(|(settings, ..)| &settings.name))
            .finish()
    }
}

impl Pkcs11KeyStore {
    /// Finds the token, logs in and tests every key: it must be there once, its public key must
    /// be the expected one, and must verify a signature over a fixed message.
    ///
    /// A token that another store of this process is logged in to takes any PIN, because PKCS#11
    /// knows one login for the whole process.
    ///
    /// # Errors
    /// [`OpenError`]; [`KeyStoreError::NameTaken`] for two settings or two objects of one name,
    /// [`KeyStoreError::NoSuchKey`], [`KeyStoreError::WrongPin`],
    /// [`KeyStoreError::SelfTestFailed`] and the token's own in [`OpenError::Key`].
    pub fn open(
        library: &Pkcs11Library,
        selector: TokenSelector,
        pin: Secret,
        keys: Vec<Pkcs11Key>,
    ) -> Result<Self, OpenError> {
        settings::check(&keys)?;
        let (connection, opened) = connect(library, &selector, &pin, &keys)?;
        let keys = keys
            .into_iter()
            .zip(opened)
            .map(|(settings, key)| (settings, key.spki_der, key.public_key))
            .collect();
        Ok(Self {
            library: library.clone(),
            selector,
            pin,
            keys,
            state: Mutex::new(State::Connected(connection)),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the connection as it was; the self-check guards the result.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, name: &str) -> Result<&(Pkcs11Key, Vec<u8>, PublicKey), KeyStoreError> {
        self.keys
            .iter()
            .find(|(settings, ..)| settings.name == name)
            .ok_or_else(|| KeyStoreError::NoSuchKey {
                key: name.to_owned(),
            })
    }

    /// Connects again after a loss, with every check of the first time.
    fn reconnect(&self, name: &str) -> Result<Connection, KeyStoreError> {
        let expected: Vec<Pkcs11Key> = self
            .keys
            .iter()
            .map(|(settings, spki_der, _)| Pkcs11Key {
                public_key_spki: Some(spki_der.clone()),
                ..settings.clone()
            })
            .collect();
        match connect(&self.library, &self.selector, &self.pin, &expected) {
            Ok((connection, _)) => Ok(connection),
            Err(OpenError::Key(error)) => Err(error),
            Err(other) => Err(KeyStoreError::DeviceUnavailable {
                key: name.to_owned(),
                operation: "C_GetSlotList",
                answer: other.to_string(),
            }),
        }
    }
}

fn connect(
    library: &Pkcs11Library,
    selector: &TokenSelector,
    pin: &Secret,
    keys: &[Pkcs11Key],
) -> Result<(Connection, Vec<OpenedKey>), OpenError> {
    let slot = library.slot(selector)?;
    let mut connection = Connection::open(&library.0, slot, selector, pin)?;
    let mut opened = Vec::with_capacity(keys.len());
    for settings in keys {
        let key = connection.find(settings)?;
        self_test::expect_public_key(
            &settings.name,
            settings.public_key_spki.as_deref(),
            &key.spki_der,
        )?;
        self_test::run(
            &settings.name,
            &key.spki_der,
            &settings.kind.algorithm(),
            |message| connection.sign(settings, &key.public_key, message),
        )?;
        opened.push(key);
    }
    Ok((connection, opened))
}

impl KeyStore for Pkcs11KeyStore {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        Ok(self.key(key)?.1.clone())
    }

    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        let (settings, _, public_key) = self.key(key)?;
        if *algorithm != settings.kind.algorithm() {
            return Err(KeyStoreError::WrongAlgorithm {
                key: key.to_owned(),
                kind: public_key.kind(),
                algorithm: algorithm.clone(),
            });
        }
        let mut state = self.state();
        match &*state {
            State::Connected(_) => {}
            State::PinRefused { holder } => {
                return Err(KeyStoreError::WrongPin {
                    holder: holder.clone(),
                });
            }
            State::Lost => match self.reconnect(key) {
                Ok(connection) => *state = State::Connected(connection),
                Err(KeyStoreError::WrongPin { holder }) => {
                    *state = State::PinRefused {
                        holder: holder.clone(),
                    };
                    return Err(KeyStoreError::WrongPin { holder });
                }
                Err(other) => return Err(other),
            },
        }
        let State::Connected(connection) = &*state else {
            return Err(KeyStoreError::SigningFailed {
                key: key.to_owned(),
            });
        };
        let signed = connection.sign(settings, public_key, message);
        if let Err(KeyStoreError::DeviceUnavailable { .. } | KeyStoreError::BadAnswer { .. }) =
            &signed
        {
            *state = State::Lost;
        }
        signed
    }
}
