//! Several signers in order on one document: the plan is the document's own fields.
//!
//! The first signature makes an empty field for each later signer, in one update, all below the
//! field [`PLAN_FIELD`] and in their order. Whoever gets the document can see whose turn it is, so
//! that no service has to remember anything. The first signature may certify the document
//! (DocMDP P 2), and the last may lock it (a `/Lock` of all fields with P 1).

use std::collections::HashSet;

use yinxin_pdf::{
    Certification, Document, EmptyField, FieldFamily, FieldTarget, Placement, SignatureField,
    SignatureOptions,
};

use crate::error::SealError;
use crate::places::{self, Place};

/// The field above those of the signers.
pub const PLAN_FIELD: &str = "SigningPlan";

/// Signers of one document; the documents of consortia have some dozen.
pub const SIGNERS_MAX: usize = 32;

/// What the first signer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct SigningPlan {
    /// The first signer, who signs now: the partial name of its field.
    pub first: String,
    /// The others, in their order.
    pub later: Vec<LaterSigner>,
    /// The first signature certifies the document: from then on only these fields can be signed.
    pub certifies: bool,
    /// The last signature locks the document.
    pub last_locks: bool,
}

/// A signer who comes later.
#[derive(Clone, Debug, PartialEq)]
pub struct LaterSigner {
    /// The partial name of the field, such as «乙方».
    pub name: String,
    /// Where the field goes; one place only.
    pub place: Place,
    /// Width and height of the seal that will stand there.
    pub size_mm: [f64; 2],
}

/// Why the plan refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Somebody else has to sign first.
    #[error("it is the turn of {expected:?} to sign, not of {asked:?}")]
    OutOfOrder {
        /// Whose field was asked for.
        asked: String,
        /// Whose turn it is.
        expected: String,
    },
    /// The document has a plan, and this signature is not in it.
    #[error(
        "the document has a signing plan, and only its fields are signed; the next is {expected:?}"
    )]
    NotInPlan {
        /// Whose turn it is.
        expected: String,
    },
    /// All have signed.
    #[error("all {signers} signers of the document's plan have signed")]
    Complete {
        /// How many.
        signers: usize,
    },
    /// A plan has later signers, but not that many.
    #[error("a signing plan has 1 to {max} later signers, not {later}")]
    Signers {
        /// How many were named.
        later: usize,
        /// The most.
        max: usize,
    },
    /// Two signers of one name.
    #[error("two signers of the plan are named {name:?}")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A field for a later signer has one place.
    #[error("the field of {name:?} would have several places; a later signer's field has one")]
    SeveralPlaces {
        /// The signer.
        name: String,
    },
    /// The document is signed already.
    #[error("{by:?} is signed: a signing plan is made by the first signature of a document")]
    NotTheFirst {
        /// A signed field.
        by: String,
    },
}

impl PlanError {
    /// The stable code for machines, logs and `google.rpc.ErrorInfo`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::OutOfOrder { .. } => "PLAN_OUT_OF_ORDER",
            Self::NotInPlan { .. } => "PLAN_NOT_IN_PLAN",
            Self::Complete { .. } => "PLAN_COMPLETE",
            Self::Signers { .. } => "PLAN_SIGNERS",
            Self::NameTwice { .. } => "PLAN_NAME_TWICE",
            Self::SeveralPlaces { .. } => "PLAN_SEVERAL_PLACES",
            Self::NotTheFirst { .. } => "PLAN_NOT_THE_FIRST",
        }
    }
}

impl SigningPlan {
    /// What the first signature has to do for the plan.
    ///
    /// # Errors
    /// [`SealError::Plan`]; [`SealError::Place`] for the place of a later signer.
    pub fn begin(
        &self,
        document: &Document<'_>,
        options: &SignatureOptions,
    ) -> Result<(FieldTarget, SignatureOptions), SealError> {
        let later = self.later.len();
        if later == 0 || later >= SIGNERS_MAX {
            let max = SIGNERS_MAX - 1;
            return Err(PlanError::Signers { later, max }.into());
        }
        let mut names = HashSet::from([self.first.as_str()]);
        if let Some(twice) = self.later.iter().find(|signer| !names.insert(&signer.name)) {
            let name = twice.name.clone();
            return Err(PlanError::NameTwice { name }.into());
        }
        let fields = document.signature_fields()?;
        if let Some(signed) = fields.iter().find(|field| field.value.is_some()) {
            let by = signed.name.clone();
            return Err(PlanError::NotTheFirst { by }.into());
        }
        let mut empty = Vec::with_capacity(later);
        for (number, signer) in (1..).zip(&self.later) {
            let placement = places::resolve(
                document,
                &signer.place,
                signer.size_mm,
                options.may_leave_page,
            )?;
            if matches!(placement, Placement::Places(_)) {
                let name = signer.name.clone();
                return Err(PlanError::SeveralPlaces { name }.into());
            }
            empty.push(EmptyField {
                name: signer.name.clone(),
                placement,
                description: format!("签章处 (place of the seal): {}", signer.name),
                closes_document: self.last_locks && number == later,
            });
        }
        let field = FieldTarget::New {
            name: Some(self.first.clone()),
        };
        let options = SignatureOptions {
            certification: self.certifies.then_some(Certification::FillingAndSigning),
            family: Some(FieldFamily {
                parent: PLAN_FIELD.to_owned(),
                empty,
            }),
            ..options.clone()
        };
        Ok((field, options))
    }
}

/// Refuses a signature that the document's plan, if it has one, does not expect now.
///
/// # Errors
/// [`SealError::Plan`] with [`PlanError::OutOfOrder`], [`PlanError::NotInPlan`] or
/// [`PlanError::Complete`]; [`SealError::Document`] when the fields cannot be read.
pub fn check_turn(document: &Document<'_>, target: &FieldTarget) -> Result<(), SealError> {
    let fields = document.signature_fields()?;
    let signers = signers(&fields);
    if signers.is_empty() {
        return Ok(());
    }
    let next = signers.iter().find(|signer| signer.is_empty);
    let asked = match target {
        FieldTarget::New { .. } => None,
        FieldTarget::Existing { name } => {
            let signer = signer_of(name);
            signer.filter(|signer| signers.iter().any(|known| known.name == *signer))
        }
    };
    match (asked, next) {
        (_, None) => Err(PlanError::Complete {
            signers: signers.len(),
        }
        .into()),
        (None, Some(next)) => Err(PlanError::NotInPlan {
            expected: next.name.to_owned(),
        }
        .into()),
        (Some(asked), Some(next)) if asked == next.name => Ok(()),
        (Some(asked), Some(next)) => Err(PlanError::OutOfOrder {
            asked: asked.to_owned(),
            expected: next.name.to_owned(),
        }
        .into()),
    }
}

/// A signer of the document's plan.
struct Signer<'f> {
    name: &'f str,
    is_empty: bool,
}

/// In the order of the fields; a signer with a seam stamp has several of them.
fn signers(fields: &[SignatureField]) -> Vec<Signer<'_>> {
    let mut signers: Vec<Signer<'_>> = Vec::new();
    for field in fields {
        let Some(name) = signer_of(&field.name) else {
            continue;
        };
        if signers.iter().all(|known| known.name != name) {
            signers.push(Signer {
                name,
                is_empty: field.value.is_none() && field.problem.is_none(),
            });
        }
    }
    signers
}

/// The signer in a fully qualified name: `SigningPlan.乙方`, `SigningPlan.甲方.p2`.
fn signer_of(name: &str) -> Option<&str> {
    let below = name.strip_prefix(PLAN_FIELD)?.strip_prefix('.')?;
    below.split('.').next()
}
