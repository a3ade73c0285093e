//! Reading it. All of it is about the machines that the caller reaches.
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use protocol::api::command_logs::CommandLog;
use protocol::api::dashboard::{DashboardStats, RecentActivity, RecentMachines};

use crate::auth::caller::Credentials;
use crate::features::command_logs;
use crate::features::machines::{freshness, store};
use crate::http::envelope::{Envelope, Enveloped, SUCCESS};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// How many machines, and how they do: online or not, at a threshold or not, and the means of those that are online.
#[utoipa::path(get, path = "/api/dashboard/stats", summary = "Count machines and sessions",
    responses((status = 200, description = "The numbers", body = Enveloped<DashboardStats>)))]
pub async fn read_stats(app: App, credentials: Credentials, envelope: Envelope) -> Result<Response, ApiError> {
    let caller = credentials.user_id();
    let queries = (store::summary::count(caller), store::summary::stale(caller, Utc::now()));
    let (_, (counts, stale)) = credentials.load(&app.db()?, queries).await?;
    freshness::ask_behind(&app, stale.into_iter().map(|machine| (machine.id, true)));
    let counts = counts.into_iter().next().unwrap_or_default();
    let body = DashboardStats {
        online_count: counts.online,
        offline_count: counts.offline,
        pending_count: counts.pending,
        warning_count: counts.warning,
        critical_count: counts.critical,
        total_machines: counts.total,
        active_machines: counts.online,
        inactive_machines: counts.total.saturating_sub(counts.online),
        total_sessions: counts.sessions,
        avg_cpu: counts.cpu,
        avg_memory: counts.memory,
        avg_disk: counts.disk,
        avg_network_in: counts.network_in,
        avg_network_out: counts.network_out,
    };
    envelope.reply(StatusCode::OK, SUCCESS, &body)
}

/// Lists the five machines that were active last.
#[utoipa::path(get, path = "/api/dashboard/recent-machines", summary = "List the machines that were active last",
    responses((status = 200, description = "At most five machines", body = Enveloped<RecentMachines>)))]
pub async fn list_recent_machines(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
) -> Result<Response, ApiError> {
    let recent = store::summary::recent(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, recent).await?;
    freshness::ask_behind(&app, freshness::of_rows(rows.iter().map(|row| &row.machine)));
    let machines = rows.into_iter().map(|row| row.machine.into()).collect();
    envelope.reply(StatusCode::OK, SUCCESS, &RecentMachines { machines })
}

/// Lists the ten commands that were run last.
#[utoipa::path(get, path = "/api/dashboard/recent-activity", summary = "List the commands that were run last",
    responses((status = 200, description = "At most ten commands", body = Enveloped<RecentActivity>)))]
pub async fn list_recent_activity(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
) -> Result<Response, ApiError> {
    let recent = command_logs::store::recent(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, recent).await?;
    let mut activities: Vec<CommandLog> = rows.into_iter().map(|row| row.command.into()).collect();
    command_logs::output::excerpts(&app, &mut activities).await?;
    envelope.reply(StatusCode::OK, SUCCESS, &RecentActivity { activities })
}
