//! What outlives a cut link: the shell, its log, and what was typed.
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use protocol::limits::LIVE_WINDOW;
use protocol::stream::InputWriter;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::frame::{Frame, Kind};

use crate::support::relay::{INPUT, STREAM, Terminal};
use crate::support::{Connection, Machine, Received, Relay, until};

/// Takes up a terminal on a new link, as a relay does that lost nothing.
async fn resume(link: &mut Connection, terminal: &mut Terminal) {
    let report = &link.streams[0];
    let (from, to) = (terminal.output.len() as u64, report.end);
    assert!(report.start <= from);
    link.send_frame(&Frame::credit(STREAM, from, Some(LIVE_WINDOW))).await;
    link.send(ToAgent::Read {
        stream: STREAM,
        from,
        to,
    })
    .await;
    // What is read arrives with what is live, so what is live may arrive too early; a relay keeps it, and so do we.
    let mut early: Vec<Frame> = Vec::new();
    while (terminal.output.len() as u64) < to {
        match link.next().await {
            Received::Frame(frame) if frame.kind == Kind::Output && frame.offset > terminal.output.len() as u64 => {
                early.push(frame);
            }
            Received::Frame(frame) => terminal.take(link, &frame).await,
            other => panic!("{other:?}"),
        }
    }
    for frame in early {
        terminal.take(link, &frame).await;
    }
}

#[tokio::test]
async fn a_shell_and_its_output_outlive_the_link() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let shell = terminal.run(&mut link, "echo $$").await;
    let flag = machine.directory.path().join("flag");
    std::fs::write(&flag, "").unwrap();
    let wait = format!(
        "while test -e {}; do sleep 0.01; done; seq 1 50000; echo all's well\r",
        flag.display()
    );
    terminal.type_text(&mut link, &wait.replace('\'', "\\'")).await;
    terminal.wait_for(&mut link, "echo all").await;
    link.cut();

    let link = relay.accept().await;
    link.cut();
    // Written while nobody listens.
    std::fs::remove_file(&flag).unwrap();
    let mut link = relay.welcome().await;
    resume(&mut link, &mut terminal).await;
    terminal.wait_for(&mut link, "50000\r\nall's well\r\n").await;
    let lines: Vec<u32> = terminal.text().lines().filter_map(|line| line.parse().ok()).collect();
    // The first follows what the shell says to the terminal when a command begins.
    assert!(lines.ends_with(&(2..=50_000).collect::<Vec<_>>()));
    assert_eq!(terminal.run(&mut link, "echo $$").await, shell);
}

#[tokio::test]
async fn an_end_without_a_link_is_in_the_next_report() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let flag = machine.directory.path().join("flag");
    std::fs::write(&flag, "").unwrap();
    terminal
        .type_text(
            &mut link,
            &format!("while test -e {}; do sleep 0.01; done; exit 3\r", flag.display()),
        )
        .await;
    terminal.wait_for(&mut link, "exit 3").await;
    let shell_gone = {
        let typed = terminal.output.len();
        move |report: &protocol::terminal::agent::Report| report.end >= typed as u64 && report.exit.is_some()
    };
    link.cut();
    std::fs::remove_file(&flag).unwrap();
    // The shell ends when it ends; each link says how it is then.
    for _ in 0..100 {
        let link = relay.accept().await;
        if shell_gone(&link.streams[0]) {
            assert_eq!(link.streams[0].exit.as_ref().unwrap().code, Some(3));
            return;
        }
        link.cut();
    }
    panic!("the shell never ended");
}

#[tokio::test]
async fn what_is_typed_arrives_once_and_in_order_however_often_the_link_is_cut() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let file = machine.directory.path().join("typed");
    std::fs::write(&file, "").unwrap();
    // For an account that may not be ours.
    std::fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    std::fs::set_permissions(machine.directory.path(), Permissions::from_mode(0o755)).unwrap();
    terminal
        .type_text(
            &mut link,
            &format!("stty raw -echo; printf 'ready%s' '!'; exec cat > {}\r", file.display()),
        )
        .await;
    terminal.wait_for(&mut link, "ready!").await;
    link.send(ToAgent::Report).await;
    let FromAgent::Report { streams, .. } = terminal.wait_for_message(&mut link).await else {
        panic!()
    };
    let already = streams[0].inputs[0].applied;

    // Odd sizes and random cuts, so that they fall anywhere.
    let text: Vec<u8> = (0..400_000u32).map(|i| b'a' + ((i * 7919) >> 7) as u8 % 26).collect();
    let mut pieces = text.chunks(3001);
    let mut writer = InputWriter::starting_at(already);
    let mut random = 0x2545_f491u32;
    let mut cuts = 0;
    loop {
        if let Some(piece) = pieces.next() {
            writer.push(piece);
        }
        match writer.next_frame(INPUT) {
            Some(frame) => link.send_frame(&frame).await,
            None if writer.pending() == 0 => break,
            None => match link.next().await {
                Received::Frame(frame) if frame.kind == Kind::Ack => writer.acknowledge(frame.offset),
                Received::Frame(_) => {}
                other => panic!("{other:?}"),
            },
        }
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if random >> 28 == 0 && cuts < 8 {
            cuts += 1;
            link.cut();
            link = relay.welcome().await;
            writer.resume(link.streams[0].inputs[0].applied);
            // A relay that lost its memory opens the input again, too.
            link.send(ToAgent::OpenInput {
                stream: STREAM,
                input: INPUT,
            })
            .await;
        }
    }
    until("everything typed is in the file", || {
        std::fs::metadata(&file).unwrap().len() >= text.len() as u64
    })
    .await;
    assert!(
        std::fs::read(&file).unwrap() == text,
        "what arrived differs from what was typed"
    );
    assert!(cuts >= 3, "{cuts} cuts");
}
