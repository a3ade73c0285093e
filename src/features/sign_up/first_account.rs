//! The account that runs a server, with an organization of its own. However many try to make it, one does.
use protocol::api::auth::Role;
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use crate::audit::{self, Event};
use crate::features::accounts::new_account::NewApiKey;
use crate::features::accounts::row::AccountRow;
use crate::features::accounts::store::insert::{NewAccount, insert_account};
use crate::features::accounts::{password, store};
use crate::features::organizations::store::{self as organizations, NewOrganization};
use crate::platform::context::App;
use crate::platform::db::{DbError, Nothing, Query, now, statements};
use crate::platform::error::ApiError;
use crate::platform::random;

statements! {
    /// Fails if somebody was faster.
    COMPLETE = "INSERT INTO setup (one, organization_id, completed_at) VALUES (1, ?1, ?2)";
}

/// What it is to be.
pub struct FirstAccount<'a> {
    pub username: &'a str,
    /// Lower case; empty if it has none. Whoever runs the server vouches for it.
    pub email: &'a str,
    pub password: &'a Secret,
    pub first_name: &'a str,
    pub last_name: &'a str,
    /// The slug and name of its organization.
    pub organization: (&'a str, &'a str),
    /// Opens the organization's vaults.
    pub vault_password: Option<&'a Secret>,
}

/// Makes it, all or nothing, and logs `event` as its doing. Gives its row, or nothing if there is such an account already or one
/// of its names is taken.
pub async fn make(app: &App, first: FirstAccount<'_>, event: Event) -> Result<Option<AccountRow>, ApiError> {
    let (id, organization_id, now) = (random::object_id()?, random::object_id()?, now());
    let (slug, name) = first.organization;
    let organization = organizations::insert(&NewOrganization {
        id: &organization_id,
        slug,
        name,
        description: "",
        now: &now,
    });
    let api_key = NewApiKey::make(app, &id)?;
    let user = insert_account(&NewAccount {
        id: &id,
        organization_id: &organization_id,
        username: first.username,
        email: first.email,
        community: false,
        password_hash: &password::hash(first.password.expose())?,
        role: Role::SuperAdmin,
        first_name: first.first_name,
        last_name: first.last_name,
        email_verified: !first.email.is_empty(),
        api_key_hash: &api_key.hash,
        api_key_sealed: &api_key.sealed,
        now: &now,
        last_login_at: None,
    });
    let vault = match first.vault_password {
        Some(password) => {
            let sealed = app
                .config
                .sealing
                .seal(&organizations::vault_associated_data(&organization_id), password)?;
            let sealed = Some(sealed);
            Some(organizations::set_vault(&organization_id, sealed, first.username, &now))
        }
        None => None,
    };
    let event = event.by(&id, first.username).within(&organization_id).on(&id);
    let batch = (
        (organization, complete(&organization_id, &now)),
        (user, vault),
        audit::record(&event),
        store::find_account(&id),
    );
    match app.db()?.run(batch).await {
        Ok((.., accounts)) => match accounts.into_iter().next() {
            Some(account) => Ok(Some(account)),
            None => Err(ApiError::internal("a new account is not there")),
        },
        Err(DbError::Duplicate) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn complete(organization: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(COMPLETE, [organization.into(), now.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn a_server_is_set_up_once() {
        let db = TestDb::new();
        db.user("ann", "acme", "super_admin");
        let acme = db.caller("ann").organization_id().clone();
        db.run(complete(&acme, "2026-01-01T00:00:00.000Z"));
        let again = db.try_run(complete(&acme, "2026-01-01T00:00:00.000Z"));
        assert!(again.unwrap_err().contains("UNIQUE"));
        db.run(organizations::set_vault(&acme, Some("sealed".into()), "ann", "x"));
        assert_eq!(db.count("organizations WHERE vault_sealed = 'sealed'"), 1);
    }
}
