use super::*;
use proptest::prelude::*;
use protocol::stream::InputWriter;
use protocol::terminal::frame::Kind;

const INPUT: StreamId = StreamId(7);

fn opened() -> (Inputs, Instant) {
    let now = Instant::now();
    let mut inputs = Inputs::default();
    inputs.open(INPUT, now);
    assert_eq!(inputs.take_ack(), Some(Frame::ack(INPUT, 0)));
    (inputs, now)
}

#[test]
fn an_acknowledgement_follows_the_write_and_not_the_frame() {
    let (mut inputs, now) = opened();
    inputs.receive(&Frame::new(Kind::Input, INPUT, 0, b"hello"), now);
    assert_eq!(inputs.ack_due(), None);
    assert_eq!(inputs.next(), Some(&b"hello"[..]));
    inputs.written(2, now);
    assert_eq!(inputs.ack_due(), Some(now + ACK_DELAY));
    assert_eq!(inputs.take_ack(), Some(Frame::ack(INPUT, 2)));
    assert_eq!((inputs.next(), inputs.ack_due()), (Some(&b"llo"[..]), None));
}

#[test]
fn a_gap_is_refused_with_the_offset_to_go_on_at() {
    let (mut inputs, now) = opened();
    inputs.receive(&Frame::new(Kind::Input, INPUT, 3, b"late"), now);
    assert_eq!(inputs.next(), None);
    assert_eq!(inputs.ack_due(), Some(now));
    assert_eq!(inputs.take_ack(), Some(Frame::ack(INPUT, 0)));
}

#[test]
fn a_shell_that_reads_nothing_holds_one_window_of_input_at_most() {
    let (mut inputs, now) = opened();
    for piece in 0..10 {
        inputs.receive(&Frame::new(Kind::Input, INPUT, piece * 65_536, &[b'x'; 65_536]), now);
    }
    let held: usize = inputs.queue.iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(held as u64, INPUT_WINDOW);
}

#[test]
fn input_of_a_stranger_is_ignored() {
    let (mut inputs, now) = opened();
    inputs.receive(&Frame::new(Kind::Input, StreamId(8), 0, b"x"), now);
    assert_eq!(inputs.next(), None);
    assert_eq!(inputs.take_ack(), None);
}

#[derive(Debug, Clone)]
enum Step {
    Type(Vec<u8>),
    Send,
    Deliver,
    Write(usize),
    Acknowledge,
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..40).prop_map(Step::Type),
        Just(Step::Send),
        Just(Step::Deliver),
        (1usize..30).prop_map(Step::Write),
        Just(Step::Acknowledge),
        Just(Step::Cut),
    ]
}

proptest! {
    #[test]
    fn the_terminal_gets_what_was_typed_once_and_in_order(steps in proptest::collection::vec(step(), 0..200)) {
        let (mut inputs, now) = opened();
        let mut writer = InputWriter::starting_at(0);
        let (mut typed, mut terminal) = (Vec::new(), Vec::new());
        let mut wire: VecDeque<Frame> = VecDeque::new();
        let mut write = |inputs: &mut Inputs, most: usize| {
            let Some(bytes) = inputs.next() else { return false };
            let count = bytes.len().min(most);
            terminal.extend_from_slice(&bytes[..count]);
            inputs.written(count, now);
            true
        };
        for step in steps {
            match step {
                Step::Type(bytes) => { typed.extend_from_slice(&bytes); writer.push(&bytes); }
                Step::Send => wire.extend(writer.next_frame(INPUT)),
                Step::Deliver => if let Some(frame) = wire.pop_front() { inputs.receive(&frame, now) },
                Step::Write(most) => { write(&mut inputs, most); }
                Step::Acknowledge => if let Some(ack) = inputs.take_ack() { writer.acknowledge(ack.offset) },
                Step::Cut => { wire.clear(); writer.resume(inputs.report()[0].applied); }
            }
        }
        wire.clear();
        writer.resume(inputs.report()[0].applied);
        while let Some(frame) = writer.next_frame(INPUT) {
            inputs.receive(&frame, now);
            while write(&mut inputs, usize::MAX) {}
            writer.acknowledge(inputs.report()[0].applied);
        }
        while write(&mut inputs, usize::MAX) {}
        prop_assert_eq!(terminal, typed);
    }
}
