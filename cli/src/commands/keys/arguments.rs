//! `yinxin keys …` on the command line. The steps themselves are the library's.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use yinxin_keys as keys;

use crate::args::FontArguments;

#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// 密钥台账文件夹 · the folder where keys are kept track of
    #[arg(long, env = "YINXIN_KEYS", default_value = "keys", global = true)]
    pub(crate) room: PathBuf,
    /// 操作人，默认当前用户 · who acts; the current user by default
    #[arg(long, global = true)]
    pub(crate) operator: Option<String>,
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// 生成开发用的证书、密钥、印章与配置（仅供试用） · make throw-away authorities, keys, a seal and configuration
    Dev {
        /// 写入的文件夹 · the folder to write
        dir: PathBuf,
        #[command(flatten)]
        fonts: FontArguments,
    },
    /// 列出密钥、证书及其所签的印章 · list keys with their certificates and seals
    List {
        /// 签章服务的配置文件，用以列出印章 · the signer's configuration, to show the seals
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// 生成密钥 · make a key
    Generate(keys::Generate),
    /// 登记设备中已有的密钥 · take in a key that is in a device already
    Adopt(keys::Adopt),
    /// 写出证书请求（PKCS#10） · write a certification request
    Csr(keys::Csr),
    /// 核对并安装证书 · check and install certificates
    InstallCertificate(keys::InstallCertificate),
    /// 导入双证书的加密密钥（SM2EnvelopedKey） · take in the encryption key of a dual pair
    ImportEncryptionKey(keys::ImportEncryptionKey),
    /// 核对密钥属性 · what the key's place says of it
    Attest(keys::Attest),
    /// 备份软件密钥 · back a software key up
    Backup(keys::Backup),
    /// 恢复软件密钥 · restore a software key
    Restore(keys::Restore),
    /// 登记有权批准的保管人 · name a person who may approve
    AddCustodian(keys::AddCustodian),
    /// 批准销毁一把密钥 · approve the destruction of a key
    Approve(keys::Approve),
    /// 经两人批准销毁密钥 · destroy a key, approved by two persons
    Destroy(keys::Destroy),
    /// 核对审计链 · check the audit chain and show it
    Audit,
    /// 按仪式文件逐步执行，并给出供签字的记录 · do the steps of a ceremony file, with a transcript to sign
    Ceremony {
        /// 仪式文件（TOML） · the ceremony file
        file: PathBuf,
        /// 只显示计划，不执行 · show the plan, do nothing
        #[arg(long)]
        dry_run: bool,
        /// 记录写入的文件 · where the transcript goes
        #[arg(long)]
        transcript: Option<PathBuf>,
    },
}
