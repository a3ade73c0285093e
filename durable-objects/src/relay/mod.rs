//! The relay as a state machine, [`RelayState`]: events go in, [`Action`]s come out. No clock, no sockets, no storage; the
//! rules of `docs/streams.md` are all here and run under plain `cargo test`.
//!
//! What it knows has owners with private fields; whoever changes something asks its owner, in words that say what happened:
//!
//! - [`sessions::Sessions`]: the sessions (`session.rs`, with the end of the output in `tail.rs`), and in each the positions
//!   of its readers (`reader.rs`)
//! - [`viewers::Viewers`]: the sockets of viewers (`viewer.rs`; `published.rs` is the relay's half of a published client)
//! - [`commands::Commands`]: the commands that were not answered yet
//! - [`agent_link::AgentLink`]: the link to the agent, [`machine::Machine`]: which machine it is
//! - [`outbox::Outbox`]: the actions; what changes a record (`record.rs`) saves it there
//!
//! The rules are about one subject each:
//!
//! - `from_agent.rs`, `from_viewer.rs`: what either says, `shell.rs`: what becomes of a shell
//! - `attach.rs`: how a viewer comes to a session, `ending.rs`: how sessions end and sockets part
//! - `delivery.rs`: which bytes go to whom, `snapshot.rs`: what is sent when the bytes are too many or gone
//! - `pace.rs`: how far the agent may write (`credit.rs`)
//! - `recording.rs`: what becomes of a session's recording (`recorders.rs`, `recorder/`)
//! - `command.rs`: commands without a terminal, `queued.rs`: those that were sent through the API, `command_output.rs`: what those
//!   who look on are told of either, `commands_run.rs`: records of those that were typed
//! - `logins.rs`: who logs in past the edge
//! - `services.rs`: which services a runner tells of, `asks.rs`: what it is asked to do with their files, `jobs.rs`: what it says of the
//!   jobs that it runs
//! - `measured.rs`: how the machine does, and how often that is asked
//! - `rights.rs`: who may be here, asked again; `arrival.rs`: which agent may be the machine's
//! - `strangers.rs`: sockets that have not said whose they are
//! - `describe.rs`: what sessions do at this moment, for those who ask
//! - `presence.rs`: who is told who is at a terminal
//! - `size.rs`: whose window sets a terminal's size
//! - `expiry.rs`: what ends by time
mod action;
mod agent_link;
mod approval;
mod arrival;
mod asks;
mod attach;
mod command;
mod command_output;
mod commands;
mod commands_run;
mod credit;
mod delivery;
mod describe;
mod ending;
mod expiry;
mod from_agent;
mod from_viewer;
mod jobs;
mod logins;
mod machine;
mod measured;
mod outbox;
mod pace;
mod presence;
mod published;
mod queued;
mod reader;
mod record;
mod recorder;
mod recorders;
mod recording;
mod rights;
mod services;
mod session;
mod sessions;
mod shell;
mod size;
mod snapshot;
mod ssh;
mod strangers;
mod tail;
#[cfg(test)]
mod tests;
mod turns;
mod viewer;
mod viewers;

use bytes::Bytes;
use protocol::api::health::Thresholds;
use protocol::ids::{ObjectId, SessionId, StreamId};
use protocol::limits::{MAX_AGENT_TEXT, MAX_PAYLOAD};
use protocol::relay_contract::{Dialect, Interest, Status};
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::frame::{Frame, FrameError, MAX_FRAME};
use protocol::terminal::sessions_v1::Refusal;

pub use action::{Action, Chunk, Facts, Figures, Notice, Outcome, Socket};
pub use arrival::{Arrival, Asked};
pub use command_output::output_frame;
pub use jobs::JobNews;
pub use record::{Key, Memory, Record};
pub use rights::{Claim, Claimant, CommandClaim, Question, Tie, UNKNOWN_AFTER, Verdict};
pub use services::Catalog;
pub use ssh::HostTrusted;
pub use strangers::Proof;
pub use tail::TAIL_BYTES;

use agent_link::AgentLink;
use asks::Asks;
use commands::Commands;
use describe::Describing;
use machine::Machine;
use outbox::Outbox;
use record::{CommandRecord, Label};
use recorders::Recorders;
use services::Runner;
use sessions::Sessions;
use strangers::Strangers;
use turns::Turns;
use viewer::Viewer;
use viewers::Viewers;

/// The times an operator can set, in milliseconds unless named otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Seconds between figures while somebody reads them.
    pub heartbeat_seconds: u32,
    /// An agent silent for longer is gone.
    pub offline_after: u64,
    /// How long a session stays after the last of our own viewers left.
    pub stream_keep: u64,
    /// How long it stays after the last published client left.
    pub published_keep: u64,
    /// How long a viewer waits for an absent agent before its socket is closed.
    pub agent_grace: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat_seconds: 30,
            offline_after: 120_000,
            stream_keep: 24 * 3600 * 1000,
            published_keep: 300_000,
            agent_grace: 60_000,
        }
    }
}

/// One machine's relay.
#[derive(Debug)]
pub struct RelayState {
    settings: Settings,
    machine: Machine,
    agent: AgentLink,
    sessions: Sessions,
    commands: Commands,
    viewers: Viewers,
    turns: Turns,
    strangers: Strangers,
    describing: Describing,
    recorders: Recorders,
    /// How often a right was withdrawn since the relay woke.
    epoch: u64,
    /// When the agent told of logins the last two times.
    logins_at: [Option<u64>; 2],
    runner: Runner,
    asks: Asks,
    out: Outbox,
}

impl RelayState {
    /// Builds the relay from what outlived the object's memory: its records, and the sockets that are still open.
    pub fn restore(
        settings: Settings,
        records: impl IntoIterator<Item = Record>,
        sockets: impl IntoIterator<Item = (Socket, Memory)>,
        now: u64,
    ) -> Self {
        let mut relay = Self {
            settings,
            machine: Machine::default(),
            agent: AgentLink::absent(now),
            sessions: Sessions::default(),
            commands: Commands::default(),
            viewers: Viewers::default(),
            turns: Turns::default(),
            strangers: Strangers::default(),
            describing: Describing::default(),
            recorders: Recorders::default(),
            epoch: 0,
            logins_at: [None, None],
            runner: Runner::default(),
            asks: Asks::default(),
            out: Outbox::default(),
        };
        for record in records {
            match record {
                Record::Machine(machine) => relay.machine = Machine::restored(machine),
                Record::Session(session) => relay.sessions.restore(session),
                Record::Reader(reader) => relay.sessions.restore_reader(reader),
                Record::Recorder(recorder) => relay.recorders.restore(recorder),
                Record::Command(command) => relay.commands.restore(command),
            }
        }
        for (socket, memory) in sockets {
            match memory {
                Memory::Agent(memory) => relay.agent.restore(now, socket, memory),
                Memory::Stranger(memory) => relay.strangers.restore(socket, memory),
                Memory::Viewer(memory) => {
                    let input = memory.input;
                    let streams = input.and_then(|input| relay.sessions.resume_reader(input, socket));
                    relay.viewers.add(socket, Viewer::restored(memory, streams, now));
                }
            }
        }
        relay.settle_restored(now);
        relay
    }

    /// Viewers whose sockets died unheard were cut, and the agent is asked what it has. One whose link died unheard is offline.
    fn settle_restored(&mut self, now: u64) {
        if self.agent.socket().is_none() && self.machine.went_offline(&mut self.out) {
            self.out.notify(Notice::AgentOffline { at: now });
        }
        for stream in self.sessions.streams() {
            self.take_over_commands(now, stream);
            self.resume_size(stream);
            if self.viewers.of(stream).all(Viewer::is_guest)
                && let Some(session) = self.sessions.get_mut(stream)
            {
                session.found_empty(now);
            }
        }
        if self.sessions.count() > 0 || !self.recorders.is_empty() || !self.commands.is_empty() {
            self.tell_agent(&ToAgent::Report);
        }
        self.start_commands(now);
    }

    /// Makes records of the commands that a version before this one kept with their session.
    fn take_over_commands(&mut self, now: u64, session: StreamId) {
        let Some(of) = self.sessions.get_mut(session) else {
            return;
        };
        for stream in of.take_commands(&mut self.out) {
            if let Some(command_id) = self.command_id(stream) {
                let record = CommandRecord::asked_for_in(session, stream, command_id, Label::default(), None, now);
                self.commands.add(record, &mut self.out);
            }
        }
    }

    /// What was decided since the last call, in order.
    pub fn take_actions(&mut self) -> Vec<Action> {
        self.out.take()
    }

    /// A text frame arrived.
    pub fn text(&mut self, now: u64, socket: Socket, text: &str) {
        if self.agent.owns(socket) {
            if text.len() > MAX_AGENT_TEXT {
                return self.drop_agent(now, Close::FrameTooLarge);
            }
            return self.agent_text(now, text);
        }
        if self.strangers.has(socket) {
            return self.stranger_text(socket, text);
        }
        if text.len() > MAX_PAYLOAD {
            return self.drop_viewer(now, socket, Close::FrameTooLarge);
        }
        self.viewer_text(now, socket, text);
    }

    /// A binary frame arrived.
    pub fn binary(&mut self, now: u64, socket: Socket, bytes: Bytes) {
        if self.strangers.has(socket) {
            return self.send_away(socket, Refusal::Unauthorized);
        }
        let agent = self.agent.owns(socket);
        if self.speaks(socket, Dialect::SessionsV1) {
            return self.refuse(now, socket, "VALIDATION_ERROR", "frames are JSON texts");
        }
        if self.speaks(socket, Dialect::Ssh) {
            return;
        }
        if !agent && self.speaks_published(socket) {
            if bytes.len() > MAX_PAYLOAD {
                return self.drop_viewer(now, socket, Close::FrameTooLarge);
            }
            return self.type_for(now, socket, &bytes);
        }
        match Frame::decode(bytes) {
            Ok(frame) if agent => self.agent_frame(now, frame),
            Ok(frame) => self.viewer_frame(now, socket, frame),
            // A broken agent is cut off: it will connect anew and say what it has.
            Err(_) if agent => self.drop_agent(now, Close::ProtocolError),
            Err(FrameError::TooLarge) => self.drop_viewer(now, socket, Close::FrameTooLarge),
            Err(error) => self.refuse(
                now,
                socket,
                "bad_frame",
                &format!("{error} (frames are at most {MAX_FRAME} bytes)"),
            ),
        }
    }

    /// A socket closed, with the code its other side gave, or 1006 if it vanished.
    pub fn closed(&mut self, now: u64, socket: Socket, code: u16) {
        if self.agent.owns(socket) {
            self.agent_gone(now);
        } else if !self.strangers.remove(socket) {
            self.viewer_gone(now, socket, protocol::terminal::close::left_on_purpose(code));
        }
    }

    /// Ends a session by order of somebody who may, and lets nobody in who is on the way to it. Answers whether there was one.
    pub fn close_session(&mut self, now: u64, session_id: &SessionId) -> bool {
        self.epoch += 1;
        let close = Close::SessionTerminated;
        let on_the_way = |viewer: &Viewer| viewer.streams().is_none() && viewer.context().session == *session_id;
        for socket in self.viewers.sockets_where(on_the_way) {
            self.dismiss(now, socket, close, close.reason());
        }
        let Some(stream) = self.sessions.find(session_id) else {
            return false;
        };
        self.end_session(now, stream, close, close.reason(), "terminated");
        true
    }

    /// The machine is gone for good: ends everything and forgets it.
    pub fn destroy(&mut self, now: u64) {
        let (close, text) = (Close::SessionTerminated, "The machine was deleted");
        for stream in self.sessions.streams() {
            self.end_session(now, stream, close, text, "machine_deleted");
        }
        for socket in self.viewers.sockets() {
            self.dismiss(now, socket, close, text);
        }
        for socket in self.strangers.sockets() {
            self.send_away(socket, Refusal::NotFound);
        }
        self.abandon_recordings(now);
        self.drop_agent(now, Close::AccessRevoked);
        self.commands.forget_all();
        self.machine.forget();
        self.out.erase_all();
    }

    /// What to attach to a socket so that [`Self::restore`] can go on from it.
    pub fn memory_of(&self, socket: Socket) -> Option<Memory> {
        if let Some(memory) = self.agent.memory_of(socket) {
            return Some(Memory::Agent(memory));
        }
        if let Some(memory) = self.strangers.memory_of(socket) {
            return Some(Memory::Stranger(memory));
        }
        self.viewers.get(socket).map(|viewer| Memory::Viewer(viewer.memory()))
    }

    /// What the Worker may ask for. Who wants to know is told of figures that are measured from now on. `agent_seen` is the last
    /// keep-alive that the platform answered for us, if it knows one: an agent that is silent since is gone.
    pub fn status(&mut self, now: u64, agent_seen: Option<u64>, interest: Option<Interest>) -> Status {
        self.look(now, agent_seen);
        if let Some(interest) = interest {
            self.agent
                .watch(now, interest, self.settings.heartbeat_seconds, &mut self.out);
        }
        self.agent.status()
    }

    /// The directory did not hear how the machine does.
    pub fn untold(&mut self) {
        self.agent.untold(&mut self.out);
    }

    /// What the machine's figures are judged by has changed.
    pub fn judge_by(&mut self, thresholds: Thresholds) {
        self.agent.judge_by(thresholds, &mut self.out);
    }

    /// Somebody wants the machine's key replaced. Answers whether the agent is there to be told.
    pub fn rotate_key(&mut self, challenge: String) -> bool {
        self.agent.rotate_key(challenge, &mut self.out)
    }

    /// The agent's socket, if its link stands and it has said hello.
    pub fn agent_socket(&self) -> Option<Socket> {
        self.agent.socket()
    }

    /// Which machine this object relays for, once somebody connected.
    pub fn machine(&self) -> Option<&ObjectId> {
        self.machine.id()
    }

    fn tell_agent(&mut self, message: &ToAgent) {
        self.agent.tell(message, &mut self.out);
    }
}
