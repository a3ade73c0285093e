//! SQL of tags, and of what they let people do.
use protocol::api::inventory::tags::{MAX_TAG_PERMISSIONS, MAX_TAGS_OF_ORGANIZATION};
use protocol::ids::ObjectId;

use super::objects::numbers;
use crate::auth::caller::Caller;
use crate::features::inventory::row::{FoundTag, Grant, Number};
use crate::http::json_text::BodyRow;
use crate::platform::db::{Nothing, Query, statements};

/// SQL: what a tag (`g`) of a caller's (?1) organization lets roles do.
macro_rules! permitted {
    () => {
        "FROM users u JOIN inventory_tags g ON g.id = ?2 AND g.organization_id = u.organization_id
           JOIN inventory_tag_permissions p ON p.tag_id = g.id JOIN roles r ON r.id = p.role_id WHERE u.id = ?1"
    };
}

statements! {
    LIST = "SELECT json_object('id', g.id, 'name', g.name, 'color', g.color,
           'object_count', (SELECT COUNT(*) FROM inventory_object_tags x WHERE x.tag_id = g.id)) AS body
         FROM users u JOIN inventory_tags g ON g.organization_id = u.organization_id WHERE u.id = ?1 ORDER BY g.name";

    FIND = "SELECT g.id, g.name FROM users u JOIN inventory_tags g ON g.id = ?2 AND g.organization_id = u.organization_id WHERE u.id = ?1";

    BODY = "SELECT json_object('id', g.id, 'name', g.name, 'color', g.color) AS body FROM inventory_tags g WHERE g.id = ?1";

    NEXT = "SELECT 1 + COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'inventory_tags'), 0) AS id";

    /// As long as there is room for one more (?6).
    INSERT = "INSERT INTO inventory_tags (id, organization_id, name, color, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT COUNT(*) FROM inventory_tags g WHERE g.organization_id = ?2) < ?6 RETURNING id";

    UPDATE = "UPDATE inventory_tags SET name = COALESCE(?2, name), color = COALESCE(?3, color) WHERE id = ?1";

    DELETE = "DELETE FROM inventory_tags WHERE id = ?1";

    /// What tags (?2, a JSON array) let anybody do with what has them.
    GRANTS = "SELECT DISTINCT g.id AS tag, g.name AS tag_name, p.permission FROM users u JOIN inventory_tags g ON g.organization_id = u.organization_id
           AND g.id IN (SELECT value FROM json_each(?2)) JOIN inventory_tag_permissions p ON p.tag_id = g.id WHERE u.id = ?1";

    PERMISSIONS = concat!("SELECT json_object('id', p.id, 'role_id', p.role_id, 'role_name', r.name, 'permission', p.permission) AS body ",
        permitted!(), " ORDER BY p.id");

    /// The one of a role (?3) and a word (?4).
    PERMISSION = concat!("SELECT json_object('id', p.id, 'role_id', p.role_id, 'role_name', r.name, 'permission', p.permission) AS body ",
        permitted!(), " AND p.role_id = ?3 AND p.permission = ?4");

    /// As long as there is room for one more (?4). One that is there already stays.
    PERMIT = "INSERT INTO inventory_tag_permissions (tag_id, role_id, permission)
         SELECT ?1, ?2, ?3 WHERE (SELECT COUNT(*) FROM inventory_tag_permissions p WHERE p.tag_id = ?1) < ?4 ON CONFLICT DO NOTHING";

    FORBID = "DELETE FROM inventory_tag_permissions WHERE id = ?2 AND tag_id = ?1 RETURNING id";

    /// The types of a caller's organization of which something (?2) may be done, by their names in paths.
    HAVING = "SELECT t.id, t.slug AS name FROM users u JOIN inventory_types t ON t.organization_id = u.organization_id
           JOIN inventory_permissions g ON g.type_id = t.id AND g.suffix = ?2 WHERE u.id = ?1 ORDER BY t.slug";
}

/// The tags of a caller's organization, with how many things have each.
pub fn list(caller: &ObjectId) -> Query<BodyRow> {
    Query::new(LIST, [caller.into()])
}

/// One of them. What is no number names none.
pub fn find(caller: &ObjectId, id: &str) -> Query<FoundTag> {
    Query::new(FIND, [caller.into(), number(id).into()])
}

/// A tag as it is now.
pub fn body(id: i64) -> Query<BodyRow> {
    Query::new(BODY, [id.into()])
}

/// A number for a new one.
pub fn next_number() -> Query<Number> {
    Query::new(NEXT, [])
}

/// Makes a tag in a caller's organization and gives its number back, unless that has as many as it may. A duplicate where the number or
/// the name is taken.
pub fn insert(caller: &Caller, id: i64, name: &str, color: Option<&str>, now: &str) -> Query<Number> {
    Query::of(
        INSERT,
        vec![
            id.into(),
            caller.organization_id().into(),
            name.into(),
            color.into(),
            now.into(),
            MAX_TAGS_OF_ORGANIZATION.into(),
        ],
    )
}

/// Changes a tag. What is absent stays.
pub fn update(tag: &FoundTag, name: Option<&str>, color: Option<&str>) -> Query<Nothing> {
    Query::new(UPDATE, [tag.id.into(), name.into(), color.into()])
}

/// Removes a tag from what has it, with what it lets people do.
pub fn delete(tag: &FoundTag) -> Query<Nothing> {
    Query::new(DELETE, [tag.id.into()])
}

/// What tags let anybody do.
pub fn grants(caller: &ObjectId, tags: &[i64]) -> Query<Grant> {
    Query::new(GRANTS, [caller.into(), numbers(tags)])
}

/// What a tag lets people do.
pub fn permissions(caller: &ObjectId, id: &str) -> Query<BodyRow> {
    Query::new(PERMISSIONS, [caller.into(), number(id).into()])
}

/// Lets a role do something with what has a tag, unless the tag has as many as it may; and how that stands then.
pub fn permit(caller: &Caller, tag: &FoundTag, role: i64, right: &str) -> (Query<Nothing>, Query<BodyRow>) {
    let permit = Query::new(
        PERMIT,
        [tag.id.into(), role.into(), right.into(), MAX_TAG_PERMISSIONS.into()],
    );
    let found = Query::new(
        PERMISSION,
        [caller.id().into(), tag.id.into(), role.into(), right.into()],
    );
    (permit, found)
}

/// Takes that away, and gives its number back.
pub fn forbid(tag: &FoundTag, permission: &str) -> Query<Number> {
    Query::new(FORBID, [tag.id.into(), number(permission).into()])
}

/// The types of which something may be done.
pub fn types_having(caller: &ObjectId, right: &str) -> Query<FoundTag> {
    Query::new(HAVING, [caller.into(), right.into()])
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_default()
}
