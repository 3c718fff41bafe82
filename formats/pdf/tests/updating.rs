//! Updates of every form of document: what they touch, what they keep, what they refuse.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::process::Command;

use support::{Builder, Place, find, open, read_all, replaced};
use yinxin_pdf::{
    Appearance, Document, FieldTarget, Note, Object, Placement, PreparedUpdate, SignatureRequest,
    UpdateError, Value, XrefKind, prepare,
};

/// A red square, half a square inch.
fn appearance() -> Appearance {
    Appearance {
        content: b"q 0.9 0 0.07 rg 0 0 100 100 re f Q\n".to_vec(),
        bbox: [0.0, 0.0, 100.0, 100.0],
        alternate_text: "电子印章：示例村".to_owned(),
    }
}

fn request() -> SignatureRequest {
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
    }
}

fn visible(page_index: usize, x_mm: f64, y_mm: f64) -> Placement {
    Placement::Visible {
        page_index,
        x_mm,
        y_mm,
        width_mm: 42.0,
        height_mm: 42.0,
    }
}

fn existing(name: &str) -> SignatureRequest {
    let field = FieldTarget::Existing {
        name: name.to_owned(),
    };
    SignatureRequest { field, ..request() }
}

fn try_prepare(bytes: &[u8], request: &SignatureRequest) -> Result<PreparedUpdate, UpdateError> {
    prepare(&open(bytes).unwrap(), request).map_err(|error| match error {
        yinxin_pdf::PdfError::Update(refusal) => refusal,
        other => panic!("{other}"),
    })
}

/// The document with a signature of `contents` in it.
fn sealed(bytes: &[u8], request: &SignatureRequest, contents: &[u8]) -> Vec<u8> {
    let prepared = try_prepare(bytes, request).unwrap();
    [bytes, &prepared.finish(contents).unwrap()].concat()
}

fn name_of(bytes: &[u8], place: usize) -> String {
    open(bytes).unwrap().signature_fields().unwrap()[place]
        .name
        .clone()
}

fn dictionary_of<'a>(document: &Document<'a>, value: &Value) -> Object<'a> {
    document.object(value.as_reference().unwrap()).unwrap()
}

fn number_list(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_number().unwrap())
        .collect()
}

// ── The documents ────────────────────────────────────────────────────────────

const PAGE_TREE: &str = "<</Type/Pages/Kids[10 0 R]/Count 1/MediaBox[0 0 595 842]>>";

/// Catalog 1, page tree 2, page 10, what else is given, in a table.
fn with_table(catalog: &str, page: &str, others: &[(u32, &str)]) -> Vec<u8> {
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

fn with_object_streams(catalog: &str, page: &str, others: &[(u32, &str)]) -> Vec<u8> {
    let mut builder = Builder::new();
    let catalog = format!("<</Type/Catalog/Pages 2 0 R{catalog}>>");
    let page = format!("<</Type/Page/Parent 2 0 R{page}>>");
    let mut objects = vec![(1, catalog.as_str()), (2, PAGE_TREE), (10, &page)];
    objects.extend_from_slice(others);
    builder.object_stream(20, &objects);
    builder.end_with_stream(21, "/ID[<0102><0304>]");
    builder.bytes
}

fn hybrid() -> Vec<u8> {
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
fn documents() -> Vec<(&'static str, Vec<u8>, XrefKind)> {
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

const TEXT_NOTE: &str = "<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(note)>>";

/// Page 10 has generation 2.
fn generation_2() -> Vec<u8> {
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

// ── What every update is ─────────────────────────────────────────────────────

#[test]
fn two_seals_in_a_row_on_every_form_of_document() {
    for (name, original, kind) in documents() {
        let fields_before = lopdf_fields(&original);
        let first = sealed(&original, &request(), &[1; 600]);
        let again = SignatureRequest {
            placement: visible(0, 20.0, 20.0),
            ..request()
        };
        let second = sealed(&first, &again, &[2; 300]);
        for (bytes, seals) in [(&first, 1), (&second, 2)] {
            // The helper asks for generation 0 everywhere.
            if name != "a generation above 0" {
                read_all(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            let document = open(bytes).unwrap();
            assert_eq!(document.revisions().len(), 1 + seals, "{name}");
            let wanted = if kind == XrefKind::Hybrid {
                XrefKind::Table
            } else {
                kind
            };
            assert_eq!(document.newest().kind, wanted, "{name}");
            let fields = document.signature_fields().unwrap();
            assert_eq!(fields.len(), seals, "{name}");
            for (place, field) in fields.iter().enumerate() {
                assert_eq!(field.name, format!("Seal-{}", place + 1), "{name}");
                assert_eq!(field.page_index, Some(0), "{name}");
                let signature = document.signature(field.value.unwrap()).unwrap();
                assert!(
                    !signature.in_object_stream && signature.contents_is_plain_hex,
                    "{name}"
                );
                assert_eq!(signature.sub_filter.as_deref(), Some("ETSI.CAdES.detached"));
                assert_eq!(signature.name.as_deref(), Some("示例村村民委员会"));
                assert_eq!(signature.reason.as_deref(), Some("(test)"));
                assert_eq!(
                    signature.signing_time_text.as_deref(),
                    Some("D:20261122160000+08'00'")
                );
                assert_eq!(signature.contents_bytes.len(), 600, "{name}");
                let end = document.revisions()[place + 1].end as i64;
                let (start, after) = (
                    signature.contents.start as i64,
                    signature.contents.end as i64,
                );
                assert_eq!(
                    signature.byte_range,
                    [0, start, after, end - after],
                    "{name}"
                );
            }
            assert_eq!(
                lopdf_fields(bytes),
                fields_before + seals,
                "{name}: as lopdf reads it"
            );
            qpdf_accepts(name, bytes);
        }
    }
}

/// How many entries the form's /Fields has for lopdf.
fn lopdf_fields(bytes: &[u8]) -> usize {
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
fn qpdf_accepts(name: &str, bytes: &[u8]) {
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

#[test]
fn the_byte_range_leaves_out_exactly_the_hexadecimal_string() {
    for (name, original, _) in documents() {
        for contents_bytes in [1, 600, 20_000] {
            let request = SignatureRequest {
                contents_bytes,
                ..request()
            };
            let prepared = try_prepare(&original, &request).unwrap();
            let range = prepared.byte_range();
            let whole = [&original[..], prepared.tail()].concat();
            let [zero, before, after, rest] = range.map(|number| usize::try_from(number).unwrap());
            assert_eq!((zero, after + rest), (0, whole.len()), "{name}");
            assert_eq!((whole[before], whole[after - 1]), (b'<', b'>'), "{name}");
            assert_eq!(after - before, 2 * contents_bytes + 2, "{name}");
            assert!(
                whole[before + 1..after - 1]
                    .iter()
                    .all(|digit| *digit == b'0'),
                "{name}"
            );
            assert_eq!(prepared.original_len(), original.len() as u64);

            let covered = prepared.covered(&original).concat();
            assert_eq!(
                covered,
                [&whole[..before], &whole[after..]].concat(),
                "{name}"
            );
            let contents = vec![0xA5; contents_bytes];
            let finished = [&original[..], &prepared.finish(&contents).unwrap()].concat();
            assert_eq!(
                covered,
                [&finished[..before], &finished[after..]].concat(),
                "{name}"
            );
            assert!(
                finished[before + 1..after - 1]
                    .chunks(2)
                    .all(|pair| pair == b"a5"),
                "{name}"
            );
        }
    }
}

#[test]
fn a_signature_that_does_not_fit_is_refused_and_a_short_one_is_padded() {
    let original = with_table("", "", &[]);
    let prepared = try_prepare(&original, &request()).unwrap();
    assert_eq!(prepared.contents_bytes(), 600);
    let error = prepared.finish(&[1; 601]).unwrap_err();
    assert_eq!(error.reason(), "PDF_CONTENTS_TOO_LARGE");
    let bytes = sealed(&original, &request(), b"\x30\x01");
    let document = open(&bytes).unwrap();
    let value = document.signature_fields().unwrap()[0].value.unwrap();
    let contents = document.signature(value).unwrap().contents_bytes;
    assert_eq!(
        (&contents[..2], contents[2..].iter().max()),
        (&b"\x30\x01"[..], Some(&0))
    );
}

#[test]
fn the_same_request_gives_the_same_bytes_and_another_gives_another_identifier() {
    let original = with_object_streams("", "", &[]);
    let identifiers = |tail: &[u8]| {
        let bytes = [&original[..], tail].concat();
        let document = open(&bytes).unwrap();
        let identifiers = document
            .trailer()
            .get(b"ID")
            .unwrap()
            .as_array()
            .unwrap()
            .to_vec();
        let [first, second] = [0, 1].map(|place| identifiers[place].as_string().unwrap().to_vec());
        (first, second)
    };
    let tail = try_prepare(&original, &request()).unwrap().tail().to_vec();
    assert_eq!(tail, try_prepare(&original, &request()).unwrap().tail());
    let (permanent, changing) = identifiers(&tail);
    assert_eq!((permanent, changing.len()), (vec![1, 2], 16));
    let later = SignatureRequest {
        signing_time: 1_795_334_401,
        ..request()
    };
    let other = try_prepare(&original, &later).unwrap();
    assert_ne!(changing, identifiers(other.tail()).1);
}

#[test]
fn untouched_entries_keep_their_bytes() {
    let catalog = "/L#61ng (z\\150)/Outlines<< /Type /Outlines%kept\n>> /Null null";
    let page = "/Annots [ 5 0 R ]/Contents[] /Dur 01.50 /LastModified<44 3A 3>";
    for original in [
        with_table(catalog, page, &[(5, TEXT_NOTE)]),
        with_object_streams(catalog, page, &[(5, TEXT_NOTE)]),
    ] {
        let bytes = sealed(&original, &request(), &[1; 10]);
        let tail = String::from_utf8_lossy(&bytes[original.len()..]).into_owned();
        assert!(
            tail.contains(&format!("<</Type/Catalog/Pages 2 0 R{catalog}/AcroForm ")),
            "{tail}"
        );
        let kept = "<</Type/Page/Parent 2 0 R/Annots [ 5 0 R ";
        assert!(tail.contains(kept), "{tail}");
        let kept = "/Contents[] /Dur 01.50 /LastModified<44 3A 3>>>";
        assert!(tail.contains(kept), "{tail}");
    }
}

#[test]
fn only_the_objects_that_must_change_are_in_the_update() {
    let form = "/AcroForm<</Fields[]/SigFlags 3>>";
    let indirect = &[(6, "<</Fields 7 0 R/SigFlags 3>>"), (7, "[]"), (8, "[]")];
    let cases: [(&str, Vec<u8>, &[u32]); 4] = [
        ("nothing prepared", with_table("", "", &[]), &[1, 10]),
        (
            "a direct form",
            with_table(form, "/Annots[]", &[]),
            &[1, 10],
        ),
        (
            "all indirect",
            with_table("/AcroForm 6 0 R", "/Annots 8 0 R", indirect),
            &[7, 8],
        ),
        (
            "an indirect form",
            with_table("/AcroForm 6 0 R", "", &[(6, "<</Fields[]>>")]),
            &[6, 10],
        ),
    ];
    for (name, original, changed) in cases {
        let numbers_end = open(&original)
            .unwrap()
            .trailer()
            .get(b"Size")
            .unwrap()
            .as_integer();
        let numbers_end = u32::try_from(numbers_end.unwrap()).unwrap();
        let bytes = sealed(&original, &request(), &[1; 10]);
        let document = open(&bytes).unwrap();
        let numbers: Vec<u32> = document
            .newest()
            .entries()
            .map(|(number, _)| number)
            .collect();
        let (old, new): (Vec<u32>, Vec<u32>) = numbers
            .into_iter()
            .partition(|number| *number < numbers_end);
        assert_eq!(old, changed, "{name}");
        assert_eq!(
            new.first(),
            Some(&numbers_end),
            "{name}: numbers go on from the highest"
        );
    }
}

#[test]
fn a_signature_dictionary_has_no_cert_and_a_widget_the_flags_of_pdf_a() {
    let turned = SignatureRequest { placement: visible(0, 120.0, 150.0), ..request() };
    let bytes = sealed(&with_table("", "/Rotate 90", &[]), &turned, &[1; 10]);
    let document = open(&bytes).unwrap();
    let field = &document.signature_fields().unwrap()[0];
    let signature = document.object(field.value.unwrap()).unwrap();
    let dictionary = signature.dictionary().unwrap();
    assert!(dictionary.has_name(b"Type", b"Sig") && dictionary.get(b"Cert").is_none());

    let widget = document.object(field.widget_id.unwrap()).unwrap();
    let widget = widget.dictionary().unwrap();
    assert!(widget.has_name(b"FT", b"Sig") && widget.has_name(b"Subtype", b"Widget"));
    assert_eq!(widget.get(b"F").unwrap().as_integer(), Some(132));
    let turned = widget
        .get(b"MK")
        .unwrap()
        .as_dictionary()
        .unwrap()
        .get(b"R")
        .unwrap();
    assert_eq!(turned.as_integer(), Some(90));
    let spoken = yinxin_pdf::text_string(widget.get(b"TU").unwrap().as_string().unwrap());
    assert_eq!(spoken, "电子印章：示例村");
    let appearances = widget.get(b"AP").unwrap().as_dictionary().unwrap();
    assert_eq!(appearances.entries.len(), 1, "only /N");
    let form = dictionary_of(&document, appearances.get(b"N").unwrap());
    assert_eq!(document.stream_data(&form).unwrap(), appearance().content);
    let form = form.dictionary().unwrap();
    assert!(form.get(b"Group").is_none());
    assert!(
        form.get(b"Resources")
            .unwrap()
            .as_dictionary()
            .unwrap()
            .entries
            .is_empty()
    );
    assert_eq!(
        number_list(form.get(b"Matrix").unwrap()),
        [0.0, 1.0, -1.0, 0.0, 100.0, 0.0]
    );

    // An upright 595 × 842 page turned clockwise: its left edge is on top.
    let points = |mm: f64| mm * 72.0 / 25.4;
    let expected = [points(150.0), points(120.0), points(192.0), points(162.0)];
    let rect = number_list(widget.get(b"Rect").unwrap());
    assert!(
        rect.iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 0.001),
        "{rect:?} {expected:?}"
    );
}

#[test]
fn an_invisible_seal_has_no_area_and_no_appearance() {
    let placement = Placement::Invisible { page_index: 0 };
    let request = SignatureRequest {
        placement,
        ..request()
    };
    let bytes = sealed(&with_table("", "", &[]), &request, &[1; 10]);
    let document = open(&bytes).unwrap();
    let field = &document.signature_fields().unwrap()[0];
    assert_eq!((field.rect, field.page_index), (Some([0.0; 4]), Some(0)));
    let widget = document.object(field.widget_id.unwrap()).unwrap();
    assert!(widget.dictionary().unwrap().get(b"AP").is_none());
    qpdf_accepts("an invisible seal", &bytes);
}

// ── Fields ───────────────────────────────────────────────────────────────────

/// A document with one empty signature field, its entries given.
fn with_field(entries: &str, others: &[(u32, &str)]) -> Vec<u8> {
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

#[test]
fn an_empty_field_is_filled_where_it_stands() {
    let original = with_field("/Rect[100 100 300 200]/F 4", &[]);
    let bytes = sealed(&original, &existing("Village"), &[1; 10]);
    let document = open(&bytes).unwrap();
    let changed: Vec<u32> = document
        .newest()
        .entries()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(
        changed,
        [1, 5, 11, 12],
        "catalog for /SigFlags, field, signature, appearance"
    );
    let field = &document.signature_fields().unwrap()[0];
    let widget = document.object(field.field_id).unwrap();
    let widget = widget.dictionary().unwrap();
    assert!(widget.get(b"Custom").is_some() && widget.get(b"V").is_some());
    let form = dictionary_of(
        &document,
        widget
            .get(b"AP")
            .unwrap()
            .as_dictionary()
            .unwrap()
            .get(b"N")
            .unwrap(),
    );
    let bbox = number_list(form.dictionary().unwrap().get(b"BBox").unwrap());
    assert_eq!(
        bbox,
        [-50.0, 0.0, 150.0, 100.0],
        "centred, its proportions kept"
    );
    let flags = document
        .lookup(document.catalog(), b"AcroForm")
        .unwrap()
        .unwrap();
    let flags = flags
        .as_dictionary()
        .unwrap()
        .get(b"SigFlags")
        .unwrap()
        .as_integer();
    assert_eq!(flags, Some(3));
    qpdf_accepts("an existing field", &bytes);

    let error = try_prepare(&bytes, &existing("Village")).unwrap_err();
    assert_eq!(
        error,
        UpdateError::FieldAlreadySigned {
            name: "Village".to_owned()
        }
    );
}

#[test]
fn a_field_without_area_stays_invisible_and_one_that_does_not_print_is_made_to() {
    let bytes = sealed(
        &with_field("/Rect[0 0 0 0]", &[]),
        &existing("Village"),
        &[1; 10],
    );
    let tail = String::from_utf8_lossy(&bytes).into_owned();
    assert!(
        !tail.contains("/AP") && !tail.contains("/XObject"),
        "{tail}"
    );
    let bytes = sealed(
        &with_field("/Rect[0 0 90 90]/F 128", &[]),
        &existing("Village"),
        &[1; 10],
    );
    find(&bytes, "/F 132");
}

#[test]
fn a_widget_apart_from_its_field_gets_the_appearance_and_the_field_the_value() {
    let widget = "<</Type/Annot/Subtype/Widget/Parent 6 0 R/Rect[0 0 90 90]/P 10 0 R>>";
    let objects = [
        (5, widget),
        (6, "<</T(Group)/Kids[7 0 R]>>"),
        (7, "<</FT/Sig/T(Village)/Parent 6 0 R/Kids[5 0 R]>>"),
    ];
    let original = with_table("/AcroForm<</Fields[6 0 R]>>", "/Annots[5 0 R]", &objects);
    let bytes = sealed(&original, &existing("Group.Village"), &[1; 10]);
    let document = open(&bytes).unwrap();
    let entries = |number| document.object(support::id(number)).unwrap();
    assert!(entries(7).dictionary().unwrap().get(b"V").is_some());
    assert!(entries(5).dictionary().unwrap().get(b"AP").is_some());
    assert!(entries(5).dictionary().unwrap().get(b"V").is_none());
    assert_eq!(name_of(&bytes, 0), "Group.Village");
}

#[test]
fn a_lock_becomes_a_reference_and_then_holds() {
    let lock = "/Lock<</Type/SigFieldLock/Action/Include/Fields[(Other)]/P 2>>/Rect[0 0 9 9]";
    let other = "<</FT/Sig/T(Other)/Type/Annot/Subtype/Widget/P 10 0 R/Rect[0 0 9 9]>>";
    let field = format!("<</FT/Sig/T(Village)/Type/Annot/Subtype/Widget/P 10 0 R{lock}>>");
    let original = with_table(
        "/AcroForm<</Fields[5 0 R 6 0 R]/SigFlags 3>>",
        "/Annots[5 0 R 6 0 R]",
        &[(5, &field), (6, other)],
    );
    let bytes = sealed(&original, &existing("Village"), &[1; 10]);
    find(
        &bytes,
        "/TransformMethod/FieldMDP/Data 1 0 R/TransformParams<</Type/TransformParams/V/1.2/Action /Include/Fields [(Other)]>>",
    );
    qpdf_accepts("a lock", &bytes);
    let by = "Village".to_owned();
    let name = "Other".to_owned();
    assert_eq!(
        try_prepare(&bytes, &existing("Other")).unwrap_err(),
        UpdateError::FieldLocked {
            name,
            by: by.clone()
        }
    );
    // /P of the lock holds like a certification from now on.
    assert_eq!(
        try_prepare(&bytes, &request()).unwrap_err(),
        UpdateError::CertifiedFieldsOnly { by }
    );
}

#[test]
fn names_are_chosen_free_or_refused() {
    let original = with_table("", "", &[]);
    let named = |name: &str| SignatureRequest {
        field: FieldTarget::New {
            name: Some(name.to_owned()),
        },
        ..request()
    };
    let bytes = sealed(&original, &named("Seal-2"), &[1; 10]);
    let bytes = sealed(&bytes, &request(), &[1; 10]);
    let bytes = sealed(&bytes, &request(), &[1; 10]);
    let names: Vec<String> = (0..3).map(|place| name_of(&bytes, place)).collect();
    assert_eq!(names, ["Seal-2", "Seal-1", "Seal-3"]);
    let bytes = sealed(&bytes, &named("村委会"), &[1; 10]);
    assert_eq!(name_of(&bytes, 3), "村委会");
    let refused = |name: &str| try_prepare(&bytes, &named(name)).unwrap_err().reason();
    assert_eq!(refused("Seal-3"), "PDF_FIELD_NAME_TAKEN");
    assert_eq!(refused("村委会"), "PDF_FIELD_NAME_TAKEN");
    assert_eq!(refused(""), "PDF_FIELD_NAME_INVALID");
    assert_eq!(refused("a.b"), "PDF_FIELD_NAME_INVALID");
    assert_eq!(
        try_prepare(&bytes, &existing("Nowhere")).unwrap_err(),
        UpdateError::FieldNotFound {
            name: "Nowhere".to_owned(),
            existing: ["Seal-2", "Seal-1", "Seal-3", "村委会"]
                .map(str::to_owned)
                .to_vec(),
        }
    );
}

// ── Refusals ─────────────────────────────────────────────────────────────────

#[test]
fn what_the_document_forbids_is_refused_with_the_reason() {
    let rect = "/Rect[0 0 90 90]";
    let signed_by = |parameters: &str| {
        let value = format!(
            "<</Type/Sig/ByteRange[0 1 2 3]/Contents<00>/Reference[<</TransformMethod/DocMDP{parameters}>>]>>"
        );
        let certified = "<</FT/Sig/T(Certified)/V 7 0 R>>";
        let field = "<</FT/Sig/T(Village)/Type/Annot/Subtype/Widget/P 10 0 R/Rect[0 0 9 9]>>";
        with_table(
            "/AcroForm<</Fields[5 0 R 6 0 R]>>/Perms<</DocMDP 7 0 R>>",
            "/Annots[5 0 R]",
            &[(5, field), (6, certified), (7, &value)],
        )
    };
    let final_ = signed_by("/TransformParams<</P 1>>");
    let fill_in = signed_by("/TransformParams 8 0 R");
    let annotate = signed_by("/TransformParams<</P 3>>");
    let perms_only = replaced(&final_, "5 0 R 6 0 R", "5 0 R      ");
    let xfa = with_table("/AcroForm<</Fields[]/XFA[]>>", "", &[]);
    let demands = |seed: &str| with_field(&format!("/SV<<{seed}>>{rect}"), &[]);
    let cases = [
        ("XFA", &xfa, request(), "PDF_XFA_FORM"),
        (
            "P 1, a new field",
            &final_,
            request(),
            "PDF_CERTIFIED_FINAL",
        ),
        (
            "P 1, an existing field",
            &final_,
            existing("Village"),
            "PDF_CERTIFIED_FINAL",
        ),
        (
            "P 1, named by /Perms alone",
            &perms_only,
            request(),
            "PDF_CERTIFIED_FINAL",
        ),
        (
            "no parameters, a new field",
            &fill_in,
            request(),
            "PDF_CERTIFIED_FIELDS_ONLY",
        ),
        (
            "P 3, a new field",
            &annotate,
            request(),
            "PDF_CERTIFIED_FIELDS_ONLY",
        ),
        (
            "hidden",
            &with_field(&format!("{rect}/F 6"), &[]),
            existing("Village"),
            "PDF_FIELD_HIDDEN",
        ),
        (
            "a direct /V",
            &with_field(&format!("{rect}/V<<>>"), &[]),
            existing("Village"),
            "PDF_FIELD_ALREADY_SIGNED",
        ),
        (
            "another filter",
            &demands("/Ff 1/Filter/X"),
            existing("Village"),
            "PDF_FIELD_SEED_VALUE",
        ),
        (
            "another subfilter",
            &demands("/Ff 2/SubFilter[/X]"),
            existing("Village"),
            "PDF_FIELD_SEED_VALUE",
        ),
        (
            "another reason",
            &demands("/Ff 8/Reasons[(X)]"),
            existing("Village"),
            "PDF_FIELD_SEED_VALUE",
        ),
        (
            "revocation values",
            &demands("/Ff 32/AddRevInfo true"),
            existing("Village"),
            "PDF_FIELD_SEED_VALUE",
        ),
    ];
    for (name, original, request, reason) in cases {
        let error = try_prepare(original, &request).expect_err(name);
        assert_eq!(error.reason(), reason, "{name}: {error}");
    }
    let accepted = [
        ("P 2, an existing field", &fill_in),
        ("P 3, an existing field", &annotate),
        (
            "seed values met",
            &demands(
                "/Ff 11/Filter/Adobe.PPKLite/SubFilter[/Y/ETSI.CAdES.detached]/Reasons[(X)(\\(test\\))]",
            ),
        ),
        (
            "seed values not demanded",
            &demands("/Filter/X/SubFilter[/X]"),
        ),
    ];
    for (name, original) in accepted {
        let prepared = try_prepare(original, &existing("Village"));
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}

#[test]
fn what_the_request_gets_wrong_is_named() {
    let original = with_table("", "", &[]);
    let cases = [
        (
            "no room",
            SignatureRequest {
                contents_bytes: 0,
                ..request()
            },
            "contents_bytes",
        ),
        (
            "too much room",
            SignatureRequest {
                contents_bytes: usize::MAX,
                ..request()
            },
            "contents_bytes",
        ),
        (
            "no filter",
            SignatureRequest {
                filter: String::new(),
                ..request()
            },
            "filter",
        ),
        (
            "a NUL in a name",
            SignatureRequest {
                sub_filter: "a\0b".to_owned(),
                ..request()
            },
            "sub_filter",
        ),
        (
            "a long reason",
            SignatureRequest {
                reason: Some("因".repeat(1025)),
                ..request()
            },
            "reason",
        ),
        (
            "nothing to show",
            SignatureRequest {
                appearance: None,
                ..request()
            },
            "appearance",
        ),
        (
            "no area to show",
            SignatureRequest {
                appearance: Some(Appearance {
                    bbox: [0.0, 0.0, 0.0, 9.0],
                    ..appearance()
                }),
                ..request()
            },
            "appearance",
        ),
        (
            "no time",
            SignatureRequest {
                signing_time: i64::MIN,
                ..request()
            },
            "signing_time",
        ),
        (
            "no width",
            SignatureRequest {
                placement: Placement::Visible {
                    page_index: 0,
                    x_mm: 0.0,
                    y_mm: 0.0,
                    width_mm: -1.0,
                    height_mm: 9.0,
                },
                ..request()
            },
            "placement",
        ),
    ];
    for (name, request, expected) in cases {
        let error = try_prepare(&original, &request).expect_err(name);
        let UpdateError::RequestInvalid { field, .. } = error else {
            panic!("{name}: {error}")
        };
        assert_eq!(field, expected, "{name}");
    }
    let off = SignatureRequest {
        placement: visible(0, 180.0, 10.0),
        ..request()
    };
    assert_eq!(
        try_prepare(&original, &off).unwrap_err().reason(),
        "PDF_PLACEMENT_OUTSIDE_PAGE"
    );
    let beyond = SignatureRequest {
        placement: visible(1, 10.0, 10.0),
        ..request()
    };
    let error = prepare(&open(&original).unwrap(), &beyond).unwrap_err();
    assert!(matches!(
        error,
        yinxin_pdf::PdfError::PageMissing {
            page_index: 1,
            page_count: 1
        }
    ));
}

#[test]
fn what_is_worth_saying_is_noted() {
    let original = with_table("/AcroForm<</Fields[]/NeedAppearances true>>", "", &[]);
    let prepared = try_prepare(&original, &request()).unwrap();
    assert_eq!(prepared.notes(), [Note::NeedAppearances]);
    let bytes = sealed(&with_table("", "", &[]), &request(), &[1; 10]);
    let over = SignatureRequest {
        placement: visible(0, 100.0, 190.0),
        ..request()
    };
    let prepared = try_prepare(&bytes, &over).unwrap();
    assert_eq!(
        prepared.notes(),
        [Note::OverlapsField {
            name: "Seal-1".to_owned()
        }]
    );
}

// ── Tagged documents ─────────────────────────────────────────────────────────

#[test]
fn the_first_seal_of_a_tagged_document_is_tagged_and_later_ones_leave_the_tree_alone() {
    let element = "<</Type/StructElem/S/Document/P 3 0 R/K 5 0 R>>";
    let paragraph = "<</Type/StructElem/S/P/P 4 0 R/Pg 10 0 R/K 0>>";
    let flat = (
        "a flat tree",
        "<</Type/StructTreeRoot/K[4 0 R]/ParentTree 6 0 R/ParentTreeNextKey 1>>",
        "<</Nums[0 7 0 R]>>",
        1,
    );
    let direct = (
        "a direct tree",
        "<</Type/StructTreeRoot/K 4 0 R/ParentTree<</Nums[5 7 0 R]>>>>",
        "null",
        6,
    );
    let deep = (
        "a deep tree",
        "<</Type/StructTreeRoot/K[4 0 R]/ParentTree 6 0 R>>",
        "<</Kids[8 0 R]>>",
        4,
    );
    let empty = (
        "an empty tree",
        "<</Type/StructTreeRoot/K[4 0 R]/ParentTree 6 0 R>>",
        "<<>>",
        0,
    );
    for (name, root, tree, key) in [flat, direct, deep, empty] {
        let objects = [
            (3, root),
            (4, element),
            (5, paragraph),
            (6, tree),
            (7, "[5 0 R]"),
            (8, "<</Limits[0 3]/Nums 9 0 R>>"),
            (9, "[0 7 0 R 3 7 0 R]"),
        ];
        let original = with_table(
            "/MarkInfo<</Marked true>>/StructTreeRoot 3 0 R",
            "",
            &objects,
        );
        let bytes = sealed(&original, &request(), &[1; 10]);
        let document = open(&bytes).unwrap();
        let widget = document.signature_fields().unwrap()[0].widget_id.unwrap();
        let widget_entries = document.object(widget).unwrap();
        let parent_key = widget_entries
            .dictionary()
            .unwrap()
            .get(b"StructParent")
            .unwrap();
        assert_eq!(parent_key.as_integer(), Some(key), "{name}");
        let parent = document.object(support::id(4)).unwrap();
        let kids = parent
            .dictionary()
            .unwrap()
            .get(b"K")
            .unwrap()
            .as_array()
            .unwrap();
        assert_eq!(kids[0].as_reference(), Some(support::id(5)), "{name}");
        let form = dictionary_of(&document, &kids[1]);
        let form = form.dictionary().unwrap();
        assert!(form.has_name(b"S", b"Form"), "{name}");
        let marked = form.get(b"K").unwrap().as_dictionary().unwrap();
        assert_eq!(
            marked.get(b"Obj").unwrap().as_reference(),
            Some(widget),
            "{name}"
        );
        let root = document.object(support::id(3)).unwrap();
        let next = root
            .dictionary()
            .unwrap()
            .get(b"ParentTreeNextKey")
            .unwrap()
            .as_integer();
        assert_eq!(next, Some(key + 1), "{name}");
        let tail = String::from_utf8_lossy(&bytes[original.len()..]).into_owned();
        assert!(tail.contains("/Tabs /S"), "{name}");
        assert_eq!(
            tail.contains(&format!("/Limits [0 {key}]")),
            name == "a deep tree",
            "{tail}"
        );
        qpdf_accepts(name, &bytes);

        let again = SignatureRequest {
            placement: visible(0, 20.0, 20.0),
            ..request()
        };
        let prepared = try_prepare(&bytes, &again).unwrap();
        assert_eq!(prepared.notes(), [Note::NotTagged], "{name}");
        assert!(
            !String::from_utf8_lossy(prepared.tail()).contains("StructParent"),
            "{name}"
        );
    }
    let odd = with_table(
        "/StructTreeRoot 3 0 R",
        "",
        &[(3, "<</Type/StructTreeRoot>>")],
    );
    assert_eq!(
        try_prepare(&odd, &request()).unwrap().notes(),
        [Note::NotTagged]
    );
}
