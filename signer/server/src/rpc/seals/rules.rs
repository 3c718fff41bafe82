//! Use rules, and the dry run.

use std::sync::Arc;

use yinxin_pki::UnixSeconds;
use yinxin_proto::v1;
use yinxin_signer::record::Operation;
use yinxin_signer::registry::{Role, SealState};
use yinxin_signer::rules::{
    Channel, DayHours, Denied, UseRule, Wanted, beijing_day, evaluate, explain,
};

use super::registry::page_size;
use super::wire;
use crate::receipt::timestamp;
use crate::service::Service;
use crate::status::{Refusal, state_reason};
use crate::usage::{CONFIGURATION_PREFIX, channel};

pub(super) async fn set(
    service: Arc<Service>,
    caller: String,
    request: v1::SetUseRuleRequest,
) -> Result<v1::UseRule, Refusal> {
    service.person(&caller, Role::Approver)?;
    let rule = rule(request.rule.unwrap_or_default())?;
    refuse_configured(&rule.id)?;
    rule.check().map_err(|error| Refusal::Field {
        field: error.field,
        rule: error.rule,
    })?;
    if let Some(unknown) = rule.seals.iter().find(|seal| !service.seals.contains(seal)) {
        return Err(Refusal::Field {
            field: "seals",
            rule: format!("there is no seal {unknown}"),
        });
    }
    service.store_rule(&caller, &rule.id, Some(&rule)).await?;
    Ok(wire_rule(&rule))
}

pub(super) async fn withdraw(
    service: Arc<Service>,
    caller: String,
    request: v1::WithdrawUseRuleRequest,
) -> Result<v1::WithdrawUseRuleResponse, Refusal> {
    service.person(&caller, Role::Approver)?;
    refuse_configured(&request.id)?;
    if !service.rules.all().iter().any(|rule| rule.id == request.id) {
        return Err(Refusal::Field {
            field: "id",
            rule: format!("there is no rule {}", request.id),
        });
    }
    service.store_rule(&caller, &request.id, None).await?;
    Ok(v1::WithdrawUseRuleResponse {})
}

fn refuse_configured(id: &str) -> Result<(), Refusal> {
    if id.starts_with(CONFIGURATION_PREFIX) {
        return Err(Refusal::Field {
            field: "id",
            rule: format!("rules named {CONFIGURATION_PREFIX}… change in the configuration"),
        });
    }
    Ok(())
}

impl Service {
    async fn store_rule(
        &self,
        caller: &str,
        id: &str,
        rule: Option<&UseRule>,
    ) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.record.set_rule(id, rule, caller, now).await?;
        self.rules.replace(self.record.rules().await?);
        let what = if rule.is_some() { "set" } else { "withdrawn" };
        tracing::info!(rule = %id, person = %caller, what, "use rule changed");
        Ok(())
    }
}

pub(super) async fn list(
    service: Arc<Service>,
    caller: String,
    _request: v1::ListUseRulesRequest,
) -> Result<v1::ListUseRulesResponse, Refusal> {
    service.anybody(&caller)?;
    let mut rules = service.rules.all().to_vec();
    rules.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(v1::ListUseRulesResponse {
        rules: rules.iter().map(wire_rule).collect(),
    })
}

pub(super) async fn history(
    service: Arc<Service>,
    caller: String,
    request: v1::ListUseRuleHistoryRequest,
) -> Result<v1::ListUseRuleHistoryResponse, Refusal> {
    service.anybody(&caller)?;
    let id = (!request.id.is_empty()).then_some(request.id.as_str());
    let size = page_size(request.page_size);
    let changes = service
        .record
        .rule_history(id, request.after_number, size)
        .await?
        .into_iter()
        .map(|one| v1::UseRuleChange {
            number: one.number,
            id: one.id,
            at: Some(timestamp(one.at)),
            actor: one.actor,
            rule: one.rule.as_ref().map(wire_rule),
        })
        .collect();
    Ok(v1::ListUseRuleHistoryResponse { changes })
}

pub(super) async fn explain_use(
    service: Arc<Service>,
    caller: String,
    request: v1::ExplainUseRequest,
) -> Result<v1::ExplainUseResponse, Refusal> {
    let department = if request.caller.is_empty() {
        caller.clone()
    } else {
        request.caller.clone()
    };
    if department != caller {
        service.anybody(&caller)?;
    }
    let operation = Operation::from_name(&request.operation).ok_or_else(|| Refusal::Field {
        field: "operation",
        rule: "must be issue-licence, seal-document or seal-digest".to_owned(),
    })?;
    let at = match request.at {
        Some(_) => wire::seconds("at", request.at)?,
        None => service.clock.now(),
    };
    let usage = request.usage.clone().unwrap_or_default();
    let items: Vec<&str> = [request.licence_type.as_str(), usage.item_code.as_str()]
        .into_iter()
        .filter(|item| !item.is_empty())
        .collect();
    let wanted = Wanted {
        caller: &department,
        operation,
        seal: &request.seal_id,
        unit: &usage.unit,
        items: &items,
        channel: channel(usage.channel)?,
        at,
    };
    service.explain(&wanted).await
}

impl Service {
    async fn explain(&self, wanted: &Wanted<'_>) -> Result<v1::ExplainUseResponse, Refusal> {
        let rules = self.rules.all();
        let day = beijing_day(wanted.at);
        let mut verdicts = Vec::new();
        for verdict in explain(rules.iter(), wanted) {
            let used_today = self.record.uses_of_rule(&verdict.rule.id, &day).await?;
            let full = verdict
                .rule
                .quota_per_day
                .is_some_and(|quota| used_today >= u64::from(quota));
            let denied = verdict.denied.or(full.then_some(Denied::Quota));
            verdicts.push(v1::RuleVerdict {
                rule: verdict.rule.id.clone(),
                reason: denied.map_or("", Denied::reason).to_owned(),
                used_today,
                quota_per_day: verdict.rule.quota_per_day,
            });
        }
        let taken = match evaluate(rules.iter(), wanted) {
            Err(denied) => Err(denied.reason()),
            Ok(decision) => decision
                .rules
                .into_iter()
                .find(|rule| {
                    verdicts
                        .iter()
                        .any(|one| one.rule == rule.id && one.reason.is_empty())
                })
                .ok_or(Denied::Quota.reason()),
        };
        let taken = taken.and_then(|rule| {
            match self
                .seals
                .get(wanted.seal)
                .and_then(|entry| entry.record().status_at(wanted.at))
            {
                Some(status) if status.state == SealState::Active => Ok(rule),
                Some(status) => Err(state_reason(status.state)),
                None => Err(Denied::Seal.reason()),
            }
        });
        Ok(v1::ExplainUseResponse {
            permitted: taken.is_ok(),
            reason: taken.err().unwrap_or_default().to_owned(),
            rule: taken.map(|rule| rule.id.clone()).unwrap_or_default(),
            approvals: taken.map_or(0, |rule| u32::from(rule.approvals)),
            verdicts,
        })
    }
}

fn rule(rule: v1::UseRule) -> Result<UseRule, Refusal> {
    let minute = |field: &'static str, value: u32| {
        u16::try_from(value).map_err(|_| Refusal::Field {
            field,
            rule: "must be a minute of the day, at most 1440".to_owned(),
        })
    };
    let hours = match (rule.from_minute, rule.until_minute) {
        (None, None) => None,
        (Some(from), Some(until)) => Some(DayHours {
            from_minute: minute("from_minute", from)?,
            until_minute: minute("until_minute", until)?,
        }),
        (Some(_), None) | (None, Some(_)) => {
            return Err(Refusal::Field {
                field: "until_minute",
                rule: "from_minute and until_minute go together".to_owned(),
            });
        }
    };
    let channels = rule
        .channels
        .iter()
        .map(|value| {
            channel(*value)?.ok_or_else(|| Refusal::Field {
                field: "channels",
                rule: "must be COUNTER, UNATTENDED, BATCH or KIOSK".to_owned(),
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(UseRule {
        id: rule.id,
        seals: rule.seals.into_iter().collect(),
        callers: rule.callers.into_iter().collect(),
        operations: rule.operations.into_iter().collect(),
        units: rule.units.into_iter().collect(),
        items: rule.items.into_iter().collect(),
        channels,
        hours,
        valid_from: rule.valid_from.map(|moment| moment.seconds),
        valid_until: rule.valid_until.map(|moment| moment.seconds),
        quota_per_day: rule.quota_per_day,
        approvals: u8::try_from(rule.approvals).unwrap_or(u8::MAX),
    })
}

fn wire_rule(rule: &UseRule) -> v1::UseRule {
    let moment = |seconds: Option<i64>| seconds.map(|at| timestamp(UnixSeconds(at)));
    v1::UseRule {
        id: rule.id.clone(),
        seals: rule.seals.iter().cloned().collect(),
        callers: rule.callers.iter().cloned().collect(),
        operations: rule.operations.iter().cloned().collect(),
        units: rule.units.iter().cloned().collect(),
        items: rule.items.iter().cloned().collect(),
        channels: rule
            .channels
            .iter()
            .map(|one| wire_channel(*one).into())
            .collect(),
        from_minute: rule.hours.map(|hours| u32::from(hours.from_minute)),
        until_minute: rule.hours.map(|hours| u32::from(hours.until_minute)),
        valid_from: moment(rule.valid_from),
        valid_until: moment(rule.valid_until),
        quota_per_day: rule.quota_per_day,
        approvals: u32::from(rule.approvals),
    }
}

fn wire_channel(channel: Channel) -> v1::UseChannel {
    match channel {
        Channel::Counter => v1::UseChannel::Counter,
        Channel::Unattended => v1::UseChannel::Unattended,
        Channel::Batch => v1::UseChannel::Batch,
        Channel::Kiosk => v1::UseChannel::Kiosk,
    }
}
