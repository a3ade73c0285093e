//! SQL of the inventory: here that of types, beside it that of things, of lists of them, of tags and of rules.
pub mod bulk;
pub mod credentials;
pub mod list;
pub mod objects;
pub mod rules;
pub mod sync;
pub mod tags;

use protocol::api::inventory::types::{Definition, MAX_TYPES};
use protocol::ids::ObjectId;

use super::row::{FoundType, Number};
use crate::auth::caller::Caller;
use crate::http::json_text::BodyRow;
use crate::platform::db::{Nothing, Query, refuse, statements};

/// How often a change is tried again when somebody else was quicker.
pub const ATTEMPTS: usize = 5;

/// SQL: the body of a type (`t`): an [`InventoryType`](protocol::api::inventory::types::InventoryType). What is stored of it stands in it as
/// it is.
macro_rules! type_body {
    () => {
        concat!(
            "'{\"id\":' || t.id || ',\"slug\":' || json_quote(t.slug) || ',\"is_builtin\":' || ",
            crate::http::json_text::json_flag!("t.is_builtin"),
            " || ',\"created_at\":' || json_quote(",
            crate::http::json_text::json_time!("t.created_at"),
            ") || ',\"updated_at\":' || json_quote(",
            crate::http::json_text::json_time!("t.updated_at"),
            ") || ',' || substr(t.definition, 2)"
        )
    };
}

/// SQL: a type (`t`) as [`FoundType`].
macro_rules! type_columns {
    () => {
        concat!(
            "t.id, t.slug, t.definition, t.is_builtin, t.object_count, t.definition AS stored, ",
            crate::features::inventory::store::type_body!(),
            " AS body"
        )
    };
}

/// SQL: a caller (?1) and a type of their organization (?2).
macro_rules! caller_and_type {
    () => {
        "users u JOIN inventory_types t ON t.organization_id = u.organization_id AND t.slug = ?2"
    };
}

pub(super) use {caller_and_type, type_body, type_columns};

statements! {
    TYPES = concat!("SELECT ", type_body!(), " AS body FROM users u JOIN inventory_types t ON t.organization_id = u.organization_id
         WHERE u.id = ?1 ORDER BY t.slug");

    TYPE = concat!("SELECT ", type_columns!(), " FROM ", caller_and_type!(), " WHERE u.id = ?1");

    /// As long as there is room for one more (?5).
    INSERT_TYPE = "INSERT INTO inventory_types (organization_id, slug, definition, created_at, updated_at)
         SELECT ?1, ?2, ?3, ?4, ?4 WHERE (SELECT COUNT(*) FROM inventory_types t WHERE t.organization_id = ?1) < ?5 RETURNING id";

    /// Unless it is not what was read any more (?4).
    UPDATE_TYPE = "UPDATE inventory_types SET definition = ?2, updated_at = ?3 WHERE id = ?1 AND definition = ?4 RETURNING id";

    /// A type is not removed with what is of it.
    KEEP_USED = concat!("SELECT ", refuse!("t.slug"), " FROM inventory_types t WHERE t.id = ?1
         AND EXISTS (SELECT 1 FROM inventory_objects o WHERE o.type_id = t.id)");

    DELETE_TYPE = "DELETE FROM inventory_types WHERE id = ?1";
}

/// The types of a caller's organization.
pub fn types(caller: &ObjectId) -> Query<BodyRow> {
    Query::new(TYPES, [caller.into()])
}

/// One of them.
pub fn find_type(caller: &ObjectId, slug: &str) -> Query<FoundType> {
    Query::new(TYPE, [caller.into(), slug.into()])
}

/// Makes a type in a caller's organization, unless that has as many as it may.
pub fn insert_type(caller: &Caller, slug: &str, definition: &Definition, now: &str) -> Query<Number> {
    let organization = caller.organization_id();
    Query::new(
        INSERT_TYPE,
        [
            organization.into(),
            slug.into(),
            stored(definition).into(),
            now.into(),
            MAX_TYPES.into(),
        ],
    )
}

/// Makes a type what it shall be, if it is still what was found.
pub fn update_type(found: &FoundType, definition: &Definition, now: &str) -> Query<Number> {
    Query::new(
        UPDATE_TYPE,
        [
            found.id.into(),
            stored(definition).into(),
            now.into(),
            found.stored.as_str().into(),
        ],
    )
}

/// Removes a type; refuses the batch if there is anything of it.
pub fn delete_type(found: &FoundType) -> [Query<Nothing>; 2] {
    [KEEP_USED, DELETE_TYPE].map(|sql| Query::new(sql, [found.id.into()]))
}

/// A type as it is stored.
fn stored(definition: &Definition) -> String {
    serde_json::to_string(definition).unwrap_or_default()
}

#[cfg(test)]
mod tests;
