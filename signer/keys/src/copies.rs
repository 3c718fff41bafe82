//! Copies of software keys, and keys that come in from outside.

use yinxin_pki::pem_blocks;
use yinxin_signer::ceremony::fingerprint;
use yinxin_signer::keys::key_file::{Protection, decrypt, encrypt};
use yinxin_signer::ports::SystemEntropy;
use yinxin_sm::{SecretKey, open_enveloped_key};
use zeroize::Zeroizing;

use crate::error::file_error;
use crate::make::{card_facts, write_key_file};
use crate::perform::facts;
use crate::room::{Card, CardStore, Room, public_key_text, write_new};
use crate::step::{Backup, ImportEncryptionKey, Restore};
use crate::store::OpenKey;
use crate::{Context, Facts, KeysError, SecretSource};

struct Opened {
    pkcs8_der: Zeroizing<Vec<u8>>,
    passphrase: Zeroizing<Vec<u8>>,
}

/// A software key, and the passphrase that opened it.
fn open_software(
    room: &Room,
    card: &Card,
    secret: &SecretSource,
    what: &'static str,
) -> Result<Opened, KeysError> {
    let CardStore::Software { file } = &card.store else {
        return Err(KeysError::NotHere {
            what,
            name: card.name.clone(),
            why: "it stays in its device; use the vendor's own way",
        });
    };
    let passphrase = secret.read(&format!("{} 的口令 · passphrase", card.name))?;
    let path = room.path(file);
    let bytes = std::fs::read(&path).map_err(file_error(&path))?;
    let pkcs8_der = decrypt(&bytes, &passphrase)?;
    check_same(card, &pkcs8_der)?;
    Ok(Opened {
        pkcs8_der,
        passphrase,
    })
}

fn check_same(card: &Card, pkcs8_der: &[u8]) -> Result<(), KeysError> {
    if OpenKey::of_pkcs8(&card.name, pkcs8_der)?.spki_der()? == card.spki_der() {
        return Ok(());
    }
    Err(KeysError::OtherKey {
        name: card.name.clone(),
        why: "its public key is another one",
    })
}

pub(crate) fn backup(room: &Room, step: &Backup) -> Result<Facts, KeysError> {
    let card = room.card(&step.name)?;
    let opened = open_software(room, &card, &step.secret, "a backup")?;
    let copy_passphrase =
        (step.backup_secret).read_new(&format!("{} 备份的口令 · of the copy", step.name))?;
    if *copy_passphrase == *opened.passphrase {
        return Err(KeysError::value(
            "backup_secret",
            "must not be the passphrase of the key: who has one must not have both",
        ));
    }
    let pem = encrypt(
        &opened.pkcs8_der,
        &copy_passphrase,
        Protection::default(),
        &mut SystemEntropy::new(),
    )?;
    write_new(&step.out, pem.as_bytes(), 0o600)?;
    // A copy that cannot be opened is found now, not on the day it is needed.
    let read = std::fs::read(&step.out).map_err(file_error(&step.out))?;
    check_same(&card, &decrypt(&read, &copy_passphrase)?)?;
    Ok(facts([
        ("file", step.out.display().to_string()),
        ("file-sha256", fingerprint(&read)),
        ("public-key-sha256", fingerprint(&card.spki_der())),
        ("checked", "read back, opened, and it signs".to_owned()),
    ]))
}

pub(crate) fn restore(room: &Room, step: &Restore, context: &Context) -> Result<Facts, KeysError> {
    let existing = match room.card(&step.name) {
        Ok(card) => Some(card),
        Err(KeysError::NoSuchKey { .. }) => None,
        Err(other) => return Err(other),
    };
    if existing.is_none() {
        room.check_free(&step.name)?;
    }
    let bytes = std::fs::read(&step.from).map_err(file_error(&step.from))?;
    let copy_passphrase =
        (step.backup_secret).read(&format!("{} 备份的口令 · of the copy", step.name))?;
    let clear = decrypt(&bytes, &copy_passphrase)?;
    if let Some(card) = &existing {
        check_same(card, &clear)?;
    }
    let passphrase = (step.secret).read_new(&format!("{} 的新口令 · new passphrase", step.name))?;
    let key = write_key_file(room, &step.name, &clear, &passphrase, Protection::default())?;
    let card = match existing {
        Some(card) => card,
        None => {
            let card = Card {
                name: step.name.clone(),
                kind: key.kind().to_string(),
                encryption: false,
                public_key: public_key_text(&key.spki_der()?),
                since: context.now.to_string(),
                store: CardStore::Software {
                    file: format!("{}.key.pem", step.name),
                },
            };
            room.write_card(&card)?;
            card
        }
    };
    Ok(card_facts(&card))
}

pub(crate) fn import_encryption_key(
    room: &Room,
    step: &ImportEncryptionKey,
    context: &Context,
) -> Result<Facts, KeysError> {
    room.check_free(&step.name)?;
    let signing = room.card(&step.signing_key)?;
    let opened = open_software(
        room,
        &signing,
        &step.secret,
        "opening an SM2EnvelopedKey here",
    )?;
    let signing_key = SecretKey::from_pkcs8_der(&opened.pkcs8_der).map_err(KeysError::Envelope)?;
    let bytes = std::fs::read(&step.envelope).map_err(file_error(&step.envelope))?;
    let der = match pem_blocks(&bytes)?.into_iter().next() {
        Some(block) => block.der,
        None => bytes,
    };
    let key = open_enveloped_key(&der, &signing_key).map_err(KeysError::Envelope)?;
    let open = write_key_file(
        room,
        &step.name,
        &key.to_pkcs8_der(),
        &opened.passphrase,
        Protection::default(),
    )?;
    let card = Card {
        name: step.name.clone(),
        kind: open.kind().to_string(),
        encryption: true,
        public_key: public_key_text(&open.spki_der()?),
        since: context.now.to_string(),
        store: CardStore::Software {
            file: format!("{}.key.pem", step.name),
        },
    };
    room.write_card(&card)?;
    Ok(card_facts(&card))
}
