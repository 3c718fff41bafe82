//! A seal stands where it was asked for, as a reader of the page sees it: pages are rendered by
//! MuPDF and Poppler and the red pixels measured.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::process::Command;

use yinxin_pdf::FieldTarget;
use yinxin_tests::peers;
use yinxin_tests::process::run_ok;
use yinxin_tests::producers::Producer;
use yinxin_tests::sealing::{Kind, SEAL_MM, bench, visible};

/// 100 pixels an inch: a millimetre is about four.
const PIXELS_PER_MM: f64 = 100.0 / 25.4;
/// Half the frame's line, anti-aliasing and rounding to pixels.
const TOLERANCE_MM: f64 = 0.6;
/// From the edge of the stamp to the outer edge of its frame.
const MARGIN_MM: f64 = 3.5 / 113.0 * SEAL_MM;

/// Where the seals go on each page.
const PLACE_MM: (f64, f64) = (25.0, 60.0);

struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Reads a binary PPM.
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let mut fields = Vec::new();
        let mut at = 0;
        while fields.len() < 4 {
            let end = at
                + bytes[at..]
                    .iter()
                    .position(u8::is_ascii_whitespace)
                    .unwrap();
            fields.push(String::from_utf8_lossy(&bytes[at..end]).into_owned());
            at = end + 1;
        }
        assert_eq!(fields[0], "P6");
        Self {
            width: fields[1].parse().unwrap(),
            pixels: bytes[at..].to_vec(),
        }
    }

    /// Places of red pixels, in millimetres from the upper left corner.
    fn red(&self) -> Vec<(f64, f64)> {
        let rows = self.pixels.chunks_exact(3).enumerate();
        rows.filter(|(_, rgb)| rgb[0] > 180 && rgb[1] < 60 && rgb[2] < 80)
            .map(|(index, _)| {
                let (x, y) = (index % self.width, index / self.width);
                (
                    (x as f64 + 0.5) / PIXELS_PER_MM,
                    (y as f64 + 0.5) / PIXELS_PER_MM,
                )
            })
            .collect()
    }
}

fn check(what: &str, picture: &Picture) {
    let red = picture.red();
    assert!(!red.is_empty(), "{what}: no seal to be seen");
    let least = |of: fn(&(f64, f64)) -> f64| red.iter().map(of).fold(f64::MAX, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| red.iter().map(of).fold(f64::MIN, f64::max);
    let (x, y) = PLACE_MM;
    let found = [least(|p| p.0), least(|p| p.1), most(|p| p.0), most(|p| p.1)];
    let expected = [
        x + MARGIN_MM,
        y + MARGIN_MM,
        x + SEAL_MM - MARGIN_MM,
        y + SEAL_MM - MARGIN_MM,
    ];
    for (found_mm, expected_mm) in found.iter().zip(expected) {
        assert!(
            (found_mm - expected_mm).abs() < TOLERANCE_MM,
            "{what}: red from and to {found:?} mm, expected {expected:?}"
        );
    }
    // The bar is in the lower left corner of the seal when it stands upright.
    let quarter = |left: bool, upper: bool| {
        let in_it = |p: &&(f64, f64)| (p.0 < x + 20.0) == left && (p.1 < y + 20.0) == upper;
        red.iter().filter(in_it).count()
    };
    let lower_left = quarter(true, false);
    for (left, upper) in [(true, true), (false, true), (false, false)] {
        assert!(
            lower_left > quarter(left, upper),
            "{what}: the seal does not stand upright"
        );
    }
}

/// The file with a seal on each of its four pages, at the same place as seen.
fn sealed_on_four_pages(producer: Producer) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(producer.pdf()?).unwrap();
    for page_index in 0..4 {
        let kind = if page_index % 2 == 0 {
            Kind::PadesP256
        } else {
            Kind::GmSeal
        };
        let (x, y) = PLACE_MM;
        bytes = bench()
            .seal(
                &bytes,
                kind,
                FieldTarget::New { name: None },
                visible(page_index, x, y),
            )
            .unwrap();
    }
    Some(bytes)
}

fn render(mut command: Command, producer: Producer, folder: &Path, ppm: impl Fn(usize) -> String) {
    run_ok(&mut command).unwrap();
    for number in 1..=4 {
        let picture = Picture::read(&folder.join(ppm(number)));
        let tool = command.get_program().to_string_lossy().into_owned();
        check(
            &format!("{}, page {number}, {tool}", producer.name()),
            &picture,
        );
    }
}

#[test]
fn a_seal_stands_upright_at_its_place_on_rotated_cropped_and_scaled_pages() {
    for producer in [Producer::Reportlab, Producer::Rotated, Producer::PageBoxes] {
        let Some(bytes) = sealed_on_four_pages(producer) else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sealed.pdf");
        std::fs::write(&file, bytes).unwrap();
        if let Some(mut mutool) = peers::tool("mutool") {
            mutool.args(["draw", "-r", "100", "-F", "ppm", "-o"]);
            mutool.arg(folder.path().join("m%d.ppm")).arg(&file);
            render(mutool, producer, folder.path(), |number| {
                format!("m{number}.ppm")
            });
        }
        // Poppler does not scale by UserUnit.
        if producer == Producer::PageBoxes {
            continue;
        }
        if let Some(mut pdftoppm) = peers::tool("pdftoppm") {
            pdftoppm
                .args(["-r", "100", "-cropbox"])
                .arg(&file)
                .arg(folder.path().join("p"));
            render(pdftoppm, producer, folder.path(), |number| {
                format!("p-{number}.ppm")
            });
        }
    }
}

#[test]
fn an_empty_field_of_the_document_takes_the_signature_and_keeps_its_place() {
    let Some(file) = Producer::EmptyField.pdf() else {
        return;
    };
    let bytes = std::fs::read(file).unwrap();
    for kind in [Kind::PadesRsa, Kind::PadesP256, Kind::GmSeal, Kind::GmCms] {
        let target = FieldTarget::Existing {
            name: "Approval".to_owned(),
        };
        let once = bench()
            .seal(&bytes, kind, target.clone(), visible(0, 20.0, 20.0))
            .unwrap();
        let report = yinxin_verifier::verify(&once, &bench().trust, &bench().options()).unwrap();
        assert_eq!(report.signatures[0].fields, ["Approval"], "{}", kind.name());
        let again = bench().seal(&once, kind, target, visible(0, 20.0, 20.0));
        assert!(
            again.is_err(),
            "{}: a signed field took a second signature",
            kind.name()
        );

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealed.pdf");
        std::fs::write(&path, &once).unwrap();
        let Some(reports) = peers::pyhanko(&[&path], &[bench().rsa_root()]) else {
            continue;
        };
        let signature = &reports[0]["signatures"][0];
        assert_eq!(signature["field"], "Approval", "{signature}");
        assert_eq!(signature["understood"], kind.is_pades(), "{signature}");
        if kind.is_pades() {
            assert_eq!(signature["bottom_line"], true, "{signature}");
        }
    }
}
