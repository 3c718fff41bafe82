//! Who may use which seal for what: deny by default.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::Operation;

/// What one department may do.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// The seals it may use, by id.
    pub seals: BTreeSet<String>,
    /// What it may do with them.
    pub operations: BTreeSet<&'static str>,
}

/// The departments, by the name their client certificate gives them.
#[derive(Clone, Debug, Default)]
pub struct Departments(BTreeMap<String, Grant>);

/// Why a call is not allowed. The caller is told no more than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The certificate is trusted, but belongs to no department in the table.
    #[error("this client certificate belongs to no department that may call")]
    UnknownDepartment,
    /// The department may not do this at all.
    #[error("this department may not use this operation")]
    Operation,
    /// The department may not use this seal. Also said of seals that do not exist, so that
    /// nobody learns which ones do.
    #[error("this department may not use this seal")]
    Seal,
}

impl Denied {
    /// The stable reason.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnknownDepartment => "DEPARTMENT_UNKNOWN",
            Self::Operation => "OPERATION_NOT_PERMITTED",
            Self::Seal => "SEAL_NOT_PERMITTED",
        }
    }
}

impl Departments {
    /// The table.
    #[must_use]
    pub fn new(grants: BTreeMap<String, Grant>) -> Self {
        Self(grants)
    }

    /// Whether a department may do this with this seal.
    ///
    /// # Errors
    /// [`Denied`], unless a grant says otherwise.
    pub fn authorise(
        &self,
        department: &str,
        operation: Operation,
        seal_id: &str,
    ) -> Result<(), Denied> {
        let grant = self.0.get(department).ok_or(Denied::UnknownDepartment)?;
        if !grant.operations.contains(operation.name()) {
            return Err(Denied::Operation);
        }
        if !grant.seals.contains(seal_id) {
            return Err(Denied::Seal);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_not_granted_is_denied() {
        let table = Departments::new(BTreeMap::from([(
            "dept-data".to_owned(),
            Grant {
                seals: BTreeSet::from(["village".to_owned()]),
                operations: BTreeSet::from([Operation::IssueLicence.name()]),
            },
        )]));
        let cases = [
            ("dept-data", Operation::IssueLicence, "village", Ok(())),
            (
                "dept-data",
                Operation::IssueLicence,
                "other",
                Err(Denied::Seal),
            ),
            (
                "dept-data",
                Operation::SealDocument,
                "village",
                Err(Denied::Operation),
            ),
            (
                "dept-bank",
                Operation::IssueLicence,
                "village",
                Err(Denied::UnknownDepartment),
            ),
        ];
        for (department, operation, seal, expected) in cases {
            assert_eq!(
                table.authorise(department, operation, seal),
                expected,
                "{department} {operation:?} {seal}"
            );
        }
    }
}
