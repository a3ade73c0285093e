//! Recordings: complete whatever happens to the edge, seen by those who may, and gone when they are to go.
use std::process::Command;

use futures_util::StreamExt;
use protocol::recording::{Event, events};
use protocol::terminal::viewer::ToViewer;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue};

use crate::support::account::{Account, Anonymous, send};
use crate::support::agent::Agent;
use crate::support::process::scratch;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::{Socket, Viewer, open};
use crate::support::wait::eventually;

/// The newest recording of a machine.
async fn newest(owner: &Account, agent: &Agent) -> Value {
    let list = owner
        .get(&format!("/api/machines/{}/recordings", agent.agent_id))
        .await
        .ok();
    list["recordings"][0].clone()
}

/// The newest recording of a machine, once all of it is stored.
async fn stored(owner: &Account, agent: &Agent) -> Value {
    eventually("the recording to be stored", async || {
        let recording = newest(owner, agent).await;
        (recording["state"] == "complete").then_some(recording)
    })
    .await
}

fn id(recording: &Value) -> &str {
    recording["id"].as_str().expect("an id")
}

async fn file(request: reqwest::RequestBuilder) -> Vec<u8> {
    let response = request.send().await.expect("the edge answers");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-asciicast");
    response.bytes().await.expect("a body").to_vec()
}

async fn download(owner: &Account, recording: &Value, format: &str) -> Vec<u8> {
    let path = format!("/api/recordings/{}/download?format={format}", id(recording));
    file(owner.request(Method::GET, &path)).await
}

/// What a file plays: the terminal's output, whose times never go back.
fn played(text: &[u8]) -> Vec<u8> {
    let (mut output, mut last) = (Vec::new(), 0);
    for event in events(text) {
        let (at, event) = event.expect("a line that makes sense");
        assert!(at >= last, "time goes back");
        last = at;
        if let Event::Output(bytes) = event {
            output.extend(bytes);
        }
    }
    output
}

/// It plays just what the terminal wrote, as far as a viewer saw that: what came before its time was drawn for it.
fn assert_whole(played: &[u8], viewer: &Viewer) {
    let drawn: usize = viewer.snapshots.iter().map(Vec::len).sum();
    let seen = &viewer.output()[drawn..];
    assert_eq!(played.len() as u64, viewer.received());
    assert!(
        seen.len() > 1_000_000 && played.ends_with(seen),
        "other bytes than the viewer saw"
    );
}

/// Ends a shell, and waits until its viewer has seen that.
async fn exit(viewer: &mut Viewer, code: i32) {
    viewer.types(&format!("exit {code}\r"));
    viewer.wait("the exit", |viewer| viewer.exit().is_some()).await;
}

#[tokio::test]
async fn a_recording_is_what_the_terminal_wrote_though_the_edge_is_evicted_and_killed_in_the_middle() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "recorded").await;
    let mut viewer = Viewer::attached(&owner, &agent, "recorded-1").await;
    // No text, half characters, and much of both.
    let line = |round: u32| {
        format!(
            "printf '\\377\\376 caf\\303'; seq {round}000000 {round}120000; printf '\\251 €'; echo done-$(({round}+100))"
        )
    };
    for round in 1..=4 {
        viewer.types(&format!("{}\r", line(round)));
        match round {
            1 => {
                viewer.wait_for_output("1050000").await;
                stack.evict(&agent.machine_id);
            }
            2 => {
                viewer.wait_for_output("2050000").await;
                stack.drop_relay(&agent.machine_id);
                viewer.wait_closed().await;
                viewer.reconnect().await;
            }
            3 => {
                viewer.wait_for_output("3050000").await;
                stack.kill();
                viewer.wait_closed().await;
                stack.start_again().await;
                viewer.reconnect().await;
            }
            _ => {}
        }
        viewer.wait_for_output(&format!("done-{}", round + 100)).await;
    }
    exit(&mut viewer, 3).await;
    let recording = stored(&owner, &agent).await;
    let text = download(&owner, &recording, "v2").await;
    let played = played(&text);
    assert_whole(&played, &viewer);
    assert_eq!(recording["output_bytes"], played.len());
    assert_eq!(recording["exit_code"], 3);

    // The real program takes both versions, where it is there.
    for (format, ending) in [("v2", "cast"), ("v3", "v3.cast")] {
        let text = download(&owner, &recording, format).await;
        assert!(text.starts_with(format!("{{\"version\":{}", &format[1..]).as_bytes()));
        let path = scratch().join(format!("recording-{}.{ending}", std::process::id()));
        std::fs::write(&path, text).expect("a file");
        let Ok(program) = std::env::var(format!("ASCIINEMA_{}", format.to_uppercase())) else {
            continue;
        };
        let output = Command::new(program)
            .arg("cat")
            .arg(&path)
            .output()
            .expect("asciinema runs");
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("done-104"));
    }
}

#[tokio::test]
async fn a_slow_bucket_gets_everything_and_holds_nobody_up() {
    let stack = Stack::start(&[("BUCKET_DELAY_MS", "3000")]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "slow").await;
    let mut viewer = Viewer::attached(&owner, &agent, "slow-1").await;
    viewer.run("seq 1000000 2200000; echo done-$((1+1))", "done-2").await;
    let told = viewer.saw(|message| matches!(message, ToViewer::Error { .. }));
    assert!(!told, "9 MB are far from 48 MiB");
    exit(&mut viewer, 0).await;
    let recording = stored(&owner, &agent).await;
    let played = played(&download(&owner, &recording, "v2").await);
    assert_whole(&played, &viewer);
}

#[tokio::test]
async fn a_session_that_is_ended_or_cut_off_is_recorded_to_its_end() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "ended").await;
    let mut viewer = Viewer::attached(&owner, &agent, "ended-1").await;
    viewer.run("echo before-$((1+1))", "before-2").await;
    assert_eq!(newest(&owner, &agent).await["state"], "recording");
    owner.delete("/api/terminal/sessions/ended-1").await.ok();
    viewer.wait_closed().await;
    let recording = stored(&owner, &agent).await;
    let text = download(&owner, &recording, "v2").await;
    assert!(String::from_utf8_lossy(&played(&text)).contains("before-2"));
}

#[tokio::test]
async fn recordings_are_listed_read_and_loaded_in_parts() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "listed").await;
    let mut viewer = Viewer::attached(&owner, &agent, "listed-1").await;
    viewer.run("echo listed-$((1+1))", "listed-2").await;
    exit(&mut viewer, 0).await;
    let mut recording = stored(&owner, &agent).await;
    let path = format!("/api/recordings/{}", id(&recording));
    assert_eq!(owner.get(&path).await.ok(), json!({"recording": recording}));
    let all = owner.get("/api/recordings?limit=1").await.ok();
    assert_eq!(
        all,
        json!({"recordings": [recording], "total": 1, "limit": 1, "skip": 0})
    );

    let whole = download(&owner, &recording, "v2").await;
    assert_eq!(recording["size_bytes"], whole.len());
    let segments = owner.get(&format!("{path}/segments")).await.ok();
    assert_eq!(segments["next"], Value::Null);
    let list = segments["segments"].as_array().expect("a list");
    let mut text = Vec::new();
    for segment in list {
        let path = format!("{path}/segments/{}", segment["offset"]);
        let part = file(owner.request(Method::GET, &path)).await;
        assert_eq!(segment["size_bytes"], part.len());
        let range = owner
            .request(Method::GET, &path)
            .header("range", "bytes=1-3")
            .send()
            .await
            .expect("an answer");
        assert_eq!(range.status(), 206);
        assert_eq!(range.headers()["content-range"], format!("bytes 1-3/{}", part.len()));
        assert_eq!(range.bytes().await.expect("a body"), part[1..4]);
        let beyond = owner.request(Method::GET, &path).header("range", "bytes=99999999-");
        assert_eq!(beyond.send().await.expect("an answer").status(), 416);
        text.extend(part);
    }
    assert!(text == whole, "the segments are the file");
    assert_eq!(owner.get(&format!("{path}/segments/7")).await.refusal().0, 404);
    assert_eq!(owner.get(&format!("{path}/segments?from=x")).await.refusal().0, 400);
    assert_eq!(owner.get(&format!("{path}/download?format=v9")).await.refusal().0, 400);
    assert_eq!(
        owner.get("/api/recordings/x").await.refusal(),
        (400, "Invalid recording ID".to_owned())
    );

    // Whoever has the address needs no token; and it opens nothing else.
    let given = owner.get(&format!("{path}/url")).await.ok();
    assert_eq!((&given["expires_in"], &given["recording"]), (&json!(900), &recording));
    let address = given["url"]
        .as_str()
        .expect("an address")
        .strip_prefix(&stack.url)
        .expect("here")
        .to_owned();
    let anyone = Anonymous::at(stack);
    assert!(file(anyone.request(Method::GET, &address)).await == whole);
    let other = format!("{}x", &address[..address.len() - 1]);
    assert_eq!(anyone.ask(Method::GET, &other, None).await.refusal().0, 404);

    assert!(hex(take(&mut recording, "id").as_str().expect("an id"), 24));
    for field in ["created_at", "ended_at"] {
        assert!(is_recent(&take(&mut recording, field)));
    }
    for field in ["expires_at", "size_bytes", "output_bytes", "duration_seconds", "s3_key"] {
        assert!(!take(&mut recording, field).is_null());
    }
    assert_eq!(
        recording,
        json!({"session_id": "listed-1", "agent_id": agent.agent_id, "machine_id": agent.machine_id, "machine_name": "listed",
            "tenant_id": owner.username, "user_id": owner.id, "username": owner.username, "state": "complete", "cols": 80,
            "rows": 24, "exit_code": 0, "can_delete": true})
    );
}

#[tokio::test]
async fn whoever_reaches_a_machine_plays_its_recordings_and_whoever_manages_it_deletes_them() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "shared").await;
    let (colleague, stranger) = (join(stack, &owner, "user").await, Account::new(stack).await);
    let mut viewer = Viewer::attached(&owner, &agent, "shared-1").await;
    let running = eventually("the recording to be listed", async || {
        let recording = newest(&owner, &agent).await;
        recording.is_object().then_some(recording)
    })
    .await;
    let path = format!("/api/recordings/{}", id(&running));
    assert_eq!(owner.delete(&path).await.refusal().0, 409, "it runs");
    exit(&mut viewer, 0).await;
    stored(&owner, &agent).await;
    for sub in ["", "/url", "/download", "/segments", "/segments/0"] {
        let path = format!("{path}{sub}");
        assert_eq!(owner.anonymous.ask(Method::GET, &path, None).await.refusal().0, 401);
        assert_eq!(
            stranger.get(&path).await.refusal(),
            (404, "Recording not found".to_owned())
        );
        assert_eq!(colleague.get(&path).await.refusal().0, 403);
    }
    let list = format!("/api/machines/{}/recordings", agent.agent_id);
    assert_eq!(colleague.get(&list).await.refusal().0, 403);
    assert_eq!(colleague.get("/api/recordings").await.status, 403);
    let grant = json!({"username": colleague.username});
    owner
        .post(&format!("/api/machines/{}/access/grant", agent.agent_id), grant)
        .await
        .ok();
    assert_eq!(colleague.get(&list).await.ok()["recordings"][0]["can_delete"], false);
    assert!(!download(&colleague, &running, "v3").await.is_empty());
    assert_eq!(colleague.delete(&path).await.refusal().0, 403);

    owner.delete(&path).await.ok();
    assert_eq!(owner.get(&path).await.refusal().0, 404);
    assert_eq!(owner.delete(&path).await.refusal().0, 404);
    let entries = owner.get("/api/audit?action=recording_deleted").await.ok();
    assert_eq!(entries["total"], 1, "{entries:#}");
    assert_eq!(entries["logs"][0]["details"]["recording"], id(&running));
}

#[tokio::test]
async fn an_organization_says_whether_sessions_are_recorded_and_for_how_long_that_is_kept() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "settings").await;
    owner
        .put("/api/organization", json!({"record_sessions": false}))
        .await
        .ok();
    let mut viewer = Viewer::attached(&owner, &agent, "unrecorded").await;
    exit(&mut viewer, 0).await;
    owner
        .put(
            "/api/organization",
            json!({"record_sessions": true, "recording_days": 2}),
        )
        .await
        .ok();
    let mut viewer = Viewer::attached(&owner, &agent, "recorded").await;
    exit(&mut viewer, 0).await;
    let recording = stored(&owner, &agent).await;
    assert_eq!(recording["session_id"], "recorded");
    let total = async || owner.get("/api/recordings").await.ok()["total"].clone();
    assert_eq!(total().await, 1);

    let url = owner.get(&format!("/api/recordings/{}/url", id(&recording))).await.ok();
    let in_days = |days| (chrono::Utc::now() + chrono::TimeDelta::days(days)).to_rfc3339();
    stack.scheduled(&in_days(1));
    assert_eq!(total().await, 1);
    stack.scheduled(&in_days(3));
    assert_eq!(total().await, 0);
    let address = url["url"]
        .as_str()
        .expect("an address")
        .strip_prefix(&stack.url)
        .expect("here")
        .to_owned();
    let gone = send(owner.anonymous.request(Method::GET, &address)).await;
    assert_eq!(gone.refusal().0, 404);
}

#[tokio::test]
async fn what_a_deleted_machine_has_recorded_is_its_administrators_until_it_expires() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "deleted").await;
    let mut viewer = Viewer::attached(&owner, &agent, "deleted-1").await;
    viewer.run("echo last-$((1+1))", "last-2").await;
    let recording = newest(&owner, &agent).await;
    owner.delete(&format!("/api/machines/{}", agent.agent_id)).await.ok();
    let left = owner.get(&format!("/api/recordings/{}", id(&recording))).await.ok();
    assert_eq!(left["recording"]["state"], "interrupted");
    assert_eq!(left["recording"]["machine_name"], "deleted");
    let text = download(&owner, &recording, "v2").await;
    assert!(String::from_utf8_lossy(&played(&text)).contains("last-2"));
}

#[tokio::test]
async fn a_session_is_watched_while_it_runs_by_whoever_may() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "watched").await;
    let mut viewer = Viewer::attached(&owner, &agent, "watched-1").await;
    viewer.run("echo before-$((1+1))", "before-2").await;
    let recording = newest(&owner, &agent).await;
    let path = format!("/api/recordings/{}", id(&recording));
    let headers: HeaderMap = [(
        "sec-websocket-protocol".parse().expect("a name"),
        HeaderValue::from_static("v1.alis, v2.asciicast, raw"),
    )]
    .into_iter()
    .collect();
    let ticket = owner.post(&format!("{path}/ticket"), json!({})).await.ok();
    let url = format!(
        "{}{path}/live?ticket={}",
        stack.url,
        ticket["ticket"].as_str().expect("a ticket")
    );
    let mut player = open(&url, &headers).await.expect("an upgrade");
    let (status, _) = open(&url, &headers).await.map(|_| ()).expect_err("a ticket works once");
    assert_eq!(status, 401);
    let stranger = Account::new(stack).await;
    let foreign = format!("{}{path}/live?token={}", stack.url, stranger.token);
    assert_eq!(
        open(&foreign, &headers).await.map(|_| ()).expect_err("not theirs").0,
        404
    );

    let mut seen = String::new();
    let header: Value = serde_json::from_str(&next_text(&mut player).await).expect("JSON");
    assert_eq!(
        (&header["version"], &header["width"], &header["height"]),
        (&json!(2), &json!(80), &json!(24))
    );
    viewer.run("echo after-$((2+2))", "after-4").await;
    while !seen.contains("after-4") {
        let event: Value = serde_json::from_str(&next_text(&mut player).await).expect("JSON");
        seen += event[2].as_str().expect("a text");
    }
    assert!(
        seen.contains("before-2"),
        "what the terminal showed comes first: {seen:?}"
    );
    exit(&mut viewer, 0).await;
    let code = loop {
        match player.next().await {
            Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
            Some(Ok(_)) => {}
            other => panic!("no close frame: {other:?}"),
        }
    };
    assert_eq!(code, Some(1000));
    stored(&owner, &agent).await;
    assert_eq!(owner.post(&format!("{path}/ticket"), json!({})).await.refusal().0, 409);
}

async fn next_text(socket: &mut Socket) -> String {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return text.to_string(),
            Some(Ok(_)) => {}
            other => panic!("no text: {other:?}"),
        }
    }
}
