//! Keys, digests and signatures go both ways between us and the `openssl` command.
//!
//! Skips, visibly, where the command is missing or knows no SM2.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{replayed, to_hex};
use tempfile::TempDir;
use yinxin_sm::{DEFAULT_DISTID, PublicKey, SecretKey, Signature, sm3};

/// `openssl` in a folder of its own.
struct OpenSsl {
    folder: TempDir,
}

impl OpenSsl {
    /// `None`, after saying why, when it cannot make an SM2 key.
    fn find() -> Option<Self> {
        let openssl = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let probe = Command::new("openssl")
            .args([
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:SM2",
            ])
            .args(["-out", "key.pem"])
            .current_dir(openssl.folder.path())
            .output();
        match probe {
            Ok(output) if output.status.success() => Some(openssl),
            Ok(output) => {
                let reason = String::from_utf8_lossy(&output.stderr).into_owned();
                eprintln!("SKIPPED: openssl knows no SM2: {reason}");
                None
            }
            Err(error) => {
                eprintln!("SKIPPED: no openssl command: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    fn try_run(&self, arguments: &[&str]) -> Output {
        Command::new("openssl")
            .args(arguments)
            .current_dir(self.path())
            .output()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.try_run(arguments);
        assert!(
            output.status.success(),
            "openssl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// The key the probe made, as PKCS#8 DER.
    fn pkcs8(&self) -> Vec<u8> {
        self.run(&[
            "pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER",
        ])
    }
}

/// Identifiers and the options that give them to `pkeyutl`; without one OpenSSL uses none.
fn identifiers() -> [(&'static [u8], Vec<String>); 3] {
    let option = |text: &str| vec!["-pkeyopt".to_owned(), text.to_owned()];
    [
        (DEFAULT_DISTID, option("distid:1234567812345678")),
        (
            b"ALICE123@YAHOO.COM",
            option(&format!("hexdistid:{}", to_hex(b"ALICE123@YAHOO.COM"))),
        ),
        (b"", Vec::new()),
    ]
}

#[test]
fn keys_of_openssl_are_read_and_written_back_as_they_were() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    let pkcs8 = openssl.pkcs8();
    let key = SecretKey::from_pkcs8_der(&pkcs8).unwrap();
    assert_eq!(*key.to_pkcs8_der(), pkcs8);
    let spki = openssl.run(&["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"]);
    assert_eq!(key.public_key().to_spki_der(), spki);
    assert_eq!(&PublicKey::from_spki_der(&spki).unwrap(), key.public_key());

    let sec1 = openssl.run(&["ec", "-in", "key.pem", "-outform", "DER"]);
    let same = SecretKey::from_sec1_der(&sec1).unwrap();
    assert_eq!(same.to_bytes(), key.to_bytes());
    assert_eq!(*key.to_sec1_der(), sec1);

    for (name, options) in [
        ("compressed", &["-conv_form", "compressed"][..]),
        ("without public key", &["-no_public"]),
    ] {
        let arguments = [&["ec", "-in", "key.pem", "-outform", "DER"][..], options].concat();
        let same = SecretKey::from_sec1_der(&openssl.run(&arguments)).unwrap();
        assert_eq!(same.to_bytes(), key.to_bytes(), "{name}");
    }
}

#[test]
fn keys_of_ours_are_read_by_openssl() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    let key = SecretKey::generate(&mut replayed(1)).unwrap();
    let spki = key.public_key().to_spki_der();
    for (name, der) in [
        ("pkcs8.der", key.to_pkcs8_der()),
        ("sec1.der", key.to_sec1_der()),
    ] {
        openssl.write(name, &der);
        let public = openssl.run(&[
            "pkey", "-in", name, "-inform", "DER", "-pubout", "-outform", "DER",
        ]);
        assert_eq!(public, spki, "{name}");
    }
}

#[test]
fn signatures_of_openssl_verify_under_its_identifier_and_no_other() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    let key = SecretKey::from_pkcs8_der(&openssl.pkcs8()).unwrap();
    let message = b"signed by openssl";
    openssl.write("message", message);
    let identifiers = identifiers();
    for (distid, options) in &identifiers {
        let mut arguments = vec![
            "pkeyutl",
            "-sign",
            "-rawin",
            "-digest",
            "sm3",
            "-inkey",
            "key.pem",
            "-in",
            "message",
            "-out",
            "signature",
        ];
        arguments.extend(options.iter().map(String::as_str));
        openssl.run(&arguments);
        let signature = Signature::from_der(&openssl.read("signature")).unwrap();
        for (other, _) in &identifiers {
            assert_eq!(
                key.public_key().verify(other, message, &signature).is_ok(),
                other == distid
            );
        }
    }
}

#[test]
fn signatures_of_ours_verify_in_openssl() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    let mut chance = replayed(2);
    let key = SecretKey::generate(&mut chance).unwrap();
    openssl.write("public.der", &key.public_key().to_spki_der());
    for (round, (distid, options)) in identifiers().iter().cycle().take(9).enumerate() {
        let message = vec![7; round * 20];
        openssl.write("message", &message);
        let signature = key.sign(distid, &message, &mut chance).unwrap();
        openssl.write("signature", &signature.to_der());
        let mut arguments = vec![
            "pkeyutl",
            "-verify",
            "-rawin",
            "-digest",
            "sm3",
            "-pubin",
            "-inkey",
            "public.der",
            "-keyform",
            "DER",
            "-in",
            "message",
            "-sigfile",
            "signature",
        ];
        arguments.extend(options.iter().map(String::as_str));
        openssl.run(&arguments);
        openssl.write("message", b"another message");
        assert!(!openssl.try_run(&arguments).status.success());
    }
}

#[test]
fn sm3_agrees_with_openssl() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for length in [0, 1, 55, 56, 63, 64, 65, 1_000, 100_000] {
        let message = vec![0xa5; length];
        openssl.write("message", &message);
        let digest = openssl.run(&["dgst", "-sm3", "-binary", "message"]);
        assert_eq!(digest, sm3(&message), "{length} bytes");
    }
}
