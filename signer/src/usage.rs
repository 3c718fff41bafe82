//! The use log (用印登记): one line for each use of a seal, entered before its first intent.
//!
//! A use that was entered counts on its rule's quota, whatever came of it: an intent that a crash
//! left without outcome may have used the key.

use yinxin_pki::UnixSeconds;

use crate::approval::{ApprovalRefused, Claimed};
use crate::record::{RecordError, RequestKey};
use crate::rules::Denied;

/// What a use is entered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseClaim {
    /// The request it happens under; it must be open.
    pub key: RequestKey,
    /// The version of the seal that will be applied.
    pub seal_version: u32,
    /// The seal's last event as the signer knows it: if the record has a later one, the seal is
    /// not used before the signer knows it, too.
    pub seal_sequence: u32,
    /// The rules that permit it, in order: the first with room in its quota is taken.
    pub rules: Vec<PermittingRule>,
    /// Which approvals the request brings.
    pub approval_ids: Vec<String>,
    /// What an approval must cover; caller, operation, seal, document and place.
    pub claimed: Claimed,
    /// The facts for the log.
    pub facts: UseFacts,
    /// Now.
    pub at: UnixSeconds,
}

impl UseClaim {
    /// Adds the certificates with which the same seal signs at another place of the request.
    pub fn add_certificates(&mut self, other: &Self) {
        for serial in other.facts.certificate_serials.split(',') {
            let known = &mut self.facts.certificate_serials;
            if !known.split(',').any(|one| one == serial) {
                known.push(',');
                known.push_str(serial);
            }
        }
    }
}

/// A rule that permits a use, as far as its count is the record's to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermittingRule {
    /// Its id.
    pub id: String,
    /// Uses a day.
    pub quota_per_day: Option<u32>,
    /// Approvals it asks for.
    pub approvals: u8,
}

/// What the log says of a use, beside who and what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UseFacts {
    /// The operator at the department.
    pub operator: String,
    /// The unit within the department.
    pub unit: String,
    /// The channel's name; empty when not given.
    pub channel: String,
    /// The terminal.
    pub terminal: String,
    /// Licence type or item code.
    pub item: String,
    /// The case.
    pub case_number: String,
    /// The place, for a reader.
    pub place: String,
    /// The serial numbers of the certificates that sign, hexadecimal, separated by commas.
    pub certificate_serials: String,
}

/// Why a use is not entered. Nothing is signed then.
#[derive(Debug, thiserror::Error)]
pub enum UseRefused {
    /// No rule has room.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The rule asks for an approval, and none covers the use.
    #[error(transparent)]
    Approval(#[from] ApprovalRefused),
    /// The seal has changed since the signer looked.
    #[error("the seal {seal} has just changed; ask again")]
    SealChanged {
        /// The seal.
        seal: String,
    },
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// One line of the use log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRow {
    /// In the order of entering; pages go on after it.
    pub id: i64,
    /// The department and its request.
    pub key: RequestKey,
    /// The operation's stable name.
    pub operation: String,
    /// The seal.
    pub seal: String,
    /// Its version.
    pub seal_version: u32,
    /// The rule that permitted it.
    pub rule: String,
    /// The approval that was used up.
    pub approval: Option<String>,
    /// Who had approved, in the order of signing.
    pub approvers: Vec<String>,
    /// The day in Beijing.
    pub day: String,
    /// When it was entered.
    pub at: UnixSeconds,
    /// The rest of what was entered.
    pub facts: UseFacts,
    /// How many copies.
    pub copies: u32,
    /// SHA-256 of the document before, as [`Claimed::document_sha256`].
    pub document_sha256: [u8; 32],
    /// SHA-256 of the sealed document, once released.
    pub sealed_sha256: Option<[u8; 32]>,
    /// `released`, `open`, or the reason why the request was given up.
    pub result: String,
}

/// Which lines of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UseFilter {
    /// Only this seal.
    pub seal: Option<String>,
    /// Only this department.
    pub caller: Option<String>,
    /// Only this unit.
    pub unit: Option<String>,
    /// Only this item.
    pub item: Option<String>,
    /// From this day on, `2026-11-22`.
    pub from_day: Option<String>,
    /// Up to and including this day.
    pub to_day: Option<String>,
}

/// By what uses are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseGroup {
    /// By seal.
    Seal,
    /// By department and unit.
    Unit,
    /// By item.
    Item,
    /// By day in Beijing.
    Day,
}

/// One count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseCount {
    /// The seal, `department/unit`, item or day.
    pub group: String,
    /// Uses entered.
    pub entered: u64,
    /// Of them, those whose document was released.
    pub released: u64,
}
