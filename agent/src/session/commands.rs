//! The command log's part of a session: from what the shell wrote to what goes into the stream, and to records.
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use protocol::ids::{ObjectId, SessionId, StreamId};
use protocol::stream::{Marked, Marks};
use protocol::terminal::Size;
use protocol::terminal::command_record::CommandRecord;

use super::stream::Stream;
use crate::command_log::{Before, Moment, Reader, Recorder, SharedJournal};
use crate::process::Waiting;

/// What a command writes begins behind the end of its line.
const LINE_FEED: u64 = 1;

/// Listens to one shell.
#[derive(Debug)]
pub struct Commands {
    marks: Marks,
    recorder: Recorder,
    /// Of a shell without hooks.
    reader: Option<Reader>,
    journal: Arc<SharedJournal>,
}

impl Commands {
    /// To a shell that has written nothing yet, and whose marks carry `secret`.
    pub fn new(secret: &str, session_id: SessionId, stream: StreamId, size: Size, journal: Arc<SharedJournal>) -> Self {
        Self {
            marks: Marks::new(secret),
            recorder: Recorder::new(session_id, stream, size),
            reader: None,
            journal,
        }
    }

    /// The shell has no hooks: what is typed at its prompts is read from the screen.
    pub fn read_screen(&mut self) {
        self.reader = Some(Reader::default());
    }

    /// Whether the shell's hooks work.
    pub fn is_ready(&self) -> bool {
        self.recorder.is_ready()
    }

    /// The command that runs, if the shell has said that one does.
    pub fn running(&self) -> Option<&CommandRecord> {
        self.recorder.running()
    }

    /// The terminal's size changed.
    pub fn resize(&mut self, size: Size) {
        self.recorder.resize(size);
    }

    /// Keys are about to be written. Answers what holds before that, if it matters.
    pub fn before_keys(&mut self, stream: &mut Stream, waiting: impl FnOnce() -> Option<Waiting>) -> Option<Before> {
        let reader = self.reader.as_mut()?;
        reader.before(waiting()?, || stream.cursor_line())
    }

    /// Keys were written.
    pub fn typed(&mut self, keys: &[u8], before: Option<Before>) {
        if let Some(reader) = &mut self.reader {
            reader.typed(keys, before);
        }
    }

    /// The terminal wrote something: its marks are taken down, and all else goes into the stream.
    pub fn output(&mut self, bytes: &[u8], stream: &mut Stream, now: Instant) {
        let Self {
            marks,
            recorder,
            reader,
            journal,
        } = self;
        marks.split(bytes, |piece| match piece {
            Marked::Output(bytes) => {
                recorder.output(bytes);
                let mut rest = bytes;
                if let Some(reader) = reader
                    && let Some(end) = reader.ends_in(bytes)
                {
                    let (line, behind) = bytes.split_at(end);
                    stream.output(line, now);
                    let read = reader.line(stream.cursor_line());
                    let offset = stream.end() + LINE_FEED;
                    let event = read.and_then(|(text, cwd)| recorder.line(text, cwd, offset, moment(now), new_id()));
                    event.into_iter().for_each(|event| journal.note(event));
                    rest = behind;
                }
                stream.output(rest, now);
            }
            Marked::Mark(mark) => {
                for event in recorder.mark(mark, stream.end(), moment(now), new_id) {
                    journal.note(event);
                }
            }
        });
    }

    /// The shell ended, with this exit code if it has one. What was held back as a mark's beginning was none.
    pub fn ended(&mut self, code: Option<i32>, stream: &mut Stream) {
        let now = Instant::now();
        let held = self.marks.finish();
        if !held.is_empty() {
            stream.output(&held, now);
        }
        if let Some(event) = self.recorder.ended(code, stream.end(), moment(now)) {
            self.journal.note(event);
        }
    }
}

fn moment(steady: Instant) -> Moment {
    Moment {
        wall: wall_ms(),
        steady,
    }
}

/// Milliseconds since the Unix epoch.
pub fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The first 96 bits of a UUIDv7, as all ids are.
fn new_id() -> Option<ObjectId> {
    let mut random = [0; 6];
    getrandom::fill(&mut random).ok()?;
    let time = wall_ms() & 0xffff_ffff_ffff;
    format!("{time:012x}{}", data_encoding::HEXLOWER.encode(&random))
        .parse()
        .ok()
}
