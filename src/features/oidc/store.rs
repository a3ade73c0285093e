//! SQL of signing in with another provider.
use serde::Deserialize;

use crate::platform::db::{Query, flag, statements};

statements! {
    /// Whether accounts that were disabled, or whose organization was, have an address.
    FIND_DISABLED = "SELECT EXISTS (SELECT 1 FROM users u JOIN organizations o ON o.id = u.organization_id
         WHERE u.email = ?1 AND u.deleted_at IS NULL AND (u.disabled_at IS NOT NULL OR o.disabled_at IS NOT NULL)) AS disabled";
}

/// Whether there are such accounts.
#[derive(Debug, Deserialize)]
pub struct Disabled {
    #[serde(deserialize_with = "flag")]
    pub disabled: bool,
}

/// Whether somebody with this address has an account that is disabled. The address is in lower case.
pub fn find_disabled(email: &str) -> Query<Disabled> {
    Query::new(FIND_DISABLED, [email.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn an_account_is_disabled_itself_or_with_its_organization_and_not_if_it_is_deleted() {
        for (sql, disabled) in [
            ("UPDATE users SET pending = 0", false),
            ("UPDATE users SET disabled_at = 'x'", true),
            ("UPDATE organizations SET disabled_at = 'x'", true),
            ("UPDATE users SET disabled_at = 'x', deleted_at = 'x'", false),
        ] {
            let db = TestDb::new();
            db.user("ann", "acme", "user");
            db.execute(sql);
            assert_eq!(db.run(find_disabled("ann@example.org"))[0].disabled, disabled, "{sql}");
            assert!(!db.run(find_disabled("bob@example.org"))[0].disabled);
        }
    }
}
