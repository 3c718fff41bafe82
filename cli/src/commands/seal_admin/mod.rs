//! `yinxin seal-admin`: the life of seals, use rules, approvals and the use log.

pub(crate) mod args;
mod files;
mod show;

use std::process::ExitCode;

use tonic::transport::Channel;
use yinxin_pki::Certificate;
use yinxin_proto::v1;
use yinxin_proto::v1::seal_service_client::SealServiceClient;
use yinxin_signer::approval::statement_cms;
use yinxin_signer::keys::SoftwareKeyStore;

use super::{block_on, read, write};
use crate::client::ConnectionFile;
use crate::failure::{Failure, doing};
use args::{
    ApprovalCommand, Filter, Group, RuleCommand, SealAdmin, SealCommand, Usage, UsesCommand,
};

type Client = SealServiceClient<Channel>;

/// Lines of a list that one call brings.
const PAGE: u32 = 1000;

pub(crate) fn run(arguments: &SealAdmin) -> Result<ExitCode, Failure> {
    let connection = ConnectionFile::read(&arguments.connect)?;
    block_on(async {
        let client = connection.signer().await?.seals();
        command(client, &arguments.command).await
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn command(mut client: Client, command: &SealCommand) -> Result<(), Failure> {
    use v1::SealAction as Action;
    let (action, code, reason) = match command {
        SealCommand::Apply { file } => {
            let request = files::application(file)?;
            let seal = client.apply_seal(request).await.map_err(refused)?;
            return show::print(&show::seal(seal.get_ref()));
        }
        SealCommand::Renew { code, file, reason } => {
            let request = v1::RenewSealRequest {
                code: code.clone(),
                terms: Some(files::terms(file)?),
                reason: reason.clone(),
            };
            let seal = client.renew_seal(request).await.map_err(refused)?;
            return show::print(&show::seal(seal.get_ref()));
        }
        SealCommand::File {
            code,
            number,
            authority,
        } => {
            let request = v1::ChangeSealRequest {
                code: code.clone(),
                action: Action::File.into(),
                filing_number: number.clone(),
                filing_authority: authority.clone(),
                ..Default::default()
            };
            let seal = client.change_seal(request).await.map_err(refused)?;
            return show::print(&show::seal(seal.get_ref()));
        }
        SealCommand::List => return list(client).await,
        SealCommand::Show(one) => {
            let request = v1::GetSealRequest {
                code: one.code.clone(),
            };
            let seal = client.get_seal(request).await.map_err(refused)?;
            return show::print(&show::seal(seal.get_ref()));
        }
        SealCommand::Status {
            code,
            at,
            certificate,
        } => {
            let certificate_sha256 = match certificate {
                Some(path) => first_certificate(path)?.sha256().to_vec(),
                None => Vec::new(),
            };
            let request = v1::GetSealStatusRequest {
                code: code.clone(),
                at: at.as_deref().map(files::moment).transpose()?,
                certificate_sha256,
            };
            let answer = client.get_seal_status(request).await.map_err(refused)?;
            return show::print(&show::status(answer.get_ref()));
        }
        SealCommand::Revocations { from, to } => return revocations(client, from, to).await,
        SealCommand::StatusList { file, valid_days } => {
            let request = v1::ExportSealStatusRequest {
                valid_days: *valid_days,
            };
            let mut chunks = client
                .export_seal_status(request)
                .await
                .map_err(refused)?
                .into_inner();
            let mut parts = Vec::new();
            while let Some(part) = chunks.message().await.map_err(refused)? {
                parts.push(part.chunk);
            }
            let parts: Vec<&[u8]> = parts.iter().map(|part| &**part).collect();
            return write(file, &parts);
        }
        SealCommand::Export { file } => {
            let answer = client
                .export_filings(v1::ExportFilingsRequest {})
                .await
                .map_err(refused)?;
            return write(file, &[answer.get_ref().filings_json.as_bytes()]);
        }
        SealCommand::Import { file } => {
            let request = v1::ImportFilingsRequest {
                filings_json: files::text(file)?,
            };
            let answer = client.import_filings(request).await.map_err(refused)?;
            return show::print(&show::imported(answer.get_ref()));
        }
        SealCommand::Rule(rule) => return rules(client, rule).await,
        SealCommand::Approval(approval) => return approvals(client, approval).await,
        SealCommand::Uses(uses) => return use_log(client, uses).await,
        SealCommand::Approve(one) => (Action::Approve, &one.code, ""),
        SealCommand::Make(one) => (Action::Make, &one.code, ""),
        SealCommand::Activate(one) => (Action::Activate, &one.code, ""),
        SealCommand::Reject(one) => (Action::Reject, &one.code, one.reason.as_str()),
        SealCommand::Suspend(one) => (Action::Suspend, &one.code, one.reason.as_str()),
        SealCommand::Resume(one) => (Action::Resume, &one.code, one.reason.as_str()),
        SealCommand::Lost(one) => (Action::ReportLost, &one.code, one.reason.as_str()),
        SealCommand::Cancel(one) => (Action::Cancel, &one.code, one.reason.as_str()),
        SealCommand::Revoke(one) => (Action::Revoke, &one.code, one.reason.as_str()),
        SealCommand::Withdraw(one) => (Action::Withdraw, &one.code, one.reason.as_str()),
    };
    let request = v1::ChangeSealRequest {
        code: code.clone(),
        action: action.into(),
        reason: reason.to_owned(),
        ..Default::default()
    };
    let seal = client.change_seal(request).await.map_err(refused)?;
    show::print(&show::seal(seal.get_ref()))
}

async fn list(mut client: Client) -> Result<(), Failure> {
    let mut after_code = String::new();
    let mut seals = Vec::new();
    loop {
        let request = v1::ListSealsRequest {
            after_code,
            page_size: PAGE,
        };
        let page = client
            .list_seals(request)
            .await
            .map_err(refused)?
            .into_inner();
        seals.extend(page.seals.iter().map(show::seal));
        after_code = page.next_after_code;
        if after_code.is_empty() {
            return show::print(&seals.into());
        }
    }
}

async fn revocations(mut client: Client, from: &str, to: &str) -> Result<(), Failure> {
    let (from, to) = (files::moment(from)?, files::moment(to)?);
    let mut lines = Vec::new();
    for page in 1.. {
        let request = v1::ListSealRevocationsRequest {
            from: Some(from),
            to: Some(to),
            page,
        };
        let answer = client
            .list_seal_revocations(request)
            .await
            .map_err(refused)?
            .into_inner();
        lines.extend(answer.revocations.iter().map(show::revocation));
        if answer.revocations.is_empty() || lines.len() >= answer.total as usize {
            break;
        }
    }
    show::print(&lines.into())
}

async fn rules(mut client: Client, command: &RuleCommand) -> Result<(), Failure> {
    match command {
        RuleCommand::Set { file } => {
            let request = v1::SetUseRuleRequest {
                rule: Some(files::rule(file)?),
            };
            let rule = client.set_use_rule(request).await.map_err(refused)?;
            show::print(&show::rule(rule.get_ref()))
        }
        RuleCommand::Withdraw { id } => {
            let request = v1::WithdrawUseRuleRequest { id: id.clone() };
            client.withdraw_use_rule(request).await.map_err(refused)?;
            Ok(())
        }
        RuleCommand::List => {
            let answer = client
                .list_use_rules(v1::ListUseRulesRequest {})
                .await
                .map_err(refused)?;
            let rules: Vec<_> = answer.get_ref().rules.iter().map(show::rule).collect();
            show::print(&rules.into())
        }
        RuleCommand::History { id } => {
            let mut changes: Vec<v1::UseRuleChange> = Vec::new();
            loop {
                let request = v1::ListUseRuleHistoryRequest {
                    id: id.clone(),
                    after_number: changes.last().map_or(0, |last| last.number),
                    page_size: PAGE,
                };
                let page = client
                    .list_use_rule_history(request)
                    .await
                    .map_err(refused)?
                    .into_inner()
                    .changes;
                if page.is_empty() {
                    break;
                }
                changes.extend(page);
            }
            let lines: Vec<_> = changes.iter().map(show::rule_change).collect();
            show::print(&lines.into())
        }
        RuleCommand::Explain {
            department,
            operation,
            seal,
            licence_type,
            usage,
        } => {
            let request = v1::ExplainUseRequest {
                caller: department.clone(),
                operation: operation.clone(),
                seal_id: seal.clone(),
                licence_type: licence_type.clone(),
                usage: Some(usage.context()),
                at: None,
            };
            let answer = client.explain_use(request).await.map_err(refused)?;
            show::print(&show::explained(answer.get_ref()))
        }
    }
}

async fn approvals(mut client: Client, command: &ApprovalCommand) -> Result<(), Failure> {
    let get = |id: &String| v1::GetApprovalRequest { id: id.clone() };
    match command {
        ApprovalCommand::Show { id } => {
            let approval = client.get_approval(get(id)).await.map_err(refused)?;
            show::print(&show::approval(approval.get_ref()))
        }
        ApprovalCommand::Sign {
            id,
            key,
            certificates,
            passphrase_file,
        } => {
            let approval = client.get_approval(get(id)).await.map_err(refused)?;
            let statement = &approval.get_ref().statement;
            // What is signed stands on the screen, word for word.
            eprint!("{statement}");
            let mut keys = SoftwareKeyStore::new();
            let passphrase = files::passphrase(passphrase_file)?;
            keys.open_encrypted("own", &read(key)?, &passphrase)
                .map_err(doing("无法打开私钥", "the key cannot be opened"))?;
            let chain: Vec<Certificate> = Certificate::list_from_pem_or_der(&read(certificates)?)
                .map_err(|error| Failure::file(certificates, &error))?;
            let cms_der = statement_cms(statement, &keys, "own", &chain)
                .map_err(doing("无法签署", "it cannot be signed"))?;
            let request = v1::SignApprovalRequest {
                id: id.clone(),
                cms_der,
            };
            let signed = client.sign_approval(request).await.map_err(refused)?;
            show::print(&show::approval(signed.get_ref()))
        }
    }
}

async fn use_log(mut client: Client, command: &UsesCommand) -> Result<(), Failure> {
    match command {
        UsesCommand::List { filter, format } => {
            let uses = all_uses(&mut client, filter).await?;
            print!("{}", show::uses(&uses, *format));
            Ok(())
        }
        UsesCommand::Export {
            file,
            filter,
            format,
        } => {
            let uses = all_uses(&mut client, filter).await?;
            write(file, &[show::uses(&uses, *format).as_bytes()])
        }
        UsesCommand::Count { filter, by } => {
            let group = match by {
                Group::Seal => v1::UseGroup::Seal,
                Group::Unit => v1::UseGroup::Unit,
                Group::Item => v1::UseGroup::Item,
                Group::Day => v1::UseGroup::Day,
            };
            let request = v1::CountUsesRequest {
                filter: Some(filter.wire()),
                group: group.into(),
            };
            let answer = client.count_uses(request).await.map_err(refused)?;
            show::print(&show::counts(answer.get_ref()))
        }
    }
}

async fn all_uses(client: &mut Client, filter: &Filter) -> Result<Vec<v1::Use>, Failure> {
    let mut uses: Vec<v1::Use> = Vec::new();
    loop {
        let request = v1::ListUsesRequest {
            filter: Some(filter.wire()),
            after_id: uses.last().map_or(0, |last| last.id),
            page_size: PAGE,
        };
        let page = client
            .list_uses(request)
            .await
            .map_err(refused)?
            .into_inner()
            .uses;
        if page.is_empty() {
            return Ok(uses);
        }
        uses.extend(page);
    }
}

impl Filter {
    fn wire(&self) -> v1::UseFilter {
        v1::UseFilter {
            seal: self.seal.clone(),
            caller: self.department.clone(),
            unit: self.unit.clone(),
            item: self.item.clone(),
            from_day: self.from.clone(),
            to_day: self.to.clone(),
        }
    }
}

impl Usage {
    /// As a request states it.
    pub(crate) fn context(&self) -> v1::UseContext {
        let channel = match self.channel {
            None => v1::UseChannel::Unspecified,
            Some(args::Channel::Counter) => v1::UseChannel::Counter,
            Some(args::Channel::Unattended) => v1::UseChannel::Unattended,
            Some(args::Channel::Batch) => v1::UseChannel::Batch,
            Some(args::Channel::Kiosk) => v1::UseChannel::Kiosk,
        };
        v1::UseContext {
            unit: self.unit.clone(),
            item_code: self.item.clone(),
            channel: channel.into(),
            terminal: self.terminal.clone(),
            approval_ids: self.approvals.clone(),
            copies: self.copies,
        }
    }
}

/// An approval that was asked for, for the person to hand on.
pub(crate) fn print_approval(approval: &v1::Approval) -> Result<(), Failure> {
    show::print(&show::approval(approval))
}

fn first_certificate(path: &std::path::Path) -> Result<Certificate, Failure> {
    Certificate::from_pem_or_der(&read(path)?).map_err(|error| Failure::file(path, &error))
}

fn refused(status: tonic::Status) -> Failure {
    Failure::status(&status)
}
