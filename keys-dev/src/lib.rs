//! Throw-away certification authorities, keys and seals.
