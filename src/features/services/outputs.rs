//! What the last runs of services gave. What a runner tells of it has no values of credentials; those are asked for at the runner, for
//! whoever may read its files.
use protocol::api::services::{AllOutputs, Outputs};
use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::services::{Answer, Ask};
use serde_json::Value;

use super::store;
use crate::auth::caller::Credentials;
use crate::auth::permission::Permission;
use crate::http::extract::PathParam;
use crate::http::json_text::JsonText;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Lists what the last run of each service gave, as its runner told last. Values of credentials are masked here; the list of one service
/// has them.
#[utoipa::path(get, path = "/api/services/outputs", summary = "List the outputs of all services",
    responses((status = 200, description = "The outputs of those services that have some, by service", body = AllOutputs)))]
pub async fn list_all_outputs(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = store::all_outputs(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    let entries: Vec<&str> = rows.iter().map(|row| row.body.as_str()).collect();
    Ok(JsonText(["{\"outputs\":{", &entries.join(","), "}}"].concat()))
}

/// Lists what the last run of a service gave; nothing of a service that there is not (contract). Whoever holds `services.files.view` has the
/// values of credentials too, while its runner is connected; in their place there is `********`.
#[utoipa::path(get, path = "/api/services/{name}/outputs", summary = "List a service's outputs",
    params(("name" = String, Path, description = "The service's `name`")),
    responses((status = 200, description = "The outputs", body = Outputs)))]
pub async fn list_outputs(
    app: App,
    credentials: Credentials,
    PathParam(name): PathParam,
) -> Result<JsonText, ApiError> {
    let find = store::outputs(credentials.user_id(), &name);
    let (caller, rows) = credentials.load(&app.db()?, find).await?;
    let Some(row) = rows.into_iter().next() else {
        return Ok(body("[]"));
    };
    if row.has_credentials && caller.may(Permission::ServicesFilesView) {
        let relay = app.relay(&row.machine_id)?;
        // Whatever is in the way, what was told last is known.
        if let RunnerAnswer::Answered {
            answer: Answer::Outputs { outputs },
        } = relay.ask_runner(&row.name, Ask::Outputs).await?
        {
            return Ok(body(&Value::from(outputs).to_string()));
        }
    }
    Ok(body(&row.outputs))
}

fn body(outputs: &str) -> JsonText {
    JsonText(["{\"outputs\":", outputs, "}"].concat())
}
