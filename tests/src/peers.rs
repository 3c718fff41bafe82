//! Other people's verifiers: found or built once, asked about files, answered in JSON.
//!
//! Each function gives `None`, after a visible skip, when its tool is not on the machine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::{Output, TOOL_TIME_MAX, on_path, run};
use crate::skip::skip;
use crate::{target, workspace};

/// Maven may have to fetch thirty jars on its first run.
const MAVEN_TIME_MAX: Duration = Duration::from_secs(900);

/// A program of Debian's packages, by its name on PATH.
#[must_use]
pub fn tool(name: &str) -> Option<Command> {
    match on_path(name) {
        Some(path) => Some(Command::new(path)),
        None => {
            skip(name, "not on PATH; scripts/setup peers installs it");
            None
        }
    }
}

/// The Python of the peers' virtual environment.
#[must_use]
pub fn python() -> Option<Command> {
    let path = target().join("peers/venv/bin/python");
    if path.exists() {
        return Some(Command::new(path));
    }
    skip(
        "python peers",
        "target/peers/venv is missing; scripts/setup peers makes it",
    );
    None
}

/// A script under tests/peers/python.
#[must_use]
pub fn python_script(name: &str) -> Option<Command> {
    let mut command = python()?;
    // No __pycache__ in the source tree.
    command
        .arg("-B")
        .arg(workspace().join("tests/peers/python").join(name));
    Some(command)
}

/// Runs a peer that must end with 0, and gives the JSON objects it printed.
#[must_use]
pub fn ask(command: &mut Command) -> Vec<Value> {
    let output = run(command, TOOL_TIME_MAX).unwrap();
    assert!(
        output.success(),
        "{:?}: {}",
        command.get_program(),
        output.text()
    );
    output.json_lines()
}

/// pyHanko's report on each file, in order: see verify_pyhanko.py.
#[must_use]
pub fn pyhanko<P: AsRef<OsStr>>(files: &[P], roots: &[PathBuf]) -> Option<Vec<Value>> {
    ask_pyhanko(files, roots, &[])
}

/// As [`pyhanko`], with one validation for all the fields that share a signature.
#[must_use]
pub fn pyhanko_once_a_signature<P: AsRef<OsStr>>(
    files: &[P],
    roots: &[PathBuf],
) -> Option<Vec<Value>> {
    ask_pyhanko(files, roots, &["--once-a-signature"])
}

fn ask_pyhanko<P: AsRef<OsStr>>(
    files: &[P],
    roots: &[PathBuf],
    flags: &[&str],
) -> Option<Vec<Value>> {
    let mut command = python_script("verify_pyhanko.py")?;
    command.args(flags);
    for root in roots {
        command.arg("--trust").arg(root);
    }
    Some(ask(command.args(files)))
}

/// PDFBox's and BouncyCastle's report on each file, in order: see VerifyCms.java.
#[must_use]
pub fn verify_cms<P: AsRef<OsStr>>(files: &[P], roots: &[PathBuf]) -> Option<Vec<Value>> {
    let mut command = java("verify-cms", "yinxin.peers.VerifyCms")?;
    for root in roots {
        command.arg("--root").arg(root);
    }
    Some(ask(command.args(files)))
}

/// ofdrw's and BouncyCastle's report on each PDF, in order: see VerifySes.java.
#[must_use]
pub fn verify_ses<P: AsRef<OsStr>>(files: &[P]) -> Option<Vec<Value>> {
    let mut command = java("verify-ses", "yinxin.peers.VerifySes")?;
    Some(ask(command.arg("pdf").args(files)))
}

/// What veraPDF says of each file, in order: see VerifyPdfa.java.
#[must_use]
pub fn verify_pdfa<P: AsRef<OsStr>>(files: &[P]) -> Option<Vec<Value>> {
    let mut command = java("verify-pdfa", "yinxin.peers.VerifyPdfa")?;
    Some(ask(command.args(files)))
}

/// A Java peer, built on first use by Maven into target/peers/java.
#[must_use]
pub fn java(module: &str, main_class: &str) -> Option<Command> {
    let Some(java) = on_path("java") else {
        skip(
            module,
            "java is not on PATH; scripts/setup peers installs it",
        );
        return None;
    };
    let build = target().join("peers/java");
    if let Err(why) = built(module, &build) {
        skip(module, &why);
        return None;
    }
    let folder = build.join(module);
    let mut class_path = folder.join("classes").into_os_string();
    class_path.push(":");
    class_path.push(folder.join("lib/*"));
    let mut command = Command::new(java);
    // Short runs: the first compiler tier only, and no thread per core.
    command.args([
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Xshare:auto",
        "-cp",
    ]);
    command.arg(class_path).arg(main_class);
    Some(command)
}

/// Builds a module unless that has been done since its sources changed. A file lock makes several
/// test processes wait for one build.
fn built(module: &str, build: &Path) -> Result<(), String> {
    std::fs::create_dir_all(build).map_err(|error| error.to_string())?;
    let lock = std::fs::File::create(build.join(".lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let sources = workspace().join("tests/peers/java");
    let stamp = build.join(format!("{module}.built"));
    let mut newest =
        newest_change(&sources.join(module)).max(newest_change(&sources.join("pom.xml")));
    if module == "client" {
        newest = newest.max(newest_change(&workspace().join("proto/yinxin")));
    }
    let done = stamp
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok();
    if done.is_some() && done >= newest {
        return Ok(());
    }
    let maven = on_path("mvn").ok_or("mvn is not on PATH; scripts/setup peers installs it")?;
    let output = run(
        Command::new(maven)
            .args(["-q", "-B", "-pl", module, "-f"])
            .arg(sources.join("pom.xml"))
            .arg(format!("-Dyinxin.build={}", build.display()))
            .arg("package"),
        MAVEN_TIME_MAX,
    )
    .map_err(|error| error.to_string())?;
    assert!(
        !output.stdout.contains("COMPILATION ERROR"),
        "tests/peers/java/{module} does not compile: {}",
        output.text()
    );
    if !output.success() {
        return Err(format!("Maven cannot build it: {}", first_error(&output)));
    }
    std::fs::write(stamp, b"").map_err(|error| error.to_string())
}

fn first_error(output: &Output) -> String {
    let lines = output.stdout.lines().find(|line| line.contains("ERROR"));
    lines
        .unwrap_or(if output.timed_out {
            "it took too long"
        } else {
            "no reason given"
        })
        .to_owned()
}

fn newest_change(path: &Path) -> Option<std::time::SystemTime> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_dir() {
        return metadata.modified().ok();
    }
    let entries = std::fs::read_dir(path).ok()?;
    entries
        .filter_map(|entry| newest_change(&entry.ok()?.path()))
        .max()
}

/// What qpdf --check says of a file: 0 clean, 3 warnings, 2 errors, with the number of complaints.
#[must_use]
pub fn qpdf_check(file: &Path) -> Option<(i32, usize)> {
    let output = run(tool("qpdf")?.arg("--check").arg(file), TOOL_TIME_MAX).unwrap();
    let complaints = output
        .stderr
        .lines()
        .filter(|line| line.contains("WARNING") || line.contains("ERROR"));
    Some((output.code.unwrap_or(-1), complaints.count()))
}
