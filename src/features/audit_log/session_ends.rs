//! Entries about sessions that have ended. Whoever ends one, be it the relay or a handler, writes no more than the end; the
//! database notes it, and here it becomes an entry.
use protocol::ids::ObjectId;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::audit::{self, Action, Event, Resource};
use crate::http::client::Client;
use crate::platform::db::{Nothing, Query, json, statements};

/// How many entries are written in one round trip: each is two statements, of which an invocation may run fifty on the
/// platform's free plan.
const WRITTEN_AT_ONCE: i64 = 20;

statements! {
    WAITING = "SELECT id, organization_id, user_id, username, machine_id, ip_address, user_agent, source, details, ended_at
         FROM session_ends WHERE organization_id = ?1 ORDER BY id LIMIT ?2";

    TAKE = "DELETE FROM session_ends WHERE id = ?1";
}

/// A session that has ended.
#[derive(Debug, Deserialize)]
pub struct SessionEnd {
    id: i64,
    organization_id: ObjectId,
    user_id: ObjectId,
    username: String,
    machine_id: ObjectId,
    ip_address: String,
    user_agent: String,
    source: String,
    #[serde(deserialize_with = "json")]
    details: Map<String, Value>,
    ended_at: String,
}

/// Those of an organization that the log does not have yet.
pub fn waiting(organization: &str) -> Query<SessionEnd> {
    Query::new(WAITING, [organization.into(), WRITTEN_AT_ONCE.into()])
}

/// Writes their entries. Of two who do it at the same time, one does.
pub fn write(ends: &[SessionEnd]) -> Vec<(Query<Nothing>, Query<Nothing>)> {
    let each = ends.iter().map(|end| {
        let take = Query::new(TAKE, [end.id.into()]);
        (take, audit::record_if_changed(&event(end)))
    });
    each.collect()
}

fn event(end: &SessionEnd) -> Event {
    let event = Event::of(Action::SessionEnded, Resource::Terminal)
        .on(&end.machine_id)
        .by(&end.user_id, &end.username)
        .within(&end.organization_id)
        .with(Client {
            address: end.ip_address.clone(),
            user_agent: end.user_agent.clone(),
            source: end.source.clone(),
        })
        .at(&end.ended_at);
    let details = end.details.iter();
    details.fold(event, |event, (key, value)| event.detail(key, value.clone()))
}
