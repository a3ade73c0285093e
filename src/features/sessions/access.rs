//! Rights over terminal sessions, as values that only this module makes.
use protocol::api::sessions::SessionStatus;
use protocol::ids::{ObjectId, SessionId};

use super::row::{FoundSession, SessionRow};
use crate::platform::error::ApiError;

/// The right to see one terminal session.
#[derive(Debug)]
pub struct SessionAccess(FoundSession);

/// The right to name and to end one terminal session.
#[derive(Debug)]
pub struct SessionControl(FoundSession);

fn not_found() -> ApiError {
    ApiError::not_found("Session not found")
}

impl SessionAccess {
    /// The right, if the row that was found for the caller gives it.
    pub fn decide(found: Vec<FoundSession>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(not_found()),
            Some(found) if !found.may_see => Err(ApiError::not_authorized()),
            Some(found) => Ok(Self(found)),
        }
    }

    /// The row that was found.
    pub fn row(&self) -> &SessionRow {
        &self.0.row
    }

    /// Whether the caller opened it.
    pub fn is_own(&self) -> bool {
        self.0.is_own
    }

    /// The row that was found, given away.
    pub fn into_row(self) -> SessionRow {
        self.0.row
    }
}

impl SessionControl {
    /// The right, if the row that was found for the caller gives it.
    pub fn decide(found: Vec<FoundSession>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(not_found()),
            Some(found) if !found.may_control => Err(ApiError::not_authorized()),
            Some(found) => Ok(Self(found)),
        }
    }

    /// The same over a session that is not over: one that is, is not there to be ended.
    pub fn of_active(found: Vec<FoundSession>) -> Result<Self, ApiError> {
        let active = |found: &FoundSession| found.row.status == SessionStatus::Active;
        Self::decide(found.into_iter().filter(active).collect())
    }

    /// Whether it is not over.
    pub fn is_active(&self) -> bool {
        self.0.row.status == SessionStatus::Active
    }

    pub fn session(&self) -> &SessionId {
        &self.0.row.session_id
    }

    /// The row that was found.
    pub fn row(&self) -> &SessionRow {
        &self.0.row
    }

    /// The machine it runs on.
    pub fn machine(&self) -> &ObjectId {
        &self.0.row.machine_id
    }

    pub fn organization(&self) -> &ObjectId {
        &self.0.organization_id
    }
}
