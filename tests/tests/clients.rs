//! Clients in other languages, generated from the .proto files: a proof is issued by one and
//! verified by the other; and what independent readers say of it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use yinxin_keys_dev::{Installation, SEAL_ID};
use yinxin_tests::peers;
use yinxin_tests::services::{Services, install};
use yinxin_tests::{target, workspace};

/// The IssueLicenceRequest in its JSON form.
fn request(folder: &Path, request_id: &str) -> std::path::PathBuf {
    let request = json!({
        "requestId": request_id,
        "licenceType": "marital-proof",
        "sealId": SEAL_ID,
        "profile": "SEAL_PROFILE_DUAL",
        "fieldsJson": include_str!("../src/marital-proof.json"),
        "caseNumber": "TEST-1",
        "operator": { "account": "tester" },
    });
    let path = folder.join(format!("{request_id}.json"));
    std::fs::write(&path, request.to_string()).unwrap();
    path
}

/// Runs while both services answer.
fn with_services(test: impl FnOnce(&Path, &Installation, &Services)) {
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let services = runtime.block_on(Services::start(&installation));
    test(folder.path(), &installation, &services);
}

fn address(of: SocketAddr) -> String {
    format!("localhost:{}", of.port())
}

fn is_dual_proof(issued: &Value, verified: &Value) {
    assert!(
        issued["licence"]["identifier"]
            .as_str()
            .unwrap()
            .starts_with("1.2.156.3005.2."),
        "{issued}"
    );
    assert_eq!(
        verified["indication"], "INDICATION_TOTAL_PASSED",
        "{verified}"
    );
    assert_eq!(
        verified["signatures"].as_array().unwrap().len(),
        2,
        "{verified}"
    );
}

#[test]
fn a_python_client_issues_and_verifies() {
    with_services(|folder, installation, services| {
        let client = |words: &[&str]| -> Option<Value> {
            let keys = installation.keys.department_data();
            let mut command = peers::python_script("client.py")?;
            command
                .arg("--proto")
                .arg(workspace().join("proto"))
                .arg("--generated")
                .arg(target().join("peers/generated"))
                .arg("--ca")
                .arg(installation.keys.tls_root())
                .arg("--certificate")
                .arg(&keys.chain)
                .arg("--key")
                .arg(&keys.key)
                .args(words);
            peers::ask(&mut command).pop()
        };
        let (request, out) = (request(folder, "python"), folder.join("python.pdf"));
        let words = [request.to_str().unwrap(), out.to_str().unwrap()];
        let Some(issued) = client(&["issue", &address(services.signer), words[0], words[1]]) else {
            return;
        };
        let verified = client(&["verify", &address(services.verifier), words[1]]).unwrap();
        is_dual_proof(&issued, &verified);
    });
}

#[test]
fn a_java_client_issues_and_verifies() {
    with_services(|folder, installation, services| {
        let client = |words: &[&str]| -> Option<Value> {
            let keys = installation.keys.department_data();
            let mut command: Command = peers::java("client", "yinxin.peers.Client")?;
            command
                .arg(installation.keys.tls_root())
                .arg(&keys.chain)
                .arg(&keys.key)
                .args(words);
            peers::ask(&mut command).pop()
        };
        let (request, out) = (request(folder, "java"), folder.join("java.pdf"));
        let words = [request.to_str().unwrap(), out.to_str().unwrap()];
        let Some(issued) = client(&["issue", &address(services.signer), words[0], words[1]]) else {
            return;
        };
        let verified = client(&["verify", &address(services.verifier), words[1]]).unwrap();
        is_dual_proof(&issued, &verified);
    });
}
