//! Sealing a large document costs the server little memory of its own: the document stays in a
//! file, mapped.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::Path;

use yinxin_proto::{Bytes, v1};
use yinxin_tests::department::{Department, seal_header};
use yinxin_tests::large;
use yinxin_tests::services::install;
use yinxin_tests::signer_process::SignerProcess;

const MIB: u64 = 1024 * 1024;

const FEW_OBJECTS_BYTES: u64 = 100_000_000;
const FEW_OBJECTS_ROOM: u64 = 64 * MIB;

const MANY_OBJECTS: u32 = 700_000;
const MANY_OBJECTS_ROOM: u64 = 256 * MIB;

/// Seals the file through gRPC, once for each profile and each time on a fresh server, and holds
/// the server's anonymous memory against what it had idle.
fn stays_within(document: &Path, room: u64, profiles: &[v1::SealProfile]) {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: anonymous memory is read from /proc/PID/status");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let document = Bytes::from_owner(yinxin_spool::map_file(document).unwrap());
    for &profile in profiles {
        let name = profile.as_str_name();
        let signer = SignerProcess::start(
            Path::new(env!("CARGO_BIN_EXE_crashing-signer")),
            &installation,
        );
        let idle = signer.anonymous_bytes();
        let watch = signer.watch();
        let mut sealed_bytes = 0;
        let receipt = runtime.block_on(async {
            Department::connect(&installation.client_config, signer.address.port())
                .await
                .unwrap()
                .seal_streaming(seal_header(name, profile), document.clone(), |chunk| {
                    sealed_bytes += chunk.len() as u64;
                })
                .await
                .unwrap()
        });
        let (peak, samples) = watch.end();
        assert_eq!(sealed_bytes, receipt.document_bytes);
        assert!(sealed_bytes > document.len() as u64);
        assert!(samples > 20, "{samples} samples see no peak");
        let above = peak.saturating_sub(idle);
        println!(
            "{name}: {} MiB idle, {:.1} MiB above it at the peak of {samples} samples",
            idle / MIB,
            above as f64 / MIB as f64
        );
        assert!(above < room, "{name}: {above} bytes above {idle}");
    }
}

#[test]
fn a_hundred_megabytes_in_few_objects_cost_less_than_64_mib() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("few.pdf");
    large::few_objects(&document, FEW_OBJECTS_BYTES).unwrap();
    stays_within(
        &document,
        FEW_OBJECTS_ROOM,
        &[v1::SealProfile::PadesBB, v1::SealProfile::GmSeal],
    );
}

#[test]
fn seven_hundred_thousand_small_objects_cost_less_than_256_mib() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("many.pdf");
    large::many_objects(&document, MANY_OBJECTS).unwrap();
    // Of the two signatures of a dual sealing, the first is checked against a later revision.
    stays_within(
        &document,
        MANY_OBJECTS_ROOM,
        &[v1::SealProfile::PadesBB, v1::SealProfile::Dual],
    );
}
