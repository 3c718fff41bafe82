//! The use log.

use std::sync::Arc;

use yinxin_proto::v1;
use yinxin_signer::registry::Role;
use yinxin_signer::usage::{UseFilter, UseGroup, UseRow};

use super::registry::page_size;
use crate::fields;
use crate::receipt::timestamp;
use crate::service::Service;
use crate::status::Refusal;

pub(super) async fn list(
    service: Arc<Service>,
    caller: String,
    request: v1::ListUsesRequest,
) -> Result<v1::ListUsesResponse, Refusal> {
    service.person(&caller, Role::Auditor)?;
    let filter = filter(request.filter)?;
    let rows = service
        .record
        .uses(&filter, request.after_id, page_size(request.page_size))
        .await?;
    Ok(v1::ListUsesResponse {
        uses: rows.into_iter().map(wire_use).collect(),
    })
}

pub(super) async fn count(
    service: Arc<Service>,
    caller: String,
    request: v1::CountUsesRequest,
) -> Result<v1::CountUsesResponse, Refusal> {
    service.person(&caller, Role::Auditor)?;
    let group = match v1::UseGroup::try_from(request.group) {
        Ok(v1::UseGroup::Seal) => UseGroup::Seal,
        Ok(v1::UseGroup::Unit) => UseGroup::Unit,
        Ok(v1::UseGroup::Item) => UseGroup::Item,
        Ok(v1::UseGroup::Day) => UseGroup::Day,
        Ok(v1::UseGroup::Unspecified) | Err(_) => {
            return Err(Refusal::Field {
                field: "group",
                rule: "must be SEAL, UNIT, ITEM or DAY".to_owned(),
            });
        }
    };
    let counts = service
        .record
        .count_uses(&filter(request.filter)?, group)
        .await?;
    Ok(v1::CountUsesResponse {
        counts: counts
            .into_iter()
            .map(|one| v1::UseCount {
                group: one.group,
                entered: one.entered,
                released: one.released,
            })
            .collect(),
    })
}

fn filter(filter: Option<v1::UseFilter>) -> Result<UseFilter, Refusal> {
    let filter = filter.unwrap_or_default();
    for (field, day) in [
        ("filter.from_day", &filter.from_day),
        ("filter.to_day", &filter.to_day),
    ] {
        if !day.is_empty() && yinxin_signer::licence::CivilDate::parse(day).is_none() {
            return Err(Refusal::Field {
                field,
                rule: "must be a day such as 2026-11-22".to_owned(),
            });
        }
    }
    for text in [&filter.seal, &filter.caller, &filter.unit, &filter.item] {
        fields::text("filter", text, 0, 100)?;
    }
    let given = |text: String| (!text.is_empty()).then_some(text);
    Ok(UseFilter {
        seal: given(filter.seal),
        caller: given(filter.caller),
        unit: given(filter.unit),
        item: given(filter.item),
        from_day: given(filter.from_day),
        to_day: given(filter.to_day),
    })
}

fn wire_use(row: UseRow) -> v1::Use {
    v1::Use {
        id: row.id,
        caller: row.key.caller,
        request_id: row.key.request_id,
        operation: row.operation,
        seal: row.seal,
        seal_version: row.seal_version,
        rule: row.rule,
        approval: row.approval.unwrap_or_default(),
        approvers: row.approvers,
        at: Some(timestamp(row.at)),
        day: row.day,
        operator: row.facts.operator,
        unit: row.facts.unit,
        channel: row.facts.channel,
        terminal: row.facts.terminal,
        item: row.facts.item,
        case_number: row.facts.case_number,
        place: row.facts.place,
        copies: row.copies,
        certificate_serials: row.facts.certificate_serials,
        document_sha256: row.document_sha256.to_vec(),
        sealed_sha256: row.sealed_sha256.map(Vec::from).unwrap_or_default(),
        result: row.result,
    }
}
