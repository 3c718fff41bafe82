//! Requests, documents to seal and oracles, shared by the tests of updates.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test file uses a part of it, and a test may fail loudly"
)]

use std::process::Command;

use crate::support::{Builder, Place, open};
use yinxin_pdf::{
    Appearance, Document, FieldTarget, Object, PdfError, Placement, PreparedUpdate,
    SignatureOptions, SignatureRequest, UpdateError, Value, XrefKind, prepare,
};

/// A red square, half a square inch.
pub fn appearance() -> Appearance {
    Appearance {
        content: b"q 0.9 0 0.07 rg 0 0 100 100 re f Q\n".as_slice().into(),
        bbox: [0.0, 0.0, 100.0, 100.0],
        alternate_text: "电子印章：示例村".to_owned(),
        image: None,
    }
}

pub fn request() -> SignatureRequest {
    SignatureRequest {
        field: FieldTarget::New { name: None },
        placement: visible(0, 120.0, 200.0),
        appearance: Some(appearance()),
        filter: "Adobe.PPKLite".to_owned(),
        sub_filter: "ETSI.CAdES.detached".to_owned(),
        contents_bytes: 600,
        signing_time: 1_795_334_400,
        signing_offset_minutes: 480,
        name: Some("示例村村民委员会".to_owned()),
        reason: Some("(test)".to_owned()),
        location: None,
        options: SignatureOptions::default(),
    }
}

pub fn visible(page_index: usize, x_mm: f64, y_mm: f64) -> Placement {
    Placement::Visible {
        page_index,
        x_mm,
        y_mm,
        width_mm: 42.0,
        height_mm: 42.0,
    }
}

pub fn existing(name: &str) -> SignatureRequest {
    let field = FieldTarget::Existing {
        name: name.to_owned(),
    };
    SignatureRequest { field, ..request() }
}

pub fn try_prepare(
    bytes: &[u8],
    request: &SignatureRequest,
) -> Result<PreparedUpdate, UpdateError> {
    match prepare(&open(bytes).unwrap(), request) {
        Ok(prepared) => Ok(prepared),
        Err(PdfError::Update(refusal)) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}

/// The document with a signature of `contents` in it.
pub fn sealed(bytes: &[u8], request: &SignatureRequest, contents: &[u8]) -> Vec<u8> {
    let prepared = try_prepare(bytes, request).unwrap();
    [bytes, &prepared.finish(contents).unwrap()].concat()
}

pub fn name_of(bytes: &[u8], place: usize) -> String {
    open(bytes).unwrap().signature_fields().unwrap()[place]
        .name
        .clone()
}

pub fn dictionary_of<'a>(document: &Document<'a>, value: &Value) -> Object<'a> {
    document.object(value.as_reference().unwrap()).unwrap()
}

pub fn number_list(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_number().unwrap())
        .collect()
}

// ── The documents ────────────────────────────────────────────────────────────

pub const PAGE_TREE: &str = "<</Type/Pages/Kids[10 0 R]/Count 1/MediaBox[0 0 595 842]>>";

/// Catalog 1, page tree 2, page 10, what else is given, in a table.
pub fn with_table(catalog: &str, page: &str, others: &[(u32, &str)]) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.object(1, &format!("<</Type/Catalog/Pages 2 0 R{catalog}>>"));
    builder.object(2, PAGE_TREE);
    builder.object(10, &format!("<</Type/Page/Parent 2 0 R{page}>>"));
    for (number, body) in others {
        builder.object(*number, body);
    }
    builder.end_with_table("");
    builder.bytes
}

pub fn with_object_streams(catalog: &str, page: &str, others: &[(u32, &str)]) -> Vec<u8> {
    let mut builder = Builder::new();
    let catalog = format!("<</Type/Catalog/Pages 2 0 R{catalog}>>");
    let page = format!("<</Type/Page/Parent 2 0 R{page}>>");
    let mut objects = vec![(1, catalog.as_str()), (2, PAGE_TREE), (10, &page)];
    objects.extend_from_slice(others);
    builder.object_stream(20, &objects);
    builder.end_with_stream(21, "/ID[<0102><0304>]");
    builder.bytes
}

pub fn hybrid() -> Vec<u8> {
    let mut builder = Builder::with_pages(1);
    let mut hidden = Builder {
        bytes: builder.bytes.clone(),
        ..Builder::new()
    };
    hidden.places.clear();
    hidden.object_stream(30, &[(31, "(hidden from old readers)")]);
    let offset = hidden.bytes.len();
    let (rows, index) = hidden.stream_rows();
    hidden.stream(
        32,
        &format!("/Type/XRef/W[1 4 2]/Index[{index}]/Size 40/Root 1 0 R"),
        &rows,
    );
    builder.bytes = hidden.bytes;
    builder.place(31, Place::Free(65535));
    builder.size = 40;
    builder.end_with_table(&format!("/XRefStm {offset}"));
    builder.bytes
}

/// Everything by name, with the kind of its newest section.
pub fn documents() -> Vec<(&'static str, Vec<u8>, XrefKind)> {
    let text_field = "<</FT/Tx/T(Name)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/P 10 0 R>>";
    let plain = with_table("", "", &[]);
    let no_line_end = plain.strip_suffix(b"\n").unwrap().to_vec();
    let carriage_return = [&no_line_end[..], b"\r"].concat();
    let table = XrefKind::Table;
    vec![
        ("a table", plain, table),
        ("no end of line at the end", no_line_end, table),
        ("a CR at the end", carriage_return, table),
        (
            "direct /Annots",
            with_table("", "/Annots[5 0 R % one\n]", &[(5, TEXT_NOTE)]),
            table,
        ),
        (
            "indirect /Annots",
            with_table("", "/Annots 6 0 R", &[(5, TEXT_NOTE), (6, "[5 0 R]")]),
            table,
        ),
        ("/Annots null", with_table("", "/Annots null", &[]), table),
        (
            "/Annots of nothing",
            with_table("", "/Annots 77 0 R", &[]),
            table,
        ),
        (
            "a direct form",
            with_table(
                "/AcroForm<</Fields[5 0 R]/DA(/Helv 0 Tf)>>",
                "/Annots[5 0 R]",
                &[(5, text_field)],
            ),
            table,
        ),
        (
            "an indirect form with indirect fields and flags",
            with_table(
                "/AcroForm 6 0 R",
                "/Annots[5 0 R]",
                &[
                    (5, text_field),
                    (6, "<</Fields 7 0 R/SigFlags 8 0 R>>"),
                    (7, "[5 0 R]"),
                    (8, "0"),
                ],
            ),
            table,
        ),
        (
            "one array for fields and annotations",
            with_table(
                "/AcroForm<</Fields 7 0 R>>",
                "/Annots 7 0 R",
                &[(5, text_field), (7, "[5 0 R]")],
            ),
            table,
        ),
        (
            "object streams",
            with_object_streams("", "", &[]),
            XrefKind::Stream,
        ),
        (
            "a form in an object stream",
            with_object_streams(
                "/AcroForm 6 0 R",
                "/Annots 7 0 R",
                &[(5, text_field), (6, "<</Fields[5 0 R]>>"), (7, "[ 5 0 R ]")],
            ),
            XrefKind::Stream,
        ),
        ("a hybrid file", hybrid(), XrefKind::Hybrid),
        ("a generation above 0", generation_2(), table),
    ]
}

pub const TEXT_NOTE: &str = "<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(note)>>";

/// Page 10 has generation 2.
pub fn generation_2() -> Vec<u8> {
    let mut builder = Builder::new();
    builder.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    builder.object(2, &PAGE_TREE.replace("10 0 R", "10 2 R"));
    builder.place(10, Place::File(builder.bytes.len(), 2));
    builder
        .bytes
        .extend_from_slice(b"10 2 obj\n<</Type/Page/Parent 2 0 R>>\nendobj\n");
    builder.end_with_table("");
    builder.bytes
}

/// How many entries the form's /Fields has for lopdf.
pub fn lopdf_fields(bytes: &[u8]) -> usize {
    let document = lopdf::Document::load_mem(bytes).unwrap();
    let resolve = |object: &lopdf::Object| document.dereference(object).unwrap().1.clone();
    let Ok(form) = document.catalog().unwrap().get(b"AcroForm") else {
        return 0;
    };
    let form = resolve(form);
    let fields = resolve(form.as_dict().unwrap().get(b"Fields").unwrap());
    fields.as_array().unwrap().len()
}

/// `qpdf --check` finds neither errors nor warnings, if it is installed.
pub fn qpdf_accepts(name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sealed.pdf");
    std::fs::write(&file, bytes).unwrap();
    match Command::new("qpdf").arg("--check").arg(&file).output() {
        Err(error) => eprintln!("SKIPPED: qpdf --check of {name}: {error}"),
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            assert!(
                output.status.success(),
                "{name}: {}",
                String::from_utf8_lossy(&said)
            );
        }
    }
}

/// A document with one empty signature field, its entries given.
pub fn with_field(entries: &str, others: &[(u32, &str)]) -> Vec<u8> {
    let field =
        format!("<</FT/Sig/T(Village)/Type/Annot/Subtype/Widget/P 10 0 R{entries}/Custom (kept)>>");
    let mut objects = vec![(5, field.as_str())];
    objects.extend_from_slice(others);
    with_table(
        "/AcroForm<</Fields[5 0 R]/SigFlags 1>>",
        "/Annots[5 0 R]",
        &objects,
    )
}
