//! Seals and licences: prepare, sign, self-check, release.
//!
//! This library knows no network, database or file. Time, chance, keys and the record come in
//! through ports; the servers and stores implement them.

pub mod appearance;
pub mod approval;
pub mod ceremony;
pub mod error;
pub mod expiry;
pub mod keys;
pub mod licence;
pub mod places;
pub mod plan;
pub mod ports;
pub mod prefix;
pub mod profile;
pub mod record;
pub mod registry;
pub mod road;
pub mod rules;
pub mod seal;
pub mod usage;
