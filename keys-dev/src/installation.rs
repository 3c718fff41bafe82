//! A whole trial installation in a folder: keys, a village's seal, and the configurations of both
//! services and of two departments.
//!
//! ```text
//! keys/               as `DevKeys` makes them
//! village.esl         the seal object, GB/T 38540 v4
//! signer.toml  verifier.toml  client.toml  client-bank.toml
//! record.sqlite  documents/   made by the signer when it starts
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use yinxin_pki::UnixSeconds;
use yinxin_ses::Picture;

use crate::folder::file_error;
use crate::{DevKeys, DevKeysError, SealRequest};

/// The made-up village whose seal it is.
pub const OWNER_NAME: &str = "示范市示范镇示范村村民委员会";
/// Its made-up unified credit code; the check characters are right.
pub const OWNER_CODE: &str = "54441900MB0000019N";
/// Its made-up 12-digit division code.
pub const DIVISION_CODE: &str = "999900114001";
/// The signer's name of the seal.
pub const SEAL_ID: &str = "village-demo";
/// The signer's names of the seal's two keys.
pub(crate) const SM2_KEY: &str = "village-sm2";
pub(crate) const RSA_KEY: &str = "village-rsa";
/// The signer's name of the seal maker's key.
const MAKER_KEY: &str = "maker";
/// The size of a village committee's seal.
pub const SEAL_DIAMETER_MM: f64 = 42.0;

/// The seal's width and height as the seal object states them, in whole millimetres.
const SEAL_MM: u32 = 42;

/// What the caller decides.
#[derive(Clone, Debug)]
pub struct InstallationOptions {
    /// Font files or folders for the signer.
    pub fonts: Vec<PathBuf>,
    /// The seal's picture as SVG.
    pub seal_picture_svg: Vec<u8>,
    /// The signer's port on loopback; 0 lets the system choose.
    pub signer_port: u16,
    /// The verifier's port on loopback.
    pub verifier_port: u16,
    /// Now.
    pub now: UnixSeconds,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The keys.
    pub keys: DevKeys,
    /// The signer's configuration.
    pub signer_config: PathBuf,
    /// The verifier's configuration.
    pub verifier_config: PathBuf,
    /// The connection of department `dept-data`, which may do everything with the seal.
    pub client_config: PathBuf,
    /// The connection of `dept-bank`, which may verify, and approve and make seals.
    pub bank_client_config: PathBuf,
    /// The trust folder.
    pub trust: PathBuf,
}

impl Installation {
    /// Makes the folder, or finds it as it was made before. The configurations are written anew,
    /// so that fonts and ports are today's; keys, seal and record stay.
    ///
    /// # Errors
    /// As [`DevKeys::make`]; [`DevKeysError::File`].
    pub fn make(directory: &Path, options: &InstallationOptions) -> Result<Self, DevKeysError> {
        fs::create_dir_all(directory).map_err(file_error(directory))?;
        let directory = &directory.canonicalize().map_err(file_error(directory))?;
        let keys = DevKeys::make(&directory.join("keys"), options.now)?;
        let seal = directory.join("village.esl");
        if !seal.exists() {
            write(&seal, &make_seal(&keys, options)?)?;
        }
        let installation = Self {
            trust: keys.trust_directory(),
            keys,
            signer_config: directory.join("signer.toml"),
            verifier_config: directory.join("verifier.toml"),
            client_config: directory.join("client.toml"),
            bank_client_config: directory.join("client-bank.toml"),
        };
        write(
            &installation.signer_config,
            installation.signer_toml(&seal, options).as_bytes(),
        )?;
        write(
            &installation.verifier_config,
            installation.verifier_toml(options).as_bytes(),
        )?;
        let clients = [
            (
                &installation.client_config,
                installation.keys.department_data(),
            ),
            (
                &installation.bank_client_config,
                installation.keys.department_bank(),
            ),
        ];
        for (path, files) in clients {
            let mut text = String::new();
            let signer = format!("https://localhost:{}", options.signer_port);
            let verifier = format!("https://localhost:{}", options.verifier_port);
            line(&mut text, "signer", &signer);
            line(&mut text, "verifier", &verifier);
            line(
                &mut text,
                "server_ca",
                path_text(&installation.keys.tls_root()),
            );
            line(&mut text, "certificate", path_text(&files.chain));
            line(&mut text, "key", path_text(&files.key));
            write(path, text.as_bytes())?;
        }
        Ok(installation)
    }

    fn signer_toml(&self, seal: &Path, options: &InstallationOptions) -> String {
        let keys = &self.keys;
        let (sm2, rsa, maker) = (keys.sm2_signer(), keys.rsa_signer(), keys.seal_maker());
        let mut text = String::from("# 试用配置 · a trial's configuration\n");
        line(
            &mut text,
            "listen",
            &format!("127.0.0.1:{}", options.signer_port),
        );
        line(&mut text, "log", "text");
        self.tls(&mut text);
        section(&mut text, "[record]");
        line(&mut text, "database", "record.sqlite");
        line(&mut text, "documents", "documents");
        self.trust(&mut text);
        section(&mut text, "[passphrase]");
        line(&mut text, "file", path_text(&keys.passphrase_file()));
        section(&mut text, "[fonts]");
        let fonts: Vec<_> = options
            .fonts
            .iter()
            .map(|path| quoted(path_text(path)))
            .collect();
        section(&mut text, &format!("paths = [{}]", fonts.join(", ")));
        let files = [
            (SM2_KEY, &sm2.key),
            (RSA_KEY, &rsa.key),
            (MAKER_KEY, &maker.key),
        ];
        for (name, file) in files {
            section(&mut text, "[[key]]");
            line(&mut text, "name", name);
            line(&mut text, "file", path_text(file));
        }
        section(&mut text, "[[seal]]");
        line(&mut text, "id", SEAL_ID);
        line(&mut text, "owner_name", OWNER_NAME);
        line(&mut text, "owner_code", OWNER_CODE);
        line(&mut text, "division_code", DIVISION_CODE);
        section(&mut text, &format!("diameter_mm = {SEAL_DIAMETER_MM:.1}"));
        section(&mut text, "[seal.gm]");
        line(&mut text, "seal", path_text(seal));
        line(&mut text, "key", SM2_KEY);
        line(&mut text, "certificates", path_text(&sm2.chain));
        section(&mut text, "[seal.pades]");
        line(&mut text, "key", RSA_KEY);
        line(&mut text, "certificates", path_text(&rsa.chain));
        section(&mut text, "[[department]]");
        line(&mut text, "name", "dept-data");
        section(&mut text, &format!("seals = [{}]", quoted(SEAL_ID)));
        section(
            &mut text,
            "operations = [\"issue-licence\", \"seal-document\", \"seal-digest\"]",
        );
        // Two connections play all parts of a seal's life: what one applies for and keeps, the other
        // approves and makes.
        section(&mut text, "[registry]\napplicant_may_keep = true");
        section(&mut text, "[registry.maker]");
        line(&mut text, "key", MAKER_KEY);
        line(&mut text, "certificates", path_text(&maker.chain));
        for (name, roles, approves_with) in [
            ("dept-data", r#"["applicant", "keeper", "auditor"]"#, None),
            (
                "dept-bank",
                r#"["approver", "maker"]"#,
                Some(keys.p256_signer().certificate),
            ),
        ] {
            section(&mut text, "[[person]]");
            line(&mut text, "name", name);
            section(&mut text, &format!("roles = {roles}"));
            if let Some(certificate) = approves_with {
                let certificate = quoted(path_text(&certificate));
                section(
                    &mut text,
                    &format!("approval_certificates = [{certificate}]"),
                );
            }
        }
        text
    }

    fn verifier_toml(&self, options: &InstallationOptions) -> String {
        let mut text = String::from("# 试用配置 · a trial's configuration\n");
        line(
            &mut text,
            "listen",
            &format!("127.0.0.1:{}", options.verifier_port),
        );
        line(&mut text, "log", "text");
        self.tls(&mut text);
        self.trust(&mut text);
        text
    }

    fn tls(&self, text: &mut String) {
        let server = self.keys.tls_server();
        section(text, "[tls]");
        line(text, "certificate", path_text(&server.chain));
        line(text, "key", path_text(&server.key));
        line(text, "client_ca", path_text(&self.keys.tls_root()));
    }

    fn trust(&self, text: &mut String) {
        section(text, "[trust]");
        line(text, "directory", path_text(&self.trust));
        section(text, "allow_dev_only = true");
    }
}

fn make_seal(keys: &DevKeys, options: &InstallationOptions) -> Result<Vec<u8>, DevKeysError> {
    let pki = keys.pki(options.now)?;
    let picture = Picture {
        kind: "SVG".to_owned(),
        data: options.seal_picture_svg.clone(),
        width_mm: SEAL_MM,
        height_mm: SEAL_MM,
    };
    let request = SealRequest::new(
        "DEV-99990011400101",
        OWNER_NAME,
        picture,
        &pki.sm2_signer.certificate,
    );
    pki.seal_maker.make_seal(&request)
}

pub(crate) fn path_text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// A TOML basic string (TOML 1.0, "String").
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(crate) fn line(text: &mut String, key: &str, value: &str) {
    section(text, &format!("{key} = {}", quoted(value)));
}

pub(crate) fn section(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a String takes everything");
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DevKeysError> {
    fs::write(path, bytes).map_err(file_error(path))
}
