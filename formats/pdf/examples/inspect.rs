//! Says what the reader sees in a file: revisions, pages, signature fields, and every object it
//! refuses. `cargo run -p yinxin-pdf --example inspect -- FILE…`

use std::time::Instant;
use yinxin_pdf::{Document, Limits, ObjectId, PdfError, XrefEntry};

fn main() {
    for path in std::env::args().skip(1) {
        match std::fs::read(&path) {
            Ok(bytes) => match inspect(&bytes) {
                Ok(line) => println!("{path}: {line}"),
                Err(error) => println!("{path}: REFUSED {}: {error}", error.reason()),
            },
            Err(error) => println!("{path}: {error}"),
        }
    }
}

fn inspect(bytes: &[u8]) -> Result<String, PdfError> {
    let start = Instant::now();
    let document = Document::open(bytes, Limits::default())?;
    let opened = start.elapsed();
    let (mut objects, mut refused, mut missing) = (0, 0, 0);
    let mut first = String::new();
    for (number, _, entry) in all(&document) {
        let generation = match entry {
            XrefEntry::Free { .. } => continue,
            XrefEntry::InFile { generation, .. } => generation,
            XrefEntry::InStream { .. } => 0,
        };
        objects += 1;
        match document.object(ObjectId { number, generation }) {
            Ok(_) => {}
            Err(PdfError::ObjectMissing { .. }) => missing += 1,
            Err(error) => {
                refused += 1;
                if first.is_empty() {
                    first = format!(", first: {error}");
                }
            }
        }
    }
    let pages = document.page_count()?;
    for page_index in 0..pages {
        document.page(page_index)?;
    }
    let fields = document.signature_fields()?.len();
    let kinds: Vec<_> = document
        .revisions()
        .iter()
        .map(|revision| revision.kind)
        .collect();
    Ok(format!(
        "opened in {opened:.1?}, all in {:.1?}; {} revisions {:?}, {pages} pages, {fields} signature fields, {objects} objects, {missing} missing, {refused} refused{first}",
        start.elapsed(),
        kinds.len(),
        kinds.last()
    ))
}

fn all(document: &Document<'_>) -> Vec<(u32, usize, XrefEntry)> {
    let mut all: Vec<_> = document
        .revisions()
        .first()
        .into_iter()
        .flat_map(|oldest| oldest.entries())
        .map(|(number, entry)| (number, 0, entry))
        .collect();
    let newer = document.objects_changed_after(0);
    all.retain(|(number, _, _)| {
        newer
            .binary_search_by_key(number, |(number, _, _)| *number)
            .is_err()
    });
    all.extend(newer);
    all
}
