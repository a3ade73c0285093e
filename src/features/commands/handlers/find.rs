//! One command.
use protocol::api::commands::CommandDetail;
use protocol::api::error::ErrorBody;

use crate::auth::caller::Credentials;
use crate::features::commands::access::CommandAccess;
use crate::features::commands::{body, store};
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Reads a command, and what it wrote if it has ended. Whoever reaches its machine may.
#[utoipa::path(get, path = "/api/commands/{command_id}", summary = "Read a command",
    params(("command_id" = String, Path, description = "The command's name")),
    responses((status = 200, description = "The command", body = CommandDetail),
        (status = 403, description = "The caller does not reach its machine", body = ErrorBody),
        (status = 404, description = "No such command in the caller's organization", body = ErrorBody)))]
pub async fn find_command(
    app: App,
    credentials: Credentials,
    PathParam(command_id): PathParam,
) -> Result<Json<CommandDetail>, ApiError> {
    let find = store::find(credentials.user_id(), &command_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let access = CommandAccess::decide(caller, found)?;
    let row = access.found().command.clone();
    let result = match row.status.is_final() {
        true => app.relay(&row.machine_id)?.command_result(&row.command_id).await?,
        false => None,
    };
    Ok(Json(body::detail(row, result)))
}
