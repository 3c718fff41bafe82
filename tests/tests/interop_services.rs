//! Clients that others generate from the .proto files, and other people's verifiers on what the
//! services issue.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use yinxin_keys_dev::Installation;
use yinxin_proto::v1::SealProfile;
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_tests::department::{Department, marital_proof};
use yinxin_tests::peers;
use yinxin_tests::process::{Output, TOOL_TIME_MAX, run};
use yinxin_tests::services::{Services, install};
use yinxin_tests::{target, workspace};

/// Both services of this process with a department's files.
struct House {
    runtime: Runtime,
    services: Services,
    installation: Installation,
    folder: tempfile::TempDir,
}

fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let installation = install(folder.path());
        let runtime = Runtime::new().unwrap();
        let services = runtime.block_on(Services::start(&installation));
        House {
            runtime,
            services,
            installation,
            folder,
        }
    })
}

impl House {
    /// The roots as files: RSA for pyHanko, both for BouncyCastle.
    fn roots(&self) -> [PathBuf; 2] {
        let pki = self.installation.keys.pki(SystemClock.now()).unwrap();
        [("rsa", pki.rsa_root), ("sm2", pki.sm2_root)].map(|(name, root)| {
            let path = self.folder.path().join(format!("{name}-root.pem"));
            std::fs::write(&path, root.certificate.to_pem()).unwrap();
            path
        })
    }

    /// A marital proof issued over gRPC by our own client, as a file.
    fn issued(&self, request_id: &str, profile: SealProfile) -> PathBuf {
        let answer = self.runtime.block_on(async {
            let port = self.services.signer.port();
            let department = Department::connect(&self.installation.client_config, port)
                .await
                .unwrap();
            department
                .issue(marital_proof(request_id, profile))
                .await
                .unwrap()
        });
        let path = self.folder.path().join(format!("{request_id}.pdf"));
        std::fs::write(&path, answer.document).unwrap();
        path
    }

    /// The same request in the JSON form of protocol buffers.
    fn request_json(&self, request_id: &str, change: impl Fn(&mut Value)) -> PathBuf {
        let request = marital_proof(request_id, SealProfile::Dual);
        let mut fields: Value = serde_json::from_str(&request.fields_json).unwrap();
        change(&mut fields);
        let path = self.folder.path().join(format!("{request_id}.json"));
        let text = json!({
            "requestId": request.request_id,
            "licenceType": request.licence_type,
            "sealId": request.seal_id,
            "profile": "SEAL_PROFILE_DUAL",
            "fieldsJson": fields.to_string(),
            "caseNumber": request.case_number,
            "operator": { "account": "peer" },
        });
        std::fs::write(&path, text.to_string()).unwrap();
        path
    }
}

/// A peer's client: its program with the connection's arguments, then the call's.
type Client = fn(&House) -> Option<Command>;

fn python(house: &House) -> Option<Command> {
    let keys = &house.installation.keys;
    let department = keys.department_data();
    let mut command = peers::python_script("client.py")?;
    command.arg("--proto").arg(workspace().join("proto"));
    command
        .arg("--generated")
        .arg(target().join("peers/generated/python"));
    command.arg("--ca").arg(keys.tls_root());
    command.arg("--certificate").arg(department.chain);
    command.arg("--key").arg(department.key);
    Some(command)
}

fn java(house: &House) -> Option<Command> {
    let keys = &house.installation.keys;
    let department = keys.department_data();
    let mut command = peers::java("client", "yinxin.peers.Client")?;
    command
        .arg(keys.tls_root())
        .arg(department.chain)
        .arg(department.key);
    Some(command)
}

fn call(mut client: Command, arguments: &[&str]) -> (Output, Value) {
    let output = run(client.args(arguments), TOOL_TIME_MAX).unwrap();
    let answer = output.json_lines().into_iter().next();
    let answer = answer.unwrap_or_else(|| panic!("no answer: {}", output.text()));
    (output, answer)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// Issues, issues again, verifies, and is told of a forgery and of a wrong field.
fn issues_and_verifies(name: &str, client: Client) {
    let house = house();
    let Some(first) = client(house) else { return };
    let signer = format!("localhost:{}", house.services.signer.port());
    let verifier = format!("localhost:{}", house.services.verifier.port());
    let request = house.request_json(name, |_| ());
    let sealed = house.folder.path().join(format!("{name}.pdf"));
    let issue = ["issue", &signer, text(&request), text(&sealed)];

    let (output, answer) = call(first, &issue);
    assert!(output.success(), "{}", output.text());
    let identifier = answer["licence"]["identifier"].as_str().unwrap().to_owned();
    assert!(identifier.starts_with("1.2.156.3005.2."), "{answer}");
    let bytes = std::fs::read(&sealed).unwrap();

    let (_, again) = call(client(house).unwrap(), &issue);
    assert_eq!(again["replayed"], true, "{again}");
    assert_eq!(again["licence"]["identifier"], identifier.as_str());
    assert!(
        std::fs::read(&sealed).unwrap() == bytes,
        "the same request gives the same bytes"
    );

    let (_, report) = call(
        client(house).unwrap(),
        &["verify", &verifier, text(&sealed)],
    );
    assert_eq!(report["indication"], "INDICATION_TOTAL_PASSED", "{report}");
    let kinds: Vec<_> = report["signatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert_eq!(kinds, ["ses-v4", "cms-rfc"], "{report}");

    let forged = house.folder.path().join(format!("{name}-forged.pdf"));
    let mut changed = bytes;
    let half = changed.len() / 4;
    changed[half] ^= 1;
    std::fs::write(&forged, changed).unwrap();
    let (_, report) = call(
        client(house).unwrap(),
        &["verify", &verifier, text(&forged)],
    );
    assert_eq!(report["indication"], "INDICATION_TOTAL_FAILED", "{report}");

    let wrong = house.request_json(&format!("{name}-wrong"), |fields| {
        fields["holder_citizen_number"] = json!("110105194912310021");
    });
    let (output, status) = call(
        client(house).unwrap(),
        &["issue", &signer, text(&wrong), "none.pdf"],
    );
    assert_eq!(output.code, Some(3), "{}", output.text());
    assert_eq!(status["status"], "INVALID_ARGUMENT", "{status}");
    assert_eq!(status["reason"], "LICENCE_FIELD_INVALID", "{status}");
    assert_eq!(
        status["metadata"]["field"], "fields_json.holder_citizen_number",
        "{status}"
    );
}

#[test]
fn a_python_client_made_from_the_proto_files_issues_and_verifies() {
    issues_and_verifies("python", python);
}

#[test]
fn a_java_client_made_from_the_proto_files_issues_and_verifies() {
    issues_and_verifies("java", java);
}

#[test]
fn other_peoples_verifiers_accept_a_proof_with_both_signatures() {
    let house = house();
    let proof = house.issued("dual", SealProfile::Dual);
    let [rsa_root, sm2_root] = house.roots();
    if let Some(checked) = peers::qpdf_check(&proof) {
        assert_eq!(checked, (0, 0), "qpdf --check is clean");
    }
    if let Some(reports) = peers::pyhanko(&[&proof], std::slice::from_ref(&rsa_root)) {
        let signatures = &reports[0]["signatures"];
        for word in ["understood", "intact", "valid", "trusted", "bottom_line"] {
            assert_eq!(signatures[1][word], true, "{word}: {signatures}");
        }
        assert_eq!(signatures[1]["coverage"], "ENTIRE_FILE", "{signatures}");
        assert_eq!(signatures[0]["docmdp_ok"], true, "{signatures}");
        assert!(signatures[0]["suspicious"].is_null(), "{signatures}");
    }
    if let Some(mut pdfsig) = peers::tool("pdfsig") {
        let said = run(pdfsig.arg(&proof), TOOL_TIME_MAX).unwrap().text();
        assert_eq!(said.matches("Signature is Valid").count(), 1, "{said}");
    }
    if let Some(mut mutool) = peers::tool("mutool") {
        let said = run(mutool.args(["sign", "-v"]).arg(&proof), TOOL_TIME_MAX)
            .unwrap()
            .text();
        assert!(
            said.contains("The document is unchanged since signing"),
            "{said}"
        );
    }
    if let Some(reports) = peers::verify_ses(&[&proof]) {
        let seal = &reports[0]["signatures"][0];
        for word in [
            "ses",
            "der",
            "signature",
            "data_hash",
            "cert_list",
            "seal_signature",
        ] {
            assert_eq!(seal[word], true, "{word}: {seal}");
        }
    }
    if let Some(reports) = peers::verify_cms(&[&proof], &[rsa_root, sm2_root]) {
        let cms = &reports[0]["signatures"][1];
        assert_eq!(
            (&cms["valid"], &cms["chain"]),
            (&json!(true), &json!(true)),
            "{cms}"
        );
    }
}

#[test]
fn bouncycastle_accepts_a_proof_under_gm_cms() {
    let house = house();
    let proof = house.issued("gm-cms", SealProfile::GmCms);
    let Some(reports) = peers::verify_cms(&[&proof], &house.roots()) else {
        return;
    };
    let cms = &reports[0]["signatures"][0];
    assert_eq!(
        (&cms["valid"], &cms["chain"]),
        (&json!(true), &json!(true)),
        "{cms}"
    );
    assert_eq!(cms["algorithm"], "1.2.156.10197.1.501", "{cms}");
    // One bit off anywhere in the covered bytes.
    let mut bytes = std::fs::read(&proof).unwrap();
    let quarter = bytes.len() / 4;
    bytes[quarter] ^= 1;
    let forged = house.folder.path().join("gm-cms-forged.pdf");
    std::fs::write(&forged, bytes).unwrap();
    let mut java = peers::java("verify-cms", "yinxin.peers.VerifyCms").unwrap();
    let said = run(java.arg(&forged), TOOL_TIME_MAX).unwrap().text();
    assert!(!said.contains("\"valid\":true"), "{said}");
}
