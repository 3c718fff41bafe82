//! A seal whose SM2 half goes over to its next key while the service works: before, across and after
//! the moment, in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use yinxin_keys_dev::{
    CertificateRequest, DevPki, Identity, Installation, KeyKind, OWNER_NAME, SealRequest, dev_name,
    encrypt_key_pem,
};
use yinxin_pki::UnixSeconds;
use yinxin_proto::{Bytes, v1};
use yinxin_ses::Picture;
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_tests::department::{Department, seal_header};
use yinxin_tests::services::{install, plain_pdf};
use yinxin_tests::signer_process::SignerProcess;
use yinxin_verifier::{Indication, Options, Trust};

/// From the reading of the configuration to the moment.
const LEAD_SECONDS: i64 = 12;
/// How long the change may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// The next seal object's own number.
const NEXT_SEAL: &str = "DEV-99990011400102";

/// What one sealed document says of its signers: of the SM2 half, of its seal, of the RSA half.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signers {
    sm2: String,
    seal: String,
    rsa: Option<String>,
}

struct World {
    folder: tempfile::TempDir,
    installation: Installation,
    pki: DevPki,
    next: Identity,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installation = install(folder.path());
        let now = SystemClock.now();
        let pki = installation.keys.pki(now).unwrap();
        let request = CertificateRequest::signer(
            dev_name(OWNER_NAME, "电子印章"),
            KeyKind::Sm2,
            UnixSeconds(now.0 - 60),
            UnixSeconds(now.0 + 365 * 86_400),
        );
        let next = pki.sm2_issuing.issue(&request).unwrap();
        Self {
            folder,
            installation,
            pki,
            next,
        }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// The next SM2 key, its certificates and the seal object made for it, from a moment on.
    fn announce(&self, from: UnixSeconds) {
        let passphrase = self.installation.keys.passphrase().unwrap();
        let key = encrypt_key_pem(&self.next.key, passphrase.as_bytes()).unwrap();
        self.write("next.key.pem", key);
        let issuer = &self.pki.sm2_issuing.certificate;
        self.write(
            "next.pem",
            self.next.certificate.to_pem() + &issuer.to_pem(),
        );
        let picture = Picture {
            kind: "SVG".to_owned(),
            data: b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            width_mm: 42,
            height_mm: 42,
        };
        let request = SealRequest::new(NEXT_SEAL, OWNER_NAME, picture, &self.next.certificate);
        self.write("next.esl", self.pki.seal_maker.make_seal(&request).unwrap());
        let key = "[[key]]\nname = \"village-sm2-next\"\nfile = \"next.key.pem\"\n";
        let next = format!(
            "[seal.next]\nfrom = \"{from}\"\n[seal.next.gm]\nseal = \"next.esl\"\n\
             key = \"village-sm2-next\"\ncertificates = \"next.pem\"\n"
        );
        let path = &self.installation.signer_config;
        let config = std::fs::read_to_string(path).unwrap();
        let config = config
            .replacen("[[seal]]", &format!("{key}[[seal]]"), 1)
            .replacen("[[department]]", &format!("{next}[[department]]"), 1);
        std::fs::write(path, config).unwrap();
    }

    /// Verifies, and says who signed.
    fn verified(&self, what: &str, sealed: &[u8]) -> Signers {
        let trust = Trust {
            anchors: self.pki.anchors(),
            intermediates: self.pki.intermediates(),
            crls: self.pki.crls().unwrap(),
            allow_dev_only: true,
            ..Trust::default()
        };
        let options = Options::at(SystemClock.now());
        let report = yinxin_verifier::verify(sealed, &trust, &options).unwrap();
        assert_eq!(
            report.indication,
            Indication::TotalPassed,
            "{what}: {:?}",
            report.signatures
        );
        let serial = |index: usize| {
            let signature = report.signatures.get(index)?;
            Some(signature.signer.as_ref()?.serial.clone())
        };
        Signers {
            sm2: serial(0).unwrap(),
            seal: report.signatures[0]
                .seal
                .as_ref()
                .unwrap()
                .identifier
                .clone(),
            rsa: serial(1),
        }
    }
}

/// A call whose document is begun now and ended by the sender.
struct UnderWay {
    rest: mpsc::Sender<Bytes>,
    call: tokio::task::JoinHandle<Result<Vec<u8>, tonic::Status>>,
}

impl UnderWay {
    async fn begin(department: &Department, name: &str, profile: v1::SealProfile) -> Self {
        let (rest, chunks) = mpsc::channel(4);
        let document = plain_pdf();
        rest.send(document.slice(..100)).await.unwrap();
        let department = department.clone();
        let header = seal_header(name, profile);
        let call = tokio::spawn(async move {
            let mut sealed = Vec::new();
            let take = |chunk: &[u8]| sealed.extend_from_slice(chunk);
            let chunks = ReceiverStream::new(chunks);
            department.seal_as_it_comes(header, chunks, take).await?;
            Ok(sealed)
        });
        Self { rest, call }
    }

    async fn end(self) -> Vec<u8> {
        self.rest.send(plain_pdf().slice(100..)).await.unwrap();
        drop(self.rest);
        self.call.await.unwrap().unwrap()
    }
}

fn hang_up(process: &SignerProcess) {
    let pid = process.id().to_string();
    let sent = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sm2_half_of_a_seal_succeeds_at_its_moment_and_no_call_notices() {
    let world = Arc::new(World::new());
    let (gm, dual) = (v1::SealProfile::GmSeal, v1::SealProfile::Dual);
    let process = SignerProcess::start(
        Path::new(env!("CARGO_BIN_EXE_crashing-signer")),
        &world.installation,
    );
    let port = process.address.port();
    let department = Department::connect(&world.installation.client_config, port)
        .await
        .unwrap();
    let seal = async |name: &str, profile| {
        let header = seal_header(name, profile);
        let (_, sealed) = department.seal(header, plain_pdf()).await.unwrap();
        sealed
    };

    // Before.
    let old = world.verified("before", &seal("before-dual", dual).await);
    assert_eq!(old.sm2, world.pki.sm2_signer.certificate.serial_hex());
    let rsa = world.pki.rsa_signer.certificate.serial_hex();
    assert_eq!(old.rsa.as_ref(), Some(&rsa));
    let old_alone = world.verified("before", &seal("before-gm", gm).await);
    assert_eq!((&old_alone.sm2, &old_alone.seal), (&old.sm2, &old.seal));

    // Calls that are begun before the moment and end after it, and callers that never pause.
    let under_way = [
        UnderWay::begin(&department, "across-gm", gm).await,
        UnderWay::begin(&department, "across-dual", dual).await,
    ];
    let from = UnixSeconds(SystemClock.now().0 + LEAD_SECONDS);
    world.announce(from);
    hang_up(&process);
    let (stop, new_seen) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let callers: Vec<_> = (0..3)
        .map(|caller| {
            let (world, department) = (Arc::clone(&world), department.clone());
            let (stop, new_seen) = (Arc::clone(&stop), Arc::clone(&new_seen));
            tokio::spawn(async move {
                let mut seen = Vec::new();
                for turn in 0.. {
                    let begun_at = SystemClock.now();
                    let header = seal_header(&format!("caller-{caller}-{turn}"), dual);
                    let (_, sealed) = department.seal(header, plain_pdf()).await.unwrap();
                    let ended_at = SystemClock.now();
                    let signers = world.verified("across", &sealed);
                    if signers.seal == NEXT_SEAL {
                        new_seen.fetch_add(1, Ordering::SeqCst);
                    }
                    seen.push((begun_at, ended_at, signers));
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                }
                seen
            })
        })
        .collect();
    let started = Instant::now();
    while new_seen.load(Ordering::SeqCst) == 0 {
        assert!(started.elapsed() < PATIENCE, "the seal keeps its old key");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // Across: what was begun under the old key ends on it.
    for (one, expected) in under_way.into_iter().zip([&old_alone, &old]) {
        let signers = world.verified("under way", &one.end().await);
        assert_eq!(&signers, expected);
    }
    stop.store(true, Ordering::SeqCst);

    // After.
    let new = Signers {
        sm2: world.next.certificate.serial_hex(),
        seal: NEXT_SEAL.to_owned(),
        rsa: Some(rsa),
    };
    assert_eq!(
        world.verified("after", &seal("after-dual", dual).await),
        new
    );
    let new_alone = world.verified("after", &seal("after-gm", gm).await);
    assert_eq!((&new_alone.sm2, &new_alone.seal), (&new.sm2, &new.seal));

    let (mut old_count, mut new_count) = (0, 0);
    for caller in callers {
        let mut changed = false;
        for (begun_at, ended_at, signers) in caller.await.unwrap() {
            if signers == old {
                assert!(!changed, "a caller went back to the old key");
                old_count += 1;
            } else {
                assert_eq!(signers, new);
                assert!(ended_at >= from, "the next key signed before its moment");
                changed = true;
                new_count += 1;
            }
            assert!(begun_at <= ended_at);
        }
    }
    assert!(old_count > 0 && new_count > 0, "{old_count}, {new_count}");
}
