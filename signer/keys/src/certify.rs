//! Requests go to an authority; what it sends comes in.

use std::path::Path;

use yinxin_pki::issue::{self, Name, NameAttribute};
use yinxin_pki::{
    Certificate, CertificationRequest, KeyUsage, REQUEST_PEM_LABEL, RequestTemplate, to_pem,
};
use yinxin_signer::ceremony::{Trusted, check_certificates, fingerprint};

use crate::error::file_error;
use crate::perform::facts;
use crate::room::{Room, write_new};
use crate::step::{Csr, InstallCertificate};
use crate::store::OpenKey;
use crate::{Context, Facts, KeysError};

pub(crate) fn csr(room: &Room, step: &Csr) -> Result<Facts, KeysError> {
    let card = room.card(&step.name)?;
    if card.encryption {
        return Err(KeysError::NotHere {
            what: "a request",
            name: step.name.clone(),
            why: "the authority makes encryption keys; request with the signing key of the pair",
        });
    }
    let subject = parse_name(&step.subject)?;
    let key = OpenKey::open(room, &card, &step.secret)?;
    let template = RequestTemplate {
        subject,
        subject_spki_der: card.spki_der(),
        key_usage: KeyUsage::SIGNING,
    };
    let info = template.info_der();
    let der = issue::assemble(&info, &key.kind().algorithm(), &key.sign(&info)?);
    // What we would not accept ourselves is not sent to anyone.
    CertificationRequest::from_pem_or_der(&der)?.verify()?;
    write_new(&step.out, to_pem(REQUEST_PEM_LABEL, &der).as_bytes(), 0o644)?;
    Ok(facts([
        ("file", step.out.display().to_string()),
        ("request-sha256", fingerprint(&der)),
        ("subject", step.subject.clone()),
        ("public-key-sha256", fingerprint(&card.spki_der())),
    ]))
}

/// `C=CN,O=…,CN=…`, outermost first; a comma inside a value is written `\,`.
fn parse_name(text: &str) -> Result<Name, KeysError> {
    let wrong = |rule: &str| KeysError::value("subject", rule);
    let mut name = Name::new();
    for part in split_unescaped(text) {
        let (attribute, value) = part
            .split_once('=')
            .ok_or_else(|| wrong("must be like C=CN,O=…,CN=…"))?;
        let value = value.trim();
        if value.is_empty() || value.chars().any(char::is_control) {
            return Err(wrong("has an empty value, or one with control characters"));
        }
        let printable = || {
            let sign = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
            value.bytes().all(sign)
        };
        let attribute = match attribute.trim() {
            "C" if value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                NameAttribute::Country
            }
            "C" => return Err(wrong("C must be two capital letters")),
            "ST" => NameAttribute::StateOrProvince,
            "L" => NameAttribute::Locality,
            "O" => NameAttribute::Organization,
            "OU" => NameAttribute::OrganizationalUnit,
            "CN" => NameAttribute::CommonName,
            "serialNumber" if printable() => NameAttribute::SerialNumber,
            "serialNumber" => return Err(wrong("serialNumber must be letters, digits and signs")),
            _ => return Err(wrong("knows C, ST, L, O, OU, CN and serialNumber")),
        };
        name = name.with(attribute, value);
    }
    Ok(name)
}

fn split_unescaped(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        match character {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            ',' if !escaped => parts.push(String::new()),
            other => {
                if let Some(last) = parts.last_mut() {
                    last.push(other);
                }
            }
        }
        escaped = false;
    }
    parts
}

pub(crate) fn install(
    room: &Room,
    step: &InstallCertificate,
    context: &Context,
) -> Result<Facts, KeysError> {
    let card = room.card(&step.name)?;
    let certificates = read_certificates(&step.certificates)?;
    let anchors = certificates_of(&step.trust.join("anchors"))?;
    let intermediates = certificates_of(&step.trust.join("intermediates"))?;
    let chain = check_certificates(
        &certificates,
        &card.spki_der(),
        card.purpose(),
        Trusted {
            anchors: &anchors,
            intermediates: &intermediates,
            allow_dev_only: step.allow_dev_only,
        },
        context.now,
    )?;
    let Some(leaf) = chain.first() else {
        return Err(KeysError::value(
            "certificates",
            "a root cannot be a seal's certificate",
        ));
    };
    let path = room.path(&format!("{}.pem", step.name));
    let before = room.certificates(&step.name)?;
    if let Some(old) = before.first() {
        if old.der() == leaf.der() {
            return Err(KeysError::value("certificates", "are installed already"));
        }
        let kept = room.path(&format!("{}.{}.pem", step.name, old.serial_hex()));
        std::fs::rename(&path, &kept).map_err(file_error(&kept))?;
    }
    let pem: String = chain.iter().map(Certificate::to_pem).collect();
    write_new(&path, pem.as_bytes(), 0o644)?;
    Ok(facts([
        ("file", path.display().to_string()),
        ("subject", leaf.subject_text()),
        ("issuer", leaf.issuer_text()),
        ("serial", leaf.serial_hex()),
        ("not-before", leaf.not_before().to_string()),
        ("not-after", leaf.not_after().to_string()),
        ("certificate-sha256", fingerprint(leaf.der())),
    ]))
}

pub(crate) fn read_certificates(path: &Path) -> Result<Vec<Certificate>, KeysError> {
    let bytes = std::fs::read(path).map_err(file_error(path))?;
    Certificate::list_from_pem_or_der(&bytes).map_err(|error| KeysError::Content {
        path: path.to_owned(),
        detail: error.to_string(),
    })
}

/// Every certificate of a folder; none where there is no folder.
fn certificates_of(folder: &Path) -> Result<Vec<Certificate>, KeysError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(KeysError::File {
                path: folder.to_owned(),
                source,
            });
        }
    };
    let mut certificates = Vec::new();
    for entry in entries {
        let path = entry.map_err(file_error(folder))?.path();
        certificates.extend(read_certificates(&path)?);
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_typed_and_nonsense_is_refused() {
        let name = parse_name(r"C=CN, O=示范村\, 村民委员会,CN=电子印章").expect("a name");
        let expected = Name::new()
            .with(NameAttribute::Country, "CN")
            .with(NameAttribute::Organization, "示范村, 村民委员会")
            .with(NameAttribute::CommonName, "电子印章");
        assert_eq!(name, expected);
        for wrong in [
            "",
            "CN",
            "CN=",
            "C=China",
            "X=1",
            "CN=a\nb",
            "serialNumber=号",
        ] {
            assert!(parse_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
