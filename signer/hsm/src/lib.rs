//! Key stores in devices: PKCS#11 tokens ([`Pkcs11KeyStore`]) and GM/T 0018 cryptographic
//! machines ([`SdfKeyStore`]), behind [`yinxin_signer::keys::KeyStore`].
//!
//! A device is foreign code and a wire: everything it gives is checked for length and range, and
//! no key is offered before it has signed a fixed message that its public key verifies. What a
//! device calls an error keeps the name its standard gives it.
//!
//! There is no global state here. Each store holds one connection behind a lock, drops it when
//! the device is lost, and makes a new one, with the same checks, at the next call. A PIN that
//! was refused once is not tried again: devices count, and lock themselves.

mod error;
mod pkcs11;
mod sdf;
mod secret;
mod self_test;
mod signature;

pub use error::OpenError;
pub use pkcs11::{
    Pkcs11Key, Pkcs11KeyKind, Pkcs11KeyStore, Pkcs11Library, Sm2Encoding, Sm2Input, Sm2Numbers,
    TokenSelector,
};
pub use sdf::{FieldLayout, SdfError, SdfKey, SdfKeyKind, SdfKeyStore, SdfSettings};
pub use secret::Secret;
