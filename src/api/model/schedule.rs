//! Schedules: what triggers the runs of an agent.
//!
//! Members that few deployments send or few callers need are passed on, but are left out of the published schema, which
//! four tools repeat and every client reads into its context.

super::record! {
    /// A schedule as the platform shows it.
    #[allow(missing_docs, reason = "the names say it, and descriptions would only lengthen the schema")]
    Schedule {
        #[schemars(skip)]
        tag: String,
        /// Schedule id.
        id: i64,
        /// Agent id.
        #[schemars(skip)]
        config_id: i64,
        name: String,
        /// Cron expression.
        schedule: String,
        #[schemars(skip)]
        local_schedule: String,
        timezone: String,
        next_run_time: String,
        #[schemars(skip)]
        start_time: String,
        /// 1 RunOnce, 2 RunEvery, 3 CRON.
        schedule_type: i64,
        is_enabled: bool,
        #[schemars(skip)]
        run_every_count: i64,
        /// 1 minute, 2 hour, 3 day, 4 week, 5 month.
        #[schemars(skip)]
        run_every_period: i64,
        #[schemars(skip)]
        input_parameters: String,
        #[schemars(skip)]
        parallelism: i64,
        #[schemars(skip)]
        parallel_max_concurrency: i64,
        #[schemars(skip)]
        parallel_export: String,
        #[schemars(skip)]
        proxy_pool_id: i64,
        #[schemars(skip)]
        server_group_id: i64,
        #[schemars(skip)]
        log_level: String,
        #[schemars(skip)]
        log_mode: String,
        #[schemars(skip)]
        is_exclusive: bool,
        #[schemars(skip)]
        is_wait_on_failure: bool,
        #[schemars(skip)]
        started_by: String,
        #[schemars(skip)]
        server_id: i64,
        #[schemars(skip)]
        http_version: String,
        #[schemars(skip)]
        save_content_cache: bool,
        #[schemars(skip)]
        config_name: String,
        #[schemars(skip)]
        created: String,
    }
}

super::record! {
    /// A schedule as it is written: the members that the platform takes, under the names it takes them.
    #[allow(missing_docs, reason = "the same members as in Schedule")]
    ScheduleSettings {
        name: String,
        schedule_type: i64,
        /// What a read calls `schedule`.
        cron_expression: String,
        local_schedule: String,
        timezone: String,
        start_time: String,
        run_every_count: i64,
        run_every_period: i64,
        input_parameters: String,
        is_enabled: bool,
        parallelism: i64,
        parallel_max_concurrency: i64,
        parallel_export: String,
        proxy_pool_id: i64,
        server_group_id: i64,
        log_level: String,
        log_mode: String,
        is_exclusive: bool,
        is_wait_on_failure: bool,
    }
}

impl From<Schedule> for ScheduleSettings {
    /// What has to be written so that everything stays as it is.
    fn from(stored: Schedule) -> Self {
        Self {
            name: stored.name,
            schedule_type: stored.schedule_type,
            cron_expression: stored.schedule,
            local_schedule: stored.local_schedule,
            timezone: stored.timezone,
            start_time: stored.start_time,
            run_every_count: stored.run_every_count,
            run_every_period: stored.run_every_period,
            input_parameters: stored.input_parameters,
            is_enabled: stored.is_enabled,
            parallelism: stored.parallelism,
            parallel_max_concurrency: stored.parallel_max_concurrency,
            parallel_export: stored.parallel_export,
            proxy_pool_id: stored.proxy_pool_id,
            server_group_id: stored.server_group_id,
            log_level: stored.log_level,
            log_mode: stored.log_mode,
            is_exclusive: stored.is_exclusive,
            is_wait_on_failure: stored.is_wait_on_failure,
        }
    }
}

super::record! {
    /// The next run of a schedule.
    #[allow(missing_docs, reason = "the names say it, and descriptions would only lengthen the schema")]
    UpcomingSchedule {
        schedule_id: i64,
        agent_id: i64,
        agent_name: String,
        schedule_name: String,
        /// Cron expression.
        schedule: String,
        /// 1 RunOnce, 2 RunEvery, 3 CRON.
        schedule_type: i64,
        run_every_count: i64,
        run_every_period: i64,
        next_run_time: String,
        timezone: String,
        is_enabled: bool,
        /// 0 for the personal area.
        space_id: i64,
        space_name: String,
        #[schemars(skip)]
        approval_status: i64,
        #[schemars(skip)]
        last_run_id: i64,
        #[schemars(skip)]
        last_run_time: String,
        #[schemars(skip)]
        last_run_status: i64,
        #[schemars(skip)]
        last_run_message: String,
    }
}
