//! SQL of the passwords of accounts.
use protocol::ids::ObjectId;

use super::email_link::{self, Purpose};
use super::otp;
use crate::features::accounts::row::AccountRow;
use crate::platform::db::{Nothing, Query, refuse, statements};

statements! {
    /// Refuses the batch if the account's tokens have died since it was looked at: whoever was shut out must not come back with a
    /// password that was on its way.
    KEEP_OUT = concat!("SELECT ", refuse!("id"), " FROM users WHERE id = ?1 AND token_version <> ?2");

    SET = "UPDATE users SET password_hash = ?2, must_reset_password = 0, token_version = token_version + 1, updated_at = ?3 WHERE id = ?1";

    /// Two people know the password, so it serves to choose another one.
    ASK_FOR_ANOTHER = "UPDATE users SET must_reset_password = 1 WHERE id = ?1";

    /// The mail has shown that the address is its owner's.
    ACCEPT = "UPDATE users SET password_hash = ?2, pending = 0, invite_accepted_at = ?4, email_verified = 1, must_reset_password = 0,
           display_name = CASE WHEN ?3 = '' THEN display_name ELSE ?3 END, token_version = token_version + 1, updated_at = ?4
         WHERE id = ?1 AND pending = 1";
}

/// The rows of a new password: tokens until now, links to reset it and sign-ins that wait for a code end.
pub fn set(user: &ObjectId, hash: &str, now: &str) -> (Query<Nothing>, Query<Nothing>, Query<Nothing>) {
    (
        Query::new(SET, [user.into(), hash.into(), now.into()]),
        email_link::void(user, Purpose::Reset, now),
        otp::delete(user),
    )
}

/// Refuses the batch for an account that was shut out since it was looked at.
pub fn keep_out(account: &AccountRow) -> Query<Nothing> {
    Query::new(KEEP_OUT, [(&account.id).into(), account.token_version.into()])
}

/// The password serves to choose another one.
pub fn ask_for_another(user: &ObjectId) -> Query<Nothing> {
    Query::new(ASK_FOR_ANOTHER, [user.into()])
}

/// The first password of an account that waits for its owner, and their name if they give one.
pub fn accept(user: &ObjectId, hash: &str, display_name: &str, now: &str) -> Query<Nothing> {
    Query::new(ACCEPT, [user.into(), hash.into(), display_name.into(), now.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::accounts::email_link;
    use crate::features::accounts::store::find_account;
    use crate::platform::db::now;
    use crate::testing::TestDb;

    #[test]
    fn a_password_that_was_on_its_way_does_not_let_in_who_was_shut_out_meanwhile() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let before = db.run(find_account(db.caller("ann").id())).remove(0);
        assert!(db.try_run(keep_out(&before)).is_ok());
        db.execute("UPDATE users SET token_version = token_version + 1");
        assert!(db.try_run(keep_out(&before)).unwrap_err().contains("refused by"));
    }

    #[test]
    fn a_new_password_ends_tokens_links_and_the_need_for_it() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let ann = db.caller("ann").id().clone();
        db.execute("UPDATE users SET must_reset_password = 1");
        let (_, (_, link)) = email_link::new(&ann, Purpose::Reset, &now()).unwrap();
        db.run(link);
        let (users, links, codes) = set(&ann, "new hash", &now());
        db.run(users);
        db.run(links);
        db.run(codes);
        let row = db.run(find_account(&ann)).remove(0);
        assert_eq!(
            (row.password_hash.as_str(), row.token_version, row.must_reset_password),
            ("new hash", 1, false)
        );
        db.execute("CREATE TABLE open AS SELECT * FROM mailed_tokens WHERE used_at IS NULL");
        assert_eq!(db.count("open"), 0);
    }

    #[test]
    fn an_invitation_is_accepted_once_and_keeps_the_name_that_was_given() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.execute("UPDATE users SET pending = 1, display_name = 'Ann'");
        let ann = db.caller("ann").id().clone();
        db.run(accept(&ann, "first", "", "2026-01-01T00:00:00.000Z"));
        db.run(accept(&ann, "second", "Annie", "2026-01-01T00:00:00.000Z"));
        let row = db.run(find_account(&ann)).remove(0);
        assert_eq!(
            (row.password_hash.as_str(), row.display_name.as_str()),
            ("first", "Ann")
        );
        assert!(row.is_active && row.email_verified);
    }
}
