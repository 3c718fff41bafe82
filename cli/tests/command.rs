//! The command as a person types it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn yinxin(words: &[&str]) -> Output {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Command::new(env!("CARGO_BIN_EXE_yinxin"))
        .args(words)
        .current_dir(workspace)
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The demonstration's folder, after it has run to its good end.
fn demonstration(folder: &Path) -> PathBuf {
    let out = folder.join("demo");
    let done = yinxin(&["--lang", "en", "demo", "--out", path(&out)]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done));
    out
}

#[test]
fn the_demonstration_leaves_its_files_and_verify_tells_their_worth_by_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let out = demonstration(folder.path());
    let summary = std::fs::read_to_string(out.join("demo.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["as_expected"], true);
    assert!(
        std::fs::read(out.join("proof.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );

    let trust = out.join("installation/keys/trust");
    let nobody = folder.path().join("nobody");
    std::fs::create_dir_all(nobody.join("anchors")).unwrap();
    let root = std::fs::read_dir(trust.join("anchors"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::copy(
        out.join("installation/keys/tls/root.pem"),
        nobody.join("anchors/other.pem"),
    )
    .unwrap();
    assert!(root.is_file());
    let cases = [
        ("the proof", "proof.pdf", &trust, 0),
        ("a byte changed", "forged-byte.pdf", &trust, 1),
        ("a revision appended", "forged-revision.pdf", &trust, 1),
        ("the contract", "contract.pdf", &trust, 0),
        ("the proof, by strangers", "proof.pdf", &nobody, 2),
        ("no PDF", "demo.json", &trust, 3),
        ("no file", "missing.pdf", &trust, 3),
    ];
    for (what, name, trust, code) in cases {
        let file = out.join(name);
        let words = [
            "verify",
            path(&file),
            "--trust",
            path(trust),
            "--allow-dev-only",
        ];
        let done = yinxin(&words);
        assert_eq!(done.status.code(), Some(code), "{what}: {}", text(&done));
    }
    let proof = out.join("proof.pdf");
    let words = [
        "verify",
        path(&proof),
        "--trust",
        path(&trust),
        "--json",
        "--allow-dev-only",
    ];
    let report: serde_json::Value = serde_json::from_slice(&yinxin(&words).stdout).unwrap();
    assert_eq!(report["signatures"].as_array().unwrap().len(), 2);
}

#[test]
fn throw_away_certificates_are_refused_unless_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let out = demonstration(folder.path());
    let (proof, trust) = (out.join("proof.pdf"), out.join("installation/keys/trust"));
    let done = yinxin(&["verify", path(&proof), "--trust", path(&trust)]);
    assert_ne!(done.status.code(), Some(0), "{}", text(&done));
}

#[test]
fn a_wrong_command_line_is_never_taken_for_a_verdict() {
    for words in [
        &["verify"][..],
        &["verify", "a.pdf", "--no-such-option"],
        &["no-such-command"],
    ] {
        assert_eq!(yinxin(words).status.code(), Some(3), "{words:?}");
    }
    assert_eq!(yinxin(&["--help"]).status.code(), Some(0));
    assert_eq!(yinxin(&["verify", "--help"]).status.code(), Some(0));
}

#[test]
fn each_help_line_is_in_chinese_and_in_english() {
    let help = text(&yinxin(&["--help"]));
    for line in ["加盖", "seal a PDF", "核验", "verify a PDF"] {
        assert!(help.contains(line), "{line} is missing in:\n{help}");
    }
}
