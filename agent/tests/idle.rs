//! What becomes of a session in which nobody types.
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::ids::StreamId;
use protocol::terminal::agent::FromAgent;
use protocol::terminal::frame::{Frame, Kind};
use tokio::sync::mpsc;
use vsay_agent::cgroup::Cgroups;
use vsay_agent::command_log::{Journal, SharedJournal};
use vsay_agent::process::Origin;
use vsay_agent::session::{Login, OUTBOX, Outgoing, Session, Spec};
use vsay_agent::stream_log::Limits;

use crate::support::relay::{INPUT, SIZE, STREAM};
use crate::support::{Machine, Relay, within};

/// A shell that ends after so long without a key, and what it says.
async fn session(machine: &Machine, idle_after: Duration) -> (Session, mpsc::Receiver<Outgoing>) {
    let (outbox, said) = mpsc::channel(OUTBOX);
    let spec = Spec {
        stream: STREAM,
        session_id: "sess".parse().unwrap(),
        size: SIZE,
        login: Login {
            account: machine.config.linux_user.username.clone(),
            privileges: true,
            origin: Origin {
                person: "ann".into(),
                edge: "edge.example".into(),
            },
            system: machine.system.clone(),
            limits: Default::default(),
            cgroups: Cgroups::find(&machine.system),
        },
        ssh: None,
        limits: Limits::in_directory(machine.directory.path().to_owned()),
        idle_after,
        journal: Arc::new(SharedJournal::new(Journal::in_memory())),
    };
    let session = Session::open(spec, outbox.clone());
    session.credit(0, None).await;
    (session, said)
}

async fn said_that(said: &mut mpsc::Receiver<Outgoing>, wanted: impl Fn(&FromAgent) -> bool) -> FromAgent {
    loop {
        let next = within("a word of the session", said.recv()).await.unwrap();
        if let Outgoing::Message(message) = next
            && wanted(&message)
        {
            return *message;
        }
    }
}

#[tokio::test]
async fn a_session_in_which_nobody_types_is_warned_and_ends_with_that_as_its_reason() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let (_session, mut said) = session(&machine, Duration::from_secs(2)).await;
    let notice = said_that(&mut said, |message| matches!(message, FromAgent::Notice { .. })).await;
    let FromAgent::Notice {
        stream, input, code, ..
    } = notice
    else {
        unreachable!()
    };
    assert_eq!((stream, input, code.as_str()), (STREAM, None, "idle"));
    let exited = said_that(&mut said, |message| matches!(message, FromAgent::Exited { .. })).await;
    let FromAgent::Exited { status, .. } = exited else {
        unreachable!()
    };
    assert_eq!(status.reason.as_deref(), Some("idle_timeout"));
}

#[tokio::test]
async fn a_session_that_somebody_types_in_goes_on_and_one_that_ends_by_itself_has_no_reason() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let (session, mut said) = session(&machine, Duration::from_secs(2)).await;
    session.open_input(INPUT).await;
    let begun = Instant::now();
    let mut typed = 0;
    // Longer than it lasts without a key. Each warning is answered with one, as a person would.
    while begun.elapsed() < Duration::from_secs(4) {
        said_that(&mut said, |message| matches!(message, FromAgent::Notice { .. })).await;
        session.input(Frame::new(Kind::Input, INPUT, typed, b" ")).await;
        typed += 1;
    }
    session
        .input(Frame::new(Kind::Input, INPUT, typed, b"\nexit 3\n"))
        .await;
    let exited = said_that(&mut said, |message| matches!(message, FromAgent::Exited { .. })).await;
    let FromAgent::Exited { stream, status, .. } = exited else {
        unreachable!()
    };
    assert_eq!((stream, status.code, status.reason), (StreamId(1), Some(3), None));
}
