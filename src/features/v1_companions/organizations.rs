//! Organizations, for super administrators.
use axum::http::Method;
use futures_util::future::BoxFuture;
use protocol::api::v1::{V1, V1Done, V1ErrorBody};
use protocol::api::v1_organizations::{
    V1CreateOrganization, V1Members, V1OrganizationCreated, V1OrganizationDetail, V1OrganizationList,
    V1OrganizationOidc, V1UpdateOrganization,
};
use serde_json::{Map, Value, json};

use super::call::{Call, Reply, changed, created, data, done, segment};
use super::fields::Fields;
use super::says::{list, person, pick, text};
use super::users::{invitation, invite};
use crate::features::sessions::SessionPage;
use crate::platform::config::Config;
use crate::platform::error::ApiError;
use crate::platform::log;
use crate::platform::settings::oidc::Kind;

/// Where organizations are.
const ORGANIZATIONS: &str = "/api/admin/organizations";

const NO_PLANS: &str = "is not taken: there are no plans and no limits";

/// Lists the organizations, by slug.
#[utoipa::path(get, path = "/v1/organizations", summary = "List organizations", operation_id = "v1_list_organizations",
    params(SessionPage,
        ("search" = Option<String>, Query, description = "Part of a name, upper and lower case being the same")),
    responses((status = 200, description = "A page of organizations, of 20 if no `limit` up to 100 is asked for", body = V1<V1OrganizationList>),
        (status = 403, description = "The caller is no super administrator", body = V1ErrorBody)))]
pub fn list_organizations(call: Call) -> Reply {
    Box::pin(async move {
        let query = call.page(&[("search", call.param("search"))]);
        let found = call.get(&format!("{ORGANIZATIONS}?{query}")).await?;
        let each = |row: &Value| Value::Object(organization(row));
        data(list(("organizations", "organizations"), &found, each))
    })
}

/// An organization in a list.
fn organization(of: &Value) -> Map<String, Value> {
    let names = [
        ("id", "name"),
        ("slug", "name"),
        ("name", "display_name"),
        ("members_count", "user_count"),
        ("machines_count", "machine_count"),
        ("created_at", "created_at"),
    ];
    let mut said = pick(of, &names);
    said.insert("plan".to_owned(), Value::Null);
    said
}

/// One organization, from its numbers.
fn detail(of: &Value, config: &Config) -> Map<String, Value> {
    let (row, stats) = (of.get("organization"), of.get("stats"));
    let (row, stats) = (row.cloned().unwrap_or_default(), stats.cloned().unwrap_or_default());
    let kinds = [Kind::Sso, Kind::Microsoft, Kind::Github];
    let provider = kinds.into_iter().find_map(|kind| config.oidc.provider(kind));
    let mut said = organization(&row);
    let usage = [
        ("users", "user_count"),
        ("machines", "machine_count"),
        ("active_sessions", "active_session_count"),
    ];
    for (field, value) in [
        (
            "settings",
            json!({"oidc_enabled": provider.is_some(), "oidc_provider": provider.map(|provider| provider.label.as_str()),
                "allowed_domains": [], "session_timeout": config.token_lifetime_seconds(),
                "mfa_required": text(&row, "otp") == "on"}),
        ),
        (
            "limits",
            json!({"max_users": null, "max_machines": null, "max_sessions": null}),
        ),
        ("usage", Value::Object(pick(&stats, &usage))),
    ] {
        said.insert(field.to_owned(), value);
    }
    said
}

fn path(id: &str) -> String {
    format!("{ORGANIZATIONS}/{}", segment(id))
}

fn read<'a>(call: &'a Call, id: &str) -> BoxFuture<'a, Result<Map<String, Value>, ApiError>> {
    let found = call.get(&format!("{}/stats", path(id)));
    Box::pin(async move { Ok(detail(&found.await?, &call.app.config)) })
}

/// Makes an organization and invites its first administrator.
#[utoipa::path(post, path = "/v1/organizations", summary = "Create an organization", operation_id = "v1_create_organization",
    request_body = V1CreateOrganization,
    responses((status = 201, description = "The organization, and the invitation", body = V1<V1OrganizationCreated>),
        (status = 403, description = "The caller is no super administrator", body = V1ErrorBody),
        (status = 409, description = "There is an organization of this name", body = V1ErrorBody)))]
pub fn create_organization(call: Call) -> Reply {
    Box::pin(async move {
        let fields = call.fields()?;
        fields.refuse(&["plan", "limits"], NO_PLANS)?;
        let email = fields.required("admin_email")?;
        let body = json!({"name": fields.required("slug")?, "display_name": fields.required("name")?});
        let made = call.ask(Method::POST, ORGANIZATIONS, Some(body)).await;
        let made = made.map_err(|error| error.of_fields(&[("name", "slug"), ("display_name", "name")]))?;
        let id = text(&made, "name");
        let invited = match invite(&call, email, "company_admin", "", Some(id)).await {
            Ok(invited) => invited,
            Err(error) => {
                // Nobody could use it.
                if let Err(error) = call.ask(Method::DELETE, &path(id), None).await {
                    log::error(&format!("an organization without people was left: {}", error.cause()));
                }
                return Err(error.of_fields(&[("email", "admin_email")]));
            }
        };
        let mut said = read(&call, id).await?;
        said.insert("admin_invitation".to_owned(), Value::Object(invitation(&invited)));
        created(Value::Object(said), "Organization created successfully")
    })
}

/// Reads one organization.
#[utoipa::path(get, path = "/v1/organizations/{organization_id}", summary = "Read an organization", operation_id = "v1_find_organization",
    params(("organization_id" = String, Path, description = "The organization's id")),
    responses((status = 200, description = "The organization", body = V1<V1OrganizationDetail>),
        (status = 403, description = "The caller is no super administrator", body = V1ErrorBody),
        (status = 404, description = "No such organization", body = V1ErrorBody)))]
pub fn find_organization(call: Call) -> Reply {
    Box::pin(async move { data(Value::Object(read(&call, &call.id).await?)) })
}

/// Changes an organization.
#[utoipa::path(put, path = "/v1/organizations/{organization_id}", summary = "Change an organization",
    operation_id = "v1_update_organization",
    params(("organization_id" = String, Path, description = "The organization's id")), request_body(content = Option<V1UpdateOrganization>, description = "What is to change; without a body, nothing"),
    responses((status = 200, description = "The organization as it is now", body = V1<V1OrganizationDetail>),
        (status = 403, description = "The caller is no super administrator", body = V1ErrorBody),
        (status = 404, description = "No such organization", body = V1ErrorBody)))]
pub fn update_organization(call: Call) -> Reply {
    Box::pin(async move {
        let change = change(&call.fields()?)?;
        let changed_now = call
            .ask(Method::PUT, &path(&call.id), Some(Value::Object(change)))
            .await;
        changed_now.map_err(|error| error.of_fields(&[("display_name", "name"), ("otp", "settings.mfa_required")]))?;
        let said = read(&call, &call.id).await?;
        changed(Value::Object(said), "Organization updated successfully")
    })
}

/// What is to be changed, in the words of `/api`.
fn change(fields: &Fields) -> Result<Map<String, Value>, ApiError> {
    fields.refuse(&["plan", "limits"], NO_PLANS)?;
    fields.refuse(&["slug"], "cannot be changed: it is in addresses and tokens")?;
    fields.refuse(
        &["admin_email"],
        "is only for a new organization: invite an administrator",
    )?;
    let mut change = fields.pick(&[("display_name", "name")]);
    let settings = match fields.get("settings") {
        None => return Ok(change),
        Some(Value::Object(settings)) => settings,
        Some(_) => return Err(ApiError::invalid_field("settings", "must be an object")),
    };
    for (name, value) in settings.iter().filter(|(_, value)| !value.is_null()) {
        let field = format!("settings.{name}");
        match (name.as_str(), value) {
            ("mfa_required", Value::Bool(needed)) => {
                let policy = if *needed { "on" } else { "off" };
                change.insert("otp".to_owned(), policy.into());
            }
            ("mfa_required", _) => return Err(ApiError::invalid_field(&field, "must be true or false")),
            _ => {
                return Err(ApiError::invalid_field(
                    &field,
                    "cannot be changed here: it is the whole server's",
                ));
            }
        }
    }
    Ok(change)
}

/// Deletes an organization with everything in it. This cannot be undone.
#[utoipa::path(delete, path = "/v1/organizations/{organization_id}", summary = "Delete an organization",
    operation_id = "v1_delete_organization",
    params(("organization_id" = String, Path, description = "The organization's id"),
        ("force" = Option<bool>, Query, description = "`true` deletes one that has people")),
    responses((status = 200, description = "It is gone", body = V1Done),
        (status = 403, description = "The caller is no super administrator", body = V1ErrorBody),
        (status = 404, description = "No such organization", body = V1ErrorBody),
        (status = 409, description = "It has people and nobody said to delete them, or it is the caller's own or the platform's", body = V1ErrorBody)))]
pub fn delete_organization(call: Call) -> Reply {
    Box::pin(async move {
        let force = match call.param("force").as_deref() {
            None | Some("false") => "",
            Some("true") => "?force=true",
            Some(_) => return Err(ApiError::invalid_field("force", "must be true or false")),
        };
        call.ask(Method::DELETE, &format!("{}{force}", path(&call.id)), None)
            .await?;
        done("Organization deleted successfully")
    })
}

/// As published. Providers are set for the whole server, so that this is refused.
#[utoipa::path(put, path = "/v1/organizations/{organization_id}/oidc", summary = "Set an organization's provider",
    operation_id = "v1_set_organization_oidc",
    params(("organization_id" = String, Path, description = "The organization's id")), request_body = V1OrganizationOidc,
    responses((status = 403, description = "The caller is no super administrator", body = V1ErrorBody),
        (status = 404, description = "No such organization", body = V1ErrorBody),
        (status = 501, description = "Providers are set for the whole server", body = V1ErrorBody)))]
pub fn set_oidc(call: Call) -> Reply {
    Box::pin(async move {
        let fields = call.fields()?;
        if !fields.get("enabled").is_some_and(Value::is_boolean) {
            return Err(ApiError::invalid_field("enabled", "must be true or false"));
        }
        for name in ["provider", "client_id", "client_secret", "issuer_url"] {
            fields.required(name)?;
        }
        call.get(&path(&call.id)).await?;
        Err(ApiError::not_implemented(
            "Providers are set for the whole server, by its settings OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET",
        ))
    })
}

/// Lists the people of an organization, those first who came first.
#[utoipa::path(get, path = "/v1/organizations/{organization_id}/members", summary = "List an organization's people",
    operation_id = "v1_list_organization_members",
    params(("organization_id" = String, Path, description = "The organization's id"), SessionPage),
    responses((status = 200, description = "A page of people, of 20 if no `limit` up to 100 is asked for", body = V1<V1Members>),
        (status = 403, description = "The caller is no super administrator", body = V1ErrorBody),
        (status = 404, description = "No such organization", body = V1ErrorBody)))]
pub fn list_members(call: Call) -> Reply {
    Box::pin(async move {
        let found = call
            .get(&format!("{}/users?{}", path(&call.id), call.page(&[])))
            .await?;
        data(list(("members", "users"), &found, member))
    })
}

fn member(of: &Value) -> Value {
    let accepted = of.get("invite_accepted_at").is_some_and(Value::is_string);
    let joined = if accepted { "invite_accepted_at" } else { "created_at" };
    Value::Object(person(of, &[("joined_at", joined)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_is_said_in_other_words() {
        let row = json!({"id": "0a", "name": "acme", "display_name": "Acme Inc", "user_count": 2, "machine_count": 3,
            "created_at": "2026-01-01T00:00:00Z", "otp": "on"});
        let stats = json!({"user_count": 2, "machine_count": 3, "active_session_count": 1});
        let said = detail(&json!({"organization": row, "stats": stats}), &Config::of_a_test());
        assert_eq!(
            Value::Object(said),
            json!({"id": "acme", "slug": "acme", "name": "Acme Inc", "plan": null, "members_count": 2, "machines_count": 3,
                "created_at": "2026-01-01T00:00:00Z",
                "settings": {"oidc_enabled": false, "oidc_provider": null, "allowed_domains": [], "session_timeout": 86400,
                    "mfa_required": true},
                "limits": {"max_users": null, "max_machines": null, "max_sessions": null},
                "usage": {"users": 2, "machines": 3, "active_sessions": 1}})
        );
    }

    #[test]
    fn what_cannot_be_changed_is_refused_by_name() {
        let changed = |body: Value| change(&Fields(body.as_object().unwrap().clone()));
        let body = json!({"name": "Acme", "settings": {"mfa_required": true, "session_timeout": null}, "plan": null});
        assert_eq!(
            Value::Object(changed(body).unwrap()),
            json!({"display_name": "Acme", "otp": "on"})
        );
        for (body, field) in [
            (json!({"plan": "pro"}), "plan "),
            (json!({"slug": "other"}), "slug "),
            (json!({"admin_email": "a@b.cd"}), "admin_email "),
            (json!({"settings": 5}), "settings "),
            (json!({"settings": {"mfa_required": "yes"}}), "settings.mfa_required "),
            (
                json!({"settings": {"session_timeout": 60}}),
                "settings.session_timeout ",
            ),
        ] {
            let error = changed(body).unwrap_err();
            assert!(error.text().starts_with(field), "{}", error.text());
        }
    }

    #[test]
    fn somebody_joined_when_they_accepted_or_else_when_they_were_made() {
        for (accepted, joined) in [
            (json!("2026-01-02T00:00:00Z"), "2026-01-02T00:00:00Z"),
            (Value::Null, "2026-01-01T00:00:00Z"),
        ] {
            let of = json!({"created_at": "2026-01-01T00:00:00Z", "invite_accepted_at": accepted});
            assert_eq!(member(&of)["joined_at"], joined);
        }
    }
}
