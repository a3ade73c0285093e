//! SQL of roles.
use protocol::ids::ObjectId;

use super::access::RoleControl;
use super::row::{FoundRole, Generated, GivenRole, Number};
use crate::auth::caller::Caller;
use crate::platform::db::{Exists, Nothing, Query, refuse, statements};

/// The people who have a role (`r`): of the system role, the administrators.
macro_rules! found {
    () => {
        concat!("SELECT r.id, r.organization_id, r.name, r.description, r.is_system, r.created_at,
           (SELECT json_group_array(p.permission) FROM role_permissions p WHERE p.role_id = r.id) AS permissions,
           (SELECT json_group_array(json_object('id', ", number!(), ", 'codename', g.codename, 'category', 'inventory.' || t.slug, 'label', g.label))
            FROM inventory_permissions g JOIN inventory_types t ON t.id = g.type_id WHERE g.organization_id = r.organization_id
              AND (r.is_system = 1 OR EXISTS (SELECT 1 FROM role_permissions p WHERE p.role_id = r.id AND p.permission = g.codename))
           ) AS generated,
           CASE WHEN r.is_system = 1
             THEN (SELECT COUNT(*) FROM users a WHERE a.organization_id = r.organization_id AND a.role <> 'user' AND a.deleted_at IS NULL)
             ELSE (SELECT COUNT(*) FROM user_roles h WHERE h.role_id = r.id) END AS user_count
         FROM users c JOIN roles r ON r.organization_id = c.organization_id")
    };
}

/// The published number of a permission (`g`) that is made with an inventory type: those up to a thousand are for the fixed ones.
macro_rules! number {
    () => {
        "(g.id + 1000)"
    };
}

statements! {
    LIST = concat!(found!(), " WHERE c.id = ?1 ORDER BY r.id");

    FIND = concat!(found!(), " OR c.role = 'super_admin' WHERE c.id = ?1 AND r.id = ?2");

    /// The permissions that are made with the inventory types of the caller's (?1) organization: all, or those of some numbers (?2, a JSON array).
    GENERATED = concat!("SELECT ", number!(), " AS id, g.codename, 'inventory.' || t.slug AS category, g.label,
           CASE g.suffix WHEN 'view' THEN 'See things of this type.' WHEN 'create' THEN 'Make things of this type.'
             WHEN 'edit' THEN 'Change things of this type.' WHEN 'delete' THEN 'Remove things of this type.'
             WHEN 'reveal' THEN 'See the secrets of things of this type.' ELSE 'Have this done with things of this type.' END AS description
         FROM users c JOIN inventory_permissions g ON g.organization_id = c.organization_id JOIN inventory_types t ON t.id = g.type_id
         WHERE c.id = ?1 AND (?2 IS NULL OR ", number!(), " IN (SELECT value FROM json_each(?2))) ORDER BY g.id");

    GIVEN = "SELECT r.id, r.name, r.is_system,
           (SELECT json_group_array(p.permission) FROM role_permissions p WHERE p.role_id = r.id) AS permissions
         FROM roles r WHERE r.organization_id = ?1 AND r.id IN (SELECT value FROM json_each(?2)) ORDER BY r.id";

    /// Whether one of these numbers is another organization's. That such a number is taken is told, and nothing of the role:
    /// numbers are given in order, so whoever makes a role learns as much.
    FOREIGN = "SELECT 1 FROM roles r WHERE r.id IN (SELECT value FROM json_each(?2)) AND r.organization_id <> ?1 LIMIT 1";

    /// A number that no role ever had.
    NEXT = "SELECT 1 + COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'roles'), 0) AS id";

    /// With its number, which the log names. Nothing happens if another role got it meanwhile.
    INSERT = "INSERT INTO roles (id, organization_id, name, description, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM roles r WHERE r.id = ?1) RETURNING id";

    ALLOW = "INSERT INTO role_permissions (role_id, permission) SELECT ?1, json_each.value FROM json_each(?2)";

    /// Of a role that the statement before has made or not.
    ALLOW_IF_MADE = "INSERT INTO role_permissions (role_id, permission) SELECT ?1, json_each.value FROM json_each(?2)
         WHERE changes() > 0";

    UPDATE = "UPDATE roles SET name = COALESCE(?2, name), description = COALESCE(?3, description) WHERE id = ?1";

    FORBID_ALL = "DELETE FROM role_permissions WHERE role_id = ?1";

    /// A role that somebody has is not deleted under them.
    KEEP_USED = concat!("SELECT ", refuse!("r.name"), " FROM roles r WHERE r.id = ?1
         AND EXISTS (SELECT 1 FROM user_roles h WHERE h.role_id = r.id)");

    DELETE = "DELETE FROM roles WHERE id = ?1";

    /// The role that stands for administering it.
    INSERT_SYSTEM = "INSERT INTO roles (organization_id, name, description, created_at, is_system)
         VALUES (?1, 'super-admin', 'Full system access', ?2, 1)";
}

/// The roles of the caller's organization.
pub fn list(caller: &ObjectId) -> Query<FoundRole> {
    Query::new(LIST, [caller.into()])
}

/// One role, if the caller may know of it.
pub fn find(caller: &ObjectId, id: i64) -> Query<FoundRole> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// Those of an organization's roles that are among these numbers, and whether another's are.
pub fn given(organization: &ObjectId, numbers: &[i64]) -> (Query<GivenRole>, Query<Exists>) {
    let numbers = serde_json::json!(numbers).to_string();
    (
        Query::new(GIVEN, [organization.into(), numbers.as_str().into()]),
        Query::new(FOREIGN, [organization.into(), numbers.into()]),
    )
}

/// The permissions that are made with the inventory types of the caller's organization, or those of them with some numbers.
pub fn generated(caller: &ObjectId, numbers: Option<&[i64]>) -> Query<Generated> {
    let numbers = numbers.map(|numbers| serde_json::json!(numbers).to_string());
    Query::new(GENERATED, [caller.into(), numbers.into()])
}

/// A number for a new role.
pub fn next_number() -> Query<Number> {
    Query::new(NEXT, [])
}

/// Makes a role of the caller's organization and gives its number back, unless another one got that.
pub fn insert(caller: &Caller, id: i64, name: &str, description: &str, now: &str) -> Query<Number> {
    let organization = caller.organization_id();
    Query::new(
        INSERT,
        [
            id.into(),
            organization.into(),
            name.into(),
            description.into(),
            now.into(),
        ],
    )
}

/// Gives permissions to a role if the statement before has made it, or its entry in the log.
pub fn allow_if_made(id: i64, codenames: &[String]) -> Query<Nothing> {
    Query::new(
        ALLOW_IF_MADE,
        [id.into(), serde_json::json!(codenames).to_string().into()],
    )
}

/// Changes a role. What is absent stays.
pub fn update(
    control: &RoleControl,
    name: Option<&str>,
    description: Option<&str>,
    codenames: Option<&[String]>,
) -> Vec<Query<Nothing>> {
    let role = control.found();
    let update = Query::new(UPDATE, [role.id.into(), name.into(), description.into()]);
    let permissions = codenames.map(|codenames| {
        [
            Query::new(FORBID_ALL, [role.id.into()]),
            Query::new(ALLOW, [role.id.into(), serde_json::json!(codenames).to_string().into()]),
        ]
    });
    [update].into_iter().chain(permissions.into_iter().flatten()).collect()
}

/// Removes a role; refuses the batch if somebody has it.
pub fn delete(control: &RoleControl) -> [Query<Nothing>; 2] {
    [KEEP_USED, DELETE].map(|sql| Query::new(sql, [control.found().id.into()]))
}

/// Makes the system role of a new organization.
pub fn insert_system(organization: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(INSERT_SYSTEM, [organization.into(), now.into()])
}

#[cfg(test)]
mod tests;
