//! Who may use which seal for what: rules, deny by default.
//!
//! A rule permits what fits all of its parts; several rules are several permissions. The evaluation
//! here is pure; the count behind a quota is the record's, which checks it again in the very
//! transaction that enters a use.

mod evaluate;
mod rule;

pub use evaluate::{Decision, Denied, Verdict, evaluate, explain};
pub use rule::{Channel, DayHours, RuleChange, RuleError, UseRule, Wanted, beijing_day};
