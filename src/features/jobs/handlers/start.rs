//! Starting jobs.
use axum::Json;
use protocol::api::error::ErrorBody;
use protocol::api::jobs::{JobStarted, JobStatus, RunScript};
use protocol::ids::JobId;
use protocol::terminal::jobs::{StartJob, is_script_file};
use protocol::terminal::services::DEPLOY;
use serde_json::Value;

use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::jobs::access::DeployRight;
use crate::features::jobs::inputs::Inputs;
use crate::features::jobs::store::{self, NewJob};
use crate::features::services::{self, runner::offline};
use crate::http::extract::{PathParam, ValidJson};
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;
use crate::platform::random;

/// How often another id is tried when one is taken. Of four thousand million there is hardly one that is.
pub const TRIES: usize = 3;

/// Runs `deploy.sh` of a service on its runner: by bash, in the service's directory, as the account of the machine's shells, without input
/// and without anybody to ask. What it writes is at `GET /api/jobs/{job_id}` while it runs.
#[utoipa::path(post, path = "/api/services/{name}/deploy", summary = "Deploy a service",
    params(("name" = String, Path, description = "The service's `name`")),
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody),
        (status = 503, description = "Its runner is not connected; nothing was started", body = ErrorBody)))]
#[worker::send]
pub async fn deploy_service(
    app: App,
    credentials: Credentials,
    PathParam(name): PathParam,
) -> Result<Json<JobStarted>, ApiError> {
    let find = services::store::target(credentials.user_id(), &name);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let right = DeployRight::decide(caller, found, || "Service not found".to_owned())?;
    let inputs = Inputs::of(right.caller().username());
    let wanted = Wanted {
        action: "deploy",
        script: None,
        file: DEPLOY,
        inputs,
        logged: Action::ServiceDeployed,
    };
    start(&app, &right, wanted).await
}

/// Runs a script of a service on its runner, as a deployment runs. What it takes is checked against the service's `scripts.yaml`.
#[utoipa::path(post, path = "/api/services/{name}/run", summary = "Run a script of a service",
    params(("name" = String, Path, description = "The service's `name`")), request_body = RunScript,
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody),
        (status = 503, description = "Its runner is not connected; nothing was started", body = ErrorBody)))]
#[worker::send]
pub async fn run_script(
    app: App,
    credentials: Credentials,
    PathParam(name): PathParam,
    ValidJson(request): ValidJson<RunScript>,
) -> Result<Json<JobStarted>, ApiError> {
    let find = services::store::target(credentials.user_id(), &name);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let right = DeployRight::decide(caller, found, || format!("Service '{name}' not found"))?;
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let script = right
        .scripts()
        .iter()
        .find(|entry| text(entry, "name").as_deref() == Some(&request.script))
        .ok_or_else(|| {
            let words = format!(
                "Script '{}' not found for service '{}'",
                request.script,
                right.service()
            );
            ApiError::bad_request(words)
        })?;
    let inputs = Inputs::check(script, &request.inputs, right.caller().username()).map_err(ApiError::bad_request)?;
    let file = text(script, "file").unwrap_or_else(|| DEPLOY.to_owned());
    if !is_script_file(&file) {
        return Err(ApiError::bad_request("Path traversal detected in script file"));
    }
    let wanted = Wanted {
        action: "script",
        script: Some(&request.script),
        file: &file,
        inputs,
        logged: Action::ServiceScriptRun,
    };
    start(&app, &right, wanted).await
}

/// What is to run.
struct Wanted<'a> {
    action: &'static str,
    script: Option<&'a str>,
    file: &'a str,
    inputs: Inputs,
    logged: Action,
}

async fn start(app: &App, right: &DeployRight, wanted: Wanted<'_>) -> Result<Json<JobStarted>, ApiError> {
    let relay = app.relay(right.machine())?;
    // Before there is a row, and the log says that something was run.
    if !relay.status(None).await.is_some_and(|status| status.connected) {
        return Err(offline());
    }
    let (db, at) = (app.db()?, now());
    let mut tries = 0;
    let (job, event) = loop {
        let job = new_id()?;
        let mut event = right.event(wanted.logged).detail("job_id", job.as_str());
        if let Some(script) = wanted.script {
            event = event.detail("script", script);
        }
        let new = NewJob {
            id: &job,
            action: wanted.action,
            script: wanted.script,
            now: &at,
        };
        tries += 1;
        match db.run((store::insert(right, &new), audit::record(&event))).await {
            Err(DbError::Duplicate) if tries < TRIES => {}
            done => {
                done?;
                break (job, event);
            }
        }
    };
    let order = StartJob {
        job: job.clone(),
        service: right.service().to_owned(),
        file: wanted.file.to_owned(),
        title: format!(
            "Running {} for {}",
            wanted.script.unwrap_or(wanted.file),
            right.service()
        ),
        username: right.caller().username().to_owned(),
        environment: wanted.inputs.environment,
        secrets: wanted.inputs.secrets,
    };
    if relay.start_job(&order).await? {
        let status = JobStatus::Running;
        return Ok(Json(JobStarted { job_id: job, status }));
    }
    // The log says already that it was run: it is corrected.
    let refused = offline();
    let entry = audit::record(&event.failed(refused.status().as_u16(), refused.text()));
    db.run((store::remove(&job), entry)).await?;
    Err(refused)
}

/// An id that hardly any job has.
pub fn new_id() -> Result<JobId, ApiError> {
    random::hex::<4>()?.try_into().map_err(ApiError::internal)
}
