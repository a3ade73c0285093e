//! Work that no request asks for, done every minute by the platform's clock.
//!
//! Each job decides by what is stored and not by the clock, so one that ran twice, late or not at all does no harm, and does a
//! bounded part of its work at a time: what is left over is done by the next run.
mod access_requests;
mod grants;
mod inactivity;
mod purge;
mod recordings;

use chrono::{DateTime, Utc};

use crate::features::alerts;
use crate::features::audit_log;
use crate::features::community;
use crate::features::inventory;
use crate::features::jobs;
use crate::features::schedules;
use crate::features::sessions::revocation::{self, Whose};
use crate::features::webhooks::courier;
use crate::platform::context::App;
use crate::platform::db::stored;
use crate::platform::error::ApiError;
use crate::platform::log;

/// Does what is due at `now`. A job that fails is logged and does not keep the others from running.
pub async fn run(app: &App, now: DateTime<Utc>) {
    // The first, as somebody has said when.
    report("starting what is scheduled", schedules::run(app, now).await);
    report("removing what has expired", purge::run(app, now).await);
    report("ending grants", grants::run(app, now).await);
    report("ending requests", access_requests::run(app, now).await);
    report("disabling unused accounts", inactivity::run(app, now).await);
    report("ending jobs of the edge", jobs::edge::end_lost(app, now).await);
    report("syncing inventories", inventory::sync::run_stale(app).await);
    report("removing recordings", recordings::run(app, now).await);
    report("removing pictures", community::images::purge(app, now).await);
    // Also those that could not be ended when their right was withdrawn.
    report("ending terminals", revocation::withdraw(app, Whose::Anyone).await);
    report("switching webhooks off", courier::switch_off(app, now).await);
    report("sealing the audit log", seal(app).await);
    report("raising alerts", alerts::run(app, now).await);
    // The last, as it waits for others.
    report("sending what is due", courier::send_due(app, now).await);
}

async fn seal(app: &App) -> Result<(), ApiError> {
    audit_log::chain::seal_waiting(app).await
}

fn report(job: &str, result: Result<(), ApiError>) {
    if let Err(error) = result {
        log::error(&format!("scheduled work failed: {job}: {}", error.cause()));
    }
}
