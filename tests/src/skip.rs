//! Skips that can be seen and counted.
//!
//! One line each, `SKIPPED: <what>: <why>`, written to the real standard error, so that it shows
//! even for a test that passes; and appended to the file named by `YINXIN_SKIPS`, if that is set,
//! so that a run can count them at its end.

use std::io::Write as _;

/// Says that a part of a test was not run, and why.
pub fn skip(what: &str, why: &str) {
    let line = format!("SKIPPED: {what}: {}\n", why.trim().replace('\n', " | "));
    // Not eprintln!, which the test runner would swallow. Nobody to tell if this fails.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("YINXIN_SKIPS")
        && let Ok(mut file) = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
    {
        let _ = file.write_all(line.as_bytes());
    }
}
