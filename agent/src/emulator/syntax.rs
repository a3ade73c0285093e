//! Where escape sequences begin and end, so that a stream is not joined in the middle of one.
use memchr::memchr;

const ESCAPE: u8 = 0x1b;
/// Ends any sequence unfinished.
const CANCEL: u8 = 0x18;
/// Likewise.
const SUBSTITUTE: u8 = 0x1a;
const BELL: u8 = 0x07;

/// What is kept of a sequence that has begun and not ended. Long ones are strings, such as pictures; of those the
/// beginning is enough for a terminal to swallow the rest.
const UNFINISHED: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    Csi,
    /// OSC, DCS and their kin, up to a terminator.
    String,
    StringEscape,
    /// This many bytes of a character are missing.
    Character(u8),
}

/// Follows a terminal's output byte by byte and remembers the sequence or character that has begun and not ended.
#[derive(Debug, Clone, Default)]
pub struct Syntax {
    state: State,
    unfinished: Vec<u8>,
}

impl Syntax {
    /// Goes over the next bytes.
    pub fn advance(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.state == State::Ground {
                let Some(interesting) = interesting(bytes) else { return };
                self.begin(bytes[interesting]);
                bytes = &bytes[interesting + 1..];
                continue;
            }
            bytes = rest;
            self.step(byte);
        }
    }

    /// The bytes since the terminal was last between sequences; empty if it is now.
    pub fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    /// The same, if that is a part of a character.
    pub fn unfinished_character(&self) -> &[u8] {
        match self.state {
            State::Character(_) => &self.unfinished,
            _ => &[],
        }
    }

    fn begin(&mut self, byte: u8) {
        self.unfinished.clear();
        self.unfinished.push(byte);
        self.state = match byte {
            ESCAPE => State::Escape,
            _ => State::Character(continuation_bytes(byte)),
        };
    }

    fn step(&mut self, byte: u8) {
        let next = match (self.state, byte) {
            (_, CANCEL | SUBSTITUTE) => State::Ground,
            (State::Character(missing), 0x80..=0xbf) if missing > 1 => State::Character(missing - 1),
            (State::Character(_), 0x80..=0xbf) => State::Ground,
            // A character that breaks off is no character; its successor counts for itself.
            (State::Character(_), _) if interesting(&[byte]).is_some() => return self.begin(byte),
            (State::Character(_), _) => State::Ground,
            (State::StringEscape, b'\\') => State::Ground,
            (State::String, ESCAPE) => State::StringEscape,
            (State::String, BELL) => State::Ground,
            (State::String, _) => State::String,
            (_, ESCAPE) => return self.begin(byte),
            (State::Escape | State::StringEscape, b'[') => State::Csi,
            (State::Escape | State::StringEscape, b']' | b'P' | b'X' | b'^' | b'_') => State::String,
            (State::Escape | State::StringEscape, 0x30..=0x7e) => State::Ground,
            (State::Csi, 0x40..=0x7e) => State::Ground,
            (state, _) => state,
        };
        self.state = next;
        if next == State::Ground {
            self.unfinished.clear();
        } else if self.unfinished.len() < UNFINISHED {
            self.unfinished.push(byte);
        }
    }
}

/// The index of the first byte that begins something which may not end within `bytes`: an escape, or a character at the
/// very end. Whole text is passed over at the speed of a search.
fn interesting(bytes: &[u8]) -> Option<usize> {
    memchr(ESCAPE, bytes).or_else(|| {
        let last = bytes.len().saturating_sub(3);
        let cut = |index: &usize| usize::from(continuation_bytes(bytes[*index])) > bytes.len() - index - 1;
        (last..bytes.len()).find(cut)
    })
}

/// How many bytes must follow one that begins a character.
fn continuation_bytes(byte: u8) -> u8 {
    match byte {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unfinished(bytes: &[u8]) -> Vec<u8> {
        let mut syntax = Syntax::default();
        syntax.advance(bytes);
        syntax.unfinished().to_vec()
    }

    #[test]
    fn a_sequence_is_unfinished_until_its_last_byte() {
        for (bytes, rest) in [
            (&b"plain text\r\n"[..], &b""[..]),
            (b"text\x1b", b"\x1b"),
            (b"text\x1b[", b"\x1b["),
            (b"text\x1b[1;3", b"\x1b[1;3"),
            (b"text\x1b[1;31m", b""),
            (b"\x1b(B", b""),
            (b"\x1b(", b"\x1b("),
            (b"\x1b]0;title", b"\x1b]0;title"),
            (b"\x1b]0;title\x07", b""),
            (b"\x1b]0;title\x1b", b"\x1b]0;title\x1b"),
            (b"\x1b]0;title\x1b\\", b""),
            (b"\x1bPq#0\x1b\\done", b""),
            (b"\x1b[1\x18", b""),
            (b"\x1b[1\x1b[2", b"\x1b[2"),
            ("ä".as_bytes(), b""),
            (b"a\xc3", b"\xc3"),
            (b"\xf0\x9f\x98", b"\xf0\x9f\x98"),
            (b"\xf0\x9f\x98\x80", b""),
            (b"\xf0\x9fx", b""),
            (b"\xf0\x9f\x1b[", b"\x1b["),
        ] {
            assert_eq!(unfinished(bytes), rest, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn of_a_long_string_the_beginning_is_kept() {
        let mut bytes = b"\x1bP".to_vec();
        bytes.resize(100_000, b'q');
        assert_eq!(unfinished(&bytes), &bytes[..UNFINISHED]);
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_how_the_bytes_arrive(
            bytes in proptest::collection::vec(prop_oneof![Just(0x1b), Just(b'['), Just(b']'), Just(b'm'), Just(7), any::<u8>()], 0..60),
            cut in 0usize..60,
        ) {
            let cut = cut.min(bytes.len());
            let mut syntax = Syntax::default();
            syntax.advance(&bytes[..cut]);
            syntax.advance(&bytes[cut..]);
            prop_assert_eq!(syntax.unfinished(), unfinished(&bytes));
        }
    }
}
