//! Telling people of requests: those who decide that somebody asks, and whoever asked what came of it. A letter that does not
//! arrive changes nothing.
use protocol::api::access_requests::AccessRequest;

use super::row::Decider;
use crate::platform::mail::{Decision, Letter, Mailer, Wish};

/// Tells those who decide.
pub fn asked(mailer: &Mailer, request: &AccessRequest, deciders: &[Decider]) {
    let letter = Letter::AccessAsked {
        requester: &request.requester_username,
        wish: wish(request),
        note: &request.request_note,
    };
    for decider in deciders {
        mailer.post(&decider.email, &letter);
    }
}

/// Tells whoever asked.
pub fn decided(mailer: &Mailer, request: &AccessRequest, decision: Decision) {
    let letter = Letter::AccessDecided {
        username: &request.requester_username,
        wish: wish(request),
        decision,
    };
    mailer.post(&request.requester_email, &letter);
}

fn wish(request: &AccessRequest) -> Wish<'_> {
    Wish {
        machine: &request.machine_name,
        agent_id: request.machine_agent_id.as_str(),
        hours: request.duration_hours,
        sudo: !request.machine_role.is_empty(),
    }
}
