//! A PDF written from a short script.
//!
//! The reader is strict: a byte inserted anywhere makes every offset behind it wrong, and the
//! fuzzer would never get beyond the cross reference. In a script objects have no offsets.
//!
//! ```text
//! script   = revision *( 1D revision )
//! revision = kind record *( 1E record )        kind: odd for a cross-reference stream
//! record   = head body                         head: object number in the lower five bits
//!          | head entries 1F data              a stream; 80 in the head deflates it
//! ```
//!
//! 40 in the head puts the object into an object stream, where the revision can have one. Number 0
//! is no object, its body goes into the trailer. The body `free` frees a number.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use yinxin_pdf::Document;

/// Between revisions.
pub const REVISION: u8 = 0x1d;
/// Between records.
pub const RECORD: u8 = 0x1e;
/// Between the entries and the data of a stream.
pub const STREAM: u8 = 0x1f;
/// In a head: the object goes into an object stream.
pub const IN_STREAM: u8 = 0x40;
/// In a head: the data are deflated.
pub const DEFLATED: u8 = 0x80;

const NUMBER: u8 = 0x1f;

/// The bytes themselves if they begin like a PDF, else the file that the script describes.
#[must_use]
pub fn document(input: &[u8]) -> Vec<u8> {
    if input.starts_with(b"%PDF-") {
        return input.to_vec();
    }
    let mut writer = Writer {
        file: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(),
        prev: None,
        size: 1,
        keep: Vec::new(),
    };
    writer.revisions(input);
    writer.file
}

/// `file`, which can be opened, with the revisions of the script behind it.
#[must_use]
pub fn appended(file: &Document<'_>, script: &[u8]) -> Vec<u8> {
    let trailer = file.trailer();
    let size = trailer
        .get(b"Size")
        .and_then(yinxin_pdf::Value::as_integer)
        .and_then(|size| u32::try_from(size).ok());
    let mut keep = Vec::new();
    for key in ["Info", "ID"] {
        if let Some(value) = trailer.get(key.as_bytes()) {
            let written = file.bytes().get(value.span.clone()).unwrap_or_default();
            keep.extend_from_slice(format!("/{key} ").as_bytes());
            keep.extend_from_slice(written);
        }
    }
    let mut writer = Writer {
        file: file.bytes().to_vec(),
        prev: Some(file.newest().xref_offset),
        size: size.unwrap_or(1).min(1_000_000),
        keep,
    };
    writer.revisions(script);
    writer.file
}

#[derive(Clone, Copy)]
enum Row {
    Free,
    File(usize),
    Stream(u32, usize),
}

struct Writer {
    file: Vec<u8>,
    prev: Option<usize>,
    size: u32,
    /// Entries that every trailer repeats.
    keep: Vec<u8>,
}

impl Writer {
    fn revisions(&mut self, script: &[u8]) {
        for revision in script.split(|byte| *byte == REVISION) {
            self.revision(revision);
        }
    }

    fn revision(&mut self, revision: &[u8]) {
        let (kind, records) = revision.split_first().unwrap_or((&0, &[]));
        let streams = kind & 1 == 1;
        let mut extra = self.keep.clone();
        let mut rows = BTreeMap::new();
        let mut members = Vec::new();
        if self.prev.is_none() {
            rows.insert(0, Row::Free);
        }
        for record in records.split(|byte| *byte == RECORD) {
            let Some((head, body)) = record.split_first() else {
                continue;
            };
            let number = u32::from(head & NUMBER);
            if number == 0 {
                extra.extend_from_slice(body);
            } else if body == b"free" {
                rows.insert(number, Row::Free);
            } else if streams && head & IN_STREAM != 0 {
                members.push((number, body));
            } else {
                rows.insert(number, Row::File(self.file.len()));
                self.object(number, body, head & DEFLATED != 0);
            }
        }
        let mut next = self.size.max(u32::from(NUMBER) + 1);
        if !members.is_empty() {
            self.object_stream(next, &members, &mut rows);
            next += 1;
        }
        let at = self.file.len();
        if streams {
            rows.insert(next, Row::File(at));
            next += 1;
        }
        self.size = next;
        let prev = self
            .prev
            .map_or(String::new(), |prev| format!("/Prev {prev}"));
        let mut entries = format!("/Size {next}/Root 1 0 R{prev}").into_bytes();
        entries.extend_from_slice(&extra);
        if streams {
            self.cross_reference_stream(next - 1, &rows, &entries);
        } else {
            self.cross_reference_table(&rows, &entries);
        }
        self.text(&format!("startxref\n{at}\n%%EOF\n"));
        self.prev = Some(at);
    }

    fn text(&mut self, text: &str) {
        self.file.extend_from_slice(text.as_bytes());
    }

    fn object(&mut self, number: u32, body: &[u8], deflate: bool) {
        self.text(&format!("{number} 0 obj\n"));
        match body.iter().position(|byte| *byte == STREAM) {
            None => self.file.extend_from_slice(body),
            Some(place) => {
                let (entries, data) = (&body[..place], &body[place + 1..]);
                self.stream(entries, data, deflate);
            }
        }
        self.text("\nendobj\n");
    }

    fn stream(&mut self, entries: &[u8], data: &[u8], deflate: bool) {
        let data = if deflate {
            deflated(data)
        } else {
            data.to_vec()
        };
        self.text("<<");
        self.file.extend_from_slice(entries);
        let filter = if deflate { "/Filter/FlateDecode" } else { "" };
        self.text(&format!("{filter}/Length {}>>\nstream\n", data.len()));
        self.file.extend_from_slice(&data);
        self.text("\nendstream");
    }

    fn object_stream(
        &mut self,
        container: u32,
        members: &[(u32, &[u8])],
        rows: &mut BTreeMap<u32, Row>,
    ) {
        let mut header = String::new();
        let mut bodies = Vec::new();
        for (index, (number, body)) in members.iter().enumerate() {
            header += &format!("{number} {} ", bodies.len());
            bodies.extend_from_slice(body);
            bodies.push(b'\n');
            rows.insert(*number, Row::Stream(container, index));
        }
        let entries = format!("/Type/ObjStm/N {}/First {}", members.len(), header.len());
        rows.insert(container, Row::File(self.file.len()));
        let data = [header.as_bytes(), &bodies].concat();
        self.text(&format!("{container} 0 obj\n"));
        self.stream(entries.as_bytes(), &data, true);
        self.text("\nendobj\n");
    }

    fn cross_reference_table(&mut self, rows: &BTreeMap<u32, Row>, entries: &[u8]) {
        self.text("xref\n");
        for (number, row) in rows {
            let row = match row {
                Row::File(offset) => format!("{offset:010} 00000 n \n"),
                Row::Free | Row::Stream(..) if *number == 0 => "0000000000 65535 f \n".to_owned(),
                Row::Free | Row::Stream(..) => "0000000000 00001 f \n".to_owned(),
            };
            self.text(&format!("{number} 1\n{row}"));
        }
        self.text("trailer\n<<");
        self.file.extend_from_slice(entries);
        self.text(">>\n");
    }

    fn cross_reference_stream(&mut self, number: u32, rows: &BTreeMap<u32, Row>, entries: &[u8]) {
        let mut index = String::new();
        let mut data = Vec::new();
        for (number, row) in rows {
            index += &format!("{number} 1 ");
            let (kind, place, last) = match row {
                Row::Free => (0, 0, u8::from(*number == 0)),
                Row::File(offset) => (1, u32::try_from(*offset).unwrap_or(0), 0),
                Row::Stream(container, index) => (2, *container, u8::try_from(*index).unwrap_or(0)),
            };
            data.push(kind);
            data.extend_from_slice(&place.to_be_bytes());
            data.push(last);
        }
        let mut all = format!("/Type/XRef/W[1 4 1]/Index[{index}]").into_bytes();
        all.extend_from_slice(entries);
        self.text(&format!("{number} 0 obj\n"));
        self.stream(&all, &data, true);
        self.text("\nendobj\n");
    }
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}
