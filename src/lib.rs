//! An MCP server for the Sequentum web-scraping platform.
pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod http;
pub mod mcp;
pub mod outbound;
pub mod telemetry;
pub mod tools;
