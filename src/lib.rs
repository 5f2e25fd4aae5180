//! An MCP server for the Sequentum web-scraping platform.
pub mod api;
pub mod auth;
pub mod clock;
pub mod config;
pub mod outbound;
pub mod tools;
