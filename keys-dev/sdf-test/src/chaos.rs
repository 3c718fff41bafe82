//! One fault of the device after the other, each followed by a repair, for whoever signs with it:
//! the pool alone, and the service through gRPC.
//!
//! `YINXIN_CHAOS_SEED=N` gives the same faults again, `YINXIN_CHAOS_SECONDS=600` a longer run.

use std::time::{Duration, Instant};

/// Within this time of a repair, throughput must be back.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// What throughput is measured over.
const WINDOW: Duration = Duration::from_secs(1);

/// How long callers may take to find their pace.
const STARTING_MAX: Duration = Duration::from_secs(30);

/// The least that is a pace: nine tenths of less are too coarse.
const PACE_MIN: u64 = 10;

#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    PasswordRevoked,
    Slow,
    SessionsDropped,
    Hanging,
    WrongSignatures,
}

const FAULTS: [Fault; 6] = [
    Fault::Killed,
    Fault::PasswordRevoked,
    Fault::Slow,
    Fault::SessionsDropped,
    Fault::Hanging,
    Fault::WrongSignatures,
];

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Who signs with the device.
pub trait Signs {
    /// Replaces the device's control file.
    fn control(&self, lines: &str);

    /// What a person does who has put the password right.
    fn forgive(&self);

    /// How many callers have got what they asked for, so far.
    fn done(&self) -> u64;

    /// How it stands, for a message.
    fn state(&self) -> String;
}

/// How the device behaves, and for how long it is tormented.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// How long the device takes for a signature, in milliseconds; a slow one takes 50 times that.
    pub latency_ms: u64,
    /// How long a call that hangs takes: longer than anybody waits.
    pub hang_ms: u64,
    /// How long it goes on.
    pub seconds: u64,
    /// What decides the faults.
    pub seed: u64,
}

impl Chaos {
    /// As the environment says; the seed is printed.
    #[must_use]
    pub fn from_environment(latency_ms: u64, hang_ms: u64, seconds: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok()?.parse().ok();
        let seed = number("YINXIN_CHAOS_SEED").unwrap_or_else(|| {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            u64::from(since.unwrap_or_default().subsec_nanos())
        });
        println!("YINXIN_CHAOS_SEED={seed}");
        Self {
            latency_ms,
            hang_ms,
            seconds: number("YINXIN_CHAOS_SECONDS").unwrap_or(seconds),
            seed,
        }
    }

    /// The control file of a device that errs once in a thousand times.
    #[must_use]
    pub fn good(&self) -> String {
        self.taking(self.latency_ms) + "wrong_one_in = 1000\n"
    }

    fn taking(&self, milliseconds: u64) -> String {
        format!("hang_ms.SDF_InternalSign_ECC = {milliseconds}\n")
    }

    fn order(&self, fault: Fault) -> String {
        match fault {
            Fault::Killed => "dropped = 1\n".to_owned(),
            Fault::PasswordRevoked => "password = 22222222\n".to_owned(),
            Fault::Slow => self.taking(50 * self.latency_ms),
            Fault::SessionsDropped => self.good(),
            Fault::Hanging => self.taking(self.hang_ms),
            Fault::WrongSignatures => self.taking(self.latency_ms) + "wrong_one_in = 3\n",
        }
    }

    /// Runs the faults; every one comes before any comes again.
    ///
    /// # Panics
    /// When throughput is not back to nine tenths in time after a repair.
    pub fn torment(&self, who: &impl Signs) {
        let mut chance = Chance(self.seed);
        let normal = normal(who);
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let mut left = Vec::new();
        let mut epoch = 0;
        let (mut faults, mut slowest) = (0, Duration::ZERO);
        while Instant::now() < end {
            if left.is_empty() {
                left = FAULTS.to_vec();
            }
            let pick = chance.below(left.len() as u64) as usize;
            let fault = left.swap_remove(pick);
            let lasts = Duration::from_millis(300 + chance.below(1700));
            if matches!(fault, Fault::SessionsDropped | Fault::PasswordRevoked) {
                epoch += 1;
            }
            who.control(&format!("{}epoch = {epoch}\n", self.order(fault)));
            std::thread::sleep(lasts);
            who.control(&format!("{}epoch = {epoch}\n", self.good()));
            if matches!(fault, Fault::PasswordRevoked) {
                who.forgive();
            }
            let repaired = Instant::now();
            let mut reached = 0;
            while reached * 10 < normal * 9 {
                assert!(
                    repaired.elapsed() < BACK_WITHIN,
                    "{fault:?}: {reached} of {normal} a second after the repair; {}",
                    who.state()
                );
                reached = throughput(who);
            }
            let back = repaired.elapsed();
            slowest = slowest.max(back);
            faults += 1;
            println!("{fault:?} for {lasts:?}: {reached} of {normal} a second within {back:?}");
        }
        println!(
            "{faults} faults, {} done; the slowest way back took {slowest:?}",
            who.done()
        );
    }
}

/// What is done in one window when nothing is wrong: the mean of two windows, once callers have
/// found their pace.
fn normal(who: &impl Signs) -> u64 {
    let end = Instant::now() + STARTING_MAX;
    while throughput(who) < PACE_MIN {
        assert!(
            Instant::now() < end,
            "nobody gets anything: {}",
            who.state()
        );
    }
    let normal = (throughput(who) + throughput(who)) / 2;
    assert!(normal >= PACE_MIN, "{normal} a second say nothing");
    normal
}

/// How many are done in one window.
fn throughput(who: &impl Signs) -> u64 {
    let before = who.done();
    std::thread::sleep(WINDOW);
    who.done() - before
}
