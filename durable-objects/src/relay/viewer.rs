//! A viewer's socket: who it is, what it waits for, and how far it has come with the output.
mod output;

use protocol::ids::{StreamId, ViewerId};
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::terminal::Size;

use super::published::Published;
use super::record::{Awaits, Position, ViewerMemory};

/// One socket.
#[derive(Debug)]
pub struct Viewer {
    /// Who it is and what it may.
    context: ViewerContext,
    /// When it connected.
    since: u64,
    /// Its session's output stream and its own input stream, once it said hello.
    streams: Option<(StreamId, StreamId)>,
    stage: Stage,
    /// The next output offset to send.
    next: u64,
    /// What it has consumed.
    acked: u64,
    /// What it had consumed when that was last remembered.
    remembered: u64,
    /// A part of the log is on its way from the agent, up to here.
    fetching: Option<u64>,
    /// Whether it was told how the shell ended.
    told_exit: bool,
    /// The relay's half of a client that does not speak our protocol.
    published: Option<Published>,
    /// When it last became the one who types, in milliseconds since the Unix epoch; 0 if it never did.
    typed_at: u64,
    /// Whether it wants to know of commands that run on the machine.
    commands: bool,
    /// Whether it wants to know who is at the terminal.
    presence: bool,
    /// Frames in a row that were refused.
    refused: u32,
}

/// What a socket waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Its hello.
    Greeting,
    /// To be let in: it has said which viewer it is and up to where it has the output.
    Knocking { viewer: ViewerId, received: Option<u64> },
    /// The shell. It wants output from `received`, or is a newcomer.
    Waiting { received: Option<u64> },
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

impl Viewer {
    /// A socket that was just accepted.
    pub fn new(context: ViewerContext, now: u64) -> Self {
        let published = (context.dialect != Dialect::Stream).then(|| Published::new(0, now));
        Self {
            context,
            since: now,
            streams: None,
            stage: Stage::Greeting,
            next: 0,
            acked: 0,
            remembered: 0,
            fetching: None,
            told_exit: false,
            published,
            typed_at: 0,
            commands: false,
            presence: false,
            refused: 0,
        }
    }

    /// A socket that outlived the object's memory, with its streams if its reader is still there.
    pub fn restored(memory: ViewerMemory, streams: Option<(StreamId, StreamId)>, now: u64) -> Self {
        let mut viewer = Self::new(memory.context, memory.since);
        viewer.streams = streams;
        viewer.typed_at = memory.typed_at;
        viewer.commands = memory.commands;
        viewer.presence = memory.presence;
        if streams.is_some() {
            viewer.stage = match memory.awaits {
                Awaits::Shell { received } => Stage::Waiting { received },
                Awaits::Snapshot { gap_from } => Stage::Snapshot { gap_from, begun: None },
                Awaits::Nothing { acked } => {
                    viewer.next = acked;
                    viewer.acked = acked;
                    viewer.remembered = acked;
                    Stage::Live
                }
            };
        }
        if let Some(published) = viewer.published.as_mut() {
            let announced = !matches!(memory.awaits, Awaits::Shell { .. });
            *published = Published::restored(memory.typed, announced, viewer.acked, now);
        }
        viewer
    }

    /// What to keep of it over a loss of memory.
    pub fn memory(&self) -> ViewerMemory {
        let awaits = match self.stage {
            Stage::Greeting => Awaits::Shell { received: None },
            Stage::Knocking { received, .. } | Stage::Waiting { received } => Awaits::Shell { received },
            Stage::Snapshot { gap_from, .. } => Awaits::Snapshot { gap_from },
            Stage::Live => Awaits::Nothing { acked: self.acked },
        };
        ViewerMemory {
            context: self.context.clone(),
            since: self.since,
            input: self.input(),
            awaits,
            typed: self.published.as_ref().map_or(0, Published::applied_input),
            typed_at: self.typed_at,
            commands: self.commands,
            presence: self.presence,
        }
    }

    // ---- who it is ----

    pub fn context(&self) -> &ViewerContext {
        &self.context
    }

    pub fn dialect(&self) -> Dialect {
        self.context.dialect
    }

    pub fn can_type(&self) -> bool {
        self.context.can_type
    }

    pub fn since(&self) -> u64 {
        self.since
    }

    /// Its session's output stream and its own input stream, once it has a position in a session.
    pub fn streams(&self) -> Option<(StreamId, StreamId)> {
        self.streams
    }

    pub fn stream(&self) -> Option<StreamId> {
        self.streams.map(|(stream, _)| stream)
    }

    pub fn input(&self) -> Option<StreamId> {
        self.streams.map(|(_, input)| input)
    }

    pub fn is_published(&self) -> bool {
        self.published.is_some()
    }

    /// Whether it is a player of recordings.
    pub fn plays(&self) -> bool {
        self.context.dialect == Dialect::Cast
    }

    /// Whether the session is somebody else's: it was invited, or plays.
    pub fn is_guest(&self) -> bool {
        self.context.guest || self.plays()
    }

    pub fn published(&self) -> Option<&Published> {
        self.published.as_ref()
    }

    pub fn published_mut(&mut self) -> Option<&mut Published> {
        self.published.as_mut()
    }

    pub fn resize(&mut self, size: Size) {
        self.context.size = size;
    }

    /// When it last became the one who types.
    pub fn typed_at(&self) -> u64 {
        self.typed_at
    }

    pub fn note_typed(&mut self, at: u64) {
        self.typed_at = at;
    }

    /// Whether it wants to know of commands, and is where it may.
    pub fn hears_of_commands(&self) -> bool {
        self.commands && self.streams.is_some()
    }

    /// It said whether it wants to know of commands, and of who is there. A guest may have no right to the machine, and so
    /// hears of no command.
    pub fn wants(&mut self, commands: bool, presence: bool) {
        self.commands = commands && !self.is_guest();
        self.presence = presence;
    }

    /// Whether it is to be told who is at the terminal.
    pub fn hears_of_presence(&self) -> bool {
        self.presence && self.streams.is_some() && !self.is_waiting()
    }

    /// A frame of it was refused. Answers how many that makes without a good one between them.
    pub fn note_refused(&mut self) -> u32 {
        self.refused = self.refused.saturating_add(1);
        self.refused
    }

    /// A frame of it was good.
    pub fn note_good(&mut self) {
        self.refused = 0;
    }

    // ---- how it comes to its output ----

    /// Whether it has not said who it is.
    pub fn is_greeting(&self) -> bool {
        self.stage == Stage::Greeting
    }

    /// It said who it is and waits to be let in.
    pub fn knock(&mut self, viewer: ViewerId, received: Option<u64>) {
        self.stage = Stage::Knocking { viewer, received };
    }

    /// What it said, while it waits to be let in.
    pub fn knocked(&self) -> Option<(ViewerId, Option<u64>)> {
        match &self.stage {
            Stage::Knocking { viewer, received } => Some((viewer.clone(), *received)),
            _ => None,
        }
    }

    /// Whether it waits for the shell.
    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting { .. })
    }

    /// Whether output goes to it.
    pub fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }

    /// While it waits for the shell, up to where it has the output already.
    pub fn received(&self) -> Option<u64> {
        match self.stage {
            Stage::Waiting { received } => received,
            _ => None,
        }
    }

    /// It said who it is and waits for the shell.
    pub fn join(&mut self, stream: StreamId, input: StreamId, received: Option<u64>) {
        self.streams = Some((stream, input));
        self.stage = Stage::Waiting { received };
    }

    /// The shell is there. Output goes to it from `start`, or from a snapshot on.
    pub fn attach(&mut self, start: Option<u64>) {
        self.next = start.unwrap_or(0);
        self.acked = self.next;
        self.remembered = self.next;
        self.stage = match start {
            Some(_) => Stage::Live,
            None => Stage::Snapshot {
                gap_from: None,
                begun: None,
            },
        };
    }

    /// The agent's link is gone, and with it what was on its way.
    pub fn link_lost(&mut self) {
        self.fetching = None;
        // A player was told once what it plays.
        let plays = self.plays();
        if let Some(published) = self.published.as_mut().filter(|_| !plays) {
            published.link_lost();
        }
    }

    /// The agent has said anew what it has: whatever it was asked for before does not come any more.
    pub fn ask_again(&mut self) {
        self.fetching = None;
        if let Stage::Snapshot { begun, .. } = &mut self.stage {
            *begun = None;
        }
    }

    // ---- how it ends ----

    /// Whether it is to be told now how the shell ended.
    pub fn tell_exit(&mut self) -> bool {
        !self.is_published() && !std::mem::replace(&mut self.told_exit, true)
    }

    /// Where it was cut, as far as is known.
    pub fn position(&self) -> Position {
        match self.stage {
            Stage::Live => Position::Cut { acked: self.acked },
            Stage::Waiting { received: Some(acked) } => Position::Cut { acked },
            _ => Position::Adrift,
        }
    }
}
