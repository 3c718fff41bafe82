//! Sealing large documents: `cargo bench -p yinxin-tests --bench large`. Without `--bench` the
//! same with small sizes, so that it does not rot.
//!
//! Other work on the machine slows everything; so what is compared is measured in turns, and the
//! medians and their ratios are printed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
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
use yinxin_tests::signer_process::SignerProcess;

/// How much is read at once.
const PIECE_BYTES: usize = 1024 * 1024;

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
    opening(&many, &sizes);
    for (name, file) in [("few objects", &few), ("many objects", &many)] {
        in_the_library(name, file, &sizes, Kind::PadesRsa, DigestAlgorithm::Sha256);
        in_the_library(name, file, &sizes, Kind::GmSeal, DigestAlgorithm::Sm3);
    }
    through_grpc(
        folder.path(),
        [("few objects", &few), ("many objects", &many)],
        &sizes,
    );
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
/// hashing it while it is read, prepare, sign, append, self-check.
fn in_the_library(name: &str, file: &Path, sizes: &Sizes, kind: Kind, algorithm: DigestAlgorithm) {
    let (mut once, mut sealed) = (Vec::new(), Vec::new());
    let copy = file.with_extension("copy");
    for _ in 0..sizes.turns {
        fs::copy(file, &copy).unwrap();
        once.push(timed(|| read_and_hash(&copy, algorithm)));
        sealed.push(timed(|| seal_in_place(&copy, kind)));
    }
    fs::remove_file(&copy).unwrap();
    let (once, sealed) = (middle(once), middle(sealed));
    println!(
        "{name}, {}: read and hash once {:.0} ms, seal in the library {:.0} ms, ratio {:.2}",
        kind.name(),
        milliseconds(once),
        milliseconds(sealed),
        sealed.as_secs_f64() / once.as_secs_f64()
    );
}

fn read_in_pieces(file: &Path, mut take: impl FnMut(&[u8])) {
    let mut file = File::open(file).unwrap();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece).unwrap() {
            0 => return,
            length => take(&piece[..length]),
        }
    }
}

fn read_and_hash(file: &Path, algorithm: DigestAlgorithm) {
    let mut digester = algorithm.start();
    read_in_pieces(file, |piece| digester.update(piece));
    std::hint::black_box(digester.finish());
}

fn seal_in_place(file: &Path, kind: Kind) {
    let mut prefix = PrefixDigests::new(!kind.is_pades());
    read_in_pieces(file, |piece| prefix.update(piece));
    let sealing = bench()
        .begin(
            &map_file(file).unwrap(),
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
    bench().complete(sealing, &map_file(file).unwrap()).unwrap();
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
            println!(
                "{name}, {}, through gRPC: {:.0} ms, {:.0} MB/s",
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
