//! What people do with groups.
pub mod machines;
pub mod members;

use axum::http::StatusCode;
use protocol::api::Message;
use protocol::api::error::ErrorBody;
use protocol::api::groups::{CreateGroup, GroupDetail, GroupList, UpdateGroup};
use protocol::ids::ObjectId;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::access::{GroupAccess, GroupControl};
use super::body;
use super::row::{ChangedRow, Host, Person};
use super::store::{self, Filter, NewGroup};
use crate::audit::{self, Action, Event, Resource};
use crate::auth::caller::Credentials;
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::{PathParam, QueryParams, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, DbError, now};
use crate::platform::error::ApiError;
use crate::platform::random;

/// Which groups to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Part of a name or description, upper and lower case being the same. What is found comes in pages.
    search: Option<String>,
    /// Another organization's slug; only a super administrator's counts.
    tenant_id: Option<String>,
}

/// Lists the groups of the organization, by name.
#[utoipa::path(get, path = "/api/groups", summary = "List groups", params(ListQuery, PageQuery),
    responses((status = 200, description = "The groups", body = GroupList)))]
pub async fn list_groups(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let page = match query.search.as_deref() {
        None | Some("") => page.page(),
        Some(_) => page.always(),
    };
    let filter = Filter {
        search: query.search,
        tenant_id: query.tenant_id,
    };
    let list = store::list(credentials.user_id(), &filter, page);
    let count = store::count(credentials.user_id(), &filter);
    let (_, (rows, count)) = credentials.load(&app.db()?, (list, count)).await?;
    Ok(body::list(&rows, Count::of(&count), page))
}

/// Makes a group, with people and machines in it from the start if any are named.
#[utoipa::path(post, path = "/api/groups", summary = "Create a group", request_body = CreateGroup,
    responses((status = 201, description = "The group", body = GroupDetail),
        (status = 403, description = "The caller is no administrator", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody),
        (status = 409, description = "The organization has a group of this name", body = ErrorBody)))]
pub async fn create_group(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<CreateGroup>,
) -> Result<(StatusCode, JsonText), ApiError> {
    let db = app.db()?;
    let ingredients = store::ingredients(
        credentials.user_id(),
        request.tenant_id.as_deref(),
        &request.member_ids,
        &request.machine_ids,
    )?;
    let (caller, (chosen, people, machines)) = credentials.load(&db, ingredients).await?;
    let organization = chosen
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::not_found("Organization not found"))?
        .id;
    all_found(&request, &people, &machines)?;
    let id = random::object_id()?;
    let new = NewGroup {
        id: &id,
        organization_id: &organization,
        name: request.name.trim(),
        description: &request.description,
        now: &now(),
    };
    let event = caller
        .event(Action::GroupCreated, Resource::Group)
        .created()
        .within(&organization)
        .on(&id)
        .detail("name", new.name)
        .detail("members", names(&people))
        .detail("machines", machine_names(&machines));
    let insert = (
        store::insert(&caller, &new)?,
        store::members::insert(&id, &people, new.now)?,
        store::machines::insert(&id, &machines, new.now)?,
    );
    let (_, _, rows) = db
        .run((insert, audit::record(&event), store::read(&id)))
        .await
        .map_err(taken)?;
    Ok((StatusCode::CREATED, body::detail(&exactly_one(rows)?.body)))
}

/// Whoever names people and machines means all of them.
fn all_found(request: &CreateGroup, people: &[Person], machines: &[Host]) -> Result<(), ApiError> {
    for id in &request.member_ids {
        let id = id
            .parse::<ObjectId>()
            .map_err(|_| ApiError::bad_request(format!("Invalid member ID: {id}")))?;
        if !people.iter().any(|person| person.id == id) {
            return Err(ApiError::bad_request(format!("User not found or not in tenant: {id}")));
        }
    }
    for id in &request.machine_ids {
        if !machines.iter().any(|machine| machine.is(id)) {
            return Err(ApiError::bad_request(format!(
                "Machine not found or not in tenant: {id}"
            )));
        }
    }
    Ok(())
}

/// Reads one group.
#[utoipa::path(get, path = "/api/groups/{group_id}", summary = "Read a group",
    params(("group_id" = String, Path, description = "The group's `id`")),
    responses((status = 200, description = "The group", body = GroupDetail),
        (status = 404, description = "No such group in the caller's organization", body = ErrorBody)))]
pub async fn find_group(
    app: App,
    credentials: Credentials,
    PathParam(group_id): PathParam,
) -> Result<JsonText, ApiError> {
    let find = store::find(credentials.user_id(), &group_key(&group_id)?);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    Ok(body::detail(&GroupAccess::decide(caller, found)?.group().body))
}

/// Gives a group another name or description.
#[utoipa::path(put, path = "/api/groups/{group_id}", summary = "Change a group",
    params(("group_id" = String, Path, description = "The group's `id`")), request_body = UpdateGroup,
    responses((status = 200, description = "The group as it is now", body = GroupDetail),
        (status = 403, description = "The caller is no administrator", body = ErrorBody),
        (status = 404, description = "No such group in the caller's organization", body = ErrorBody),
        (status = 409, description = "The organization has another group of this name", body = ErrorBody)))]
pub async fn update_group(
    app: App,
    credentials: Credentials,
    PathParam(group_id): PathParam,
    ValidJson(request): ValidJson<UpdateGroup>,
) -> Result<JsonText, ApiError> {
    let control = control(&app, credentials, &group_id).await?;
    let old = control.group();
    let name = request.name.as_deref().unwrap_or(&old.name).trim();
    let description = request.description.as_deref().unwrap_or(&old.description);
    let mut event = event(&control, Action::GroupUpdated);
    for (field, old, new) in [
        ("name", old.name.as_str(), name),
        ("description", old.description.as_str(), description),
    ] {
        if old != new {
            event = event.detail(field, serde_json::json!({"old": old, "new": new}));
        }
    }
    let update = store::update(&control, name, description, &now());
    let (_, _, rows) = app
        .db()?
        .run((update, audit::record(&event), store::read(control.id())))
        .await
        .map_err(taken)?;
    Ok(body::detail(&exactly_one(rows)?.body))
}

/// Deletes a group. Its people and machines stay; what they reached only by it, they reach no longer.
#[utoipa::path(delete, path = "/api/groups/{group_id}", summary = "Delete a group",
    params(("group_id" = String, Path, description = "The group's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 403, description = "The caller is no administrator", body = ErrorBody),
        (status = 404, description = "No such group in the caller's organization", body = ErrorBody)))]
pub async fn delete_group(
    app: App,
    credentials: Credentials,
    PathParam(group_id): PathParam,
) -> Result<Json<Message>, ApiError> {
    let control = control(&app, credentials, &group_id).await?;
    let event = event(&control, Action::GroupDeleted);
    app.db()?.run((store::delete(&control), audit::record(&event))).await?;
    revocation::withdraw(&app, Whose::Organization(control.organization_id())).await?;
    Ok(Json(Message {
        message: "Group deleted successfully".to_owned(),
    }))
}

/// The id in a path.
pub fn group_key(text: &str) -> Result<ObjectId, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("Invalid group ID"))
}

/// Looks a group up for a caller who wants to change it.
async fn control(app: &App, credentials: Credentials, group_id: &str) -> Result<GroupControl, ApiError> {
    let find = store::find(credentials.user_id(), &group_key(group_id)?);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    GroupAccess::decide(caller, found)?.control()
}

/// Something done to a group, in the log of its organization.
pub fn event(control: &GroupControl, action: Action) -> Event {
    control
        .caller()
        .event(action, Resource::Group)
        .within(control.organization_id())
        .on(control.id())
        .detail("group", control.group().name.as_str())
}

/// The names of people, for the log.
pub fn names(people: &[Person]) -> Value {
    people.iter().map(|person| person.username.as_str()).collect()
}

/// The names of machines, for the log.
pub fn machine_names(machines: &[Host]) -> Value {
    machines.iter().map(|machine| machine.name.as_str()).collect()
}

/// The group after a change that succeeded. It may be deleted in between.
pub fn exactly_one(rows: Vec<ChangedRow>) -> Result<ChangedRow, ApiError> {
    let row = rows.into_iter().next();
    row.ok_or_else(|| ApiError::not_found("Group not found"))
}

fn taken(error: DbError) -> ApiError {
    match error {
        DbError::Duplicate => ApiError::conflict("name_taken", "Group already exists in this tenant"),
        other => other.into(),
    }
}
