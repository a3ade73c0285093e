//! Output under credit: bounded without it, complete with it.
use std::fs;
use std::path::Path;

use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY};
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::frame::{Frame, Kind};

use crate::support::relay::STREAM;
use crate::support::{Connection, Machine, Received, Relay};

/// Some 200 MB, in lines of a hundred digits.
const LINES: u64 = 2_000_000;

/// Compares a stream of numbered lines with what it should be, without keeping either.
#[derive(Default)]
struct Lines {
    offset: u64,
    expected: Vec<u8>,
    number: u64,
}

impl Lines {
    fn take(&mut self, frame: &Frame) {
        assert!(
            frame.offset <= self.offset,
            "a hole between {} and {}",
            self.offset,
            frame.offset
        );
        let Some(frame) = frame.starting_at(self.offset) else {
            return;
        };
        let new = frame.payload();
        while self.expected.len() < new.len() && self.number < LINES {
            self.number += 1;
            self.expected
                .extend_from_slice(format!("{:0100}\n", self.number).as_bytes());
        }
        assert!(
            self.expected.starts_with(new),
            "other bytes than were written at {}",
            self.offset
        );
        self.expected.drain(..new.len());
        self.offset += new.len() as u64;
    }

    fn is_complete(&self) -> bool {
        self.number == LINES && self.expected.is_empty()
    }
}

/// Bytes on disk in files of `directory` that have no name any more.
fn nameless_bytes(directory: &Path) -> u64 {
    let files = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| entry.ok());
    let nameless = files.filter(|file| {
        let target = fs::read_link(file.path()).unwrap_or_default();
        target.starts_with(directory) && target.to_string_lossy().ends_with("(deleted)")
    });
    nameless
        .filter_map(|file| fs::metadata(file.path()).ok())
        .map(|file| file.len())
        .sum()
}

async fn end_of(link: &mut Connection) -> u64 {
    link.send(ToAgent::Report).await;
    match link.message().await {
        FromAgent::Report { streams, .. } => streams[0].end,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn two_hundred_megabytes_wait_for_credit_within_bounds_and_arrive_whole() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal
        .type_text(
            &mut link,
            &format!("stty raw -echo; printf 'ready%s' '!'; read go; exec seq -f %0100.0f {LINES}\r"),
        )
        .await;
    terminal.wait_for(&mut link, "ready!").await;
    let begin = terminal.output.len() as u64;
    let mut lines = Lines {
        offset: begin,
        ..Lines::default()
    };
    terminal.type_text(&mut link, "go\n").await;

    // Nothing is acknowledged: one window arrives and no more, and all of it fits into memory.
    while lines.offset < begin + LIVE_WINDOW {
        match link.next().await {
            Received::Frame(frame) if frame.kind == Kind::Output => lines.take(&frame),
            Received::Frame(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lines.offset, begin + LIVE_WINDOW);
    assert_eq!(end_of(&mut link).await, begin + LIVE_WINDOW);
    link.cut();

    // Without a link the log fills, to what it holds past what was acknowledged.
    let full = begin + LOG_CAPACITY;
    let mut link = loop {
        let mut link = relay.welcome().await;
        let end = end_of(&mut link).await;
        assert!(end <= full, "{end} of {full}");
        if end == full {
            break link;
        }
        link.cut();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(nameless_bytes(machine.directory.path()) <= LOG_CAPACITY);

    // With credit again, what was missed is read and what is new comes by itself.
    let (mut wanted, mut live) = (lines.offset, Vec::new());
    let (mut acked, mut exited) = (begin, false);
    while !lines.is_complete() || !exited {
        if wanted < full && wanted - lines.offset < LIVE_WINDOW {
            let to = (wanted + LIVE_WINDOW).min(full);
            link.send(ToAgent::Read {
                stream: STREAM,
                from: wanted,
                to,
            })
            .await;
            wanted = to;
        }
        if lines.offset - acked >= LIVE_WINDOW / 4 || lines.offset == full {
            acked = lines.offset;
            link.send_frame(&Frame::credit(STREAM, acked, Some(LIVE_WINDOW))).await;
        }
        match link.next().await {
            Received::Frame(frame) if frame.offset > lines.offset => live.push(frame),
            Received::Frame(frame) if frame.kind == Kind::Output => {
                lines.take(&frame);
                if lines.offset >= full {
                    live.drain(..).for_each(|frame| lines.take(&frame));
                }
            }
            Received::Frame(_) => {}
            Received::Message(FromAgent::Exited { end, status, .. }) => {
                assert_eq!((end, status.code), (lines.offset, Some(0)));
                exited = true;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(nameless_bytes(machine.directory.path()) <= LOG_CAPACITY);
}

#[tokio::test]
async fn a_small_session_never_touches_the_disk() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start_here();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal.run(&mut link, "head -c 900000 /dev/zero | tr '\\0' x").await;
    assert_eq!(nameless_bytes(machine.directory.path()), 0);
    terminal.run(&mut link, "head -c 900000 /dev/zero | tr '\\0' x").await;
    assert!(nameless_bytes(machine.directory.path()) > 0);
}

#[tokio::test]
async fn a_shell_that_reads_nothing_blocks_neither_the_link_nor_other_shells() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    // Another terminal whose program reads nothing, with input far beyond what the kernel takes.
    let (stuck, stuck_input) = (protocol::ids::StreamId(11), protocol::ids::StreamId(12));
    link.open(stuck, false).await;
    assert_eq!(
        terminal.wait_for_message(&mut link).await,
        FromAgent::Opened { stream: stuck }
    );
    link.send(ToAgent::OpenInput {
        stream: stuck,
        input: stuck_input,
    })
    .await;
    link.send_frame(&Frame::credit(stuck, 0, None)).await;
    let command = b"stty raw -echo; exec sleep 1000\r";
    link.send_frame(&Frame::new(Kind::Input, stuck_input, 0, command)).await;
    for piece in 0..8u64 {
        let offset = command.len() as u64 + piece * 30_000;
        link.send_frame(&Frame::new(Kind::Input, stuck_input, offset, &[b'x'; 30_000]))
            .await;
    }
    let mut marker = terminal.output.len();
    terminal.type_text(&mut link, "echo still $((40 + 2))\r").await;
    loop {
        match link.next().await {
            Received::Frame(frame) if frame.stream == stuck || frame.stream == stuck_input => {}
            // Until its program has taken the terminal, that one reads whole lines.
            Received::Message(FromAgent::Notice { stream, .. }) if stream == stuck => {}
            Received::Frame(frame) => terminal.take(&mut link, &frame).await,
            other => panic!("{other:?}"),
        }
        if String::from_utf8_lossy(&terminal.output[marker..]).contains("still 42") {
            break;
        }
        marker = marker.min(terminal.output.len());
    }
}

#[tokio::test]
async fn a_part_that_is_gone_is_said_to_be_missing_with_where_the_log_begins() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    // Without limit the log turns over.
    link.send_frame(&Frame::credit(STREAM, 0, None)).await;
    terminal
        .type_text(
            &mut link,
            "head -c 80000000 /dev/zero | tr '\\0' x; printf 'end%s' '!'\r",
        )
        .await;
    let mut tail = Vec::new();
    while !String::from_utf8_lossy(&tail).contains("end!") {
        match link.next().await {
            Received::Frame(frame) if frame.kind == Kind::Output => {
                tail.extend_from_slice(frame.payload());
                tail.drain(..tail.len().saturating_sub(100_000));
            }
            Received::Frame(_) => {}
            other => panic!("{other:?}"),
        }
    }
    link.send(ToAgent::Read {
        stream: STREAM,
        from: 0,
        to: 100,
    })
    .await;
    let start = match link.message().await {
        FromAgent::Missing {
            stream: STREAM,
            from: 0,
            start,
        } => start,
        other => panic!("{other:?}"),
    };
    assert!(start >= 80_000_000 - LOG_CAPACITY, "{start}");
    link.send(ToAgent::Read {
        stream: STREAM,
        from: start,
        to: start + 200_000,
    })
    .await;
    let mut read = 0;
    while read < 200_000 {
        match link.next().await {
            Received::Frame(frame) if frame.offset == start + read => {
                assert!(frame.payload().iter().all(|byte| *byte == b'x'));
                read += frame.payload().len() as u64;
            }
            Received::Frame(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read, 200_000);
}

#[tokio::test]
async fn output_that_the_disk_has_no_room_for_waits_in_the_program() {
    const ROWS: usize = 60_000;
    let relay = Relay::start().await;
    let mut machine = Machine::enrolled_with(&relay);
    // A folder that is not there takes as little as a disk that is full.
    machine.config.storage.directory = machine.directory.path().join("full");
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let command = format!("stty raw -echo; printf 'ready%s' '!'; read go; exec seq -f %0100.0f {ROWS}\r");
    terminal.type_text(&mut link, &command).await;
    terminal.wait_for(&mut link, "ready!").await;
    let begin = terminal.output.len();
    terminal.type_text(&mut link, "go\n").await;
    terminal.wait_for(&mut link, "0\n").await;
    link.cut();

    // Six megabytes are written, one of them fits, and all of it is still there when somebody comes back.
    let mut told = false;
    let (mut link, report) = loop {
        let mut link = relay.welcome().await;
        let before = link.streams[0].end;
        let report = loop {
            link.send(ToAgent::Report).await;
            match link.message().await {
                FromAgent::Report { streams, .. } => break streams[0].clone(),
                FromAgent::Notice { code, input: None, .. } if code == "disk_full" => told = true,
                other => panic!("{other:?}"),
            }
        };
        if told && report.end == before && before > LIVE_WINDOW / 2 {
            break (link, report);
        }
        link.cut();
    };
    assert!(
        report.start <= terminal.output.len() as u64 && report.end < 2 * LIVE_WINDOW,
        "{report:?}"
    );
    let (from, to) = (terminal.output.len() as u64, report.end);
    link.send(ToAgent::Read {
        stream: STREAM,
        from,
        to,
    })
    .await;
    loop {
        match link.next().await {
            Received::Frame(frame) => terminal.take(&mut link, &frame).await,
            Received::Message(FromAgent::Notice { .. } | FromAgent::Report { .. }) => {}
            Received::Message(FromAgent::Exited { .. }) => break,
            other => panic!("{other:?}"),
        }
    }
    let text = String::from_utf8_lossy(&terminal.output[begin..]).into_owned();
    let rows: Vec<usize> = text
        .lines()
        .filter(|line| line.len() == 100)
        .map(|line| line.parse().unwrap())
        .collect();
    assert!(rows.iter().copied().eq(1..=ROWS), "{} rows", rows.len());
}
