//! One signature from one device, or from the first of several that hold the same key.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::{KeyStore, KeyStoreError, RsaPadding};

use super::job::Job;
use super::metrics::count;
use super::{DeviceKeyStore, Shared};

/// How often a caller that waits looks whether a call of the device hangs.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// One key that several devices hold. The first device is asked; the next one when it fails, or
/// has given no answer for a while; the faster answer counts.
#[derive(Clone, Debug)]
pub struct SharedKey {
    devices: Vec<DeviceKeyStore>,
}

impl SharedKey {
    /// A key that these devices hold under one name, the preferred device first.
    #[must_use]
    pub fn new(devices: Vec<DeviceKeyStore>) -> Self {
        Self { devices }
    }
}

impl KeyStore for SharedKey {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        let mut failure = KeyStoreError::NoSuchKey {
            key: key.to_owned(),
        };
        for device in &self.devices {
            match device.public_key_spki(key) {
                Ok(spki_der) => return Ok(spki_der),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn rsa_padding(&self, key: &str) -> Result<RsaPadding, KeyStoreError> {
        // All of them name the key in the same way.
        match self.devices.first() {
            Some(device) => device.rsa_padding(key),
            None => Err(KeyStoreError::NoSuchKey {
                key: key.to_owned(),
            }),
        }
    }

    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        let devices: Vec<&DeviceKeyStore> = self.devices.iter().collect();
        sign(&devices, key, algorithm, message)
    }
}

/// A call that was put in line somewhere.
struct Asked<'a> {
    shared: &'a Arc<Shared>,
    job: Arc<Job>,
}

pub(super) fn sign(
    devices: &[&DeviceKeyStore],
    key: &str,
    algorithm: &SignatureAlgorithm,
    message: &[u8],
) -> Result<Vec<u8>, KeyStoreError> {
    let (answer, answers) = channel();
    let mut left = devices.iter();
    let mut asked: Vec<Asked<'_>> = Vec::new();
    let mut open = 0_usize;
    let mut hedge_at = None;
    let mut failure = KeyStoreError::NoSuchKey {
        key: key.to_owned(),
    };
    loop {
        if open == 0 || hedge_at.is_some_and(|at| Instant::now() >= at) {
            hedge_at = None;
            if let Some(device) = left.next() {
                let shared = device.shared();
                if open > 0 {
                    count(&shared.metrics.hedges);
                } else if left.len() + 1 < devices.len() {
                    count(&shared.metrics.failovers);
                }
                match shared.submit(key, algorithm, message, answer.clone()) {
                    Ok(job) => {
                        open += 1;
                        let more = left.len() > 0;
                        hedge_at = more.then(|| Instant::now() + shared.settings.hedge_after);
                        asked.push(Asked { shared, job });
                    }
                    Err(error) if is_the_callers(&error) => return Err(error),
                    Err(error) => failure = error,
                }
                continue;
            }
            if open == 0 {
                return Err(failure);
            }
        }
        match answers.recv_timeout(LOOK_EVERY) {
            Ok(Ok(signature)) => {
                // The slower device need not begin what nobody waits for.
                for other in &asked {
                    other.job.abandon();
                }
                return Ok(signature);
            }
            Ok(Err(error)) => {
                open = open.saturating_sub(1);
                failure = error;
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let now = Instant::now();
                for one in &asked {
                    one.shared.tend();
                }
                asked.retain(|one| {
                    let in_time = now < one.job.deadline;
                    if !in_time && !one.job.is_answered() {
                        failure = one.shared.overdue(&one.job);
                        open = open.saturating_sub(1);
                    }
                    in_time
                });
            }
        }
    }
}

/// Errors that another device would give as well.
fn is_the_callers(error: &KeyStoreError) -> bool {
    matches!(
        error,
        KeyStoreError::WrongAlgorithm { .. } | KeyStoreError::NoSuchKey { .. }
    )
}
