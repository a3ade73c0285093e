//! The key of the provider's API. Once it is set nobody is shown it again.
use protocol::api::instances::{ProviderState, SetProvider};

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::instances::{store, work};
use crate::http::extract::ValidJson;
use crate::http::json_text::{BodyRow, JsonText};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

fn body(rows: Vec<BodyRow>) -> Result<JsonText, ApiError> {
    let row = rows.into_iter().next();
    let row = row.ok_or_else(|| ApiError::internal("a caller without a row"))?;
    Ok(JsonText(row.body))
}

/// Reads where the organization's instances are, and whether a key is set. The key itself is not told.
#[utoipa::path(get, path = "/api/instances/provider", summary = "Read the provider",
    responses((status = 200, description = "The provider", body = ProviderState)))]
pub async fn read_provider(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let find = store::provider(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, find).await?;
    body(rows)
}

/// Sets the key of the provider's API. What was listed by another key is forgotten.
#[utoipa::path(put, path = "/api/instances/provider", summary = "Set the provider's key", request_body = SetProvider,
    responses((status = 200, description = "The provider", body = ProviderState)))]
pub async fn set_provider(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<SetProvider>,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let associated = work::associated(caller.organization_id());
    let sealed = app.config.sealing.seal(&associated, &request.api_key)?;
    let event = caller
        .event(Action::ProviderKeySet, Resource::Instance)
        .detail("provider", "vultr");
    let batch = (
        store::remove_key(&caller),
        store::set_key(&caller, &sealed, &now()),
        audit::record(&event),
        store::provider(caller.id()),
    );
    let (_, _, _, rows) = db.run(batch).await?;
    body(rows)
}

/// Removes the key, and forgets what was listed by it. The instances themselves stay as they are.
#[utoipa::path(delete, path = "/api/instances/provider", summary = "Remove the provider's key",
    responses((status = 200, description = "The provider", body = ProviderState)))]
pub async fn remove_provider(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let event = caller
        .event(Action::ProviderKeyRemoved, Resource::Instance)
        .detail("provider", "vultr");
    let batch = (
        store::remove_key(&caller),
        audit::record_if_changed(&event),
        store::provider(caller.id()),
    );
    let (_, _, rows) = db.run(batch).await?;
    body(rows)
}
