//! Fields old and new, what a document forbids, and what a request gets wrong.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod sealing;
mod support;

use sealing::{
    appearance, dictionary_of, existing, name_of, number_list, qpdf_accepts, request, sealed,
    try_prepare, visible, with_field, with_table,
};
use support::{find, open, replaced};
use yinxin_pdf::{
    Appearance, FieldTarget, Note, Placement, SignatureRequest, UpdateError, prepare,
};

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
            "on no page",
            &replaced(&with_field(rect, &[]), "/Annots[5 0 R]", "/Annots[7 0 R]"),
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
fn a_stream_in_the_place_of_a_dictionary_is_never_rewritten() {
    // The update would write the dictionary without the data, and page 10 would lose its content.
    let content = "<</Fields[]/Length 12>>\nstream\n0 0 9 9 re f\nendstream";
    let form = with_table("/AcroForm 5 0 R", "/Contents 5 0 R", &[(5, content)]);
    let error = prepare(&open(&form).unwrap(), &request()).unwrap_err();
    assert_eq!(error.reason(), "PDF_FORM_BROKEN");

    let leaf = content.replace("/Fields", "/Nums");
    let catalog = "/MarkInfo<</Marked true>>/StructTreeRoot 6 0 R";
    let root = "<</Type/StructTreeRoot/ParentTree 5 0 R/K[]>>";
    let tags = with_table(catalog, "/Contents 5 0 R", &[(5, &leaf), (6, root)]);
    let bytes = sealed(&tags, &request(), &[1; 10]);
    let entries = open(&bytes).unwrap();
    assert!(entries.newest().entries().all(|(number, _)| number != 5));
}

#[test]
fn a_field_is_looked_for_on_the_pages_when_its_own_word_is_wrong() {
    let original = with_field("/Rect[100 100 300 200]/F 4", &[]);
    let original = replaced(&original, "/P 10 0 R", "/P 77 0 R");
    sealed(&original, &existing("Village"), &[1; 10]);
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
