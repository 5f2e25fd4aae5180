//! Reading requests the way the platform does: query names and member names in any case, ids as numbers.

use std::{convert::Infallible, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};
use serde_json::{Map, Value};

use super::error::Refusal;

/// A number from the path. Anything else is a 400, not a 404: the route exists, the value is malformed.
pub(crate) fn id<T: FromStr>(name: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::bad_request(format!("The value '{text}' is not valid for {name}")))
}

/// The query parameters. Empty ones count as absent.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::bad_request(format!("The parameter {name} is required")))
    }

    /// A whole number of at least `least`.
    pub(crate) fn number(&self, name: &str, least: i64) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number: i64 = id(name, text)?;
        if number < least {
            return Err(Refusal::bad_request(format!("{name} must be at least {least}")));
        }
        Ok(Some(number))
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        match self.text(name).map(str::to_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }

    /// One of `columns` in any case, the first unless asked otherwise.
    pub(crate) fn sort_column(&self, columns: &[&'static str]) -> Result<&'static str, Refusal> {
        let text = self.text("sortColumn").or(columns.first().copied()).unwrap_or_default();
        let found = columns.iter().find(|column| column.eq_ignore_ascii_case(text));
        found.copied().ok_or_else(|| wrong("sortColumn", &format!("one of {}", columns.join(", "))))
    }

    pub(crate) fn descending(&self) -> Result<bool, Refusal> {
        match self.number("sortOrder", 0)? {
            None | Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(_) => Err(Refusal::bad_request("sortOrder must be 0 or 1")),
        }
    }

    /// Which page: the first 50 records unless asked otherwise, and never more than `most`.
    pub(crate) fn page(&self, most: i64) -> Result<Page, Refusal> {
        let index = self.number("pageIndex", 1)?.unwrap_or(1);
        Ok(Page { index, size: self.number("recordsPerPage", 1)?.unwrap_or(50).min(most) })
    }

    /// How many records to return at most: 50 unless asked otherwise, between 1 and 1000.
    pub(crate) fn max_records(&self) -> Result<usize, Refusal> {
        let number = self.number("maxRecords", 1)?.unwrap_or(50).min(1000);
        Ok(usize::try_from(number).unwrap_or(50))
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

/// A page of a list, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) index: i64,
    pub(crate) size: i64,
}

impl Page {
    /// What of `all` is on this page.
    pub(crate) fn cut<T>(self, all: Vec<T>) -> Vec<T> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let skip = usize::try_from(self.index - 1).unwrap_or(usize::MAX).saturating_mul(size);
        all.into_iter().skip(skip).take(size).collect()
    }
}

/// A JSON body's members by lower-cased name. `null` counts as absent.
#[derive(Debug)]
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// An empty body stands for an empty object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self(Map::new()));
        }
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
            return Err(Refusal::bad_request("The request body is not a JSON object"));
        };
        let lower = |(name, value): (String, Value)| (name.to_lowercase(), value);
        Ok(Self(members.into_iter().filter(|(_, value)| !value.is_null()).map(lower).collect()))
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }

    pub(crate) fn number(&self, name: &str, least: i32, most: i32) -> Result<Option<i32>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(wrong(name, &format!("a whole number from {least} to {most}"))),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "a string")),
        }
    }

    /// One of `names`, in any case.
    pub(crate) fn one_of(&self, name: &str, names: &[&'static str]) -> Result<Option<&'static str>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = names.iter().find(|allowed| allowed.eq_ignore_ascii_case(text));
        found.copied().map(Some).ok_or_else(|| wrong(name, &format!("one of {}", names.join(", "))))
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(&name.to_lowercase())
    }
}

fn wrong(name: &str, expected: &str) -> Refusal {
    Refusal::bad_request(format!("{name} must be {expected}"))
}
