//! The events a seal's life is made of.

use serde::{Deserialize, Serialize};
use yinxin_pki::UnixSeconds;

use super::{Application, Filing, RegistryError, Terms};

/// One change of one seal: who did what, when. Written once.
#[derive(Clone, Debug, PartialEq)]
pub struct SealEvent {
    /// The seal's code.
    pub code: String,
    /// From 1, without gaps in one seal.
    pub sequence: u32,
    /// When it happened, by the signer's clock; never before the event before it.
    pub at: UnixSeconds,
    /// Who: the common name of the client certificate, or `configuration`.
    pub actor: String,
    /// What.
    pub change: Change,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// 申请: a new seal.
    Applied {
        /// What was applied for.
        application: Box<Application>,
    },
    /// 续期 or 变更: a new version of a seal that was active before.
    RenewalApplied {
        /// What the new version is made from.
        terms: Box<Terms>,
        /// Why.
        reason: String,
    },
    /// 批准.
    Approved,
    /// 不予批准: ends the application, or the renewal.
    Rejected {
        /// Why.
        reason: String,
    },
    /// 制作: the seal object is signed by the maker.
    Made {
        /// What was made.
        material: Box<Material>,
    },
    /// 备案.
    Filed {
        /// Number, authority and day.
        filing: Filing,
    },
    /// 启用: this version is the one in use from now on.
    Activated,
    /// 停用.
    Suspended {
        /// Why.
        reason: String,
    },
    /// 恢复.
    Resumed {
        /// Why.
        reason: String,
    },
    /// 挂失: the signing data may be in other hands.
    Lost {
        /// Why.
        reason: String,
    },
    /// 注销.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// 吊销.
    Revoked {
        /// Why.
        reason: String,
    },
    /// 撤销.
    Withdrawn {
        /// Why.
        reason: String,
    },
}

/// What making gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// The seal object as PEM under the label `SES SEAL`; none for a seal without an SM2 side.
    pub ses_pem: Option<String>,
    /// SHA-256 of its DER, lower-case hexadecimal; that is how filing records name it.
    pub ses_sha256: Option<String>,
    /// The common name of the maker's certificate.
    pub maker: Option<String>,
}

/// The label of a seal object in PEM.
pub(super) const SES_PEM_LABEL: &str = "SES SEAL";

impl Material {
    /// The DER of the seal object.
    ///
    /// # Errors
    /// [`RegistryError::Field`] when the PEM is damaged.
    pub fn ses_der(&self) -> Result<Option<Vec<u8>>, RegistryError> {
        let Some(pem) = &self.ses_pem else {
            return Ok(None);
        };
        let damaged = |rule: String| RegistryError::Field {
            field: "ses_pem",
            rule,
        };
        let blocks =
            yinxin_pki::pem_blocks(pem.as_bytes()).map_err(|error| damaged(error.to_string()))?;
        blocks
            .into_iter()
            .find(|block| block.label == SES_PEM_LABEL)
            .map(|block| Some(block.der))
            .ok_or_else(|| damaged(format!("holds no {SES_PEM_LABEL}")))
    }

    /// The seal object, read.
    ///
    /// # Errors
    /// [`RegistryError::Field`] when the PEM or the object is damaged.
    pub(super) fn seal_object(&self) -> Result<Option<yinxin_ses::Seal>, RegistryError> {
        let Some(der) = self.ses_der()? else {
            return Ok(None);
        };
        let seal = yinxin_ses::Seal::parse(&der).map_err(|error| RegistryError::Field {
            field: "ses_pem",
            rule: error.to_string(),
        })?;
        Ok(Some(seal))
    }
}

impl Change {
    /// The stable name, as stored and as in the history.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::RenewalApplied { .. } => "renewal-applied",
            Self::Approved => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Made { .. } => "made",
            Self::Filed { .. } => "filed",
            Self::Activated => "activated",
            Self::Suspended { .. } => "suspended",
            Self::Resumed { .. } => "resumed",
            Self::Lost { .. } => "lost",
            Self::Cancelled { .. } => "cancelled",
            Self::Revoked { .. } => "revoked",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    /// Why, as the author gave it; empty where nothing is asked.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::RenewalApplied { reason, .. }
            | Self::Rejected { reason }
            | Self::Suspended { reason }
            | Self::Resumed { reason }
            | Self::Lost { reason }
            | Self::Cancelled { reason }
            | Self::Revoked { reason }
            | Self::Withdrawn { reason } => reason,
            Self::Applied { .. }
            | Self::Approved
            | Self::Made { .. }
            | Self::Filed { .. }
            | Self::Activated => "",
        }
    }
}
