//! SQL of the end of accounts: of one, and of all in an organization.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::features::organizations::access::OrganizationEnd;
use crate::platform::db::{Nothing, Query, statements};

statements! {
    /// The row stays, for the audit log and the machines' sessions; nothing that proves the account does.
    DELETE = "UPDATE users SET deleted_at = ?2, updated_at = ?2, token_version = token_version + 1, community = 0, password_hash = '',
           api_key_hash = 'deleted ' || id, api_key_sealed = '', totp_sealed = NULL, totp_confirmed_at = NULL, ssh_public_key = NULL
         WHERE id = ?1 AND deleted_at IS NULL";

    END_TOKENS = "UPDATE users SET token_version = token_version + 1 WHERE organization_id = ?1";

    /// What people have goes with them: grants, memberships, keys, letters. Gives where their avatars are, which are not here.
    DELETE_ALL = "DELETE FROM users WHERE organization_id = ?1 RETURNING id, avatar_url";
}

/// Somebody who was removed.
#[derive(Debug, Deserialize)]
pub struct Gone {
    pub id: ObjectId,
    pub avatar_url: Option<String>,
}

/// Ends an account. What else there is of it goes by the functions of whoever has it.
pub fn delete(user: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(DELETE, [user.into(), now.into()])
}

/// Ends all that an organization's people are signed in with.
pub fn end_tokens(end: &OrganizationEnd) -> Query<Nothing> {
    Query::new(END_TOKENS, [end.id().into()])
}

/// Removes an organization's people, and gives them.
pub fn delete_all(end: &OrganizationEnd) -> Query<Gone> {
    Query::new(DELETE_ALL, [end.id().into()])
}
