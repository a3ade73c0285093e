//! `vsay`, run as people and scripts run it.
use std::os::unix::fs::PermissionsExt;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::ChildStderr;

use crate::support::account::{Account, send};
use crate::support::agent::{Agent, World};
use crate::support::cli::Cli;
use crate::support::process::signal;
use crate::support::proxy::Proxy;
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;
use crate::support::wait::within;

#[tokio::test]
async fn signing_in_keeps_a_token_that_only_its_owner_may_read() {
    let stack = Stack::shared().await;
    let somebody = Account::new(stack).await;
    let cli = Cli::signed_in(&somebody, &format!("{}/api/", stack.url)).await;
    let kept: Value = serde_json::from_slice(&std::fs::read(cli.config()).expect("kept")).expect("JSON");
    assert_eq!(kept["api_url"], stack.url);
    assert_eq!(kept.as_object().expect("an object").len(), 2);
    let mode = std::fs::metadata(cli.config()).expect("kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let status = cli.run(&["status"], "").await;
    assert!(
        status.status == 0 && status.out.contains(&somebody.email) && status.out.contains(&stack.url),
        "{status:?}"
    );
    assert!(!status.out.contains(kept["token"].as_str().expect("a token")));

    assert_eq!(cli.run(&["logout"], "").await.out, "Signed out.\n");
    assert!(!cli.config().exists());
    let status = cli.run(&["status"], "").await;
    assert_eq!(
        (status.status, status.err.as_str()),
        (1, "vsay: not signed in; run: vsay login <URL>\n")
    );
}

#[tokio::test]
async fn signing_in_by_name_or_token_works_and_a_wrong_password_keeps_nothing() {
    let stack = Stack::shared().await;
    let somebody = Account::new(stack).await;
    let cli = Cli::new();
    let wrong = cli
        .run(&["login", &stack.url, "--email", &somebody.email], "wrong password\n")
        .await;
    assert_eq!((wrong.status, wrong.err.as_str()), (1, "vsay: Invalid credentials\n"));
    let bad = cli.run(&["login", &stack.url, "--token", "garbage"], "").await;
    assert_eq!(bad.status, 1, "{bad:?}");
    assert!(!cli.config().exists());
    let by_name = cli
        .run(
            &["login", &stack.url, "--email", &somebody.username],
            "correct horse battery\n",
        )
        .await;
    assert_eq!(by_name.status, 0, "{by_name:?}");
    let by_token = cli.run(&["login", &stack.url, "--token", &somebody.token], "").await;
    assert_eq!(
        by_token.out,
        format!("Signed in to {} as {}.\n", stack.url, somebody.username)
    );
}

#[tokio::test]
async fn mistakes_are_told_in_words_and_by_the_exit_status() {
    let world = World::shared().await;
    let cli = Cli::signed_in(&world.owner, &world.stack.url).await;
    for (args, status, words) in [
        (&["connect", "nowhere"][..], 1, "there is no machine named nowhere"),
        (&["delete", "nowhere"], 1, "there is no machine named nowhere"),
        (&["connect", "shared", "--session", "a b"], 2, "1 to 128 characters"),
        (
            &["login", "ftp://example.com", "--token", "x"],
            2,
            "not the address of a server",
        ),
        (
            &["login", "http://127.0.0.1:1", "--token", "x"],
            1,
            "cannot reach http://127.0.0.1:1",
        ),
        (&["nonsense"], 2, "unrecognized subcommand"),
    ] {
        let said = cli.run(args, "").await;
        assert_eq!(said.status, status, "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
    }
    assert_eq!(
        cli.run(&["version"], "").await.out,
        format!("vsay {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn machines_are_listed_and_deleted() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let cli = Cli::signed_in(&owner, &stack.url).await;
    assert_eq!(cli.run(&["list"], "").await.out, "No machines yet.\n");
    let _agent = Agent::new(&owner, "build").await;
    owner.post("/api/machines", json!({"name": "later"})).await.ok();
    let listed = cli.run(&["ls"], "").await;
    let rows: Vec<Vec<&str>> = listed
        .out
        .lines()
        .map(|line| line.split_whitespace().take(2).collect())
        .collect();
    assert_eq!(
        rows,
        [["NAME", "STATUS"], ["build", "online"], ["later", "pending"]],
        "{listed:?}"
    );
    assert_eq!(cli.run(&["delete", "later", "--yes"], "").await.out, "Deleted later.\n");
    assert_eq!(owner.get("/api/machines").await.ok()["total"], 1);
}

/// Reads on until a line has these words in it.
async fn heard(lines: &mut Lines<BufReader<ChildStderr>>, words: &str) {
    loop {
        let line = within(words, lines.next_line()).await.expect("readable");
        if line.unwrap_or_else(|| panic!("ended without {words}")).contains(words) {
            return;
        }
    }
}

#[tokio::test]
async fn a_machine_is_added_by_the_line_that_is_printed_and_waited_for_until_it_is_online() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let cli = Cli::signed_in(&owner, &stack.url).await;
    let args = [
        "machine",
        "add",
        "build-1",
        "--tag",
        "ci",
        "--tag",
        "linux",
        "--linux-user",
        "deploy",
        "--allow-sudo",
    ];
    let mut child = cli.command(&args).spawn().expect("vsay runs");
    let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (mut out, mut err) = (BufReader::new(out).lines(), BufReader::new(err).lines());
    let line = within("the line", out.next_line())
        .await
        .expect("readable")
        .expect("a line");

    let listed = owner.get("/api/machines").await.ok()["machines"][0].clone();
    let agent_id = listed["agent_id"].as_str().expect("an agent id");
    let machine = owner.get(&format!("/api/machines/{agent_id}")).await.ok()["machine"].clone();
    assert_eq!(machine["install_command"], line, "exactly what the API says");
    assert_eq!(
        (
            &machine["status"],
            &machine["tags"],
            &machine["linux_user"],
            &machine["allow_sudo"]
        ),
        (
            &json!("pending"),
            &json!(["ci", "linux"]),
            &json!("deploy"),
            &json!(true)
        )
    );
    let token = line
        .split("VSAY_TOKEN=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("a token");
    let agent = Agent::with_token(&owner, &machine, token.to_owned(), &stack.url).await;
    heard(&mut err, "Enrolled, waiting for it to connect.").await;
    agent.launch();
    heard(&mut err, "Online.").await;
    heard(&mut err, "vsay connect build-1").await;
    let status = within("the end", child.wait()).await.expect("it ran");
    assert_eq!(status.code(), Some(0));
    assert_eq!(
        out.next_line().await.expect("readable"),
        None,
        "the line and nothing else"
    );
}

#[tokio::test]
async fn whoever_stops_waiting_for_a_machine_leaves_it_and_is_told_how_to_remove_it() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let cli = Cli::signed_in(&owner, &stack.url).await;
    let mut child = cli.command(&["machine", "add", "later"]).spawn().expect("vsay runs");
    let mut err = BufReader::new(child.stderr.take().expect("piped")).lines();
    heard(&mut err, "Waiting for the agent.").await;
    signal(child.id().expect("it runs"), "INT");
    heard(&mut err, "To remove it: vsay delete later").await;
    let status = within("the end", child.wait()).await.expect("it ran");
    assert_eq!(status.code(), Some(130));
    assert_eq!(
        owner.get("/api/machines").await.ok()["machines"][0]["status"],
        "pending"
    );
    assert_eq!(cli.run(&["delete", "later", "--yes"], "").await.out, "Deleted later.\n");
}

#[tokio::test]
async fn a_machine_is_added_without_waiting_and_with_a_picture_where_one_fits() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let cli = Cli::signed_in(&owner, &stack.url).await;
    let said = cli.run(&["machine", "add", "one", "--no-wait"], "").await;
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.out.lines().count(), 1, "{said:?}");
    assert!(said.out.starts_with(" curl -fsSL "), "{said:?}");
    let taken = cli.run(&["machine", "add", "one", "--no-wait"], "").await;
    assert_eq!(
        (taken.status, taken.out.as_str(), taken.err.as_str()),
        (1, "", "vsay: Machine with this name already exists\n")
    );
    let refused = cli.run(&["machine", "add", "two", "--linux-user", "a b"], "").await;
    assert!(
        refused.status == 1 && refused.err.contains("linux_user must be a login name"),
        "{refused:?}"
    );

    let mut terminal = cli.in_terminal("$VSAY machine add three --no-wait; echo status=$?");
    terminal.wait_for("status=0").await;
    assert!(
        terminal.seen.contains("\u{2588}\u{2588}\u{2588}\u{2588}"),
        "{}",
        terminal.seen
    );
    let mut terminal = cli.in_terminal("stty rows 20; $VSAY machine add four --no-wait; echo status=$?");
    terminal.wait_for("status=0").await;
    assert!(
        !terminal.seen.contains('\u{2588}') && terminal.seen.contains("In a larger window"),
        "{}",
        terminal.seen
    );
}

#[tokio::test]
async fn a_script_whose_input_ends_without_exit_ends_too() {
    let world = World::shared().await;
    let cli = Cli::signed_in(&world.owner, &world.stack.url).await;
    let said = cli.run(&["connect", "shared"], "echo sum=$((6*7))\nfalse").await;
    assert!(said.out.contains("sum=42"), "{said:?}");
    assert_eq!(said.status, 1, "{said:?}");
    let said = cli.run(&["connect", "shared"], "").await;
    assert_eq!(said.status, 0, "{said:?}");
}

#[tokio::test]
async fn a_script_on_standard_input_runs_there_and_its_exit_status_is_ours() {
    let world = World::shared().await;
    let cli = Cli::signed_in(&world.owner, &world.stack.url).await;
    let said = cli
        .run(
            &["connect", "shared"],
            "echo sum=$((6*7))\necho source=$((1+1))\nexit 7\n",
        )
        .await;
    assert_eq!(said.status, 7, "{said:?}");
    assert!(said.out.contains("sum=42") && said.out.contains("source=2"), "{said:?}");
    let said = cli
        .run(&["connect", &world.agent.agent_id], "kill -TERM $$; kill -KILL $$\n")
        .await;
    assert_eq!(said.status, 128 + 9, "{said:?}");
}

#[tokio::test]
async fn a_terminal_is_raw_while_connected_and_itself_again_after_leaving() {
    let world = World::shared().await;
    let cli = Cli::signed_in(&world.owner, &world.stack.url).await;
    let session = "cli-leaving";
    let line = format!("$VSAY connect shared --session {session}; echo status=$?; stty -a");
    let mut terminal = cli.in_terminal(&line);
    terminal.types("kept=42; stty size; echo set-$kept\r").await;
    terminal.wait_for("30 100").await;
    terminal.wait_for("set-42").await;
    // Ctrl-C belongs to the machine.
    let line = "sh -c 'trap \"echo caught-$((1+1))\" INT; echo waiting-$((2+2)); read x'\r";
    terminal.types(line).await;
    terminal.wait_for("waiting-4").await;
    terminal.types("\u{3}").await;
    terminal.wait_for("caught-2").await;
    terminal.types("\r~.").await;
    terminal.wait_for("status=0").await;
    assert_eq!(terminal.wait().await, 0);
    let after = terminal.seen.split("status=0").last().expect("the rest").to_owned();
    assert!(
        terminal.seen.contains(&format!("--session {session}")),
        "{}",
        terminal.seen
    );
    let modes: Vec<&str> = after.split([' ', ';', '\r', '\n']).collect();
    assert!(
        ["icanon", "echo", "isig", "opost"]
            .iter()
            .all(|mode| modes.contains(mode)),
        "{after}"
    );

    let mut back = Viewer::attached(&world.owner, &world.agent, session).await;
    back.run("echo still-$kept", "still-42").await;
}

#[tokio::test]
async fn output_through_the_command_line_is_whole_however_often_it_is_cut() {
    let world = World::shared().await;
    let proxy = Proxy::to(world.stack.address()).await;
    let cli = Cli::signed_in(&world.owner, &proxy.url).await;
    let mut child = cli.command(&["connect", "shared"]).spawn().expect("vsay runs");
    let script = "stty -echo -opost; PS1=; echo begin-$((1+1)); seq 1 400000; echo end-$((1+1)); exit 5\n";
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(script.as_bytes()).await.expect("written");
    let mut stdout = child.stdout.take().expect("piped");
    let (mut out, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    let mut next_cut = 200_000;
    loop {
        let count = within("output", stdout.read(&mut chunk)).await.expect("readable");
        if count == 0 {
            break;
        }
        out.extend_from_slice(&chunk[..count]);
        if out.len() > next_cut {
            proxy.cut();
            next_cut += 400_000;
        }
    }
    let status = within("the end", child.wait()).await.expect("it ran");
    assert_eq!(status.code(), Some(5));
    let out = String::from_utf8(out).expect("ASCII");
    let (_, rest) = out.split_once("begin-2\n").expect("the beginning");
    let (numbers, _) = rest.split_once("end-2\n").expect("the end");
    let expected: String = (1..=400_000).map(|number| format!("{number}\n")).collect();
    assert!(
        numbers == expected,
        "{} bytes instead of {}",
        numbers.len(),
        expected.len()
    );
}

#[tokio::test]
async fn a_session_that_an_administrator_ends_says_so() {
    let world = World::shared().await;
    let cli = Cli::signed_in(&world.owner, &world.stack.url).await;
    let mut terminal = cli.in_terminal("$VSAY connect shared --session cli-ended; echo status=$?");
    terminal.types("echo here-$((1+1))\r").await;
    terminal.wait_for("here-2").await;
    send(world.owner.request(Method::DELETE, "/api/terminal/sessions/cli-ended"))
        .await
        .ok();
    terminal.wait_for("vsay: Session terminated").await;
    terminal.wait_for("status=1").await;
    terminal.wait().await;
}
