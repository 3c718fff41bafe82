//! The signer's figures for Prometheus: what is counted as it happens, and what devices,
//! certificates and revocation lists are asked at each scrape. docs/operating/metrics.md explains
//! each.
//!
//! Labels are names of the configuration and of the registry, and words of ours: never a caller's.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use prometheus::{Histogram, HistogramTimer, HistogramVec, IntCounterVec};
use yinxin_edge::{Family, Metrics, Spread, seconds_left};
use yinxin_hsm::{BOUNDS_MICROS, DeviceKeyStore, DeviceState, Times};
use yinxin_pki::UnixSeconds;
use yinxin_signer::expiry::Nearness;
use yinxin_signer::keys::withheld_signatures;
use yinxin_signer::profile::SealProfile;
use yinxin_signer::record::Operation;

use crate::service::Service;

/// How many seals' certificates are told one by one, the nearest to their end first: a city has
/// more seals than a figure should have labels. Those near their end are counted over all.
const CERTIFICATES_TOLD_MAX: usize = 100;

/// A stage on a document's road.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    /// The update with its appearance and its slot; for a digest it takes no time.
    Prepare,
    /// One wait for the record: an intent, with the uses of the seals; a release.
    Record,
    /// One signature, the wait for a device included, and its tail's way to the file.
    Sign,
    /// Our verifier over the whole.
    SelfCheck,
    /// A long document's way to its folder; a short one goes into the record.
    Store,
}

/// What is counted as it happens. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    prepare: Histogram,
    record: Histogram,
    sign: Histogram,
    self_check: Histogram,
    store: Histogram,
    commit: Histogram,
    sealed: IntCounterVec,
    configuration: IntCounterVec,
    /// By key: what its callers waited.
    pub(crate) key_seconds: HistogramVec,
    /// By key and kind.
    pub(crate) key_errors: IntCounterVec,
}

impl Figures {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let stages = metrics.durations(
            "yinxin_step_seconds",
            "Time of each step on a document's road: prepare, record, sign, self-check, store.",
            &["step"],
        );
        let stage = |name: &str| stages.with_label_values(&[name]);
        Self {
            prepare: stage("prepare"),
            record: stage("record"),
            sign: stage("sign"),
            self_check: stage("self-check"),
            store: stage("store"),
            commit: metrics.duration(
                "yinxin_record_commit_seconds",
                "Time of each commit of the record, the sync of the disk included; requests that \
                 wait together share one.",
            ),
            sealed: metrics.counters(
                "yinxin_documents_sealed_total",
                "Documents, licences and digests released, by operation and profile; answers \
                 given again do not count.",
                &["operation", "profile"],
            ),
            configuration: metrics.counters(
                "yinxin_configuration_reads_total",
                "Times that the configuration was read again: in-force, or refused as a whole.",
                &["result"],
            ),
            key_seconds: metrics.durations(
                "yinxin_key_sign_seconds",
                "What callers wait for a signature of the key, or for its error: in line, in the \
                 device, for its check.",
                &["key"],
            ),
            key_errors: metrics.counters(
                "yinxin_key_errors_total",
                "Signatures that the key's callers did not get, by kind.",
                &["key", "kind"],
            ),
        }
    }

    /// Counts the time until the timer is dropped.
    pub(crate) fn start(&self, stage: Stage) -> HistogramTimer {
        match stage {
            Stage::Prepare => &self.prepare,
            Stage::Record => &self.record,
            Stage::Sign => &self.sign,
            Stage::SelfCheck => &self.self_check,
            Stage::Store => &self.store,
        }
        .start_timer()
    }

    /// Does the work and counts the time it takes.
    pub(crate) async fn time<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        let _timer = self.start(stage);
        work.await
    }

    pub(crate) fn committed(&self, time: Duration) {
        self.commit.observe(time.as_secs_f64());
    }

    pub(crate) fn read_again(&self, in_force: bool) {
        let result = if in_force { "in-force" } else { "refused" };
        self.configuration.with_label_values(&[result]).inc();
    }

    pub(crate) fn sealed(&self, operation: Operation, profile: SealProfile) {
        let labels = [operation.name(), profile.name()];
        self.sealed.with_label_values(&labels).inc();
    }
}

/// What is asked at a scrape.
pub(crate) fn moment(service: &Service, tls_ends: Option<UnixSeconds>) -> Vec<Family> {
    let now = service.clock.now();
    let mut families = devices(service.keys.devices().collect());
    families.extend(certificates(service, now));
    families.extend(seconds_left(tls_ends, &service.trust, now));
    families.push(
        Family::counter(
            "yinxin_sm2_withheld_signatures_total",
            "SM2 signatures of keys in files that failed their own check and were withheld: the \
             machine computes wrongly.",
        )
        .with(&[], withheld_signatures() as f64),
    );
    families
}

/// A gauge or counter of devices with what fills it.
macro_rules! of_devices {
    ($devices:ident: $($kind:ident $name:literal $help:literal $field:ident),* $(,)?) => {
        vec![$({
            let mut family = Family::$kind($name, $help);
            for (status, _) in &$devices {
                family.add(&[("device", &status.device)], status.$field as f64);
            }
            family
        }),*]
    };
}

fn devices(stores: Vec<&DeviceKeyStore>) -> Vec<Family> {
    let devices: Vec<_> = stores
        .into_iter()
        .map(|store| (store.status(), store.key_figures()))
        .collect();
    let mut families = of_devices!(devices:
        gauge "yinxin_device_sessions_wanted" "Sessions that the configuration asks for." wanted,
        gauge "yinxin_device_sessions_open" "Sessions that are open." sessions,
        gauge "yinxin_device_sessions_busy" "Sessions that sign now." busy,
        gauge "yinxin_device_waiting" "Callers in line." waiting,
        gauge "yinxin_device_stuck_threads" "Threads stuck in the device's library." stuck,
        counter "yinxin_device_connects_total" "Sessions opened." connects,
        counter "yinxin_device_connect_errors_total" "Sessions that could not be opened."
            connect_errors,
        counter "yinxin_device_given_up_total" "Calls given up as hanging." given_up,
        counter "yinxin_device_refused_busy_total"
            "Callers refused because the line was full or their time was up in it." refused_busy,
        counter "yinxin_device_hedges_total"
            "Signatures asked for as well because another device with the key was slow." hedges,
        counter "yinxin_device_failovers_total"
            "Signatures asked for because another device with the key had failed." failovers,
    );
    let mut idle = Family::gauge("yinxin_device_sessions_idle", "Open sessions that wait.");
    let mut state = Family::gauge(
        "yinxin_device_state",
        "1 for the device's state: starting, up, down (it is tried again by itself), pin-refused \
         (it is not).",
    );
    let mut signed = Family::counter("yinxin_device_signatures_total", "Right signatures made.");
    let mut wrong = Family::counter(
        "yinxin_device_wrong_signatures_total",
        "Signatures that the public key did not verify; none of them was given.",
    );
    let mut errors = Family::counter(
        "yinxin_device_errors_total",
        "Calls of the device that failed, by kind.",
    );
    let mut waited = Family::spread("yinxin_device_wait_seconds", "Time in line for a session.");
    let mut signing = Family::spread(
        "yinxin_device_sign_seconds",
        "Time in the device, the check of the signature included.",
    );
    for (status, keys) in &devices {
        let device = status.device.as_str();
        let waiting = status.sessions.saturating_sub(status.busy);
        idle.add(&[("device", device)], waiting as f64);
        for one in DeviceState::ALL {
            let is_it = f64::from(u8::from(one == status.state));
            state.add(&[("device", device), ("state", one.name())], is_it);
        }
        for key in keys {
            let labels = [("device", device), ("key", key.key.as_str())];
            signed.add(&labels, key.signed as f64);
            wrong.add(&labels, key.wrong_signatures as f64);
            add_times(&mut waited, &labels, &key.waited);
            add_times(&mut signing, &labels, &key.signing);
            for (kind, count) in &key.errors {
                let [device, key] = labels;
                errors.add(&[device, key, ("kind", *kind)], *count as f64);
            }
        }
    }
    families.extend([idle, state, signed, wrong, errors, waited, signing]);
    families
}

fn add_times(family: &mut Family, labels: &[(&str, &str)], times: &Times) {
    let spread = Spread {
        bounds_seconds: &BOUNDS_MICROS.map(|micros| micros as f64 / 1e6),
        counts: &times.counts,
        sum_seconds: times.sum_micros as f64 / 1e6,
    };
    family.add_spread(labels, &spread);
}

fn certificates(service: &Service, now: UnixSeconds) -> [Family; 2] {
    let mut near = BTreeMap::from(Nearness::ALL.map(|nearness| (nearness, 0_u32)));
    for expiry in service.expiries(now) {
        *near.entry(expiry.nearness).or_default() += 1;
    }
    let mut ending = Family::gauge(
        "yinxin_certificates_ending",
        "Certificates of seals in use, and of the authorities above them, by how near their end \
         is: over, 7d, 30d, 90d. Each counts once.",
    );
    for (nearness, count) in near {
        ending.add(&[("within", nearness.name())], f64::from(count));
    }
    let mut left = Family::gauge(
        "yinxin_certificate_seconds_left",
        "Until the first certificate of a seal's chain ends; negative when it is over. The \
         hundred nearest.",
    );
    for (used_by, ends) in service.chain_ends().into_iter().take(CERTIFICATES_TOLD_MAX) {
        let seconds = ends.0.saturating_sub(now.0);
        left.add(&[("used_by", &used_by)], seconds as f64);
    }
    [ending, left]
}
