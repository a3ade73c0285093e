//! A recorder: a reader of one session's output that writes it to the bucket, in chunks.
//!
//! What it has taken in and not stored is in memory only, and bounded. Whatever is lost with the memory, or found no room in it,
//! is read again from the agent's log: the log keeps what the recorder has not acknowledged, and acknowledged is what the bucket
//! has. That position is saved once for each chunk and never for a key.
mod flood;
mod marks;
mod puts;

use bytes::Bytes;
use protocol::ids::StreamId;
use protocol::limits::RECORDER_WINDOW;
use protocol::recording::{self, CHUNK_BYTES, Encoder, Header};
use protocol::terminal::frame::Frame;
use protocol::terminal::{ExitStatus, Size};

use super::action::{Chunk, Notice, Outcome};
use super::credit::Hold;
use super::outbox::Outbox;
use super::record::{Record, RecorderRecord};
use flood::Flood;
use marks::Marks;
use puts::Puts;

/// A chunk as it is written, at most: control characters take six bytes each there.
const CHUNK_TEXT: usize = 2 * 1024 * 1024;

/// A chunk is stored at the latest this long after its first byte came, in milliseconds…
const CHUNK_AGE: u64 = 10_000;

/// …or after this share of the time that the session has lasted…
const CHUNK_AGE_SHARE: u64 = 200;

/// …but no later than this. So a day of work is some 1,300 chunks and not 9,000.
const CHUNK_AGE_MOST: u64 = 120_000;

/// Text between two screens, from which one can begin to play: what a player loads to do so, and a tenth of a second's work of it.
const SCREEN_EVERY: usize = 256 * 1024;

/// What one recorder holds in memory, as it is written. Behind that it waits, and reads the agent's log later.
const HELD_BYTES: usize = 8 * 1024 * 1024;

/// Output in one recording. A program that writes for ever must not fill the bucket; nobody plays as much.
const RECORDING_BYTES: u64 = 1024 * 1024 * 1024;

const TOO_LONG: &str = "the recording ends here: it has 1 GiB";

/// One recorder.
#[derive(Debug)]
pub struct Recorder {
    record: RecorderRecord,
    /// What was taken in and is in no chunk yet.
    encoder: Encoder,
    /// When the chunk that is being written got its first byte.
    opened: Option<u64>,
    /// The size of the terminal after what was taken in.
    size: Size,
    /// What was cut off and is not stored.
    puts: Puts,
    /// A part of the log is on its way from the agent, up to here.
    fetching: Option<u64>,
    /// The offset after the last byte there is, as far as known.
    end: u64,
    /// When output came that was not taken in then.
    marks: Marks,
    /// Whether so much comes that it steps aside.
    flood: Flood,
    /// Text since it was last known what the terminal shows.
    unseen: usize,
    /// How much of that there was when the agent was asked, until it answers. It need not.
    asked: Option<usize>,
    /// How it ends, once all is stored.
    ending: Option<Ending>,
}

#[derive(Debug)]
struct Ending {
    outcome: Outcome,
    status: Option<ExitStatus>,
    at: u64,
}

impl Recorder {
    /// A recorder of a session that begins.
    pub fn new(record: RecorderRecord) -> Self {
        let encoder = match record.stored {
            0 => Encoder::beginning(&Header {
                size: record.size,
                timestamp: record.started / 1000,
                title: Header::title(&record.session_id, &record.username),
            }),
            stored => Encoder::resuming(stored, record.last),
        };
        Self {
            encoder,
            opened: None,
            size: record.size,
            puts: Puts::default(),
            fetching: None,
            end: record.stored,
            marks: Marks::default(),
            flood: Flood::default(),
            unseen: 0,
            asked: None,
            ending: None,
            record,
        }
    }

    // ---- what it is ----

    pub fn stream(&self) -> StreamId {
        self.record.stream
    }

    /// The offset of the next byte it takes in.
    pub fn next(&self) -> u64 {
        self.encoder.next()
    }

    /// What it holds in memory.
    pub fn held(&self) -> usize {
        self.puts.bytes() + self.encoder.text_bytes()
    }

    /// Whether it has room, and something to take in.
    pub fn wants(&self) -> bool {
        self.next() < self.end && self.held() < HELD_BYTES && !self.is_full() && !self.is_aside()
    }

    /// Whether it leaves the thread to others: it takes nothing in, and puts nothing.
    fn is_aside(&self) -> bool {
        self.ending.is_none() && self.flood.is_left_alone()
    }

    /// How it holds the agent back.
    pub fn hold(&self) -> Option<Hold> {
        self.ending.is_none().then(|| Hold::recorder(self.record.stored))
    }

    /// Whether the agent waits for it, or nearly so.
    pub fn holds_back(&self, margin: u64) -> bool {
        self.ending.is_none() && self.end + margin >= self.record.stored + RECORDER_WINDOW
    }

    /// The part of the log to ask for, at most `most` bytes of it; nothing while one is on its way.
    pub fn fetch(&mut self, most: u64) -> Option<(u64, u64)> {
        if self.fetching.is_some() || !self.wants() {
            return None;
        }
        let to = self.end.min(self.next() + most);
        self.fetching = Some(to);
        Some((self.next(), to))
    }

    // ---- what happens ----

    /// The shell is there: the recording is one of the machine's from now on.
    pub fn runs(&mut self, out: &mut Outbox) {
        if self.record.announced {
            return;
        }
        self.record.announced = true;
        self.save(out);
        out.notify(Notice::RecordingStarted {
            recording: self.record.recording.clone(),
            session_id: self.record.session_id.clone(),
            stream: self.record.stream,
            user: self.record.user.clone(),
            username: self.record.username.clone(),
            size: self.record.size,
            at: self.record.started,
        });
    }

    /// The agent has output up to `end`.
    pub fn reaches(&mut self, end: u64) {
        if self.ending.is_none() {
            self.end = self.end.max(end);
        }
    }

    /// Output is there. It takes in what it waits for, if it has room, and remembers when the rest came.
    pub fn output(&mut self, now: u64, frame: &Frame, room: bool) {
        let (news, known) = (frame.offset >= self.end, self.end);
        self.reaches(frame.end());
        if self.end > known {
            self.flood.came(now, self.end - known);
        }
        if frame.end() <= self.next() {
            return;
        }
        let part = frame.starting_at(self.next());
        let Some(part) = part.filter(|_| room && self.wants()) else {
            if news {
                self.marks.note(frame.offset, now);
            }
            // What was asked for came and is not taken: it is asked for again.
            self.fetching = self.fetching.filter(|_| frame.offset > self.next());
            return;
        };
        let came = match news {
            true => now,
            false => self.marks.take(part.offset).unwrap_or(now),
        };
        self.opened.get_or_insert(now);
        let written = self.encoder.text_bytes();
        self.encoder
            .output(came.saturating_sub(self.record.started), part.payload());
        self.unseen += self.encoder.text_bytes() - written;
        let next = self.next();
        self.fetching = self.fetching.filter(|to| next < *to);
        if self.encoder.output_bytes() >= CHUNK_BYTES || self.encoder.text_bytes() >= CHUNK_TEXT {
            self.cut();
        }
    }

    /// Whether to ask the agent what the terminal shows. Not while it is behind, or at its end: it could not use the answer.
    pub fn wants_screen(&mut self) -> bool {
        let enough = self.asked.unwrap_or(0) + SCREEN_EVERY;
        let wants = self.unseen >= enough && self.next() >= self.end && self.ending.is_none();
        if wants {
            self.asked = Some(self.unseen);
        }
        wants
    }

    /// The terminal shows this after the output before `offset`. If that is what was taken in, a chunk begins with it.
    /// Otherwise it is asked for again.
    pub fn screen(&mut self, offset: u64, size: Size, screen: &str) {
        self.asked = None;
        if self.ending.is_some() || offset != self.next() {
            return;
        }
        self.unseen = 0;
        if self.encoder.output_bytes() > 0 {
            self.cut();
        }
        self.encoder.screen(size, screen);
    }

    /// The terminal has this size.
    pub fn resized(&mut self, now: u64, size: Size) {
        if self.ending.is_none() && std::mem::replace(&mut self.size, size) != size {
            self.encoder.resize(now.saturating_sub(self.record.started), size);
        }
    }

    /// The log has nothing before `start`: what was to be read there is lost.
    pub fn missing(&mut self, now: u64, from: u64, start: u64) {
        if self.fetching.is_some() && (from..start).contains(&self.next()) {
            self.fetching = None;
            self.encoder.skip_to(now.saturating_sub(self.record.started), start);
            self.opened.get_or_insert(now);
        }
    }

    /// The agent's link is gone, and with it what was on its way.
    pub fn link_lost(&mut self) {
        self.fetching = None;
        self.asked = None;
    }

    /// The shell ended.
    pub fn exited(&mut self, now: u64, end: u64, status: ExitStatus) {
        if self.ending.is_none() {
            self.end = end;
            self.ends(now, Outcome::Complete, Some(status));
        }
    }

    /// Nothing more comes, and what was not read is lost.
    pub fn lost(&mut self, now: u64) {
        if self.ending.as_ref().is_none_or(|_| self.next() < self.end) {
            self.end = self.next();
            self.ends(now, Outcome::Interrupted, None);
        }
    }

    fn ends(&mut self, now: u64, outcome: Outcome, status: Option<ExitStatus>) {
        let at = now;
        self.ending = Some(Ending { outcome, status, at });
    }

    /// The bucket has a chunk, or refused it.
    pub fn stored(&mut self, now: u64, start: u64, stored: bool, out: &mut Outbox) {
        let done = self.puts.answered(now, start, stored);
        let Some(last) = done.last() else { return };
        self.record.stored = last.chunk.span.end;
        self.record.last = last.chunk.span.to;
        self.record.size = last.size;
        self.record.bytes += done.iter().map(|put| put.chunk.body.len() as u64).sum::<u64>();
        self.marks.forget_before(self.record.stored);
        self.save(out);
    }

    /// Time has passed, or something has happened: cuts what is due, and sends what may be sent.
    pub fn settle(&mut self, now: u64, out: &mut Outbox) {
        self.flood.passed(now, self.end.saturating_sub(self.record.stored));
        if self.is_aside() {
            return;
        }
        if self.is_full() && self.ending.is_none() {
            self.encoder.marker(now.saturating_sub(self.record.started), TOO_LONG);
            self.end = self.next();
            self.ends(now, Outcome::Truncated, None);
        }
        if self.has_all() {
            if let Some(ending) = &self.ending {
                self.encoder.flush(ending.at.saturating_sub(self.record.started));
            }
            if !self.encoder.is_empty() {
                self.cut();
            }
        } else if self.cut_due().is_some_and(|due| now >= due) {
            self.cut();
        }
        self.puts.send(now, out);
    }

    /// When [`Self::settle`] is to be called.
    pub fn due(&self) -> Option<u64> {
        if self.is_aside() {
            return self.flood.due();
        }
        self.puts.due().into_iter().chain(self.cut_due()).min()
    }

    /// Whether all that is to be recorded is in the bucket.
    pub fn is_over(&self) -> bool {
        self.has_all() && self.puts.is_empty() && self.encoder.is_empty()
    }

    /// What the directory is told in the end. Nothing of a shell that never was.
    pub fn tell_end(&self, out: &mut Outbox) {
        let Some(ending) = self.ending.as_ref().filter(|_| self.record.announced) else {
            return;
        };
        out.notify(Notice::RecordingEnded {
            recording: self.record.recording.clone(),
            at: ending.at.max(self.record.started + self.record.last),
            milliseconds: self.record.last,
            output_bytes: self.record.stored,
            bytes: self.record.bytes,
            outcome: ending.outcome,
            exit_code: ending.status.as_ref().and_then(|status| status.code),
        });
    }

    /// The machine is gone for good: what is in memory goes to the bucket while it can.
    pub fn abandon(&mut self, now: u64, out: &mut Outbox) {
        self.lost(now);
        self.settle(now, out);
        self.puts.send_rest(out);
    }

    /// Keeps it over a loss of memory.
    pub fn save(&self, out: &mut Outbox) {
        out.save(Record::Recorder(self.record.clone()));
    }

    fn is_full(&self) -> bool {
        self.next() >= RECORDING_BYTES
    }

    /// Whether it has taken in all there will be.
    fn has_all(&self) -> bool {
        self.ending.is_some() && self.next() >= self.end
    }

    /// When the chunk that is being written is old enough. One without output waits for some: two chunks never begin at one
    /// offset.
    fn cut_due(&self) -> Option<u64> {
        let opened = self.opened.filter(|_| self.encoder.output_bytes() > 0)?;
        let lasted = opened.saturating_sub(self.record.started);
        Some(opened + (lasted / CHUNK_AGE_SHARE).clamp(CHUNK_AGE, CHUNK_AGE_MOST))
    }

    fn cut(&mut self) {
        self.opened = None;
        let part = self.encoder.take();
        let chunk = Chunk {
            stream: self.record.stream,
            key: recording::key(&self.record.recording, part.span.start),
            span: part.span,
            body: Bytes::from(part.text),
        };
        self.puts.push(chunk, self.size);
    }
}
