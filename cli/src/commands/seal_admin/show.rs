//! Answers as JSON for eyes and scripts, and the use log as CSV.

use serde_json::{Value, json};
use yinxin_proto::{Timestamp, v1};

use super::args::Format;
use crate::failure::{Failure, doing};

pub(super) fn print(value: &Value) -> Result<(), Failure> {
    let text =
        serde_json::to_string_pretty(value).map_err(doing("无法显示", "it cannot be shown"))?;
    println!("{text}");
    Ok(())
}

fn moment(at: Option<&Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(at.to_string()))
}

/// The last word of an enum's name on the wire: `SEAL_STATE_ACTIVE` is `active`.
fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
}

pub(super) fn seal(seal: &v1::Seal) -> Value {
    let versions: Vec<Value> = seal
        .versions
        .iter()
        .map(|one| {
            json!({
                "number": one.number,
                "made_at": moment(one.made_at.as_ref()),
                "valid_from": moment(one.valid_from.as_ref()),
                "valid_until": moment(one.valid_until.as_ref()),
                "certificates_sha256": one.certificates_sha256.iter()
                    .map(|digest| base16ct::lower::encode_string(digest)).collect::<Vec<_>>(),
                "filing_number": one.filing_number,
                "filing_authority": one.filing_authority,
                "active_from": moment(one.active_from.as_ref()),
            })
        })
        .collect();
    let history: Vec<Value> = seal
        .history
        .iter()
        .map(|one| {
            json!({
                "sequence": one.sequence,
                "at": moment(one.at.as_ref()),
                "actor": one.actor,
                "change": one.change,
                "reason": one.reason,
                "version": one.version,
            })
        })
        .collect();
    json!({
        "code": seal.code,
        "name": seal.name,
        "owner_name": seal.owner_name,
        "owner_code": seal.owner_code,
        "kind": seal.kind,
        "keeper": seal.keeper,
        "state": word(seal.state().as_str_name(), "SEAL_STATE_"),
        "stage": seal.stage,
        "active_version": seal.active_version,
        "sequence": seal.sequence,
        "versions": versions,
        "history": history,
    })
}

pub(super) fn status(status: &v1::GetSealStatusResponse) -> Value {
    json!({
        "seal_status": status.seal_status,
        "state": word(status.state().as_str_name(), "SEAL_STATE_"),
        "version": status.version,
        "since": moment(status.since.as_ref()),
        "at": moment(status.at.as_ref()),
    })
}

pub(super) fn revocation(one: &v1::SealRevocation) -> Value {
    json!({
        "seal_code": one.code,
        "seal_name": one.name,
        "invalid_type": one.invalid_type,
        "effective_at": moment(one.effective_at.as_ref()),
        "reason": one.reason,
    })
}

pub(super) fn imported(answer: &v1::ImportFilingsResponse) -> Value {
    let lines: Vec<Value> = answer
        .filings
        .iter()
        .map(|one| json!({ "code": one.code, "outcome": one.outcome, "message": one.message }))
        .collect();
    lines.into()
}

pub(super) fn rule(rule: &v1::UseRule) -> Value {
    let channels: Vec<String> = rule
        .channels()
        .map(|one| word(one.as_str_name(), "USE_CHANNEL_"))
        .collect();
    json!({
        "id": rule.id,
        "seals": rule.seals,
        "departments": rule.callers,
        "operations": rule.operations,
        "units": rule.units,
        "items": rule.items,
        "channels": channels,
        "from_minute": rule.from_minute,
        "until_minute": rule.until_minute,
        "valid_from": moment(rule.valid_from.as_ref()),
        "valid_until": moment(rule.valid_until.as_ref()),
        "quota_per_day": rule.quota_per_day,
        "approvals": rule.approvals,
    })
}

pub(super) fn rule_change(change: &v1::UseRuleChange) -> Value {
    json!({
        "number": change.number,
        "id": change.id,
        "at": moment(change.at.as_ref()),
        "actor": change.actor,
        "change": if change.rule.is_some() { "set" } else { "withdrawn" },
        "rule": change.rule.as_ref().map(rule),
    })
}

pub(super) fn explained(answer: &v1::ExplainUseResponse) -> Value {
    let verdicts: Vec<Value> = answer
        .verdicts
        .iter()
        .map(|one| {
            json!({
                "rule": one.rule,
                "reason": one.reason,
                "used_today": one.used_today,
                "quota_per_day": one.quota_per_day,
            })
        })
        .collect();
    json!({
        "permitted": answer.permitted,
        "reason": answer.reason,
        "rule": answer.rule,
        "approvals": answer.approvals,
        "verdicts": verdicts,
    })
}

pub(super) fn approval(approval: &v1::Approval) -> Value {
    let signed: Vec<Value> = approval
        .signed
        .iter()
        .map(|one| {
            json!({
                "approver": one.approver,
                "certificate_sha256": base16ct::lower::encode_string(&one.certificate_sha256),
                "signed_at": moment(one.signed_at.as_ref()),
            })
        })
        .collect();
    json!({
        "id": approval.id,
        "statement": approval.statement,
        "needed": approval.needed,
        "signed": signed,
        "expires_at": moment(approval.expires_at.as_ref()),
        "used": approval.used,
    })
}

pub(super) fn counts(answer: &v1::CountUsesResponse) -> Value {
    let lines: Vec<Value> = answer
        .counts
        .iter()
        .map(|one| json!({ "group": one.group, "entered": one.entered, "released": one.released }))
        .collect();
    lines.into()
}

/// The columns of the use log, in order.
const COLUMNS: [&str; 23] = [
    "id",
    "at",
    "day",
    "department",
    "request_id",
    "operation",
    "seal",
    "seal_version",
    "rule",
    "approval",
    "approvers",
    "operator",
    "unit",
    "channel",
    "terminal",
    "item",
    "case_number",
    "place",
    "copies",
    "certificate_serials",
    "document_sha256",
    "sealed_sha256",
    "result",
];

fn cells(one: &v1::Use) -> [String; 23] {
    [
        one.id.to_string(),
        one.at
            .as_ref()
            .map(Timestamp::to_string)
            .unwrap_or_default(),
        one.day.clone(),
        one.caller.clone(),
        one.request_id.clone(),
        one.operation.clone(),
        one.seal.clone(),
        one.seal_version.to_string(),
        one.rule.clone(),
        one.approval.clone(),
        one.approvers.join(" "),
        one.operator.clone(),
        one.unit.clone(),
        one.channel.clone(),
        one.terminal.clone(),
        one.item.clone(),
        one.case_number.clone(),
        one.place.clone(),
        one.copies.to_string(),
        one.certificate_serials.clone(),
        base16ct::lower::encode_string(&one.document_sha256),
        base16ct::lower::encode_string(&one.sealed_sha256),
        one.result.clone(),
    ]
}

/// The lines as a table (RFC 4180) or as a JSON array of objects.
pub(super) fn uses(uses: &[v1::Use], format: Format) -> String {
    if format == Format::Csv {
        let mut text = COLUMNS.join(",") + "\r\n";
        for one in uses {
            let line: Vec<String> = cells(one).iter().map(|cell| csv_cell(cell)).collect();
            text.push_str(&line.join(","));
            text.push_str("\r\n");
        }
        return text;
    }
    let lines: Vec<Value> = uses
        .iter()
        .map(|one| {
            let pairs = COLUMNS.into_iter().map(str::to_owned).zip(cells(one));
            Value::Object(
                pairs
                    .map(|(key, cell)| (key, Value::String(cell)))
                    .collect(),
            )
        })
        .collect();
    format!("{:#}\n", Value::Array(lines))
}

/// Quoted where RFC 4180 asks for it; a cell that a spreadsheet would take for a formula gets an
/// apostrophe.
fn csv_cell(cell: &str) -> String {
    let guarded = if cell.starts_with(['=', '+', '-', '@']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if guarded.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (cell, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"yes\"", "\"say \"\"yes\"\"\""),
            ("=1+1", "'=1+1"),
        ] {
            assert_eq!(csv_cell(cell), written);
        }
        let table = uses(&[v1::Use::default()], Format::Csv);
        assert_eq!(table.lines().count(), 2);
        assert_eq!(
            table.lines().map(|line| line.split(',').count()).max(),
            Some(23)
        );
    }
}
