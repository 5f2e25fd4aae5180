//! Lists: how many there are, whether all of them are shown, and how to get the rest.

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::Verbosity;

/// A list that is complete.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listed<T> {
    /// All of them.
    result: Vec<T>,
    /// How many.
    returned: usize,
}

impl<T> From<Vec<T>> for Listed<T> {
    fn from(result: Vec<T>) -> Self {
        Self { returned: result.len(), result }
    }
}

/// A record in a list, short or whole.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Shown<S, F> {
    /// What the next step needs.
    Summary(S),
    /// The platform's whole record.
    Full(Box<F>),
}

impl<S, F> Shown<S, F> {
    /// Each record as it was asked for; short unless the whole one was.
    pub fn all<T>(records: Vec<T>, verbosity: Option<Verbosity>) -> Vec<Self>
    where
        S: From<T>,
        F: From<T>,
    {
        let shown = |record: T| match verbosity {
            Some(Verbosity::Full) => Self::Full(Box::new(record.into())),
            Some(Verbosity::Summary) | None => Self::Summary(record.into()),
        };
        records.into_iter().map(shown).collect()
    }
}

/// How to get the rest of a list that comes in pages, when there is more.
pub fn next_page(total: Option<u64>, index: u32, size: u32, returned: usize) -> Option<String> {
    let shown = u64::from(index.saturating_sub(1)) * u64::from(size) + returned as u64;
    let total = total.filter(|total| *total > shown && returned > 0)?;
    let next = index.saturating_add(1);
    Some(format!("{shown} of {total} shown so far. Call again with pageIndex {next} for more."))
}
