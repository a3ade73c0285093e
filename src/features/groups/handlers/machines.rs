//! The machines of a group.
use protocol::api::error::ErrorBody;
use protocol::api::groups::{AddMachines, GroupChanged, GroupMachineList};

use super::{event, exactly_one, group_key, machine_names};
use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::groups::access::GroupAccess;
use crate::features::groups::body;
use crate::features::groups::row::Host;
use crate::features::groups::store;
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::{PathPair, PathParam, QueryParams, ValidJson};
use crate::http::json_text::JsonText;
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Lists the machines of a group, by name.
#[utoipa::path(get, path = "/api/groups/{group_id}/machines", summary = "List the machines of a group",
    params(("group_id" = String, Path, description = "The group's `id`"), PageQuery),
    responses((status = 200, description = "The machines", body = GroupMachineList),
        (status = 404, description = "No such group in the caller's organization", body = ErrorBody)))]
pub async fn list_group_machines(
    app: App,
    credentials: Credentials,
    PathParam(group_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let (group, page) = (group_key(&group_id)?, page.page());
    let find = store::find(credentials.user_id(), &group);
    let list = store::machines::list(credentials.user_id(), &group, page);
    let (caller, (found, rows)) = credentials.load(&app.db()?, (find, list)).await?;
    let access = GroupAccess::decide(caller, found)?;
    let paging = page.of(u64::try_from(access.group().machine_ids.len()).unwrap_or(u64::MAX));
    Ok(JsonText::page("machines", &rows, paging))
}

/// Puts machines into a group: from then on its people reach them.
#[utoipa::path(post, path = "/api/groups/{group_id}/machines", summary = "Add machines to a group",
    params(("group_id" = String, Path, description = "The group's `id`")), request_body = AddMachines,
    responses((status = 200, description = "The group as it is now", body = GroupChanged),
        (status = 403, description = "The caller is no administrator", body = ErrorBody),
        (status = 404, description = "No such group in the caller's organization, or no such machine in the group's", body = ErrorBody)))]
pub async fn add_group_machines(
    app: App,
    credentials: Credentials,
    PathParam(group_id): PathParam,
    ValidJson(request): ValidJson<AddMachines>,
) -> Result<JsonText, ApiError> {
    let (db, group) = (app.db()?, group_key(&group_id)?);
    let machines = store::machines::find(&group, request.machine_ids.iter().map(String::as_str))?;
    let find = store::find(credentials.user_id(), &group);
    let (caller, (found, machines)) = credentials.load(&db, (find, machines)).await?;
    let control = GroupAccess::decide(caller, found)?.control()?;
    if !request
        .machine_ids
        .iter()
        .all(|id| machines.iter().any(|machine| machine.is(id)))
    {
        return Err(ApiError::not_found("Machine not found"));
    }
    let added: Vec<Host> = machines
        .into_iter()
        .filter(|machine| !control.group().machine_ids.contains(&machine.agent_id))
        .collect();
    let event = event(&control, Action::GroupMachineAdded).detail("machines", machine_names(&added));
    let record = (!added.is_empty()).then(|| audit::record(&event));
    let add = (!added.is_empty())
        .then(|| store::machines::add(&control, &added, &now()))
        .transpose()?;
    let (_, _, rows) = db.run((add, record, store::read(control.id()))).await?;
    let group = exactly_one(rows)?;
    let counts = [
        ("added_count", added.len() as u64),
        ("total_machines", group.machine_count),
    ];
    Ok(body::changed("Machines added to group", &counts, &group.body))
}

/// Takes a machine out of a group: those who reached it only by the group reach it no longer.
#[utoipa::path(delete, path = "/api/groups/{group_id}/machines/{machine_id}", summary = "Remove a machine from a group",
    params(("group_id" = String, Path, description = "The group's `id`"),
        ("machine_id" = String, Path, description = "The machine's public name or `id`")),
    responses((status = 200, description = "The group as it is now", body = GroupChanged),
        (status = 403, description = "The caller is no administrator", body = ErrorBody),
        (status = 404, description = "No such group in the caller's organization, or no such machine in it", body = ErrorBody)))]
pub async fn remove_group_machine(
    app: App,
    credentials: Credentials,
    PathPair(group_id, machine_id): PathPair,
) -> Result<JsonText, ApiError> {
    let (db, group) = (app.db()?, group_key(&group_id)?);
    let machines = store::machines::find(&group, [machine_id.as_str()])?;
    let find = store::find(credentials.user_id(), &group);
    let (caller, (found, machines)) = credentials.load(&db, (find, machines)).await?;
    let control = GroupAccess::decide(caller, found)?.control()?;
    let machine = machines
        .first()
        .filter(|machine| control.group().machine_ids.contains(&machine.agent_id))
        .ok_or_else(|| ApiError::not_found("Machine not in group"))?;
    let event = event(&control, Action::GroupMachineRemoved).detail("machines", machine_names(&machines));
    let remove = store::machines::remove(&control, &machine.id, &now());
    let (_, _, rows) = db
        .run((remove, audit::record(&event), store::read(control.id())))
        .await?;
    revocation::withdraw(&app, Whose::Organization(control.organization_id())).await?;
    let group = exactly_one(rows)?;
    Ok(body::changed("Machine removed from group", &[], &group.body))
}
