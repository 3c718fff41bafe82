//! Work in a process of its own, with its time and its peak memory measured.
//!
//! A test binary starts itself again with one test selected (the entry) and a task in the
//! environment. The entry does nothing when there is no task, so an ordinary run passes it by.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::run;

const TASK: &str = "YINXIN_CHILD_TASK";
const MARK: &str = "CHILD ";

/// What the parent asks for: the name of the entry's branch, and a file.
#[derive(Clone, Debug)]
pub struct Task {
    /// Which work.
    pub work: String,
    /// On which file.
    pub file: PathBuf,
}

/// The task of this process, if it is a child.
#[must_use]
pub fn task() -> Option<Task> {
    let (work, file) = std::env::var(TASK)
        .ok()?
        .split_once(' ')
        .map(|(work, file)| (work.to_owned(), PathBuf::from(file)))?;
    Some(Task { work, file })
}

/// Runs the work in the child and prints its answer with the measurements. The memory is the
/// peak of the whole process, so it holds the test runner's few megabytes, too.
pub fn answer(work: impl FnOnce() -> Value) {
    let started = Instant::now();
    let answer = work();
    let took = started.elapsed();
    let line = json!({
        "answer": answer,
        "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "peak_bytes": peak_bytes(),
    });
    println!("{MARK}{line}");
}

/// What a child left.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What the work answered.
    pub answer: Value,
    /// How long the work took, without starting the process.
    pub took: Duration,
    /// The peak of resident memory; none where the system does not tell.
    pub peak_bytes: Option<u64>,
}

/// Starts this test binary again for one task.
///
/// # Errors
/// The child's words, when it crashed, was killed at the limit or gave no answer.
pub fn start(entry: &str, work: &str, file: &Path, limit: Duration) -> Result<Measured, String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", entry, "--nocapture", "--test-threads=1"])
        .env(TASK, format!("{work} {}", file.display()));
    let output = run(&mut command, limit).map_err(|error| error.to_string())?;
    let line = output
        .stdout
        .lines()
        // The runner may have begun the line with the test's name.
        .find_map(|line| line.split_once(MARK).map(|(_, json)| json))
        .ok_or_else(|| {
            format!(
                "no answer ({}): {}",
                if output.timed_out {
                    "timed out"
                } else {
                    "ended"
                },
                output.text()
            )
        })?;
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    Ok(Measured {
        answer: value["answer"].clone(),
        took: Duration::from_millis(value["milliseconds"].as_u64().unwrap_or(u64::MAX)),
        peak_bytes: value["peak_bytes"].as_u64(),
    })
}

/// VmHWM of this process (proc(5)); none on systems without it.
#[must_use]
pub fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
