//! Key stores in devices: PKCS#11 tokens ([`Pkcs11Settings`]) and GM/T 0018 cryptographic
//! machines ([`SdfSettings`]), behind [`yinxin_signer::keys::KeyStore`].
//!
//! A device is foreign code and a wire: everything it gives is checked for length and range, and
//! no key is offered before it has signed a fixed message that its public key verifies. What a
//! device calls an error keeps the name its standard gives it.
//!
//! There is no global state here. Each device has a pool of sessions ([`DeviceKeyStore`]) that
//! drops what is lost and connects again by itself, with the same checks. A PIN that was refused
//! once is not tried again: devices count, and lock themselves.

mod device;
mod error;
mod pkcs11;
mod pool;
mod sdf;
mod secret;
mod self_test;
mod signature;

pub use error::OpenError;
pub use pkcs11::{
    KeyAttributes, NewTokenKey, NewTokenKeyKind, Pkcs11Key, Pkcs11KeyKind, Pkcs11Library,
    Pkcs11Settings, Sm2Encoding, Sm2Input, Sm2Numbers, TokenFacts, TokenManager, TokenSelector,
};
pub use pool::{
    BOUNDS_MICROS, DeviceKeyStore, DeviceState, DeviceStatus, KeyFigures, PoolSettings, SharedKey,
    Times,
};
pub use sdf::{FieldLayout, SdfError, SdfKey, SdfKeyKind, SdfSettings};
pub use secret::Secret;
