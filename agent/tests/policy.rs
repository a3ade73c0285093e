//! What commands may run, as the agent holds to it.
use protocol::api::command_policy::{CommandPolicy, Policies, approval_subject};
use protocol::ids::StreamId;
use protocol::terminal::agent::{FromAgent, NoResult, ToAgent};
use sha2::{Digest, Sha256};

use crate::support::{Connection, Machine, Relay};

fn policies(allowed: &[&str], blocked: &[&str], approval: &[&str]) -> Policies {
    let list = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect();
    Policies {
        machine: CommandPolicy {
            allowed_commands: list(allowed),
            blocked_commands: list(blocked),
            approval_required_commands: list(approval),
        },
        ..Policies::default()
    }
}

async fn hold(link: &mut Connection, policies: Policies) {
    link.send(ToAgent::Policies { policies }).await;
}

/// Runs a command as a stream of its own, and gives what the agent says of it.
async fn run(link: &mut Connection, stream: u32, command: &str, approval: Option<&str>) -> FromAgent {
    let stream = StreamId(stream);
    link.send(ToAgent::Run {
        stream,
        session_id: None,
        command: command.to_owned(),
        timeout_seconds: 60,
        allow_sudo: false,
        username: "ann".into(),
        script: false,
        approval: approval.map(str::to_owned),
        limits: Default::default(),
    })
    .await;
    let answer = link.message().await;
    link.send(ToAgent::Forget { stream }).await;
    answer
}

/// Why it did not run, and in which words.
fn refusal(answer: FromAgent) -> (NoResult, String) {
    match answer {
        FromAgent::RunFailed { reason, error, .. } => (reason, error),
        other => panic!("{other:?}"),
    }
}

fn output(answer: FromAgent) -> String {
    match answer {
        FromAgent::Ran { stdout, .. } => stdout,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_of_a_refused_command_runs_and_it_is_told_why() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let FromAgent::Hello { policies: true, .. } = &link.hello else {
        panic!("{:?}", link.hello)
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("touched");
    assert_eq!(output(run(&mut link, 1, "echo one", None).await), "one\n");
    hold(&mut link, policies(&[], &["rm"], &[])).await;
    let (reason, error) = refusal(run(&mut link, 2, &format!("touch {}; rm x", file.display()), None).await);
    assert_eq!(reason, NoResult::Refused);
    assert_eq!(error, "rm must not run: blocked_commands of the machine has it");
    assert!(!file.exists());
    assert_eq!(output(run(&mut link, 3, "echo two", None).await), "two\n");
    hold(&mut link, Policies::default()).await;
    assert_eq!(output(run(&mut link, 4, "sh -c 'echo three'", None).await), "three\n");
}

#[tokio::test]
async fn a_text_that_breaks_its_reader_is_refused_and_nothing_else_ends() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    hold(&mut link, policies(&[], &["rm"], &[])).await;
    for (stream, text) in [
        (1, "( ".repeat(399)),
        (2, "$((".repeat(130)),
        (3, "x".repeat(60_000)),
        (4, "((".repeat(40)),
    ] {
        let answer = run(&mut link, stream, &text, None).await;
        assert!(
            !matches!(
                &answer,
                FromAgent::RunFailed {
                    reason: NoResult::Lost,
                    ..
                }
            ),
            "{answer:?}"
        );
    }
    assert_eq!(output(run(&mut link, 5, "echo lives", None).await), "lives\n");
}

#[tokio::test]
async fn an_approval_is_of_one_text_for_one_person_on_one_machine() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    hold(&mut link, policies(&[], &["rm"], &["echo"])).await;
    let proof = |agent_id: &str, username: &str, command: &str| {
        data_encoding::HEXLOWER.encode(&Sha256::digest(approval_subject(agent_id, username, command)))
    };
    let id = machine.config.agent.id.to_string();
    assert_eq!(
        refusal(run(&mut link, 1, "echo x", None).await).0,
        NoResult::NeedsApproval
    );
    for (stream, wrong) in [
        (2, proof(&id, "ann", "echo y")),
        (3, proof(&id, "bob", "echo x")),
        (4, proof("ba9876543210", "ann", "echo x")),
        (5, String::new()),
    ] {
        assert_eq!(
            refusal(run(&mut link, stream, "echo x", Some(&wrong)).await).0,
            NoResult::Refused
        );
    }
    let right = proof(&id, "ann", "echo x");
    assert_eq!(output(run(&mut link, 6, "echo x", Some(&right)).await), "x\n");
    let blocked = proof(&id, "ann", "echo x; rm y");
    assert_eq!(
        refusal(run(&mut link, 7, "echo x; rm y", Some(&blocked)).await).0,
        NoResult::Refused
    );
}
