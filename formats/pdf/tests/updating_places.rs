//! One signature in many places, with pictures, for others, and as a certification.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod sealing;
mod support;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use sealing::{
    appearance, dictionary_of, existing, number_list, qpdf_accepts, request, sealed, try_prepare,
    visible, with_table,
};
use support::{Builder, open};
use yinxin_pdf::{
    Appearance, Certification, EmptyField, FieldFamily, FieldTarget, Image, Note, Part, Placement,
    SignatureOptions, SignatureRequest, Spot, UpdateError,
};

/// The right edge of A4, cut into `count` strips from the left.
fn strips(count: usize) -> Vec<Spot> {
    let width_mm = 42.0 / count as f64;
    (0..count)
        .map(|page_index| Spot {
            page_index,
            x_mm: 209.9 - width_mm,
            y_mm: 100.0,
            width_mm,
            height_mm: 42.0,
            part: Part {
                left: page_index as f64 / count as f64,
                right: (page_index + 1) as f64 / count as f64,
                ..Part::WHOLE
            },
        })
        .collect()
}

fn with_pages(pages: u32) -> Vec<u8> {
    let mut builder = Builder::with_pages(pages);
    builder.end_with_table("");
    builder.bytes
}

fn places(spots: Vec<Spot>) -> SignatureRequest {
    SignatureRequest {
        placement: Placement::Places(spots),
        ..request()
    }
}

/// A picture of 4 × 4 pixels.
fn picture(shade: u8) -> Appearance {
    let deflated = |bytes: &[u8]| {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let row = |samples: usize| [vec![0], vec![shade; samples]].concat();
    let image = Image {
        width: 4,
        height: 4,
        colour: deflated(&row(12).repeat(4)),
        alpha: Some(deflated(&row(4).repeat(4))),
    };
    Appearance {
        content: b"q 100 0 0 100 0 0 cm /Im0 Do Q\n".as_slice().into(),
        image: Some(Arc::new(image)),
        ..appearance()
    }
}

fn count(bytes: &[u8], needle: &str) -> usize {
    let found = bytes.windows(needle.len());
    found.filter(|part| *part == needle.as_bytes()).count()
}

#[test]
fn a_seam_stamp_is_one_signature_with_a_field_for_each_page() {
    for pages in [2_usize, 7] {
        let original = with_pages(pages as u32);
        let bytes = sealed(&original, &places(strips(pages)), &[1; 10]);
        qpdf_accepts("a seam stamp", &bytes);
        let document = open(&bytes).unwrap();
        let fields = document.signature_fields().unwrap();
        assert_eq!(fields.len(), pages);
        for (index, field) in fields.iter().enumerate() {
            assert_eq!(field.name, format!("Seal-1-p{}", index + 1));
            assert_eq!(field.page_index, Some(index));
            assert_eq!(field.value, fields[0].value);
            let widget = document.object(field.widget_id.unwrap()).unwrap();
            let normal = widget.dictionary().unwrap().get(b"AP").unwrap();
            let normal = normal.as_dictionary().unwrap().get(b"N").unwrap();
            let form = dictionary_of(&document, normal);
            let bbox = number_list(form.dictionary().unwrap().get(b"BBox").unwrap());
            let from = 100.0 * index as f64 / pages as f64;
            assert!((bbox[0] - from).abs() < 0.02, "{bbox:?}");
            assert!((bbox[2] - from - 100.0 / pages as f64).abs() < 0.02);
            assert_eq!((bbox[1], bbox[3]), (0.0, 100.0));
        }
        let prepared = try_prepare(&original, &places(strips(pages))).unwrap();
        assert_eq!(prepared.field_name(), "Seal-1-p1");

        // A second one comes after it.
        let again = sealed(&bytes, &places(strips(pages)), &[2; 10]);
        let fields = open(&again).unwrap().signature_fields().unwrap();
        assert_eq!(fields.len(), 2 * pages);
        assert_eq!(fields[pages].name, "Seal-2-p1");
        let prepared = try_prepare(&bytes, &places(strips(pages))).unwrap();
        let name = "Seal-1-p1".to_owned();
        assert!(prepared.notes().contains(&Note::OverlapsField { name }));
    }
}

#[test]
fn one_seal_on_all_of_300_pages_is_drawn_once_and_fast() {
    let original = with_pages(300);
    let spots = (0..300)
        .map(|page_index| Spot {
            page_index,
            x_mm: 120.0,
            y_mm: 200.0,
            width_mm: 42.0,
            height_mm: 42.0,
            part: Part::WHOLE,
        })
        .collect();
    let start = Instant::now();
    let bytes = sealed(&original, &places(spots), &[1; 10]);
    eprintln!(
        "300 places: {:?}, {} bytes more",
        start.elapsed(),
        bytes.len() - original.len()
    );
    assert!(start.elapsed().as_secs() < 5);
    assert_eq!(count(&bytes, "/Subtype/Form"), 2);
    assert_eq!(open(&bytes).unwrap().signature_fields().unwrap().len(), 300);
    qpdf_accepts("300 places", &bytes);
}

#[test]
fn a_picture_is_stored_once_in_a_file() {
    let original = with_pages(7);
    let with = |shade: u8, request: SignatureRequest| SignatureRequest {
        appearance: Some(picture(shade)),
        ..request
    };
    let first = sealed(&original, &with(1, places(strips(7))), &[1; 10]);
    assert_eq!(count(&first, "/Subtype/Image"), 2);
    let second = sealed(&first, &with(1, request()), &[1; 10]);
    assert_eq!(count(&second, "/Subtype/Image"), 2, "the same picture");
    let third = sealed(&second, &with(2, request()), &[1; 10]);
    assert_eq!(count(&third, "/Subtype/Image"), 4, "another picture");
    let fourth = sealed(&third, &with(2, places(strips(7))), &[1; 10]);
    assert_eq!(count(&fourth, "/Subtype/Image"), 4, "the other one again");
    qpdf_accepts("pictures", &fourth);
}

#[test]
fn several_places_of_a_tagged_document_are_all_tagged() {
    let objects = [
        (
            3,
            "<</Type/StructTreeRoot/K[4 0 R]/ParentTree 6 0 R/ParentTreeNextKey 1>>",
        ),
        (4, "<</Type/StructElem/S/Document/P 3 0 R/K 5 0 R>>"),
        (5, "<</Type/StructElem/S/P/P 4 0 R/Pg 10 0 R/K 0>>"),
        (6, "<</Nums[0 7 0 R]>>"),
        (7, "[5 0 R]"),
    ];
    let original = with_table(
        "/MarkInfo<</Marked true>>/StructTreeRoot 3 0 R",
        "",
        &objects,
    );
    let spot = |y_mm: f64| Spot {
        page_index: 0,
        x_mm: 20.0,
        y_mm,
        width_mm: 42.0,
        height_mm: 42.0,
        part: Part::WHOLE,
    };
    let bytes = sealed(
        &original,
        &places(vec![spot(20.0), spot(90.0), spot(160.0)]),
        &[1; 10],
    );
    qpdf_accepts("tagged", &bytes);
    let document = open(&bytes).unwrap();
    let rows = document
        .object(yinxin_pdf::ObjectId::new(6, 0))
        .unwrap()
        .dictionary()
        .unwrap()
        .get(b"Nums")
        .unwrap()
        .as_array()
        .unwrap()
        .to_vec();
    assert_eq!(rows.len(), 8);
    for (place, field) in document.signature_fields().unwrap().iter().enumerate() {
        let widget = document.object(field.widget_id.unwrap()).unwrap();
        let key = widget.dictionary().unwrap().get(b"StructParent").unwrap();
        assert_eq!(key.as_integer(), Some(1 + place as i64));
        let element = dictionary_of(&document, &rows[3 + 2 * place]);
        let marked = element.dictionary().unwrap().get(b"K").unwrap();
        let object = marked.as_dictionary().unwrap().get(b"Obj").unwrap();
        assert_eq!(object.as_reference(), field.widget_id);
    }
}

fn family(certification: Option<Certification>) -> SignatureRequest {
    let empty = |name: &str, y_mm: f64, closes_document: bool| EmptyField {
        name: name.to_owned(),
        placement: visible(0, 20.0, y_mm),
        description: format!("{name}盖章处"),
        closes_document,
    };
    SignatureRequest {
        field: FieldTarget::New {
            name: Some("甲方".to_owned()),
        },
        options: SignatureOptions {
            certification,
            family: Some(FieldFamily {
                parent: "SigningPlan".to_owned(),
                empty: vec![empty("乙方", 20.0, false), empty("丙方", 90.0, true)],
            }),
            ..SignatureOptions::default()
        },
        ..request()
    }
}

#[test]
fn fields_for_later_signers_come_with_the_first_signature_and_are_signed_by_name() {
    let first = sealed(
        &with_pages(1),
        &family(Some(Certification::FillingAndSigning)),
        &[1; 10],
    );
    qpdf_accepts("a family", &first);
    {
        let document = open(&first).unwrap();
        let names: Vec<String> = document
            .signature_fields()
            .unwrap()
            .into_iter()
            .map(|field| field.name)
            .collect();
        assert_eq!(
            names,
            ["SigningPlan.甲方", "SigningPlan.乙方", "SigningPlan.丙方"]
        );
        let signed = document.signature_fields().unwrap()[0].value.unwrap();
        assert_eq!(
            document.signature(signed).unwrap().doc_mdp_permissions,
            Some(2)
        );
        let permissions = document.catalog().get(b"Perms").unwrap();
        let certifying = permissions.as_dictionary().unwrap().get(b"DocMDP").unwrap();
        assert_eq!(certifying.as_reference(), Some(signed));
    }
    assert!(matches!(
        try_prepare(&first, &request()),
        Err(UpdateError::CertifiedFieldsOnly { .. })
    ));
    assert!(matches!(
        try_prepare(&first, &family(None)),
        Err(UpdateError::CertifiedFieldsOnly { .. })
    ));
    let second = sealed(&first, &existing("SigningPlan.乙方"), &[2; 10]);
    let third = sealed(&second, &existing("SigningPlan.丙方"), &[3; 10]);
    qpdf_accepts("three parties", &third);
    assert!(matches!(
        try_prepare(&third, &request()),
        Err(UpdateError::CertifiedFinal { .. } | UpdateError::CertifiedFieldsOnly { .. })
    ));
}

#[test]
fn what_only_the_first_signature_may_do_is_refused_later() {
    let once = sealed(&with_pages(1), &request(), &[1; 10]);
    let certifying = SignatureRequest {
        options: SignatureOptions {
            certification: Some(Certification::NoChanges),
            ..SignatureOptions::default()
        },
        ..request()
    };
    for (what, asked) in [
        ("a certification", certifying.clone()),
        ("a family", family(None)),
    ] {
        let refusal = try_prepare(&once, &asked).unwrap_err();
        assert!(
            matches!(refusal, UpdateError::NotTheFirst { .. }),
            "{what}: {refusal}"
        );
    }
    let contradiction = family(Some(Certification::NoChanges));
    assert!(matches!(
        try_prepare(&with_pages(1), &contradiction),
        Err(UpdateError::RequestInvalid {
            field: "certification",
            ..
        })
    ));
    let final_seal = sealed(&with_pages(1), &certifying, &[1; 10]);
    assert!(matches!(
        try_prepare(&final_seal, &request()),
        Err(UpdateError::CertifiedFinal { .. })
    ));
}

#[test]
fn wrong_places_are_refused_by_name() {
    let original = with_pages(1);
    let spot = strips(1)[0];
    let part = |left: f64, right: f64| Spot {
        part: Part {
            left,
            right,
            ..Part::WHOLE
        },
        ..spot
    };
    for (what, spots, field) in [
        ("none", vec![], "placement"),
        ("an empty part", vec![part(0.5, 0.5)], "appearance"),
        ("a part too large", vec![part(0.5, 1.5)], "appearance"),
        ("no number", vec![part(f64::NAN, 1.0)], "appearance"),
    ] {
        let refusal = try_prepare(&original, &places(spots)).unwrap_err();
        assert!(
            matches!(&refusal, UpdateError::RequestInvalid { field: at, .. } if *at == field),
            "{what}: {refusal}"
        );
    }
    let outside = Spot {
        x_mm: 200.0,
        ..spot
    };
    assert!(matches!(
        try_prepare(&original, &places(vec![outside])),
        Err(UpdateError::OutsidePage { .. })
    ));
    let asked_for = SignatureRequest {
        options: SignatureOptions {
            may_leave_page: true,
            ..SignatureOptions::default()
        },
        ..places(vec![outside])
    };
    assert!(try_prepare(&original, &asked_for).is_ok());
}
