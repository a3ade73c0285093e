//! `/api/terminal/{agent_id}/ws` as clients of the published API use it: JSON frames, or `format=raw`.
use serde_json::json;

use crate::support::account::Account;
use crate::support::agent::{Agent, World, folder_for_shells};
use crate::support::published::Published;
use crate::support::stack::Stack;
use crate::support::wait::eventually;

#[tokio::test]
async fn the_first_frame_says_that_the_shell_is_there_and_output_is_text() {
    let world = World::shared().await;
    let mut client = Published::connect(
        &world.owner,
        &world.agent,
        "&session_id=session_1_first&cols=90&rows=20",
    )
    .await;
    client.types("echo sum=$((6*7)); stty size\r").await;
    client.wait_for_output("sum=42").await;
    client.wait_for_output("20 90").await;
    assert_eq!(
        client.frames[0],
        json!({"type": "session_ready", "session_id": "session_1_first", "agent_id": world.agent.agent_id, "cols": 90, "rows": 20})
    );
}

#[tokio::test]
async fn input_is_taken_in_every_form_and_never_echoed_by_the_relay() {
    let world = World::shared().await;
    let mut client = Published::connect(&world.owner, &world.agent, "").await;
    client.send("stty -echo; echo quiet-$((1+1))\r").await;
    client.wait_for_output("quiet-2").await;
    let before = client.text.len();
    client
        .send("echo ready-$((3+3)); read a; read b; read c; read d; echo \"got=$a,$b,$c,$d.\"\r")
        .await;
    client.wait_for_output("ready-6").await;
    client.say(json!({"type": "input", "input": "one\r"})).await;
    client.say(json!({"type": "input", "data": "two\r"})).await;
    client.send_binary(b"three\r").await;
    client.send("{\"type\":\"unheard\"}\r").await;
    client
        .wait_for_output("got=one,two,three,{\"type\":\"unheard\"}.")
        .await;
    let said = &client.text[before..];
    assert_eq!(said.matches("one").count(), 1, "{said:?}");
    assert!(
        client
            .frames
            .iter()
            .all(|frame| frame["type"] != "input" && frame["type"] != "unheard")
    );
}

#[tokio::test]
async fn a_control_frame_with_bad_fields_is_answered_and_the_connection_lives() {
    let world = World::shared().await;
    let mut client = Published::connect(&world.owner, &world.agent, "").await;
    client.wait_frame("session_ready").await;
    let errors = |client: &Published| client.frames.iter().filter(|frame| frame["type"] == "error").count();
    for (count, bad) in [
        json!({"type": "resize", "cols": 0, "rows": 24}),
        json!({"type": "resize"}),
        json!({"type": "input"}),
        json!({"type": "input", "input": 5}),
        json!({"type": "port_connect", "port": 22}),
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
    client.wait_frame("pong").await;
    client.say(json!({"type": "resize", "rows": 33, "cols": 77})).await;
    client.types("stty size\r").await;
    client.wait_for_output("33 77").await;
}

#[tokio::test]
async fn a_character_that_is_split_over_two_reads_arrives_whole() {
    let world = World::shared().await;
    let mut client = Published::connect(&world.owner, &world.agent, "").await;
    client.send("stty -echo; PS1=; echo quiet-$((1+1))\r").await;
    client.wait_for_output("quiet-2\r\n").await;
    // Half of an é, and half of a euro sign.
    client
        .send("printf 'first:\\303'; read x; printf '\\251:second:\\342\\202'; read x; printf '\\254:third'\r")
        .await;
    client.wait_for_output("first:").await;
    client.send("\r").await;
    client.wait_for_output("first:é:second:").await;
    client.send("\r").await;
    client.wait_for_output("first:é:second:€:third").await;
    assert!(!client.text.contains('\u{FFFD}'), "{:?}", client.text);
}

#[tokio::test]
async fn bytes_that_are_no_text_at_all_are_marked_and_the_rest_is_whole() {
    let world = World::shared().await;
    let mut client = Published::connect(&world.owner, &world.agent, "").await;
    client.types("printf 'a\\377b\\300c:%s\\n' $((1+1))\r").await;
    client.wait_for_output("a\u{FFFD}b\u{FFFD}c:2").await;
}

#[tokio::test]
async fn a_raw_client_gets_output_as_bytes_and_nothing_else() {
    let world = World::shared().await;
    let mut client = Published::connect(&world.owner, &world.agent, "&format=raw").await;
    client
        .send("printf 'raw=\\377\\000\\303.%s\\n' $((1+1)); exit 3\r")
        .await;
    let close = client.wait_closed().await;
    let expected = b"raw=\xff\x00\xc3.2\r\n";
    assert!(
        client.raw.windows(expected.len()).any(|window| window == expected),
        "{:?}",
        String::from_utf8_lossy(&client.raw)
    );
    assert!(client.frames.is_empty(), "{:?}", client.frames);
    assert_eq!(close, (1000, "Session ended".to_owned()));
}

#[tokio::test]
async fn the_last_frame_says_why_and_how_the_shell_ended() {
    let world = World::shared().await;
    let mut client = Published::connect(&world.owner, &world.agent, "").await;
    client.types("exit 7\r").await;
    assert_eq!(client.wait_closed().await, (1000, "Session ended".to_owned()));
    assert_eq!(
        client.frames.last(),
        Some(&json!({"type": "disconnect", "reason": "Session ended", "exit_code": 7}))
    );

    let mut client = Published::connect(&world.owner, &world.agent, "&session_id=session_2_ended").await;
    client.wait_frame("session_ready").await;
    world.owner.delete("/api/terminal/sessions/session_2_ended").await.ok();
    assert_eq!(client.wait_closed().await, (4008, "Session terminated".to_owned()));
    assert_eq!(
        client.frames.last(),
        Some(&json!({"type": "disconnect", "reason": "Session terminated"}))
    );
}

#[tokio::test]
async fn a_client_that_returns_finds_its_shell_and_one_that_comes_a_second_time_replaces_the_first() {
    let world = World::shared().await;
    let name = "&session_id=session_3_back";
    let mut first = Published::connect(&world.owner, &world.agent, name).await;
    first.types("kept=$((40+2)); echo set-$kept\r").await;
    first.wait_for_output("set-42").await;
    first.cut();
    let mut second = Published::connect(&world.owner, &world.agent, name).await;
    second.types("echo still-$kept\r").await;
    second.wait_for_output("still-42").await;
    let mut third = Published::connect(&world.owner, &world.agent, name).await;
    third.wait_frame("session_ready").await;
    assert_eq!(
        second.wait_closed().await,
        (4009, "Replaced by another connection".to_owned())
    );
    third.types("echo third-$kept\r").await;
    third.wait_for_output("third-42").await;
}

#[tokio::test]
async fn a_long_output_arrives_whole() {
    let world = World::shared().await;
    let mut client = Published::connect(&world.owner, &world.agent, "").await;
    client
        .send("stty -echo -opost; PS1=; echo go-$((1+1)); seq 1 500000; echo end-$((1+1))\r")
        .await;
    client.wait_for_output("end-2").await;
    let (_, rest) = client.text.split_once("go-2\n").expect("the beginning");
    let (numbers, _) = rest.split_once("end-2").expect("the end");
    let expected: String = (1..=500_000).map(|number| format!("{number}\n")).collect();
    assert!(
        numbers == expected,
        "{} bytes instead of {}",
        numbers.len(),
        expected.len()
    );
}

#[tokio::test]
async fn a_client_is_told_that_the_agent_is_away_and_served_when_it_comes() {
    let stack = Stack::start(&[("AGENT_GRACE_SECONDS", "3")]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::enrolled(&owner, "away", &stack.url).await;
    let mut client = Published::connect(&owner, &agent, "").await;
    let error = client.wait_frame("error").await;
    assert_eq!(
        error,
        json!({"type": "error", "error": "agent not connected", "code": "AGENT_OFFLINE"})
    );
    client.types("echo typed-$((1+1))-ahead\r").await;
    agent.launch();
    client.wait_frame("session_ready").await;
    client.wait_for_output("typed-2-ahead").await;

    agent.signal("STOP");
    agent.kill();
    assert_eq!(client.wait_closed().await, (1013, "Agent offline".to_owned()));
    assert_eq!(
        client.frames.last(),
        Some(&json!({"type": "disconnect", "reason": "Agent offline"}))
    );
}

#[tokio::test]
async fn a_command_frame_is_answered_with_what_the_command_wrote() {
    // Of a machine that nobody else runs commands on: they would be heard here, too.
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&owner, "commanded").await;
    let mut client = Published::connect(&owner, &agent, "&session_id=session_4_command").await;
    client.wait_frame("session_ready").await;
    let command = "echo out-$((40+2)); echo err >&2; exit 5";
    client.say(json!({"type": "command", "command": command})).await;
    let started = client.wait_frame("command_started").await;
    let id = started["command_id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("cmd_"), "{id}");
    assert_eq!(
        started,
        json!({"type": "command_started", "command_id": id, "command": command})
    );
    assert_eq!(
        client.wait_frame("command_output").await,
        json!({
            "type": "command_output", "command_id": id, "stdout": "out-42\n", "stderr": "err\n", "exit_code": 5,
            "completed": true
        })
    );
    assert!(!client.text.contains("out-42"), "it did not go through the terminal");

    client
        .say(json!({"type": "command", "command": "sleep 300", "timeout_seconds": 1}))
        .await;
    let last = |client: &Published| client.frames.last().cloned().expect("a frame");
    client
        .wait("the end of a command whose time is up", |client| {
            last(client)["error"].is_string()
        })
        .await;
    let ended = last(&client);
    assert_eq!(
        (&ended["exit_code"], &ended["completed"], &ended["error"]),
        (&json!(null), &json!(true), &json!("it ran out of time and was killed"))
    );
}

#[tokio::test]
async fn a_client_that_was_cut_gets_the_result_of_its_command_when_it_returns() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&owner, "returned-to").await;
    let name = "&session_id=session_5_command";
    let mut first = Published::connect(&owner, &agent, name).await;
    first.wait_frame("session_ready").await;
    let folder = folder_for_shells();
    let returned = folder.path().join("returned");
    let command = format!("until [ -e {} ]; do sleep 0.05; done; echo kept", returned.display());
    first.say(json!({"type": "command", "command": command})).await;
    let id = first.wait_frame("command_started").await["command_id"].clone();
    first.cut();
    // It ends while nobody is there, and once somebody is.
    std::fs::write(&returned, "").expect("a file");
    let path = format!("/api/commands/{}", id.as_str().expect("an id"));
    eventually("the result to be kept", async || {
        let answer = owner.get(&path).await;
        (answer.body["status"] == "completed").then_some(())
    })
    .await;
    let mut second = Published::connect(&owner, &agent, name).await;
    let output = second.wait_frame("command_output").await;
    assert_eq!((&output["command_id"], &output["stdout"]), (&id, &json!("kept\n")));
}
