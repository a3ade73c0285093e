//! Having actions done. Each is a job: of a runner, as deployments are, or of the edge, which asks the provider.
use std::borrow::Cow;

use protocol::api::error::ErrorBody;
use protocol::api::instances::StopInstance;
use protocol::api::inventory::actions::ActionType;
use protocol::api::inventory::objects::RunAction;
use protocol::api::jobs::JobStarted;
use protocol::ids::JobId;
use protocol::terminal::jobs::Playbook;
use protocol::terminal::services::DEPLOY;
use serde_json::{Map, Value};

use super::{ActionRight, known};
use crate::auth::caller::Credentials;
use crate::features::instances::access::{StopRight, Which};
use crate::features::instances::{self, work};
use crate::features::inventory::store::{self, objects};
use crate::features::inventory::value::Place;
use crate::features::inventory_actions::access::input;
use crate::features::inventory_actions::variables::Variables;
use crate::features::jobs::edge::{EdgeJob, Names};
use crate::features::jobs::{self, DeployRight, Wanted, started};
use crate::features::services;
use crate::http::extract::{OptionalJson, PathPair, PathTriple};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// The type whose things are instances at a provider's, which the edge asks itself.
const SERVER: &str = "server";

/// Has an action of its type done with a thing, by a job: what it says is at `GET /api/jobs/{job_id}`. What a script is given are variables,
/// as `INPUT_` and its name in capitals. To destroy a server, the input `confirm` is its `vultr_label`.
#[utoipa::path(post, path = "/api/inventory/{type_slug}/{object_id}/actions/{action}", summary = "Have something done with a thing",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`"),
        ("action" = String, Path, description = "The action's `name`")),
    request_body(content = Option<RunAction>, description = "What it is given"),
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 400, description = "The action is none that is done by a job, or does not take what it is given", body = ErrorBody),
        (status = 403, description = "The caller may not have it done with this", body = ErrorBody),
        (status = 404, description = "No such type or thing in the caller's organization, the type has no such action, or no runner has its \
            service or file", body = ErrorBody),
        (status = 409, description = "The service is being deployed by another job", body = ErrorBody),
        (status = 503, description = "The runner is not connected; nothing was started", body = ErrorBody)))]
pub async fn run_object_action(
    app: App,
    credentials: Credentials,
    PathTriple(slug, id, action): PathTriple,
    OptionalJson(request): OptionalJson<RunAction>,
) -> Result<Json<JobStarted>, ApiError> {
    let known = known(&app, credentials, &slug, &id).await?;
    let right = ActionRight::on_object(known, &action)?;
    start(&app, right, request.unwrap_or_default()).await
}

/// Has an action done that is about all things of a type, by a job.
#[utoipa::path(post, path = "/api/inventory/{type_slug}/actions/{action}", summary = "Have something done with a type",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("action" = String, Path, description = "The action's `name`")),
    request_body(content = Option<RunAction>, description = "What it is given"),
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 400, description = "The action is none that is done by a job, or does not take what it is given", body = ErrorBody),
        (status = 403, description = "The caller may not have it done", body = ErrorBody),
        (status = 404, description = "No such type in the caller's organization, the type has no such action that is about all of it, or no \
            runner has its service or file", body = ErrorBody),
        (status = 409, description = "The service is being deployed by another job", body = ErrorBody),
        (status = 503, description = "The runner is not connected; nothing was started", body = ErrorBody)))]
pub async fn run_type_action(
    app: App,
    credentials: Credentials,
    PathPair(slug, action): PathPair,
    OptionalJson(request): OptionalJson<RunAction>,
) -> Result<Json<JobStarted>, ApiError> {
    let find = store::find_type(credentials.user_id(), &slug);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let right = ActionRight::on_type(caller, found, &slug, &action)?;
    start(&app, right, request.unwrap_or_default()).await
}

async fn start(app: &App, right: ActionRight, request: RunAction) -> Result<Json<JobStarted>, ApiError> {
    let inputs = request.inputs.unwrap_or_default();
    match right.action().r#type {
        ActionType::Script => {
            let of = deploy_right(app, &right, right.service()?).await?;
            let file = Some(right.action().script.as_str()).filter(|file| !file.is_empty());
            let wanted = Wanted::file(&of, file.unwrap_or(DEPLOY), &inputs, right.event())?;
            at_runner(app, &right, &of, wanted).await
        }
        ActionType::DynamicScripts => {
            let of = deploy_right(app, &right, right.service()?).await?;
            let script = request.script.as_deref().filter(|script| !script.is_empty());
            let wanted = Wanted::check(&of, Some(script.unwrap_or("deploy")), &inputs)?;
            at_runner(app, &right, &of, wanted).await
        }
        ActionType::Playbook => playbook(app, &right, &inputs).await,
        ActionType::ScriptStop => stop_service(app, right).await,
        ActionType::Builtin => builtin(app, right, &inputs).await,
        ActionType::Ssh => Err(elsewhere(
            "A terminal is no job: it is opened by a WebSocket at /api/inventory/ws/{object_id}/action",
        )),
        ActionType::BuiltinConfig => Err(elsewhere(
            "Configs are read and written at /api/inventory/service/{object_id}/configs",
        )),
        ActionType::BuiltinFiles => Err(elsewhere(
            "Files are listed, read and written at /api/services/{name}/files/{subdir}",
        )),
    }
}

/// What no job does.
fn elsewhere(words: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::bad_request(words)
}

/// The right to run what a service has, for whoever may have an action done that does it.
async fn deploy_right(app: &App, right: &ActionRight, service: &str) -> Result<DeployRight, ApiError> {
    let caller = right.caller();
    let found = app.db()?.run(services::store::target(caller.id(), service)).await?;
    DeployRight::decide(caller.clone(), found, || format!("Service '{service}' not found"))
}

async fn at_runner(
    app: &App,
    right: &ActionRight,
    of: &DeployRight,
    wanted: Wanted<'_>,
) -> Result<Json<JobStarted>, ApiError> {
    let wanted = wanted.for_action(right.job(), right.event());
    Ok(Json(started(jobs::start(app, of, wanted).await?)))
}

async fn playbook(app: &App, right: &ActionRight, inputs: &Map<String, Value>) -> Result<Json<JobStarted>, ApiError> {
    let action = right.action();
    let named = action.playbook();
    let (service, file) = named.ok_or_else(|| ApiError::bad_request("The action names no playbook of a service"))?;
    let of = deploy_right(app, right, service).await?;
    let sealing = &app.config.sealing;
    let variables = Variables::fill(
        &action.vars_mapping,
        &right.of().definition,
        right.thing(),
        |thing, field| {
            let place = Place {
                sealing,
                organization: right.organization(),
                id: thing.id,
            };
            let sealed = thing.secrets.get(field);
            let opened = sealed
                .map(|sealed| sealing.open(&place.associated(field), sealed))
                .transpose()?;
            Ok::<_, ApiError>(opened.map(|secret| secret.expose().to_owned()))
        },
    )?;
    let playbook = Playbook {
        variables: variables.values,
    };
    let wanted = Wanted::playbook(&of, file, playbook, variables.secrets, right.event())?.given(&of, inputs)?;
    at_runner(app, right, &of, wanted).await
}

/// Halts the instances of a service.
async fn stop_service(app: &App, right: ActionRight) -> Result<Json<JobStarted>, ApiError> {
    let caller = right.caller();
    let found = app
        .db()?
        .run(services::store::runner(caller.id(), right.service()?))
        .await?;
    let stop = StopRight::of_service(caller.clone(), found)?;
    at_provider(app, &right, Some(stop.into_which())).await
}

/// What the edge does itself: with instances, through their servers.
async fn builtin(app: &App, right: ActionRight, inputs: &Map<String, Value>) -> Result<Json<JobStarted>, ApiError> {
    let destroy = match (right.of().slug.as_str(), right.action().name.as_str()) {
        (SERVER, "refresh") => return at_provider(app, &right, None).await,
        (SERVER, "stop") => false,
        (SERVER, "destroy") => true,
        (slug, name) => {
            let words = format!("The edge has no action '{name}' for things of the type '{slug}'");
            return Err(elsewhere(words));
        }
    };
    let (Some(label), Some(region)) = (right.text("vultr_label"), right.text("region")) else {
        let words = "This server is not known at the provider: it has no vultr_label or no region";
        return Err(ApiError::bad_request(words));
    };
    let stop = StopInstance {
        label: label.to_owned(),
        region: region.to_owned(),
        destroy,
        confirm: input(inputs, "confirm").map(str::to_owned),
    };
    let caller = right.caller();
    let known = app.db()?.run(instances::known(caller.id(), &stop)).await?;
    let stop = StopRight::of_instance(caller.clone(), &known, stop)?;
    at_provider(app, &right, Some(stop.into_which())).await
}

/// Has a job of the edge stop some instances, or else list all anew.
async fn at_provider(app: &App, right: &ActionRight, which: Option<Which>) -> Result<Json<JobStarted>, ApiError> {
    let action = right.job();
    let title = format!("--- Running {} ({}) ---", action.name, action.kind);
    let destroyed = match (&which, right.thing()) {
        (Some(Which::Named { destroy: true, .. }), Some(thing)) => Some(thing.id),
        _ => None,
    };
    let names = Names {
        service: action.done_to,
        action: action.name,
        subject: Some(action.subject),
    };
    let logged = |job: &_| right.event().detail("job_id", JobId::as_str(job));
    let job = EdgeJob::begin(app, right.caller(), names, &logged).await?;
    Ok(job.run(move |job| {
        Box::pin(async move {
            job.say(title).await?;
            match which {
                Some(which) => work::stop(job, which).await?,
                None => work::refresh(job).await?,
            }
            // What is no more at the provider's is no thing any more, whether the sync had made it or somebody by hand.
            let Some(id) = destroyed else { return Ok(()) };
            let gone = objects::destroyed(job.organization(), id);
            job.app().db()?.run(gone).await?;
            job.say("[Server removed from inventory]").await
        })
    }))
}
