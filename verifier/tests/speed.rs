//! What verifying costs on large files, and that hostile ones end. Figures are printed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::time::Instant;

use support::{Profile, append, now, plain_pdf, seal, trust, written};
use yinxin_pdf::{Document, Limits};
use yinxin_verifier::{Indication, verify};

fn timed(what: &str, pdf: &[u8], expected: Indication) {
    let (trust, options) = (trust(), now());
    let started = Instant::now();
    let report = verify(pdf, &trust, &options).unwrap();
    eprintln!("{what}: {} bytes, {:.2?}", pdf.len(), started.elapsed());
    assert_eq!(
        report.indication,
        expected,
        "{}",
        report.text(yinxin_verifier::Language::English)
    );
}

/// A file with so many small objects, all reachable from the catalog.
fn many_objects(count: u32) -> Vec<u8> {
    let mut pdf = plain_pdf();
    let prev = Document::open(&pdf, Limits::default())
        .unwrap()
        .newest()
        .xref_offset;
    let mut objects = Vec::new();
    let mut index = String::from("[");
    for block in 0..count.div_ceil(1000) {
        let first = 1000 + block * 1000;
        let numbers = first..first + 1000;
        let list: String = numbers
            .clone()
            .map(|number| format!("{number} 0 R "))
            .collect();
        let block_number = 1000 + count.div_ceil(1000) * 1000 + block;
        index += &format!("{block_number} 0 R ");
        objects.extend(numbers.map(|number| (number, format!("<</Type/Small/Value {number}>>"))));
        objects.push((block_number, format!("[{list}]")));
    }
    let catalog = written(&pdf, 1).replace("/Pages", &format!("/PieceInfo {index}]/Pages"));
    objects.push((1, catalog));
    append(
        &mut pdf,
        &objects,
        "/Info 8 0 R/ID[<0102><0102>]",
        Some(prev),
    );
    pdf
}

#[test]
fn later_seals_on_a_file_of_many_objects_are_compared() {
    let mut pdf = many_objects(20_000);
    for profile in [Profile::P256, Profile::GmSeal, Profile::P256] {
        pdf = seal(&pdf, profile);
    }
    timed("20,000 objects, 3 seals", &pdf, Indication::TotalPassed);
}

#[test]
#[ignore = "a measurement"]
fn a_file_of_700_000_objects() {
    let mut pdf = many_objects(700_000);
    for round in 1..4 {
        pdf = seal(&pdf, Profile::P256);
        timed(
            &format!("700,000 objects, {round} seals"),
            &pdf,
            Indication::TotalPassed,
        );
    }
}

#[test]
#[ignore = "a measurement"]
fn a_file_of_100_megabytes() {
    let mut pdf = plain_pdf();
    let prev = Document::open(&pdf, Limits::default())
        .unwrap()
        .newest()
        .xref_offset;
    let data = "0 0 m 100 100 l S\n".repeat(100 * 1024 * 1024 / 18);
    let stream = format!("<</Length {}>>\nstream\n{data}\nendstream", data.len());
    append(
        &mut pdf,
        &[(5, stream)],
        "/Info 8 0 R/ID[<0102><0102>]",
        Some(prev),
    );
    let once = seal(&pdf, Profile::GmSeal);
    timed("100 MB, SM3", &once, Indication::TotalPassed);
    timed(
        "100 MB, SM3 and SHA-256",
        &seal(&once, Profile::P256),
        Indication::TotalPassed,
    );
    timed(
        "100 MB, SHA-256",
        &seal(&pdf, Profile::P256),
        Indication::TotalPassed,
    );
}

#[test]
fn sixty_four_seals_pass_and_end() {
    let mut pdf = plain_pdf();
    for _ in 0..64 {
        pdf = support::seal_in(
            &pdf,
            Profile::P256,
            &yinxin_pdf::SignatureRequest {
                placement: yinxin_pdf::Placement::Invisible { page_index: 0 },
                contents_bytes: 3000,
                ..support::request()
            },
        );
    }
    timed("64 seals", &pdf, Indication::TotalPassed);
}

/// The first time, with nothing known of the authorities, and the least of many times after.
#[test]
#[ignore = "a measurement"]
fn a_small_file_under_authorities_that_come_again() {
    for profile in support::PROFILES {
        let pdf = seal(&plain_pdf(), profile);
        let (trust, options) = (trust(), now());
        let once = || {
            let started = Instant::now();
            let report = verify(&pdf, &trust, &options).unwrap();
            let took = started.elapsed();
            assert_eq!(report.indication, Indication::TotalPassed);
            took
        };
        let first = once();
        let least = (0..300).map(|_| once()).min().unwrap();
        eprintln!("{} bytes: first {first:.1?}, then {least:.1?}", pdf.len());
    }
}
