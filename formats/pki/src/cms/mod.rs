//! CMS signed data (RFC 5652), and its sister of GM/T 0010 (GB/T 35275).
//!
//! Read: RFC 5652 and the GM arc, BER with indefinite lengths included. Written: DER only, one
//! detached signature with the attributes of `PAdES` baseline (EN 319 142-1, 6.3), under RFC 5652
//! identifiers for every algorithm.

mod attributes;
mod error;
mod read;
mod write;

pub use attributes::{EssCertIdV2, IssuerSerial, SignedAttributes};
pub use error::CmsError;
pub use read::{SignedData, SignerIdentifier, SignerInfo};
pub use write::{assemble_signed_data, signed_attributes_der, signed_data_length_max};
