//! SQL of groups.
pub mod machines;
pub mod members;

use protocol::ids::ObjectId;
use serde::Deserialize;

use super::access::{GroupControl, group_in_sight};
use super::row::{ChangedRow, GroupRow, Host, Person};
use crate::auth::caller::Caller;
use crate::features::organizations::access::OrganizationControl;
use crate::http::json_text::BodyRow;
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Nothing, Query, statements};
use crate::platform::error::ApiError;

/// The body of a group (`g`) of an organization (`o`): a [`Group`](protocol::api::groups::Group).
macro_rules! group_body {
    () => {
        concat!(
            "json_object('id', g.id, 'name', g.name, 'description', g.description, 'tenant_id', o.slug, 'tenant_name', o.name,
               'keycloak_id', '', 'created_at', ", $crate::http::json_text::json_time!("g.created_at"),
            ", 'updated_at', ", $crate::http::json_text::json_time!("g.updated_at"),
            ", 'member_count', (SELECT COUNT(*) FROM group_members y WHERE y.group_id = g.id),
               'member_ids', json(", $crate::features::groups::store::member_ids!(),
            "), 'machine_count', ", $crate::features::groups::store::machine_count!(),
            ", 'machine_ids', json(", $crate::features::groups::store::machine_ids!(), ")) AS body"
        )
    };
}
pub(crate) use group_body;

macro_rules! member_ids {
    () => {
        "(SELECT json_group_array(y.user_id) FROM group_members y WHERE y.group_id = g.id)"
    };
}
pub(crate) use member_ids;

macro_rules! machine_ids {
    () => {
        "(SELECT json_group_array(m.agent_id) FROM group_machines x JOIN machines m ON m.id = x.machine_id WHERE x.group_id = g.id)"
    };
}
pub(crate) use machine_ids;

macro_rules! machine_count {
    () => {
        "(SELECT COUNT(*) FROM group_machines x WHERE x.group_id = g.id)"
    };
}
pub(crate) use machine_count;

/// The organization that the caller (?1) lists or makes groups in: that of a super administrator's choice (?2), or its own.
macro_rules! chosen_organization {
    () => {
        "users u JOIN organizations o ON o.id =
           CASE WHEN u.role = 'super_admin' AND ?2 IS NOT NULL THEN (SELECT id FROM organizations WHERE slug = ?2) ELSE u.organization_id END"
    };
}

/// The groups in it, narrowed by a part of name or description (?3).
macro_rules! listed {
    () => {
        concat!(
            " FROM ", chosen_organization!(), " JOIN groups g ON g.organization_id = o.id
             WHERE u.id = ?1 AND (?3 IS NULL OR instr(lower(g.name), lower(?3)) > 0 OR instr(lower(g.description), lower(?3)) > 0)"
        )
    };
}

// Where ids are looked up, they come first (CROSS JOIN) and find their rows by themselves (`+`), however few rows the
// organization is thought to have.
statements! {
    LIST = concat!("SELECT ", group_body!(), listed!(), " ORDER BY g.name, g.id LIMIT ?4 OFFSET ?5");

    COUNT = concat!("SELECT COUNT(*) AS total", listed!());

    LIST_OF_ORGANIZATION = concat!(
        "SELECT ", group_body!(), " FROM organizations o JOIN groups g ON g.organization_id = o.id
         WHERE o.id = ?1 ORDER BY g.name, g.id LIMIT ?2 OFFSET ?3"
    );

    COUNT_OF_ORGANIZATION = "SELECT COUNT(*) AS total FROM groups WHERE organization_id = ?1";

    FIND = concat!(
        "SELECT g.id, g.organization_id, g.name, g.description, ", member_ids!(), " AS member_ids, ", machine_ids!(),
        " AS machine_ids, ", group_body!(), " FROM users u JOIN groups g ON ", group_in_sight!(),
        " JOIN organizations o ON o.id = g.organization_id WHERE u.id = ?1 AND g.id = ?2"
    );

    /// The same once more, after a change.
    READ = concat!("SELECT ", machine_count!(), " AS machine_count, ", group_body!(), " FROM groups g JOIN organizations o ON o.id = g.organization_id WHERE g.id = ?1");

    CHOSEN_ORGANIZATION = concat!("SELECT o.id FROM ", chosen_organization!(), " WHERE u.id = ?1");

    /// Of some ids (?3, JSON), those of people in the chosen organization.
    PEOPLE_OF_CHOSEN = concat!(
        "SELECT DISTINCT v.id, v.username FROM ", chosen_organization!(), " JOIN json_each(?3)
         CROSS JOIN users v ON v.id = json_each.value AND +v.organization_id = o.id AND v.deleted_at IS NULL WHERE u.id = ?1"
    );

    /// Of some public names and ids (?3, JSON), those of machines in the chosen organization.
    MACHINES_OF_CHOSEN = concat!(
        "SELECT DISTINCT m.id, m.agent_id, m.name FROM ", chosen_organization!(), " JOIN json_each(?3)
         CROSS JOIN machines m ON (m.id = json_each.value OR m.agent_id = json_each.value) AND +m.organization_id = o.id WHERE u.id = ?1"
    );

    INSERT = "INSERT INTO groups (id, organization_id, name, description, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";

    UPDATE = "UPDATE groups SET name = ?2, description = ?3, updated_at = ?4 WHERE id = ?1";

    DELETE = "DELETE FROM groups WHERE id = ?1";

    TOUCH = "UPDATE groups SET updated_at = ?2 WHERE id = ?1";

    TOUCH_ALL = "UPDATE groups SET updated_at = ?2 WHERE id IN (SELECT value FROM json_each(?1))";
}

/// The organization that groups are listed or made in.
#[derive(Debug, Deserialize)]
pub struct Chosen {
    pub id: ObjectId,
}

/// A group to be made.
#[derive(Debug)]
pub struct NewGroup<'a> {
    pub id: &'a ObjectId,
    pub organization_id: &'a ObjectId,
    pub name: &'a str,
    pub description: &'a str,
    pub now: &'a str,
}

/// Which groups to list.
#[derive(Debug, Default)]
pub struct Filter {
    pub search: Option<String>,
    pub tenant_id: Option<String>,
}

fn text(text: Option<&str>) -> Arg {
    text.filter(|text| !text.is_empty()).into()
}

/// Ids as JSON, for `json_each`.
pub fn ids<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<Arg, ApiError> {
    let ids: Vec<&str> = ids.into_iter().collect();
    Ok(serde_json::to_string(&ids).map_err(ApiError::internal)?.into())
}

/// The groups the caller lists.
pub fn list(caller: &ObjectId, filter: &Filter, page: Page) -> Query<BodyRow> {
    let (limit, offset) = page.window();
    let [caller, tenant, search] = filter.args(caller);
    Query::new(LIST, [caller, tenant, search, limit.into(), offset.into()])
}

/// How many there are on all pages together.
pub fn count(caller: &ObjectId, filter: &Filter) -> Query<Count> {
    Query::new(COUNT, filter.args(caller))
}

impl Filter {
    fn args(&self, caller: &ObjectId) -> [Arg; 3] {
        [
            caller.into(),
            text(self.tenant_id.as_deref()),
            text(self.search.as_deref()),
        ]
    }
}

/// The groups of one organization, and how many there are.
pub fn list_of_organization(control: &OrganizationControl, page: Page) -> (Query<BodyRow>, Query<Count>) {
    let (limit, offset) = page.window();
    (
        Query::new(LIST_OF_ORGANIZATION, [control.id().into(), limit.into(), offset.into()]),
        Query::new(COUNT_OF_ORGANIZATION, [control.id().into()]),
    )
}

/// One group, if the caller may know of it. [`GroupAccess::decide`](crate::features::groups::access::GroupAccess::decide) says what follows from the row.
pub fn find(caller: &ObjectId, group: &ObjectId) -> Query<GroupRow> {
    Query::new(FIND, [caller.into(), group.into()])
}

/// A group after a change.
pub fn read(group: &ObjectId) -> Query<ChangedRow> {
    Query::new(READ, [group.into()])
}

/// What a group is made of: its organization, and who and what of the wanted ones there is.
pub type Ingredients = (Query<Chosen>, Query<Person>, Query<Host>);

/// Looks up what a group is to be made of.
pub fn ingredients(
    caller: &ObjectId,
    tenant: Option<&str>,
    members: &[String],
    machines: &[String],
) -> Result<Ingredients, ApiError> {
    let members = ids(members.iter().map(String::as_str))?;
    let machines = ids(machines.iter().map(String::as_str))?;
    Ok((
        Query::new(CHOSEN_ORGANIZATION, [caller.into(), text(tenant)]),
        Query::new(PEOPLE_OF_CHOSEN, [caller.into(), text(tenant), members]),
        Query::new(MACHINES_OF_CHOSEN, [caller.into(), text(tenant), machines]),
    ))
}

/// Makes a group in the caller's organization, or a super administrator's in any.
pub fn insert(caller: &Caller, new: &NewGroup) -> Result<Query<Nothing>, ApiError> {
    let own = caller.is_admin() && caller.organization_id() == new.organization_id;
    if !own && !caller.is_super_admin() {
        return Err(ApiError::not_authorized());
    }
    Ok(Query::new(
        INSERT,
        [
            new.id.into(),
            new.organization_id.into(),
            new.name.into(),
            new.description.into(),
            new.now.into(),
        ],
    ))
}

/// Gives a group another name and description.
pub fn update(control: &GroupControl, name: &str, description: &str, now: &str) -> Query<Nothing> {
    Query::new(
        UPDATE,
        [control.id().into(), name.into(), description.into(), now.into()],
    )
}

/// Removes a group. Its people and machines stay.
pub fn delete(control: &GroupControl) -> Query<Nothing> {
    Query::new(DELETE, [control.id().into()])
}

/// The group has changed.
fn touch(control: &GroupControl, now: &str) -> Query<Nothing> {
    Query::new(TOUCH, [control.id().into(), now.into()])
}

/// Two statements that belong together.
pub type Pair = (Query<Nothing>, Query<Nothing>);

/// The groups (a JSON array of ids) have changed.
fn touch_all(groups: &str, now: &str) -> Query<Nothing> {
    Query::new(TOUCH_ALL, [groups.into(), now.into()])
}

#[cfg(test)]
mod tests;
