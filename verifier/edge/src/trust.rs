//! The trust folder: `anchors`, `intermediates` and `crls`, each with PEM or DER files.

use std::path::Path;

use yinxin_pki::{Certificate, CertificateRevocationList};
use yinxin_verifier::Trust;

use crate::config::{ConfigError, files, read, value_error};

/// Reads a trust folder. A missing `intermediates` or `crls` is an empty one.
///
/// # Errors
/// [`ConfigError::Read`], [`ConfigError::Content`] with the file; [`ConfigError::Value`]
/// when there is no anchor.
pub fn read_trust(folder: &Path, allow_dev_only: bool) -> Result<Trust, ConfigError> {
    let anchors = certificates(&folder.join("anchors"))?;
    if anchors.is_empty() {
        return Err(value_error(
            "trust.directory",
            "its folder anchors must hold at least one certificate",
        ));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_anchors_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = read_trust(folder.path(), false).unwrap_err();
        assert!(
            matches!(&error, ConfigError::Value { field, .. } if field == "trust.directory"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_is_no_certificate_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchors").join("notes.txt");
        std::fs::create_dir(folder.path().join("anchors")).unwrap();
        std::fs::write(&path, "not a certificate").unwrap();
        let error = read_trust(folder.path(), false).unwrap_err();
        assert!(
            matches!(&error, ConfigError::Content { path: named, .. } if *named == path),
            "{error}"
        );
    }
}
