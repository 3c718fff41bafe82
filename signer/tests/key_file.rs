//! Key files: what we write opens, here and in OpenSSL, and what OpenSSL writes opens here.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::process::Command;

use yinxin_pki::{PublicKey, verify_signature};
use yinxin_signer::ceremony::{KeyKind, generate};
use yinxin_signer::keys::key_file::{
    Derivation, KeyCipher, KeyFileError, PEM_LABEL, Protection, decrypt, encrypt,
};
use yinxin_signer::keys::{KeyStore as _, KeyStoreError, SoftwareKeyStore};
use yinxin_signer::ports::SystemEntropy;

const PASSPHRASE: &[u8] = "correct horse 电池".as_bytes();

/// Cheap ones, so that the tests are quick.
const DERIVATIONS: [Derivation; 2] = [
    Derivation::Scrypt { log_n: 10 },
    Derivation::Pbkdf2 { iterations: 2048 },
];

fn protections() -> Vec<Protection> {
    [KeyCipher::Aes256, KeyCipher::Sm4]
        .into_iter()
        .flat_map(|cipher| DERIVATIONS.map(|derivation| Protection { cipher, derivation }))
        .collect()
}

fn written(pkcs8_der: &[u8], protection: Protection) -> String {
    encrypt(pkcs8_der, PASSPHRASE, protection, &mut SystemEntropy::new()).unwrap()
}

#[test]
fn every_kind_of_key_signs_after_a_way_through_every_kind_of_file() {
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::Sm2] {
        let clear = generate(kind).unwrap();
        for protection in protections() {
            let file = written(&clear, protection);
            let mut store = SoftwareKeyStore::new();
            store
                .open_encrypted("key", file.as_bytes(), PASSPHRASE)
                .unwrap();
            let spki = store.public_key_spki("key").unwrap();
            let public = PublicKey::from_spki_der(&spki).unwrap();
            assert_eq!(KeyKind::of_public_key(&public), Some(kind));
            let algorithm = kind.algorithm();
            let signature = store.sign("key", &algorithm, b"message").unwrap();
            verify_signature(&public, &algorithm, b"message", &signature).unwrap();
        }
    }
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let clear = generate(KeyKind::Sm2).unwrap();
    for protection in protections() {
        let file = written(&clear, protection);
        for wrong in [&b"wrong horse"[..], b""] {
            let mut store = SoftwareKeyStore::new();
            assert!(matches!(
                store.open_encrypted("key", file.as_bytes(), wrong),
                Err(KeyStoreError::Unusable { .. })
            ));
        }
    }
}

#[test]
fn files_that_ask_for_too_much_work_or_are_none_are_refused() {
    let clear = generate(KeyKind::P256).unwrap();
    let costly = Protection {
        cipher: KeyCipher::Sm4,
        derivation: Derivation::Scrypt { log_n: 40 },
    };
    let refused = encrypt(&clear, PASSPHRASE, costly, &mut SystemEntropy::new());
    assert!(matches!(refused, Err(KeyFileError::TooCostly { .. })));

    // N of an honest file raised from 2^10 to 2^30, in place.
    let scrypt = Protection {
        cipher: KeyCipher::Sm4,
        derivation: Derivation::Scrypt { log_n: 10 },
    };
    let pem = written(&clear, scrypt);
    let der = yinxin_pki::pem_blocks(pem.as_bytes())
        .unwrap()
        .remove(0)
        .der;
    let place = der
        .windows(4)
        .position(|bytes| bytes == [0x02, 0x02, 0x04, 0x00])
        .unwrap();
    let mut raised = der.clone();
    raised[place + 2] = 0x7f;
    assert!(matches!(
        decrypt(&raised, PASSPHRASE),
        Err(KeyFileError::Unsupported { .. } | KeyFileError::TooCostly { .. })
    ));
    let broken_pem = format!("-----BEGIN {PEM_LABEL}-----\n!");
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("a clear key", &clear),
        ("a cut file", &der[..der.len() - 1]),
        ("a broken PEM", broken_pem.as_bytes()),
        ("noise", &[0x30; 200]),
    ] {
        assert!(decrypt(bytes, PASSPHRASE).is_err(), "{what}");
    }
    assert!(matches!(
        decrypt(&vec![0x30; 65 * 1024], PASSPHRASE),
        Err(KeyFileError::TooLong { .. })
    ));
}

fn openssl(folder: &Path, words: &[&str]) -> Option<Vec<u8>> {
    let done = match Command::new("openssl")
        .args(words)
        .current_dir(folder)
        .output()
    {
        Ok(done) => done,
        Err(error) => {
            eprintln!("SKIPPED: openssl cannot be run: {error}");
            return None;
        }
    };
    assert!(
        done.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Some(done.stdout)
}

#[test]
fn openssl_and_we_open_each_others_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("passphrase"), PASSPHRASE).unwrap();
    let clear = generate(KeyKind::P256).unwrap();
    std::fs::write(path.join("clear.der"), &*clear).unwrap();

    for protection in protections() {
        // OpenSSL 3.0 knows no PBKDF2 with HMAC-SM3.
        let sm3 = protection.cipher == KeyCipher::Sm4
            && matches!(protection.derivation, Derivation::Pbkdf2 { .. });
        if sm3 {
            continue;
        }
        std::fs::write(path.join("ours.pem"), written(&clear, protection)).unwrap();
        let words = [
            "pkey",
            "-in",
            "ours.pem",
            "-passin",
            "file:passphrase",
            "-pubout",
            "-outform",
            "DER",
        ];
        let Some(read) = openssl(path, &words) else {
            return;
        };
        let mut store = SoftwareKeyStore::new();
        store.insert("key", &clear).unwrap();
        assert_eq!(read, store.public_key_spki("key").unwrap());
    }
    for more in [
        &["-v2", "aes-256-cbc"][..],
        &["-v2", "aes-128-cbc"],
        &["-v2", "sm4-cbc"],
        &["-v2", "sm4-cbc", "-scrypt"],
        &["-v2", "aes-256-cbc", "-scrypt"],
    ] {
        let mut words = vec!["pkcs8", "-topk8", "-inform", "DER", "-in", "clear.der"];
        words.extend(["-passout", "file:passphrase", "-out", "theirs.pem"]);
        words.extend(more);
        openssl(path, &words).unwrap();
        let theirs = std::fs::read(path.join("theirs.pem")).unwrap();
        let opened = decrypt(&theirs, PASSPHRASE).unwrap();
        let mut store = SoftwareKeyStore::new();
        store.insert("key", &opened).unwrap();
    }
}
