//! What a model must not invent: the one source of every policy that it is told.
//!
//! A policy reaches a model in several places (the server's instructions, the description of a tool, the text of a
//! prompt), because clients leave out one or the other. The macros exist because a tool's description is a constant.

/// Before anything is built or run: in the server's instructions.
pub const SUFFICIENCY: &str = "Before building or running an agent, three things must be unambiguous: the target site, the data wanted, and any limits \
of scope (section, filters, language). Something the user said earlier counts if it leaves one reading. Do not carry \
facts from one site to another, nor a field list from an earlier task to a different one, even if such a guess was \
accepted before. If something is open, ask one question that lists everything still needed, and wait for the reply \
before calling tools. If only a guess would close the gap, state it in one sentence and wait for approval.";

/// [`PROMPT_HANDLING`], for `concat!`.
macro_rules! prompt_handling {
    () => {
        "The prompt is what the user wrote, with answers to questions, as it is; only an address may be repaired (missing https, typing slip). \
        Add no fields, formats, price handling or paging that the user did not mention: the build service looks at the page. \
        Site, data and scope must be unambiguous from what the user said; values from another site or task do not count; ask for what is missing in one question."
    };
}

/// [`POLLING`], for `concat!`.
macro_rules! polling {
    () => {
        "Ask at the pace the user wants; otherwise 5 seconds apart at first, 30 at most. Stop at ready, completed, error or cancelled."
    };
}

/// What may be in the prompt of a build: in the description of `start_agent_build` and in `build-agent-from-prompt`.
pub const PROMPT_HANDLING: &str = prompt_handling!();

/// How often to ask for the state of a build: in the description of `get_agent_build_status` and in
/// `inspect-agent-draft`.
pub const POLLING: &str = polling!();

pub(crate) use {polling, prompt_handling};
