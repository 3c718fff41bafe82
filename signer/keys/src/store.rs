//! A key of a card, opened where it is.

use std::time::Duration;

use yinxin_hsm::{
    DeviceKeyStore, FieldLayout, Pkcs11Key, Pkcs11KeyKind, Pkcs11Library, Pkcs11Settings,
    PoolSettings, SdfKey, SdfKeyKind, SdfSettings, Secret, Sm2Encoding, Sm2Input, Sm2Numbers,
    TokenManager, TokenSelector,
};
use yinxin_pki::{PublicKey, verify_signature};
use yinxin_signer::ceremony::KeyKind;
use yinxin_signer::keys::key_file::decrypt;
use yinxin_signer::keys::{KeyStore, SoftwareKeyStore};

use crate::error::file_error;
use crate::room::{Card, CardStore, DeviceEntry, DeviceKind, Room, octets};
use crate::{KeysError, SecretSource};

/// How long a person waits for a device.
const DEVICE_WAIT: Duration = Duration::from_secs(30);

/// What a trial signature signs. No document and no certificate begins so.
const TRIAL: &[u8] = b"Yinxin key ceremony: a trial signature, and never a document.";

/// A key that can sign.
pub(crate) struct OpenKey {
    name: String,
    kind: KeyKind,
    store: Box<dyn KeyStore>,
}

impl OpenKey {
    /// Opens the key of a card, checks that it is the card's, and has it sign.
    pub(crate) fn open(room: &Room, card: &Card, secret: &SecretSource) -> Result<Self, KeysError> {
        let what = match card.store {
            CardStore::Software { .. } => "口令 · passphrase",
            CardStore::Pkcs11 { .. } | CardStore::Sdf { .. } => "PIN",
        };
        Self::open_with(room, card, &secret.read(&format!("{} {what}", card.name))?)
    }

    /// The same with the passphrase or PIN at hand, so that a person types it once.
    pub(crate) fn open_with(room: &Room, card: &Card, secret: &[u8]) -> Result<Self, KeysError> {
        let store: Box<dyn KeyStore> = match &card.store {
            CardStore::Software { file } => {
                let path = room.path(file);
                let bytes = std::fs::read(&path).map_err(file_error(&path))?;
                let mut store = SoftwareKeyStore::new();
                store.insert(&card.name, &decrypt(&bytes, secret)?)?;
                Box::new(store)
            }
            CardStore::Pkcs11 { .. } | CardStore::Sdf { .. } => {
                Box::new(open_device(room, card, secret)?)
            }
        };
        let open = Self {
            name: card.name.clone(),
            kind: card.key_kind()?,
            store,
        };
        if !card.public_key.is_empty() && open.spki_der()? != card.spki_der() {
            return Err(KeysError::OtherKey {
                name: card.name.clone(),
                why: "its public key is another one",
            });
        }
        open.try_out()?;
        Ok(open)
    }

    /// The same for an unencrypted PKCS#8 key.
    pub(crate) fn of_pkcs8(name: &str, pkcs8_der: &[u8]) -> Result<Self, KeysError> {
        let mut store = SoftwareKeyStore::new();
        store.insert(name, pkcs8_der)?;
        let spki_der = store.public_key_spki(name)?;
        let kind = KeyKind::of_public_key(&PublicKey::from_spki_der(&spki_der)?);
        let open = Self {
            name: name.to_owned(),
            kind: kind.ok_or_else(|| KeysError::value("kind", "is none that we seal with"))?,
            store: Box::new(store),
        };
        open.try_out()?;
        Ok(open)
    }

    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    pub(crate) fn spki_der(&self) -> Result<Vec<u8>, KeysError> {
        Ok(self.store.public_key_spki(&self.name)?)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeysError> {
        Ok(self
            .store
            .sign(&self.name, &self.kind.algorithm(), message)?)
    }

    /// A signature that its public key verifies.
    fn try_out(&self) -> Result<(), KeysError> {
        let public_key = PublicKey::from_spki_der(&self.spki_der()?)?;
        if KeyKind::of_public_key(&public_key) != Some(self.kind) {
            return Err(KeysError::OtherKey {
                name: self.name.clone(),
                why: "it is of another kind",
            });
        }
        let signature = self.sign(TRIAL)?;
        Ok(verify_signature(
            &public_key,
            &self.kind.algorithm(),
            TRIAL,
            &signature,
        )?)
    }
}

fn open_device(room: &Room, card: &Card, pin: &[u8]) -> Result<DeviceKeyStore, KeysError> {
    let pool = PoolSettings {
        sessions: 1,
        ..PoolSettings::default()
    };
    let known = (!card.public_key.is_empty()).then(|| card.spki_der());
    let store = match &card.store {
        CardStore::Software { .. } => {
            return Err(KeysError::NotHere {
                what: "opening a device",
                name: card.name.clone(),
                why: "it is a file",
            });
        }
        CardStore::Pkcs11 { device, label, id } => {
            let token = Token::find(room, device)?;
            Pkcs11Settings {
                keys: vec![Pkcs11Key {
                    name: card.name.clone(),
                    label: (!label.is_empty()).then(|| label.clone()),
                    id: octets(id).filter(|id| !id.is_empty()),
                    kind: token.key_kind(card.key_kind()?)?,
                    public_key_spki: known,
                }],
                library: token.library,
                token: token.selector,
                pin: Secret::new(pin.to_vec()),
            }
            .start(device, pool)?
        }
        CardStore::Sdf { device, index } => {
            let entry = room.device(device)?;
            SdfSettings {
                library: entry.library.clone(),
                layout: match entry.layout {
                    None | Some(64) => FieldLayout::Bytes64,
                    Some(32) => FieldLayout::Bytes32,
                    Some(_) => return Err(KeysError::value("layout", "must be 64 or 32")),
                },
                keys: vec![SdfKey {
                    name: card.name.clone(),
                    index: *index,
                    kind: match card.key_kind()? {
                        KeyKind::Sm2 => SdfKeyKind::Sm2,
                        KeyKind::Rsa2048 => SdfKeyKind::Rsa,
                        KeyKind::Rsa3072 | KeyKind::Rsa4096 | KeyKind::P256 => {
                            return Err(KeysError::value(
                                "kind",
                                "an SDF machine signs with sm2 and rsa-2048 (GM/T 0018)",
                            ));
                        }
                    },
                    password: Some(Secret::new(pin.to_vec())),
                    public_key_spki: known,
                }],
            }
            .start(device, pool)?
        }
    };
    store.wait_until_up(DEVICE_WAIT)?;
    Ok(store)
}

/// A token of `devices.toml`.
pub(crate) struct Token {
    library: Pkcs11Library,
    selector: TokenSelector,
    entry: DeviceEntry,
}

impl Token {
    pub(crate) fn find(room: &Room, device: &str) -> Result<Self, KeysError> {
        let entry = room.device(device)?;
        if entry.kind != DeviceKind::Pkcs11 {
            return Err(KeysError::value("device", "must be of kind pkcs11"));
        }
        Ok(Self {
            library: Pkcs11Library::load(&entry.library)?,
            selector: TokenSelector {
                label: entry.token.clone(),
                serial: entry.serial.clone(),
            },
            entry,
        })
    }

    /// Logs a person in, to make or destroy keys.
    pub(crate) fn login(&self, pin: &[u8]) -> Result<TokenManager, KeysError> {
        let pin = Secret::new(pin.to_vec());
        Ok(TokenManager::login(&self.library, &self.selector, &pin)?)
    }

    pub(crate) fn sm2_generation(&self) -> Result<u64, KeysError> {
        let sm2 = self.entry.sm2.as_ref();
        sm2.and_then(|sm2| sm2.generation).ok_or_else(|| {
            KeysError::value(
                "device.sm2.generation",
                "the vendor's mechanism that makes SM2 keys is needed",
            )
        })
    }

    pub(crate) fn key_kind(&self, kind: KeyKind) -> Result<Pkcs11KeyKind, KeysError> {
        Ok(match kind {
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => Pkcs11KeyKind::Rsa,
            KeyKind::P256 => Pkcs11KeyKind::P256,
            KeyKind::Sm2 => Pkcs11KeyKind::Sm2(self.sm2_numbers()?),
        })
    }

    pub(crate) fn sm2_numbers(&self) -> Result<Sm2Numbers, KeysError> {
        let sm2 = self.entry.sm2.as_ref().ok_or_else(|| {
            KeysError::value(
                "device.sm2",
                "SM2 in a token needs the vendor's numbers: docs/operating/keys.md",
            )
        })?;
        Ok(Sm2Numbers {
            key_type: sm2.key_type,
            mechanism: sm2.mechanism,
            curve_parameters: None,
            input: sm2.input.unwrap_or(Sm2Input::Digest),
            output: sm2.output.unwrap_or(Sm2Encoding::Raw),
        })
    }
}
