//! However `vsay connect` ends, the terminal in front of it is as it was.
use std::num::NonZero;
use std::process::Command;

use protocol::terminal::viewer::ToViewer;

use crate::support::{Edge, Relay, Terminal};

/// What a full-screen program switches on.
const ON: &str =
    "\x1b[?1049h\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?25l\x1b[?1h\x1b=\x1b[3;9r\x1b]2;its title\x07TUI";

async fn in_full_screen(edge: &Edge) -> (Terminal, String, Relay) {
    let mut terminal = edge.connect_in_terminal();
    let pid = terminal.pid().await;
    let mut relay = edge.terminal().await;
    relay.write(ON).await;
    terminal.wait_for("TUI").await;
    (terminal, pid, relay)
}

fn assert_restored(terminal: &Terminal) {
    let [rows, cols] = [24, 80].map(|size| NonZero::new(size).unwrap());
    let mut screen = vt100::Parser::new(rows, cols, 0);
    screen.process(&terminal.seen);
    let screen = screen.screen();
    let text = terminal.text();
    assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{text:?}");
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "{text:?}");
    assert!(!screen.bracketed_paste() && !screen.application_cursor(), "{text:?}");
    assert!(!screen.application_keypad(), "{text:?}");
    let after = text.rsplit("TUI").next().unwrap();
    for off in ["\x1b[?1004l", "\x1b[r", "\x1b[23;0t"] {
        assert!(after.contains(off), "{off:?}: {after:?}");
    }
}

#[tokio::test]
async fn left_with_keys() {
    let edge = Edge::start().await;
    let (mut terminal, _, relay) = in_full_screen(&edge).await;
    terminal.types("\r~.").await;
    relay.goodbye().await;
    assert_eq!(terminal.wait().await, 0);
    assert!(
        terminal.text().contains("Left; the shell goes on"),
        "{}",
        terminal.text()
    );
    assert_restored(&terminal);
}

#[tokio::test]
async fn asked_to_end_by_a_signal() {
    for (signal, status) in [("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let edge = Edge::start().await;
        let (mut terminal, pid, relay) = in_full_screen(&edge).await;
        let sent = Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
        assert!(sent.success());
        relay.goodbye().await;
        assert_eq!(terminal.wait().await, status, "{signal}");
        assert_restored(&terminal);
    }
}

#[tokio::test]
async fn ended_by_somebody_else() {
    let edge = Edge::start().await;
    let (mut terminal, _, mut relay) = in_full_screen(&edge).await;
    relay
        .say(ToViewer::Disconnect {
            reason: "Session terminated".into(),
            code: "session_terminated".into(),
        })
        .await;
    relay.goodbye().await;
    assert_eq!(terminal.wait().await, 1);
    assert!(
        terminal.text().contains("vsay: Session terminated"),
        "{}",
        terminal.text()
    );
    assert_restored(&terminal);
}

#[tokio::test]
async fn the_shell_ended_or_broke() {
    let edge = Edge::start().await;
    let (mut terminal, _, mut relay) = in_full_screen(&edge).await;
    relay.exit(7).await;
    relay.goodbye().await;
    assert_eq!(terminal.wait().await, 7);
    assert_restored(&terminal);

    let (mut terminal, _, mut relay) = in_full_screen(&edge).await;
    relay
        .say(ToViewer::Resized {
            size: Default::default(),
            by: None,
        })
        .await;
    // Output that the protocol does not allow.
    relay.leave_a_hole().await;
    assert_eq!(terminal.wait().await, 1);
    assert_restored(&terminal);
}
