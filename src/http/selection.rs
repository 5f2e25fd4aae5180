//! What a user asks to be offered: a part of what the operator offers, in the address or in headers.
//!
//! `/mcp?readonly=true&toolsets=runs,billing` for clients that are given nothing but an address, `X-MCP-Readonly` and
//! `X-MCP-Toolsets` for those that can send headers. Both can only narrow. What cannot be read is refused: a misspelt
//! wish for less must not end in everything.

use http::{HeaderName, StatusCode, request::Parts};

use super::problem::{Problem, rpc};
use crate::tools::{Selection, Toolset};

const READONLY: HeaderName = HeaderName::from_static("x-mcp-readonly");
const TOOLSETS: HeaderName = HeaderName::from_static("x-mcp-toolsets");

/// The wishes, as they are called in the address.
const NAMES: [&str; 2] = ["readonly", "toolsets"];

/// What is offered on this request: `offered` by the operator, narrowed by the user.
pub(super) fn of(parts: &Parts, offered: Selection) -> Result<Selection, Problem> {
    let mut selection = offered;
    for (name, value) in wishes(parts) {
        let value = value.map_err(|()| refused(name))?;
        let wish = match name {
            "readonly" => {
                flag(&value).map(|flag| if flag { Selection::ALL.read_only() } else { Selection::ALL })
            }
            _ => Toolset::parse_list(&value).map(|toolsets| Selection::of(&toolsets)),
        };
        selection = selection.narrowed(wish.ok_or_else(|| refused(name))?);
    }
    Ok(selection)
}

/// A value that is text, or that cannot be read.
type Wish = (&'static str, Result<String, ()>);

fn wishes(parts: &Parts) -> impl Iterator<Item = Wish> {
    let query = parts.uri.query().unwrap_or_default();
    let in_query = url::form_urlencoded::parse(query.as_bytes()).filter_map(|(name, value)| {
        let name = NAMES.into_iter().find(|known| *known == name)?;
        Some((name, Ok(value.into_owned())))
    });
    let in_headers = NAMES.into_iter().zip([READONLY, TOOLSETS]).flat_map(|(name, header)| {
        let values = parts.headers.get_all(header).iter();
        values.map(move |value| (name, value.to_str().map(str::to_owned).map_err(|_| ())))
    });
    in_query.chain(in_headers)
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        // `?readonly` alone is a wish as well.
        "" | "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn refused(name: &'static str) -> Problem {
    let (message, allowed): (_, Vec<_>) = match name {
        "readonly" => ("The value of readonly cannot be read.", vec!["true", "false"]),
        _ => ("The value of toolsets cannot be read.", Toolset::ALL.map(Toolset::key).to_vec()),
    };
    Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_selection",
        message,
        "Use the allowed values, separated by commas.",
    )
    .rpc(rpc::INVALID_REQUEST)
    .extra(serde_json::json!({"allowed": allowed}))
}
