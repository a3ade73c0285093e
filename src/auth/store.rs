//! SQL of organizations and accounts.
use protocol::api::auth::Role;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::caller::CallerRow;
use crate::db::{Nothing, Query, flag, statements};

/// What a login, a renewal and an account's own page read.
macro_rules! account_columns {
    () => {
        "u.id, u.int_id, u.username, u.email, u.password_hash, u.role, u.machine_role, u.first_name, u.last_name,
         u.email_verified, u.api_key_sealed, u.token_version, u.disabled_at, u.deleted_at, u.created_at, u.updated_at,
         u.last_login_at, o.slug AS tenant_id, o.name AS tenant_name
         FROM users u JOIN organizations o ON o.id = u.organization_id"
    };
}

statements! {
    /// The account behind a token, for every request.
    FIND_CALLER = "SELECT id, organization_id, username, token_version, disabled_at, deleted_at FROM users WHERE id = ?1";

    FIND_BY_ID = concat!("SELECT ", account_columns!(), " WHERE u.id = ?1");

    /// Of several accounts with one mail address, the one used last.
    FIND_BY_EMAIL = concat!(
        "SELECT ", account_columns!(),
        " WHERE u.email = ?1 AND u.disabled_at IS NULL AND u.deleted_at IS NULL ORDER BY u.last_login_at DESC LIMIT 1"
    );

    FIND_BY_USERNAME = concat!(
        "SELECT ", account_columns!(), " WHERE u.username = ?1 AND u.disabled_at IS NULL AND u.deleted_at IS NULL"
    );

    /// What a sign-up would collide with.
    FIND_TAKEN = "SELECT EXISTS (SELECT 1 FROM users WHERE username = ?1) AS username,
         EXISTS (SELECT 1 FROM users WHERE email = ?2 AND community = 1) AS email,
         EXISTS (SELECT 1 FROM organizations WHERE slug = ?3) AS slug";

    INSERT_ORGANIZATION = "INSERT INTO organizations (id, slug, name, created_at) VALUES (?1, ?2, ?3, ?4)";

    INSERT_USER = "INSERT INTO users
         (id, organization_id, username, email, community, password_hash, role, api_key_hash, api_key_sealed, created_at, updated_at, last_login_at)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9, ?9, ?9) RETURNING int_id";

    TOUCH_LOGIN = "UPDATE users SET last_login_at = ?2 WHERE id = ?1";
}

/// An account.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountRow {
    pub id: ObjectId,
    pub int_id: i64,
    pub username: String,
    pub email: String,
    pub password_hash: String,
    pub role: Role,
    pub machine_role: String,
    pub first_name: String,
    pub last_name: String,
    #[serde(deserialize_with = "flag")]
    pub email_verified: bool,
    pub api_key_sealed: String,
    pub token_version: i64,
    pub disabled_at: Option<String>,
    pub deleted_at: Option<String>,
    pub created_at: chrono::DateTime<chrono::Utc>,
    pub updated_at: chrono::DateTime<chrono::Utc>,
    pub last_login_at: Option<chrono::DateTime<chrono::Utc>>,
    pub tenant_id: String,
    pub tenant_name: String,
}

/// The names of a sign-up that exist already.
#[derive(Debug, Deserialize)]
pub struct Taken {
    #[serde(deserialize_with = "flag")]
    pub username: bool,
    #[serde(deserialize_with = "flag")]
    pub email: bool,
    #[serde(deserialize_with = "flag")]
    pub slug: bool,
}

/// A new account and the organization it is alone in.
#[derive(Debug)]
pub struct NewAccount<'a> {
    pub id: &'a ObjectId,
    pub organization_id: &'a ObjectId,
    pub slug: &'a str,
    pub username: &'a str,
    pub email: &'a str,
    pub password_hash: &'a str,
    pub api_key_hash: &'a str,
    pub api_key_sealed: &'a str,
    pub now: &'a str,
}

/// The number of a new account.
#[derive(Debug, Deserialize)]
pub struct Numbered {
    pub int_id: i64,
}

/// The account behind a token.
pub fn find_caller(id: &ObjectId) -> Query<CallerRow> {
    Query::new(FIND_CALLER, [id.into()])
}

/// One account with everything its owner may see.
pub fn find_account(id: &ObjectId) -> Query<AccountRow> {
    Query::new(FIND_BY_ID, [id.into()])
}

/// The account that somebody wants to sign in to, unless it is disabled or deleted.
pub fn find_login(name: &str) -> Query<AccountRow> {
    match name.contains('@') {
        true => Query::new(FIND_BY_EMAIL, [name.to_lowercase().into()]),
        false => Query::new(FIND_BY_USERNAME, [name.into()]),
    }
}

/// What a sign-up would collide with.
pub fn find_taken(username: &str, email: &str, slug: &str) -> Query<Taken> {
    Query::new(FIND_TAKEN, [username.into(), email.into(), slug.into()])
}

/// Makes the organization and the account.
pub fn insert_account(new: &NewAccount) -> (Query<Nothing>, Query<Numbered>) {
    let organization = Query::new(
        INSERT_ORGANIZATION,
        [
            new.organization_id.into(),
            new.slug.into(),
            new.username.into(),
            new.now.into(),
        ],
    );
    let user = Query::new(
        INSERT_USER,
        [
            new.id.into(),
            new.organization_id.into(),
            new.username.into(),
            new.email.into(),
            new.password_hash.into(),
            Role::CompanyAdmin.as_str().into(),
            new.api_key_hash.into(),
            new.api_key_sealed.into(),
            new.now.into(),
        ],
    );
    (organization, user)
}

/// Remembers a login.
pub fn touch_login(id: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(TOUCH_LOGIN, [id.into(), now.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::World;

    fn sign_up(world: &World, n: usize, username: &str, email: &str) -> Result<i64, String> {
        let (organization, user) = insert_account(&NewAccount {
            id: &format!("{n:024x}").parse().unwrap(),
            organization_id: &format!("{n:024x}").parse().unwrap(),
            slug: &format!("slug-{n}"),
            username,
            email,
            password_hash: "hash",
            api_key_hash: &format!("key {n}"),
            api_key_sealed: "sealed",
            now: "2026-01-01T00:00:00.000Z",
        });
        world.try_run(organization)?;
        Ok(world.try_run(user)?[0].int_id)
    }

    #[test]
    fn accounts_are_numbered_and_found_by_name_or_mail_address() {
        let world = World::new();
        assert_eq!(sign_up(&world, 1, "Ann", "ann@example.org"), Ok(1));
        assert_eq!(sign_up(&world, 2, "bob", "bob@example.org"), Ok(2));
        for name in ["Ann", "ANN", "ann", "ann@example.org", "Ann@Example.org"] {
            let account = world.run(find_login(name)).remove(0);
            assert_eq!(
                (account.int_id, account.tenant_id.as_str(), account.role),
                (1, "slug-1", Role::CompanyAdmin),
                "{name}"
            );
        }
        assert!(world.run(find_login("nobody")).is_empty());
    }

    #[test]
    fn a_username_and_a_community_mail_address_exist_once() {
        let world = World::new();
        sign_up(&world, 1, "ann", "ann@example.org").unwrap();
        let taken = world.run(find_taken("ANN", "ann@example.org", "slug-1")).remove(0);
        assert!(taken.username && taken.email && taken.slug);
        let free = world.run(find_taken("bob", "bob@example.org", "slug-2")).remove(0);
        assert!(!free.username && !free.email && !free.slug);
        assert!(
            sign_up(&world, 2, "ANN", "x@example.org")
                .unwrap_err()
                .contains("UNIQUE constraint failed")
        );
        assert!(
            sign_up(&world, 3, "bob", "ann@example.org")
                .unwrap_err()
                .contains("UNIQUE constraint failed")
        );
    }

    #[test]
    fn accounts_that_are_disabled_or_deleted_cannot_sign_in() {
        for column in ["disabled_at", "deleted_at"] {
            let world = World::new();
            sign_up(&world, 1, "ann", "ann@example.org").unwrap();
            world.execute(&format!("UPDATE users SET {column} = '2026-01-01T00:00:00.000Z'"));
            assert!(world.run(find_login("ann")).is_empty() && world.run(find_login("ann@example.org")).is_empty());
        }
    }

    #[test]
    fn of_two_accounts_with_one_mail_address_the_one_used_last_signs_in() {
        let world = World::new();
        world.user("ann", "acme", "user");
        world.user("ann2", "other", "user");
        world.execute("UPDATE users SET email = 'ann@example.org'");
        let ann2 = world.caller("ann2");
        world.run(touch_login(ann2.id(), "2026-01-02T00:00:00.000Z"));
        assert_eq!(world.run(find_login("ann@example.org")).remove(0).username, "ann2");
    }
}
