//! Signature fields and signature dictionaries, right and wrong.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{Builder, find, id, open};
use yinxin_pdf::{PdfError, SignatureField, SignatureProblem};

/// Two pages (10 and 11) and a form with the given `/Fields`.
fn form(fields: &str, objects: &[(u32, &str)]) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.object(
        1,
        &format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{fields}]>>>>"),
    );
    builder.pages(2);
    for (number, body) in objects {
        builder.object(*number, body);
    }
    builder.end_with_table("");
    builder.bytes
}

fn fields(bytes: &[u8]) -> Result<Vec<SignatureField>, PdfError> {
    open(bytes)?.signature_fields()
}

#[test]
fn names_types_and_values_come_from_above() {
    let bytes = form(
        "20 0 R 23 0 R 24 0 R 25 0 R 99 0 R null",
        &[
            (20, "<</T(a)/FT/Sig/V 30 0 R/Kids[21 0 R 22 0 R]>>"),
            (21, "<</T(b)/Subtype/Widget/Rect[1 2 3 4]/P 10 0 R>>"),
            (
                22,
                "<</T<feff5370>/Subtype/Widget/Rect[30 40 10 20]/P 11 0 R/V 31 0 R>>",
            ),
            (23, "<</T(text)/FT/Tx/V(signed by nobody)>>"),
            (24, "<</T(empty)/FT/Sig/Subtype/Widget/Rect[0 0 0 0]>>"),
            (25, "<</T(seam)/FT/Sig/V 30 0 R/Kids[26 0 R 27 0 R]>>"),
            (26, "<</Subtype/Widget/Rect[0 0 1 1]/P 10 0 R>>"),
            (27, "<</Subtype/Widget/Rect[0 0 1 1]/P 11 0 R>>"),
        ],
    );
    let fields = fields(&bytes).unwrap();
    let seen: Vec<_> = fields
        .iter()
        .map(|field| {
            (
                field.name.as_str(),
                field.field_id.number,
                field.page_index,
                field.value,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("a.b", 21, Some(0), Some(id(30))),
            ("a.印", 22, Some(1), Some(id(31))),
            ("empty", 24, None, None),
            ("seam", 25, Some(0), Some(id(30))),
            ("seam", 25, Some(1), Some(id(30))),
        ]
    );
    assert_eq!(fields[1].rect, Some([10.0, 20.0, 30.0, 40.0]));
    assert_eq!(fields[0].revision_index, None, "30 does not exist");
    assert_eq!(
        (fields[3].widget_id, fields[4].widget_id),
        (Some(id(26)), Some(id(27)))
    );
}

#[test]
fn a_widget_without_page_is_found_on_the_page_that_shows_it() {
    let mut builder = Builder::new();
    builder.object(1, "<</Type/Catalog/Pages 2 0 R/AcroForm 5 0 R>>");
    builder.pages(2);
    builder.object(5, "<</Fields 6 0 R>>");
    builder.object(6, "[20 0 R]");
    builder.object(20, "<</T(s)/FT/Sig/Subtype/Widget/Rect[0 0 1 1]/V 30 0 R>>");
    builder.object(11, "<</Type/Page/Annots 7 0 R>>");
    builder.object(7, "[40 0 R 20 0 R]");
    builder.end_with_table("");
    builder.object(30, "<</Type/Sig>>");
    builder.end_with_table("");
    let fields = fields(&builder.bytes).unwrap();
    assert_eq!(fields[0].page_index, Some(1));
    assert_eq!(fields[0].revision_index, Some(1));
}

#[test]
fn a_signature_whose_widgets_are_gone_is_still_listed() {
    let bytes = form(
        "20 0 R",
        &[(20, "<</T(s)/FT/Sig/V 30 0 R/Kids[98 0 R 99 0 R]>>")],
    );
    let fields = fields(&bytes).unwrap();
    assert_eq!(
        (fields.len(), fields[0].value, fields[0].widget_id),
        (1, Some(id(30)), None)
    );
}

#[test]
fn a_direct_value_is_a_problem_of_its_field_only() {
    let bytes = form(
        "20 0 R 21 0 R",
        &[
            (20, "<</T(s)/FT/Sig/V<</Type/Sig>>>>"),
            (21, "<</T(t)/FT/Sig/V 30 0 R>>"),
        ],
    );
    let fields = fields(&bytes).unwrap();
    assert_eq!(fields[0].problem, Some(SignatureProblem::ValueNotIndirect));
    assert_eq!((fields[0].value, fields[1].value), (None, Some(id(30))));
}

#[test]
fn a_field_tree_that_is_none_is_refused() {
    for (what, roots, objects, expected) in [
        (
            "twice",
            "20 0 R 20 0 R",
            vec![(20, "<</T(s)/FT/Sig>>")],
            "PDF_FORM_BROKEN",
        ),
        (
            "a loop",
            "20 0 R",
            vec![(20, "<</T(s)/Kids[20 0 R]>>")],
            "PDF_FORM_BROKEN",
        ),
        (
            "a loop of widgets",
            "20 0 R",
            vec![
                (20, "<</T(s)/FT/Sig/Kids[21 0 R 21 0 R]>>"),
                (21, "<</Subtype/Widget>>"),
            ],
            "PDF_FORM_BROKEN",
        ),
        ("direct", "<</T(s)/FT/Sig>>", vec![], "PDF_FORM_BROKEN"),
        ("a number", "20 0 R", vec![(20, "5")], "PDF_FORM_BROKEN"),
        (
            "a stream",
            "20 0 R",
            vec![(20, "<</T(s)/FT/Sig/Length 0>>\nstream\n\nendstream")],
            "PDF_FORM_BROKEN",
        ),
        (
            "a stream as widget",
            "20 0 R",
            vec![
                (20, "<</T(s)/FT/Sig/Kids[21 0 R]>>"),
                (21, "<</Subtype/Widget/Length 0>>\nstream\n\nendstream"),
            ],
            "PDF_FORM_BROKEN",
        ),
        (
            "a name as name",
            "20 0 R",
            vec![(20, "<</T/s/FT/Sig>>")],
            "PDF_FORM_BROKEN",
        ),
        (
            "kids that are none",
            "20 0 R",
            vec![(20, "<</T(s)/Kids 5>>")],
            "PDF_FORM_BROKEN",
        ),
        (
            "a rectangle that is none",
            "20 0 R",
            vec![(20, "<</T(s)/FT/Sig/Subtype/Widget/Rect 5>>")],
            "PDF_WRONG_TYPE",
        ),
    ] {
        let result = fields(&form(roots, &objects));
        assert_eq!(result.unwrap_err().reason(), expected, "{what}");
    }
}

#[test]
fn too_many_signatures_are_refused_but_empty_fields_and_seam_stamps_are_not() {
    let count = |value: fn(u32) -> String| {
        let numbers = 100..165;
        let roots: Vec<_> = numbers
            .clone()
            .map(|number| format!("{number} 0 R"))
            .collect();
        let bodies: Vec<_> = numbers
            .map(|number| (number, format!("<</T({number})/FT/Sig{}>>", value(number))))
            .collect();
        let objects: Vec<_> = bodies
            .iter()
            .map(|(number, body)| (*number, body.as_str()))
            .collect();
        fields(&form(&roots.join(" "), &objects)).map(|fields| fields.len())
    };
    assert_eq!(count(|_| String::new()), Ok(65));
    assert_eq!(count(|_| "/V 9 0 R".to_owned()), Ok(65));
    let error = count(|number| format!("/V {} 0 R", number + 200)).unwrap_err();
    assert_eq!(
        error,
        PdfError::LimitExceeded {
            limit: "signatures_max",
            value: 65,
            max: 64
        }
    );
}

const RIGHT: &str = "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached\
    /ByteRange[0 10 20 -30]/Contents<3000aB>/M(D:20260101)/Name(\\376\\3775p)/Reason(r)\
    /Location 31 0 R/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>>]>>";

#[test]
fn a_signature_dictionary_is_read_with_its_places() {
    let bytes = form("", &[(30, RIGHT), (31, "(here)")]);
    let document = open(&bytes).unwrap();
    let signature = document.signature(id(30)).unwrap();
    assert_eq!(&bytes[signature.contents.clone()], b"<3000aB>");
    assert_eq!(signature.contents.start, find(&bytes, "<3000aB>"));
    assert_eq!(signature.contents_bytes, [0x30, 0x00, 0xab]);
    assert!(signature.contents_is_plain_hex && !signature.in_object_stream);
    assert_eq!(signature.byte_range, [0, 10, 20, -30]);
    assert_eq!(&bytes[signature.byte_range_span.clone()], b"[0 10 20 -30]");
    assert_eq!(&bytes[signature.span.clone()], RIGHT.as_bytes());
    assert!(bytes[signature.object_span.clone()].starts_with(b"30 0 obj"));
    assert_eq!(signature.type_.as_deref(), Some("Sig"));
    assert_eq!(signature.filter.as_deref(), Some("Adobe.PPKLite"));
    assert_eq!(signature.sub_filter.as_deref(), Some("ETSI.CAdES.detached"));
    assert_eq!(signature.signing_time_text.as_deref(), Some("D:20260101"));
    assert_eq!(signature.name.as_deref(), Some("㕰"));
    assert_eq!(signature.reason.as_deref(), Some("r"));
    assert_eq!(signature.location.as_deref(), Some("here"));
    assert_eq!(
        (signature.has_doc_mdp, signature.doc_mdp_permissions),
        (true, Some(1))
    );
    assert_eq!(signature.revision_index, 0);
}

/// Spec 4.4, 1, 10 and 11.
#[test]
fn a_signature_of_an_impossible_shape_is_refused_with_the_clause() {
    let shape = |from: &str, to: &str| {
        let body = RIGHT.replace(from, to);
        let bytes = form("", &[(30, &body), (31, "(here)")]);
        open(&bytes).unwrap().signature(id(30)).unwrap_err()
    };
    let (range, contents) = ("/ByteRange[0 10 20 -30]", "/Contents<3000aB>");
    for (what, from, to, expected) in [
        ("no range", range, "", SignatureProblem::ByteRangeMissing),
        (
            "a null range",
            range,
            "/ByteRange null",
            SignatureProblem::ByteRangeMissing,
        ),
        (
            "a range that is a number",
            range,
            "/ByteRange 5",
            SignatureProblem::ByteRangeNotAnArray,
        ),
        (
            "an indirect range",
            range,
            "/ByteRange 31 0 R",
            SignatureProblem::ByteRangeIndirect,
        ),
        (
            "a real",
            range,
            "/ByteRange[0 1.0 2 3]",
            SignatureProblem::ByteRangeElement { index: 1 },
        ),
        (
            "an indirect number",
            range,
            "/ByteRange[0 1 2 31 0 R]",
            SignatureProblem::ByteRangeElement { index: 3 },
        ),
        (
            "no contents",
            contents,
            "",
            SignatureProblem::ContentsMissing,
        ),
        (
            "null contents",
            contents,
            "/Contents null",
            SignatureProblem::ContentsMissing,
        ),
        (
            "empty contents",
            contents,
            "/Contents<>",
            SignatureProblem::ContentsEmpty,
        ),
        (
            "literal contents",
            contents,
            "/Contents(abc)",
            SignatureProblem::ContentsLiteral,
        ),
        (
            "indirect contents",
            contents,
            "/Contents 31 0 R",
            SignatureProblem::ContentsIndirect,
        ),
        (
            "contents that are a name",
            contents,
            "/Contents/abc",
            SignatureProblem::ContentsNotAString,
        ),
    ] {
        let error = shape(from, to);
        let PdfError::SignatureShape { problem, .. } = error else {
            panic!("{what}: {error}")
        };
        assert_eq!(problem, expected, "{what}");
        assert!(error.to_string().contains("ISO 32000-2, 12.8.1"), "{error}");
    }
    for (what, from, to) in [
        ("a second range", "/M(", "/ByteRange[0 1 2 3]/M("),
        ("second contents", "/M(", "/Contents<00>/M("),
        ("second contents, disguised", "/M(", "/#43ontents<00>/M("),
    ] {
        assert_eq!(shape(from, to).reason(), "PDF_DUPLICATE_KEY", "{what}");
    }
}

#[test]
fn contents_with_white_space_or_half_a_byte_are_reported() {
    for (what, contents, bytes, is_plain) in [
        ("plain", "<0aFF>", vec![0x0a, 0xff], true),
        ("a blank inside", "<0a FF>", vec![0x0a, 0xff], false),
        ("a line end at the end", "<0aFF\n>", vec![0x0a, 0xff], false),
        ("an odd digit", "<0aF>", vec![0x0a, 0xf0], false),
        (
            "an odd digit and a blank",
            "<0aF >",
            vec![0x0a, 0xf0],
            false,
        ),
    ] {
        let file = form("", &[(30, &RIGHT.replace("<3000aB>", contents))]);
        let signature = open(&file).unwrap().signature(id(30)).unwrap();
        assert_eq!(signature.contents_bytes, bytes, "{what}");
        assert_eq!(signature.contents_is_plain_hex, is_plain, "{what}");
    }
}

#[test]
fn a_signature_in_an_object_stream_says_so() {
    let mut builder = Builder::with_pages(1);
    builder.object_stream(5, &[(30, RIGHT)]);
    builder.end_with_stream(6, "");
    let signature = open(&builder.bytes).unwrap().signature(id(30)).unwrap();
    assert!(signature.in_object_stream);
}

#[test]
fn each_revision_has_its_own_signature_dictionary() {
    let mut builder = Builder::with_pages(1);
    builder.object(30, RIGHT);
    builder.end_with_table("");
    builder.object(30, &RIGHT.replace("3000aB", "00"));
    builder.end_with_table("");
    let document = open(&builder.bytes).unwrap();
    assert_eq!(
        document
            .signature_at(id(30), 0)
            .unwrap()
            .contents_bytes
            .len(),
        3
    );
    assert_eq!(document.signature(id(30)).unwrap().contents_bytes.len(), 1);
    let error = document.signature(id(1)).unwrap_err();
    assert!(matches!(error, PdfError::SignatureShape { .. }));
}
