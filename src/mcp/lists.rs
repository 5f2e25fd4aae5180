//! What clients list, and who sees which of it.

use rmcp::{
    ErrorData, RoleServer,
    model::{PaginatedRequestParams, Prompt, Resource, ResourceTemplate, Tool},
    service::RequestContext,
};

use super::{CallScope, prompts, resources, tools};
use crate::{
    auth::ScopeSet,
    prompts::Prompts,
    tools::{Catalog, Reach, Row},
};

/// What clients list, in the library's types, each item with what it needs. Built once.
pub(super) struct Lists {
    pub tools: Vec<(Needs, Tool)>,
    pub prompts: Vec<(Needs, Prompt)>,
    pub resources: Vec<(Needs, Resource)>,
    pub templates: Vec<(Needs, ResourceTemplate)>,
}

/// What the tools behind an item need to be called.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    pub scopes: ScopeSet,
    pub reach: Reach,
}

impl Needs {
    /// Those of a prompt: of all tools that it leads through.
    pub fn of_prompt(prompt: &crate::prompts::Prompt, catalog: &Catalog) -> Self {
        Self::of(prompt.tools.iter().filter_map(|name| catalog.find(name)))
    }

    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        rows.into_iter().fold(Self::default(), |needs, row| Self {
            scopes: needs.scopes.union(row.scopes),
            reach: needs.reach.and(Reach::of(row)),
        })
    }
}

impl Lists {
    pub fn new(catalog: &Catalog, prompts: &Prompts) -> Self {
        Self {
            tools: catalog.rows().iter().map(|row| (Needs::of([row]), tools::describe(row))).collect(),
            prompts: prompts.all().iter().map(|prompt| prompts::describe(prompt, catalog)).collect(),
            resources: resources::describe_fixed(catalog),
            templates: resources::describe_templates(catalog),
        }
    }
}

/// The items of a list that this caller can use, in their order; every list is one page.
///
/// What lacks nothing but a scope that is never asked for at first sign-in stays visible: calling it is what leads
/// to the challenge that asks for it.
pub(super) fn visible<T: Clone>(
    request: Option<PaginatedRequestParams>,
    context: &RequestContext<RoleServer>,
    list: &[(Needs, T)],
) -> Result<Vec<T>, ErrorData> {
    if request.is_some_and(|request| request.cursor.is_some()) {
        return Err(ErrorData::invalid_params("Unknown cursor: this list is one page.", None));
    }
    let scope = CallScope::of(context)?;
    let held = scope.caller.scopes().union(ScopeSet::STEP_UP);
    let usable = |needs: &Needs| held.contains(needs.scopes) && scope.selection.admits(needs.reach);
    Ok(list.iter().filter(|(needs, _)| usable(needs)).map(|(_, item)| item.clone()).collect())
}
