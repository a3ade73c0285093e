//! Terminals on hosts without an agent: a runner opens them at a real OpenSSH server.
use std::fs;
use std::path::PathBuf;

use futures_util::{SinkExt, StreamExt};
use protocol::terminal::Size;
use protocol::terminal::viewer::{FromViewer, ToViewer};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use super::services::{add, listed, runner};
use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::published::Published;
use crate::support::sshd::{Sshd, user};
use crate::support::stack::Stack;
use crate::support::team::{allow, join};
use crate::support::viewer::{Viewer, open};
use crate::support::wait::eventually;

/// A server, and a runner one of whose services has the key to it.
struct World {
    owner: Account,
    agent: Agent,
    directory: PathBuf,
    sshd: Sshd,
}

/// How services call the server.
const HOST: &str = "web-1";

impl World {
    /// Nothing where there is no server.
    async fn new() -> Option<Self> {
        let sshd = Sshd::start().await?;
        let owner = Account::new(Stack::shared().await).await;
        let (agent, directory) = runner(&owner, "runner").await;
        let world = Self {
            owner,
            agent,
            directory,
            sshd,
        };
        world.has("web", "login");
        world.agent.start().await;
        listed(&world.owner, &["web"]).await;
        Some(world)
    }

    /// From now on a service has this key to the server.
    fn has(&self, service: &str, key: &str) {
        let inventory = self.sshd.inventory(HOST, "keys/id");
        let key = self.sshd.read(key);
        add(
            &self.directory,
            service,
            &[("outputs/temp_inventory.yaml", &inventory), ("keys/id", &key)],
        );
    }

    /// The file in which the account of the runner's shells has the hosts it knows.
    fn known_hosts(&self) -> PathBuf {
        self.agent.system_file("home/.ssh/known_hosts")
    }

    /// Has the account know this.
    fn knows(&self, text: &str) {
        let file = self.known_hosts();
        fs::create_dir_all(file.parent().expect("a folder")).expect("it is ours");
        fs::write(file, text).expect("it is ours");
    }

    async fn attached(&self, session: &str) -> Viewer {
        let mut viewer = Viewer::by_ssh(&self.owner, HOST, &format!("&session_id={session}"));
        viewer.connect().await;
        viewer.wait_attached().await;
        viewer
    }

    /// Why there is no terminal: the words, and the code of the close.
    async fn refused(&self) -> (String, u16) {
        let mut client = Published::at(&self.url("")).await;
        let (code, _) = client.wait_closed().await;
        let error = client.frames.iter().find(|frame| frame["type"] == "error");
        (
            error.expect("it says why")["message"]
                .as_str()
                .expect("words")
                .to_owned(),
            code,
        )
    }

    fn url(&self, query: &str) -> String {
        let (base, token) = (&self.owner.anonymous.url, &self.owner.token);
        format!("{base}/api/inventory/server/ssh/{HOST}?token={token}{query}")
    }

    async fn logged(&self, action: &str) -> Value {
        let path = format!("/api/audit?action={action}");
        eventually(&format!("{action} in the log"), async || {
            let log = self.owner.get(&path).await.ok();
            let entries = ["logs", "entries", "items"]
                .into_iter()
                .find_map(|key| log[key].as_array().cloned());
            entries.expect("entries").first().cloned()
        })
        .await
    }
}

#[tokio::test]
async fn a_terminal_on_a_host_without_an_agent_is_one_like_any_other() {
    let Some(world) = World::new().await else { return };
    let mut viewer = Viewer::by_ssh(&world.owner, HOST, "&session_id=ssh-1").with_size(91, 17);
    viewer.connect().await;
    viewer.wait_attached().await;
    viewer.run("echo ready-$((1+1))", "ready-2\r\n").await;
    // Nobody knew the host. That it is said is in the output, or in the picture of what there was when the viewer came.
    let fingerprint = world.sshd.fingerprint("host_ed25519");
    let shown = [viewer.snapshots.concat(), viewer.output().to_vec()].concat();
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(shown.contains("It is trusted from now on: ssh-ed25519"), "{shown}");
    let line = format!("{} {}\n", world.sshd.name(), world.sshd.public("host_ed25519"));
    assert_eq!(fs::read_to_string(world.known_hosts()).expect("it is there"), line);
    let trusted = world.logged("ssh.host_trusted").await;
    let of = &trusted["details"];
    assert_eq!(
        (&of["ip"], &of["host_key"]),
        (&json!("127.0.0.1"), &json!(format!("ssh-ed25519 {fingerprint}")))
    );
    let opened = world.logged("instance.ssh").await;
    assert_eq!(
        (&opened["resource_id"], &opened["details"]),
        (&json!(HOST), &json!({})),
        "{opened:#}"
    );

    viewer
        .run(
            "echo sum=$((6*7)) TERM=$TERM tty=$(tty)",
            "sum=42 TERM=xterm-256color tty=/dev/",
        )
        .await;
    viewer.run("stty size", "17 91").await;
    viewer
        .say(&FromViewer::Resize {
            size: Size { cols: 123, rows: 45 },
        })
        .await;
    viewer.run("stty size", "45 123").await;
    let sessions = world.owner.get("/api/terminal/sessions").await.ok();
    let session = &sessions["sessions"][0];
    assert_eq!(
        (&session["target"], &session["session_id"]),
        (&json!(HOST), &json!("ssh-1")),
        "{session:#}"
    );
    viewer.types("exit 7\r");
    viewer.wait("the exit", |viewer| viewer.exit().is_some()).await;
    assert_eq!(viewer.exit().expect("it is").code, Some(7));
    let path = format!("/api/machines/{}/recordings", world.agent.agent_id);
    eventually("the recording to be stored", async || {
        let list = world.owner.get(&path).await.ok();
        let recording = &list["recordings"][0];
        (recording["state"] == "complete" && recording["session_id"] == "ssh-1").then_some(())
    })
    .await;
    let logs = format!("/api/machines/{}/logs", world.agent.agent_id);
    eventually("the lines in the command log", async || {
        let log = world.owner.get(&logs).await.ok();
        let mut logs = log["logs"].as_array().expect("a list").iter();
        logs.any(|log| log["command"] == "stty size" && log["seen"] == "screen")
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_signal_and_a_lost_connection_are_told_from_an_exit() {
    let Some(world) = World::new().await else { return };
    let mut viewer = world.attached("killed").await;
    viewer.run("echo ready-$((1+1))", "ready-2\r\n").await;
    viewer.types("kill -9 $$\r");
    viewer.wait("the exit", |viewer| viewer.exit().is_some()).await;
    let exit = viewer.exit().expect("it is");
    assert_eq!(
        (exit.code, exit.signal.as_deref(), exit.reason),
        (None, Some("SIGKILL"), None)
    );

    let mut viewer = world.attached("lost").await;
    viewer.run("echo ready-$((1+1))", "ready-2\r\n").await;
    // What serves this connection, as a server that falls over would.
    viewer.types("kill -9 $PPID\r");
    viewer.wait("the exit", |viewer| viewer.exit().is_some()).await;
    let exit = viewer.exit().expect("it is");
    assert_eq!(
        (exit.code, exit.signal, exit.reason.as_deref()),
        (None, None, Some("connection_lost"))
    );
    assert!(viewer.text().contains("SSH disconnected: "), "{}", viewer.text());
}

#[tokio::test]
async fn nothing_is_lost_when_a_viewer_is_cut_and_a_second_sees_the_same() {
    let Some(world) = World::new().await else { return };
    let mut viewer = world.attached("shared").await;
    viewer.run("echo ready-$((1+1))", "ready-2\r\n").await;
    viewer.types("stty -echo; echo begin; for n in $(seq 1 30000); do echo line-$n; done; echo end-of-it\r");
    viewer.wait_for_output("line-2000\r\n").await;
    viewer.reconnect().await;
    viewer.wait_for_output("end-of-it\r\n").await;
    let text = viewer.text();
    let seen: Vec<&str> = text.lines().filter(|line| line.starts_with("line-")).collect();
    let expected: Vec<String> = (1..=30_000).map(|n| format!("line-{n}")).collect();
    assert!(seen == expected, "{} of 30000 lines", seen.len());

    let mut other = world.attached("shared").await;
    other.types("echo from=the-other\r");
    other.wait_for_output("from=the-other\r\n").await;
    viewer.wait_for_output("from=the-other\r\n").await;
}

/// What an agent may hold of a host that floods it: the part of the log that is in memory, and what is on its way there.
const MOST_HELD: u64 = 32 * 1024 * 1024;

#[tokio::test]
async fn a_host_that_floods_waits_for_who_reads_it() {
    let Some(world) = World::new().await else { return };
    let mut viewer = world.attached("flood").await;
    viewer.run("echo ready-$((1+1))", "ready-2\r\n").await;
    viewer.acknowledges = false;
    let before = world.agent.memory();
    viewer.types("yes 0123456789012345678901234567890123456789\r");
    // It takes what its buffers hold, and then no more.
    let mut held = 0;
    loop {
        viewer.quiet().await;
        let now = world.agent.memory().saturating_sub(before);
        assert!(now < MOST_HELD, "{now} bytes more while nobody reads");
        if now <= held {
            break;
        }
        held = now;
    }
    viewer.acknowledges = true;
    viewer.keep_output();
    viewer.types("\u{3}");
    viewer.run("echo still-$((1+1))", "still-2\r\n").await;
}

#[tokio::test]
async fn the_published_frames_are_as_they_were_published() {
    let Some(world) = World::new().await else { return };
    world.knows(&format!(
        "{} {}\n",
        world.sshd.name(),
        world.sshd.public("host_ed25519")
    ));
    let me = user();
    let mut socket = open(&world.url(&format!("&user={me}")), &HeaderMap::new())
        .await
        .expect("an upgrade");
    // Before it is connected, and things that mean nothing.
    for frame in [
        r#"{"type":"resize","cols":101,"rows":33}"#,
        "no JSON",
        r#"{"type":"unheard"}"#,
        r#"{"type":"input","data":"stty -echo; stty size; printf 'a\\303\\251z\\n'; exit 4\r"}"#,
    ] {
        socket.send(Message::text(frame)).await.expect("it is open");
    }
    let mut frames = Vec::new();
    let mut closed = None;
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => frames.push(text.to_string()),
            Message::Close(frame) => closed = frame.map(|frame| u16::from(frame.code)),
            other => panic!("{other:?}"),
        }
        if closed.is_some() {
            break;
        }
    }
    let connected =
        format!(r#"{{"type":"connected","hostname":"{HOST}","ip":"127.0.0.1","user":"{me}","default_user":"{me}"}}"#);
    assert_eq!(frames.first(), Some(&connected));
    assert_eq!(
        frames.last().map(String::as_str),
        Some(r#"{"type":"error","message":"Connection closed"}"#)
    );
    assert_eq!(closed, Some(1000));
    let mut text = String::new();
    for frame in &frames[1..frames.len() - 1] {
        let frame: Value = serde_json::from_str(frame).expect("JSON");
        assert_eq!(frame.as_object().expect("an object").len(), 2);
        assert_eq!(frame["type"], "output");
        text.push_str(frame["data"].as_str().expect("text"));
    }
    assert!(text.contains("33 101\r\naéz\r\n"), "{text}");
    let opened = world.logged("inventory.server.ssh").await;
    assert_eq!(opened["details"], json!({"ssh_user": me}), "{opened:#}");
    assert_eq!(opened["resource_id"], json!(format!("server/{HOST}")));
}

#[tokio::test]
async fn who_gets_no_terminal_is_told_why_by_a_frame_and_a_code() {
    let Some(world) = World::new().await else { return };
    let stack = Stack::shared().await;
    let base = &world.owner.anonymous.url;
    let colleague = join(stack, &world.owner, "user").await;
    let told = async |path: &str| {
        let mut client = Published::at(&format!("{base}{path}")).await;
        let closed = client.wait_closed().await;
        (
            client.frames[0]["message"].as_str().expect("words").to_owned(),
            closed.0,
            closed.1,
        )
    };
    let (mine, theirs) = (&world.owner.token, &colleague.token);
    let expect = |words: &str, code: u16, reason: &str| (words.to_owned(), code, reason.to_owned());
    for area in ["instances/ssh", "inventory/server/ssh"] {
        let path = |rest: &str| format!("/api/{area}/{rest}");
        assert_eq!(told(&path(HOST)).await, expect("Missing token", 4001, "Missing token"));
        assert_eq!(
            told(&path("web-1?token=x")).await,
            expect("Invalid token", 4001, "Invalid token")
        );
        assert_eq!(
            told(&path(&format!("web-1?token={mine}&user=a%20b"))).await,
            expect("Invalid username format", 4002, "Invalid username format")
        );
        let forbidden = "Permission denied: SSH access";
        assert_eq!(
            told(&path(&format!("web-1?token={theirs}"))).await,
            expect(forbidden, 4003, forbidden)
        );
        assert_eq!(
            told(&path(&format!("other?token={mine}"))).await,
            expect("No SSH credentials found for other", 1008, "No SSH credentials found")
        );
        // Somebody who asks for our own protocol, or for no socket, gets an answer.
        let unknown = "No SSH credentials found for other".to_owned();
        assert_eq!(world.owner.get(&path("other")).await.refusal(), (404, unknown.clone()));
        let ticket = async |host: &str| world.owner.post(&path(&format!("{host}/ticket")), json!({})).await;
        assert_eq!(ticket("other").await.refusal(), (404, unknown));
        assert_eq!(world.owner.get(&path(HOST)).await.refusal().0, 426);
        let ticket = ticket(HOST).await.ok()["ticket"].take();
        let mut client = Published::at(&format!(
            "{base}{}",
            path(&format!("{HOST}?ticket={}", ticket.as_str().expect("text")))
        ))
        .await;
        client.wait_frame("connected").await;
        assert_eq!(colleague.get(&path(HOST)).await.refusal(), (403, forbidden.to_owned()));
    }
    // Whoever holds the permission, with no right to the runner's machine.
    allow(&world.owner, &colleague, &["instances.ssh"]).await;
    let mut viewer = Viewer::by_ssh(&colleague, HOST, "&session_id=colleague");
    viewer.connect().await;
    viewer.wait_attached().await;
    viewer.run("echo $((40+2))", "42\r\n").await;
    // The session of one kind never becomes one of the other.
    let terminal = format!(
        "{base}/api/terminal/{}/ws?token={mine}&session_id=colleague",
        world.agent.agent_id
    );
    assert_eq!(
        open(&terminal, &HeaderMap::new())
            .await
            .expect_err("it is a colleague's")
            .0,
        403
    );
    // Without the permission it ends.
    let body = json!({"role_ids": []});
    world
        .owner
        .post(&format!("/api/users/{}/roles", colleague.id), body)
        .await
        .ok();
    assert_eq!(viewer.wait_closed().await.0, 1008);
    world.agent.kill();
    world.agent.becomes("offline").await;
    assert_eq!(world.refused().await, ("Runner is not connected".to_owned(), 4503));
}

#[tokio::test]
async fn a_host_with_another_key_than_is_known_is_refused() {
    let Some(mut world) = World::new().await else { return };
    let name = world.sshd.name();
    let (shown, other) = (world.sshd.public("host_ed25519"), world.sshd.public("host_other"));
    let (shows, known) = (
        world.sshd.fingerprint("host_ed25519"),
        world.sshd.fingerprint("host_other"),
    );
    world.knows(&format!("# changed\n{name} {other}\n"));
    let (words, code) = world.refused().await;
    let file = world.known_hosts();
    let expected = format!(
        "SSH connection failed: the host key of 127.0.0.1:{} has changed: it shows ssh-ed25519 {shows}, and line 2 of {} has {known}.",
        world.sshd.port,
        file.display()
    );
    assert!(words.starts_with(&expected) && code == 1000, "{words}");
    let before = fs::read_to_string(&file).expect("it is there");
    assert_eq!(before, format!("# changed\n{name} {other}\n"), "nothing is written");

    world.knows(&format!("{name} {shown}\n@revoked * {shown}\n"));
    world.agent.kill();
    world.agent.becomes("offline").await;
    world.agent.start().await;
    let (words, _) = world.refused().await;
    assert!(words.contains("is revoked by line 2"), "{words}");

    // Several keys of one type, as while a host gets a new one; and one that is known by its ECDSA key is asked for that.
    world.knows(&format!("{name} {other}\n{name} {shown}\n"));
    let mut viewer = world.attached("two-keys").await;
    viewer.run("echo $((40+2))", "42\r\n").await;
    world.sshd.start_with("host_ecdsa").await;
    world.knows(&format!("{name} {}\n", world.sshd.public("host_ecdsa")));
    let mut viewer = world.attached("ecdsa").await;
    viewer.run("echo $((40+3))", "43\r\n").await;
    assert_eq!(viewer.count(|message| matches!(message, ToViewer::Error { .. })), 0);
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_said_and_after_two_the_host_is_left_alone() {
    let Some(world) = World::new().await else { return };
    world.has("web", "stranger");
    let (words, code) = world.refused().await;
    let host = format!("127.0.0.1:{}", world.sshd.port);
    let expected = format!(
        "SSH connection failed: {host} does not let {} in by the key of the service web",
        user()
    );
    assert_eq!((words, code), (expected.clone(), 1000));
    assert_eq!(world.refused().await.0, expected);
    let (words, _) = world.refused().await;
    assert!(words.contains("try again in"), "{words}");
    assert!(!world.sshd.read("sshd.log").is_empty());
    // The next service whose key is there would have been asked only if this one had none.
    fs::remove_file(world.directory.join("web/keys/id")).expect("it is ours");
    assert_eq!(
        world.refused().await,
        (format!("No SSH credentials found for {HOST}"), 1008)
    );
}

#[tokio::test]
async fn an_rsa_key_signs_with_sha_2() {
    let Some(world) = World::new().await else { return };
    world.has("web", "login_rsa");
    let mut viewer = world.attached("rsa").await;
    viewer.run("echo $((40+2))", "42\r\n").await;
}
