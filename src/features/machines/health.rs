//! That a machine does worse or better, written down once with an entry in the log.
use futures_util::future::LocalBoxFuture;
use protocol::api::health::Health;
use protocol::api::machines::Metrics;
use protocol::ids::ObjectId;
use worker::Env;

use super::store::metrics::{self, HealthRow};
use crate::audit::{Action, Event, Resource, record_if_changed};
use crate::platform::db::Db;

/// Writes down how a machine does. Handed to the relays' crate when the Worker starts. What is written down already is no news.
pub fn write(
    env: Env,
    machine: ObjectId,
    health: Health,
    figures: Metrics,
) -> LocalBoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        let rows = db.run(metrics::health(&machine)).await;
        let row = rows.map_err(|error| error.to_string())?.into_iter().next();
        // None: the machine is gone.
        let Some(event) = row.and_then(|row| entry(&machine, &row, health, &figures)) else {
            return Ok(());
        };
        let write = (metrics::set_health(&machine, health), record_if_changed(&event));
        db.run(write).await.map(drop).map_err(|error| error.to_string())
    })
}

/// What the log says of it, if it is news.
fn entry(machine: &ObjectId, before: &HealthRow, health: Health, figures: &Metrics) -> Option<Event> {
    if before.health == health {
        return None;
    }
    let event = Event::of(Action::MachineHealth, Resource::Machine)
        .within(&before.organization_id)
        .on(machine)
        .detail("machine", before.name.as_str())
        .detail("agent_id", before.agent_id.as_str())
        .detail("health", health.as_str())
        .detail("before", before.health.as_str())
        .detail("cpu_percent", figures.cpu_percent)
        .detail("memory_percent", figures.memory_percent)
        .detail("disk_percent", figures.disk_percent);
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    #[test]
    fn what_a_machine_has_come_to_is_written_down_once_with_an_entry() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.machine("web", "ann");
        let machine: ObjectId = id("web").parse().unwrap();
        let figures = Metrics {
            memory_percent: 96.5,
            ..Metrics::default()
        };
        let write = |health| {
            let row = db.run(metrics::health(&machine)).remove(0);
            let event = entry(&machine, &row, health, &figures);
            if let Some(event) = event {
                db.run(metrics::set_health(&machine, health));
                db.run(record_if_changed(&event));
            }
            db.count("audit_log WHERE action = 'machine_health'")
        };
        assert_eq!(write(Health::Healthy), 0, "it was before");
        assert_eq!((write(Health::Critical), write(Health::Critical)), (1, 1));
        assert_eq!(write(Health::Healthy), 2);
        let told =
            "audit_log WHERE details LIKE '%\"health\":\"critical\"%' AND details LIKE '%\"before\":\"healthy\"%'
            AND details LIKE '%96.5%'";
        assert_eq!(db.count(told), 1);
    }
}
