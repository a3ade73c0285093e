//! Who may use a machine, and lending it.
use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::Message;
use protocol::api::access::{AccessList, AccessUser, GrantAccess, MachineRole, RevokeAccess};
use protocol::api::error::ErrorBody;

use super::row::Borrower;
use super::store::{self, Terms};
use crate::audit::{self, Action, Event, Resource};
use crate::auth::caller::Credentials;
use crate::features::machines::access::{MachineAccess, MachineControl};
use crate::features::machines::store::{self as machines, Key};
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{now, stored};
use crate::platform::error::ApiError;

/// Lists who may use a machine, and by which ways.
#[utoipa::path(get, path = "/api/machines/{agent_id}/access/users", summary = "List who may use a machine",
    params(("agent_id" = String, Path, description = "The machine's public name")),
    responses((status = 200, description = "The people", body = AccessList),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn list_access_users(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
) -> Result<Json<AccessList>, ApiError> {
    let users = store::list_users(&agent_id);
    let find = machines::find(credentials.user_id(), &Key::AgentId(agent_id));
    let (caller, (found, rows)) = credentials.load(&app.db()?, (find, users)).await?;
    MachineAccess::decide(caller, found)?;
    let users: Vec<AccessUser> = rows.into_iter().map(AccessUser::from).collect();
    Ok(Json(AccessList {
        total: u64::try_from(users.len()).unwrap_or(u64::MAX),
        users,
    }))
}

/// Lends a machine to somebody of its organization. Doing it again changes the terms.
#[utoipa::path(post, path = "/api/machines/{agent_id}/access/grant", summary = "Grant access to a machine",
    params(("agent_id" = String, Path, description = "The machine's public name")), request_body = GrantAccess,
    responses((status = 200, description = "They may use it", body = Message),
        (status = 403, description = "The caller may not change the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization, or nobody of that name in the machine's", body = ErrorBody)))]
pub async fn grant_access(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    ValidJson(request): ValidJson<GrantAccess>,
) -> Result<Json<Message>, ApiError> {
    let borrower = (request.user_id.as_deref(), request.username.as_deref());
    let (control, borrower) = find(&app, credentials, agent_id, borrower).await?;
    if borrower.owns {
        return Err(ApiError::bad_request("The owner has access to the machine already"));
    }
    let expires_at = ending(&request, Utc::now())?.map(stored);
    let terms = Terms {
        machine_role: request.machine_role.as_deref().and_then(MachineRole::parse),
        expires_at: expires_at.as_deref(),
        now: &now(),
    };
    let event = event(&control, Action::AccessGranted, &borrower)
        .detail("machine_role", terms.machine_role.map_or("", MachineRole::as_str))
        .detail("expires_at", expires_at.as_deref());
    app.db()?
        .run((store::grant(&control, &borrower, &terms), audit::record(&event)))
        .await?;
    // The new terms may be narrower than those before.
    revocation::withdraw(&app, Whose::User(&borrower.id)).await?;
    Ok(Json(Message {
        message: "Access granted".to_owned(),
    }))
}

/// Ends a grant. Who reaches the machine by another way keeps it.
#[utoipa::path(post, path = "/api/machines/{agent_id}/access/revoke", summary = "Revoke access to a machine",
    params(("agent_id" = String, Path, description = "The machine's public name")), request_body = RevokeAccess,
    responses((status = 200, description = "There is no grant any more", body = Message),
        (status = 403, description = "The caller may not change the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization, or nobody of that name in the machine's", body = ErrorBody)))]
pub async fn revoke_access(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    ValidJson(request): ValidJson<RevokeAccess>,
) -> Result<Json<Message>, ApiError> {
    let borrower = (request.user_id.as_deref(), request.username.as_deref());
    let (control, borrower) = find(&app, credentials, agent_id, borrower).await?;
    if borrower.owns {
        return Err(ApiError::bad_request("The owner's access cannot be revoked"));
    }
    let event = event(&control, Action::AccessRevoked, &borrower);
    app.db()?
        .run((store::revoke(&control, &borrower), audit::record_if_changed(&event)))
        .await?;
    revocation::withdraw(&app, Whose::User(&borrower.id)).await?;
    Ok(Json(Message {
        message: "Access revoked".to_owned(),
    }))
}

/// Looks up a machine to be lent and whom to, by id or else by name.
async fn find(
    app: &App,
    credentials: Credentials,
    agent_id: String,
    (user_id, username): (Option<&str>, Option<&str>),
) -> Result<(MachineControl, Borrower), ApiError> {
    let borrower = store::find_borrower(&agent_id, user_id, username);
    let machine = machines::find(credentials.user_id(), &Key::AgentId(agent_id));
    let (caller, (found, borrowers)) = credentials.load(&app.db()?, (machine, borrower)).await?;
    let control = MachineAccess::decide(caller, found)?.control()?;
    match borrowers.into_iter().next() {
        Some(borrower) => Ok((control, borrower)),
        None => Err(ApiError::not_found("User not found")),
    }
}

/// When a grant is to end, if ever.
fn ending(request: &GrantAccess, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ApiError> {
    let after = |hours: u32| now + TimeDelta::hours(hours.into());
    let expires_at = request.expires_at.or(request.duration_hours.map(after));
    match expires_at {
        Some(time) if time <= now => Err(ApiError::invalid_field("expires_at", "must be in the future")),
        // Beyond it, times no longer sort as they read.
        Some(time) if time.timestamp() > LATEST => {
            Err(ApiError::invalid_field("expires_at", "must be before the year 10000"))
        }
        other => Ok(other),
    }
}

/// The last second of the year 9999.
const LATEST: i64 = 253_402_300_799;

fn event(control: &MachineControl, action: Action, borrower: &Borrower) -> Event {
    control
        .caller()
        .event(action, Resource::Machine)
        .within(control.organization_id())
        .on(control.id())
        .detail("machine", control.name())
        .detail("user_id", borrower.id.as_str())
        .detail("username", borrower.username.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_ends_at_a_time_or_after_hours_or_never_but_not_before_it_began() {
        let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let end = |text: &str| ending(&serde_json::from_str(text).unwrap(), now).map(|time| time.map(stored));
        assert_eq!(end("{}").unwrap(), None);
        assert_eq!(
            end(r#"{"duration_hours":25}"#).unwrap().as_deref(),
            Some("2026-01-02T01:00:00.000Z")
        );
        assert_eq!(
            end(r#"{"expires_at":"2026-01-01T03:00:00+02:00"}"#).unwrap().as_deref(),
            Some("2026-01-01T01:00:00.000Z")
        );
        for bad in [
            "2026-01-01T00:00:00Z",
            "2026-01-01T01:00:00+02:00",
            "+10000-01-01T00:00:00Z",
        ] {
            assert!(end(&format!(r#"{{"expires_at":"{bad}"}}"#)).is_err(), "{bad}");
        }
    }
}
