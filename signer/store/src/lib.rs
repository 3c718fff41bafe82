//! The record in SQLite and documents in a local folder.
