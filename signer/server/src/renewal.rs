//! Seals renewed by rule: when a key is succeeded by another, every seal of the registry that is
//! bound to it gets a new version with the new one, at a moment.
//!
//! A `[[renewal]]` of the configuration is the rule; whoever writes the configuration holds the
//! keys. The events of the new version carry the rule's name as their author, and each step is an
//! event of its own, so that a start that was cut off goes on where it stood. Seals of the
//! configuration have `[seal.next]` instead.

use std::sync::Arc;

use serde::Deserialize;
use yinxin_edge::{ConfigError, value_error};
use yinxin_pki::UnixSeconds;
use yinxin_signer::registry::{
    Actor, CONFIGURATION, Change, Filing, KeyBinding, RULE_PREFIX, RegistryError, SealRecord,
    SealState, Stage, Terms,
};

use crate::config::{Config, IdentityConfig};
use crate::keys::Keys;
use crate::seals::binding;
use crate::service::{Service, StartError};
use crate::status::Refusal;

/// A key that is succeeded by another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewalConfig {
    /// The rule's name: 1 to 48 of a-z, 0-9 and `-`.
    pub name: String,
    /// The moment, RFC 3339, for example `2027-01-01T00:00:00+08:00`.
    pub from: String,
    /// The key that seals are bound to until then.
    pub succeeds: String,
    /// The key and certificates that they are bound to afterwards.
    pub by: IdentityConfig,
    /// The last moment of the new versions' validity, RFC 3339; absent: the new certificate's.
    pub valid_until: Option<String>,
    /// Number and authority of the new versions' filing; absent: those of the version before.
    pub filing: Option<FilingConfig>,
}

/// Where the new versions are filed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilingConfig {
    /// The number (备案号).
    pub number: String,
    /// With whom.
    pub authority: String,
}

/// A rule, read and checked.
#[derive(Debug)]
pub(crate) struct Renewal {
    /// As the events name it.
    author: String,
    pub(crate) from: UnixSeconds,
    succeeds: String,
    by: KeyBinding,
    valid_until: UnixSeconds,
    filing: Option<Filing>,
}

impl Renewal {
    /// All rules of a configuration. The new keys are tried against their certificates now, so that
    /// the change does not fail when its moment is there.
    ///
    /// # Errors
    /// [`ConfigError::Value`] with the field; a key or certificate that does not fit.
    pub(crate) fn read_all(config: &Config, keys: &Keys) -> Result<Vec<Self>, StartError> {
        let mut rules: Vec<Self> = Vec::new();
        for (index, one) in config.renewals.iter().enumerate() {
            let wrong = |field: &str, rule: &str| -> StartError {
                value_error(format!("renewal[{index}].{field}"), rule).into()
            };
            let moment = |field: &str, text: &str| {
                UnixSeconds::parse_rfc3339(text)
                    .ok_or_else(|| wrong(field, "must be a moment like 2027-01-01T00:00:00+08:00"))
            };
            let good_name = (1..=48).contains(&one.name.len())
                && one
                    .name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !good_name {
                return Err(wrong("name", "must be 1 to 48 of a-z, 0-9 and -"));
            }
            if one.by.key == one.succeeds {
                return Err(wrong("by.key", "must be another key than succeeds"));
            }
            let author = format!("{RULE_PREFIX}{}", one.name);
            let taken = |known: &Self| known.author == author || known.succeeds == one.succeeds;
            if rules.iter().any(taken) {
                return Err(wrong(
                    "succeeds",
                    "each name and each key must be given once",
                ));
            }
            let by = binding(&one.by)?;
            let identity = by.identity().map_err(|error| ConfigError::Content {
                path: one.by.certificates.clone(),
                message: error.to_string(),
            })?;
            identity.check(&keys.router)?;
            let from = moment("from", &one.from)?;
            let certificate_end = identity.certificate.not_after();
            let valid_until = match &one.valid_until {
                Some(text) => moment("valid_until", text)?,
                None => certificate_end,
            };
            if valid_until <= from || valid_until > certificate_end {
                return Err(wrong(
                    "valid_until",
                    "must be after from, and not after the new certificate's end",
                ));
            }
            let filing = one.filing.as_ref().map(|filing| Filing {
                number: filing.number.clone(),
                authority: filing.authority.clone(),
            });
            if let Some(filing) = &filing {
                filing
                    .check()
                    .map_err(|error| wrong("filing", &error.to_string()))?;
            }
            rules.push(Self {
                author,
                from,
                succeeds: one.succeeds.clone(),
                by,
                valid_until,
                filing,
            });
        }
        Ok(rules)
    }

    /// What a seal's new version is made from; none unless the seal is in force and bound to the
    /// key that is succeeded.
    fn terms(&self, record: &SealRecord) -> Option<Terms> {
        if record.state() != SealState::Active || record.stage().is_some() {
            return None;
        }
        let mut terms = record.active_version()?.terms.clone();
        let mut changed = false;
        for side in [&mut terms.gm, &mut terms.pades].into_iter().flatten() {
            if side.key == self.succeeds {
                *side = self.by.clone();
                changed = true;
            }
        }
        terms.valid_from = self.from.0.min(self.valid_until.0 - 1);
        terms.valid_until = self.valid_until.0;
        changed.then_some(terms)
    }

    /// The next step of a seal's renewal under this rule; none if there is nothing to do.
    async fn step(
        &self,
        service: &Arc<Service>,
        record: &SealRecord,
    ) -> Result<Option<Change>, Refusal> {
        if let Some(terms) = self.terms(record) {
            return Ok(Some(Change::RenewalApplied {
                terms: Box::new(terms),
                reason: format!("{} succeeds {}", self.by.key, self.succeeds),
            }));
        }
        if record.applied_by() != Some(self.author.as_str()) {
            return Ok(None);
        }
        Ok(match record.stage() {
            None => None,
            Some(Stage::Applied) => Some(Change::Approved),
            Some(Stage::Approved) => Some(Change::Made {
                material: Box::new(service.make(record).await?),
            }),
            Some(Stage::Made) => Some(Change::Filed {
                filing: self.filing_of(record),
            }),
            // A suspended seal waits until it is resumed.
            Some(Stage::Filed) if record.state() == SealState::Suspended => None,
            Some(Stage::Filed) => {
                service.check_loads(record)?;
                Some(Change::Activated)
            }
        })
    }

    fn filing_of(&self, record: &SealRecord) -> Filing {
        let before = || record.active_version()?.filing.clone();
        let unknown = || Filing {
            number: CONFIGURATION.to_owned(),
            authority: CONFIGURATION.to_owned(),
        };
        (self.filing.clone())
            .or_else(before)
            .unwrap_or_else(unknown)
    }
}

impl Service {
    /// Renews what the rules say is due. A seal that cannot be renewed stays as it is and is tried
    /// again the next time; the log says why.
    pub(crate) async fn renew_by_rule(self: &Arc<Self>) {
        let now = self.clock.now();
        for rule in self.renewals.iter().filter(|rule| rule.from <= now) {
            for entry in self.seals.all() {
                let code = entry.record().application().code.clone();
                // Those of the configuration go over by [seal.next].
                if self.configured.contains(&code) {
                    continue;
                }
                if let Err(refusal) = self.renew(rule, entry.record().clone()).await {
                    tracing::error!(
                        seal = %code, rule = %rule.author, error = %refusal, reason = refusal.reason(),
                        "a seal cannot be renewed by its rule; it stays as it is"
                    );
                }
            }
        }
    }

    async fn renew(
        self: &Arc<Self>,
        rule: &Renewal,
        mut record: SealRecord,
    ) -> Result<(), Refusal> {
        while let Some(change) = rule.step(self, &record).await? {
            let code = record.application().code.clone();
            let change_name = change.name();
            let done = self
                .record
                .change_seal(
                    &code,
                    Some(record.sequence()),
                    change,
                    &Actor::Rule(&rule.author),
                    self.duties,
                    self.clock.now(),
                )
                .await;
            record = match done {
                Ok(record) => record,
                // Somebody else was at it: the next time will see.
                Err(yinxin_store::ChangeError::Registry(RegistryError::ChangedMeanwhile {
                    ..
                })) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            tracing::info!(seal = %code, rule = %rule.author, change = change_name, "seal changed");
            if let Err(error) = self.seals.put(record.clone(), &self.keys.router) {
                tracing::error!(seal = %code, %error, "a seal of the registry cannot be used");
            }
        }
        Ok(())
    }
}
