//! The end of a key takes two persons.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use yinxin_pki::Certificate;
use yinxin_signer::ceremony::approval::{self, Act, Approval};
use yinxin_signer::ceremony::fingerprint;
use yinxin_signer::keys::key_file::decrypt;

use crate::certify::read_certificates;
use crate::error::file_error;
use crate::make::card_facts;
use crate::perform::facts;
use crate::room::{Card, CardStore, Room, octets, sync_folder, write_new};
use crate::step::{AddCustodian, Approve, Destroy};
use crate::store::{OpenKey, Token};
use crate::{Context, Facts, KeysError};

const ACTION: &str = "destroy";

pub(crate) fn add_custodian(
    room: &Room,
    step: &AddCustodian,
    context: &Context,
) -> Result<Facts, KeysError> {
    let certificates = read_certificates(&step.certificate)?;
    let custodian = certificates
        .first()
        .ok_or_else(|| KeysError::value("certificate", "the file holds none"))?;
    if context.now < custodian.not_before() || context.now > custodian.not_after() {
        return Err(KeysError::value("certificate", "is not valid now"));
    }
    let same = |one: &Certificate| one.spki_der() == custodian.spki_der();
    if room.custodians()?.iter().any(same) {
        return Err(KeysError::value(
            "certificate",
            "its key is a custodian's already",
        ));
    }
    let folder = room.path("custodians");
    std::fs::create_dir_all(&folder).map_err(file_error(&folder))?;
    room.check_free(&step.name)?;
    let path = folder.join(format!("{}.pem", step.name));
    write_new(&path, custodian.to_pem().as_bytes(), 0o644)?;
    Ok(facts([
        ("subject", custodian.subject_text()),
        ("certificate-sha256", fingerprint(custodian.der())),
    ]))
}

pub(crate) fn approve(room: &Room, step: &Approve, context: &Context) -> Result<Facts, KeysError> {
    let card = room.card(&step.name)?;
    let path = room.path(&format!("custodians/{}.pem", step.custodian));
    let bytes = std::fs::read(&path).map_err(file_error(&path))?;
    let custodian = Certificate::from_pem_or_der(&bytes)?;
    let file = std::fs::read(&step.custodian_key).map_err(file_error(&step.custodian_key))?;
    let passphrase = (step.secret).read(&format!("{} 的口令 · passphrase", step.custodian))?;
    let key = OpenKey::of_pkcs8(&step.custodian, &decrypt(&file, &passphrase)?)?;
    if key.spki_der()? != custodian.spki_der() {
        return Err(KeysError::OtherKey {
            name: step.custodian.clone(),
            why: "it is not the key of the custodian's certificate",
        });
    }
    let spki_der = card.spki_der();
    let statement = act(&card, &spki_der).statement(context.now);
    let approval = Approval::new(context.now, &custodian, &key.sign(statement.as_bytes())?);
    let text = serde_json::to_string_pretty(&approval).expect("an approval is plain text");
    write_new(&step.out, text.as_bytes(), 0o644)?;
    Ok(facts([
        ("file", step.out.display().to_string()),
        ("custodian", custodian.subject_text()),
        ("statement-sha256", fingerprint(statement.as_bytes())),
    ]))
}

fn act<'a>(card: &'a Card, spki_der: &'a [u8]) -> Act<'a> {
    Act {
        action: ACTION,
        key: &card.name,
        spki_der,
    }
}

pub(crate) fn destroy(room: &Room, step: &Destroy, context: &Context) -> Result<Facts, KeysError> {
    let card = room.card(&step.name)?;
    let mut approvals = Vec::new();
    for path in &step.approvals {
        let bytes = std::fs::read(path).map_err(file_error(path))?;
        let approval: Approval =
            serde_json::from_slice(&bytes).map_err(|error| KeysError::Content {
                path: path.clone(),
                detail: error.to_string(),
            })?;
        approvals.push(approval);
    }
    let spki_der = card.spki_der();
    let names = approval::check(
        &act(&card, &spki_der),
        &approvals,
        &room.custodians()?,
        context.now,
    )?;
    let what = match &card.store {
        CardStore::Sdf { .. } => {
            return Err(KeysError::NotHere {
                what: "a destruction",
                name: step.name.clone(),
                why: "GM/T 0018 has no function that destroys a key of the machine: use the \
                      vendor's tool",
            });
        }
        CardStore::Pkcs11 { device, label, id } => {
            let id = octets(id).unwrap_or_default();
            if label.is_empty() || id.is_empty() {
                return Err(KeysError::value(
                    "id",
                    "a card with both label and id is needed, so that no other key is meant",
                ));
            }
            let pin = step.secret.read(&format!("{device} PIN"))?;
            let manager = Token::find(room, device)?.login(&pin)?;
            let objects = manager.destroy(label, &id)?;
            format!("{objects} objects of the token destroyed and no longer found")
        }
        CardStore::Software { file } => {
            wipe(&room.path(file))?;
            "the file was overwritten and removed; copies and what a disk keeps are not reached"
                .to_owned()
        }
    };
    let path = room.path(&format!("{}.json", step.name));
    let kept = room.path(&format!(
        "{}.{}.destroyed",
        step.name,
        fingerprint(&spki_der).get(..16).unwrap_or_default()
    ));
    std::fs::rename(&path, &kept).map_err(file_error(&path))?;
    sync_folder(room.folder())?;
    let mut facts = card_facts(&card);
    facts.insert("destroyed".to_owned(), what);
    facts.insert("approved-by".to_owned(), names.join("; "));
    for (number, approval) in (1..).zip(&approvals) {
        facts.insert(
            format!("approval-{number}-at"),
            approval.approved_at.clone(),
        );
        facts.insert(
            format!("approval-{number}-certificate-sha256"),
            approval.certificate_sha256.clone(),
        );
        facts.insert(
            format!("approval-{number}-signature"),
            approval.signature_hex.clone(),
        );
    }
    Ok(facts)
}

/// Overwrites a file and removes it. A disk may keep what was there; the encryption of the file is
/// what protects it then.
fn wipe(path: &Path) -> Result<(), KeysError> {
    let length = std::fs::metadata(path).map_err(file_error(path))?.len();
    let mut file = File::options()
        .write(true)
        .open(path)
        .map_err(file_error(path))?;
    let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
    file.write_all(&zeros)
        .and_then(|()| file.sync_all())
        .map_err(file_error(path))?;
    std::fs::remove_file(path).map_err(file_error(path))
}
