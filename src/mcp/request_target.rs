//! What a request names: a tool, a prompt, a URI, a task of the caller's.

use super::{Shared, lists::Needs, tasks};
use crate::{
    auth::{Caller, ScopeSet},
    resources::ResourceUri,
    tools::{Row, Selection},
};

/// What a request names, in words of ours. Without a name it is nothing that is known here.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestTarget {
    /// A tool, a prompt, a kind of resource, the tool of a task.
    pub name: Option<&'static str>,
    needs: Needs,
}

impl RequestTarget {
    /// See [`super::Mcp::target`].
    pub(super) fn of(shared: &Shared, method: &str, named: Option<&str>, caller: &Caller) -> Self {
        let Some(named) = named else { return Self::default() };
        match method {
            "tools/call" => shared.catalog.find(named).map(Self::tool).unwrap_or_default(),
            "prompts/get" => {
                // Its text is for everybody; what it leads to is not.
                let name = shared.prompts.find(named).map(|prompt| prompt.name);
                Self { name, needs: Needs::default() }
            }
            "resources/read" | "resources/subscribe" => {
                let Ok(uri) = named.parse::<ResourceUri>() else { return Self::default() };
                let kind = uri.kind();
                Self { name: Some(kind.name), needs: Needs::of(shared.catalog.find(kind.tool)) }
            }
            method if tasks::METHODS.contains(&method) => {
                let Some(row) = tasks::row(shared, named, caller) else { return Self::default() };
                let mut target = Self::tool(row);
                if let Some(long) = row.long {
                    target.needs.scopes = long.scopes;
                }
                target
            }
            _ => Self::default(),
        }
    }

    fn tool(row: &Row) -> Self {
        Self { name: Some(row.name), needs: Needs::of([row]) }
    }

    /// What a caller must hold for the request to be dispatched: nothing for a list, the scopes of the tool for a call,
    /// those of the tool behind it for a resource or a task. Nothing for what is not in the `selection`, which is refused
    /// whoever asks for it.
    #[must_use]
    pub fn required_scopes(&self, selection: Selection) -> ScopeSet {
        if selection.admits(self.needs.reach) { self.needs.scopes } else { ScopeSet::EMPTY }
    }
}
