//! The Sessions API: its envelope, its limits, and its socket, with a real agent.
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::support::account::{Account, Answer, send};
use crate::support::agent::{Agent, World, folder_for_shells};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::{Socket, Viewer, open};
use crate::support::wait::{PATIENCE, eventually};

/// A client of the socket and everything it was told.
struct Client {
    socket: Socket,
    frames: Vec<Value>,
    text: String,
    closed: Option<(u16, String)>,
}

impl Client {
    /// Opens the socket of a session; `query` may prove who it is.
    async fn connect(account: &Account, session: &str, query: &str) -> Self {
        let url = format!("{}/v1/sessions/{session}/ws{query}", account.anonymous.url);
        Self::at(&url).await
    }

    async fn at(url: &str) -> Self {
        Self {
            socket: open(url, &HeaderMap::new()).await.expect("an upgrade"),
            frames: Vec::new(),
            text: String::new(),
            closed: None,
        }
    }

    /// Opens it and says who it is.
    async fn authenticated(account: &Account, opened: &Value) -> Self {
        let session = opened["session_id"].as_str().expect("a name");
        let mut client = Self::connect(account, session, "").await;
        client.say(json!({"type": "auth", "token": opened["token"]})).await;
        client
    }

    async fn say(&mut self, frame: Value) {
        self.socket
            .send(Message::text(frame.to_string()))
            .await
            .expect("an open socket");
    }

    async fn types(&mut self, text: &str) {
        self.say(json!({"type": "input", "data": text})).await;
    }

    async fn wait_for_output(&mut self, text: &str) {
        self.wait(&format!("{text:?} in the output"), |client| client.text.contains(text))
            .await;
    }

    async fn wait_closed(&mut self) -> (u16, String) {
        self.wait("the socket to close", |client| client.closed.is_some()).await;
        self.closed.clone().expect("it is")
    }

    /// The code of the last error, and how the socket was closed.
    async fn refusal(&mut self) -> (String, u16) {
        let (code, _) = self.wait_closed().await;
        let last = self.frames.last().cloned().unwrap_or_default();
        assert_eq!(last["data"], last["message"], "{last}");
        (last["code"].as_str().unwrap_or_default().to_owned(), code)
    }

    async fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(
                self.closed.is_none(),
                "closed {:?} before: {what}\n{:#?}",
                self.closed,
                self.frames
            );
            let Ok(message) = timeout_at(deadline, self.socket.next()).await else {
                panic!("waited {PATIENCE:?} in vain for: {what}\n{:#?}", self.frames);
            };
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
                    if frame["type"] == "output" {
                        self.text.push_str(frame["data"].as_str().expect("text"));
                    }
                    self.frames.push(frame);
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    self.closed = Some((frame.code.into(), frame.reason.to_string()))
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.closed = Some((1006, "no close frame".to_owned())),
            }
        }
    }
}

/// The content of a success.
fn data(answer: Answer) -> Value {
    let mut body = answer.ok();
    assert_eq!(body["success"], true, "{body:#}");
    take(&mut body, "data")
}

async fn opened(account: &Account, agent: &Agent) -> Value {
    let body = json!({"machine_id": format!("mch_{}", agent.machine_id), "terminal_size": {"cols": 91, "rows": 17}});
    let answer = account.post("/v1/sessions", body).await;
    assert_eq!(answer.status, 201, "{answer:#?}");
    data(answer)
}

#[tokio::test]
async fn a_session_is_opened_used_looked_at_and_ended() {
    let world = World::shared().await;
    let (owner, agent) = (&world.owner, &world.agent);
    let session = opened(owner, agent).await;
    let id = session["session_id"].as_str().expect("a name").to_owned();
    assert!(id.strip_prefix("sess_").is_some_and(|rest| hex(rest, 24)), "{session}");
    let url = session["websocket_url"].as_str().expect("an address");
    assert_eq!(
        url,
        format!("{}/v1/sessions/{id}/ws", owner.anonymous.url.replacen("http", "ws", 1))
    );

    // It is there before its client comes.
    let path = format!("/v1/sessions/{id}");
    let mut detail = data(owner.get(&path).await);
    for time in ["started_at", "last_activity"] {
        assert!(is_recent(&take(&mut detail, time)), "{time}");
    }
    assert!(take(&mut detail, "ip_address").is_string());
    let host = take(&mut detail["machine"], "host");
    assert!(host.as_str().is_some_and(|host| !host.is_empty()), "{host}");
    assert_eq!(
        detail,
        json!({"id": id, "user": {"id": format!("usr_{}", owner.id), "name": owner.username, "email": owner.email},
            "machine": {"id": format!("mch_{}", agent.machine_id), "name": "shared"}, "status": "active", "ended_at": null,
            "source": "api", "user_agent": "", "commands_count": 0})
    );

    let mut client = Client::authenticated(owner, &session).await;
    // Before the shell is there.
    client.types("stty size; echo sum=$((6*7))\n").await;
    client.wait_for_output("17 91").await;
    client.wait_for_output("sum=42").await;
    client.say(json!({"type": "resize", "cols": 120, "rows": 40})).await;
    client.types("stty size\n").await;
    client.wait_for_output("40 120").await;
    let errors = |client: &Client| {
        client
            .frames
            .iter()
            .filter(|frame| frame["code"] == "VALIDATION_ERROR")
            .count()
    };
    for (count, bad) in [
        json!({"type": "resize", "cols": 0, "rows": 1}),
        json!({"type": "unheard"}),
        json!({"type": "auth", "token": "again"}),
        json!("ls"),
    ]
    .into_iter()
    .enumerate()
    {
        client.say(bad.clone()).await;
        client
            .wait(&format!("an answer to {bad}"), |client| errors(client) == count + 1)
            .await;
    }
    client.say(json!({"type": "ping"})).await;
    client
        .wait("a pong", |client| {
            client.frames.iter().any(|frame| frame["type"] == "pong")
        })
        .await;

    let listed = data(owner.get(&format!("/v1/sessions?machine_id={}", agent.agent_id)).await);
    let sessions = listed["sessions"].as_array().expect("a list");
    let row = sessions
        .iter()
        .find(|row| row["id"] == id.as_str())
        .expect("it is listed");
    assert_eq!(
        row["user"],
        json!({"id": format!("usr_{}", owner.id), "name": owner.username})
    );

    for _ in 0..2 {
        assert_eq!(
            owner.delete(&path).await.ok(),
            json!({"success": true, "message": "Session terminated successfully"})
        );
    }
    assert_eq!(client.wait_closed().await, (4008, "Session terminated".to_owned()));
    assert_eq!(client.frames.last().expect("a frame")["type"], "disconnect");
    assert_eq!(data(owner.get(&path).await)["status"], "ended");
    let mut late = Client::authenticated(owner, &session).await;
    assert_eq!(late.wait_closed().await.0, 1000);
    assert_eq!(
        late.frames,
        [json!({"type": "disconnect", "reason": "This session has ended"})]
    );
}

#[tokio::test]
async fn a_client_that_returns_finds_its_shell_and_takes_its_own_place_only() {
    let world = World::shared().await;
    let session = opened(&world.owner, &world.agent).await;
    let id = session["session_id"].as_str().expect("a name");
    let mut first = Client::authenticated(&world.owner, &session).await;
    first.types("kept=$((40+2)); echo set-$kept\n").await;
    first.wait_for_output("set-42").await;
    // By the account's own token in the address, and then by the session's.
    let query = format!("?token={}", world.owner.token);
    let mut second = Client::connect(&world.owner, id, &query).await;
    second.types("echo second-$kept\n").await;
    second.wait_for_output("second-42").await;
    assert_eq!(
        first.wait_closed().await,
        (4009, "Replaced by another connection".to_owned())
    );
    assert_eq!(
        first.frames.last(),
        Some(&json!({"type": "disconnect", "reason": "replaced"}))
    );
    drop(second);
    let mut third = Client::authenticated(&world.owner, &session).await;
    third.types("echo third-$kept; exit 7\n").await;
    third.wait_for_output("third-42").await;
    assert_eq!(third.wait_closed().await, (1000, "Session ended".to_owned()));
    let last = json!({"type": "disconnect", "reason": "Session ended", "exit_code": 7});
    assert_eq!(third.frames.last(), Some(&last));
}

#[tokio::test]
async fn a_socket_says_who_it_is_first_and_learns_nothing_before() {
    let world = World::shared().await;
    let stranger = Account::new(world.stack).await;
    let colleague = join(world.stack, &world.owner, "company_admin").await;
    let session = opened(&world.owner, &world.agent).await;
    let id = session["session_id"].as_str().expect("a name");
    let mut there = Client::authenticated(&world.owner, &session).await;
    there.types("echo here-$((1+1))\n").await;
    there.wait_for_output("here-2").await;
    let other = opened(&world.owner, &world.agent).await;
    let (unknown, chosen) = ("sess_00000000000000000000000a", "a-name-of-a-client");
    let auth = |token: &Value| json!({"type": "auth", "token": token});
    let unauthorized = ("UNAUTHORIZED".to_owned(), 4001);
    let not_found = ("NOT_FOUND".to_owned(), 4004);
    for name in [id, unknown, chosen] {
        for (first, expected) in [
            (json!({"type": "input", "data": "echo no\n"}), &unauthorized),
            (auth(&json!("nonsense")), &unauthorized),
            (auth(&other["token"]), &unauthorized),
            (auth(&json!("x".repeat(9000))), &unauthorized),
            (auth(&json!(stranger.token)), &not_found),
        ] {
            let mut client = Client::connect(&world.owner, name, "").await;
            client.say(first.clone()).await;
            assert_eq!(client.refusal().await, *expected, "{name}: {first}");
            assert_eq!(client.frames.len(), 1, "{name}: {:#?}", client.frames);
        }
        // In the address, too.
        let mut client = Client::connect(&world.owner, name, &format!("?token={}", stranger.token)).await;
        assert_eq!(client.refusal().await, not_found, "{name}");
    }
    // Who may see it, and does not own it.
    let mut client = Client::connect(&world.owner, id, "").await;
    client.say(auth(&json!(colleague.token))).await;
    assert_eq!(client.refusal().await, ("FORBIDDEN".to_owned(), 1008));
    there.types("echo still-$((1+1))\n").await;
    there.wait_for_output("still-2").await;
    assert!(!there.text.contains("echo no"), "{}", there.text);
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_closed_whether_its_session_is_there_or_not() {
    let world = World::shared().await;
    let session = opened(&world.owner, &world.agent).await;
    let id = session["session_id"].as_str().expect("a name");
    let mut there = Client::connect(&world.owner, id, "").await;
    let mut nowhere = Client::connect(&world.owner, "sess_00000000000000000000000b", "").await;
    for client in [&mut there, &mut nowhere] {
        assert_eq!(client.refusal().await, ("UNAUTHORIZED".to_owned(), 4001));
    }
}

#[tokio::test]
async fn sessions_are_counted_and_listed_for_those_whose_they_are() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "counted").await;
    let (colleague, stranger) = (join(stack, &owner, "user").await, Account::new(stack).await);
    let session = opened(&owner, &agent).await;
    let id = session["session_id"].as_str().expect("a name");
    let _other = Viewer::attached(&owner, &agent, "cli-counted").await;
    owner.delete("/api/terminal/sessions/cli-counted").await.ok();

    let count = async |who: &Account, query: &str| {
        let list = data(who.get(&format!("/v1/sessions{query}")).await);
        list["pagination"]["total"].as_u64().expect("a number")
    };
    for (query, expected) in [
        ("", 1),
        ("?status=active", 1),
        ("?status=ended", 1),
        ("?status=closed", 1),
        ("?status=all", 2),
        ("?status=all&to=2020-01-01T00:00:00Z", 0),
        ("?status=all&machine_id=mch_00000000000000000000000a", 0),
    ] {
        assert_eq!(count(&owner, query).await, expected, "{query}");
    }
    let of = format!(
        "?status=all&machine_id=mch_{}&user_id=usr_{}&limit=1&page=2",
        agent.machine_id, owner.id
    );
    let page = data(owner.get(&format!("/v1/sessions{of}")).await);
    assert_eq!(
        page["pagination"],
        json!({"page": 2, "limit": 1, "total": 2, "total_pages": 2})
    );
    for who in [&colleague, &stranger] {
        assert_eq!(count(who, "?status=all").await, 0);
    }
    for (query, field) in [("?status=open", "status"), ("?from=yesterday", "from")] {
        let answer = owner.get(&format!("/v1/sessions{query}")).await;
        assert_eq!(answer.body["error"]["code"], "VALIDATION_ERROR");
        assert!(answer.refusal().1.starts_with(field));
    }

    let stats = data(owner.get("/v1/sessions/stats?period=day").await);
    let top = json!([{"machine_id": format!("mch_{}", agent.machine_id), "name": "counted", "sessions_count": 2}]);
    assert_eq!(
        (
            &stats["total_sessions"],
            &stats["active_sessions"],
            &stats["unique_users"],
            &stats["top_machines"]
        ),
        (&json!(2), &json!(1), &json!(1), &top)
    );
    assert!(stats["total_duration_hours"].is_number());
    assert_eq!(data(stranger.get("/v1/sessions/stats").await)["total_sessions"], 0);
    assert_eq!(owner.get("/v1/sessions/stats?period=year").await.refusal().0, 400);

    // Nobody, a stranger, and a colleague.
    let answer = send(owner.anonymous.request(Method::GET, "/v1/sessions")).await;
    assert_eq!(
        (&answer.body["error"]["code"], answer.status),
        (&json!("UNAUTHORIZED"), 401)
    );
    let body = json!({"machine_id": agent.agent_id});
    for (method, path) in [(Method::GET, ""), (Method::GET, "/logs"), (Method::DELETE, "")] {
        let path = format!("/v1/sessions/{id}{path}");
        assert_eq!(
            send(stranger.request(method.clone(), &path)).await.refusal(),
            (404, "Session not found".into())
        );
        let answer = send(colleague.request(method, &path)).await;
        assert_eq!(answer.body["error"]["code"], "FORBIDDEN");
    }
    assert_eq!(
        stranger.post("/v1/sessions", body.clone()).await.refusal(),
        (404, "Machine not found".into())
    );
    assert_eq!(colleague.post("/v1/sessions", body).await.refusal().0, 403);
    assert_eq!(
        data(owner.get(&format!("/v1/sessions/{id}")).await)["status"],
        "active",
        "nothing changed"
    );

    let away = Agent::enrolled(&owner, "away", &stack.url).await;
    let answer = owner.post("/v1/sessions", json!({"machine_id": away.agent_id})).await;
    assert_eq!(
        (&answer.body["error"]["code"], answer.status),
        (&json!("MACHINE_OFFLINE"), 503)
    );
}

#[tokio::test]
async fn machines_are_listed_tested_connected_to_and_deleted() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "companion").await;
    let stranger = Account::new(stack).await;
    let id = format!("mch_{}", agent.machine_id);
    let list = data(owner.get("/v1/machines?status=online&search=compan").await);
    assert_eq!(
        list["pagination"],
        json!({"page": 1, "limit": 20, "total": 1, "total_pages": 1})
    );
    let mut machine = list["machines"][0].clone();
    assert!(is_recent(&take(&mut machine, "last_connected")) && is_recent(&take(&mut machine, "created_at")));
    let host = take(&mut machine, "host");
    assert_eq!(
        machine,
        json!({"id": id, "name": "companion", "port": null, "status": "online", "tags": []})
    );
    assert_eq!(data(stranger.get("/v1/machines").await)["machines"], json!([]));

    for name in [&id, &agent.machine_id, &agent.agent_id] {
        let detail = data(owner.get(&format!("/v1/machines/{name}")).await);
        assert_eq!(
            (&detail["id"], &detail["host"], &detail["auth_type"]),
            (&json!(id), &host, &json!("agent"))
        );
        assert_eq!(stranger.get(&format!("/v1/machines/{name}")).await.status, 404);
    }
    let test = data(owner.post(&format!("/v1/machines/{id}/test"), json!({})).await);
    assert_eq!(test["connected"], true);
    assert!(
        test["latency_ms"].is_u64() && test["server_info"]["os"].as_str().is_some_and(|os| !os.is_empty()),
        "{test}"
    );
    let session = data(owner.post(&format!("/v1/machines/{id}/connect"), json!({})).await);
    let mut client = Client::authenticated(&owner, &session).await;
    client.types("stty size\n").await;
    client.wait_for_output("24 80").await;

    assert_eq!(
        owner.delete(&format!("/v1/machines/{id}")).await.ok(),
        json!({"success": true, "message": "Machine deleted successfully"})
    );
    assert_eq!(client.wait_closed().await.0, 4008);
    assert_eq!(owner.get(&format!("/v1/machines/{id}")).await.status, 404);
}

#[tokio::test]
async fn what_was_run_in_a_session_is_read_as_json_and_as_text() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::enrolled(&owner, "logged-v1", &owner.anonymous.url).await;
    let folder = folder_for_shells();
    agent.keeps_things_in(folder.path());
    agent.logs_in_with("/bin/bash");
    agent.start().await;
    let session = opened(&owner, &agent).await;
    let path = format!("/v1/sessions/{}/logs", session["session_id"].as_str().expect("a name"));
    let mut client = Client::authenticated(&owner, &session).await;
    client.types("printf '\\033[31mr''ed\\033[0m\\n'\n").await;
    client.wait_for_output("red").await;
    let command = "printf '\\033[31mr''ed\\033[0m\\n'";
    let logs = eventually("the command and what it wrote", async || {
        let logs = data(owner.get(&path).await);
        (logs["logs"].as_array()?.len() == 2).then_some(logs)
    })
    .await;
    assert_eq!(logs["session_id"], session["session_id"]);
    let [ran, wrote] = [0, 1].map(|place| logs["logs"][place].clone());
    assert_eq!((&ran["type"], &ran["content"]), (&json!("command"), &json!(command)));
    assert_eq!(
        (&wrote["type"], &wrote["content"]),
        (&json!("output"), &json!("\u{1b}[31mred\u{1b}[0m\r\n"))
    );
    assert!(is_recent(&ran["timestamp"]) && is_recent(&wrote["timestamp"]));
    let text = owner.get(&format!("{path}?format=text")).await;
    assert_eq!(text.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(text.body, json!(format!("$ {command}\nred\n")));
    assert_eq!(owner.get(&format!("{path}?format=xml")).await.refusal().0, 400);
}

#[tokio::test]
async fn a_session_without_a_command_log_has_the_log_that_its_recording_has() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::enrolled(&owner, "recorded-v1", &stack.url).await;
    let folder = folder_for_shells();
    agent.keeps_things_in(folder.path());
    agent.logs_in_with("/bin/bash");
    agent.start().await;
    let session = opened(&owner, &agent).await;
    let name = session["session_id"].as_str().expect("a name").to_owned();
    let path = format!("/v1/sessions/{name}/logs");
    let mut client = Client::authenticated(&owner, &session).await;
    client.types("printf '\\033[31mr''ed\\033[0m\\n'\n").await;
    client.wait_for_output("red").await;
    eventually("the command in the log", async || {
        (data(owner.get(&path).await)["logs"][0]["type"] == "command").then_some(())
    })
    .await;
    owner.delete(&format!("/v1/sessions/{name}")).await.ok();
    eventually("the recording to be whole", async || {
        let list = owner
            .get(&format!("/api/machines/{}/recordings", agent.agent_id))
            .await
            .ok();
        (list["recordings"][0]["state"] != "recording").then_some(())
    })
    .await;
    // The log is kept for its own time, and the object of the machine remembers nothing.
    stack.sql("DELETE FROM command_logs");
    stack.evict(&agent.machine_id);
    let logs = data(owner.get(&path).await);
    assert_eq!(logs["pagination"]["total"], 1);
    let log = &logs["logs"][0];
    assert_eq!(
        (&log["type"], logs["logs"].as_array().map(Vec::len)),
        (&json!("output"), Some(1))
    );
    assert!(
        log["content"]
            .as_str()
            .expect("a text")
            .contains("\u{1b}[31mred\u{1b}[0m\r\n"),
        "{log}"
    );
    assert!(is_recent(&log["timestamp"]));
    let text = owner.get(&format!("{path}?format=text")).await;
    assert_eq!(text.headers["content-type"], "text/plain; charset=utf-8");
    assert!(text.body.as_str().expect("a text").contains("\nred\n"), "{text:#?}");

    // Whoever does not reach the machine reads no recording, though a session of their own.
    let colleague = join(&stack, &owner, "user").await;
    stack.sql(&format!(
        "UPDATE terminal_sessions SET user_id = (SELECT id FROM users WHERE username = '{}') WHERE session_id = '{name}'",
        colleague.username
    ));
    let none = data(colleague.get(&path).await);
    assert_eq!((&none["logs"], &none["pagination"]["total"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_go_on() {
    let stack = Stack::start(&[("V1_REQUESTS", "3"), ("V1_REQUESTS_PER_MINUTE", "3")]).await;
    let (somebody, other) = (Account::new(&stack).await, Account::new(&stack).await);
    let header = |answer: &Answer, name: &str| -> u64 {
        answer.headers[name].to_str().expect("ASCII").parse().expect("a number")
    };
    let first = somebody.get("/v1/sessions").await;
    assert_eq!((first.status, header(&first, "x-ratelimit-limit")), (200, 3));
    assert!(header(&first, "x-ratelimit-remaining") <= 2 && header(&first, "x-ratelimit-reset") > 1_700_000_000);
    let refused = eventually("a refusal", async || {
        let answer = somebody.get("/v1/sessions").await;
        (answer.status == 429).then_some(answer)
    })
    .await;
    assert_eq!(refused.body["error"]["code"], "RATE_LIMITED");
    assert_eq!(header(&refused, "x-ratelimit-remaining"), 0);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(
        other.get("/v1/sessions").await.status,
        200,
        "others are not in the way of each other"
    );
    assert_eq!(
        somebody.get("/api/machines").await.status,
        200,
        "it is the limit of /v1"
    );
}
