//! A recording as it is played: long pauses are shorter than they were, and one can begin in the middle.
//!
//! A player loads it by **segments**: some chunks, of which the first begins with the screen. What a segment is to players, which
//! is JSON, is made of the chunks' lines as they are, a chunk at a time.
use serde::Serialize;

use super::events::{BadLine, Line};
use super::header::Header;
use super::line::{is_ours, split};
use super::span::Span;
use crate::terminal::Size;

/// Longest pause that is played, in milliseconds: people think, and nobody watches that.
pub const LONGEST_PAUSE: u64 = 3_000;

/// How much less a pause takes when it is played.
pub fn saved(pause: u64) -> u64 {
    pause.saturating_sub(LONGEST_PAUSE)
}

/// A place in a recording: after an event, before the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The time of the event, in milliseconds since the recording began.
    pub at: u64,
    /// How much less it took to get there.
    pub saved: u64,
}

impl Position {
    /// Goes on to an event.
    pub fn event(&mut self, at: u64) {
        self.saved += saved(at.saturating_sub(self.at));
        self.at = self.at.max(at);
    }

    /// Goes on to the end of a chunk.
    pub fn chunk(&mut self, span: &Span) {
        self.event(span.from);
        self.at = self.at.max(span.to);
        self.saved += span.saved.unwrap_or_default();
    }

    /// When the event is played, in milliseconds.
    pub fn played(&self) -> u64 {
        self.at.saturating_sub(self.saved)
    }

    /// When a moment is played, in a recording of which the lines of the next chunk are known.
    pub fn moment(mut self, at: u64, text: &[u8], is_counted: bool) -> Result<u64, BadLine> {
        let mut is_first = true;
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if !line.starts_with(b"[") {
                continue;
            }
            let (time, _) = split(line).ok_or(BadLine(number + 1))?;
            if time > at {
                break;
            }
            match is_first || is_counted {
                true => self.event(time),
                false => self.at = self.at.max(time),
            }
            is_first = false;
        }
        let pause = at.saturating_sub(self.at);
        Ok(self.played() + pause.min(LONGEST_PAUSE))
    }
}

/// Writes one segment.
#[derive(Debug)]
pub struct Segment {
    /// Behind the event before, if there is one.
    position: Option<Position>,
    /// How much less it takes to get to its first event.
    saved: u64,
}

#[derive(Serialize)]
struct Snapshot<'a> {
    cols: u16,
    rows: u16,
    init: &'a str,
}

impl Segment {
    /// One whose first event comes after `saved` milliseconds of pauses were left out.
    pub fn new(saved: u64) -> Self {
        Self { position: None, saved }
    }

    /// How it begins, with the lines of its first chunk: what the terminal shows, and the events.
    pub fn begin(&mut self, text: &[u8], is_counted: bool) -> Result<Vec<u8>, BadLine> {
        let mut begin = head(text).ok_or(BadLine(1))?;
        begin.extend(self.events(text, is_counted)?);
        Ok(begin)
    }

    /// The events of a chunk. Pauses within one that nobody counted are as long as they were.
    pub fn events(&mut self, text: &[u8], is_counted: bool) -> Result<Vec<u8>, BadLine> {
        let mut events = Vec::with_capacity(text.len());
        let mut is_first = true;
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if !line.starts_with(b"[") {
                continue;
            }
            let (at, rest) = split(line).ok_or(BadLine(number + 1))?;
            if is_ours(rest) {
                continue;
            }
            if self.position.is_some() {
                events.push(b',');
            }
            let saved = self.saved;
            let position = self.position.get_or_insert(Position { at, saved });
            match is_first || is_counted {
                true => position.event(at),
                false => position.at = position.at.max(at),
            }
            is_first = false;
            let played = position.played();
            events.extend_from_slice(format!("[{}.{:03}", played / 1000, played % 1000).as_bytes());
            events.extend_from_slice(rest);
        }
        Ok(events)
    }

    /// How it ends.
    pub fn end() -> &'static [u8] {
        b"]}"
    }
}

/// What the terminal shows at the beginning of a chunk, if it says so.
fn head(text: &[u8]) -> Option<Vec<u8>> {
    let line = text.split(|byte| *byte == b'\n').next()?;
    let screen;
    let (size, init) = match line.first()? {
        b'{' => (Header::parse(line)?.size, ""),
        _ => {
            let Line(_, code, data) = serde_json::from_slice(line).ok()?;
            screen = data;
            let (size, init) = screen.split_once(' ').filter(|_| code == "s")?;
            let (cols, rows) = size.split_once('x')?;
            (Size::new(cols.parse().ok()?, rows.parse().ok()?)?, init)
        }
    };
    let Size { cols, rows } = size;
    let snapshot = serde_json::to_string(&Snapshot { cols, rows, init }).ok()?;
    Some(format!("{{\"snapshot\":{snapshot},\"events\":[").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Encoder;

    fn header() -> Header {
        Header {
            size: Size { cols: 80, rows: 24 },
            timestamp: 1,
            title: String::new(),
        }
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_segment_is_json_with_a_screen_and_events_and_has_no_lines_of_ours() {
        let mut encoder = Encoder::beginning(&header());
        encoder.output(1_000, b"a\xff");
        let first = encoder.take();
        encoder.screen(Size { cols: 100, rows: 30 }, "\x1bcwhat \"it\" shows");
        encoder.output(61_000, b"b");
        encoder.resize(61_500, Size { cols: 9, rows: 3 });
        let second = encoder.take();
        assert!(!first.span.screen && second.span.screen);

        assert_eq!(
            text(head(&first.text).unwrap()),
            r#"{"snapshot":{"cols":80,"rows":24,"init":""},"events":["#
        );
        let mut whole = Segment::new(0);
        assert_eq!(
            text(whole.begin(&first.text, true).unwrap()),
            "{\"snapshot\":{\"cols\":80,\"rows\":24,\"init\":\"\"},\"events\":[[0.000,\"o\",\"\"],[1.000,\"o\",\"a\u{fffd}\"]"
        );
        assert_eq!(
            text(whole.events(&second.text, true).unwrap()),
            ",[4.000,\"o\",\"b\"],[4.500,\"r\",\"9x3\"]",
            "a minute is played as three seconds"
        );

        assert_eq!(
            text(head(&second.text).unwrap()),
            r#"{"snapshot":{"cols":100,"rows":30,"init":"\u001bcwhat \"it\" shows"},"events":["#
        );
        let mut alone = Segment::new(57_000);
        assert_eq!(
            text(alone.events(&second.text, true).unwrap()),
            "[4.000,\"o\",\"b\"],[4.500,\"r\",\"9x3\"]"
        );
    }

    #[test]
    fn one_cannot_begin_where_the_screen_is_not_known() {
        let mut encoder = Encoder::resuming(5, 10);
        encoder.output(20, b"x");
        assert_eq!(head(&encoder.take().text), None);
        assert_eq!(Segment::new(0).begin(b"[1.000,\"o\",\"\"]", true), Err(BadLine(1)));
        for bad in [
            "",
            "nonsense",
            "[0.000,\"s\",\"80x24\"]",
            "[0.000,\"s\",\"0x24 x\"]",
            "{}",
        ] {
            assert_eq!(head(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn what_spans_say_of_pauses_is_what_the_lines_say() {
        let mut encoder = Encoder::beginning(&header());
        let (mut position, mut segment, mut end) = (Position::default(), Segment::new(0), 0);
        for round in 0..4u64 {
            for at in [0, 2_900, 3_100, 9_999] {
                encoder.output(round * 20_000 + at, b"x");
            }
            let part = encoder.take();
            let before = position;
            position.chunk(&part.span);
            let events = text(segment.events(&part.text, part.span.saved.is_some()).unwrap());
            let last = events.rsplit_once('[').unwrap().1.split(',').next().unwrap();
            end = position.played();
            assert_eq!(last, format!("{}.{:03}", end / 1000, end % 1000));
            let moment = |at| before.moment(round * 20_000 + at, &part.text, true).unwrap();
            assert_eq!(moment(9_999), end);
            assert_eq!(moment(3_100) + 3_000, end);
            assert_eq!(moment(4_100) + 2_000, end);
            assert_eq!(moment(19_000), end + 3_000);
        }
        assert_eq!(end, 4 * (3_100 + 3_000) + 3 * 3_000);
    }

    #[test]
    fn pauses_that_nobody_counted_are_as_long_as_they_were() {
        let mut encoder = Encoder::resuming(5, 1_000);
        encoder.output(11_000, b"x");
        encoder.output(21_000, b"y");
        let part = encoder.take();
        let span = Span {
            saved: None,
            ..part.span
        };
        let mut position = Position { at: 1_000, saved: 500 };
        let before = position;
        position.chunk(&span);
        assert_eq!(position.played(), 500 + 3_000 + 10_000);
        let moment = before.moment(21_000, &part.text, span.saved.is_some());
        assert_eq!(moment, Ok(position.played()));
        let events = Segment::new(7_500).events(&part.text, span.saved.is_some()).unwrap();
        assert_eq!(text(events), "[3.500,\"o\",\"x\"],[13.500,\"o\",\"y\"]");
    }
}
