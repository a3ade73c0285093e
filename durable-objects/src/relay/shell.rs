//! The life of a shell, as the agent tells it.
use std::collections::BTreeMap;

use protocol::ids::StreamId;
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::{Report, ToAgent};
use protocol::terminal::limits::IDLE_TIMEOUT;
use protocol::terminal::ssh::CONNECTION_LOST;

use super::RelayState;
use super::record::Phase;
use super::session::Session;
use super::viewer::Viewer;

impl RelayState {
    /// Brings what the relay knows of the shells in line with the agent's, which is the truth.
    pub(super) fn reconcile(&mut self, now: u64, streams: Vec<Report>, commands: Vec<StreamId>) {
        let mut reports: BTreeMap<StreamId, Report> =
            streams.into_iter().map(|report| (report.stream, report)).collect();
        for stream in self.sessions.streams() {
            match reports.remove(&stream) {
                Some(report) => self.reconcile_reported(now, report),
                None => self.reconcile_absent(now, stream),
            }
        }
        self.reconcile_absent_recorders(now, |stream| reports.contains_key(&stream));
        // Shells whose session was ended while the agent was away.
        for (stream, report) in reports {
            if !self.reconcile_recorder(now, &report) {
                self.tell_agent(&ToAgent::Close { stream });
                self.tell_agent(&ToAgent::Forget { stream });
            }
        }
        self.reconcile_commands(&commands);
    }

    fn reconcile_reported(&mut self, now: u64, report: Report) {
        let stream = report.stream;
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        let unsaid = session.ssh().is_some() && session.connected().is_none();
        session.reported(&report, &mut self.out);
        if unsaid {
            // It was told on a link that is gone. Asking for what is there has it said again.
            let open = session.open_message();
            self.tell_agent(&open);
        }
        self.record_report(now, &report);
        for input in self.sessions.inputs(stream) {
            if let Some(reader) = self.sessions.reader_mut(input) {
                reader.link_lost();
            }
            self.tell_agent(&ToAgent::OpenInput { stream, input });
        }
        self.viewers.of_mut(stream).for_each(Viewer::ask_again);
        if let Some(status) = report.exit {
            self.exited(now, stream, report.end, status);
        }
        self.settle_size(now, stream);
        self.pace(stream);
        self.ask_snapshot_if_awaited(stream);
        for socket in self.viewers.attached_to(stream) {
            self.try_attach(now, socket);
            self.pump(now, socket);
        }
    }

    fn reconcile_absent(&mut self, now: u64, stream: StreamId) {
        match self.sessions.get(stream).map(Session::phase) {
            Some(Phase::Opening) => self.open(now, stream),
            // The log of an ended shell is gone too: whoever has not read all of it never will.
            Some(Phase::Running | Phase::Ended { .. }) => self.lose(now, stream),
            Some(Phase::Lost) | None => {}
        }
    }

    /// Asks the agent for the session's shell.
    pub(super) fn open(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get(stream) else {
            return;
        };
        if session.ssh().is_some() && self.agent.is_online() && !self.agent.opens_ssh() {
            return self.cannot_open_ssh(now, stream);
        }
        let open = session.open_message();
        self.tell_agent(&open);
        for input in self.sessions.inputs(stream) {
            self.tell_agent(&ToAgent::OpenInput { stream, input });
        }
    }

    pub(super) fn opened(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get_mut(stream) else {
            // Ended before it began.
            return self.tell_agent(&ToAgent::Close { stream });
        };
        if !session.opened(&mut self.out) {
            return;
        }
        self.recording_runs(stream);
        for socket in self.viewers.attached_to(stream) {
            self.try_attach(now, socket);
        }
        self.pace(stream);
    }

    pub(super) fn exited(&mut self, now: u64, stream: StreamId, end: u64, status: ExitStatus) {
        self.record_exit(now, stream, end, &status);
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        // Words of the agent's own do not become a reason that is kept.
        let reason = match () {
            () if status.is_idle() => IDLE_TIMEOUT,
            () if status.is_lost() => CONNECTION_LOST,
            () => "exited",
        };
        if !session.exited(end, status, &mut self.out) {
            return;
        }
        let (session_id, opening) = (session.id().clone(), session.opening());
        self.out.session_closed(now, session_id, opening, reason);
        for socket in self.viewers.attached_to(stream) {
            self.try_attach(now, socket);
            self.pump(now, socket);
        }
        self.forget_if_read(now, stream);
    }

    /// The shell died with its agent. Those who are here are told now; those who were cut are told when they return.
    fn lose(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get(stream) else {
            return;
        };
        let (ran, session_id, opening) = (session.is_running(), session.id().clone(), session.opening());
        self.record_loss(now, stream);
        if let Some(session) = self.sessions.get_mut(stream) {
            session.lost(&mut self.out);
        }
        for socket in self.viewers.attached_to(stream) {
            self.tell_lost(now, socket);
        }
        if ran {
            self.out.session_closed(now, session_id, opening, "agent_restarted");
        }
        self.forget_if_read(now, stream);
    }
}
