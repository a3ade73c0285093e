//! Whether those that are listed as online still are. Lists are read from the database, which is told when a link comes or goes;
//! when edge and machine go down together, nobody is left to tell. So whoever reads a list sets off, behind the answer, a
//! question to the relays of those that were not heard of for a while. A relay that is asked wakes, and tells the database.
use std::cell::RefCell;
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use protocol::ids::ObjectId;

use super::row::MachineRow;
use crate::platform::context::App;
use crate::platform::relay_stub::RelayStub;

/// A machine that is online has a sign of life at least this old in the database now and then: heartbeats are written when they
/// say something new, and every five minutes.
const DOUBTFUL_AFTER: TimeDelta = TimeDelta::minutes(2);

/// A relay is asked once in this time by one isolate, however many lists are read.
const ASK_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Most relays asked for one list.
const AT_ONCE: usize = 50;

/// Most machines whose last question an isolate remembers.
const REMEMBERED: usize = 10_000;

thread_local! {
    static ASKED: RefCell<HashMap<ObjectId, DateTime<Utc>>> = RefCell::default();
}

/// Asks, behind the answer, the relays of those machines of a list of which it is doubtful that they are online.
pub fn ask_behind<'a>(app: &App, machines: impl Iterator<Item = &'a MachineRow>) {
    let doubtful = ASKED.with_borrow_mut(|asked| doubtful(machines, Utc::now(), asked));
    let stubs: Vec<RelayStub> = doubtful.iter().filter_map(|id| app.relay(id).ok()).collect();
    if !stubs.is_empty() {
        app.background().run(async move {
            // What it answers does not matter: it tells the database itself.
            join_all(stubs.iter().map(RelayStub::status)).await;
        });
    }
}

fn doubtful<'a>(
    machines: impl Iterator<Item = &'a MachineRow>,
    now: DateTime<Utc>,
    asked: &mut HashMap<ObjectId, DateTime<Utc>>,
) -> Vec<ObjectId> {
    asked.retain(|_, at| now - *at < ASK_AGAIN_AFTER);
    let silent = |machine: &&MachineRow| {
        machine.status.is_online() && machine.last_active.is_none_or(|at| now - at > DOUBTFUL_AFTER)
    };
    let ids: Vec<ObjectId> = machines
        .filter(silent)
        .map(|machine| machine.id.clone())
        .filter(|id| !asked.contains_key(id))
        .take(AT_ONCE)
        .collect();
    for id in &ids {
        if asked.len() < REMEMBERED {
            asked.insert(id.clone(), now);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(n: usize, status: &str, last_active: &str) -> MachineRow {
        serde_json::from_str(&format!(
            r#"["{n:024x}","000000000000","alpha","","","","","{status}",1,"",0,0,[],{{}},"",1.5,0,0,0,0,0,
                {last_active},"2026-01-01T00:00:00.000Z",null,"000000000000000000000000","ann","acme",[],[],null]"#
        ))
        .unwrap()
    }

    #[test]
    fn only_silent_machines_that_are_said_to_be_online_are_asked_once_a_minute() {
        let now: DateTime<Utc> = "2026-01-01T01:00:00Z".parse().unwrap();
        let rows = [
            machine(1, "online", r#""2026-01-01T00:57:00.000Z""#),
            machine(2, "online", r#""2026-01-01T00:59:00.000Z""#),
            machine(3, "offline", r#""2026-01-01T00:57:00.000Z""#),
            machine(4, "online", "null"),
        ];
        let mut asked = HashMap::new();
        let mut ask = |now| doubtful(rows.iter(), now, &mut asked);
        let ids = [rows[0].id.clone(), rows[3].id.clone()];
        assert_eq!(ask(now), ids);
        assert!(ask(now + TimeDelta::seconds(59)).is_empty());
        assert_eq!(ask(now + TimeDelta::seconds(60)), ids);
    }

    #[test]
    fn a_long_list_sets_off_a_bounded_number_of_questions() {
        let rows: Vec<_> = (0..200).map(|n| machine(n, "online", "null")).collect();
        let (now, mut asked) = (Utc::now(), HashMap::new());
        assert_eq!(doubtful(rows.iter(), now, &mut asked).len(), AT_ONCE);
        assert_eq!(doubtful(rows.iter(), now, &mut asked).len(), AT_ONCE, "the next ones");
    }
}
