//! Seals and licences: prepare, sign, self-check, release.
