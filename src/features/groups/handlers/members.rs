//! The people of a group.
use protocol::api::error::ErrorBody;
use protocol::api::groups::{AddMembers, GroupChanged, MemberList, RemoveMember};
use protocol::ids::ObjectId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{event, exactly_one, group_key, names};
use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::groups::access::GroupAccess;
use crate::features::groups::body;
use crate::features::groups::row::Person;
use crate::features::groups::store;
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::{OptionalJson, PathParam, QueryParams, ValidJson};
use crate::http::json_text::JsonText;
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Whom to take out of a group, for clients whose DELETE carries no body.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RemoveQuery {
    /// An account.
    #[param(min_length = 24, max_length = 24, pattern = "^[0-9a-f]{24}$")]
    user_id: Option<String>,
}

/// Lists the people of a group, by name.
#[utoipa::path(get, path = "/api/groups/{group_id}/members", summary = "List the members of a group",
    params(("group_id" = String, Path, description = "The group's `id`"), PageQuery),
    responses((status = 200, description = "The people", body = MemberList),
        (status = 404, description = "No such group in the caller's organization", body = ErrorBody)))]
pub async fn list_group_members(
    app: App,
    credentials: Credentials,
    PathParam(group_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let (group, page) = (group_key(&group_id)?, page.page());
    let find = store::find(credentials.user_id(), &group);
    let list = store::members::list(credentials.user_id(), &group, page);
    let (caller, (found, rows)) = credentials.load(&app.db()?, (find, list)).await?;
    let access = GroupAccess::decide(caller, found)?;
    let paging = page.of(u64::try_from(access.group().member_ids.len()).unwrap_or(u64::MAX));
    Ok(JsonText::page("members", &rows, paging))
}

/// Puts people into a group: from then on they reach its machines.
#[utoipa::path(post, path = "/api/groups/{group_id}/members", summary = "Add members to a group",
    params(("group_id" = String, Path, description = "The group's `id`")), request_body = AddMembers,
    responses((status = 200, description = "The group as it is now", body = GroupChanged),
        (status = 403, description = "The caller is no administrator", body = ErrorBody),
        (status = 404, description = "No such group in the caller's organization, or nobody of that id", body = ErrorBody)))]
pub async fn add_group_members(
    app: App,
    credentials: Credentials,
    PathParam(group_id): PathParam,
    ValidJson(request): ValidJson<AddMembers>,
) -> Result<JsonText, ApiError> {
    let (db, group) = (app.db()?, group_key(&group_id)?);
    let wanted = request.user_ids.iter().flatten().chain(&request.user_id);
    let people = store::members::find(&group, wanted.map(String::as_str))?;
    let find = store::find(credentials.user_id(), &group);
    let (caller, (found, people)) = credentials.load(&db, (find, people)).await?;
    let control = GroupAccess::decide(caller, found)?.control()?;
    if let Some(id) = &request.user_id {
        let id = user_key(id)?;
        if !people.iter().any(|person| person.id == id) {
            return Err(ApiError::not_found("User not found"));
        }
    }
    let members = &control.group().member_ids;
    let added: Vec<Person> = people
        .into_iter()
        .filter(|person| !members.contains(&person.id))
        .collect();
    let event = event(&control, Action::GroupMemberAdded).detail("members", names(&added));
    let record = (!added.is_empty()).then(|| audit::record(&event));
    let add = (!added.is_empty())
        .then(|| store::members::add(&control, &added, &now()))
        .transpose()?;
    let (_, _, rows) = db.run((add, record, store::read(control.id()))).await?;
    let group = exactly_one(rows)?;
    let counts = [("added_count", added.len() as u64)];
    Ok(body::changed("Member added to group", &counts, &group.body))
}

/// Takes somebody out of a group: what they reached only by it, they reach no longer.
#[utoipa::path(delete, path = "/api/groups/{group_id}/members", summary = "Remove a member from a group",
    params(("group_id" = String, Path, description = "The group's `id`"), RemoveQuery), request_body = Option<RemoveMember>,
    responses((status = 200, description = "The group as it is now", body = GroupChanged),
        (status = 403, description = "The caller is no administrator", body = ErrorBody),
        (status = 404, description = "No such group in the caller's organization, or nobody of that id in it", body = ErrorBody)))]
pub async fn remove_group_member(
    app: App,
    credentials: Credentials,
    PathParam(group_id): PathParam,
    QueryParams(query): QueryParams<RemoveQuery>,
    OptionalJson(request): OptionalJson<RemoveMember>,
) -> Result<JsonText, ApiError> {
    let (db, group) = (app.db()?, group_key(&group_id)?);
    let wanted = request.and_then(|request| request.user_id).or(query.user_id);
    let people = store::members::find(&group, wanted.as_deref())?;
    let find = store::find(credentials.user_id(), &group);
    let (caller, (found, people)) = credentials.load(&db, (find, people)).await?;
    let control = GroupAccess::decide(caller, found)?.control()?;
    user_key(&wanted.ok_or_else(|| ApiError::invalid_field("user_id", "is required"))?)?;
    let person = people.first().ok_or_else(|| ApiError::not_found("User not found"))?;
    if !control.group().member_ids.contains(&person.id) {
        return Err(ApiError::not_found("User not in group"));
    }
    let event = event(&control, Action::GroupMemberRemoved).detail("members", names(&people));
    let remove = store::members::remove(&control, &person.id, &now());
    let (_, _, rows) = db
        .run((remove, audit::record(&event), store::read(control.id())))
        .await?;
    revocation::withdraw(&app, Whose::User(&person.id)).await?;
    let group = exactly_one(rows)?;
    Ok(body::changed("Member removed from group", &[], &group.body))
}

fn user_key(text: &str) -> Result<ObjectId, ApiError> {
    text.parse()
        .map_err(|_| ApiError::invalid_field("user_id", "is not an account's id"))
}
