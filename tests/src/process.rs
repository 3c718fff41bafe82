//! Running other programs, with a time limit and without leaving any behind.

use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Most tools answer within a second; a cold JVM or browser on a busy machine takes longer.
pub const TOOL_TIME_MAX: Duration = Duration::from_secs(120);

/// What a program left.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; none when it was ended by a signal or by the time limit.
    pub code: Option<i32>,
    /// Whether the time limit ended it.
    pub timed_out: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Output {
    /// Exit code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Both streams, for a message.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "code {:?}\n{}\n{}",
            self.code,
            self.stdout.trim(),
            self.stderr.trim()
        )
    }

    /// The lines of standard output that are JSON objects.
    #[must_use]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))
            })
            .collect()
    }
}

/// Runs a program to its end, or kills it at the limit.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command, limit: Duration) -> std::io::Result<Output> {
    // Files and not pipes: a program that writes much must not wait for us.
    let mut stdout = tempfile::tempfile()?;
    let mut stderr = tempfile::tempfile()?;
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .spawn()?;
    let mut timed_out = false;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            timed_out = true;
            child.kill()?;
            break child.wait()?;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let took = started.elapsed();
    let read = |file: &mut std::fs::File| -> std::io::Result<String> {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Output {
        code: if timed_out { None } else { status.code() },
        timed_out,
        stdout: read(&mut stdout)?,
        stderr: read(&mut stderr)?,
        took,
    })
}

/// Runs a program that must end with 0.
///
/// # Errors
/// What it said otherwise.
pub fn run_ok(command: &mut Command) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        run(command, TOOL_TIME_MAX).map_err(|error| format!("{name} does not start: {error}"))?;
    if output.success() {
        Ok(output)
    } else {
        Err(format!("{name}: {}", output.text()))
    }
}

/// Looks a program up on PATH.
#[must_use]
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| is_file(file))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
