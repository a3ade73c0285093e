//! Lines that scrolled off the top of the screen.
//!
//! A line is kept as the text that draws it: that takes a fraction of what its cells took, and a snapshot only copies it.
//! What is idle then costs what its text is long.
use std::collections::VecDeque;

/// Lines kept: as many as the console keeps (`web/src/terminal/terminal.ts`).
pub const LINES: usize = 10_000;

/// Bytes kept. The relay and the viewers hold a snapshot in memory; four MiB are ten thousand lines of 400 bytes, colours
/// included, and take a second at 40 Mbit/s.
pub const BYTES: usize = 4 * 1024 * 1024;

/// A line.
#[derive(Debug)]
pub struct Line {
    /// What draws it, from a plain pen to a plain pen.
    pub text: Box<[u8]>,
    /// Whether it goes on where the line before ended.
    pub wrapped: bool,
}

/// The newest lines.
#[derive(Debug, Default)]
pub struct History {
    lines: VecDeque<Line>,
    bytes: usize,
}

impl History {
    /// Whether the next line drives the oldest out.
    pub fn is_full(&self) -> bool {
        self.lines.len() >= LINES
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn push(&mut self, text: &[u8], wrapped: bool) {
        self.bytes += text.len();
        self.lines.push_back(Line {
            text: text.into(),
            wrapped,
        });
        while self.lines.len() > LINES || self.bytes > BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }

    /// Takes the last line back, with all it is the continuation of: what draws it, and whether it still is one.
    pub fn pop(&mut self) -> Option<(Vec<u8>, bool)> {
        let mut pieces = Vec::new();
        let mut wrapped = true;
        while wrapped && let Some(line) = self.lines.pop_back() {
            self.bytes -= line.text.len();
            wrapped = line.wrapped;
            pieces.push(line.text);
        }
        if pieces.is_empty() {
            return None;
        }
        pieces.reverse();
        Some((pieces.concat(), wrapped))
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    /// How many bytes the lines take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
