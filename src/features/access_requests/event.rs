//! What the log says of requests.
use protocol::api::access_requests::AccessRequest;
use protocol::ids::ObjectId;

use super::access::RequestControl;
use crate::audit::{Action, Event, Resource};

/// Something done to a request, in the log of the machine's organization.
pub fn done(control: &RequestControl, action: Action) -> Event {
    let event = control.caller().event(action, Resource::Machine);
    about(event, control.request(), control.organization_id())
}

/// What every entry about a request says.
pub fn about(event: Event, request: &AccessRequest, organization: &ObjectId) -> Event {
    event
        .within(organization)
        .on(&request.machine_id)
        .detail("machine", request.machine_name.as_str())
        .detail("agent_id", request.machine_agent_id.as_str())
        .detail("request_id", request.id.as_str())
        .detail("user_id", request.requester_id.as_str())
        .detail("username", request.requester_username.as_str())
        .detail("machine_role", request.machine_role.as_str())
        .detail("duration_hours", request.duration_hours)
}
