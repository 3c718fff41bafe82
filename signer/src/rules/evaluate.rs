//! Evaluating rules: which permit a use, and why none does.

use crate::record::Operation;

use super::{UseRule, Wanted};

/// Why a use is not permitted. In the order of checking: of several rules that do not permit it,
/// the one that came furthest is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Denied {
    /// The certificate is trusted, but no rule names its department.
    #[error("this client certificate belongs to no department that may call")]
    UnknownDepartment,
    /// The department may not do this at all.
    #[error("this department may not use this operation")]
    Operation,
    /// The department may not use this seal. Also said of seals that do not exist, so that
    /// nobody learns which ones do.
    #[error("this department may not use this seal")]
    Seal,
    /// Not this unit.
    #[error("this unit may not use this seal")]
    Unit,
    /// Not for this item or licence type.
    #[error("this seal may not be used for this item")]
    Item,
    /// Not by this channel.
    #[error("this seal may not be used by this channel")]
    Channel,
    /// The rule's time has not come, or is over.
    #[error("the rule that permits this is not in force now")]
    NotInForce,
    /// Outside the rule's hours.
    #[error("this seal may not be used at this hour (Beijing time)")]
    Hours,
    /// The day's uses are used up.
    #[error("the day's quota of this rule is used up; it begins anew at midnight, Beijing time")]
    Quota,
}

impl Denied {
    /// The stable reason.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnknownDepartment => "DEPARTMENT_UNKNOWN",
            Self::Operation => "OPERATION_NOT_PERMITTED",
            Self::Seal => "SEAL_NOT_PERMITTED",
            Self::Unit => "UNIT_NOT_PERMITTED",
            Self::Item => "ITEM_NOT_PERMITTED",
            Self::Channel => "CHANNEL_NOT_PERMITTED",
            Self::NotInForce => "RULE_NOT_IN_FORCE",
            Self::Hours => "OUTSIDE_HOURS",
            Self::Quota => "QUOTA_USED_UP",
        }
    }
}

/// What the rules say of a use, before quotas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The rules that permit it, those asking for the fewest approvals first; never empty.
    pub rules: Vec<&'a UseRule>,
}

/// What one rule says of a use: for a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// The rule.
    pub rule: &'a UseRule,
    /// Why it does not permit the use; none when it does.
    pub denied: Option<Denied>,
}

/// Which rules permit a use.
///
/// # Errors
/// [`Denied`] when none does: the reason of the rule that came furthest.
pub fn evaluate<'a>(
    rules: impl IntoIterator<Item = &'a UseRule>,
    wanted: &Wanted<'_>,
) -> Result<Decision<'a>, Denied> {
    let mut furthest = Denied::UnknownDepartment;
    let mut permitting = Vec::new();
    for rule in rules {
        match mismatch(rule, wanted) {
            None => permitting.push(rule),
            Some(denied) => furthest = furthest.max(denied),
        }
    }
    if permitting.is_empty() {
        return Err(furthest);
    }
    permitting.sort_by(|left, right| (left.approvals, &left.id).cmp(&(right.approvals, &right.id)));
    Ok(Decision { rules: permitting })
}

/// What every rule that names the department says of a use.
pub fn explain<'a>(
    rules: impl IntoIterator<Item = &'a UseRule>,
    wanted: &Wanted<'_>,
) -> Vec<Verdict<'a>> {
    rules
        .into_iter()
        .filter(|rule| rule.callers.contains(wanted.caller))
        .map(|rule| Verdict {
            rule,
            denied: mismatch(rule, wanted),
        })
        .collect()
}

fn mismatch(rule: &UseRule, wanted: &Wanted<'_>) -> Option<Denied> {
    let operation: Operation = wanted.operation;
    if !rule.callers.contains(wanted.caller) {
        return Some(Denied::UnknownDepartment);
    }
    if !rule.operations.contains(operation.name()) {
        return Some(Denied::Operation);
    }
    if !rule.seals.contains(wanted.seal) {
        return Some(Denied::Seal);
    }
    if !rule.units.is_empty() && !rule.units.contains(wanted.unit) {
        return Some(Denied::Unit);
    }
    if !rule.items.is_empty() && !wanted.items.iter().any(|item| rule.items.contains(*item)) {
        return Some(Denied::Item);
    }
    if !rule.channels.is_empty()
        && !wanted
            .channel
            .is_some_and(|channel| rule.channels.contains(&channel))
    {
        return Some(Denied::Channel);
    }
    let begun = rule.valid_from.is_none_or(|from| from <= wanted.at.0);
    let not_over = rule.valid_until.is_none_or(|until| wanted.at.0 <= until);
    if !(begun && not_over) {
        return Some(Denied::NotInForce);
    }
    if rule.hours.is_some_and(|hours| !hours.contain(wanted.at)) {
        return Some(Denied::Hours);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{Channel, DayHours};
    use super::*;
    use yinxin_pki::UnixSeconds;

    /// 2026-11-22T02:00:00Z, ten in the morning in Beijing.
    const TEN: UnixSeconds = UnixSeconds(1_795_312_800);

    fn rule(id: &str) -> UseRule {
        let set = |name: &str| [name.to_owned()].into();
        UseRule {
            id: id.to_owned(),
            seals: set("village"),
            callers: set("dept-data"),
            operations: set("issue-licence"),
            units: set("counter-3"),
            items: set("marital-proof"),
            channels: [Channel::Counter].into(),
            hours: Some(DayHours {
                from_minute: 9 * 60,
                until_minute: 17 * 60,
            }),
            valid_from: Some(TEN.0 - 86_400),
            valid_until: Some(TEN.0 + 86_400),
            quota_per_day: Some(15),
            approvals: 0,
        }
    }

    fn wanted<'a>() -> Wanted<'a> {
        Wanted {
            caller: "dept-data",
            operation: Operation::IssueLicence,
            seal: "village",
            unit: "counter-3",
            items: &["marital-proof", "442000-1"],
            channel: Some(Channel::Counter),
            at: TEN,
        }
    }

    #[test]
    fn everything_that_no_rule_permits_is_denied_with_its_own_reason() {
        let rules = [rule("r")];
        let cases: [(&str, Wanted<'_>, Option<Denied>); 11] = [
            ("as the rule says", wanted(), None),
            (
                "another department",
                Wanted {
                    caller: "dept-bank",
                    ..wanted()
                },
                Some(Denied::UnknownDepartment),
            ),
            (
                "another operation",
                Wanted {
                    operation: Operation::SealDocument,
                    ..wanted()
                },
                Some(Denied::Operation),
            ),
            (
                "another seal",
                Wanted {
                    seal: "other",
                    ..wanted()
                },
                Some(Denied::Seal),
            ),
            (
                "no unit",
                Wanted {
                    unit: "",
                    ..wanted()
                },
                Some(Denied::Unit),
            ),
            (
                "another item",
                Wanted {
                    items: &["other"],
                    ..wanted()
                },
                Some(Denied::Item),
            ),
            (
                "another channel",
                Wanted {
                    channel: Some(Channel::Kiosk),
                    ..wanted()
                },
                Some(Denied::Channel),
            ),
            (
                "no channel",
                Wanted {
                    channel: None,
                    ..wanted()
                },
                Some(Denied::Channel),
            ),
            (
                "two days later",
                Wanted {
                    at: UnixSeconds(TEN.0 + 2 * 86_400),
                    ..wanted()
                },
                Some(Denied::NotInForce),
            ),
            (
                "at 08:59:59",
                Wanted {
                    at: UnixSeconds(TEN.0 - 3_601),
                    ..wanted()
                },
                Some(Denied::Hours),
            ),
            (
                "at 17:00",
                Wanted {
                    at: UnixSeconds(TEN.0 + 7 * 3_600),
                    ..wanted()
                },
                Some(Denied::Hours),
            ),
        ];
        for (what, wanted, expected) in cases {
            assert_eq!(evaluate(&rules, &wanted).err(), expected, "{what}");
        }
        assert_eq!(
            evaluate(&[], &wanted()).err(),
            Some(Denied::UnknownDepartment),
            "no rules at all"
        );
    }

    #[test]
    fn a_moment_at_either_end_of_time_is_judged_like_any_other() {
        let all_day = UseRule {
            hours: Some(DayHours {
                from_minute: 0,
                until_minute: 1440,
            }),
            valid_from: None,
            valid_until: None,
            ..rule("r")
        };
        for at in [i64::MIN, i64::MAX].map(UnixSeconds) {
            assert!(
                evaluate([&all_day], &Wanted { at, ..wanted() }).is_ok(),
                "{at:?}"
            );
        }
    }

    #[test]
    fn of_several_rules_the_one_that_came_furthest_says_why() {
        let mut other = rule("other");
        other.seals = ["other".to_owned()].into();
        let rules = [other, rule("r")];
        let late = Wanted {
            at: UnixSeconds(TEN.0 + 8 * 3_600),
            ..wanted()
        };
        assert_eq!(evaluate(&rules, &late).err(), Some(Denied::Hours));
        let reasons: Vec<_> = explain(&rules, &late)
            .iter()
            .map(|verdict| (verdict.rule.id.clone(), verdict.denied))
            .collect();
        assert_eq!(
            reasons,
            [
                ("other".to_owned(), Some(Denied::Seal)),
                ("r".to_owned(), Some(Denied::Hours)),
            ]
        );
    }

    #[test]
    fn the_rule_asking_for_the_fewest_approvals_comes_first() {
        let mut two = rule("a-two");
        two.approvals = 2;
        let rules = [two, rule("b-none")];
        let decision = evaluate(&rules, &wanted()).unwrap();
        let order: Vec<_> = decision.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(order, ["b-none", "a-two"]);
    }

    #[test]
    fn a_rule_that_would_permit_nothing_or_everything_is_refused_by_its_field() {
        type Spoil = fn(&mut UseRule);
        let cases: [(&str, Spoil); 8] = [
            ("id", |rule| rule.id = "a b".to_owned()),
            ("seals", |rule| rule.seals.clear()),
            ("callers", |rule| rule.callers.clear()),
            ("operations", |rule| {
                rule.operations = ["open".to_owned()].into()
            }),
            ("hours", |rule| {
                rule.hours = Some(DayHours {
                    from_minute: 600,
                    until_minute: 600,
                });
            }),
            ("valid_until", |rule| rule.valid_until = Some(0)),
            ("quota_per_day", |rule| rule.quota_per_day = Some(0)),
            ("approvals", |rule| rule.approvals = 3),
        ];
        assert_eq!(rule("good").check(), Ok(()));
        for (field, change) in cases {
            let mut bad = rule("bad");
            change(&mut bad);
            assert_eq!(bad.check().unwrap_err().field, field);
        }
    }
}
