//! What a person sees while something takes longer than a second.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Says nothing in the first second; then, on a terminal, what is being done and for how long.
pub(crate) struct Progress {
    done: Option<Sender<()>>,
    clock: Option<JoinHandle<()>>,
}

impl Progress {
    pub(crate) fn start(label: &str) -> Self {
        if !stderr().is_terminal() {
            return Self {
                done: None,
                clock: None,
            };
        }
        let (done, waiting) = channel();
        let label = label.to_owned();
        let clock = std::thread::spawn(move || {
            let started = Instant::now();
            let mut said = false;
            while waiting.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                said = true;
                eprint!("\r{label} {} s", started.elapsed().as_secs());
                // A terminal that cannot be written to needs no progress.
                let _flushed = stderr().flush();
            }
            if said {
                eprintln!();
            }
        });
        Self {
            done: Some(done),
            clock: Some(clock),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(clock) = self.clock.take() {
            // A clock that panicked has nothing left to say.
            let _joined = clock.join();
        }
    }
}
