//! Licences: the codes people and units go by, the identifier, the types as data, and the
//! road from a form's fields to the inputs of a template.
//!
//! Nothing here draws a page: [`compose_inputs`] gives the values, the template of the
//! [`LicenceType`] says how they look, and the typesetting crate puts the two together.

pub mod civil_date;
pub mod codes;
pub mod compose;
pub mod fields;
pub mod identifier;
pub mod licence_type;
pub mod number;
pub mod qr;

pub use civil_date::CivilDate;
pub use codes::{
    CitizenNumber, CodeError, OrganizationCode, UnifiedCreditCode, citizen_number,
    organization_code, unified_credit_code,
};
pub use compose::{Issuance, Issuer, Metadata, compose_inputs, metadata};
pub use fields::{FieldError, FieldRule, FieldValue, ValidatedFields};
pub use identifier::{IdentifierError, IdentifierFinding, LicenceIdentifier};
pub use licence_type::{LicenceType, LicenceTypeError, SealPlace};
pub use number::{LicenceNumber, NumberError};
pub use qr::{QrError, qr_svg};

#[cfg(test)]
mod tests;
