//! Seals on documents that say they are PDF/A.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod sealing;
mod support;

use std::sync::Arc;

use sealing::{appearance, dictionary_of, qpdf_accepts, request, sealed, visible};
use support::{Builder, deflate, open};
use yinxin_pdf::{Appearance, Document, Image, Object, Placement, SignatureRequest, Spot};

const SRGB: &str = "<</Type/OutputIntent/S/GTS_PDFA1/DestOutputProfile 21 0 R>>";

/// A document of two pages of a part of PDF/A, with these output intents; object 21 is a profile of
/// three components, 22 one of four.
fn archive(part: &str, intents: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let metadata = format!("<x:xmpmeta><pdfaid:part>{part}</pdfaid:part></x:xmpmeta>");
    builder.object(
        1,
        &format!("<</Type/Catalog/Pages 2 0 R/Metadata 20 0 R/OutputIntents[{intents}]>>"),
    );
    builder.object(
        2,
        "<</Type/Pages/Kids[10 0 R 11 0 R]/Count 2/MediaBox[0 0 595 842]>>",
    );
    builder.object(10, "<</Type/Page/Parent 2 0 R>>");
    builder.object(11, "<</Type/Page/Parent 2 0 R>>");
    builder.stream(20, "/Type/Metadata/Subtype/XML", metadata.as_bytes());
    builder.stream(21, "/N 3", b"profile");
    builder.stream(22, "/N 4", b"profile");
    builder.end_with_table("");
    builder.bytes
}

/// Nine pixels a row and two rows: red of falling opacity, black below.
fn picture() -> Appearance {
    const OPACITY: [u8; 9] = [255, 128, 64, 16, 15, 1, 0, 0, 255];
    let row = |samples: &[u8]| [&[0], samples].concat();
    let colour = [row(&[255, 0, 0].repeat(9)), row(&[0; 27])].concat();
    let alpha = row(&OPACITY).repeat(2);
    let image = Image {
        width: 9,
        height: 2,
        colour: deflate(&colour),
        alpha: Some(deflate(&alpha)),
    };
    Appearance {
        content: b"q 100 0 0 100 0 0 cm /Im0 Do Q\n".as_slice().into(),
        image: Some(Arc::new(image)),
        ..appearance()
    }
}

fn in_both_pages(appearance: Appearance) -> SignatureRequest {
    let spot = |page_index| Spot {
        page_index,
        x_mm: 120.0,
        y_mm: 200.0,
        width_mm: 42.0,
        height_mm: 42.0,
        part: yinxin_pdf::Part::WHOLE,
    };
    SignatureRequest {
        placement: Placement::Places(vec![spot(0), spot(1)]),
        appearance: Some(appearance),
        ..request()
    }
}

/// The form that draws with the seal's own operators: the shared one below the first widget's.
fn drawing<'a>(document: &Document<'a>) -> Object<'a> {
    let field = &document.signature_fields().unwrap()[0];
    let widget = document.object(field.widget_id.unwrap()).unwrap();
    let normal = widget.dictionary().unwrap().get(b"AP").unwrap();
    let normal = normal.as_dictionary().unwrap().get(b"N").unwrap();
    let form = dictionary_of(document, normal);
    named(document, &form, "XObject", "Fm0").unwrap_or(form)
}

fn named<'a>(
    document: &Document<'a>,
    form: &Object<'_>,
    kind: &str,
    name: &str,
) -> Option<Object<'a>> {
    let resources = form.dictionary()?.get(b"Resources")?.as_dictionary()?;
    let named = resources.get(kind.as_bytes())?.as_dictionary()?;
    let id = named.get(name.as_bytes())?.as_reference()?;
    Some(document.object(id).unwrap())
}

fn count(bytes: &[u8], needle: &str) -> usize {
    let found = bytes.windows(needle.len());
    found.filter(|part| *part == needle.as_bytes()).count()
}

#[test]
fn a_picture_with_clear_parts_is_flattened_in_pdf_a_1_and_keeps_its_soft_mask_in_later_parts() {
    for part in ["1", "2", "3", "4"] {
        let original = archive(part, SRGB);
        let bytes = sealed(&original, &in_both_pages(picture()), &[1; 10]);
        qpdf_accepts(part, &bytes);
        let document = open(&bytes).unwrap();
        let image = named(&document, &drawing(&document), "XObject", "Im0").unwrap();
        let entries = image.dictionary().unwrap();
        let is_flat = part == "1";
        assert_eq!(entries.get(b"SMask").is_none(), is_flat, "PDF/A-{part}");
        assert_eq!(entries.get(b"Mask").is_some(), is_flat, "PDF/A-{part}");
        // A later seal shows the picture that is there.
        let again = SignatureRequest {
            placement: visible(0, 20.0, 20.0),
            ..in_both_pages(picture())
        };
        let twice = sealed(&bytes, &again, &[2; 10]);
        assert_eq!(count(&twice, "/Subtype/Image"), 2, "PDF/A-{part}");
        if !is_flat {
            continue;
        }
        let colour = document.stream_data(&image).unwrap();
        let over_white = |opacity: u32| (255 * (255 - opacity) + 127) / 255;
        for (place, opacity) in [(0, 255), (1, 128), (2, 64), (3, 16), (8, 255)] {
            let white = u8::try_from(over_white(opacity)).unwrap();
            assert_eq!(
                colour[3 * place..][..3],
                [255, white, white],
                "red, {opacity}"
            );
            assert_eq!(
                colour[27 + 3 * place..][..3],
                [white; 3],
                "black, {opacity}"
            );
        }
        let mask = dictionary_of(&document, entries.get(b"Mask").unwrap());
        let stencil = mask.dictionary().unwrap();
        assert_eq!(stencil.get(b"ImageMask").unwrap().as_boolean(), Some(true));
        // Set where nothing is painted: the fifth to the eighth pixel of each row.
        let bits = document.stream_data(&mask).unwrap();
        assert_eq!(bits, [0b0000_1111, 0, 0b0000_1111, 0]);
    }
}

#[test]
fn device_colours_are_calibrated_where_no_output_intent_says_what_they_mean() {
    let cmyk = "<</Type/OutputIntent/S/GTS_PDFA1/DestOutputProfile 22 0 R>>";
    let other = "<</Type/OutputIntent/S/GTS_PDFX/DestOutputProfile 21 0 R>>";
    for (what, part, intents, is_calibrated) in [
        ("an RGB intent", "1", SRGB, false),
        ("no intent", "1", "", true),
        ("no intent", "2", "", true),
        ("a CMYK intent", "2", cmyk, true),
        ("an intent of another standard", "3", other, true),
        ("no PDF/A", "", "", false),
    ] {
        let original = archive(part, intents);
        for appearance in [appearance(), picture()] {
            let bytes = sealed(&original, &in_both_pages(appearance), &[1; 10]);
            let document = open(&bytes).unwrap();
            let form = drawing(&document);
            let resources = form.dictionary().unwrap().get(b"Resources").unwrap();
            let spaces = resources.as_dictionary().unwrap().get(b"ColorSpace");
            assert_eq!(spaces.is_some(), is_calibrated, "{what}, PDF/A-{part}");
            assert_eq!(count(&bytes, "/CalRGB"), usize::from(is_calibrated));
        }
    }
}

#[test]
fn a_picture_whose_data_are_not_of_its_size_is_refused_in_pdf_a_1() {
    let mut wrong = picture();
    let image = wrong.image.as_deref().unwrap().clone();
    for (what, image) in [
        (
            "a row too few",
            Image {
                height: 3,
                ..image.clone()
            },
        ),
        (
            "no zlib",
            Image {
                colour: b"colour".to_vec(),
                ..image
            },
        ),
    ] {
        wrong.image = Some(Arc::new(image));
        let original = archive("1", SRGB);
        let document = open(&original).unwrap();
        let refused = yinxin_pdf::prepare(&document, &in_both_pages(wrong.clone()));
        assert!(refused.is_err(), "{what}");
    }
}
