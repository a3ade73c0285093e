//! Screen snapshots.
use protocol::limits::MAX_PAYLOAD;
use protocol::terminal::Size;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::frame::Kind;

use crate::support::relay::{SIZE, STREAM, Terminal};
use crate::support::{Connection, Machine, Received, Relay};

/// Asks for a snapshot, and answers its offset and bytes. The terminal has all output before the offset then.
async fn ask_snapshot(link: &mut Connection, terminal: &mut Terminal) -> (u64, Vec<u8>) {
    link.send(ToAgent::Snapshot { stream: STREAM }).await;
    let (mut offset, mut snapshot) = (None, Vec::new());
    loop {
        match link.next().await {
            Received::Frame(frame) if frame.kind == Kind::Snapshot => {
                assert_eq!(*offset.get_or_insert(frame.offset), frame.offset);
                assert_eq!(frame.offset, terminal.output.len() as u64);
                snapshot.extend_from_slice(frame.payload());
                if frame.payload().len() < MAX_PAYLOAD {
                    return (offset.unwrap(), snapshot);
                }
            }
            Received::Frame(frame) => terminal.take(link, &frame).await,
            Received::Message(FromAgent::Snapshot { stream: STREAM, .. }) => assert_eq!(offset, None),
            other => panic!("{other:?}"),
        }
    }
}

fn screen(size: Size, bytes: &[&[u8]]) -> vt100::Parser {
    let mut screen = vt100::Parser::new(size.rows.try_into().unwrap(), size.cols.try_into().unwrap(), 0);
    bytes.iter().for_each(|bytes| screen.process(bytes));
    screen
}

#[tokio::test]
async fn a_newcomer_sees_the_screen_that_everybody_sees() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal
        .run(&mut link, "seq 1 3000; printf '\\033[1;32mgreen\\033[0m\\n'")
        .await;
    let (offset, snapshot) = ask_snapshot(&mut link, &mut terminal).await;
    let newcomer = screen(SIZE, &[&snapshot]);
    let everybody = screen(SIZE, &[&terminal.output[..offset as usize]]);
    assert_eq!(
        newcomer.screen().contents_formatted(),
        everybody.screen().contents_formatted()
    );
    assert_eq!(
        newcomer.screen().cursor_position(),
        everybody.screen().cursor_position()
    );
    assert!(newcomer.screen().contents().contains("3000\ngreen"));
}

#[tokio::test]
async fn a_recorder_is_told_what_everybody_sees_once_the_shell_is_quiet() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal
        .run(&mut link, "seq 1 3000; printf '\\033[1;32mgreen\\033[0m\\n'")
        .await;
    link.send(ToAgent::Screen { stream: STREAM }).await;
    let (offset, shown) = loop {
        match link.next().await {
            Received::Frame(frame) => terminal.take(&mut link, &frame).await,
            Received::Message(FromAgent::Screen {
                offset, size, screen, ..
            }) => {
                assert_eq!(size, SIZE);
                break (offset, screen);
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(offset, terminal.output.len() as u64, "all of it was sent before");
    let begun = screen(SIZE, &[shown.as_bytes()]);
    let everybody = screen(SIZE, &[&terminal.output]);
    assert_eq!(
        begun.screen().contents_formatted(),
        everybody.screen().contents_formatted()
    );
    assert!(!shown.contains("2900"), "what has scrolled away is not in it");
}

#[tokio::test]
async fn output_goes_on_where_the_snapshot_ends() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal
        .type_text(
            &mut link,
            "for i in $(seq 1 400); do printf \"\\033[3%sm$i \" $((i % 8)); done; echo all $((40 + 2))\r",
        )
        .await;
    let mut offsets = Vec::new();
    let mut snapshots = Vec::new();
    for _ in 0..5 {
        let (offset, snapshot) = ask_snapshot(&mut link, &mut terminal).await;
        offsets.push(offset);
        snapshots.push(snapshot);
    }
    terminal.wait_for(&mut link, "all 42").await;
    let everybody = screen(SIZE, &[&terminal.output]);
    for (offset, snapshot) in offsets.into_iter().zip(snapshots) {
        let newcomer = screen(SIZE, &[&snapshot, &terminal.output[offset as usize..]]);
        assert_eq!(
            newcomer.screen().contents_formatted(),
            everybody.screen().contents_formatted(),
            "at {offset}"
        );
    }
}

#[tokio::test]
async fn a_full_screen_program_is_drawn_with_what_is_behind_it() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal.run(&mut link, "echo behind").await;
    let enter = "stty -echo; printf '\\033[?1049h\\033[2J\\033[H\\033[?1h\\033[?2004h\\033[?1002h\\033[?1006hEDIT%s' OR; read x\r";
    terminal.type_text(&mut link, enter).await;
    terminal.wait_for(&mut link, "EDITOR").await;
    let (offset, snapshot) = ask_snapshot(&mut link, &mut terminal).await;
    let mut newcomer = screen(SIZE, &[&snapshot]);
    let mut everybody = screen(SIZE, &[&terminal.output[..offset as usize]]);
    assert!(newcomer.screen().alternate_screen() && newcomer.screen().application_cursor());
    assert_eq!(
        newcomer.screen().input_mode_formatted(),
        everybody.screen().input_mode_formatted()
    );
    assert_eq!(newcomer.screen().contents().trim(), "EDITOR");
    newcomer.process(b"\x1b[?1049l");
    everybody.process(b"\x1b[?1049l");
    assert!(newcomer.screen().contents().contains("behind"));
    assert_eq!(
        newcomer.screen().contents_formatted(),
        everybody.screen().contents_formatted()
    );
}

#[tokio::test]
async fn a_snapshot_larger_than_a_frame_comes_in_several() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let size = Size { cols: 600, rows: 300 };
    link.send(ToAgent::Resize { stream: STREAM, size }).await;
    terminal
        .run(&mut link, "for i in $(seq 1 250); do printf '%0*d\\n' 500 $i; done")
        .await;
    let (offset, snapshot) = ask_snapshot(&mut link, &mut terminal).await;
    assert!(snapshot.len() > MAX_PAYLOAD);
    let newcomer = screen(size, &[&snapshot]);
    assert!(newcomer.screen().contents().contains(&format!("{:0500}", 250)));
    assert!(offset > 0);
}

/// A program that asks who its terminal is and waits for the answer before it goes on, as fish does at each prompt. This
/// relay answers nothing.
#[tokio::test]
async fn a_program_that_asks_at_each_prompt_hears_an_answer_though_no_viewer_gives_one() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal
        .type_text(
            &mut link,
            // Without an echo before it asks: the answer may be there before `read` is.
            "ask() { stty -echo; printf '\\033[c'; IFS= read -r -s -d c answer; stty echo; printf 'heard %q\\n' \"$answer\"; }\r",
        )
        .await;
    for _ in 0..3 {
        let heard = terminal.run(&mut link, "ask").await;
        // The question is there, too: taking it out of output is not the agent's part.
        assert_eq!(heard, "\u{1b}[cheard $'\\E[?1;2'");
    }
}

/// What one terminal shows, another one of the same size is put into: boxes of line drawing, a scroll region, what scrolled
/// away, and lines that were cut for a moment of narrowness.
#[tokio::test]
async fn a_snapshot_has_lines_regions_history_and_long_lines() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal
        .run(&mut link, "seq -f 'number %g' 4000; printf '\\033(0lqqk\\033(B\\033)0\\016mqqj\\017\\n'; printf 'word%s' $(seq 100 120); echo; printf '\\0337\\033[2;20r\\0338'")
        .await;
    for size in [Size { cols: 40, rows: 20 }, SIZE] {
        link.send(ToAgent::Resize { stream: STREAM, size }).await;
    }
    let (_, snapshot) = ask_snapshot(&mut link, &mut terminal).await;
    let snapshot = String::from_utf8(snapshot).unwrap();
    for number in 1..=4000 {
        assert!(snapshot.contains(&format!("number {number}\r\n")), "{number}");
    }
    let words: String = (100..=120).map(|number| format!("word{number}")).collect();
    for part in ["┌──┐", "└──┘", &words] {
        assert!(snapshot.contains(part), "{part:?}");
    }
}
