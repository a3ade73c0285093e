//! Whether those that are listed as online still are, and how they do. Lists are read from the database, which is told when a link
//! comes or goes and, while nobody reads, once an hour how a machine does; when edge and machine go down together, nobody is left to
//! tell. So whoever reads a list sets off, behind the answer, a question to the relays of those in it. A relay that is asked looks
//! whether its agent is alive, has its machine measured for a while, and tells the database.
use std::cell::RefCell;
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use protocol::ids::ObjectId;
use protocol::relay_contract::Interest;

use super::row::MachineRow;
use crate::platform::context::App;
use crate::platform::relay_stub::RelayStub;

/// Figures that are older than this are measured again when somebody reads a list: while a machine is measured, the database is
/// told every minute.
pub const STALE_AFTER: TimeDelta = TimeDelta::minutes(2);

/// A relay whose machine's figures are old is asked once in this time by one isolate, however many lists are read…
const ASK_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// …and one whose are fresh in this time: so that they are for a quarter of an hour after the last list.
const RENEW_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Most relays asked for one list.
pub const AT_ONCE: usize = 50;

/// Most machines whose last question an isolate remembers.
const REMEMBERED: usize = 10_000;

thread_local! {
    static ASKED: RefCell<HashMap<ObjectId, DateTime<Utc>>> = RefCell::default();
}

/// The machines of a list that are said to be online, and whether their figures are old.
pub fn of_rows<'a>(machines: impl Iterator<Item = &'a MachineRow>) -> impl Iterator<Item = (ObjectId, bool)> {
    let now = Utc::now();
    machines
        .filter(|machine| machine.status.is_online())
        .map(move |machine| {
            let is_stale = machine.measured.at.is_none_or(|at| now - at > STALE_AFTER);
            (machine.id.clone(), is_stale)
        })
}

/// Asks, behind the answer, the relays of those machines, with whether their figures are old, that were not asked just now.
pub fn ask_behind(app: &App, machines: impl Iterator<Item = (ObjectId, bool)>) {
    let due = ASKED.with_borrow_mut(|asked| due(machines, Utc::now(), asked));
    let stubs: Vec<RelayStub> = due.iter().filter_map(|id| app.relay(id).ok()).collect();
    if !stubs.is_empty() {
        app.background().run(async move {
            // What it answers does not matter: it tells the database itself.
            join_all(stubs.iter().map(|stub| stub.status(Some(Interest::Reader)))).await;
        });
    }
}

fn due(
    machines: impl Iterator<Item = (ObjectId, bool)>,
    now: DateTime<Utc>,
    asked: &mut HashMap<ObjectId, DateTime<Utc>>,
) -> Vec<ObjectId> {
    asked.retain(|_, at| now - *at < RENEW_AFTER);
    let is_due = |(id, is_stale): &(ObjectId, bool)| {
        let patience = if *is_stale { ASK_AGAIN_AFTER } else { RENEW_AFTER };
        asked.get(id).is_none_or(|at| now - *at >= patience)
    };
    let ids: Vec<ObjectId> = machines.filter(is_due).map(|(id, _)| id).take(AT_ONCE).collect();
    for id in &ids {
        if asked.len() < REMEMBERED || asked.contains_key(id) {
            asked.insert(id.clone(), now);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> ObjectId {
        format!("{n:024x}").parse().unwrap()
    }

    fn machine(n: usize, status: &str, metrics_at: &str) -> MachineRow {
        serde_json::from_str(&format!(
            r#"["{n:024x}","000000000000","alpha","","","","","{status}",1,"",0,0,[],{{}},"",1.5,0,0,0,0,0,
                null,[{metrics_at},"healthy",{{}},{{}}],"2026-01-01T00:00:00.000Z",null,"000000000000000000000000","ann","acme",[],[],null]"#
        ))
        .unwrap()
    }

    #[test]
    fn of_a_list_those_are_asked_that_are_said_to_be_online() {
        let now = crate::platform::db::now();
        let rows = [
            machine(1, "online", r#""2026-01-01T00:57:00.000Z""#),
            machine(2, "online", &format!("{now:?}")),
            machine(3, "offline", r#""2026-01-01T00:57:00.000Z""#),
            machine(4, "executing_script", "null"),
        ];
        let found: Vec<_> = of_rows(rows.iter()).collect();
        assert_eq!(found, [(id(1), true), (id(2), false), (id(4), true)]);
    }

    #[test]
    fn a_machine_is_asked_once_a_minute_and_seldom_while_its_figures_are_fresh() {
        let now: DateTime<Utc> = "2026-01-01T01:00:00Z".parse().unwrap();
        let mut asked = HashMap::new();
        let mut ask = |now| due([(id(1), true), (id(2), false)].into_iter(), now, &mut asked);
        assert_eq!(ask(now), [id(1), id(2)]);
        assert!(ask(now + TimeDelta::seconds(59)).is_empty());
        assert_eq!(ask(now + TimeDelta::seconds(60)), [id(1)]);
        assert_eq!(ask(now + TimeDelta::seconds(300)), [id(1), id(2)]);
    }

    #[test]
    fn a_long_list_sets_off_a_bounded_number_of_questions() {
        let (now, mut asked) = (Utc::now(), HashMap::new());
        let mut ask = || due((0..200).map(|n| (id(n), true)), now, &mut asked).len();
        assert_eq!(ask(), AT_ONCE);
        assert_eq!(ask(), AT_ONCE, "the next ones");
    }
}
