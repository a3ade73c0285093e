//! Commands that were sent through the API: each starts once at most and ends once, whatever is cut, lost or forgotten meanwhile.
use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::api::commands::{CommandResult, CommandStatus};
use protocol::ids::CommandId;
use protocol::limits::{MAX_COMMANDS, MAX_WAITING_COMMANDS};
use protocol::relay_contract::{CommandAnswer, RunCommand};
use protocol::terminal::limits::SessionLimits;

use super::relay_sim::{Noted, RelaySim, agent_id, object_id};
use crate::relay::{Notice, Settings};

/// A day, and a moment more.
const TOO_LATE: u64 = 24 * 3600 * 1000 + 1;

pub fn id(n: usize) -> CommandId {
    format!("cmd_{n:024x}").parse().unwrap()
}

/// Sends the `n`th command, which is its own text. The answer, if there is one, is that it was not taken.
pub fn send(sim: &mut RelaySim, n: usize, when_online: bool) -> Option<CommandAnswer> {
    let refused = sim.relay.run_command(
        sim.now,
        RunCommand {
            machine: object_id(1),
            agent_id: agent_id(),
            command_id: id(n),
            user: object_id(2),
            username: "ada".to_owned(),
            command: n.to_string(),
            timeout_seconds: 300,
            allow_sudo: false,
            script: false,
            when_online,
            wait: false,
            limits: SessionLimits::default(),
        },
    );
    sim.perform();
    refused
}

pub fn online() -> RelaySim {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    sim.settle();
    sim
}

fn cancel(sim: &mut RelaySim, n: usize) {
    sim.relay.cancel_command(sim.now, &id(n));
    sim.perform();
}

fn cut_agent(sim: &mut RelaySim) {
    if let Some(socket) = sim.agent.socket {
        sim.cut(socket);
    }
}

pub fn end_all(sim: &mut RelaySim) {
    for stream in sim.agent.commands.keys().copied().collect::<Vec<_>>() {
        sim.command_ends(stream);
    }
}

fn expire(sim: &mut RelaySim) {
    // The agent is alive, whatever time it is.
    sim.relay.expire(sim.now, Some(sim.now));
    sim.perform();
}

fn result(sim: &RelaySim, n: usize) -> &CommandResult {
    &sim.results[&id(n)]
}

fn status(sim: &RelaySim, n: usize) -> CommandStatus {
    sim.results
        .get(&id(n))
        .map(|result| result.status)
        .or_else(|| sim.relay.command_status(&id(n)))
        .expect("it is known")
}

/// What the directory was told of the `n`th command, in order.
fn told(sim: &RelaySim, n: usize) -> Vec<CommandStatus> {
    let of = |notice: &Notice| match notice {
        Notice::CommandSent { command_id, .. } if *command_id == id(n) => Some(CommandStatus::Sent),
        Notice::CommandEnded { command_id, status, .. } if *command_id == id(n) => Some(*status),
        _ => None,
    };
    sim.notices.iter().filter_map(of).collect()
}

#[test]
fn a_command_runs_once_its_right_was_looked_at_and_its_result_is_kept() {
    let mut sim = online();
    assert_eq!(send(&mut sim, 1, false), None);
    assert_eq!(status(&sim, 1), CommandStatus::Queued);
    assert!(sim.agent.ran.is_empty());
    sim.settle();
    assert_eq!((sim.agent.ran.len(), status(&sim, 1)), (1, CommandStatus::Sent));
    end_all(&mut sim);
    sim.settle();
    let result = result(&sim, 1);
    assert_eq!((result.status, result.exit_code), (CommandStatus::Completed, Some(0)));
    assert!(result.stdout.starts_with("output of "));
    assert_eq!(told(&sim, 1), [CommandStatus::Sent, CommandStatus::Completed]);
    assert!(sim.agent.commands.is_empty(), "the agent may forget it");
    assert_eq!(sim.storage.len(), 1, "so does the relay: {:?}", sim.storage);
}

#[test]
fn a_command_for_a_machine_that_is_offline_is_refused_or_waits_as_its_sender_wants() {
    let mut sim = RelaySim::new(0);
    assert_eq!(send(&mut sim, 1, false), Some(CommandAnswer::Offline));
    assert_eq!(send(&mut sim, 2, true), None);
    sim.settle();
    assert_eq!(
        (status(&sim, 2), sim.relay.command_status(&id(1))),
        (CommandStatus::Queued, None)
    );
    sim.agent_connects();
    sim.settle();
    assert_eq!(sim.agent.ran, ["2"]);
}

#[test]
fn a_command_that_waited_a_day_will_never_start() {
    let mut sim = RelaySim::new(0);
    send(&mut sim, 1, true);
    while status(&sim, 1) == CommandStatus::Queued {
        sim.now = sim.relay.deadline().expect("something is due");
        assert!(sim.now <= TOO_LATE, "it waits for ever");
        expire(&mut sim);
        sim.answer_all();
    }
    assert!(sim.now + 1 == TOO_LATE);
    assert_eq!(status(&sim, 1), CommandStatus::Expired);
    sim.agent_connects();
    sim.settle();
    assert!(sim.agent.ran.is_empty());
    assert_eq!(told(&sim, 1), [CommandStatus::Expired]);
}

#[test]
fn a_command_that_waits_is_called_off_and_one_that_runs_is_killed_also_when_its_machine_is_away() {
    let mut sim = RelaySim::new(0);
    send(&mut sim, 1, true);
    cancel(&mut sim, 1);
    assert_eq!(status(&sim, 1), CommandStatus::Cancelled);
    for away in [false, true] {
        let mut sim = online();
        send(&mut sim, 2, false);
        sim.settle();
        if away {
            cut_agent(&mut sim);
        }
        cancel(&mut sim, 2);
        if away {
            assert_eq!(
                status(&sim, 2),
                CommandStatus::Sent,
                "it runs on, as far as anybody knows"
            );
            sim.agent_connects();
        }
        sim.settle();
        assert_eq!(status(&sim, 2), CommandStatus::Cancelled);
        assert_eq!(sim.agent.ran, ["2"]);
    }
}

#[test]
fn a_command_that_ended_before_it_could_be_killed_has_ended_by_itself() {
    let mut sim = online();
    send(&mut sim, 1, false);
    sim.settle();
    end_all(&mut sim);
    cancel(&mut sim, 1);
    sim.settle();
    assert_eq!(status(&sim, 1), CommandStatus::Completed);
}

#[test]
fn a_right_that_was_withdrawn_keeps_a_command_from_starting_and_ends_one_that_runs() {
    let mut sim = RelaySim::new(0);
    send(&mut sim, 1, true);
    sim.may_run = |_| false;
    sim.agent_connects();
    sim.settle();
    assert_eq!(status(&sim, 1), CommandStatus::Cancelled);
    assert!(sim.agent.ran.is_empty());

    let mut sim = online();
    send(&mut sim, 2, false);
    sim.settle();
    sim.may_run = |_| false;
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.settle();
    assert_eq!(status(&sim, 2), CommandStatus::Cancelled);
    assert!(result(&sim, 2).error.as_deref().unwrap().contains("withdrawn"));

    // One that waits ends before its machine is back.
    let mut sim = RelaySim::new(0);
    send(&mut sim, 3, true);
    sim.may_run = |_| false;
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.answer_all();
    assert_eq!(status(&sim, 3), CommandStatus::Cancelled);
}

#[test]
fn an_answer_from_before_something_was_withdrawn_starts_nothing() {
    let mut sim = online();
    send(&mut sim, 1, false);
    let question = sim.questions.pop_front().expect("it was asked");
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.may_run = |_| false;
    let verdict = crate::relay::Verdict {
        claims: vec![],
        commands: vec![true],
        agent: true,
        policies: None,
    };
    sim.relay.judged(sim.now, question, Some(verdict));
    sim.perform();
    sim.settle();
    assert!(sim.agent.ran.is_empty());
    assert_eq!(status(&sim, 1), CommandStatus::Cancelled);
}

#[test]
fn while_rights_cannot_be_looked_at_nothing_starts_and_what_waits_for_its_machine_waits_on() {
    let mut sim = online();
    send(&mut sim, 1, false);
    send(&mut sim, 2, true);
    while let Some(question) = sim.questions.pop_front() {
        sim.relay.judged(sim.now, question, None);
        sim.perform();
    }
    assert_eq!(
        (status(&sim, 1), status(&sim, 2)),
        (CommandStatus::Failed, CommandStatus::Queued)
    );
    assert!(sim.agent.ran.is_empty());
    sim.now = sim.relay.deadline().expect("it is asked again");
    assert!(sim.now <= 60_000);
    expire(&mut sim);
    sim.settle();
    assert_eq!(sim.agent.ran, ["2"]);
}

#[test]
fn an_order_that_was_lost_on_its_way_is_given_again_only_if_the_command_waits_for_its_machine() {
    let mut sim = online();
    for (n, when_online) in [(1, false), (2, true)] {
        send(&mut sim, n, when_online);
    }
    sim.answer_all();
    assert_eq!(
        (status(&sim, 1), status(&sim, 2)),
        (CommandStatus::Sent, CommandStatus::Sent)
    );
    cut_agent(&mut sim);
    sim.agent_connects();
    sim.settle();
    assert_eq!(
        (status(&sim, 1), status(&sim, 2)),
        (CommandStatus::Failed, CommandStatus::Sent)
    );
    assert_eq!(sim.agent.ran, ["2"]);
}

#[test]
fn a_command_that_ran_when_the_agent_died_is_unknown_and_does_not_run_again() {
    let mut sim = online();
    send(&mut sim, 1, true);
    sim.settle();
    sim.agent_dies();
    sim.agent_connects();
    sim.settle();
    assert_eq!(status(&sim, 1), CommandStatus::Unknown);
    assert_eq!(sim.agent.ran, ["1"]);
}

#[test]
fn a_machine_that_has_lost_its_notes_runs_nothing_again() {
    let mut sim = online();
    send(&mut sim, 1, true);
    sim.settle();
    sim.agent_dies();
    sim.agent.commands.clear();
    sim.agent.journal += 1;
    sim.agent_connects();
    sim.settle();
    assert_eq!(status(&sim, 1), CommandStatus::Unknown);
    assert_eq!(sim.agent.ran, ["1"]);
}

#[test]
fn no_more_run_at_once_than_the_bound_and_the_others_follow() {
    let mut sim = online();
    for n in 0..MAX_COMMANDS + 3 {
        assert_eq!(send(&mut sim, n, true), None);
    }
    sim.settle();
    assert_eq!(sim.agent.ran.len(), MAX_COMMANDS);
    let refused = CommandAnswer::Busy { limit: MAX_COMMANDS };
    assert_eq!(send(&mut sim, 99, false), Some(refused));
    end_all(&mut sim);
    sim.settle();
    assert_eq!(sim.agent.ran.len(), MAX_COMMANDS + 3);

    let mut sim = RelaySim::new(0);
    for n in 0..MAX_WAITING_COMMANDS {
        assert_eq!(send(&mut sim, n, true), None);
    }
    let refused = CommandAnswer::Busy {
        limit: MAX_WAITING_COMMANDS,
    };
    assert_eq!(send(&mut sim, 99, true), Some(refused));
}

#[test]
fn a_machine_that_is_deleted_forgets_its_commands() {
    let mut sim = online();
    send(&mut sim, 1, false);
    sim.settle();
    sim.relay.destroy(sim.now);
    sim.perform();
    assert!(sim.storage.is_empty());
    assert_eq!(sim.relay.command_status(&id(1)), None);
}

#[derive(Debug, Clone)]
enum Step {
    Send {
        when_online: bool,
    },
    /// The same once more, as by a Worker that did not hear the answer.
    Repeat,
    Cancel(usize),
    End(usize),
    Up,
    Down,
    Answer,
    /// Whether rights may be looked at, for questions from now on.
    Withdraw(bool),
    ConnectAgent,
    CutAgent,
    AgentDies,
    JournalIsLost,
    Hibernate,
    Crash,
    /// Until something is due.
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(|when_online| Step::Send { when_online }),
        1 => Just(Step::Repeat),
        1 => (0usize..4).prop_map(Step::Cancel),
        4 => (0usize..MAX_COMMANDS).prop_map(Step::End),
        8 => Just(Step::Up),
        8 => Just(Step::Down),
        6 => Just(Step::Answer),
        1 => any::<bool>().prop_map(Step::Withdraw),
        3 => Just(Step::ConnectAgent),
        1 => Just(Step::CutAgent),
        1 => Just(Step::AgentDies),
        1 => Just(Step::JournalIsLost),
        1 => Just(Step::Hibernate),
        2 => Just(Step::Crash),
        1 => Just(Step::Wait),
    ]
}

fn take(sim: &mut RelaySim, step: Step, accepted: &mut Vec<usize>) {
    match step {
        Step::Send { when_online } => {
            let n = accepted.len();
            if send(sim, n, when_online).is_none() {
                accepted.push(n);
            }
        }
        Step::Repeat => {
            // The Worker repeats only what it has no answer of, which has not ended.
            if let Some(n) = accepted.last().copied().filter(|n| !sim.results.contains_key(&id(*n))) {
                assert_eq!(send(sim, n, true), None);
            }
        }
        Step::Cancel(back) => {
            if let Some(n) = accepted.len().checked_sub(back + 1) {
                cancel(sim, n);
            }
        }
        Step::End(nth) => {
            if let Some(stream) = sim.agent.commands.keys().nth(nth).copied() {
                sim.command_ends(stream);
            }
        }
        Step::Up => drop(sim.agent.socket.map(|agent| sim.deliver_up(agent))),
        Step::Down => drop(sim.agent.socket.map(|agent| sim.deliver_down(agent))),
        Step::Answer => drop(sim.answer()),
        Step::Withdraw(withdrawn) => {
            sim.may_run = if withdrawn { |_| false } else { |_| true };
            sim.relay.recheck(sim.now);
            sim.perform();
        }
        Step::ConnectAgent => sim.agent_connects(),
        Step::CutAgent => cut_agent(sim),
        Step::AgentDies => sim.agent_dies(),
        Step::JournalIsLost => {
            sim.agent_dies();
            sim.agent.commands.clear();
            sim.agent.journal += 1;
        }
        Step::Hibernate => sim.hibernate(),
        Step::Crash => sim.crash(),
        Step::Wait => {
            if let Some(due) = sim.relay.deadline() {
                sim.now = sim.now.max(due);
                expire(sim);
            }
        }
    }
}

#[test]
fn a_command_that_was_asked_about_twice_is_told_again_when_its_agent_never_had_it() {
    let mut sim = RelaySim::new(0);
    let mut accepted = Vec::new();
    // The first answer has it told on a link that is replaced; the second comes while the agent is asked what became of it.
    for step in [
        Step::Send { when_online: true },
        Step::ConnectAgent,
        Step::Up,
        Step::Wait,
        Step::Answer,
        Step::ConnectAgent,
        Step::Up,
    ] {
        sim.now += 7;
        take(&mut sim, step, &mut accepted);
    }
    sim.settle();
    end_all(&mut sim);
    sim.settle();
    assert_eq!(status(&sim, 0), CommandStatus::Completed);
    assert_eq!(sim.agent.ran, ["0"]);
}

proptest! {
    #[test]
    fn each_command_starts_once_at_most_and_ends_once(steps in proptest::collection::vec(step(), 1..120)) {
        let mut sim = RelaySim::new(0);
        let mut accepted = Vec::new();
        for step in steps {
            sim.now += 7;
            take(&mut sim, step, &mut accepted);
        }
        // The machine comes back and stays; all that runs ends; all that waits for an answer gets one.
        for _ in 0..3 {
            if sim.agent.socket.is_none() {
                sim.agent_connects();
            }
            sim.settle();
            while sim.agent.commands.values().any(|noted| *noted == Noted::Running) {
                end_all(&mut sim);
                sim.settle();
            }
            sim.now += Settings::default().offline_after / 4;
            expire(&mut sim);
        }
        let ran: BTreeSet<_> = sim.agent.ran.iter().cloned().collect();
        prop_assert_eq!(ran.len(), sim.agent.ran.len(), "a command ran twice");
        for n in accepted {
            let Some(result) = sim.results.get(&id(n)) else {
                return Err(TestCaseError::fail(format!("{n} has not ended: {:?}", sim.relay.command_status(&id(n)))));
            };
            let ran = ran.contains(&n.to_string());
            match result.status {
                CommandStatus::Completed => prop_assert!(ran && result.stdout.starts_with("output of ")),
                // It did not run, and nobody is told otherwise.
                CommandStatus::Failed | CommandStatus::Expired => prop_assert!(!ran, "{n}: {:?}", result),
                CommandStatus::Unknown | CommandStatus::Cancelled => {}
                other => prop_assert!(false, "{n} ended as {other:?}"),
            }
            let told = told(&sim, n);
            let ends = told.iter().filter(|status| status.is_final()).count();
            prop_assert_eq!((ends, told.last()), (1, Some(&result.status)));
        }
        prop_assert!(sim.agent.commands.is_empty(), "{:?}", sim.agent.commands);
        prop_assert!(sim.storage.len() <= 1, "{:?}", sim.storage);
    }
}
