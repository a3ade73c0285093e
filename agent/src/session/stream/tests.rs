use super::*;
use crate::session::requests::REQUESTS;
use proptest::prelude::*;
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY};
use protocol::terminal::frame::Kind;

const ID: StreamId = StreamId(1);
const INPUT: StreamId = StreamId(2);

/// One whose shell is being started.
fn starting() -> (Stream, Instant) {
    let limits = Limits {
        memory: 256 * 1024,
        capacity: LOG_CAPACITY,
        directory: std::env::temp_dir(),
    };
    let mut stream = Stream::new(ID, "sess_1".parse().unwrap(), Size::default(), limits);
    stream.attach();
    (stream, Instant::now())
}

fn linked() -> (Stream, Instant) {
    let (mut stream, now) = starting();
    stream.opened();
    assert_eq!(stream.next(now), Some(FromAgent::Opened { stream: ID }.into()));
    (stream, now)
}

/// Everything that is due now.
fn due(stream: &mut Stream, now: Instant) -> Vec<Outgoing> {
    std::iter::from_fn(|| stream.next(now)).collect()
}

fn output_at(outgoing: &Outgoing) -> Option<(u64, usize)> {
    match outgoing {
        Outgoing::Frame(frame) if frame.kind == Kind::Output => Some((frame.offset, frame.payload().len())),
        _ => None,
    }
}

#[test]
fn opened_comes_before_output_and_the_exit_after_it() {
    let (mut stream, now) = starting();
    stream.output(b"last words", now);
    assert_eq!((stream.next_due(now), stream.next(now)), (None, None));
    stream.opened();
    stream.ended(ExitStatus {
        code: Some(1),
        signal: None,
        reason: None,
    });
    let said = due(&mut stream, now);
    assert_eq!(said[0], FromAgent::Opened { stream: ID }.into());
    assert_eq!(output_at(&said[1]), Some((0, 10)));
    let status = ExitStatus {
        code: Some(1),
        signal: None,
        reason: None,
    };
    assert_eq!(
        said[2..],
        [FromAgent::Exited {
            stream: ID,
            end: 10,
            status
        }
        .into()]
    );
    assert!(stream.is_over());
}

#[test]
fn a_flood_leaves_every_other_turn_to_answers() {
    let (mut stream, now) = linked();
    stream.output(&[b'x'; 131_072], now);
    due(&mut stream, now);
    stream.output(&[b'x'; 200_000], now);
    // Only what was sent before: the rest comes live.
    stream.request_part(0..250_000);
    stream.inputs.open(INPUT, now);
    let said = due(&mut stream, now);
    let ack = Outgoing::Frame(Frame::ack(INPUT, 0));
    assert_eq!(said.iter().position(|outgoing| *outgoing == ack), Some(1));
    // The small rest waits for more.
    let output: Vec<_> = said.iter().filter_map(output_at).collect();
    assert_eq!(
        output,
        [
            (131_072, 65_536),
            (196_608, 65_536),
            (0, 65_536),
            (262_144, 65_536),
            (65_536, 65_536)
        ]
    );
}

#[test]
fn what_waits_for_the_link_is_not_added_to() {
    let (mut stream, now) = linked();
    assert_eq!(stream.room(), ENOUGH);
    stream.output(&[b'x'; ENOUGH], now);
    assert_eq!(stream.room(), 0);
    due(&mut stream, now);
    assert_eq!(stream.room(), ENOUGH);
}

#[test]
fn a_snapshot_stops_reading_until_it_shows_the_end_of_what_was_sent() {
    let (mut stream, now) = linked();
    stream.output(b"hello", now);
    due(&mut stream, now);
    stream.output(b" world", now);
    stream.request_snapshot();
    assert_eq!(stream.room(), 0);
    // The coalescer would have waited; the snapshot does not.
    assert_eq!(output_at(&stream.next(now).unwrap()), Some((5, 6)));
    assert_eq!(stream.next(now), None);
    assert_eq!(stream.catch_up_due(now), Some(now));
    stream.catch_up(now);
    let size = Size::default();
    assert_eq!(stream.next(now), Some(FromAgent::Snapshot { stream: ID, size }.into()));
    match stream.next(now) {
        Some(Outgoing::Frame(frame)) => {
            assert_eq!((frame.kind, frame.offset), (Kind::Snapshot, 11));
            assert!(String::from_utf8_lossy(frame.payload()).contains("hello world"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stream.room(), ENOUGH);
}

#[test]
fn what_is_shown_is_told_once_it_is_known_anyway_and_stops_nothing() {
    let (mut stream, now) = linked();
    stream.output(b"one\r\n\x1b[1mtwo", now);
    stream.request_screen();
    due(&mut stream, now);
    assert_eq!(stream.room(), ENOUGH, "the program goes on");
    assert_eq!(stream.next(now), None, "it is not interpreted for this");
    stream.catch_up(now);
    match stream.next(now) {
        Some(Outgoing::Message(message)) => match *message {
            FromAgent::Screen {
                offset, size, screen, ..
            } => {
                assert_eq!((offset, size), (12, Size::default()));
                assert!(screen.contains("one\r\n") && screen.contains("two"), "{screen:?}");
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    assert_eq!(stream.next(now), None, "it was asked for once");
}

#[test]
fn what_is_shown_within_a_sequence_or_is_too_much_is_not_told() {
    let (mut stream, mut now) = linked();
    let colourful: String = (0..1000).map(|n| format!("\x1b[38;2;1;2;{}mx", n % 256)).collect();
    for output in ["text \x1b[3", "1m", &format!("{colourful}\x1b[1;")] {
        stream.resize(Size { cols: 1000, rows: 40 });
        stream.output(output.as_bytes(), now);
        stream.request_screen();
        now += Duration::from_secs(1);
        let told = due(&mut stream, now).len();
        stream.catch_up(now);
        assert_eq!(
            (told, due(&mut stream, now).len()),
            (1, usize::from(output == "1m")),
            "{output:?}"
        );
    }
    let mut large = "m".to_owned();
    (0..20).for_each(|_| large.push_str(&colourful));
    stream.output(large.as_bytes(), now);
    stream.request_screen();
    // All of it in full frames, and then the rest.
    for _ in 0..2 {
        now += Duration::from_secs(1);
        due(&mut stream, now);
    }
    while stream.catch_up_due(now).is_some() {
        stream.catch_up(now);
    }
    assert_eq!(due(&mut stream, now), []);
    assert_eq!(stream.next_due(now), None, "nothing is tried again and again");
}

#[test]
fn a_snapshot_behind_a_part_is_drawn_when_it_is_its_turn() {
    let (mut stream, now) = linked();
    stream.output(b"hello", now);
    due(&mut stream, now);
    stream.request_part(0..5);
    stream.request_snapshot();
    stream.output(b" world", now);
    let said: Vec<_> = due(&mut stream, now).iter().filter_map(output_at).collect();
    assert_eq!(said, [(0, 5), (5, 6)]);
    stream.catch_up(now);
    match due(&mut stream, now).as_slice() {
        [Outgoing::Message(_), Outgoing::Frame(frame)] => {
            assert_eq!((frame.kind, frame.offset), (Kind::Snapshot, 11));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_link_gets_what_is_written_from_the_report_on() {
    let (mut stream, now) = linked();
    stream.output(b"before", now);
    stream.request_part(0..6);
    stream.detach();
    assert_eq!(stream.next(now), None);
    stream.output(b" meanwhile", now);
    assert_eq!(stream.attach().end, 16);
    assert_eq!(stream.next(now), None);
    stream.output(b" after", now);
    let later = now + Duration::from_millis(5);
    assert_eq!(output_at(&stream.next(later).unwrap()), Some((16, 6)));
}

#[test]
fn an_end_that_was_reported_is_not_told_again_unless_asked() {
    let (mut stream, now) = linked();
    stream.detach();
    stream.ended(ExitStatus::default());
    assert!(stream.is_over());
    assert!(stream.attach().exit.is_some());
    assert_eq!(due(&mut stream, now), []);
    stream.repeat_opened();
    let said = due(&mut stream, now);
    assert_eq!(said[0], FromAgent::Opened { stream: ID }.into());
    assert_eq!(
        said[1],
        FromAgent::Exited {
            stream: ID,
            end: 0,
            status: ExitStatus::default()
        }
        .into()
    );
}

#[test]
fn a_relay_that_asks_without_end_is_not_listened_to_without_end() {
    let (mut stream, now) = linked();
    stream.output(b"x", now);
    due(&mut stream, now);
    for _ in 0..10_000 {
        stream.request_part(0..1);
    }
    assert_eq!(due(&mut stream, now).len(), REQUESTS);
}

/// What the terminal took, as far as there is anything.
fn input(stream: &mut Stream, now: Instant) -> String {
    let mut taken = Vec::new();
    while let Some(bytes) = stream.inputs.next() {
        taken.extend_from_slice(bytes);
        let count = bytes.len();
        stream.inputs.written(count, now);
    }
    String::from_utf8(taken).unwrap()
}

#[test]
fn what_a_program_asks_is_answered_whoever_is_there() {
    let (mut stream, now) = linked();
    stream.detach();
    stream.output(b"$ \x1b[c\x1b[6", now);
    assert_eq!(input(&mut stream, now), "\x1b[?1;2c");
    stream.output(
        b"n\r\n\x1b[>c\x1b]11;?\x07\x1b[?2004h\x1b[?2004$p\x1b[18t\x1bZ\x05\x1b[?u",
        now,
    );
    assert_eq!(
        input(&mut stream, now),
        "\x1b[1;3R\x1b[>0;276;0c\x1b]11;rgb:1212/1717/1515\x1b\\\x1b[?2004;1$y\x1b[8;24;80t"
    );
}

#[test]
fn who_asks_and_never_reads_the_answers_fills_no_memory() {
    let (mut stream, now) = linked();
    for _ in 0..1000 {
        stream.output(&b"\x1b[c".repeat(100), now);
    }
    let answers = input(&mut stream, now);
    assert!(
        answers.len() <= 4096 && answers.starts_with("\x1b[?1;2c\x1b[?1;2c"),
        "{answers:?}"
    );
    stream.output(b"\x1b[5n", now);
    assert_eq!(input(&mut stream, now), "\x1b[0n");
}

/// What happens to a terminal: a program writes or asks, a person types, the program reads.
#[derive(Debug, Clone)]
enum Talk {
    Text(String),
    Ask,
    Cut,
    Type(u8),
    Read(usize),
}

fn talk() -> impl Strategy<Value = Talk> {
    prop_oneof![
        3 => "[a-z]{0,12}(\r\n)?".prop_map(Talk::Text),
        3 => Just(Talk::Ask),
        1 => Just(Talk::Cut),
        2 => (b'a'..=b'z').prop_map(Talk::Type),
        2 => (1usize..8).prop_map(Talk::Read),
    ]
}

proptest! {
    #[test]
    fn each_question_is_answered_once_and_in_order_with_what_is_typed(talks in proptest::collection::vec(talk(), 0..60)) {
        let (mut stream, now) = linked();
        stream.inputs.open(INPUT, now);
        let (mut written, mut expected, mut taken) = (Vec::new(), String::new(), String::new());
        let (mut typed, mut x, mut y) = (0, 1, 1);
        for talk in talks {
            match talk {
                Talk::Text(text) => {
                    written.extend_from_slice(text.as_bytes());
                    let line = text.trim_end();
                    // Far from the last column and line, where the place would be another matter.
                    if y > 20 || x + line.len() > 70 { written.extend_from_slice(b"\x1b[H"); (x, y) = (1, 1); }
                    x += line.len();
                    if line.len() < text.len() { (x, y) = (1, y + 1); }
                    // What a program writes comes at once or in two parts.
                    let half = written.len() / 2;
                    stream.output(&written[..half], now);
                    stream.output(&written[half..], now);
                    // The place is what counts, not the text: start anew.
                    stream.output(format!("\x1b[{y};{x}H").as_bytes(), now);
                    written.clear();
                }
                Talk::Ask => {
                    stream.output(b"\x1b[6", now);
                    stream.output(b"n", now);
                    expected += &format!("\x1b[{y};{x}R");
                }
                Talk::Cut => { stream.detach(); stream.attach(); }
                Talk::Type(key) => {
                    stream.inputs.receive(&Frame::new(Kind::Input, INPUT, typed, &[key]), now);
                    typed += 1;
                    expected.push(key as char);
                }
                Talk::Read(most) => {
                    if let Some(bytes) = stream.inputs.next() {
                        let count = bytes.len().min(most);
                        taken += std::str::from_utf8(&bytes[..count]).unwrap();
                        stream.inputs.written(count, now);
                    }
                }
            }
        }
        taken += &input(&mut stream, now);
        prop_assert_eq!(taken, expected);
    }
}

#[test]
fn a_full_disk_makes_the_program_wait_and_is_said_and_loses_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("disk");
    let limits = Limits {
        memory: 256 * 1024,
        capacity: LOG_CAPACITY,
        directory: directory.clone(),
    };
    let mut stream = Stream::new(ID, "sess_1".parse().unwrap(), Size::default(), limits);
    stream.attach();
    stream.opened();
    let mut now = Instant::now();
    due(&mut stream, now);
    // Nobody acknowledges anything; the window alone would allow a megabyte.
    let mut said = Vec::new();
    while stream.room() > 0 {
        stream.output(&vec![b'x'; stream.room()], now);
        said.extend(due(&mut stream, now));
    }
    let notice = said.iter().filter_map(|outgoing| match outgoing {
        Outgoing::Message(message) => Some(message),
        Outgoing::Frame(_) => None,
    });
    let notices: Vec<_> = notice.collect();
    assert!(
        matches!(&notices[..], [notice] if matches!(&***notice, FromAgent::Notice { stream: ID, input: None, code, .. } if code == "disk_full")),
        "{notices:?}"
    );
    let report = stream.report();
    assert!(report.start == 0 && report.end < LIVE_WINDOW, "{report:?}");
    // Reading goes on with what is acknowledged, and without limit once there is room.
    stream.set_credit(100_000, Some(LIVE_WINDOW));
    assert!(stream.room() > 0);
    stream.output(&[b'x'; 1000], now);
    assert!(stream.report().start <= 100_000);
    std::fs::create_dir(directory).unwrap();
    now += RETRY_EVERY;
    assert!(stream.catch_up_due(now).is_some_and(|at| at <= now));
    stream.catch_up(now);
    while stream.end() < 100_000 + LIVE_WINDOW {
        let room = stream.room();
        assert!(room > 0);
        stream.output(&vec![b'x'; room], now);
        due(&mut stream, now);
    }
    assert!(stream.report().start <= 100_000);
}

#[derive(Debug, Clone)]
enum Step {
    Write(usize),
    Send(usize),
    Credit { behind: u64, window: Option<u64> },
    Read { from: u64, len: u64 },
    Snapshot,
    CatchUp,
    Relink,
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1usize..40_000).prop_map(Step::Write),
        4 => (1usize..5).prop_map(Step::Send),
        2 => (0u64..50_000, proptest::option::of(0u64..200_000)).prop_map(|(behind, window)| Step::Credit { behind, window }),
        1 => (0u64..200_000, 0u64..200_000).prop_map(|(from, len)| Step::Read { from, len }),
        1 => Just(Step::Snapshot),
        2 => Just(Step::CatchUp),
        1 => Just(Step::Relink),
        2 => Just(Step::Wait),
    ]
}

fn byte_at(offset: u64) -> u8 {
    b'a' + ((offset * 7919) >> 5) as u8 % 26
}

proptest! {
    #[test]
    fn whatever_happens_bytes_stay_at_their_offsets_and_within_the_credit(steps in proptest::collection::vec(step(), 0..60)) {
        let (mut stream, mut now) = linked();
        let mut allowed = LIVE_WINDOW;
        let mut unlimited = false;
        let mut live = 0;
        // The snapshot that is being sent: output may come between its frames, and not before the first.
        let mut drawn = None;
        for step in steps {
            match step {
                Step::Write(most) => {
                    let count = most.min(stream.room());
                    let bytes: Vec<u8> = (stream.end()..stream.end() + count as u64).map(byte_at).collect();
                    stream.output(&bytes, now);
                    prop_assert!(unlimited || count == 0 || stream.end() <= allowed);
                }
                Step::Send(most) => {
                    for outgoing in std::iter::from_fn(|| stream.next(now)).take(most).collect::<Vec<_>>() {
                        let Outgoing::Frame(frame) = outgoing else { continue };
                        match frame.kind {
                            Kind::Output => {
                                let expected: Vec<u8> = (frame.offset..frame.end()).map(byte_at).collect();
                                prop_assert_eq!(frame.payload(), &expected[..]);
                                prop_assert!(frame.end() <= stream.end());
                                // Live output has no holes; parts that were asked for lie before it.
                                prop_assert!(frame.offset <= live);
                                live = live.max(frame.end());
                            }
                            Kind::Snapshot => {
                                prop_assert!(drawn == Some(frame.offset) || frame.offset == live);
                                drawn = (frame.payload().len() == protocol::limits::MAX_PAYLOAD).then_some(frame.offset);
                            }
                            kind => prop_assert!(false, "an unexpected {:?}", kind),
                        }
                    }
                }
                Step::Credit { behind, window } => {
                    let acked = stream.end().saturating_sub(behind);
                    stream.set_credit(acked, window);
                    unlimited = window.is_none();
                    allowed = acked + window.unwrap_or(0);
                }
                Step::Read { from, len } => stream.request_part(from..from + len),
                Step::Snapshot => stream.request_snapshot(),
                Step::CatchUp => stream.catch_up(now),
                Step::Relink => {
                    stream.detach();
                    live = stream.attach().end;
                    allowed = u64::MAX;
                }
                Step::Wait => now += Duration::from_millis(5),
            }
        }
    }
}
