//! The people who work on seals, and the maker: configuration, and the table made from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use yinxin_edge::{ConfigError, read, value_error};
use yinxin_pki::Certificate;
use yinxin_signer::registry::{CONFIGURATION, Duties, Person, RULE_PREFIX, Role};

use crate::config::IdentityConfig;
use crate::status::Refusal;

/// One person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonConfig {
    /// The common name of their client certificate.
    pub name: String,
    /// What they may do: `applicant`, `approver`, `maker`, `keeper`, `auditor`.
    pub roles: BTreeSet<String>,
    /// The certificates with which an approver signs statements, PEM; for approvers of single
    /// uses.
    #[serde(default)]
    pub approval_certificates: Vec<PathBuf>,
}

/// Who makes seal objects, and who must be somebody else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// The maker's key and certificates; without it no SM2 seal is made here.
    pub maker: Option<IdentityConfig>,
    /// The vendor's identifier (厂商标识) in seal objects, ASCII.
    #[serde(default = "vendor_id")]
    pub vendor_id: String,
    /// Whether somebody may apply for a seal that they will keep.
    #[serde(default)]
    pub applicant_may_keep: bool,
}

fn vendor_id() -> String {
    "YINXIN".to_owned()
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            maker: None,
            vendor_id: vendor_id(),
            applicant_may_keep: false,
        }
    }
}

impl RegistryConfig {
    pub(crate) fn duties(&self) -> Duties {
        Duties {
            applicant_may_keep: self.applicant_may_keep,
        }
    }
}

/// The people, by the name their client certificate gives them.
#[derive(Debug, Default)]
pub(crate) struct People(BTreeMap<String, Person>);

impl People {
    pub(crate) fn new(config: &[PersonConfig]) -> Result<Self, ConfigError> {
        let mut people = BTreeMap::new();
        for (index, one) in config.iter().enumerate() {
            let wrong =
                |field: &str, rule: String| value_error(format!("person[{index}].{field}"), rule);
            if one.name.is_empty() || one.name == CONFIGURATION || one.name.starts_with(RULE_PREFIX)
            {
                return Err(wrong(
                    "name",
                    format!("must not be empty or {CONFIGURATION}, nor begin with {RULE_PREFIX}"),
                ));
            }
            let roles = one
                .roles
                .iter()
                .map(|name| {
                    Role::from_name(name)
                        .ok_or_else(|| wrong("roles", format!("there is no role {name}")))
                })
                .collect::<Result<BTreeSet<_>, _>>()?;
            if roles.is_empty() {
                return Err(wrong("roles", "must name at least one".to_owned()));
            }
            let mut certificates_sha256 = BTreeSet::new();
            for path in &one.approval_certificates {
                let certificate = Certificate::list_from_pem_or_der(&read(path)?)
                    .ok()
                    .and_then(|list| list.into_iter().next())
                    .ok_or_else(|| ConfigError::Content {
                        path: path.clone(),
                        message: "holds no certificate".to_owned(),
                    })?;
                certificates_sha256.insert(certificate.sha256());
            }
            let person = Person {
                name: one.name.clone(),
                roles,
                certificates_sha256,
            };
            if people.insert(one.name.clone(), person).is_some() {
                return Err(wrong("name", format!("{} is given twice", one.name)));
            }
        }
        Ok(Self(people))
    }

    /// The person of this name.
    pub(crate) fn get(&self, name: &str) -> Result<&Person, Refusal> {
        self.0.get(name).ok_or(Refusal::NotAPerson)
    }
}
