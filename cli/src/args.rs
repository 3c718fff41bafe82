//! The command line. Each help line is in Chinese and in English.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::seal::Certify;
use crate::commands::seal::place::Where;
use crate::commands::seal_admin::args::{SealAdmin, Usage};
use crate::language::Language;

/// 印信：签发电子证照，加盖并核验电子印章 · issues electronic licences, seals and verifies documents
#[derive(Debug, Parser)]
#[command(name = "yinxin", version, propagate_version = true)]
pub(crate) struct Arguments {
    /// 输出语言，默认随系统 · language of the output; the locale's by default
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Language>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 完整演示：签发夫妻关系证明、盖章、核验、发现篡改 · the whole road, shown once
    Demo(Demo),
    /// 在本机同时启动两个服务（开发用密钥） · both services on this machine, with throw-away keys
    Dev(Dev),
    /// 密钥 · keys
    Keys(crate::commands::keys::arguments::Keys),
    /// 为 PDF 加盖电子印章（经签章服务） · seal a PDF through the signing service
    Seal(Box<Seal>),
    /// 印章管理：申请、批准、制作、备案、启停、规则、审批、登记 · the life of seals, use rules, approvals, the use log
    SealAdmin(SealAdmin),
    /// 签发电子证照（经签章服务） · issue a licence through the signing service
    Issue(Issue),
    /// 在本机核验 PDF，不需要服务；退出码 0 有效、1 无效、2 无法判断、3 无法核验 · verify a PDF here, without a service; exit code 0 valid, 1 invalid, 2 cannot tell, 3 could not look
    Verify(Verify),
    /// 启动一个服务 · run one service
    #[command(subcommand)]
    Serve(Serve),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// 结果文件夹 · where the results go
    #[arg(long, default_value = "target/demo")]
    pub(crate) out: PathBuf,
    /// 密钥所在：加密文件、SoftHSM2（RSA）或测试用 SDF 设备 · where the keys are: files, SoftHSM2 (RSA) or the SDF device for tests
    #[arg(long, value_enum, default_value_t = DemoKeys::File)]
    pub(crate) keys: DemoKeys,
    #[command(flatten)]
    pub(crate) fonts: FontArguments,
}

/// Where the demonstration's keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoKeys {
    File,
    Softhsm,
    Sdf,
}

#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// 密钥、记录与文档的文件夹 · folder of keys, record and documents
    #[arg(long, default_value = "target/dev")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) fonts: FontArguments,
}

#[derive(Debug, Args)]
pub(crate) struct FontArguments {
    /// 中文字体文件或文件夹，可重复 · a Chinese font file or folder; may be repeated
    #[arg(long = "fonts", env = "YINXIN_FONTS", value_delimiter = ':')]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Serve {
    /// 签章服务（持有密钥） · the signing service; it holds the keys
    Signer {
        /// 配置文件 · the configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// 核验服务（不持有密钥） · the verification service; it holds no key
    Verifier {
        /// 配置文件 · the configuration file
        #[arg(long)]
        config: PathBuf,
    },
}

/// How to reach the signing service.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// 连接配置文件（服务地址与客户端证书） · connection file: server and client certificate
    #[arg(long, env = "YINXIN_CONNECT", default_value = "target/dev/client.toml")]
    pub(crate) connect: PathBuf,
    /// 请求号：同一号码重试得到同一结果；默认随机 · idempotency key; random by default
    #[arg(long)]
    pub(crate) request_id: Option<String>,
    /// 业务流水号 · case number
    #[arg(long, default_value = "CLI")]
    pub(crate) case: String,
    /// 经办账号，默认当前用户 · operator's account; the current user by default
    #[arg(long)]
    pub(crate) operator: Option<String>,
    /// 印章标识 · the seal
    #[arg(long, default_value = "village-demo")]
    pub(crate) seal: String,
    /// 签章方式 · profile: pades-b-b, gm-seal, gm-cms, dual
    #[arg(long, default_value = "dual")]
    pub(crate) profile: String,
}

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// 原文件 · the PDF to seal
    pub(crate) input: PathBuf,
    /// 盖章后的文件 · the sealed PDF
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// 事由（会写入文件） · reason, written into the file
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// 文件不出本机，只发送摘要 · keep the file here, send only its digest
    #[arg(long)]
    pub(crate) digest_only: bool,
    /// 只提出用印审批申请，暂不盖章 · ask for the approval of this use, do not seal yet
    #[arg(long, conflicts_with = "digest_only")]
    pub(crate) request_approval: bool,
    /// 这是首个签名并作出认证：此后文件还能怎样改动 · the first signature certifies the file: what may still be done to it
    #[arg(long, value_enum, conflicts_with = "places")]
    pub(crate) certify: Option<Certify>,
    /// 位置文件（TOML）：多枚印章或签署计划，见 docs/places.md · several seals or a signing plan from a TOML file: docs/places.md
    #[arg(long, conflicts_with = "digest_only")]
    pub(crate) places: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) usage: Usage,
    #[command(flatten, next_help_heading = "位置 · where the seal goes")]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Issue {
    /// 表单字段（JSON 文件） · the form's fields, a JSON file
    pub(crate) fields: PathBuf,
    /// 签发的 PDF · the issued PDF
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// 证照类型 · licence type
    #[arg(long = "type", default_value = "marital-proof")]
    pub(crate) licence_type: String,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// 要核验的 PDF · the PDF to verify
    pub(crate) file: PathBuf,
    /// 信任文件夹（anchors、intermediates、crls） · trust folder with anchors, intermediates, crls
    #[arg(long, env = "YINXIN_TRUST", default_value = "target/dev/trust")]
    pub(crate) trust: PathBuf,
    /// 核验时刻，如 2026-11-22T08:00:00Z；默认现在 · moment to verify at; now by default
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// 输出 JSON 报告 · print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// 接受标有 DEV-ONLY 的试用证书 · accept throw-away certificates marked DEV-ONLY
    #[arg(long)]
    pub(crate) allow_dev_only: bool,
}
