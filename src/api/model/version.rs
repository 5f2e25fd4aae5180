//! Saved versions of an agent's configuration.

super::record! {
    /// A saved version.
    AgentVersion {
        version: i64,
        user_name: String,
        created: String,
        comments: String,
        /// Bytes.
        file_size: i64,
    }
}
