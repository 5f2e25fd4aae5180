//! The settings of a schedule as arguments.

use crate::tools::arguments::{Bounded, choice};

/// A number that the platform holds in 32 bits.
pub type Positive = Bounded<1, 2_147_483_647>;

choice! {
    /// Whether parallel instances deliver together.
    Export {
        /// One export.
        Combined = "Combined",
        /// One export each.
        Separated = "Separated",
    }
}

choice! {
    /// What is logged.
    LogLevel {
        /// Fatal errors.
        Fatal = "Fatal",
        /// Errors.
        Error = "Error",
        /// Warnings too.
        Warning = "Warning",
        /// Everything.
        Info = "Info",
    }
}

choice! {
    /// How it is logged.
    LogMode {
        /// Text.
        Text = "Text",
        /// Text and pages.
        TextAndHtml = "TextAndHtml",
    }
}

/// The arguments of a tool that writes a schedule: its own ones, and the settings that all of them share.
macro_rules! schedule_args {
    ($(#[$doc:meta])* $name:ident { $($(#[$own_doc:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        #[allow(clippy::doc_markdown, reason = "the text is also the schema's description, which is no Markdown")]
        pub struct $name {
            $($(#[$own_doc])* $own: $type,)*
            /// First run, ISO 8601 UTC. RunOnce: over a minute ahead. RunEvery: optional.
            start_time: Option<crate::tools::arguments::Text<64>>,
            /// CRON: minute hour day-of-month month day-of-week; 1 is Monday.
            cron_expression: Option<crate::tools::arguments::Text<200>>,
            /// RunEvery: how many periods.
            run_every_count: Option<super::settings::Positive>,
            /// RunEvery: 1 minute, 2 hour, 3 day, 4 week, 5 month.
            run_every_period: Option<super::kind::Period>,
            /// IANA zone for cron; default: UTC.
            timezone: Option<crate::tools::arguments::Text<64>>,
            /// Input values as JSON text.
            input_parameters: Option<crate::tools::arguments::JsonText>,
            /// Whether it fires.
            is_enabled: Option<crate::tools::arguments::Flag>,
            /// Parallel instances.
            parallelism: Option<crate::tools::arguments::Bounded<1, 50>>,
            /// Most instances at once.
            parallel_max_concurrency: Option<super::settings::Positive>,
            /// One export, or one each.
            parallel_export: Option<super::settings::Export>,
            /// Log threshold.
            log_level: Option<super::settings::LogLevel>,
            /// Form of the log.
            log_mode: Option<super::settings::LogMode>,
            /// Keep runs from overlapping.
            is_exclusive: Option<crate::tools::arguments::Flag>,
            /// Wait after a failure.
            is_wait_on_failure: Option<crate::tools::arguments::Flag>,
        }

        impl $name {
            /// The settings that were given, checked as far as that goes without knowing what is stored.
            fn changes(&self, name: Option<&str>, kind: Option<super::kind::Kind>) -> Result<super::changes::Changes, crate::tools::ToolError> {
                use super::timing;
                let text = |text: &crate::tools::arguments::Text<64>| text.as_str().to_owned();
                Ok(super::changes::Changes {
                    kind,
                    start: self.start_time.as_ref().map(|start| timing::start(start.as_str())).transpose()?,
                    settings: crate::api::model::ScheduleSettings {
                        name: name.map(str::to_owned),
                        cron_expression: self.cron_expression.as_ref().map(|cron| timing::cron(cron.as_str())).transpose()?,
                        timezone: self.timezone.as_ref().map(|zone| timing::zone(&text(zone))).transpose()?,
                        run_every_count: self.run_every_count.map(|count| count.get().into()),
                        run_every_period: self.run_every_period.and_then(crate::tools::arguments::Choice::code),
                        input_parameters: self.input_parameters.as_ref().map(|json| json.0.clone()),
                        is_enabled: self.is_enabled.map(|flag| flag.0),
                        parallelism: self.parallelism.map(|count| count.get().into()),
                        parallel_max_concurrency: self.parallel_max_concurrency.map(|count| count.get().into()),
                        parallel_export: self.parallel_export.map(|word| crate::tools::arguments::Choice::word(word).to_owned()),
                        log_level: self.log_level.map(|word| crate::tools::arguments::Choice::word(word).to_owned()),
                        log_mode: self.log_mode.map(|word| crate::tools::arguments::Choice::word(word).to_owned()),
                        is_exclusive: self.is_exclusive.map(|flag| flag.0),
                        is_wait_on_failure: self.is_wait_on_failure.map(|flag| flag.0),
                        ..crate::api::model::ScheduleSettings::default()
                    },
                })
            }
        }
    };
}
pub(super) use schedule_args;
