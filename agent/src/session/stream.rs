//! One terminal's stream as a state machine: what to read from the terminal, what to write to it, and what to tell the
//! relay, without I/O but for the log's file. `docs/streams.md` has the rules.
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use protocol::ids::{SessionId, StreamId};
use protocol::limits::MAX_SCREEN;
use protocol::stream::{Piece, Questions};
use protocol::terminal::agent::{FromAgent, Report};
use protocol::terminal::frame::Frame;
use protocol::terminal::ssh::SshConnected;
use protocol::terminal::{ExitStatus, Size};

use super::coalesce::{Coalescer, ENOUGH};
use super::credit::Credit;
use super::input::{Inputs, Terminal, Told};
use super::notice;
use super::requests::{Requests, output_frame};
use super::screen::{Screen, Snapshot};
use crate::emulator::Line;
use crate::stream_log::{Limits, StreamLog};

/// How often a stream that flows interprets some of its output…
const CATCH_UP_EVERY: Duration = Duration::from_millis(20);

/// …and for how long at most, which is a twentieth of the time: it keeps up with a MB/s or two, and more is passed over anyway.
const CATCH_UP_FOR: Duration = Duration::from_millis(1);

/// A disk that is full again is said again after this long.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// How often a file that could not be written is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// What goes to the relay.
#[derive(Debug, Clone, PartialEq)]
pub enum Outgoing {
    /// A control message.
    Message(Box<FromAgent>),
    /// Data.
    Frame(Frame),
}

impl From<FromAgent> for Outgoing {
    fn from(message: FromAgent) -> Self {
        Self::Message(Box::new(message))
    }
}

/// One terminal's stream.
#[derive(Debug)]
pub struct Stream {
    id: StreamId,
    session_id: SessionId,
    size: Size,
    log: StreamLog,
    credit: Credit,
    allowed_to: u64,
    coalescer: Coalescer,
    screen: Screen,
    /// What programs ask.
    questions: Questions,
    /// Everything before this offset was looked at for questions.
    asked: u64,
    next_catch_up: Option<Instant>,
    next_retry: Option<Instant>,
    /// What people are to be told.
    notices: VecDeque<FromAgent>,
    /// When people at this link were told that the disk is full.
    disk_told: Option<Instant>,
    /// What typists send.
    pub inputs: Inputs,
    linked: bool,
    /// The shell was started, as far as is known. What its terminal says before waits, as the relay has no stream yet.
    began: bool,
    /// Live output before this offset has been handed to the link.
    sent: u64,
    tells_opened: bool,
    /// Where the shell is, if that is another host, and whether the relay is to hear it.
    connected: Option<SshConnected>,
    tells_connected: bool,
    requests: Requests,
    /// Whether the relay wants to know what is shown.
    screen_wanted: bool,
    /// Whether live output went last, so that now something else may.
    live_went: bool,
    exit: Option<ExitStatus>,
    exit_told: bool,
}

impl Stream {
    /// A stream that has written nothing yet.
    pub fn new(id: StreamId, session_id: SessionId, size: Size, limits: Limits) -> Self {
        Self {
            id,
            session_id,
            size,
            log: StreamLog::new(limits),
            credit: Credit::default(),
            allowed_to: 0,
            coalescer: Coalescer::default(),
            screen: Screen::new(size),
            questions: Questions::default(),
            asked: 0,
            next_catch_up: None,
            next_retry: None,
            notices: VecDeque::new(),
            disk_told: None,
            inputs: Inputs::default(),
            linked: false,
            began: false,
            sent: 0,
            tells_opened: false,
            connected: None,
            tells_connected: false,
            requests: Requests::default(),
            screen_wanted: false,
            live_went: false,
            exit: None,
            exit_told: false,
        }
    }

    /// A link stands: live output goes to it from the reported end on.
    pub fn attach(&mut self) -> Report {
        self.detach();
        self.linked = true;
        self.sent = self.log.end();
        self.exit_told = self.exit.is_some();
        if let Some(why) = self.log.full() {
            self.notices.push_back(notice::disk_full(self.id, why));
        }
        self.report()
    }

    /// The link is gone, and with it everything that was asked over it.
    pub fn detach(&mut self) {
        if self.linked {
            self.credit.cut();
        }
        self.linked = false;
        self.tells_opened = false;
        self.tells_connected = false;
        self.requests.clear();
        self.screen_wanted = false;
        self.notices.clear();
        self.disk_told = None;
    }

    /// The stream as it is now.
    pub fn report(&self) -> Report {
        Report {
            stream: self.id,
            session_id: self.session_id.clone(),
            start: self.log.start(),
            end: self.log.end(),
            size: self.size,
            inputs: self.inputs.report(),
            exit: self.exit.clone(),
        }
    }

    /// The offset after the last byte of output.
    pub fn end(&self) -> u64 {
        self.log.end()
    }

    /// The shell runs; the relay hears so before any output.
    pub fn opened(&mut self) {
        self.began = true;
        self.tells_opened = self.linked;
        self.tells_connected = self.linked && self.connected.is_some();
    }

    /// The relay asks once more for a shell that is there.
    pub fn repeat_opened(&mut self) {
        self.opened();
        self.exit_told = false;
    }

    /// The relay's leave to write.
    pub fn set_credit(&mut self, acked: u64, window: Option<u64>) {
        self.credit.set(acked, window);
    }

    /// Reading may go on to this offset, whatever the credit.
    pub fn allow_to(&mut self, offset: u64) {
        self.allowed_to = offset;
    }

    /// The terminal's size changed.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.screen.resize(self.log.end(), size);
    }

    /// The relay wants a part of the log. What has not been sent live yet comes by itself.
    pub fn request_part(&mut self, part: Range<u64>) {
        self.requests.part(part.start..part.end.min(self.sent));
    }

    /// The relay wants a screen snapshot.
    pub fn request_snapshot(&mut self) {
        self.requests.snapshot();
    }

    /// The relay wants to know what is shown, when telling delays nothing.
    pub fn request_screen(&mut self) {
        self.screen_wanted = true;
    }

    /// How many bytes to read from the terminal now: none while the credit is used up, while what was read before waits
    /// for the link, or while a snapshot is drawn, which must show the end of what was sent.
    pub fn room(&self) -> usize {
        if self.requests.want_snapshot() {
            return 0;
        }
        let credit = self
            .credit
            .room(self.end(), self.log.capacity())
            .min(self.log.room(self.unread()))
            .max(self.allowed_to.saturating_sub(self.end()));
        usize::try_from(credit)
            .unwrap_or(usize::MAX)
            .min(ENOUGH.saturating_sub(self.pending()))
    }

    /// The terminal wrote something. What it asks is answered here, in the order of the output and before anything that is
    /// typed later: no viewer answers, so that there is one answer whoever is there.
    pub fn output(&mut self, bytes: &[u8], now: Instant) {
        self.log.keep_from(self.unread());
        let had_room = self.log.full().is_none();
        self.log.append(bytes);
        if let Some(why) = self.log.full().filter(|_| had_room) {
            // A disk on the brink is full and not full by turns.
            if self.linked && self.disk_told.is_none_or(|at| now - at >= TELL_AGAIN) {
                self.disk_told = Some(now);
                self.notices.push_back(notice::disk_full(self.id, why));
            }
            self.next_retry.get_or_insert(now + RETRY_EVERY);
        }
        let Self {
            log,
            questions,
            screen,
            inputs,
            asked,
            ..
        } = self;
        questions.split(bytes, |piece| match piece {
            Piece::Output(bytes) => *asked += bytes.len() as u64,
            Piece::Question(question) => {
                *asked += question.len() as u64;
                inputs.answer(&screen.answer(log, *asked, question));
            }
        });
        self.next_catch_up.get_or_insert(now + CATCH_UP_EVERY);
    }

    /// Its number.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// The terminal's title.
    pub fn title(&self) -> String {
        self.screen.title()
    }

    /// The line that the cursor is in; nothing while a program has the whole screen.
    pub fn cursor_line(&mut self) -> Option<Line> {
        self.screen.cursor_line(&mut self.log)
    }

    /// The shell is there, on another host. That it is there is to be said behind this.
    pub fn connected(&mut self, connected: SshConnected) {
        self.connected = Some(connected);
    }

    /// The shell was started once more, without hooks.
    pub fn started_without_hooks(&mut self) {
        self.notices.push_back(notice::without_hooks(self.id));
    }

    /// Nobody has typed for so long that the session ends in some seconds.
    pub fn warn_idle(&mut self, after: Duration, seconds: u64) {
        self.notices.push_back(notice::idle(self.id, after, seconds));
    }

    /// Writes input to the terminal, as far as it has room. Answers what of it was typed.
    pub fn write_input(&mut self, terminal: &impl Terminal, now: Instant) -> io::Result<Vec<u8>> {
        let wrote = self.inputs.write_to(terminal, now)?;
        if wrote.any {
            self.coalescer.typed();
        }
        self.notices.extend(wrote.told.into_iter().map(|told| match told {
            Told::Held(input) => notice::line_held(self.id, input),
            Told::Dropped(input) => notice::line_dropped(self.id, input),
        }));
        Ok(wrote.typed)
    }

    /// The shell ended and the terminal has been read to its end.
    pub fn ended(&mut self, status: ExitStatus) {
        self.inputs.discard();
        self.exit = Some(status);
    }

    /// Whether the relay knows, or cannot be told now, that the shell ended.
    pub fn is_over(&self) -> bool {
        self.exit.is_some() && (self.exit_told || !self.linked)
    }

    /// From here on the log must not lose anything: it was not read, or not sent.
    fn unread(&self) -> u64 {
        let unsent = if self.linked { self.sent } else { self.end() };
        self.credit.unread(self.end()).min(unsent)
    }

    /// When [`Self::catch_up`] is to be called, if at all.
    pub fn catch_up_due(&self, now: Instant) -> Option<Instant> {
        let screen = if self.requests.want_snapshot() {
            self.next_catch_up.map(|_| now)
        } else {
            self.next_catch_up
        };
        screen.into_iter().chain(self.next_retry).min()
    }

    /// Interprets some of the output, and tries again what the disk had no room for.
    pub fn catch_up(&mut self, now: Instant) {
        if self.next_retry.is_some_and(|due| due <= now) {
            self.log.retry();
            self.next_retry = self.log.full().map(|_| now + RETRY_EVERY);
        }
        self.screen.catch_up(&mut self.log, now + CATCH_UP_FOR);
        self.next_catch_up = (!self.screen.is_current(&self.log)).then(|| now + CATCH_UP_EVERY);
    }

    /// When [`Self::next`] will have something, if it will: a time that has come means now.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        if !self.linked || !self.began {
            return None;
        }
        if self.tells_opened || !self.notices.is_empty() || self.can_answer() || self.can_show() || self.tells_exit() {
            return Some(now);
        }
        let live = self.live_due(now);
        let ack = self.inputs.ack_due();
        live.into_iter().chain(ack).min()
    }

    /// The next thing to tell the relay, if one is due. Live output takes turns with what else there is.
    pub fn next(&mut self, now: Instant) -> Option<Outgoing> {
        if !self.linked || !self.began {
            return None;
        }
        if std::mem::take(&mut self.tells_connected)
            && let Some(connected) = self.connected.clone()
        {
            let stream = self.id;
            return Some(FromAgent::SshConnected { stream, connected }.into());
        }
        if std::mem::take(&mut self.tells_opened) {
            return Some(FromAgent::Opened { stream: self.id }.into());
        }
        if let Some(notice) = self.notices.pop_front() {
            return Some(notice.into());
        }
        let live = self.live_due(now).is_some_and(|due| due <= now);
        if live && !std::mem::take(&mut self.live_went) {
            self.live_went = true;
            return Some(Outgoing::Frame(self.live_frame(now)));
        }
        self.next_other(now)
            .or_else(|| live.then(|| Outgoing::Frame(self.live_frame(now))))
    }

    fn next_other(&mut self, now: Instant) -> Option<Outgoing> {
        if self.inputs.ack_due().is_some_and(|due| due <= now)
            && let Some(ack) = self.inputs.take_ack()
        {
            return Some(Outgoing::Frame(ack));
        }
        if self.can_answer()
            && let Some(answer) = self.requests.next_answer(self.id, &mut self.log, &mut self.screen)
        {
            return Some(answer);
        }
        if self.can_show()
            && let Some(screen) = self.show()
        {
            return Some(screen.into());
        }
        if self.tells_exit() {
            self.exit_told = true;
            let status = self.exit.clone().unwrap_or_default();
            return Some(
                FromAgent::Exited {
                    stream: self.id,
                    end: self.log.end(),
                    status,
                }
                .into(),
            );
        }
        None
    }

    fn live_due(&self, now: Instant) -> Option<Instant> {
        let due = self.coalescer.due(self.pending(), now)?;
        // What hurries: a snapshot or the end waits for the output before it.
        Some(if self.requests.want_snapshot() || self.exit.is_some() {
            now
        } else {
            due
        })
    }

    fn live_frame(&mut self, now: Instant) -> Frame {
        self.coalescer.sent(now);
        let pending = self.sent..self.log.end();
        let frame = output_frame(self.id, &mut self.log, pending);
        self.sent = frame.end();
        frame
    }

    /// Whether there is a request that can be answered now.
    fn can_answer(&self) -> bool {
        if self.requests.want_snapshot() {
            self.pending() == 0 && self.screen.is_current(&self.log)
        } else {
            !self.requests.is_empty()
        }
    }

    /// Whether what is shown is wanted, and known without any work.
    fn can_show(&self) -> bool {
        self.screen_wanted && self.pending() == 0 && self.requests.is_empty() && self.screen.is_current(&self.log)
    }

    /// What is shown, unless it is too much, or a sequence is not over; then the relay asks again some time.
    fn show(&mut self) -> Option<FromAgent> {
        self.screen_wanted = false;
        let Snapshot { bytes, size } = self.screen.shown()?;
        let screen = String::from_utf8_lossy(&bytes).into_owned();
        let is_short = serde_json::to_string(&screen).is_ok_and(|json| json.len() <= MAX_SCREEN);
        is_short.then(|| FromAgent::Screen {
            stream: self.id,
            offset: self.log.end(),
            size,
            screen,
        })
    }

    fn tells_exit(&self) -> bool {
        self.exit.is_some() && !self.exit_told && self.pending() == 0 && self.requests.is_empty()
    }

    /// Live output that has not been handed to the link.
    fn pending(&self) -> usize {
        if self.linked {
            usize::try_from(self.log.end() - self.sent).unwrap_or(usize::MAX)
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests;
