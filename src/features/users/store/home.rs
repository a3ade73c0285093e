//! SQL of where new accounts are made.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{Query, flag, statements};

statements! {
    /// Where the caller (?1) makes an account: in its own organization, or that of a super administrator's choice (?2); and what
    /// is taken there.
    FIND_HOME = "SELECT o.id, o.slug, EXISTS (SELECT 1 FROM users x WHERE x.username = ?3) AS username_taken,
           EXISTS (SELECT 1 FROM users x WHERE x.organization_id = o.id AND x.email = ?4 AND x.deleted_at IS NULL) AS email_taken
         FROM users c JOIN organizations o ON o.id =
           CASE WHEN c.role = 'super_admin' AND ?2 IS NOT NULL THEN (SELECT id FROM organizations WHERE slug = ?2) ELSE c.organization_id END
         WHERE c.id = ?1";
}

/// Where an account is to be made.
#[derive(Debug, Deserialize)]
pub struct Home {
    pub id: ObjectId,
    pub slug: String,
    #[serde(deserialize_with = "flag")]
    pub username_taken: bool,
    #[serde(deserialize_with = "flag")]
    pub email_taken: bool,
}

/// Where the caller makes an account of these names.
pub fn find_home(caller: &ObjectId, tenant_id: Option<&str>, username: &str, email: &str) -> Query<Home> {
    Query::new(
        FIND_HOME,
        [caller.into(), tenant_id.into(), username.into(), email.into()],
    )
}
