//! Kill -9 between any two steps of the road: a released document with its record, or an intent
//! without outcome and no document; never a number twice.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use yinxin_keys_dev::Installation;
use yinxin_proto::v1;
use yinxin_signer::record::Record as _;
use yinxin_signer_server::steps::Step;
use yinxin_store::SqliteRecord;
use yinxin_tests::department::{Department, marital_proof};
use yinxin_tests::services::install;
use yinxin_tests::signer_process::SignerProcess;

/// Kills in all; the steps take turns.
const KILLS: usize = 200;

/// Kills that one request meets before it is left in peace.
const KILLS_PER_REQUEST: usize = 4;

fn start(installation: &Installation, kill_at: Option<&str>) -> SignerProcess {
    let program = Path::new(env!("CARGO_BIN_EXE_crashing-signer"));
    SignerProcess::start_to_be_killed(program, installation, kill_at)
}

/// One call on a fresh connection.
fn call(
    runtime: &tokio::runtime::Runtime,
    installation: &Installation,
    process: &SignerProcess,
    request: &v1::IssueLicenceRequest,
) -> Result<v1::IssueLicenceResponse, tonic::Status> {
    runtime.block_on(async {
        Department::connect(&installation.client_config, process.address.port())
            .await
            .expect("the signer listens")
            .issue(request.clone())
            .await
    })
}

/// Which step the n-th kill comes after, and at which of its times: a dual sealing passes some
/// steps twice.
fn kill(n: usize) -> String {
    let step = Step::ALL[n % Step::ALL.len()];
    let twice = matches!(step, Step::Prepared | Step::IntentRecorded | Step::Signed);
    let time = if twice && (n / Step::ALL.len()) % 2 == 1 {
        2
    } else {
        1
    };
    format!("{}:{time}", step.name())
}

#[test]
fn two_hundred_kills_leave_no_half_released_document_and_no_number_twice() {
    let folder = tempfile::tempdir().unwrap();
    let installation = install(folder.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut released: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    let mut kills = 0;
    let mut n = 0;
    while kills < KILLS {
        let request = marital_proof(&format!("crash-{n}"), v1::SealProfile::Dual);
        n += 1;
        for _ in 0..KILLS_PER_REQUEST {
            let at = kill(kills);
            let mut process = start(&installation, Some(&at));
            let answer = call(&runtime, &installation, &process, &request);
            kills += 1;
            match answer {
                // Released before this process was told to die: nothing was left to do.
                Ok(again) => assert!(again.replayed, "{at}: a first answer in spite of the kill"),
                Err(_) => assert!(process.was_killed(), "{at}: an error and no kill"),
            }
        }
        let process = start(&installation, None);
        let first = call(&runtime, &installation, &process, &request).unwrap();
        let second = call(&runtime, &installation, &process, &request).unwrap();
        assert_eq!(
            first.document, second.document,
            "a retry gives the same bytes"
        );
        let licence = first.licence.unwrap();
        assert!(
            numbers.insert(licence.number.clone()),
            "{} twice",
            licence.number
        );
        assert_eq!(
            licence.number,
            format!("999900114001-{}-{n:06}", &licence.issue_date[..4])
        );
        released.insert(licence.identifier, first.document.to_vec());
    }
    runtime.block_on(the_record_agrees(folder.path(), &released));
    println!(
        "{kills} kills, {} licences, each number once",
        released.len()
    );
}

/// The record after it all: no open intent, each licence with its document, byte for byte.
async fn the_record_agrees(folder: &Path, released: &BTreeMap<String, Vec<u8>>) {
    let record = SqliteRecord::open(&folder.join("record.sqlite"))
        .await
        .unwrap();
    assert_eq!(record.open_intents("another run").await.unwrap(), []);
    for (identifier, document) in released {
        let release = record
            .licence(identifier)
            .await
            .unwrap()
            .expect("a released licence is recorded");
        let stored = release.document.expect("a proof is short");
        assert!(
            stored[..] == document[..],
            "{identifier}: the stored document is the released one"
        );
    }
}
