//! What nobody may do with rules and tags, as they, or others, would gain by it what they lack: nobody lets anybody do what they may not do
//! themselves, nor lifts a rule that keeps people from it.
use protocol::api::inventory::rules::{Effect, NewRule};

use super::access::{Known, holds};
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
