//! SQL of single things.
use protocol::api::inventory::objects::MAX_OBJECTS;
use protocol::ids::ObjectId;
use serde_json::json;

use super::{caller_and_type, type_columns};
use crate::features::inventory::access::{Create, Delete, Edit, ObjectAccess, TypeAccess};
use crate::features::inventory::rights::may;
use crate::features::inventory::row::{FoundObject, Number, Taken};
use crate::features::inventory::value::Checked;
use crate::http::json_text::BodyRow;
use crate::platform::db::{Arg, Nothing, Query, refuse, statements};

/// SQL: the tags of a thing (`o`), by name.
macro_rules! tags {
    () => {
        "(SELECT json_group_array(json_object('id', listed_tags.id, 'name', listed_tags.name, 'color', listed_tags.color)) FROM (SELECT g.id, g.name, g.color
            FROM inventory_object_tags x JOIN inventory_tags g ON g.id = x.tag_id WHERE x.object_id = o.id ORDER BY g.name) listed_tags)"
    };
}

/// SQL: the body of a thing (`o`) of a type (`t`): an [`InventoryObject`](protocol::api::inventory::objects::InventoryObject).
macro_rules! object {
    () => {
        concat!(
            "json_object('id', o.id, 'type_id', t.id, 'type_slug', t.slug, 'name', o.name, 'data', json(o.data), 'tags', json(",
            crate::features::inventory::store::objects::tags!(),
            "), 'created_by', o.created_by, 'created_at', ",
            crate::http::json_text::json_time!("o.created_at"),
            ", 'updated_at', ",
            crate::http::json_text::json_time!("o.updated_at"),
            ")"
        )
    };
}

/// SQL: a rule (`a`) with its role (`r`): an [`AclRule`](protocol::api::inventory::rules::AclRule).
macro_rules! rule {
    () => {
        "json_object('id', a.id, 'role_id', a.role_id, 'role_name', r.name, 'username', r.name, 'permission', a.permission, 'effect', a.effect)"
    };
}

pub(super) use {object, rule, tags};

/// SQL: the unique fields of a type (`t`) of which another thing than one (?1) has the value that is to be (?2).
macro_rules! taken {
    () => {
        "inventory_types t, json_each(t.definition, '$.fields') f JOIN inventory_values v ON v.type_id = t.id AND v.field = f.value ->> 'name'
           AND v.value = json_extract(?2, '$.\"' || (f.value ->> 'name') || '\"') AND v.object_id <> ?1
         WHERE t.id = ?3 AND f.value ->> 'unique' = 1 AND v.value <> ''"
    };
}

/// SQL: a type (`t`), and perhaps a thing of it (`o`), for a caller (`u`): a [`FoundObject`].
macro_rules! found {
    () => {
        concat!("SELECT ", type_columns!(), ", o.id AS object, o.data, o.secrets, o.data AS data_stored, o.secrets AS secrets_stored,
           (SELECT json_group_array(suffix) FROM (SELECT g.suffix FROM inventory_permissions g WHERE g.type_id = t.id AND g.suffix <> 'create' AND ",
        may!("g.suffix"), " ORDER BY g.id) listed_rights) AS may, iif(o.id IS NULL, NULL, ", object!(), ") AS object_body,
           (SELECT json_group_array(json(rule)) FROM (SELECT ", rule!(), " AS rule FROM inventory_acl a JOIN roles r ON r.id = a.role_id
              WHERE a.object_id = o.id ORDER BY a.id) listed_rules) AS rules,
           (SELECT json_group_array(x.tag_id) FROM inventory_object_tags x WHERE x.object_id = o.id) AS tags ")
    };
}

statements! {
    /// A type (?2) of the caller's (?1) organization, and a thing of it (?3) if there is one.
    FIND = concat!(found!(), "FROM ", caller_and_type!(), " LEFT JOIN inventory_objects o ON o.type_id = t.id AND o.id = ?3 WHERE u.id = ?1");

    /// A thing (?2) of the caller's (?1) organization, whatever its type is.
    FIND_ANY = concat!(found!(), "FROM users u JOIN inventory_objects o ON o.id = ?2 JOIN inventory_types t ON t.id = o.type_id
           AND t.organization_id = u.organization_id WHERE u.id = ?1");

    /// The server of a name (?2) in the caller's (?1) organization.
    FIND_HOST = concat!(found!(), "FROM users u JOIN inventory_types t ON t.organization_id = u.organization_id AND t.slug = 'server'
           JOIN inventory_values v ON v.type_id = t.id AND v.field = 'hostname' AND v.value = ?2
           JOIN inventory_objects o ON o.id = v.object_id WHERE u.id = ?1");

    NEXT = "SELECT 1 + COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'inventory_objects'), 0) AS id";

    TAKEN = concat!("SELECT v.field FROM ", taken!());

    /// What is unique stays so.
    KEEP_UNIQUE = concat!("SELECT ", refuse!("v.field"), " FROM ", taken!());

    /// What was read is there still (?2, ?3).
    KEEP_READ = concat!("SELECT ", refuse!("o.id"), " FROM inventory_objects o WHERE o.id = ?1 AND (o.data, o.secrets) IS NOT (?2, ?3)");

    INSERT = "INSERT INTO inventory_objects (id, organization_id, type_id, name, data, secrets, search, created_by, created_at, updated_at)
         SELECT ?1, t.organization_id, t.id, ?3, ?4, ?5, ?6, ?7, ?8, ?8 FROM inventory_types t WHERE t.id = ?2
           AND (SELECT SUM(c.object_count) FROM inventory_types c WHERE c.organization_id = t.organization_id) < ?9 RETURNING id";

    UPDATE = "UPDATE inventory_objects SET name = ?2, data = ?3, secrets = ?4, search = ?5, updated_at = ?6 WHERE id = ?1";

    /// Its tags (?2, a JSON array) are no others than these. Another organization's are passed over.
    UNTAG = "DELETE FROM inventory_object_tags WHERE object_id = ?1 AND tag_id NOT IN (SELECT value FROM json_each(?2))";

    UNTAG_ONE = "DELETE FROM inventory_object_tags WHERE object_id = ?1 AND tag_id = ?2";

    TAG = "INSERT INTO inventory_object_tags (tag_id, object_id)
         SELECT g.id, o.id FROM inventory_objects o JOIN inventory_tags g ON g.organization_id = o.organization_id
           AND g.id IN (SELECT value FROM json_each(?2))
         WHERE o.id = ?1 ON CONFLICT DO NOTHING";

    TAGS_OF = "SELECT json_object('id', g.id, 'name', g.name, 'color', g.color) AS body FROM inventory_object_tags x
           JOIN inventory_tags g ON g.id = x.tag_id WHERE x.object_id = ?1 ORDER BY g.name";

    DELETE = "DELETE FROM inventory_objects WHERE id = ?1";

    DESTROYED = "DELETE FROM inventory_objects WHERE id = ?1 AND organization_id = ?2";
}

/// A thing, and what the caller may do with it. What is no number names none.
pub fn find(caller: &ObjectId, slug: &str, id: &str) -> Query<FoundObject> {
    let id: i64 = id.parse().unwrap_or_default();
    Query::new(FIND, [caller.into(), slug.into(), id.into()])
}

/// A thing by its number alone. What is no number names none.
pub fn find_any(caller: &ObjectId, id: &str) -> Query<FoundObject> {
    let id: i64 = id.parse().unwrap_or_default();
    Query::new(FIND_ANY, [caller.into(), id.into()])
}

/// The server that is called so, if the inventory has one.
pub fn find_host(caller: &ObjectId, hostname: &str) -> Query<FoundObject> {
    Query::new(FIND_HOST, [caller.into(), hostname.into()])
}

/// A number for a new one.
pub fn next_number() -> Query<Number> {
    Query::new(NEXT, [])
}

/// Of which unique fields another thing than this one has the value that is to be.
pub fn taken(type_id: i64, id: i64, data: &str) -> Query<Taken> {
    Query::new(TAKEN, [id.into(), data.into(), type_id.into()])
}

/// Refuses the batch where that is any.
fn keep_unique(type_id: i64, id: i64, data: &str) -> Query<Nothing> {
    Query::new(KEEP_UNIQUE, [id.into(), data.into(), type_id.into()])
}

/// Makes a thing and gives its number back, unless the organization has as many as it may. The batch is refused where a unique value is
/// taken, and a duplicate where the number is.
pub fn insert(access: &TypeAccess<Create>, id: i64, checked: &Checked, now: &str) -> (Query<Nothing>, Query<Number>) {
    let type_id = access.found().id;
    let insert = Query::of(
        INSERT,
        vec![
            id.into(),
            type_id.into(),
            checked.name.as_str().into(),
            checked.data.as_str().into(),
            checked.secrets.as_str().into(),
            checked.search.as_str().into(),
            access.caller().id().into(),
            now.into(),
            MAX_OBJECTS.into(),
        ],
    );
    (keep_unique(type_id, id, &checked.data), insert)
}

/// Makes a thing what it shall be. The batch is refused where a unique value is taken, or somebody has changed it since it was read.
pub fn update(
    access: &ObjectAccess<Edit>,
    checked: &Checked,
    now: &str,
) -> (Query<Nothing>, Query<Nothing>, Query<Nothing>) {
    let (id, found) = (access.id(), access.found());
    let read = Query::new(
        KEEP_READ,
        [
            id.into(),
            found.data_stored.as_deref().into(),
            found.secrets_stored.as_deref().into(),
        ],
    );
    let update = Query::new(
        UPDATE,
        [
            id.into(),
            checked.name.as_str().into(),
            checked.data.as_str().into(),
            checked.secrets.as_str().into(),
            checked.search.as_str().into(),
            now.into(),
        ],
    );
    (keep_unique(found.of.id, id, &checked.data), read, update)
}

/// Gives tags to a thing.
pub fn tag(id: i64, tags: &[i64]) -> Query<Nothing> {
    Query::new(TAG, [id.into(), numbers(tags)])
}

/// Makes these all tags of a thing.
pub fn retag(access: &ObjectAccess<Edit>, tags: &[i64]) -> (Query<Nothing>, Query<Nothing>) {
    let untag = Query::new(UNTAG, [access.id().into(), numbers(tags)]);
    (untag, tag(access.id(), tags))
}

/// Takes a tag from a thing.
pub fn untag(access: &ObjectAccess<Edit>, tag: i64) -> Query<Nothing> {
    Query::new(UNTAG_ONE, [access.id().into(), tag.into()])
}

/// The tags of a thing, by name.
pub fn tags_of(id: i64) -> Query<BodyRow> {
    Query::new(TAGS_OF, [id.into()])
}

/// Removes a thing, with the rules about it.
pub fn delete(access: &ObjectAccess<Delete>) -> Query<Nothing> {
    Query::new(DELETE, [access.id().into()])
}

/// Removes a thing of an organization whose instance was destroyed by whoever may.
pub fn destroyed(organization: &ObjectId, id: i64) -> Query<Nothing> {
    Query::new(DESTROYED, [id.into(), organization.into()])
}

pub fn numbers(numbers: &[i64]) -> Arg {
    json!(numbers).to_string().into()
}
