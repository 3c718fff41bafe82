//! SM2 encryption goes both ways between us and openssl; envelopes open for their owner only.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use std::process::Command;

use common::replayed;
use yinxin_sm::{Ciphertext, Error, SecretKey, envelop_key, open_enveloped_key};

fn key(seed: u64) -> SecretKey {
    SecretKey::generate(&mut replayed(seed)).unwrap()
}

#[test]
fn openssl_and_we_open_each_others_ciphertexts() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |words: &[&str]| {
        Command::new("openssl")
            .args(words)
            .current_dir(folder.path())
            .output()
    };
    let key = key(1);
    std::fs::write(folder.path().join("key.der"), &*key.to_pkcs8_der()).unwrap();
    let message = b"sixteen bytes ok";
    std::fs::write(folder.path().join("message"), message).unwrap();
    let made = openssl(&[
        "pkey", "-inform", "DER", "-in", "key.der", "-out", "key.pem",
    ]);
    match made {
        Ok(done) if done.status.success() => {}
        Ok(_) | Err(_) => {
            eprintln!("SKIPPED: openssl is missing, or knows no SM2");
            return;
        }
    }
    let words = [
        "pkeyutl", "-encrypt", "-inkey", "key.pem", "-in", "message", "-out", "theirs",
    ];
    assert!(openssl(&words).unwrap().status.success());
    let theirs = std::fs::read(folder.path().join("theirs")).unwrap();
    let opened = key
        .decrypt(&Ciphertext::from_der(&theirs).unwrap())
        .unwrap();
    assert_eq!(opened.as_slice(), message);

    for round in 0..20 {
        let mut entropy = replayed(100 + round);
        let ours = key.public_key().encrypt(message, &mut entropy).unwrap();
        std::fs::write(folder.path().join("ours"), ours.to_der()).unwrap();
        let words = ["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "ours"];
        let done = openssl(&words).unwrap();
        assert!(done.status.success(), "round {round}");
        assert_eq!(done.stdout, message, "round {round}");
    }
}

#[test]
fn messages_of_every_length_come_back() {
    let key = key(2);
    for length in [1, 2, 31, 32, 33, 64, 255, 1000, 32 * 1024] {
        let message: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let mut entropy = replayed(length);
        let made = key.public_key().encrypt(&message, &mut entropy).unwrap();
        assert_eq!(key.decrypt(&made).unwrap().as_slice(), message);
    }
    for length in [0, 32 * 1024 + 1] {
        let refused = key.public_key().encrypt(&vec![1; length], &mut replayed(3));
        assert!(refused.is_err(), "{length}");
    }
}

#[test]
fn an_envelope_opens_for_its_owner_and_no_byte_of_it_can_be_changed() {
    let (signing, other, inside) = (key(4), key(5), key(6));
    let der = envelop_key(&inside, signing.public_key(), &mut replayed(7)).unwrap();
    let opened = open_enveloped_key(&der, &signing).unwrap();
    assert_eq!(opened.to_bytes(), inside.to_bytes());
    assert!(matches!(
        open_enveloped_key(&der, &other),
        Err(Error::DecryptionFailed)
    ));
    for at in 0..der.len() {
        assert!(open_enveloped_key(&der[..at], &signing).is_err());
        let mut changed = der.clone();
        changed[at] ^= 1;
        match open_enveloped_key(&changed, &signing) {
            Err(_) => {}
            // NULL beside the algorithm is not looked at.
            Ok(key) => assert_eq!(key.to_bytes(), inside.to_bytes(), "byte {at}"),
        }
    }
}
