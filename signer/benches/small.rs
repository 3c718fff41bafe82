//! What the libraries cost for a small document: `cargo bench -p yinxin-signer --bench small`. Under
//! `cargo test` the same with few rounds, so that it does not rot.
//!
//! Prints processor time for each step of the road and for a verification under keys met before;
//! the key's own work is taken out of the signing step. A profile and a step among the arguments,
//! such as `gm-seal verify 500`, do nothing but that step so many times, for a profiler.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

// The one harness that goes down the whole road without a service. It stands with the tests, which
// need the typesetter; this bench must not.
#[allow(
    dead_code,
    unreachable_pub,
    reason = "one harness, and this uses a part"
)]
#[path = "../../tests/src/large.rs"]
mod large;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "one harness, and this uses a part"
)]
#[path = "../../tests/src/sealing.rs"]
mod sealing;

use std::time::{Duration, Instant};

use sealing::{Kind, bench, visible};
use yinxin_signer::prefix::PrefixDigests;
use yinxin_signer::road::{Order, SelfCheck};
use yinxin_verifier::{HashedStart, Indication, Report, verify};

/// As long as a proof of one page.
const DOCUMENT_BYTES: usize = 10_000;

const KINDS: [Kind; 4] = [Kind::GmSeal, Kind::GmCms, Kind::PadesRsa, Kind::PadesP256];

const STEPS: [&str; 5] = ["prepare", "sign", "key", "self-check", "verify"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo passes --bench to `cargo bench` only.
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let rounds = arguments.iter().find_map(|argument| argument.parse().ok());
    let rounds = rounds.unwrap_or(if is_bench { 2_000 } else { 3 });
    let document = large::small(DOCUMENT_BYTES);
    let kinds = KINDS.map(Kind::name);
    println!(
        "{} bytes; debug assertions {}; least and median of {rounds}, in us",
        document.len(),
        if cfg!(debug_assertions) { "on" } else { "off" },
    );
    for kind in KINDS {
        if !asked(&arguments, &kinds, kind.name()) {
            continue;
        }
        let bed = Bed::new(&document, kind);
        // From here on keys have been met before.
        (0..20).for_each(|_| drop(bed.verify()));
        let figures: Vec<String> = STEPS
            .iter()
            .filter(|step| asked(&arguments, &STEPS, step))
            .map(|step| bed.figure(step, rounds))
            .collect();
        println!("{}: {}", kind.name(), figures.join(", "));
    }
}

/// Whether the arguments name this one of its kind, or none of them.
fn asked(arguments: &[String], kind: &[&str], name: &str) -> bool {
    let mut named = arguments
        .iter()
        .filter(|argument| kind.contains(&argument.as_str()))
        .peekable();
    named.peek().is_none() || named.any(|argument| argument == name)
}

/// A document, what is known of its bytes, and the same sealed.
struct Bed<'d> {
    document: &'d [u8],
    order: Order<'static>,
    kind: Kind,
    prefix: PrefixDigests,
    start: HashedStart,
    sealed: Vec<u8>,
}

impl<'d> Bed<'d> {
    fn new(document: &'d [u8], kind: Kind) -> Self {
        let with_sm3 = matches!(kind, Kind::GmSeal | Kind::GmCms);
        let mut prefix = PrefixDigests::new(with_sm3);
        prefix.update(document);
        let mut start = HashedStart::new(with_sm3);
        start.update(document);
        let order = Order {
            place: visible(0, 20.0, 20.0).into(),
            ..bench().order(kind)
        };
        Self {
            document,
            sealed: bench().seal_order(document, &order).unwrap(),
            order,
            kind,
            prefix,
            start,
        }
    }

    fn figure(&self, step: &str, rounds: usize) -> String {
        let mut took: Vec<Duration> = (0..rounds).map(|_| self.took(step)).collect();
        took.sort_unstable();
        let least = took[0].as_secs_f64() * 1e6;
        let median = took[rounds / 2].as_secs_f64() * 1e6;
        format!("{step} {least:.1} {median:.1}")
    }

    /// How long one step takes, without what goes before it.
    fn took(&self, step: &str) -> Duration {
        let prepare = || {
            bench()
                .prepare(self.document, Some(&self.prefix), &self.order)
                .unwrap()
        };
        match step {
            "prepare" => timed(prepare),
            "sign" => {
                let prepared = prepare();
                timed(|| bench().sign(prepared).unwrap())
            }
            "key" => {
                let signer = match self.kind {
                    Kind::GmSeal | Kind::GmCms => &bench().pki.sm2_signer,
                    Kind::PadesRsa | Kind::PadesPss => &bench().pki.rsa_signer,
                    Kind::PadesP256 => &bench().pki.p256_signer,
                };
                timed(|| signer.sign(&[7; 200]).unwrap())
            }
            "self-check" => {
                let (trust, options) = (&bench().trust, bench().options());
                timed(|| {
                    SelfCheck::of_document(&self.start, &self.sealed, trust, &options).unwrap()
                })
            }
            _ => timed(|| self.verify()),
        }
    }

    fn verify(&self) -> Report {
        let report = verify(&self.sealed, &bench().trust, &bench().options()).unwrap();
        assert_eq!(report.indication, Indication::TotalPassed);
        report
    }
}

/// Without what it costs to drop the result. A profiler can begin and end here.
#[inline(never)]
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    drop(result);
    took
}
