//! A step, between its two entries in the audit.

use std::collections::BTreeMap;

use yinxin_pki::UnixSeconds;
use yinxin_signer::ceremony::audit::{Note, Stage};

use crate::{KeysError, Room, Step, certify, copies, destroy, make};

/// What came out of a step, for the person, the transcript and the audit; never anything secret.
pub type Facts = BTreeMap<String, String>;

/// Who does it, and when.
#[derive(Clone, Debug)]
pub struct Context {
    /// Now.
    pub now: UnixSeconds,
    /// Who types.
    pub operator: String,
}

/// Does a step: the audit says "begun" before, and "done" or "failed" after.
///
/// # Errors
/// [`KeysError`]; with [`KeysError::Audit`] nothing was done.
pub fn perform(room: &Room, step: &Step, context: &Context) -> Result<Facts, KeysError> {
    let mut note = Note {
        at: context.now.to_string(),
        operator: context.operator.clone(),
        action: step.action().to_owned(),
        key: step.name().to_owned(),
        facts: BTreeMap::new(),
    };
    let audit = room.audit();
    audit.append(&note, Stage::Begun)?;
    let done = act(room, step, context);
    let stage = match &done {
        Ok(facts) => {
            note.facts = facts.clone();
            Stage::Done
        }
        Err(error) => {
            note.facts.insert("error".to_owned(), error.to_string());
            Stage::Failed
        }
    };
    audit.append(&note, stage)?;
    done
}

fn act(room: &Room, step: &Step, context: &Context) -> Result<Facts, KeysError> {
    match step {
        Step::Generate(step) => make::generate(room, step, context),
        Step::Adopt(step) => make::adopt(room, step, context),
        Step::Attest(step) => make::attest(room, step),
        Step::Csr(step) => certify::csr(room, step),
        Step::InstallCertificate(step) => certify::install(room, step, context),
        Step::ImportEncryptionKey(step) => copies::import_encryption_key(room, step, context),
        Step::Backup(step) => copies::backup(room, step),
        Step::Restore(step) => copies::restore(room, step, context),
        Step::AddCustodian(step) => destroy::add_custodian(room, step, context),
        Step::Approve(step) => destroy::approve(room, step, context),
        Step::Destroy(step) => destroy::destroy(room, step, context),
    }
}

/// Facts from pairs.
pub(crate) fn facts<const N: usize>(pairs: [(&str, String); N]) -> Facts {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
