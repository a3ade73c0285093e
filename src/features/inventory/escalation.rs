//! What nobody may do with rules and tags, as they, or others, would gain by it what they lack: nobody lets anybody do what they may not do
//! themselves, nor lifts a rule that keeps people from it.
use protocol::api::inventory::rules::{Effect, NewRule};

use super::access::{Edit, Known, ObjectAccess, holds};
use super::row::{FoundRule, FoundTag, Grant};
use crate::auth::caller::Caller;
use crate::auth::permission::Permission;
use crate::platform::error::ApiError;

fn lacks(right: &str) -> ApiError {
    ApiError::forbidden("forbidden", format!("You may not {right} this yourself"))
}

/// Rules about a thing are for whoever may change it, or manages rules (contract).
pub fn may_rule(known: &Known) -> Result<(), ApiError> {
    match known.may("edit") || known.caller().may(Permission::InventoryAclManage) {
        true => Ok(()),
        false => Err(ApiError::forbidden("forbidden", "Permission denied")),
    }
}

/// A rule that is made. One that denies is for whoever manages rules, or might do it themselves.
pub fn check_rule(known: &Known, rule: &NewRule) -> Result<(), ApiError> {
    let manages = rule.effect == Effect::Deny && known.caller().may(Permission::InventoryAclManage);
    match manages || known.may(&rule.permission) {
        true => Ok(()),
        false => Err(lacks(&rule.permission)),
    }
}

/// A rule that is lifted: one that denied lets people do it again.
pub fn check_lifted(known: &Known, rule: &FoundRule) -> Result<(), ApiError> {
    match rule.effect == Effect::Allow || known.may(&rule.permission) {
        true => Ok(()),
        false => Err(lacks(&rule.permission)),
    }
}

/// Rules that take the place of others: those that stay are nobody's doing.
pub fn check_replaced(known: &Known, before: &[FoundRule], after: &[NewRule]) -> Result<(), ApiError> {
    let same = |old: &FoundRule, new: &NewRule| {
        (old.role_id, old.permission.as_str(), old.effect) == (new.role_id, new.permission.as_str(), new.effect)
    };
    for rule in after.iter().filter(|new| !before.iter().any(|old| same(old, new))) {
        check_rule(known, rule)?;
    }
    for rule in before.iter().filter(|old| !after.iter().any(|new| same(old, new))) {
        check_lifted(known, rule)?;
    }
    Ok(())
}

/// Tags that something gets: they let people do with it what the tags allow. `may` is what the caller may do with it.
pub fn check_tags(grants: &[Grant], added: impl Fn(i64) -> bool, may: impl Fn(&str) -> bool) -> Result<(), ApiError> {
    let beyond = grants.iter().find(|grant| added(grant.tag) && !may(&grant.permission));
    match beyond {
        Some(Grant {
            tag_name, permission, ..
        }) => Err(ApiError::forbidden(
            "forbidden",
            format!("The tag {tag_name} lets people {permission} what has it, which you may not do with this yourself"),
        )),
        None => Ok(()),
    }
}

/// A change of what something is done to. Where its caller may have an action done with this thing and not with all of its type, what leads the
/// action stays as it is: else a right over one thing would be one over whatever it is made to name.
pub fn check_led(access: &ObjectAccess<Edit>, changed: &[String]) -> Result<(), ApiError> {
    let of = &access.found().of;
    for action in &of.definition.actions {
        if !access.may(&action.name) || holds(access.caller(), &of.slug, &action.name) {
            continue;
        }
        let led = action.led_by();
        if let Some(field) = changed.iter().find(|field| led.contains(field.as_str())) {
            let (slug, name) = (&of.slug, &action.name);
            let words = format!(
                "{field} leads {name} elsewhere: you may {name} this one alone, and changing it takes inventory.{slug}.{name}"
            );
            return Err(ApiError::forbidden("forbidden", words));
        }
    }
    Ok(())
}

/// What a tag is to let people do, with whatever has it: whoever says so may do it with everything.
pub fn check_permission(caller: &Caller, types: &[FoundTag], right: &str) -> Result<(), ApiError> {
    if types.is_empty() {
        let rule = "must be view, edit, delete, reveal or the name of an action of some type";
        return Err(ApiError::invalid_field("permission", rule));
    }
    match types.iter().find(|of| !holds(caller, &of.name, right)) {
        Some(of) => Err(ApiError::forbidden(
            "forbidden",
            format!("You do not hold inventory.{}.{right} yourself", of.name),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::inventory::store::objects;
    use crate::testing::{TestDb, id};

    /// Somebody who may change servers, and open a terminal on one of them, by a rule about it.
    fn db() -> TestDb {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("bob", "acme", "user");
        db.execute(
            "INSERT INTO inventory_objects (id, organization_id, type_id, name, data, search, created_at, updated_at)
             SELECT 7, organization_id, id, 'web', '{\"hostname\":\"web\"}', 'web', 'then', 'then' FROM inventory_types WHERE slug = 'server';
             INSERT INTO roles (id, organization_id, name, created_at) SELECT 100, id, 'ops', created_at FROM organizations;
             INSERT INTO user_roles SELECT id, 100 FROM users WHERE username = 'bob';
             INSERT INTO role_permissions VALUES (100, 'inventory.server.edit');
             INSERT INTO inventory_acl (object_id, role_id, permission, effect) VALUES (7, 100, 'ssh', 'allow')",
        );
        db
    }

    fn may_change(db: &TestDb, name: &str, fields: &[&str]) -> bool {
        let found = db.run(objects::find(&id(name).parse().unwrap(), "server", "7"));
        let known = Known::decide(db.caller(name), found, "server").unwrap();
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        check_led(&known.with().unwrap(), &fields).is_ok()
    }

    #[test]
    fn a_right_over_one_thing_is_not_led_to_another() {
        let db = db();
        assert!(may_change(&db, "bob", &["ip_address", "region", "notes"]));
        assert!(!may_change(&db, "bob", &["notes", "hostname"]));
        assert!(may_change(&db, "ann", &["hostname"]));
        for permission in ["inventory.server.ssh", "instances.ssh"] {
            db.execute(&format!("INSERT INTO role_permissions VALUES (100, '{permission}')"));
            assert!(may_change(&db, "bob", &["hostname"]), "{permission}");
            db.execute(&format!(
                "DELETE FROM role_permissions WHERE permission = '{permission}'"
            ));
        }
        db.execute(
            "INSERT INTO inventory_acl (object_id, role_id, permission, effect) VALUES (7, 100, 'stop', 'allow')",
        );
        assert!(!may_change(&db, "bob", &["region"]));
        db.execute("DELETE FROM inventory_acl");
        assert!(may_change(&db, "bob", &["hostname", "region"]), "it leads him nowhere");
    }
}
