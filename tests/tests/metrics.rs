//! What both services tell Prometheus of what they have just done.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::net::SocketAddr;
use std::path::Path;

use yinxin_proto::{Bytes, v1};
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_tests::department::{Department, digest_request, marital_proof, reason, seal_header};
use yinxin_tests::metrics::{Scrape, ask_for};
use yinxin_tests::peers::{ask, python_script};
use yinxin_tests::services::{install, plain_pdf, sdf_library};
use yinxin_tests::signer_process::SignerProcess;
use yinxin_verifier_server::Verifier;
// Only so that cargo builds the SDF device for tests.
use yinxin_sdf_test as _;

/// How much a series has grown between two scrapes.
fn grown(before: &Scrape, after: &Scrape, series: &str) -> f64 {
    after.value(series) - before.value(series)
}

/// Prometheus' own library reads the text, and finds the same values in it.
fn agreed(scrape: &Scrape, series: &[&str]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &scrape.text).unwrap();
    let Some(mut peer) = python_script("read_metrics.py") else {
        return;
    };
    let read = ask(peer.arg(file.path()));
    for name in series {
        let sum: f64 = read
            .iter()
            .filter(|sample| sample["name"] == *name)
            .map(|sample| sample["value"].as_f64().unwrap())
            .sum();
        let own = scrape.sum(name);
        assert!((sum - own).abs() < 1e-6, "{name}: {sum} and {own}");
        assert!(own > 0.0, "{name}");
    }
}

#[test]
fn the_signer_tells_of_seals_keys_devices_certificates_and_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    installation
        .keys_in_sdf(&sdf_library(), SystemClock.now())
        .unwrap();
    ask_for(&installation.signer_config);
    let program = Path::new(env!("CARGO_BIN_EXE_crashing-signer"));
    let process = SignerProcess::start(program, &installation);
    let metrics = process.metrics.unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let port = process.address.port();
    let department = runtime
        .block_on(Department::connect(&installation.client_config, port))
        .unwrap();

    let before = Scrape::of(metrics);
    let refused = runtime.block_on(seal_four_times_and_fail_once(&department));
    let after = Scrape::of(metrics);

    let seal_document = "yinxin.v1.SealingService/SealDocument";
    let requests = |method: &str, reason: &str| {
        format!("yinxin_requests_total{{method=\"{method}\",reason=\"{reason}\"}}")
    };
    let sealed = |operation: &str, profile: &str| {
        let labels = format!("operation=\"{operation}\",profile=\"{profile}\"");
        format!("yinxin_documents_sealed_total{{{labels}}}")
    };
    let steps = |step: &str| format!("yinxin_step_seconds_count{{step=\"{step}\"}}");
    let of_key = |name: &str, key: &str| format!("{name}{{device=\"sdf\",key=\"{key}\"}}");
    // Two dual sealings, one of them asked for twice; an issue with one signature; a digest.
    for (series, by) in [
        (requests(seal_document, "OK"), 3.0),
        (requests(seal_document, &refused), 1.0),
        (requests("yinxin.v1.LicenceService/IssueLicence", "OK"), 1.0),
        (requests("yinxin.v1.SealingService/SealDigest", "OK"), 1.0),
        (sealed("seal-document", "dual"), 2.0),
        (sealed("issue-licence", "gm-seal"), 1.0),
        (sealed("seal-digest", "pades-b-b"), 1.0),
        (steps("prepare"), 5.0),
        (steps("sign"), 6.0),
        (steps("self-check"), 4.0),
        (steps("store"), 3.0),
        (of_key("yinxin_device_signatures_total", "village-sm2"), 3.0),
        (of_key("yinxin_device_signatures_total", "village-rsa"), 3.0),
        (
            of_key("yinxin_device_wait_seconds_count", "village-sm2"),
            3.0,
        ),
        (
            of_key("yinxin_device_sign_seconds_count", "village-rsa"),
            3.0,
        ),
        (
            "yinxin_key_sign_seconds_count{key=\"village-rsa\"}".to_owned(),
            3.0,
        ),
    ] {
        let grown = grown(&before, &after, &series);
        assert!(
            (grown - by).abs() < 1e-9,
            "{series}: {grown}, not {by}\n{}",
            after.text
        );
    }
    for (series, value) in [
        ("yinxin_device_sessions_wanted{device=\"sdf\"}", 4.0),
        ("yinxin_device_state{device=\"sdf\",state=\"up\"}", 1.0),
        ("yinxin_device_state{device=\"sdf\",state=\"down\"}", 0.0),
        ("yinxin_sm2_withheld_signatures_total", 0.0),
        ("yinxin_certificates_ending{within=\"over\"}", 0.0),
        ("yinxin_requests_in_flight", 0.0),
    ] {
        assert!(
            (after.value(series) - value).abs() < 1e-9,
            "{series}\n{}",
            after.text
        );
    }
    assert!(grown(&before, &after, "yinxin_record_commit_seconds_count") > 0.0);
    let left = "yinxin_certificate_seconds_left{used_by=\"seal village-demo, gm\"}";
    assert!(after.value(left) > 86_400.0, "{}", after.text);
    assert!(after.value("yinxin_tls_certificate_seconds_left") > 0.0);
    // Nothing that a caller has said, and nobody's name.
    for secret in [
        "TEST-1",
        "tester",
        "metrics-",
        "dept-data",
        "contract.pdf",
        "示范",
    ] {
        assert!(!after.text.contains(secret), "{secret} in\n{}", after.text);
    }
    agreed(
        &after,
        &[
            "yinxin_build_info",
            "yinxin_requests_total",
            "yinxin_device_wait_seconds_bucket",
            "yinxin_step_seconds_sum",
            "yinxin_certificate_seconds_left",
        ],
    );
}

/// Gives the reason of the refusal.
async fn seal_four_times_and_fail_once(department: &Department) -> String {
    for id in ["metrics-1", "metrics-2", "metrics-2"] {
        let header = seal_header(id, v1::SealProfile::Dual);
        department.seal(header, plain_pdf()).await.unwrap();
    }
    let proof = marital_proof("metrics-3", v1::SealProfile::GmSeal);
    department.issue(proof).await.unwrap();
    let digest = digest_request("metrics-4".to_owned(), v1::SealProfile::PadesBB);
    department.seal_digest(digest).await.unwrap();
    let mut unknown = seal_header("metrics-5", v1::SealProfile::Dual);
    unknown.seal_id = "metrics-no-such-seal".to_owned();
    let status = department.seal(unknown, plain_pdf()).await.unwrap_err();
    reason(&status).0
}

#[test]
fn the_verifier_tells_of_each_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    ask_for(&installation.verifier_config);
    let program = Path::new(env!("CARGO_BIN_EXE_crashing-signer"));
    let process = SignerProcess::start(program, &installation);
    let after = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let connect = async |address: SocketAddr| {
            let connected = Department::connect(&installation.client_config, address.port());
            connected.await.unwrap()
        };
        let header = seal_header("metrics-6", v1::SealProfile::Dual);
        let signer = connect(process.address).await;
        let (_, sealed) = signer.seal(header, plain_pdf()).await.unwrap();

        let config = yinxin_verifier_server::Config::read(&installation.verifier_config).unwrap();
        let verifier = Verifier::open(&config).await.unwrap();
        let (address, metrics) = (verifier.address(), verifier.metrics_address().unwrap());
        tokio::spawn(verifier.serve(std::future::pending()));
        let department = connect(address).await;
        let mut forged = sealed.clone();
        let at = forged.windows(5).position(|five| five == b"[0 0 ").unwrap();
        forged[at + 1] = b'1';
        for document in [sealed.clone(), sealed, forged] {
            department.verify(document.into()).await.unwrap();
        }
        let refused = department.verify(Bytes::from_static(b"no PDF")).await;
        assert!(refused.is_err());
        tokio::task::spawn_blocking(move || Scrape::of(metrics))
            .await
            .unwrap()
    });
    let method = "yinxin.v1.VerificationService/VerifyDocument";
    for (series, value) in [
        (
            "yinxin_verifications_total{indication=\"TOTAL-PASSED\"}".to_owned(),
            2.0,
        ),
        (
            "yinxin_verifications_total{indication=\"TOTAL-FAILED\"}".to_owned(),
            1.0,
        ),
        ("yinxin_verification_seconds_count".to_owned(), 3.0),
        (
            format!("yinxin_requests_total{{method=\"{method}\",reason=\"OK\"}}"),
            3.0,
        ),
        (
            format!("yinxin_request_seconds_count{{method=\"{method}\"}}"),
            4.0,
        ),
    ] {
        assert!(
            (after.value(&series) - value).abs() < 1e-9,
            "{series}\n{}",
            after.text
        );
    }
    assert!(
        after.value("yinxin_crl_seconds_left") > 0.0,
        "{}",
        after.text
    );
    agreed(
        &after,
        &[
            "yinxin_verifications_total",
            "yinxin_request_seconds_bucket",
        ],
    );
}
