//! Lines that are longer than a terminal keeps, at real terminals.
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use protocol::terminal::agent::FromAgent;

use crate::support::relay::{INPUT, STREAM, Terminal};
use crate::support::{Connection, Machine, Relay, until};

/// What Linux keeps of a line.
const MAX_LINE: u64 = 4095;

async fn hears(terminal: &mut Terminal, link: &mut Connection) {
    match terminal.wait_for_message(link).await {
        FromAgent::Notice {
            stream: STREAM,
            input: Some(INPUT),
            code,
            error,
        } => {
            assert_eq!(code, "line_too_long");
            assert!(error.contains("4095 bytes"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

async fn applied(terminal: &mut Terminal, link: &mut Connection, to: u64) {
    while terminal.applied < to {
        match link.next().await {
            crate::support::Received::Frame(frame) => terminal.take(link, &frame).await,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_long_line_typed_while_a_program_runs_is_run_whole_or_not_at_all() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let fifo = machine.account().home.join("fifo");
    mkfifo(&fifo, Mode::from_bits_truncate(0o666)).unwrap();
    fs::set_permissions(&fifo, Permissions::from_mode(0o666)).unwrap();
    let begun = machine.account().home.join("begun");
    let wait = format!("touch {}; read go < {}\r", begun.display(), fifo.display());
    terminal.type_text(&mut link, &wait).await;
    until("the program runs", || begun.exists()).await;
    let before = wait.len() as u64;
    let line = format!("printf %s {} | wc -c; echo 'run 'whole\r", "x".repeat(5000));
    for part in line.as_bytes().chunks(777) {
        terminal.type_text(&mut link, std::str::from_utf8(part).unwrap()).await;
    }
    hears(&mut terminal, &mut link).await;
    applied(&mut terminal, &mut link, before + MAX_LINE).await;
    assert_eq!(terminal.applied, before + MAX_LINE);
    fs::write(&fifo, "go\n").unwrap();
    terminal.wait_for(&mut link, "5000\r\nrun whole\r\n").await;
}

#[tokio::test]
async fn somebody_who_pasted_too_much_can_take_it_back() {
    for (key, after) in [("\u{15}", "^U"), ("\u{3}", "^C")] {
        let relay = Relay::start().await;
        let machine = Machine::enrolled_with(&relay);
        let _agent = machine.start();
        let mut link = relay.welcome().await;
        let mut terminal = link.open_shell().await;
        // The next prompt is then the one behind the program.
        terminal.wait_for_prompt(&mut link, 0).await;
        let file = machine.account().home.join("file");
        terminal
            .type_text(&mut link, &format!("cat > {}\r", file.display()))
            .await;
        until("the program runs", || file.exists()).await;
        terminal.type_text(&mut link, &"x".repeat(6001)).await;
        hears(&mut terminal, &mut link).await;
        assert_eq!(fs::read(&file).unwrap(), b"");
        let before = terminal.output.len();
        terminal.type_text(&mut link, key).await;
        if after == "^C" {
            // What is typed before the shell is back goes with the program, as anywhere.
            terminal.wait_for_prompt(&mut link, before).await;
            assert_eq!(terminal.run(&mut link, "echo back").await, "back");
            assert_eq!(fs::read(&file).unwrap(), b"");
        } else {
            terminal.type_text(&mut link, "short\r").await;
            until("the line is in the file", || fs::read(&file).unwrap() == b"short\n").await;
        }
    }
}

#[tokio::test]
async fn many_lines_and_a_program_that_reads_keys_wait_for_nothing() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let file = machine.account().home.join("file");
    terminal
        .type_text(&mut link, &format!("stty -echo; cat > {}\r", file.display()))
        .await;
    until("the program runs", || file.exists()).await;
    let lines = format!("{}\n", "x".repeat(4095)).repeat(40);
    for part in lines.as_bytes().chunks(50_000) {
        terminal.type_text(&mut link, std::str::from_utf8(part).unwrap()).await;
    }
    until("all lines are in the file", || {
        fs::read(&file).unwrap() == lines.as_bytes()
    })
    .await;
    terminal.type_text(&mut link, "\u{4}").await;
    let raw = machine.account().home.join("raw");
    let ready = "printf 'ready%s' '!'";
    terminal
        .type_text(&mut link, &format!("stty raw; {ready}; cat > {}\r", raw.display()))
        .await;
    terminal.wait_for(&mut link, "ready!").await;
    until("the program runs", || raw.exists()).await;
    let bytes = "y".repeat(200_000);
    for part in bytes.as_bytes().chunks(50_000) {
        terminal.type_text(&mut link, std::str::from_utf8(part).unwrap()).await;
    }
    until("all bytes are in the file", || {
        fs::read(&raw).unwrap() == bytes.as_bytes()
    })
    .await;
}
