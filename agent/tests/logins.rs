//! Logins that do not pass the edge.
use std::fs;
use std::io::Write;

use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::logins::Logins;

use crate::support::{Connection, Machine, Relay};

const UTMP: &str = "var/run/utmp";

/// A record as the GNU C library lays it out for 64-bit x86: who is on a line, from where, by a process of this test.
#[cfg(target_arch = "x86_64")]
fn record(kind: u16, line: &str, user: &str, host: &str) -> Vec<u8> {
    let mut bytes = vec![0; 384];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &kind.to_ne_bytes());
    put(4, &std::process::id().to_ne_bytes());
    put(8, line.as_bytes());
    put(44, user.as_bytes());
    put(76, host.as_bytes());
    put(340, &1_768_003_200_u32.to_ne_bytes());
    bytes
}

fn write(machine: &Machine, records: &[Vec<u8>]) {
    let file = machine.system.path(UTMP);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)
        .unwrap();
    file.write_all(&records.concat()).unwrap();
}

/// What the agent says next of logins, which is then stored.
async fn told(link: &mut Connection) -> Logins {
    loop {
        if let FromAgent::Logins { logins, .. } = link.message().await {
            let number = logins.number;
            link.send(ToAgent::LoginsStored { number }).await;
            return logins;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn whoever_is_logged_in_is_told_of_on_each_link_and_sessions_of_ours_are_not() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    write(
        &machine,
        &[
            record(7, "pts/3", "ada", "203.0.113.7"),
            record(7, "pts/4", "ada", "vsay:ann"),
        ],
    );
    let _agent = machine.start();
    let mut link = relay.welcome_with_logins().await;
    let first = told(&mut link).await;
    assert_eq!(first.logins.len(), 1, "{first:?}");
    let login = &first.logins[0];
    assert_eq!(
        (
            login.os_user.as_str(),
            login.source_ip.as_str(),
            login.line.as_str(),
            login.protocol.as_str()
        ),
        ("ada", "203.0.113.7", "pts/3", "ssh")
    );
    // One logs out while the link is down: on the next it is over, and what is listed and is not named is, too.
    link.cut();
    write(&machine, &[record(8, "pts/3", "", "")]);
    let mut link = relay.welcome_with_logins().await;
    let second = told(&mut link).await;
    assert!(
        second.logins.iter().all(|login| login.logout_at.is_some()),
        "{second:?}"
    );
}

#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn a_login_wakes_the_agent_which_tells_of_it() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    write(&machine, &[record(8, "pts/3", "", "")]);
    let _agent = machine.start();
    let mut link = relay.welcome_with_logins().await;
    assert_eq!(told(&mut link).await.logins, []);
    write(&machine, &[record(7, "pts/3", "ada", "")]);
    let second = told(&mut link).await;
    assert_eq!(second.logins[0].protocol, "console");
}

#[tokio::test]
async fn an_edge_that_does_not_know_of_logins_is_not_told() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    write(&machine, &[]);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    // Whatever comes first is what it was asked for.
    link.send(ToAgent::Report).await;
    assert!(matches!(link.message().await, FromAgent::Report { .. }));
}
