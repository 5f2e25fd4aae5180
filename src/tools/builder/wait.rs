//! Following a build until it ends: how often to ask, and when to give up.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::{ApiError, model::BuildStatus};

/// How long a build is followed. It goes on beyond that.
pub const BOUND: Duration = Duration::from_mins(5);
/// The first pause; each is half as long again as the one before it.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How the following ended.
#[derive(Debug)]
pub enum End {
    /// The agent is there.
    Built(BuildStatus),
    /// The build failed.
    Failed(BuildStatus),
    /// Somebody stopped the build.
    Cancelled,
    /// Time is up.
    TimedOut,
    /// The platform does not tell any more.
    Lost(ApiError),
}

/// Asks until the build ends. What may pass by itself does not end the following.
pub async fn follow<F>(mut ask: impl FnMut() -> F) -> End
where
    F: Future<Output = Result<BuildStatus, ApiError>>,
{
    let end = Instant::now() + BOUND;
    let asking = async {
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            match ask().await {
                Ok(build) => {
                    if let Some(end) = end_of(build) {
                        return end;
                    }
                }
                Err(error) if error.fault().is_transient() => {}
                Err(error) => return End::Lost(error),
            }
        }
    };
    tokio::time::timeout_at(end, asking).await.unwrap_or(End::TimedOut)
}

/// How a build has ended, if it has. The set of states is open: what is not known to be an end is none.
pub fn end_of(build: BuildStatus) -> Option<End> {
    match build.status.as_deref() {
        Some("completed" | "ready") => Some(End::Built(build)),
        Some("error") => Some(End::Failed(build)),
        Some("cancelled") => Some(End::Cancelled),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::api::Fault;

    fn status(text: &str) -> BuildStatus {
        BuildStatus { status: Some(text.to_owned()), ..BuildStatus::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_fifteen_seconds() {
        let start = Instant::now();
        let asked = std::cell::RefCell::new(Vec::new());
        let end = follow(|| {
            asked.borrow_mut().push(start.elapsed().as_millis());
            let word = if asked.borrow().len() == 5 { "ready" } else { "processing" };
            std::future::ready(Ok(status(word)))
        })
        .await;
        assert!(matches!(end, End::Built(_)));
        assert_eq!(*asked.borrow(), [5000, 12500, 23750, 38750, 53750]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_build_is_followed_for_five_minutes() {
        let start = Instant::now();
        let end = follow(|| std::future::ready(Ok(status("thinking")))).await;
        assert!(matches!(end, End::TimedOut));
        assert_eq!(start.elapsed(), BOUND);
    }

    #[tokio::test(start_paused = true)]
    async fn each_end_is_told() {
        let end = follow(|| std::future::ready(Ok(status("error")))).await;
        assert!(matches!(end, End::Failed(_)));
        let end = follow(|| std::future::ready(Ok(status("cancelled")))).await;
        assert!(matches!(end, End::Cancelled));
        let asked = Cell::new(0);
        let end = follow(|| {
            asked.set(asked.get() + 1);
            let fault = if asked.get() < 3 { Fault::Server(503) } else { Fault::NotFound };
            std::future::ready(Err(ApiError::sample(fault)))
        })
        .await;
        assert!(matches!(end, End::Lost(_)));
        assert_eq!(asked.get(), 3);
    }
}
