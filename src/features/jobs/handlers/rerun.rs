//! Running a job again.
use protocol::api::error::ErrorBody;
use protocol::api::jobs::JobStarted;
use serde_json::{Map, Value};

use super::start::{start, started};
use crate::auth::caller::Credentials;
use crate::features::jobs::access::RerunRight;
use crate::features::jobs::row::PastJob;
use crate::features::jobs::store;
use crate::features::jobs::wanted::Wanted;
use crate::features::services;
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Runs a job again that is over, where it ran and with what it was given, by what its service is now. Whoever may see it may, with
/// `services.deploy` besides. `INPUT_USERNAME` is who runs it again, unless it was given.
#[utoipa::path(post, path = "/api/jobs/{job_id}/rerun", summary = "Run a job again",
    params(("job_id" = String, Path, description = "The job's `id`")),
    responses((status = 200, description = "Another job runs, whose `parent_job_id` this is", body = JobStarted),
        (status = 400, description = "Its script is gone, or takes something else now", body = ErrorBody),
        (status = 404, description = "No such job in the caller's organization, or its runner has its service or script no more", body = ErrorBody),
        (status = 409, description = "It runs, its service is being deployed, it is of a kind that is not repeated, or what it was given is not kept", body = ErrorBody),
        (status = 503, description = "Its runner is not connected; nothing was started", body = ErrorBody)))]
pub async fn rerun_job(
    app: App,
    credentials: Credentials,
    PathParam(job_id): PathParam,
) -> Result<Json<JobStarted>, ApiError> {
    let caller = credentials.user_id();
    let batch = (
        store::again(caller, &job_id),
        services::store::target_of_job(caller, &job_id),
    );
    let (caller, (found, target)) = credentials.load(&app.db()?, batch).await?;
    let right = RerunRight::decide(caller, found, target)?;
    let past = right.past();
    let inputs = match past.script {
        None => Map::new(),
        Some(_) => given(&app, past)?,
    };
    let wanted = Wanted::check(right.deploy(), past.script.as_deref(), &inputs)?.again(&past.id, right.event());
    Ok(Json(started(start(&app, right.deploy(), wanted).await?)))
}

/// What a job was given.
fn given(app: &App, past: &PastJob) -> Result<Map<String, Value>, ApiError> {
    let sealed = past.inputs_sealed.as_deref();
    let opened = sealed.and_then(|sealed| app.config.sealing.try_open(&store::associated_data(&past.id), sealed));
    let inputs = opened.and_then(|opened| serde_json::from_str(opened.expose()).ok());
    inputs.ok_or_else(|| {
        let words = "What the job was given is not kept, or cannot be read any more: run its script anew";
        ApiError::conflict("job_not_repeatable", words)
    })
}
