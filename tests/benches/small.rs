//! Sealing and verifying small documents: `cargo bench -p yinxin-tests --bench small`. Without
//! `--bench` the same with few documents, so that it does not rot.
//!
//! Numbers among the arguments choose how many callers there are at a time, instead of 1 and 32;
//! `gm-seal` or `pades-b-b` chooses the one profile, and leaves out what needs no service.
//!
//! Small documents cost what the road costs: TLS, gRPC, the record, the folder, the key, the
//! self-check. What counts is the server's own processor time for each; the client's is not in it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use yinxin_keys_dev::{DevKey, KeyKind};
use yinxin_proto::{Bytes, v1};
use yinxin_tests::department::{Department, seal_header};
use yinxin_tests::large;
use yinxin_tests::sealing::{Kind, bench};
use yinxin_tests::services::install;
use yinxin_tests::signer_process::{SignerProcess, processor_seconds};

/// As long as a proof of one page.
const DOCUMENT_BYTES: usize = 10_000;

fn main() {
    // Cargo passes --bench to `cargo bench` only.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let documents = if is_bench { 2_000 } else { 3 };
    let mut callers: Vec<usize> = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    if callers.is_empty() {
        callers = vec![1, 32];
    }
    let all = [
        ("gm-seal", v1::SealProfile::GmSeal),
        ("pades-b-b", v1::SealProfile::PadesBB),
    ];
    let one = std::env::args().find_map(|argument| all.iter().find(|(name, _)| *name == argument));
    let document = large::small(DOCUMENT_BYTES);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{} bytes; debug assertions {}; {} processors, load before the start: {}",
        document.len(),
        if cfg!(debug_assertions) { "on" } else { "off" },
        std::thread::available_parallelism().map_or(0, usize::from),
        load.split_whitespace().next().unwrap_or("unknown")
    );
    if one.is_none() {
        bare_rsa(documents);
        verifying(&document, documents);
    }
    let profiles: Vec<_> = one
        .map_or(all.as_slice(), std::slice::from_ref)
        .iter()
        .map(|(_, profile)| *profile)
        .collect();
    through_grpc(&Bytes::from(document), documents, &callers, &profiles);
}

fn bare_rsa(times: usize) {
    let key = DevKey::generate(KeyKind::Rsa { bits: 2048 }).unwrap();
    let pair = RsaKeyPair::from_pkcs8(key.pkcs8_der()).unwrap();
    let random = SystemRandom::new();
    let mut signature = vec![0; pair.public().modulus_len()];
    let took = each(times, || {
        pair.sign(&RSA_PKCS1_SHA256, &random, b"message", &mut signature)
            .unwrap();
    });
    println!(
        "bare RSA-2048 signature by ring: {:.0} us",
        microseconds(took)
    );
}

/// In the library, under keys met before.
fn verifying(document: &[u8], times: usize) {
    for kind in [Kind::GmSeal, Kind::GmCms, Kind::PadesRsa] {
        let sealed = bench().seal_visibly(document, kind, 20.0, 20.0).unwrap();
        let verify = || {
            let report =
                yinxin_verifier::verify(&sealed, &bench().trust, &bench().options()).unwrap();
            assert_eq!(report.signatures.len(), 1);
        };
        each(10, verify);
        println!(
            "{}: verifying {:.0} us",
            kind.name(),
            microseconds(each(times, verify))
        );
    }
}

fn through_grpc(
    document: &Bytes,
    documents: usize,
    callers: &[usize],
    profiles: &[v1::SealProfile],
) {
    fs::create_dir_all(yinxin_tests::target()).unwrap();
    let folder = tempfile::tempdir_in(yinxin_tests::target()).unwrap();
    let installation = install(&folder.path().join("installation"));
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
    for (cores, confined) in [
        (1, confine(signer.id(), "0")),
        (2, confine(signer.id(), "0-1")),
    ] {
        for &profile in profiles {
            for &callers in callers {
                // A single caller mostly waits for the disk.
                let documents = if callers == 1 {
                    documents.div_ceil(20)
                } else {
                    documents
                };
                let run = format!("{}-{cores}-{callers}", profile.as_str_name());
                // The second time each answer is given again: the road without a sealing.
                for what in ["sealed", "given again"] {
                    let before = processor_seconds(signer.id());
                    let start = Instant::now();
                    let sealed_bytes = runtime.block_on(seal_all(
                        &department,
                        document,
                        profile,
                        &run,
                        documents,
                        callers,
                    ));
                    let took = start.elapsed();
                    let worked = processor_seconds(signer.id()) - before;
                    println!(
                        "{} ({sealed_bytes} bytes) {what}, {callers} callers, {}: {:.0} \
                         documents/s; server {:.0} us of processor each",
                        profile.as_str_name(),
                        if confined {
                            format!("{cores} cores for the server")
                        } else {
                            "cores as they come".to_owned()
                        },
                        documents as f64 / took.as_secs_f64(),
                        worked * 1e6 / documents as f64
                    );
                }
            }
        }
    }
}

/// How long the longest of them became.
async fn seal_all(
    department: &Department,
    document: &Bytes,
    profile: v1::SealProfile,
    run: &str,
    documents: usize,
    callers: usize,
) -> usize {
    let next = Arc::new(AtomicUsize::new(0));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (department, document) = (department.clone(), document.clone());
        let (next, run) = (Arc::clone(&next), run.to_owned());
        calls.spawn(async move {
            let mut longest = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= documents {
                    return longest;
                }
                let header = seal_header(&format!("{run}-{number}"), profile);
                let sealed = department.seal(header, document.clone()).await.unwrap().1;
                assert!(sealed.len() > document.len());
                longest = longest.max(sealed.len());
            }
        });
    }
    calls.join_all().await.into_iter().max().unwrap_or_default()
}

/// Confines a process with all its threads to some processors, where `taskset` is at hand.
fn confine(pid: u32, cores: &str) -> bool {
    Command::new("taskset")
        .args(["-a", "-c", "-p", cores, &pid.to_string()])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn each(times: usize, mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        work();
    }
    start.elapsed() / u32::try_from(times).unwrap()
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
