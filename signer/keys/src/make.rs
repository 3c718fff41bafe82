//! Keys come to be, or are found.

use yinxin_hsm::{NewTokenKey, NewTokenKeyKind};
use yinxin_signer::ceremony::{self, fingerprint};
use yinxin_signer::keys::key_file::{Protection, decrypt, encrypt};
use yinxin_signer::ports::SystemEntropy;
use yinxin_sm::Entropy as _;

use crate::error::file_error;
use crate::perform::facts;
use crate::room::{Card, CardStore, DeviceKind, Room, octets, public_key_text, write_new};
use crate::step::{Adopt, Attest, Generate};
use crate::store::{OpenKey, Token};
use crate::{Context, Facts, KeysError};

pub(crate) fn generate(
    room: &Room,
    step: &Generate,
    context: &Context,
) -> Result<Facts, KeysError> {
    room.check_free(&step.name)?;
    match &step.device {
        None => generate_software(room, step, context),
        Some(device) => match room.device(device)?.kind {
            DeviceKind::Pkcs11 => generate_in_token(room, step, device, context),
            DeviceKind::Sdf => Err(KeysError::NotHere {
                what: "making a key",
                name: step.name.clone(),
                why: "GM/T 0018 has no function that makes a key inside the machine: make it with \
                      the vendor's tool, then `yinxin keys adopt` it by its index",
            }),
        },
    }
}

fn generate_software(room: &Room, step: &Generate, context: &Context) -> Result<Facts, KeysError> {
    if step.label.is_some() || step.id.is_some() {
        return Err(KeysError::value(
            "label",
            "label and id are for keys in tokens",
        ));
    }
    let passphrase = (step.secret).read_new(&format!("{} 的新口令 · new passphrase", step.name))?;
    let pkcs8_der = ceremony::generate(step.kind)?;
    let file = format!("{}.key.pem", step.name);
    let key = write_key_file(room, &step.name, &pkcs8_der, &passphrase, step.protection())?;
    let card = Card {
        name: step.name.clone(),
        kind: step.kind.to_string(),
        encryption: false,
        public_key: public_key_text(&key.spki_der()?),
        since: context.now.to_string(),
        store: CardStore::Software { file },
    };
    room.write_card(&card)?;
    Ok(card_facts(&card))
}

/// Writes a key file and opens it again: what cannot be opened is no key.
pub(crate) fn write_key_file(
    room: &Room,
    name: &str,
    pkcs8_der: &[u8],
    passphrase: &[u8],
    protection: Protection,
) -> Result<OpenKey, KeysError> {
    let pem = encrypt(pkcs8_der, passphrase, protection, &mut SystemEntropy::new())?;
    let path = room.path(&format!("{name}.key.pem"));
    write_new(&path, pem.as_bytes(), 0o600)?;
    let read = std::fs::read(&path).map_err(file_error(&path))?;
    OpenKey::of_pkcs8(name, &decrypt(&read, passphrase)?)
}

fn generate_in_token(
    room: &Room,
    step: &Generate,
    device: &str,
    context: &Context,
) -> Result<Facts, KeysError> {
    let token = Token::find(room, device)?;
    let label = step.label.clone().unwrap_or_else(|| step.name.clone());
    let id = match &step.id {
        Some(id) => octets(id)
            .filter(|id| !id.is_empty())
            .ok_or_else(|| KeysError::value("id", "must be hexadecimal octets"))?,
        None => random_id()?,
    };
    let kind = match step.kind.modulus_bits() {
        Some(bits) => NewTokenKeyKind::Rsa { bits },
        None if step.kind == ceremony::KeyKind::P256 => NewTokenKeyKind::P256,
        None => NewTokenKeyKind::Sm2 {
            numbers: token.sm2_numbers()?,
            generation: token.sm2_generation()?,
        },
    };
    let pin = step.secret.read(&format!("{device} PIN"))?;
    let manager = token.login(&pin)?;
    let attributes = manager.generate(&NewTokenKey {
        label: label.clone(),
        id: id.clone(),
        kind,
    })?;
    drop(manager);
    let mut card = Card {
        name: step.name.clone(),
        kind: step.kind.to_string(),
        encryption: false,
        public_key: String::new(),
        since: context.now.to_string(),
        store: CardStore::Pkcs11 {
            device: device.to_owned(),
            label,
            id: base16ct::lower::encode_string(&id),
        },
    };
    let key = OpenKey::open_with(room, &card, &pin)?;
    card.public_key = public_key_text(&key.spki_der()?);
    room.write_card(&card)?;
    let mut facts = card_facts(&card);
    add_attributes(&attributes, &mut facts);
    Ok(facts)
}

fn random_id() -> Result<Vec<u8>, KeysError> {
    let mut id = [0; 8];
    SystemEntropy::new()
        .fill(&mut id)
        .map_err(|_| ceremony::GenerateError::EntropyUnavailable)?;
    Ok(id.to_vec())
}

pub(crate) fn adopt(room: &Room, step: &Adopt, context: &Context) -> Result<Facts, KeysError> {
    room.check_free(&step.name)?;
    let device = step.device.clone();
    let store = match (room.device(&device)?.kind, step.index) {
        (DeviceKind::Pkcs11, None) if step.label.is_some() || step.id.is_some() => {
            let id = step.id.clone().unwrap_or_default();
            if octets(&id).is_none() {
                return Err(KeysError::value("id", "must be hexadecimal octets"));
            }
            CardStore::Pkcs11 {
                device,
                label: step.label.clone().unwrap_or_default(),
                id,
            }
        }
        (DeviceKind::Sdf, Some(index @ 1..)) => CardStore::Sdf { device, index },
        (DeviceKind::Pkcs11, _) => {
            return Err(KeysError::value("label", "a token needs label or id"));
        }
        (DeviceKind::Sdf, _) => {
            return Err(KeysError::value(
                "index",
                "a machine needs an index, from 1",
            ));
        }
    };
    let mut card = Card {
        name: step.name.clone(),
        kind: step.kind.to_string(),
        encryption: false,
        public_key: String::new(),
        since: context.now.to_string(),
        store,
    };
    let key = OpenKey::open(room, &card, &step.secret)?;
    card.public_key = public_key_text(&key.spki_der()?);
    room.write_card(&card)?;
    let mut facts = card_facts(&card);
    facts.insert(
        "origin".to_owned(),
        "not made here: what the device's own records say of it counts".to_owned(),
    );
    Ok(facts)
}

/// What the key's place says of it, without more trust than it deserves.
pub(crate) fn attest(room: &Room, step: &Attest) -> Result<Facts, KeysError> {
    let card = room.card(&step.name)?;
    let secret = (step.secret).read(&format!("{} 口令或 PIN · passphrase or PIN", card.name))?;
    OpenKey::open_with(room, &card, &secret)?;
    let mut facts = card_facts(&card);
    facts.insert(
        "signature".to_owned(),
        "a trial signature verifies with the public key of the card".to_owned(),
    );
    match &card.store {
        CardStore::Software { .. } => {
            facts.insert(
                "attestation".to_owned(),
                "none: a file can be copied, and nobody can say that it was not".to_owned(),
            );
        }
        CardStore::Sdf { .. } => {
            facts.insert(
                "attestation".to_owned(),
                "none: GM/T 0018 has no function that tells of a key's origin".to_owned(),
            );
        }
        CardStore::Pkcs11 { device, label, id } => {
            let manager = Token::find(room, device)?.login(&secret)?;
            let token = manager.token()?;
            facts.insert("token-serial".to_owned(), token.serial);
            facts.insert("token-manufacturer".to_owned(), token.manufacturer);
            facts.insert("token-model".to_owned(), token.model);
            let label = (!label.is_empty()).then_some(label.as_str());
            let id = octets(id).filter(|id| !id.is_empty());
            let keys = manager.keys(label, id.as_deref())?;
            if let [attributes] = keys.as_slice() {
                add_attributes(attributes, &mut facts);
            }
        }
    }
    Ok(facts)
}

fn add_attributes(attributes: &yinxin_hsm::KeyAttributes, facts: &mut Facts) {
    for (name, value) in attributes.named() {
        let value = value.map_or_else(|| "not shown".to_owned(), |value| value.to_string());
        facts.insert(name.to_owned(), value);
    }
    let verdict = if attributes.never_left() {
        "the token says, signed by nobody: made inside, never could leave"
    } else {
        "the token does NOT say that the key was made inside and never could leave"
    };
    facts.insert("attestation".to_owned(), verdict.to_owned());
}

/// What names a key on paper.
pub(crate) fn card_facts(card: &Card) -> Facts {
    facts([
        ("kind", card.kind.clone()),
        ("store", card.store.words()),
        ("public-key-sha256", fingerprint(&card.spki_der())),
    ])
}
