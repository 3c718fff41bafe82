//! The verifier on sealed documents with edited bytes and foreign revisions, and on anything else.
//!
//! ```text
//! input = document count *( offset:3 mask ) [ script ]     a document of made/ to spoil
//!       | %PDF-…                                           a file as it is
//! ```
//!
//! Law: no key exists any more that `made/trust` believes. So a document that passes has only
//! signatures over bytes that were signed when the seeds were made, and its pages show what they
//! showed after the newest of them. (That the file equals its seed would be too much to ask:
//! hexadecimal digits may be small or capital, and certificates beside the signature are not
//! signed.)
#![no_main]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use yinxin_fuzz::{limits, made, script, view};
use yinxin_pdf::{Document, Limits};
use yinxin_pki::DigestAlgorithm;
use yinxin_verifier::{Indication, Language, Options, Trust, verify, verify_container};

struct Known {
    documents: Vec<Vec<u8>>,
    /// By the digest of what was signed: what the pages showed then.
    pages: BTreeMap<Vec<u8>, String>,
    trust: Trust,
    options: Options,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let documents = made::files("documents");
        let mut pages = BTreeMap::new();
        for document in &documents {
            for covered in signatures(document) {
                let state = &document[..covered.end];
                let state = Document::open(state, Limits::default()).expect("it was a document");
                let shown = view::pages(&state, &[]).expect("its pages can be read");
                pages.insert(covered.digest, shown);
            }
        }
        Known {
            documents,
            pages,
            trust: made::trust(),
            options: Options {
                limits: limits(),
                ..Options::at(made::NOW)
            },
        }
    })
}

struct Covered {
    digest: Vec<u8>,
    end: usize,
}

/// What the signatures of a document that opens cover, oldest first.
fn signatures(file: &[u8]) -> Vec<Covered> {
    let document = Document::open(file, Limits::default()).expect("it opens");
    let fields = document.signature_fields().expect("its form can be read");
    let mut all = Vec::new();
    for value in fields.iter().filter_map(|field| field.value) {
        let signature = document.signature(value).expect("it can be read");
        let numbers: Vec<usize> = signature
            .byte_range
            .iter()
            .map(|number| usize::try_from(*number).expect("not negative"))
            .collect();
        let [0, first, second, rest] = numbers[..] else {
            panic!("the byte range {numbers:?}");
        };
        let end = second + rest;
        let covered = [&file[..first], &file[second..end]].concat();
        all.push(Covered {
            digest: DigestAlgorithm::Sha256.digest(&covered),
            end,
        });
    }
    all.sort_by_key(|covered| covered.end);
    all
}

fuzz_target!(|input: &[u8]| {
    let known = known();
    let file = spoilt(input);
    let container = verify_container(
        input,
        &|algorithm| algorithm.digest(b"a document that stayed elsewhere"),
        &known.trust,
        &known.options,
    );
    assert_ne!(container.indication, Indication::TotalPassed);
    let report = match verify(&file, &known.trust, &known.options) {
        Ok(report) => report,
        Err(error) => {
            assert!(!error.reason().is_empty());
            return;
        }
    };
    for language in [Language::Chinese, Language::English] {
        let text = report.text(language);
        assert!(!text.chars().any(|one| one.is_control() && one != '\n'));
    }
    let json = serde_json::to_string(&report).expect("reports serialise");
    assert!(json.contains(report.indication.code()));
    if report.indication != Indication::TotalPassed {
        return;
    }
    let signatures = signatures(&file);
    let newest = signatures.last().expect("a signature passed");
    for covered in &signatures {
        assert!(
            known.pages.contains_key(&covered.digest),
            "a forgery passed"
        );
    }
    let document = Document::open(&file, Limits::default()).expect("it passed");
    let shown = view::pages(&document, &[]).expect("it passed");
    assert_eq!(
        known.pages.get(&newest.digest),
        Some(&shown),
        "changed after signing"
    );
});

fn spoilt(input: &[u8]) -> Vec<u8> {
    let documents = &known().documents;
    let [document, count, rest @ ..] = input else {
        return input.to_vec();
    };
    if input.starts_with(b"%PDF-") {
        return input.to_vec();
    }
    let mut file = documents[usize::from(*document) % documents.len()].clone();
    let (edits, revisions) = rest.split_at(rest.len().min(usize::from(count % 8) * 4));
    for edit in edits.chunks_exact(4) {
        let offset = usize::from(edit[0]) << 16 | usize::from(edit[1]) << 8 | usize::from(edit[2]);
        let place = offset % file.len();
        file[place] ^= edit[3];
    }
    if revisions.is_empty() {
        return file;
    }
    match Document::open(&file, limits()) {
        Ok(opened) => script::appended(&opened, revisions),
        Err(_) => file,
    }
}
