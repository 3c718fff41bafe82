//! The service and its keys: a device that is away, a configuration that is read again, and what
//! is left of the passphrase in the process.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tonic::Code;
use yinxin_keys_dev::{Installation, SEAL_ID};
use yinxin_pki::cms::SignedData;
use yinxin_pki::{Pss, SignatureAlgorithm};
use yinxin_proto::v1;
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_tests::department::{Department, digest_request, reason};
use yinxin_tests::services::{install, sdf_library};
use yinxin_tests::signer_process::SignerProcess;
use yinxin_tests::skip::skip;
// Only so that cargo builds the SDF device for tests.
use yinxin_sdf_test as _;

/// Seals before the process's memory is looked at.
const SEALS: u32 = 1000;
/// How many of them are asked for at a time.
const AT_A_TIME: u32 = 8;

fn start(installation: &Installation) -> SignerProcess {
    SignerProcess::start(
        Path::new(env!("CARGO_BIN_EXE_crashing-signer")),
        installation,
    )
}

/// Asks until the answer is as it should be: devices and signals take their time.
async fn eventually(
    department: &Department,
    name: &str,
    profile: v1::SealProfile,
    good: impl Fn(&Result<v1::SealDigestResponse, tonic::Status>) -> bool,
) {
    let end = Instant::now() + Duration::from_secs(30);
    for turn in 0.. {
        let request = digest_request(format!("{name}-{turn}"), profile);
        let answer = department.seal_digest(request).await;
        if good(&answer) {
            return;
        }
        assert!(Instant::now() < end, "{name}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn refused_with(answer: &Result<v1::SealDigestResponse, tonic::Status>, code: Code) -> bool {
    matches!(answer, Err(status) if status.code() == code)
}

/// One [[key]] of a configuration, from its name to the next table.
fn key_block<'a>(text: &'a str, name: &str) -> &'a str {
    let start = text.find(&format!("name = \"{name}\"")).unwrap();
    let rest = &text[start..];
    rest.find("[[").map_or(rest, |end| &rest[..end])
}

#[test]
fn a_device_that_is_away_stops_its_own_seals_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    let config = &installation.signer_config;
    let before = fs::read_to_string(config).unwrap();
    installation
        .keys_in_sdf(&sdf_library(), SystemClock.now())
        .unwrap();
    // The RSA key stays in its file, the SM2 key is in the device.
    let after = fs::read_to_string(config).unwrap();
    let rsa = key_block(&before, "village-rsa");
    fs::write(config, after.replace(key_block(&after, "village-rsa"), rsa)).unwrap();
    let control = folder.path().join("device/sdf.so.control");
    fs::write(&control, "dropped = 1").unwrap();

    let process = start(&installation);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let port = process.address.port();
        let department = Department::connect(&installation.client_config, port)
            .await
            .unwrap();
        let rsa = digest_request("rsa-1".to_owned(), v1::SealProfile::PadesBB);
        department.seal_digest(rsa).await.unwrap();
        let sm2 = digest_request("sm2-1".to_owned(), v1::SealProfile::GmSeal);
        let status = department.seal_digest(sm2.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason(&status).0, "KEY_STORE");

        fs::write(&control, "").unwrap();
        let good = |answer: &Result<_, _>| answer.is_ok();
        eventually(&department, "sm2", v1::SealProfile::GmSeal, good).await;
        // The same request, too: it was recorded as failed and may be tried again.
        department.seal_digest(sm2).await.unwrap();

        // A password that was changed on the device while its sessions were lost, and put right:
        // nothing is tried again until the operator says so by SIGHUP.
        fs::write(&control, "epoch = 1\npassword = 22222222").unwrap();
        let lost = |answer: &_| refused_with(answer, Code::Unavailable);
        eventually(&department, "revoked", v1::SealProfile::GmSeal, lost).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        fs::write(&control, "epoch = 1").unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        let still = digest_request("still".to_owned(), v1::SealProfile::GmSeal);
        assert!(department.seal_digest(still).await.is_err());
        process.hang_up();
        eventually(&department, "again", v1::SealProfile::GmSeal, good).await;
    });
}

#[test]
fn a_configuration_that_is_read_again_counts_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    let config = &installation.signer_config;
    let good = fs::read_to_string(config).unwrap();
    let process = start(&installation);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let port = process.address.port();
        let department = Department::connect(&installation.client_config, port)
            .await
            .unwrap();
        let profile = v1::SealProfile::GmSeal;
        let works = |answer: &Result<_, _>| answer.is_ok();
        eventually(&department, "before", profile, works).await;

        // Each takes the right away, and holds one thing that cannot be.
        let without = good.replace(", \"seal-digest\"]", "]");
        assert_ne!(without, good);
        let broken = [
            without.replace("file = ", "fiel = "),
            without.replace("village-sm2\"\nfile", "village-sm3\"\nfile"),
            without.replace("record.sqlite", "another.sqlite"),
            without.clone() + "\n[[device]]\nname = \"a\"\nkind = \"sdf\"\nlibrary = \"none.so\"\n",
        ];
        for (number, text) in broken.iter().enumerate() {
            assert_ne!(*text, without, "{number}");
            fs::write(config, text).unwrap();
            process.hang_up();
            tokio::time::sleep(Duration::from_millis(1500)).await;
            let request = digest_request(format!("broken-{number}"), profile);
            department.seal_digest(request).await.unwrap();
        }

        fs::write(config, &without).unwrap();
        process.hang_up();
        let denied = |answer: &_| refused_with(answer, Code::PermissionDenied);
        eventually(&department, "without", profile, denied).await;
        fs::write(config, &good).unwrap();
        process.hang_up();
        eventually(&department, "with", profile, works).await;
    });
}

/// Octets of a process that the system keeps out of swap (proc(5), VmLck).
fn locked_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmLck:"));
    let kibibytes: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kibibytes * 1024
}

#[test]
fn the_process_with_the_keys_is_kept_out_of_swap_where_the_system_allows_it() {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max locked memory"));
    let unlimited = line.unwrap().contains("unlimited");
    let privileged = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !unlimited && !privileged {
        return skip(
            "memory kept out of swap",
            "the limit of locked memory is low",
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    let process = start(&installation);
    // All that the process has at its start, whether it was touched or not.
    assert!(locked_bytes(process.id()) > process.anonymous_bytes());
}

#[test]
fn a_key_that_pads_with_pss_seals_so_and_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    let config = &installation.signer_config;
    let text = fs::read_to_string(config).unwrap();
    let pss = text.replace(
        "name = \"village-rsa\"\n",
        "name = \"village-rsa\"\npadding = \"pss\"\n",
    );
    assert_ne!(pss, text);
    fs::write(config, &pss).unwrap();
    let process = start(&installation);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let port = process.address.port();
        let department = Department::connect(&installation.client_config, port)
            .await
            .unwrap();
        let algorithm = async |name: &str| {
            let request = digest_request(name.to_owned(), v1::SealProfile::PadesBB);
            let sealed = department.seal_digest(request).await.unwrap();
            let cms = SignedData::parse(&sealed.container).unwrap();
            cms.signer_infos()[0].signature_algorithm().clone()
        };
        let expected = SignatureAlgorithm::RsaPss(Pss::SHA256);
        assert_eq!(algorithm("pss").await, expected);

        // Back again while the service runs.
        fs::write(config, &text).unwrap();
        process.hang_up();
        let end = Instant::now() + Duration::from_secs(60);
        for turn in 0.. {
            if algorithm(&format!("pkcs1-{turn}")).await == SignatureAlgorithm::RsaPkcs1Sha256 {
                break;
            }
            assert!(Instant::now() < end, "the padding stays");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    // Of a key that is none of RSA it cannot be said.
    let sm2 = text.replace(
        "name = \"village-sm2\"\n",
        "name = \"village-sm2\"\npadding = \"pss\"\n",
    );
    fs::write(config, sm2).unwrap();
    let config = yinxin_signer_server::Config::read(config).unwrap();
    let opened =
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(yinxin_signer_server::Signer::open(
                &config,
                Arc::new(yinxin_signer_server::NoCheckpoints),
            ));
    let refused = opened.err().unwrap().to_string();
    assert!(refused.contains("village-sm2"), "{refused}");
}

#[test]
fn after_a_thousand_seals_the_process_holds_no_passphrase_of_its_key_files() {
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    let process = start(&installation);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let port = process.address.port();
        let department = Department::connect(&installation.client_config, port)
            .await
            .unwrap();
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..AT_A_TIME {
            let department = department.clone();
            callers.spawn(async move {
                for turn in (caller..SEALS).step_by(AT_A_TIME as usize) {
                    let profile = match turn % 2 {
                        0 => v1::SealProfile::PadesBB,
                        _ => v1::SealProfile::GmSeal,
                    };
                    let request = digest_request(format!("seal-{turn}"), profile);
                    department.seal_digest(request).await.unwrap();
                }
            });
        }
        while let Some(done) = callers.join_next().await {
            done.unwrap();
        }
    });
    let passphrase = installation.keys.passphrase().unwrap();
    let Some([seal, secret]) = count(
        process.id(),
        [SEAL_ID.as_bytes(), passphrase.trim().as_bytes()],
    ) else {
        skip(
            "a process's memory after a thousand seals",
            "/proc/PID/mem cannot be read here",
        );
        return;
    };
    assert!(seal > 0, "the search finds what must be there");
    assert_eq!(secret, 0, "the passphrase is left in the process");
}

/// How often each of some texts stands in the readable and writable memory of a process: what a
/// core dump would hold of it.
fn count<const N: usize>(pid: u32, wanted: [&[u8]; N]) -> Option<[usize; N]> {
    const PIECE: usize = 4 << 20;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let memory = fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let overlap = wanted.iter().map(|text| text.len() - 1).max()?;
    let mut found = [0; N];
    let mut read = 0;
    let mut piece = vec![0; PIECE + overlap];
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        let mut at = u64::from_str_radix(start, 16).ok()?;
        let end = u64::from_str_radix(end, 16).ok()?;
        while at < end {
            let length = piece.len().min((end - at) as usize);
            // Parts of the address space that are only reserved cannot be read.
            let Ok(()) = memory.read_exact_at(&mut piece[..length], at) else {
                break;
            };
            read += length;
            for (text, found) in wanted.iter().zip(&mut found) {
                *found += memchr::memmem::find_iter(&piece[..length], text).count();
            }
            at += PIECE as u64;
        }
    }
    (read > 0).then_some(found)
}
