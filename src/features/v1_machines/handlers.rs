//! What clients of `/v1` ask of machines.
use axum::http::StatusCode;
use chrono::Utc;
use protocol::api::v1::{V1, V1Done, V1ErrorBody, V1OpenedSession};
use protocol::api::v1_machines::{V1MachineDetail, V1MachineList, V1MachineTest, V1ServerInfo};
use protocol::terminal::Size;
use serde::Deserialize;
use utoipa::IntoParams;

use super::body;
use crate::auth::caller::Credentials;
use crate::features::machines;
use crate::features::machines::store::{self, Filter};
use crate::features::sessions::SessionPage;
use crate::features::v1_sessions::{key, open, pagination};
use crate::http::client::Client;
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// How many machines fit on a page if none is asked for…
const LISTED: u64 = 20;

/// …and at most.
const MOST: u64 = 100;

/// Which machines to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `online` or `offline`.
    status: Option<String>,
    /// A tag, whole.
    tag: Option<String>,
    /// Part of a name or description, upper and lower case being the same.
    search: Option<String>,
}

/// Lists the machines the caller reaches, by name.
#[utoipa::path(get, path = "/v1/machines", summary = "List machines", operation_id = "v1_list_machines", params(ListQuery, SessionPage),
    responses((status = 200, description = "A page of machines, of 20 if no `limit` up to 100 is asked for", body = V1<V1MachineList>)))]
pub async fn list_machines(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<SessionPage>,
) -> Result<Json<V1<V1MachineList>>, ApiError> {
    let filter = Filter {
        search: query.search,
        status: query.status,
        tag: query.tag,
        tenant_id: None,
    };
    let page = page.page(LISTED, MOST);
    let user = credentials.user_id();
    let queries = (store::list(user, &filter, page), store::count(user, &filter));
    let (_, (rows, count)) = credentials.load(&app.db()?, queries).await?;
    Ok(Json(V1::new(V1MachineList {
        machines: rows.into_iter().map(|row| body::item(row.machine)).collect(),
        pagination: pagination(page.of(Count::of(&count))),
    })))
}

/// Reads one machine.
#[utoipa::path(get, path = "/v1/machines/{machine_id}", summary = "Read a machine", operation_id = "v1_find_machine",
    params(("machine_id" = String, Path, description = "The machine's id, with or without `mch_`, or its `agent_id`")),
    responses((status = 200, description = "The machine", body = V1<V1MachineDetail>),
        (status = 403, description = "The caller does not reach the machine", body = V1ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = V1ErrorBody)))]
pub async fn find_machine(
    app: App,
    credentials: Credentials,
    PathParam(machine_id): PathParam,
) -> Result<Json<V1<V1MachineDetail>>, ApiError> {
    let access = machines::load(&app, credentials, key(&machine_id)).await?;
    Ok(Json(V1::new(body::detail(access.found().machine.clone()))))
}

/// Deletes a machine: shuts its agent out, ends its terminals, and removes it with its sessions.
#[utoipa::path(delete, path = "/v1/machines/{machine_id}", summary = "Delete a machine", operation_id = "v1_delete_machine",
    params(("machine_id" = String, Path, description = "The machine's id, with or without `mch_`, or its `agent_id`")),
    responses((status = 200, description = "It is gone", body = V1Done),
        (status = 403, description = "The caller may not delete the machine", body = V1ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = V1ErrorBody)))]
pub async fn delete_machine(
    app: App,
    credentials: Credentials,
    PathParam(machine_id): PathParam,
) -> Result<Json<V1Done>, ApiError> {
    let access = machines::load(&app, credentials, key(&machine_id)).await?;
    machines::remove(&app, &access.control()?).await?;
    Ok(Json(V1Done::new("Machine deleted successfully")))
}

/// Asks whether a machine can be reached.
#[utoipa::path(post, path = "/v1/machines/{machine_id}/test", summary = "Test a machine", operation_id = "v1_test_machine",
    params(("machine_id" = String, Path, description = "The machine's id, with or without `mch_`, or its `agent_id`")),
    responses((status = 200, description = "Whether it can", body = V1<V1MachineTest>),
        (status = 403, description = "The caller does not reach the machine", body = V1ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = V1ErrorBody)))]
pub async fn test_machine(
    app: App,
    credentials: Credentials,
    PathParam(machine_id): PathParam,
) -> Result<Json<V1<V1MachineTest>>, ApiError> {
    let access = machines::load(&app, credentials, key(&machine_id)).await?;
    let machine = &access.found().machine;
    let asked = Utc::now();
    let status = app.relay(&machine.id)?.status(None).await;
    let took = (Utc::now() - asked).num_milliseconds();
    Ok(Json(V1::new(V1MachineTest {
        connected: status.as_ref().is_some_and(|status| status.connected),
        latency_ms: status.and(u64::try_from(took).ok()),
        server_info: V1ServerInfo {
            os: machine.os.clone(),
            hostname: machine.hostname.clone(),
        },
    })))
}

/// Opens a session on a machine, of 80 by 24 characters.
#[utoipa::path(post, path = "/v1/machines/{machine_id}/connect", summary = "Connect to a machine", operation_id = "v1_connect_machine",
    params(("machine_id" = String, Path, description = "The machine's id, with or without `mch_`, or its `agent_id`")),
    responses((status = 201, description = "The session, and what opens its socket", body = V1<V1OpenedSession>),
        (status = 403, description = "The caller may not use the machine, or it was revoked", body = V1ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = V1ErrorBody),
        (status = 409, description = "The machine has not been enrolled yet", body = V1ErrorBody),
        (status = 503, description = "The machine's agent is not connected", body = V1ErrorBody)))]
pub async fn connect_machine(
    app: App,
    credentials: Credentials,
    client: Client,
    PathParam(machine_id): PathParam,
) -> Result<(StatusCode, Json<V1<V1OpenedSession>>), ApiError> {
    let opened = open(&app, credentials, &client, &machine_id, Size::default()).await?;
    Ok((StatusCode::CREATED, Json(V1::new(opened))))
}
