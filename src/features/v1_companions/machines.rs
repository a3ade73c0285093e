//! Making and changing machines.
use axum::http::Method;
use chrono::{SecondsFormat, Utc};
use futures_util::future::BoxFuture;
use protocol::api::v1::{V1, V1ErrorBody, bare_id};
use protocol::api::v1_machines::{V1CreateMachine, V1MachineCreated, V1MachineUpdated, V1UpdateMachine};
use protocol::ids::ObjectId;
use serde_json::Value;

use super::call::{Call, Reply, changed, created, segment};
use super::fields::Fields;
use super::says::{pick, text};
use crate::platform::error::ApiError;

/// What a machine had a key or a password for.
const CREDENTIALS: [&str; 2] = ["private_key", "password"];

const NO_CREDENTIALS: &str =
    "is not taken: nobody dials a machine. Install the agent with the registration_token that is answered";

/// Makes a machine, which waits for its agent.
#[utoipa::path(post, path = "/v1/machines", summary = "Create a machine", operation_id = "v1_create_machine",
    request_body = V1CreateMachine,
    responses((status = 201, description = "The machine, and what its agent enrols with", body = V1<V1MachineCreated>),
        (status = 403, description = "In the caller's organization, only administrators make machines", body = V1ErrorBody),
        (status = 409, description = "The caller has a machine of this name", body = V1ErrorBody)))]
pub fn create_machine(call: Call) -> Reply {
    Box::pin(async move {
        let fields = call.fields()?;
        check(&fields)?;
        let named = [
            ("name", "name"),
            ("linux_user", "username"),
            ("tags", "tags"),
            ("description", "description"),
        ];
        let body = Value::Object(fields.pick(&named));
        let made = call.ask(Method::POST, "/api/machines", Some(body)).await;
        let made = made.map_err(|error| error.of_fields(&[("linux_user", "username")]))?;
        let mut said = pick(
            &made,
            &["agent_id", "name", "status", "registration_token", "install_command"].map(|name| (name, name)),
        );
        said.insert("id".to_owned(), machine_id(&made));
        let machine = made.get("machine").cloned().unwrap_or_default();
        said.extend(pick(&machine, &[("host", "ip_address"), ("created_at", "created_at")]));
        created(Value::Object(said), "Machine created successfully")
    })
}

/// Looks at what has no place in a machine whose agent dials out.
fn check(fields: &Fields) -> Result<(), ApiError> {
    fields.refuse(&CREDENTIALS, NO_CREDENTIALS)?;
    fields.refuse(&["jump_host_id"], "is not taken: nobody dials a machine")?;
    fields.text("host")?;
    if let Some(port) = fields.get("port")
        && !port
            .as_f64()
            .is_some_and(|port| port.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(&port))
    {
        return Err(ApiError::invalid_field(
            "port",
            "must be a whole number from 0 to 65535",
        ));
    }
    match fields.text("auth_type")? {
        None | Some("key" | "password" | "agent") => Ok(()),
        Some(_) => Err(ApiError::invalid_field("auth_type", "must be key, password or agent")),
    }
}

/// Changes a machine.
#[utoipa::path(put, path = "/v1/machines/{machine_id}", summary = "Change a machine", operation_id = "v1_update_machine",
    params(("machine_id" = String, Path, description = "The machine's id, with or without `mch_`, or its `agent_id`")),
    request_body(content = Option<V1UpdateMachine>, description = "What is to change; without a body, nothing"),
    responses((status = 200, description = "It is changed", body = V1<V1MachineUpdated>),
        (status = 403, description = "The caller may not change the machine", body = V1ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = V1ErrorBody),
        (status = 409, description = "Its owner has another machine of this name", body = V1ErrorBody)))]
pub fn update_machine(call: Call) -> Reply {
    Box::pin(async move {
        let fields = call.fields()?;
        fields.refuse(&CREDENTIALS, "is not taken: nobody dials a machine")?;
        fields.refuse(
            &["host", "port", "username", "auth_type", "jump_host_id"],
            "cannot be changed: it is as the machine's agent says",
        )?;
        let body = fields.pick(&["name", "tags", "description"].map(|name| (name, name)));
        let machine = find(&call, &call.id).await?;
        let path = format!("/api/machines/{}", text(&machine, "agent_id"));
        let machine = call.ask(Method::PUT, &path, Some(Value::Object(body))).await?;
        let mut said = pick(&machine, &[("name", "name")]);
        said.insert("id".to_owned(), machine_id(&machine));
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        said.insert("updated_at".to_owned(), now.into());
        changed(Value::Object(said), "Machine updated successfully")
    })
}

/// The id of a machine here.
fn machine_id(of: &Value) -> Value {
    format!("mch_{}", text(of, "id")).into()
}

/// The machine that a text names: by its id, with or without `mch_`, or by its `agent_id`.
pub fn find<'a>(call: &'a Call, named: &str) -> BoxFuture<'a, Result<Value, ApiError>> {
    match bare_id(named, "mch_").parse::<ObjectId>() {
        Ok(id) => call.get(&format!("/api/machines/by-id/{id}")),
        Err(_) => call.get(&format!("/api/machines/{}", segment(named))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_no_place_in_a_machine_is_refused_by_name() {
        let checked =
            |body: Value| check(&Fields(body.as_object().unwrap().clone())).map_err(|error| error.text().to_owned());
        let published = json!({"name": "web", "host": "10.0.0.5", "username": "ops", "auth_type": "key", "port": 22,
            "jump_host_id": null, "private_key": null});
        assert!(checked(published).is_ok());
        for (field, value) in [
            ("private_key", json!("-----BEGIN")),
            ("password", json!("hunter2")),
            ("jump_host_id", json!("mch_1")),
            ("host", json!(5)),
            ("port", json!(65536)),
            ("port", json!("22")),
            ("auth_type", json!("none")),
        ] {
            let error = checked(json!({field: value})).unwrap_err();
            assert!(error.starts_with(field), "{error}");
        }
    }
}
