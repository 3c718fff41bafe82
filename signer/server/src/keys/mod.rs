//! The keys that the service signs with: in encrypted files, tokens and cryptographic machines.

pub(crate) mod config;
mod open;
#[cfg(test)]
mod tests;
mod timed;

pub(crate) use open::Keys;
