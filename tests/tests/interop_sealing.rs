//! Every producer's file, sealed twice in a row by different seals, before other people's
//! verifiers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;
use yinxin_pki::cms::SignedData;
use yinxin_pki::{SignatureAlgorithm, to_pem};
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_tests::peers;
use yinxin_tests::process::{TOOL_TIME_MAX, run};
use yinxin_tests::producers::Producer;
use yinxin_tests::sealing::{Kind, bench};
use yinxin_verifier::{Indication, Options};

/// First and second signature of a file. The second pair is the profile `dual`.
const PAIRS: [[Kind; 2]; 4] = [
    [Kind::PadesRsa, Kind::PadesP256],
    [Kind::GmSeal, Kind::PadesRsa],
    [Kind::GmCms, Kind::PadesPss],
    [Kind::PadesP256, Kind::GmSeal],
];

struct Sealed {
    producer: Producer,
    kinds: [Kind; 2],
    original: PathBuf,
    once: PathBuf,
    twice: PathBuf,
}

impl Sealed {
    fn name(&self) -> String {
        format!(
            "{}, {} then {}",
            self.producer.name(),
            self.kinds[0].name(),
            self.kinds[1].name()
        )
    }
}

/// All files, made once for the tests of this process.
fn sealed() -> &'static [Sealed] {
    static SEALED: OnceLock<(tempfile::TempDir, Vec<Sealed>)> = OnceLock::new();
    &SEALED.get_or_init(make).1
}

fn make() -> (tempfile::TempDir, Vec<Sealed>) {
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    let mut refused = Vec::new();
    for producer in Producer::ALL {
        let Some(original) = producer.pdf() else {
            continue;
        };
        let bytes = std::fs::read(&original).unwrap();
        for kinds in PAIRS {
            let twice = bench()
                .seal_visibly(&bytes, kinds[0], 20.0, 20.0)
                .and_then(|once| {
                    let twice = bench().seal_visibly(&once, kinds[1], 70.0, 20.0)?;
                    Ok((once, twice))
                });
            match twice {
                Ok((once, twice)) => {
                    let path = |count: &str| {
                        let [first, second] = kinds.map(Kind::name);
                        let name = format!("{}-{first}-{second}-{count}.pdf", producer.name());
                        folder.path().join(name)
                    };
                    let one = Sealed {
                        producer,
                        kinds,
                        original: original.clone(),
                        once: path("once"),
                        twice: path("twice"),
                    };
                    assert!(
                        once.starts_with(&bytes) && twice.starts_with(&once),
                        "{}",
                        one.name()
                    );
                    std::fs::write(&one.once, once).unwrap();
                    std::fs::write(&one.twice, twice).unwrap();
                    all.push(one);
                }
                Err(error) => refused.push(format!("{} {kinds:?}: {error}", producer.name())),
            }
        }
    }
    assert!(refused.is_empty(), "not sealed:\n{}", refused.join("\n"));
    (folder, all)
}

fn twice() -> Vec<PathBuf> {
    sealed().iter().map(|one| one.twice.clone()).collect()
}

/// Each sealed file with the peer's report on it.
fn with_reports(reports: &[Value]) -> impl Iterator<Item = (&'static Sealed, &Value)> {
    assert_eq!(reports.len(), sealed().len());
    sealed().iter().zip(reports)
}

#[test]
fn our_own_verifier_passes_both_signatures() {
    for one in sealed() {
        let file = std::fs::read(&one.twice).unwrap();
        let report = yinxin_verifier::verify(&file, &bench().trust, &bench().options()).unwrap();
        assert_eq!(report.signatures.len(), 2, "{}", one.name());
        assert_eq!(
            report.indication,
            Indication::TotalPassed,
            "{}: {}",
            one.name(),
            serde_json::to_string(&report.signatures).unwrap()
        );
    }
}

#[test]
fn qpdf_finds_no_more_faults_than_before() {
    for one in sealed() {
        let Some(before) = peers::qpdf_check(&one.original) else {
            return;
        };
        for file in [&one.once, &one.twice] {
            let after = peers::qpdf_check(file).unwrap();
            assert!(
                after <= before,
                "{}: {before:?} before, {after:?} after",
                one.name()
            );
        }
    }
}

#[test]
fn pyhanko_finds_the_first_signature_valid_and_nothing_suspicious_after_it() {
    let Some(reports) = peers::pyhanko(&twice(), &[bench().rsa_root()]) else {
        return;
    };
    let mut failures = Vec::new();
    for (one, report) in with_reports(&reports) {
        let Some([first, second]) = report["signatures"].as_array().map(Vec::as_slice) else {
            failures.push(format!("{}: {report}", one.name()));
            continue;
        };
        for (kind, signature) in one.kinds.iter().zip([first, second]) {
            let passed = ["understood", "intact", "valid", "trusted", "bottom_line"]
                .iter()
                .all(|word| signature[word] == true);
            if kind.is_pades() && !passed || signature["understood"] != kind.is_pades() {
                failures.push(format!("{}, {}: {signature}", one.name(), kind.name()));
            }
        }
        // For SM2, too: the difference analysis does not need the cryptography.
        let ok = first["docmdp_ok"] == true && first["suspicious"].is_null();
        if !ok || first["modification"] == "OTHER" || second["modification"] != "NONE" {
            failures.push(format!("{}, changes: {first} {second}", one.name()));
        }
    }
    assert!(
        failures.is_empty(),
        "{}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn pdfsig_finds_the_pades_signatures_valid() {
    for one in sealed() {
        let Some(mut pdfsig) = peers::tool("pdfsig") else {
            return;
        };
        let text = run(pdfsig.arg(&one.twice), TOOL_TIME_MAX).unwrap().text();
        let valid = text
            .matches("Signature Validation: Signature is Valid")
            .count();
        let expected = one.kinds.iter().filter(|kind| kind.is_pades()).count();
        assert_eq!(valid, expected, "{}: {text}", one.name());
    }
}

#[test]
fn mutool_finds_the_pades_signatures_valid() {
    for one in sealed() {
        let Some(mut mutool) = peers::tool("mutool") else {
            return;
        };
        let text = run(mutool.args(["sign", "-v"]).arg(&one.twice), TOOL_TIME_MAX)
            .unwrap()
            .text();
        let valid = text
            .matches("The document is unchanged since signing")
            .count()
            + text
                .matches("The signature is valid but there have been edits since signing")
                .count();
        // Its PKCS7_verify of OpenSSL knows no PSS.
        let knows = |kind: &&Kind| kind.is_pades() && **kind != Kind::PadesPss;
        let expected = one.kinds.iter().filter(knows).count();
        assert_eq!(valid, expected, "{}: {text}", one.name());
    }
}

#[test]
fn bouncycastle_accepts_every_cms_in_rsa_p256_and_sm2() {
    let roots = [bench().rsa_root(), bench().sm2_root()];
    let Some(reports) = peers::verify_cms(&twice(), &roots) else {
        return;
    };
    for (one, report) in with_reports(&reports) {
        let signatures = report["signatures"].as_array().unwrap();
        assert_eq!(signatures.len(), 2, "{}: {report}", one.name());
        for (kind, signature) in one.kinds.iter().zip(signatures) {
            let what = format!("{}, {}: {signature}", one.name(), kind.name());
            if *kind == Kind::GmSeal {
                assert_eq!(signature["cms"], false, "{what}");
                continue;
            }
            assert_eq!(signature["valid"], true, "{what}");
            assert_eq!(signature["chain"], true, "{what}");
            assert_eq!(signature["signers"], 1, "{what}");
            // content-type, message-digest and signing-certificate-v2, and no signing-time
            // (EN 319 142-1, 6.3).
            let attributes = [
                "1.2.840.113549.1.9.16.2.47",
                "1.2.840.113549.1.9.3",
                "1.2.840.113549.1.9.4",
            ];
            assert_eq!(
                signature["attributes"],
                serde_json::json!(attributes),
                "{what}"
            );
            if *kind == Kind::GmCms {
                assert_eq!(signature["digest"], "1.2.156.10197.1.401", "{what}");
                assert_eq!(signature["algorithm"], "1.2.156.10197.1.501", "{what}");
            }
        }
    }
}

#[test]
fn ofdrw_accepts_every_seal_signature() {
    let Some(reports) = peers::verify_ses(&twice()) else {
        return;
    };
    for (one, report) in with_reports(&reports) {
        for (kind, signature) in one
            .kinds
            .iter()
            .zip(report["signatures"].as_array().unwrap())
        {
            let what = format!("{}, {}: {signature}", one.name(), kind.name());
            assert_eq!(signature["ses"], *kind == Kind::GmSeal, "{what}");
            if *kind == Kind::GmSeal {
                for word in [
                    "der",
                    "signature",
                    "data_hash",
                    "cert_list",
                    "seal_signature",
                ] {
                    assert_eq!(signature[word], true, "{word}: {what}");
                }
                assert_eq!(signature["version"], 4, "{what}");
                assert_eq!(signature["seal_id"], "44190000000first", "{what}");
                assert_eq!(signature["seal_name"], "示例村民委员会", "{what}");
            }
        }
    }
}

#[test]
fn what_pyhanko_signs_with_pss_passes_and_passes_no_more_when_altered() {
    let (Some(mut pyhanko), Some(original)) = (
        peers::python_script("sign_pyhanko.py"),
        Producer::Reportlab.pdf(),
    ) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let signer = &bench().pki.rsa_signer;
    let issuer = &bench().pki.rsa_issuing.certificate;
    let files = [
        ("key.pem", to_pem("PRIVATE KEY", signer.key.pkcs8_der())),
        ("signer.pem", signer.certificate.to_pem()),
        ("issuer.pem", issuer.to_pem()),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
        pyhanko.arg(folder.path().join(name));
    }
    let out = folder.path().join("signed.pdf");
    let done = run(pyhanko.arg(original).arg(&out), TOOL_TIME_MAX).unwrap();
    assert!(done.success(), "{}", done.text());
    let mut signed = std::fs::read(&out).unwrap();
    // pyHanko signed just now, which is later than the bench was set up.
    let options = Options::at(SystemClock.now());
    let verify = |bytes: &[u8]| yinxin_verifier::verify(bytes, &bench().trust, &options).unwrap();
    let report = verify(&signed);
    let text = serde_json::to_string(&report.signatures).unwrap();
    assert_eq!(report.indication, Indication::TotalPassed, "{text}");
    // Its salt is longer than the digest, so that ring is not who has verified it.
    let document = yinxin_pdf::Document::open(&signed, yinxin_pdf::Limits::default()).unwrap();
    let field = &document.signature_fields().unwrap()[0];
    let signature = document.signature(field.value.unwrap()).unwrap();
    let length = yinxin_pki::tlv::der_length(&signature.contents_bytes).unwrap();
    let cms = SignedData::parse(&signature.contents_bytes[..length]).unwrap();
    let SignatureAlgorithm::RsaPss(pss) = *cms.signer_infos()[0].signature_algorithm() else {
        panic!("{text}");
    };
    assert_eq!(pss.salt_bytes(), 222);

    let value = cms.signer_infos()[0].signature().to_vec();
    let written: String = value.iter().map(|octet| format!("{octet:02x}")).collect();
    let at = signed
        .windows(written.len())
        .position(|window| window.eq_ignore_ascii_case(written.as_bytes()))
        .unwrap();
    signed[at + 100] = if signed[at + 100] == b'0' { b'1' } else { b'0' };
    assert_eq!(verify(&signed).indication, Indication::TotalFailed);
}
