//! The command line of `yinxin seal-admin`. Each help line is in Chinese and in English.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct SealAdmin {
    /// 连接配置文件（服务地址与本人的客户端证书） · connection file: server and your client certificate
    #[arg(
        long,
        global = true,
        env = "YINXIN_CONNECT",
        default_value = "target/dev/client.toml"
    )]
    pub(crate) connect: PathBuf,
    #[command(subcommand)]
    pub(crate) command: SealCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SealCommand {
    /// 申请印章（TOML 文件） · apply for a seal, from a TOML file
    Apply {
        /// 申请文件 · the application
        file: PathBuf,
    },
    /// 申请续期或变更（TOML 文件中的 [terms]） · apply for a new version, from the [terms] of a TOML file
    Renew {
        /// 印章编码 · the seal's code
        code: String,
        /// 申请文件 · the application
        file: PathBuf,
        /// 理由 · why
        #[arg(long)]
        reason: String,
    },
    /// 批准 · approve
    Approve(Code),
    /// 不予批准 · reject
    Reject(CodeAndReason),
    /// 制作 · have it made
    Make(Code),
    /// 备案 · file it
    File {
        /// 印章编码 · the seal's code
        code: String,
        /// 备案号 · the number it is filed under
        #[arg(long)]
        number: String,
        /// 备案机关 · with whom
        #[arg(long)]
        authority: String,
    },
    /// 启用 · activate
    Activate(Code),
    /// 停用 · suspend
    Suspend(CodeAndReason),
    /// 恢复 · resume
    Resume(CodeAndReason),
    /// 挂失 · report lost
    Lost(CodeAndReason),
    /// 注销 · cancel
    Cancel(CodeAndReason),
    /// 吊销 · revoke
    Revoke(CodeAndReason),
    /// 撤销 · withdraw
    Withdraw(CodeAndReason),
    /// 印章列表 · all seals
    List,
    /// 印章及其历史 · a seal and its history
    Show(Code),
    /// 某一时刻的状态 · what a seal was at a moment
    Status {
        /// 印章编码 · the seal's code
        code: String,
        /// 时刻，如 2026-11-22T08:00:00Z；默认现在 · the moment; now by default
        #[arg(long)]
        at: Option<String>,
        /// 签章人证书（PEM） · a signer's certificate, PEM
        #[arg(long)]
        certificate: Option<PathBuf>,
    },
    /// 两个时刻之间吊销、撤销、挂失的印章 · seals revoked, withdrawn or lost between two moments
    Revocations {
        /// 起 · from
        #[arg(long)]
        from: String,
        /// 止 · to
        #[arg(long)]
        to: String,
    },
    /// 导出印章状态名单，供核验方使用 · write the status list of seals, for verifiers
    StatusList {
        /// 写入的文件 · the file to write
        file: PathBuf,
        /// 有效天数 · for how many days verifiers may rely on it
        #[arg(long, default_value_t = 7)]
        valid_days: u32,
    },
    /// 导出备案记录（JSON） · write the filing records as JSON
    Export {
        /// 写入的文件 · the file to write
        file: PathBuf,
    },
    /// 导入带备案号的记录 · take filing records back with their numbers
    Import {
        /// 备案记录 · the records
        file: PathBuf,
    },
    /// 用印规则 · use rules
    #[command(subcommand)]
    Rule(RuleCommand),
    /// 用印审批 · approvals of single uses
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// 用印登记 · the use log
    #[command(subcommand)]
    Uses(UsesCommand),
}

#[derive(Debug, Args)]
pub(crate) struct Code {
    /// 印章编码 · the seal's code
    pub(crate) code: String,
}

#[derive(Debug, Args)]
pub(crate) struct CodeAndReason {
    /// 印章编码 · the seal's code
    pub(crate) code: String,
    /// 理由 · why
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RuleCommand {
    /// 设置规则（TOML 文件） · set a rule, from a TOML file
    Set {
        /// 规则文件 · the rule
        file: PathBuf,
    },
    /// 撤回规则 · withdraw a rule
    Withdraw {
        /// 规则名 · its name
        id: String,
    },
    /// 规则列表 · all rules
    List,
    /// 规则的设置与撤回历史 · who set or withdrew which rule when
    History {
        /// 规则名，默认全部 · a rule's name; all by default
        #[arg(default_value = "")]
        id: String,
    },
    /// 试算：某次用印是否允许，为什么 · a dry run: is a use permitted, and why
    Explain {
        /// 部门，默认本人 · the department; yourself by default
        #[arg(long, default_value = "")]
        department: String,
        /// issue-licence、seal-document、seal-digest
        #[arg(long, default_value = "seal-document")]
        operation: String,
        /// 印章编码 · the seal
        #[arg(long)]
        seal: String,
        /// 证照类型 · licence type
        #[arg(long = "type", default_value = "")]
        licence_type: String,
        #[command(flatten)]
        usage: Usage,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalCommand {
    /// 查看审批单 · show an approval and its statement
    Show {
        /// 审批号 · its id
        id: String,
    },
    /// 用本人证书签署审批单 · sign an approval with your own certificate
    Sign {
        /// 审批号 · its id
        id: String,
        /// 本人私钥（加密的 PKCS#8） · your key, encrypted PKCS#8
        #[arg(long)]
        key: PathBuf,
        /// 本人证书及上级证书（PEM） · your certificate and those above it, PEM
        #[arg(long)]
        certificates: PathBuf,
        /// 口令文件 · a file with the key's passphrase
        #[arg(long)]
        passphrase_file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsesCommand {
    /// 按条件列出 · list
    List {
        #[command(flatten)]
        filter: Filter,
        /// 格式 · the format
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
    },
    /// 按条件统计 · count
    Count {
        #[command(flatten)]
        filter: Filter,
        /// 分组 · by what
        #[arg(long, value_enum, default_value_t = Group::Seal)]
        by: Group,
    },
    /// 导出到文件 · write to a file
    Export {
        /// 写入的文件 · the file to write
        file: PathBuf,
        #[command(flatten)]
        filter: Filter,
        /// 格式 · the format
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
    },
}

/// Which lines of the use log.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// 印章编码 · the seal
    #[arg(long, default_value = "")]
    pub(crate) seal: String,
    /// 部门 · the department
    #[arg(long, default_value = "")]
    pub(crate) department: String,
    /// 单位 · the unit
    #[arg(long, default_value = "")]
    pub(crate) unit: String,
    /// 事项或证照类型 · item or licence type
    #[arg(long, default_value = "")]
    pub(crate) item: String,
    /// 起日，如 2026-11-22 · from this day on
    #[arg(long, default_value = "")]
    pub(crate) from: String,
    /// 止日 · up to and including this day
    #[arg(long, default_value = "")]
    pub(crate) to: String,
}

/// What a use is for and where it comes from.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// 经办单位 · unit within the department
    #[arg(long, default_value = "")]
    pub(crate) unit: String,
    /// 事项编码 · code of the item
    #[arg(long, default_value = "")]
    pub(crate) item: String,
    /// 渠道 · channel
    #[arg(long, value_enum)]
    pub(crate) channel: Option<Channel>,
    /// 终端 · terminal
    #[arg(long, default_value = "")]
    pub(crate) terminal: String,
    /// 审批号，可重复 · an approval; may be repeated
    #[arg(long = "approval")]
    pub(crate) approvals: Vec<String>,
    /// 份数 · copies
    #[arg(long, default_value_t = 1)]
    pub(crate) copies: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Channel {
    /// 窗口
    Counter,
    /// 无人工干预
    Unattended,
    /// 批量
    Batch,
    /// 自助机
    Kiosk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// 表格
    Csv,
    /// JSON
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Group {
    /// 按印章
    Seal,
    /// 按单位
    Unit,
    /// 按事项
    Item,
    /// 按日
    Day,
}
