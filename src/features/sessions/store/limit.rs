//! How many sessions may run at once, of an organization and of one of its people. Those count whose row is `active`: a row is closed
//! when the relay tells of its end, when it turns out that the relay knows nothing of it, and when nobody came to it in time.
use protocol::ids::SessionId;
use serde::Deserialize;

use super::host::OnHost;
use crate::auth::caller::Caller;
use crate::features::machines::access::MachineAccess;
use crate::platform::db::{Arg, Query, statements};
use crate::platform::error::ApiError;

/// SQL: how many sessions run in an organization (`o`).
macro_rules! running {
    () => {
        "(SELECT COUNT(*) FROM terminal_sessions c WHERE c.organization_id = o.id AND c.status = 'active')"
    };
}

/// SQL: how many of them are an account's (?5).
macro_rules! running_of_user {
    ($user:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM terminal_sessions c WHERE c.user_id = ",
            $user,
            " AND c.status = 'active' AND c.organization_id = o.id)"
        )
    };
}

/// SQL: an organization (`o`) has room for one more session of an account (?5), or the session (?2) runs already.
macro_rules! has_room {
    () => {
        concat!(
            "(EXISTS (SELECT 1 FROM terminal_sessions e WHERE e.session_id = ?2 AND e.organization_id = o.id AND e.status = 'active')
               OR ((o.max_sessions = 0 OR ",
            $crate::features::sessions::store::limit::running!(),
            " < o.max_sessions)
               AND (o.max_user_sessions = 0 OR ",
            $crate::features::sessions::store::limit::running_of_user!("?5"),
            " < o.max_user_sessions)))"
        )
    };
}
pub(super) use {has_room, running, running_of_user};

statements! {
    /// Why a session (?2) of an account (?3) in an organization (?1) was not opened. Somebody else's of that name comes first: it would
    /// not be opened if there were room.
    REACHED = concat!(
        "SELECT EXISTS (SELECT 1 FROM terminal_sessions e WHERE e.session_id = ?2 AND e.organization_id = o.id
             AND NOT (e.user_id = ?3 AND e.machine_id = ?4 AND e.ssh_host IS ?5 AND e.ssh_user IS ?6)) AS taken,
           o.max_sessions, o.max_user_sessions, ", running!(), " AS running, ", running_of_user!("?3"), " AS of_user
         FROM organizations o WHERE o.id = ?1"
    );
}

/// What stands in the way of a session.
#[derive(Debug, Deserialize)]
pub struct Reached {
    /// Whether the name is somebody else's, or another machine's or host's.
    taken: u8,
    max_sessions: u32,
    max_user_sessions: u32,
    /// How many the organization has running…
    running: u32,
    /// …and of these the account.
    of_user: u32,
}

impl Reached {
    /// In words that name the limit, and what to do.
    pub fn error(&self) -> ApiError {
        if self.taken > 0 {
            return ApiError::not_authorized();
        }
        let of_user = self.max_user_sessions > 0 && self.of_user >= self.max_user_sessions;
        let of_all = self.max_sessions > 0 && self.running >= self.max_sessions;
        let text = match (of_user, of_all) {
            (true, _) => format!(
                "You have {} terminal sessions running, and this organization lets one person have {}: end one of yours first",
                self.of_user, self.max_user_sessions
            ),
            (false, true) => format!(
                "This organization lets {} terminal sessions run at once, and so many do: somebody has to end one, or an administrator \
                 to raise max_sessions",
                self.max_sessions
            ),
            // One has ended since.
            (false, false) => "As many terminal sessions ran as may, and one has just ended: try again".to_owned(),
        };
        ApiError::conflict(SESSION_LIMIT, text)
    }
}

/// The code of a refusal.
pub const SESSION_LIMIT: &str = "session_limit";

/// Why a session was not opened.
pub fn reached(access: &MachineAccess, session: &SessionId) -> Query<Reached> {
    let found = access.found();
    Query::new(
        REACHED,
        [
            (&found.organization_id).into(),
            session.into(),
            access.caller().id().into(),
            (&found.machine.id).into(),
            Arg::Null,
            Arg::Null,
        ],
    )
}

/// The same of one on another host.
pub fn reached_on_host(caller: &Caller, on: &OnHost, session: &SessionId) -> Query<Reached> {
    Query::new(
        REACHED,
        [
            on.organization.into(),
            session.into(),
            caller.id().into(),
            on.runner.into(),
            on.hostname.into(),
            on.user.into(),
        ],
    )
}
