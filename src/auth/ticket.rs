//! Tickets: what opens one socket to one machine or recording, once, within seconds. A browser can give a socket no header, and an address is
//! kept where no token belongs.
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::secret::Secret;
use protocol::api::sessions::SocketTicket;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::caller::Caller;
use super::token;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, statements, stored};
use crate::platform::error::ApiError;
use crate::platform::random::{self, NoRandomness};
use crate::platform::secrets;

/// How long a ticket waits for its socket. The browser opens it at once; a slow network takes seconds.
const LIFETIME: TimeDelta = TimeDelta::seconds(30);

/// Random bytes of a ticket.
const BYTES: usize = 24;

/// Longest ticket worth hashing: ours are as long in hex.
const MAX_TICKET: usize = BYTES * 2;

statements! {
    KEEP = "INSERT INTO socket_tickets (digest, user_id, agent_id, sign_in, token_version, source, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    /// Whoever deletes the row has the ticket. Of two at a time, D1 gives it to one.
    TAKE = "DELETE FROM socket_tickets WHERE digest = ?1
         RETURNING user_id, agent_id, sign_in, token_version, source, expires_at";

    PURGE = "DELETE FROM socket_tickets WHERE digest IN
         (SELECT digest FROM socket_tickets WHERE expires_at <= ?1 LIMIT ?2)";
}

/// A ticket that was presented, and is not there any more.
#[derive(Debug, Deserialize)]
pub struct Taken {
    user_id: ObjectId,
    /// What it is for: a machine's public name, or the id of a recording.
    agent_id: String,
    sign_in: String,
    token_version: i64,
    source: String,
    expires_at: DateTime<Utc>,
}

impl Taken {
    /// What it proves at the machine or recording `of`, if it is for that one and still good.
    pub fn proof(self, of: &str, now: DateTime<Utc>) -> Option<token::Proof> {
        (self.agent_id == of && now < self.expires_at).then_some(token::Proof {
            user_id: self.user_id,
            version: self.token_version,
            sign_in: self.sign_in,
            source: self.source,
        })
    }
}

/// A new ticket.
fn mint() -> Result<Secret, NoRandomness> {
    random::hex::<BYTES>().map(Secret::from)
}

/// Makes a ticket for what `caller` may use, and answers with it.
pub async fn give(app: &App, caller: &Caller, of: &str) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    let ticket = mint()?;
    app.db()?.run(keep(&ticket, caller, of, Utc::now())).await?;
    let body = SocketTicket {
        ticket,
        expires_in: LIFETIME.num_seconds().unsigned_abs(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Keeps the digest of a ticket for what `caller` may use: a machine by its public name, or a recording by its id. It is what the
/// path of the socket names.
fn keep(ticket: &Secret, caller: &Caller, of: &str, now: DateTime<Utc>) -> Query<Nothing> {
    Query::new(
        KEEP,
        [
            secrets::digest(ticket.expose()).into(),
            caller.id().into(),
            of.into(),
            caller.sign_in().into(),
            caller.token_version().into(),
            caller.source().into(),
            stored(now + LIFETIME).into(),
        ],
    )
}

/// Takes a ticket out, if there is one. The text may be anything.
pub fn take(ticket: &str) -> Option<Query<Taken>> {
    (ticket.len() <= MAX_TICKET).then(|| Query::new(TAKE, [secrets::digest(ticket).into()]))
}

/// Removes some of those that expired by then.
pub fn purge(until: &str, limit: i64) -> Query<Nothing> {
    Query::new(PURGE, [until.into(), limit.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    const NOW: &str = "2026-01-01T00:00:00Z";

    /// A ticket of ann's for machine `0…a`.
    fn kept(db: &TestDb) -> Secret {
        db.user("ann", "acme", "user");
        let ticket = mint().unwrap();
        db.run(keep(&ticket, &db.caller("ann"), "00000000000a", NOW.parse().unwrap()));
        ticket
    }

    #[test]
    fn a_ticket_proves_its_account_once() {
        let db = TestDb::new();
        let ticket = kept(&db);
        let taken = db.run(take(ticket.expose()).unwrap()).remove(0);
        let proof = taken.proof("00000000000a", NOW.parse().unwrap()).unwrap();
        assert_eq!(proof.user_id, *db.caller("ann").id());
        assert!(db.run(take(ticket.expose()).unwrap()).is_empty());
    }

    #[test]
    fn a_ticket_is_worth_nothing_at_another_machine_or_after_its_time() {
        for (agent_id, seconds, good) in [
            ("00000000000a", 29, true),
            ("00000000000a", 30, false),
            ("00000000000b", 0, false),
        ] {
            let db = TestDb::new();
            let ticket = kept(&db);
            let taken = db.run(take(ticket.expose()).unwrap()).remove(0);
            let now = NOW.parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds);
            assert_eq!(taken.proof(agent_id, now).is_some(), good, "{agent_id} {seconds}");
        }
    }

    #[test]
    fn a_database_that_is_read_by_somebody_gives_no_ticket_away() {
        let db = TestDb::new();
        let ticket = kept(&db);
        let columns = "digest || user_id || agent_id || sign_in || source || expires_at";
        let found = format!("socket_tickets WHERE instr({columns}, '{}')", ticket.expose());
        assert_eq!((db.count(&found), db.count("socket_tickets")), (0, 1));
    }

    #[test]
    fn what_is_no_ticket_is_not_looked_for() {
        assert!(take(&"a".repeat(MAX_TICKET)).is_some());
        assert!(take(&"a".repeat(MAX_TICKET + 1)).is_none());
    }
}
