//! Hostile input ends in a typed error, within two seconds and 256 MiB, in the signer's road and
//! in the verifier's: each file is looked at in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use yinxin_pdf::{Document, Limits, PdfError};
use yinxin_tests::child;
use yinxin_tests::hostile::{Expected, files};

/// The bounds of the issue; the time is that of the work, not of starting a process.
const TIME_MAX: Duration = Duration::from_secs(2);
const PEAK_BYTES_MAX: u64 = 256 << 20;
/// When the parent stops waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Not a test of its own: the place where a child does its work.
#[test]
fn child_entry() {
    let Some(task) = child::task() else { return };
    let file = std::fs::read(&task.file).unwrap();
    child::answer(|| match task.work.as_str() {
        "read" => outcome(read(&file)),
        other => panic!("unknown work {other}"),
    });
}

fn outcome(result: Result<(), PdfError>) -> Value {
    match result {
        Ok(()) => json!({ "ok": true }),
        Err(error) => json!({ "ok": false, "reason": error.reason(), "text": error.to_string() }),
    }
}

/// What signer and verifier both need of a document.
fn read(file: &[u8]) -> Result<(), PdfError> {
    let document = Document::open(file, Limits::default())?;
    document.page(0)?;
    for field in document.signature_fields()? {
        if let Some(value) = field.value {
            document.signature(value)?;
        }
    }
    Ok(())
}

#[test]
fn hostile_files_end_in_a_typed_error_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let mut worst = (Duration::ZERO, 0);
    let mut failures = Vec::new();
    for (name, bytes, expected) in files() {
        let path = folder.path().join(format!("{name}.pdf"));
        std::fs::write(&path, bytes).unwrap();
        for work in ["read"] {
            match measure(work, &path, expected) {
                Ok((took, peak)) => worst = (worst.0.max(took), worst.1.max(peak)),
                Err(why) => failures.push(format!("{name}, {work}: {why}")),
            }
        }
        std::fs::remove_file(path).unwrap();
    }
    eprintln!("worst: {:?}, {} MiB", worst.0, worst.1 >> 20);
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn measure(work: &str, path: &Path, expected: Expected) -> Result<(Duration, u64), String> {
    let measured = child::start("child_entry", work, path, PATIENCE)?;
    let peak = measured.peak_bytes.unwrap_or(0);
    if std::env::var_os("YINXIN_VERBOSE").is_some() {
        eprintln!(
            "{} {work}: {:?} {} MiB {}",
            path.display(),
            measured.took,
            peak >> 20,
            measured.answer
        );
    }
    if measured.took > TIME_MAX {
        return Err(format!("took {:?}", measured.took));
    }
    if peak > PEAK_BYTES_MAX {
        return Err(format!("needed {} MiB", peak >> 20));
    }
    if expected == Expected::Refused && measured.answer["ok"] == true {
        return Err(format!("was accepted: {}", measured.answer));
    }
    Ok((measured.took, peak))
}
