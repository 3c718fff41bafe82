//! Secrets that a person types: at a real terminal, with nothing of them on the screen.
//!
//! The terminal is script(1)'s; the session tells its name first, so that the test types only when
//! the command has switched the echo off, as a person does.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use yinxin_keys_dev::{
    CertificateRequest, DevPki, KeyKind, dev_name, encrypt_key_pem, softhsm_library,
};
use yinxin_pki::UnixSeconds;
use yinxin_signer::ports::{Clock as _, SystemClock};

/// A prompt may be long in coming: opening a key file takes half a second of work on purpose.
const PATIENCE: Duration = Duration::from_secs(120);
const PASSPHRASE: &str = "correct horse battery";
const PIN: &str = "55667788";
const OFFICER_PIN: &str = "99887766";

/// What a person sees, and the answers they type.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// How much of `seen` was looked at.
    read: usize,
    name: String,
}

impl Terminal {
    fn open(world: &World, words: &str) -> Self {
        Self::open_with(world, words, &[])
    }

    fn open_with(world: &World, words: &str, environment: &[(&str, &str)]) -> Self {
        let yinxin = env!("CARGO_BIN_EXE_yinxin");
        let session = format!("tty; exec '{yinxin}' --lang en {words}");
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &session, "/dev/null"])
            .current_dir(world.folder.path())
            .env("SHELL", "/bin/sh")
            .env("LC_ALL", "C")
            .env("USER", "li")
            .env("SOFTHSM2_CONF", world.path("softhsm2.conf"))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let keyboard = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (told, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                // The test may have seen enough.
                let _ = told.send(bytes[..length].to_vec());
            }
        });
        let mut terminal = Self {
            child,
            keyboard,
            screen,
            seen: String::new(),
            read: 0,
            name: String::new(),
        };
        terminal.wait_for("\n");
        terminal.name = terminal.seen.lines().next().unwrap().trim().to_owned();
        assert!(terminal.name.starts_with("/dev/"), "{}", terminal.seen);
        terminal
    }

    /// Takes in what comes; false at its end.
    fn take(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        match self.screen.recv_timeout(left) {
            Ok(bytes) => {
                self.seen.push_str(&String::from_utf8_lossy(&bytes));
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => panic!("nothing more comes after {:?}", self.seen),
        }
    }

    fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen[self.read..].find(text) {
                self.read += at + text.len();
                return;
            }
            assert!(self.take(until), "{text:?} is not in {:?}", self.seen);
        }
    }

    /// Types a line at a prompt, once the terminal shows nothing of it.
    fn answer(&mut self, prompt: &str, secret: &str) {
        self.wait_for(prompt);
        let until = Instant::now() + PATIENCE;
        loop {
            let settings = Command::new("stty")
                .args(["-F", &self.name, "-a"])
                .output()
                .unwrap();
            let settings = String::from_utf8_lossy(&settings.stdout).into_owned();
            if settings.split_whitespace().any(|word| word == "-echo") {
                break;
            }
            assert!(Instant::now() < until, "the echo stays on: {settings}");
            std::thread::sleep(Duration::from_millis(20));
        }
        self.keyboard.write_all(secret.as_bytes()).unwrap();
        self.keyboard.write_all(b"\n").unwrap();
    }

    /// Waits for the end: how it ended, and everything that was on the screen.
    fn end(mut self) -> (bool, String) {
        let until = Instant::now() + PATIENCE;
        while self.take(until) {}
        let status = self.child.wait().unwrap();
        for secret in [PASSPHRASE, PIN, OFFICER_PIN, "another horse", "horse"] {
            assert!(!self.seen.contains(secret), "{}", self.seen);
        }
        (status.success(), self.seen.replace('\r', ""))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself already. Ctrl-C first: a service outlives its terminal.
        let _ = self.keyboard.write_all(b"\x03");
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            std::thread::sleep(Duration::from_millis(500));
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// None, after a visible skip, where there is no such terminal.
    fn new() -> Option<Self> {
        let version = Command::new("script").arg("--version").output();
        let known = version
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("util-linux"));
        if !known {
            skip("script(1) of util-linux is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("keys")).unwrap();
        Some(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The secrets are nowhere in the room, the audit above all.
    fn holds_no_secret(&self) {
        for entry in std::fs::read_dir(self.path("keys")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).unwrap();
                for secret in [PASSPHRASE, PIN] {
                    assert!(!text.contains(secret), "{}", path.display());
                }
            }
        }
    }

    fn token(&self, library: &Path) {
        std::fs::create_dir(self.path("tokens")).unwrap();
        let conf = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            self.path("tokens").display()
        );
        std::fs::write(self.path("softhsm2.conf"), conf).unwrap();
        let done = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", "city"])
            .args(["--so-pin", OFFICER_PIN, "--pin", PIN])
            .env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        let devices = format!(
            "[[device]]\nname = \"city\"\nkind = \"pkcs11\"\nlibrary = \"{}\"\ntoken = \"city\"\n",
            library.display()
        );
        std::fs::write(self.path("keys/devices.toml"), devices).unwrap();
    }

    /// Two persons with keys of their own, known to the room.
    fn custodians(&self) {
        let now = SystemClock.now();
        let pki = DevPki::make(now).unwrap();
        for name in ["wang", "zhao"] {
            let request = CertificateRequest::signer(
                dev_name("示范市政务中心", name),
                KeyKind::P256,
                UnixSeconds(now.0 - 60),
                UnixSeconds(now.0 + 86_400),
            );
            let identity = pki.rsa_issuing.issue(&request).unwrap();
            let key = encrypt_key_pem(&identity.key, PASSPHRASE.as_bytes()).unwrap();
            std::fs::write(self.path(&format!("{name}.key.pem")), key).unwrap();
            let certificate = self.path(&format!("{name}.pem"));
            std::fs::write(&certificate, identity.certificate.to_pem()).unwrap();
            let words = format!("keys add-custodian {name} --certificate {name}.pem");
            let (done, screen) = Terminal::open(self, &words).end();
            assert!(done, "{screen}");
        }
    }

    /// A person approves, with the passphrase of their own key.
    fn approve(&self, key: &str, custodian: &str, passphrase: &str) -> (bool, String) {
        let words = format!(
            "keys approve {key} --custodian {custodian} --custodian-key {custodian}.key.pem \
             --out {custodian}.approval"
        );
        let mut terminal = Terminal::open(self, &words);
        terminal.answer("passphrase: ", passphrase);
        terminal.end()
    }
}

fn skip(reason: &str) {
    // Not eprintln!, which the test runner would swallow. Nobody to tell if this fails.
    let _ = std::io::stderr().write_all(format!("SKIPPED: terminal: {reason}\n").as_bytes());
}

#[test]
fn a_new_passphrase_is_typed_twice_and_only_the_same_one_makes_a_key() {
    let Some(world) = World::new() else { return };
    let generate = |first: &str, second: Option<&str>| {
        let mut terminal = Terminal::open(&world, "keys generate village --kind sm2");
        terminal.answer("new passphrase: ", first);
        if let Some(second) = second {
            terminal.answer("once more: ", second);
        }
        terminal.end()
    };
    let cases = [
        (
            "another one",
            PASSPHRASE,
            Some("another horse battery"),
            "the two are not the same",
        ),
        (
            "one that is too short",
            "short horse",
            None,
            "at least 12 characters",
        ),
        ("nothing", "", None, "it is empty"),
    ];
    for (what, first, second, expected) in cases {
        let (done, screen) = generate(first, second);
        assert!(!done, "{what}: {screen}");
        assert!(screen.contains(expected), "{what}: {screen}");
        assert!(!world.exists("keys/village.json"), "{what}");
        assert!(!world.exists("keys/village.key.pem"), "{what}");
    }
    let (done, screen) = generate(PASSPHRASE, Some(PASSPHRASE));
    assert!(done, "{screen}");
    assert!(world.exists("keys/village.key.pem"));

    // What was typed is what opens it.
    for (passphrase, opens) in [("another horse battery", false), (PASSPHRASE, true)] {
        let mut terminal = Terminal::open(&world, "keys attest village");
        terminal.answer("passphrase or PIN: ", passphrase);
        let (done, screen) = terminal.end();
        assert_eq!(done, opens, "{screen}");
    }
    world.holds_no_secret();
}

#[test]
fn a_pin_is_typed_for_a_token_and_two_persons_type_theirs_before_a_key_of_it_is_destroyed() {
    let Some(world) = World::new() else { return };
    let Some(library) = softhsm_library() else {
        return skip("SoftHSM2 is not installed (Debian: softhsm2)");
    };
    world.token(&library);
    world.custodians();
    for (pin, right) in [("00000000", false), (PIN, true)] {
        let words = "keys generate village-hsm --kind rsa-2048 --device city";
        let mut terminal = Terminal::open(&world, words);
        terminal.answer("city PIN: ", pin);
        let (done, screen) = terminal.end();
        assert_eq!(done, right, "{screen}");
        assert_eq!(world.exists("keys/village-hsm.json"), right);
    }

    // The second person mistypes, and has approved nothing by it.
    let (done, screen) = world.approve("village-hsm", "wang", PASSPHRASE);
    assert!(done, "{screen}");
    let (done, screen) = world.approve("village-hsm", "zhao", "another horse battery");
    assert!(!done, "{screen}");
    assert!(!world.exists("zhao.approval"));
    let destroy = "keys destroy village-hsm --approval wang.approval";
    let (done, screen) = Terminal::open(&world, destroy).end();
    assert!(!done, "one person is not enough: {screen}");

    let (done, screen) = world.approve("village-hsm", "zhao", PASSPHRASE);
    assert!(done, "{screen}");
    let destroy = format!("{destroy} --approval zhao.approval");
    for (pin, right) in [("00000000", false), (PIN, true)] {
        let mut terminal = Terminal::open(&world, &destroy);
        terminal.answer("city PIN: ", pin);
        let (done, screen) = terminal.end();
        assert_eq!(done, right, "{screen}");
        assert_eq!(world.exists("keys/village-hsm.json"), !right);
    }
    world.holds_no_secret();
}

#[test]
fn the_service_asks_for_the_pin_of_a_token_when_it_starts() {
    let Some(world) = World::new() else { return };
    let Some(library) = softhsm_library() else {
        return skip("SoftHSM2 is not installed (Debian: softhsm2)");
    };
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let fonts = workspace.join("target/fonts");
    if !fonts.is_dir() {
        return skip("no fonts; run scripts/setup");
    }
    world.token(&library);
    let mut terminal = Terminal::open(
        &world,
        "keys generate village-hsm --kind rsa-2048 --device city",
    );
    terminal.answer("city PIN: ", PIN);
    let (done, screen) = terminal.end();
    assert!(done, "{screen}");
    let dev = format!("keys dev home --fonts '{}'", fonts.display());
    let (done, screen) = Terminal::open(&world, &dev).end();
    assert!(done, "{screen}");

    let device = std::fs::read_to_string(world.path("keys/devices.toml")).unwrap();
    let key = "pin = \"prompt\"\n[[key]]\nname = \"village-hsm\"\ndevices = [\"city\"]\n\
               kind = \"rsa\"\nlabel = \"village-hsm\"\n";
    let config = std::fs::read_to_string(world.path("home/signer.toml")).unwrap();
    let config =
        config
            .replace("7443", "0")
            .replacen("[[seal]]", &format!("{device}{key}[[seal]]"), 1);
    std::fs::write(world.path("home/signer.toml"), &config).unwrap();

    for (pin, signs) in [("00000000", false), (PIN, true)] {
        let mut terminal = Terminal::open(&world, "serve signer --config home/signer.toml");
        terminal.answer("PIN of the device city: ", pin);
        terminal.wait_for(" answers");
        // Ctrl-C, as at any terminal.
        terminal.keyboard.write_all(b"\x03").unwrap();
        let (_, screen) = terminal.end();
        let refused = screen.contains("the device does not sign now");
        assert_eq!(refused, !signs, "{screen}");
    }

    // The same secrets from the environment.
    let passphrase = std::fs::read_to_string(world.path("home/keys/passphrase")).unwrap();
    let file = config
        .lines()
        .skip_while(|line| *line != "[passphrase]")
        .nth(1);
    let config = config
        .replacen(file.unwrap(), "environment = \"KEYS\"", 1)
        .replacen("pin = \"prompt\"", "pin = { environment = \"CITY\" }", 1);
    std::fs::write(world.path("home/signer.toml"), config).unwrap();
    let words = "serve signer --config home/signer.toml";
    let (ended_well, screen) = Terminal::open_with(&world, words, &[("CITY", PIN)]).end();
    assert!(!ended_well, "{screen}");
    assert!(
        screen.contains("the environment variable KEYS is not set"),
        "{screen}"
    );
    let both = [("KEYS", passphrase.trim_end()), ("CITY", PIN)];
    let mut terminal = Terminal::open_with(&world, words, &both);
    terminal.wait_for(" answers");
    terminal.keyboard.write_all(b"\x03").unwrap();
    let (_, screen) = terminal.end();
    assert!(!screen.contains("PIN of"), "{screen}");
    assert!(!screen.contains("the device does not sign now"), "{screen}");
    assert!(!screen.contains(passphrase.trim_end()), "{screen}");
}
