//! Files made to hurt a reader: loops, bombs, aliases, lies.
//!
//! Each is built from nothing by [`Maker`], so that nothing of a public corpus is needed; the
//! families are those reported against PDF readers for years (cross-reference confusion, alias
//! amplification, decompression bombs, deep nesting, loops).

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

/// What must come of a hostile file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Neither sealed nor looked at: a typed error from both.
    Refused,
    /// Not sealed: a typed error. The verifier may not step on the trap.
    NotSealed,
    /// The trap need not be stepped on: any answer that passes no signature, in bounds.
    Bounded,
}

/// All hostile files: name, bytes, what must come of it.
#[must_use]
pub fn files() -> Vec<(String, Vec<u8>, Expected)> {
    use Expected::{Bounded, NotSealed, Refused};
    let mut all: Vec<(String, Vec<u8>, Expected)> = vec![
        ("zero-bytes".into(), Vec::new(), Refused),
        ("one-byte".into(), b"%".to_vec(), Refused),
        ("header-only".into(), b"%PDF-1.7\n".to_vec(), Refused),
        ("zeros".into(), vec![0; 1 << 20], Refused),
        ("percent-signs".into(), vec![b'%'; 4 << 20], Refused),
        ("endless-startxref".into(), endless_startxref(), Refused),
        (
            "nested-arrays-10000".into(),
            nested("[", "]", 10_000),
            Refused,
        ),
        (
            "nested-arrays-1000000".into(),
            nested("[", "]", 1_000_000),
            Refused,
        ),
        (
            "nested-dictionaries-10000".into(),
            nested("<</A", ">>", 10_000),
            Refused,
        ),
        (
            "nested-arrays-never-closed".into(),
            nested("[", "", 100_000),
            Refused,
        ),
        (
            "nested-string-parentheses".into(),
            nested("(", ")", 1_000_000),
            Bounded,
        ),
        (
            "nested-arrays-in-the-trailer".into(),
            nested_trailer(),
            Refused,
        ),
        ("prev-loop-of-one".into(), prev_loop_of_one(), Refused),
        ("prev-loop-of-two".into(), prev_loop_of_two(), Refused),
        ("prev-forward".into(), prev_forward(), Refused),
        ("prev-into-a-stream".into(), prev_into_a_stream(), Refused),
        ("xrefstm-loop".into(), xrefstm_loop(), Refused),
        ("alias-fields".into(), alias(true), Refused),
        ("alias-unused".into(), alias(false), Bounded),
        (
            "alias-of-the-catalog".into(),
            alias_of_the_catalog(),
            Refused,
        ),
        ("offset-zero".into(), offset_elsewhere(0), Refused),
        (
            "offset-past-the-end".into(),
            offset_elsewhere(9_999_999_999),
            Refused,
        ),
        (
            "offset-into-a-stream".into(),
            offset_into_a_stream(),
            Refused,
        ),
        ("object-stream-bombs".into(), object_stream_bombs(), Refused),
        (
            "object-stream-in-itself".into(),
            object_stream_in_itself(),
            Refused,
        ),
        ("object-stream-lies".into(), object_stream_lies(), Refused),
        (
            "object-stream-extends-loop".into(),
            object_stream_extends_loop(),
            Bounded,
        ),
        ("filter-chain".into(), filter_chain(), Refused),
        (
            "predictor-of-huge-rows".into(),
            predictor_of_huge_rows(),
            Refused,
        ),
        ("xref-stream-bomb".into(), xref_stream_bomb(), Refused),
        ("xref-stream-widths".into(), xref_stream_widths(), Refused),
        ("xref-stream-index".into(), xref_stream_index(), Refused),
        ("xref-table-count".into(), xref_table_count(), Refused),
        (
            "million-entries-many-times".into(),
            million_entries_many_times(),
            Refused,
        ),
        ("revisions-10000".into(), revisions(10_000), Refused),
        ("signatures-10000".into(), signatures(10_000), Refused),
        ("page-tree-loop".into(), page_tree_loop(), NotSealed),
        ("page-tree-deep".into(), page_tree_deep(), NotSealed),
        ("page-count-lies".into(), page_count_lies(), NotSealed),
        ("page-tree-doubling".into(), page_tree_doubling(), NotSealed),
        (
            "page-is-its-own-parent".into(),
            page_is_its_own_parent(),
            NotSealed,
        ),
        ("field-tree-doubling".into(), field_tree_doubling(), Refused),
        ("field-parent-loop".into(), field_parent_loop(), Bounded),
        (
            "form-of-a-million-fields".into(),
            form_of_a_million_fields(),
            Refused,
        ),
        ("field-tree-loop".into(), field_tree_loop(), Refused),
        ("reference-loop".into(), reference_loop(), Refused),
        ("stream-length-loop".into(), stream_length_loop(), Refused),
        ("stream-length-lies".into(), stream_length_lies(), Refused),
        ("duplicate-key".into(), duplicate_key(), Refused),
        ("huge-number".into(), huge_number(), Bounded),
        ("long-name".into(), long_name(), Bounded),
        (
            "byte-range-of-a-million".into(),
            byte_range_of_a_million(),
            Bounded,
        ),
        (
            "contents-of-nested-asn1".into(),
            contents(&nested_asn1(200_000)),
            Bounded,
        ),
        (
            "contents-of-many-algorithms".into(),
            contents(&many_algorithms()),
            Bounded,
        ),
        (
            "contents-of-endless-asn1".into(),
            contents(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
            Bounded,
        ),
        (
            "contents-of-indefinite-asn1".into(),
            contents(&[[0x30, 0x80]; 100_000].concat()),
            Bounded,
        ),
    ];
    let whole = plain();
    // Up to the last byte of %%EOF; the line end after it may be missing.
    for cut in (0..whole.len() - 1).step_by(7).skip(1) {
        all.push((
            format!("truncated-at-{cut:04}"),
            whole[..cut].to_vec(),
            Refused,
        ));
    }
    all
}

fn endless_startxref() -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    for _ in 0..200_000 {
        file.extend_from_slice(b"startxref\n9\n%%EOF\n");
    }
    file
}

fn nested(open: &str, close: &str, depth: usize) -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 4 0 R", "");
    maker.object(
        4,
        &format!(
            "<</Fields {}1 {}>>",
            open.repeat(depth),
            close.repeat(depth)
        ),
    );
    maker.table("");
    maker.file
}

fn nested_trailer() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    maker.table(&format!("/A {}{}", "[".repeat(10_000), "]".repeat(10_000)));
    maker.file
}

fn prev_loop_of_one() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker.table(&format!("/Prev {at}"));
    maker.file
}

fn prev_loop_of_two() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    // The second table's place is known once the first one is written with as many digits.
    let first = maker.file.len();
    let mut probe = maker.clone();
    probe.table("/Prev 0000000000");
    let second = probe.file.len();
    maker.table(&format!("/Prev {second:010}"));
    assert_eq!(maker.file.len(), second, "the probe had the same length");
    maker.table(&format!("/Prev {first}"));
    maker.file
}

fn prev_forward() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker.table(&format!("/Prev {}", at + 100_000));
    maker.file
}

fn prev_into_a_stream() -> Vec<u8> {
    let mut maker = Maker::with_page("", "/Contents 4 0 R");
    let inner = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1/Root 9 0 R>>\n";
    maker.stream(4, "", inner);
    let into = maker.offset(4) + 40;
    maker.table(&format!("/Prev {into}"));
    maker.file
}

fn xrefstm_loop() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker.table(&format!("/XRefStm {at}"));
    maker.file
}

/// 20,000 entries that all point at one object of 200 KB.
fn alias(used: bool) -> Vec<u8> {
    let fields: String = (10..20_010)
        .map(|number| format!("{number} 0 R "))
        .collect();
    let catalog = if used {
        format!("/AcroForm<</Fields[{fields}]>>")
    } else {
        String::new()
    };
    let mut maker = Maker::with_page(&catalog, "");
    maker.object(4, &format!("<</FT/Tx/T(a)/Big({})>>", "x".repeat(200_000)));
    let target = maker.offset(4);
    for number in 10..20_010 {
        maker.alias(number, target);
    }
    maker.table("");
    maker.file
}

fn alias_of_the_catalog() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 9 0 R", "");
    let at = maker.file.len();
    // Its header says 1, its entry says 9.
    maker
        .file
        .extend_from_slice(b"1 0 obj\n<</Fields[]/Lang(other)>>\nendobj\n");
    maker.alias(9, at);
    maker.table("");
    maker.file
}

fn offset_elsewhere(offset: usize) -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 9 0 R", "");
    maker.alias(9, offset);
    maker.table("");
    maker.file
}

fn offset_into_a_stream() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 9 0 R", "/Contents 4 0 R");
    maker.stream(4, "", b"0 g 1 0 obj\n<</Fields[]>>\nendobj\n");
    let into = maker.offset(4) + 40;
    maker.alias(9, into);
    maker.table("");
    maker.file
}

/// Eight object streams of 200 MiB each in 1.6 MB; the catalog, the pages and the form stand in
/// them, so that every road has to look inside.
fn object_stream_bombs() -> Vec<u8> {
    let mut maker = Maker::default();
    let bodies = [
        (1_u32, "<</Type/Catalog/Pages 2 0 R/AcroForm 4 0 R>>"),
        (2, "<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        (
            3,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>/Annots 8 0 R>>",
        ),
        (4, "<</Fields 5 0 R>>"),
        (5, "[6 0 R]"),
        (6, "<</FT/Sig/T(a)/Kids[7 0 R]>>"),
        (7, "<</Subtype/Widget/Rect[0 0 0 0]/Parent 6 0 R>>"),
        (8, "[]"),
    ];
    let mut inside = BTreeMap::new();
    for (number, body) in bodies {
        let header = format!("{number} 0 ");
        let container = 20 + number;
        let entries = format!("/Type/ObjStm/N 1/First {}/Filter/FlateDecode", header.len());
        let data = deflated(format!("{header}{body}").as_bytes(), b' ', 200 << 20);
        maker.stream(container, &entries, &data);
        inside.insert(number, (container, 0));
    }
    maker.xref_stream(40, &inside, "", None);
    maker.file
}

fn object_stream_in_itself() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.stream(5, "/Type/ObjStm/N 2/First 8", b"1 0 5 9 <<>> <<>>");
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0)), (5, (5, 1))]), "", None);
    maker.file
}

fn object_stream_lies() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.stream(
        5,
        "/Type/ObjStm/N 2147483647/First 2147483647",
        b"1 0 <</Type/Catalog>>",
    );
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

fn object_stream_extends_loop() -> Vec<u8> {
    let mut maker = Maker::default();
    let pages = "<</Type/Pages/Kids[3 0 R]/Count 1>>";
    maker.object(2, pages);
    maker.object(
        3,
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>",
    );
    maker.stream(
        5,
        "/Type/ObjStm/N 1/First 4/Extends 6 0 R",
        b"1 0 <</Type/Catalog/Pages 2 0 R>>",
    );
    maker.stream(6, "/Type/ObjStm/N 1/First 4/Extends 5 0 R", b"7 0 <<>>");
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0)), (7, (6, 0))]), "", None);
    maker.file
}

fn filter_chain() -> Vec<u8> {
    let mut maker = Maker::default();
    let filters = "/FlateDecode ".repeat(10_000);
    let mut data = b"1 0 <</Type/Catalog/Pages 2 0 R>>".to_vec();
    for _ in 0..50 {
        data = deflated(&data, 0, 0);
    }
    maker.stream(
        5,
        &format!("/Type/ObjStm/N 1/First 4/Filter[{filters}]"),
        &data,
    );
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

fn predictor_of_huge_rows() -> Vec<u8> {
    let mut maker = Maker::default();
    let data = deflated(b"\x021 0 <</Type/Catalog/Pages 2 0 R>>", 2, 1 << 20);
    maker.stream(
        5,
        "/Type/ObjStm/N 1/First 4/Filter/FlateDecode/DecodeParms<</Predictor 12\
         /Columns 2147483647/Colors 2147483647/BitsPerComponent 16>>",
        &data,
    );
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

fn xref_stream_bomb() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let data = deflated(b"", 0, 300 << 20);
    maker.xref_stream(9, &BTreeMap::new(), "/Filter/FlateDecode", Some(data));
    maker.file
}

fn bent_xref_stream(index: &str, widths: &str, data: &[u8]) -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker.stream(
        9,
        &format!("/Type/XRef/Size 10/Index[{index}]/W[{widths}]/Root 1 0 R"),
        data,
    );
    write!(maker.file, "startxref\n{at}\n%%EOF\n").unwrap();
    maker.file
}

fn xref_stream_widths() -> Vec<u8> {
    bent_xref_stream("0 10", "2147483647 2147483647 2147483647", &[0; 100])
}

fn xref_stream_index() -> Vec<u8> {
    // No width at all: each of four billion rows costs no byte.
    bent_xref_stream("0 4294967295", "0 0 0", &[])
}

fn xref_table_count() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let at = maker.file.len();
    maker
        .file
        .extend_from_slice(b"xref\n0 4294967295\n0000000000 65535 f \n");
    maker.end(10, "", at);
    maker.file
}

/// Compressed cross-reference streams of a million rows each, one revision after the other.
fn million_entries_many_times() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let mut previous = maker.table("");
    let rows = deflated(b"", 0, 6_000_000);
    for number in 0..30_u32 {
        let at = maker.file.len();
        maker.stream(
            2_000_000 + number,
            &format!(
                "/Type/XRef/Size 2000000/Index[1000 1000000]/W[1 4 1]/Root 1 0 R/Prev {previous}\
                 /Filter/FlateDecode"
            ),
            &rows,
        );
        write!(maker.file, "startxref\n{at}\n%%EOF\n").unwrap();
        previous = at;
    }
    maker.file
}

fn revisions(count: usize) -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    let mut previous = maker.table("");
    for _ in 0..count {
        let at = maker.file.len();
        maker
            .file
            .extend_from_slice(b"xref\n0 1\n0000000000 65535 f \n");
        maker.end(4, &format!("/Prev {previous}"), at);
        previous = at;
    }
    maker.file
}

fn signatures(count: u32) -> Vec<u8> {
    let fields: String = (0..count)
        .map(|index| format!("{} 0 R ", 10 + 2 * index))
        .collect();
    let mut maker = Maker::with_page(&format!("/AcroForm<</SigFlags 3/Fields[{fields}]>>"), "");
    for index in 0..count {
        let field = 10 + 2 * index;
        maker.object(
            field,
            &format!(
                "<</FT/Sig/Subtype/Widget/Rect[0 0 0 0]/T(s{index})/V {} 0 R/P 3 0 R>>",
                field + 1
            ),
        );
        maker.object(
            field + 1,
            "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached\
             /ByteRange[0 10 20 30]/Contents<3000>>>",
        );
    }
    maker.table("");
    maker.file
}

fn page_tree_loop() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    maker.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
    maker.object(3, "<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>");
    maker.table("");
    maker.file
}

fn page_tree_deep() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    for number in 2..5_002 {
        maker.object(
            number,
            &format!("<</Type/Pages/Kids[{} 0 R]/Count 1>>", number + 1),
        );
    }
    maker.object(
        5_002,
        "<</Type/Page/Parent 5001 0 R/MediaBox[0 0 9 9]/Resources<<>>>>",
    );
    maker.table("");
    maker.file
}

/// 2^60 leaves in 62 objects.
fn page_tree_doubling() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    for number in 2..62 {
        let next = number + 1;
        maker.object(
            number,
            &format!("<</Type/Pages/Kids[{next} 0 R {next} 0 R]/Count 2>>"),
        );
    }
    maker.object(62, "<</Type/Pages/Kids[]/Count 0>>");
    maker.table("");
    maker.file
}

fn page_is_its_own_parent() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    // Without a MediaBox, so that the inherited one has to be looked for.
    maker.object(3, "<</Type/Page/Parent 3 0 R/Resources<<>>>>");
    maker.table("");
    maker.file
}

fn field_tree_doubling() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm<</Fields[10 0 R]>>", "");
    for number in 10..70 {
        let next = number + 1;
        maker.object(number, &format!("<</T(a)/Kids[{next} 0 R {next} 0 R]>>"));
    }
    maker.object(70, "<</T(b)/FT/Tx>>");
    maker.table("");
    maker.file
}

fn field_parent_loop() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm<</Fields[4 0 R]>>", "");
    maker.object(4, "<</T(a)/Parent 5 0 R/Subtype/Widget/Rect[0 0 0 0]>>");
    maker.object(5, "<</T(b)/Parent 4 0 R>>");
    maker.table("");
    maker.file
}

fn form_of_a_million_fields() -> Vec<u8> {
    let fields = "4 0 R ".repeat(1_000_000);
    let mut maker = Maker::with_page("/AcroForm 5 0 R", "");
    maker.object(4, "<</T(a)/FT/Tx>>");
    maker.object(5, &format!("<</Fields[{fields}]>>"));
    maker.table("");
    maker.file
}

fn page_count_lies() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    maker.object(2, "<</Type/Pages/Kids[3 0 R]/Count 2147483647>>");
    maker.table("");
    maker.file
}

fn field_tree_loop() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm<</Fields[4 0 R]>>", "");
    maker.object(4, "<</T(a)/Kids[5 0 R]>>");
    maker.object(5, "<</T(b)/Parent 4 0 R/Kids[4 0 R]>>");
    maker.table("");
    maker.file
}

fn reference_loop() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 4 0 R", "");
    maker.object(4, "5 0 R");
    maker.object(5, "4 0 R");
    maker.table("");
    maker.file
}

fn stream_length_loop() -> Vec<u8> {
    let mut maker = Maker::default();
    let at = maker.file.len();
    maker
        .file
        .extend_from_slice(b"5 0 obj\n<</Type/ObjStm/N 1/First 4/Length 5 0 R>>\nstream\n1 0 <<>>\nendstream\nendobj\n");
    maker.alias(5, at);
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

fn stream_length_lies() -> Vec<u8> {
    let mut maker = Maker::default();
    let at = maker.file.len();
    maker.file.extend_from_slice(
        b"5 0 obj\n<</Type/ObjStm/N 1/First 4/Length 9223372036854775807>>\nstream\n1 0 <<>>\nendstream\nendobj\n",
    );
    maker.alias(5, at);
    maker.xref_stream(9, &BTreeMap::from([(1, (5, 0))]), "", None);
    maker.file
}

fn duplicate_key() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 4 0 R/AcroForm 5 0 R", "");
    maker.object(4, "<</Fields[]>>");
    maker.object(5, "<</Fields[]>>");
    maker.table("");
    maker.file
}

fn huge_number() -> Vec<u8> {
    let digits = "9".repeat(1_000_000);
    let mut maker = Maker::with_page(&format!("/A {digits}/B -{digits}.{digits}"), "");
    maker.table("");
    maker.file
}

fn long_name() -> Vec<u8> {
    let mut maker = Maker::with_page(&format!("/{} 1", "a".repeat(4 << 20)), "");
    maker.table("");
    maker.file
}

fn byte_range_of_a_million() -> Vec<u8> {
    let numbers = "0 ".repeat(1_000_000);
    let mut maker = Maker::with_page("/AcroForm<</SigFlags 3/Fields[4 0 R]>>", "");
    maker.object(
        4,
        "<</FT/Sig/Subtype/Widget/Rect[0 0 0 0]/T(s)/V 5 0 R/P 3 0 R>>",
    );
    maker.object(
        5,
        &format!("<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[{numbers}]/Contents<3000>>>"),
    );
    maker.table("");
    maker.file
}

/// One element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

/// A SignedData with 100,000 digest algorithms.
fn many_algorithms() -> Vec<u8> {
    let signed_data = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    let algorithm = [0x30, 4, 6, 2, 0x2a, 3];
    let inner = der(
        0x30,
        &[&[2, 1, 1][..], &der(0x31, &algorithm.repeat(100_000))].concat(),
    );
    der(0x30, &[&signed_data[..], &der(0xa0, &inner)].concat())
}

fn nested_asn1(bytes: usize) -> Vec<u8> {
    let mut inner: Vec<u8> = Vec::new();
    // Built from the inside, written backwards: prepending to a long vector costs its length.
    let mut backwards: Vec<u8> = Vec::new();
    while backwards.len() < bytes {
        let length = u32::try_from(backwards.len()).unwrap().to_be_bytes();
        backwards.extend(length.iter().rev());
        backwards.extend([0x84, 0x30]);
    }
    inner.extend(backwards.iter().rev());
    inner
}

/// A signed-looking file whose ByteRange is right and whose /Contents are the given bytes.
#[must_use]
pub fn contents(container: &[u8]) -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm<</SigFlags 3/Fields[4 0 R]>>", "/Annots[4 0 R]");
    maker.object(
        4,
        "<</FT/Sig/Subtype/Widget/Rect[0 0 0 0]/T(s)/V 5 0 R/P 3 0 R>>",
    );
    let hex: String = container.iter().map(|byte| format!("{byte:02x}")).collect();
    let range = "[0000000000 0000000000 0000000000 0000000000]";
    let before =
        "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20261122000000Z)";
    maker.object(5, &format!("{before}/ByteRange{range}/Contents<{hex}>>>"));
    maker.table("");
    let mut file = maker.file;
    let range_at = find(&file, range.as_bytes());
    let open = find(&file, format!("<{hex}>").as_bytes());
    let close = open + hex.len() + 2;
    let real = format!(
        "[0000000000 {open:010} {close:010} {:010}]",
        file.len() - close
    );
    file[range_at..range_at + real.len()].copy_from_slice(real.as_bytes());
    file
}

fn find(file: &[u8], part: &[u8]) -> usize {
    file.windows(part.len())
        .position(|window| window == part)
        .expect("written just now")
}

/// Updates that hurt, to be appended to a file that is honestly sealed: the judgement of what
/// came after a signature must stay in bounds, too. `sealed` must end with its `%%EOF` line, have
/// its catalog as object 1 and its page as object 3.
#[must_use]
pub fn updates(sealed: &[u8]) -> Vec<(String, Vec<u8>)> {
    vec![
        (
            "update-of-900-empty-revisions".into(),
            empty_revisions(sealed, 900),
        ),
        (
            "update-of-200000-objects".into(),
            many_objects(sealed, 200_000),
        ),
        ("update-of-bombs".into(), bombs_behind(sealed)),
        ("update-of-500-long-pages".into(), long_pages(sealed, 500)),
        ("update-of-a-deep-page".into(), deep_page(sealed)),
        (
            "update-of-a-doubling-graph".into(),
            doubling_graph(sealed, false),
        ),
        (
            "update-of-a-doubling-form".into(),
            doubling_graph(sealed, true),
        ),
        ("update-of-a-loop".into(), {
            let mut file = sealed.to_vec();
            append(
                &mut file,
                &[(3, "<</Type/Page/Parent 3 0 R/Annots 3 0 R>>".into())],
            );
            file
        }),
    ]
}

/// The number after the last startxref.
fn newest_xref(file: &[u8]) -> usize {
    let keyword = b"startxref";
    let at = file
        .windows(keyword.len())
        .rposition(|window| window == keyword)
        .unwrap();
    let text = String::from_utf8_lossy(&file[at + keyword.len()..]).into_owned();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// One revision with these objects.
fn append(file: &mut Vec<u8>, objects: &[(u32, String)]) {
    let previous = newest_xref(file);
    let mut rows = String::from("xref\n0 1\n0000000000 65535 f \n");
    for (number, body) in objects {
        rows.push_str(&format!("{number} 1\n{:010} 00000 n \n", file.len()));
        file.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }
    let at = file.len();
    file.extend_from_slice(rows.as_bytes());
    write!(
        file,
        "trailer\n<</Size 1000000/Root 1 0 R/Prev {previous}>>\nstartxref\n{at}\n%%EOF\n"
    )
    .unwrap();
}

fn empty_revisions(sealed: &[u8], count: usize) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let mut previous = newest_xref(&file);
    for _ in 0..count {
        let at = file.len();
        write!(
            file,
            "xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1000000/Root 1 0 R/Prev {previous}>>\n\
             startxref\n{at}\n%%EOF\n"
        )
        .unwrap();
        previous = at;
    }
    file
}

fn many_objects(sealed: &[u8], count: u32) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let objects: Vec<(u32, String)> = (0..count)
        .map(|index| (100_000 + index, "<</A/B>>".to_owned()))
        .collect();
    append(&mut file, &objects);
    file
}

/// The newest body of an object, with more entries at the end of its dictionary.
fn extended(file: &[u8], number: u32, entries: &str) -> String {
    let header = format!("\n{number} 0 obj");
    let at = file
        .windows(header.len())
        .rposition(|window| window == header.as_bytes())
        .expect("the object stands in the file");
    let text = String::from_utf8_lossy(&file[at + header.len()..]).into_owned();
    let body = text.split("endobj").next().unwrap_or_default().trim();
    let open = body.strip_suffix(">>").expect("a dictionary");
    format!("{open}{entries}>>")
}

fn bombs_behind(sealed: &[u8]) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let data = deflated(b"", b' ', 200 << 20);
    let catalog = extended(
        &file,
        1,
        "/Metadata 200 0 R/DSS<</Certs[201 0 R 202 0 R]/CRLs[203 0 R 204 0 R]/OCSPs[205 0 R 206 0 R]>>",
    );
    let previous = newest_xref(&file);
    let mut rows = String::from("xref\n0 1\n0000000000 65535 f \n");
    for number in 200_u32..208 {
        rows.push_str(&format!("{number} 1\n{:010} 00000 n \n", file.len()));
        write!(
            file,
            "{number} 0 obj\n<</Type/Metadata/Subtype/XML/Filter/FlateDecode/Length {}>>\nstream\n",
            data.len()
        )
        .unwrap();
        file.extend_from_slice(&data);
        file.extend_from_slice(b"\nendstream\nendobj\n");
    }
    rows.push_str(&format!("1 1\n{:010} 00000 n \n", file.len()));
    write!(file, "1 0 obj\n{catalog}\nendobj\n").unwrap();
    let at = file.len();
    file.extend_from_slice(rows.as_bytes());
    write!(
        file,
        "trailer\n<</Size 1000000/Root 1 0 R/Prev {previous}>>\nstartxref\n{at}\n%%EOF\n"
    )
    .unwrap();
    file
}

/// Revision after revision that writes the page again with a long array.
fn long_pages(sealed: &[u8], count: usize) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let page = extended(&file, 3, &format!("/B[{}]", "4 0 R ".repeat(3_000)));
    for _ in 0..count {
        append(&mut file, &[(3, page.clone())]);
    }
    file
}

fn deep_page(sealed: &[u8]) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    append(
        &mut file,
        &[(3, format!("<</Type/Page/Parent 2 0 R/Annots {deep}>>"))],
    );
    file
}

/// Object after object, each naming the next one twice: 2^200 paths, from the catalog and, if
/// asked, from the form and the page.
fn doubling_graph(sealed: &[u8], everywhere: bool) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let mut objects: Vec<(u32, String)> = (300..500)
        .map(|number| {
            let next = number + 1;
            (
                number,
                format!("<</A {next} 0 R/B {next} 0 R/Kids[{next} 0 R {next} 0 R]>>"),
            )
        })
        .collect();
    objects.push((500, "<</End true>>".to_owned()));
    if everywhere {
        let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[300 0 R 300 0 R]\
                    /Resources 300 0 R>>";
        let catalog = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[300 0 R]/SigFlags 3>>>>";
        objects.push((3, page.to_owned()));
        objects.push((1, catalog.to_owned()));
    } else {
        objects.push((
            1,
            extended(&file, 1, "/Extra 300 0 R/More[300 0 R 300 0 R]"),
        ));
        objects.push((
            3,
            extended(&file, 3, "/PieceInfo 300 0 R/B[300 0 R 300 0 R]"),
        ));
    }
    append(&mut file, &objects);
    file
}
