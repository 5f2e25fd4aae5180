//! What agents extract: tables whose every cell follows from the agent, the row and (for prices) the run.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// The columns of an agent's output.
#[derive(Debug)]
pub(crate) struct Dataset {
    pub(crate) columns: &'static [(&'static str, Column)],
}

#[derive(Debug)]
pub(crate) enum Column {
    /// One of these; the same in every run.
    Text(&'static [&'static str]),
    /// A prefix and a number, unique per row.
    Code(&'static str),
    /// Cents between these bounds, drifting a little from run to run.
    Price(i64, i64),
    /// A whole number between these bounds that may change from run to run.
    Count(i64, i64),
    /// True five times out of six.
    Flag,
    /// This address with the row's number at its end.
    Link(&'static str),
}

/// One extracted record, in column order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row(Vec<(&'static str, Value)>);

impl Dataset {
    /// The first `count` records of a run.
    pub(crate) fn rows(&self, agent_id: i32, run_id: i64, count: i64) -> Vec<Row> {
        (0..count).map(|row| self.row(agent_id, run_id, row)).collect()
    }

    fn row(&self, agent_id: i32, run_id: i64, row: i64) -> Row {
        let cell = |(at, (name, column)): (i64, &(&'static str, Column))| {
            let fixed = mix(&[i64::from(agent_id), row, at]);
            let moving = mix(&[i64::from(agent_id), row, at, run_id]);
            (*name, column.value(row, fixed, moving))
        };
        Row((0..).zip(self.columns).map(cell).collect())
    }
}

impl Column {
    fn value(&self, row: i64, fixed: i64, moving: i64) -> Value {
        match self {
            Self::Text(words) => {
                let count = i64::try_from(words.len()).unwrap_or(1).max(1);
                let at = usize::try_from(fixed.rem_euclid(count)).unwrap_or(0);
                words.get(at).map_or(Value::Null, |word| Value::from(*word))
            }
            Self::Code(prefix) => Value::from(format!("{prefix}{:05}", 10_007 + row * 13)),
            Self::Price(low, high) => {
                let base = low + fixed.rem_euclid(high - low + 1);
                let cents = base + base * (moving.rem_euclid(11) - 5) / 100;
                // Through text, so that 19.99 is exactly "19.99" on the wire.
                let text = format!("{}.{:02}", cents / 100, cents % 100);
                text.parse::<f64>().map_or(Value::Null, Value::from)
            }
            Self::Count(low, high) => Value::from(low + moving.rem_euclid(high - low + 1)),
            Self::Flag => Value::from(moving.rem_euclid(6) != 0),
            Self::Link(address) => Value::from(format!("{address}{}", 10_007 + row * 13)),
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// CSV with a header line (RFC 4180).
pub(crate) fn csv(dataset: &Dataset, rows: &[Row]) -> String {
    let mut out = String::new();
    line(&mut out, dataset.columns.iter().map(|(name, _)| (*name).to_owned()));
    for row in rows {
        line(&mut out, row.0.iter().map(|(_, value)| cell(value)));
    }
    out
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    out.push_str(&cells.collect::<Vec<_>>().join(","));
    out.push_str("\r\n");
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A number that looks random but follows from `parts` (the finaliser of `SplitMix64`, chained). Not for secrets.
fn mix(parts: &[i64]) -> i64 {
    let mixed = parts.iter().fold(0x9E37_79B9_7F4A_7C15_u64, |state, part| {
        let mut z = state ^ part.cast_unsigned().wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    });
    mixed.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOES: Dataset = Dataset {
        columns: &[
            ("sku", Column::Code("SH-")),
            ("name", Column::Text(&["6\" boot, brown"])),
            ("price", Column::Price(100, 9_999)),
            ("inStock", Column::Flag),
        ],
    };

    #[test]
    fn rows_are_the_same_whenever_they_are_asked_for() {
        assert_eq!(SHOES.rows(1, 2, 30), SHOES.rows(1, 2, 30));
        assert_ne!(SHOES.rows(1, 2, 30), SHOES.rows(1, 3, 30));
        assert_eq!(SHOES.rows(1, 2, 30)[..10], SHOES.rows(1, 2, 10));
    }

    #[test]
    fn csv_quotes_what_needs_it_and_json_keeps_the_column_order() {
        let rows = SHOES.rows(1, 2, 1);
        let csv = csv(&SHOES, &rows);
        assert!(csv.starts_with("sku,name,price,inStock\r\nSH-10007,\"6\"\" boot, brown\","), "{csv}");
        let json = serde_json::to_string(&rows).unwrap();
        assert!(json.starts_with(r#"[{"sku":"SH-10007","name":"6\" boot, brown","price":"#), "{json}");
    }
}
