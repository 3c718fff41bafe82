//! A trial installation whose seal keys are in a device: a SoftHSM2 token, or the SDF library for
//! tests.
//!
//! ```text
//! device/softhsm2.conf  tokens/  pin      SoftHSM2; it finds its configuration by SOFTHSM2_CONF
//! device/sdf.so  sdf.so.sm2  sdf.so.rsa  password
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use yinxin_pki::UnixSeconds;

use crate::folder::{file_error, write_private};
use crate::installation::{RSA_KEY, SM2_KEY, line, path_text, section};
use crate::{DevKeysError, Installation, KeyFiles};

/// Where distributions put SoftHSM2's library.
const SOFTHSM_LIBRARIES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// The token's label, its user's PIN and the key's label.
const TOKEN: &str = "yinxin demo";
const PIN: &str = "11111111";
const KEY_LABEL: &str = "seal key";

/// SoftHSM2's library, where a distribution has put it.
#[must_use]
pub fn softhsm_library() -> Option<PathBuf> {
    let mut known = SOFTHSM_LIBRARIES.iter().map(PathBuf::from);
    known.find(|path| path.is_file())
}

/// The configuration of SoftHSM2 that [`Installation::keys_in_softhsm`] makes in a folder: whoever
/// loads the library must have it in the environment as `SOFTHSM2_CONF`.
#[must_use]
pub fn softhsm_configuration(directory: &Path) -> PathBuf {
    directory.join("device/softhsm2.conf")
}

impl Installation {
    /// Puts the RSA key into a token of SoftHSM2 and lets the signer use it there. SoftHSM2 knows
    /// no SM2: that key stays in its file.
    ///
    /// # Errors
    /// [`DevKeysError::File`], [`DevKeysError::Tool`].
    pub fn keys_in_softhsm(&self, library: &Path) -> Result<(), DevKeysError> {
        let folder = self.device_folder()?;
        let (pin, tokens) = (folder.join("pin"), folder.join("tokens"));
        let configuration = folder.join("softhsm2.conf");
        if !pin.exists() {
            let text = format!(
                "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
                path_text(&tokens)
            );
            // What an attempt that was cut short has left.
            let _ = fs::remove_dir_all(&tokens);
            fs::create_dir_all(&tokens).map_err(file_error(&tokens))?;
            fs::write(&configuration, text).map_err(file_error(&configuration))?;
            let start = ["--init-token", "--free", "--label", TOKEN, "--so-pin", PIN];
            softhsm(&configuration, &[&start[..], &["--pin", PIN]].concat())?;
            let files = self.keys.rsa_signer();
            let passphrase = self.keys.passphrase()?;
            let import = ["--import", path_text(&files.key), "--file-pin", &passphrase];
            let place = ["--token", TOKEN, "--label", KEY_LABEL, "--id", "01"];
            softhsm(
                &configuration,
                &[&import[..], &place, &["--pin", PIN]].concat(),
            )?;
            write_private(&pin, PIN.as_bytes())?;
        }
        let mut device = String::new();
        section(&mut device, "[[device]]");
        line(&mut device, "name", "softhsm");
        line(&mut device, "kind", "pkcs11");
        line(&mut device, "library", path_text(library));
        line(&mut device, "token", TOKEN);
        section(&mut device, "pin = { file = \"device/pin\" }");
        let rsa = device_key(RSA_KEY, "softhsm", "rsa", &self.keys.rsa_signer());
        self.configure(
            &device,
            &[(RSA_KEY, rsa + &format!("label = \"{KEY_LABEL}\"\n"))],
        )
    }

    /// Puts both keys into the SDF library for tests, a copy of `library`, and lets the signer use
    /// them there.
    ///
    /// # Errors
    /// [`DevKeysError::File`], and as [`crate::DevKeys::pki`].
    pub fn keys_in_sdf(&self, library: &Path, now: UnixSeconds) -> Result<(), DevKeysError> {
        let folder = self.device_folder()?;
        let copy = folder.join("sdf.so");
        fs::copy(library, &copy).map_err(file_error(library))?;
        let pki = self.keys.pki(now)?;
        for (extension, identity) in [("sm2", &pki.sm2_signer), ("rsa", &pki.rsa_signer)] {
            let file = folder.join(format!("sdf.so.{extension}"));
            write_private(&file, identity.key.pkcs8_der())?;
        }
        write_private(&folder.join("password"), PIN.as_bytes())?;
        let mut device = String::new();
        section(&mut device, "[[device]]");
        line(&mut device, "name", "sdf");
        line(&mut device, "kind", "sdf");
        line(&mut device, "library", path_text(&copy));
        let rest = "index = 1\npassword = { file = \"device/password\" }\n";
        let sm2 = device_key(SM2_KEY, "sdf", "sm2", &self.keys.sm2_signer()) + rest;
        let rsa = device_key(RSA_KEY, "sdf", "rsa", &self.keys.rsa_signer()) + rest;
        self.configure(&device, &[(SM2_KEY, sm2), (RSA_KEY, rsa)])
    }

    fn device_folder(&self) -> Result<PathBuf, DevKeysError> {
        let folder = self
            .signer_config
            .parent()
            .unwrap_or(Path::new("."))
            .join("device");
        fs::create_dir_all(&folder).map_err(file_error(&folder))?;
        Ok(folder)
    }

    /// Replaces keys of the signer's configuration, as [`Installation::make`] has written it.
    fn configure(&self, device: &str, keys: &[(&str, String)]) -> Result<(), DevKeysError> {
        let path = &self.signer_config;
        let text = fs::read_to_string(path).map_err(file_error(path))?;
        let mut blocks: Vec<String> = text.split("[[key]]\n").map(str::to_owned).collect();
        for block in &mut blocks {
            for (name, words) in keys {
                // The first two lines of a key's block are its name and its file.
                if block.starts_with(&format!("name = \"{name}\"\n")) {
                    let rest: String = block.split_inclusive('\n').skip(2).collect();
                    *block = format!("{words}{rest}");
                }
            }
        }
        if let Some(first) = blocks.first_mut() {
            first.push_str(device);
        }
        fs::write(path, blocks.join("[[key]]\n")).map_err(file_error(path))
    }
}

fn device_key(name: &str, device: &str, kind: &str, files: &KeyFiles) -> String {
    let mut text = String::new();
    line(&mut text, "name", name);
    section(&mut text, &format!("devices = [\"{device}\"]"));
    line(&mut text, "kind", kind);
    line(&mut text, "certificate", path_text(&files.certificate));
    text
}

fn softhsm(configuration: &Path, arguments: &[&str]) -> Result<(), DevKeysError> {
    let failed = |detail: String| DevKeysError::Tool {
        tool: "softhsm2-util",
        detail,
    };
    let output = Command::new("softhsm2-util")
        .args(arguments)
        .env("SOFTHSM2_CONF", configuration)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(failed(String::from_utf8_lossy(&said).trim().to_owned()))
}
