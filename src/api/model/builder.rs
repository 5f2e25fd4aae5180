//! Building an agent from a prompt.

super::record! {
    /// The state of a build session.
    BuildStatus {
        /// processing, ready, completed, error or cancelled.
        status: String,
        /// The agent, once it exists.
        agent_id: i64,
        /// Earlier name of `agent_id`.
        config_id: i64,
        /// Name of the agent.
        agent_name: String,
        /// What went wrong, with internals: not for callers.
        error: String,
        /// Seconds the build has taken.
        agent_elapsed_seconds: f64,
        /// Seconds spent in the browser.
        browser_io_seconds: f64,
    }
}
