//! The three nouns of the relay: a session, a viewer's socket, and a reader, which is a viewer's position in a session and
//! outlives its socket.
use protocol::ids::{StreamId, ViewerId};
use protocol::relay_contract::{Dialect, ViewerContext};

use super::action::Socket;
use super::published::Published;
use super::record::{Awaits, Phase, Position, ReaderRecord, SessionRecord, ViewerMemory};
use super::tail::Tail;

/// One shell.
#[derive(Debug)]
pub struct Session {
    /// What outlives memory.
    pub record: SessionRecord,
    /// The offset after the last byte the agent has, as far as known. Nothing after a loss of memory, until the agent says.
    pub end: Option<u64>,
    /// The first offset of the agent's log, when it last said.
    pub log_start: u64,
    /// The newest output.
    pub tail: Tail,
    /// The credit last given to the agent on this link.
    pub granted: Option<Credit>,
    /// The offset of the snapshot that is arriving.
    pub snapshot: Option<u64>,
    /// Whether a snapshot was asked for that has not begun to arrive.
    pub snapshot_asked: bool,
}

/// How far the agent may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// What every required reader has acknowledged.
    pub acked: u64,
    /// How far past that the stream may grow; nothing is no limit.
    pub window: Option<u64>,
}

impl Credit {
    /// The offset the stream may grow to.
    pub fn limit(&self) -> u64 {
        self.window.map_or(u64::MAX, |window| self.acked.saturating_add(window))
    }
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
            snapshot_asked: false,
        }
    }

    /// Whether the shell runs.
    pub fn running(&self) -> bool {
        self.record.phase == Phase::Running
    }
}

/// A viewer's position in a session.
#[derive(Debug)]
pub struct Reader {
    /// What outlives memory.
    pub record: ReaderRecord,
    /// Its socket, while it has one.
    pub socket: Option<Socket>,
    /// Input before this has reached the terminal. Nothing while the agent has not said since its link was made.
    pub applied: Option<u64>,
}

impl Reader {
    /// A reader from storage, whose socket is not known.
    pub fn restored(record: ReaderRecord) -> Self {
        Self {
            record,
            socket: None,
            applied: None,
        }
    }
}

/// What a viewer's socket waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its hello.
    Greeting,
    /// The shell. It wants output from `received`, or is a newcomer.
    Waiting {
        /// Up to where it has the output.
        received: Option<u64>,
    },
    /// A screen snapshot.
    Snapshot {
        /// The first byte it will not get, if it was reading already.
        gap_from: Option<u64>,
        /// The snapshot that is on its way to it.
        begun: Option<u64>,
    },
    /// Nothing: output goes to it.
    Live,
}

/// A viewer's socket.
#[derive(Debug)]
pub struct Viewer {
    /// Who it is and what it may.
    pub context: ViewerContext,
    /// When it connected.
    pub since: u64,
    /// The session it attaches to, once it said hello.
    pub stream: Option<StreamId>,
    /// Its reader's input stream.
    pub input: Option<StreamId>,
    /// What it waits for.
    pub stage: Stage,
    /// The next output offset to send.
    pub next: u64,
    /// What it has consumed.
    pub acked: u64,
    /// A part of the log is on its way from the agent, up to here.
    pub fetching: Option<u64>,
    /// Whether it was told how the shell ended.
    pub told_exit: bool,
    /// The relay's half of a client that does not speak our protocol.
    pub published: Option<Published>,
}

impl Viewer {
    /// A socket that was just accepted.
    pub fn new(context: ViewerContext, now: u64) -> Self {
        let published = (context.dialect != Dialect::Stream).then(|| Published::new(0, now));
        Self {
            context,
            since: now,
            stream: None,
            input: None,
            stage: Stage::Greeting,
            next: 0,
            acked: 0,
            fetching: None,
            told_exit: false,
            published,
        }
    }

    /// Whether it is a published client for whom time has to pass, or whose position is not remembered as it is.
    pub fn wants_tick(&self) -> bool {
        let unlike = |published: &Published| self.acked < self.next || published.remembered != self.acked;
        self.stage == Stage::Live && self.published.as_ref().is_some_and(unlike)
    }

    /// What to keep of it over a loss of memory.
    pub fn memory(&self) -> ViewerMemory {
        let awaits = match self.stage {
            Stage::Greeting => Awaits::Shell { received: None },
            Stage::Waiting { received } => Awaits::Shell { received },
            Stage::Snapshot { gap_from, .. } => Awaits::Snapshot { gap_from },
            Stage::Live => Awaits::Nothing { acked: self.acked },
        };
        ViewerMemory {
            context: self.context.clone(),
            since: self.since,
            input: self.input,
            awaits,
            typed: self.published.as_ref().map_or(0, |published| published.input.acked()),
        }
    }
}

/// A new reader of a session.
pub fn new_reader(input: StreamId, stream: StreamId, viewer: ViewerId, can_type: bool, socket: Socket) -> Reader {
    Reader {
        record: ReaderRecord {
            input,
            stream,
            viewer,
            can_type,
            position: Position::Connected,
        },
        socket: Some(socket),
        applied: Some(0),
    }
}
