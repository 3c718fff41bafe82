//! What can be done to a key. One shape for the command line and for a ceremony file.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;
use yinxin_signer::ceremony::KeyKind;
use yinxin_signer::keys::key_file::{Derivation, KeyCipher, Protection};

use crate::SecretSource;

/// One step, `do = "generate"` and so on in a ceremony file.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Step {
    /// Makes a key.
    Generate(Generate),
    /// Takes in a key that is in a device already.
    Adopt(Adopt),
    /// Writes a certification request.
    Csr(Csr),
    /// Installs what the authority sent.
    InstallCertificate(InstallCertificate),
    /// Takes in the encryption key of a dual pair.
    ImportEncryptionKey(ImportEncryptionKey),
    /// What is known of a key, from its place.
    Attest(Attest),
    /// A copy under another passphrase.
    Backup(Backup),
    /// A key from such a copy.
    Restore(Restore),
    /// Names a person who may approve.
    AddCustodian(AddCustodian),
    /// A person's approval of a destruction.
    Approve(Approve),
    /// Destroys a key.
    Destroy(Destroy),
}

/// Makes a key.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// 密钥名 · name of the key: a-z, 0-9, - and _
    pub name: String,
    /// 种类 · kind: rsa-2048, rsa-3072, rsa-4096, p-256, sm2
    #[arg(long)]
    #[serde(deserialize_with = "kind")]
    pub kind: KeyKind,
    /// 设备名（devices.toml）；缺省为软件密钥文件 · device of devices.toml; an encrypted file without it
    #[arg(long)]
    pub device: Option<String>,
    /// PKCS#11 标签，默认为密钥名 · CKA_LABEL, the name by default
    #[arg(long)]
    pub label: Option<String>,
    /// PKCS#11 标识（十六进制），默认随机 · CKA_ID in hexadecimal, random by default
    #[arg(long)]
    pub id: Option<String>,
    /// 密钥文件的加密算法 · cipher of the key file
    #[arg(long, value_enum, default_value_t)]
    #[serde(default)]
    pub cipher: Cipher,
    /// 口令派生用 PBKDF2 而非 scrypt · derive with PBKDF2 instead of scrypt
    #[arg(long)]
    #[serde(default)]
    pub pbkdf2: bool,
    /// 口令或 PIN：prompt、file:路径、env:变量 · passphrase or PIN: prompt, file:PATH, env:NAME
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
}

/// Takes in a key that is in a device already.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adopt {
    /// 密钥名 · name of the key
    pub name: String,
    /// 种类 · kind: rsa-2048, rsa-3072, rsa-4096, p-256, sm2
    #[arg(long)]
    #[serde(deserialize_with = "kind")]
    pub kind: KeyKind,
    /// 设备名（devices.toml） · device of devices.toml
    #[arg(long)]
    pub device: String,
    /// PKCS#11 标签 · CKA_LABEL
    #[arg(long)]
    pub label: Option<String>,
    /// PKCS#11 标识（十六进制） · CKA_ID in hexadecimal
    #[arg(long)]
    pub id: Option<String>,
    /// SDF 密钥索引，从 1 起 · SDF key index, from 1
    #[arg(long)]
    pub index: Option<u32>,
    /// PIN 或口令 · PIN or password: prompt, file:PATH, env:NAME
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
}

/// Writes a certification request.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csr {
    /// 密钥名 · name of the key
    pub name: String,
    /// 主体，如 C=CN,O=示范村村民委员会,CN=电子印章 · subject, outermost first
    #[arg(long)]
    pub subject: String,
    /// 写入的文件（PEM） · the PEM file to write
    #[arg(long)]
    pub out: PathBuf,
    /// 口令或 PIN · passphrase or PIN: prompt, file:PATH, env:NAME
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
}

/// Installs what the authority sent.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallCertificate {
    /// 密钥名 · name of the key
    pub name: String,
    /// 证书文件，签名证书在前 · the certificates, the key's own first
    #[arg(long)]
    pub certificates: PathBuf,
    /// 信任文件夹（anchors、intermediates） · trust folder with anchors and intermediates
    #[arg(long)]
    pub trust: PathBuf,
    /// 接受标有 DEV-ONLY 的试用证书 · accept throw-away certificates marked DEV-ONLY
    #[arg(long)]
    #[serde(default)]
    pub allow_dev_only: bool,
}

/// Takes in the encryption key of a dual pair.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportEncryptionKey {
    /// 加密密钥的名字 · name of the encryption key
    pub name: String,
    /// 同一双证的签名密钥（SM2 软件密钥） · the signing key of the pair, SM2 in software
    #[arg(long)]
    pub signing_key: String,
    /// SM2EnvelopedKey 文件（DER 或 PEM） · the SM2EnvelopedKey, DER or PEM
    #[arg(long)]
    pub envelope: PathBuf,
    /// 签名密钥的口令，新文件沿用 · passphrase of the signing key, also for the new file
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
}

/// What is known of a key, from its place.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attest {
    /// 密钥名 · name of the key
    pub name: String,
    /// 口令或 PIN · passphrase or PIN: prompt, file:PATH, env:NAME
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
}

/// A copy under another passphrase.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// 密钥名 · name of the key
    pub name: String,
    /// 备份文件 · the copy
    #[arg(long)]
    pub out: PathBuf,
    /// 密钥的口令 · passphrase of the key
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
    /// 备份的口令 · passphrase of the copy
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub backup_secret: SecretSource,
}

/// A key from such a copy.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// 密钥名；已有卡片时必须是同一密钥 · name of the key; the same key if there is a card
    pub name: String,
    /// 备份文件 · the copy
    #[arg(long)]
    pub from: PathBuf,
    /// 备份的口令 · passphrase of the copy
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub backup_secret: SecretSource,
    /// 密钥的新口令 · new passphrase of the key
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
}

/// Names a person who may approve.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddCustodian {
    /// 保管人的名字（文件名） · the custodian's name, as a file's
    pub name: String,
    /// 其证书 · their certificate
    #[arg(long)]
    pub certificate: PathBuf,
}

/// A person's approval of a destruction.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// 要销毁的密钥 · the key to be destroyed
    pub name: String,
    /// 保管人 · the custodian
    #[arg(long)]
    pub custodian: String,
    /// 保管人自己的密钥文件（加密的 PKCS#8） · the custodian's own key file, encrypted PKCS#8
    #[arg(long)]
    pub custodian_key: PathBuf,
    /// 写入的批准书 · the approval to write
    #[arg(long)]
    pub out: PathBuf,
    /// 保管人的口令 · the custodian's passphrase
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
}

/// Destroys a key.
#[derive(Clone, Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destroy {
    /// 密钥名 · name of the key
    pub name: String,
    /// 批准书，至少两人 · approvals, by two persons
    #[arg(long = "approval", required = true)]
    pub approvals: Vec<PathBuf>,
    /// 设备 PIN；软件密钥不需要 · PIN of the device; not needed for a software key
    #[arg(long, default_value_t)]
    #[serde(default)]
    pub secret: SecretSource,
}

/// The cipher of a key file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cipher {
    /// AES-256
    #[default]
    Aes256,
    /// SM4
    Sm4,
}

impl std::fmt::Display for Cipher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Aes256 => "aes256",
            Self::Sm4 => "sm4",
        })
    }
}

impl Generate {
    pub(crate) fn protection(&self) -> Protection {
        Protection {
            cipher: match self.cipher {
                Cipher::Aes256 => KeyCipher::Aes256,
                Cipher::Sm4 => KeyCipher::Sm4,
            },
            derivation: if self.pbkdf2 {
                Derivation::PBKDF2
            } else {
                Derivation::SCRYPT
            },
        }
    }
}

fn kind<'de, D: serde::Deserializer<'de>>(from: D) -> Result<KeyKind, D::Error> {
    String::deserialize(from)?
        .parse()
        .map_err(serde::de::Error::custom)
}

impl Step {
    /// The command's name.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Generate(_) => "generate",
            Self::Adopt(_) => "adopt",
            Self::Csr(_) => "csr",
            Self::InstallCertificate(_) => "install-certificate",
            Self::ImportEncryptionKey(_) => "import-encryption-key",
            Self::Attest(_) => "attest",
            Self::Backup(_) => "backup",
            Self::Restore(_) => "restore",
            Self::AddCustodian(_) => "add-custodian",
            Self::Approve(_) => "approve",
            Self::Destroy(_) => "destroy",
        }
    }

    /// The key, or for `add-custodian` the person.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Generate(step) => &step.name,
            Self::Adopt(step) => &step.name,
            Self::Csr(step) => &step.name,
            Self::InstallCertificate(step) => &step.name,
            Self::ImportEncryptionKey(step) => &step.name,
            Self::Attest(step) => &step.name,
            Self::Backup(step) => &step.name,
            Self::Restore(step) => &step.name,
            Self::AddCustodian(step) => &step.name,
            Self::Approve(step) => &step.name,
            Self::Destroy(step) => &step.name,
        }
    }

    /// What it does, in Chinese and in English, for a person who signs for it.
    #[must_use]
    pub const fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Generate(_) => ("生成密钥", "make a key"),
            Self::Adopt(_) => ("登记设备中已有的密钥", "take in a key of a device"),
            Self::Csr(_) => ("写出证书请求", "write a certification request"),
            Self::InstallCertificate(_) => ("安装证书", "install certificates"),
            Self::ImportEncryptionKey(_) => ("导入加密密钥", "take in an encryption key"),
            Self::Attest(_) => ("核对密钥属性", "attest a key"),
            Self::Backup(_) => ("备份密钥", "back a key up"),
            Self::Restore(_) => ("恢复密钥", "restore a key"),
            Self::AddCustodian(_) => ("登记保管人", "name a custodian"),
            Self::Approve(_) => ("批准销毁", "approve a destruction"),
            Self::Destroy(_) => ("销毁密钥", "destroy a key"),
        }
    }

    /// Makes paths relative to `folder`, where the ceremony file is.
    pub(crate) fn resolve(&mut self, folder: &Path) {
        let (files, secrets): (Vec<&mut PathBuf>, Vec<&mut SecretSource>) = match self {
            Self::Generate(step) => (vec![], vec![&mut step.secret]),
            Self::Adopt(step) => (vec![], vec![&mut step.secret]),
            Self::Csr(step) => (vec![&mut step.out], vec![&mut step.secret]),
            Self::InstallCertificate(step) => {
                (vec![&mut step.certificates, &mut step.trust], vec![])
            }
            Self::ImportEncryptionKey(step) => (vec![&mut step.envelope], vec![&mut step.secret]),
            Self::Attest(step) => (vec![], vec![&mut step.secret]),
            Self::Backup(step) => (
                vec![&mut step.out],
                vec![&mut step.secret, &mut step.backup_secret],
            ),
            Self::Restore(step) => (
                vec![&mut step.from],
                vec![&mut step.secret, &mut step.backup_secret],
            ),
            Self::AddCustodian(step) => (vec![&mut step.certificate], vec![]),
            Self::Approve(step) => (
                vec![&mut step.custodian_key, &mut step.out],
                vec![&mut step.secret],
            ),
            Self::Destroy(step) => (step.approvals.iter_mut().collect(), vec![&mut step.secret]),
        };
        let secrets = secrets.into_iter().filter_map(SecretSource::path_mut);
        for path in files.into_iter().chain(secrets) {
            *path = folder.join(&*path);
        }
    }
}
