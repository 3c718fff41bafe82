//! What a pool knows of its device and of its threads, under one lock; no call of the device is
//! made here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use yinxin_signer::keys::KeyStoreError;

use super::job::Job;
use super::metrics::{DeviceState, Metrics, count};
use super::settings::PoolSettings;
use crate::OpenError;

/// Lost calls in a row, over all sessions, after which the device itself is taken for lost.
const FAILURES_MAX: u32 = 3;

/// Sessions that one signature may be tried on before its caller is told.
const ATTEMPTS_MAX: u8 = 3;

/// The circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// Nothing is known yet: callers wait in line for the first connection.
    Starting,
    /// Closed: callers are served, and every thread without a session may connect.
    Up,
    /// Open, and half-open from `until` on: callers are told at once; one thread tries.
    Down { until: Instant },
}

/// What a thread is doing in the vendor's library.
enum Work {
    Connecting,
    Signing(Arc<Job>),
    Checking,
}

struct Worker {
    /// The generation of its session, if it has one.
    session: Option<u64>,
    /// Not to connect before.
    retry_at: Instant,
    busy: Option<(Instant, Work)>,
    /// When its session last showed that it works.
    checked: Instant,
}

/// What a thread is to do next.
pub(super) enum Task {
    Connect,
    Sign(Arc<Job>),
    /// Sign the fixed message with the key of this number, counted on and on.
    Check(usize),
    /// Close a session of before the loss.
    DropSession,
    /// Wait for a change, at most so long.
    Wait(Duration),
    End,
}

pub(super) struct State {
    settings: PoolSettings,
    device: String,
    queue: VecDeque<Arc<Job>>,
    workers: BTreeMap<u64, Worker>,
    next_worker: u64,
    link: Link,
    prober: Option<u64>,
    retry_after: Duration,
    failure: Option<OpenError>,
    refused: Option<KeyStoreError>,
    failures: u32,
    generation: u64,
    checks: usize,
    stuck: usize,
    closed: bool,
}

impl State {
    pub(super) fn new(device: &str, settings: PoolSettings) -> Self {
        Self {
            device: device.to_owned(),
            queue: VecDeque::new(),
            workers: BTreeMap::new(),
            next_worker: 0,
            link: Link::Starting,
            prober: None,
            retry_after: settings.retry_min,
            failure: None,
            refused: None,
            failures: 0,
            generation: 0,
            checks: 0,
            stuck: 0,
            closed: false,
            settings,
        }
    }

    // ── Threads ──────────────────────────────────────────────────────────────

    /// The ids of threads to start now, so that there are as many as sessions. None while too many
    /// are stuck: they cannot be ended, and must not pile up.
    pub(super) fn missing_workers(&mut self, now: Instant) -> Vec<u64> {
        let mut started = Vec::new();
        while !self.closed
            && self.stuck <= self.settings.stuck_max
            && self.workers.len() < self.settings.sessions
        {
            let id = self.next_worker;
            self.next_worker += 1;
            let worker = Worker {
                session: None,
                retry_at: now,
                busy: None,
                checked: now,
            };
            self.workers.insert(id, worker);
            started.push(id);
        }
        started
    }

    /// A thread could not be started, or has ended.
    pub(super) fn forget(&mut self, id: u64) {
        if self.workers.remove(&id).is_none() {
            // It had been given up.
            self.stuck = self.stuck.saturating_sub(1);
        }
    }

    pub(super) fn next(&mut self, id: u64, now: Instant) -> Task {
        let (generation, refused, link) = (self.generation, self.refused.is_some(), self.link);
        let (closed, prober) = (self.closed, self.prober);
        let Some(worker) = self.workers.get_mut(&id).filter(|_| !closed) else {
            return Task::End;
        };
        let worked = worker.busy.take().is_some();
        match worker.session {
            Some(own) if own != generation => {
                worker.session = None;
                Task::DropSession
            }
            Some(_) => {
                if worked {
                    // Its session was not reported lost: the device has answered.
                    worker.checked = now;
                    self.failures = 0;
                }
                self.work_for(id, now)
            }
            None if refused => Task::Wait(self.settings.check_every),
            None => {
                let due = match link {
                    Link::Starting => now,
                    Link::Up => worker.retry_at,
                    Link::Down { until } => until,
                };
                let alone = link != Link::Up;
                if due > now {
                    return Task::Wait(due - now);
                }
                if alone && prober.is_some() {
                    return Task::Wait(self.settings.retry_max);
                }
                worker.busy = Some((now, Work::Connecting));
                if alone {
                    self.prober = Some(id);
                }
                Task::Connect
            }
        }
    }

    fn work_for(&mut self, id: u64, now: Instant) -> Task {
        let job = loop {
            let Some(job) = self.queue.pop_front() else {
                break None;
            };
            if job.take() {
                break Some(job);
            }
        };
        let Some(worker) = self.workers.get_mut(&id) else {
            return Task::End;
        };
        if let Some(job) = job {
            worker.busy = Some((now, Work::Signing(Arc::clone(&job))));
            return Task::Sign(job);
        }
        let due = worker.checked + self.settings.check_every;
        if due > now {
            return Task::Wait(due - now);
        }
        worker.busy = Some((now, Work::Checking));
        self.checks += 1;
        Task::Check(self.checks)
    }

    // ── What the threads report ──────────────────────────────────────────────

    /// A session is open and every key was tested. False when the thread was given up meanwhile.
    pub(super) fn connected(&mut self, id: u64, now: Instant) -> bool {
        let generation = self.generation;
        let was_probe = self.prober == Some(id);
        let Some(worker) = self.workers.get_mut(&id) else {
            return false;
        };
        worker.busy = None;
        worker.session = Some(generation);
        worker.checked = now;
        if was_probe {
            self.prober = None;
            if let (Link::Down { .. }, Some(failure)) = (self.link, &self.failure) {
                tracing::warn!(device = %self.device, was = %failure, "the device is back");
            }
            self.link = Link::Up;
            self.failures = 0;
            self.retry_after = self.settings.retry_min;
        }
        true
    }

    /// No session could be opened.
    pub(super) fn not_connected(&mut self, id: u64, error: OpenError, now: Instant) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        worker.busy = None;
        worker.retry_at = now + self.settings.retry_max;
        if self.prober == Some(id) {
            self.prober = None;
        }
        if let OpenError::Key(refused @ KeyStoreError::WrongPin { .. }) = &error {
            tracing::error!(
                device = %self.device,
                %error,
                "the device is not asked again until the configuration is read again"
            );
            self.refused = Some(refused.clone());
        }
        if self.sessions() == 0 {
            self.go_down(error, now);
        } else {
            // The others go on: perhaps the device gives no more sessions than these.
            tracing::warn!(device = %self.device, %error, "one session more cannot be opened");
        }
    }

    /// A session is lost. Its job goes back in line while that can help.
    pub(super) fn lost(
        &mut self,
        id: u64,
        job: Option<&Arc<Job>>,
        error: KeyStoreError,
        now: Instant,
    ) {
        let known = self.workers.get_mut(&id).map(|worker| {
            worker.session = None;
            worker.busy = None;
            worker.retry_at = now;
        });
        if known.is_none() {
            return;
        }
        if let Some(job) = job {
            let again =
                job.attempts() < ATTEMPTS_MAX && now < job.deadline && self.denial().is_none();
            if !again {
                job.answer(Err(error.clone()));
            } else if job.put_back() {
                self.queue.push_front(Arc::clone(job));
            }
        }
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            self.failures = 0;
            self.go_down(OpenError::Key(error), now);
        }
        self.answer_those_in_line();
    }

    fn go_down(&mut self, failure: OpenError, now: Instant) {
        if matches!(self.link, Link::Down { until } if until > now) {
            // One session more that met the same loss: the wait is no longer for it.
            self.failure = Some(failure);
            self.generation += 1;
            self.answer_those_in_line();
            return;
        }
        if !matches!(self.link, Link::Down { .. }) {
            tracing::error!(device = %self.device, %failure, "the device is lost");
        }
        self.link = Link::Down {
            until: now + self.retry_after,
        };
        self.retry_after = (self.retry_after * 2).min(self.settings.retry_max);
        // What was open before is closed by its own threads.
        self.generation += 1;
        self.failure = Some(failure);
        self.answer_those_in_line();
    }

    /// Tells everybody in line, when nothing can be signed.
    fn answer_those_in_line(&mut self) {
        if let Some(denial) = self.denial() {
            for job in self.queue.drain(..) {
                job.answer(Err(denial.clone()));
            }
        }
    }

    /// Gives up the calls that hang. Their threads cannot be taken back out of foreign code.
    pub(super) fn give_up_hanging(&mut self, now: Instant, metrics: &Metrics) {
        let (hang_max, connect_max) = (self.settings.hang_max, self.settings.connect_max);
        let is_hanging = |worker: &Worker| match &worker.busy {
            Some((since, Work::Connecting)) => now.duration_since(*since) > connect_max,
            Some((since, Work::Signing(_) | Work::Checking)) => {
                now.duration_since(*since) > hang_max
            }
            None => false,
        };
        let hanging: Vec<u64> = self
            .workers
            .iter()
            .filter(|(_, worker)| is_hanging(worker))
            .map(|(id, _)| *id)
            .collect();
        for id in hanging {
            let Some(worker) = self.workers.remove(&id) else {
                continue;
            };
            self.stuck += 1;
            count(&metrics.given_up);
            count(&metrics.errors);
            let connecting = matches!(worker.busy, Some((_, Work::Connecting)));
            let error = self.no_answer(if connecting { connect_max } else { hang_max });
            tracing::error!(device = %self.device, stuck = self.stuck, %error, "a call is given up");
            if let Some((_, Work::Signing(job))) = worker.busy {
                job.answer(Err(error.clone()));
            }
            if self.prober == Some(id) {
                self.prober = None;
            }
            self.failures += 1;
            if self.failures >= FAILURES_MAX || self.sessions() == 0 {
                self.failures = 0;
                self.go_down(OpenError::Key(error), now);
            }
        }
    }

    // ── Callers ──────────────────────────────────────────────────────────────

    /// Takes a job into the line.
    pub(super) fn submit(&mut self, job: &Arc<Job>) -> Result<(), KeyStoreError> {
        if let Some(denial) = self.denial() {
            return Err(denial);
        }
        if self.queue.len() >= self.settings.waiting_max {
            // Callers whose time was up have left their place.
            self.queue.retain(|job| job.is_waiting());
        }
        if self.queue.len() >= self.settings.waiting_max {
            return Err(KeyStoreError::DeviceBusy {
                device: self.device.clone(),
                limit: "waiting_max",
                max: self.settings.waiting_max as u64,
            });
        }
        self.queue.push_back(Arc::clone(job));
        Ok(())
    }

    /// Why nothing can be signed now; `None` when it can be tried.
    pub(super) fn denial(&self) -> Option<KeyStoreError> {
        if self.sessions() > 0 {
            return None;
        }
        match (&self.refused, self.link) {
            (Some(refused), _) => Some(refused.clone()),
            (None, Link::Down { .. }) => Some(self.failure.clone().map_or_else(
                || self.no_answer(self.settings.connect_max),
                OpenError::into_key_store_error,
            )),
            (None, Link::Starting | Link::Up) => None,
        }
    }

    /// The error of a call that took too long.
    pub(super) fn no_answer(&self, time: Duration) -> KeyStoreError {
        KeyStoreError::DeviceUnavailable {
            key: self.device.clone(),
            operation: "the device",
            answer: format!("no answer within {} ms", time.as_millis()),
        }
    }

    /// The first failure of a device that never was up.
    pub(super) fn failure(&self) -> Option<&OpenError> {
        match self.link {
            Link::Starting | Link::Up => None,
            Link::Down { .. } => self.failure.as_ref(),
        }
    }

    /// A person has looked at the device: what was refused may be tried once more, and now.
    pub(super) fn try_again(&mut self, now: Instant) {
        self.refused = None;
        self.retry_after = self.settings.retry_min;
        if let Link::Down { until } = &mut self.link {
            *until = now;
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    // ── Figures ──────────────────────────────────────────────────────────────

    pub(super) fn sessions(&self) -> usize {
        let own = Some(self.generation);
        self.workers
            .values()
            .filter(|one| one.session == own)
            .count()
    }

    pub(super) fn busy(&self) -> usize {
        let signs = |worker: &&Worker| matches!(worker.busy, Some((_, Work::Signing(_))));
        self.workers.values().filter(signs).count()
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.iter().filter(|job| job.is_waiting()).count()
    }

    pub(super) fn stuck(&self) -> usize {
        self.stuck
    }

    pub(super) fn threads(&self) -> usize {
        self.workers.len()
    }

    pub(super) fn device_state(&self) -> DeviceState {
        match (&self.refused, self.link) {
            _ if self.sessions() > 0 => DeviceState::Up,
            (Some(_), _) => DeviceState::PinRefused,
            (None, Link::Starting) => DeviceState::Starting,
            (None, Link::Up) => DeviceState::Up,
            (None, Link::Down { .. }) => DeviceState::Down,
        }
    }
}
