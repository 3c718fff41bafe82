//! Memory over many documents; alone in its process, so that no other test is measured too.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::typesetter;
use serde_json::json;

const TEMPLATE: &str = r#"
#let data = json("inputs.json")
#set text(font: ("Noto Serif CJK SC", "Noto Serif SC"), lang: "zh")
= 证明
兹证明#data.name;。#datetime.today().display()
"#;

#[test]
fn memory_does_not_grow_with_the_number_of_documents() {
    let Some(typesetter) = typesetter() else {
        return;
    };
    let run = |from: usize, to: usize| {
        for number in from..to {
            let inputs = json!({"name": format!("第{number}人，住所第{number}号").repeat(20)});
            typesetter
                .typeset(TEMPLATE, &inputs, &[], 1_795_334_400)
                .unwrap();
        }
        resident_bytes()
    };
    let Some(before) = run(0, 100) else {
        eprintln!("SKIPPED: no /proc/self/statm to read the memory from");
        return;
    };
    let after = run(100, 500).unwrap();
    let grown = after.saturating_sub(before);
    eprintln!("resident after 100 documents {before}, after 500 {after}");
    assert!(grown < 32 << 20, "grown by {grown} bytes in 400 documents");
}

/// The resident memory of this process (Linux); pages are 4 KiB on all machines we test on.
fn resident_bytes() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().nth(1)?.parse::<usize>().ok()? * 4096)
}
