//! Integration tests: the real router on a real socket, the simulated platform behind it, real clients in front.
//!
//! One binary, one module per area. Time is moved by hand; nothing sleeps.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    clippy::print_stdout,
    reason = "a test fails loudly"
)]

mod arguments;
mod asking;
mod asking_live;
mod attacks;
mod audit;
mod bodies;
mod budgets;
mod completions;
mod connect;
mod connections;
mod contract;
mod credentials;
mod crowding;
mod cut_short;
mod docs;
mod doctor;
mod edge;
mod every_tool;
mod examples;
mod faults;
mod fixtures_absent;
mod healthcheck;
mod identity;
mod isolation;
mod issuer_spelling;
mod layers;
mod limits;
mod live;
mod long_work;
mod metrics;
mod models;
mod nginx;
mod operate;
mod outages;
mod outside_probes;
mod pages;
mod portable_schemas;
mod prompts;
mod protocol;
mod registry_entry;
mod replicas;
mod resources;
mod selection;
mod sequence;
mod sessions;
mod shutdown;
mod sign_in;
mod stdio;
mod subscriptions;
mod support;
mod surface;
mod surface_prompts;
mod tasks;
mod tools;
mod tools_reports;
mod tools_schedules;
mod traces;
mod ways_round;
