//! Documents of PDF/A and PDF/UA stay what they say they are under seals of every kind; veraPDF
//! says so.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod places;

use std::path::PathBuf;

use yinxin_pdf::{FieldTarget, Placement};
use yinxin_signer::appearance::PngPicture;
use yinxin_signer::places::{Edge, Pages, Place, Seam};
use yinxin_signer::plan::{LaterSigner, SigningPlan};
use yinxin_signer::road::{Order, Wishes};
use yinxin_signer::seal::Seal;
use yinxin_tests::peers;
use yinxin_tests::producers::Producer;
use yinxin_tests::sealing::{Kind, SEAL_MM, bench, visible};

/// Documents, and the flavour that each says it is.
const ARCHIVES: [(Producer, &str); 8] = [
    (Producer::Archive1b, "1b"),
    (Producer::Archive1a, "1a"),
    (Producer::Archive2b, "2b"),
    (Producer::Archive2a, "2a"),
    (Producer::Archive3b, "3b"),
    (Producer::ArchiveUa1, "ua1"),
    (Producer::Archive1bNoIntent, "1b"),
    (Producer::Archive2bNoIntent, "2b"),
];

const SEAL_SIGNATURE: &str = "a seal signature";

/// The rules that are known to be broken; one that no longer is fails the test as well. See
/// docs/divergences.md.
fn known(what: &str, flavour: &str) -> &'static [&'static str] {
    if what.ends_with(SEAL_SIGNATURE) && flavour.starts_with(['2', '3']) {
        // They want a CMS with one signer and his certificate, not the container of GB/T 38540.
        &["6.4.3-2", "6.4.3-3"]
    } else {
        &[]
    }
}

fn everywhere() -> Place {
    Place::Pages {
        pages: Pages::All,
        x_mm: 120.0,
        y_mm: 200.0,
    }
}

fn seam() -> Place {
    Place::Seam(Seam {
        edge: Edge::Right,
        pages: Pages::All,
        sheets_per_seal_max: 20,
        is_double_sided: false,
        along_mm: None,
    })
}

/// The first seal of the bench with a PNG that has clear parts for its face.
fn picture_seal() -> Seal {
    let pixels = (SEAL_MM / 25.4 * 300.0).ceil() as u32;
    let png = places::noisy_png(pixels);
    let picture = PngPicture::read(png, SEAL_MM, SEAL_MM).unwrap();
    let mut seal = bench().first.clone();
    seal.appearance = picture.appearance("示例");
    seal
}

/// Every way in which the document is sealed, by name.
fn sealings(document: &[u8], picture: &Seal) -> Vec<(&'static str, Vec<u8>)> {
    let seal = |document: &[u8], order: &Order<'_>| bench().seal_order(document, order).unwrap();
    let at = |kind: Kind, place: Place| Order {
        place,
        ..bench().order(kind)
    };
    let rsa = |place: Place| at(Kind::PadesRsa, place);
    let one = || Place::from(visible(0, 120.0, 200.0));
    let with_picture = |place: Place| Order {
        seal: picture,
        ..rsa(place)
    };
    let plan = Order {
        wishes: Wishes {
            plan: Some(SigningPlan {
                first: "first".to_owned(),
                later: vec![LaterSigner {
                    name: "second".to_owned(),
                    place: visible(1, 20.0, 20.0).into(),
                    size_mm: [SEAL_MM, SEAL_MM],
                }],
                certifies: true,
                last_locks: true,
            }),
            ..Wishes::default()
        },
        ..rsa(one())
    };
    let second = Order {
        field: FieldTarget::Existing {
            name: "SigningPlan.second".to_owned(),
        },
        wishes: Wishes::default(),
        ..at(Kind::PadesP256, one())
    };
    let planned = seal(document, &plan);
    let invisible = Placement::Invisible { page_index: 0 };
    vec![
        ("one place", seal(document, &rsa(one()))),
        ("all pages", seal(document, &rsa(everywhere()))),
        ("the seam", seal(document, &rsa(seam()))),
        ("nothing to be seen", seal(document, &rsa(invisible.into()))),
        ("SM2 in a CMS", seal(document, &at(Kind::GmCms, one()))),
        (SEAL_SIGNATURE, seal(document, &at(Kind::GmSeal, one()))),
        ("a picture", seal(document, &with_picture(one()))),
        (
            "a picture on all pages",
            seal(document, &with_picture(everywhere())),
        ),
        (
            "a picture on the seam",
            seal(document, &with_picture(seam())),
        ),
        ("a plan, both signed", seal(&planned, &second)),
        ("a plan", planned),
    ]
}

#[test]
fn archives_stay_archives_under_seals_of_every_kind() {
    let picture = picture_seal();
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<PathBuf> = Vec::new();
    let mut expected = Vec::new();
    for (producer, flavour) in ARCHIVES {
        let Some(file) = producer.pdf() else { continue };
        let document = std::fs::read(&file).unwrap();
        let mut keep = |what: String, bytes: &[u8]| {
            let path = folder.path().join(format!("{}.pdf", files.len()));
            std::fs::write(&path, bytes).unwrap();
            files.push(path);
            expected.push((what, flavour));
        };
        keep(format!("{}, as made", producer.name()), &document);
        for (what, bytes) in sealings(&document, &picture) {
            if flavour.starts_with('1') {
                assert!(!bytes.windows(6).any(|part| part == b"/SMask"), "{what}");
            }
            keep(format!("{}, {what}", producer.name()), &bytes);
        }
    }
    if files.is_empty() {
        return;
    }
    let Some(reports) = peers::verify_pdfa(&files) else {
        return;
    };
    assert_eq!(reports.len(), files.len());
    let mut broken = Vec::new();
    for (report, (what, flavour)) in reports.iter().zip(&expected) {
        let failures = report["failures"].as_array().cloned().unwrap_or_default();
        let rules: Vec<&str> = failures
            .iter()
            .filter_map(|failure| failure.as_str()?.split(':').next())
            .collect();
        let known = known(what, flavour);
        let is_whole = report["compliant"] == known.is_empty();
        if report["flavour"] != *flavour || !is_whole || rules != known {
            broken.push(format!("{what}: {report}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
