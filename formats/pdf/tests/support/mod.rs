//! Writes small PDF files byte by byte, right ones and wrong ones.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use yinxin_pdf::{Document, Limits, ObjectId, PdfError};

/// What the cross reference shall say about a number.
#[derive(Clone, Copy)]
pub enum Place {
    Free(u16),
    File(usize, u16),
    Stream(u32, u32),
}

/// A file that grows revision by revision.
pub struct Builder {
    pub bytes: Vec<u8>,
    /// Entries of the revision being written.
    pub places: BTreeMap<u32, Place>,
    /// Entries for `/Size`: one above the highest number so far.
    pub size: u32,
    pub prev: Option<usize>,
    pub root: u32,
}

impl Builder {
    pub fn new() -> Self {
        let places = BTreeMap::from([(0, Place::Free(65535))]);
        let bytes = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec();
        Builder {
            bytes,
            places,
            size: 1,
            prev: None,
            root: 1,
        }
    }

    /// Catalog 1, page tree 2, `pages` pages from 10 on.
    pub fn with_pages(pages: u32) -> Self {
        let mut builder = Builder::new();
        builder.object(1, "<</Type/Catalog/Pages 2 0 R>>");
        builder.pages(pages);
        builder
    }

    pub fn pages(&mut self, pages: u32) {
        let kids: Vec<String> = (0..pages)
            .map(|page| format!("{} 0 R", 10 + page))
            .collect();
        let kids = kids.join(" ");
        self.object(
            2,
            &format!("<</Type/Pages/Kids[{kids}]/Count {pages}/MediaBox[0 0 595 842]>>"),
        );
        for page in 0..pages {
            self.object(
                10 + page,
                &format!("<</Type/Page/Parent 2 0 R/Number {page}>>"),
            );
        }
    }

    pub fn place(&mut self, number: u32, place: Place) {
        self.places.insert(number, place);
        self.size = self.size.max(number + 1);
    }

    pub fn object(&mut self, number: u32, body: &str) -> usize {
        self.object_bytes(number, body.as_bytes())
    }

    pub fn object_bytes(&mut self, number: u32, body: &[u8]) -> usize {
        let offset = self.bytes.len();
        self.place(number, Place::File(offset, 0));
        writeln!(self.bytes, "{number} 0 obj").unwrap();
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(b"\nendobj\n");
        offset
    }

    pub fn stream(&mut self, number: u32, entries: &str, data: &[u8]) -> usize {
        let mut body = format!("<<{entries}/Length {}>>\nstream\n", data.len()).into_bytes();
        body.extend_from_slice(data);
        body.extend_from_slice(b"\nendstream");
        self.object_bytes(number, &body)
    }

    /// An object stream with the given objects, and their places.
    pub fn object_stream(&mut self, container: u32, objects: &[(u32, &str)]) -> usize {
        let mut header = String::new();
        let mut body = String::new();
        for (index, (number, text)) in objects.iter().enumerate() {
            header += &format!("{number} {} ", body.len());
            body += text;
            body.push('\n');
            self.place(*number, Place::Stream(container, index as u32));
        }
        let entries = format!(
            "/Type/ObjStm/N {}/First {}/Filter/FlateDecode",
            objects.len(),
            header.len()
        );
        self.stream(container, &entries, &deflate((header + &body).as_bytes()))
    }

    pub fn trailer_entries(&mut self, extra: &str) -> String {
        let prev = self
            .prev
            .map_or(String::new(), |prev| format!("/Prev {prev}"));
        format!("/Size {}/Root {} 0 R{prev}{extra}", self.size, self.root)
    }

    /// The table without its trailer.
    pub fn table_text(&self) -> String {
        let mut text = String::from("xref\n");
        let numbers: Vec<u32> = self.places.keys().copied().collect();
        for run in numbers.chunk_by(|left, right| left + 1 == *right) {
            text += &format!("{} {}\n", run[0], run.len());
            for number in run {
                text += &match self.places[number] {
                    Place::Free(generation) => format!("{:010} {generation:05} f \n", 0),
                    Place::File(offset, generation) => format!("{offset:010} {generation:05} n \n"),
                    Place::Stream(..) => panic!("a table cannot name objects in streams"),
                };
            }
        }
        text
    }

    /// Ends the revision with a classic table; gives the offset of the table.
    pub fn end_with_table(&mut self, extra: &str) -> usize {
        let offset = self.bytes.len();
        let trailer = self.trailer_entries(extra);
        let table = self.table_text();
        writeln!(self.bytes, "{table}trailer\n<<{trailer}>>").unwrap();
        self.end_revision(offset)
    }

    pub fn end_revision(&mut self, offset: usize) -> usize {
        writeln!(self.bytes, "startxref\n{offset}\n%%EOF").unwrap();
        self.prev = Some(offset);
        self.places.clear();
        offset
    }

    /// Rows of `/W[1 4 2]` and the `/Index` for them.
    pub fn stream_rows(&self) -> (Vec<u8>, String) {
        let mut rows = Vec::new();
        let mut index = String::new();
        let numbers: Vec<u32> = self.places.keys().copied().collect();
        for run in numbers.chunk_by(|left, right| left + 1 == *right) {
            index += &format!("{} {} ", run[0], run.len());
            for number in run {
                let (kind, place, last) = match self.places[number] {
                    Place::Free(generation) => (0, 0, generation),
                    Place::File(offset, generation) => (1, offset as u32, generation),
                    Place::Stream(container, index) => (2, container, index as u16),
                };
                rows.push(kind);
                rows.extend_from_slice(&place.to_be_bytes());
                rows.extend_from_slice(&last.to_be_bytes());
            }
        }
        (rows, index)
    }

    /// Ends the revision with a cross-reference stream of number `number`.
    pub fn end_with_stream(&mut self, number: u32, extra: &str) -> usize {
        self.place(number, Place::File(self.bytes.len(), 0));
        let (rows, index) = self.stream_rows();
        let entries = self.trailer_entries(extra);
        let entries = format!("/Type/XRef/W[1 4 2]/Index[{index}]/Filter/FlateDecode{entries}");
        let offset = self.stream(number, &entries, &deflate(&rows));
        self.end_revision(offset)
    }
}

pub fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// `bytes` with the one occurrence of `from` replaced.
pub fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = find(bytes, from);
    let mut result = bytes[..at].to_vec();
    result.extend_from_slice(to.as_bytes());
    result.extend_from_slice(&bytes[at + from.len()..]);
    result
}

/// Where the only occurrence of `text` begins.
pub fn find(bytes: &[u8], text: &str) -> usize {
    let mut places = bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, at)| *at == text.as_bytes());
    let (place, _) = places
        .next()
        .unwrap_or_else(|| panic!("{text:?} does not occur"));
    assert!(places.next().is_none(), "{text:?} occurs twice");
    place
}

pub fn open(bytes: &[u8]) -> Result<Document<'_>, PdfError> {
    Document::open(bytes, Limits::default())
}

pub fn id(number: u32) -> ObjectId {
    ObjectId::new(number, 0)
}

/// Reads everything a document has; the first error ends it.
pub fn read_all(bytes: &[u8]) -> Result<(), PdfError> {
    let document = open(bytes)?;
    for revision in document.revisions() {
        for (number, _) in revision.entries() {
            match document.object_at(id(number), revision.index) {
                Ok(object) if object.value.is_stream() => match document.stream_data(&object) {
                    Ok(_) | Err(PdfError::FilterUnsupported { .. }) => {}
                    Err(error) => return Err(error),
                },
                Ok(_) | Err(PdfError::ObjectMissing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    for page_index in 0..document.page_count()?.min(20) {
        document.page(page_index)?;
    }
    for field in document.signature_fields()? {
        if let Some(value) = field.value {
            document.signature(value)?;
        }
    }
    Ok(())
}

/// Runs `work` and fails when it takes longer than the two seconds of the hostile-input rule.
pub fn within_two_seconds<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(2), "{name} took {taken:?}");
    result
}
