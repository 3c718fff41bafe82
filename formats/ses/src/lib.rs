//! Electronic seals (电子印章) and seal signatures (电子签章), read and written.
//!
//! Two objects: the *seal*, made and signed once by a seal maker, and the *seal signature*, made
//! each time the seal is applied, with the whole seal inside. [`Seal`] and [`SealSignature`] read
//! GM/T 0031-2014 (v1), GB/T 38540-2020 (v4) and GM/T 0031-2025 (v5), telling them apart by their
//! shape; [`SealInfoV4`] and [`TbsSignV4`] write v4, and v5, which has the same fields.
//!
//! What was signed is verified over the bytes it was read from: real objects spell out default
//! values and vary in other ways that re-encoding would destroy. Reading says what is there and
//! whether the mathematics of the two signatures hold. Whether a certificate is trusted, a seal
//! in its validity or an extension acceptable is the verifier's to judge; there is no clock here.

mod error;
mod gbt38540;
mod gmt0031;
mod limits;
mod read;
mod seal;
mod seal_signature;
mod verify;

pub use error::SesError;
pub use gbt38540::{
    SealInfoV4, TbsSignV4, assemble_seal_signature_v4, assemble_seal_v4, assemble_seal_v5,
    seal_signature_length_max,
};
pub use limits::Limits;
pub use seal::{CertDigest, CertList, Extension, Header, Picture, Property, Seal, SealVersion};
pub use seal_signature::{SealSignature, SigningTime, looks_like_seal_signature};
