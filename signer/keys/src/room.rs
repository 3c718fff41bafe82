//! The folder where keys are kept track of.
//!
//! ```text
//! NAME.json            a key's card: what it is and where
//! NAME.key.pem         a software key, encrypted
//! NAME.pem             its certificates, nearest first; NAME.SERIAL.pem: those it had before
//! devices.toml         tokens and machines, as in the signer's configuration
//! custodians/*.pem     who may approve a destruction
//! audit.jsonl          the audit chain
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use yinxin_hsm::{Sm2Encoding, Sm2Input};
use yinxin_pki::Certificate;
use yinxin_signer::ceremony::{KeyKind, KeyPurpose};

use crate::KeysError;
use crate::audit_file::AuditFile;
use crate::error::file_error;

/// A key room, locked for this process.
#[derive(Debug)]
pub struct Room {
    folder: PathBuf,
    _lock: File,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Our name of it.
    pub name: String,
    /// `rsa-2048`, `rsa-3072`, `rsa-4096`, `p-256`, `sm2`.
    pub kind: String,
    /// Whether it is the encryption key of a dual pair.
    #[serde(default)]
    pub encryption: bool,
    /// The DER SubjectPublicKeyInfo, hexadecimal.
    pub public_key: String,
    /// When it was made, adopted or brought in; RFC 3339.
    pub since: String,
    /// Where it is.
    pub store: CardStore,
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CardStore {
    /// An encrypted file of the room.
    Software {
        /// Its name.
        file: String,
    },
    /// A token.
    Pkcs11 {
        /// The device's name in `devices.toml`.
        device: String,
        /// CKA_LABEL.
        label: String,
        /// CKA_ID, hexadecimal.
        id: String,
    },
    /// An SDF machine.
    Sdf {
        /// The device's name in `devices.toml`.
        device: String,
        /// From 1.
        index: u32,
    },
}

impl CardStore {
    /// Where, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Software { file } => format!("software {file}"),
            Self::Pkcs11 { device, label, id } => {
                format!("pkcs11 {device} label={label} id={id}")
            }
            Self::Sdf { device, index } => format!("sdf {device} index={index}"),
        }
    }
}

impl Card {
    /// The DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki_der(&self) -> Vec<u8> {
        octets(&self.public_key).unwrap_or_default()
    }

    /// What it is.
    ///
    /// # Errors
    /// [`KeysError::Value`] for a card that was changed by hand.
    pub fn key_kind(&self) -> Result<KeyKind, KeysError> {
        self.kind
            .parse()
            .map_err(|rule: String| KeysError::value("kind", rule))
    }

    pub(crate) fn purpose(&self) -> KeyPurpose {
        if self.encryption {
            KeyPurpose::Encryption
        } else {
            KeyPurpose::Signing
        }
    }
}

/// A device of `devices.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceEntry {
    pub(crate) name: String,
    pub(crate) kind: DeviceKind,
    pub(crate) library: PathBuf,
    pub(crate) token: Option<String>,
    pub(crate) serial: Option<String>,
    /// SDF: bytes of a field of its ECC structures, 64 (absent) or 32.
    pub(crate) layout: Option<u16>,
    /// PKCS#11: the vendor's numbers for SM2.
    pub(crate) sm2: Option<Sm2Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeviceKind {
    Pkcs11,
    Sdf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sm2Entry {
    pub(crate) key_type: Option<u64>,
    pub(crate) mechanism: u64,
    /// The mechanism that makes key pairs.
    pub(crate) generation: Option<u64>,
    #[serde(default, with = "input")]
    pub(crate) input: Option<Sm2Input>,
    #[serde(default, with = "output")]
    pub(crate) output: Option<Sm2Encoding>,
}

/// `digest`, `z-and-message`, `message`, as in the signer's configuration.
mod input {
    use super::{Deserialize as _, Sm2Input};

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Sm2Input>, D::Error> {
        match String::deserialize(from)?.as_str() {
            "digest" => Ok(Some(Sm2Input::Digest)),
            "z-and-message" => Ok(Some(Sm2Input::ZAndMessage)),
            "message" => Ok(Some(Sm2Input::Message)),
            _ => Err(serde::de::Error::custom(
                "must be digest, z-and-message or message",
            )),
        }
    }
}

/// `raw`, `der`.
mod output {
    use super::{Deserialize as _, Sm2Encoding};

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Sm2Encoding>, D::Error> {
        match String::deserialize(from)?.as_str() {
            "raw" => Ok(Some(Sm2Encoding::Raw)),
            "der" => Ok(Some(Sm2Encoding::Der)),
            _ => Err(serde::de::Error::custom("must be raw or der")),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Devices {
    #[serde(default)]
    device: Vec<DeviceEntry>,
}

impl Room {
    /// Opens the folder, made when it is not there, and locks it against a second command.
    ///
    /// # Errors
    /// [`KeysError::File`].
    pub fn open(folder: &Path) -> Result<Self, KeysError> {
        std::fs::create_dir_all(folder).map_err(file_error(folder))?;
        let path = folder.join(".lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(file_error(&path))?;
        lock.lock().map_err(file_error(&path))?;
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The audit.
    #[must_use]
    pub fn audit(&self) -> AuditFile {
        AuditFile::new(self.folder.join("audit.jsonl"))
    }

    /// A file of the room.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Every card, by name.
    ///
    /// # Errors
    /// [`KeysError::File`], [`KeysError::Content`].
    pub fn cards(&self) -> Result<Vec<Card>, KeysError> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(file_error(&self.folder))? {
            let name = entry.map_err(file_error(&self.folder))?.file_name();
            if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".json")) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names.iter().map(|name| self.card(name)).collect()
    }

    /// One card.
    ///
    /// # Errors
    /// [`KeysError::NoSuchKey`], [`KeysError::Content`].
    pub fn card(&self, name: &str) -> Result<Card, KeysError> {
        check_name(name)?;
        let path = self.path(&format!("{name}.json"));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeysError::NoSuchKey {
                    name: name.to_owned(),
                    room: self.folder.clone(),
                });
            }
            Err(source) => return Err(KeysError::File { path, source }),
        };
        serde_json::from_slice(&bytes).map_err(|error| KeysError::Content {
            path,
            detail: error.to_string(),
        })
    }

    /// Refuses a name that cannot be used, or is.
    pub(crate) fn check_free(&self, name: &str) -> Result<(), KeysError> {
        check_name(name)?;
        let taken = [format!("{name}.json"), format!("{name}.key.pem")]
            .iter()
            .any(|file| self.path(file).exists());
        if taken {
            return Err(KeysError::NameTaken {
                name: name.to_owned(),
            });
        }
        Ok(())
    }

    pub(crate) fn write_card(&self, card: &Card) -> Result<(), KeysError> {
        let text = serde_json::to_string_pretty(card).expect("a card is plain text");
        write_new(
            &self.path(&format!("{}.json", card.name)),
            text.as_bytes(),
            0o644,
        )
    }

    /// The certificates installed for a key, nearest first; none when there is no file.
    ///
    /// # Errors
    /// [`KeysError::File`], [`KeysError::Pki`].
    pub fn certificates(&self, name: &str) -> Result<Vec<Certificate>, KeysError> {
        let path = self.path(&format!("{name}.pem"));
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Certificate::list_from_pem_or_der(&bytes)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(KeysError::File { path, source }),
        }
    }

    /// The certificates of those who may approve.
    ///
    /// # Errors
    /// [`KeysError::File`], [`KeysError::Pki`].
    pub(crate) fn custodians(&self) -> Result<Vec<Certificate>, KeysError> {
        let folder = self.path("custodians");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(KeysError::File {
                    path: folder,
                    source,
                });
            }
        };
        let mut custodians = Vec::new();
        for entry in entries {
            let path = entry.map_err(file_error(&folder))?.path();
            let bytes = std::fs::read(&path).map_err(file_error(&path))?;
            custodians.push(Certificate::from_pem_or_der(&bytes)?);
        }
        Ok(custodians)
    }

    /// A device of `devices.toml`; its library is relative to the room.
    pub(crate) fn device(&self, name: &str) -> Result<DeviceEntry, KeysError> {
        let path = self.path("devices.toml");
        let text = std::fs::read_to_string(&path).map_err(file_error(&path))?;
        let devices: Devices = toml::from_str(&text).map_err(|error| KeysError::Content {
            path: path.clone(),
            detail: error.to_string(),
        })?;
        let mut device = (devices.device.into_iter())
            .find(|device| device.name == name)
            .ok_or_else(|| KeysError::Content {
                path,
                detail: format!("there is no device {name}"),
            })?;
        device.library = self.folder.join(&device.library);
        Ok(device)
    }
}

fn check_name(name: &str) -> Result<(), KeysError> {
    let good = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
        });
    if good {
        return Ok(());
    }
    Err(KeysError::Name {
        name: name.to_owned(),
    })
}

/// Writes a file that must not be there yet, whole or not at all, and on the disk when this is done.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeysError> {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(file_error(folder))?;
    file.write_all(bytes).map_err(file_error(path))?;
    file.as_file().sync_all().map_err(file_error(path))?;
    file.persist_noclobber(path)
        .map_err(|error| KeysError::File {
            path: path.to_owned(),
            source: error.error,
        })?;
    sync_folder(folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), KeysError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(file_error(folder))
}

/// Octets of an even number of hexadecimal digits.
pub(crate) fn octets(text: &str) -> Option<Vec<u8>> {
    base16ct::mixed::decode_vec(text).ok()
}

/// A public key as a card has it.
pub(crate) fn public_key_text(spki_der: &[u8]) -> String {
    base16ct::lower::encode_string(spki_der)
}
