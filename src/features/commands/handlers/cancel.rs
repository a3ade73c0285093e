//! Calling a command off.
use protocol::api::commands::Command;
use protocol::api::error::ErrorBody;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::commands::access::CommandAccess;
use crate::features::commands::store;
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Calls a command off. One that waits will not start; one that runs is killed with all it started, or when its machine is back. One
/// that has ended stays as it is.
#[utoipa::path(post, path = "/api/commands/{command_id}/cancel", summary = "Cancel a command",
    params(("command_id" = String, Path, description = "The command's name")),
    responses((status = 200, description = "The command as it is now", body = Command),
        (status = 403, description = "Somebody else sent it, and the caller does not manage its machine", body = ErrorBody),
        (status = 404, description = "No such command in the caller's organization", body = ErrorBody)))]
pub async fn cancel_command(
    app: App,
    credentials: Credentials,
    PathParam(command_id): PathParam,
) -> Result<Json<Command>, ApiError> {
    let db = app.db()?;
    let find = store::find(credentials.user_id(), &command_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let control = CommandAccess::decide(caller, found)?.control()?;
    let found = control.found();
    if found.command.status.is_final() {
        return Ok(Json(found.command.clone().into()));
    }
    let event = control
        .caller()
        .event(Action::CommandCancelled, Resource::Machine)
        .within(&found.organization_id)
        .on(&found.command.machine_id)
        .detail("machine", found.command.machine_name.as_str())
        .detail("agent_id", found.command.agent_id.as_str())
        .detail("command_id", control.id().as_str());
    app.relay(&found.command.machine_id)?
        .cancel_command(control.id())
        .await?;
    let (_, rows) = db.run((audit::record(&event), store::find_again(&control))).await?;
    let row = rows
        .into_iter()
        .next()
        .map_or_else(|| found.command.clone(), |row| row.command);
    Ok(Json(row.into()))
}
