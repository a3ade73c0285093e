//! A runner's services, over its link.
use std::fs;
use std::path::PathBuf;

use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::services::{Answer, Ask, Place, Refusal, Service, Subdir};
use tokio::time::{Duration, Instant};

use crate::support::{Connection, Machine, Relay};

/// Far less than the time in which everything is looked at without a hint.
const SOON: Duration = Duration::from_secs(15);

fn runner(relay: &Relay) -> (Machine, PathBuf) {
    let mut machine = Machine::enrolled_with(relay);
    let directory = machine.directory.path().join("services");
    fs::create_dir(&directory).unwrap();
    machine.config.services = Some(vsay_agent::config::Services {
        directory: directory.clone(),
        pass_environment: Vec::new(),
        trust_new_hosts: true,
    });
    (machine, directory)
}

fn add(directory: &std::path::Path, name: &str) {
    let service = directory.join(name);
    fs::create_dir(&service).unwrap();
    fs::write(service.join("config.yaml"), "a: 1\n").unwrap();
    fs::write(service.join("deploy.sh"), "").unwrap();
}

/// What the agent tells next, all parts of it, and its number.
async fn catalog(link: &mut Connection) -> (u64, Vec<Service>) {
    let mut services = Vec::new();
    let mut expected = 0;
    loop {
        if let FromAgent::Catalog { part } = link.message().await {
            assert_eq!(part.part, expected);
            expected += 1;
            services.extend(part.services);
            if part.last {
                return (part.number, services);
            }
        }
    }
}

fn names(services: &[Service]) -> Vec<&str> {
    services.iter().map(|service| service.name.as_str()).collect()
}

async fn ask(link: &mut Connection, number: u64, ask: Ask) -> Answer {
    let service = "web".to_owned();
    link.send(ToAgent::Service { number, service, ask }).await;
    loop {
        match link.message().await {
            FromAgent::Service { number: of, answer } if of == number => return answer,
            // Which there are is told of by itself.
            FromAgent::Jobs { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn config() -> Place {
    Place::Config {
        name: "config.yaml".into(),
    }
}

#[tokio::test]
async fn a_runner_tells_of_its_services_once_and_of_each_change() {
    let relay = Relay::start().await;
    let (machine, directory) = runner(&relay);
    add(&directory, "web");
    let _agent = machine.start();
    let mut link = relay.welcome_with_services().await;
    assert!(matches!(link.hello, FromAgent::Hello { services: true, .. }));
    let (number, first) = catalog(&mut link).await;
    assert_eq!(names(&first), ["web"]);
    assert_eq!(first[0].configs, ["config.yaml"]);
    link.send(ToAgent::CatalogStored { number }).await;
    // The answer shows that this was heard.
    ask(&mut link, 1, Ask::Outputs).await;
    link.cut();
    // What is stored is not told of again: the first that comes is the change.
    let mut link = relay.welcome_with_services().await;
    ask(&mut link, 2, Ask::Outputs).await;
    add(&directory, "db");
    let (_, changed) = catalog(&mut link).await;
    assert_eq!(names(&changed), ["db", "web"]);
}

#[tokio::test]
async fn three_hundred_services_that_are_copied_in_are_there_at_once() {
    let relay = Relay::start().await;
    let (machine, directory) = runner(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome_with_services().await;
    assert_eq!(catalog(&mut link).await.1, []);
    let since = Instant::now();
    for n in 0..300 {
        add(&directory, &format!("service-{n:03}"));
    }
    while catalog(&mut link).await.1.len() < 300 {}
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

#[tokio::test]
async fn what_is_asked_for_is_looked_for_in_the_directory_that_has_the_name_now() {
    let relay = Relay::start().await;
    let (machine, directory) = runner(&relay);
    add(&directory, "web");
    let _agent = machine.start();
    let mut link = relay.welcome_with_services().await;
    catalog(&mut link).await;
    let other = directory.with_file_name("other");
    fs::create_dir(&other).unwrap();
    fs::rename(&directory, directory.with_file_name("old")).unwrap();
    fs::rename(&other, &directory).unwrap();
    assert_eq!(
        ask(&mut link, 1, Ask::Outputs).await,
        Answer::Refused {
            refusal: Refusal::NoService
        }
    );
}

#[tokio::test]
async fn a_runner_reads_and_writes_what_it_is_asked_to() {
    let relay = Relay::start().await;
    let (machine, directory) = runner(&relay);
    add(&directory, "web");
    let _agent = machine.start();
    let mut link = relay.welcome_with_services().await;
    catalog(&mut link).await;
    let write = Ask::Write {
        place: config(),
        content: b"a: 2\n".to_vec(),
    };
    let read = Ask::Read {
        place: config(),
        from: 0,
        version: None,
    };
    assert_eq!(ask(&mut link, 1, write).await, Answer::Done);
    let Answer::Chunk { content, .. } = ask(&mut link, 2, read).await else {
        panic!("no chunk");
    };
    assert_eq!(content, b"a: 2\n");
    assert_eq!(
        fs::read_to_string(directory.join("web/config.yaml.backup")).unwrap(),
        "a: 1\n"
    );
}

#[tokio::test]
async fn what_is_no_runner_has_no_services() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome_with_services().await;
    assert!(matches!(link.hello, FromAgent::Hello { services: false, .. }));
    let list = Ask::List {
        subdir: Subdir::Inputs,
        after: None,
    };
    assert_eq!(
        ask(&mut link, 1, list).await,
        Answer::Refused {
            refusal: Refusal::NoService
        }
    );
}
