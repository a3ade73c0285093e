//! The line that a terminal is collecting for a program that reads whole lines. Linux keeps so much of one and drops the rest
//! without a word; the program then gets, and a shell then runs, what is left of it. So no more than fits is written.
use protocol::limits::INPUT_WINDOW;

/// What Linux keeps of a line, its end not counted.
pub const MAX_LINE: usize = 4095;

/// What can wait behind a line that is too long, in bytes. A typist's window is twice that, so there is room for the key that
/// drops it.
pub const MAX_HELD: usize = INPUT_WINDOW as usize / 2;

/// What is remembered of a line at most. Only one that was corrected thousands of times is longer than it looks.
const MAX_REMEMBERED: usize = 16 * MAX_LINE;

/// What a terminal does with input, as far as it matters to lines. A key that is off is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineMode {
    /// Whether programs get whole lines; the rest matters only then.
    pub whole_lines: bool,
    /// Whether Return is a newline.
    pub return_ends: bool,
    /// Whether a newline is one.
    pub newline_ends: bool,
    /// Whether characters have several bytes.
    pub utf8: bool,
    /// Whether a signal leaves the line as it is.
    pub signals_keep_line: bool,
    /// Other bytes that end a line.
    pub ends: [Option<u8>; 3],
    /// Bytes that send a signal.
    pub signals: [Option<u8>; 3],
    /// Takes a character back.
    pub erase: Option<u8>,
    /// Takes the line back.
    pub kill: Option<u8>,
    /// Makes the next byte an ordinary one.
    pub quote: Option<u8>,
}

impl LineMode {
    /// Whether a byte lets a person go on who has typed too much.
    pub fn frees(&self, byte: u8) -> bool {
        self.signals.contains(&Some(byte)) || self.kill == Some(byte)
    }

    fn ends(&self, byte: u8) -> bool {
        match byte {
            b'\r' => self.return_ends,
            b'\n' => self.newline_ends,
            other => self.ends.contains(&Some(other)),
        }
    }
}

/// What was written to a terminal since it was last known to have no line, or more.
#[derive(Debug, Default)]
pub struct Line {
    written: Vec<u8>,
}

impl Line {
    /// How many of these bytes the terminal can be given, all of which it keeps. It is asked for its mode only when the line
    /// could be too long, which keystrokes and raw programs hardly ever make it.
    pub fn room_for(&mut self, bytes: &[u8], mode: impl FnOnce() -> LineMode) -> usize {
        if self.written.len() + bytes.len() <= MAX_LINE {
            return bytes.len();
        }
        let mode = mode();
        if !mode.whole_lines {
            // What is there can all be read now. No more than a line at once: the mode may change.
            self.written.clear();
            return bytes.len().min(MAX_LINE);
        }
        let mut kept = Kept::default();
        let mut line = 0;
        for (at, byte) in self.written.iter().enumerate() {
            // The mode may have been another when this was written, so too much is possible.
            if kept.take(*byte, &mode) == Taken::Over {
                line = at + 1;
            }
        }
        self.written.drain(..line);
        let most = MAX_REMEMBERED.saturating_sub(self.written.len());
        let full = |byte: &u8| kept.take(*byte, &mode) == Taken::Full;
        bytes.iter().take(most).position(full).unwrap_or(bytes.len().min(most))
    }

    /// The terminal was given these.
    pub fn wrote(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
    }
}

/// The line as the terminal keeps it.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    quoted: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// It is part of the line, or has changed it.
    In,
    /// There is no line any more.
    Over,
    /// There is no room for it.
    Full,
}

impl Kept {
    /// Words are not taken back here, so that a line is taken for longer than it is and never for shorter.
    fn take(&mut self, byte: u8, mode: &LineMode) -> Taken {
        let key = Some(byte);
        if std::mem::take(&mut self.quoted) {
            return self.push(byte);
        }
        if mode.ends(byte) || mode.kill == key || mode.signals.contains(&key) && !mode.signals_keep_line {
            self.bytes.clear();
            return Taken::Over;
        }
        if mode.signals.contains(&key) {
            return Taken::In;
        }
        if mode.quote == key {
            self.quoted = true;
            return Taken::In;
        }
        if mode.erase == key {
            self.erase(mode.utf8);
            return Taken::In;
        }
        self.push(byte)
    }

    fn push(&mut self, byte: u8) -> Taken {
        if self.bytes.len() >= MAX_LINE {
            return Taken::Full;
        }
        self.bytes.push(byte);
        Taken::In
    }

    fn erase(&mut self, utf8: bool) {
        let continues = |byte: u8| utf8 && byte & 0xc0 == 0x80;
        while self.bytes.pop().is_some_and(continues) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cooked() -> LineMode {
        LineMode {
            whole_lines: true,
            return_ends: true,
            newline_ends: true,
            utf8: true,
            ends: [Some(4), None, None],
            signals: [Some(3), Some(28), Some(26)],
            erase: Some(0x7f),
            kill: Some(0x15),
            quote: Some(0x16),
            ..LineMode::default()
        }
    }

    /// How many more of the same byte there is room for after something was written.
    fn room_after(written: &[u8], mode: LineMode) -> usize {
        let mut line = Line::default();
        line.wrote(written);
        line.room_for(&[b'y'; 2 * MAX_LINE], || mode)
    }

    #[test]
    fn the_mode_is_asked_for_only_when_it_could_matter() {
        let mut line = Line::default();
        for _ in 0..MAX_LINE {
            assert_eq!(line.room_for(b"x", || panic!("asked")), 1);
            line.wrote(b"x");
        }
        assert_eq!(line.room_for(b"x", cooked), 0);
        assert_eq!(line.room_for(b"x", LineMode::default), 1);
        assert_eq!(line.room_for(b"x", || panic!("asked")), 1);
    }

    #[test]
    fn a_line_is_as_long_as_the_terminal_takes_it_for() {
        let x = |count: usize| vec![b'x'; count];
        for (written, room) in [
            (x(0), MAX_LINE),
            (x(1000), MAX_LINE - 1000),
            ([x(1000), b"\r".to_vec(), x(2)].concat(), MAX_LINE - 2),
            ([x(1000), b"\x04".to_vec(), x(2)].concat(), MAX_LINE - 2),
            ([x(1000), b"\x03".to_vec(), x(2)].concat(), MAX_LINE - 2),
            ([x(1000), b"\x15".to_vec(), x(2)].concat(), MAX_LINE - 2),
            ([x(1000), b"\x7f\x7f".to_vec()].concat(), MAX_LINE - 998),
            ([x(1000), "é日\x7f\x7f".into()].concat(), MAX_LINE - 1000),
            // The next byte is an ordinary one.
            ([x(1000), b"\x16\x03".to_vec()].concat(), MAX_LINE - 1001),
            ([x(1000), b"\x16\r".to_vec()].concat(), MAX_LINE - 1001),
        ] {
            assert_eq!(
                room_after(&written, cooked()),
                room,
                "{:?}",
                &written[written.len().min(1000)..]
            );
        }
        let kept = LineMode {
            signals_keep_line: true,
            ..cooked()
        };
        assert_eq!(room_after(&[x(1000), b"\x03".to_vec()].concat(), kept), MAX_LINE - 1000);
        let strict = LineMode {
            return_ends: false,
            ..cooked()
        };
        assert_eq!(room_after(&[x(1000), b"\r".to_vec()].concat(), strict), MAX_LINE - 1001);
    }

    #[test]
    fn whole_lines_have_room_however_many_they_are() {
        let lines = [[b'x'; 1000].as_slice(), b"\n"].concat().repeat(50);
        assert_eq!(Line::default().room_for(&lines, cooked), lines.len());
        let long = [lines.as_slice(), &[b'x'; 5000]].concat();
        assert_eq!(Line::default().room_for(&long, cooked), lines.len() + MAX_LINE);
    }
}
