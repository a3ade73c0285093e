//! What an idle machine costs its object, how fresh its figures are for those who read them, and when it counts as offline.
use protocol::api::health::{Health, Threshold, Thresholds};
use protocol::api::machines::Metrics;
use protocol::api::series::{Sample, Series};
use protocol::live::Topic;
use protocol::relay_contract::Interest;
use protocol::terminal::agent::{FromAgent, ToAgent};

use super::relay_sim::{RelaySim, Wire};
use crate::relay::{Action, Notice, Settings};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn connected() -> RelaySim {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    sim.settle();
    sim
}

fn memory(percent: f64) -> Metrics {
    Metrics {
        memory_percent: percent,
        ..Metrics::default()
    }
}

fn says(sim: &mut RelaySim, message: &FromAgent) {
    let text = serde_json::to_string(message).unwrap();
    sim.relay.text(sim.now, sim.agent.socket.unwrap(), &text);
    sim.perform();
}

fn heartbeat(sim: &mut RelaySim, percent: f64) {
    says(
        sim,
        &FromAgent::Heartbeat {
            metrics: memory(percent),
        },
    );
}

fn hour() -> FromAgent {
    FromAgent::History {
        metrics: memory(10.0),
        series: Series::new((0..60).rev().map(|minute| Sample::new(minute * 60, &memory(10.0)))),
    }
}

/// Somebody asks, while the platform last answered a keep-alive a moment ago; what the agent is told.
fn asks(sim: &mut RelaySim, interest: Interest) -> Vec<(u32, u32)> {
    let socket = sim.agent.socket.unwrap();
    sim.links.get_mut(&socket).unwrap().down.clear();
    sim.relay.status(sim.now, Some(sim.now), Some(interest));
    sim.perform();
    let watch = |wire: &Wire| match wire {
        Wire::Text(text) => match serde_json::from_str(text).unwrap() {
            ToAgent::Watch {
                every_seconds,
                for_seconds,
            } => Some((every_seconds, for_seconds)),
            _ => None,
        },
        _ => None,
    };
    sim.links[&socket].down.iter().filter_map(watch).collect()
}

fn offline(sim: &RelaySim) -> usize {
    let is_offline = |notice: &&Notice| matches!(notice, Notice::AgentOffline { .. });
    sim.notices.iter().filter(is_offline).count()
}

/// What the platform bills of an object.
#[derive(Debug, Default)]
struct Bill {
    /// Messages and alarms: each brings the object back into memory.
    wakes: usize,
    alarms: usize,
    /// Rows written, and one for each alarm that is set.
    rows: usize,
    directory: usize,
    alarm: Option<u64>,
}

impl Bill {
    /// The object has done what an event made it decide, and loses its memory.
    fn after_event(&mut self, sim: &mut RelaySim) {
        self.wakes += 1;
        for action in sim.relay.take_actions() {
            match action {
                Action::Save(_) | Action::Erase(_) | Action::Keep(..) => self.rows += 1,
                // Put down until the directory has it, and removed then.
                Action::Notify(_) => self.rows += 2,
                Action::Tell(_) => self.directory += 1,
                Action::Remember(socket) => {
                    let memory = sim.relay.memory_of(socket).unwrap();
                    sim.memories.insert(socket, memory);
                }
                Action::Text(..) => {}
                other => panic!("{other:?}"),
            }
        }
        let wanted = sim.relay.deadline().unwrap();
        if self.alarm.is_none_or(|set| set > wanted) {
            self.alarm = Some(wanted);
            self.rows += 1;
        }
        sim.hibernate();
    }
}

#[test]
fn an_idle_machine_costs_two_wakes_an_alarm_and_a_row_an_hour() {
    const HOURS: u64 = 240;
    let mut sim = connected();
    let hour = serde_json::to_string(&hour()).unwrap();
    let mut bill = Bill::default();
    bill.after_event(&mut sim);
    let mut bill = Bill {
        alarm: bill.alarm,
        ..Bill::default()
    };
    // The agent's hours are not the alarm's.
    let mut next_history = sim.now + 17 * MINUTE;
    let end = sim.now + HOURS * HOUR;
    loop {
        let alarm = bill.alarm.unwrap();
        sim.now = alarm.min(next_history);
        if sim.now > end {
            break;
        }
        if alarm <= next_history {
            bill.alarms += 1;
            bill.alarm = None;
            sim.relay.expire(sim.now, Some(sim.now - 15_000));
        } else {
            next_history += HOUR;
            sim.relay.text(sim.now, sim.agent.socket.unwrap(), &hour);
        }
        bill.after_event(&mut sim);
    }
    let hours = HOURS as usize;
    assert!(bill.alarms <= hours && bill.wakes <= 2 * hours, "{bill:?}");
    assert!(bill.rows <= hours, "{bill:?}");
    assert!((hours - 1..=hours).contains(&bill.directory), "{bill:?}");
    assert!(sim.relay.agent_socket().is_some());
}

#[test]
fn a_machine_that_falls_silent_while_nobody_looks_is_gone_within_the_hour() {
    let mut sim = connected();
    let seen = sim.now + 5 * MINUTE;
    sim.now = sim.relay.deadline().unwrap();
    assert_eq!(sim.now, HOUR);
    sim.relay.expire(sim.now, Some(seen));
    sim.perform();
    assert_eq!((offline(&sim), sim.relay.agent_socket()), (1, None));
}

#[test]
fn whoever_asks_learns_that_a_machine_has_been_silent_for_two_minutes() {
    let patience = Settings::default().offline_after;
    for (silent, is_there) in [(patience - 1, true), (patience, false)] {
        let mut sim = connected();
        sim.now += 10 * MINUTE;
        let status = sim.relay.status(sim.now, Some(sim.now - silent), None);
        sim.perform();
        assert_eq!((status.connected, offline(&sim)), (is_there, usize::from(!is_there)));
    }
}

#[test]
fn a_viewer_is_told_of_a_silent_machine_after_two_minutes() {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    assert!(sim.relay.deadline().unwrap() <= sim.now + Settings::default().offline_after);
}

#[test]
fn an_agent_is_told_to_measure_when_somebody_looks_and_again_before_that_is_over() {
    let mut sim = connected();
    assert_eq!(asks(&mut sim, Interest::Reader), [(30, 900)]);
    assert!(asks(&mut sim, Interest::Reader).is_empty(), "it does");
    assert_eq!(asks(&mut sim, Interest::Page), [(3, 30)]);
    sim.now += 10_000;
    assert!(asks(&mut sim, Interest::Page).is_empty());
    sim.hibernate();
    sim.now += 10_000;
    assert_eq!(asks(&mut sim, Interest::Page), [(3, 30)]);
    assert!(asks(&mut sim, Interest::Reader).is_empty());
    sim.now += 8 * MINUTE;
    assert_eq!(asks(&mut sim, Interest::Reader), [(30, 900)]);
}

#[test]
fn those_who_look_are_told_of_figures_and_nobody_else() {
    let mut sim = connected();
    let announced = |sim: &mut RelaySim, seconds: u64| {
        sim.now += seconds * 1000;
        sim.announced.clear();
        heartbeat(sim, 10.0);
        sim.announced.clone()
    };
    assert_eq!(announced(&mut sim, 60), []);
    asks(&mut sim, Interest::Reader);
    assert_eq!(announced(&mut sim, 30), [], "lists have them when the directory does");
    assert_eq!(announced(&mut sim, 30), [Topic::Machines]);
    asks(&mut sim, Interest::Page);
    assert_eq!(announced(&mut sim, 3), [Topic::Figures]);
    assert_eq!(announced(&mut sim, 20 * 60), [], "nobody looks any more");
}

#[test]
fn the_directory_hears_of_figures_once_a_minute_and_at_once_when_a_threshold_is_crossed() {
    let mut sim = connected();
    let told = |sim: &mut RelaySim, seconds: u64, percent: f64| {
        sim.now += seconds * 1000;
        let before = sim.figures.len();
        heartbeat(sim, percent);
        sim.figures.len() - before
    };
    let steps = [
        (1, 10.0, 1),
        (3, 11.0, 0),
        (30, 12.0, 0),
        (30, 12.0, 1),
        (3, 86.0, 1),
        (3, 87.0, 0),
        (3, 20.0, 1),
    ];
    for (seconds, percent, expected) in steps {
        assert_eq!(
            told(&mut sim, seconds, percent),
            expected,
            "after {seconds} s, {percent} %"
        );
    }
    let status = sim.relay.status(sim.now, Some(sim.now), None);
    assert_eq!(
        (status.metrics, status.metrics_at_ms),
        (Some(memory(20.0)), Some(sim.now))
    );
}

#[test]
fn figures_are_judged_by_the_machines_own_thresholds() {
    let mut sim = connected();
    let low = Threshold {
        warning: 5,
        critical: 50,
    };
    let thresholds = Thresholds {
        memory: low,
        ..Thresholds::default()
    };
    sim.now += 1000;
    heartbeat(&mut sim, 10.0);
    assert_eq!(sim.relay.status(sim.now, None, None).health, Health::Healthy);
    let socket = sim.agent.socket.unwrap();
    sim.links.get_mut(&socket).unwrap().down.clear();
    sim.relay.judge_by(thresholds);
    sim.perform();
    let told = ToAgent::Thresholds { thresholds };
    let down = &sim.links[&socket].down;
    assert!(matches!(&down[0], Wire::Text(text) if serde_json::from_str::<ToAgent>(text).unwrap() == told));
    assert_eq!(sim.relay.status(sim.now, None, None).health, Health::Warning, "at once");
    assert_eq!(sim.figures.last().unwrap().health, Some(Health::Warning));
    sim.hibernate();
    sim.now += 1000;
    heartbeat(&mut sim, 10.0);
    assert_eq!(sim.relay.status(sim.now, None, None).health, Health::Warning);
}

#[test]
fn an_agent_that_is_there_is_told_to_replace_its_key() {
    let mut sim = connected();
    let socket = sim.agent.socket.unwrap();
    sim.links.get_mut(&socket).unwrap().down.clear();
    assert!(sim.relay.rotate_key("c".to_owned()));
    sim.perform();
    let told = ToAgent::RotateKey {
        challenge: "c".to_owned(),
    };
    let down = &sim.links[&socket].down;
    assert!(matches!(&down[0], Wire::Text(text) if serde_json::from_str::<ToAgent>(text).unwrap() == told));
    sim.agent_dies();
    assert!(!sim.relay.rotate_key("d".to_owned()), "nobody is there");
}

#[test]
fn what_the_directory_did_not_hear_is_told_with_the_next_figures() {
    let mut sim = connected();
    let heard = |sim: &mut RelaySim, percent: f64| {
        sim.now += 3000;
        let before = sim.figures.len();
        heartbeat(sim, percent);
        sim.figures[before..]
            .iter()
            .map(|figures| figures.health)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        heard(&mut sim, 10.0),
        [Some(Health::Healthy)],
        "nobody knows what it was before"
    );
    assert!(heard(&mut sim, 10.0).is_empty());
    assert_eq!(heard(&mut sim, 99.0), [Some(Health::Critical)]);
    sim.relay.untold();
    sim.perform();
    assert_eq!(heard(&mut sim, 99.0), [Some(Health::Critical)]);
    assert!(heard(&mut sim, 99.0).is_empty());
}

#[test]
fn histories_that_come_one_after_another_are_not_all_kept() {
    let mut sim = connected();
    for _ in 0..10 {
        sim.now += 10_000;
        says(&mut sim, &hour());
    }
    let kept = sim.figures.iter().filter(|figures| figures.history.is_some()).count();
    assert_eq!(kept, 4);
}

#[test]
fn an_agent_of_before_says_how_it_does_as_often_as_it_is_told_at_first() {
    let mut sim = RelaySim::new(0);
    sim.agent.pulled = false;
    sim.agent_connects();
    sim.settle();
    assert!(asks(&mut sim, Interest::Reader).is_empty());
    assert!(asks(&mut sim, Interest::Page).is_empty());
    sim.now += MINUTE;
    heartbeat(&mut sim, 10.0);
    assert_eq!(sim.figures.len(), 1);
}
