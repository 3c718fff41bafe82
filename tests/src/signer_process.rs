//! The signing service in a process of its own, and the anonymous memory it holds.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use yinxin_keys_dev::Installation;

/// A peak that lasts shorter than this may go unseen.
const SAMPLE_EVERY: Duration = Duration::from_millis(2);

/// A signer that listens; dropped, it is killed.
#[derive(Debug)]
pub struct SignerProcess {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
    /// Where it gives its figures, if its configuration asks for that.
    pub metrics: Option<SocketAddr>,
}

impl SignerProcess {
    /// Starts `program`, which is `crashing-signer` (only a test or bench knows where cargo has
    /// put it), without a step to be killed at.
    #[must_use]
    pub fn start(program: &Path, installation: &Installation) -> Self {
        let mut command = Command::new(program);
        command.stderr(Stdio::inherit()).env("RUST_LOG", "warn");
        Self::listening(command.arg(&installation.signer_config))
    }

    /// Starts `crashing-signer` in silence, to be killed at a step (`STEP:N`), or at none.
    #[must_use]
    pub fn start_to_be_killed(
        program: &Path,
        installation: &Installation,
        kill_at: Option<&str>,
    ) -> Self {
        let mut command = Command::new(program);
        command.stderr(Stdio::null()).env("RUST_LOG", "off");
        Self::listening(command.arg(&installation.signer_config).args(kill_at))
    }

    fn listening(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let mut told = line.split_whitespace().map(|word| word.parse().unwrap());
        Self {
            child,
            address: told
                .next()
                .expect("the signer starts and tells its address"),
            metrics: told.next(),
        }
    }

    /// Waits for its end, and tells whether SIGKILL was it.
    #[must_use]
    pub fn was_killed(&mut self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        self.child.wait().unwrap().signal() == Some(9)
    }

    /// Has the configuration read again.
    pub fn hang_up(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The process's anonymous resident memory now.
    ///
    /// # Panics
    /// Where the system has no /proc/PID/status with RssAnon (proc(5), Linux 4.5).
    #[must_use]
    pub fn anonymous_bytes(&self) -> u64 {
        anonymous_bytes(self.child.id()).expect("/proc/PID/status tells RssAnon")
    }

    /// Watches the anonymous memory until the watch is ended.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let (ended, peak) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let sampler = std::thread::spawn({
            let (pid, ended, peak) = (self.child.id(), Arc::clone(&ended), Arc::clone(&peak));
            move || {
                let mut samples = 0;
                while !ended.load(Ordering::Relaxed) {
                    let Some(bytes) = anonymous_bytes(pid) else {
                        break;
                    };
                    peak.fetch_max(bytes, Ordering::Relaxed);
                    samples += 1;
                    std::thread::sleep(SAMPLE_EVERY);
                }
                samples
            }
        });
        Watch {
            ended,
            peak,
            sampler,
        }
    }
}

impl Drop for SignerProcess {
    fn drop(&mut self) {
        // It may be dead already; that is what the crash test is about.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A thread that looks at a process again and again.
#[derive(Debug)]
pub struct Watch {
    ended: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    sampler: JoinHandle<u32>,
}

impl Watch {
    /// The most that was seen, and in how many looks.
    #[must_use]
    pub fn end(self) -> (u64, u32) {
        self.ended.store(true, Ordering::Relaxed);
        let samples = self.sampler.join().unwrap();
        (self.peak.load(Ordering::Relaxed), samples)
    }
}

/// RssAnon of a process; none when it is gone or the system does not tell.
fn anonymous_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// What a process has had of the processors, in hundredths of a second (proc(5), utime and stime);
/// unlike the clock it says little of what else the machine does.
///
/// # Panics
/// Where /proc is not as proc(5) says.
#[must_use]
pub fn processor_seconds(pid: u32) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return f64::NAN;
    };
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0
}
