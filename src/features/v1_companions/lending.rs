//! Lending machines to somebody: these and no others.
use std::collections::BTreeSet;

use axum::http::Method;
use futures_util::future::BoxFuture;
use protocol::api::v1::{V1Done, V1ErrorBody, bare_id};
use protocol::api::v1_users::V1SetAccess;
use serde_json::{Value, json};
use worker::send::SendFuture;

use super::call::{Call, Reply, done};
use super::fields::Fields;
use super::machines;
use super::says::text;
use crate::features::machine_access::store;
use crate::platform::error::ApiError;

/// How many machines are lent and taken back by one request: each is looked up, changed and written down by itself, and the platform
/// bounds what a request may ask.
pub const MOST: usize = 20;

/// How many machines a request may name.
const NAMED: usize = 1000;

/// Lends somebody these machines, and takes back what else they were lent. Other ways to a machine stay: groups, approved requests.
#[utoipa::path(put, path = "/v1/users/{user_id}/permissions", summary = "Set a user's machines", operation_id = "v1_set_permissions",
    params(("user_id" = String, Path, description = "The account's id, with or without `usr_`")), request_body = V1SetAccess,
    responses((status = 200, description = "It is so", body = V1Done),
        (status = 403, description = "The caller may not see all of the account, or does not manage a machine", body = V1ErrorBody),
        (status = 404, description = "No such user, or machine, in the caller's organization", body = V1ErrorBody)))]
pub fn set_permissions(call: Call) -> Reply {
    Box::pin(SendFuture::new(async move {
        let fields = call.fields()?;
        let wanted = wanted(&fields)?;
        let user = call.get(&call.account()).await?;
        if !user.get("permissions").is_some_and(Value::is_array) {
            return Err(ApiError::not_authorized());
        }
        let (more, fewer) = plan(&wanted, &lent(&call, &user).await?);
        if more.len() + fewer.len() > MOST {
            return Err(ApiError::invalid_field(
                "machine_access",
                format!("must change at most {MOST} machines"),
            ));
        }
        // Nothing is changed before all may be.
        let more = managed(&call, &more).await?;
        let fewer = managed(&call, &fewer.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        lend(&call, &more, text(&user, "id")).await?;
        for agent_id in &fewer {
            change(&call, agent_id, "revoke", text(&user, "id")).await?;
        }
        done("Permissions updated successfully")
    }))
}

/// The machines that a request names.
fn wanted(fields: &Fields) -> Result<Vec<&str>, ApiError> {
    if fields.get("machine_access").is_none() {
        return Err(ApiError::invalid_field("machine_access", "is required"));
    }
    let list = fields.list("machine_access", NAMED)?;
    for (index, entry) in list.iter().enumerate() {
        let at = |name: &str| format!("machine_access[{index}].{name}");
        if text(entry, "machine_id").is_empty() {
            return Err(ApiError::invalid_field(&at("machine_id"), "must name a machine"));
        }
        if text(entry, "access_level") != "full" {
            let why = "must be full: whoever may use a machine may do all there";
            return Err(ApiError::invalid_field(&at("access_level"), why));
        }
    }
    Ok(list.iter().map(|entry| text(entry, "machine_id")).collect())
}

/// The texts of a list, which name machines.
pub fn named<'a>(list: &'a [Value], field: &str) -> Result<Vec<&'a str>, ApiError> {
    let texts = list.iter().enumerate().map(|(index, value)| {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.ok_or_else(|| ApiError::invalid_field(&format!("{field}[{index}]"), "must name a machine"))
    });
    texts.collect()
}

/// What is to be lent of what is wanted, and the `agent_id` of each machine that is to be taken back.
fn plan<'a>(wanted: &[&'a str], lent: &[Value]) -> (Vec<&'a str>, Vec<String>) {
    let is = |name: &str, machine: &Value| {
        let id = bare_id(text(machine, "machine_id"), "mch_");
        bare_id(name, "mch_") == id || name == text(machine, "agent_id")
    };
    let more = wanted
        .iter()
        .filter(|name| !lent.iter().any(|machine| is(name, machine)));
    let fewer = lent
        .iter()
        .filter(|machine| !wanted.iter().any(|name| is(name, machine)));
    (
        more.copied().collect(),
        fewer.map(|machine| text(machine, "agent_id").to_owned()).collect(),
    )
}

/// What somebody was lent, who is as `/api` shows them to one who sees all of the account.
pub async fn lent(call: &Call, user: &Value) -> Result<Vec<Value>, ApiError> {
    let id = text(user, "id").parse().map_err(ApiError::internal)?;
    let rows = call.app.db()?.run(store::lent(&id)).await?;
    let said = rows.iter().map(|row| serde_json::from_str(&row.body));
    said.collect::<Result<_, _>>().map_err(ApiError::internal)
}

/// The machines that are named, each by its `agent_id`, if the caller manages all of them.
pub fn managed<'a>(call: &'a Call, names: &'a [&'a str]) -> BoxFuture<'a, Result<BTreeSet<String>, ApiError>> {
    Box::pin(async move {
        let mut found = BTreeSet::new();
        for name in names {
            let machine = machines::find(call, name).await?;
            let agent_id = text(&machine, "agent_id").to_owned();
            // Only who manages a machine is told.
            call.get(&format!("/api/machines/{agent_id}/pending-requests-count"))
                .await?;
            found.insert(agent_id);
        }
        Ok(found)
    })
}

/// Lends machines to somebody.
pub fn lend<'a>(call: &'a Call, agent_ids: &'a BTreeSet<String>, user: &'a str) -> BoxFuture<'a, Result<(), ApiError>> {
    Box::pin(async move {
        for agent_id in agent_ids {
            change(call, agent_id, "grant", user).await?;
        }
        Ok(())
    })
}

fn change<'a>(call: &'a Call, agent_id: &str, how: &str, user: &str) -> BoxFuture<'a, Result<Value, ApiError>> {
    let path = format!("/api/machines/{agent_id}/access/{how}");
    call.ask(Method::POST, &path, Some(json!({"user_id": user})))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: Value) -> Fields {
        Fields(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_level_that_is_none_here_is_refused_by_name() {
        let entry = |level: &str| json!({"machine_id": "mch_1", "access_level": level});
        let body = fields(json!({"machine_access": [entry("full"), entry("full")]}));
        assert_eq!(wanted(&body).unwrap(), ["mch_1", "mch_1"]);
        assert!(wanted(&fields(json!({"machine_access": []}))).unwrap().is_empty());
        for (body, why) in [
            (json!({}), "machine_access is required"),
            (json!({"machine_access": "all"}), "machine_access must be a list"),
            (
                json!({"machine_access": [entry("full"), entry("read_only")]}),
                "machine_access[1].access_level must be full",
            ),
            (
                json!({"machine_access": [{"access_level": "full"}]}),
                "machine_access[0].machine_id must",
            ),
            (json!({"machine_access": [5]}), "machine_access[0].machine_id must"),
        ] {
            let error = wanted(&fields(body)).unwrap_err();
            assert!(error.text().starts_with(why), "{}", error.text());
        }
    }

    #[test]
    fn only_what_differs_changes_however_machines_are_named() {
        let lent = [
            json!({"machine_id": "mch_0a", "agent_id": "aa"}),
            json!({"machine_id": "mch_0b", "agent_id": "bb"}),
            json!({"machine_id": "mch_0c", "agent_id": "cc"}),
        ];
        let (more, fewer) = plan(&["mch_0a", "bb", "mch_0d"], &lent);
        assert_eq!((more, fewer), (vec!["mch_0d"], vec!["cc".to_owned()]));
        let (more, fewer) = plan(&["0a", "mch_0b", "0c"], &lent);
        assert!(more.is_empty() && fewer.is_empty());
    }
}
