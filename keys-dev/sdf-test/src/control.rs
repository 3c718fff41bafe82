//! How the device behaves: lines `name = value` in the control file.
//!
//! ```text
//! password = 11111111           the password of both keys; this is the default
//! layout = 32                   bytes of an ECC field: 64 (default) or 32
//! dropped = 1                   every call gives SDR_COMMFAIL
//! wrong_signature = 1           signs something else than asked
//! wrong_one_in = 1000           so does every thousandth signature
//! code.SDF_NAME = 0x0100000d    the function gives this code; PKCS#11's go by C_NAME
//! hang_ms.SDF_NAME = 500        the function waits first
//! short.SDF_NAME = 3            the function's answer lacks its last 3 bytes
//! epoch = 1                     sessions of another epoch are gone: SDR_OPENSESSION
//! sessions_max = 2              a third session is refused with SDR_OPENSESSION
//! two_keys = 1                  the PKCS#11 token has two private keys of one label
//! ```
//! A line that cannot be read is ignored, as by a device.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static SIGNATURES: AtomicU64 = AtomicU64::new(0);

/// The control file, read.
pub(crate) struct Control(BTreeMap<String, String>);

impl Control {
    pub(crate) fn read() -> Self {
        let text = beside("control")
            .and_then(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once('='));
        Self(
            lines
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        )
    }

    fn number(&self, name: &str) -> Option<u64> {
        let value = self.0.get(name)?;
        match value.strip_prefix("0x") {
            Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok(),
            None => value.parse().ok(),
        }
    }

    pub(crate) fn password(&self) -> &[u8] {
        self.0
            .get("password")
            .map_or(b"11111111", |password| password.as_bytes())
    }

    pub(crate) fn field_bytes(&self) -> usize {
        match self.number("layout") {
            Some(32) => 32,
            Some(_) | None => 64,
        }
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.number("dropped") == Some(1)
    }

    pub(crate) fn signs_wrongly(&self) -> bool {
        let nth = SIGNATURES.fetch_add(1, Ordering::Relaxed) + 1;
        self.number("wrong_signature") == Some(1)
            || self
                .number("wrong_one_in")
                .is_some_and(|every| every > 0 && nth.is_multiple_of(every))
    }

    pub(crate) fn code(&self, function: &str) -> Option<i32> {
        let code = self.number(&format!("code.{function}"))?;
        u32::try_from(code).ok().map(u32::cast_signed)
    }

    pub(crate) fn hang(&self, function: &str) -> Option<Duration> {
        self.number(&format!("hang_ms.{function}"))
            .map(Duration::from_millis)
    }

    pub(crate) fn has_two_keys(&self) -> bool {
        self.number("two_keys") == Some(1)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.number("epoch").unwrap_or(0)
    }

    pub(crate) fn sessions_max(&self) -> u64 {
        self.number("sessions_max").unwrap_or(u64::MAX)
    }

    pub(crate) fn shorten(&self, function: &str, answer: &mut Vec<u8>) {
        let short = self.number(&format!("short.{function}")).unwrap_or(0);
        let short = usize::try_from(short).unwrap_or(usize::MAX);
        answer.truncate(answer.len().saturating_sub(short));
    }
}

/// The path `<this library>.<extension>`.
pub(crate) fn beside(extension: &str) -> Option<PathBuf> {
    let mut path = own_path()?.into_os_string();
    path.push(".");
    path.push(extension);
    Some(PathBuf::from(path))
}

/// Where this library was loaded from: the mapping that holds the code of this function.
fn own_path() -> Option<PathBuf> {
    let here = own_path as *const () as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let start = usize::from_str_radix(start, 16).ok()?;
        let end = usize::from_str_radix(end, 16).ok()?;
        (start..end)
            .contains(&here)
            .then(|| rest.find('/').and_then(|at| rest.get(at..)))
            .flatten()
            .map(PathBuf::from)
    })
}
