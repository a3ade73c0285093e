//! SQL of people: who is there, and what becomes of them.
pub mod delete;
pub mod home;

use protocol::ids::ObjectId;
use serde::Deserialize;

use super::access::UserControl;
use super::row::{FoundUser, UserRow, user_row};
use crate::features::accounts::store as accounts;
use crate::features::accounts::store::change::Change;
use crate::features::groups::store::group_body;
use crate::http::json_text::BodyRow;
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Nothing, Query, json, refuse, statements};

/// The people that the caller (?1) lists, in one organization: that of the super administrator's choice (?2) or the caller's
/// own. Narrowed by a part of a name or address (?3) and by what they are (?4).
macro_rules! listed {
    () => {
        " FROM users c JOIN organizations o ON o.id =
           CASE WHEN c.role = 'super_admin' AND ?2 IS NOT NULL THEN (SELECT id FROM organizations WHERE slug = ?2) ELSE c.organization_id END
         JOIN users u ON u.organization_id = o.id
         WHERE c.id = ?1 AND u.deleted_at IS NULL
         AND (?3 IS NULL OR instr(lower(u.username), lower(?3)) > 0 OR instr(u.email, lower(?3)) > 0
           OR instr(lower(u.display_name), lower(?3)) > 0 OR instr(lower(u.first_name || ' ' || u.last_name), lower(?3)) > 0)
         AND (?4 IS NULL OR u.role = ?4)"
    };
}
pub(crate) use listed;

macro_rules! found {
    () => {
        concat!(
            "SELECT u.organization_id, ",
            user_row!(),
            " FROM users c JOIN users u ON u.organization_id = c.organization_id OR c.role = 'super_admin'
             JOIN organizations o ON o.id = u.organization_id WHERE c.id = ?1 AND u.deleted_at IS NULL"
        )
    };
}

statements! {
    LIST = concat!("SELECT ", user_row!(), listed!(), " ORDER BY u.int_id LIMIT ?5 OFFSET ?6");

    COUNT = concat!("SELECT COUNT(*) AS total", listed!());

    FIND_BY_ID = concat!(found!(), " AND u.id = ?2");

    FIND_BY_NUMBER = concat!(found!(), " AND u.int_id = ?2");

    GROUPS = concat!("SELECT ", group_body!(), " FROM group_members z JOIN groups g ON g.id = z.group_id
         JOIN organizations o ON o.id = g.organization_id WHERE z.user_id = ?1 ORDER BY g.name, g.id");

    /// An organization that lost an administrator has another.
    KEEP_AN_ADMIN = concat!("SELECT ", refuse!("o.slug"), " FROM organizations o WHERE o.id = ?1 AND NOT EXISTS
           (SELECT 1 FROM users a WHERE a.organization_id = o.id AND a.role <> 'user' AND a.disabled_at IS NULL
            AND a.deleted_at IS NULL AND a.pending = 0)");

    DROP_ROLES = "DELETE FROM user_roles WHERE user_id = ?1";

    GIVE_ROLES = "INSERT INTO user_roles (user_id, role_id) SELECT ?1, r.id FROM roles r
         WHERE r.organization_id = ?2 AND r.is_system = 0 AND r.id IN (SELECT value FROM json_each(?3))";

    FIND_GROUPS = "SELECT g.id, json_each.value AS given FROM json_each(?2)
         JOIN groups g ON g.organization_id = ?1 AND (g.id = json_each.value OR g.name = json_each.value)";
}

/// Names one account in a path: by its id or by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserKey {
    /// 24 lowercase hex digits.
    Id(ObjectId),
    /// Its number.
    Number(i64),
}

impl UserKey {
    /// What a text in a path names, if it can name an account at all.
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) => text.parse().ok().filter(|number| *number >= 0).map(Self::Number),
        }
    }
}

/// One account of a list.
#[derive(Debug, Deserialize)]
pub struct Listed {
    #[serde(deserialize_with = "json")]
    pub user: UserRow,
}

/// A group that was named.
#[derive(Debug, Deserialize)]
pub struct NamedGroup {
    pub id: ObjectId,
    /// How.
    pub given: String,
}

/// Which people to list.
#[derive(Debug, Default)]
pub struct Filter {
    pub search: Option<String>,
    pub tenant_id: Option<String>,
    pub role: Option<String>,
}

impl Filter {
    /// What [`listed!`] wants.
    pub fn args(&self, caller: &ObjectId) -> [Arg; 4] {
        let text = |text: &Option<String>| Arg::from(text.as_deref().filter(|text| !text.is_empty()));
        [
            caller.into(),
            text(&self.tenant_id),
            text(&self.search),
            text(&self.role),
        ]
    }
}

/// The people that the caller lists.
pub fn list(caller: &ObjectId, filter: &Filter, page: Page) -> Query<Listed> {
    let (limit, offset) = page.window();
    let [caller, tenant, search, role] = filter.args(caller);
    Query::new(LIST, [caller, tenant, search, role, limit.into(), offset.into()])
}

/// How many there are on all pages together.
pub fn count(caller: &ObjectId, filter: &Filter) -> Query<Count> {
    Query::new(COUNT, filter.args(caller))
}

/// One account, if the caller may know of it. [`UserAccess::decide`](crate::features::users::access::UserAccess::decide) says what
/// follows from the row.
pub fn find(caller: &ObjectId, key: &UserKey) -> Query<FoundUser> {
    match key {
        UserKey::Id(id) => Query::new(FIND_BY_ID, [caller.into(), id.into()]),
        UserKey::Number(number) => Query::new(FIND_BY_NUMBER, [caller.into(), (*number).into()]),
    }
}

/// The groups an account is in.
pub fn groups(user: &ObjectId) -> Query<BodyRow> {
    Query::new(GROUPS, [user.into()])
}

/// Gives an account exactly these roles of its organization (a JSON array of numbers), leaving the system role aside.
pub fn set_roles(user: &ObjectId, organization: &ObjectId, roles: &str) -> [Query<Nothing>; 2] {
    [
        Query::new(DROP_ROLES, [user.into()]),
        Query::new(GIVE_ROLES, [user.into(), organization.into(), roles.into()]),
    ]
}

pub fn update(control: &UserControl, change: &Change, now: &str) -> Query<Nothing> {
    accounts::change::update(control.id(), change, now)
}

/// Refuses the batch if no administrator would be left. It goes behind the change.
pub fn keep_an_admin(organization: &ObjectId) -> Query<Nothing> {
    Query::new(KEEP_AN_ADMIN, [organization.into()])
}

/// The groups of an organization that were named, by id or name (a JSON array).
pub fn find_groups(organization: &ObjectId, given: &str) -> Query<NamedGroup> {
    Query::new(FIND_GROUPS, [organization.into(), given.into()])
}

#[cfg(test)]
mod tests;
