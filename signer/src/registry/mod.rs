//! The registry of seals (印章): applied for, approved, made, filed, used, suspended, lost, renewed,
//! cancelled; every change a dated event with its author.
//!
//! The events are the truth: a seal's state now, or at any past moment, is what they add up to
//! ([`SealRecord::from_events`], [`SealRecord::status_at`]). Nothing is overwritten; a renewal makes
//! a new version under the same code, and the old version's signatures stay what they were.
//!
//! ```text
//! APPLIED → APPROVED → MADE → FILED → ACTIVE ⇄ SUSPENDED
//!    └→ REJECTED                        ├→ LOST ─ renewal with other keys → ACTIVE
//!                                       └→ CANCELLED, REVOKED, WITHDRAWN: for ever
//! ```
//!
//! A renewal goes the same way (applied, approved, made, filed, activated) while the version before
//! it stays in use.

mod application;
mod duty;
mod error;
mod event;
mod filing;
mod making;
mod record;
mod status;

#[cfg(test)]
mod tests;

pub use application::{Application, CertListKind, Face, FaceError, KeyBinding, SealLayout, Terms};
pub use duty::{Actor, CONFIGURATION, Duties, Person, RULE_PREFIX, Role, check_duty};
pub use error::RegistryError;
pub use event::{Change, Material, SealEvent};
pub use filing::{Filing, FilingOutcome, FilingRecord};
pub use making::{Draft, made_material, material_of};
pub use record::{HistoryEntry, SealRecord, Stage, Version};
pub use status::{
    RevocationEntry, RevocationKind, SealState, SealStatus, Signer, Standing, revocations,
};
