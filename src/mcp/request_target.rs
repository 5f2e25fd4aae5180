//! What a request names: a tool, a prompt, a URI, a task of the caller's.

use super::{Shared, lists::Needs, tasks};
use crate::{
    auth::{Caller, ScopeSet},
    resources::ResourceUri,
    tools::Selection,
};

/// See [`super::Mcp::required_scopes`].
pub(super) fn scopes(
    shared: &Shared,
    method: &str,
    target: Option<&str>,
    caller: &Caller,
    selection: Selection,
) -> ScopeSet {
    let row = match (method, target) {
        ("tools/call", Some(name)) => shared.catalog.find(name),
        ("resources/read" | "resources/subscribe", Some(uri)) => {
            uri.parse::<ResourceUri>().ok().and_then(|uri| shared.catalog.find(uri.kind().tool))
        }
        (method, Some(id)) if tasks::METHODS.contains(&method) => tasks::row(shared, id, caller),
        _ => None,
    };
    let mut needs = Needs::of(row);
    if let Some(long) = row.and_then(|row| row.long).filter(|_| tasks::METHODS.contains(&method)) {
        needs.scopes = long.scopes;
    }
    if selection.admits(needs.reach) { needs.scopes } else { ScopeSet::EMPTY }
}

/// See [`super::Mcp::name_of`].
pub(super) fn name(
    shared: &Shared,
    method: &str,
    target: Option<&str>,
    caller: &Caller,
) -> Option<&'static str> {
    match method {
        "tools/call" => shared.catalog.find(target?).map(|row| row.name),
        "prompts/get" => shared.prompts.find(target?).map(|prompt| prompt.name),
        "resources/read" | "resources/subscribe" => {
            target?.parse::<ResourceUri>().ok().map(|uri| uri.kind().name)
        }
        method if tasks::METHODS.contains(&method) => tasks::row(shared, target?, caller).map(|row| row.name),
        _ => None,
    }
}
