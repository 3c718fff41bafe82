//! Keys in a cryptographic machine that speaks GM/T 0018 (SDF).

mod code;
mod layout;
mod library;

use std::path::PathBuf;
use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use yinxin_pki::{PublicKey, SignatureAlgorithm, sha256_pss_encode, sm2_message_digest};
use yinxin_signer::keys::{KeyStoreError, RsaPadding};

use crate::device::{Connected, Device, Failed, KeyFacts, LoginGate, Session, SessionKeys};
use crate::{DeviceKeyStore, OpenError, PoolSettings, Secret, signature};
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
    /// The same, signing with PSS. The machine only raises to the private exponent, so that the
    /// padding is ours.
    RsaPss,
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

impl SdfSettings {
    /// Loads the library and starts sessions with the machine. In each, the access rights are
    /// taken, and every public key is exported, compared with the expected one, and must verify a
    /// signature over a fixed message; [`DeviceKeyStore::wait_until_up`] tells of the first. `name`
    /// is for errors and figures.
    ///
    /// # Errors
    /// What can be seen to be wrong before the machine is asked: [`OpenError::Library`],
    /// [`OpenError::SymbolMissing`], [`OpenError::PoolSetting`], [`KeyStoreError::NameTaken`].
    pub fn start(self, name: &str, pool: PoolSettings) -> Result<DeviceKeyStore, OpenError> {
        for (position, key) in self.keys.iter().enumerate() {
            if (self.keys.iter().take(position)).any(|earlier| earlier.name == key.name) {
                return Err(OpenError::Key(KeyStoreError::NameTaken {
                    key: key.name.clone(),
                }));
            }
        }
        let machine = Machine {
            library: Library::load(&self)?,
            layout: self.layout,
            keys: self.keys.into(),
            name: name.to_owned(),
            gate: LoginGate::default(),
        };
        DeviceKeyStore::start(name, Box::new(machine), pool)
    }
}

struct Machine {
    library: Library,
    layout: FieldLayout,
    keys: Arc<[SdfKey]>,
    name: String,
    gate: LoginGate,
}

impl Device for Machine {
    fn keys(&self) -> Vec<KeyFacts> {
        let facts = |key: &SdfKey| KeyFacts {
            name: key.name.clone(),
            algorithm: algorithm_of(key.kind),
            expected_spki: key.public_key_spki.clone(),
        };
        self.keys.iter().map(facts).collect()
    }

    fn connect(&self) -> Result<Connected, OpenError> {
        let connection = self
            .library
            .connect()
            .map_err(|failure| told(&self.name, failure))?;
        let mut public_keys = Vec::with_capacity(self.keys.len());
        let mut spkis = Vec::with_capacity(self.keys.len());
        for key in &*self.keys {
            let (spki_der, public_key) = open_key(&connection, self.layout, key, &self.gate)?;
            public_keys.push(public_key);
            spkis.push(spki_der);
        }
        let session = MachineSession {
            connection,
            layout: self.layout,
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

struct MachineSession {
    connection: Connection,
    layout: FieldLayout,
    keys: SessionKeys<SdfKey>,
}

impl Session for MachineSession {
    fn sign(&mut self, index: usize, message: &[u8]) -> Result<Vec<u8>, Failed> {
        let (key, public_key) = self.keys.get(index)?;
        sign_with(&self.connection, self.layout, key, public_key, message).map_err(|failure| {
            Failed {
                session_lost: failure.needs_new_connection(),
                error: told(&key.name, failure),
            }
        })
    }
}

/// Takes the access right and exports the public key.
fn open_key(
    connection: &Connection,
    layout: FieldLayout,
    settings: &SdfKey,
    gate: &LoginGate,
) -> Result<(Vec<u8>, PublicKey), KeyStoreError> {
    let name = settings.name.as_str();
    if let Some(password) = &settings.password {
        gate.pass(|| {
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
                })
        })?;
    }
    let exported = match settings.kind {
        SdfKeyKind::Sm2 => connection.export_sm2(settings.index, layout),
        SdfKeyKind::Rsa | SdfKeyKind::RsaPss => connection.export_rsa(settings.index),
    };
    let spki_der = exported.map_err(|failure| told(name, failure))?;
    let public_key = PublicKey::from_spki_der(&spki_der).map_err(|_| KeyStoreError::BadAnswer {
        key: name.to_owned(),
        why: "the exported public key is none",
    })?;
    Ok((spki_der, public_key))
}

fn algorithm_of(kind: SdfKeyKind) -> SignatureAlgorithm {
    match kind {
        SdfKeyKind::Sm2 => SignatureAlgorithm::Sm2Sm3,
        SdfKeyKind::Rsa => RsaPadding::Pkcs1.algorithm(),
        SdfKeyKind::RsaPss => RsaPadding::Pss.algorithm(),
    }
}

fn sign_with(
    connection: &Connection,
    layout: FieldLayout,
    settings: &SdfKey,
    public_key: &PublicKey,
    message: &[u8],
) -> Result<Vec<u8>, Failure> {
    let index = settings.index;
    match public_key {
        PublicKey::Sm2(public_key) => {
            // InternalSign_ECC takes e = SM3(Z || M), and the machine knows no Z.
            let digest = sm2_message_digest(public_key, message)
                .map_err(|_| Failure::answer("the public key gives no Z"))?;
            let raw = connection.sign_sm2(index, layout, &digest)?;
            signature::sm2_der_from_raw(&raw)
                .ok_or(Failure::answer("r or s is not from 1 to n - 1"))
        }
        PublicKey::Rsa { modulus_bits, .. } => {
            let padded = if settings.kind == SdfKeyKind::RsaPss {
                let mut salt = [0; 32];
                SystemRandom::new()
                    .fill(&mut salt)
                    .map_err(|_| Failure::answer("the system gives no randomness for a salt"))?;
                sha256_pss_encode(message, *modulus_bits, &salt)
            } else {
                signature::pkcs1_padded(message, modulus_bits.div_ceil(8))
            }
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
