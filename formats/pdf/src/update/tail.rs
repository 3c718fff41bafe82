//! The bytes after the original: objects, cross reference, trailer (ISO 32000-2, 7.5.6).

use std::ops::Range;

use lopdf::{Dictionary, Object, Writer};
use sha2::{Digest, Sha256};

use super::error::UpdateError;
use crate::document::Document;
use crate::error::PdfError;
use crate::object::{ObjectId, Value};
use crate::xref::XrefKind;

/// The ten digits of a table's entry (7.5.4).
const TABLE_OFFSET_MAX: u64 = 9_999_999_999;

/// Trailer entries that belong to one section, or that this update writes itself.
const SECTION_KEYS: [&[u8]; 14] = [
    b"Size",
    b"Prev",
    b"ID",
    b"XRefStm",
    b"Type",
    b"W",
    b"Index",
    b"Length",
    b"Filter",
    b"DecodeParms",
    b"DL",
    b"F",
    b"FFilter",
    b"FDecodeParms",
];

/// The appended part under construction.
#[derive(Debug)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    /// The length of the original: what offsets in the file are ahead of those in the tail.
    original_len: u64,
    /// Where a signature value will stand, with its angle brackets.
    slot: Range<usize>,
    written: Vec<(ObjectId, u64)>,
}

impl Tail {
    /// Begins after the last byte of `original`, on a line of its own.
    pub(super) fn after(original: &[u8]) -> Self {
        // A lone CR ends a line too; a line feed after it would change how the line ends.
        let needs_line_end = !matches!(original.last(), Some(b'\n' | b'\r'));
        Self {
            bytes: if needs_line_end {
                vec![b'\n']
            } else {
                Vec::new()
            },
            original_len: original.len() as u64,
            slot: 0..0,
            written: Vec::new(),
        }
    }

    fn offset(&self) -> u64 {
        self.original_len + self.bytes.len() as u64
    }

    /// Appends bytes and says where they stand in the tail.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// The slot of `bytes` for a signature value, as a hexadecimal string, and where it stands.
    pub(super) fn slot(&mut self, bytes: usize) -> Range<usize> {
        let start = self.raw(b"<").start;
        self.bytes.resize(self.bytes.len() + 2 * bytes, b'0');
        let end = self.raw(b">").end;
        self.slot = start..end;
        start..end
    }

    /// What was written around the slot, whose zeros say nothing and are the longest part.
    fn around_slot(&self) -> [&[u8]; 2] {
        let Range { start, end } = self.slot;
        [self.bytes.get(..start), self.bytes.get(end..)].map(Option::unwrap_or_default)
    }

    /// `12 0 obj`
    pub(super) fn begin(&mut self, id: ObjectId) {
        self.written.push((id, self.offset()));
        self.raw(format!("{} {} obj\n", id.number, id.generation).as_bytes());
    }

    /// `endobj`, on a line of its own as PDF/A wants it.
    pub(super) fn end(&mut self) {
        self.raw(b"\nendobj\n");
    }

    /// Keys and values without the brackets around them.
    pub(super) fn entries(&mut self, dictionary: &Dictionary) {
        for (key, value) in dictionary {
            self.value(&Object::Name(key.clone()));
            self.raw(b" ");
            self.value(value);
        }
    }

    fn value(&mut self, value: &Object) {
        // A `Vec` takes every write.
        Writer::write_object(&mut self.bytes, value).expect("writing into memory does not fail");
    }

    /// A whole new object.
    pub(super) fn object(&mut self, id: ObjectId, value: &Object) {
        self.begin(id);
        self.value(value);
        self.end();
    }

    /// An object out of bytes that are its value already.
    pub(super) fn spliced(&mut self, id: ObjectId, value: &[u8]) {
        self.begin(id);
        self.raw(value);
        self.end();
    }

    /// Writes cross reference and trailer in the form of the document's newest section, and hands
    /// out the bytes. `numbers_end` is one above the highest object number in use.
    pub(super) fn close(
        mut self,
        document: &Document<'_>,
        numbers_end: u32,
    ) -> Result<Vec<u8>, PdfError> {
        let newest = document
            .revisions()
            .last()
            .expect("a document that was opened has a revision");
        let trailer = KeptTrailer::new(document, self.around_slot());
        let prev = newest.xref_offset;
        let start = self.offset();
        match newest.kind {
            // A hybrid's update is a plain table (7.5.8.4): old readers must see it all.
            XrefKind::Table | XrefKind::Hybrid => {
                if start > TABLE_OFFSET_MAX {
                    return Err(UpdateError::FileTooLong { offset: start }.into());
                }
                self.written.sort_unstable();
                let table = table(&self.written);
                self.raw(table.as_bytes());
                self.raw(format!("trailer\n<</Size {numbers_end}").as_bytes());
                self.raw(&trailer.bytes);
                self.raw(format!("/Prev {prev}>>\n").as_bytes());
            }
            XrefKind::Stream => {
                let id = ObjectId::new(numbers_end, 0);
                let size = numbers_end
                    .checked_add(1)
                    .ok_or(UpdateError::ObjectNumbersUsedUp)?;
                // The stream lists itself (7.5.8.2).
                self.begin(id);
                self.written.sort_unstable();
                let (widths, index, rows) = rows(&self.written);
                self.raw(
                    format!(
                        "<</Type/XRef/Size {size}/W[{widths}]/Index[{index}]/Length {}",
                        rows.len()
                    )
                    .as_bytes(),
                );
                self.raw(&trailer.bytes);
                self.raw(format!("/Prev {prev}>>\nstream\n").as_bytes());
                self.raw(&rows);
                self.raw(b"\nendstream");
                self.end();
            }
        }
        self.raw(format!("startxref\n{start}\n%%EOF\n").as_bytes());
        Ok(self.bytes)
    }
}

/// Runs of consecutive numbers, as sections list them.
fn runs(written: &[(ObjectId, u64)]) -> impl Iterator<Item = &[(ObjectId, u64)]> {
    written.chunk_by(|(left, _), (right, _)| left.number.checked_add(1) == Some(right.number))
}

/// The table: lines of exactly 20 bytes (7.5.4). Number 0 stays with the original's free list.
fn table(written: &[(ObjectId, u64)]) -> String {
    let mut out = "xref\n".to_owned();
    for run in runs(written) {
        if let Some((first, _)) = run.first() {
            out.push_str(&format!("{} {}\n", first.number, run.len()));
        }
        for (id, offset) in run {
            out.push_str(&format!("{offset:010} {:05} n \n", id.generation));
        }
    }
    out
}

/// `/W`, `/Index` and data of a cross-reference stream, offsets in as many bytes as they need.
fn rows(written: &[(ObjectId, u64)]) -> (String, String, Vec<u8>) {
    let largest = written.iter().map(|(_, offset)| *offset).max().unwrap_or(0);
    let width = (8 - largest.leading_zeros() as usize / 8).max(1);
    let mut rows = Vec::with_capacity(written.len() * (width + 3));
    let mut index = Vec::new();
    for run in runs(written) {
        if let Some((first, _)) = run.first() {
            index.push(format!("{} {}", first.number, run.len()));
        }
        for (id, offset) in run {
            rows.push(1);
            rows.extend(offset.to_be_bytes().iter().skip(8 - width));
            rows.extend(id.generation.to_be_bytes());
        }
    }
    (format!("1 {width} 2"), index.join(" "), rows)
}

/// What of the newest trailer goes on as it was written, and the new `/ID`.
struct KeptTrailer {
    bytes: Vec<u8>,
}

impl KeptTrailer {
    fn new(document: &Document<'_>, tail: [&[u8]; 2]) -> Self {
        let original = document.bytes();
        let trailer = document.trailer();
        let mut bytes = Vec::new();
        for entry in trailer.iter() {
            if SECTION_KEYS.contains(&entry.key.as_slice()) {
                continue;
            }
            bytes.extend_from_slice(original.get(entry.key_span.clone()).unwrap_or_default());
            bytes.push(b' ');
            bytes.extend_from_slice(original.get(entry.value.span.clone()).unwrap_or_default());
        }

        let identifiers: Vec<String> = trailer
            .get(b"ID")
            // A broken /ID is no reason not to seal: nothing depends on it.
            .and_then(|value| document.resolve(value).ok())
            .and_then(|value| Some(value.as_array()?.iter().filter_map(hexadecimal).collect()))
            .unwrap_or_default();
        let changing = changing_identifier(original.len(), &identifiers, tail);
        // A document without /ID gets one, as PDF/A and PDF 2.0 want it.
        let permanent = identifiers.first().unwrap_or(&changing);
        bytes.extend_from_slice(format!("/ID[{permanent}{changing}]").as_bytes());
        Self { bytes }
    }
}

fn hexadecimal(value: &Value) -> Option<String> {
    Some(hexadecimal_text(value.as_string()?))
}

fn hexadecimal_text(bytes: &[u8]) -> String {
    format!("<{}>", base16ct::upper::encode_string(bytes))
}

/// The second identifier (14.4): new for every update, the same for the same update.
fn changing_identifier(original_len: usize, identifiers: &[String], tail: [&[u8]; 2]) -> String {
    let mut hash = Sha256::new();
    hash.update((original_len as u64).to_be_bytes());
    for identifier in identifiers {
        hash.update(identifier);
    }
    tail.iter().for_each(|part| hash.update(part));
    let digest = hash.finalize();
    hexadecimal_text(digest.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u32, generation: u16, offset: u64) -> (ObjectId, u64) {
        (ObjectId::new(number, generation), offset)
    }

    #[test]
    fn table_lines_are_20_bytes_and_numbers_run_in_subsections() {
        let table = table(&[at(3, 0, 17), at(4, 2, 9_999_999_999), at(9, 65_535, 0)]);
        assert_eq!(
            table,
            "xref\n3 2\n0000000017 00000 n \n9999999999 00002 n \n9 1\n0000000000 65535 n \n"
        );
        for line in table
            .split_inclusive('\n')
            .filter(|line| line.contains('n'))
        {
            assert_eq!(line.len(), 20, "{line:?}");
        }
    }

    #[test]
    fn a_cross_reference_stream_uses_as_many_bytes_as_offsets_need() {
        for (offset, widths, row) in [
            (0_u64, "1 1 2", vec![1, 0, 0, 7]),
            (255, "1 1 2", vec![1, 255, 0, 7]),
            (256, "1 2 2", vec![1, 1, 0, 0, 7]),
            (0x1_0000_0000, "1 5 2", vec![1, 1, 0, 0, 0, 0, 0, 7]),
        ] {
            let (width, index, rows) = rows(&[at(12, 7, offset)]);
            assert_eq!(
                (width.as_str(), index.as_str(), rows),
                (widths, "12 1", row)
            );
        }
    }

    #[test]
    fn a_tail_begins_on_a_line_of_its_own_without_joining_a_cr() {
        for (original, first) in [
            (&b"%%EOF"[..], &b"\n1 0 obj"[..]),
            (b"%%EOF\n", b"1 0 obj"),
            (b"%%EOF\r\n", b"1 0 obj"),
            (b"%%EOF\r", b"1 0 obj"),
            (b"%%EOF ", b"\n1 0 obj"),
        ] {
            let mut tail = Tail::after(original);
            tail.begin(ObjectId::new(1, 0));
            assert!(tail.bytes.starts_with(first), "{original:?}");
        }
    }
}
