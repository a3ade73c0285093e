//! Listing instances anew.
use protocol::api::jobs::JobStarted;

use crate::audit::{Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::instances::work;
use crate::features::jobs::edge::EdgeJob;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Lists the instances at the provider's anew, by a job: what it says is at `GET /api/jobs/{job_id}`.
#[utoipa::path(post, path = "/api/instances/refresh", summary = "List instances anew",
    responses((status = 200, description = "The job runs", body = JobStarted)))]
pub async fn refresh_instances(app: App, credentials: Credentials) -> Result<Json<JobStarted>, ApiError> {
    let (caller, ()) = credentials.load(&app.db()?, ()).await?;
    let event = |_: &_| caller.event(Action::InstancesRefreshed, Resource::Instance);
    let job = EdgeJob::begin(&app, &caller, ("inventory", "refresh"), &event).await?;
    Ok(job.run(|job| Box::pin(work::refresh(job))))
}

/// The same as `POST /api/instances/refresh`. It acts, so it is nobody's whose browser was led here: a cookie does not count, only the
/// Authorization header.
#[utoipa::path(get, path = "/api/instances/refresh", summary = "List instances anew, by GET",
    responses((status = 200, description = "The job runs", body = JobStarted)))]
pub async fn refresh_instances_by_get(app: App, credentials: Credentials) -> Result<Json<JobStarted>, ApiError> {
    refresh_instances(app, credentials).await
}
