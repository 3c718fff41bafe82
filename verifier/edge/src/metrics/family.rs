//! Figures that a part of the service keeps itself and tells when it is asked.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

/// One figure by labels, at one moment.
#[derive(Debug)]
pub struct Family(MetricFamily);

/// Times that were counted elsewhere.
#[derive(Clone, Debug)]
pub struct Spread<'a> {
    /// Upper bounds in seconds, rising.
    pub bounds_seconds: &'a [f64],
    /// How many were at or under each bound and over the one before; one more for the rest.
    pub counts: &'a [u64],
    /// Their sum, in seconds.
    pub sum_seconds: f64,
}

impl Family {
    /// A value that rises and falls.
    #[must_use]
    pub fn gauge(name: &str, help: &str) -> Self {
        Self::new(name, help, MetricType::GAUGE)
    }

    /// A value that only rises; its name ends in `_total`.
    #[must_use]
    pub fn counter(name: &str, help: &str) -> Self {
        Self::new(name, help, MetricType::COUNTER)
    }

    /// Times; its name ends in `_seconds`.
    #[must_use]
    pub fn spread(name: &str, help: &str) -> Self {
        Self::new(name, help, MetricType::HISTOGRAM)
    }

    fn new(name: &str, help: &str, kind: MetricType) -> Self {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        Self(family)
    }

    /// The same with the value under these labels.
    #[must_use]
    pub fn with(mut self, labels: &[(&str, &str)], value: f64) -> Self {
        self.add(labels, value);
        self
    }

    /// Takes in the value under these labels.
    pub fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        let mut metric = labelled(labels);
        if self.0.get_field_type() == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.0.mut_metric().push(metric);
    }

    /// Takes in the times under these labels.
    pub fn add_spread(&mut self, labels: &[(&str, &str)], spread: &Spread<'_>) {
        let mut cumulative = 0;
        let mut buckets = Vec::with_capacity(spread.bounds_seconds.len());
        for (bound, count) in spread.bounds_seconds.iter().zip(spread.counts) {
            cumulative += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(cumulative);
            buckets.push(bucket);
        }
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets);
        histogram.set_sample_count(spread.counts.iter().sum());
        histogram.set_sample_sum(spread.sum_seconds);
        let mut metric = labelled(labels);
        metric.set_histogram(histogram);
        self.0.mut_metric().push(metric);
    }

    pub(super) fn into_inner(self) -> MetricFamily {
        self.0
    }
}

fn labelled(labels: &[(&str, &str)]) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}
