//! Keys in a cryptographic machine that speaks GM/T 0018 (SDF).

mod code;
mod layout;
mod library;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use yinxin_pki::{PublicKey, SignatureAlgorithm};
use yinxin_signer::keys::{KeyStore, KeyStoreError};
use yinxin_sm::DEFAULT_DISTID;

use crate::{OpenError, Secret, self_test, signature};
pub use code::SdfError;
pub use layout::FieldLayout;
use library::{Connection, Failure, Library};

/// What a key is; the standard keeps RSA and ECC keys in tables of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdfKeyKind {
    /// The signing key of an SM2 key pair.
    Sm2,
    /// The signing key of an RSA key pair of 2048 bits, the longest the structure holds.
    Rsa,
}

/// One key of the machine.
#[derive(Clone, Debug)]
pub struct SdfKey {
    /// The name callers use.
    pub name: String,
    /// The key's index in the machine, from 1.
    pub index: u32,
    /// What it is.
    pub kind: SdfKeyKind,
    /// The password of the key's access right; `None` where the machine asks for none.
    pub password: Option<Secret>,
    /// The SubjectPublicKeyInfo of the key's certificate: another key in its place is refused.
    pub public_key_spki: Option<Vec<u8>>,
}

/// A machine and its keys.
#[derive(Clone, Debug)]
pub struct SdfSettings {
    /// The vendor's shared library.
    pub library: PathBuf,
    /// How long the fields of its ECC structures are.
    pub layout: FieldLayout,
    /// The keys to use.
    pub keys: Vec<SdfKey>,
}

/// Keys of one machine, by name.
pub struct SdfKeyStore {
    library: Library,
    layout: FieldLayout,
    keys: Vec<OpenedKey>,
    state: Mutex<State>,
}

struct OpenedKey {
    settings: SdfKey,
    public_key: PublicKey,
    spki_der: Vec<u8>,
}

enum State {
    Connected(Connection),
    Lost,
    /// A password was refused while reconnecting: nothing is tried again, or the machine locks.
    PasswordRefused {
        holder: String,
    },
}

impl std::fmt::Debug for SdfKeyStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_set()
            .entries(self.keys.iter().map(|key| &key.settings.name))
            .finish()
    }
}

impl SdfKeyStore {
    /// Loads the library, connects, takes the access rights and tests every key: its public key
    /// is exported, compared with the expected one, and must verify a signature over a fixed
    /// message.
    ///
    /// # Errors
    /// [`OpenError`]; [`KeyStoreError::NameTaken`], [`KeyStoreError::NoSuchKey`],
    /// [`KeyStoreError::WrongPin`], [`KeyStoreError::SelfTestFailed`] and the device's own in
    /// [`OpenError::Key`].
    pub fn open(settings: SdfSettings) -> Result<Self, OpenError> {
        for (position, key) in settings.keys.iter().enumerate() {
            if (settings.keys.iter().take(position)).any(|earlier| earlier.name == key.name) {
                return Err(OpenError::Key(KeyStoreError::NameTaken {
                    key: key.name.clone(),
                }));
            }
        }
        let library = Library::load(&settings)?;
        let device = settings.library.display().to_string();
        let connection = library
            .connect()
            .map_err(|failure| told(&device, failure))?;
        let mut keys = Vec::with_capacity(settings.keys.len());
        for key in settings.keys {
            keys.push(open_key(&connection, settings.layout, key)?);
        }
        Ok(Self {
            library,
            layout: settings.layout,
            keys,
            state: Mutex::new(State::Connected(connection)),
        })
    }

    fn key(&self, name: &str) -> Result<&OpenedKey, KeyStoreError> {
        self.keys
            .iter()
            .find(|key| key.settings.name == name)
            .ok_or_else(|| KeyStoreError::NoSuchKey {
                key: name.to_owned(),
            })
    }

    /// Connects again after a loss, with every check of the first time.
    fn reconnect(&self, name: &str) -> Result<Connection, KeyStoreError> {
        let connection = self
            .library
            .connect()
            .map_err(|failure| told(name, failure))?;
        for key in &self.keys {
            let opened = open_key(&connection, self.layout, key.settings.clone())?;
            self_test::expect_public_key(
                &key.settings.name,
                Some(&key.spki_der),
                &opened.spki_der,
            )?;
        }
        Ok(connection)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the connection as it was; the self-check guards the result.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the access right, exports the public key, and has the key sign.
fn open_key(
    connection: &Connection,
    layout: FieldLayout,
    settings: SdfKey,
) -> Result<OpenedKey, KeyStoreError> {
    let name = settings.name.as_str();
    if let Some(password) = &settings.password {
        connection
            .take_access_right(settings.index, password)
            .map_err(|failure| match failure {
                Failure::Code {
                    error: SdfError::PrivateKeyRight | SdfError::PrivateKeyAccess,
                    ..
                } => KeyStoreError::WrongPin {
                    holder: name.to_owned(),
                },
                other @ (Failure::Code { .. } | Failure::Answer { .. }) => told(name, other),
            })?;
    }
    let exported = match settings.kind {
        SdfKeyKind::Sm2 => connection.export_sm2(settings.index, layout),
        SdfKeyKind::Rsa => connection.export_rsa(settings.index),
    };
    let spki_der = exported.map_err(|failure| told(name, failure))?;
    self_test::expect_public_key(name, settings.public_key_spki.as_deref(), &spki_der)?;
    let public_key = PublicKey::from_spki_der(&spki_der).map_err(|_| KeyStoreError::BadAnswer {
        key: name.to_owned(),
        why: "the exported public key is none",
    })?;
    let opened = OpenedKey {
        public_key,
        spki_der,
        settings,
    };
    let name = opened.settings.name.as_str();
    let algorithm = algorithm_of(opened.settings.kind);
    self_test::run(name, &opened.spki_der, &algorithm, |message| {
        sign_with(connection, layout, &opened, message).map_err(|failure| told(name, failure))
    })?;
    Ok(opened)
}

fn algorithm_of(kind: SdfKeyKind) -> SignatureAlgorithm {
    match kind {
        SdfKeyKind::Sm2 => SignatureAlgorithm::Sm2Sm3,
        SdfKeyKind::Rsa => SignatureAlgorithm::RsaPkcs1Sha256,
    }
}

fn sign_with(
    connection: &Connection,
    layout: FieldLayout,
    key: &OpenedKey,
    message: &[u8],
) -> Result<Vec<u8>, Failure> {
    let index = key.settings.index;
    match &key.public_key {
        PublicKey::Sm2(public_key) => {
            // InternalSign_ECC takes e = SM3(Z || M), and the machine knows no Z.
            let digest = public_key
                .message_digest(DEFAULT_DISTID, message)
                .map_err(|_| Failure::answer("the public key gives no Z"))?;
            let raw = connection.sign_sm2(index, layout, &digest)?;
            signature::sm2_der_from_raw(&raw)
                .ok_or(Failure::answer("r or s is not from 1 to n - 1"))
        }
        PublicKey::Rsa { modulus_bits, .. } => {
            let padded = signature::pkcs1_padded(message, modulus_bits.div_ceil(8))
                .ok_or(Failure::answer("the modulus is too short"))?;
            connection.private_rsa(index, &padded)
        }
        PublicKey::EcP256 { .. } | PublicKey::Unsupported { .. } => Err(Failure::answer(
            "the exported public key is of another kind",
        )),
    }
}

/// A failure in the words of the key store.
fn told(key: &str, failure: Failure) -> KeyStoreError {
    let key = key.to_owned();
    match failure {
        Failure::Code {
            error: SdfError::KeyNotExist,
            ..
        } => KeyStoreError::NoSuchKey { key },
        Failure::Code { operation, error } if error.is_loss() => KeyStoreError::DeviceUnavailable {
            key,
            operation,
            answer: error.to_string(),
        },
        Failure::Code { operation, error } => KeyStoreError::DeviceRefused {
            key,
            operation,
            answer: error.to_string(),
        },
        Failure::Answer { why } => KeyStoreError::BadAnswer { key, why },
    }
}

impl KeyStore for SdfKeyStore {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        Ok(self.key(key)?.spki_der.clone())
    }

    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        let opened = self.key(key)?;
        if *algorithm != algorithm_of(opened.settings.kind) {
            return Err(KeyStoreError::WrongAlgorithm {
                key: key.to_owned(),
                kind: opened.public_key.kind(),
                algorithm: algorithm.clone(),
            });
        }
        let mut state = self.state();
        match &*state {
            State::Connected(_) => {}
            State::PasswordRefused { holder } => {
                return Err(KeyStoreError::WrongPin {
                    holder: holder.clone(),
                });
            }
            State::Lost => match self.reconnect(key) {
                Ok(connection) => *state = State::Connected(connection),
                Err(KeyStoreError::WrongPin { holder }) => {
                    *state = State::PasswordRefused {
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
        sign_with(connection, self.layout, opened, message).map_err(|failure| {
            if failure.needs_new_connection() {
                *state = State::Lost;
            }
            told(key, failure)
        })
    }
}
