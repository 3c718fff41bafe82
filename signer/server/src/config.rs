//! The signer's one TOML file: parsed whole before any port opens, unknown fields refused.
//!
//! Relative paths are relative to the folder of the file.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use yinxin_edge::value_error;
pub use yinxin_edge::{ConfigError, LogFormat, MetricsConfig, TrustConfig};

pub use crate::keys::config::*;
pub use crate::people::{PersonConfig, RegistryConfig};
pub use crate::renewal::{FilingConfig, RenewalConfig};
pub use crate::succession::NextConfig;

/// TLS of the server; every caller needs a certificate.
pub type Tls = yinxin_edge::Tls<PathBuf>;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen, for example `127.0.0.1:7443`.
    pub listen: SocketAddr,
    /// TLS of the server, and who may call at all.
    pub tls: Tls,
    /// Where the record and the documents are kept.
    pub record: RecordConfig,
    /// What the self-check trusts.
    pub trust: TrustConfig,
    /// Where the passphrase of the key files comes from; needed when a key is in a file.
    pub passphrase: Option<Passphrase>,
    /// Fonts for typesetting and for the lettering of seals.
    pub fonts: Fonts,
    /// The keys.
    #[serde(default, rename = "key")]
    pub keys: Vec<KeyConfig>,
    /// The devices that hold some of them.
    #[serde(default, rename = "device")]
    pub devices: Vec<DeviceConfig>,
    /// The seals.
    #[serde(default, rename = "seal")]
    pub seals: Vec<SealConfig>,
    /// The departments that may call.
    #[serde(default, rename = "department")]
    pub departments: Vec<DepartmentConfig>,
    /// The people who work on seals.
    #[serde(default, rename = "person")]
    pub people: Vec<PersonConfig>,
    /// The registry of seals.
    #[serde(default)]
    pub registry: RegistryConfig,
    /// Keys that are succeeded by others, and the seals of the registry with them.
    #[serde(default, rename = "renewal")]
    pub renewals: Vec<RenewalConfig>,
    /// Limits on what comes in.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Names of the SM2 profiles in the file.
    #[serde(default)]
    pub profiles: ProfilesConfig,
    /// How to log.
    #[serde(default)]
    pub log: LogFormat,
    /// Where figures are given; absent: nowhere.
    pub metrics: Option<MetricsConfig>,
    /// Where all this was read, to be read again.
    #[serde(skip)]
    pub file: PathBuf,
}

/// Where the record and the documents are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordConfig {
    /// The SQLite file; made when it is not there.
    pub database: PathBuf,
    /// The folder of documents; made when it is not there.
    pub documents: PathBuf,
}

/// Where the passphrase of the key files comes from: exactly one of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passphrase {
    /// A file; one line end at its end is not part of the passphrase.
    pub file: Option<PathBuf>,
    /// The name of an environment variable.
    pub environment: Option<String>,
}

/// Fonts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fonts {
    /// Font files, or folders searched for `.otf`, `.ttf` and `.ttc`.
    pub paths: Vec<PathBuf>,
    /// The font of the seals' lettering; absent: the first Chinese Song (serif) face found.
    pub seal: Option<SealFontConfig>,
}

/// One face of a font file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealFontConfig {
    /// The file.
    pub file: PathBuf,
    /// The face inside a collection, from 0.
    #[serde(default)]
    pub index: u32,
}

/// One seal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealConfig {
    /// Our name of it: 1 to 64 of a-z, 0-9 and `-`.
    pub id: String,
    /// The owner's full name, which runs along the upper arc.
    pub owner_name: String,
    /// The owner's unified credit code (GB 32100).
    pub owner_code: String,
    /// The issuer's division code for licence numbers (12 digits), for a village's seal.
    pub division_code: Option<String>,
    /// Who keeps it: the name of a person; absent: only approvers suspend it.
    pub keeper: Option<String>,
    /// Diameter in mm.
    pub diameter_mm: f64,
    /// A line under the star.
    pub lower_text: Option<String>,
    /// The SM2 side.
    pub gm: Option<GmConfig>,
    /// The RSA or P-256 side.
    pub pades: Option<IdentityConfig>,
    /// What it signs with from a moment on.
    pub next: Option<NextConfig>,
}

/// The SM2 side of a seal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GmConfig {
    /// The GB/T 38540 seal object, DER.
    pub seal: PathBuf,
    /// The key's name.
    pub key: String,
    /// The signer's certificate and those above it, PEM, nearest first.
    pub certificates: PathBuf,
}

/// A key with its certificates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// The key's name.
    pub key: String,
    /// The signer's certificate and those above it, PEM, nearest first.
    pub certificates: PathBuf,
}

/// One department.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepartmentConfig {
    /// The common name of its client certificate.
    pub name: String,
    /// The seals it may use.
    pub seals: BTreeSet<String>,
    /// What it may do: `issue-licence`, `seal-document`, `seal-digest`.
    pub operations: BTreeSet<String>,
}

/// Limits on what comes in.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// The longest PDF, in bytes.
    pub document_bytes_max: u64,
    /// The most pages.
    pub pages_max: u32,
    /// The most objects.
    pub objects_max: u32,
    /// How long one request may take, in seconds.
    pub request_seconds_max: u64,
    /// How many documents are worked on at a time; more wait.
    pub concurrent_documents_max: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            document_bytes_max: 512 * 1024 * 1024,
            pages_max: 20_000,
            objects_max: 2_000_000,
            request_seconds_max: 120,
            concurrent_documents_max: 16,
        }
    }
}

/// Names of the SM2 profiles.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfilesConfig {
    /// For `gm-seal`.
    pub gm_seal: Option<NamesConfig>,
    /// For `gm-cms`.
    pub gm_cms: Option<NamesConfig>,
}

/// /Filter and /SubFilter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamesConfig {
    /// /Filter.
    pub filter: String,
    /// /SubFilter.
    pub sub_filter: String,
}

impl Config {
    /// Reads a file and makes its paths absolute.
    ///
    /// # Errors
    /// [`ConfigError`]; nothing of a file that is wrong anywhere is used.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = yinxin_edge::read_toml(path)?;
        config.check()?;
        config.resolve(path);
        config.file = path.to_owned();
        Ok(config)
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), ConfigError> {
        crate::succession::check(&self.seals)?;
        self.metrics.iter().try_for_each(MetricsConfig::check)?;
        let limits = &self.limits;
        let zeros = [
            ("document_bytes_max", limits.document_bytes_max == 0),
            ("pages_max", limits.pages_max == 0),
            ("objects_max", limits.objects_max == 0),
            ("request_seconds_max", limits.request_seconds_max == 0),
            (
                "concurrent_documents_max",
                limits.concurrent_documents_max == 0,
            ),
        ];
        if let Some((field, _)) = zeros.iter().find(|(_, is_zero)| *is_zero) {
            return Err(value_error(format!("limits.{field}"), "must be at least 1"));
        }
        crate::keys::config::check(&self.keys, &self.devices)
    }

    fn resolve(&mut self, file: &Path) {
        let mut paths = vec![
            &mut self.record.database,
            &mut self.record.documents,
            &mut self.trust.directory,
        ];
        paths.extend(self.tls.paths_mut());
        paths.extend(self.passphrase.iter_mut().flat_map(|one| &mut one.file));
        paths.extend(self.fonts.paths.iter_mut());
        paths.extend(self.fonts.seal.iter_mut().map(|font| &mut font.file));
        paths.extend(self.keys.iter_mut().flat_map(KeyConfig::paths_mut));
        paths.extend(self.devices.iter_mut().flat_map(DeviceConfig::paths_mut));
        for person in &mut self.people {
            paths.extend(person.approval_certificates.iter_mut());
        }
        paths.extend(
            self.registry
                .maker
                .iter_mut()
                .map(|maker| &mut maker.certificates),
        );
        let renewals = self.renewals.iter_mut();
        paths.extend(renewals.map(|renewal| &mut renewal.by.certificates));
        for seal in &mut self.seals {
            if let Some(gm) = &mut seal.gm {
                paths.push(&mut gm.seal);
                paths.push(&mut gm.certificates);
            }
            paths.extend(seal.pades.iter_mut().map(|pades| &mut pades.certificates));
            if let Some(next) = &mut seal.next {
                if let Some(gm) = &mut next.gm {
                    paths.push(&mut gm.seal);
                    paths.push(&mut gm.certificates);
                }
                paths.extend(next.pades.iter_mut().map(|pades| &mut pades.certificates));
            }
        }
        yinxin_edge::resolve(file, paths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        listen = "127.0.0.1:7443"
        [tls]
        certificate = "a"
        key = "b"
        client_ca = "c"
        [record]
        database = "d"
        documents = "e"
        [trust]
        directory = "f"
        [passphrase]
        file = "g"
        [fonts]
        paths = ["h"]
    "#;

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signer.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_are_relative_to_the_folder_of_the_file() {
        let config = read(GOOD).unwrap();
        assert!(config.tls.key.is_absolute());
        assert!(config.fonts.paths.iter().all(|path| path.is_absolute()));
    }

    #[test]
    fn what_is_unknown_missing_or_out_of_range_is_refused_by_name() {
        let cases = [
            (
                "an unknown field",
                format!("{GOOD}\n[limits]\npage_max = 1"),
                "page_max",
            ),
            (
                "an unknown section",
                format!("{GOOD}\n[cache]\nsize = 1"),
                "cache",
            ),
            ("a missing field", GOOD.replace("key = \"b\"", ""), "key"),
            (
                "no client authority",
                GOOD.replace("client_ca = \"c\"", ""),
                "client_ca",
            ),
            (
                "a zero",
                format!("{GOOD}\n[limits]\nconcurrent_documents_max = 0"),
                "concurrent",
            ),
            (
                "figures for other machines",
                format!("{GOOD}\n[metrics]\nlisten = \"0.0.0.0:9464\""),
                "beyond_loopback",
            ),
            (
                "a wrong type",
                GOOD.replace("\"127.0.0.1:7443\"", "7443"),
                "listen",
            ),
        ];
        for (what, text, named) in cases {
            let error = read(&text).expect_err(what);
            assert!(error.contains(named), "{what}: {error}");
        }
    }
}
