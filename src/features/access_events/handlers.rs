//! Who logged in on a machine.
use protocol::api::access_events::AccessEventList;
use protocol::api::error::ErrorBody;

use super::store;
use crate::auth::caller::Credentials;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::{self, Key};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::JsonText;
use crate::http::window::WindowQuery;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Lists the logins on a machine that did not pass the edge, newest first: by SSH and at its console, as far as its system writes them
/// down. `docs/limits.md` says which those are. The newest thousand of 90 days are kept.
#[utoipa::path(get, path = "/api/machines/{agent_id}/access-events", summary = "List logins past the edge",
    params(("agent_id" = String, Path, description = "The machine's public name"), WindowQuery),
    responses((status = 200, description = "The logins", body = AccessEventList),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn list_access_events(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    QueryParams(query): QueryParams<WindowQuery>,
) -> Result<JsonText, ApiError> {
    let (limit, skip) = query.window();
    let list = store::list(&agent_id, limit, skip);
    let find = machines::store::find(credentials.user_id(), &Key::AgentId(agent_id));
    let (caller, (found, list)) = credentials.load(&app.db()?, (find, list)).await?;
    MachineAccess::decide(caller, found)?;
    let body = list.into_iter().next().map(|row| row.body);
    Ok(JsonText(body.ok_or_else(|| ApiError::not_found("Machine not found"))?))
}
