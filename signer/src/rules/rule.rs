//! One rule, and what it is held against.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use yinxin_pki::UnixSeconds;

use crate::licence::CivilDate;
use crate::record::Operation;

/// China has one time, eight hours ahead of UTC.
const BEIJING_SECONDS: i64 = 8 * 3600;
const DAY_MINUTES: u16 = 24 * 60;

/// Where a use comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A person at a counter (窗口).
    Counter,
    /// A system that decides by itself (无人工干预审批).
    Unattended,
    /// Many documents in one go (批量).
    Batch,
    /// A self-service machine (自助机).
    Kiosk,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 4] = [Self::Counter, Self::Unattended, Self::Batch, Self::Kiosk];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Unattended => "unattended",
            Self::Batch => "batch",
            Self::Kiosk => "kiosk",
        }
    }

    /// The channel of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// Hours of each day, in Beijing time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayHours {
    /// The first minute of the day, from 0.
    pub from_minute: u16,
    /// The minute at which it is over, at most 1440 and after the first.
    pub until_minute: u16,
}

/// One permission. An empty set of units, items or channels stands for any; callers, seals and
/// operations are always named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseRule {
    /// Its name, 1 to 64 of letters, digits and `-`, `_`, `.`, `:`.
    pub id: String,
    /// The seals, by code.
    pub seals: BTreeSet<String>,
    /// The departments, by the common name of their client certificate.
    pub callers: BTreeSet<String>,
    /// What they may do, by the names of [`Operation`].
    pub operations: BTreeSet<String>,
    /// The units within a department, as the request names them.
    #[serde(default)]
    pub units: BTreeSet<String>,
    /// Licence types or item codes.
    #[serde(default)]
    pub items: BTreeSet<String>,
    /// The channels.
    #[serde(default)]
    pub channels: BTreeSet<Channel>,
    /// The hours of the day.
    #[serde(default)]
    pub hours: Option<DayHours>,
    /// The first second at which the rule holds, since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub valid_from: Option<i64>,
    /// The last such second.
    #[serde(default)]
    pub valid_until: Option<i64>,
    /// How many uses a day (Beijing time) the rule permits, over all its seals and callers.
    #[serde(default)]
    pub quota_per_day: Option<u32>,
    /// How many people must approve each use: 0, 1 or 2.
    #[serde(default)]
    pub approvals: u8,
}

/// Why a rule is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct RuleError {
    /// Which field.
    pub field: &'static str,
    /// What it must be.
    pub rule: String,
}

/// One change of one rule, as the record keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    /// In the order in which they happened.
    pub number: i64,
    /// The rule's name.
    pub id: String,
    /// When.
    pub at: UnixSeconds,
    /// Who.
    pub actor: String,
    /// The rule as it was set; none when it was withdrawn.
    pub rule: Option<UseRule>,
}

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The department.
    pub caller: &'a str,
    /// What.
    pub operation: Operation,
    /// With which seal.
    pub seal: &'a str,
    /// The unit, as the request names it; empty when it names none.
    pub unit: &'a str,
    /// Licence type and item code, as far as there are.
    pub items: &'a [&'a str],
    /// The channel, when the request names it.
    pub channel: Option<Channel>,
    /// When.
    pub at: UnixSeconds,
}

impl UseRule {
    /// Checks the rule itself.
    ///
    /// # Errors
    /// [`RuleError`] names the first field that breaks its rule.
    pub fn check(&self) -> Result<(), RuleError> {
        let refuse = |field: &'static str, rule: &str| {
            Err(RuleError {
                field,
                rule: rule.to_owned(),
            })
        };
        let good_id = (1..=64).contains(&self.id.len())
            && self
                .id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
        if !good_id {
            return refuse("id", "must be 1 to 64 of letters, digits and - _ . :");
        }
        for (field, set) in [
            ("seals", &self.seals),
            ("callers", &self.callers),
            ("operations", &self.operations),
        ] {
            if set.is_empty() {
                return refuse(field, "must name at least one");
            }
        }
        if self
            .operations
            .iter()
            .any(|name| Operation::from_name(name).is_none())
        {
            return refuse(
                "operations",
                "must be of issue-licence, seal-document and seal-digest",
            );
        }
        if let Some(hours) = self.hours
            && !(hours.from_minute < hours.until_minute && hours.until_minute <= DAY_MINUTES)
        {
            return refuse("hours", "must begin before they end, within one day");
        }
        if let (Some(from), Some(until)) = (self.valid_from, self.valid_until)
            && from > until
        {
            return refuse("valid_until", "must not be before valid_from");
        }
        if self.quota_per_day == Some(0) {
            return refuse(
                "quota_per_day",
                "must be at least 1; withdraw the rule instead",
            );
        }
        if self.approvals > 2 {
            return refuse("approvals", "must be 0, 1 or 2");
        }
        Ok(())
    }
}

impl DayHours {
    pub(super) fn contain(self, at: UnixSeconds) -> bool {
        let second = at.0.saturating_add(BEIJING_SECONDS).rem_euclid(86_400);
        let minute = second / 60;
        (i64::from(self.from_minute)..i64::from(self.until_minute)).contains(&minute)
    }
}

/// The day in Beijing, such as `2026-11-22`: what quotas and the use log count by.
#[must_use]
pub fn beijing_day(at: UnixSeconds) -> String {
    // Outside the calendar there is no day to count by; all such moments share one.
    CivilDate::in_china(at.0).map_or_else(|| "unknown".to_owned(), |date| date.to_string())
}
