//! X.509 certificates and requests, revocation lists and CMS: what their bytes say, never whether we like it.
//!
//! This crate is the one door to the certificate crates: no foreign type stands in a public
//! signature. It knows no clock, no policy and no private key. What is to be signed leaves as
//! bytes ([`issue`], [`cms::signed_attributes_der`]), the signature comes back as bytes and is
//! put into its place ([`issue::assemble`], [`cms::assemble_signed_data`]).
//!
//! Reading keeps the original bytes of everything that is signed; nothing is re-encoded before
//! it is verified. Writing is DER only.

mod algorithm;
mod certificate;
pub mod cms;
mod crl;
mod digest;
mod error;
pub mod issue;
mod key_usage;
mod known;
mod limits;
mod memory;
mod name;
mod oid;
mod pem;
mod pss;
mod public_key;
mod request;
mod sm2_message;
pub mod tlv;
mod verify;

pub use algorithm::SignatureAlgorithm;
pub use certificate::Certificate;
pub use crl::{CertificateRevocationList, Revocation};
pub use digest::{DigestAlgorithm, Digester};
pub use error::PkiError;
pub use key_usage::KeyUsage;
pub use limits::{
    CERTIFICATE_BYTES_MAX, CERTIFICATES_PER_FILE_MAX, CMS_BYTES_MAX, CMS_CERTIFICATES_MAX,
    CMS_SIGNER_INFOS_MAX, CRL_BYTES_MAX, PEM_BYTES_MAX, RSA_MODULUS_BITS_MAX, RSA_MODULUS_BITS_MIN,
};
pub use memory::Memory;
pub use pem::{PemBlock, pem_blocks, to_pem};
pub use pss::{Pss, PssFault, PssHash, sha256_pss_encode};
pub use public_key::{PublicKey, RsaUsage};
pub use request::{CertificationRequest, REQUEST_PEM_LABEL, RequestTemplate};
pub use sm2_message::sm2_message_digest;
pub use tlv::UnixSeconds;
pub use verify::verify_signature;
