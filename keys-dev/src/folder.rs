//! The same set of keys and certificates in a folder.
//!
//! ```text
//! README.txt                    what this is; its presence says that the folder is complete
//! passphrase                    opens every encrypted key here (mode 0600)
//! rsa/  sm2/                    root, issuing: .pem .key.pem .crl.pem
//!                               signer, p256-signer, seal-maker: .pem .chain.pem .key.pem
//! tls/                          root: .pem .key.pem .crl.pem
//!                               server, dept-data, dept-bank: .pem .chain.pem .key.pem (plain, mode 0600)
//! trust/                        anchors/ intermediates/ crls/: what a verifier of documents is given
//! ```

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use yinxin_pki::{Certificate, CertificateRevocationList, UnixSeconds, pem_blocks, to_pem};
use zeroize::Zeroizing;

use crate::{
    CrlRequest, DevKey, DevKeysError, DevPki, Identity, SystemEntropy, decrypt_key_pem,
    encrypt_key_pem,
};

const README: &str = "README.txt";
const README_TEXT: &str = "\
印信开发用密钥。一次性使用，不得用于生产，不得提交到版本库。
Throw-away keys of Yinxin for development: never for production, never to be committed.
Every certificate carries OU=DEV-ONLY. Delete this folder to have new ones made.
";
const PASSPHRASE: &str = "passphrase";
const PLAIN_KEY_LABEL: &str = "PRIVATE KEY";

/// Revocation lists are made anew when less than half of their time is left.
const CRL_RENEWED_BEFORE: i64 = CrlRequest::DAYS_VALID / 2 * 86_400;

/// A folder of development keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevKeys {
    directory: PathBuf,
}

/// A certificate, its chain and its key, the key encrypted with the folder's passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFiles {
    /// The certificate in PEM.
    pub certificate: PathBuf,
    /// The certificate and those above it without the root, in PEM.
    pub chain: PathBuf,
    /// `ENCRYPTED PRIVATE KEY` in PEM.
    pub key: PathBuf,
}

/// A TLS certificate, its chain and its key, the key unencrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainKeyFiles {
    /// The certificate in PEM.
    pub certificate: PathBuf,
    /// The certificate and those above it without the root, in PEM.
    pub chain: PathBuf,
    /// `PRIVATE KEY` in PEM, mode 0600.
    pub key: PathBuf,
}

impl DevKeys {
    /// Makes the keys in `directory`, or uses those that are there.
    ///
    /// The folder appears whole or not at all, also when two processes ask at once. When it is there
    /// already, nothing is made but revocation lists that come to their end.
    ///
    /// # Errors
    /// [`DevKeysError::FolderOccupied`] when `directory` holds other things;
    /// [`DevKeysError::File`]; and as [`DevPki::make`].
    pub fn make(directory: &Path, now: UnixSeconds) -> Result<Self, DevKeysError> {
        let keys = Self {
            directory: directory.to_owned(),
        };
        if keys.is_complete() {
            keys.renew_crls(now)?;
            return Ok(keys);
        }
        let is_empty = fs::read_dir(directory).map_or(true, |mut entries| entries.next().is_none());
        if !is_empty {
            return Err(DevKeysError::FolderOccupied {
                path: directory.to_owned(),
            });
        }
        let pki = DevPki::make(now)?;
        let making = making_directory(directory)?;
        let written = Self {
            directory: making.clone(),
        }
        .write(&pki)
        .and_then(|()| fs::rename(&making, directory).map_err(file_error(directory)));
        if let Err(error) = written {
            // Best effort: the first error is the one to tell.
            let _ = fs::remove_dir_all(&making);
            // Another process was faster; its keys are as good.
            return if keys.is_complete() {
                Ok(keys)
            } else {
                Err(error)
            };
        }
        Ok(keys)
    }

    /// The folder.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file with the passphrase of every encrypted key; no line end in it.
    pub fn passphrase_file(&self) -> PathBuf {
        self.directory.join(PASSPHRASE)
    }

    /// The passphrase itself.
    ///
    /// # Errors
    /// [`DevKeysError::File`].
    pub fn passphrase(&self) -> Result<Zeroizing<String>, DevKeysError> {
        let path = self.passphrase_file();
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(file_error(&path))?);
        Ok(Zeroizing::new(text.trim_end().to_owned()))
    }

    /// The folder to hand to a verifier: `anchors/`, `intermediates/` and `crls/`, one PEM a file.
    pub fn trust_directory(&self) -> PathBuf {
        self.directory.join("trust")
    }

    /// The department's RSA signer.
    pub fn rsa_signer(&self) -> KeyFiles {
        self.key_files("rsa/signer")
    }

    /// The department's P-256 signer.
    pub fn p256_signer(&self) -> KeyFiles {
        self.key_files("rsa/p256-signer")
    }

    /// The department's SM2 signer.
    pub fn sm2_signer(&self) -> KeyFiles {
        self.key_files("sm2/signer")
    }

    /// The seal maker.
    pub fn seal_maker(&self) -> KeyFiles {
        self.key_files("sm2/seal-maker")
    }

    /// The certificate of the TLS authority, in PEM.
    pub fn tls_root(&self) -> PathBuf {
        self.directory.join("tls/root.pem")
    }

    /// The revocation list of the TLS authority, in PEM.
    pub fn tls_crl(&self) -> PathBuf {
        self.directory.join("tls/root.crl.pem")
    }

    /// The servers' TLS certificate, for localhost, 127.0.0.1 and ::1.
    pub fn tls_server(&self) -> PlainKeyFiles {
        self.plain_key_files("tls/server")
    }

    /// The client certificate CN=dept-data.
    pub fn department_data(&self) -> PlainKeyFiles {
        self.plain_key_files("tls/dept-data")
    }

    /// The client certificate CN=dept-bank.
    pub fn department_bank(&self) -> PlainKeyFiles {
        self.plain_key_files("tls/dept-bank")
    }

    /// Everything read back into memory, to issue more from it. Opens nine encrypted keys, about a
    /// second in an unoptimised build.
    ///
    /// # Errors
    /// [`DevKeysError::File`], [`DevKeysError::PassphraseWrong`], [`DevKeysError::Pki`],
    /// [`DevKeysError::KeyNotOfCertificate`].
    pub fn pki(&self, now: UnixSeconds) -> Result<DevPki, DevKeysError> {
        Ok(DevPki {
            now,
            rsa_root: self.identity("rsa/root")?,
            rsa_issuing: self.identity("rsa/issuing")?,
            rsa_signer: self.identity("rsa/signer")?,
            p256_signer: self.identity("rsa/p256-signer")?,
            sm2_root: self.identity("sm2/root")?,
            sm2_issuing: self.identity("sm2/issuing")?,
            seal_maker: self.identity("sm2/seal-maker")?,
            sm2_signer: self.identity("sm2/signer")?,
            tls_root: self.identity("tls/root")?,
            tls_server: self.identity("tls/server")?,
            department_data: self.identity("tls/dept-data")?,
            department_bank: self.identity("tls/dept-bank")?,
        })
    }

    fn is_complete(&self) -> bool {
        self.directory.join(README).is_file()
    }

    fn key_files(&self, stem: &str) -> KeyFiles {
        KeyFiles {
            certificate: self.path(stem, "pem"),
            chain: self.path(stem, "chain.pem"),
            key: self.path(stem, "key.pem"),
        }
    }

    fn plain_key_files(&self, stem: &str) -> PlainKeyFiles {
        PlainKeyFiles {
            certificate: self.path(stem, "pem"),
            chain: self.path(stem, "chain.pem"),
            key: self.path(stem, "key.pem"),
        }
    }

    fn path(&self, stem: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{stem}.{extension}"))
    }

    /// Everything, the README last.
    fn write(&self, pki: &DevPki) -> Result<(), DevKeysError> {
        for folder in [
            "rsa",
            "sm2",
            "tls",
            "trust/anchors",
            "trust/intermediates",
            "trust/crls",
        ] {
            let path = self.directory.join(folder);
            fs::create_dir_all(&path).map_err(file_error(&path))?;
        }
        let random: [u8; 24] = SystemEntropy::new()?.bytes()?;
        let passphrase: Zeroizing<String> = Zeroizing::new(base16ct::lower::encode_string(&random));
        write_private(&self.passphrase_file(), passphrase.as_bytes())?;

        for (stem, identity, above) in chains(pki) {
            self.write_certificate(stem, identity, above)?;
            let path = self.path(stem, "key.pem");
            let is_tls_end = stem.starts_with("tls/") && above.is_some();
            let pem = if is_tls_end {
                to_pem(PLAIN_KEY_LABEL, identity.key.pkcs8_der())
            } else {
                encrypt_key_pem(&identity.key, passphrase.as_bytes())?
            };
            write_private(&path, Zeroizing::new(pem).as_bytes())?;
        }
        for (stem, trust_name, authority) in authorities(pki) {
            let crl = authority.crl(&CrlRequest::new(pki.now))?;
            self.write_crl(stem, trust_name, &crl)?;
            if let Some(name) = trust_name {
                let folder = if authority.certificate.is_self_issued() {
                    "anchors"
                } else {
                    "intermediates"
                };
                let path = self.trust_directory().join(folder);
                let path = path.join(format!("{name}.pem"));
                write(&path, authority.certificate.to_pem().as_bytes())?;
            }
        }
        write(&self.directory.join(README), README_TEXT.as_bytes())
    }

    fn write_certificate(
        &self,
        stem: &str,
        identity: &Identity,
        above: Option<&Identity>,
    ) -> Result<(), DevKeysError> {
        let pem = identity.certificate.to_pem();
        write(&self.path(stem, "pem"), pem.as_bytes())?;
        let Some(above) = above else {
            return Ok(());
        };
        let chain = if above.certificate.is_self_issued() {
            pem
        } else {
            pem + &above.certificate.to_pem()
        };
        write(&self.path(stem, "chain.pem"), chain.as_bytes())
    }

    fn write_crl(
        &self,
        stem: &str,
        trust_name: Option<&str>,
        crl: &CertificateRevocationList,
    ) -> Result<(), DevKeysError> {
        let pem = crl.to_pem();
        write(&self.path(stem, "crl.pem"), pem.as_bytes())?;
        let Some(name) = trust_name else {
            return Ok(());
        };
        let path = self.trust_directory().join("crls");
        write(&path.join(format!("{name}.pem")), pem.as_bytes())
    }

    fn renew_crls(&self, now: UnixSeconds) -> Result<(), DevKeysError> {
        for (stem, trust_name) in AUTHORITIES {
            let path = self.path(stem, "crl.pem");
            let bytes = fs::read(&path).map_err(file_error(&path))?;
            let crl = CertificateRevocationList::from_pem_or_der(&bytes)?;
            let still_good = crl
                .next_update()
                .is_none_or(|next_update| now.0 < next_update.0 - CRL_RENEWED_BEFORE);
            if !still_good {
                let crl = self.identity(stem)?.crl(&CrlRequest::new(now))?;
                self.write_crl(stem, trust_name, &crl)?;
            }
        }
        Ok(())
    }

    fn identity(&self, stem: &str) -> Result<Identity, DevKeysError> {
        let path = self.path(stem, "pem");
        let pem = fs::read(&path).map_err(file_error(&path))?;
        let certificate = Certificate::from_pem_or_der(&pem)?;
        let path = self.path(stem, "key.pem");
        let pem = Zeroizing::new(fs::read(&path).map_err(file_error(&path))?);
        let plain = pem_blocks(&pem)?
            .into_iter()
            .find(|block| block.label == PLAIN_KEY_LABEL);
        let key = match plain {
            Some(block) => DevKey::from_pkcs8_der(&block.der)?,
            None => decrypt_key_pem(&pem, self.passphrase()?.as_bytes())?,
        };
        if key.spki_der() != certificate.spki_der() {
            return Err(DevKeysError::KeyNotOfCertificate { path });
        }
        Ok(Identity { certificate, key })
    }
}

/// Authorities: where their files stand, and their name in `trust/`.
const AUTHORITIES: [(&str, Option<&str>); 5] = [
    ("rsa/root", Some("rsa-root")),
    ("rsa/issuing", Some("rsa-issuing")),
    ("sm2/root", Some("sm2-root")),
    ("sm2/issuing", Some("sm2-issuing")),
    ("tls/root", None),
];

fn authorities(
    pki: &DevPki,
) -> impl Iterator<Item = (&'static str, Option<&'static str>, &Identity)> {
    let identities = [
        &pki.rsa_root,
        &pki.rsa_issuing,
        &pki.sm2_root,
        &pki.sm2_issuing,
        &pki.tls_root,
    ];
    AUTHORITIES
        .into_iter()
        .zip(identities)
        .map(|((stem, trust_name), identity)| (stem, trust_name, identity))
}

/// Everything with a key: where its files stand, and its issuer if it is no authority.
fn chains(pki: &DevPki) -> [(&'static str, &Identity, Option<&Identity>); 12] {
    [
        ("rsa/root", &pki.rsa_root, None),
        ("rsa/issuing", &pki.rsa_issuing, None),
        ("rsa/signer", &pki.rsa_signer, Some(&pki.rsa_issuing)),
        ("rsa/p256-signer", &pki.p256_signer, Some(&pki.rsa_issuing)),
        ("sm2/root", &pki.sm2_root, None),
        ("sm2/issuing", &pki.sm2_issuing, None),
        ("sm2/seal-maker", &pki.seal_maker, Some(&pki.sm2_issuing)),
        ("sm2/signer", &pki.sm2_signer, Some(&pki.sm2_issuing)),
        ("tls/root", &pki.tls_root, None),
        ("tls/server", &pki.tls_server, Some(&pki.tls_root)),
        ("tls/dept-data", &pki.department_data, Some(&pki.tls_root)),
        ("tls/dept-bank", &pki.department_bank, Some(&pki.tls_root)),
    ]
}

/// A new folder beside `directory`, on the same file system, to be renamed into its place.
fn making_directory(directory: &Path) -> Result<PathBuf, DevKeysError> {
    let suffix = u64::from_ne_bytes(SystemEntropy::new()?.bytes()?);
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(format!(".making-{suffix:016x}"));
    let making = directory.with_file_name(name);
    fs::create_dir_all(&making).map_err(file_error(&making))?;
    Ok(making)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DevKeysError> {
    write_with(path, bytes, fs::OpenOptions::new())
}

/// For the owner's eyes only.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), DevKeysError> {
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write_with(path, bytes, options)
}

/// By way of a new file beside it, so that a reader sees the old bytes or the new ones.
fn write_with(path: &Path, bytes: &[u8], mut options: fs::OpenOptions) -> Result<(), DevKeysError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let new = path.with_file_name(name);
    options
        .write(true)
        .create(true)
        .truncate(true)
        .open(&new)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&new, path))
        .map_err(file_error(path))
}

pub(crate) fn file_error(path: &Path) -> impl Fn(std::io::Error) -> DevKeysError {
    move |source| DevKeysError::File {
        path: path.to_owned(),
        source,
    }
}
