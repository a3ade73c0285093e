//! The life of a shell, as the agent tells it.
use std::collections::BTreeMap;

use protocol::ids::StreamId;
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::{Report, ToAgent};

use super::RelayState;
use super::record::Phase;
use super::session::Stage;

impl RelayState {
    /// Brings what the relay knows of the shells in line with the agent's, which is the truth.
    pub(super) fn reconcile(&mut self, now: u64, streams: Vec<Report>, commands: Vec<StreamId>) {
        let mut reports: BTreeMap<StreamId, Report> =
            streams.into_iter().map(|report| (report.stream, report)).collect();
        for stream in self.sessions.keys().copied().collect::<Vec<_>>() {
            match reports.remove(&stream) {
                Some(report) => self.reconcile_reported(now, report),
                None => self.reconcile_absent(now, stream),
            }
        }
        // Shells whose session was ended while the agent was away.
        for stream in reports.into_keys() {
            self.tell_agent(&ToAgent::Close { stream });
            self.tell_agent(&ToAgent::Forget { stream });
        }
        self.reconcile_commands(commands);
    }

    fn reconcile_reported(&mut self, now: u64, report: Report) {
        let stream = report.stream;
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        session.end = Some(report.end);
        session.log_start = report.start;
        session.record.size = report.size;
        session.granted = None;
        session.snapshot = None;
        session.snapshot_asked = false;
        if session.record.phase == Phase::Opening {
            session.record.phase = Phase::Running;
            self.save_session(stream);
        }
        for input in self.readers_of(stream) {
            if let Some(reader) = self.readers.get_mut(&input) {
                reader.applied = None;
            }
            self.tell_agent(&ToAgent::OpenInput { stream, input });
        }
        for socket in self.attached_to(stream) {
            if let Some(viewer) = self.viewers.get_mut(&socket) {
                viewer.fetching = None;
                if let Stage::Snapshot { begun, .. } = &mut viewer.stage {
                    *begun = None;
                }
            }
        }
        if let Some(status) = report.exit {
            self.exited(now, stream, report.end, status);
        }
        self.pace(stream);
        self.ask_snapshot_if_awaited(stream);
        for socket in self.attached_to(stream) {
            self.try_attach(now, socket);
            self.pump(now, socket);
        }
    }

    fn reconcile_absent(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        match session.record.phase {
            Phase::Opening => self.open(stream),
            Phase::Running => self.lose(now, stream),
            // The log of an ended shell is gone too: whoever has not read all of it never will.
            Phase::Ended { .. } => self.lose(now, stream),
            Phase::Lost => {}
        }
    }

    /// Asks the agent for the session's shell.
    pub(super) fn open(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(&stream) else {
            return;
        };
        let record = &session.record;
        let open = ToAgent::Open {
            stream,
            session_id: record.session_id.clone(),
            size: record.size,
            allow_sudo: record.allow_sudo,
            username: record.username.clone(),
        };
        self.tell_agent(&open);
        for input in self.readers_of(stream) {
            self.tell_agent(&ToAgent::OpenInput { stream, input });
        }
    }

    pub(super) fn opened(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            // Ended before it began.
            return self.tell_agent(&ToAgent::Close { stream });
        };
        if session.record.phase != Phase::Opening {
            return;
        }
        session.record.phase = Phase::Running;
        // This comes before the first output.
        session.end.get_or_insert(0);
        self.save_session(stream);
        for socket in self.attached_to(stream) {
            self.try_attach(now, socket);
        }
        self.pace(stream);
    }

    pub(super) fn exited(&mut self, now: u64, stream: StreamId, end: u64, status: ExitStatus) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        if !matches!(session.record.phase, Phase::Opening | Phase::Running) {
            return;
        }
        session.end = Some(end);
        session.record.phase = Phase::Ended { end, status };
        let session_id = session.record.session_id.clone();
        self.save_session(stream);
        self.out.session_closed(now, session_id, "exited");
        for socket in self.attached_to(stream) {
            self.try_attach(now, socket);
            self.pump(now, socket);
        }
        self.forget_if_read(stream);
    }

    /// The shell died with its agent. Those who are here are told now; those who were cut are told when they return.
    fn lose(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        let notify = session.running();
        session.record.phase = Phase::Lost;
        let session_id = session.record.session_id.clone();
        for socket in self.attached_to(stream) {
            self.tell_lost(now, socket);
        }
        if notify {
            self.out.session_closed(now, session_id, "agent_restarted");
        }
        self.save_session(stream);
        self.forget_if_read(stream);
    }
}
