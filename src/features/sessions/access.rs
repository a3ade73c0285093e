//! The right to end a terminal session.
use protocol::ids::{ObjectId, SessionId};

use super::row::FoundSession;
use crate::platform::error::ApiError;

/// The right to end one terminal session.
#[derive(Debug)]
pub struct SessionControl {
    session: SessionId,
    machine: ObjectId,
    organization: ObjectId,
}

impl SessionControl {
    /// The right, if the row that was found for the caller gives it.
    pub fn decide(found: Vec<FoundSession>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Session not found")),
            Some(found) if !found.may_close => Err(ApiError::not_authorized()),
            Some(found) => Ok(Self {
                session: found.session_id,
                machine: found.machine_id,
                organization: found.organization_id,
            }),
        }
    }

    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The machine it runs on.
    pub fn machine(&self) -> &ObjectId {
        &self.machine
    }

    pub fn organization(&self) -> &ObjectId {
        &self.organization
    }
}
