//! What a person sees while something takes longer than a second.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

/// Says nothing in the first second, then at most four times a second how far it is.
pub(crate) struct Progress {
    label: &'static str,
    total: u64,
    done: u64,
    started: Instant,
    last_said: Option<Instant>,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new(label: &'static str, total: u64) -> Self {
        Self {
            label,
            total,
            done: 0,
            started: Instant::now(),
            last_said: None,
            terminal: stderr().is_terminal(),
        }
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        let quiet = self.last_said.is_some_and(|last| last.elapsed() < Duration::from_millis(250));
        if !self.terminal || self.started.elapsed() < Duration::from_secs(1) || quiet {
            return;
        }
        self.last_said = Some(Instant::now());
        let percent = (self.done * 100).checked_div(self.total).unwrap_or(100);
        eprint!("\r{} {percent:3} %", self.label);
        // A terminal that cannot be written to needs no progress.
        let _flushed = stderr().flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last_said.is_some() {
            eprintln!("\r{} 100 %", self.label);
        }
    }
}
