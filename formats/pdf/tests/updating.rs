//! Updates of every form of document: what they touch and what they keep.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod sealing;
mod support;

use std::process::Command;

use sealing::{
    TEXT_NOTE, appearance, dictionary_of, documents, existing, lopdf_fields, number_list,
    qpdf_accepts, request, sealed, try_prepare, visible, with_object_streams, with_table,
};
use support::{open, read_all};
use yinxin_pdf::{Placement, SignatureRequest, XrefKind, prepare};

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
    let turned = SignatureRequest {
        placement: visible(0, 120.0, 150.0),
        ..request()
    };
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
    assert_eq!(
        document.stream_data(&form).unwrap(),
        appearance().content.plain()
    );
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

/// Whatever happens to a document: a typed refusal, or an update that our own reader accepts.
#[test]
fn a_damaged_document_is_refused_or_sealed_right_but_never_panics() {
    let seed: u64 = 0x5EA1;
    eprintln!("seed {seed:#x}");
    let mut state = seed;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut sealed_anyway = 0;
    for (name, original, _) in documents() {
        for round in 0..1000 {
            let mut bytes = original.clone();
            for _ in 0..=random(2) {
                let place = random(bytes.len());
                match random(10) {
                    0..=4 => bytes[place] = b"0123456789 <>[]()/%RnNul"[random(24)],
                    5..=7 => bytes[place] = u8::try_from(random(256)).unwrap(),
                    8 => {
                        bytes.remove(place);
                    }
                    _ => bytes.insert(place, b" 9/<>"[random(5)]),
                }
            }
            let Ok(document) = open(&bytes) else { continue };
            for request in [request(), existing("Village")] {
                let Ok(prepared) = prepare(&document, &request) else {
                    continue;
                };
                let range = prepared.byte_range();
                let whole = [&bytes[..], &prepared.finish(&[7; 600]).unwrap()].concat();
                let sealed =
                    open(&whole).unwrap_or_else(|error| panic!("{name} round {round}: {error}"));
                let fields = sealed.signature_fields().unwrap();
                let value = fields.iter().find_map(|field| field.value).unwrap();
                let signature = sealed.signature(value).unwrap();
                assert_eq!(
                    signature.byte_range,
                    range.map(|number| number as i64),
                    "{name}"
                );
                assert_eq!(signature.contents_bytes, [7; 600], "{name} round {round}");
                sealed_anyway += 1;
            }
        }
    }
    assert!(
        sealed_anyway > 100,
        "only {sealed_anyway} of the damaged documents could be sealed"
    );
}

#[test]
fn what_qpdf_rewrites_is_sealed_twice_and_what_it_encrypts_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.pdf");
    let original = with_table("", "/Annots[5 0 R]", &[(5, TEXT_NOTE)]);
    std::fs::write(&plain, original).unwrap();
    let cases: [(&str, &[&str], Option<XrefKind>); 4] = [
        (
            "object streams",
            &["--object-streams=generate"],
            Some(XrefKind::Stream),
        ),
        ("linearized", &["--linearize"], Some(XrefKind::Table)),
        (
            "linearized with object streams",
            &["--linearize", "--object-streams=generate"],
            Some(XrefKind::Stream),
        ),
        ("encrypted", &["--encrypt", "", "owner", "256", "--"], None),
    ];
    for (name, arguments, kind) in cases {
        let made = folder.path().join("made.pdf");
        let qpdf = Command::new("qpdf")
            .args(arguments)
            .arg(&plain)
            .arg(&made)
            .status();
        match qpdf {
            Err(error) => {
                eprintln!("SKIPPED: qpdf is not installed: {error}");
                return;
            }
            Ok(status) => assert!(status.success(), "{name}"),
        }
        let bytes = std::fs::read(&made).unwrap();
        let Some(kind) = kind else {
            assert_eq!(open(&bytes).unwrap_err().reason(), "PDF_ENCRYPTED");
            continue;
        };
        let first = sealed(&bytes, &request(), &[1; 600]);
        let again = SignatureRequest {
            placement: visible(0, 20.0, 20.0),
            ..request()
        };
        let second = sealed(&first, &again, &[2; 600]);
        let document = open(&second).unwrap();
        assert_eq!(document.newest().kind, kind, "{name}");
        assert_eq!(document.signature_fields().unwrap().len(), 2, "{name}");
        qpdf_accepts(name, &second);
    }
}
