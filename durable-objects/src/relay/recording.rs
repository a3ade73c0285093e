//! Recording: what a session's recorder is given, and what becomes of its stream when the session ends before all is stored.
use protocol::ids::StreamId;
use protocol::relay_contract::ViewerContext;
use protocol::terminal::agent::{Report, ToAgent};
use protocol::terminal::frame::Frame;
use protocol::terminal::{ExitStatus, Size};

use super::RelayState;
use super::credit::CREDIT_STEP;
use super::delivery::FETCH_BYTES;
use super::record::RecorderRecord;
use super::recorder::Recorder;
use super::session::Session;

const WAITS_FOR_RECORDING: &str =
    "The program waits: its recording cannot be stored fast enough. Nothing is lost; it goes on by itself";

impl RelayState {
    /// A session begins that is to be recorded, if the Worker says so.
    pub(super) fn start_recording(&mut self, now: u64, stream: StreamId, context: &ViewerContext) {
        let Some(recording) = context.recording.clone() else {
            return;
        };
        let record = RecorderRecord {
            stream,
            recording,
            session_id: context.session.clone(),
            user: context.user.clone(),
            username: context.username.clone(),
            started: now,
            stored: 0,
            last: 0,
            size: context.size,
            bytes: 0,
            announced: false,
        };
        self.recorders.start(record, &mut self.out);
    }

    /// The shell is there.
    pub(super) fn recording_runs(&mut self, stream: StreamId) {
        if let Some(recorder) = self.recorders.get_mut(stream) {
            recorder.runs(&mut self.out);
        }
    }

    /// Output arrived: live, or a part of the log that somebody asked for.
    pub(super) fn record_output(&mut self, now: u64, frame: &Frame) {
        let room = self.recorders.have_room();
        if let Some(recorder) = self.recorders.get_mut(frame.stream) {
            recorder.output(now, frame, room);
            self.pump_recorder(now, frame.stream);
            self.ask_screen(frame.stream);
        }
    }

    fn ask_screen(&mut self, stream: StreamId) {
        let recorder = self.recorders.get_mut(stream);
        if self.agent.is_online() && recorder.is_some_and(Recorder::wants_screen) {
            self.tell_agent(&ToAgent::Screen { stream });
        }
    }

    /// The agent says what a terminal shows after the output before `offset`.
    pub(super) fn record_screen(&mut self, now: u64, stream: StreamId, offset: u64, size: Size, screen: &str) {
        if let Some(recorder) = self.recorders.get_mut(stream) {
            recorder.screen(offset, size, screen);
            self.pump_recorder(now, stream);
        }
    }

    /// The terminal has the size that its session has.
    pub(super) fn record_size(&mut self, now: u64, stream: StreamId) {
        if let Some(session) = self.sessions.get(stream)
            && let Some(recorder) = self.recorders.get_mut(stream)
        {
            recorder.resized(now, session.size());
        }
    }

    /// The agent has said what there is of a stream.
    pub(super) fn record_report(&mut self, now: u64, report: &Report) {
        let Some(recorder) = self.recorders.get_mut(report.stream) else {
            return;
        };
        recorder.link_lost();
        recorder.reaches(report.end);
        recorder.resized(now, report.size);
        recorder.runs(&mut self.out);
        if let Some(status) = &report.exit {
            recorder.exited(now, report.end, status.clone());
        }
        self.pump_recorder(now, report.stream);
    }

    /// The shell ended.
    pub(super) fn record_exit(&mut self, now: u64, stream: StreamId, end: u64, status: &ExitStatus) {
        if let Some(recorder) = self.recorders.get_mut(stream) {
            recorder.exited(now, end, status.clone());
            self.pump_recorder(now, stream);
        }
    }

    /// What the recorder asked for is no longer in the agent's log.
    pub(super) fn record_missing(&mut self, now: u64, stream: StreamId, from: u64, start: u64) {
        if let Some(recorder) = self.recorders.get_mut(stream) {
            recorder.missing(now, from, start);
            self.pump_recorder(now, stream);
        }
    }

    /// The shell died with its agent.
    pub(super) fn record_loss(&mut self, now: u64, stream: StreamId) {
        let ended = self
            .sessions
            .get(stream)
            .and_then(|session| Some((session.end()?, session.exit_status()?.clone())));
        if let Some(recorder) = self.recorders.get_mut(stream) {
            // Perhaps it had all of it.
            if let Some((end, status)) = ended {
                recorder.exited(now, end, status);
            }
            recorder.lost(now);
            self.pump_recorder(now, stream);
        }
    }

    /// The bucket has a part of a recording, or refused it.
    pub fn stored(&mut self, now: u64, stream: StreamId, start: u64, stored: bool) {
        if let Some(recorder) = self.recorders.get_mut(stream) {
            recorder.stored(now, start, stored, &mut self.out);
            self.pace(stream);
            // What another had no room for may have some now.
            self.pump_recorders(now);
        }
    }

    /// When [`Self::record`] is to be called, as long as the object is in memory; what it is about is lost with that, and read again.
    pub fn recording_due(&self) -> Option<u64> {
        self.recorders.due()
    }

    /// Time has passed for what is recorded.
    pub fn record(&mut self, now: u64) {
        self.pump_recorders(now);
    }

    fn pump_recorders(&mut self, now: u64) {
        for stream in self.recorders.streams() {
            self.pump_recorder(now, stream);
            // It may have taken in what it had left aside, which the relay had in memory.
            self.ask_screen(stream);
        }
    }

    /// Gives a recorder everything there is for it and it has room for, or sets out to get it.
    fn pump_recorder(&mut self, now: u64, stream: StreamId) {
        loop {
            let room = self.recorders.have_room();
            let Some(recorder) = self.recorders.get_mut(stream) else {
                return;
            };
            recorder.settle(now, &mut self.out);
            if recorder.is_over() {
                return self.recorded(stream);
            }
            if !room || !recorder.wants() {
                return;
            }
            let session = self.sessions.get(stream);
            if let Some(frame) = session.and_then(|session| session.cached(recorder.next())) {
                recorder.output(now, &frame, true);
                continue;
            }
            if self.agent.is_online()
                && let Some((from, to)) = recorder.fetch(FETCH_BYTES)
            {
                self.tell_agent(&ToAgent::Read { stream, from, to });
            }
            return;
        }
    }

    /// All of a session is stored.
    fn recorded(&mut self, stream: StreamId) {
        if let Some(recorder) = self.recorders.get(stream) {
            recorder.tell_end(&mut self.out);
        }
        self.recorders.forget(stream, &mut self.out);
        if self.sessions.get(stream).is_none() {
            self.tell_agent(&ToAgent::Forget { stream });
        }
        self.pace(stream);
    }

    /// A session is forgotten. So is its stream, unless something of it has not been stored: then the recorder does that.
    pub(super) fn forget_stream(&mut self, stream: StreamId) {
        if self.recorders.get(stream).is_none() {
            self.tell_agent(&ToAgent::Forget { stream });
        }
    }

    /// A shell that never was leaves no recording.
    pub(super) fn forget_unopened(&mut self, stream: StreamId) {
        if self.sessions.get(stream).is_some_and(Session::is_opening) {
            self.recorders.forget(stream, &mut self.out);
        }
    }

    /// Brings recorders whose sessions are over in line with what the agent has. Answers whether the report is of one.
    pub(super) fn reconcile_recorder(&mut self, now: u64, report: &Report) -> bool {
        if self.recorders.get(report.stream).is_none() {
            return false;
        }
        if report.exit.is_none() {
            self.tell_agent(&ToAgent::Close { stream: report.stream });
        }
        self.record_report(now, report);
        true
    }

    /// Recorders whose streams the agent has no more.
    pub(super) fn reconcile_absent_recorders(&mut self, now: u64, reported: impl Fn(StreamId) -> bool) {
        for stream in self.recorders.streams() {
            if self.sessions.get(stream).is_none() && !reported(stream) {
                self.record_loss(now, stream);
            }
        }
    }

    /// Tells those at a terminal when its program waits for the recording, once each time.
    pub(super) fn tell_if_recording_holds(&mut self, stream: StreamId) {
        let holds = self
            .recorders
            .get(stream)
            .is_some_and(|recorder| recorder.holds_back(CREDIT_STEP));
        let news = self
            .sessions
            .get_mut(stream)
            .is_some_and(|session| session.waits_for_recording(holds));
        if holds && news {
            for socket in self.viewers.attached_to(stream) {
                self.say_error(socket, "recording_behind", WAITS_FOR_RECORDING);
            }
        }
    }

    /// The machine is gone for good.
    pub(super) fn abandon_recordings(&mut self, now: u64) {
        for recorder in self.recorders.iter_mut() {
            recorder.abandon(now, &mut self.out);
        }
        self.recorders = super::recorders::Recorders::default();
    }

    pub(super) fn recorders_lose_link(&mut self) {
        self.recorders.iter_mut().for_each(Recorder::link_lost);
    }
}
