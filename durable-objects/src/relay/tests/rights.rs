//! Nobody is let in, and no shell starts, by a right that is gone.
use protocol::relay_contract::Dialect;
use protocol::terminal::viewer::ToViewer;

use super::relay_sim::RelaySim;
use super::rules::{connect, heard, published};
use crate::relay::{Claimant, Notice, Socket};

/// One agent, and a viewer that has said hello: the directory has been asked and has not answered.
fn knocking() -> RelaySim {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    sim.settle();
    sim.viewer_connects(0);
    sim.deliver_up(socket(&sim));
    assert_eq!(sim.questions.len(), 1);
    sim
}

fn attached() -> RelaySim {
    let mut sim = knocking();
    sim.settle();
    assert_eq!(sim.agent.shells.len(), 1);
    sim
}

fn socket(sim: &RelaySim) -> Socket {
    sim.viewers[0].socket.unwrap()
}

fn code(sim: &RelaySim) -> Option<&str> {
    match sim.viewers[0].said.last() {
        Some(ToViewer::Disconnect { code, .. }) => Some(code),
        _ => None,
    }
}

fn closed(sim: &RelaySim) -> Vec<(&str, u32)> {
    let closed = |notice| match notice {
        &Notice::SessionClosed {
            ref reason, opening, ..
        } => Some((reason.as_str(), opening)),
        _ => None,
    };
    sim.notices.iter().filter_map(closed).collect()
}

#[test]
fn a_shell_starts_when_the_right_was_looked_at_again_and_not_before() {
    let mut sim = knocking();
    assert!(sim.agent.shells.is_empty());
    sim.settle();
    assert_eq!(sim.agent.shells.len(), 1);
}

#[test]
fn a_right_that_went_between_the_upgrade_and_the_hello_starts_no_shell() {
    let mut sim = knocking();
    sim.holds = |_| false;
    sim.settle();
    assert!(sim.agent.shells.is_empty());
    assert_eq!(code(&sim), Some("access_revoked"));
    assert_eq!(closed(&sim), [("never_started", 1)]);
}

#[test]
fn whoever_is_on_the_way_to_a_session_that_is_ended_does_not_arrive() {
    let mut sim = knocking();
    assert!(!sim.relay.close_session(sim.now, &"sess_1".parse().unwrap()));
    sim.perform();
    // The answer was read before the session was ended.
    sim.settle();
    assert!(sim.agent.shells.is_empty());
    assert_eq!(code(&sim), Some("session_terminated"));
}

#[test]
fn an_answer_from_before_a_withdrawal_is_asked_for_again() {
    let mut sim = knocking();
    sim.relay.recheck(sim.now);
    sim.perform();
    assert!(sim.answer(), "what it said was true when it was read");
    assert!(sim.agent.shells.is_empty());
    sim.holds = |claim| !matches!(claim.claimant, Claimant::Newcomer(_));
    sim.settle();
    assert!(sim.agent.shells.is_empty());
    assert_eq!(code(&sim), Some("access_revoked"));
}

#[test]
fn a_session_whose_right_is_withdrawn_ends_with_its_shell() {
    let mut sim = attached();
    sim.holds = |claim| !matches!(claim.claimant, Claimant::Session(_));
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.settle();
    assert_eq!(code(&sim), Some("access_revoked"));
    assert!(sim.agent.shells.is_empty());
    assert_eq!(closed(&sim), [("access_revoked", 1)]);
}

#[test]
fn viewers_of_a_withdrawn_sign_in_are_disconnected_and_their_shell_stays() {
    let mut sim = attached();
    sim.holds = |claim| claim.proof.is_none();
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.settle();
    assert_eq!(code(&sim), Some("access_revoked"));
    assert_eq!(sim.agent.shells.len(), 1);
    assert!(closed(&sim).is_empty());
}

#[test]
fn an_agent_whose_key_is_no_longer_the_machines_is_cut_off() {
    let mut sim = attached();
    sim.agent_holds = false;
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.settle();
    assert!(sim.agent.socket.is_none());
}

#[test]
fn nobody_is_let_in_while_nothing_can_be_looked_at_and_nobody_is_thrown_out() {
    let mut sim = attached();
    let late = connect(&mut sim, Dialect::Published, |context| {
        context.session = "sess_2".parse().unwrap()
    });
    heard(&mut sim, late);
    let before = sim.agent.shells.len();
    sim.relay.recheck(sim.now);
    sim.perform();
    while let Some(question) = sim.questions.pop_front() {
        sim.relay.judged(sim.now, question, None);
    }
    sim.perform();
    sim.settle();
    assert_eq!(sim.agent.shells.len(), before.max(2));
    assert!(code(&sim).is_none());
}

#[test]
fn an_upgrade_without_a_hello_leaves_no_session_listed() {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    sim.settle();
    sim.viewer_connects(0);
    let silent = socket(&sim);
    sim.links.get_mut(&silent).unwrap().up.clear();
    sim.now += 6_000;
    sim.relay.expire(sim.now, Some(sim.now));
    sim.perform();
    assert_eq!(closed(&sim), [("never_started", 1)]);
}

#[test]
fn what_there_is_is_compared_with_what_is_listed_while_there_are_sessions() {
    let mut sim = attached();
    let mut compared = 0;
    for _ in 0..20 {
        sim.now = sim.relay.deadline().unwrap().max(sim.now);
        sim.relay.expire(sim.now, Some(sim.now));
        sim.perform();
        sim.settle();
        compared = sim
            .notices
            .iter()
            .filter(|notice| matches!(notice, Notice::Known { sessions, .. } if sessions.len() == 1))
            .count();
        if compared > 0 {
            break;
        }
    }
    assert!(compared > 0);
    // It survives a loss of memory, and costs an idle machine nothing.
    sim.hibernate();
    assert!(sim.relay.deadline().is_some());
    sim.relay.close_session(sim.now, &"sess_1".parse().unwrap());
    sim.perform();
    sim.settle();
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.settle();
    assert_eq!(
        sim.storage
            .values()
            .filter(|record| matches!(record, crate::relay::Record::Machine(machine) if machine.recheck_at.is_some()))
            .count(),
        0
    );
}

#[test]
fn frames_that_make_no_sense_are_answered_a_hundred_times_in_a_row_and_no_more() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    sim.settle();
    let client = connect(&mut sim, Dialect::Published, |_| {});
    sim.settle();
    heard(&mut sim, client);
    let nonsense = r#"{"type":"resize","cols":0,"rows":0}"#;
    for _ in 0..100 {
        sim.relay.text(sim.now, client, nonsense);
    }
    sim.relay
        .text(sim.now, client, r#"{"type":"resize","cols":90,"rows":20}"#);
    for _ in 0..200 {
        sim.relay.text(sim.now, client, nonsense);
    }
    sim.perform();
    let answers = published(&heard(&mut sim, client));
    assert_eq!(answers.len(), 100 + 100 + 1, "and a goodbye");
}

#[test]
fn a_terminal_that_was_opened_with_a_key_ends_when_the_key_expires() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    sim.settle();
    let client = connect(&mut sim, Dialect::Published, |context| {
        context.proof.until = Some(90_000)
    });
    sim.settle();
    heard(&mut sim, client);
    for (now, answers) in [(89_999, 0), (90_000, 1)] {
        sim.now = now;
        sim.relay.expire(now, Some(now));
        sim.perform();
        assert_eq!(published(&heard(&mut sim, client)).len(), answers, "at {now}");
    }
    assert_eq!(sim.agent.shells.len(), 1, "the shell waits for its owner");
}

#[test]
fn a_relay_to_which_nobody_came_has_nothing_to_ask_about() {
    let mut sim = RelaySim::new(0);
    sim.relay.recheck(sim.now);
    sim.perform();
    assert!(sim.questions.is_empty());
}
