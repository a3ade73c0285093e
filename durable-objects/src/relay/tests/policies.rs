//! What commands may run reaches the agent before any command does, and commands that need approval wait for it, and start once at
//! most.
use proptest::prelude::*;
use protocol::api::command_policy::{CommandPolicy, Policies};
use protocol::api::commands::CommandStatus;
use protocol::relay_contract::DecideCommand;

use super::queued::{end_all, id, online, send};
use super::relay_sim::RelaySim;
use crate::relay::Notice;

/// Longer than a command waits for its approval, and for its machine after that.
const TOO_LATE: u64 = 24 * 3600 * 1000 + 1;

fn blocking(program: &str) -> Policies {
    Policies {
        machine: CommandPolicy {
            blocked_commands: vec![program.to_owned()],
            ..CommandPolicy::default()
        },
        ..Policies::default()
    }
}

fn approving(program: &str) -> Policies {
    Policies {
        machine: CommandPolicy {
            approval_required_commands: vec![program.to_owned()],
            ..CommandPolicy::default()
        },
        ..Policies::default()
    }
}

fn status(sim: &RelaySim, n: usize) -> Option<CommandStatus> {
    let ended = sim.results.get(&id(n)).map(|result| result.status);
    ended.or_else(|| sim.relay.command_status(&id(n)))
}

fn decide(sim: &mut RelaySim, n: usize, approve: bool) {
    let decided = DecideCommand {
        command_id: id(n),
        approval: approve.then(|| "proof".to_owned()),
        error: "not today".to_owned(),
    };
    sim.relay.decide_command(sim.now, decided);
    sim.perform();
    sim.settle();
}

fn waits(sim: &RelaySim) -> usize {
    let awaits = |notice: &&Notice| matches!(notice, Notice::CommandAwaits { .. });
    sim.notices.iter().filter(awaits).count()
}

/// A command waits for its approval.
fn awaiting() -> RelaySim {
    let mut sim = RelaySim::new(0);
    sim.policies = approving("1");
    sim.agent_connects();
    sim.settle();
    send(&mut sim, 1, false);
    sim.settle();
    assert_eq!(
        (status(&sim, 1), waits(&sim)),
        (Some(CommandStatus::AwaitingApproval), 1)
    );
    assert!(sim.agent.ran.is_empty());
    sim
}

#[test]
fn an_agent_is_told_when_it_comes_and_at_once_when_it_changes() {
    let mut sim = RelaySim::new(0);
    sim.policies = blocking("1");
    sim.agent_connects();
    sim.settle();
    assert_eq!(sim.agent.policies, blocking("1"));
    sim.policies = blocking("2");
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.settle();
    assert_eq!(sim.agent.policies, blocking("2"));
    // Also where nobody could tell the relay.
    sim.policies = blocking("3");
    send(&mut sim, 3, false);
    sim.settle();
    assert_eq!(status(&sim, 3), Some(CommandStatus::Refused));
    assert!(sim.agent.ran.is_empty());
}

#[test]
fn an_agent_that_connects_while_the_relay_loses_its_memory_is_told_as_well() {
    let mut sim = RelaySim::new(0);
    sim.policies = blocking("1");
    sim.agent_connects();
    sim.hibernate();
    sim.settle();
    assert_eq!(sim.agent.policies, blocking("1"));
    send(&mut sim, 1, false);
    sim.settle();
    assert_eq!(status(&sim, 1), Some(CommandStatus::Refused));
}

#[test]
fn an_agent_that_cannot_hold_to_it_is_given_no_command() {
    let mut sim = RelaySim::new(0);
    sim.agent.policed = false;
    sim.agent_connects();
    sim.settle();
    send(&mut sim, 1, false);
    sim.settle();
    assert_eq!(sim.agent.ran, ["1"], "as long as there is nothing to hold to");
    end_all(&mut sim);
    sim.policies = blocking("2");
    send(&mut sim, 3, false);
    sim.settle();
    assert_eq!((status(&sim, 3), sim.agent.ran.len()), (Some(CommandStatus::Failed), 1));
    assert!(sim.results[&id(3)].error.as_deref().unwrap().contains("too old"));
}

#[test]
fn what_was_approved_starts_and_what_was_rejected_does_not() {
    let mut sim = awaiting();
    decide(&mut sim, 1, true);
    assert_eq!((status(&sim, 1), sim.agent.ran.len()), (Some(CommandStatus::Sent), 1));
    // Too late to change it.
    decide(&mut sim, 1, false);
    end_all(&mut sim);
    sim.settle();
    assert_eq!(status(&sim, 1), Some(CommandStatus::Completed));

    let mut sim = awaiting();
    decide(&mut sim, 1, false);
    assert_eq!(status(&sim, 1), Some(CommandStatus::Rejected));
    assert_eq!(sim.results[&id(1)].error.as_deref(), Some("not today"));
    decide(&mut sim, 1, true);
    assert!(sim.agent.ran.is_empty());
}

#[test]
fn an_approval_changes_nothing_of_what_is_blocked_by_then() {
    let mut sim = awaiting();
    sim.policies = blocking("1");
    decide(&mut sim, 1, true);
    assert_eq!(status(&sim, 1), Some(CommandStatus::Refused));
    assert!(sim.agent.ran.is_empty());
}

#[test]
fn nobody_approves_what_its_sender_may_no_longer_run() {
    let mut sim = awaiting();
    sim.may_run = |_| false;
    decide(&mut sim, 1, true);
    assert_eq!(status(&sim, 1), Some(CommandStatus::Cancelled));
    assert!(sim.agent.ran.is_empty());
}

#[test]
fn a_command_waits_a_day_for_its_approval_and_no_longer() {
    let mut sim = awaiting();
    let begun = sim.now;
    while status(&sim, 1) == Some(CommandStatus::AwaitingApproval) {
        sim.now = sim.relay.deadline().expect("something is due");
        assert!(sim.now - begun <= TOO_LATE, "it waits for ever");
        sim.relay.expire(sim.now, Some(sim.now));
        sim.perform();
        sim.answer_all();
    }
    assert_eq!(status(&sim, 1), Some(CommandStatus::Expired));
    assert!(sim.results[&id(1)].error.as_deref().unwrap().contains("approved"));
}

#[test]
fn what_waits_for_approval_is_in_nobodys_way() {
    let mut sim = awaiting();
    send(&mut sim, 2, false);
    sim.settle();
    assert_eq!(sim.agent.ran, ["2"]);
}

#[test]
fn what_is_called_off_waits_no_more() {
    let mut sim = awaiting();
    sim.relay.cancel_command(sim.now, &id(1));
    sim.perform();
    assert_eq!(status(&sim, 1), Some(CommandStatus::Cancelled));
    decide(&mut sim, 1, true);
    assert!(sim.agent.ran.is_empty());
}

proptest! {
    /// Cuts, losses of memory and decisions, in any order.
    #[test]
    fn what_needs_approval_starts_once_at_most_and_never_without(steps in proptest::collection::vec(0u8..6, 1..24)) {
        let mut sim = online();
        sim.policies = approving("1");
        send(&mut sim, 1, true);
        let mut approved = false;
        for step in steps {
            match step {
                0 => {
                    if let Some(socket) = sim.agent.socket {
                        sim.cut(socket);
                    }
                }
                1 => sim.agent_connects(),
                2 => sim.hibernate(),
                3 => sim.settle(),
                4 => {
                    approved |= status(&sim, 1) == Some(CommandStatus::AwaitingApproval);
                    let decided = DecideCommand {
                        command_id: id(1),
                        approval: Some("proof".to_owned()),
                        error: String::new(),
                    };
                    sim.relay.decide_command(sim.now, decided);
                    sim.perform();
                }
                _ => {
                    sim.relay.recheck(sim.now);
                    sim.perform();
                }
            }
            prop_assert!(sim.agent.ran.len() <= usize::from(approved));
        }
        sim.agent_connects();
        sim.settle();
        prop_assert_eq!(sim.agent.ran.len(), usize::from(approved));
    }
}
