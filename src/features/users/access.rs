//! The right to see, and to change, one account.
use protocol::api::auth::Role;
use protocol::ids::ObjectId;

use super::row::{FoundUser, UserRow};
use crate::auth::caller::Caller;
use crate::auth::permission::Permission;
use crate::platform::error::ApiError;

/// The right to see an account of one's organization.
#[derive(Debug)]
pub struct UserAccess {
    found: FoundUser,
    caller: Caller,
}

/// The right to change an account, as far as the operation's rule goes.
#[derive(Debug)]
pub struct UserControl(UserAccess);

impl UserAccess {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<FoundUser>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("User not found")),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    pub fn row(&self) -> &UserRow {
        &self.found.user
    }

    /// Whether the account is the caller's own.
    pub fn is_own(&self) -> bool {
        self.found.user.id == *self.caller.id()
    }

    /// Whether the caller may see all of it, not only what colleagues may.
    pub fn sees_all(&self) -> bool {
        self.is_own() || self.caller.may(Permission::UsersView)
    }

    /// The right to change it. Nobody has it over an account that may do more than the caller: whoever can give an account
    /// another mail address, or take the link that sets its password, can become it. For the same reason nobody has it over the
    /// own account by an API key.
    pub fn control(self) -> Result<UserControl, ApiError> {
        if self.is_own() {
            self.caller.in_person()?;
        }
        let row = &self.found.user;
        let covers = match row.role {
            Role::SuperAdmin => self.caller.is_super_admin(),
            Role::CompanyAdmin => self.caller.is_admin(),
            Role::User => row.permissions.iter().all(|codename| self.caller.holds(codename)),
        };
        match (covers, row.role) {
            (true, _) => Ok(UserControl(self)),
            (false, Role::SuperAdmin) => Err(ApiError::forbidden("forbidden", "Cannot modify a super admin")),
            (false, _) => Err(ApiError::forbidden("forbidden", "This account may do more than yours")),
        }
    }
}

impl UserControl {
    pub fn row(&self) -> &UserRow {
        self.0.row()
    }

    pub fn id(&self) -> &ObjectId {
        &self.row().id
    }

    pub fn organization_id(&self) -> &ObjectId {
        &self.0.found.organization_id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// Whether the account is the caller's own.
    pub fn is_own(&self) -> bool {
        self.0.is_own()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::users::store::{UserKey, find};
    use crate::testing::TestDb;

    /// An organization with an administrator, `ann`, `sam` who may edit users, and `pat` who may also see costs.
    fn db() -> TestDb {
        let db = TestDb::new();
        for (name, organization, role) in [
            ("root", "platform", "super_admin"),
            ("admin", "acme", "company_admin"),
            ("ann", "acme", "user"),
            ("sam", "acme", "user"),
            ("pat", "acme", "user"),
            ("eve", "evil", "company_admin"),
            ("chief", "acme", "super_admin"),
        ] {
            db.user(name, organization, role);
        }
        db.execute(
            "INSERT INTO roles (id, organization_id, name, created_at)
               SELECT 100, organization_id, 'editors', created_at FROM users WHERE username = 'ann';
             INSERT INTO roles (id, organization_id, name, created_at)
               SELECT 101, organization_id, 'costs', created_at FROM users WHERE username = 'ann';
             INSERT INTO role_permissions VALUES (100, 'users.edit'), (101, 'costs.view');
             INSERT INTO user_roles SELECT id, 100 FROM users WHERE username IN ('sam', 'pat');
             INSERT INTO user_roles SELECT id, 101 FROM users WHERE username = 'pat'",
        );
        db
    }

    fn access(db: &TestDb, caller: &str, user: &str) -> Result<UserAccess, ApiError> {
        let (caller, user) = (db.caller(caller), db.caller(user));
        let found = db.run(find(caller.id(), &UserKey::Id(user.id().clone())));
        UserAccess::decide(caller, found)
    }

    #[test]
    fn an_account_is_seen_in_its_organization_and_by_super_administrators() {
        let db = db();
        for (caller, user, seen) in [
            ("ann", "admin", true),
            ("ann", "ann", true),
            ("eve", "ann", false),
            ("ann", "eve", false),
            ("root", "ann", true),
        ] {
            assert_eq!(access(&db, caller, user).is_ok(), seen, "{caller} {user}");
        }
        db.execute("UPDATE users SET deleted_at = 'x' WHERE username = 'ann'");
        assert!(access(&db, "admin", "ann").is_err());
        assert!(access(&db, "admin", "sam").unwrap().sees_all());
        assert!(!access(&db, "sam", "pat").unwrap().sees_all());
        assert!(access(&db, "sam", "sam").unwrap().sees_all());
    }

    #[test]
    fn nobody_changes_an_account_that_may_do_more() {
        let db = db();
        for (caller, user, changes) in [
            ("admin", "ann", true),
            ("admin", "pat", true),
            ("admin", "admin", true),
            ("admin", "chief", false),
            ("root", "chief", true),
            ("root", "admin", true),
            ("sam", "ann", true),
            ("sam", "admin", false),
            ("sam", "pat", false),
            ("pat", "sam", true),
        ] {
            let control = access(&db, caller, user).unwrap().control();
            assert_eq!(control.is_ok(), changes, "{caller} {user}");
        }
    }
}
