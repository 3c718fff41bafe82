//! Opening large documents: `cargo bench -p yinxin-pdf`. Under `cargo test` the same with tiny
//! sizes, so that it does not rot.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use yinxin_pdf::{Document, Limits, ObjectId};

fn main() {
    // Cargo passes --bench to `cargo bench` only.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let scale = if is_bench { 1 } else { 1000 };
    let large = document(22, 5_000_000 / scale);
    measure("100 MB of 22 objects", &large);
    drop(large);
    let many = document(700_000 / scale, 120);
    measure("700,000 small objects", &many);
}

/// A page and `objects` dictionaries of about `length` bytes.
fn document(objects: usize, length: usize) -> Vec<u8> {
    let mut text = String::from("%PDF-1.7\n");
    let mut offsets = Vec::with_capacity(objects + 3);
    let mut object = |body: &str| {
        offsets.push(text.len());
        let number = offsets.len();
        write!(text, "{number} 0 obj\n{body}\nendobj\n").unwrap();
    };
    object("<</Type/Catalog/Pages 2 0 R>>");
    object("<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>");
    object("<</Type/Page/Parent 2 0 R>>");
    let body = format!("<</A 1/B[2 3 4]/C({})>>", "x".repeat(length));
    for _ in 0..objects {
        object(&body);
    }
    let table = text.len();
    let size = offsets.len() + 1;
    write!(text, "xref\n0 {size}\n0000000000 65535 f \n").unwrap();
    for offset in offsets {
        writeln!(text, "{offset:010} 00000 n ").unwrap();
    }
    write!(
        text,
        "trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n"
    )
    .unwrap();
    text.into_bytes()
}

fn measure(name: &str, bytes: &[u8]) {
    let open = || Document::open(bytes, Limits::default()).unwrap();
    let opened = best_of(|| drop(open()));
    let document = open();
    let page = best_of(|| drop(document.page(0).unwrap()));
    let last = document
        .revisions()
        .first()
        .map_or(0, |revision| revision.entries().len() as u32);
    let all = best_of(|| {
        let document = open();
        for number in 1..last {
            document.object(ObjectId::new(number, 0)).unwrap();
        }
    });
    let megabytes = bytes.len() as f64 / 1e6;
    println!(
        "{name} ({megabytes:.1} MB): open {opened:.1?}, one page {page:.1?}, open and parse all {all:.1?}; map {} KiB",
        last * 16 / 1024
    );
}

fn best_of(work: impl Fn()) -> Duration {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}
