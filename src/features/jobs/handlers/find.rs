//! One job.
use protocol::api::error::ErrorBody;
use protocol::api::jobs::Job;

use crate::auth::caller::Credentials;
use crate::features::jobs::access::JobAccess;
use crate::features::jobs::output::with_output;
use crate::features::jobs::store;
use crate::http::extract::PathParam;
use crate::http::json_text::JsonText;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Reads a job, with all that it has written so far. Whoever holds `jobs.view_all` may, and with `jobs.view_own` whoever started it.
#[utoipa::path(get, path = "/api/jobs/{job_id}", summary = "Read a job",
    params(("job_id" = String, Path, description = "The job's `id`")),
    responses((status = 200, description = "The job", body = Job),
        (status = 403, description = "It is somebody else's, or the caller may see no jobs", body = ErrorBody),
        (status = 404, description = "No such job in the caller's organization", body = ErrorBody)))]
pub async fn find_job(app: App, credentials: Credentials, PathParam(job_id): PathParam) -> Result<JsonText, ApiError> {
    let caller = credentials.user_id();
    let batch = (store::find(caller, &job_id), store::output(caller, &[&job_id]));
    let (_, (found, output)) = credentials.load(&app.db()?, batch).await?;
    let access = JobAccess::decide(found)?;
    let found = access.found();
    let parts = output.iter().map(|part| part.text.as_str());
    Ok(JsonText(with_output(&found.body, parts, found.note.as_deref())))
}
