//! Why a change of a seal is refused.

use super::SealState;
use super::duty::Role;

/// Why a change of a seal is refused. All but [`RegistryError::Damaged`] are the caller's move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The registry has no seal of this code.
    #[error("there is no seal {code}")]
    NoSuchSeal {
        /// The code asked for.
        code: String,
    },
    /// The registry has a seal of this code.
    #[error("there is a seal {code} already; a seal's code is never given twice")]
    CodeTaken {
        /// The code.
        code: String,
    },
    /// The change does not follow on the seal's state.
    #[error("a seal that is {state} cannot be {change}")]
    WrongState {
        /// What the seal is.
        state: &'static str,
        /// What was asked.
        change: &'static str,
    },
    /// Somebody changed the seal in between.
    #[error("the seal {code} has changed since you looked; look again")]
    ChangedMeanwhile {
        /// The seal.
        code: String,
    },
    /// The person has not the role for it.
    #[error("{person} must have the role {role} for this", role = role.name())]
    RoleMissing {
        /// Who asked.
        person: String,
        /// What is needed.
        role: Role,
    },
    /// One person in two parts that must be two people's.
    #[error("{rule}")]
    SamePerson {
        /// The rule, with its source.
        rule: &'static str,
    },
    /// A field breaks its rule.
    #[error("{field}: {rule}")]
    Field {
        /// Which field.
        field: &'static str,
        /// The rule.
        rule: String,
    },
    /// The new version of a lost seal keeps a key that was lost.
    #[error("the seal was reported lost: its new version needs other keys and certificates")]
    LostKeyKept,
    /// What is stored breaks the rules it was stored under.
    #[error("the stored events of seal {code} do not follow on each other: {why}")]
    Damaged {
        /// The seal.
        code: String,
        /// What is wrong.
        why: String,
    },
}

impl RegistryError {
    /// The stable reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoSuchSeal { .. } => "SEAL_UNKNOWN",
            Self::CodeTaken { .. } => "SEAL_CODE_TAKEN",
            Self::WrongState { .. } => "SEAL_STATE",
            Self::ChangedMeanwhile { .. } => "SEAL_CHANGED",
            Self::RoleMissing { .. } => "ROLE_MISSING",
            Self::SamePerson { .. } => "DUTIES_NOT_SEPARATE",
            Self::Field { .. } => "FIELD_INVALID",
            Self::LostKeyKept => "SEAL_LOST_KEY_KEPT",
            Self::Damaged { .. } => "REGISTRY_DAMAGED",
        }
    }

    pub(super) fn wrong_state(state: SealState, change: &'static str) -> Self {
        Self::WrongState {
            state: state.name(),
            change,
        }
    }
}
