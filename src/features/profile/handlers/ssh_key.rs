//! What people do with their SSH keys.
use protocol::api::auth::StatusOk;
use protocol::api::profile::{OwnSshKey, SshKey, SshKeyList, SshKeyPair};

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::accounts::store::own;
use crate::features::profile::{ssh, store};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Makes a new pair of SSH keys for the caller, in place of any earlier one.
#[utoipa::path(post, path = "/api/auth/me/ssh-key", tag = "auth", summary = "Generate an SSH key",
    responses((status = 200, description = "The pair; the private key is never shown again", body = SshKeyPair)))]
pub async fn generate_ssh_key(app: App, credentials: Credentials) -> Result<Json<SshKeyPair>, ApiError> {
    let db = app.db()?;
    let find = store::find_ssh_key(credentials.user_id());
    let (caller, found) = credentials.load(&db, find).await?;
    let owner = found.into_iter().next().and_then(|row| row.display_name);
    let owner = owner.as_deref().unwrap_or(caller.username());
    let pair = ssh::generate(&format!("{owner}@cloudlab"))?;
    let event = caller.event(Action::SshKeyGenerated, Resource::User).on(caller.id());
    db.run((
        own::set_ssh_key(&caller, Some(&pair.public_key), &now()),
        audit::record(&event),
    ))
    .await?;
    Ok(Json(pair))
}

/// Reads the caller's public key.
#[utoipa::path(get, path = "/api/auth/me/ssh-key", tag = "auth", summary = "Read one's SSH key",
    responses((status = 200, description = "The public key, if there is one", body = OwnSshKey)))]
pub async fn read_ssh_key(app: App, credentials: Credentials) -> Result<Json<OwnSshKey>, ApiError> {
    let find = store::find_ssh_key(credentials.user_id());
    let (_, found) = credentials.load(&app.db()?, find).await?;
    Ok(Json(OwnSshKey {
        ssh_public_key: found.into_iter().next().and_then(|row| row.ssh_public_key),
    }))
}

/// Removes the caller's public key.
#[utoipa::path(delete, path = "/api/auth/me/ssh-key", tag = "auth", summary = "Delete one's SSH key",
    responses((status = 200, description = "There is none now", body = StatusOk)))]
pub async fn delete_ssh_key(app: App, credentials: Credentials) -> Result<Json<StatusOk>, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let event = caller.event(Action::SshKeyDeleted, Resource::User).on(caller.id());
    db.run((own::set_ssh_key(&caller, None, &now()), audit::record(&event)))
        .await?;
    Ok(Json(StatusOk {
        status: "ok".to_owned(),
        message: "SSH key deleted".to_owned(),
    }))
}

/// Lists the public keys of everybody in the caller's organization who may sign in.
#[utoipa::path(get, path = "/api/auth/ssh-keys", tag = "auth", summary = "List SSH keys",
    responses((status = 200, description = "The keys, by username", body = SshKeyList)))]
pub async fn list_ssh_keys(app: App, credentials: Credentials) -> Result<Json<SshKeyList>, ApiError> {
    let list = store::list_ssh_keys(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    let keys = rows.into_iter().map(|row| SshKey {
        user_id: row.int_id,
        id: row.id,
        username: row.username,
        display_name: row.display_name,
        ssh_public_key: row.ssh_public_key,
        is_self: row.is_self,
    });
    Ok(Json(SshKeyList { keys: keys.collect() }))
}
