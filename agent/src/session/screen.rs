//! A snapshot of a terminal's screen, for a viewer who was not there from the start.
//!
//! Interpreting output costs more than moving it, so it is done from the log and later: a little at a time while the
//! stream flows, and the rest when a snapshot is asked for. Under a flood the interpreter does not keep up. Then it passes
//! over text that has long scrolled away and takes only mode changes from it, so a flood costs no more than the share of
//! time that the caller grants.
//!
//! The snapshot has both screens with cursor, colours and input modes. It lacks what the interpreter does not tell: scroll
//! regions, tab stops and the terminal's title.
use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::time::Instant;

use memchr::memmem;
use protocol::terminal::Size;

use super::syntax::Syntax;
use crate::stream_log::StreamLog;

/// How much output may wait to be interpreted. It bounds the time until a snapshot is ready to a tenth of a second or two,
/// and is many times what fills the largest sensible screen.
const BACKLOG: u64 = 8 * 1024 * 1024;

/// Read from the log at once; a few hundred microseconds of interpreting.
const SLICE: usize = 16 * 1024;

/// Sizes that were set and not yet reached by the interpreter. Beyond that many, the latest replaces the last.
const RESIZES: usize = 64;

/// Longest mode change that is recognised in text that is passed over.
const MODE_CHANGE: usize = 48;

/// Puts a terminal of any history into the state that a snapshot starts from.
const RESET: &str = "\x1b[?1049l\x1b[!p\x1b[?7h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?2004l";

/// Interprets a stream from its log.
pub struct Screen {
    /// Made when first needed: it holds every cell of the screen.
    parser: Option<vt100::Parser>,
    /// How much may wait; when it is more, half of it is left.
    backlog: u64,
    size: Size,
    /// Everything before this offset is interpreted.
    offset: u64,
    syntax: Syntax,
    resizes: VecDeque<(u64, Size)>,
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
            parser: None,
            backlog: BACKLOG,
            size,
            offset: 0,
            syntax: Syntax::default(),
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
        if log.end() - self.offset > self.backlog || self.offset < log.start() {
            self.pass_over(log);
        }
        let mut slice = [0; SLICE];
        loop {
            let stop = self.next_resize();
            let most = stop.map_or(SLICE as u64, |stop| (stop - self.offset).min(SLICE as u64)) as usize;
            let count = log.read(self.offset, &mut slice[..most]);
            let bytes = &slice[..count];
            if !bytes.is_empty() {
                self.parser().process(bytes);
                self.syntax.advance(bytes);
                self.offset += count as u64;
            }
            if count < most || self.is_current(log) || Instant::now() >= until {
                break;
            }
        }
        self.next_resize();
    }

    /// The snapshot at the offset that interpreting has reached, as escape sequences.
    pub fn snapshot(&mut self) -> Vec<u8> {
        self.next_resize();
        let screen = self.parser().screen();
        let mut snapshot = RESET.to_owned();
        if screen.alternate_screen() {
            // A copy of the screen switched back shows what is behind the alternate one, with the cursor where it will
            // return to.
            let (rows, cols) = screen.size();
            let mut behind = vt100::Parser::new(rows, cols, 0);
            *behind.screen_mut() = screen.clone();
            behind.process(b"\x1b[?47l");
            snapshot += &behind.screen().contents_formatted();
            snapshot += "\x1b[?1049h";
        }
        snapshot += &screen.state_formatted();
        let mut snapshot = snapshot.into_bytes();
        // The stream may pause inside a sequence; its rest must find its beginning.
        snapshot.extend_from_slice(self.syntax.unfinished());
        snapshot
    }

    /// Applies the size that holds from here on and answers where the next one begins.
    fn next_resize(&mut self) -> Option<u64> {
        while let Some((at, size)) = self.resizes.front().copied() {
            if at > self.offset {
                return Some(at);
            }
            self.resizes.pop_front();
            self.size = size;
            let (rows, cols) = sides(size);
            if let Some(parser) = &mut self.parser {
                parser.set_size(rows, cols);
            }
        }
        None
    }

    /// Gives up on the older part of the backlog but for the modes it sets, such as the alternate screen or mouse reports.
    fn pass_over(&mut self, log: &mut StreamLog) {
        let target = log.end().saturating_sub(self.backlog / 2).max(log.start());
        // Whatever sequence was begun lies in what is passed over.
        self.parser().process(b"\x18");
        self.syntax = Syntax::default();
        self.offset = self.offset.max(log.start());
        let mut slice = vec![0; SLICE];
        while self.offset < target {
            let count = log.read(self.offset, &mut slice);
            if count == 0 {
                break;
            }
            let bytes = &slice[..count];
            for at in memmem::find_iter(bytes, b"\x1b[?") {
                if let Some(change) = mode_change(&bytes[at..]) {
                    self.parser().process(change);
                }
            }
            // A sequence across the border is seen whole in the next slice.
            let step = if count > MODE_CHANGE {
                count - MODE_CHANGE
            } else {
                count
            };
            self.offset = (self.offset + step as u64).min(target);
        }
        self.offset = target;
    }

    fn parser(&mut self) -> &mut vt100::Parser {
        let (rows, cols) = sides(self.size);
        self.parser.get_or_insert_with(|| vt100::Parser::new(rows, cols, 0))
    }
}

fn sides(size: Size) -> (NonZeroU16, NonZeroU16) {
    let side = |n| NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN);
    (side(size.rows), side(size.cols))
}

/// The private mode change that `bytes` begin with.
fn mode_change(bytes: &[u8]) -> Option<&[u8]> {
    let parameters = bytes.get(3..)?;
    let len = parameters
        .iter()
        .take(MODE_CHANGE - 4)
        .position(|byte| !matches!(byte, b'0'..=b'9' | b';'))?;
    matches!(parameters[len], b'h' | b'l').then(|| &bytes[..3 + len + 1])
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
        screen.snapshot()
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

    #[test]
    fn a_flood_is_passed_over_but_for_its_modes() {
        let mut bytes = b"\x1b[?2004h\x1b[?1049h".to_vec();
        while bytes.len() < 400_000 {
            bytes.extend_from_slice(b"\x1b[32mline after line\x1b[0m\r\n");
        }
        let mut log = log_of(&bytes);
        let mut screen = Screen {
            backlog: 100_000,
            ..Screen::new(SIZE)
        };
        screen.catch_up(&mut log, Instant::now());
        assert!(log.end() - screen.offset <= 50_000);
        catch_up(&mut screen, &mut log);
        let mut viewer = viewer();
        viewer.process(&screen.snapshot());
        assert_same_screen(&viewer, &bytes);
    }

    #[test]
    fn a_log_that_has_forgotten_what_was_not_interpreted_is_joined_where_it_begins() {
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
        viewer.process(&screen.snapshot());
        assert_eq!(viewer.screen().contents().lines().next(), Some("line after line"));
    }

    #[test]
    fn a_size_holds_from_its_offset_on() {
        let before = b"0123456789012345678901234";
        let mut log = log_of(before);
        let mut screen = Screen::new(SIZE);
        screen.resize(before.len() as u64, Size { cols: 40, rows: 5 });
        log.append(b"\r\n01234567890123456789012345");
        catch_up(&mut screen, &mut log);
        let rows: Vec<String> = screen.parser().screen().rows(0, 40).collect();
        assert_eq!(
            rows[..3],
            ["01234567890123456789", "01234", "01234567890123456789012345"]
        );
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
