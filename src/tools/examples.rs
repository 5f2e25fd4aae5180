//! One example of each tool: arguments written by hand, and the result that the simulated platform gave to them.
//!
//! The results are recorded, with long lists and texts shortened; a test replays all of them and fails when one has
//! become another. `UPDATE_EXAMPLES=1` makes that test write them anew.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// A call, and what came of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Example {
    /// The arguments.
    pub arguments: Value,
    /// The structured result, shortened.
    pub result: Value,
}

/// All examples by the name of their tool.
#[must_use]
pub fn all() -> HashMap<String, Example> {
    // A test reads every one of them, so nothing is lost here unseen.
    serde_json::from_str(include_str!("examples.json")).unwrap_or_default()
}
