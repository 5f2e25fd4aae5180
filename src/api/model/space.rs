//! Spaces and the agents in them.

super::record! {
    /// A space: a named folder of agents.
    Space {
        /// Space id.
        id: i64,
        /// Name.
        name: String,
        /// Organisation id.
        organization_id: i64,
        /// Creation time, UTC.
        created: String,
        /// Whether everybody of the organisation has access.
        is_default_access: bool,
        /// Private, Public or Global.
        scope: String,
        /// Hours for which runs are kept.
        run_retention_hours: i64,
        /// Who created it.
        initiated_by: String,
        /// Groups or roles with access.
        access: Vec<String>,
    }
}

super::record! {
    /// An agent as the list of a space shows it.
    SpaceAgent {
        /// Agent id.
        id: i64,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// Kind: 1 Agent, 2 SharedFile, 3 Template, 4 Command.
        config_type: i64,
        /// Status code of the latest run; absent if it never ran.
        status: i64,
        /// Validation: 1 Unknown, 2 Invalid, 3 Valid.
        validation_status: i64,
        /// Time of the last activity, UTC.
        last_activity: String,
        /// Creation time, UTC.
        created: String,
        /// Time of the last change, UTC.
        updated: String,
        /// Saved version number.
        version: i64,
        /// Whether it is archived.
        is_archived: bool,
        /// Approval: 0 NotApproved, 1 PendingApproval, 2 Approved.
        approval_status: i64,
        /// Labels.
        labels: Vec<Label>,
    }
}

super::record! {
    /// A label on an agent.
    Label {
        /// Label id.
        id: i64,
        /// Name.
        name: String,
    }
}
