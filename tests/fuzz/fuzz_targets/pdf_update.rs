//! Prepares and finishes a signature in whatever opens.
//!
//! Laws: the result opens, begins with the original, has one revision more, and the field with our
//! signature in it; the byte range leaves out exactly `/Contents`; no other signature is lost; the
//! pages show what they showed, but for annotations.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_fuzz::{limits, script, view};
use yinxin_pdf::{
    Appearance, Document, FieldTarget, Limits, ObjectId, PdfError, Placement, SignatureOptions,
    SignatureRequest, Value, prepare,
};

/// What an update sets in pages, fields, forms and structure trees. A hostile document may use one
/// object for one of these and for something that a page shows; there these keys mean nothing.
const BUT: [&[u8]; 14] = [
    b"AcroForm",
    b"Annots",
    b"AP",
    b"F",
    b"Fields",
    b"K",
    b"Limits",
    b"Nums",
    b"ParentTree",
    b"ParentTreeNextKey",
    b"SigFlags",
    b"StructParent",
    b"Tabs",
    b"V",
];

fuzz_target!(|input: &[u8]| {
    let (kind, script) = match input.split_first() {
        Some((_, _)) if input.starts_with(b"%PDF-") => (0, input),
        Some((kind, script)) => (*kind, script),
        None => return,
    };
    let file = script::document(script);
    if let Err(error) = update(&file, kind) {
        let _ = (error.reason(), error.to_string());
    }
});

fn update(file: &[u8], kind: u8) -> Result<(), PdfError> {
    let document = Document::open(file, limits())?;
    let before = document.signature_fields()?;
    let empty = before.iter().find(|field| field.value.is_none());
    let field = match (kind & 1, empty) {
        (1, Some(field)) => FieldTarget::Existing {
            name: field.name.clone(),
        },
        _ if kind & 4 != 0 => FieldTarget::New {
            name: Some("印章".to_owned()),
        },
        _ => FieldTarget::New { name: None },
    };
    let placement = if kind & 2 == 0 {
        Placement::Visible {
            page_index: 0,
            x_mm: 10.0,
            y_mm: 10.0,
            width_mm: 12.0,
            height_mm: 8.0,
        }
    } else {
        Placement::Invisible {
            page_index: usize::from(kind >> 7),
        }
    };
    let request = SignatureRequest {
        field,
        placement,
        appearance: (kind & 8 == 0).then(|| Appearance {
            content: b"0 0 100 100 re f".as_slice().into(),
            bbox: [0.0, 0.0, 100.0, 100.0],
            alternate_text: "印章 (seal)".to_owned(),
            image: None,
        }),
        filter: "Adobe.PPKLite".to_owned(),
        sub_filter: "ETSI.CAdES.detached".to_owned(),
        contents_bytes: 40,
        signing_time: 1_795_334_400,
        signing_offset_minutes: 480,
        name: Some("示例村".to_owned()),
        reason: None,
        location: None,
        options: SignatureOptions::default(),
    };
    let prepared = prepare(&document, &request)?;
    let name = prepared.field_name().to_owned();
    let byte_range = prepared.byte_range();
    let covered = prepared.covered(file).concat();
    let tail = prepared.finish(b"\x30\x03\x02\x01\x05")?;
    let result = [file, &tail].concat();

    // Our own result may need a little more than the limits the original just kept.
    let updated = Document::open(&result, Limits::default()).expect("the result opens");
    assert_eq!(updated.revisions().len(), document.revisions().len() + 1);
    assert_eq!(updated.page_count(), document.page_count());
    let after = updated.signature_fields().expect("the result's form reads");
    for old in before.iter().filter(|field| field.name != name) {
        let kept = after.iter().find(|field| field.field_id == old.field_id);
        assert_eq!(
            kept.and_then(|field| field.value),
            old.value,
            "{}",
            old.name
        );
    }
    let ours: Vec<_> = after.iter().filter(|field| field.name == name).collect();
    // One for each widget.
    assert!(!ours.is_empty(), "{name}: {after:?}");
    let value = ours[0].value.expect("the field is signed");
    let signature = updated.signature(value).expect("the signature reads");
    assert_eq!(signature.contents_bytes.len(), 40);
    assert!(
        signature
            .contents_bytes
            .starts_with(b"\x30\x03\x02\x01\x05")
    );
    let [start, first, second, rest] = byte_range;
    let numbers: Vec<u64> = signature
        .byte_range
        .iter()
        .map(|number| u64::try_from(*number).expect("not negative"))
        .collect();
    assert_eq!(numbers, byte_range);
    assert_eq!((start, second + rest), (0, result.len() as u64));
    assert_eq!(signature.contents, first as usize..second as usize);
    assert_eq!(
        covered,
        [&result[..first as usize], &result[second as usize..]].concat()
    );
    let area = |[left, bottom, right, top]: [f64; 4]| right > left && top > bottom;
    let visible = ours.iter().find(|field| field.rect.is_some_and(area));
    if request.appearance.is_some()
        && let Some(visible) = visible
    {
        let widget = visible.widget_id.expect("what has a place is a widget");
        assert!(is_shown(&updated, widget), "on no page: {after:?}");
    }

    let shown = Document::open(file, Limits::default()).and_then(|file| view::pages(&file, &BUT));
    if let Ok(shown) = shown {
        assert_eq!(view::pages(&updated, &BUT), Ok(shown));
    }
    Ok(())
}

/// Whether a page has the widget among its annotations.
fn is_shown(document: &Document<'_>, widget: ObjectId) -> bool {
    let pages = document.page_count().expect("the pages can be counted");
    (0..pages).any(|page_index| {
        let page = document.page(page_index).expect("the page reads");
        let entries = page.dictionary.dictionary().expect("a page is one");
        let annotations = document.lookup(entries, b"Annots").expect("they read");
        let annotations = annotations.as_ref().and_then(Value::as_array);
        let is_ours = |one: &Value| one.as_reference() == Some(widget);
        annotations.unwrap_or_default().iter().any(is_ours)
    })
}
