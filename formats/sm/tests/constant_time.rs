//! No branch and no address depends on a secret: the release binary under valgrind, with every
//! secret marked as undefined memory (src/bin/under-valgrind.rs), on each code path.
//!
//! Skips, visibly, without valgrind or away from x86-64 Linux.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::{path::PathBuf, process::Command};

/// What valgrind answers when it has found something, and our program when it has to skip.
const FOUND: i32 = 9;
const SKIPPED: i32 = 77;

/// Builds the program as it would be shipped; `None`, after saying why, when it cannot be run.
fn program() -> Option<PathBuf> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        eprintln!("SKIPPED: the test is written for x86-64 Linux");
        return None;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("SKIPPED: no valgrind command");
        return None;
    }
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("constant-time");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "yinxin-sm"])
        .args(["--bin", "under-valgrind", "--features", "valgrind-secrets"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success(), "the program does not build");
    Some(target.join("release/under-valgrind"))
}

#[test]
fn no_branch_and_no_address_depends_on_a_secret() {
    let Some(program) = program() else { return };
    for path in ["portable", "adx"] {
        let run = |what: &str| {
            let output = Command::new("valgrind")
                .args(["--quiet", &format!("--error-exitcode={FOUND}")])
                .arg(&program)
                .args([path, what])
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.code(), text)
        };
        let (code, text) = run("leak");
        if code == Some(SKIPPED) {
            eprintln!("SKIPPED: {text}");
            continue;
        }
        assert_eq!(code, Some(FOUND), "a leak on purpose was not seen: {text}");
        let (code, text) = run("secrets");
        assert_eq!(code, Some(0), "on the path {path}:\n{text}");
    }
}
