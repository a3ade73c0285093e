//! Rules about single things.
use protocol::api::error::ErrorBody;
use protocol::api::inventory::objects::Done;
use protocol::api::inventory::rules::{AclRules, MAX_RULES, NewRule, RulesSet, SetRules};

use super::{deleted, known, known_with};
use crate::audit::{self, Action, Event};
use crate::auth::caller::Credentials;
use crate::auth::permission::Permission;
use crate::features::inventory::access::Known;
use crate::features::inventory::escalation;
use crate::features::inventory::row::Number;
use crate::features::inventory::store::rules;
use crate::http::extract::{PathPair, PathTriple, ValidJson};
use crate::http::json_text::{BodyRow, Json, JsonText};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Lists the rules about a thing, for whoever may change it, or manages rules.
#[utoipa::path(get, path = "/api/inventory/{type_slug}/{object_id}/acl", summary = "List the rules about a thing",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 200, description = "All of them", body = AclRules),
        (status = 404, description = "No such type or thing in the caller's organization", body = ErrorBody)))]
pub async fn list_rules(
    app: App,
    credentials: Credentials,
    PathPair(slug, id): PathPair,
) -> Result<JsonText, ApiError> {
    let known = known(&app, credentials, &slug, &id).await?;
    escalation::may_rule(&known)?;
    Ok(all(known.found().rules.as_deref().unwrap_or("[]")))
}

/// Makes a rule about a thing beside those there are, or, with `rules`, these in their place. Nobody lets anybody do what they may not do
/// themselves, nor lifts a rule that keeps people from it. Who denies without managing rules may do it themselves, too.
#[utoipa::path(post, path = "/api/inventory/{type_slug}/{object_id}/acl", summary = "Set rules about a thing", request_body = SetRules,
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 200, description = "The rule, or all there are now", body = RulesSet),
        (status = 403, description = "The caller may not make such a rule", body = ErrorBody),
        (status = 404, description = "No such type, thing or role in the caller's organization", body = ErrorBody),
        (status = 409, description = "There are 100 already", body = ErrorBody)))]
pub async fn set_rules(
    app: App,
    credentials: Credentials,
    PathPair(slug, id): PathPair,
    ValidJson(request): ValidJson<SetRules>,
) -> Result<JsonText, ApiError> {
    let (wanted, replaces) = request.into_parts();
    let ids: Vec<i64> = wanted.iter().map(|rule| rule.role_id).collect();
    let roles = rules::roles(credentials.user_id(), &ids);
    let (known, roles) = known_with(&app, credentials, &slug, &id, roles).await?;
    escalation::may_rule(&known)?;
    check_words(&known, &wanted)?;
    all_known(&ids, &roles)?;
    match wanted.first() {
        Some(rule) if !replaces => add(&app, &known, rule).await,
        _ => replace(&app, &known, &wanted).await,
    }
}

async fn add(app: &App, known: &Known, rule: &NewRule) -> Result<JsonText, ApiError> {
    escalation::check_rule(known, rule)?;
    let event = described(known.event(Action::InventoryAclAdded), rule);
    let batch = (
        rules::insert(known, rule),
        audit::record_if_changed(&event),
        rules::newest(known),
    );
    let (made, _, rows) = app.db()?.run(batch).await?;
    match rows.into_iter().next().filter(|_| !made.is_empty()) {
        Some(row) => Ok(JsonText(row.body)),
        None => {
            let words = format!("There are at most {MAX_RULES} rules about an object: remove one first");
            Err(ApiError::conflict("limit_reached", words))
        }
    }
}

async fn replace(app: &App, known: &Known, wanted: &[NewRule]) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let before = db.run(rules::of(known)).await?;
    escalation::check_replaced(known, &before, wanted)?;
    let event = known.event(Action::InventoryAclSet).detail("rules", wanted.len());
    let (clear, fill) = rules::replace(known, wanted);
    let (_, _, _, rows) = db
        .run((clear, fill, audit::record(&event), rules::bodies(known)))
        .await?;
    let bodies: Vec<&str> = rows.iter().map(|row: &BodyRow| row.body.as_str()).collect();
    Ok(all(&format!("[{}]", bodies.join(","))))
}

/// Lifts a rule about a thing.
#[utoipa::path(delete, path = "/api/inventory/{type_slug}/{object_id}/acl/{acl_id}", summary = "Remove a rule about a thing",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`"),
        ("acl_id" = String, Path, description = "The rule's `id`")),
    responses((status = 200, description = "It is gone", body = Done),
        (status = 403, description = "The caller may not lift it", body = ErrorBody),
        (status = 404, description = "No such type, thing or rule in the caller's organization", body = ErrorBody)))]
pub async fn remove_rule(
    app: App,
    credentials: Credentials,
    PathTriple(slug, id, acl_id): PathTriple,
) -> Result<Json<Done>, ApiError> {
    let db = app.db()?;
    let known = known(&app, credentials, &slug, &id).await?;
    known.caller().needs(Permission::InventoryAclManage)?;
    let found = db.run(rules::of(&known)).await?;
    let number: i64 = acl_id.parse().unwrap_or_default();
    let rule = found.into_iter().find(|rule| rule.id == number);
    let rule = rule.ok_or_else(|| ApiError::not_found("ACL rule not found"))?;
    escalation::check_lifted(&known, &rule)?;
    let event = known
        .event(Action::InventoryAclRemoved)
        .detail("role_id", rule.role_id)
        .detail("permission", rule.permission.as_str())
        .detail("effect", rule.effect.as_str());
    db.run((rules::delete(&known, &rule), audit::record_if_changed(&event)))
        .await?;
    Ok(deleted())
}

fn described(event: Event, rule: &NewRule) -> Event {
    event
        .detail("role_id", rule.role_id)
        .detail("permission", rule.permission.as_str())
        .detail("effect", rule.effect.as_str())
}

/// What rules are about is something that may be done with the thing.
fn check_words(known: &Known, wanted: &[NewRule]) -> Result<(), ApiError> {
    let definition = &known.found().of.definition;
    match wanted.iter().find(|rule| !definition.has_right(&rule.permission)) {
        Some(_) => Err(ApiError::invalid_field(
            "permission",
            "must be view, edit, delete, reveal or the name of an action of the type",
        )),
        None => Ok(()),
    }
}

/// All roles that are named are the organization's.
pub fn all_known(named: &[i64], roles: &[Number]) -> Result<(), ApiError> {
    match named.iter().all(|id| roles.iter().any(|role| role.id == *id)) {
        true => Ok(()),
        false => Err(ApiError::not_found("Role not found")),
    }
}

/// Rules under both names that clients look for.
fn all(rules: &str) -> JsonText {
    JsonText(format!("{{\"acl_rules\":{rules},\"acl\":{rules}}}"))
}
