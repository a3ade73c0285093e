use std::cell::RefCell;

use proptest::prelude::*;
use protocol::terminal::frame::{Frame, Kind};

use super::*;
use crate::session::line::MAX_LINE;

const INPUT: StreamId = StreamId(7);

/// What the kernel does with input, written down once more.
#[derive(Debug, Default)]
struct Kernel {
    cooked: bool,
    signals_keep_line: bool,
    line: Vec<u8>,
    /// What programs get.
    readable: Vec<u8>,
    signals: usize,
    /// Bytes that no program gets although nobody took them back.
    lost: usize,
    /// What it takes at once.
    room: usize,
}

impl Kernel {
    fn set_cooked(&mut self, cooked: bool) {
        if self.cooked && !cooked {
            self.readable.append(&mut self.line);
        }
        self.cooked = cooked;
    }

    fn take(&mut self, byte: u8) {
        match byte {
            _ if !self.cooked => self.readable.push(byte),
            b'\r' | b'\n' => {
                self.line.push(b'\n');
                self.readable.append(&mut self.line);
            }
            3 => {
                self.signals += 1;
                if !self.signals_keep_line {
                    self.line.clear();
                }
            }
            0x15 => self.line.clear(),
            0x7f => while self.line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            _ if self.line.len() == 4095 => self.lost += 1,
            _ => self.line.push(byte),
        }
    }
}

#[derive(Debug, Default)]
struct Tty(RefCell<Kernel>);

impl Terminal for Tty {
    fn mode(&self) -> LineMode {
        let kernel = self.0.borrow();
        LineMode {
            whole_lines: kernel.cooked,
            return_ends: true,
            newline_ends: true,
            utf8: true,
            signals_keep_line: kernel.signals_keep_line,
            signals: [Some(3), None, None],
            erase: Some(0x7f),
            kill: Some(0x15),
            ..LineMode::default()
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut kernel = self.0.borrow_mut();
        let count = bytes.len().min(kernel.room);
        bytes[..count].iter().for_each(|byte| kernel.take(*byte));
        Ok(count)
    }
}

/// A typist at a terminal.
struct Typist {
    inputs: Inputs,
    tty: Tty,
    now: Instant,
    typed: u64,
}

impl Typist {
    fn at(kernel: Kernel) -> Self {
        let now = Instant::now();
        let mut inputs = Inputs::default();
        inputs.open(INPUT, now);
        let tty = Tty(RefCell::new(kernel));
        Self {
            inputs,
            tty,
            now,
            typed: 0,
        }
    }

    fn at_a_cooked_terminal() -> Self {
        Self::at(Kernel {
            cooked: true,
            room: usize::MAX,
            ..Kernel::default()
        })
    }

    fn type_bytes(&mut self, bytes: &[u8]) -> Vec<Told> {
        for part in bytes.chunks(65_536) {
            let frame = Frame::new(Kind::Input, INPUT, self.typed, part);
            self.inputs.receive(&frame, self.now);
            self.typed += part.len() as u64;
        }
        self.write()
    }

    fn write(&mut self) -> Vec<Told> {
        self.inputs.write_to(&self.tty, self.now).unwrap().told
    }

    fn applied(&self) -> u64 {
        self.inputs.report()[0].applied
    }
}

#[test]
fn the_rest_of_a_long_line_waits_until_a_program_reads_keys_and_the_typist_hears_so_once() {
    let mut typist = Typist::at_a_cooked_terminal();
    let line = [vec![b'x'; 5000], b"\n".to_vec()].concat();
    assert_eq!(typist.type_bytes(&line), [Told::Held(INPUT)]);
    assert_eq!(typist.type_bytes(b"next\n"), []);
    assert_eq!(typist.applied(), MAX_LINE as u64);
    assert_eq!(typist.inputs.look_due(), Some(typist.now + LOOK_EVERY));
    assert!(typist.tty.0.borrow().readable.is_empty(), "half a line ran");
    typist.tty.0.get_mut().set_cooked(false);
    assert_eq!(typist.write(), []);
    assert_eq!((typist.applied(), typist.inputs.look_due()), (typist.typed, None));
    assert_eq!(typist.tty.0.borrow().readable, [line.as_slice(), b"next\n"].concat());
}

#[test]
fn keys_that_drop_a_line_get_through_and_the_next_line_is_whole() {
    for (key, keep) in [(3, false), (3, true), (0x15, false)] {
        let mut typist = Typist::at_a_cooked_terminal();
        typist.tty.0.get_mut().signals_keep_line = keep;
        typist.type_bytes(&[b'x'; 9000]);
        assert_eq!(typist.type_bytes(&[key]), []);
        assert_eq!(typist.applied(), typist.typed);
        assert_eq!(typist.tty.0.borrow().signals, usize::from(key == 3));
        typist.type_bytes(b"ls\n");
        assert_eq!(typist.tty.0.borrow().readable, b"ls\n");
    }
}

#[test]
fn a_line_too_long_to_wait_is_dropped_whole_and_locks_nobody_out() {
    let mut typist = Typist::at_a_cooked_terminal();
    let told = typist.type_bytes(&vec![b'x'; MAX_LINE + MAX_HELD]);
    assert_eq!(told, [Told::Held(INPUT), Told::Dropped(INPUT)]);
    assert_eq!(typist.type_bytes(&vec![b'x'; 3 * MAX_HELD / 2]), []);
    assert_eq!(typist.applied(), typist.typed);
    // It does not run either where programs read keys meanwhile.
    typist.tty.0.get_mut().set_cooked(false);
    typist.type_bytes(b"rest\nls\n");
    assert_eq!(typist.tty.0.borrow().readable, b"ls\n");
}

#[derive(Debug, Clone)]
enum Step {
    Type(u8, usize),
    Cooked(bool),
    Room(usize),
}

fn step(keys: &'static [u8]) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (proptest::sample::select(keys), 1usize..3).prop_map(|(key, count)| Step::Type(key, count)),
        4 => (1usize..6000).prop_map(|count| Step::Type(b'x', count)),
        2 => any::<bool>().prop_map(Step::Cooked),
        2 => (0usize..5000).prop_map(Step::Room),
    ]
}

fn play(steps: Vec<Step>, keep: bool) -> (Typist, Vec<u8>) {
    let mut typist = Typist::at_a_cooked_terminal();
    typist.tty.0.get_mut().signals_keep_line = keep;
    let mut typed = Vec::new();
    for step in steps {
        match step {
            Step::Type(byte, count) => {
                typed.extend(std::iter::repeat_n(byte, count));
                typist.type_bytes(&vec![byte; count]);
            }
            // A program changes the mode when it has read; one that does not is not to be helped.
            Step::Cooked(cooked) => {
                let kernel = typist.tty.0.get_mut();
                kernel.set_cooked(cooked);
                typist.write();
            }
            Step::Room(room) => {
                typist.tty.0.get_mut().room = room;
                typist.write();
            }
        }
    }
    (typist, typed)
}

proptest! {
    #[test]
    fn programs_get_what_was_typed_once_and_in_order(steps in proptest::collection::vec(step(b"\nay"), 0..30)) {
        let (mut typist, typed) = play(steps, false);
        let kernel = typist.tty.0.get_mut();
        kernel.set_cooked(false);
        kernel.room = usize::MAX;
        typist.write();
        let kernel = typist.tty.0.borrow();
        prop_assert_eq!(kernel.lost, 0);
        prop_assert!(kernel.readable == typed);
        prop_assert_eq!(typist.applied(), typed.len() as u64);
    }

    #[test]
    fn nothing_is_lost_and_nobody_locked_out_whatever_keys_are_typed(
        steps in proptest::collection::vec(step(b"\n\r\x03\x15\x7f\xa9"), 0..30),
        keep: bool,
    ) {
        let (mut typist, typed) = play(steps, keep);
        let kernel = typist.tty.0.get_mut();
        prop_assert_eq!(kernel.lost, 0);
        kernel.set_cooked(true);
        kernel.room = usize::MAX;
        typist.type_bytes(b"\x03");
        prop_assert_eq!(typist.applied(), typed.len() as u64 + 1);
        let kernel = typist.tty.0.borrow();
        let seen = kernel.signals + kernel.readable.iter().filter(|byte| **byte == 3).count();
        prop_assert_eq!(seen, typed.iter().filter(|byte| **byte == 3).count() + 1);
        prop_assert_eq!(kernel.lost, 0);
    }
}
