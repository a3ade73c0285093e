//! Starting jobs.
use protocol::api::error::ErrorBody;
use protocol::api::jobs::{JobStarted, JobStatus, RunScript};
use protocol::ids::JobId;
use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::jobs::{StartJob, playbook_path};
use protocol::terminal::services::{Answer, Place, Refusal};
use serde_json::Map;

use crate::audit;
use crate::auth::caller::Credentials;
use crate::features::jobs::access::DeployRight;
use crate::features::jobs::id;
use crate::features::jobs::row::HeldUpBy;
use crate::features::jobs::store::{self, NewJob};
use crate::features::jobs::wanted::{Wanted, traversal};
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
            deploys: wanted.deploys,
            now: &at,
        };
        let batch = (
            store::insert(right, done_to, new),
            audit::record_if_changed(&event),
            store::held_up_by(right, job),
        );
        let added = db.run(batch).await;
        Ok(added.map(|(_, _, held_up_by)| (event, held_up_by)))
    };
    let (job, (event, held_up_by)) = id::under_new(add).await?;
    if let Some(HeldUpBy { job }) = held_up_by.first() {
        let words = format!("Service '{}' is being deployed already, by job {job}", right.service());
        return Err(ApiError::conflict("deploy_running", words));
    }
    let order = StartJob {
        job: job.clone(),
        number: None,
        service: right.service().to_owned(),
        title: wanted.title,
        file: wanted.file,
        playbook: wanted.playbook,
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
        answer => refusal(answer, &order),
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
fn refusal(answer: RunnerAnswer, order: &StartJob) -> ApiError {
    let file = &order.file;
    match answer {
        RunnerAnswer::Answered {
            answer: Answer::Refused {
                refusal: Refusal::NotFound,
            },
        } => ApiError::not_found(match order.playbook {
            Some(_) => format!("Playbook not found: {}", playbook_path(&order.service, file)),
            None => format!("Script file '{file}' not found"),
        }),
        RunnerAnswer::Answered {
            answer: Answer::Refused {
                refusal: Refusal::Traversal,
            },
        } => traversal(),
        other => runner::refusal(other, &Place::Config { name: file.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::terminal::jobs::Playbook;

    #[test]
    fn what_is_not_there_is_named_as_people_know_it() {
        let said = |playbook: Option<Playbook>, refusal: Refusal| {
            let order = StartJob {
                job: "0123abcd".parse().unwrap(),
                number: None,
                service: "web".to_owned(),
                file: "plays/x.yaml".to_owned(),
                playbook,
                title: String::new(),
                username: String::new(),
                environment: Default::default(),
                secrets: Vec::new(),
                vault_password: None,
            };
            let answer = Answer::Refused { refusal };
            let error = super::refusal(RunnerAnswer::Answered { answer }, &order);
            (error.status().as_u16(), error.text().to_owned())
        };
        let playbook = || Some(Playbook::default());
        for (playbook, refusal, status, words) in [
            (None, Refusal::NotFound, 404, "Script file 'plays/x.yaml' not found"),
            (
                playbook(),
                Refusal::NotFound,
                404,
                "Playbook not found: /services/web/plays/x.yaml",
            ),
            (
                playbook(),
                Refusal::TooOld,
                503,
                "Runner's agent is too old to run playbooks: install a newer one",
            ),
        ] {
            assert_eq!(said(playbook, refusal), (status, words.to_owned()));
        }
    }
}
