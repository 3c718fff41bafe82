//! Sessions of one device: bounded, opened side by side, tested before use and mended by
//! themselves.
//!
//! A thread stands behind each session, because a call that hangs in a vendor's library cannot be
//! interrupted: callers wait in line, and are answered when their time is up, whatever the device
//! does. Callers never hold a session, so none is lost when a caller goes away.

mod job;
mod metrics;
mod settings;
mod several;
mod state;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use yinxin_pki::{PublicKey, SignatureAlgorithm};
use yinxin_signer::keys::{KeyStore, KeyStoreError, RsaPadding};

use crate::OpenError;
use crate::device::{Device, KeyFacts};
use job::{Answer, Job};
pub use metrics::{BOUNDS_MICROS, DeviceState, DeviceStatus, KeyFigures, Times};
use metrics::{KeyMetrics, Metrics, count};
pub use settings::PoolSettings;
pub use several::SharedKey;
use state::{State, Task};

/// How long a pool that is dropped waits for its threads to close their sessions.
const CLOSING_MAX: Duration = Duration::from_secs(2);

/// The keys of one device, over a pool of sessions. Cheap to clone; the last clone closes the
/// sessions.
#[derive(Clone)]
pub struct DeviceKeyStore(Arc<Pool>);

struct Pool(Arc<Shared>);

struct Key {
    facts: KeyFacts,
    /// The public key, once the device has shown it.
    known: OnceLock<(Vec<u8>, PublicKey)>,
    metrics: KeyMetrics,
}

struct Shared {
    name: String,
    settings: PoolSettings,
    device: Box<dyn Device>,
    keys: Vec<Key>,
    metrics: Metrics,
    state: Mutex<State>,
    /// Told of jobs: threads with a session wait here.
    work: Condvar,
    /// Told of changes of the device: threads without a session, and those who wait for the start
    /// or the end.
    change: Condvar,
}

impl std::fmt::Debug for DeviceKeyStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.shared().keys.iter().map(|key| &key.facts.name);
        formatter.debug_set().entries(keys).finish()
    }
}

impl DeviceKeyStore {
    /// Starts the sessions in the background; `name` is the device's, for errors and figures.
    ///
    /// # Errors
    /// [`OpenError::PoolSetting`].
    pub(crate) fn start(
        name: &str,
        device: Box<dyn Device>,
        settings: PoolSettings,
    ) -> Result<Self, OpenError> {
        settings.check()?;
        let mut keys = Vec::new();
        for facts in device.keys() {
            let known = OnceLock::new();
            if let Some(spki_der) = &facts.expected_spki {
                let unreadable = |_| {
                    OpenError::Key(KeyStoreError::Unusable {
                        key: facts.name.clone(),
                        why: "the public key of its certificate cannot be read".into(),
                    })
                };
                let public_key = PublicKey::from_spki_der(spki_der).map_err(unreadable)?;
                let _ = known.set((spki_der.clone(), public_key));
            }
            keys.push(Key {
                facts,
                known,
                metrics: KeyMetrics::default(),
            });
        }
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            state: Mutex::new(State::new(name, settings.clone())),
            settings,
            device,
            keys,
            metrics: Metrics::default(),
            work: Condvar::new(),
            change: Condvar::new(),
        });
        shared.start_threads();
        Ok(Self(Arc::new(Pool(shared))))
    }

    /// Waits until the device has signed with every key, or has failed to.
    ///
    /// # Errors
    /// [`OpenError`]: why the first connection failed. It is tried again in the background, unless
    /// the PIN was refused. [`KeyStoreError::DeviceUnavailable`] in [`OpenError::Key`] when nothing
    /// is known yet after `wait`.
    pub fn wait_until_up(&self, wait: Duration) -> Result<(), OpenError> {
        let shared = self.shared();
        let until = Instant::now() + wait;
        let mut state = shared.state();
        loop {
            if state.sessions() > 0 {
                return Ok(());
            }
            if let Some(failure) = state.failure() {
                return Err(failure.clone());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(OpenError::Key(state.no_answer(wait)));
            }
            state = shared.wait(&shared.change, state, left);
        }
    }

    /// What a person who has looked at the device asks for: a refused PIN may be given once more,
    /// and a lost device is tried now.
    pub fn try_again(&self) {
        let shared = self.shared();
        shared.device.forgive();
        shared.state().try_again(Instant::now());
        shared.change.notify_all();
    }

    /// Figures of this moment.
    #[must_use]
    pub fn status(&self) -> DeviceStatus {
        let shared = self.shared();
        shared.tend();
        let keys = self.key_figures();
        let state = shared.state();
        DeviceStatus {
            wanted: shared.settings.sessions,
            sessions: state.sessions(),
            busy: state.busy(),
            waiting: state.waiting(),
            stuck: state.stuck(),
            ..DeviceStatus::counted(&shared.name, state.device_state(), &shared.metrics, &keys)
        }
    }

    /// Figures of each key, in the order of the settings.
    #[must_use]
    pub fn key_figures(&self) -> Vec<KeyFigures> {
        let keys = self.shared().keys.iter();
        keys.map(|key| key.metrics.told(&key.facts.name)).collect()
    }

    /// The names of the keys.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        self.shared().keys.iter().map(|key| key.facts.name.as_str())
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }
}

impl KeyStore for DeviceKeyStore {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        let shared = self.shared();
        let (_, key) = shared.key(key)?;
        match key.known.get() {
            Some((spki_der, _)) => Ok(spki_der.clone()),
            None => {
                Err(shared
                    .state()
                    .denial()
                    .unwrap_or_else(|| KeyStoreError::DeviceUnavailable {
                        key: key.facts.name.clone(),
                        operation: "the device",
                        answer: "it has not been reached yet, and no certificate is configured"
                            .to_owned(),
                    }))
            }
        }
    }

    fn rsa_padding(&self, key: &str) -> Result<RsaPadding, KeyStoreError> {
        let (_, key) = self.shared().key(key)?;
        Ok(if key.facts.algorithm == RsaPadding::Pss.algorithm() {
            RsaPadding::Pss
        } else {
            RsaPadding::Pkcs1
        })
    }

    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        several::sign(&[self], key, algorithm, message)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let shared = &self.0;
        let until = Instant::now() + CLOSING_MAX;
        let mut state = shared.state();
        state.close();
        shared.work.notify_all();
        shared.change.notify_all();
        // A thread that is stuck in foreign code is left behind.
        while state.threads() > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = shared.wait(&shared.change, state, left);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock, and each change of the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        told: &Condvar,
        state: MutexGuard<'a, State>,
        time: Duration,
    ) -> MutexGuard<'a, State> {
        told.wait_timeout(state, time)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    fn key(&self, name: &str) -> Result<(usize, &Key), KeyStoreError> {
        let mut keys = self.keys.iter().enumerate();
        keys.find(|(_, key)| key.facts.name == name)
            .ok_or_else(|| KeyStoreError::NoSuchKey {
                key: name.to_owned(),
            })
    }

    /// Puts a signature in line.
    fn submit(
        self: &Arc<Self>,
        name: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
        answer: Sender<Answer>,
    ) -> Result<Arc<Job>, KeyStoreError> {
        let (index, key) = self.key(name)?;
        if *algorithm != key.facts.algorithm {
            return Err(KeyStoreError::WrongAlgorithm {
                key: name.to_owned(),
                kind: key.known.get().map_or("unknown", |(_, key)| key.kind()),
                algorithm: algorithm.clone(),
            });
        }
        let asked = Instant::now();
        let deadline = asked + self.settings.sign_max;
        let job = Arc::new(Job::new(index, message, asked, deadline, answer));
        let (submitted, missing) = {
            let mut state = self.state();
            state.give_up_hanging(asked, &self.metrics);
            (state.submit(&job), state.missing_workers(asked))
        };
        self.start_workers(missing);
        match submitted {
            Ok(()) => {
                self.work.notify_one();
                Ok(job)
            }
            Err(refused) => {
                if matches!(refused, KeyStoreError::DeviceBusy { .. }) {
                    count(&self.metrics.refused_busy);
                }
                Err(refused)
            }
        }
    }

    /// The caller's time is up.
    fn overdue(&self, job: &Job) -> KeyStoreError {
        if job.abandon() {
            count(&self.metrics.refused_busy);
            return KeyStoreError::DeviceBusy {
                device: self.name.clone(),
                limit: "sign_max in milliseconds",
                max: u64::try_from(self.settings.sign_max.as_millis()).unwrap_or(u64::MAX),
            };
        }
        self.state().no_answer(self.settings.sign_max)
    }

    /// Gives up what hangs, and sees that there are enough threads.
    fn tend(self: &Arc<Self>) {
        self.state().give_up_hanging(Instant::now(), &self.metrics);
        self.start_threads();
    }

    fn start_threads(self: &Arc<Self>) {
        let missing = self.state().missing_workers(Instant::now());
        self.start_workers(missing);
    }

    fn start_workers(self: &Arc<Self>, missing: Vec<u64>) {
        for id in missing {
            let shared = Arc::clone(self);
            let started = std::thread::Builder::new()
                .name(format!("device {}", self.name))
                .spawn(move || worker::run(&shared, id));
            if let Err(error) = started {
                tracing::error!(device = %self.name, %error, "no thread for a session");
                self.state().forget(id);
            }
        }
    }

    // ── For the threads ──────────────────────────────────────────────────────

    /// What to do next; waits until there is something.
    fn next(&self, id: u64, has_session: bool) -> Task {
        let mut state = self.state();
        loop {
            match state.next(id, Instant::now()) {
                Task::Wait(time) => {
                    let told = if has_session {
                        &self.work
                    } else {
                        &self.change
                    };
                    state = self.wait(told, state, time);
                }
                task @ (Task::Connect
                | Task::Sign(_)
                | Task::Check(_)
                | Task::DropSession
                | Task::End) => return task,
            }
        }
    }

    fn connected(&self, id: u64) -> bool {
        let kept = self.state().connected(id, Instant::now());
        self.tell_all();
        kept
    }

    fn not_connected(&self, id: u64, error: OpenError) {
        self.state().not_connected(id, error, Instant::now());
        self.tell_all();
    }

    fn lost(&self, id: u64, job: Option<&Arc<Job>>, error: KeyStoreError) {
        self.state().lost(id, job, error, Instant::now());
        self.tell_all();
    }

    fn ended(self: &Arc<Self>, id: u64) {
        self.state().forget(id);
        self.start_threads();
        self.tell_all();
    }

    fn tell_all(&self) {
        self.work.notify_all();
        self.change.notify_all();
    }
}
