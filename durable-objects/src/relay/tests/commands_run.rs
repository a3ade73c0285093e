//! What was run at prompts gets to the command log, and is with the agent until then.
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::command_record::{CommandRecord, MAX_RECORDS};
use serde_json::json;

use super::relay_sim::{RelaySim, Wire};
use crate::relay::Action;

const NOW: u64 = 1_796_007_600_000;

fn record(number: usize, started_at: u64) -> CommandRecord {
    serde_json::from_value(json!({
        "id": format!("{number:024x}"), "session_id": "sess_1", "text": "whole", "command": "ls", "cwd": "/",
        "outcome": "exited", "exit_code": 0, "started_at": started_at, "duration_ms": 1, "stream": 1, "from": 0, "to": 0
    }))
    .unwrap()
}

/// What the relay wants stored of what the agent says.
fn logged(clock: u64, records: Vec<CommandRecord>) -> Vec<CommandRecord> {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    let agent = sim.agent.socket.unwrap();
    while sim.deliver_up(agent) || sim.deliver_down(agent) {}
    let said = FromAgent::Commands { now: clock, records };
    sim.relay.text(NOW, agent, &serde_json::to_string(&said).unwrap());
    let actions = sim.relay.take_actions();
    let logged = actions.into_iter().map(|action| match action {
        Action::Log(records) => records,
        other => panic!("{other:?}"),
    });
    logged.flatten().collect()
}

#[test]
fn records_go_to_the_log_as_they_come() {
    let records = vec![record(1, NOW - 5000), record(2, NOW - 1000)];
    assert_eq!(logged(NOW - 10, records.clone()), records);
    assert_eq!(logged(NOW, vec![]), []);
}

#[test]
fn the_times_of_a_machine_whose_clock_is_wrong_are_corrected_by_ours() {
    for clock in [NOW - 3_600_000, NOW + 3_600_000, 86_400_000] {
        let found = logged(clock, vec![record(1, clock - 5000)]);
        assert_eq!(found[0].started_at, NOW - 5000, "{clock}");
    }
    assert_eq!(logged(NOW, vec![record(1, u64::MAX)])[0].started_at, NOW);
}

#[test]
fn no_more_are_taken_at_once_than_a_message_may_hold() {
    let records: Vec<_> = (0..MAX_RECORDS + 5).map(|number| record(number, NOW)).collect();
    assert_eq!(logged(NOW, records).len(), MAX_RECORDS);
}

#[test]
fn the_agent_hears_what_is_stored_if_it_is_there() {
    let mut sim = RelaySim::new(0);
    let ids = vec![record(1, 0).id];
    sim.relay.commands_stored(ids.clone());
    assert_eq!(sim.relay.take_actions(), []);
    sim.agent_connects();
    let agent = sim.agent.socket.unwrap();
    while sim.deliver_up(agent) || sim.deliver_down(agent) {}
    sim.relay.commands_stored(ids.clone());
    sim.perform();
    let Some(Wire::Text(said)) = sim.links[&agent].down.back() else {
        panic!()
    };
    assert_eq!(
        serde_json::from_str::<ToAgent>(said).unwrap(),
        ToAgent::CommandsStored { ids }
    );
}
