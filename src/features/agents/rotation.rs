//! A new key in place of the old one, which an agent hands in when it connects with the old one: it was asked to, and proves both.
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use protocol::api::agents::{CHALLENGE_HEADER, NEXT_KEY_HEADER, NEXT_TOKEN_HEADER, NOT_ROTATED};
use protocol::ids::AgentId;

use super::credential::ClaimedToken;
use crate::audit::{Action, Event, RequestContext, Resource};
use crate::features::machines::store::enrolment::Identity;
use crate::platform::error::ApiError;

/// Longest of these headers worth looking at; a token has about 250 characters.
const MAX_HEADER: usize = 2048;

/// A key whose private half the agent has.
#[derive(Debug)]
pub struct NextKey {
    pub key: String,
    /// What it was told when it was asked.
    pub challenge: String,
}

/// The key that a request hands in, if it does.
pub fn handed_in(headers: &HeaderMap, agent: &AgentId, now: DateTime<Utc>) -> Result<Option<NextKey>, ApiError> {
    let text = |name: &str| {
        let value = headers.get(name).map(|value| value.to_str().unwrap_or_default());
        value.filter(|text| text.len() <= MAX_HEADER)
    };
    let Some(key) = text(NEXT_KEY_HEADER) else {
        return Ok(None);
    };
    let proven = text(NEXT_TOKEN_HEADER)
        .and_then(ClaimedToken::parse)
        .is_some_and(|token| token.agent_id() == agent && token.verify(key, now));
    match text(CHALLENGE_HEADER).filter(|_| proven) {
        Some(challenge) => Ok(Some(NextKey {
            key: key.to_owned(),
            challenge: challenge.to_owned(),
        })),
        None => Err(not_asked()),
    }
}

/// What the log says of it.
pub fn event(context: &RequestContext, machine: &Identity) -> Event {
    context
        .event(Action::MachineKeyRotated, Resource::Machine)
        .within(&machine.organization_id)
        .on(&machine.id)
        .detail("machine", machine.name.as_str())
}

/// 409: the key stays as it is.
pub fn not_asked() -> ApiError {
    ApiError::conflict(
        NOT_ROTATED,
        "The new key is not proven, or nobody asked for one within ten minutes: the old one stays",
    )
}
