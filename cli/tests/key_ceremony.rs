//! From an empty token to an active seal, with what docs/operating/key-life.md gives a person to
//! write: two ceremonies with their transcripts, the authority in between, and a seal that goes over
//! to the new key while the service runs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::fs::File;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use lopdf::{Document, Object, Stream, dictionary};
use yinxin_keys_dev::{CertificateRequest, DevKeys, KeyKind, dev_name, softhsm_library};
use yinxin_pki::{Certificate, UnixSeconds};
use yinxin_signer::ports::{Clock as _, SystemClock};

const PIN: &str = "11223344";
/// How long the service may take to start in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

struct World {
    folder: tempfile::TempDir,
}

struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl World {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.folder.path())
            .env("LC_ALL", "C")
            .env("USER", "li")
            .env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
            .env("RUST_LOG", "warn");
        command
    }

    fn yinxin(&self, words: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_yinxin"), words)
            .output()
            .unwrap()
    }

    /// What a command that succeeds prints.
    fn said(&self, words: &[&str]) -> String {
        let done = self.yinxin(words);
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{words:?}: {text}{error}");
        text
    }

    /// An empty token, as `softhsm2-util` leaves it.
    fn empty_token(&self) {
        std::fs::create_dir(self.path("tokens")).unwrap();
        let tokens = self.path("tokens");
        self.write(
            "softhsm2.conf",
            &format!(
                "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
                tokens.display()
            ),
        );
        let words = ["--init-token", "--free", "--label", "city", "--so-pin", PIN];
        let done = self
            .command("softhsm2-util", &words)
            .args(["--pin", PIN])
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        self.write("pin", &format!("{PIN}\n"));
    }

    /// The trial installation, at a port of its own, with the new key in its token as the next of
    /// the seal.
    fn configure(&self, documented: &str, from: UnixSeconds) -> u16 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        for name in ["home/signer.toml", "home/client.toml"] {
            self.write(name, &self.text(name).replace("7443", &port.to_string()));
        }
        let chain = self.path("keys/village-hsm.pem");
        let documented = documented
            .replace("2027-01-01T00:00:00+08:00", &from.to_string())
            .replace("keys/village-hsm.pem", chain.to_str().unwrap());
        let (key, next) = documented.split_at(documented.find("[seal.next]").unwrap());
        // The device is named as in the room, and its PIN as docs/operating/keys.md says.
        let device = self.text("keys/devices.toml");
        let pin = self.path("pin");
        let device = format!("{device}pin = {{ file = \"{}\" }}\n{key}", pin.display());
        let config = self.text("home/signer.toml");
        let config = config
            .replacen("[[seal]]", &format!("{device}[[seal]]"), 1)
            .replacen("[[department]]", &format!("{next}[[department]]"), 1);
        self.write("home/signer.toml", &config);
        port
    }

    fn serve(&self, port: u16) -> Service {
        let words = ["serve", "signer", "--config", "home/signer.toml"];
        let log = File::create(self.path("log")).unwrap();
        let child = self
            .command(env!("CARGO_BIN_EXE_yinxin"), &words)
            .stderr(log)
            .spawn()
            .unwrap();
        let mut service = Service(child);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "the service does not start");
            let ended = service.0.try_wait().unwrap();
            assert!(ended.is_none(), "the service ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
        service
    }

    /// Seals, verifies, and gives the serial number of the signer's certificate.
    fn seal(&self, name: &str) -> String {
        let output = format!("{name}.pdf");
        self.said(&[
            "seal",
            "in.pdf",
            &output,
            "--connect",
            "home/client.toml",
            "--profile",
            "pades-b-b",
        ]);
        let report = self.said(&[
            "verify",
            &output,
            "--trust",
            "home/keys/trust",
            "--allow-dev-only",
            "--json",
        ]);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let signer = &report["signatures"][0]["signer"];
        signer["serial"].as_str().unwrap().to_owned()
    }
}

/// The TOML that docs/operating/key-life.md shows, in its order: the device, the ceremony, the
/// signer's configuration. The renewal after them is no part of the ceremony.
fn documented() -> [String; 3] {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating/key-life.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<String> = page
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().replace("\n   ", "\n"))
        .map(|block| format!("{}\n", block.trim()))
        .collect();
    let blocks: [String; 4] = blocks.try_into().expect("four pieces of TOML");
    let [device, ceremony, signer, _renewal] = blocks;
    [device, ceremony, signer]
}

fn skip(reason: &str) {
    // Not eprintln!, which the test runner would swallow. Nobody to tell if this fails.
    let _ = std::io::stderr().write_all(format!("SKIPPED: key ceremony: {reason}\n").as_bytes());
}

fn pdf() -> Vec<u8> {
    let mut document = Document::with_version("1.7");
    let pages = document.new_object_id();
    let content = document.add_object(Stream::new(dictionary! {}, Vec::new()));
    let page = document.add_object(dictionary! {
        "Type" => "Page",
        "Parent" => pages,
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        "Contents" => content,
    });
    let kids: Vec<Object> = vec![page.into()];
    let tree = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => 1 };
    document.objects.insert(pages, Object::Dictionary(tree));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

const SECOND: &str = r#"
title = "示范村电子印章的新证书"
place = "示范市政务中心机房"
[[person]]
name = "李明"
role = "操作人 operator"
[[person]]
name = "王芳"
role = "见证人 witness"
[[step]]
do = "install-certificate"
name = "village-hsm"
certificates = "answer.pem"
trust = "home/keys/trust"
allow_dev_only = true
"#;

#[test]
fn a_ceremony_leads_from_an_empty_token_to_an_active_seal_while_the_service_runs() {
    let Some(library) = softhsm_library() else {
        return skip("SoftHSM2 is not installed (Debian: softhsm2)");
    };
    let world = World {
        folder: tempfile::tempdir().unwrap(),
    };
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let fonts = workspace.join("target/fonts");
    if !fonts.is_dir() {
        return skip("no fonts; run scripts/setup");
    }
    let fonts = fonts.to_str().unwrap();
    world.said(&["keys", "dev", "home", "--fonts", fonts]);
    std::fs::write(world.path("in.pdf"), pdf()).unwrap();
    world.empty_token();
    std::fs::create_dir(world.path("keys")).unwrap();
    let [device, first, configuration] = documented();
    let library = library.to_str().unwrap();
    let device = device.replace("/usr/lib/softhsm/libsofthsm2.so", library);
    world.write("keys/devices.toml", &device);
    // Nobody sits at a terminal here; that is cli/tests/terminal.rs.
    let first = first.replace("[[step]]\n", "[[step]]\nsecret = \"file:pin\"\n");
    world.write("first.toml", &first);
    world.write("second.toml", SECOND);

    // 1. The plan is read, and nothing happens by it.
    let plan = world.said(&["keys", "ceremony", "first.toml", "--dry-run"]);
    assert!(
        plan.contains("1. 生成密钥 · make a key: village-hsm"),
        "{plan}"
    );
    assert!(plan.contains("王芳"), "{plan}");
    assert!(!world.path("keys/village-hsm.json").exists());

    // 2. The key is made; the paper says where, and what the token says of it.
    let words = [
        "keys",
        "ceremony",
        "first.toml",
        "--transcript",
        "first.txt",
    ];
    let printed = world.said(&words);
    let paper = world.text("first.txt");
    assert_eq!(printed, paper);
    for line in [
        "全部完成 · all steps done",
        "CKA_NEVER_EXTRACTABLE: true",
        "the token says, signed by nobody: made inside, never could leave",
        "last digest of the audit",
    ] {
        assert!(paper.contains(line), "{line} is missing in:\n{paper}");
    }
    assert!(!paper.contains(PIN), "{paper}");
    let again = world.yinxin(&["keys", "ceremony", "first.toml"]);
    assert!(!again.status.success(), "a key is not made twice");

    // 3. The authority answers the request.
    let now = SystemClock.now();
    let dev = DevKeys::make(&world.path("home/keys"), now).unwrap();
    let authority = dev.pki(now).unwrap().rsa_issuing;
    let request = CertificateRequest::signer(
        dev_name("示范市示范镇示范村村民委员会", "电子印章"),
        KeyKind::P256,
        UnixSeconds(now.0 - 60),
        UnixSeconds(now.0 + 30 * 86_400),
    );
    let asked = std::fs::read(world.path("village-hsm.csr")).unwrap();
    let certificate = authority.certify(&asked, &request).unwrap();
    world.write("answer.pem", &certificate.to_pem());
    world.said(&[
        "keys",
        "ceremony",
        "second.toml",
        "--transcript",
        "second.txt",
    ]);
    let paper = world.text("second.txt");
    assert!(paper.contains(&certificate.serial_hex()), "{paper}");

    // 4. The seal goes over to the new key at its moment, and the service runs on.
    let old = Certificate::from_pem_or_der(&std::fs::read(dev.rsa_signer().certificate).unwrap());
    let from = UnixSeconds(SystemClock.now().0 + 20);
    let port = world.configure(&configuration, from);
    let mut service = world.serve(port);
    if SystemClock.now() < UnixSeconds(from.0 - 5) {
        assert_eq!(world.seal("before"), old.unwrap().serial_hex());
    }
    let start = Instant::now();
    let mut serial = world.seal("after");
    while serial != certificate.serial_hex() {
        assert!(start.elapsed() < PATIENCE, "the seal keeps its old key");
        std::thread::sleep(Duration::from_secs(2));
        serial = world.seal("after");
    }
    assert!(service.0.try_wait().unwrap().is_none());

    // 5. Who asks later finds the key, its certificate and its seal, and an unbroken audit.
    let words = [
        "--lang",
        "en",
        "keys",
        "list",
        "--config",
        "home/signer.toml",
    ];
    let listed = world.said(&words);
    assert!(listed.contains("29 days left") || listed.contains("30 days left"));
    let signs = format!("seals: village-demo (pades from {from})");
    assert!(listed.contains(&signs), "{listed}");
    let audit = world.said(&["--lang", "en", "keys", "audit"]);
    assert!(audit.contains("the audit chain is whole"), "{audit}");

    // 6. The next start says that the certificate ends within 30 days.
    drop(service);
    let _service = world.serve(port);
    let warning = "a certificate ends within 30 days";
    let start = Instant::now();
    while !world.text("log").contains(warning) {
        assert!(start.elapsed() < PATIENCE, "{}", world.text("log"));
        std::thread::sleep(Duration::from_millis(100));
    }
    let log = world.text("log");
    let line = log.lines().find(|line| line.contains(warning)).unwrap();
    assert!(line.contains("seal village-demo, pades"), "{line}");
}
