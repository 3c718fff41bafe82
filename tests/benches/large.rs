//! Sealing large documents: `cargo bench -p yinxin-tests --bench large`. Without `--bench` the
//! same with small sizes, so that it does not rot.
//!
//! Other work on the machine slows everything; so what is compared is measured in turns, and the
//! medians and their ratios are printed. Arguments choose among `open`, `library`, `verify` and `grpc`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use yinxin_keys_dev::Installation;
use yinxin_pdf::{Document, FieldTarget, Limits};
use yinxin_pki::DigestAlgorithm;
use yinxin_proto::{Bytes, v1};
use yinxin_signer::prefix::PrefixDigests;
use yinxin_spool::map_file;
use yinxin_tests::department::{Department, seal_header};
use yinxin_tests::large;
use yinxin_tests::sealing::{Kind, bench, visible};
use yinxin_tests::services::install;
use yinxin_tests::signer_process::{SignerProcess, processor_seconds};
use yinxin_verifier::{HashedStart, verify_from};

/// How much is read at once.
const PIECE_BYTES: usize = 256 * 1024;

struct Sizes {
    few_bytes: u64,
    many_objects: u32,
    turns: usize,
}

fn main() {
    // Cargo passes --bench to `cargo bench` only.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let sizes = if is_bench {
        Sizes {
            few_bytes: 100_000_000,
            many_objects: 700_000,
            turns: 7,
        }
    } else {
        Sizes {
            few_bytes: 1_000_000,
            many_objects: 700,
            turns: 1,
        }
    };
    // Beside the build, which is on a disk; a temporary folder may be in memory.
    fs::create_dir_all(yinxin_tests::target()).unwrap();
    let folder = tempfile::tempdir_in(yinxin_tests::target()).unwrap();
    let few = folder.path().join("few.pdf");
    large::few_objects(&few, sizes.few_bytes).unwrap();
    let many = folder.path().join("many.pdf");
    large::many_objects(&many, sizes.many_objects).unwrap();

    println!(
        "medians of {} turns; opt-level of our crates and their dependencies as in Cargo.toml's \
         profile; debug assertions {}",
        sizes.turns,
        if cfg!(debug_assertions) { "on" } else { "off" }
    );
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{} processors, load before the start: {}",
        std::thread::available_parallelism().map_or(0, usize::from),
        load.split_whitespace().next().unwrap_or("unknown")
    );
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| !one.starts_with('-'))
        .collect();
    let is_wanted = |section: &str| wanted.is_empty() || wanted.iter().any(|one| one == section);
    if is_wanted("open") {
        opening(&many, &sizes);
    }
    if is_wanted("library") {
        for (name, file) in [("few objects", &few), ("many objects", &many)] {
            in_the_library(name, file, &sizes, Kind::PadesRsa, DigestAlgorithm::Sha256);
            in_the_library(name, file, &sizes, Kind::GmSeal, DigestAlgorithm::Sm3);
        }
    }
    if is_wanted("verify") {
        for (name, file) in [("few objects", &few), ("many objects", &many)] {
            verifying(name, file, &sizes);
        }
    }
    if is_wanted("grpc") {
        through_grpc(
            folder.path(),
            [("few objects", &few), ("many objects", &many)],
            &sizes,
        );
    }
}

fn opening(many: &Path, sizes: &Sizes) {
    let bytes = map_file(many).unwrap();
    let took = median(sizes.turns, || {
        drop(Document::open(&bytes, Limits::default()).unwrap());
    });
    println!(
        "opening {} objects ({:.1} MB): {:.1} ms",
        sizes.many_objects,
        megabytes(bytes.len() as u64),
        milliseconds(took)
    );
}

/// Reading and hashing once, against the library's whole work on a file that is already ours:
/// hashing it while it is read, on the verifier's side as well, prepare, sign, append, self-check.
fn in_the_library(name: &str, file: &Path, sizes: &Sizes, kind: Kind, algorithm: DigestAlgorithm) {
    let (mut once, mut sealed) = (Vec::new(), Vec::new());
    let me = std::process::id();
    let mut worked = 0.0;
    let copy = file.with_extension("copy");
    // Its keys take a second to make, once.
    let _ = bench();
    for _ in 0..sizes.turns {
        fs::copy(file, &copy).unwrap();
        once.push(read_and_hash(&copy, algorithm));
        let before = processor_seconds(me);
        sealed.push(timed(|| seal_in_place(&copy, kind)));
        worked += processor_seconds(me) - before;
    }
    fs::remove_file(&copy).unwrap();
    let (once, sealed) = (middle(once), middle(sealed));
    println!(
        "{name}, {}: read and hash once {:.0} ms, seal in the library {:.0} ms, ratio {:.2}; {:.0} ms \
         of processor",
        kind.name(),
        milliseconds(once),
        milliseconds(sealed),
        sealed.as_secs_f64() / once.as_secs_f64(),
        1e3 * worked / sizes.turns as f64
    );
}

/// The quicker of the two ways to read: into a buffer, or through a map.
fn read_and_hash(file: &Path, algorithm: DigestAlgorithm) -> Duration {
    let buffered = timed(|| {
        let mut file = File::open(file).unwrap();
        let mut piece = vec![0; PIECE_BYTES];
        let mut digester = algorithm.start();
        loop {
            match file.read(&mut piece).unwrap() {
                0 => break,
                length => digester.update(&piece[..length]),
            }
        }
        std::hint::black_box(digester.finish());
    });
    let mapped = timed(|| {
        std::hint::black_box(algorithm.digest(&map_file(file).unwrap()));
    });
    buffered.min(mapped)
}

fn seal_in_place(file: &Path, kind: Kind) {
    let original = map_file(file).unwrap();
    let with_sm3 = !kind.is_pades();
    let mut prefix = PrefixDigests::new(with_sm3);
    let mut start = HashedStart::new(with_sm3);
    thread::scope(|scope| {
        scope.spawn(|| {
            original
                .chunks(PIECE_BYTES)
                .for_each(|piece| start.update(piece))
        });
        let hashed = prefix.update_all(|take| {
            original.chunks(PIECE_BYTES).for_each(take);
            Ok::<_, Infallible>(())
        });
        let Ok(()) = hashed;
    });
    let sealing = bench()
        .begin(
            &original,
            Some(&prefix),
            kind,
            FieldTarget::New { name: None },
            visible(0, 20.0, 20.0),
        )
        .unwrap();
    OpenOptions::new()
        .append(true)
        .open(file)
        .unwrap()
        .write_all(sealing.tail())
        .unwrap();
    let sealed = map_file(file).unwrap();
    bench().complete(sealing, &start, &sealed).unwrap();
}

/// Verifying a file sealed twice, whose first bytes have been hashed: what is left of the
/// self-check of a dual sealing, with the comparison of the two states.
fn verifying(name: &str, file: &Path, sizes: &Sizes) {
    let original = map_file(file).unwrap();
    let seal = |document: &[u8], kind, x_mm| {
        let sealed = bench().seal_visibly(document, kind, x_mm, 20.0);
        sealed.unwrap()
    };
    let sealed = seal(&seal(&original, Kind::GmSeal, 20.0), Kind::PadesRsa, 80.0);
    let mut start = HashedStart::new(true);
    start.update(&original);
    let took = median(sizes.turns, || {
        let report = verify_from(&start, &sealed, &bench().trust, &bench().options()).unwrap();
        assert_eq!(report.signatures.len(), 2);
    });
    println!(
        "{name}: verifying two signatures, all but hashing: {:.0} ms",
        milliseconds(took)
    );
}

/// From the first byte sent to the last byte received, over TLS on loopback, with the record and
/// the document made durable.
fn through_grpc(folder: &Path, files: [(&str, &PathBuf); 2], sizes: &Sizes) {
    let installation = install(&folder.join("installation"));
    let signer = SignerProcess::start(
        Path::new(env!("CARGO_BIN_EXE_crashing-signer")),
        &installation,
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let department = runtime
        .block_on(Department::connect(
            &installation.client_config,
            signer.address.port(),
        ))
        .unwrap();
    let profiles = [
        v1::SealProfile::PadesBB,
        v1::SealProfile::GmSeal,
        v1::SealProfile::GmCms,
        v1::SealProfile::Dual,
    ];
    for (name, file) in files {
        let document = Bytes::from_owner(map_file(file).unwrap());
        for profile in profiles {
            let (server, client) = (signer.id(), std::process::id());
            let before = [server, client].map(processor_seconds);
            let times = (0..sizes.turns).map(|turn| {
                let request_id =
                    format!("{name}-{}-{turn}", profile.as_str_name()).replace(' ', "-");
                let sealed = timed(|| {
                    let mut length = 0;
                    let header = seal_header(&request_id, profile);
                    runtime
                        .block_on(
                            department.seal_streaming(header, document.clone(), |chunk| {
                                length += chunk.len();
                            }),
                        )
                        .unwrap();
                    assert!(length > document.len());
                });
                forget_documents(&installation);
                sealed
            });
            let took = middle(times.collect());
            let [server, client] = [(server, before[0]), (client, before[1])]
                .map(|(pid, before)| (processor_seconds(pid) - before) * 1e3 / sizes.turns as f64);
            println!(
                "{name}, {}, through gRPC: {:.0} ms, {:.0} MB/s; processor: server {server:.0} ms, \
                 client {client:.0} ms",
                profile.as_str_name(),
                milliseconds(took),
                megabytes(document.len() as u64) / took.as_secs_f64()
            );
        }
    }
}

/// The disk should not fill with the turns.
fn forget_documents(installation: &Installation) {
    let folder = installation.signer_config.with_file_name("documents");
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "tmp" && path.is_dir() {
            remove_files(&path);
        }
    }
}

/// The folders stay: the server knows them as durable.
fn remove_files(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            remove_files(&path);
        } else {
            fs::remove_file(path).unwrap();
        }
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(turns: usize, mut work: impl FnMut()) -> Duration {
    middle((0..turns).map(|_| timed(&mut work)).collect())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
