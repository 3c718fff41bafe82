//! A device that fails in every way while 32 callers seal through the service. Forty seconds with
//! the tests; `yinxin_sdf_test::chaos` says how to have it longer, or the same again.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use yinxin_keys_dev::Installation;
use yinxin_proto::v1;
use yinxin_sdf_test::chaos::{Chaos, Signs};
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_signer::record::Record as _;
use yinxin_store::SqliteRecord;
use yinxin_tests::department::{Department, reason, seal_header};
use yinxin_tests::metrics::{Scrape, ask_for};
use yinxin_tests::peers::{ask, python_script, verify_ses};
use yinxin_tests::services::{install, plain_pdf, sdf_library};
use yinxin_tests::signer_process::SignerProcess;
use yinxin_verifier::{Indication, Options, Trust, verify};
use yinxin_verifier_server::read_trust;

const CALLERS: usize = 32;

/// Callers share connections, as those of one department do.
const CONNECTIONS: usize = 4;

/// Few, so that the device and not the processor sets the pace, on a busy machine too.
const SESSIONS: usize = 2;
const LATENCY_MS: u64 = 30;

/// The device's own limits, slower than a slow signature and faster than one that hangs.
const POOL: &str = "pool = { sessions = 2, hang_milliseconds_max = 2000, \
     sign_milliseconds_max = 4000, connect_milliseconds_max = 4000 }";
const HANG_MS: u64 = 3000;

/// `sign_milliseconds_max`, and what a busy machine takes for the rest.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What reading keys, fonts and seals again may take while 32 callers try.
const RELOAD_MAX: Duration = Duration::from_secs(30);

/// How long a caller who was refused waits before it asks again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// One released document in so many is shown to another verifier, too.
const SAMPLED_ONE_IN: u64 = 100;

/// What callers got.
#[derive(Default)]
struct Counts {
    released: AtomicU64,
    refused: AtomicU64,
    slowest_ms: AtomicU64,
    ids: Mutex<BTreeSet<String>>,
    samples: Mutex<Vec<PathBuf>>,
}

/// What all callers have in common.
struct Common {
    trust: Trust,
    counts: Counts,
    stop: AtomicBool,
    folder: PathBuf,
}

impl Common {
    /// Asks until the document is sealed, or nobody wants it any more. Each answer comes in time;
    /// a refusal says that it is the device's; a document is right.
    async fn one(self: &Arc<Self>, department: &Department, id: &str) {
        let original = plain_pdf();
        while !self.stop.load(Ordering::Relaxed) {
            let header = seal_header(id, v1::SealProfile::GmSeal);
            let asked = Instant::now();
            let answer =
                tokio::time::timeout(ANSWER_MAX, department.seal(header, original.clone()))
                    .await
                    .unwrap_or_else(|_| panic!("{id}: no answer"));
            let took = u64::try_from(asked.elapsed().as_millis()).unwrap();
            self.counts.slowest_ms.fetch_max(took, Ordering::Relaxed);
            match answer {
                Ok((receipt, sealed)) => {
                    assert!(!receipt.replayed, "{id}");
                    assert!(sealed.starts_with(&original), "{id}");
                    let nth = self.counts.released.fetch_add(1, Ordering::Relaxed);
                    let (common, id) = (Arc::clone(self), id.to_owned());
                    let looking =
                        tokio::task::spawn_blocking(move || common.look(nth, id, &sealed));
                    return looking.await.unwrap();
                }
                Err(status) => {
                    let (reason, _) = reason(&status);
                    let of_device = ["KEY_STORE", "KEY_STORE_BUSY"].contains(&&*reason);
                    assert!(of_device, "{id}: {status:?}");
                    self.counts.refused.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(ASK_AGAIN).await;
                }
            }
        }
    }

    fn look(&self, nth: u64, id: String, sealed: &[u8]) {
        let options = Options::at(SystemClock.now());
        let report = verify(sealed, &self.trust, &options).unwrap();
        assert_eq!(report.indication, Indication::TotalPassed, "{id}");
        assert_eq!(report.signatures.len(), 1, "{id}");
        if nth.is_multiple_of(SAMPLED_ONE_IN) {
            let file = self.folder.join(format!("{id}.pdf"));
            fs::write(&file, sealed).unwrap();
            self.counts.samples.lock().unwrap().push(file);
        }
        assert!(self.counts.ids.lock().unwrap().insert(id));
    }
}

/// The service in its torment.
struct Service<'a> {
    process: &'a SignerProcess,
    control: PathBuf,
    common: &'a Common,
}

impl Service<'_> {
    fn metrics(&self) -> SocketAddr {
        self.process.metrics.unwrap()
    }

    /// Waits until the device has all its sessions and no thread is stuck in it.
    fn await_whole(&self) -> Scrape {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let scrape = Scrape::of(self.metrics());
            let of_device = |name: &str| scrape.sum(&format!("yinxin_device_{name}"));
            if of_device("sessions_open") == SESSIONS as f64 && of_device("stuck_threads") == 0.0 {
                return scrape;
            }
            assert!(Instant::now() < end, "{}", self.state());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Signs for Service<'_> {
    /// At once, so that no call meets half of it.
    fn control(&self, lines: &str) {
        let new = self.control.with_extension("new");
        fs::write(&new, lines).unwrap();
        fs::rename(new, &self.control).unwrap();
    }

    /// The configuration is read again; until that is done, nothing is repaired.
    fn forgive(&self) {
        let read = || Scrape::of(self.metrics()).sum("yinxin_configuration_reads_total");
        let before = read();
        let started = Instant::now();
        self.process.hang_up();
        while read() <= before {
            assert!(started.elapsed() < RELOAD_MAX, "{}", self.state());
            std::thread::sleep(Duration::from_millis(20));
        }
        println!(
            "the configuration was read again within {:?}",
            started.elapsed()
        );
    }

    fn done(&self) -> u64 {
        self.common.counts.released.load(Ordering::Relaxed)
    }

    fn state(&self) -> String {
        let text = Scrape::of(self.metrics()).text;
        let lines = text
            .lines()
            .filter(|line| line.starts_with("yinxin_device_"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Keys in the SDF device, a pool with the limits of this test, and figures.
fn tormented(folder: &Path) -> Installation {
    let installation = install(folder);
    installation
        .keys_in_sdf(&sdf_library(), SystemClock.now())
        .unwrap();
    let config = &installation.signer_config;
    let text = fs::read_to_string(config).unwrap();
    let kind = "kind = \"sdf\"\n";
    let with_pool = text.replace(kind, &format!("{kind}{POOL}\n"));
    assert_ne!(with_pool, text);
    let limits = format!("\n[limits]\nconcurrent_documents_max = {CALLERS}\n");
    fs::write(config, with_pool + &limits).unwrap();
    ask_for(config);
    installation
}

#[test]
fn thirty_two_callers_get_right_documents_or_a_reason_and_the_service_heals() {
    let chaos = Chaos::from_environment(LATENCY_MS, HANG_MS, 40);
    let folder = tempfile::tempdir().unwrap();
    let installation = tormented(folder.path());
    let control = folder.path().join("device/sdf.so.control");
    fs::write(&control, chaos.good()).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_crashing-signer"));
    let process = SignerProcess::start_to_be_killed(program, &installation, None);
    let common = Arc::new(Common {
        trust: read_trust(&installation.trust, true).unwrap(),
        counts: Counts::default(),
        stop: AtomicBool::new(false),
        folder: folder.path().to_owned(),
    });
    let service = Service {
        process: &process,
        control,
        common: &common,
    };
    let before = service.await_whole();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut callers = runtime.block_on(start_callers(&installation, &process, &common));
    // Whatever fails in here, the callers must end, and say first what they have seen.
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| chaos.torment(&service)));
    common.stop.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
    });
    if let Err(panic) = told {
        std::panic::resume_unwind(panic);
    }

    let after = service.await_whole();
    let counts = &common.counts;
    let released = counts.released.load(Ordering::Relaxed);
    println!(
        "{released} released, {} refused, the slowest answer after {} ms\n{}",
        counts.refused.load(Ordering::Relaxed),
        counts.slowest_ms.load(Ordering::Relaxed),
        service.state()
    );
    let open = "yinxin_device_sessions_open";
    assert!((after.sum(open) - before.sum(open)).abs() < 0.5);
    assert!(after.sum("yinxin_documents_sealed_total") == released as f64);
    assert!(after.sum("yinxin_device_wrong_signatures_total") > 0.0);
    assert!(after.sum("yinxin_requests_in_flight") == 0.0);
    drop(process);
    runtime.block_on(the_record_agrees(folder.path(), counts));
    another_verifier_agrees(counts);
}

async fn start_callers(
    installation: &Installation,
    process: &SignerProcess,
    common: &Arc<Common>,
) -> JoinSet<()> {
    let mut departments = Vec::new();
    for _ in 0..CONNECTIONS {
        let port = process.address.port();
        let connected = Department::connect(&installation.client_config, port).await;
        departments.push(connected.unwrap());
    }
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let department = departments[caller % CONNECTIONS].clone();
        let common = Arc::clone(common);
        callers.spawn(async move {
            for turn in 0.. {
                if common.stop.load(Ordering::Relaxed) {
                    break;
                }
                common
                    .one(&department, &format!("chaos-{caller}-{turn}"))
                    .await;
            }
        });
    }
    callers
}

/// Exactly what callers got is released, each of it under a sealed intent, and nothing is open.
async fn the_record_agrees(folder: &Path, counts: &Counts) {
    let file = folder.join("record.sqlite");
    let record = SqliteRecord::open(&file).await.unwrap();
    assert_eq!(record.open_intents("another run").await.unwrap(), []);
    record.close().await;
    let Some(mut peer) = python_script("read_record.py") else {
        return;
    };
    let read = ask(peer.arg(file)).remove(0);
    let released: BTreeSet<String> = serde_json::from_value(read["released"].clone()).unwrap();
    assert!(
        released == *counts.ids.lock().unwrap(),
        "{}",
        read["states"]
    );
    assert!(read["states"]["open"].is_null(), "{}", read["states"]);
    for (what, count) in read["never"].as_object().unwrap() {
        assert_eq!(*count, 0, "{what}");
    }
}

fn another_verifier_agrees(counts: &Counts) {
    let samples = counts.samples.lock().unwrap();
    let Some(reports) = verify_ses(&samples) else {
        return;
    };
    assert_eq!(reports.len(), samples.len());
    for report in &reports {
        let signature = &report["signatures"][0];
        for word in [
            "ses",
            "signature",
            "data_hash",
            "cert_list",
            "seal_signature",
        ] {
            assert_eq!(signature[word], true, "{word}: {report}");
        }
    }
    println!("{} of them shown to ofdrw and BouncyCastle", reports.len());
}
