use super::*;
use protocol::limits::ACK_DELAY_MS;

const SIZE: Size = Size { cols: 80, rows: 24 };

fn viewer() -> Viewer {
    Viewer::new("0".repeat(32).parse().unwrap(), SIZE)
}

fn attached(stream: u32, input: u32, applied: u64, offset: u64) -> String {
    let message = ToViewer::Attached {
        protocol: PROTOCOL,
        session_id: "s".parse().unwrap(),
        stream: StreamId(stream),
        input: StreamId(input),
        applied,
        offset,
        end: offset,
        size: SIZE,
        sized_by: None,
        can_type: true,
        resumed: false,
    };
    serde_json::to_string(&message).unwrap()
}

fn output(offset: u64, text: &str) -> Bytes {
    Frame::new(Kind::Output, StreamId(1), offset, text.as_bytes())
        .bytes()
        .clone()
}

fn received(hello: FromViewer) -> Option<u64> {
    match hello {
        FromViewer::Hello { received, .. } => received,
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_a_cut_output_goes_on_where_it_stopped_and_input_where_it_was_applied() {
    let mut viewer = viewer();
    assert_eq!(received(viewer.hello()), None);
    viewer.typed(b"abcdef");
    assert_eq!(viewer.next_frame(0), None, "nothing is sent before the shell is there");
    let event = viewer.control(&attached(1, 2, 0, 0)).unwrap();
    assert_eq!(event, Some(Event::Attached { can_type: true }));
    assert_eq!(viewer.next_frame(0).unwrap().payload(), b"abcdef");
    assert_eq!(
        viewer.binary(output(0, "hello")).unwrap(),
        Some(Event::Output(Bytes::from("hello"), 5))
    );

    assert_eq!(received(viewer.hello()), Some(5));
    assert_eq!(viewer.next_frame(0), None);
    viewer.control(&attached(1, 2, 4, 5)).unwrap();
    let again = viewer.next_frame(0).unwrap();
    assert_eq!((again.offset, again.payload()), (4, &b"ef"[..]));
    assert_eq!(
        viewer.binary(output(3, "lo!")).unwrap(),
        Some(Event::Output(Bytes::from("!"), 6))
    );
    assert_eq!(viewer.binary(output(0, "hello")).unwrap(), None);
}

#[test]
fn only_what_was_shown_is_acknowledged_and_not_what_came_before_a_redraw() {
    let mut viewer = viewer();
    viewer.control(&attached(1, 2, 0, 0)).unwrap();
    viewer.binary(output(0, "hello")).unwrap();
    assert_eq!((viewer.unshown(), viewer.wakes_at_ms()), (5, None));
    viewer.shown(3, 10);
    assert_eq!(viewer.wakes_at_ms(), Some(10 + ACK_DELAY_MS));
    assert_eq!(viewer.next_frame(10 + ACK_DELAY_MS), Some(Frame::ack(StreamId(1), 3)));
    let snapshot = serde_json::to_string(&ToViewer::Snapshot {
        offset: 100,
        size: SIZE,
    })
    .unwrap();
    assert_eq!(viewer.control(&snapshot).unwrap(), Some(Event::Redraw));
    viewer.shown(5, 1000);
    viewer.binary(output(100, "x")).unwrap();
    assert_eq!((viewer.unshown(), viewer.next_frame(2000)), (1, None));
}

#[test]
fn what_was_typed_into_a_shell_that_is_gone_is_not_typed_into_the_next() {
    let mut viewer = viewer();
    viewer.control(&attached(1, 2, 0, 0)).unwrap();
    viewer.typed(b"rm -r ");
    viewer.hello();
    viewer.control(&attached(3, 4, 0, 0)).unwrap();
    assert_eq!(viewer.next_frame(0), None);
    viewer.typed(b"ls");
    assert_eq!(viewer.next_frame(0).unwrap().payload(), b"ls");
}

#[test]
fn a_relay_that_breaks_the_protocol_is_an_error() {
    let mut viewer = viewer();
    assert!(viewer.binary(output(0, "x")).is_err(), "before the shell is there");
    viewer.control(&attached(1, 2, 0, 0)).unwrap();
    assert!(viewer.binary(output(9, "x")).is_err(), "a hole");
    assert!(
        viewer.binary(Frame::ack(StreamId(1), 0).bytes().clone()).is_err(),
        "not our input"
    );
    assert!(viewer.binary(Bytes::from_static(b"short")).is_err());
    assert!(viewer.control("{}").is_err());
    assert!(
        viewer
            .control(&attached(1, 2, 0, 0).replace("\"protocol\":1", "\"protocol\":9"))
            .is_err()
    );
}

#[test]
fn what_programs_ask_is_not_shown_and_nothing_else_is_left_out() {
    let mut viewer = viewer();
    viewer.control(&attached(1, 2, 0, 0)).unwrap();
    let shown = |event: Option<Event>| match event {
        Some(Event::Output(bytes, end)) => (String::from_utf8(bytes.to_vec()).unwrap(), end),
        other => panic!("{other:?}"),
    };
    for (offset, text, expected) in [
        (0, "a\u{1b}[", "a"),
        (3, "6n", ""),
        (5, "b\u{1b}[c\u{1b}[1m", "b\u{1b}[1m"),
        (13, "\u{1b}", ""),
        (14, "[31mc", "\u{1b}[31mc"),
    ] {
        let end = offset + text.len() as u64;
        assert_eq!(
            shown(viewer.binary(output(offset, text)).unwrap()),
            (expected.to_owned(), end)
        );
    }
}

#[test]
fn a_snapshot_that_was_cut_off_is_asked_for_again() {
    let mut viewer = viewer();
    viewer.control(&attached(1, 2, 0, 0)).unwrap();
    let snapshot = serde_json::to_string(&ToViewer::Snapshot {
        offset: 100,
        size: SIZE,
    });
    let piece = |len: usize| {
        let frame = Frame::new(Kind::Snapshot, StreamId(1), 100, &vec![b'x'; len]);
        frame.bytes().clone()
    };
    viewer.control(&snapshot.unwrap()).unwrap();
    viewer.binary(piece(MAX_PAYLOAD)).unwrap();
    assert_eq!(received(viewer.hello()), None);
    viewer.control(&attached(1, 2, 0, 100)).unwrap();
    viewer.binary(piece(0)).unwrap();
    assert_eq!(received(viewer.hello()), Some(100));
}
