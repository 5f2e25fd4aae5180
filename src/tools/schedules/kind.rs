//! The platform's numbers for the kind of a schedule and the unit of an interval.

use crate::tools::arguments::numbered;

numbered! {
    /// What makes a schedule fire.
    Kind {
        /// A moment.
        RunOnce = 1 "RunOnce",
        /// An interval.
        RunEvery = 2 "RunEvery",
        /// A cron expression.
        Cron = 3 "CRON",
    }
}

numbered! {
    /// The unit of an interval.
    Period {
        /// Minutes.
        Minute = 1 "minute",
        /// Hours.
        Hour = 2 "hour",
        /// Days.
        Day = 3 "day",
        /// Weeks.
        Week = 4 "week",
        /// Months.
        Month = 5 "month",
    }
}
