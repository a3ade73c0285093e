//! SQL of what is in groups: people and machines.
use protocol::ids::ObjectId;

use super::access::{GroupControl, group_in_sight};
use super::row::{Host, MachineRow, MemberRow, Person};
use super::store::{NewGroup, ids};
use crate::http::page::Page;
use crate::platform::db::{Nothing, Query, statements};
use crate::platform::error::ApiError;

// Ids come first (CROSS JOIN) and find their rows by themselves (`+`), however few rows the organization is thought to have.
statements! {
    /// Of some ids (?2, JSON), those of people in the group's organization.
    PEOPLE_OF_GROUP = "SELECT DISTINCT v.id, v.username FROM groups g JOIN json_each(?2)
         CROSS JOIN users v ON v.id = json_each.value AND +v.organization_id = g.organization_id AND v.deleted_at IS NULL WHERE g.id = ?1";

    /// Of some public names and ids (?2, JSON), those of machines in the group's organization.
    MACHINES_OF_GROUP = "SELECT DISTINCT m.id, m.agent_id, m.name FROM groups g JOIN json_each(?2)
         CROSS JOIN machines m ON (m.id = json_each.value OR m.agent_id = json_each.value) AND +m.organization_id = g.organization_id WHERE g.id = ?1";

    TOUCH = "UPDATE groups SET updated_at = ?2 WHERE id = ?1";

    /// Nobody gets into another organization's group, whatever was looked up before.
    INSERT_MEMBERS = "INSERT OR IGNORE INTO group_members (group_id, user_id, added_at)
         SELECT g.id, v.id, ?3 FROM groups g JOIN json_each(?2)
         CROSS JOIN users v ON v.id = json_each.value AND +v.organization_id = g.organization_id AND v.deleted_at IS NULL WHERE g.id = ?1";

    DELETE_MEMBER = "DELETE FROM group_members WHERE group_id = ?1 AND user_id = ?2";

    /// No machine gets into another organization's group, whatever was looked up before.
    INSERT_MACHINES = "INSERT OR IGNORE INTO group_machines (group_id, machine_id, added_at)
         SELECT g.id, m.id, ?3 FROM groups g JOIN json_each(?2)
         CROSS JOIN machines m ON m.id = json_each.value AND +m.organization_id = g.organization_id WHERE g.id = ?1";

    DELETE_MACHINE = "DELETE FROM group_machines WHERE group_id = ?1 AND machine_id = ?2";

    LIST_MEMBERS = concat!(
        "SELECT v.id, v.username, v.email, v.first_name, v.last_name, v.role, v.machine_role, v.disabled_at IS NULL AS enabled,
           y.added_at FROM users u JOIN groups g ON ", group_in_sight!(), " JOIN group_members y ON y.group_id = g.id
         JOIN users v ON v.id = y.user_id WHERE u.id = ?1 AND g.id = ?2 ORDER BY v.username LIMIT ?3 OFFSET ?4"
    );

    LIST_MACHINES = concat!(
        "SELECT m.id, m.agent_id, m.name, m.status, x.added_at FROM users u JOIN groups g ON ", group_in_sight!(),
        " JOIN group_machines x ON x.group_id = g.id JOIN machines m ON m.id = x.machine_id
         WHERE u.id = ?1 AND g.id = ?2 ORDER BY m.name, m.id LIMIT ?3 OFFSET ?4"
    );
}

/// Of those named, the people in the organization of a group.
pub fn find_people<'a>(group: &ObjectId, people: impl IntoIterator<Item = &'a str>) -> Result<Query<Person>, ApiError> {
    Ok(Query::new(PEOPLE_OF_GROUP, [group.into(), ids(people)?]))
}

/// Of those named, the machines in the organization of a group.
pub fn find_machines<'a>(
    group: &ObjectId,
    machines: impl IntoIterator<Item = &'a str>,
) -> Result<Query<Host>, ApiError> {
    Ok(Query::new(MACHINES_OF_GROUP, [group.into(), ids(machines)?]))
}

/// Puts people and machines into a group that was just made.
pub fn fill(
    new: &NewGroup,
    people: &[Person],
    machines: &[Host],
) -> Result<(Query<Nothing>, Query<Nothing>), ApiError> {
    Ok((
        insert_members(new.id, people, new.now)?,
        insert_machines(new.id, machines, new.now)?,
    ))
}

fn insert_members(group: &ObjectId, people: &[Person], now: &str) -> Result<Query<Nothing>, ApiError> {
    let people = ids(people.iter().map(|person| person.id.as_str()))?;
    Ok(Query::new(INSERT_MEMBERS, [group.into(), people, now.into()]))
}

fn insert_machines(group: &ObjectId, machines: &[Host], now: &str) -> Result<Query<Nothing>, ApiError> {
    let machines = ids(machines.iter().map(|machine| machine.id.as_str()))?;
    Ok(Query::new(INSERT_MACHINES, [group.into(), machines, now.into()]))
}

fn touch(control: &GroupControl, now: &str) -> Query<Nothing> {
    Query::new(TOUCH, [control.id().into(), now.into()])
}

/// Two statements that belong together.
pub type Pair = (Query<Nothing>, Query<Nothing>);

/// Puts people into a group.
pub fn add_members(control: &GroupControl, people: &[Person], now: &str) -> Result<Pair, ApiError> {
    Ok((insert_members(control.id(), people, now)?, touch(control, now)))
}

/// Takes somebody out of a group.
pub fn remove_member(control: &GroupControl, user: &ObjectId, now: &str) -> Pair {
    let delete = Query::new(DELETE_MEMBER, [control.id().into(), user.into()]);
    (delete, touch(control, now))
}

/// Puts machines into a group.
pub fn add_machines(control: &GroupControl, machines: &[Host], now: &str) -> Result<Pair, ApiError> {
    Ok((insert_machines(control.id(), machines, now)?, touch(control, now)))
}

/// Takes a machine out of a group.
pub fn remove_machine(control: &GroupControl, machine: &ObjectId, now: &str) -> Pair {
    let delete = Query::new(DELETE_MACHINE, [control.id().into(), machine.into()]);
    (delete, touch(control, now))
}

/// The people of a group that the caller may know of, by name.
pub fn list_members(caller: &ObjectId, group: &ObjectId, page: Page) -> Query<MemberRow> {
    let (limit, offset) = page.window();
    Query::new(LIST_MEMBERS, [caller.into(), group.into(), limit.into(), offset.into()])
}

/// The machines of a group that the caller may know of, by name.
pub fn list_machines(caller: &ObjectId, group: &ObjectId, page: Page) -> Query<MachineRow> {
    let (limit, offset) = page.window();
    Query::new(
        LIST_MACHINES,
        [caller.into(), group.into(), limit.into(), offset.into()],
    )
}
