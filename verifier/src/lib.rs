//! Verifies sealed documents: bytes, time and trust in, report out.
