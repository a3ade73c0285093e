//! Recordings: complete whatever happens to the edge, seen by those who may, and gone when they are to go.
use std::path::Path;
use std::process::Command;

use futures_util::StreamExt;
use protocol::api::recordings::PlaybackPart;
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

    // The real programs play the same, where they are there: version 2 of asciinema, which writes what it reads to where one looks,
    // and version 3, which also says how large the terminal is.
    let text = String::from_utf8_lossy(&played).into_owned();
    for format in ["v2", "v3"] {
        let file = download(&owner, &recording, format).await;
        assert!(file.starts_with(format!("{{\"version\":{}", &format[1..]).as_bytes()));
        let path = scratch().join(format!("recording-{}.{format}.cast", std::process::id()));
        std::fs::write(&path, file).expect("a file");
        if format == "v2" {
            assert!(said_by("ASCIINEMA_V2", &["cat"], &path, &[]).is_none_or(|said| said.contains("done-104")));
        }
        let raw = said_by("ASCIINEMA_V3", &["convert", "--output-format", "raw"], &path, &["-"]);
        assert!(
            raw.is_none_or(|said| said == format!("\x1b[8;24;80t{text}")),
            "{format} plays otherwise"
        );
    }
}

/// What a program says of a file, if the environment names the program.
fn said_by(program: &str, before: &[&str], path: &Path, after: &[&str]) -> Option<String> {
    let program = std::env::var(program).ok()?;
    let output = Command::new(program)
        .args(before)
        .arg(path)
        .args(after)
        .output()
        .expect("asciinema runs");
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn what_the_bucket_refuses_is_recorded_all_the_same_though_the_edge_is_killed_meanwhile() {
    let mut stack = Stack::start(&[("BUCKET_REFUSES", "1")]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "refused").await;
    let mut viewer = Viewer::attached(&owner, &agent, "refused-1").await;
    viewer.run("seq 1000000 1200000; echo done-$((1+1))", "done-2").await;
    let refused = |stack: &Stack| stack.log().matches("was not stored").count();
    eventually("the bucket to refuse a part", async || {
        (refused(&stack) > 0).then_some(())
    })
    .await;
    stack.kill();
    viewer.wait_closed().await;
    stack.start_again().await;
    viewer.reconnect().await;
    let before = refused(&stack);
    viewer.run("seq 2000000 2200000; echo done-$((2+2))", "done-4").await;
    eventually("it to refuse another", async || {
        (refused(&stack) > before).then_some(())
    })
    .await;
    let recording = newest(&owner, &agent).await;
    assert_eq!(recording["state"], "recording");
    let segments = owner
        .get(&format!("/api/recordings/{}/segments", id(&recording)))
        .await
        .ok();
    assert_eq!(segments, json!({"segments": [], "next": null}), "nothing is stored");
    let told = viewer.saw(|message| matches!(message, ToViewer::Error { code, .. } if code == "recording_behind"));
    assert!(!told, "and nobody waits for that");

    stack.kill();
    viewer.wait_closed().await;
    stack.unset("BUCKET_REFUSES");
    stack.start_again().await;
    viewer.reconnect().await;
    viewer.run("echo done-$((3+3))", "done-6").await;
    exit(&mut viewer, 0).await;
    let recording = stored(&owner, &agent).await;
    assert_whole(&played(&download(&owner, &recording, "v2").await), &viewer);
}

/// What a terminal of the sessions here shows after some output.
fn shown(output: &[&[u8]]) -> vt100::Parser {
    let mut terminal = vt100::Parser::new(24.try_into().expect("rows"), 80.try_into().expect("columns"), 0);
    output.iter().for_each(|output| terminal.process(output));
    terminal
}

#[tokio::test]
async fn a_player_begins_in_the_middle_with_the_screen_of_then_and_loads_only_what_it_plays() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "long").await;
    let mut viewer = Viewer::attached(&owner, &agent, "long-1").await;
    for round in 1..=6 {
        // Colours, a line without an end, and something that stays where it was written.
        let line = format!(
            "printf '\\033[2J\\033[5;5H\\033[1;32mround-{round}\\033[0m\\n'; seq {round}00000 {round}60000; printf 'done-'$(({round}+100))' '"
        );
        viewer.run(&line, &format!("done-{} ", round + 100)).await;
        // What the agent is asked for it says when the shell is quiet; then all that was before is put.
        let seen = viewer.received();
        let path = format!("/api/recordings/{}/segments", id(&newest(&owner, &agent).await));
        eventually("the screen to be known", async || {
            let segments = owner.get(&path).await.ok();
            let end = segments["segments"].as_array()?.last()?["end"].as_u64()?;
            (end + 4_096 > seen).then_some(())
        })
        .await;
    }
    exit(&mut viewer, 0).await;
    let recording = stored(&owner, &agent).await;
    let file = download(&owner, &recording, "v2").await;
    let whole = played(&file);
    let path = format!("/api/recordings/{}/segments", id(&recording));
    let index = owner.get(&format!("{path}?format=player")).await.ok();
    assert_eq!(
        (&index["version"], &index["term"]),
        (&json!(1), &json!({"cols": 80, "rows": 24}))
    );
    assert_eq!(index["start_at"], Value::Null);
    let segments = index["segments"].as_array().expect("segments").clone();
    assert!(segments.len() > 2, "{index:#}");
    let duration = index["duration"].as_f64().expect("seconds");
    assert!(duration <= recording["duration_seconds"].as_f64().expect("seconds"));

    let mut rest = Vec::new();
    let mut next_start = f64::INFINITY;
    let mut largest = 0;
    // From the last to the first: from each on, what is played is what was.
    for segment in segments.iter().rev() {
        let (url, start) = (
            segment["url"].as_str().expect("a path"),
            segment["start"].as_f64().expect("seconds"),
        );
        let answer = owner.request(Method::GET, url).send().await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "application/json");
        let body = answer.bytes().await.expect("a body");
        largest = largest.max(body.len());
        let part: PlaybackPart = serde_json::from_slice(&body).expect("a segment");
        let times: Vec<f64> = part.events.iter().map(|(at, ..)| *at).collect();
        assert!(
            times.is_sorted() && times.first() == Some(&start),
            "a segment begins with its first event"
        );
        let last = times.last().copied().unwrap_or_default();
        assert!(last < next_start && (next_start.is_finite() || last == duration));
        next_start = start;
        let written = part.events.iter().filter(|(_, kind, _)| kind == "o");
        let output: String = written.map(|(.., text)| text.as_str()).collect();
        rest.splice(0..0, output.into_bytes());

        let before = &whole[..whole.len() - rest.len()];
        let screen = part.snapshot.init.as_str();
        let (truth, begun) = (shown(&[before]), shown(&[screen.as_bytes()]));
        assert_eq!(
            begun.screen().contents_formatted(),
            truth.screen().contents_formatted(),
            "{url}"
        );
        assert_eq!(
            begun.screen().cursor_position(),
            truth.screen().cursor_position(),
            "{url}"
        );
        let (truth, ended) = (shown(&[&whole]), shown(&[screen.as_bytes(), &rest]));
        assert_eq!(
            ended.screen().contents_formatted(),
            truth.screen().contents_formatted(),
            "{url}"
        );
    }
    assert!(rest == whole);
    // One load is far from the whole.
    assert!(largest * 2 < file.len(), "{largest} of {}", file.len());

    // A moment is found where it is played.
    let end = recording["duration_seconds"].as_f64().expect("seconds");
    let at = async |t: f64| owner.get(&format!("{path}?format=player&t={t}")).await.ok()["start_at"].clone();
    assert_eq!(
        (at(0.0).await, at(end).await, at(1e9).await),
        (json!(0.0), json!(duration), json!(duration))
    );
    for (sub, status) in [
        ("?format=x", 400),
        ("?format=player&t=-1", 400),
        ("/0?format=player&until=x", 400),
        ("/7?format=player", 404),
        ("/x?format=player", 404),
    ] {
        assert_eq!(owner.get(&format!("{path}{sub}")).await.refusal().0, status, "{sub}");
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
    let mut before = Viewer::attached(&owner, &agent, "before").await;
    owner
        .put("/api/organization", json!({"record_sessions": false}))
        .await
        .ok();
    // One that was begun before goes on, to its end.
    let mut viewer = Viewer::attached(&owner, &agent, "unrecorded").await;
    exit(&mut viewer, 0).await;
    before.run("echo later-$((1+1))", "later-2").await;
    exit(&mut before, 0).await;
    let recording = stored(&owner, &agent).await;
    assert_eq!(recording["session_id"], "before");
    let text = played(&download(&owner, &recording, "v2").await);
    assert!(String::from_utf8_lossy(&text).contains("later-2"));
    owner.delete(&format!("/api/recordings/{}", id(&recording))).await.ok();
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

    // It is not deleted under those who look at it, nor anything of it that is there already.
    assert_eq!(owner.delete(&path).await.refusal().0, 409);

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

#[tokio::test]
async fn whoever_watches_a_machine_that_is_deleted_sees_the_end_and_what_is_left_can_be_deleted() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "watched-away").await;
    let mut viewer = Viewer::attached(&owner, &agent, "watched-away-1").await;
    viewer.run("echo before-$((1+1))", "before-2").await;
    let recording = newest(&owner, &agent).await;
    let path = format!("/api/recordings/{}", id(&recording));
    let headers: HeaderMap = [(
        "sec-websocket-protocol".parse().expect("a name"),
        HeaderValue::from_static("v2.asciicast"),
    )]
    .into_iter()
    .collect();
    let url = format!("{}{path}/live?token={}", stack.url, owner.token);
    let mut player = open(&url, &headers).await.expect("an upgrade");
    next_text(&mut player).await;
    owner.delete(&format!("/api/machines/{}", agent.agent_id)).await.ok();
    while let Some(Ok(message)) = player.next().await {
        assert!(!message.is_binary());
    }
    let state = async || owner.get(&path).await.ok()["recording"]["state"].clone();
    assert_eq!(state().await, "interrupted");
    // Of what is deleted while somebody plays it, the rest is not there any more.
    let index = owner.get(&format!("{path}/segments?format=player")).await.ok();
    owner.delete(&path).await.ok();
    let segment = index["segments"][0]["url"].as_str().expect("a path");
    assert_eq!(owner.get(segment).await.refusal().0, 404);
}

#[tokio::test]
async fn what_is_typed_without_an_echo_is_neither_in_the_file_nor_beside_it() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "secretive").await;
    let mut viewer = Viewer::attached(&owner, &agent, "secretive-1").await;
    viewer.types("stty -echo; printf 'sec''ret: '; read -r it; stty echo; echo \" got-${#it}\"\r");
    viewer.wait_for_output("secret: ").await;
    viewer.types("hunter2-hunter2\r");
    viewer.wait_for_output("got-15").await;
    exit(&mut viewer, 0).await;
    let recording = stored(&owner, &agent).await;
    let file = download(&owner, &recording, "v2").await;
    assert!(String::from_utf8_lossy(&file).contains("got-15"));
    for beside in [recording.to_string(), stack.sql("SELECT * FROM recordings").to_string()] {
        for text in ["hunter2", "got-15", "secret: "] {
            assert!(!beside.contains(text), "{text} in {beside}");
        }
    }
    assert!(!String::from_utf8_lossy(&file).contains("hunter2"));
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
