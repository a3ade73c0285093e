//! Rights over shared sessions: whose session it is invites; whoever may end it sees who was invited and sends them away; and whoever
//! was invited comes in.
use protocol::ids::{ObjectId, SessionId};

use super::row::{FoundSession, GuestRow, LinkRow, ShareRow};
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// The right to see with whom one session is shared, and to end that.
#[derive(Debug)]
pub struct SharingControl {
    session: FoundSession,
    caller: Caller,
}

/// The right to invite to one session.
#[derive(Debug)]
pub struct Inviting(SharingControl);

/// The right to end one invitation, or a link.
#[derive(Debug)]
pub struct ShareControl {
    control: SharingControl,
    share: ShareRow,
}

/// The right of somebody who was invited to one session.
#[derive(Debug)]
pub struct GuestAccess {
    share: GuestRow,
    caller: Caller,
}

/// The right to come in by one link.
#[derive(Debug)]
pub struct LinkAccess {
    link: LinkRow,
    caller: Caller,
}

impl SharingControl {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<FoundSession>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Session not found")),
            Some(session) if !session.controls => Err(ApiError::not_authorized()),
            Some(session) => Ok(Self { session, caller }),
        }
    }

    /// The right to invite. An administrator who may end a session does not let people in at somebody else's terminal.
    pub fn inviting(self) -> Result<Inviting, ApiError> {
        match self.session.may_share {
            true => Ok(Inviting(self)),
            false => Err(ApiError::forbidden(
                "not_your_session",
                "Only whose session it is can share it",
            )),
        }
    }

    /// The right to end an invitation of this session, which was looked up with it.
    pub fn share(self, found: Vec<ShareRow>) -> Result<ShareControl, ApiError> {
        match found.into_iter().next() {
            Some(share) => Ok(ShareControl { control: self, share }),
            None => Err(ApiError::not_found("The session is not shared with them")),
        }
    }

    /// The session's row.
    pub fn id(&self) -> &ObjectId {
        &self.session.id
    }

    /// The session's name.
    pub fn session(&self) -> &SessionId {
        &self.session.session_id
    }

    pub fn found(&self) -> &FoundSession {
        &self.session
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Inviting {
    pub fn control(&self) -> &SharingControl {
        &self.0
    }
}

impl ShareControl {
    pub fn control(&self) -> &SharingControl {
        &self.control
    }

    pub fn share(&self) -> &ShareRow {
        &self.share
    }
}

impl GuestAccess {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<GuestRow>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            Some(share) => Ok(Self { share, caller }),
            None => Err(ApiError::not_found(
                "This session is not shared with you, or it is over",
            )),
        }
    }

    pub fn share(&self) -> &GuestRow {
        &self.share
    }

    /// Who was invited.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl LinkAccess {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<LinkRow>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found(
                "This link is not valid any more, or its session is over",
            )),
            Some(link) if link.owns => Err(ApiError::conflict("own_session", "This is a session of your own")),
            Some(link) if link.removed => Err(ApiError::forbidden(
                "share_removed",
                "You were sent away from this session",
            )),
            Some(link) => Ok(Self { link, caller }),
        }
    }

    pub fn link(&self) -> &LinkRow {
        &self.link
    }

    /// Who opened it.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}
