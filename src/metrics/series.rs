//! The library's metrics with labels from the table.

use std::{fmt, hash, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder},
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        histogram::Histogram,
    },
    registry::Registry,
};

use super::table::{Definition, Kind};

/// One value for each label. Counting with them makes no text.
#[derive(Debug, Clone, Copy)]
struct Labels<const N: usize> {
    names: &'static [&'static str],
    values: [&'static str; N],
}

// Within a family the names are the same.
impl<const N: usize> PartialEq for Labels<N> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl<const N: usize> Eq for Labels<N> {}

impl<const N: usize> hash::Hash for Labels<N> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.values.hash(state);
    }
}

impl<const N: usize> EncodeLabelSet for Labels<N> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        self.names
            .iter()
            .zip(self.values)
            .try_for_each(|(name, value)| (*name, value).encode(encoder.encode_label()))
    }
}

/// Makes histograms with the buckets of their kind.
#[derive(Debug, Clone, Copy)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// A counter for each set of label values.
#[derive(Debug)]
pub(super) struct Counters<const N: usize> {
    names: &'static [&'static str],
    family: Family<Labels<N>, Counter>,
}

impl<const N: usize> Counters<N> {
    pub fn new(registry: &mut Registry, definition: &Definition) -> Self {
        let family = Family::default();
        register(registry, definition, family.clone());
        Self { names: definition.labels, family }
    }

    /// Counts from 0 before anything has happened, so that the first time can be seen as a change.
    pub fn starting_with(self, values: impl IntoIterator<Item = [&'static str; N]>) -> Self {
        for values in values {
            let _created = self.family.get_or_create(&Labels { names: self.names, values });
        }
        self
    }

    pub fn count(&self, values: [&'static str; N]) {
        self.family.get_or_create(&Labels { names: self.names, values }).inc();
    }
}

/// A histogram of seconds for each set of label values.
#[derive(Debug)]
pub(super) struct Durations<const N: usize> {
    names: &'static [&'static str],
    family: Family<Labels<N>, Histogram, Buckets>,
}

impl<const N: usize> Durations<N> {
    pub fn new(registry: &mut Registry, definition: &Definition) -> Self {
        let bounds = match definition.kind {
            Kind::Durations(bounds) => bounds,
            _ => &[],
        };
        let family = Family::new_with_constructor(Buckets(bounds));
        register(registry, definition, family.clone());
        Self { names: definition.labels, family }
    }

    pub fn observe(&self, values: [&'static str; N], took: Duration) {
        self.family.get_or_create(&Labels { names: self.names, values }).observe(took.as_secs_f64());
    }
}

/// Under its name, without what the library appends by itself.
pub(super) fn register(
    registry: &mut Registry,
    definition: &Definition,
    metric: impl prometheus_client::registry::Metric,
) {
    let suffix = match definition.kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        Kind::Gauge | Kind::Durations(_) => "",
    };
    let name = definition.name.strip_suffix(suffix).unwrap_or(definition.name);
    // The library ends the sentence.
    registry.register(name, definition.help.trim_end_matches('.'), metric);
}
