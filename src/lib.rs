//! An MCP server for the Sequentum web-scraping platform.
//!
//! One process connects AI assistants to the platform over the Model Context Protocol: Streamable HTTP in (or standard
//! input, for one local user), the platform's REST API out, OAuth on both sides. This page is the map;
//! `docs/architecture.md` tells the life of a request and how to add a tool.
//!
//! The rooms, in the order in which a request passes them. Arrows point one way, and a test reads the imports:
//!
//! | Room | What happens there |
//! | --- | --- |
//! | [`cli`] | commands and flags; every setting is a flag |
//! | [`app`] | from a checked configuration to a server that can be run |
//! | [`http`] | the edge: every path, the layer stack, sessions, the accept loop |
//! | [`auth`] | a credential in, a [`Caller`](auth::Caller) or a refusal out |
//! | [`mcp`] | the protocol, both eras; deadline, cancellation and panic guard around every call |
//! | [`prompts`] | one file per prompt, its text beside it |
//! | [`resources`] | what can be read by URI |
//! | [`completions`] | suggestions for arguments, from the caller's own data |
//! | [`subscriptions`] | following runs until they end |
//! | [`tools`] | one file per tool, one list of all of them |
//! | [`api`] | the platform's REST API, typed: retries, limits, errors |
//!
//! [`sign_in`] is how the one local user signs in through the browser; [`sequence`] is `sequence-mcp`, a
//! second, small server for another system, on the same plumbing.
//!
//! Beside them: [`policies`] (what a model must not invent), [`questions`] (what a user is asked first), [`config`]
//! (settings), [`clock`] (time as a parameter), [`outbound`] (one recipe for HTTP clients), [`seal`] (what clients keep for
//! the server), [`telemetry`] (logs), [`metrics`] (what is counted), [`traces`] (what a request was spent on), and
//! [`demo`], a simulated platform that nothing in the path above knows.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod completions;
pub mod config;
pub mod demo;
pub mod http;
pub mod mcp;
pub mod metrics;
pub mod outbound;
pub mod policies;
pub mod prompts;
pub mod questions;
pub mod resources;
pub mod seal;
pub mod sequence;
pub mod sign_in;
pub mod subscriptions;
pub mod telemetry;
pub mod tools;
pub mod traces;
