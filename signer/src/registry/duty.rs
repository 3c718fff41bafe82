//! Who may change a seal: roles, and parts that must be different people's.

use std::collections::BTreeSet;

use super::{Change, RegistryError, SealRecord};

/// The author of events that come from the signer's configuration.
pub const CONFIGURATION: &str = "configuration";

/// What the name of a rule of the configuration begins with, in events; no person's name does.
pub const RULE_PREFIX: &str = "rule:";

/// What a person does with seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Applies for seals and renewals, reports loss.
    Applicant,
    /// Approves applications and uses; cancels, revokes, withdraws; sets use rules.
    Approver,
    /// Has seals made and files them.
    Maker,
    /// Keeps seals: activates, suspends, resumes, reports loss.
    Keeper,
    /// Reads everything, changes nothing.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [
        Self::Applicant,
        Self::Approver,
        Self::Maker,
        Self::Keeper,
        Self::Auditor,
    ];

    /// The stable name, as in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Applicant => "applicant",
            Self::Approver => "approver",
            Self::Maker => "maker",
            Self::Keeper => "keeper",
            Self::Auditor => "auditor",
        }
    }

    /// The role of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A person who works on seals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The common name of their client certificate.
    pub name: String,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// SHA-256 of the certificates with which they sign approvals.
    pub certificates_sha256: BTreeSet<[u8; 32]>,
}

impl Person {
    /// Asks for a role.
    ///
    /// # Errors
    /// [`RegistryError::RoleMissing`].
    pub fn must_be(&self, role: Role) -> Result<(), RegistryError> {
        if self.roles.contains(&role) {
            Ok(())
        } else {
            Err(RegistryError::RoleMissing {
                person: self.name.clone(),
                role,
            })
        }
    }
}

/// Whose change it is.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// A person, bound by roles and the separation of duties.
    Person(&'a Person),
    /// The signer's configuration: whoever writes it holds the keys.
    Configuration,
    /// A rule of the configuration, by the name that events give it.
    Rule(&'a str),
}

impl Actor<'_> {
    /// As the event names them.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Person(person) => &person.name,
            Self::Configuration => CONFIGURATION,
            Self::Rule(name) => name,
        }
    }
}

/// Which parts must be different people's, beyond what always holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duties {
    /// Whether somebody may apply for a seal that they will keep.
    pub applicant_may_keep: bool,
}

/// Checks that a person may make this change. `record` is the seal as it is; none for a new one.
///
/// # Errors
/// [`RegistryError::RoleMissing`], [`RegistryError::SamePerson`].
pub fn check_duty(
    record: Option<&SealRecord>,
    change: &Change,
    actor: &Actor<'_>,
    duties: Duties,
) -> Result<(), RegistryError> {
    let Actor::Person(person) = actor else {
        return Ok(());
    };
    let same = |rule| Err(RegistryError::SamePerson { rule });
    match change {
        Change::Applied { application } => {
            person.must_be(Role::Applicant)?;
            if !duties.applicant_may_keep && application.keeper == person.name {
                return same("the applicant and the keeper of a seal must be two people");
            }
        }
        Change::RenewalApplied { .. } => person.must_be(Role::Applicant)?,
        Change::Approved => {
            person.must_be(Role::Approver)?;
            if record.and_then(SealRecord::applied_by) == Some(person.name.as_str()) {
                return same("an application must be approved by somebody else than the applicant");
            }
            if record.is_some_and(|record| record.application().keeper == person.name) {
                return same(
                    "the approver and the keeper of a seal must be two people (国办发〔2001〕52号)",
                );
            }
        }
        Change::Rejected { .. }
        | Change::Cancelled { .. }
        | Change::Revoked { .. }
        | Change::Withdrawn { .. } => person.must_be(Role::Approver)?,
        Change::Made { .. } | Change::Filed { .. } => person.must_be(Role::Maker)?,
        Change::Activated => must_keep(record, person)?,
        Change::Suspended { .. } | Change::Resumed { .. } => {
            if person.must_be(Role::Approver).is_err() {
                must_keep(record, person)?;
            }
        }
        Change::Lost { .. } => {
            // Whoever notices it first: a loss must not wait for the right person.
            if person.must_be(Role::Approver).is_err() && person.must_be(Role::Applicant).is_err() {
                must_keep(record, person)?;
            }
        }
    }
    Ok(())
}

/// The keeper of this very seal.
fn must_keep(record: Option<&SealRecord>, person: &Person) -> Result<(), RegistryError> {
    person.must_be(Role::Keeper)?;
    if record.is_some_and(|record| record.application().keeper != person.name) {
        return Err(RegistryError::SamePerson {
            rule: "only the keeper of this seal may do this, not the keeper of another",
        });
    }
    Ok(())
}
