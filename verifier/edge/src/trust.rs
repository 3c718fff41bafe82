//! The trust folder: `anchors`, `intermediates` and `crls`, each with PEM or DER files, and
//! `seal-status` with the status lists of registries of seals.

use std::path::Path;

use yinxin_pki::{Certificate, CertificateRevocationList};
use yinxin_verifier::{SEAL_STATUS_BYTES_MAX, SealStatusList, Trust};

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
        seal_statuses: Vec::new(),
        allow_dev_only,
    })
}

/// Reads the status lists of a trust folder, for a verifier; a signer knows its own registry. A
/// missing `seal-status` is an empty one.
///
/// # Errors
/// [`ConfigError::Read`], [`ConfigError::Content`] with the file.
pub fn read_seal_statuses(folder: &Path) -> Result<Vec<SealStatusList>, ConfigError> {
    let mut lists = Vec::new();
    for path in files(&folder.join("seal-status"))? {
        let unfit = |message: String| ConfigError::Content {
            path: path.clone(),
            message,
        };
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        if bytes > SEAL_STATUS_BYTES_MAX as u64 {
            return Err(unfit(format!(
                "a seal status list of {bytes} bytes; at most {SEAL_STATUS_BYTES_MAX} are read"
            )));
        }
        let list =
            SealStatusList::from_json(&read(&path)?).map_err(|error| unfit(error.to_string()))?;
        lists.push(list);
    }
    Ok(lists)
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
    use yinxin_pki::UnixSeconds;

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
    fn status_lists_are_read_from_their_folder_and_a_wrong_one_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_seal_statuses(folder.path()).unwrap().len(), 0);
        let lists = folder.path().join("seal-status");
        std::fs::create_dir(&lists).unwrap();
        let list = SealStatusList::new(UnixSeconds(1), UnixSeconds(2), Vec::new()).unwrap();
        std::fs::write(lists.join("a.json"), list.to_json()).unwrap();
        assert_eq!(read_seal_statuses(folder.path()).unwrap(), [list]);
        let wrong = lists.join("b.json");
        let long = std::fs::File::create(&wrong).unwrap();
        for (bytes, said) in [(2, "no seal status list"), (1 << 30, "at most")] {
            long.set_len(bytes).unwrap();
            let error = read_seal_statuses(folder.path()).unwrap_err();
            assert!(
                matches!(&error, ConfigError::Content { path, .. } if *path == wrong),
                "{error}"
            );
            assert!(error.to_string().contains(said), "{error}");
        }
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
