//! The demonstration with its keys in devices: the documents verify the same.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

// Only so that cargo builds the SDF device for tests.
use yinxin_sdf_test as _;

/// Runs the demonstration to its good end; what was expected at each step has come.
fn demonstrate(keys: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_yinxin"))
        .args(["--lang", "en", "demo", "--keys", keys, "--out"])
        .arg(folder.path())
        .current_dir(workspace)
        .env("LC_ALL", "C")
        .env_remove("SOFTHSM2_CONF")
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    let config = folder.path().join("installation/signer.toml");
    let config = std::fs::read_to_string(config).unwrap();
    assert_eq!(config.contains("[[device]]"), keys != "file", "{config}");
    let summary = std::fs::read_to_string(folder.path().join("demo.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["as_expected"], true, "{said}");
    let steps = summary["steps"].as_array().unwrap();
    serde_json::json!(
        steps
            .iter()
            .map(|step| (&step["step"], &step["as_expected"]))
            .collect::<Vec<_>>()
    )
}

#[test]
fn keys_in_an_sdf_machine_make_documents_that_verify_the_same() {
    assert_eq!(demonstrate("sdf"), demonstrate("file"));
}

#[test]
fn a_key_in_softhsm2_makes_documents_that_verify_the_same() {
    if yinxin_keys_dev::softhsm_library().is_none() {
        // Not eprintln!, which the test runner would swallow. Nobody to tell if this fails.
        let _ = std::io::stderr()
            .write_all(b"SKIPPED: demo with SoftHSM2: not installed (Debian: softhsm2)\n");
        return;
    }
    assert_eq!(demonstrate("softhsm"), demonstrate("file"));
}
