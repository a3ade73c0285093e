//! What relays tell of terminals on other hosts, on its way to the audit log.
use durable_objects::relay::HostTrusted;
use futures_util::future::LocalBoxFuture;
use protocol::ids::ObjectId;
use worker::Env;

use super::store;
use crate::audit::{self, Action, Event, Resource};
use crate::platform::db::{Db, stored_ms};

/// Writes down which hosts a runner trusts from now on. Handed to the relays' crate when the Worker starts.
pub fn store(env: Env, machine: ObjectId, trusted: Vec<HostTrusted>) -> LocalBoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        let found = db.run(store::organization(&machine)).await;
        // None: the machine is gone.
        let Some(of) = found.map_err(|error| error.to_string())?.into_iter().next() else {
            return Ok(());
        };
        let entries: Vec<_> = trusted
            .iter()
            .map(|trusted| audit::record(&entry(&of.organization_id, &machine, trusted)))
            .collect();
        db.run(entries).await.map(drop).map_err(|error| error.to_string())
    })
}

fn entry(organization: &ObjectId, machine: &ObjectId, trusted: &HostTrusted) -> Event {
    Event::of(Action::SshHostTrusted, Resource::Instance)
        .within(organization)
        .by(&trusted.user, &trusted.username)
        .on(&trusted.hostname)
        .at(&stored_ms(trusted.at))
        .detail("runner", machine.as_str())
        .detail("session_id", trusted.session_id.as_str())
        .detail("ip", trusted.ip.as_str())
        .detail("host_key", trusted.key.as_str())
}
