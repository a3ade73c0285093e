//! Calling a job off.
use protocol::api::error::ErrorBody;
use protocol::api::jobs::JobCancelled;
use protocol::relay_contract::CancelJob;

use crate::audit;
use crate::auth::caller::Credentials;
use crate::features::jobs::access::JobControl;
use crate::features::jobs::store;
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Calls a job off. Its script is asked to end, and 10 seconds later everything that is left of it is killed; it has `failed` then, and is
/// `cancelled`. If its runner is not connected, it is `cancelled` and still `running` until the runner is back, which ends it first of all. A
/// job that the edge runs itself ends before its next step; what it has asked a provider for is not taken back.
#[utoipa::path(delete, path = "/api/jobs/{job_id}", summary = "Cancel a job",
    params(("job_id" = String, Path, description = "The job's `id`")),
    responses((status = 200, description = "It is on its way to end", body = JobCancelled),
        (status = 404, description = "No such job in the caller's organization", body = ErrorBody),
        (status = 409, description = "The job is over", body = ErrorBody)))]
pub async fn cancel_job(
    app: App,
    credentials: Credentials,
    PathParam(job_id): PathParam,
) -> Result<Json<JobCancelled>, ApiError> {
    let db = app.db()?;
    let find = store::find(credentials.user_id(), &job_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let control = JobControl::decide(caller, found)?;
    let relay = control.runner()?.map(|runner| app.relay(runner)).transpose()?;
    // One that was called off before stays so, and the log has that.
    let batch = (store::cancel(&control), audit::record_if_changed(&control.event()));
    db.run(batch).await?;
    if let Some(relay) = relay {
        let cancel = CancelJob {
            job: control.id().clone(),
            username: control.caller().username().to_owned(),
        };
        relay.cancel_job(&cancel).await?;
    }
    Ok(Json(JobCancelled::of(control.id().clone())))
}
