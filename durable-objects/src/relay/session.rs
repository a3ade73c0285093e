//! A session: one shell, as far as the relay knows it.
use protocol::ids::{ObjectId, SessionId, StreamId};
use protocol::limits::MAX_PAYLOAD;
use protocol::terminal::agent::{Described, Report, ToAgent};
use protocol::terminal::frame::Frame;
use protocol::terminal::limits::SessionLimits;
use protocol::terminal::presence::Presence;
use protocol::terminal::ssh::{SshConnected, SshTarget};
use protocol::terminal::{ExitStatus, Size};

use super::action::Socket;
use super::credit::Credit;
use super::outbox::Outbox;
use super::record::{Phase, Record, SessionRecord};
use super::tail::Tail;

/// One shell.
#[derive(Debug)]
pub struct Session {
    record: SessionRecord,
    /// The offset after the last byte the agent has, as far as known. Nothing after a loss of memory, until the agent says.
    end: Option<u64>,
    /// The first offset of the agent's log, when it last said.
    log_start: u64,
    /// The newest output.
    tail: Tail,
    /// The credit last given to the agent on this link.
    granted: Option<Credit>,
    /// The offset of the snapshot that is arriving.
    snapshot: Option<u64>,
    /// The size at which it is to be drawn, or the last one was.
    snapshot_size: Option<Size>,
    /// Whether a snapshot was asked for that has not begun to arrive.
    snapshot_asked: bool,
    /// Whose window set the size.
    sizer: Option<Socket>,
    /// Whether its program waits for its recording.
    recording_behind: bool,
    /// When the terminal last wrote something, since the object woke.
    last_output: Option<u64>,
    /// What the agent last said that the shell does.
    described: Option<Described>,
    /// Who was there when that was last told.
    present: Vec<Presence>,
    /// It is being ended, which is why its viewers leave.
    ending: bool,
}

/// Which piece of a snapshot a frame is.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    pub first: bool,
    pub last: bool,
}

impl Session {
    /// A session nobody has opened yet.
    pub fn new(record: SessionRecord) -> Self {
        Self {
            end: Some(0),
            ..Self::restored(record)
        }
    }

    /// A session from storage.
    pub fn restored(record: SessionRecord) -> Self {
        let end = match record.phase {
            Phase::Ended { end, .. } => Some(end),
            _ => None,
        };
        Self {
            record,
            end,
            log_start: 0,
            tail: Tail::default(),
            granted: None,
            snapshot: None,
            snapshot_size: None,
            snapshot_asked: false,
            sizer: None,
            recording_behind: false,
            last_output: None,
            described: None,
            present: Vec::new(),
            ending: false,
        }
    }

    // ---- what it is ----

    /// Its output stream.
    pub fn stream(&self) -> StreamId {
        self.record.stream
    }

    pub fn id(&self) -> &SessionId {
        &self.record.session_id
    }

    pub fn owner(&self) -> &ObjectId {
        &self.record.owner
    }

    /// The latest opening of its row that led somebody here.
    pub fn opening(&self) -> u32 {
        self.record.opening
    }

    pub fn allow_sudo(&self) -> bool {
        self.record.allow_sudo
    }

    /// What it may do, and each command that is asked for in it.
    pub fn limits(&self) -> SessionLimits {
        self.record.limits
    }

    pub fn size(&self) -> Size {
        self.record.size
    }

    pub fn phase(&self) -> &Phase {
        &self.record.phase
    }

    /// Whether the shell is not there yet.
    pub fn is_opening(&self) -> bool {
        self.record.phase == Phase::Opening
    }

    /// Whether the shell runs.
    pub fn is_running(&self) -> bool {
        self.record.phase == Phase::Running
    }

    /// Whether the shell is no more.
    pub fn is_over(&self) -> bool {
        matches!(self.record.phase, Phase::Ended { .. } | Phase::Lost)
    }

    /// How the shell ended, if the agent saw it end.
    pub fn exit_status(&self) -> Option<&ExitStatus> {
        match &self.record.phase {
            Phase::Ended { status, .. } => Some(status),
            _ => None,
        }
    }

    pub fn end(&self) -> Option<u64> {
        self.end
    }

    pub fn log_start(&self) -> u64 {
        self.log_start
    }

    /// When it is to be hung up, if nobody is there.
    pub fn expires_at(&self) -> Option<u64> {
        Some(self.record.empty_since? + self.record.keep_ms)
    }

    /// What asks the agent for the shell.
    pub fn open_message(&self) -> ToAgent {
        let record = &self.record;
        ToAgent::Open {
            stream: record.stream,
            session_id: record.session_id.clone(),
            size: record.size,
            allow_sudo: record.allow_sudo,
            username: record.username.clone(),
            limits: record.limits,
            ssh: record.ssh.clone(),
        }
    }

    /// On which other host it is; nothing for a shell of the machine.
    pub fn ssh(&self) -> Option<&SshTarget> {
        self.record.ssh.as_ref()
    }

    /// Where that has led, once it has.
    pub fn connected(&self) -> Option<&SshConnected> {
        self.record.connected.as_ref()
    }

    /// It has led there. Answers whether that is news.
    pub fn connect(&mut self, connected: SshConnected, out: &mut Outbox) -> bool {
        let news = self.record.connected.is_none();
        self.record.connected = Some(connected);
        if news {
            self.save(out);
        }
        news
    }

    /// The owner's name.
    pub fn username(&self) -> &str {
        &self.record.username
    }

    // ---- who is there ----

    /// Somebody attaches. It stays for `keep_ms` after the last has left.
    pub fn joined(&mut self, keep_ms: u64, opening: u32, out: &mut Outbox) {
        self.record.keep_ms = keep_ms;
        self.record.opening = self.record.opening.max(opening);
        self.record.empty_since = None;
        self.save(out);
    }

    /// The last has left whose session it is. Guests may be there, or leave later.
    pub fn emptied(&mut self, now: u64, out: &mut Outbox) {
        self.record.empty_since.get_or_insert(now);
        self.save(out);
    }

    /// After a loss of memory, nobody turned out to be there. Not saved: the next to look finds the same.
    pub fn found_empty(&mut self, now: u64) {
        self.record.empty_since.get_or_insert(now);
    }

    /// These people are there. Answers whether it was others, or they were something else, when it was last told.
    pub fn are_present(&mut self, people: &[Presence]) -> bool {
        let news = self.present != people;
        if news {
            self.present = people.to_vec();
        }
        news
    }

    /// Whether nobody has seen the shell or asked it for anything, so that there is nothing to come back to and whoever leaves ends it.
    pub fn is_untouched(&self) -> bool {
        self.record.phase == Phase::Opening && !self.ending
    }

    /// From here on, whoever leaves does so because it ends.
    pub fn ends(&mut self) {
        self.ending = true;
    }

    // ---- what the agent says ----

    /// The agent has the shell, and says all there is to know of it. What was asked of the link before is void.
    pub fn reported(&mut self, report: &Report, out: &mut Outbox) {
        self.end = Some(report.end);
        self.log_start = report.start;
        self.record.size = report.size;
        self.granted = None;
        self.snapshot = None;
        self.snapshot_asked = false;
        self.started(out);
    }

    /// The shell has started. Answers whether that is news.
    pub fn opened(&mut self, out: &mut Outbox) -> bool {
        if self.record.phase != Phase::Opening {
            return false;
        }
        // This comes before the first output.
        self.end.get_or_insert(0);
        self.started(out);
        true
    }

    fn started(&mut self, out: &mut Outbox) {
        if self.record.phase == Phase::Opening {
            self.record.phase = Phase::Running;
            self.save(out);
        }
    }

    /// The shell ended. Answers whether that is news.
    pub fn exited(&mut self, end: u64, status: ExitStatus, out: &mut Outbox) -> bool {
        if self.is_over() {
            return false;
        }
        self.end = Some(end);
        self.record.phase = Phase::Ended { end, status };
        self.save(out);
        true
    }

    /// The shell died with its agent.
    pub fn lost(&mut self, out: &mut Outbox) {
        self.record.phase = Phase::Lost;
        self.save(out);
    }

    /// Somebody changed the size. Answers whether it is another. Not saved: the agent knows it.
    pub fn resize(&mut self, size: Size) -> bool {
        std::mem::replace(&mut self.record.size, size) != size
    }

    /// Whose window set the size.
    pub fn sizer(&self) -> Option<Socket> {
        self.sizer
    }

    /// Somebody's window sets the size. Answers whether it was another's before.
    pub fn sized_by(&mut self, socket: Socket) -> bool {
        self.sizer.replace(socket).is_some_and(|before| before != socket)
    }

    // ---- output ----

    /// Takes output in, if it is live and not an answer to somebody who asked for a part of the log. Answers whether it is.
    pub fn receive(&mut self, frame: &Frame) -> bool {
        // After a loss of memory nothing is known to be live until the agent has reported: it could be an old request's answer.
        let live = self.end.is_some_and(|end| frame.offset >= end);
        if live {
            self.end = Some(frame.end());
            self.tail.push(frame.clone());
        }
        live
    }

    /// The terminal has just written something.
    pub fn wrote(&mut self, now: u64) {
        self.last_output = Some(now);
    }

    /// When it last did, since the object woke.
    pub fn last_output(&self) -> Option<u64> {
        self.last_output
    }

    /// The agent says what the shell does.
    pub fn described(&mut self, described: Described) {
        self.described = Some(described);
    }

    /// What it last said of that.
    pub fn description(&self) -> Option<&Described> {
        self.described.as_ref()
    }

    /// Output from `offset` on, if it is in memory.
    pub fn cached(&self, offset: u64) -> Option<Frame> {
        self.tail.at(offset)
    }

    /// The agent's log has nothing before this any more.
    pub fn log_starts_at(&mut self, start: u64) {
        self.log_start = self.log_start.max(start);
    }

    /// Sets the credit, if it changed enough for the agent to hear of it. Answers whether it did.
    pub fn grant(&mut self, credit: Credit) -> bool {
        let news = self.granted.is_none_or(|old| credit.is_news_after(old, self.end));
        if news {
            self.granted = Some(credit);
        }
        news
    }

    /// Its program waits for its recording, or does not. Answers whether that is news.
    pub fn waits_for_recording(&mut self, waits: bool) -> bool {
        std::mem::replace(&mut self.recording_behind, waits) != waits
    }

    /// A snapshot is to be asked for. Answers whether none is on its way.
    pub fn ask_snapshot(&mut self) -> bool {
        !std::mem::replace(&mut self.snapshot_asked, true)
    }

    /// The agent says at which size the snapshot is drawn that comes now.
    pub fn snapshot_comes(&mut self, size: Size) {
        self.snapshot_size = Some(size);
    }

    /// The size at which the snapshot is to be drawn.
    pub fn snapshot_size(&self) -> Size {
        self.snapshot_size.unwrap_or(self.record.size)
    }

    /// A piece of a snapshot arrived.
    pub fn snapshot_piece(&mut self, frame: &Frame) -> Piece {
        let first = self.snapshot != Some(frame.offset);
        let last = frame.payload().len() < MAX_PAYLOAD;
        self.snapshot = (!last).then_some(frame.offset);
        if first {
            self.snapshot_asked = false;
        }
        if self.end.is_none_or(|end| end < frame.offset) {
            self.end = Some(frame.offset);
        }
        Piece { first, last }
    }

    /// Its commands, as a version before this one kept them. They have records of their own from now on.
    pub fn take_commands(&mut self, out: &mut Outbox) -> Vec<StreamId> {
        let commands = std::mem::take(&mut self.record.commands);
        if !commands.is_empty() {
            self.save(out);
        }
        commands
    }

    fn save(&self, out: &mut Outbox) {
        out.save(Record::Session(self.record.clone()));
    }
}
