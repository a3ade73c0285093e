//! Rights in the community: whoever is in an organization takes part; authors and administrators change and remove.
use protocol::ids::ObjectId;

use super::row::{FoundIssue, FoundPost};
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// SQL: the caller (`u`) may learn that the issue (`i`) exists. Others get the answer of an unknown id.
macro_rules! issue_in_sight {
    () => {
        "(i.organization_id = u.organization_id OR u.role = 'super_admin')"
    };
}

/// SQL: the caller (`u`) may change what has an author, of an issue (`i`) that is in sight.
macro_rules! authored {
    ($author:literal) => {
        concat!("(", $author, " = u.id OR u.role <> 'user')")
    };
}
pub(super) use {authored, issue_in_sight};

/// The right to read an issue and to take part in it.
#[derive(Debug)]
pub struct IssueAccess {
    found: FoundIssue,
    caller: Caller,
}

/// The right to change and delete an issue, and to say which fix it was.
#[derive(Debug)]
pub struct IssueControl(IssueAccess);

/// The right to remove a fix or a comment.
#[derive(Debug)]
pub struct PostControl {
    found: FoundPost,
    caller: Caller,
}

impl IssueAccess {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<FoundIssue>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Issue not found")),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    /// The right to change the issue. `refusal` is what others are told.
    pub fn control(self, refusal: &'static str) -> Result<IssueControl, ApiError> {
        match self.found.controls {
            true => Ok(IssueControl(self)),
            false => Err(ApiError::forbidden("forbidden", refusal)),
        }
    }

    pub fn issue(&self) -> &FoundIssue {
        &self.found
    }

    pub fn id(&self) -> &ObjectId {
        &self.found.id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl IssueControl {
    /// What everybody may do with it.
    pub fn access(&self) -> &IssueAccess {
        &self.0
    }

    pub fn id(&self) -> &ObjectId {
        self.0.id()
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        self.0.caller()
    }
}

impl PostControl {
    /// The right, if the row that was found for this caller gives it. `absent` and `refusal` are what others are told.
    pub fn decide(
        caller: Caller,
        found: Vec<FoundPost>,
        absent: &'static str,
        refusal: &'static str,
    ) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found(absent)),
            Some(found) if !found.controls => Err(ApiError::forbidden("forbidden", refusal)),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    pub fn post(&self) -> &FoundPost {
        &self.found
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}
