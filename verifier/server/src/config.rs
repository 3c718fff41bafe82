//! The verifier's one TOML file: parsed whole before any port opens, unknown fields
//! refused.
//!
//! Relative paths are relative to the folder of the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use yinxin_edge::value_error;
pub use yinxin_edge::{ConfigError, LogFormat, MetricsConfig, TrustConfig};

/// TLS of the server; without a client authority everybody may call.
pub type Tls = yinxin_edge::Tls<Option<PathBuf>>;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen, for example `127.0.0.1:7444`; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// TLS. Absent only together with `insecure_loopback`.
    pub tls: Option<Tls>,
    /// Permits plain text, on a loopback address only: behind a proxy that does the TLS,
    /// or for trials.
    #[serde(default)]
    pub insecure_loopback: bool,
    /// Whom documents are trusted by.
    pub trust: TrustConfig,
    /// Where uploads lie, nameless, while they are looked at; absent: the system's folder
    /// for temporary files. Needs room for `concurrent_uploads_max` documents and should
    /// be a disk, not memory.
    pub spool: Option<PathBuf>,
    /// Limits on what comes in.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// How to log.
    #[serde(default)]
    pub log: LogFormat,
    /// Where figures are given; absent: nowhere.
    pub metrics: Option<MetricsConfig>,
}

/// Limits on what comes in.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// The longest PDF, in bytes.
    pub document_bytes_max: u64,
    /// The most pages.
    pub pages_max: usize,
    /// The most objects.
    pub objects_max: usize,
    /// How long one request may take, upload included, in seconds.
    pub request_seconds_max: u64,
    /// How many requests may be under way; one more is told to come again.
    pub concurrent_uploads_max: usize,
    /// How many documents are looked at at a time; more wait. Each takes a processor.
    pub concurrent_documents_max: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            document_bytes_max: 512 * 1024 * 1024,
            pages_max: 20_000,
            objects_max: 2_000_000,
            request_seconds_max: 120,
            concurrent_uploads_max: 64,
            concurrent_documents_max: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

impl Config {
    /// Reads a file, makes its paths absolute and checks its values.
    ///
    /// # Errors
    /// [`ConfigError`]; nothing of a file that is wrong anywhere is used.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = yinxin_edge::read_toml(path)?;
        config.resolve(path);
        config.check()?;
        Ok(config)
    }

    fn resolve(&mut self, file: &Path) {
        let mut paths = vec![&mut self.trust.directory];
        paths.extend(self.spool.as_mut());
        paths.extend(self.tls.iter_mut().flat_map(Tls::paths_mut));
        yinxin_edge::resolve(file, paths);
    }

    /// The rules that go beyond single fields; also for a configuration that did not come
    /// from a file.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for the first rule that does not hold.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.metrics.iter().try_for_each(MetricsConfig::check)?;
        let rule = |holds, field, rule| match holds {
            true => Ok(()),
            false => Err(value_error(field, rule)),
        };
        rule(
            self.tls.is_some() || self.insecure_loopback,
            "tls",
            "must be given, or insecure_loopback must be true",
        )?;
        rule(
            self.tls.is_none() || !self.insecure_loopback,
            "insecure_loopback",
            "must be false where tls is given",
        )?;
        rule(
            self.tls.is_some() || self.listen.ip().is_loopback(),
            "listen",
            "must be a loopback address where there is no tls",
        )?;
        let limits = &self.limits;
        rule(
            limits.document_bytes_max > 0,
            "limits.document_bytes_max",
            "must not be 0",
        )?;
        rule(
            limits.request_seconds_max > 0,
            "limits.request_seconds_max",
            "must not be 0",
        )?;
        let permits = 1..=tokio::sync::Semaphore::MAX_PERMITS;
        rule(
            permits.contains(&limits.concurrent_uploads_max),
            "limits.concurrent_uploads_max",
            "must not be 0 nor absurdly high",
        )?;
        rule(
            permits.contains(&limits.concurrent_documents_max),
            "limits.concurrent_documents_max",
            "must not be 0 nor absurdly high",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "listen = '127.0.0.1:0'\ninsecure_loopback = true\n";
    const TRUST: &str = "[trust]\ndirectory = 'trust'\n";
    const TLS: &str = "[tls]\ncertificate = 'a'\nkey = '/b'\n";

    fn read(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verifier.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn an_unknown_field_is_refused_by_name_wherever_it_stands() {
        let cases = [
            ("at the top", format!("{PLAIN}listne = 1\n{TRUST}")),
            ("in trust", format!("{PLAIN}{TRUST}listne = 1\n")),
            ("in limits", format!("{PLAIN}{TRUST}[limits]\nlistne = 1\n")),
            (
                "in tls",
                format!("listen = '127.0.0.1:0'\n{TRUST}{TLS}listne = 1\n"),
            ),
        ];
        for (place, text) in cases {
            let error = read(&text).unwrap_err();
            assert!(
                matches!(error, ConfigError::Syntax { .. }),
                "{place}: {error}"
            );
            assert!(error.to_string().contains("listne"), "{place}: {error}");
        }
    }

    #[test]
    fn plain_text_is_for_loopback_and_asked_for_by_name() {
        let refused = [
            (
                "no tls and not asked for",
                format!("listen = '127.0.0.1:0'\n{TRUST}"),
                "tls",
            ),
            (
                "not loopback",
                format!("listen = '0.0.0.0:0'\ninsecure_loopback = true\n{TRUST}"),
                "listen",
            ),
            ("both", format!("{PLAIN}{TRUST}{TLS}"), "insecure_loopback"),
        ];
        for (case, text, expected) in refused {
            let error = read(&text).unwrap_err();
            assert!(
                matches!(&error, ConfigError::Value { field, .. } if field == expected),
                "{case}: {error}"
            );
        }
        read(&format!("{PLAIN}{TRUST}")).unwrap();
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        for field in [
            "document_bytes_max",
            "request_seconds_max",
            "concurrent_uploads_max",
            "concurrent_documents_max",
        ] {
            let error = read(&format!("{PLAIN}{TRUST}[limits]\n{field} = 0\n")).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
    }

    #[test]
    fn relative_paths_start_at_the_folder_of_the_file() {
        let config = read(&format!(
            "listen = '[::1]:0'\n{TRUST}{TLS}client_ca = 'c'\n"
        ))
        .unwrap();
        let tls = config.tls.unwrap();
        assert!(config.trust.directory.is_absolute() && tls.client_ca.unwrap().is_absolute());
        assert_eq!(tls.key, Path::new("/b"));
        assert_eq!(tls.certificate.parent(), config.trust.directory.parent());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::read(Path::new("/no/such/file.toml")).unwrap_err();
        assert!(error.to_string().contains("/no/such/file.toml"), "{error}");
    }
}
