//! What becomes of a run whose time has come, before anybody is asked.
use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::schedules::{Missed, Overlap, RunOutcome};

use super::row::{Claimed, Due};

/// How late a run may be and still be on time. The clock comes once a minute and takes a bounded part of what is due, so a few minutes
/// are no outage.
const ON_TIME: TimeDelta = TimeDelta::minutes(5);

/// What is said of a run that would have to wait behind another.
const ANOTHER_WAITS: &str = "A run that was due before waits already";

/// Why a run does not start at `now`, if it does not, and what there is to say besides. `claimed` says of the runs before.
pub fn left_out(due: &Due, claimed: Claimed, now: DateTime<Utc>) -> Option<(RunOutcome, &'static str)> {
    let is_late = now - due.due_at > ON_TIME;
    if is_late && due.missed == Missed::Skip {
        return Some((RunOutcome::Missed, ""));
    }
    match due.overlap {
        Overlap::Skip if claimed.is_running => Some((RunOutcome::SkippedRunning, "")),
        Overlap::Queue if claimed.is_waiting => Some((RunOutcome::SkippedRunning, ANOTHER_WAITS)),
        Overlap::Queue if claimed.is_running => Some((RunOutcome::Queued, "")),
        Overlap::Skip | Overlap::Allow | Overlap::Queue => None,
    }
}

/// What becomes of a run that another deployment of its service holds up.
pub fn held_up(due: &Due) -> RunOutcome {
    match due.overlap {
        Overlap::Queue => RunOutcome::Queued,
        Overlap::Skip | Overlap::Allow => RunOutcome::SkippedRunning,
    }
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
        use RunOutcome::{Missed as LeftOut, Queued, SkippedRunning};
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
            (0, true, Overlap::Queue, Missed::Skip, Some(Queued)),
            (6, true, Overlap::Queue, Missed::Skip, Some(LeftOut)),
            (0, false, Overlap::Queue, Missed::Skip, None),
        ] {
            let due = due("2026-01-10T04:30:00Z", overlap, missed);
            let now = due.due_at + TimeDelta::minutes(late);
            let claimed = Claimed {
                is_running,
                is_waiting: false,
            };
            assert_eq!(
                left_out(&due, claimed, now).map(|(outcome, _)| outcome),
                expected,
                "{late} {is_running} {overlap:?} {missed:?}"
            );
        }
    }

    #[test]
    fn one_run_waits_and_a_further_one_is_left_out_and_says_why() {
        let of = |overlap, is_running| {
            let due = due("2026-01-10T04:30:00Z", overlap, Missed::Skip);
            let claimed = Claimed {
                is_running,
                is_waiting: true,
            };
            left_out(&due, claimed, due.due_at)
        };
        for is_running in [true, false] {
            let further = Some((RunOutcome::SkippedRunning, ANOTHER_WAITS));
            assert_eq!(of(Overlap::Queue, is_running), further);
        }
        // What waits is of when it was another policy.
        assert_eq!(of(Overlap::Allow, true), None);
        let held_up = |overlap| super::held_up(&due("2026-01-10T04:30:00Z", overlap, Missed::Skip));
        assert_eq!(held_up(Overlap::Queue), RunOutcome::Queued);
        assert_eq!(held_up(Overlap::Skip), RunOutcome::SkippedRunning);
    }
}
