//! What to show of a file: the first rows of a table, or lines of text.

use serde_json::{Map, Value};

use crate::tools::untrusted::{clean, cut};

/// Most bytes of content in an answer.
const BUDGET: usize = 20_000;
/// Longest cell or line shown, in characters.
const MAX_CELL: usize = 300;

/// A piece of a file, readable.
#[derive(Debug, PartialEq)]
pub(super) enum Preview {
    /// A table: CSV with its heading, or the items of a JSON array.
    Rows {
        /// One object a row, column name to value. What is no object in an array is called `value`.
        rows: Vec<Map<String, Value>>,
        /// Whether rows were left out.
        more: bool,
    },
    /// Lines of text.
    Text {
        /// The lines.
        text: String,
        /// Whether lines were left out.
        more: bool,
    },
    /// Not readable as text.
    Binary,
}

/// Looks at `bytes`, of which `whole` says whether they are the whole file. `tail` wants the last lines of a text.
pub(super) fn preview(name: &str, bytes: &[u8], whole: bool, tail: bool, limit: usize) -> Preview {
    // A piece can begin or end in the middle of a character.
    let text = String::from_utf8_lossy(bytes);
    let odd = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER || *c == '\0').count();
    if odd > 2 + text.len() / 100 {
        return Preview::Binary;
    }
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit('.').next() {
        Some("csv") if !tail => return table(&text, b',', whole, limit),
        Some("tsv") if !tail => return table(&text, b'\t', whole, limit),
        Some("json") if !tail && whole => {
            if let Ok(Value::Array(items)) = serde_json::from_str(&text) {
                return array(items, limit);
            }
        }
        _ => {}
    }
    lines(&text, whole, tail, limit)
}

fn table(text: &str, separator: u8, whole: bool, limit: usize) -> Preview {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let Ok(columns) = reader.headers().cloned() else { return lines(text, whole, false, limit) };
    let mut kept = Kept::new(limit);
    let mut records = reader.records().peekable();
    while let Some(record) = records.next() {
        // The last record of a piece may be torn.
        let torn = !whole && records.peek().is_none();
        let Ok(record) = record else { return lines(text, whole, false, limit) };
        let row: Map<String, Value> = record
            .iter()
            .enumerate()
            .map(|(index, cell)| {
                let column = columns.get(index).map_or_else(|| format!("column{}", index + 1), clean);
                (column, Value::String(cut(&clean(cell), MAX_CELL)))
            })
            .collect();
        if torn || !kept.add(row) {
            kept.more = true;
            break;
        }
    }
    Preview::Rows { rows: kept.rows, more: kept.more || !whole }
}

fn array(items: Vec<Value>, limit: usize) -> Preview {
    let mut kept = Kept::new(limit);
    for item in items {
        let row = match tidy(item, 0) {
            Value::Object(row) => row,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        if !kept.add(row) {
            kept.more = true;
            break;
        }
    }
    Preview::Rows { rows: kept.rows, more: kept.more }
}

/// Texts cleaned and cut, deep structures folded.
fn tidy(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) => Value::String(cut(&clean(&text), MAX_CELL)),
        Value::Array(_) | Value::Object(_) if depth >= 3 => {
            Value::String(cut(&clean(&value.to_string()), MAX_CELL))
        }
        Value::Array(items) => items.into_iter().map(|item| tidy(item, depth + 1)).collect(),
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(name, value)| (clean(&name), tidy(value, depth + 1))).collect(),
        ),
        other => other,
    }
}

fn lines(text: &str, whole: bool, tail: bool, limit: usize) -> Preview {
    let all: Vec<&str> = text.lines().collect();
    let mut budget = BUDGET;
    let mut kept = Vec::new();
    let mut take = |line: &&str| {
        let line = cut(&clean(line), MAX_CELL);
        let room = kept.len() < limit && line.len() < budget;
        if room {
            budget -= line.len() + 1;
            kept.push(line);
        }
        room
    };
    if tail {
        let _ = all.iter().rev().take_while(|line| take(line)).count();
        kept.reverse();
    } else {
        let _ = all.iter().take_while(|line| take(line)).count();
    }
    let more = !whole || kept.len() < all.len();
    Preview::Text { text: kept.join("\n"), more }
}

/// Rows within the limit and the budget.
struct Kept {
    rows: Vec<Map<String, Value>>,
    limit: usize,
    budget: usize,
    more: bool,
}

impl Kept {
    fn new(limit: usize) -> Self {
        Self { rows: Vec::new(), limit, budget: BUDGET, more: false }
    }

    fn add(&mut self, row: Map<String, Value>) -> bool {
        let size = serde_json::to_string(&row).map_or(usize::MAX, |text| text.len() + 1);
        if self.rows.len() >= self.limit || size > self.budget {
            return false;
        }
        self.budget -= size;
        self.rows.push(row);
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_become_rows_by_column_name() {
        let csv = b"name,price\n\"Boot, brown\",79\nSandal,19\nClog,25\n";
        let object = |value: Value| value.as_object().unwrap().clone();
        let rows = vec![
            object(json!({"name": "Boot, brown", "price": "79"})),
            object(json!({"name": "Sandal", "price": "19"})),
        ];
        assert_eq!(
            preview("shoes.csv", csv, true, false, 2),
            Preview::Rows { rows: rows.clone(), more: true }
        );
        assert_eq!(
            preview("SHOES.CSV.GZ", &csv[..34], false, false, 9),
            Preview::Rows { rows: rows[..1].to_vec(), more: true }
        );
        let json = br#"[{"a":1,"b":{"c":{"d":[1]}}},{"a":2}]"#;
        let expected = vec![object(json!({"a": 1, "b": {"c": {"d": "[1]"}}})), object(json!({"a": 2}))];
        assert_eq!(preview("x.json", json, true, false, 9), Preview::Rows { rows: expected, more: false });
        let rows = vec![object(json!({"value": 1})), object(json!({"value": "b"}))];
        assert_eq!(preview("x.json", br#"[1,"b"]"#, true, false, 9), Preview::Rows { rows, more: false });
    }

    #[test]
    fn texts_are_shown_from_either_end() {
        let log = b"one\ntwo\nthree\nfour";
        assert_eq!(
            preview("run.log", log, true, false, 2),
            Preview::Text { text: "one\ntwo".into(), more: true }
        );
        assert_eq!(
            preview("run.log", log, true, true, 2),
            Preview::Text { text: "three\nfour".into(), more: true }
        );
        assert_eq!(
            preview("run.log", log, true, true, 9),
            Preview::Text { text: "one\ntwo\nthree\nfour".into(), more: false }
        );
    }

    #[test]
    fn budgets_hold_and_binaries_are_told_apart() {
        let long = "x".repeat(1000) + "\n";
        let Preview::Text { text, more } = preview("a.txt", long.repeat(1000).as_bytes(), true, false, 5000)
        else {
            panic!("text")
        };
        assert!(text.len() <= BUDGET && more);
        let wide = format!("c\n{}", format!("{}\n", "y".repeat(5000)).repeat(500));
        let Preview::Rows { rows, more } = preview("a.csv", wide.as_bytes(), true, false, 500) else {
            panic!("rows")
        };
        assert!(more && serde_json::to_string(&rows).unwrap().len() <= BUDGET + 2);
        assert_eq!(
            preview("a.png", &[0x89, 0x50, 0, 0, 0xff, 0xfe, 0, 0, 0xc3], true, false, 9),
            Preview::Binary
        );
    }
}
