//! People: seeing, inviting, changing and letting them go.
use axum::http::Method;
use chrono::{SecondsFormat, Utc};
use futures_util::future::BoxFuture;
use protocol::api::v1::{V1, V1Done, V1ErrorBody};
use protocol::api::v1_users::{V1Invitation, V1Invite, V1People, V1PersonDetail, V1UpdateUser, V1UserUpdated};
use serde_json::{Map, Value, json};
use worker::send::SendFuture;

use super::call::{Call, Reply, changed, created, data, done};
use super::says::{account, listed, names, person, pick, role_of, text, user_id};
use super::{lending, says};
use crate::features::accounts::email_link::Purpose;
use crate::features::sessions::SessionPage;
use crate::platform::error::ApiError;
use crate::platform::random;

/// Shortest and longest username that is made of an address, in characters: a few may follow.
const USERNAME: (usize, usize) = (3, 40);

/// Random bytes behind a username that is taken.
const SUFFIX: usize = 3;

/// The names of a person that are one here.
const NAMES: [(&str, &str); 2] = [("first_name", "name"), ("last_name", "name")];

/// Lists the people of the caller's organization, those first who came first.
#[utoipa::path(get, path = "/v1/users", summary = "List users", operation_id = "v1_list_users",
    params(SessionPage,
        ("role" = Option<String>, Query, description = "`admin`, `member` or `viewer`, of whom there are none", pattern = "^(admin|member|viewer)?$"),
        ("search" = Option<String>, Query, description = "Part of a username, mail address or name, upper and lower case being the same")),
    responses((status = 200, description = "A page of people, of 20 if no `limit` up to 100 is asked for", body = V1<V1People>),
        (status = 403, description = "The caller may not see the users", body = V1ErrorBody)))]
pub fn list_users(call: Call) -> Reply {
    Box::pin(async move {
        let role = match call.param("role") {
            Some(role) if role == "viewer" => Some(role),
            Some(role) => Some(role_of(&role).map_err(|_| unknown_role())?.to_owned()),
            None => None,
        };
        let query = call.page(&[("role", role), ("search", call.param("search"))]);
        let found = call.get(&format!("/api/users?{query}")).await?;
        data(says::list(("users", "users"), &found, listed))
    })
}

fn unknown_role() -> ApiError {
    ApiError::invalid_field("role", "must be admin, member or viewer")
}

/// Reads one account. Colleagues see less of it than those who may see the users.
#[utoipa::path(get, path = "/v1/users/{user_id}", summary = "Read a user", operation_id = "v1_find_user",
    params(("user_id" = String, Path, description = "The account's id, with or without `usr_`")),
    responses((status = 200, description = "The account", body = V1<V1PersonDetail>),
        (status = 404, description = "No such user in the caller's organization", body = V1ErrorBody)))]
pub fn find_user(call: Call) -> Reply {
    Box::pin(SendFuture::new(async move {
        let user = call.get(&call.account()).await?;
        let mut said = account(&user);
        let permissions = permissions(&user);
        let lent = match permissions.is_null() {
            true => Value::Null,
            false => lending::lent(&call, &user).await?.into(),
        };
        said.insert("machine_access".to_owned(), lent);
        said.insert("permissions".to_owned(), permissions);
        data(Value::Object(said))
    }))
}

/// What somebody may do, if the caller is told.
fn permissions(user: &Value) -> Value {
    let Some(held) = user.get("permissions").and_then(Value::as_array) else {
        return Value::Null;
    };
    let of_people = held.iter().filter_map(|held| held.as_str()?.strip_prefix("users."));
    let machines: &[&str] = match text(user, "role") {
        "user" => &["view", "connect"],
        _ => &["view", "connect", "manage"],
    };
    json!({"machines": machines, "users": of_people.collect::<Vec<_>>(), "sessions": ["view", "end"]})
}

/// Invites somebody, and lends them machines. Their username is made of their address.
#[utoipa::path(post, path = "/v1/users/invite", summary = "Invite a user", operation_id = "v1_invite_user", request_body = V1Invite,
    responses((status = 201, description = "The invitation", body = V1<V1Invitation>),
        (status = 403, description = "The caller may not make such an account, or does not manage a machine", body = V1ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = V1ErrorBody)))]
pub fn invite_user(call: Call) -> Reply {
    Box::pin(async move {
        let fields = call.fields()?;
        let (email, role) = (fields.required("email")?, role_of(fields.required("role")?)?);
        let full_name = fields.text("name")?.unwrap_or_default();
        let machines = lending::named(fields.list("machine_ids", lending::MOST)?, "machine_ids")?;
        let machines = lending::managed(&call, &machines).await?;
        let invited = invite(&call, email, role, full_name, None).await?;
        let user = invited.get("user").cloned().unwrap_or_default();
        lending::lend(&call, &machines, text(&user, "id")).await?;
        created(Value::Object(invitation(&invited)), "Invitation sent successfully")
    })
}

/// Invites somebody to an organization, the caller's own if none is named.
pub fn invite<'a>(
    call: &'a Call,
    email: &'a str,
    role: &'a str,
    full_name: &str,
    organization: Option<&'a str>,
) -> BoxFuture<'a, Result<Value, ApiError>> {
    let (first, last) = names(full_name);
    let (first, last) = (first.to_owned(), last.to_owned());
    let ask = move |username: &str| {
        let body = json!({"username": username, "email": email, "role": role, "first_name": first, "last_name": last,
            "tenant_id": organization});
        call.ask(Method::POST, "/api/users/invite", Some(body))
    };
    Box::pin(async move {
        let username = username(email);
        let answer = match ask(&username).await {
            // Somebody has it: another organization's people, too, whom the caller need not know.
            Err(error) if error.text().starts_with("Username") => {
                ask(&format!("{username}-{}", random::hex::<SUFFIX>()?)).await
            }
            other => other,
        };
        answer.map_err(|error| error.of_fields(&NAMES))
    })
}

/// A username of an address: of what is before the `@`, what usernames may have.
fn username(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let name: String = local.chars().filter(allowed).take(USERNAME.1).collect();
    let name = name.trim_start_matches(['.', '_', '-']);
    match name.len() < USERNAME.0 {
        true => format!("user-{name}"),
        false => name.to_owned(),
    }
}

/// An invitation, for whoever sent it.
pub fn invitation(invited: &Value) -> Map<String, Value> {
    let user = invited.get("user").cloned().unwrap_or_default();
    let mut said = pick(invited, &[("invite_sent", "invite_sent"), ("invite_url", "invite_url")]);
    let expires_at = (Utc::now() + Purpose::Invite.lasts()).to_rfc3339_opts(SecondsFormat::Secs, true);
    said.insert("expires_at".to_owned(), expires_at.into());
    said.insert("invitation_id".to_owned(), user_id(&user));
    said.extend(pick(&user, &[("email", "email")]));
    said
}

/// Sends an invitation again. Links sent before are void.
#[utoipa::path(post, path = "/v1/users/invitations/{user_id}/resend", summary = "Send an invitation again",
    operation_id = "v1_resend_invitation",
    params(("user_id" = String, Path, description = "The invitation's id, with or without `usr_`")),
    responses((status = 200, description = "It is sent", body = V1Done),
        (status = 403, description = "The caller may not invite", body = V1ErrorBody),
        (status = 404, description = "No such invitation in the caller's organization", body = V1ErrorBody)))]
pub fn resend_invitation(call: Call) -> Reply {
    Box::pin(async move {
        let path = format!("{}/resend-invite", call.account());
        call.ask(Method::POST, &path, None).await?;
        done("Invitation resent successfully")
    })
}

/// Changes an account. What it may do afterwards holds from its next request on, and terminals it may no longer have end.
#[utoipa::path(put, path = "/v1/users/{user_id}", summary = "Change a user", operation_id = "v1_update_user",
    params(("user_id" = String, Path, description = "The account's id, with or without `usr_`")), request_body(content = Option<V1UpdateUser>, description = "What is to change; without a body, nothing"),
    responses((status = 200, description = "It is changed", body = V1<V1UserUpdated>),
        (status = 403, description = "The caller may not change it this way", body = V1ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = V1ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = V1ErrorBody)))]
pub fn update_user(call: Call) -> Reply {
    Box::pin(async move {
        let fields = call.fields()?;
        let mut change = Map::new();
        if let Some(full) = fields.text("name")? {
            let (first, last) = names(full);
            if first.is_empty() {
                return Err(ApiError::invalid_field("name", "must not be empty"));
            }
            change.insert("first_name".to_owned(), first.into());
            change.insert("last_name".to_owned(), last.into());
        }
        if let Some(role) = fields.text("role")? {
            change.insert("role".to_owned(), role_of(role)?.into());
        }
        let user = call
            .ask(Method::PUT, &call.account(), Some(Value::Object(change)))
            .await;
        let user = user.map_err(|error| error.of_fields(&NAMES))?;
        let mut said = person(&user, &[("updated_at", "updated_at")]);
        said.remove("email");
        changed(Value::Object(said), "User updated successfully")
    })
}

/// Deletes an account.
#[utoipa::path(delete, path = "/v1/users/{user_id}", summary = "Delete a user", operation_id = "v1_delete_user",
    params(("user_id" = String, Path, description = "The account's id, with or without `usr_`")),
    responses((status = 200, description = "The account is gone", body = V1Done),
        (status = 403, description = "The caller may not delete it", body = V1ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = V1ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = V1ErrorBody)))]
pub fn delete_user(call: Call) -> Reply {
    Box::pin(async move {
        call.ask(Method::DELETE, &call.account(), None).await?;
        done("User deleted successfully")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_made_of_an_address() {
        for (email, expected) in [
            ("ann.smith@example.com", "ann.smith"),
            ("ann+edge@example.com", "annedge"),
            ("_é.a@example.com", "user-a"),
            ("@", "user-"),
        ] {
            assert_eq!(username(email), expected);
        }
        assert_eq!(username(&"x".repeat(200)).len(), USERNAME.1);
    }

    #[test]
    fn what_somebody_may_do_is_told_to_those_who_may_know() {
        assert_eq!(permissions(&json!({"role": "user"})), Value::Null);
        let member = json!({"role": "user", "permissions": ["users.view", "roles.view"]});
        let admin = json!({"role": "company_admin", "permissions": []});
        assert_eq!(
            permissions(&member),
            json!({"machines": ["view", "connect"], "users": ["view"], "sessions": ["view", "end"]})
        );
        assert_eq!(permissions(&admin)["machines"], json!(["view", "connect", "manage"]));
    }

    #[test]
    fn an_invitation_names_the_account_that_waits_and_no_secret() {
        let invited = json!({"invite_sent": true, "invite_url": null, "token": "secret", "user": {"id": "0a", "email": "a@b.cd"}});
        let mut said = invitation(&invited);
        assert!(said.remove("expires_at").is_some_and(|at| at.is_string()));
        assert_eq!(
            Value::Object(said),
            json!({"invitation_id": "usr_0a", "email": "a@b.cd", "invite_sent": true, "invite_url": null})
        );
    }
}
