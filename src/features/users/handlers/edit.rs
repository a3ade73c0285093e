//! Changing people's accounts.
use std::collections::BTreeSet;

use protocol::api::auth::Role;
use protocol::api::error::ErrorBody;
use protocol::api::users::{PersonDetail, UpdateUser};
use protocol::ids::ObjectId;
use serde_json::json;

use super::delete::last_admin;
use crate::audit::{self, Action, Event, Resource};
use crate::auth::caller::Credentials;
use crate::features::accounts::store as accounts;
use crate::features::accounts::store::change::Change;
use crate::features::groups::store::members;
use crate::features::sessions::revocation::{self, Whose};
use crate::features::users::access::UserControl;
use crate::features::users::load::{exactly_one, load, reload};
use crate::features::users::role_assignment::machine_role;
use crate::features::users::{body, escalation, store};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{Db, DbError, Nothing, Query, now};
use crate::platform::error::ApiError;

/// Changes an account. What it may do afterwards holds from its next request on, and terminals it may no longer have end.
#[utoipa::path(put, path = "/api/users/{user_id}", summary = "Change a user", request_body = UpdateUser,
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The account as it is now", body = PersonDetail),
        (status = 403, description = "The caller may not change it this way", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = ErrorBody)))]
pub async fn update_user(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
    ValidJson(request): ValidJson<UpdateUser>,
) -> Result<Json<PersonDetail>, ApiError> {
    let control = load(&app, credentials, &user_id).await?.control()?;
    let db = app.db()?;
    let email = request.email().map(str::to_lowercase);
    let change = Change {
        email: email.as_deref(),
        first_name: request.first_name.as_deref().map(str::trim),
        last_name: request.last_name.as_deref().map(str::trim),
        display_name: request.display_name.as_deref().map(str::trim),
        role: request.role.map(Role::as_str),
        machine_role: request.machine_role.as_deref().map(machine_role),
        enabled: request.enabled(),
    };
    check(&control, &request, &change)?;
    let groups = match &request.groups {
        Some(given) => Some(groups(&db, control.organization_id(), given).await?),
        None => None,
    };
    let plan = plan(&control, &change, groups.as_ref())?;
    let now = now();
    let mut batch = vec![store::update(&control, &change, &now)];
    if email.as_ref().is_some_and(|email| *email != control.row().email) {
        batch.extend(accounts::email_link::void_all(control.id(), &now));
    }
    if let Some(groups) = &groups {
        batch.extend(set_groups(&control, groups, &now)?);
    }
    if plan.loses_admin {
        batch.push(store::keep_an_admin(control.organization_id()));
    }
    batch.extend(plan.events.iter().map(audit::record));
    let find = reload(control.caller().id(), control.id());
    let (_, found) = db.run((batch, find)).await.map_err(|error| match error {
        DbError::Duplicate => ApiError::bad_request("Email already in use"),
        other => last_admin(other),
    })?;
    if plan.may_end || change.enabled == Some(false) {
        revocation::withdraw(&app, Whose::User(control.id())).await?;
    }
    Ok(Json(PersonDetail::new(body::person(exactly_one(found)?), None)))
}

fn check(control: &UserControl, request: &UpdateUser, change: &Change) -> Result<(), ApiError> {
    if let Some(role) = request.role {
        escalation::check_role(control, role)?;
    }
    if let Some(role) = change.machine_role.filter(|role| *role != control.row().machine_role) {
        escalation::check_machine_role(control.caller(), role)?;
    }
    if request.groups.is_some() {
        escalation::check_groups(control.caller())?;
    }
    match change.enabled {
        Some(false) if control.is_own() => Err(ApiError::bad_request("Cannot deactivate your own account")),
        _ => Ok(()),
    }
}

/// The groups of an organization that are named, by id or name. Each must exist.
pub async fn groups(db: &Db, organization: &ObjectId, given: &[String]) -> Result<BTreeSet<ObjectId>, ApiError> {
    let text = serde_json::to_string(given).map_err(ApiError::internal)?;
    let found = db.run(store::find_groups(organization, &text)).await?;
    match given
        .iter()
        .find(|name| !found.iter().any(|group| group.given == **name))
    {
        Some(name) => Err(ApiError::invalid_field(
            "groups",
            format!("names no group of the organization: {name}"),
        )),
        None => Ok(found.into_iter().map(|group| group.id).collect()),
    }
}

/// What a change of an account brings with it.
struct Plan {
    /// One administrator fewer.
    loses_admin: bool,
    /// It may lose access to machines.
    may_end: bool,
    /// What the log says.
    events: Vec<Event>,
}

fn plan(control: &UserControl, change: &Change, groups: Option<&BTreeSet<ObjectId>>) -> Result<Plan, ApiError> {
    let row = control.row();
    let before = [
        ("email", row.email.as_str(), change.email),
        ("first_name", &row.first_name, change.first_name),
        ("last_name", &row.last_name, change.last_name),
        ("display_name", &row.display_name, change.display_name),
        ("machine_role", &row.machine_role, change.machine_role),
    ];
    let mut updated = event(control, Action::UserUpdated);
    for (field, old, new) in before {
        if let Some(new) = new.filter(|new| *new != old) {
            updated = updated.detail(field, json!({"old": old, "new": new}));
        }
    }
    if let Some(enabled) = change.enabled.filter(|enabled| *enabled != row.enabled) {
        updated = updated.detail("enabled", json!({"old": row.enabled, "new": enabled}));
    }
    if let Some(groups) = groups {
        updated = updated.detail("groups", serde_json::to_value(groups).map_err(ApiError::internal)?);
    }
    let role = change.role.filter(|role| *role != row.role.as_str());
    let changed = role.map(|role| role_changed(control, role));
    let is_admin = row.role != Role::User && row.enabled;
    Ok(Plan {
        loses_admin: is_admin && (change.enabled == Some(false) || role == Some(Role::User.as_str())),
        may_end: role.is_some() || change.machine_role.is_some() || change.enabled == Some(false) || groups.is_some(),
        events: [updated].into_iter().chain(changed).collect(),
    })
}

/// Something done to an account, in the log of its organization.
pub fn event(control: &UserControl, action: Action) -> Event {
    control
        .caller()
        .event(action, Resource::User)
        .within(control.organization_id())
        .on(control.id())
        .detail("username", control.row().username.as_str())
}

/// The account becomes something else in its organization.
pub fn role_changed(control: &UserControl, to: &str) -> Event {
    event(control, Action::RoleChanged)
        .detail("old", control.row().role.as_str())
        .detail("new", to)
}

fn set_groups(control: &UserControl, groups: &BTreeSet<ObjectId>, now: &str) -> Result<[Query<Nothing>; 3], ApiError> {
    let before: BTreeSet<ObjectId> = control.row().groups.iter().map(|group| group.id.clone()).collect();
    let text = |ids: &BTreeSet<ObjectId>| serde_json::to_string(ids).map_err(ApiError::internal);
    let touched = before.symmetric_difference(groups).cloned().collect();
    Ok(members::set_of_user(
        control.id(),
        &text(groups)?,
        &text(&touched)?,
        now,
    ))
}
