//! Approvals of single uses (用印审批): one or two people sign, with their own certificates, a
//! statement of what exactly will be sealed.
//!
//! An approval is bound to the document's digest, the seal, the place and the number of copies; it
//! is good once and for a limited time. The statement is text that a person can read, and the
//! signature over it a detached CMS, so that anybody can verify later who approved what.

mod check;
mod statement;

pub use check::{
    ApprovalError, ApprovalRefused, Claimed, check_signature, check_use, statement_cms,
};
pub use statement::{Approval, ApprovalSignature};
