//! Services that runners tell of.
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::services::{CatalogPart, MAX_SERVICES, Service};

use super::relay_sim::{RelaySim, Wire};
use super::rules::heard;
use crate::relay::{Action, Catalog, Notice};

pub fn online(services: bool) -> RelaySim {
    let mut sim = RelaySim::new(0);
    sim.agent.services = services;
    sim.agent_connects();
    sim.settle();
    sim
}

fn service(name: &str) -> Service {
    Service {
        name: name.to_owned(),
        deployable: true,
        deployed: false,
        hosts: Vec::new(),
        scripts: Vec::new(),
        configs: Vec::new(),
        instance: None,
        instance_error: None,
        outputs: Vec::new(),
        asks: Vec::new(),
        problems: Vec::new(),
    }
}

fn part(number: u64, part: u32, last: bool, names: &[&str]) -> CatalogPart {
    CatalogPart {
        number,
        part,
        last,
        left_out: 2,
        services: names.iter().map(|name| service(name)).collect(),
    }
}

/// What is to be stored once the agent has said this.
fn told(sim: &mut RelaySim, part: CatalogPart) -> Option<Catalog> {
    let socket = sim.agent.socket.unwrap();
    let message = serde_json::to_string(&FromAgent::Catalog { part }).unwrap();
    sim.relay.text(sim.now, socket, &message);
    let mut catalogs = sim.relay.take_actions().into_iter().filter_map(|action| match action {
        Action::Catalog(catalog) => Some(catalog),
        Action::Close(..) => panic!("its link is cut"),
        _ => None,
    });
    catalogs.next()
}

fn names(catalog: &Catalog) -> Vec<&str> {
    catalog.services.iter().map(|service| service.name.as_str()).collect()
}

/// Whether the directory was told last that it is a runner.
fn is_runner(sim: &RelaySim) -> bool {
    let mut said = sim.notices.iter().rev().filter_map(|notice| match notice {
        Notice::AgentOnline { runner, .. } => Some(*runner),
        _ => None,
    });
    said.next().unwrap()
}

#[test]
fn an_agent_that_offers_services_is_asked_for_them_and_another_is_not() {
    let mut sim = online(true);
    assert!(sim.agent.tells_services && is_runner(&sim));
    assert_eq!(told(&mut sim, part(1, 0, false, &["a", "b"])), None);
    let catalog = told(&mut sim, part(1, 1, true, &["c"])).unwrap();
    assert_eq!(
        (names(&catalog), catalog.left_out, catalog.number),
        (vec!["a", "b", "c"], 2, 1)
    );

    // Its configuration names no directory any more.
    sim.agent.services = false;
    sim.agent_connects();
    sim.settle();
    assert!(!sim.agent.tells_services && !is_runner(&sim));
    let socket = sim.agent.socket.unwrap();
    let message = FromAgent::Catalog {
        part: part(2, 0, true, &["a"]),
    };
    sim.relay
        .text(sim.now, socket, &serde_json::to_string(&message).unwrap());
    let actions = sim.relay.take_actions();
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::Close(closed, _) if *closed == socket))
    );
    assert!(!actions.iter().any(|action| matches!(action, Action::Catalog(_))));
}

#[test]
fn a_catalog_with_a_gap_or_with_what_may_not_be_told_is_dropped_and_the_next_is_taken() {
    let mut sim = online(true);
    told(&mut sim, part(1, 0, false, &["a"]));
    assert_eq!(told(&mut sim, part(1, 2, true, &["b"])), None, "a part is missing");
    told(&mut sim, part(2, 0, false, &["a"]));
    assert_eq!(told(&mut sim, part(3, 1, true, &["b"])), None, "it is another's");
    assert_eq!(told(&mut sim, part(4, 0, true, &["../a"])), None);
    let many: Vec<String> = (0..=MAX_SERVICES).map(|n| format!("s{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (fits, rest) = many.split_at(MAX_SERVICES);
    told(&mut sim, part(5, 0, false, fits));
    assert_eq!(told(&mut sim, part(5, 1, true, rest)), None, "they are too many");
    // What was begun goes with the link.
    told(&mut sim, part(6, 0, false, &["a"]));
    sim.agent_connects();
    sim.settle();
    assert_eq!(told(&mut sim, part(6, 1, true, &["b"])), None);
    assert_eq!(
        names(&told(&mut sim, part(7, 0, true, &[])).unwrap()),
        Vec::<&str>::new()
    );
}

#[test]
fn a_catalog_is_no_larger_than_may_be_told() {
    let mut sim = online(true);
    let mut large = service("a");
    large.problems = vec!["p".repeat(200_000)];
    for n in 0.. {
        let mut part = part(1, n, false, &[]);
        part.services = vec![large.clone()];
        told(&mut sim, part.clone());
        part.part += 1;
        part.last = true;
        if n == 22 {
            assert_eq!(told(&mut sim, part), None);
            break;
        }
    }
}

#[test]
fn an_agent_that_breaks_the_rules_has_a_hundred_catalogs_stored_in_a_minute() {
    let mut sim = online(true);
    for number in 0..100 {
        assert!(told(&mut sim, part(number, 0, true, &["a"])).is_some());
    }
    assert_eq!(told(&mut sim, part(100, 0, true, &["a"])), None);
    sim.now += 60_000;
    assert!(told(&mut sim, part(101, 0, true, &["a"])).is_some());
}

#[test]
fn the_agent_hears_that_its_catalog_is_stored() {
    let mut sim = online(true);
    let socket = sim.agent.socket.unwrap();
    heard(&mut sim, socket);
    sim.relay.catalog_stored(3);
    sim.perform();
    let Some(Wire::Text(text)) = heard(&mut sim, socket).pop() else {
        panic!("it hears nothing")
    };
    let stored = ToAgent::CatalogStored { number: 3 };
    assert_eq!(serde_json::from_str::<ToAgent>(&text).unwrap(), stored);
}
