//! Rights over recordings: whoever reaches the machine sees them, whoever manages it deletes them. What is left of a machine that
//! is gone is its organization's administrators'.
use protocol::api::recordings::RecordingState;
use protocol::ids::ObjectId;

use super::row::RecordingRow;
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// The right to see and play one recording.
#[derive(Debug)]
pub struct RecordingAccess {
    recording: RecordingRow,
    caller: Caller,
}

/// The right to delete one recording.
#[derive(Debug)]
pub struct RecordingControl(RecordingAccess);

impl RecordingAccess {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<RecordingRow>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Recording not found")),
            Some(recording) if !recording.reaches => Err(ApiError::not_authorized()),
            Some(recording) => Ok(Self { recording, caller }),
        }
    }

    pub fn recording(&self) -> &RecordingRow {
        &self.recording
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The right to delete it, once it is over.
    pub fn control(self) -> Result<RecordingControl, ApiError> {
        if !self.recording.manages {
            Err(ApiError::not_authorized())
        } else if self.recording.state == RecordingState::Recording {
            Err(ApiError::conflict(
                "recording_running",
                "The session is still recorded: end it first",
            ))
        } else {
            Ok(RecordingControl(self))
        }
    }
}

impl RecordingControl {
    pub fn recording(&self) -> &RecordingRow {
        &self.0.recording
    }

    pub fn id(&self) -> &ObjectId {
        &self.0.recording.id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }
}
