//! Runs walk, fail and stop as time goes by.

use super::*;

fn run(outcome: Outcome) -> Run {
    Run {
        id: 88_500,
        agent_id: 7301,
        sequence: 1,
        created: Timestamp::UNIX_EPOCH,
        config_version: 1,
        parallelism: 1,
        parallel_max_concurrency: None,
        parallel_export: None,
        inputs: None,
        plan: Plan {
            queue: SignedDuration::from_secs(2),
            boot: SignedDuration::from_secs(2),
            extract: SignedDuration::from_secs(10),
            export: SignedDuration::from_secs(2),
            rows: 100,
            outcome,
        },
        stop_requested: None,
        killed: None,
        files_removed: false,
        input_removed: false,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_run_walks_through_its_states() {
    let run = run(Outcome::Success);
    let walk: Vec<_> = [0, 1, 2, 4, 9, 14, 15, 16, 200]
        .map(|second| {
            let s = run.at(at(second));
            (s.status.number(), s.data_count, s.export_count, s.ended.is_some(), s.archived)
        })
        .into();
    assert_eq!(
        walk,
        [
            (4, 0, None, false, false),
            (4, 0, None, false, false),
            (3, 0, None, false, false),
            (1, 0, None, false, false),
            (1, 50, None, false, false),
            (2, 100, Some(0), false, false),
            (2, 100, Some(50), false, false),
            (10, 100, Some(100), true, false),
            (10, 100, Some(100), true, true),
        ]
    );
    assert_eq!(run.at(at(200)).run_time, Some(SignedDuration::from_secs(14)));
    assert_eq!(run.end(), at(16));
}

#[test]
fn a_failing_run_breaks_off_half_way_and_turns_failed_in_history() {
    let run = run(Outcome::Failure("no more"));
    assert_eq!(run.at(at(8)).status, Status::Running);
    let failed = run.at(at(9));
    assert_eq!((failed.status, failed.data_count), (Status::Failure, 50));
    assert_eq!(failed.message.as_deref(), Some("no more"));
    assert_eq!(failed.export_count, None);
    assert_eq!(run.at(at(9 + 119)).status, Status::Failure);
    assert_eq!(run.at(at(9 + 120)).status, Status::Failed);
}

#[test]
fn a_stopped_run_keeps_what_it_had() {
    let mut run = run(Outcome::Completed);
    run.stop_requested = Some(at(9));
    assert_eq!(run.at(at(9)).status, Status::Stopping);
    let stopped = run.at(at(12));
    assert_eq!((stopped.status, stopped.data_count), (Status::Stopped, 50));
    assert_eq!((stopped.ended, run.end()), (Some(at(12)), at(12)));
    run.stop_requested = Some(at(17));
    assert_eq!(run.at(at(18)).status, Status::Completed);
}
