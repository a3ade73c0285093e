//! Writing events.
use base64ct::{Base64, Encoding};

use super::header::Header;
use super::playback::saved;
use super::span::Span;
use crate::terminal::Size;

/// Writes a recording, cut into parts anywhere but within a character.
///
/// A part has whole lines only, and times never go back within it or from one to the next. What a terminal writes need not be
/// text: an event that is not is preceded by one of the kind `b`, which players pass over, with its bytes in base64. So they pass
/// over one of the kind `s` with which a part may begin: the terminal's size and, behind a blank, what draws it as it is there.
#[derive(Debug)]
pub struct Encoder {
    text: Vec<u8>,
    /// The offset of the first byte of this part.
    start: u64,
    /// The beginning of a character that has not come whole.
    held: Vec<u8>,
    /// The offset after the last byte that is in the text.
    end: u64,
    /// The time of the first event of this part.
    from: Option<u64>,
    /// The time of the last event.
    last: u64,
    /// How much less the pauses of this part take when they are played.
    saved: u64,
    /// What the terminal shows, until the next event is written.
    screen: Option<String>,
    /// Whether this part begins with that.
    has_screen: bool,
}

/// A part of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it covers.
    pub span: Span,
    /// Its lines.
    pub text: Vec<u8>,
}

impl Encoder {
    /// A recording that begins. Its first event is at time 0: players refuse one without events.
    pub fn beginning(header: &Header) -> Self {
        let mut encoder = Self::resuming(0, 0);
        encoder.text.extend_from_slice(header.v2().as_bytes());
        encoder.text.push(b'\n');
        encoder.event(0, "o", "");
        encoder
    }

    /// One that goes on at an offset of the output, after an event at time `last`, in milliseconds since it began.
    pub fn resuming(offset: u64, last: u64) -> Self {
        Self {
            text: Vec::new(),
            start: offset,
            held: Vec::new(),
            end: offset,
            from: None,
            last,
            saved: 0,
            screen: None,
            has_screen: false,
        }
    }

    /// The offset of the next byte to give it.
    pub fn next(&self) -> u64 {
        self.end + self.held.len() as u64
    }

    /// How many bytes of output this part has.
    pub fn output_bytes(&self) -> u64 {
        self.end - self.start
    }

    /// How long this part is as it is written.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing waits to be taken or to become whole.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.held.is_empty()
    }

    /// The time of the last event, in milliseconds since the recording began.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Output that came at `at`, in milliseconds since the recording began. A character is there when its last byte is.
    pub fn output(&mut self, at: u64, bytes: &[u8]) {
        let joined;
        let bytes = if self.held.is_empty() {
            bytes
        } else {
            self.held.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.held);
            &joined
        };
        let (whole, rest, is_text) = split(bytes);
        self.held = rest.to_vec();
        self.write(at, whole, is_text);
    }

    /// The terminal has another size.
    pub fn resize(&mut self, at: u64, size: Size) {
        self.event(at, "r", &format!("{}x{}", size.cols, size.rows));
    }

    /// What the terminal shows after all that was given: the next part begins with it, if none has begun.
    pub fn screen(&mut self, size: Size, screen: &str) {
        if self.is_empty() {
            self.screen = Some(format!("{}x{} {screen}", size.cols, size.rows));
        }
    }

    /// What a person who plays it should know.
    pub fn marker(&mut self, at: u64, text: &str) {
        self.event(at, "m", text);
    }

    /// Output goes on at a later offset: what is between is lost.
    pub fn skip_to(&mut self, at: u64, offset: u64) {
        self.flush(at);
        let lost = offset.saturating_sub(self.end);
        self.marker(at, &format!("{lost} bytes of output are missing"));
        self.end = self.end.max(offset);
    }

    /// Nothing follows: half a character is written as it is.
    pub fn flush(&mut self, at: u64) {
        let held = std::mem::take(&mut self.held);
        self.write(at, &held, false);
    }

    /// What was written since the last call.
    pub fn take(&mut self) -> Part {
        let span = Span {
            start: self.start,
            end: self.end,
            from: self.from.take().unwrap_or(self.last),
            to: self.last,
            saved: Some(std::mem::take(&mut self.saved)),
            screen: std::mem::take(&mut self.has_screen),
        };
        self.start = self.end;
        Part {
            span,
            text: std::mem::take(&mut self.text),
        }
    }

    fn write(&mut self, at: u64, bytes: &[u8], is_text: bool) {
        if bytes.is_empty() {
            return;
        }
        if !is_text {
            self.event(at, "b", &Base64::encode_string(bytes));
        }
        self.event(at, "o", &String::from_utf8_lossy(bytes));
        self.end += bytes.len() as u64;
    }

    fn event(&mut self, at: u64, code: &str, data: &str) {
        let pause = at.saturating_sub(self.last);
        self.last = self.last.max(at);
        match self.from {
            Some(_) => self.saved += saved(pause),
            None => self.from = Some(self.last),
        }
        if let Some(screen) = self.screen.take() {
            self.has_screen = true;
            self.line("s", &screen);
        }
        self.line(code, data);
    }

    fn line(&mut self, code: &str, data: &str) {
        write_event(&mut self.text, self.last, code, data);
        self.text.push(b'\n');
    }
}

/// One event as players get it while it happens, at `at` milliseconds since they began to look.
pub fn event(at: u64, code: &str, data: &str) -> String {
    let mut text = Vec::new();
    write_event(&mut text, at, code, data);
    // JSON is UTF-8.
    String::from_utf8(text).unwrap_or_default()
}

fn write_event(text: &mut Vec<u8>, at: u64, code: &str, data: &str) {
    let head = format!("[{}.{:03},\"{code}\",", at / 1000, at % 1000);
    text.extend_from_slice(head.as_bytes());
    // Writing a text to memory has no way to fail.
    let _ = serde_json::to_writer(&mut *text, data);
    text.push(b']');
}

/// What is whole, what may become a character, and whether the former is text.
fn split(bytes: &[u8]) -> (&[u8], &[u8], bool) {
    let (mut rest, mut is_text) = (bytes, true);
    loop {
        match std::str::from_utf8(rest) {
            Ok(_) => return (bytes, &[], is_text),
            Err(error) => {
                let after = rest.get(error.valid_up_to()..).unwrap_or_default();
                match error.error_len() {
                    Some(bad) => {
                        is_text = false;
                        rest = after.get(bad..).unwrap_or_default();
                    }
                    None => {
                        let (whole, half) = bytes.split_at(bytes.len() - after.len());
                        return (whole, half, is_text);
                    }
                }
            }
        }
    }
}
