//! SQL of the rules about single things.
use protocol::api::inventory::rules::{MAX_RULES, NewRule};
use protocol::ids::ObjectId;
use serde_json::json;

use super::objects::{numbers, rule};
use crate::features::inventory::access::Known;
use crate::features::inventory::row::{FoundRule, Number};
use crate::http::json_text::BodyRow;
use crate::platform::db::{Nothing, Query, statements};

statements! {
    OF = "SELECT a.id, a.role_id, a.permission, a.effect FROM inventory_acl a WHERE a.object_id = ?1 ORDER BY a.id";

    BODIES = concat!("SELECT ", rule!(), " AS body FROM inventory_acl a JOIN roles r ON r.id = a.role_id WHERE a.object_id = ?1 ORDER BY a.id");

    /// As long as there is room for one more (?5).
    INSERT = "INSERT INTO inventory_acl (object_id, role_id, permission, effect)
         SELECT ?1, ?2, ?3, ?4 WHERE (SELECT COUNT(*) FROM inventory_acl a WHERE a.object_id = ?1) < ?5 RETURNING id";

    NEWEST = concat!("SELECT ", rule!(), " AS body FROM inventory_acl a JOIN roles r ON r.id = a.role_id WHERE a.object_id = ?1
         ORDER BY a.id DESC LIMIT 1");

    CLEAR = "DELETE FROM inventory_acl WHERE object_id = ?1";

    /// All of a list (?2, a JSON array).
    FILL = "INSERT INTO inventory_acl (object_id, role_id, permission, effect)
         SELECT ?1, v.value ->> 'role_id', v.value ->> 'permission', v.value ->> 'effect' FROM json_each(?2) v";

    DELETE = "DELETE FROM inventory_acl WHERE id = ?2 AND object_id = ?1";

    /// Which of some numbers (?2, a JSON array) are those of roles of a caller's (?1) organization.
    ROLES = "SELECT r.id FROM users u JOIN roles r ON r.organization_id = u.organization_id
           AND r.id IN (SELECT value FROM json_each(?2)) WHERE u.id = ?1";
}

/// Those of some numbers that are roles of a caller's organization.
pub fn roles(caller: &ObjectId, ids: &[i64]) -> Query<Number> {
    Query::new(ROLES, [caller.into(), numbers(ids)])
}

/// The rules about a thing.
pub fn of(known: &Known) -> Query<FoundRule> {
    Query::new(OF, [known.id().into()])
}

/// The same as they are shown.
pub fn bodies(known: &Known) -> Query<BodyRow> {
    Query::new(BODIES, [known.id().into()])
}

/// Makes a rule and gives its number back, unless there are as many as there may be.
pub fn insert(known: &Known, rule: &NewRule) -> Query<Number> {
    Query::new(
        INSERT,
        [
            known.id().into(),
            rule.role_id.into(),
            rule.permission.as_str().into(),
            rule.effect.as_str().into(),
            (MAX_RULES as i64).into(),
        ],
    )
}

/// The rule that was made last.
pub fn newest(known: &Known) -> Query<BodyRow> {
    Query::new(NEWEST, [known.id().into()])
}

/// Makes these all rules about a thing.
pub fn replace(known: &Known, rules: &[NewRule]) -> (Query<Nothing>, Query<Nothing>) {
    let rules = json!(rules).to_string();
    (
        Query::new(CLEAR, [known.id().into()]),
        Query::new(FILL, [known.id().into(), rules.into()]),
    )
}

/// Removes a rule.
pub fn delete(known: &Known, rule: &FoundRule) -> Query<Nothing> {
    Query::new(DELETE, [known.id().into(), rule.id.into()])
}
