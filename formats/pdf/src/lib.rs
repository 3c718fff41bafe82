//! A strict PDF reader with revisions and a writer of incremental updates.

pub mod update;

pub use update::{Appearance, FieldTarget, Placement, SignatureRequest};
