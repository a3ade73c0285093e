//! The first account of a server. It can be made this way once.
use axum::Json;
use protocol::api::auth::{Role, Setup, SetupStatus, SignedIn};
use protocol::api::error::ErrorBody;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::app::App;
use crate::audit::{self, Action, Resource, Trail};
use crate::auth::new_account::NewApiKey;
use crate::auth::opened::Opened;
use crate::auth::store::{self, NewAccount};
use crate::auth::{password, signed_in, throttle};
use crate::db::{DbError, Nothing, Query, flag, now, statements};
use crate::error::ApiError;
use crate::extract::ValidJson;
use crate::organizations::store::{self as organizations, NewOrganization};
use crate::random;

/// The slug and name of the organization that setting up makes. Both can be changed, the name at any time.
const ORGANIZATION: (&str, &str) = ("default", "Default");

statements! {
    STATUS = "SELECT EXISTS (SELECT 1 FROM setup WHERE one = 1) OR EXISTS (SELECT 1 FROM users WHERE int_id > 0) AS complete,
         EXISTS (SELECT 1 FROM setup s JOIN organizations o ON o.id = s.organization_id
                 WHERE s.one = 1 AND o.vault_sealed IS NOT NULL) AS vault_set";

    /// Fails if somebody was faster.
    COMPLETE = "INSERT INTO setup (one, organization_id, completed_at) VALUES (1, ?1, ?2)";

    SET_VAULT = "UPDATE organizations SET vault_sealed = ?2 WHERE id = ?1";
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(deserialize_with = "flag")]
    complete: bool,
    #[serde(deserialize_with = "flag")]
    vault_set: bool,
}

/// Where the password of an organization's vaults is sealed for.
pub fn vault_place(organization: &ObjectId) -> String {
    format!("organizations.vault:{organization}")
}

/// Whether somebody has to set this server up.
#[utoipa::path(get, path = "/api/auth/setup-required", tag = "auth", summary = "Read whether there is an account", security(()),
    responses((status = 200, description = "Whether there is", body = SetupStatus)))]
#[worker::send]
pub async fn required(app: App) -> Result<Json<SetupStatus>, ApiError> {
    status_of(&app).await.map(Json)
}

/// The same, by another name.
#[utoipa::path(get, path = "/api/auth/status", tag = "auth", summary = "Read whether there is an account", security(()),
    responses((status = 200, description = "Whether there is", body = SetupStatus)))]
#[worker::send]
pub async fn status(app: App) -> Result<Json<SetupStatus>, ApiError> {
    status_of(&app).await.map(Json)
}

/// Makes the first account, a super administrator, and signs it in.
#[utoipa::path(post, path = "/api/auth/setup", tag = "auth", summary = "Make the first account", security(()), request_body = Setup,
    responses((status = 200, description = "The account", body = SignedIn),
        (status = 400, description = "There is an account already, or a field breaks its rule", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
#[worker::send]
pub async fn setup(app: App, trail: Trail, ValidJson(request): ValidJson<Setup>) -> Result<Json<SignedIn>, ApiError> {
    throttle::attempt(&app, &trail.client, "setup").await?;
    let completed = || ApiError::bad_request("Setup already completed");
    if status_of(&app).await?.setup_complete {
        return Err(completed());
    }
    let (id, organization_id, now) = (random::object_id()?, random::object_id()?, now());
    let (slug, name) = ORGANIZATION;
    let organization = organizations::insert(&NewOrganization {
        id: &organization_id,
        slug,
        name,
        description: "",
        now: &now,
    });
    let api_key = NewApiKey::make(&app, &id)?;
    let user = store::insert_user(&NewAccount {
        id: &id,
        organization_id: &organization_id,
        username: &request.username,
        email: &request.email().unwrap_or_default().to_lowercase(),
        community: false,
        password_hash: &password::hash(request.password.expose())?,
        role: Role::SuperAdmin,
        first_name: "",
        last_name: "",
        email_verified: false,
        api_key_hash: &api_key.hash,
        api_key_sealed: &api_key.sealed,
        now: &now,
        last_login_at: None,
    });
    let vault = match request.vault_password() {
        Some(password) => {
            let sealed = app.config.sealing.seal(&vault_place(&organization_id), password)?;
            Some(Query::<Nothing>::new(
                SET_VAULT,
                [(&organization_id).into(), sealed.into()],
            ))
        }
        None => None,
    };
    let event = trail
        .event(Action::Setup, Resource::Auth)
        .by(&id, &request.username)
        .within(&organization_id)
        .on(&id);
    let batch = (
        (organization, complete(&organization_id, &now)),
        (user, vault),
        audit::record(&event),
        store::find_account(&id),
    );
    let (.., accounts) = app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Duplicate => completed(),
        other => other.into(),
    })?;
    let account = accounts
        .first()
        .ok_or_else(|| ApiError::internal("a new account is not there"))?;
    let opened = Opened::begin(&trail.client.source, "setup", false, &accounts)?;
    signed_in::sign_in(&app, &trail, &opened, &accounts, account)
        .await
        .map(Json)
}

fn complete(organization: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(COMPLETE, [organization.into(), now.into()])
}

async fn status_of(app: &App) -> Result<SetupStatus, ApiError> {
    let rows = app.db()?.run(Query::<Status>::new(STATUS, [])).await?;
    let row = rows
        .first()
        .ok_or_else(|| ApiError::internal("a query of one row gave none"))?;
    Ok(SetupStatus {
        setup_required: !row.complete,
        setup_complete: row.complete,
        vault_set: row.vault_set,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::World;

    fn status(world: &World) -> (bool, bool) {
        let row = world.run(Query::<Status>::new(STATUS, [])).remove(0);
        (row.complete, row.vault_set)
    }

    #[test]
    fn setting_up_is_possible_once_and_not_where_somebody_has_an_account() {
        let world = World::new();
        assert_eq!(status(&world), (false, false));
        world.user("ann", "acme", "user");
        assert_eq!(status(&world), (true, false));
        let acme = world.caller("ann").organization_id().clone();
        world.run(complete(&acme, "2026-01-01T00:00:00.000Z"));
        assert!(
            world
                .try_run(complete(&acme, "2026-01-01T00:00:00.000Z"))
                .unwrap_err()
                .contains("UNIQUE")
        );
        world.run(Query::<Nothing>::new(SET_VAULT, [(&acme).into(), "sealed".into()]));
        assert_eq!(status(&world), (true, true));
    }
}
