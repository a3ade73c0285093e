//! Starting jobs.
use protocol::api::error::ErrorBody;
use protocol::api::jobs::{JobStarted, JobStatus, RunScript};
use protocol::api::secret::Secret;
use protocol::ids::{JobId, ObjectId};
use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::jobs::{StartJob, is_script_file};
use protocol::terminal::services::{Answer, DEPLOY, Place, Refusal};
use serde_json::{Map, Value};

use crate::audit::{self, Action, Event};
use crate::auth::caller::Credentials;
use crate::features::jobs::access::DeployRight;
use crate::features::jobs::id;
use crate::features::jobs::inputs::Inputs;
use crate::features::jobs::row::HeldUpBy;
use crate::features::jobs::store::{self, NewJob, Subject};
use crate::features::organizations;
use crate::features::services::{self, runner};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Runs `deploy.sh` of a service on its runner: by bash, in the service's directory, as the account of the machine's shells, without input
/// and without anybody to ask. What it writes is at `GET /api/jobs/{job_id}` while it runs.
#[utoipa::path(post, path = "/api/services/{name}/deploy", summary = "Deploy a service",
    params(("name" = String, Path, description = "The service's `name`")),
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 404, description = "No such service in the caller's organization, or its script is not there", body = ErrorBody),
        (status = 409, description = "It is being deployed by another job", body = ErrorBody),
        (status = 503, description = "Its runner is not connected; nothing was started", body = ErrorBody)))]
pub async fn deploy_service(
    app: App,
    credentials: Credentials,
    PathParam(name): PathParam,
) -> Result<Json<JobStarted>, ApiError> {
    let find = services::store::target(credentials.user_id(), &name);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let right = DeployRight::decide(caller, found, || "Service not found".to_owned())?;
    let wanted = Wanted::check(&right, None, &Map::new())?;
    Ok(Json(started(start(&app, &right, wanted).await?)))
}

/// Runs a script of a service on its runner, as a deployment runs. What it takes is checked against the service's `scripts.yaml`.
#[utoipa::path(post, path = "/api/services/{name}/run", summary = "Run a script of a service",
    params(("name" = String, Path, description = "The service's `name`")), request_body = RunScript,
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 404, description = "No such service in the caller's organization, or its script is not there", body = ErrorBody),
        (status = 503, description = "Its runner is not connected; nothing was started", body = ErrorBody)))]
pub async fn run_script(
    app: App,
    credentials: Credentials,
    PathParam(name): PathParam,
    ValidJson(request): ValidJson<RunScript>,
) -> Result<Json<JobStarted>, ApiError> {
    let find = services::store::target(credentials.user_id(), &name);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let right = DeployRight::decide(caller, found, || format!("Service '{name}' not found"))?;
    let wanted = Wanted::check(&right, Some(&request.script), &request.inputs)?;
    Ok(Json(started(start(&app, &right, wanted).await?)))
}

/// The answer that a job runs.
pub fn started(job_id: JobId) -> JobStarted {
    let status = JobStatus::Running;
    JobStarted { job_id, status }
}

/// An action of the inventory that a job is.
pub struct InventoryAction<'a> {
    /// Its name, which is what the job does.
    pub name: &'a str,
    /// Its type, which the output says, too.
    pub kind: &'a str,
    /// What lists of jobs call that to which it is done.
    pub done_to: &'a str,
    /// What it is about.
    pub subject: Subject<'a>,
}

/// What is to run.
pub struct Wanted<'a> {
    action: &'a str,
    script: Option<&'a str>,
    file: String,
    /// What the first line of its output says.
    title: String,
    /// To what it is done, where that is not its service.
    done_to: Option<&'a str>,
    /// What of the inventory it is about.
    subject: Option<Subject<'a>>,
    inputs: Inputs,
    /// What it is given, as it was given, to be kept for the next time.
    given: Option<Secret>,
    /// The job that it repeats.
    parent: Option<&'a JobId>,
    /// Which schedule has it run.
    schedule: Option<&'a ObjectId>,
    event: Event,
}

impl<'a> Wanted<'a> {
    /// A script by its name, or `deploy.sh`, if the service has it, as its runner told of it last, and it takes what it is given.
    pub fn check(right: &DeployRight, script: Option<&'a str>, given: &Map<String, Value>) -> Result<Self, ApiError> {
        match script {
            None => Ok(Self::deploy(right)),
            Some(script) => Self::script(right, script, given),
        }
    }

    fn deploy(right: &DeployRight) -> Self {
        Self {
            action: "deploy",
            script: None,
            file: DEPLOY.to_owned(),
            title: title(DEPLOY, right),
            done_to: None,
            subject: None,
            inputs: Inputs::of(right.caller().username()),
            given: None,
            parent: None,
            schedule: None,
            event: right.event(Action::ServiceDeployed),
        }
    }

    fn script(right: &DeployRight, script: &'a str, given: &Map<String, Value>) -> Result<Self, ApiError> {
        let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let entry = right
            .scripts()
            .iter()
            .find(|entry| text(entry, "name").as_deref() == Some(script))
            .ok_or_else(|| {
                let words = format!("Script '{script}' not found for service '{}'", right.service());
                ApiError::bad_request(words)
            })?;
        let inputs = Inputs::check(entry, given, right.caller().username()).map_err(ApiError::bad_request)?;
        let file = text(entry, "file").unwrap_or_else(|| DEPLOY.to_owned());
        if !is_script_file(&file) {
            return Err(traversal());
        }
        Ok(Self {
            action: "script",
            script: Some(script),
            file,
            title: title(script, right),
            done_to: None,
            subject: None,
            inputs,
            given: Some(serde_json::to_string(given).map_err(ApiError::internal)?.into()),
            parent: None,
            schedule: None,
            event: right.event(Action::ServiceScriptRun).detail("script", script),
        })
    }

    /// The same as what another job was.
    pub fn again(self, parent: &'a JobId, event: Event) -> Self {
        let parent = Some(parent);
        Self { parent, event, ..self }
    }

    /// The same, as an action of the inventory, with what the log says of that. What it is given is not kept: it is not run again, as whether
    /// it may be done is asked where it is an action.
    #[allow(dead_code, reason = "the actions of the inventory are started by it, which come with the inventory")]
    pub fn as_action(self, action: InventoryAction<'a>, event: Event) -> Self {
        Self {
            action: action.name,
            script: None,
            title: format!("Running {} ({})", action.name, action.kind),
            done_to: Some(action.done_to),
            subject: Some(action.subject),
            given: None,
            event,
            ..self
        }
    }

    /// The same, started by the clock.
    pub fn by_schedule(self, schedule: &'a ObjectId) -> Self {
        let event = self.event.detail("schedule_id", schedule.as_str());
        let schedule = Some(schedule);
        Self {
            schedule,
            event,
            ..self
        }
    }
}

/// What the output of a job says that runs something of a service (contract).
fn title(what: &str, right: &DeployRight) -> String {
    format!("Running {what} for {}", right.service())
}

/// Has the runner of a service run something, as whoever has the right.
pub async fn start(app: &App, right: &DeployRight, wanted: Wanted<'_>) -> Result<JobId, ApiError> {
    let relay = app.relay(right.machine())?;
    // Before there is a row, and the log says that something was run.
    if !relay.status(None).await.is_some_and(|status| status.connected) {
        return Err(runner::offline());
    }
    let vault_password = vault_password(app, right)?;
    let done_to = wanted.done_to.unwrap_or(right.service());
    let (db, at) = (app.db()?, now());
    let add = async |job: &JobId| {
        let event = wanted.event.clone().detail("job_id", job.as_str());
        let data = store::associated_data(job);
        let given = wanted.given.as_ref();
        let inputs = given.map(|given| app.config.sealing.seal(&data, given)).transpose()?;
        let new = NewJob {
            id: job,
            action: wanted.action,
            script: wanted.script,
            inputs,
            parent: wanted.parent,
            schedule: wanted.schedule,
            subject: wanted.subject,
            now: &at,
        };
        let batch = (
            store::insert(right, done_to, new),
            audit::record_if_changed(&event),
            store::held_up_by(right, done_to, job),
        );
        let added = db.run(batch).await;
        Ok(added.map(|(_, _, held_up_by)| (event, held_up_by)))
    };
    let (job, (event, held_up_by)) = id::under_new(add).await?;
    if let Some(HeldUpBy { job }) = held_up_by.first() {
        let words = format!("Service '{done_to}' is being deployed already, by job {job}");
        return Err(ApiError::conflict("deploy_running", words));
    }
    let order = StartJob {
        job: job.clone(),
        number: None,
        service: right.service().to_owned(),
        title: wanted.title,
        file: wanted.file,
        username: right.caller().username().to_owned(),
        environment: wanted.inputs.environment,
        secrets: wanted.inputs.secrets,
        vault_password,
    };
    let refused = match relay.start_job(&order).await? {
        // What becomes of one of which the runner says nothing in time, it says later.
        RunnerAnswer::Answered { answer: Answer::Done } | RunnerAnswer::Silent => {
            return Ok(job);
        }
        answer => refusal(answer, order.file),
    };
    // The log says already that it was run: it is corrected.
    let entry = audit::record(&event.failed(refused.status().as_u16(), refused.text()));
    db.run((store::remove(&job), entry)).await?;
    Err(refused)
}

/// What opens the vaults of the organization.
fn vault_password(app: &App, right: &DeployRight) -> Result<Option<String>, ApiError> {
    let Some(sealed) = right.vault() else { return Ok(None) };
    let data = organizations::store::vault_associated_data(right.caller().organization_id());
    let opened = app.config.sealing.open(&data, sealed)?;
    Ok(Some(opened.expose().to_owned()))
}

/// Why a runner has not run a file, before anything ran (contract).
fn refusal(answer: RunnerAnswer, file: String) -> ApiError {
    match answer {
        RunnerAnswer::Answered {
            answer: Answer::Refused {
                refusal: Refusal::NotFound,
            },
        } => ApiError::not_found(format!("Script file '{file}' not found")),
        RunnerAnswer::Answered {
            answer: Answer::Refused {
                refusal: Refusal::Traversal,
            },
        } => traversal(),
        other => runner::refusal(other, &Place::Config { name: file }),
    }
}

fn traversal() -> ApiError {
    ApiError::bad_request("Path traversal detected in script file")
}
