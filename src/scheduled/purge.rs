//! Rows that mean nothing any more.
use chrono::{DateTime, TimeDelta, Utc};

use super::stored;
use crate::auth::ticket;
use crate::features::accounts::store::{email_link, otp};
use crate::features::sign_in;
use crate::features::webhooks::store::outbox;
use crate::features::{alerts, command_logs, commands, jobs, log_management, schedules, sessions};
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query};
use crate::platform::error::ApiError;

/// Most rows of a kind removed in one run.
const AT_ONCE: i64 = 1000;

/// How long a mailed link is remembered after it expired: so long it is answered "expired" rather than "unknown".
const LINKS_KEPT: TimeDelta = TimeDelta::days(7);

/// How long it can be seen what was removed: a list of at most 2,160 hours.
const RUNS_KEPT: TimeDelta = TimeDelta::days(90);

/// How long it can be seen what webhooks and people were told.
const DELIVERIES_KEPT: TimeDelta = TimeDelta::days(30);

/// How long an alert is kept after it happened last.
const ALERTS_KEPT: TimeDelta = TimeDelta::days(90);

/// How long it can be seen what became of the runs of schedules.
const SCHEDULE_RUNS_KEPT: TimeDelta = TimeDelta::days(90);

/// How long is kept what rules have looked at: some count what happened within an hour.
const SIGNALS_KEPT: TimeDelta = TimeDelta::minutes(61);

/// When a command that no relay tells of is given up: an hour after it would have expired there…
const QUEUED_COMMANDS_LOST: TimeDelta = TimeDelta::hours(25);

/// …or a day after its relay has given up waiting for its result.
const SENT_COMMANDS_LOST: TimeDelta = TimeDelta::days(9);

/// Removes what has expired.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let removals = (Vec::from(kept_so_long(now)), Vec::from(expired(now)));
    app.db()?.run(removals).await?;
    Ok(())
}

/// What organizations say how long it is kept, which is looked at here and written in no row. That it was stays in the audit log.
fn kept_so_long(now: DateTime<Utc>) -> [Query<Nothing>; 6] {
    let now = stored(now);
    [
        // Before the jobs, which go when nothing is left of it.
        jobs::store::over::purge_output(&now, AT_ONCE),
        // Before what it counts.
        log_management::store::note(&now, AT_ONCE),
        command_logs::store::over::purge(&now, AT_ONCE),
        sessions::store::over::purge(&now, AT_ONCE),
        commands::store::over::purge(&now, AT_ONCE),
        jobs::store::over::purge(&now, AT_ONCE),
    ]
}

/// What is kept for a time of its own.
fn expired(now: DateTime<Utc>) -> [Query<Nothing>; 12] {
    [
        sign_in::store::purge(&stored(now), AT_ONCE),
        otp::purge(&stored(now), AT_ONCE),
        email_link::purge(&stored(now - LINKS_KEPT), AT_ONCE),
        sessions::store::token::purge(&stored(now), AT_ONCE),
        sessions::store::token::end_waiting(&stored(now), AT_ONCE),
        ticket::purge(&stored(now), AT_ONCE),
        commands::store::give_up(
            &stored(now - QUEUED_COMMANDS_LOST),
            &stored(now - SENT_COMMANDS_LOST),
            &stored(now),
            AT_ONCE,
        ),
        outbox::purge(&stored(now - DELIVERIES_KEPT), AT_ONCE),
        alerts::store::purge(&stored(now - ALERTS_KEPT), AT_ONCE),
        alerts::store::purge_signals(&stored(now - SIGNALS_KEPT), AT_ONCE),
        log_management::store::purge(&stored(now - RUNS_KEPT), AT_ONCE),
        schedules::store::runs::purge(&stored(now - SCHEDULE_RUNS_KEPT), AT_ONCE),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn only_what_has_expired_is_removed() {
        let db = TestDb::new();
        for name in ["ann", "bob"] {
            db.user(name, "acme", "user");
        }
        db.execute(
            "INSERT INTO revoked_sign_ins VALUES ('old', '2026-01-10T00:00:00.000Z'), ('new', '2026-01-10T00:00:00.001Z');
             INSERT INTO otp_challenges (user_id, code_sealed, opened, expires_at)
             SELECT id, '', '[]', CASE username WHEN 'ann' THEN '2026-01-10T00:00:00.000Z' ELSE '2026-01-10T00:00:00.001Z' END FROM users;
             INSERT INTO mailed_tokens SELECT 'old', id, 'reset', '', '2026-01-03T00:00:00.000Z', NULL FROM users WHERE username = 'ann';
             INSERT INTO mailed_tokens SELECT 'new', id, 'reset', '', '2026-01-03T00:00:00.001Z', NULL FROM users WHERE username = 'ann';
             INSERT INTO socket_tickets SELECT username, id, '', '', 0, '', CASE username WHEN 'ann' THEN '2026-01-10T00:00:00.000Z'
               ELSE '2026-01-10T00:00:00.001Z' END FROM users",
        );
        db.machine("web", "ann");
        for session in ["old", "new", "active"] {
            db.session(session, "ann", "web");
        }
        db.execute(
            "UPDATE terminal_sessions SET status = 'closed', ended_at = '2025-10-11T23:59:59.999Z' WHERE session_id = 'old';
             UPDATE terminal_sessions SET status = 'closed', ended_at = '2025-10-12T00:00:00.000Z' WHERE session_id = 'new'",
        );
        let now = "2026-01-10T00:00:00Z".parse().unwrap();
        for _ in 0..2 {
            for removal in Vec::from(kept_so_long(now)).into_iter().chain(expired(now)) {
                db.run(removal);
            }
            for table in ["revoked_sign_ins", "otp_challenges", "mailed_tokens", "socket_tickets"] {
                assert_eq!(db.count(table), 1, "{table}");
            }
            assert_eq!(db.count("terminal_sessions"), 2, "the old one is gone");
        }
        assert_eq!(db.count("revoked_sign_ins WHERE sign_in = 'new'"), 1);
        assert_eq!(db.count("mailed_tokens WHERE token_hash = 'new'"), 1);
    }
}
