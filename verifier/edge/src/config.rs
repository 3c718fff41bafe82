//! The parts of a service's configuration that both have, and how any of it is read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// TLS of the server. `ClientCa` is `PathBuf` where every caller needs a certificate, and
/// `Option<PathBuf>` where the field may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls<ClientCa> {
    /// The server's certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM PKCS#8.
    pub key: PathBuf,
    /// The authorities whose client certificates may call, PEM. Absent: everybody may.
    pub client_ca: ClientCa,
}

impl<ClientCa> Tls<ClientCa>
where
    for<'a> &'a mut ClientCa: Into<Option<&'a mut PathBuf>>,
{
    /// Its paths, for [`resolve`].
    pub fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let client_ca: Option<&mut PathBuf> = (&mut self.client_ca).into();
        [&mut self.certificate, &mut self.key]
            .into_iter()
            .chain(client_ca)
    }
}

/// Whom documents are trusted by.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// A folder with the folders `anchors`, `intermediates` and `crls`; PEM or DER, all
    /// files in them are read.
    pub directory: PathBuf,
    /// Whether certificates marked `OU=DEV-ONLY` are good. Never in production.
    #[serde(default)]
    pub allow_dev_only: bool,
}

/// Where the service gives its figures to Prometheus: plain HTTP, for whoever reaches it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// For example `127.0.0.1:9464`; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Permits an address that other machines reach.
    #[serde(default)]
    pub beyond_loopback: bool,
}

impl MetricsConfig {
    /// # Errors
    /// [`ConfigError::Value`] for an address beyond this machine that was not asked for by name.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.listen.ip().is_loopback() || self.beyond_loopback {
            return Ok(());
        }
        Err(value_error(
            "metrics.listen",
            "must be a loopback address, or metrics.beyond_loopback must be true",
        ))
    }
}

/// How to log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For a person's eyes.
    Text,
}

/// Why a configuration is not good.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not the TOML we know.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// Which.
        path: PathBuf,
        /// The parser's words, with line and column.
        message: String,
    },
    /// It is TOML, and one value is wrong.
    #[error("{field}: {rule}")]
    Value {
        /// The field.
        field: String,
        /// What must hold.
        rule: String,
    },
    /// A file that the configuration names holds something else.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The server's own certificate and key, or the client authority.
    #[error("tls: {message}")]
    Tls {
        /// What is wrong.
        message: String,
    },
}

/// [`ConfigError::Value`] in one short line.
pub fn value_error(field: impl Into<String>, rule: impl Into<String>) -> ConfigError {
    ConfigError::Value {
        field: field.into(),
        rule: rule.into(),
    }
}

/// Reads a TOML file.
///
/// # Errors
/// [`ConfigError::Read`], [`ConfigError::Syntax`].
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// Makes relative paths start at the folder of the configuration `file`.
pub fn resolve<'a>(file: &Path, paths: impl IntoIterator<Item = &'a mut PathBuf>) {
    let folder = file.parent().unwrap_or(Path::new("."));
    for path in paths {
        if path.is_relative() {
            *path = folder.join(&*path);
        }
    }
}

/// A file that the configuration names.
///
/// # Errors
/// [`ConfigError::Read`].
pub fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The files of a folder in the order of their names; none when there is no such folder.
///
/// # Errors
/// [`ConfigError::Read`].
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |source| ConfigError::Read {
        path: folder.to_owned(),
        source,
    };
    if !folder.try_exists().map_err(unreadable)? {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "certificate = 'a'\nkey = '/b'\n";

    #[test]
    fn the_client_authority_may_be_absent_only_where_the_service_says_so() {
        let open: Tls<Option<PathBuf>> = toml::from_str(SERVER).unwrap();
        assert_eq!(open.client_ca, None);
        let error = toml::from_str::<Tls<PathBuf>>(SERVER).unwrap_err();
        assert!(error.to_string().contains("client_ca"), "{error}");
    }

    #[test]
    fn an_unknown_field_of_tls_is_refused_by_name() {
        let text = format!("{SERVER}client_ca = 'c'\nclinet_ca = 'd'\n");
        let closed = toml::from_str::<Tls<PathBuf>>(&text).unwrap_err();
        let open = toml::from_str::<Tls<Option<PathBuf>>>(&text).unwrap_err();
        for error in [closed, open] {
            assert!(error.to_string().contains("clinet_ca"), "{error}");
        }
    }

    #[test]
    fn only_relative_paths_move_to_the_folder_of_the_file() {
        let text = format!("{SERVER}client_ca = 'c'\n");
        let mut tls: Tls<Option<PathBuf>> = toml::from_str(&text).unwrap();
        resolve(Path::new("/etc/yinxin/one.toml"), tls.paths_mut());
        assert_eq!(tls.certificate, Path::new("/etc/yinxin/a"));
        assert_eq!(tls.key, Path::new("/b"));
        assert_eq!(tls.client_ca.unwrap(), Path::new("/etc/yinxin/c"));
    }

    #[test]
    fn figures_leave_the_machine_only_when_asked_for_by_name() {
        let cases = [
            ("listen = '127.0.0.1:9464'", true),
            ("listen = '[::1]:9464'", true),
            ("listen = '0.0.0.0:9464'", false),
            ("listen = '10.0.0.7:9464'", false),
            ("listen = '10.0.0.7:9464'\nbeyond_loopback = true", true),
        ];
        for (text, good) in cases {
            let config: MetricsConfig = toml::from_str(text).unwrap();
            assert_eq!(config.check().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn files_come_in_the_order_of_their_names_and_folders_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["c", "a", "b"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        std::fs::create_dir(folder.path().join("aa")).unwrap();
        let names: Vec<_> = files(folder.path())
            .unwrap()
            .iter()
            .map(|path| path.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(files(&folder.path().join("none")).unwrap().is_empty());
    }
}
