//! Spaces and the agents in them.

super::record! {
    /// A space: a named folder of agents.
    Space {
        /// Space id.
        id: i64,
        /// Name.
        name: String,
        /// Organisation id.
        #[schemars(skip)]
        organization_id: i64,
        /// Creation time, UTC.
        created: String,
        /// Whether everybody of the organisation has access.
        #[schemars(skip)]
        is_default_access: bool,
        /// Private, Public or Global.
        scope: String,
        /// Hours for which runs are kept.
        #[schemars(skip)]
        run_retention_hours: i64,
        /// Who created it.
        #[schemars(skip)]
        initiated_by: String,
        /// Groups or roles with access.
        #[schemars(skip)]
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

super::record! {
    /// What starting every agent of a space brought.
    #[allow(missing_docs, reason = "the names say it, and descriptions would only lengthen the schema")]
    SpaceRun {
        space_id: i64,
        space_name: String,
        total_agents: i64,
        agents_started: i64,
        agents_failed: i64,
        results: Vec<SpaceRunItem>,
    }
}

super::record! {
    /// What became of one agent.
    #[allow(missing_docs, reason = "the names say it, and descriptions would only lengthen the schema")]
    SpaceRunItem {
        agent_id: i64,
        agent_name: String,
        success: bool,
        /// The new run, for `get_run_status`.
        run_id: i64,
        /// Why it did not start.
        error_message: String,
    }
}
