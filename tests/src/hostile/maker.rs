//! Writes a PDF object by object, honestly or not.

use std::collections::BTreeMap;
use std::io::Write as _;

/// Writes a PDF object by object and knows where each one stands.
#[derive(Clone, Debug)]
pub struct Maker {
    /// The file so far.
    pub file: Vec<u8>,
    offsets: BTreeMap<u32, usize>,
}

impl Default for Maker {
    fn default() -> Self {
        Self {
            file: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(),
            offsets: BTreeMap::new(),
        }
    }
}

impl Maker {
    /// Catalog (1), pages (2) and one page (3), with more entries for each dictionary.
    #[must_use]
    pub fn with_page(catalog: &str, page: &str) -> Self {
        let mut maker = Self::default();
        maker.object(1, &format!("<</Type/Catalog/Pages 2 0 R{catalog}>>"));
        maker.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
        maker.object(
            3,
            &format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>{page}>>"),
        );
        maker
    }

    /// Appends an object.
    pub fn object(&mut self, number: u32, body: &str) {
        self.offsets.insert(number, self.file.len());
        write!(self.file, "{number} 0 obj\n{body}\nendobj\n").unwrap();
    }

    /// Appends a stream.
    pub fn stream(&mut self, number: u32, entries: &str, data: &[u8]) {
        self.offsets.insert(number, self.file.len());
        write!(
            self.file,
            "{number} 0 obj\n<<{entries}/Length {}>>\nstream\n",
            data.len()
        )
        .unwrap();
        self.file.extend_from_slice(data);
        self.file.extend_from_slice(b"\nendstream\nendobj\n");
    }

    /// Makes the cross reference say that an object stands somewhere.
    pub fn alias(&mut self, number: u32, offset: usize) {
        self.offsets.insert(number, offset);
    }

    /// Where an object stands.
    #[must_use]
    pub fn offset(&self, number: u32) -> usize {
        self.offsets[&number]
    }

    /// Ends a revision with a cross-reference table of all objects so far; gives its offset.
    pub fn table(&mut self, trailer: &str) -> usize {
        let at = self.file.len();
        self.file
            .extend_from_slice(b"xref\n0 1\n0000000000 65535 f \n");
        for (number, offset) in &self.offsets {
            write!(self.file, "{number} 1\n{offset:010} 00000 n \n").unwrap();
        }
        let size = self.offsets.keys().last().map_or(1, |last| last + 1);
        self.end(size, trailer, at);
        at
    }

    /// Trailer and the lines after it, for a table at `at`.
    pub fn end(&mut self, size: u32, trailer: &str, at: usize) {
        write!(
            self.file,
            "trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{at}\n%%EOF\n"
        )
        .unwrap();
    }

    /// Ends the file with a cross-reference stream as object `number`, over all objects so far and
    /// `in_streams`: number → (container, index). `data` replaces the honest rows when given.
    pub fn xref_stream(
        &mut self,
        number: u32,
        in_streams: &BTreeMap<u32, (u32, u8)>,
        entries: &str,
        data: Option<Vec<u8>>,
    ) {
        let at = self.file.len();
        self.offsets.insert(number, at);
        let mut index = String::from("0 1 ");
        let mut rows = vec![0_u8, 0, 0, 0, 0, 255];
        let numbers: std::collections::BTreeSet<u32> = self
            .offsets
            .keys()
            .chain(in_streams.keys())
            .copied()
            .collect();
        for one in &numbers {
            index.push_str(&format!("{one} 1 "));
            let (kind, field, last) = match (in_streams.get(one), self.offsets.get(one)) {
                (Some((container, index)), _) => (2, *container, *index),
                (None, Some(offset)) => (1, u32::try_from(*offset).unwrap(), 0),
                (None, None) => (0, 0, 0),
            };
            rows.push(kind);
            rows.extend_from_slice(&field.to_be_bytes());
            rows.push(last);
        }
        let size = numbers.last().map_or(1, |last| last + 1);
        let data = data.unwrap_or(rows);
        write!(
            self.file,
            "{number} 0 obj\n<</Type/XRef/Size {size}/Index[{index}]/W[1 4 1]/Root 1 0 R{entries}/Length {}>>\nstream\n",
            data.len()
        )
        .unwrap();
        self.file.extend_from_slice(&data);
        write!(self.file, "\nendstream\nendobj\nstartxref\n{at}\n%%EOF\n").unwrap();
    }
}

/// A small honest file, from which others are cut or bent.
#[must_use]
pub fn plain() -> Vec<u8> {
    let mut maker = Maker::with_page("", "/Contents 4 0 R");
    maker.stream(4, "", b"0 0 1 RG 72 72 200 200 re S");
    maker.table("");
    maker.file
}

/// zlib data that inflate to `before` and then `count` times `byte`.
#[must_use]
pub fn deflated(before: &[u8], byte: u8, count: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(before).unwrap();
    let block = vec![byte; 1 << 20];
    let mut rest = count;
    while rest > 0 {
        let now = rest.min(block.len());
        encoder.write_all(&block[..now]).unwrap();
        rest -= now;
    }
    encoder.finish().unwrap()
}
