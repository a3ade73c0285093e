//! What becomes of a run whose time has come, before anybody is asked.
use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::schedules::{Missed, Overlap, RunOutcome};

use super::row::Due;

/// How late a run may be and still be on time. The clock comes once a minute and takes a bounded part of what is due, so a few minutes
/// are no outage.
const ON_TIME: TimeDelta = TimeDelta::minutes(5);

/// Why a run is left out at `now`, if it is. `is_running` says of the job of a run before.
pub fn left_out(due: &Due, is_running: bool, now: DateTime<Utc>) -> Option<RunOutcome> {
    let is_late = now - due.due_at > ON_TIME;
    if is_late && due.missed == Missed::Skip {
        return Some(RunOutcome::Missed);
    }
    (is_running && due.overlap == Overlap::Skip).then_some(RunOutcome::SkippedRunning)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A schedule of `ann`'s that was due then.
    pub fn due(at: &str, overlap: Overlap, missed: Missed) -> Due {
        Due {
            id: "0".repeat(24).parse().unwrap(),
            organization_id: "0".repeat(24).parse().unwrap(),
            name: "nightly".to_owned(),
            service: "web".to_owned(),
            script: None,
            inputs_sealed: String::new(),
            cron: "@daily".to_owned(),
            time_zone: "UTC".to_owned(),
            overlap,
            missed,
            user_id: None,
            due_at: at.parse().unwrap(),
        }
    }

    #[test]
    fn a_run_is_left_out_while_the_one_before_runs_or_where_it_was_missed() {
        use RunOutcome::{Missed as LeftOut, SkippedRunning};
        for (late, is_running, overlap, missed, expected) in [
            (0, false, Overlap::Skip, Missed::Skip, None),
            (5, false, Overlap::Skip, Missed::Skip, None),
            (6, false, Overlap::Skip, Missed::Skip, Some(LeftOut)),
            (6, true, Overlap::Allow, Missed::Skip, Some(LeftOut)),
            (6, false, Overlap::Skip, Missed::RunOnce, None),
            (60 * 24, false, Overlap::Skip, Missed::RunOnce, None),
            (6, true, Overlap::Skip, Missed::RunOnce, Some(SkippedRunning)),
            (0, true, Overlap::Skip, Missed::Skip, Some(SkippedRunning)),
            (0, true, Overlap::Allow, Missed::Skip, None),
        ] {
            let due = due("2026-01-10T04:30:00Z", overlap, missed);
            let now = due.due_at + TimeDelta::minutes(late);
            assert_eq!(
                left_out(&due, is_running, now),
                expected,
                "{late} {is_running} {overlap:?} {missed:?}"
            );
        }
    }
}
