//! The signing service, ended by SIGKILL when it has done a step for the n-th time.
//!
//! `crashing-signer CONFIG [STEP:N]`; writes its address to standard output once it listens, and
//! behind it that of its figures, if it gives any.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use yinxin_signer_server::steps::{Checkpoints, NoCheckpoints, Step};
use yinxin_signer_server::{Config, Signer, start_log};

/// Ends the process without any last words.
struct KillAt {
    step: String,
    left: AtomicU32,
}

impl Checkpoints for KillAt {
    fn reached(&self, step: Step) {
        if step.name() == self.step && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            let pid = std::process::id().to_string();
            let killed = Command::new("kill").args(["-9", &pid]).status();
            // The signal comes before the answer; without it the test must not go on.
            eprintln!("still alive: {killed:?}");
            std::process::abort();
        }
    }
}

fn checkpoints(argument: Option<String>) -> Arc<dyn Checkpoints> {
    let Some(argument) = argument else {
        return Arc::new(NoCheckpoints);
    };
    let (step, times) = argument.split_once(':').unwrap_or((&argument, "1"));
    assert!(
        Step::ALL.iter().any(|known| known.name() == step),
        "there is no step {step}"
    );
    let left = AtomicU32::new(times.parse().expect("a number of times"));
    Arc::new(KillAt {
        step: step.to_owned(),
        left,
    })
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let config = arguments.next().expect("the configuration file");
    let config = Config::read(Path::new(&config)).expect("a good configuration");
    start_log(config.log);
    let signer = Signer::open(&config, checkpoints(arguments.next()))
        .await
        .unwrap_or_else(|error| {
            eprintln!("crashing-signer: {error}");
            std::process::exit(1)
        });
    print!("{}", signer.address());
    match signer.metrics_address() {
        Some(address) => println!(" {address}"),
        None => println!(),
    }
    std::io::stdout()
        .flush()
        .expect("somebody reads the address");
    signer
        .serve(std::future::pending())
        .await
        .expect("it serves");
    ExitCode::SUCCESS
}
