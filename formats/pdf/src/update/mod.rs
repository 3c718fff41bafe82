//! The writer of incremental updates: one signature, one appended tail.
//!
//! The original bytes are never copied and never touched; what this module makes is the tail that
//! goes after them. Entries of existing dictionaries that need no change keep their bytes.

mod request;

pub use request::{Appearance, FieldTarget, Placement, SignatureRequest};
