//! A command for one machine.
use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::commands::{CommandSent, RunOnMachine, timeout_seconds};
use protocol::api::error::ErrorBody;
use protocol::api::machines::MachineStatus;
use protocol::relay_contract::{CommandAnswer, RunCommand};

use super::{busy, offline};
use crate::audit;
use crate::auth::caller::Credentials;
use crate::features::commands::access::RunRight;
use crate::features::commands::event::{RUNS, executed};
use crate::features::commands::id::new_id;
use crate::features::commands::store::{self, NewCommands};
use crate::features::machines::{self, Key};
use crate::http::envelope::{Envelope, Enveloped};
use crate::http::extract::{PathParam, ValidJson};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Runs a command on a machine without a terminal: by bash, as the account of the machine's shells, in its home, without input, with
/// the privileges that the caller's shells have there. What it writes is in the answer with `wait`; whoever is attached to the machine
/// sees it come, in the published socket as `command_output` frames; and `GET /api/commands/{command_id}` has it afterwards.
#[utoipa::path(post, path = "/api/machines/{agent_id}/command", summary = "Run a command",
    params(("agent_id" = String, Path, description = "The machine's public name")), request_body = RunOnMachine,
    responses((status = 200, description = "It was sent or, with `wait`, has ended", body = Enveloped<CommandSent>),
        (status = 403, description = "The caller does not reach the machine, or it was revoked", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody),
        (status = 409, description = "Too many commands are running or waiting there", body = ErrorBody),
        (status = 503, description = "The machine's agent is not connected", body = ErrorBody)))]
pub async fn run_command(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    PathParam(agent_id): PathParam,
    ValidJson(request): ValidJson<RunOnMachine>,
) -> Result<Response, ApiError> {
    let access = machines::load(&app, credentials, Key::AgentId(agent_id)).await?;
    if access.found().machine.status == MachineStatus::Revoked {
        return Err(ApiError::forbidden("machine_revoked", "machine has been revoked"));
    }
    let (caller, right) = (access.caller(), RunRight::of(&access));
    let relay = app.relay(right.machine())?;
    // Before the log says that something was run.
    if !request.when_online && !relay.status(None).await.is_some_and(|status| status.connected) {
        return Err(offline());
    }
    let (id, at, timeout_seconds) = (new_id()?, now(), timeout_seconds(request.timeout_seconds));
    let new = NewCommands {
        batch: None,
        command: &request.command,
        timeout_seconds,
        now: &at,
    };
    let event = executed(caller.event(RUNS.0, RUNS.1), &(&right).into(), &id, &request.command);
    let targets = [(id.clone(), right.clone())];
    let db = app.db()?;
    db.run((store::insert(caller, &new, &targets), audit::record(&event)))
        .await?;
    let run = RunCommand {
        machine: right.machine().clone(),
        agent_id: right.agent_id().clone(),
        command_id: id.clone(),
        user: caller.id().clone(),
        username: caller.username().to_owned(),
        command: request.command,
        timeout_seconds,
        allow_sudo: right.sudo(),
        script: false,
        when_online: request.when_online,
        wait: request.wait,
        limits: right.limits(),
    };
    let answer = relay.run_command(&run).await?;
    let refused = match answer {
        CommandAnswer::Pending { status } => {
            let body = CommandSent::new(run.command, id, status);
            return envelope.reply(StatusCode::OK, "Command sent", &body);
        }
        CommandAnswer::Ended { result } => {
            let sent = CommandSent::new(run.command, id, result.status);
            let body = if request.wait { sent.with_result(result) } else { sent };
            return envelope.reply(StatusCode::OK, "Command sent", &body);
        }
        CommandAnswer::Offline => offline(),
        CommandAnswer::Busy { limit } => busy(limit),
    };
    // The log says already that it was run: it is corrected.
    let entry = audit::record(&event.failed(refused.status().as_u16(), refused.text()));
    db.run((store::refuse(&[&id], refused.text(), &now()), entry)).await?;
    Err(refused)
}
