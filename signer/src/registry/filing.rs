//! Filing (备案): what an authority is told of a seal, and what it answers.

use serde::{Deserialize, Serialize};

use super::{Change, RegistryError, SealRecord, SealState};

/// That a version is filed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filing {
    /// The number it is filed under (备案号), 1 to 64 characters.
    pub number: String,
    /// With whom, for example a county's police: 1 to 100 characters.
    pub authority: String,
}

impl Filing {
    /// Checks the two texts.
    ///
    /// # Errors
    /// [`RegistryError::Field`].
    pub fn check(&self) -> Result<(), RegistryError> {
        for (field, text, max) in [
            ("filing.number", &self.number, 64),
            ("filing.authority", &self.authority, 100),
        ] {
            let characters = text.chars().count();
            if !(1..=max).contains(&characters) || text.chars().any(char::is_control) {
                return Err(RegistryError::Field {
                    field,
                    rule: format!("must have 1 to {max} characters without control characters"),
                });
            }
        }
        Ok(())
    }
}

/// A filing record, as exported and as it comes back with its number: one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilingRecord {
    /// The seal's code.
    pub seal_code: String,
    /// Its name.
    pub seal_name: String,
    /// The police's code of its kind: 01 to 05, 99.
    pub seal_type: String,
    /// The owner.
    pub owner_name: String,
    /// The owner's unified credit code.
    pub owner_code: String,
    /// The version that the record speaks of, from 1.
    pub version: u32,
    /// SHA-256 of the seal object, lower-case hexadecimal; none without an SM2 side.
    pub ses_sha256: Option<String>,
    /// The maker of the seal object.
    pub maker: Option<String>,
    /// The first second of validity, since 1970-01-01T00:00:00Z.
    pub valid_from: i64,
    /// The last second of validity.
    pub valid_until: i64,
    /// SHA-256 of the signers' certificates, lower-case hexadecimal.
    pub certificates_sha256: Vec<String>,
    /// The state at the time of the export.
    pub state: String,
    /// Number and authority, once filed.
    pub filing: Option<Filing>,
}

/// What an imported filing record does.
#[derive(Clone, Debug, PartialEq)]
pub enum FilingOutcome {
    /// It files the version that waits for it.
    Files(Change),
    /// The version is filed under this number already.
    KnownAlready,
}

impl SealRecord {
    /// The filing records of every version that was made, oldest first.
    #[must_use]
    pub fn filing_records(&self, at: yinxin_pki::UnixSeconds) -> Vec<FilingRecord> {
        let application = self.application();
        let state = self
            .status_at(at)
            .map_or(SealState::Applied, |status| status.state);
        self.versions()
            .iter()
            .map(|version| FilingRecord {
                seal_code: application.code.clone(),
                seal_name: application.name.clone(),
                seal_type: police_code(application.kind).to_owned(),
                owner_name: application.owner_name.clone(),
                owner_code: application.owner_code.clone(),
                version: version.number,
                ses_sha256: version.material.ses_sha256.clone(),
                maker: version.material.maker.clone(),
                valid_from: version.valid_from.0,
                valid_until: version.valid_until.0,
                certificates_sha256: version
                    .certificates
                    .iter()
                    .map(|digest| base16ct::lower::encode_string(digest))
                    .collect(),
                state: state.name().to_owned(),
                filing: version.filing.clone(),
            })
            .collect()
    }

    /// What a filing record from outside does to this seal.
    ///
    /// # Errors
    /// [`RegistryError::Field`] when it has no filing, speaks of another version or seal object, or
    /// the version is filed under another number.
    pub fn take_filing(&self, record: &FilingRecord) -> Result<FilingOutcome, RegistryError> {
        let refuse = |field: &'static str, rule: &str| {
            Err(RegistryError::Field {
                field,
                rule: rule.to_owned(),
            })
        };
        let Some(filing) = &record.filing else {
            return refuse("filing", "must hold number and authority");
        };
        filing.check()?;
        let Some(version) = self
            .versions()
            .iter()
            .find(|version| version.number == record.version)
        else {
            return refuse("version", "the seal has no such version");
        };
        if version.material.ses_sha256 != record.ses_sha256 {
            return refuse(
                "ses_sha256",
                "another seal object was made for this version",
            );
        }
        match &version.filing {
            Some(known) if known == filing => Ok(FilingOutcome::KnownAlready),
            Some(_) => refuse("filing.number", "the version is filed under another number"),
            None => Ok(FilingOutcome::Files(Change::Filed {
                filing: filing.clone(),
            })),
        }
    }
}

/// The police's code of a kind of seal (GA/T on seal management: 01 to 05, 99 for the rest).
fn police_code(kind: crate::appearance::SealKind) -> &'static str {
    use crate::appearance::SealKind;
    match kind {
        SealKind::LegalName => "01",
        SealKind::Finance => "02",
        SealKind::Invoice => "03",
        SealKind::Contract => "04",
        SealKind::LegalRepresentative => "05",
        SealKind::Business | SealKind::Personal => "99",
    }
}
