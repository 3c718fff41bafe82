//! A use of a seal on its way: permitted by rules, entered in the log before its first intent.

use std::sync::{Arc, PoisonError, RwLock};

use yinxin_edge::{ConfigError, value_error};
use yinxin_pki::UnixSeconds;
use yinxin_proto::v1;
use yinxin_signer::approval::Claimed;
use yinxin_signer::error::SealError;
use yinxin_signer::profile::SealProfile;
use yinxin_signer::record::{Operation, RequestKey};
use yinxin_signer::registry::SealState;
use yinxin_signer::rules::{Channel, Denied, UseRule, Wanted, evaluate};
use yinxin_signer::usage::{PermittingRule, UseClaim, UseFacts};

use crate::config::Config;
use crate::fields;
use crate::seals::{Entry, HeldSeal, SealBook};
use crate::service::Service;
use crate::status::Refusal;

/// What the names of the configuration's rules begin with.
pub(crate) const CONFIGURATION_PREFIX: &str = "configuration:";

/// The most approvals one request brings.
const APPROVALS_MAX: usize = 16;

/// The most copies one use gives out.
const COPIES_MAX: u32 = 1000;

/// The use rules: those of the configuration, and those set since.
#[derive(Debug)]
pub(crate) struct RuleBook {
    configured: Vec<UseRule>,
    /// All of them, shared by the calls that are being looked at.
    in_force: RwLock<Arc<Vec<UseRule>>>,
}

impl RuleBook {
    pub(crate) fn new(configured: Vec<UseRule>, set: Vec<UseRule>) -> Self {
        let book = Self {
            configured,
            in_force: RwLock::default(),
        };
        book.replace(set);
        book
    }

    /// All rules in force.
    pub(crate) fn all(&self) -> Arc<Vec<UseRule>> {
        let in_force = self.in_force.read();
        Arc::clone(&in_force.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what the record has now.
    pub(crate) fn replace(&self, set: Vec<UseRule>) {
        let all = self.configured.iter().cloned().chain(set).collect();
        let mut in_force = self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *in_force = Arc::new(all);
    }
}

/// Each department's grants, as one rule.
pub(crate) fn configured_rules(
    config: &Config,
    seals: &SealBook,
) -> Result<Vec<UseRule>, ConfigError> {
    let mut rules: Vec<UseRule> = Vec::new();
    for (index, department) in config.departments.iter().enumerate() {
        let wrong =
            |field: &str, rule: String| value_error(format!("department[{index}].{field}"), rule);
        if let Some(unknown) = department.seals.iter().find(|seal| !seals.contains(seal)) {
            return Err(wrong("seals", format!("there is no seal {unknown}")));
        }
        if let Some(unknown) = department
            .operations
            .iter()
            .find(|name| Operation::from_name(name).is_none())
        {
            return Err(wrong(
                "operations",
                format!("there is no operation {unknown}"),
            ));
        }
        let id = format!("{CONFIGURATION_PREFIX}{}", department.name);
        if rules.iter().any(|rule| rule.id == id) {
            return Err(wrong("name", format!("{} is given twice", department.name)));
        }
        rules.push(UseRule {
            id,
            seals: department.seals.clone(),
            callers: [department.name.clone()].into(),
            operations: department.operations.clone(),
            units: [].into(),
            items: [].into(),
            channels: [].into(),
            hours: None,
            valid_from: None,
            valid_until: None,
            quota_per_day: None,
            approvals: 0,
        });
    }
    Ok(rules)
}

/// What a call wants to do with a seal, as it says so itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) department: &'a str,
    pub(crate) operation: Operation,
    pub(crate) seal_id: &'a str,
    /// For issuing.
    pub(crate) licence_type: &'a str,
    pub(crate) operator: Option<&'a v1::Operator>,
    pub(crate) case_number: &'a str,
    pub(crate) usage: Option<&'a v1::UseContext>,
}

/// A use that rules permit, as far as that can be said before its request is open.
#[derive(Clone, Debug)]
pub(crate) struct Permit {
    pub(crate) held: Arc<HeldSeal>,
    /// The rules; or why they do not permit it at this hour, which does not keep an earlier answer
    /// from being given again.
    rules: Result<Vec<PermittingRule>, Denied>,
    facts: UseFacts,
    approval_ids: Vec<String>,
    copies: u32,
}

impl Permit {
    /// How many approvals the use needs by the rule that asks for the fewest.
    pub(crate) fn approvals(&self) -> Result<u8, Denied> {
        let rules = self.rules.as_ref().map_err(|denied| *denied)?;
        Ok(rules.first().map_or(0, |rule| rule.approvals))
    }
}

/// What an approval binds, beside department and seal.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) operation: Operation,
    pub(crate) document_sha256: [u8; 32],
    pub(crate) place_sha256: [u8; 32],
    /// For a reader.
    pub(crate) place: String,
}

impl Service {
    /// The rules' permission for a use, and the seal.
    pub(crate) fn authorise(&self, wish: &Wish<'_>) -> Result<Permit, Refusal> {
        let usage = wish.usage.cloned().unwrap_or_default();
        let channel = check(&usage)?;
        let at = self.clock.now();
        let rules = match self.permitting(wish, &usage, channel, at) {
            Err(denied) if denied < Denied::NotInForce => return Err(denied.into()),
            later => later,
        };
        let item = if usage.item_code.is_empty() {
            wish.licence_type
        } else {
            &usage.item_code
        };
        Ok(Permit {
            held: self.held(wish.seal_id)?,
            rules,
            facts: UseFacts {
                operator: wish
                    .operator
                    .map(|operator| operator.account.clone())
                    .unwrap_or_default(),
                unit: usage.unit,
                channel: channel.map_or("", Channel::name).to_owned(),
                terminal: usage.terminal,
                item: item.to_owned(),
                case_number: wish.case_number.to_owned(),
                ..UseFacts::default()
            },
            approval_ids: usage.approval_ids,
            copies: usage.copies.max(1),
        })
    }

    /// Whether some rule lets a department use a seal so at all, whatever unit, item and hour.
    pub(crate) fn may_describe(
        &self,
        department: &str,
        operation: Operation,
        seal_id: &str,
    ) -> Result<Arc<HeldSeal>, Refusal> {
        let rules: Vec<UseRule> = self
            .rules
            .all()
            .iter()
            .cloned()
            .map(|rule| UseRule {
                units: [].into(),
                items: [].into(),
                channels: [].into(),
                hours: None,
                valid_from: None,
                valid_until: None,
                ..rule
            })
            .collect();
        let wanted = Wanted {
            caller: department,
            operation,
            seal: seal_id,
            unit: "",
            items: &[],
            channel: None,
            at: self.clock.now(),
        };
        evaluate(&rules, &wanted)?;
        self.held(seal_id)
    }

    fn permitting(
        &self,
        wish: &Wish<'_>,
        usage: &v1::UseContext,
        channel: Option<Channel>,
        at: UnixSeconds,
    ) -> Result<Vec<PermittingRule>, Denied> {
        let items: Vec<&str> = [wish.licence_type, usage.item_code.as_str()]
            .into_iter()
            .filter(|item| !item.is_empty())
            .collect();
        let wanted = Wanted {
            caller: wish.department,
            operation: wish.operation,
            seal: wish.seal_id,
            unit: &usage.unit,
            items: &items,
            channel,
            at,
        };
        let rules = self.rules.all();
        let decision = evaluate(rules.iter(), &wanted)?;
        Ok(decision
            .rules
            .into_iter()
            .map(|rule| PermittingRule {
                id: rule.id.clone(),
                quota_per_day: rule.quota_per_day,
                approvals: rule.approvals,
            })
            .collect())
    }

    /// A permitted seal that has, or had, a version in use.
    fn held(&self, seal_id: &str) -> Result<Arc<HeldSeal>, Refusal> {
        match self.seals.get(seal_id) {
            Some(Entry::Held(held)) => Ok(held),
            Some(Entry::Idle(record)) => Err(match record.active_version() {
                Some(_) => Refusal::SealNotLoaded {
                    seal: seal_id.to_owned(),
                },
                None => Refusal::SealState {
                    seal: seal_id.to_owned(),
                    state: record.state(),
                },
            }),
            // A rule may name a seal before there is one.
            None => Err(Denied::Seal.into()),
        }
    }

    /// What the request's use will be entered with. Refuses a seal that is not in force now.
    pub(crate) fn claim(
        &self,
        permit: &Permit,
        key: &RequestKey,
        profile: SealProfile,
        subject: &Subject,
    ) -> Result<UseClaim, Refusal> {
        let now = self.clock.now();
        let rules = permit.rules.clone()?;
        let (seal, record) = (&permit.held.seal, &permit.held.record);
        let state = record
            .status_at(now)
            .map_or(SealState::Applied, |status| status.state);
        if state != SealState::Active {
            return Err(Refusal::SealState {
                seal: seal.id.clone(),
                state,
            });
        }
        let serials = profile
            .signatures()
            .iter()
            .map(|signature| Ok(seal.identity(*signature)?.certificate.serial_hex()))
            .collect::<Result<Vec<_>, Refusal>>()?;
        Ok(UseClaim {
            key: key.clone(),
            seal_version: permit.held.version,
            seal_sequence: record.sequence(),
            rules,
            approval_ids: permit.approval_ids.clone(),
            claimed: Claimed {
                caller: key.caller.clone(),
                operation: subject.operation.name().to_owned(),
                seal: seal.id.clone(),
                document_sha256: subject.document_sha256,
                place_sha256: subject.place_sha256,
                copies: permit.copies,
            },
            facts: UseFacts {
                place: subject.place.clone(),
                certificate_serials: serials.join(","),
                ..permit.facts.clone()
            },
            at: now,
        })
    }

    /// Brings claims up to date that were made before the configuration gave a seal its next keys:
    /// what was begun under the old ones ends on them, and says so by its version. False when
    /// anything else has happened to a seal, or nothing.
    pub(crate) fn ends_on_predecessors(&self, claims: &mut [UseClaim]) -> bool {
        let mut succeeded = false;
        for claim in claims {
            let Some(entry) = self.seals.get(&claim.claimed.seal) else {
                return false;
            };
            let record = match &entry {
                Entry::Held(held) => &held.record,
                Entry::Idle(record) => record,
            };
            if !record.only_succeeded_since(claim.seal_sequence) {
                return false;
            }
            succeeded |= claim.seal_sequence != record.sequence();
            claim.seal_sequence = record.sequence();
        }
        succeeded
    }

    /// Takes the registry's state in, after a change that this service has not seen.
    pub(crate) async fn read_seals_again(&self) -> Result<(), Refusal> {
        for record in self.record.seals().await? {
            let code = record.application().code.clone();
            if let Err(error) = self.seals.put(record, &self.keys.router) {
                tracing::error!(seal = %code, %error, "a seal of the registry cannot be used");
            }
        }
        Ok(())
    }
}

/// The channel of its number on the wire.
pub(crate) fn channel(value: i32) -> Result<Option<Channel>, Refusal> {
    match v1::UseChannel::try_from(value) {
        Ok(v1::UseChannel::Unspecified) => Ok(None),
        Ok(v1::UseChannel::Counter) => Ok(Some(Channel::Counter)),
        Ok(v1::UseChannel::Unattended) => Ok(Some(Channel::Unattended)),
        Ok(v1::UseChannel::Batch) => Ok(Some(Channel::Batch)),
        Ok(v1::UseChannel::Kiosk) => Ok(Some(Channel::Kiosk)),
        Err(_) => Err(Refusal::Field {
            field: "usage.channel",
            rule: "must be COUNTER, UNATTENDED, BATCH or KIOSK".to_owned(),
        }),
    }
}

fn check(usage: &v1::UseContext) -> Result<Option<Channel>, Refusal> {
    fields::text("usage.unit", &usage.unit, 0, 64)?;
    fields::text("usage.item_code", &usage.item_code, 0, 64)?;
    fields::text("usage.terminal", &usage.terminal, 0, 64)?;
    if usage.approval_ids.len() > APPROVALS_MAX {
        return Err(Refusal::Limit {
            limit: "usage.approval_ids",
            value: usage.approval_ids.len() as u64,
            max: APPROVALS_MAX as u64,
        });
    }
    if usage.copies > COPIES_MAX {
        return Err(Refusal::Limit {
            limit: "usage.copies",
            value: u64::from(usage.copies),
            max: u64::from(COPIES_MAX),
        });
    }
    channel(usage.channel)
}

/// What is bound of the use of one seal on a document: everything of the header but who asks and
/// under which name. The place is told for this seal alone.
pub(crate) fn document_subject(
    header: &v1::SealDocumentHeader,
    document_sha256: [u8; 32],
    seal_id: &str,
) -> Subject {
    let bound = v1::SealDocumentHeader {
        request_id: String::new(),
        // A single seal is bound by itself; of several, each use binds all.
        seal_id: if header.further_seals.is_empty() {
            String::new()
        } else {
            header.seal_id.clone()
        },
        case_number: String::new(),
        operator: None,
        document_bytes: 0,
        usage: None,
        ..header.clone()
    };
    let further = header
        .further_seals
        .iter()
        .map(|one| (&one.seal_id, &one.placement));
    let places: Vec<String> = std::iter::once((&header.seal_id, &header.placement))
        .chain(further)
        .filter(|(id, _)| *id == seal_id)
        .map(|(_, placement)| format!("{placement:?}"))
        .collect();
    Subject {
        operation: Operation::SealDocument,
        document_sha256,
        place_sha256: crate::body::of_message(&bound, None),
        place: one_line(&places.join("; ")),
    }
}

/// What is bound of a digest's sealing.
pub(crate) fn digest_subject(request: &v1::SealDigestRequest) -> Result<Subject, Refusal> {
    let document_sha256 =
        request
            .digest
            .as_slice()
            .try_into()
            .map_err(|_| SealError::DigestLength {
                bytes: request.digest.len(),
                algorithm: "SHA-256 or SM3",
            })?;
    let bound = v1::SealDigestRequest {
        request_id: String::new(),
        seal_id: String::new(),
        digest: Vec::new(),
        case_number: String::new(),
        operator: None,
        usage: None,
        ..request.clone()
    };
    Ok(Subject {
        operation: Operation::SealDigest,
        document_sha256,
        place_sha256: crate::body::of_message(&bound, None),
        place: one_line(&format!(
            "field {} of {}",
            request.field_name, request.document_name
        )),
    })
}

/// What is bound of an issue: the form, from which the document is made, and the rest.
pub(crate) fn licence_subject(request: &v1::IssueLicenceRequest) -> Subject {
    let bound = v1::IssueLicenceRequest {
        request_id: String::new(),
        seal_id: String::new(),
        fields_json: String::new(),
        case_number: String::new(),
        operator: None,
        usage: None,
        ..request.clone()
    };
    Subject {
        operation: Operation::IssueLicence,
        document_sha256: crate::body::body_sha256(&[request.fields_json.as_bytes()]),
        place_sha256: crate::body::of_message(&bound, None),
        place: one_line(&format!("licence {}", request.licence_type)),
    }
}

/// For a line of text: no control characters, not too long.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|one| if one.is_control() { ' ' } else { one })
        .take(500)
        .collect()
}
