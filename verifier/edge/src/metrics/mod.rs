//! The figures of a service: what it counts while it works, and what its parts are asked at each
//! scrape.
//!
//! Every set of labels is bounded: methods and reasons come from the interface, keys, devices and
//! seals from the configuration. Nothing that a caller may choose becomes a label.

mod calls;
mod family;
mod scrape;

use std::sync::Arc;

use prometheus::{
    Encoder as _, Histogram, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry,
    TextEncoder,
};

use yinxin_pki::UnixSeconds;
use yinxin_verifier::Trust;

pub(crate) use calls::{Calls, Counted};
pub use family::{Family, Spread};
pub use scrape::Endpoint;

/// Upper bounds, in seconds, of what is timed: from a signature in memory to a device that hangs.
pub const BOUNDS_SECONDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

const GOOD: &str = "a name of our own with labels of our own, registered once";

/// The figures of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    build: (&'static str, &'static str),
    calls: Arc<Calls>,
}

impl Metrics {
    /// The figures of a service that have no value yet. `service` is its name, `version` its
    /// build's.
    #[must_use]
    pub fn new(service: &'static str, version: &'static str) -> Self {
        let registry = Registry::new();
        Self {
            calls: Arc::new(Calls::new(&registry)),
            registry,
            build: (service, version),
        }
    }

    /// Counters by labels.
    ///
    /// # Panics
    /// When the name is not Prometheus', or is taken.
    #[must_use]
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        counters(&self.registry, name, help, labels)
    }

    /// Times by labels, counted under [`BOUNDS_SECONDS`].
    ///
    /// # Panics
    /// As [`Metrics::counters`].
    #[must_use]
    pub fn durations(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        durations(&self.registry, name, help, labels)
    }

    /// Times without labels.
    ///
    /// # Panics
    /// As [`Metrics::counters`].
    #[must_use]
    pub fn duration(&self, name: &str, help: &str) -> Histogram {
        self.durations(name, help, &[])
            .with_label_values::<&str>(&[])
    }

    pub(crate) fn calls(&self) -> Arc<Calls> {
        Arc::clone(&self.calls)
    }

    /// Everything in Prometheus' text format, with the families of this moment; `None` if that
    /// cannot be written.
    fn text(&self, moment: Vec<Family>) -> Option<Vec<u8>> {
        let (service, version) = self.build;
        let build = Family::gauge("yinxin_build_info", "Which service and version this is; 1.")
            .with(&[("service", service), ("version", version)], 1.0);
        let mut families = self.registry.gather();
        let moment = moment.into_iter().chain([build]).map(Family::into_inner);
        families.extend(moment.filter(|family| !family.get_metric().is_empty()));
        families.sort_by(|one, other| one.name().cmp(other.name()));
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text).ok()?;
        Some(text)
    }
}

/// How long what both services lean on is good: their TLS certificate, if they have one, and the
/// first of the trust folder's revocation lists to be past its nextUpdate, if one says when.
#[must_use]
pub fn seconds_left(tls_ends: Option<UnixSeconds>, trust: &Trust, now: UnixSeconds) -> Vec<Family> {
    let left = |name: &str, help: &str, end: UnixSeconds| {
        Family::gauge(name, help).with(&[], end.0.saturating_sub(now.0) as f64)
    };
    let tls = tls_ends.map(|end| {
        let name = "yinxin_tls_certificate_seconds_left";
        left(
            name,
            "Until the first certificate of the service's TLS chain ends.",
            end,
        )
    });
    let lists = trust.crls.iter().filter_map(|crl| crl.next_update()).min();
    let lists = lists.map(|end| {
        let help = "Until the first revocation list of the trust folder is past its nextUpdate; \
                    negative: verdicts are INDETERMINATE.";
        left("yinxin_crl_seconds_left", help, end)
    });
    tls.into_iter().chain(lists).collect()
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    let counters = IntCounterVec::new(Opts::new(name, help), labels).expect(GOOD);
    registry.register(Box::new(counters.clone())).expect(GOOD);
    counters
}

fn durations(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    let options = HistogramOpts::new(name, help).buckets(BOUNDS_SECONDS.to_vec());
    let durations = HistogramVec::new(options, labels).expect(GOOD);
    registry.register(Box::new(durations.clone())).expect(GOOD);
    durations
}
