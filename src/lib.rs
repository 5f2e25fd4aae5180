//! An MCP server for the Sequentum web-scraping platform.
pub mod clock;
pub mod demo;
pub mod outbound;
