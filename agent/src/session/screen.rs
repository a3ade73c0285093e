//! The terminal as its output left it: for snapshots, which show it to a viewer who was not there, and for the answers to
//! what programs ask.
//!
//! Interpreting output costs more than moving it, so it is done from the log and later: a little at a time while the
//! stream flows, and the rest when a snapshot is asked for, or a question whose answer depends on what was written. Under a
//! flood the interpreter does not keep up. Then it passes over text that is older than the newest 4 MiB and obeys of it
//! only what lasts, such as modes, colours and the scroll region, so a flood costs no more than the share of time that the
//! caller grants. What had scrolled away before is left out of the history then: it would look as if nothing was missing.
use std::collections::VecDeque;
use std::time::Instant;

use memchr::{memchr, memchr3};
use protocol::terminal::Size;

use crate::emulator::{Line, Syntax, Terminal};
use crate::stream_log::StreamLog;

/// How much output may wait to be interpreted; when it is more, half of it is left. It bounds the time until a snapshot is
/// ready to 0.3 s, at some 30 MB/s, and the half that is left is what the history holds at most.
const BACKLOG: u64 = 8 * 1024 * 1024;

/// Read from the log at once; a few hundred microseconds of interpreting.
const SLICE: usize = 16 * 1024;

/// Sizes that were set and not yet reached by the interpreter. Beyond that many, the latest replaces the last.
const RESIZES: usize = 64;

/// Longest sequence that is obeyed in text that is passed over; titles and colours are shorter.
const LASTING: usize = 512;

/// Interprets a stream from its log.
pub struct Screen {
    /// Made when first needed: most of what a session costs while nobody asks.
    terminal: Option<Terminal>,
    backlog: u64,
    size: Size,
    /// Everything before this offset is interpreted.
    offset: u64,
    resizes: VecDeque<(u64, Size)>,
}

/// A terminal as it was at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// Escape sequences that draw it.
    pub bytes: Vec<u8>,
    /// The size at which they do.
    pub size: Size,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("size", &self.size)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl Screen {
    /// An empty screen at the start of a stream.
    pub fn new(size: Size) -> Self {
        Self {
            terminal: None,
            backlog: BACKLOG,
            size,
            offset: 0,
            resizes: VecDeque::new(),
        }
    }

    /// The size changes for what is written from `at` on.
    pub fn resize(&mut self, at: u64, size: Size) {
        let full = self.resizes.len() >= RESIZES;
        match self.resizes.back_mut() {
            Some(last) if full || last.0 == at => last.1 = size,
            _ => self.resizes.push_back((at, size)),
        }
    }

    /// Whether everything in the log is interpreted.
    pub fn is_current(&self, log: &StreamLog) -> bool {
        self.offset == log.end()
    }

    /// Interprets what is in the log, until all is done or the time is up; one slice at least.
    pub fn catch_up(&mut self, log: &mut StreamLog, until: Instant) {
        self.interpret(log, log.end(), Some(until));
    }

    /// What the terminal answers to a question that ends at `at`.
    pub fn answer(&mut self, log: &mut StreamLog, at: u64, question: &[u8]) -> Vec<u8> {
        self.interpret(log, at, None);
        self.terminal().answer(question)
    }

    /// The title that programs have set, as far as what they wrote is interpreted.
    pub fn title(&self) -> String {
        self.terminal.as_ref().map(Terminal::title).unwrap_or_default()
    }

    /// The line that the cursor is in behind all that is in the log.
    pub fn cursor_line(&mut self, log: &mut StreamLog) -> Option<Line> {
        self.interpret(log, log.end(), None);
        self.terminal().cursor_line()
    }

    fn interpret(&mut self, log: &mut StreamLog, end: u64, until: Option<Instant>) {
        if log.end() - self.offset > self.backlog || self.offset < log.start() {
            self.pass_over(log, end);
        }
        let mut slice = [0; SLICE];
        while self.offset < end {
            let stop = self.next_resize().map_or(end, |stop| stop.min(end));
            let most = (stop - self.offset).min(SLICE as u64) as usize;
            let count = log.read(self.offset, &mut slice[..most]);
            if count == 0 {
                break;
            }
            self.terminal().process(&slice[..count]);
            self.offset += count as u64;
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
        }
        self.next_resize();
    }

    /// The snapshot at the offset that interpreting has reached.
    pub fn snapshot(&mut self) -> Snapshot {
        self.next_resize();
        Snapshot {
            bytes: self.terminal().dump(),
            size: self.size,
        }
    }

    /// What is shown at the offset that interpreting has reached, without what has scrolled away. Nothing in the middle of a sequence.
    pub fn shown(&mut self) -> Option<Snapshot> {
        self.next_resize();
        let bytes = self.terminal().dump_screen()?;
        let size = self.size;
        Some(Snapshot { bytes, size })
    }

    /// Applies the size that holds from here on and answers where the next one begins.
    fn next_resize(&mut self) -> Option<u64> {
        while let Some((at, size)) = self.resizes.front().copied() {
            if at > self.offset {
                return Some(at);
            }
            self.resizes.pop_front();
            self.size = size;
            if let Some(terminal) = &mut self.terminal {
                terminal.resize(size);
            }
        }
        None
    }

    /// Gives up on the older part of the backlog but for what lasts. It ends with a line, and never behind `end`.
    fn pass_over(&mut self, log: &mut StreamLog, end: u64) {
        let target = log.end().saturating_sub(self.backlog / 2).min(end).max(log.start());
        // Whatever sequence was begun lies in what is passed over.
        self.terminal().process(b"\x18");
        self.offset = self.offset.max(log.start());
        let mut slice = vec![0; SLICE];
        while self.offset < target {
            let most = (target - self.offset).min(SLICE as u64) as usize;
            let count = log.read(self.offset, &mut slice[..most]);
            if count == 0 {
                break;
            }
            let looked_at = self.obey_what_lasts(&slice[..count]);
            self.offset += looked_at as u64;
        }
        self.offset = target;
        let most = (end - target).min(SLICE as u64) as usize;
        let count = log.read(target, &mut slice[..most]);
        if let Some(line) = memchr(b'\n', &slice[..count]) {
            self.offset += line as u64 + 1;
        }
        self.terminal().process(b"\r\n\x1b[3J");
    }

    /// Obeys the sequences in `bytes` whose effect outlives the text around them. Answers how much was looked at: a sequence
    /// at the end that is not complete is seen whole the next time.
    fn obey_what_lasts(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr3(0x1b, 0x0e, 0x0f, rest)) {
            let begin = at + found;
            let rest = &bytes[begin..];
            let mut syntax = Syntax::default();
            let most = rest.len().min(LASTING);
            let len = if rest[0] == 0x1b {
                (1..=most).find(|len| {
                    syntax.advance(&rest[len - 1..*len]);
                    syntax.unfinished().is_empty()
                })
            } else {
                Some(1)
            };
            match len {
                Some(len) => {
                    if lasts(&rest[..len]) {
                        self.terminal().process(&rest[..len]);
                    }
                    at = begin + len;
                }
                None if begin == 0 || most == LASTING => at = begin + 1,
                None => return begin,
            }
        }
        bytes.len()
    }

    fn terminal(&mut self) -> &mut Terminal {
        self.terminal.get_or_insert_with(|| Terminal::new(self.size))
    }
}

/// Whether a sequence does more than move the cursor or erase.
fn lasts(sequence: &[u8]) -> bool {
    match sequence {
        [0x1b, b'[', .., action] => matches!(action, b'h' | b'l' | b'm' | b'r' | b'p' | b'q' | b't' | b'g'),
        [0x1b, b'D' | b'E' | b'M' | b'H'] => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream_log::Limits;
    use std::time::Duration;

    const SIZE: Size = Size { cols: 20, rows: 5 };

    fn log_of(bytes: &[u8]) -> StreamLog {
        let mut log = StreamLog::new(Limits::in_directory(std::env::temp_dir()));
        log.append(bytes);
        log
    }

    fn catch_up(screen: &mut Screen, log: &mut StreamLog) {
        while !screen.is_current(log) {
            screen.catch_up(log, Instant::now());
        }
    }

    fn snapshot_of(bytes: &[u8]) -> Vec<u8> {
        let mut log = log_of(bytes);
        let mut screen = Screen::new(SIZE);
        catch_up(&mut screen, &mut log);
        screen.snapshot().bytes
    }

    /// A viewer's terminal that has seen other things before.
    fn viewer() -> vt100::Parser {
        let mut viewer = vt100::Parser::new(5.try_into().unwrap(), 20.try_into().unwrap(), 0);
        viewer.process(b"old text\x1b[?1049h\x1b[?1003h\x1b[?2004h\x1b[31mmore\x1b[2;4H");
        viewer
    }

    fn assert_same_screen(viewer: &vt100::Parser, bytes: &[u8]) {
        let mut truth = vt100::Parser::new(5.try_into().unwrap(), 20.try_into().unwrap(), 0);
        truth.process(bytes);
        assert_eq!(
            viewer.screen().contents_formatted(),
            truth.screen().contents_formatted()
        );
        assert_eq!(
            viewer.screen().input_mode_formatted(),
            truth.screen().input_mode_formatted()
        );
        assert_eq!(viewer.screen().cursor_position(), truth.screen().cursor_position());
        assert_eq!(viewer.screen().alternate_screen(), truth.screen().alternate_screen());
    }

    #[test]
    fn a_snapshot_shows_what_somebody_who_was_there_sees() {
        for bytes in [
            &b""[..],
            b"one\r\ntwo\r\n\x1b[1;32mgreen\x1b[0m $ ",
            b"\x1b[?1h\x1b=\x1b[?2004h\x1b[?1000h\x1b[?1006h\x1b[?25lmodes",
            b"shell $ vim\r\n\x1b[?1049h\x1b[2J\x1b[HVIM\x1b[3;3Hhere",
            b"a line that is longer than the screen is wide\x1b[41m",
        ] {
            let mut viewer = viewer();
            viewer.process(&snapshot_of(bytes));
            assert_same_screen(&viewer, bytes);
        }
    }

    #[test]
    fn behind_an_alternate_screen_the_shell_is_still_there() {
        let bytes = b"shell $ vim\r\n\x1b[?1049h\x1b[2J\x1b[HVIM";
        let mut viewer = viewer();
        viewer.process(&snapshot_of(bytes));
        viewer.process(b"\x1b[?1049l");
        assert_same_screen(&viewer, &[bytes, &b"\x1b[?1049l"[..]].concat());
    }

    #[test]
    fn the_stream_goes_on_after_a_snapshot_taken_inside_a_sequence() {
        let bytes = "text \x1b[1;31mred\x1b]0;title\x07 und ä\x1b[0m\x1b[2;5Hdone".as_bytes();
        for cut in 0..bytes.len() {
            let mut viewer = viewer();
            viewer.process(&snapshot_of(&bytes[..cut]));
            viewer.process(&bytes[cut..]);
            assert_same_screen(&viewer, bytes);
        }
    }

    /// Lines of a flood, each with its number.
    fn flood(log: &mut StreamLog, count: usize) {
        for line in 0..count {
            log.append(format!("\x1b[Kline {line:06}\r\n").as_bytes());
        }
    }

    #[test]
    fn a_flood_is_passed_over_but_for_what_lasts() {
        let mut log = log_of(b"before\r\n\x1b[?2004h\x1b[2;4r\x1b]0;title\x07\x1b(0\x1b)B\x0e\x1b[32m");
        flood(&mut log, 30_000);
        let mut screen = Screen {
            backlog: 100_000,
            ..Screen::new(SIZE)
        };
        screen.catch_up(&mut log, Instant::now());
        assert!(log.end() - screen.offset <= 50_000);
        catch_up(&mut screen, &mut log);
        let snapshot = String::from_utf8(screen.snapshot().bytes).unwrap();
        for lasting in [
            "\x1b[?2004h",
            "\x1b[2;4r",
            "\x1b]2;title\x1b\\",
            "\x1b(0\x0e",
            "\x1b[0;32mline 029999",
        ] {
            assert!(snapshot.contains(lasting), "{lasting:?} in {snapshot:?}");
        }
    }

    #[test]
    fn the_newest_lines_of_a_flood_are_all_there_and_no_older_ones_pretend_to_be_next_to_them() {
        let mut log = log_of(b"before\r\n");
        let mut screen = Screen {
            backlog: 400_000,
            ..Screen::new(SIZE)
        };
        catch_up(&mut screen, &mut log);
        flood(&mut log, 60_000);
        catch_up(&mut screen, &mut log);
        let snapshot = String::from_utf8(screen.snapshot().bytes).unwrap();
        let lines: Vec<usize> = snapshot
            .split("line ")
            .filter_map(|line| line.get(..6)?.parse().ok())
            .collect();
        assert!(lines.len() > 200_000 / 20, "{}", lines.len());
        assert!(lines.is_sorted() && lines.last() == Some(&59_999));
        assert_eq!(lines.last().unwrap() - lines[0] + 1, lines.len());
        assert!(!snapshot.contains("before"));
    }

    #[test]
    fn a_log_that_has_forgotten_what_was_not_interpreted_is_joined_where_a_line_begins() {
        let limits = Limits {
            memory: 256,
            capacity: 1024,
            directory: std::env::temp_dir(),
        };
        let mut log = StreamLog::new(limits);
        for _ in 0..500 {
            log.append(b"line after line\r\n");
        }
        let mut screen = Screen::new(SIZE);
        catch_up(&mut screen, &mut log);
        let mut viewer = viewer();
        viewer.process(&screen.snapshot().bytes);
        assert_eq!(viewer.screen().contents().lines().next(), Some("line after line"));
    }

    #[test]
    fn a_size_holds_from_its_offset_on_and_what_was_written_before_is_wrapped_anew() {
        let before = b"0123456789012345678901234\r\n";
        let mut log = log_of(before);
        let mut screen = Screen::new(SIZE);
        screen.resize(before.len() as u64, Size { cols: 40, rows: 5 });
        log.append(b"01234567890123456789012345");
        catch_up(&mut screen, &mut log);
        let snapshot = screen.snapshot();
        assert_eq!(snapshot.size.cols, 40);
        let text = String::from_utf8(snapshot.bytes).unwrap();
        assert!(
            text.contains("0123456789012345678901234\r\n01234567890123456789012345\r\n"),
            "{text:?}"
        );
    }

    #[test]
    fn a_question_is_answered_as_of_its_own_place() {
        let mut log = log_of(b"one\r\ntwo");
        let mut screen = Screen::new(SIZE);
        log.append(b"\r\nthree");
        assert_eq!(screen.answer(&mut log, 8, b"\x1b[6n"), b"\x1b[2;4R");
        assert_eq!(screen.answer(&mut log, 15, b"\x1b[6n"), b"\x1b[3;6R");
    }

    #[test]
    fn catching_up_stops_when_the_time_is_up() {
        let mut log = log_of(&vec![b'x'; 10 * SLICE]);
        let mut screen = Screen::new(SIZE);
        screen.catch_up(&mut log, Instant::now());
        assert_eq!(screen.offset, SLICE as u64);
        screen.catch_up(&mut log, Instant::now() + Duration::from_secs(60));
        assert!(screen.is_current(&log));
    }
}
