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
use yinxin_pdf::{
    Appearance, Document, FieldTarget, Limits, Placement, SignatureOptions, SignatureRequest,
};
use yinxin_pki::UnixSeconds;
use yinxin_tests::child;
use yinxin_tests::hostile::{Expected, files, plain, updates};
use yinxin_tests::sealing::{Kind, bench};
use yinxin_verifier::{Options, Trust};

/// The bounds that the project promises; the time is that of the work, not of starting a process.
const TIME_MAX: Duration = Duration::from_secs(2);
const PEAK_BYTES_MAX: u64 = 256 << 20;
/// Any fixed moment will do: 2026-11-22T08:00:00Z.
const NOW: UnixSeconds = UnixSeconds(1_795_334_400);
/// Two fewer than a document may have, for those that an update adds.
const SIGNATURES: usize = 62;
/// When the parent stops waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Not a test of its own: the place where a child does its work.
#[test]
fn child_entry() {
    let Some(task) = child::task() else { return };
    let file = std::fs::read(&task.file).unwrap();
    child::answer(|| match task.work.as_str() {
        "prepare" => prepared(&file),
        "verify" => verified(&file),
        other => panic!("unknown work {other}"),
    });
}

/// What the signer does before it uses a key.
fn prepared(file: &[u8]) -> Value {
    let request = SignatureRequest {
        field: FieldTarget::New { name: None },
        placement: Placement::Visible {
            page_index: 0,
            x_mm: 1.0,
            y_mm: 1.0,
            width_mm: 1.0,
            height_mm: 1.0,
        },
        appearance: Some(Appearance {
            content: b"0 0 1 1 re f".as_slice().into(),
            bbox: [0.0, 0.0, 1.0, 1.0],
            alternate_text: "seal".to_owned(),
            image: None,
        }),
        filter: "Adobe.PPKLite".to_owned(),
        sub_filter: "ETSI.CAdES.detached".to_owned(),
        contents_bytes: 4096,
        signing_time: NOW.0,
        signing_offset_minutes: 480,
        name: None,
        reason: None,
        location: None,
        options: SignatureOptions::default(),
    };
    let result = Document::open(file, Limits::default())
        .and_then(|document| yinxin_pdf::prepare(&document, &request));
    match result {
        Ok(update) => json!({ "ok": true, "tail_bytes": update.tail().len() }),
        Err(error) => json!({ "ok": false, "reason": error.reason(), "text": error.to_string() }),
    }
}

/// A report that passes nothing is as good as an error.
fn verified(file: &[u8]) -> Value {
    match yinxin_verifier::verify(file, &Trust::default(), &Options::at(NOW)) {
        Ok(report) => json!({
            "ok": true,
            "indication": format!("{:?}", report.indication),
            "signatures": report.signatures.len(),
        }),
        Err(error) => json!({ "ok": false, "reason": error.reason(), "text": error.to_string() }),
    }
}

#[test]
fn hostile_files_end_in_a_typed_error_within_bounds() {
    all_in_bounds(files());
}

#[test]
fn hostile_updates_behind_a_signature_stay_within_bounds() {
    let sealed = bench()
        .seal_visibly(&plain(), Kind::PadesP256, 20.0, 20.0)
        .unwrap();
    // Nearly as many signatures as the limits allow, so that judging what followed is done as
    // often as it can be.
    let mut many = sealed.clone();
    for _ in 1..SIGNATURES {
        many = bench()
            .seal_visibly(&many, Kind::PadesP256, 20.0, 20.0)
            .unwrap();
    }
    let mut all = Vec::new();
    for (count, file) in [(1, &sealed), (SIGNATURES, &many)] {
        for (name, bytes) in updates(file) {
            all.push((format!("{name}-{count}"), bytes, Expected::Bounded));
        }
    }
    all_in_bounds(all);
}

fn all_in_bounds(files: Vec<(String, Vec<u8>, Expected)>) {
    let folder = tempfile::tempdir().unwrap();
    let mut worst = (Duration::ZERO, 0);
    let mut failures = Vec::new();
    for (name, bytes, expected) in files {
        let path = folder.path().join(format!("{name}.pdf"));
        std::fs::write(&path, bytes).unwrap();
        for work in ["prepare", "verify"] {
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
    let refused = match expected {
        Expected::Refused => true,
        Expected::NotSealed => work == "prepare",
        Expected::Bounded => false,
    };
    if refused && measured.answer["ok"] == true {
        return Err(format!("was accepted: {}", measured.answer));
    }
    if measured.answer["indication"] == "TotalPassed" {
        return Err(format!("passed: {}", measured.answer));
    }
    if measured.answer["ok"] == false && !measured.answer["reason"].is_string() {
        return Err(format!("no reason: {}", measured.answer));
    }
    Ok((measured.took, peak))
}
