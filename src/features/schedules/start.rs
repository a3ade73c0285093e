//! Starting what is due: the clock comes each minute, and does for people what they have asked for before. Whoever may not do it themselves
//! by then is not done it for.
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use protocol::api::schedules::RunOutcome;
use protocol::ids::JobId;

use super::row::Due;
use super::store::runs;
use super::{cron, plan, rules};
use crate::audit::{self, Action, Event, Resource};
use crate::auth::account_store;
use crate::auth::caller::{Caller, CallerRow};
use crate::auth::permission::Permission;
use crate::features::jobs::{self, DeployRight, Wanted};
use crate::features::services;
use crate::features::services::row::Target;
use crate::platform::context::App;
use crate::platform::db::Query;
use crate::platform::error::ApiError;
use crate::platform::log;

/// Why a schedule has switched itself off whose owner may not start jobs any more.
const NOT_ALLOWED: &str =
    "The account that it runs as may not start jobs any more; somebody who may takes it over by switching it on";

/// Starts what has waited and what is due at `now`. One that fails keeps no other from running.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let failed = |due: &Due, error: ApiError| log::error(&format!("the schedule {} failed: {}", due.id, error.cause()));
    // What has waited comes first: what is due of the same schedule waits for it, then.
    for due in app.db()?.run(runs::waiting(now)).await? {
        if let Err(error) = resume(app, &due, now).await {
            failed(&due, error);
        }
    }
    for due in app.db()?.run(runs::due(now)).await? {
        if let Err(error) = one(app, &due, now).await {
            failed(&due, error);
        }
    }
    Ok(())
}

async fn one(app: &App, due: &Due, now: DateTime<Utc>) -> Result<(), ApiError> {
    let db = app.db()?;
    let next = match cron::next(&due.cron, &due.time_zone, now) {
        Ok(next) => next,
        // Such as a time zone that is gone.
        Err(fault) => return switch_off(app, due, fault.text()).await,
    };
    let ((claimed, _), whose) = db.run((runs::claim(due, next, now), whose(due))).await?;
    let Some(claimed) = claimed.into_iter().next() else {
        return Ok(());
    };
    let begun = match rules::left_out(due, claimed, now) {
        Some((outcome, reason)) => Begun::left_out(outcome, reason.to_owned()),
        None => begin(app, due, whose).await,
    };
    end(app, due, begun).await
}

/// Starts a run that has waited.
async fn resume(app: &App, due: &Due, now: DateTime<Utc>) -> Result<(), ApiError> {
    let (claimed, whose) = app.db()?.run((runs::claim_waiting(due, now), whose(due))).await?;
    if claimed.is_empty() {
        return Ok(());
    }
    let begun = begin(app, due, whose).await;
    end(app, due, begun).await
}

/// What its owner may, and what is to run, as they are when it is claimed.
fn whose(due: &Due) -> Option<(Query<CallerRow>, Query<Target>)> {
    let owner = due.user_id.as_ref()?;
    Some((
        account_store::find_caller(owner, ""),
        services::store::target(owner, &due.service),
    ))
}

async fn begin(app: &App, due: &Due, whose: Option<(Vec<CallerRow>, Vec<Target>)>) -> Begun {
    match may_start(due, whose) {
        None => Begun::left_out(RunOutcome::NotAllowed, NOT_ALLOWED.to_owned()),
        Some((caller, targets)) => Begun::of(due, start(app, due, caller, targets).await),
    }
}

/// Writes down what became of a run.
async fn end(app: &App, due: &Due, begun: Begun) -> Result<(), ApiError> {
    let end = runs::end(due, begun.outcome, &begun.reason, begun.job.as_ref());
    app.db()?.run(end).await?;
    match begun.outcome {
        RunOutcome::NotAllowed => switch_off(app, due, NOT_ALLOWED).await,
        _ => Ok(()),
    }
}

/// What became of a run.
struct Begun {
    outcome: RunOutcome,
    reason: String,
    job: Option<JobId>,
}

impl Begun {
    fn left_out(outcome: RunOutcome, reason: String) -> Self {
        let job = None;
        Self { outcome, reason, job }
    }

    /// Of what starting it came to.
    fn of(due: &Due, started: Result<JobId, ApiError>) -> Self {
        let error = match started {
            Ok(job) => {
                return Self {
                    outcome: RunOutcome::Started,
                    reason: String::new(),
                    job: Some(job),
                };
            }
            Err(error) => error,
        };
        let outcome = match error.status() {
            StatusCode::SERVICE_UNAVAILABLE => RunOutcome::RunnerOffline,
            StatusCode::CONFLICT => rules::held_up(due),
            status => {
                if status.is_server_error() {
                    log::error(&format!("a scheduled job was not started: {}", error.cause()));
                }
                RunOutcome::FailedToStart
            }
        };
        Self::left_out(outcome, error.text().to_owned())
    }
}

/// Whose jobs a schedule starts, if they still may, with what is to run.
fn may_start(due: &Due, whose: Option<(Vec<CallerRow>, Vec<Target>)>) -> Option<(Caller, Vec<Target>)> {
    let (accounts, targets) = whose?;
    let caller = Caller::by_clock(accounts.into_iter().next(), Permission::ServicesDeploy)?;
    // Somebody who has gone to another organization takes nothing of this one along.
    (*caller.organization_id() == due.organization_id).then_some((caller, targets))
}

/// Starts the job of a run, in the way in which its owner would.
async fn start(app: &App, due: &Due, caller: Caller, targets: Vec<Target>) -> Result<JobId, ApiError> {
    let right = DeployRight::decide(caller, targets, || format!("Service '{}' not found", due.service))?;
    let inputs = plan::open(&app.config.sealing, &due.id, &due.inputs_sealed)?;
    let wanted = Wanted::check(&right, due.script.as_deref(), &inputs)?.by_schedule(&due.id);
    jobs::start(app, &right, wanted).await
}

async fn switch_off(app: &App, due: &Due, reason: &str) -> Result<(), ApiError> {
    let event = Event::of(Action::ScheduleSwitchedOff, Resource::Schedule)
        .within(&due.organization_id)
        .on(&due.id)
        .detail("name", due.name.as_str())
        .detail("reason", reason);
    let batch = (runs::switch_off(due, reason), audit::record_if_changed(&event));
    app.db()?.run(batch).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::schedules::rules::tests::due;
    use crate::testing::{TestDb, id};
    use protocol::api::schedules::{Missed, Overlap};

    fn may(db: &TestDb, name: &str, organization: &str) -> bool {
        let owner = id(name).parse().unwrap();
        let due = Due {
            organization_id: id(organization).parse().unwrap(),
            ..due("2026-01-10T04:30:00Z", Overlap::Skip, Missed::Skip)
        };
        let accounts = db.run(account_store::find_caller(&owner, ""));
        may_start(&due, Some((accounts, Vec::new()))).is_some()
    }

    #[test]
    fn only_whoever_may_start_jobs_when_it_is_due_has_them_started() {
        let db = TestDb::new();
        for (name, role) in [("ann", "company_admin"), ("bob", "user"), ("cid", "company_admin")] {
            db.user(name, "acme", role);
        }
        db.execute("UPDATE users SET disabled_at = created_at WHERE username = 'cid'");
        assert!(may(&db, "ann", "acme"));
        assert!(!may(&db, "ann", "evil"), "of another organization");
        assert!(!may(&db, "bob", "acme"), "without the right");
        assert!(!may(&db, "cid", "acme"), "disabled");
        assert!(!may(&db, "dan", "acme"), "gone");
        assert!(may_start(&due("2026-01-10T04:30:00Z", Overlap::Skip, Missed::Skip), None).is_none());
    }

    #[test]
    fn why_a_job_was_not_started_is_said_in_the_words_of_its_refusal() {
        let due = due("2026-01-10T04:30:00Z", Overlap::Skip, Missed::Skip);
        let of = |error: ApiError| {
            let begun = Begun::of(&due, Err(error));
            (begun.outcome, begun.reason, begun.job)
        };
        assert_eq!(
            of(services::runner::offline()),
            (RunOutcome::RunnerOffline, "Runner is not connected".to_owned(), None)
        );
        let taken = of(ApiError::conflict("deploy_running", "It is being deployed"));
        assert_eq!(taken.0, RunOutcome::SkippedRunning);
        let missing = of(ApiError::bad_request("Script 'x' not found for service 'web'"));
        assert_eq!(missing.0, RunOutcome::FailedToStart);
        let begun = Begun::of(&due, Ok("0123abcd".parse().unwrap()));
        assert_eq!((begun.outcome, begun.job.is_some()), (RunOutcome::Started, true));
    }
}
