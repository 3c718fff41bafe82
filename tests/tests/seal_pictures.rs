//! Seals of the registry that are pictures, or hold one in the middle: applied for, made, used and
//! verified over gRPC, and seen as Poppler shows them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod places;

use places::{Picture, noisy_png, render_with_poppler, rgba_png};
use serde_json::{Value, json};
use yinxin_proto::v1;
use yinxin_proto::v1::placement::Position;
use yinxin_signer::appearance::PictureFile;
use yinxin_tests::department::{reason, seal_header};
use yinxin_tests::offices::Offices;
use yinxin_tests::services::plain_pdf;

/// Where the first seal of each document goes, in millimetres from the upper left corner.
const FIRST: [f64; 2] = [20.0, 20.0];
const SECOND: [f64; 2] = [120.0, 200.0];
const DOTS_PER_INCH: u32 = 150;

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

fn visible([x_mm, y_mm]: [f64; 2]) -> Option<v1::Placement> {
    Some(v1::Placement {
        position: Some(Position::Visible(v1::VisiblePlacement {
            page_number: 1,
            x_mm,
            y_mm,
            field_name: String::new(),
        })),
        ..v1::Placement::default()
    })
}

fn terms(offices: &Offices, face: &Value) -> v1::SealTerms {
    v1::SealTerms {
        face_json: face.to_string(),
        ..offices.terms("keys", 1, 4)
    }
}

fn png_face(png: Vec<u8>, side_mm: f64) -> Value {
    json!({ "png": { "png": PictureFile(png), "width_mm": side_mm, "height_mm": side_mm } })
}

/// A square of `side_mm` with its upper left corner there.
fn square(page: &Picture, [x_mm, y_mm]: [f64; 2], side_mm: f64) -> Picture {
    let dots = |mm: f64| (mm * f64::from(DOTS_PER_INCH) / 25.4).round() as usize;
    page.cut(dots(x_mm), dots(y_mm), dots(side_mm), dots(side_mm))
}

#[test]
fn a_seal_that_is_a_png_is_applied_for_made_used_and_stored_once_in_a_file() {
    run(async {
        let offices = Offices::start(&["keys"]).await;
        let png = noisy_png(496);
        assert!(png.len() > 200_000, "{} bytes", png.len());

        // What could never be used is refused before anybody approves it.
        let opaque = rgba_png(496, &[0xFF; 496 * 496 * 4]);
        for (what, face, expected) in [
            ("too few dots", png_face(png.clone(), 50.0), "SEAL_FACE"),
            ("no transparency", png_face(opaque, 42.0), "SEAL_FACE"),
            (
                "no base64",
                json!({ "png": { "png": "a picture", "width_mm": 42, "height_mm": 42 } }),
                "FIELD_INVALID",
            ),
            (
                "more than a seal can be",
                png_face(vec![0; 800_000], 42.0),
                "LIMIT_EXCEEDED",
            ),
        ] {
            let application = offices.application("PNG-0", terms(&offices, &face));
            let mut zhang = offices.person("zhang").seals();
            let status = zhang.apply_seal(application).await.unwrap_err();
            assert_eq!(reason(&status).0, expected, "{what}: {status}");
        }

        let seal = offices
            .new_seal_in_use("PNG-1", terms(&offices, &png_face(png.clone(), 42.0)))
            .await;
        let object = yinxin_ses::Seal::parse(&seal.versions[0].seal_der).unwrap();
        let picture = object.picture();
        assert_eq!((picture.width_mm, picture.height_mm), (42, 42));
        assert_eq!(picture.kind, "PNG");
        assert!(picture.data == png, "the file as it was uploaded");

        let header = v1::SealDocumentHeader {
            seal_id: "PNG-1".to_owned(),
            placement: visible(FIRST),
            further_seals: vec![v1::FurtherSeal {
                seal_id: "PNG-1".to_owned(),
                profile: v1::SealProfile::PadesBB.into(),
                placement: visible(SECOND),
                ..Default::default()
            }],
            ..seal_header("picture", v1::SealProfile::GmSeal)
        };
        let (_, sealed) = offices.data.seal(header, plain_pdf()).await.unwrap();
        assert_eq!(offices.verifies(&sealed).await, 2);
        let images = sealed
            .windows(14)
            .filter(|part| part == b"/Subtype/Image")
            .count();
        assert_eq!(images, 2, "colour and mask, for both seals");
        eprintln!(
            "a PNG of {} bytes, sealed twice: {} bytes",
            png.len(),
            sealed.len()
        );

        let folder = tempfile::tempdir().unwrap();
        let page = render_with_poppler(folder.path(), "sealed", &sealed, DOTS_PER_INCH);
        let Some(page) = page else { return };
        for [x, y] in [FIRST, SECOND] {
            // A disc of 42 mm fills 78.5 % of its square; its corners are clear.
            let stamp = square(&page, [x, y], 42.0);
            let dots = (42.0 * f64::from(DOTS_PER_INCH) / 25.4).powi(2);
            let share = stamp.dark() as f64 / dots;
            assert!((0.75..0.80).contains(&share), "{share} of the stamp is ink");
            assert_eq!(square(&page, [x, y], 4.0).dark(), 0);
        }
    });
}

#[test]
fn a_given_emblem_fills_the_middle_of_a_round_seal() {
    const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path
        fill="#c00" d="M0 0H9V9H0Z"/></svg>"##;
    // A clear edge, and one half of gold, which becomes paper.
    let side = 200;
    let pixels: Vec<u8> = (0..side * side)
        .flat_map(|index| match (index % side, index / side) {
            (column, row) if column % (side - 1) == 0 || row % (side - 1) == 0 => [0; 4],
            (_, row) if row < side / 2 => [0xFF, 0xD7, 0x00, 0xFF],
            _ => [0x90, 0x00, 0x00, 0xFF],
        })
        .collect();
    let face = |emblem: Value| {
        json!({ "design": {
            "kind": "legal_name",
            "owner": "city_or_county",
            "form": {
                "shape": "round",
                "name": "示范市人民政府",
                "diameter_mm": 45.0,
                "centre": "emblem",
                "emblem": emblem,
            },
        }})
    };
    run(async {
        let offices = Offices::start(&["keys"]).await;
        let without = offices.application("E-0", terms(&offices, &face(Value::Null)));
        let mut zhang = offices.person("zhang").seals();
        let status = zhang.apply_seal(without).await.unwrap_err();
        assert_eq!(reason(&status).0, "SEAL_FACE", "{status}");

        let folder = tempfile::tempdir().unwrap();
        let png = json!({ "png": PictureFile(rgba_png(side, &pixels)) });
        for (code, emblem, shares) in [
            ("E-SVG", json!({ "svg": SVG }), [1.0, 1.0]),
            ("E-PNG", png, [0.0, 1.0]),
        ] {
            let seal = offices
                .new_seal_in_use(code, terms(&offices, &face(emblem)))
                .await;
            let object = yinxin_ses::Seal::parse(&seal.versions[0].seal_der).unwrap();
            assert_eq!(object.picture().kind, "SVG");
            let header = v1::SealDocumentHeader {
                seal_id: code.to_owned(),
                placement: visible(FIRST),
                ..seal_header(code, v1::SealProfile::Dual)
            };
            let (_, sealed) = offices.data.seal(header, plain_pdf()).await.unwrap();
            assert_eq!(offices.verifies(&sealed).await, 2);
            let page = render_with_poppler(folder.path(), code, &sealed, DOTS_PER_INCH);
            let Some(page) = page else { continue };
            // The emblem is 15.9 mm square around the middle; a strip of each half, 4 mm square.
            let [x, y] = FIRST.map(|edge| edge + 22.5 - 2.0);
            for (offset, expected) in [-4.0, 4.0].into_iter().zip(shares) {
                let part = square(&page, [x, y + offset], 4.0);
                let dots = (4.0 * f64::from(DOTS_PER_INCH) / 25.4).round().powi(2);
                let share = part.dark() as f64 / dots;
                assert!((share - expected).abs() < 0.02, "{code} {offset}: {share}");
            }
            // Beside it is paper, then the name, then the ring of 1 mm.
            assert_eq!(square(&page, [x - 9.0, y + 1.0], 2.0).dark(), 0, "{code}");
            assert!(square(&page, [FIRST[0], y], 3.0).dark() > 50, "{code}");
        }
    });
}
