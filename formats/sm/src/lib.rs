//! SM3 digests and SM2 signatures: the speed of the whole service rests on this crate.
//!
//! [`Sm3`] is the digest (GB/T 32905), [`PublicKey`] and [`SecretKey`] are keys on the curve
//! sm2p256v1, [`Signature`] is a pair (r, s) that is known to be in range. What is signed is
//! e = SM3(Z ‖ M), where Z binds the signer's distinguishing identifier and public key
//! (GB/T 32918.2); nearly everybody uses [`DEFAULT_DISTID`].
//!
//! The arithmetic is our own, constant-time in secrets, and chosen at run time by what the
//! processor can do ([`code_path`]); docs/sm2.md says how it works and how it was checked.
//! Chance enters through [`Entropy`], which may fail. There is no clock, no file and no policy
//! here.

mod arithmetic;
mod declassify;
mod distid;
mod encoding;
mod encryption;
mod entropy;
mod enveloped_key;
mod error;
mod hexadecimal;
mod public_key;
mod secret_key;
mod self_test;
mod signature;
mod signing_context;
mod sm3;

pub use arithmetic::{CodePath, CodePathUnavailable, code_path, set_code_path};
pub use distid::{DEFAULT_DISTID, DISTID_BYTES_MAX};
pub use encryption::Ciphertext;
pub use entropy::{Entropy, EntropyUnavailable};
pub use enveloped_key::{envelop_key, open_enveloped_key};
pub use error::Error;
pub use public_key::{PreparedPublicKey, PublicKey};
pub use secret_key::SecretKey;
pub use self_test::self_test;
pub use signature::{Encoding, Signature};
pub use signing_context::SigningContext;
pub use sm3::{Sm3, sm3, sm3_many};
