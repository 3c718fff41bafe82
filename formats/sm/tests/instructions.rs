//! Instructions each operation takes, by callgrind, beside those in tests/instructions.txt:
//! more than 3 % above is a failure. `make bench-sm` runs it; in `cargo test` it is ignored,
//! because it builds a release binary and counts for a minute.
//!
//! After a change that is meant: `UPDATE_INSTRUCTIONS=1 make bench-sm`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::{fmt::Write as _, path::PathBuf, process::Command};

const OPERATIONS: [(&str, u32); 7] = [
    ("sign", 40),
    ("sign-prepared-512", 2),
    ("verify", 20),
    ("verify-known", 40),
    ("table", 4),
    ("sm3-4096", 100),
    ("sm3-8x4096", 40),
];

const GATE: f64 = 1.03;

/// All instructions of the program doing `count` of them; `None` when the path is not there.
fn instructions(program: &PathBuf, path: &str, name: &str, count: u32) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([path, "operation", name, &count.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(77) {
        return None;
    }
    assert!(output.status.success(), "{text}");
    let (_, counted) = text
        .split_once("Collected : ")
        .expect("callgrind says a sum");
    Some(counted.split_whitespace().next()?.parse().unwrap())
}

#[test]
#[ignore = "takes a minute; run by make bench-sm"]
fn no_operation_takes_three_in_a_hundred_more_instructions_than_recorded() {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux"))
        || Command::new("valgrind").arg("--version").output().is_err()
    {
        eprintln!("SKIPPED: no valgrind command, or not x86-64 Linux");
        return;
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
    let program = target.join("release/under-valgrind");

    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/instructions.txt");
    let recorded = std::fs::read_to_string(&file).unwrap_or_default();
    let mut report = String::from("# path operation instructions (tests/instructions.rs)\n");
    let mut above = Vec::new();
    for path in ["portable", "adx"] {
        for (name, count) in OPERATIONS {
            let (Some(one), Some(more)) = (
                instructions(&program, path, name, 1),
                instructions(&program, path, name, 1 + count),
            ) else {
                eprintln!("SKIPPED: {path}: not on this processor");
                continue;
            };
            let own = (more - one) / u64::from(count);
            writeln!(report, "{path} {name} {own}").unwrap();
            let limit = recorded.lines().find_map(|line| {
                let rest = line.strip_prefix(&format!("{path} {name} "))?;
                Some(rest.parse::<f64>().unwrap() * GATE)
            });
            match limit {
                Some(limit) if own as f64 > limit => {
                    above.push(format!("{path} {name}: {own}, limit {limit:.0}"));
                }
                Some(_) => {}
                None => above.push(format!("{path} {name}: {own}, none recorded")),
            }
        }
    }
    println!("{report}");
    if std::env::var_os("UPDATE_INSTRUCTIONS").is_some() {
        std::fs::write(&file, report).unwrap();
    } else {
        assert!(above.is_empty(), "{above:#?}");
    }
}
