//! Deciding of a command that waits for approval.
use protocol::api::command_policy::{DecideCommand, approval_subject};
use protocol::api::commands::{Command, CommandStatus};
use protocol::api::error::ErrorBody;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::commands::access::CommandAccess;
use crate::features::commands::row::CommandRow;
use crate::features::commands::store;
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::secrets::digest;

/// Approves or rejects a command that waits for it. What is approved is this text, on this machine, for whoever sent it; it starts
/// once at most, and only if they may still run it then. Asking again for what was decided changes nothing.
#[utoipa::path(post, path = "/api/commands/{command_id}/decision", summary = "Approve or reject a command",
    params(("command_id" = String, Path, description = "The command's name")), request_body = DecideCommand,
    responses((status = 200, description = "The command as it is now", body = Command),
        (status = 403, description = "The caller is no administrator, or sent it and is not the only one", body = ErrorBody),
        (status = 404, description = "No such command in the caller's organization", body = ErrorBody),
        (status = 409, description = "It does not wait for approval", body = ErrorBody)))]
pub async fn decide_command(
    app: App,
    credentials: Credentials,
    PathParam(command_id): PathParam,
    ValidJson(request): ValidJson<DecideCommand>,
) -> Result<Json<Command>, ApiError> {
    let db = app.db()?;
    let find = store::find(credentials.user_id(), &command_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let decision = CommandAccess::decide(caller, found)?.decision()?;
    let (found, caller) = (decision.found(), decision.caller());
    if !may_be_told(&found.command, request.approve) {
        return Err(ApiError::conflict(
            "not_awaiting_approval",
            format!("The command is {}", found.command.status.as_str()),
        ));
    }
    let reason = request.reason.trim();
    let action = match request.approve {
        true => Action::CommandApproved,
        false => Action::CommandRejected,
    };
    let event = caller
        .event(action, Resource::Machine)
        .within(&found.organization_id)
        .on(&found.command.machine_id)
        .detail("machine", found.command.machine_name.as_str())
        .detail("agent_id", found.command.agent_id.as_str())
        .detail("command_id", decision.id().as_str())
        .detail("sender", found.command.username.as_str())
        .detail("reason", reason);
    let decide = store::decide(&decision, request.approve, reason, &now());
    let find = store::find(caller.id(), decision.id().as_str());
    let (_, _, rows) = db.run((decide, audit::record_if_changed(&event), find)).await?;
    let row = rows.into_iter().next().map(|row| row.command);
    let Some(row) = row.filter(|row| may_be_told(row, request.approve)) else {
        // Somebody was faster, and decided otherwise.
        return Err(ApiError::conflict(
            "not_awaiting_approval",
            "Somebody else has just decided",
        ));
    };
    let approval = approval_subject(row.agent_id.as_str(), &row.username, &row.command);
    let decided = protocol::relay_contract::DecideCommand {
        command_id: row.command_id.clone(),
        approval: request.approve.then(|| digest(&approval)),
        error: format!("{} rejected it: {reason}", caller.username()),
    };
    app.relay(&row.machine_id)?.decide_command(&decided).await?;
    Ok(Json(row.into()))
}

/// Whether a decision is still to be made, or is made and may not have reached the relay.
fn may_be_told(command: &CommandRow, approve: bool) -> bool {
    match (command.status, &command.decided_at) {
        (CommandStatus::AwaitingApproval, None) => true,
        (CommandStatus::AwaitingApproval, Some(_)) => !approve,
        (CommandStatus::Queued, Some(_)) => approve,
        _ => false,
    }
}
