//! One contract for every key store, and what is peculiar to the devices.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail loudly"
)]

mod suite;
#[path = "../support/mod.rs"]
mod support;

mod faults;
mod sdf;
mod sm2_token;
mod softhsm;
mod software;

key_store_contract!(software_rsa, crate::software::Rsa);
key_store_contract!(software_rsa_pss, crate::software::RsaPss);
key_store_contract!(software_p256, crate::software::P256);
key_store_contract!(software_sm2, crate::software::Sm2);
key_store_contract!(software_sm2_prepared, crate::software::Sm2Prepared);
key_store_contract!(softhsm_rsa, crate::softhsm::Rsa);
key_store_contract!(softhsm_rsa_pss, crate::softhsm::RsaPss);
key_store_contract!(softhsm_p256, crate::softhsm::P256);
key_store_contract!(sdf_rsa, crate::sdf::Rsa);
key_store_contract!(sdf_rsa_pss, crate::sdf::RsaPss);
key_store_contract!(sdf_sm2, crate::sdf::Sm2);
key_store_contract!(sdf_sm2_32_byte_fields, crate::sdf::Sm2In32Bytes);
key_store_contract!(token_sm2_digest_raw, crate::sm2_token::DigestRaw);
key_store_contract!(token_sm2_digest_der, crate::sm2_token::DigestDer);
key_store_contract!(token_sm2_z_and_message, crate::sm2_token::ZAndMessageDer);
key_store_contract!(token_sm2_message, crate::sm2_token::MessageRaw);
