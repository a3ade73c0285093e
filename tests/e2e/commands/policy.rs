//! What commands may run: lists of an organization and of a machine, held to by a real agent, and approvals.
use serde_json::{Value, json};

use super::{becomes, read, run, send};
use crate::support::account::Account;
use crate::support::agent::{Agent, folder_for_shells};
use crate::support::cli::Cli;
use crate::support::mail::letter;
use crate::support::published::Published;
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::wait::eventually;

async fn machine(stack: &Stack) -> (Account, Agent) {
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "held").await;
    (owner, agent)
}

fn policy(allowed: &[&str], blocked: &[&str], approval: &[&str]) -> Value {
    json!({"allowed_commands": allowed, "blocked_commands": blocked, "approval_required_commands": approval})
}

/// What a machine has to hold to besides its organization's lists.
async fn hold(owner: &Account, agent: &Agent, policy: &Value) {
    let machine = format!("/api/machines/{}", agent.agent_id);
    let changed = owner.put(&machine, json!({"command_policy": policy})).await.ok();
    assert_eq!(changed["machine"]["command_policy"], *policy);
}

async fn entries(owner: &Account, action: &str) -> Vec<Value> {
    let log = owner.get(&format!("/api/audit?action={action}")).await.ok();
    log["logs"].as_array().expect("a list").clone()
}

async fn decide(caller: &Account, id: &str, approve: bool, reason: &str) -> crate::support::account::Answer {
    let body = json!({"approve": approve, "reason": reason});
    caller.post(&format!("/api/commands/{id}/decision"), body).await
}

#[tokio::test]
async fn what_is_blocked_is_refused_whole_and_says_which_program_and_which_rule() {
    let stack = Stack::shared().await;
    let (owner, agent) = machine(stack).await;
    let folder = folder_for_shells();
    let file = folder.path().join("touched");
    hold(&owner, &agent, &policy(&[], &["rm"], &[])).await;
    for command in [
        format!("touch {}; rm {0}", file.display()),
        format!("touch {}; sudo -n /bin/rm x", file.display()),
        format!("touch {}; sh -c 'echo x'", file.display()),
        format!("touch {}; if true; then echo $(xargs rm); fi", file.display()),
        format!("touch {}; $(echo rm) x", file.display()),
        format!("touch {}; eval true", file.display()),
        format!("touch {}; echo 'not closed", file.display()),
    ] {
        let answer = run(&owner, &agent, &command).await;
        assert_eq!(
            (&answer["status"], &answer["exit_code"], &answer["stdout"]),
            (&json!("refused"), &json!(null), &json!("")),
            "{command}: {answer}"
        );
    }
    assert!(!file.exists(), "nothing of a refused command runs");
    let answer = run(&owner, &agent, "echo one; rm x").await;
    assert_eq!(
        answer["error"],
        "rm must not run: blocked_commands of the machine has it"
    );
    let id = answer["command_id"].as_str().expect("an id");
    let refusals = entries(&owner, "command_refused").await;
    let entry = refusals
        .iter()
        .find(|entry| entry["details"]["command_id"] == id)
        .expect("an entry");
    assert_eq!(entry["details"]["why"], answer["error"]);
    let row = owner
        .get(&format!("/api/command-logs/{}", logged_key(&owner, id).await))
        .await
        .ok();
    assert_eq!(
        (&row["log"]["policy"], &row["log"]["exit_code"]),
        (&json!("refused"), &json!(null))
    );
    assert_eq!(run(&owner, &agent, "echo two").await["stdout"], "two\n");
}

/// The key of a command's row in the command log.
async fn logged_key(owner: &Account, command_id: &str) -> String {
    eventually("the log to have the command", async || {
        let page = owner.get("/api/command-logs").await.ok();
        let rows = page["logs"].as_array().expect("a list").clone();
        let row = rows.into_iter().find(|row| row["command_id"] == command_id)?;
        Some(row["key"].to_string())
    })
    .await
}

#[tokio::test]
async fn where_some_are_allowed_nothing_else_runs_and_a_machine_narrows_its_organization() {
    let stack = Stack::shared().await;
    let (owner, agent) = machine(stack).await;
    let lists = policy(&["ls", "id", "sh"], &[], &[]);
    let changed = owner
        .put("/api/organization", json!({"command_policy": lists}))
        .await
        .ok();
    assert_eq!(changed["organization"]["command_policy"], lists);
    for (command, status) in [
        ("id -un", "completed"),
        ("cd / && id", "completed"),
        ("sh -c 'echo named'", "completed"),
        ("uptime", "refused"),
        ("id; uptime", "refused"),
    ] {
        assert_eq!(run(&owner, &agent, command).await["status"], status, "{command}");
    }
    hold(&owner, &agent, &policy(&["uptime", "id"], &[], &[])).await;
    for (command, status) in [("id", "completed"), ("uptime", "refused"), ("ls /", "refused")] {
        assert_eq!(run(&owner, &agent, command).await["status"], status, "{command}");
    }
    let changes = entries(&owner, "settings_changed").await;
    assert_eq!(changes[0]["details"]["new"]["command_policy"], lists);
    let changes = entries(&owner, "machine_updated").await;
    assert_eq!(
        changes[0]["details"]["command_policy"]["new"]["allowed_commands"],
        json!(["uptime", "id"])
    );
}

#[tokio::test]
async fn lists_are_bounded_and_only_those_who_manage_change_them() {
    let stack = Stack::shared().await;
    let (owner, agent) = machine(stack).await;
    let machine = format!("/api/machines/{}", agent.agent_id);
    for (bad, field) in [
        (
            json!({"blocked_commands": ["a b"]}),
            "command_policy.blocked_commands[0]",
        ),
        (
            json!({"allowed_commands": vec!["a"; 51]}),
            "command_policy.allowed_commands",
        ),
        (
            json!({"approval_required_commands": ["bin/x"]}),
            "command_policy.approval_required_commands[0]",
        ),
    ] {
        for target in [machine.as_str(), "/api/organization"] {
            let (status, text) = owner.put(target, json!({"command_policy": bad})).await.refusal();
            assert_eq!((status, text.contains(field)), (400, true), "{text}");
        }
    }
    let colleague = join(stack, &owner, "user").await;
    let body = json!({"command_policy": policy(&[], &[], &[])});
    assert_eq!(colleague.put(&machine, body.clone()).await.status, 403);
    assert_eq!(colleague.put("/api/organization", body).await.status, 403);
}

#[tokio::test]
async fn lists_hold_at_once_and_for_a_machine_that_was_away_when_it_is_back() {
    let stack = Stack::start(&[]).await;
    let (owner, agent) = machine(&stack).await;
    assert_eq!(run(&owner, &agent, "id -un").await["status"], "completed");
    hold(&owner, &agent, &policy(&[], &["id"], &[])).await;
    assert_eq!(run(&owner, &agent, "id -un").await["status"], "refused");
    stack.drop_relay(&agent.machine_id);
    agent.becomes("online").await;
    assert_eq!(run(&owner, &agent, "id -un").await["status"], "refused");
    agent.kill();
    agent.becomes("offline").await;
    hold(&owner, &agent, &policy(&[], &["uptime"], &[])).await;
    let waits = send(&owner, &agent, json!({"command": "uptime", "when_online": true})).await;
    agent.start().await;
    becomes(&owner, &waits, "refused").await;
    assert_eq!(run(&owner, &agent, "id -un").await["status"], "completed");
}

#[tokio::test]
async fn what_needs_approval_waits_for_an_administrator_who_did_not_send_it() {
    let stack = Stack::shared().await;
    let (owner, agent) = machine(stack).await;
    let admin = join(stack, &owner, "company_admin").await;
    let folder = folder_for_shells();
    let file = folder.path().join("runs");
    hold(&owner, &agent, &policy(&[], &[], &["tee"])).await;
    let command = format!("echo once | tee -a {}", file.display());
    let answer = run(&owner, &agent, &command).await;
    assert_eq!(answer["status"], "awaiting_approval");
    let id = answer["command_id"].as_str().expect("an id");
    let waits = becomes(&owner, id, "awaiting_approval").await;
    assert_eq!(
        (&waits["error"], &waits["sent_at"]),
        (
            &json!("tee needs approval: approval_required_commands of the machine has it"),
            &json!(null)
        )
    );
    let told = letter(
        stack,
        &admin.email,
        &format!("A command of {} waits for approval", owner.username),
    )
    .await;
    assert!(told.text.contains("tee needs approval"), "{}", told.text);
    assert!(
        !told.text.contains("once"),
        "its text is on the page only: {}",
        told.text
    );
    told.link("/commands?status=awaiting_approval");
    let listed = admin.get("/api/commands?status=awaiting_approval").await.ok();
    assert_eq!(listed["commands"][0]["command_id"], id);

    let stranger = Account::new(stack).await;
    let colleague = join(stack, &owner, "user").await;
    assert_eq!(decide(&stranger, id, true, "").await.refusal().0, 404);
    assert_eq!(decide(&colleague, id, true, "").await.refusal().0, 403);
    assert_eq!(decide(&owner, id, true, "").await.refusal().0, 403, "it is their own");
    assert_eq!(
        decide(&admin, id, false, "").await.refusal().0,
        400,
        "nobody is told why"
    );
    assert!(!file.exists());

    decide(&admin, id, true, "go ahead").await.ok();
    let ran = becomes(&owner, id, "completed").await;
    assert_eq!(
        (
            &ran["stdout"],
            &ran["decided_by"],
            &ran["decision_reason"],
            &ran["error"]
        ),
        (
            &json!("once\n"),
            &json!(admin.username),
            &json!("go ahead"),
            &json!(null)
        )
    );
    assert_eq!(decide(&admin, id, true, "").await.refusal().0, 409);
    assert_eq!(std::fs::read_to_string(&file).expect("it ran"), "once\n");
    for action in ["command_awaits_approval", "command_approved"] {
        let entries = entries(&owner, action).await;
        assert_eq!(entries[0]["details"]["command_id"], id, "{action}");
    }

    let rejected = send(&owner, &agent, json!({"command": command})).await;
    becomes(&owner, &rejected, "awaiting_approval").await;
    decide(&admin, &rejected, false, "not today").await.ok();
    let rejected = becomes(&owner, &rejected, "rejected").await;
    assert_eq!(rejected["error"], format!("{} rejected it: not today", admin.username));
    assert_eq!(std::fs::read_to_string(&file).expect("it ran once"), "once\n");
}

#[tokio::test]
async fn vsay_exec_waits_for_approval_and_ends_as_the_command_or_says_who_rejected_it() {
    let stack = Stack::shared().await;
    let (owner, agent) = machine(stack).await;
    let admin = join(stack, &owner, "company_admin").await;
    let cli = Cli::signed_in(&owner, &stack.url).await;
    hold(&owner, &agent, &policy(&[], &["rm"], &["tee"])).await;
    let said = cli.run(&["exec", "held", "echo out; echo err >&2; exit 3"], "").await;
    assert_eq!(
        (said.status, said.out.as_str(), said.err.as_str()),
        (3, "out\n", "err\n")
    );
    let refused = cli.run(&["exec", "held", "rm", "x"], "").await;
    assert_eq!(
        (refused.status, refused.err.as_str()),
        (126, "vsay: rm must not run: blocked_commands of the machine has it\n")
    );
    for (approve, reason, status, out, end) in [
        (true, "", 0, "once\n", String::new()),
        (
            false,
            "not today",
            126,
            "",
            format!("vsay: {} rejected it: not today\n", admin.username),
        ),
    ] {
        let (said, ()) = tokio::join!(cli.run(&["exec", "held", "echo once | tee /dev/null"], ""), async {
            let waiting = eventually("a command that waits", async || {
                let listed = admin.get("/api/commands?status=awaiting_approval").await.ok();
                listed["commands"][0]["command_id"].as_str().map(str::to_owned)
            });
            decide(&admin, &waiting.await, approve, reason).await.ok();
        });
        assert_eq!((said.status, said.out.as_str()), (status, out), "{said:?}");
        assert!(said.err.ends_with(&end), "{said:?}");
    }
}

#[tokio::test]
async fn the_only_administrator_approves_what_is_their_own_and_what_is_cancelled_waits_no_more() {
    let stack = Stack::shared().await;
    let (owner, agent) = machine(stack).await;
    hold(&owner, &agent, &policy(&[], &[], &["uptime"])).await;
    let id = send(&owner, &agent, json!({"command": "uptime"})).await;
    becomes(&owner, &id, "awaiting_approval").await;
    decide(&owner, &id, true, "").await.ok();
    becomes(&owner, &id, "completed").await;
    let id = send(&owner, &agent, json!({"command": "uptime"})).await;
    becomes(&owner, &id, "awaiting_approval").await;
    super::cancel(&owner, &id).await.ok();
    becomes(&owner, &id, "cancelled").await;
    assert_eq!(decide(&owner, &id, true, "").await.refusal().0, 409);
}

#[tokio::test]
async fn what_was_approved_while_the_machine_was_away_starts_when_it_is_back() {
    let stack = Stack::start(&[]).await;
    let (owner, agent) = machine(&stack).await;
    hold(&owner, &agent, &policy(&[], &[], &["uptime"])).await;
    let id = send(&owner, &agent, json!({"command": "uptime"})).await;
    becomes(&owner, &id, "awaiting_approval").await;
    agent.kill();
    agent.becomes("offline").await;
    decide(&owner, &id, true, "").await.ok();
    assert_eq!(read(&owner, &id).await["status"], "queued");
    agent.start().await;
    becomes(&owner, &id, "completed").await;
}

#[tokio::test]
async fn commands_for_many_machines_and_those_of_a_terminals_socket_are_held_to_it_too() {
    let stack = Stack::shared().await;
    let (owner, agent) = machine(stack).await;
    hold(&owner, &agent, &policy(&[], &["uptime"], &["id"])).await;
    let body = json!({"command": "uptime", "agent_ids": [agent.agent_id]});
    let batch = owner.post("/api/commands", body).await.ok();
    becomes(
        &owner,
        batch["targets"][0]["command_id"].as_str().expect("an id"),
        "refused",
    )
    .await;
    let mut client = Published::connect(&owner, &agent, "&session_id=session_policy").await;
    client.wait_frame("session_ready").await;
    for (command, words) in [("uptime", "must not run"), ("id", "needs approval")] {
        client.frames.clear();
        client.say(json!({"type": "command", "command": command})).await;
        let ended = client.wait_frame("command_output").await;
        assert!(ended["error"].as_str().expect("why").contains(words), "{ended}");
    }
}

#[tokio::test]
async fn in_a_terminal_lists_refuse_nothing_and_mark_what_is_typed_against_them() {
    let stack = Stack::shared().await;
    let (owner, agent) = machine(stack).await;
    hold(&owner, &agent, &policy(&[], &["uptime"], &[])).await;
    let mut client = Published::connect(&owner, &agent, "&session_id=session_marked").await;
    client.wait_frame("session_ready").await;
    client
        .say(json!({"type": "input", "data": "uptime >/dev/null; echo ran-$?\r"}))
        .await;
    let row = eventually("the log to have what was typed", async || {
        let page = owner
            .get(&format!("/api/machines/{}/logs/search", agent.agent_id))
            .await
            .ok();
        let rows = page["logs"].as_array().expect("a list").clone();
        rows.into_iter()
            .find(|row| row["command"].as_str().is_some_and(|text| text.contains("ran-")))
    })
    .await;
    assert_eq!(row["policy"], "warned");
    client.wait_for_output("ran-0").await;
}

#[tokio::test]
async fn the_script_of_a_new_machine_is_held_to_what_its_organization_says() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    owner
        .put(
            "/api/organization",
            json!({"command_policy": policy(&[], &["uptime"], &[])}),
        )
        .await
        .ok();
    let body = json!({"name": "scripted", "custom_script": "echo x\nuptime"});
    let created = owner.post("/api/machines", body).await.ok();
    let token = created["registration_token"].as_str().expect("a token").to_owned();
    let agent = Agent::with_token(&owner, &created, token, &owner.anonymous.url).await;
    agent.launch();
    agent.becomes("online").await;
    let script = eventually("the script to be refused", async || {
        let listed = owner.get("/api/commands").await.ok();
        let script = listed["commands"][0].clone();
        (script["status"] == "refused").then_some(script)
    })
    .await;
    assert_eq!(script["source"], "script");
}
