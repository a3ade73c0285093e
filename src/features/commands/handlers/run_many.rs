//! A command for many machines.
use axum::http::StatusCode;
use futures_util::future::join_all;
use protocol::api::commands::{Batch, CommandStatus, MAX_TARGETS, RunOnMachines, Target, timeout_seconds};
use protocol::api::error::ErrorBody;
use protocol::ids::CommandId;
use protocol::relay_contract::{CommandAnswer, RunCommand};

use super::{OFFLINE, busy, offline};
use crate::audit;
use crate::auth::caller::{Caller, Credentials};
use crate::features::commands::access::RunRight;
use crate::features::commands::event::{RUNS, executed};
use crate::features::commands::id::new_id;
use crate::features::commands::row::TargetRow;
use crate::features::commands::store::{self, NewCommands};
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::random;

/// Runs a command on many machines at once, named one by one or by a tag. Each machine's rights are looked at by itself, and the
/// answer says of each whether it was accepted. Results come one by one: `GET /api/commands?batch_id=` lists how far each is, and
/// `GET /api/commands/{command_id}` has what it wrote.
#[utoipa::path(post, path = "/api/commands", summary = "Run a command on many machines", request_body = RunOnMachines,
    responses((status = 201, description = "What became of it for each machine", body = Batch),
        (status = 400, description = "No machine is named, or more than 50", body = ErrorBody)))]
pub async fn run_on_machines(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<RunOnMachines>,
) -> Result<(StatusCode, Json<Batch>), ApiError> {
    let db = app.db()?;
    let find = targets(&credentials, &request);
    let (caller, rows) = credentials.load(&db, find).await?;
    if rows.len() > MAX_TARGETS {
        let text = format!("more than {MAX_TARGETS} machines have this tag; name them, or use a narrower tag");
        return Err(ApiError::invalid_field("tag", text));
    }
    let (batch, at) = (random::object_id()?, now());
    let mut accepted = Vec::new();
    let mut events = Vec::new();
    let mut answers = Vec::new();
    for row in &rows {
        let target = match admit(row, request.when_online) {
            Ok(right) => {
                let id = new_id()?;
                events.push(executed(
                    caller.event(RUNS.0, RUNS.1),
                    &(&right).into(),
                    &id,
                    &request.command,
                ));
                accepted.push((id.clone(), right));
                answer(row, Some(id), Some(CommandStatus::Queued), None)
            }
            Err(why) => answer(row, None, None, Some(why.to_owned())),
        };
        answers.push(target);
    }
    let new = NewCommands {
        batch: Some(&batch),
        command: &request.command,
        timeout_seconds: timeout_seconds(request.timeout_seconds),
        now: &at,
    };
    if !accepted.is_empty() {
        let entries: Vec<_> = events.iter().map(audit::record).collect();
        db.run((store::insert(&caller, &new, &accepted), entries)).await?;
    }
    let handed = join_all(accepted.iter().map(|(id, right)| {
        let run = order(&caller, right, id, &request, new.timeout_seconds);
        hand_over(&app, run)
    }));
    let mut refused = Vec::new();
    for (((id, _), event), outcome) in accepted.iter().zip(events).zip(handed.await) {
        let target = answers.iter_mut().find(|target| target.command_id.as_ref() == Some(id));
        let Some(target) = target else { continue };
        match outcome {
            Ok(status) => target.status = Some(status),
            Err(error) => {
                refused.push(store::refuse(&[id], error.text(), &now()));
                // The log says already that it was run: it is corrected.
                refused.push(audit::record(&event.failed(error.status().as_u16(), error.text())));
                target.status = Some(CommandStatus::Failed);
                target.error = Some(error.text().to_owned());
            }
        }
    }
    if !refused.is_empty() {
        db.run(refused).await?;
    }
    let batch_id = batch;
    Ok((
        StatusCode::CREATED,
        Json(Batch {
            batch_id,
            targets: answers,
        }),
    ))
}

/// The machines that a request is about: one more than may be, if a tag has as many.
fn targets(credentials: &Credentials, request: &RunOnMachines) -> crate::platform::db::Query<TargetRow> {
    if let Some(tag) = &request.tag {
        return store::targets_tagged(credentials.user_id(), tag, MAX_TARGETS + 1);
    }
    // One that is named twice is meant once.
    let mut names: Vec<&str> = Vec::new();
    for name in &request.agent_ids {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    store::targets_named(credentials.user_id(), &names)
}

/// Whether a command may be sent to one of the machines, or why not.
fn admit(row: &TargetRow, when_online: bool) -> Result<RunRight, &'static str> {
    let machine = row.machine.as_ref().ok_or("Machine not found")?;
    let right = RunRight::decide(row).ok_or("Not authorized")?;
    if machine.revoked {
        return Err("machine has been revoked");
    }
    // As the directory was told last. The relay knows better, and is asked of the others.
    if !machine.is_connected && !when_online {
        return Err(OFFLINE);
    }
    Ok(right)
}

fn answer(
    row: &TargetRow,
    command_id: Option<CommandId>,
    status: Option<CommandStatus>,
    error: Option<String>,
) -> Target {
    let known = row.machine.as_ref().filter(|_| row.reaches);
    Target {
        agent_id: row.named.clone(),
        machine_name: known.map(|machine| machine.name.clone()).unwrap_or_default(),
        command_id,
        status,
        error,
    }
}

fn order(
    caller: &Caller,
    right: &RunRight,
    id: &CommandId,
    request: &RunOnMachines,
    timeout_seconds: u32,
) -> RunCommand {
    RunCommand {
        machine: right.machine().clone(),
        agent_id: right.agent_id().clone(),
        command_id: id.clone(),
        user: caller.id().clone(),
        username: caller.username().to_owned(),
        command: request.command.clone(),
        timeout_seconds,
        allow_sudo: right.sudo(),
        script: false,
        when_online: request.when_online,
        wait: false,
        limits: right.limits(),
    }
}

/// Hands a command to its machine's relay. The error is why it was not taken.
async fn hand_over(app: &App, run: RunCommand) -> Result<CommandStatus, ApiError> {
    match app.relay(&run.machine)?.run_command(&run).await {
        Ok(CommandAnswer::Pending { status }) => Ok(status),
        Ok(CommandAnswer::Ended { result }) => Ok(result.status),
        Ok(CommandAnswer::Offline) => Err(offline()),
        Ok(CommandAnswer::Busy { limit }) => Err(busy(limit)),
        // It may have been taken: the relay tells the row, or nobody does and it is given up.
        Err(error) => {
            crate::platform::log::error(&format!("a command could not be handed over: {}", error.cause()));
            Ok(CommandStatus::Queued)
        }
    }
}
