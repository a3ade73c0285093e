//! `/api/terminal/{agent_id}/ws` as our own browser and command line use it.
mod hidden;
mod lossless;
mod published;
mod ticket;

use protocol::limits::MAX_PAYLOAD;
use protocol::terminal::Size;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::{FromViewer, ToViewer};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue};

use crate::support::account::{Account, send};
use crate::support::agent::{Agent, World};
use crate::support::stack::Stack;
use crate::support::viewer::{Viewer, open, stream_headers};
use crate::support::wait::{eventually, within};

/// The process id of the viewer's shell.
async fn shell_pid(viewer: &mut Viewer) -> u32 {
    viewer.run("echo pid=$$.", ".\r\n").await;
    viewer
        .wait("a process id", |viewer| pid_in(&viewer.text()).is_some())
        .await;
    pid_in(&viewer.text()).expect("it is")
}

fn pid_in(text: &str) -> Option<u32> {
    text.split("pid=")
        .skip(1)
        .find_map(|rest| rest.split('.').next()?.parse().ok())
}

async fn is_gone(pid: u32) {
    let path = format!("/proc/{pid}");
    eventually("the shell to be gone", async || {
        (!std::path::Path::new(&path).exists()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_typed_reaches_a_shell_and_what_it_says_comes_back() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "typing").await;
    viewer.run("echo sum=$((6*7)) tty=$(tty)", "sum=42 tty=/dev/").await;
    viewer.run("echo TERM=$TERM", "TERM=xterm-256color").await;
    assert!(viewer.saw(|message| matches!(
        message,
        ToViewer::Attached {
            can_type: true,
            resumed: false,
            offset: 0,
            ..
        }
    )));
}

#[tokio::test]
async fn the_terminal_has_the_size_of_its_viewer_and_follows_it() {
    let world = World::shared().await;
    let mut viewer = Viewer::new(&world.owner, &world.agent, "sizes").with_size(91, 17);
    viewer.connect().await;
    viewer.wait_attached().await;
    viewer.run("stty size", "17 91").await;
    viewer
        .say(&FromViewer::Resize {
            size: Size { cols: 123, rows: 45 },
        })
        .await;
    viewer.run("stty size", "45 123").await;
    // Whoever only looks in changes nothing; whoever types has its own size, and when it leaves, so has the one before.
    let mut other = Viewer::new(&world.owner, &world.agent, "sizes").with_size(60, 20);
    other.connect().await;
    other.wait_attached().await;
    viewer.run("stty size; echo one", "45 123\r\none").await;
    other.run("stty size; echo two", "20 60\r\ntwo").await;
    let resized = |message: &ToViewer| matches!(message, ToViewer::Resized { size: Size { cols: 60, rows: 20 }, by: Some(by) } if *by == world.owner.username);
    viewer.wait("news of the new size", |viewer| viewer.saw(resized)).await;
    other.leave().await;
    let own = |message: &ToViewer| {
        matches!(
            message,
            ToViewer::Resized {
                size: Size { cols: 123, .. },
                ..
            }
        )
    };
    viewer.wait("its own size again", |viewer| viewer.saw(own)).await;
    viewer.run("stty size; echo three", "45 123\r\nthree").await;
}

#[tokio::test]
async fn the_shells_exit_status_comes_after_everything_it_wrote() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "exiting").await;
    viewer.types("echo last-$((1+1)) words; exit 7\r");
    let close = viewer.wait_closed().await;
    assert_eq!(viewer.exit().and_then(|status| status.code), Some(7));
    assert!(viewer.text().contains("last-2 words"));
    assert_eq!(close, (1000, "Session ended".to_owned()));
    assert!(viewer.saw(|message| matches!(message, ToViewer::Disconnect { code, .. } if code == "session_ended")));
    session_is_listed(world, "exiting", false).await;
}

#[tokio::test]
async fn a_shell_that_is_killed_says_by_which_signal() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "killed").await;
    viewer.types("kill -KILL $$\r");
    viewer.wait_closed().await;
    let status = viewer.exit().expect("an exit status");
    assert_eq!((status.code, status.signal.as_deref()), (None, Some("SIGKILL")));
}

async fn session_is_listed(world: &World, session: &str, listed: bool) {
    eventually("the list of sessions to follow", async || {
        let list = world.owner.get("/api/terminal/sessions").await.ok();
        let found = list["sessions"]
            .as_array()?
            .iter()
            .any(|row| row["session_id"] == session);
        (found == listed).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_is_refused_before_it_happens_in_the_words_of_the_contract() {
    let world = World::shared().await;
    let stranger = Account::new(world.stack).await;
    let pending = world.owner.post("/api/machines", json!({"name": "pending"})).await.ok();
    let pending = pending["agent_id"].as_str().expect("an id");
    let agent = world.agent.agent_id.as_str();
    let (ours, foreign) = (world.owner.token.as_str(), stranger.token.as_str());
    let refused = async |agent: &str, query: &str, headers: &HeaderMap| {
        let url = format!("{}/api/terminal/{agent}/ws{query}", world.stack.url);
        let (status, body) = open(&url, headers).await.expect_err("no upgrade");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{status} {body}"));
        (status, body["error"].as_str().expect("a text").to_owned())
    };
    let plain = stream_headers();
    let (status, error) = refused(agent, "", &plain).await;
    assert_eq!(
        (status, error.starts_with("Token required for WebSocket connection")),
        (401, true),
        "{error}"
    );
    for (agent, query, expected) in [
        (agent, "?token=garbage".to_owned(), (401, "Invalid or expired token")),
        ("00000000000a", format!("?token={ours}"), (404, "Machine not found")),
        (agent, format!("?token={foreign}"), (404, "Machine not found")),
        (
            pending,
            format!("?token={ours}"),
            (409, "Machine has not been enrolled yet"),
        ),
    ] {
        assert_eq!(
            refused(agent, &query, &plain).await,
            (expected.0, expected.1.to_owned()),
            "{query}"
        );
    }
    for query in [
        "cols=0",
        "rows=1001",
        "cols=wide",
        "session_id=a%20b",
        "source=%C3%BC",
        "format=json",
    ] {
        let (status, error) = refused(agent, &format!("?token={ours}&{query}"), &plain).await;
        assert_eq!(status, 400, "{query}: {error}");
        assert!(
            error.starts_with(query.split('=').next().expect("a name")),
            "{query}: {error}"
        );
    }
    let mut evil = stream_headers();
    evil.insert("origin", HeaderValue::from_static("https://evil.example"));
    assert_eq!(
        refused(agent, &format!("?token={ours}"), &evil).await.0,
        403,
        "a page of another site"
    );

    let answer = world.owner.get(&format!("/api/terminal/{agent}/ws")).await;
    assert_eq!(answer.refusal().0, 426);
}

#[tokio::test]
async fn a_token_in_the_header_opens_a_terminal_and_a_page_of_our_own_may() {
    let world = World::shared().await;
    let mut headers = stream_headers();
    let bearer = format!("Bearer {}", world.owner.token);
    headers.insert("authorization", bearer.parse().expect("ASCII"));
    headers.insert("origin", world.stack.url.parse().expect("ASCII"));
    let url = format!("{}/api/terminal/{}/ws", world.stack.url, world.agent.agent_id);
    assert!(open(&url, &headers).await.is_ok());
}

#[tokio::test]
async fn a_frame_that_does_not_decode_is_answered_and_the_connection_lives() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "garbage").await;
    let (stream, input) = viewer.streams.expect("attached");
    let frame = |kind, stream, payload: &[u8]| Message::Binary(Frame::new(kind, stream, 0, payload).bytes().clone());
    let garbage = [
        Message::text("nonsense"),
        Message::text("{}"),
        Message::text(r#"{"type":"unheard"}"#),
        Message::text(r#"{"type":"resize","cols":0,"rows":24}"#),
        Message::binary(vec![]),
        Message::binary(vec![9; 40]),
        frame(Kind::Output, stream, b"not mine to send"),
        frame(Kind::Input, stream, b"not my stream"),
        frame(Kind::Ack, input, b""),
    ];
    for (count, message) in garbage.into_iter().enumerate() {
        viewer.send(message.clone()).await;
        let errors = |viewer: &Viewer| {
            viewer
                .messages
                .iter()
                .filter(|message| matches!(message, ToViewer::Error { .. }))
                .count()
        };
        viewer
            .wait(&format!("an answer to {message:?}"), |viewer| {
                errors(viewer) == count + 1
            })
            .await;
    }
    viewer.run("echo alive-$((1+1))", "alive-2").await;
}

#[tokio::test]
async fn a_frame_over_its_bound_closes_the_socket() {
    let world = World::shared().await;
    for message in [
        Message::binary(vec![2; MAX_PAYLOAD + 17]),
        Message::text("x".repeat(MAX_PAYLOAD + 1)),
    ] {
        let mut viewer = Viewer::attached(&world.owner, &world.agent, "too-large").await;
        viewer.send(message).await;
        assert_eq!(viewer.wait_closed().await, (1009, "Frame too large".to_owned()));
    }
}

#[tokio::test]
async fn a_socket_whose_first_frame_is_no_hello_is_told_so() {
    let world = World::shared().await;
    let url = format!(
        "{}/api/terminal/{}/ws?token={}",
        world.stack.url, world.agent.agent_id, world.owner.token
    );
    let mut socket = open(&url, &stream_headers()).await.expect("an upgrade");
    use futures_util::{SinkExt, StreamExt};
    socket
        .send(Message::text(r#"{"type":"resize","cols":80,"rows":24}"#))
        .await
        .expect("sent");
    socket
        .send(Message::Binary(
            Frame::new(Kind::Input, protocol::ids::StreamId(1), 0, b"x")
                .bytes()
                .clone(),
        ))
        .await
        .expect("sent");
    let answer = within("an answer", socket.next())
        .await
        .expect("a frame")
        .expect("a sound one");
    let text = answer.into_text().expect("text");
    assert!(
        matches!(serde_json::from_str(&text), Ok(ToViewer::Error { .. })),
        "{text}"
    );
}

#[tokio::test]
async fn an_idle_socket_is_kept_alive_by_pings() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "pinging").await;
    viewer.count_pongs = 0;
    for count in 1..=3 {
        viewer.send(Message::text(protocol::terminal::PING)).await;
        viewer.wait("a pong", |viewer| viewer.count_pongs == count).await;
    }
    viewer.send(Message::text(r#"{ "type": "ping" }"#)).await;
    viewer
        .wait("a pong to a ping of another spelling", |viewer| viewer.count_pongs == 4)
        .await;
}

#[tokio::test]
async fn ending_a_session_closes_its_sockets_and_hangs_up_its_shell() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "ended").await;
    let mut other = Viewer::attached(&world.owner, &world.agent, "ended").await;
    let pid = shell_pid(&mut viewer).await;
    session_is_listed(world, "ended", true).await;
    let answer = world.owner.delete("/api/terminal/sessions/ended").await.ok();
    assert_eq!(answer["message"], "Session closed");
    for viewer in [&mut viewer, &mut other] {
        assert_eq!(viewer.wait_closed().await, (4008, "Session terminated".to_owned()));
        assert!(
            viewer.saw(|message| matches!(message, ToViewer::Disconnect { code, .. } if code == "session_terminated"))
        );
    }
    is_gone(pid).await;
    session_is_listed(world, "ended", false).await;
    let again = world.owner.delete("/api/terminal/sessions/ended").await.refusal();
    assert_eq!(again, (404, "Session not found".to_owned()));
}

#[tokio::test]
async fn deleting_a_machine_ends_its_terminals_and_its_link() {
    let world = World::shared().await;
    let agent = Agent::new(&world.owner, "short-lived").await;
    let mut viewer = Viewer::attached(&world.owner, &agent, "on-a-doomed-machine").await;
    let pid = shell_pid(&mut viewer).await;
    world
        .owner
        .delete(&format!("/api/machines/{}", agent.agent_id))
        .await
        .ok();
    assert_eq!(viewer.wait_closed().await, (4008, "Session terminated".to_owned()));
    is_gone(pid).await;
    session_is_listed(world, "on-a-doomed-machine", false).await;
    let answer = send(
        world
            .owner
            .request(reqwest::Method::GET, &format!("/api/terminal/{}/ws", agent.agent_id)),
    )
    .await;
    assert_eq!(answer.refusal().0, 404);
}

#[tokio::test]
async fn sessions_are_listed_with_who_opened_them_and_from_where() {
    let world = World::shared().await;
    let _viewer = Viewer::attached(&world.owner, &world.agent, "cli-listed").await;
    let list = world.owner.get("/api/terminal/sessions").await.ok();
    let rows = list["sessions"].as_array().expect("a list");
    let mut row = rows
        .iter()
        .find(|row| row["session_id"] == "cli-listed")
        .expect("it is listed")
        .clone();
    use crate::support::redact::{hex, is_recent, take};
    assert!(hex(take(&mut row, "id").as_str().expect("an id"), 24));
    for time in ["started_at", "created_at", "last_activity"] {
        assert!(is_recent(&take(&mut row, time)), "{time}");
    }
    assert_eq!(
        row,
        json!({
            "session_id": "cli-listed",
            "name": "",
            "agent_id": world.agent.agent_id,
            "machine_id": world.agent.machine_id,
            "machine_name": "shared",
            "user_id": world.owner.id,
            "username": world.owner.username,
            "source": "cli",
            "status": "active",
            "ended_at": null,
            "closed_at": null,
            "close_reason": null,
            "browser": "Unknown",
            "os": "Unknown",
            "os_info": "Unknown",
            "user_agent": "",
            "ip_address": row["ip_address"],
            "cols": 80,
            "rows": 24,
            "command_count": 0,
        })
    );
}

#[tokio::test]
async fn a_viewer_waits_for_an_agent_that_is_away_and_is_let_go_after_the_grace() {
    let stack = Stack::start(&[("AGENT_GRACE_SECONDS", "2")]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::enrolled(&owner, "away", &stack.url).await;
    let offline = |message: &ToViewer| matches!(message, ToViewer::Agent { online: false });

    let mut viewer = Viewer::new(&owner, &agent, "waiting").with_size(100, 30);
    viewer.connect().await;
    viewer
        .wait("news that the agent is away", |viewer| viewer.saw(offline))
        .await;
    assert_eq!(viewer.wait_closed().await, (1013, "Agent offline".to_owned()));
    assert!(viewer.saw(|message| matches!(message, ToViewer::Disconnect { code, .. } if code == "agent_offline")));

    viewer.connect().await;
    agent.launch();
    viewer.wait_attached().await;
    viewer.run("stty size", "30 100").await;

    agent.signal("STOP");
    viewer.types("echo typed-$((20+3))-meanwhile\r");
    agent.signal("CONT");
    viewer.wait_for_output("typed-23-meanwhile").await;
}
