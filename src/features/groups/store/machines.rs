//! SQL of the machines in groups.
use protocol::ids::ObjectId;

use super::{Pair, ids, touch};
use crate::features::groups::access::{GroupControl, group_in_sight};
use crate::features::groups::row::Host;
use crate::http::json_text::{BodyRow, json_time};
use crate::http::page::Page;
use crate::platform::db::{Nothing, Query, statements};
use crate::platform::error::ApiError;

// Ids come first (CROSS JOIN) and find their rows by themselves (`+`), however few rows the organization is thought to have.
statements! {
    /// Of some public names and ids (?2, JSON), those of machines in the group's organization.
    FIND = "SELECT DISTINCT m.id, m.agent_id, m.name FROM groups g JOIN json_each(?2)
         CROSS JOIN machines m ON (m.id = json_each.value OR m.agent_id = json_each.value) AND +m.organization_id = g.organization_id WHERE g.id = ?1";

    /// No machine gets into another organization's group, whatever was looked up before.
    INSERT = "INSERT OR IGNORE INTO group_machines (group_id, machine_id, added_at)
         SELECT g.id, m.id, ?3 FROM groups g JOIN json_each(?2)
         CROSS JOIN machines m ON m.id = json_each.value AND +m.organization_id = g.organization_id WHERE g.id = ?1";

    DELETE = "DELETE FROM group_machines WHERE group_id = ?1 AND machine_id = ?2";

    LIST = concat!(
        "SELECT json_object('id', m.id, 'agent_id', m.agent_id, 'name', m.name, 'status', m.status, 'added_at', ",
        json_time!("x.added_at"), ") AS body FROM users u JOIN groups g ON ", group_in_sight!(),
        " JOIN group_machines x ON x.group_id = g.id JOIN machines m ON m.id = x.machine_id
         WHERE u.id = ?1 AND g.id = ?2 ORDER BY m.name, m.id LIMIT ?3 OFFSET ?4"
    );
}

/// Of those named, the machines in the organization of a group.
pub fn find<'a>(group: &ObjectId, machines: impl IntoIterator<Item = &'a str>) -> Result<Query<Host>, ApiError> {
    Ok(Query::new(FIND, [group.into(), ids(machines)?]))
}

/// Puts machines into a group that was just made.
pub fn insert(group: &ObjectId, machines: &[Host], now: &str) -> Result<Query<Nothing>, ApiError> {
    let machines = ids(machines.iter().map(|machine| machine.id.as_str()))?;
    Ok(Query::new(INSERT, [group.into(), machines, now.into()]))
}

/// Puts machines into a group.
pub fn add(control: &GroupControl, machines: &[Host], now: &str) -> Result<Pair, ApiError> {
    Ok((insert(control.id(), machines, now)?, touch(control, now)))
}

/// Takes a machine out of a group.
pub fn remove(control: &GroupControl, machine: &ObjectId, now: &str) -> Pair {
    let delete = Query::new(DELETE, [control.id().into(), machine.into()]);
    (delete, touch(control, now))
}

/// The machines of a group that the caller may know of, by name.
pub fn list(caller: &ObjectId, group: &ObjectId, page: Page) -> Query<BodyRow> {
    let (limit, offset) = page.window();
    Query::new(LIST, [caller.into(), group.into(), limit.into(), offset.into()])
}
