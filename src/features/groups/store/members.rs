//! SQL of the people in groups.
use protocol::ids::ObjectId;

use super::{Pair, ids, touch, touch_all};
use crate::features::groups::access::{GroupControl, group_in_sight};
use crate::features::groups::row::Person;
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::http::page::Page;
use crate::platform::db::{Nothing, Query, statements};
use crate::platform::error::ApiError;

// Ids come first (CROSS JOIN) and find their rows by themselves (`+`), however few rows the organization is thought to have.
statements! {
    /// Of some ids (?2, JSON), those of people in the group's organization.
    FIND = "SELECT DISTINCT v.id, v.username FROM groups g JOIN json_each(?2)
         CROSS JOIN users v ON v.id = json_each.value AND +v.organization_id = g.organization_id AND v.deleted_at IS NULL WHERE g.id = ?1";

    /// Nobody gets into another organization's group, whatever was looked up before.
    INSERT = "INSERT OR IGNORE INTO group_members (group_id, user_id, added_at)
         SELECT g.id, v.id, ?3 FROM groups g JOIN json_each(?2)
         CROSS JOIN users v ON v.id = json_each.value AND +v.organization_id = g.organization_id AND v.deleted_at IS NULL WHERE g.id = ?1";

    DELETE = "DELETE FROM group_members WHERE group_id = ?1 AND user_id = ?2";

    LIST = concat!(
        "SELECT json_object('id', v.id, 'user_id', v.id, 'username', v.username, 'email', v.email, 'first_name', v.first_name,
           'last_name', v.last_name, 'role', v.role, 'machine_role', v.machine_role, 'enabled', ", json_flag!("v.disabled_at IS NULL"),
        ", 'added_at', ", json_time!("y.added_at"), ") AS body FROM users u JOIN groups g ON ", group_in_sight!(),
        " JOIN group_members y ON y.group_id = g.id
         JOIN users v ON v.id = y.user_id WHERE u.id = ?1 AND g.id = ?2 ORDER BY v.username LIMIT ?3 OFFSET ?4"
    );

    LEAVE = "DELETE FROM group_members WHERE user_id = ?1 AND group_id NOT IN (SELECT value FROM json_each(?2))";

    JOIN = "INSERT OR IGNORE INTO group_members (group_id, user_id, added_at) SELECT value, ?1, ?3 FROM json_each(?2)";
}

/// Of those named, the people in the organization of a group.
pub fn find<'a>(group: &ObjectId, people: impl IntoIterator<Item = &'a str>) -> Result<Query<Person>, ApiError> {
    Ok(Query::new(FIND, [group.into(), ids(people)?]))
}

/// Puts people into a group that was just made.
pub fn insert(group: &ObjectId, people: &[Person], now: &str) -> Result<Query<Nothing>, ApiError> {
    let people = ids(people.iter().map(|person| person.id.as_str()))?;
    Ok(Query::new(INSERT, [group.into(), people, now.into()]))
}

/// Puts people into a group.
pub fn add(control: &GroupControl, people: &[Person], now: &str) -> Result<Pair, ApiError> {
    Ok((insert(control.id(), people, now)?, touch(control, now)))
}

/// Takes somebody out of a group.
pub fn remove(control: &GroupControl, user: &ObjectId, now: &str) -> Pair {
    let delete = Query::new(DELETE, [control.id().into(), user.into()]);
    (delete, touch(control, now))
}

/// The people of a group that the caller may know of, by name.
pub fn list(caller: &ObjectId, group: &ObjectId, page: Page) -> Query<BodyRow> {
    let (limit, offset) = page.window();
    Query::new(LIST, [caller.into(), group.into(), limit.into(), offset.into()])
}

/// Puts an account into exactly these groups (a JSON array of ids). `touched` are those it joins or leaves.
pub fn set_of_user(user: &ObjectId, groups: &str, touched: &str, now: &str) -> [Query<Nothing>; 3] {
    [
        Query::new(LEAVE, [user.into(), groups.into()]),
        Query::new(JOIN, [user.into(), groups.into(), now.into()]),
        touch_all(touched, now),
    ]
}

/// Takes an account out of all groups.
pub fn leave_all(user: &ObjectId) -> Query<Nothing> {
    Query::new(LEAVE, [user.into(), "[]".into()])
}
