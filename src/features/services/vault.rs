//! The password of an organization's Ansible vaults. It is given to the jobs of its services, and to nobody who asks.
use protocol::api::services::{SetVaultPassword, VaultPassword};

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::organizations::store;
use crate::http::extract::ValidJson;
use crate::http::json_text::{BodyRow, JsonText};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Says whether the organization has a vault password, and since when and by whom it is what it is. What it is, nothing says.
#[utoipa::path(get, path = "/api/services/vault-password", summary = "Look whether there is a vault password",
    responses((status = 200, description = "Whether there is one", body = VaultPassword)))]
pub async fn find_vault_password(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let find = store::vault(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, find).await?;
    body(rows)
}

/// Gives the organization a vault password, another one or none. Jobs that begin from now on have it in a file of theirs alone, which
/// `ANSIBLE_VAULT_PASSWORD_FILE` and `VAULT_PASSWORD_FILE` name and which goes when the job ends.
#[utoipa::path(put, path = "/api/services/vault-password", summary = "Change the vault password", request_body = SetVaultPassword,
    responses((status = 200, description = "What there is now", body = VaultPassword)))]
pub async fn set_vault_password(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<SetVaultPassword>,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let organization = caller.organization_id();
    let data = store::vault_associated_data(organization);
    let sealed = request.password.as_ref();
    let sealed = sealed
        .map(|password| app.config.sealing.seal(&data, password))
        .transpose()?;
    let event = caller
        .event(Action::VaultPasswordChanged, Resource::Organization)
        .on(organization)
        .detail("set", sealed.is_some());
    let batch = (
        store::set_vault(organization, sealed, caller.username(), &now()),
        audit::record(&event),
        store::vault(caller.id()),
    );
    let (_, _, rows) = db.run(batch).await?;
    body(rows)
}

fn body(rows: Vec<BodyRow>) -> Result<JsonText, ApiError> {
    let row = rows.into_iter().next();
    row.map(|row| JsonText(row.body))
        .ok_or_else(|| ApiError::internal("a caller has no organization"))
}
