//! Enrolling and connecting.
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{TimeDelta, Utc};
use protocol::api::agents::{API_KEY_PREFIX, Enroll, Enrolled};
use protocol::api::error::ErrorBody;
use protocol::api::machines::{MAX_NAME, MachineStatus};
use protocol::ids::{BootId, ObjectId};
use protocol::networks::admits;
use protocol::relay_contract::{AGENT_PATH, AgentContext};
use protocol::terminal::AGENT_SUBPROTOCOL;

use super::credential::{ClaimedToken, is_public_key};
use super::rotation;
use crate::audit::{self, Action, Event, RequestContext, Resource};
use crate::auth::caller::{bearer, network_not_allowed};
use crate::auth::throttle;
use crate::features::commands;
use crate::features::machines::store::duplicate;
use crate::features::machines::store::enrolment::{self as store, Identity, KnownHost, NewHost};
use crate::features::machines::store::rotation as machine_rotation;
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::http::upgrade::{is_upgrade, offers};
use crate::platform::context::App;
use crate::platform::db::{DbError, now, stored};
use crate::platform::error::ApiError;
use crate::platform::relay_stub::Upgraded;
use crate::platform::{log, random, secrets};

/// How often an enrolment tries again when its name or host was taken, or its key or machine changed, in between.
const ATTEMPTS: usize = 3;

/// Which run of the agent connects: the relay tells a copy of a machine from its agent coming back by it.
const BOOT_HEADER: &str = "x-vsay-boot";

/// A copy is news again if none tried for this long.
const NEWS_AGAIN_AFTER: TimeDelta = TimeDelta::hours(1);

/// Room that a name leaves for a suffix such as `-9999`, in characters.
const SUFFIX: usize = 5;

/// Trades a registration token or an account API key for a machine's identity.
#[utoipa::path(post, path = "/agent/enroll", summary = "Enrol a machine", request_body = Enroll,
    responses((status = 201, description = "The identity", body = Enrolled),
        (status = 401, description = "The token is unknown or spent", body = ErrorBody),
        (status = 403, description = "The machine was revoked, or the key's owner may make no machines", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn enroll(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<Enroll>,
) -> Result<(StatusCode, Json<Enrolled>), ApiError> {
    throttle::attempt(&app, &context.client, request.token.expose()).await?;
    if !is_public_key(&request.public_key) {
        return Err(ApiError::invalid_field("public_key", "must be an Ed25519 public key"));
    }
    let enrolled = if request.token.expose().starts_with(API_KEY_PREFIX) {
        enroll_by_key(&app, &context, &request).await?
    } else {
        enroll_by_token(&app, &context, &request).await?
    };
    // A link that was made with the key before is another agent's now.
    app.relay(&enrolled.machine_id)?.recheck().await?;
    commands::script::hand_over(&app, &enrolled.machine_id).await;
    Ok((StatusCode::CREATED, Json(enrolled)))
}

async fn enroll_by_token(app: &App, context: &RequestContext, request: &Enroll) -> Result<Enrolled, ApiError> {
    let db = app.db()?;
    let invalid = || ApiError::unauthorized("invalid token");
    let token_hash = secrets::digest(request.token.expose());
    let machine = db.run(store::find_by_token(&token_hash)).await?.into_iter().next();
    let machine = machine.ok_or_else(invalid)?;
    if machine.status == MachineStatus::Revoked {
        return Err(revoked());
    }
    let event = registered(context, "token", &machine.id, &machine.name)
        .by(&machine.owner_id, &machine.owner)
        .within(&machine.organization_id)
        .detail("agent_id", machine.agent_id.as_str());
    let enroll = store::enroll_by_token(&token_hash, request);
    let script = commands::script::of_new_machine(&machine.id, &request.public_key)?;
    let ((_, enrolled), _, _) = db.run((enroll, audit::record_if_changed(&event), script)).await?;
    enrolled.into_iter().next().ok_or_else(invalid)
}

/// A machine got its identity, in the log of its organization.
fn registered(context: &RequestContext, by: &str, machine: &ObjectId, name: &str) -> Event {
    context
        .event(Action::MachineRegistered, Resource::Machine)
        .created()
        .on(machine)
        .detail("machine", name)
        .detail("by", by)
}

async fn enroll_by_key(app: &App, context: &RequestContext, request: &Enroll) -> Result<Enrolled, ApiError> {
    let (db, request) = (app.db()?, &mut request.clone());
    let key_hash = secrets::digest(request.token.expose());
    let wanted: String = request
        .name
        .as_deref()
        .unwrap_or(&request.hostname)
        .trim()
        .chars()
        .take(MAX_NAME)
        .collect();
    let prefix: String = wanted.chars().take(MAX_NAME - SUFFIX).collect();
    for _ in 0..ATTEMPTS {
        let (owner, (host, names)) = db.run(store::find_by_key(&key_hash, request.host(), &prefix)).await?;
        let owner = owner
            .into_iter()
            .next()
            .ok_or_else(|| ApiError::unauthorized("invalid token"))?;
        if owner.must_reset_password {
            return Err(ApiError::password_change_required());
        }
        let host = match host.into_iter().next() {
            Some(host) if is_another(app, &host, request).await? => {
                // It keeps no host id, so that neither of the two is ever taken for the other.
                request.host_id = None;
                None
            }
            host => host,
        };
        let enrolled = match host {
            Some(host) if host.status == MachineStatus::Revoked => return Err(revoked()),
            Some(host) => {
                let event = registered(context, "key", &host.id, &host.name)
                    .by(&owner.id, &owner.username)
                    .within(&owner.organization_id);
                let enroll = store::enroll_again(&key_hash, &host.id, request);
                db.run((enroll, audit::record_if_changed(&event))).await
            }
            None if !owner.may_create => {
                return Err(ApiError::forbidden(
                    "forbidden",
                    "Only administrators may create machines in this organization",
                ));
            }
            None => {
                let taken: Vec<String> = names.into_iter().map(|row| row.name).collect();
                let new = NewHost {
                    id: random::object_id()?,
                    agent_id: random::agent_id()?,
                    name: &free_name(&wanted, &prefix, &taken),
                    now: &now(),
                };
                let event = registered(context, "key", &new.id, new.name)
                    .by(&owner.id, &owner.username)
                    .within(&owner.organization_id)
                    .detail("agent_id", new.agent_id.as_str());
                let enroll = store::insert_enrolled(&key_hash, &new, request);
                db.run((enroll, audit::record_if_changed(&event))).await
            }
        };
        match enrolled {
            // Without a row, the key or the machine is not what it was: looking again tells.
            Ok((rows, _)) => {
                if let Some(enrolled) = rows.into_iter().next() {
                    return Ok(enrolled);
                }
            }
            Err(DbError::Duplicate) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::conflict(
        "enrolled_elsewhere",
        "Other machines of this account are being enrolled under this name, try again",
    ))
}

/// Whether a host that has the id of a machine is not that machine: its agent is there, with another key and under another name
/// of its own. A machine that was set up anew has no agent, or the same name.
async fn is_another(app: &App, host: &KnownHost, request: &Enroll) -> Result<bool, ApiError> {
    let same = host.agent_public_key.as_ref() == Some(&request.public_key) || host.hostname == request.hostname.trim();
    if same || host.status == MachineStatus::Revoked {
        return Ok(false);
    }
    let status = app.relay(&host.id)?.status(None).await;
    Ok(status.map_or(host.status == MachineStatus::Online, |status| status.connected))
}

/// The wanted name, or its beginning with the first suffix from `-2` on that is free.
fn free_name(wanted: &str, prefix: &str, taken: &[String]) -> String {
    let free = |name: &String| !taken.contains(name);
    let suffixed = (2..).map(|number: u32| format!("{prefix}-{number}"));
    std::iter::once(wanted.to_owned())
        .chain(suffixed)
        .find(free)
        .unwrap_or_default()
}

fn revoked() -> ApiError {
    ApiError::forbidden("machine_revoked", "machine has been revoked")
}

/// Connects a machine: the agent's end of every terminal on it. `docs/streams.md` describes the socket.
#[utoipa::path(get, path = "/agent/connect", summary = "Connect an agent (WebSocket)",
    responses((status = 101, description = "The socket is open, subprotocol `vsay.agent.v1`"),
        (status = 401, description = "The token is not the machine's; or, with the code `clock_skew` and the edge's time in `now`, the clocks differ by more than a minute", body = ErrorBody),
        (status = 403, description = "The machine was revoked; or its organization lets no agents in from there", body = ErrorBody),
        (status = 409, description = "Another agent with the same key is connected and alive: this one is a copy. With the code `key_not_rotated`: it handed in a new key and nobody asked for one", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket, or does not offer `vsay.agent.v1`", body = ErrorBody)))]
pub async fn connect(app: App, request: RequestContext, headers: HeaderMap) -> Result<Response, ApiError> {
    let invalid = || ApiError::unauthorized("Invalid or expired token");
    let token = bearer(&headers)?.ok_or_else(|| ApiError::unauthorized("Authorization header required"))?;
    let digest = secrets::digest(token);
    let token = ClaimedToken::parse(token).ok_or_else(invalid)?;
    let mut identity = app
        .db()?
        .run(store::find_identity(token.agent_id()))
        .await?
        .into_iter()
        .next()
        .ok_or_else(invalid)?;
    if identity.status == MachineStatus::Revoked {
        return Err(revoked());
    }
    let at = Utc::now();
    let key = identity.agent_public_key.as_deref();
    if key.is_some_and(|key| token.is_out_of_time(key, at)) {
        return Err(ApiError::clock_skew(at));
    }
    let mut key = identity
        .agent_public_key
        .take()
        .filter(|key| token.verify(key, at))
        .ok_or_else(invalid)?;
    if !admits(&identity.networks, &request.client.address) {
        return Err(network_not_allowed(&request.client.address));
    }
    if !is_upgrade(&headers) || !offers(&headers, AGENT_SUBPROTOCOL) {
        return Err(ApiError::upgrade_required(format!(
            "This path speaks WebSocket with subprotocol {AGENT_SUBPROTOCOL}"
        )));
    }
    if let Some(next) = rotation::handed_in(&headers, &identity.agent_id, at)? {
        let event = rotation::event(&request, &identity);
        let replace = machine_rotation::replace(&identity.id, &key, &next.challenge, &next.key, at);
        let (replaced, _) = app.db()?.run((replace, audit::record_if_changed(&event))).await?;
        if replaced.is_empty() {
            return Err(rotation::not_asked());
        }
        // Nobody keeps a link by the old one.
        if let Err(error) = app.relay(&identity.id)?.recheck().await {
            log::error(&format!("a relay could not look at its rights: {}", error.cause()));
        }
        key = next.key;
    }
    let context = AgentContext {
        machine: identity.id.clone(),
        agent_id: identity.agent_id.clone(),
        key,
        boot: boot(&headers)?,
        token: digest,
        thresholds: identity.thresholds,
        // The relay asks for them when it looks at the key again.
        policies: None,
    };
    if identity.script_waits {
        // The relay did not hear of it when the machine was enrolled.
        commands::script::hand_over(&app, &identity.id).await;
    }
    let relay = app.relay(&identity.id)?;
    match relay.upgrade(AGENT_PATH, &context, Some(AGENT_SUBPROTOCOL)).await? {
        Upgraded::Open(response) => Ok(response),
        Upgraded::Refused(StatusCode::CONFLICT) => Err(duplicate(&app, &request, &identity).await?),
        Upgraded::Refused(_) => Err(invalid()),
    }
}

/// Which run of the agent it is, if it says so.
fn boot(headers: &HeaderMap) -> Result<Option<BootId>, ApiError> {
    let Some(value) = headers.get(BOOT_HEADER) else {
        return Ok(None);
    };
    let boot = value.to_str().ok().and_then(|text| text.parse().ok());
    match boot {
        Some(boot) => Ok(Some(boot)),
        None => Err(ApiError::invalid_field(
            BOOT_HEADER,
            "must be 32 lowercase hex characters",
        )),
    }
}

/// A copy of a machine tried to connect: its people are told, once until none tried for an hour.
async fn duplicate(app: &App, context: &RequestContext, machine: &Identity) -> Result<ApiError, ApiError> {
    let address = context.client.address.as_str();
    let event = context
        .event(Action::AgentDuplicate, Resource::Machine)
        .within(&machine.organization_id)
        .on(&machine.id)
        .detail("machine", machine.name.as_str())
        .detail("ip_address", address);
    let now = Utc::now();
    let (now, recent) = (stored(now), stored(now - NEWS_AGAIN_AFTER));
    let note = duplicate::note(&machine.id, address, &now, &recent);
    let touch = duplicate::touch(&machine.id, address, &now);
    app.db()?.run((note, audit::record_if_changed(&event), touch)).await?;
    Ok(ApiError::conflict(
        "agent_duplicate",
        "Another agent with this machine's key is connected and alive: this is a copy of that machine",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_the_first_free_suffix() {
        let free = |taken: &[&str]| {
            free_name(
                "web",
                "web",
                &taken.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(free(&[]), "web");
        assert_eq!(free(&["web-2", "website"]), "web");
        assert_eq!(free(&["web"]), "web-2");
        assert_eq!(free(&["web", "web-2", "web-4"]), "web-3");
    }

    #[test]
    fn a_long_name_is_cut_for_its_suffix() {
        let (wanted, prefix) = ("x".repeat(MAX_NAME), "x".repeat(MAX_NAME - SUFFIX));
        assert_eq!(free_name(&wanted, &prefix, &[]), wanted);
        assert_eq!(
            free_name(&wanted, &prefix, std::slice::from_ref(&wanted)),
            format!("{prefix}-2")
        );
    }
}
