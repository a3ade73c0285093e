//! What is written is read again, however it is cut.
use proptest::prelude::*;

use super::*;
use crate::terminal::Size;

fn header() -> Header {
    Header {
        size: Size { cols: 80, rows: 24 },
        timestamp: 1_700_000_000,
        title: "Session sess_1 — ada \"x\"".to_owned(),
    }
}

/// All events of some parts, one behind the other.
fn read(parts: &[Part]) -> Vec<(u64, Event)> {
    let text: Vec<u8> = parts.iter().flat_map(|part| part.text.clone()).collect();
    events(&text).map(Result::unwrap).collect()
}

fn output(events: &[(u64, Event)]) -> Vec<u8> {
    let bytes = |(_, event): &(u64, Event)| match event {
        Event::Output(bytes) => bytes.clone(),
        _ => Vec::new(),
    };
    events.iter().flat_map(bytes).collect()
}

#[test]
fn a_recording_has_a_header_and_a_first_event_at_time_0() {
    let mut encoder = Encoder::beginning(&header());
    encoder.output(1_250, b"a\x1b[1m\"\r\n");
    let text = String::from_utf8(encoder.take().text).unwrap();
    let expected = concat!(
        r#"{"version":2,"width":80,"height":24,"timestamp":1700000000,"title":"Session sess_1 — ada \"x\""}"#,
        "\n[0.000,\"o\",\"\"]\n",
        r#"[1.250,"o","a\u001b[1m\"\r\n"]"#,
        "\n",
    );
    assert_eq!(text, expected);
    let line = text.lines().next().unwrap();
    assert_eq!(Header::parse(line.as_bytes()), Some(header()));
}

#[test]
fn a_character_that_comes_in_two_reads_is_one_event_at_the_time_of_its_end() {
    let mut encoder = Encoder::resuming(10, 0);
    encoder.output(100, "é".as_bytes().get(..1).unwrap());
    assert_eq!(encoder.output_bytes(), 0);
    assert_eq!(encoder.next(), 11);
    encoder.output(200, "é".as_bytes().get(1..).unwrap());
    let part = encoder.take();
    assert_eq!((part.span.start, part.span.end, part.span.from), (10, 12, 200));
    assert_eq!(read(&[part]), [(200, Event::Output("é".into()))]);
}

#[test]
fn half_a_character_at_the_very_end_is_shown_as_one_that_is_none_and_kept_as_it_is() {
    let mut encoder = Encoder::resuming(0, 0);
    encoder.output(100, b"a\xe2\x82");
    encoder.flush(300);
    let part = encoder.take();
    assert!(
        String::from_utf8(part.text.clone())
            .unwrap()
            .contains("[0.300,\"o\",\"\u{fffd}\"]")
    );
    assert_eq!(output(&read(&[part])), b"a\xe2\x82");
}

#[test]
fn times_never_go_back() {
    let mut encoder = Encoder::resuming(0, 5_000);
    encoder.output(4_000, b"a");
    encoder.output(6_000, b"b");
    encoder.resize(5_500, Size { cols: 1, rows: 2 });
    let times: Vec<u64> = read(&[encoder.take()]).into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [5_000, 6_000, 6_000]);
}

#[test]
fn a_part_begins_with_the_screen_if_nothing_came_before_it() {
    let size = Size { cols: 80, rows: 24 };
    let mut encoder = Encoder::resuming(5, 100);
    encoder.screen(size, "\x1b[2J$ ");
    assert!(encoder.is_empty(), "a screen alone is no part");
    encoder.output(200, b"a");
    encoder.screen(size, "within a part it is none of its beginning");
    encoder.output(300, b"b");
    let part = encoder.take();
    assert!(part.span.screen);
    assert_eq!((part.span.start, part.span.end, part.span.from), (5, 7, 200));
    let text = "[0.200,\"s\",\"80x24 \\u001b[2J$ \"]\n[0.200,\"o\",\"a\"]\n[0.300,\"o\",\"b\"]\n";
    assert_eq!(String::from_utf8(part.text.clone()).unwrap(), text);
    assert_eq!(read(&[part]).len(), 2, "it is no event");
    encoder.output(400, b"c");
    assert!(!encoder.take().span.screen);
}

#[test]
fn what_is_lost_is_said() {
    let mut encoder = Encoder::resuming(5, 0);
    encoder.output(1, b"abc");
    encoder.skip_to(2, 100);
    encoder.output(3, b"d");
    let part = encoder.take();
    assert_eq!((part.span.start, part.span.end), (5, 101));
    let events = read(&[part]);
    assert!(events.contains(&(2, Event::Marker("92 bytes of output are missing".to_owned()))));
}

#[test]
fn v3_has_intervals_a_term_and_the_exit_status() {
    let mut encoder = Encoder::beginning(&header());
    encoder.output(1_250, b"a");
    let first = encoder.take();
    encoder.screen(Size { cols: 80, rows: 24 }, "\x1b[2Ja");
    encoder.output(1_500, b"\xff");
    encoder.resize(3_000, Size { cols: 100, rows: 30 });
    let second = encoder.take();
    let mut v3 = V3::default();
    let mut text = v3.lines(&first.text).unwrap();
    text.extend(v3.lines(&second.text).unwrap());
    text.extend(v3.exit(3_200, 7));
    let expected = concat!(
        r#"{"version":3,"term":{"cols":80,"rows":24},"timestamp":1700000000,"title":"Session sess_1 — ada \"x\""}"#,
        "\n[0.000,\"o\",\"\"]\n[1.250,\"o\",\"a\"]\n[0.250,\"o\",\"\u{fffd}\"]\n[1.500,\"r\",\"100x30\"]\n[0.200,\"x\",\"7\"]\n",
    );
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn a_line_that_makes_no_sense_is_an_error_that_says_which() {
    for bad in ["[1.000,\"o\"]", "[\"x\",\"o\",\"\"]", "nonsense", "[1.000,\"b\",\"?\"]"] {
        let text = format!("[0.000,\"o\",\"\"]\n{bad}\n");
        assert_eq!(events(text.as_bytes()).last(), Some(Err(BadLine(2))), "{bad}");
    }
    for bad in ["{\"version\":2}", "[1,\"o\",\"\"]", "x"] {
        assert_eq!(V3::default().lines(bad.as_bytes()), Err(BadLine(1)), "{bad}");
    }
}

/// A step of somebody who records.
#[derive(Debug, Clone)]
enum Step {
    Output(Vec<u8>),
    Wait(u64),
    Resize(u16),
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop_oneof![
        "\\PC{0,20}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..20),
        "[é€𝄞\u{1b}\"\\\\]{1,8}".prop_map(|text| {
            let bytes = text.into_bytes();
            bytes.get(..bytes.len() - 1).unwrap_or_default().to_vec()
        }),
    ];
    prop_oneof![
        6 => bytes.prop_map(Step::Output),
        2 => (0u64..5_000).prop_map(Step::Wait),
        1 => (1u16..1000).prop_map(Step::Resize),
        2 => Just(Step::Cut),
    ]
}

proptest! {
    #[test]
    fn what_was_written_is_read_again_however_it_was_cut(steps in proptest::collection::vec(step(), 0..40), ends in any::<(u16, u16)>()) {
        let (mut encoder, mut now, mut written, mut parts) = (Encoder::beginning(&header()), 0, Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Output(bytes) => {
                    encoder.output(now, &bytes);
                    written.extend_from_slice(&bytes);
                    prop_assert_eq!(encoder.next(), written.len() as u64);
                }
                Step::Wait(ms) => now += ms,
                Step::Resize(cols) => encoder.resize(now, Size { cols, rows: 5 }),
                Step::Cut => parts.push(encoder.take()),
            }
        }
        encoder.flush(now);
        parts.push(encoder.take());
        prop_assert!(encoder.is_empty());
        let events = read(&parts);
        prop_assert_eq!(output(&events), written.clone());
        prop_assert!(events.windows(2).all(|two| two[0].0 <= two[1].0));
        for two in parts.windows(2) {
            prop_assert_eq!(two[0].span.end, two[1].span.start);
            prop_assert!(two[0].span.to <= two[1].span.from);
        }
        for part in &parts {
            prop_assert!(std::str::from_utf8(&part.text).is_ok());
            prop_assert!(part.text.is_empty() || part.text.ends_with(b"\n"));
        }
        // And any range of it is found in the parts.
        let end = written.len() as u64;
        let (from, to) = (u64::from(ends.0.min(ends.1)).min(end), u64::from(ends.0.max(ends.1)).min(end));
        let mut range = Vec::new();
        for part in &parts {
            range.extend(output_between(&part.text, part.span.start, from, to).unwrap().bytes);
        }
        prop_assert_eq!(&range[..], &written[from as usize..to as usize]);
    }
}
