//! The trust folder: `anchors`, `intermediates` and `crls`, each with PEM or DER files.

use std::path::{Path, PathBuf};

use yinxin_pki::{Certificate, CertificateRevocationList};
use yinxin_verifier::Trust;

use crate::config::ConfigError;

/// Reads a trust folder. A missing `intermediates` or `crls` is an empty one.
///
/// # Errors
/// [`ConfigError::Read`], [`ConfigError::Content`] with the file; [`ConfigError::Value`]
/// when there is no anchor.
pub fn read_trust(folder: &Path, allow_dev_only: bool) -> Result<Trust, ConfigError> {
    let anchors = certificates(&folder.join("anchors"))?;
    if anchors.is_empty() {
        return Err(ConfigError::Value {
            field: "trust.directory",
            rule: "its folder anchors must hold at least one certificate",
        });
    }
    let mut crls = Vec::new();
    for path in files(&folder.join("crls"))? {
        let crl = CertificateRevocationList::from_pem_or_der(&read(&path)?).map_err(|error| {
            ConfigError::Content {
                path,
                message: error.to_string(),
            }
        })?;
        crls.push(crl);
    }
    let intermediates = certificates(&folder.join("intermediates"))?;
    Ok(Trust {
        anchors,
        intermediates,
        crls,
        allow_dev_only,
    })
}

fn certificates(folder: &Path) -> Result<Vec<Certificate>, ConfigError> {
    let mut all = Vec::new();
    for path in files(folder)? {
        let some = Certificate::list_from_pem_or_der(&read(&path)?).map_err(|error| {
            ConfigError::Content {
                path,
                message: error.to_string(),
            }
        })?;
        all.extend(some);
    }
    Ok(all)
}

/// The files of a folder in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
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

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}
