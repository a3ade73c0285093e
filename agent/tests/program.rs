//! The program as people and service managers run it.
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use protocol::terminal::agent::FromAgent;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_tungstenite::tungstenite::http::StatusCode;

use crate::support::relay::STREAM;
use crate::support::{Machine, Received, Relay, program, within};

#[tokio::test]
async fn a_signal_ends_shells_and_agent_in_order() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let relay = Relay::start().await;
        let machine = Machine::enrolled_with(&relay);
        let mut agent = program().args(machine.start_words()).spawn().unwrap();
        let mut link = relay.welcome().await;
        let mut terminal = link.open_shell().await;
        let shell: i32 = terminal.run(&mut link, "echo $$").await.parse().unwrap();
        kill(Pid::from_raw(agent.id().unwrap() as i32), signal).unwrap();
        match terminal.wait_for_message(&mut link).await {
            FromAgent::Exited {
                stream: STREAM, end, ..
            } => assert_eq!(end, terminal.output.len() as u64),
            other => panic!("{other:?}"),
        }
        match link.next().await {
            Received::Closed(code) => assert_eq!(code, Some(1001)),
            other => panic!("{other:?}"),
        }
        let status = within("the agent ends", agent.wait()).await.unwrap();
        assert_eq!(status.code(), Some(0));
        assert!(kill(Pid::from_raw(shell), None).is_err(), "the shell still runs");
    }
}

#[tokio::test]
async fn a_second_agent_of_one_configuration_ends_and_the_first_keeps_its_link() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let mut first = program().args(machine.start_words()).spawn().unwrap();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;

    let second = program().args(machine.start_words()).output();
    let second = within("the second ends", second).await.unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&format!("(process {})", first.id().unwrap())), "{said}");
    assert_eq!(terminal.run(&mut link, "echo $((6 * 7))").await, "42");

    // One that is on its way out is waited for.
    let _third = program().args(machine.start_words()).spawn().unwrap();
    first.kill().await.unwrap();
    while !matches!(link.next().await, Received::Closed(_)) {}
    relay.welcome().await;
}

#[tokio::test]
async fn an_agent_that_is_a_copy_says_what_to_do() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let mut agent = program()
        .arg("start")
        .arg("--config")
        .arg(machine.config_file())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let body = r#"{"error":"web-1 has an agent already","code":"agent_duplicate"}"#;
    relay.refuse(StatusCode::CONFLICT, body).await;
    let mut log = BufReader::new(agent.stderr.take().unwrap()).lines();
    let told = within("an error in the log", async {
        loop {
            let line = log.next_line().await.unwrap().unwrap();
            if line.contains("ERROR") {
                return line;
            }
        }
    })
    .await;
    assert!(
        told.contains("web-1 has an agent already") && told.contains("configure --new-identity"),
        "{told}"
    );
}

#[tokio::test]
async fn neither_tokens_nor_terminal_bytes_are_logged() {
    let relay = Relay::start().await;
    let mut machine = Machine::enrolled_with(&relay);
    machine.config.logging.level = "trace".into();
    let agent = program()
        .args(machine.start_words())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal.run(&mut link, "echo hunter2").await;
    kill(Pid::from_raw(agent.id().unwrap() as i32), Signal::SIGTERM).unwrap();
    while !matches!(link.next().await, Received::Closed(_)) {}
    let token = link.token.clone();
    drop(link);
    let output = within("the agent ends", agent.wait_with_output()).await.unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(log.contains("the link stands"), "{log}");
    assert!(!log.contains("hunter2"), "terminal bytes are in the log");
    assert!(!log.contains(&token), "the token is in the log");
}

#[tokio::test]
async fn validate_says_what_is_wrong_and_show_config_what_is_meant() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let path = machine.config_file();
    let validate = || program().arg("validate").arg("--config").arg(&path).output();
    let output = within("validate ends", validate()).await.unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("fine\n"));

    let yaml = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        format!("{}\nlogin: {{typo: 1}}\n", yaml.replace("level: info", "level: '=='")),
    )
    .unwrap();
    std::fs::remove_file(&machine.config.server.key_file).unwrap();
    let output = within("validate ends", validate()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    for words in ["login means nothing", "agent.key", "logging.level"] {
        assert!(said.contains(words), "{words}: {said}");
    }

    let shown = program().arg("show-config").arg("--config").arg(&path).output();
    let shown = within("show-config ends", shown).await.unwrap();
    assert!(
        String::from_utf8_lossy(&shown.stdout).contains("id: 0123456789ab"),
        "{shown:?}"
    );
}

#[tokio::test]
async fn an_agent_without_configuration_says_what_to_do() {
    let output = program().args(["start", "--config", "/no/such/agent.yaml"]).output();
    let output = within("start ends", output).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("run `vsay-agent configure` first"));
}
