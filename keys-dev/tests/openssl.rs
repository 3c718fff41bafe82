//! What openssl says of the certificates, lists and key files made here.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use yinxin_keys_dev::DevKeys;
use yinxin_pki::UnixSeconds;

fn now() -> UnixSeconds {
    let since_epoch = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    UnixSeconds(i64::try_from(since_epoch.as_secs()).unwrap())
}

fn openssl(arguments: &[&str]) -> Option<Output> {
    Command::new("openssl").args(arguments).output().ok()
}

/// The version line, or a visible skip.
fn openssl_or_skip() -> bool {
    match openssl(&["version"]) {
        Some(output) if output.status.success() => true,
        _ => {
            eprintln!("SKIPPED: openssl is not installed");
            false
        }
    }
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn path(directory: &Path, name: &str) -> String {
    directory.join(name).to_str().unwrap().to_owned()
}

#[test]
fn every_chain_verifies_in_openssl_also_strictly() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("keys");
    let start = Instant::now();
    DevKeys::make(&directory, now()).unwrap();
    eprintln!("DevKeys::make took {:?}", start.elapsed());

    for (root, intermediate, leaf) in [
        ("rsa/root.pem", "rsa/issuing.pem", "rsa/signer.pem"),
        ("rsa/root.pem", "rsa/issuing.pem", "rsa/p256-signer.pem"),
        ("tls/root.pem", "tls/root.pem", "tls/server.pem"),
        ("tls/root.pem", "tls/root.pem", "tls/dept-data.pem"),
        ("tls/root.pem", "tls/root.pem", "tls/dept-bank.pem"),
    ] {
        let [root, intermediate, leaf] =
            [root, intermediate, leaf].map(|name| path(&directory, name));
        let arguments = [
            "-check_ss_sig",
            "-CAfile",
            &root,
            "-untrusted",
            &intermediate,
        ];
        verify_plainly_and_strictly(&arguments, &leaf);
    }

    // openssl 3 hands -vfyopt to the last certificate only, so that an SM2 chain is walked step by
    // step; for the root's own signature it has no way to be told the identifier.
    for (issuer, subject) in [
        ("sm2/root.pem", "sm2/issuing.pem"),
        ("sm2/issuing.pem", "sm2/signer.pem"),
        ("sm2/issuing.pem", "sm2/seal-maker.pem"),
    ] {
        let [issuer, subject] = [issuer, subject].map(|name| path(&directory, name));
        let arguments = [
            "-partial_chain",
            "-trusted",
            &issuer,
            "-vfyopt",
            "distid:1234567812345678",
        ];
        verify_plainly_and_strictly(&arguments, &subject);
    }
}

fn verify_plainly_and_strictly(arguments: &[&str], certificate: &str) {
    for strictness in [&[][..], &["-x509_strict"]] {
        let all = [&["verify"], arguments, strictness, &[certificate]].concat();
        let output = openssl(&all).unwrap();
        assert!(output.status.success(), "{all:?}: {}", text(&output));
    }
}

#[test]
fn revocation_lists_verify_in_openssl() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("keys");
    DevKeys::make(&directory, now()).unwrap();
    for family in ["rsa", "tls"] {
        let names: &[&str] = if family == "tls" {
            &["root"]
        } else {
            &["root", "issuing"]
        };
        for name in names {
            let output = openssl(&[
                "crl",
                "-in",
                &path(&directory, &format!("{family}/{name}.crl.pem")),
                "-CAfile",
                &path(&directory, &format!("{family}/{name}.pem")),
                "-noout",
                "-text",
            ])
            .unwrap();
            let said = text(&output);
            assert!(said.contains("verify OK"), "{family}/{name}: {said}");
            assert!(said.contains("No Revoked Certificates"), "{said}");
        }
    }
    // The whole path with lists, as a verifier walks it.
    let all_crls = folder.path().join("crls.pem");
    let crls = ["rsa/root.crl.pem", "rsa/issuing.crl.pem"]
        .map(|name| std::fs::read_to_string(directory.join(name)).unwrap());
    std::fs::write(&all_crls, crls.concat()).unwrap();
    let output = openssl(&[
        "verify",
        "-crl_check_all",
        "-CRLfile",
        all_crls.to_str().unwrap(),
        "-CAfile",
        &path(&directory, "rsa/root.pem"),
        "-untrusted",
        &path(&directory, "rsa/issuing.pem"),
        "-x509_strict",
        &path(&directory, "rsa/signer.pem"),
    ])
    .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn key_files_open_in_openssl_with_the_passphrase_file() {
    if !openssl_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("keys");
    let keys = DevKeys::make(&directory, now()).unwrap();
    let passphrase = format!("file:{}", keys.passphrase_file().display());
    for key in [
        keys.rsa_signer().key,
        keys.p256_signer().key,
        keys.sm2_signer().key,
        keys.seal_maker().key,
    ] {
        let key = key.to_str().unwrap();
        let output = openssl(&[
            "pkey",
            "-in",
            key,
            "-passin",
            &passphrase,
            "-noout",
            "-check",
        ])
        .unwrap();
        assert!(output.status.success(), "{key}: {}", text(&output));
    }
}
