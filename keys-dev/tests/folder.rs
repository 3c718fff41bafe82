//! The folder of keys: made once, whole, and for its owner's eyes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use yinxin_keys_dev::{CrlRequest, DevKeys, DevKeysError, decrypt_key_pem};
use yinxin_pki::{Certificate, CertificateRevocationList, UnixSeconds, pem_blocks};

/// 2026-11-22T08:00:00Z.
const NOW: UnixSeconds = UnixSeconds(1_795_334_400);

fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_folder_is_made_once_and_used_again() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("a/keys");
    let keys = DevKeys::make(&directory, NOW).unwrap();
    let made = files(&directory);
    let later = UnixSeconds(NOW.0 + 86_400);
    assert_eq!(DevKeys::make(&directory, later).unwrap(), keys);
    assert_eq!(files(&directory), made);
    assert_eq!(fs::read_dir(parent.path().join("a")).unwrap().count(), 1);

    let expected: Vec<&str> = EXPECTED_FILES.split_whitespace().collect();
    let names: Vec<&str> = made.keys().map(|name| name.to_str().unwrap()).collect();
    assert_eq!(names, expected);

    // What is read back is what was made.
    let pki = keys.pki(NOW).unwrap();
    assert_eq!(
        pki.seal_maker.certificate.issuer_der(),
        pki.sm2_issuing.certificate.subject_der()
    );
    let chain = fs::read(keys.rsa_signer().chain).unwrap();
    assert_eq!(
        Certificate::list_from_pem_or_der(&chain).unwrap(),
        pki.rsa_chain()
    );
    let passphrase = keys.passphrase().unwrap();
    let key = fs::read(keys.sm2_signer().key).unwrap();
    let key = decrypt_key_pem(&key, passphrase.as_bytes()).unwrap();
    assert_eq!(key.spki_der(), pki.sm2_signer.certificate.spki_der());
}

const EXPECTED_FILES: &str = "
    README.txt passphrase
    rsa/issuing.crl.pem rsa/issuing.key.pem rsa/issuing.pem
    rsa/p256-signer.chain.pem rsa/p256-signer.key.pem rsa/p256-signer.pem
    rsa/root.crl.pem rsa/root.key.pem rsa/root.pem
    rsa/signer.chain.pem rsa/signer.key.pem rsa/signer.pem
    sm2/issuing.crl.pem sm2/issuing.key.pem sm2/issuing.pem
    sm2/root.crl.pem sm2/root.key.pem sm2/root.pem
    sm2/seal-maker.chain.pem sm2/seal-maker.key.pem sm2/seal-maker.pem
    sm2/signer.chain.pem sm2/signer.key.pem sm2/signer.pem
    tls/dept-bank.chain.pem tls/dept-bank.key.pem tls/dept-bank.pem
    tls/dept-data.chain.pem tls/dept-data.key.pem tls/dept-data.pem
    tls/root.crl.pem tls/root.key.pem tls/root.pem
    tls/server.chain.pem tls/server.key.pem tls/server.pem
    trust/anchors/rsa-root.pem trust/anchors/sm2-root.pem
    trust/crls/rsa-issuing.pem trust/crls/rsa-root.pem trust/crls/sm2-issuing.pem trust/crls/sm2-root.pem
    trust/intermediates/rsa-issuing.pem trust/intermediates/sm2-issuing.pem";

#[test]
fn lists_near_their_end_are_made_anew_and_nothing_else_is() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("keys");
    DevKeys::make(&directory, NOW).unwrap();
    let made = files(&directory);
    let later = UnixSeconds(NOW.0 + (CrlRequest::DAYS_VALID - 1) * 86_400);
    DevKeys::make(&directory, later).unwrap();
    for (name, bytes) in files(&directory) {
        let text = name.to_str().unwrap();
        let is_list = text.contains("crl");
        assert_eq!(bytes != made[&name], is_list, "{text}");
        if is_list {
            let crl = CertificateRevocationList::from_pem_or_der(&bytes).unwrap();
            assert_eq!(crl.this_update(), later);
        }
    }
}

#[test]
fn private_keys_and_passphrase_are_for_their_owner_only_and_signers_are_encrypted() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("keys");
    DevKeys::make(&directory, NOW).unwrap();
    for (name, bytes) in files(&directory) {
        let text = name.to_str().unwrap();
        let is_secret = text.ends_with(".key.pem") || text == "passphrase";
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(directory.join(&name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o077 == 0, is_secret, "{text} has mode {mode:o}");
        }
        let labels: Vec<String> = pem_blocks(&bytes)
            .unwrap()
            .into_iter()
            .map(|block| block.label)
            .collect();
        if text.ends_with(".key.pem") {
            let plain = text.starts_with("tls/") && text != "tls/root.key.pem";
            let label = if plain {
                "PRIVATE KEY"
            } else {
                "ENCRYPTED PRIVATE KEY"
            };
            assert_eq!(labels, [label], "{text}");
        } else {
            assert!(labels.iter().all(|label| !label.contains("KEY")), "{text}");
        }
    }
}

#[test]
fn a_folder_with_other_things_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "x").unwrap();
    assert!(matches!(
        DevKeys::make(folder.path(), NOW),
        Err(DevKeysError::FolderOccupied { .. })
    ));
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn an_empty_folder_is_filled_and_two_makers_agree() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("keys");
    fs::create_dir(&directory).unwrap();
    std::thread::scope(|scope| {
        let makers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    DevKeys::make(&directory, NOW)
                        .unwrap()
                        .passphrase()
                        .unwrap()
                })
            })
            .collect();
        let passphrases: Vec<_> = makers
            .into_iter()
            .map(|maker| maker.join().unwrap())
            .collect();
        assert_eq!(passphrases[0], passphrases[1]);
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
