//! Harness, end to end, interop and hostile input.
