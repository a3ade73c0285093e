//! What people do with machines.
pub mod metrics;
pub mod rotate_key;
pub mod update;

use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::Message;
use protocol::api::error::ErrorBody;
use protocol::api::machines::{
    CreateMachine, Machine, MachineCreated, MachineDetail, MachineList, MachineStatus, RegistrationToken,
    install_command,
};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use protocol::relay_contract::Interest;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::machines::access::{MachineAccess, MachineControl};
use crate::features::machines::store::{self, Filter, Key, NewMachine};
use crate::features::machines::{body, freshness};
use crate::features::organizations;
use crate::http::envelope::{Envelope, Enveloped, SUCCESS};
use crate::http::extract::{PathParam, QueryParams, ValidJson};
use crate::http::json_text::Json;
use crate::http::page::{Page, PageQuery};
use crate::platform::context::App;
use crate::platform::db::{Count, DbError, now};
use crate::platform::error::ApiError;
use crate::platform::{random, secrets};

/// Which machines to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Part of a name or description, upper and lower case being the same.
    search: Option<String>,
    /// A status, such as `online`.
    status: Option<String>,
    /// A tag, whole.
    tag: Option<String>,
    /// Another organization's slug; only a super administrator's counts.
    tenant_id: Option<String>,
}

/// How closely somebody looks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LiveQuery {
    /// `true` of a page that has the machine on the screen: it is measured every 3 seconds for the next half minute, instead of every 30
    /// for a quarter of an hour.
    live: Option<bool>,
}

/// Lists the machines the caller reaches, by name.
#[utoipa::path(get, path = "/api/machines", summary = "List machines", params(ListQuery, PageQuery),
    responses((status = 200, description = "The machines", body = Enveloped<MachineList>)))]
pub async fn list_machines(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Response, ApiError> {
    let filter = Filter {
        search: query.search,
        status: query.status,
        tag: query.tag,
        tenant_id: query.tenant_id,
    };
    let page = page.page();
    let list = store::list(credentials.user_id(), &filter, page);
    let (rows, total) = if page == Page::Everything {
        let (_, rows) = credentials.load(&app.db()?, list).await?;
        let total = rows.len() as u64;
        (rows, total)
    } else {
        let count = store::count(credentials.user_id(), &filter);
        let (_, (rows, count)) = credentials.load(&app.db()?, (list, count)).await?;
        (rows, Count::of(&count))
    };
    freshness::ask_behind(&app, freshness::of_rows(rows.iter().map(|row| &row.machine)));
    let paging = page.of(total);
    let body = MachineList {
        machines: rows.into_iter().map(|row| row.machine.into()).collect(),
        total: paging.total,
        page: paging.page,
        limit: paging.limit,
        total_pages: paging.total_pages,
    };
    envelope.reply(StatusCode::OK, SUCCESS, &body)
}

/// Makes a machine that waits for its agent.
#[utoipa::path(post, path = "/api/machines", summary = "Create a machine", request_body = CreateMachine,
    responses((status = 201, description = "The machine and the token its agent enrols with", body = MachineCreated),
        (status = 403, description = "In the caller's organization, only administrators make machines", body = ErrorBody),
        (status = 409, description = "The caller has a machine of this name", body = ErrorBody)))]
pub async fn create_machine(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<CreateMachine>,
) -> Result<(StatusCode, Json<MachineCreated>), ApiError> {
    let (db, address) = (app.db()?, app.address()?);
    let (id, token) = (random::object_id()?, registration_token()?);
    let new = NewMachine {
        agent_id: random::agent_id()?,
        token_hash: secrets::digest(token.expose()),
        token_sealed: app.config.sealing.seal(&token_associated_data(&id), &token)?,
        id,
        request,
        now: now(),
    };
    let find = store::find(credentials.user_id(), &Key::Id(new.id.clone()));
    let allowed = organizations::store::may_create_machines(credentials.user_id());
    let (caller, allowed) = credentials.load(&db, allowed).await?;
    if !allowed.first().is_some_and(|row| row.allowed) {
        return Err(ApiError::forbidden(
            "forbidden",
            "Only administrators may create machines in this organization",
        ));
    }
    let event = caller
        .event(Action::MachineCreated, Resource::Machine)
        .created()
        .on(&new.id)
        .detail("machine", new.request.name.trim())
        .detail("agent_id", new.agent_id.as_str());
    let (_, _, found) = db
        .run((store::insert(&caller, &new)?, audit::record(&event), find))
        .await
        .map_err(taken)?;
    let machine = detail(&app, &MachineAccess::decide(caller, found)?)?;
    Ok((
        StatusCode::CREATED,
        Json(MachineCreated {
            id: machine.id.clone(),
            agent_id: machine.agent_id.clone(),
            name: machine.name.clone(),
            description: machine.description.clone(),
            install_command: install_command(&address, &token, &machine.linux_user, machine.allow_sudo),
            registration_token: token,
            status: machine.status,
            machine,
        }),
    ))
}

/// Reads one machine, with what its relay knows at this moment.
#[utoipa::path(get, path = "/api/machines/{agent_id}", summary = "Read a machine",
    params(("agent_id" = String, Path, description = "The machine's public name"), LiveQuery),
    responses((status = 200, description = "The machine", body = Enveloped<MachineDetail>),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn find_machine(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    PathParam(agent_id): PathParam,
    QueryParams(query): QueryParams<LiveQuery>,
) -> Result<Response, ApiError> {
    let access = load(&app, credentials, Key::AgentId(agent_id)).await?;
    let interest = match query.live {
        Some(true) => Interest::Page,
        Some(false) | None => Interest::Reader,
    };
    let body = MachineDetail::from(live(&app, &access, interest).await?);
    envelope.reply(StatusCode::OK, SUCCESS, &body)
}

/// Reads one machine by its internal id.
#[utoipa::path(get, path = "/api/machines/by-id/{machine_id}", summary = "Read a machine by its id",
    params(("machine_id" = String, Path, description = "The machine's `id`: 24 lowercase hex characters")),
    responses((status = 200, description = "The machine", body = MachineDetail),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn find_machine_by_id(
    app: App,
    credentials: Credentials,
    PathParam(machine_id): PathParam,
) -> Result<Json<MachineDetail>, ApiError> {
    let id = machine_id
        .parse()
        .map_err(|_| ApiError::bad_request("Invalid machine ID"))?;
    let access = load(&app, credentials, Key::Id(id)).await?;
    Ok(Json(live(&app, &access, Interest::Reader).await?.into()))
}

/// A name that its owner uses already.
fn taken(error: DbError) -> ApiError {
    match error {
        DbError::Duplicate => ApiError::conflict("name_taken", "Machine with this name already exists"),
        other => other.into(),
    }
}

/// Deletes a machine: shuts its agent out, ends its terminals, and removes it with its sessions. After a failure half-way,
/// doing it again finishes the work.
#[utoipa::path(delete, path = "/api/machines/{agent_id}", summary = "Delete a machine",
    params(("agent_id" = String, Path, description = "The machine's public name")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 403, description = "The caller may not delete the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn delete_machine(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    PathParam(agent_id): PathParam,
) -> Result<Response, ApiError> {
    let control = load(&app, credentials, Key::AgentId(agent_id)).await?.control()?;
    remove(&app, &control).await?;
    envelope.reply(StatusCode::OK, "Machine deleted successfully", &serde_json::Map::new())
}

/// Deletes a machine.
pub async fn remove(app: &App, control: &MachineControl) -> Result<(), ApiError> {
    let db = app.db()?;
    db.run(store::end::revoke(control, &now())).await?;
    app.relay(control.id())?.destroy().await?;
    let event = control
        .caller()
        .event(Action::MachineDeleted, Resource::Machine)
        .within(control.organization_id())
        .on(control.id())
        .detail("machine", control.name())
        .detail("agent_id", control.machine().agent_id.as_str());
    // Asked twice at once, it is deleted once.
    db.run((store::end::delete(control), audit::record_if_changed(&event)))
        .await?;
    Ok(())
}

/// Gives a machine a new registration token, to enrol it again. The agent that runs there now stays until then.
#[utoipa::path(post, path = "/api/machines/{agent_id}/registration-token", summary = "Issue a registration token",
    params(("agent_id" = String, Path, description = "The machine's public name")),
    responses((status = 201, description = "The token; any earlier one is void", body = RegistrationToken),
        (status = 403, description = "The caller may not change the machine, or it was revoked", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn create_registration_token(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
) -> Result<(StatusCode, Json<RegistrationToken>), ApiError> {
    let control = load(&app, credentials, Key::AgentId(agent_id)).await?.control()?;
    if control.status() == MachineStatus::Revoked {
        return Err(ApiError::forbidden("machine_revoked", "machine has been revoked"));
    }
    let (token, address) = (registration_token()?, app.address()?);
    let sealed = app.config.sealing.seal(&token_associated_data(control.id()), &token)?;
    app.db()?
        .run(store::set_registration_token(
            &control,
            &secrets::digest(token.expose()),
            &sealed,
        ))
        .await?;
    let machine = control.machine();
    Ok((
        StatusCode::CREATED,
        Json(RegistrationToken {
            install_command: install_command(&address, &token, &machine.linux_user, machine.allow_sudo),
            registration_token: token,
        }),
    ))
}

/// Looks a machine up for the caller.
pub async fn load(app: &App, credentials: Credentials, key: Key) -> Result<MachineAccess, ApiError> {
    let find = store::find(credentials.user_id(), &key);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    MachineAccess::decide(caller, found)
}

/// The machine with what its relay knows now, or last knew.
async fn live(app: &App, access: &MachineAccess, interest: Interest) -> Result<Machine, ApiError> {
    let mut machine = detail(app, access)?;
    if (machine.status.is_online() || machine.status == MachineStatus::Offline)
        && let Some(status) = app.relay(&machine.id)?.status(Some(interest)).await
    {
        body::update(&mut machine, &status);
    }
    Ok(machine)
}

/// The machine with what only those who manage it may see.
fn detail(app: &App, access: &MachineAccess) -> Result<Machine, ApiError> {
    let found = access.found();
    let mut machine = Machine::from(found.machine.clone());
    if access.manages() {
        machine.custom_script = Some(found.custom_script.clone());
        if let Some(sealed) = &found.registration_token_sealed {
            let token = app.config.sealing.open(&token_associated_data(&machine.id), sealed)?;
            let address = app.address().ok();
            machine.install_command =
                address.map(|address| install_command(&address, &token, &machine.linux_user, machine.allow_sudo));
            machine.registration_token = Some(token);
        }
    }
    Ok(machine)
}

/// 256 random bits.
fn registration_token() -> Result<Secret, ApiError> {
    Ok(random::hex::<32>()?.into())
}

/// What the token of a machine is sealed with.
fn token_associated_data(machine: &ObjectId) -> String {
    format!("machines.registration_token:{machine}")
}
