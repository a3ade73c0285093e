//! Changing what people say of a machine.
use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::error::ErrorBody;
use protocol::api::machines::{MachineDetail, UpdateMachine};
use protocol::relay_contract::Interest;
use serde_json::{Value, json};

use super::{live, load, taken};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::row::MachineRow;
use crate::features::machines::store::{self, Key};
use crate::http::envelope::{Envelope, Enveloped};
use crate::http::extract::{PathParam, ValidJson};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Changes what people say of a machine: its name, what it is for, its tags, what they noted of it, from which figures on it does
/// badly, and what commands may run there. Open terminals stay.
#[utoipa::path(put, path = "/api/machines/{agent_id}", summary = "Change a machine",
    params(("agent_id" = String, Path, description = "The machine's public name")), request_body = UpdateMachine,
    responses((status = 200, description = "The machine as it is now", body = Enveloped<MachineDetail>),
        (status = 403, description = "The caller may not change the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody),
        (status = 409, description = "Its owner has another machine of this name", body = ErrorBody)))]
pub async fn update_machine(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    PathParam(agent_id): PathParam,
    ValidJson(request): ValidJson<UpdateMachine>,
) -> Result<Response, ApiError> {
    let access = load(&app, credentials, Key::AgentId(agent_id)).await?;
    let (old, caller) = (access.found().machine.clone(), access.caller().clone());
    let control = access.control()?;
    let event = changes(&old, &request).into_iter().fold(
        caller
            .event(Action::MachineUpdated, Resource::Machine)
            .within(control.organization_id())
            .on(control.id())
            .detail("machine", control.name()),
        |event, (field, change)| event.detail(field, change),
    );
    let find = store::find(caller.id(), &Key::Id(control.id().clone()));
    let batch = (
        store::update(&control, &request)?,
        audit::record_if_changed(&event),
        find,
    );
    let (_, _, found) = app.db()?.run(batch).await.map_err(taken)?;
    if let Some(thresholds) = &request.thresholds {
        app.relay(control.id())?.judge_by(thresholds).await?;
    }
    if request.command_policy.is_some() {
        app.relay(control.id())?.recheck().await?;
    }
    let access = MachineAccess::decide(caller, found)?;
    let body = MachineDetail::from(live(&app, &access, Interest::Reader).await?);
    envelope.reply(StatusCode::OK, "Machine updated successfully", &body)
}

/// What a request changes, from what to what, for the audit log. Of facts, the new ones: the old row has its agent's among them.
fn changes(old: &MachineRow, request: &UpdateMachine) -> Vec<(&'static str, Value)> {
    let from_to = |old: Value, new: Value| (old != new).then(|| json!({"old": old, "new": new}));
    let name = request.name.as_deref().map(str::trim);
    let changes = [
        ("name", name.and_then(|new| from_to(json!(old.name), json!(new)))),
        (
            "description",
            request
                .description
                .as_ref()
                .and_then(|new| from_to(json!(old.description), json!(new))),
        ),
        (
            "tags",
            request
                .tags
                .as_ref()
                .and_then(|new| from_to(json!(old.tags), json!(new))),
        ),
        (
            "thresholds",
            request
                .thresholds
                .and_then(|new| from_to(json!(old.measured.thresholds), json!(new))),
        ),
        (
            "command_policy",
            request
                .command_policy
                .as_ref()
                .and_then(|new| from_to(json!(old.measured.command_policy), json!(new))),
        ),
        ("metadata", request.metadata.as_ref().map(|new| json!({"new": new}))),
    ];
    changes
        .into_iter()
        .filter_map(|(field, change)| Some((field, change?)))
        .collect()
}
