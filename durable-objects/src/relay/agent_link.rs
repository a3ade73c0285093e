//! The link to the agent: there, or gone since some time. Everything that is said to the agent goes through it.
use protocol::api::machines::Metrics;
use protocol::ids::{BootId, JournalId};
use protocol::relay_contract::{AgentContext, Status};
use protocol::terminal::PROTOCOL;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::frame::Frame;

use super::action::{Notice, Socket};
use super::outbox::Outbox;
use super::record::AgentMemory;

/// The directory hears of figures when one moved by this many percentage points…
const METRICS_STEP: f64 = 5.0;

/// …and at least this often, in milliseconds, so that a list is never staler than that.
const METRICS_EVERY: u64 = 5 * 60 * 1000;

/// An agent that says how it does more often than this, in milliseconds, is not listened to: each is an attachment written.
const METRICS_APART: u64 = 900;

/// The agent's end of the relay. A link that stands is *online* once the agent has said hello.
#[derive(Debug)]
pub struct AgentLink {
    link: Option<Link>,
    /// Since when there is no link, for the grace of waiting viewers.
    gone_since: u64,
}

#[derive(Debug)]
struct Link {
    socket: Socket,
    memory: AgentMemory,
    /// How often it said something since the object woke.
    heard: u64,
    /// When it last said how it does.
    measured: Option<u64>,
}

impl Link {
    fn new(socket: Socket, memory: AgentMemory) -> Self {
        Self {
            socket,
            memory,
            heard: 0,
            measured: None,
        }
    }
}

impl AgentLink {
    /// No link.
    pub fn absent(since: u64) -> Self {
        Self {
            link: None,
            gone_since: since,
        }
    }

    /// The link of a socket that outlived the object's memory.
    pub fn restore(&mut self, socket: Socket, memory: AgentMemory) {
        self.link = Some(Link::new(socket, memory));
    }

    /// Which run of the agent has the link, if it said so, and how often it was heard.
    pub fn run(&self) -> Option<(Option<&BootId>, u64)> {
        let link = self.link.as_ref()?;
        Some((link.memory.context.boot.as_ref(), link.heard))
    }

    /// The key that its token was verified with.
    pub fn key(&self) -> Option<&str> {
        Some(self.link.as_ref()?.memory.context.key.as_str())
    }

    /// The socket of an agent that is online.
    pub fn socket(&self) -> Option<Socket> {
        self.online().map(|link| link.socket)
    }

    /// Whether the agent is there and has said hello.
    pub fn is_online(&self) -> bool {
        self.online().is_some()
    }

    /// Whether a socket is the agent's, whatever it has said.
    pub fn owns(&self, socket: Socket) -> bool {
        self.link.as_ref().is_some_and(|link| link.socket == socket)
    }

    /// What to attach to the agent's socket.
    pub fn memory_of(&self, socket: Socket) -> Option<AgentMemory> {
        let link = self.link.as_ref().filter(|link| link.socket == socket)?;
        Some(link.memory.clone())
    }

    /// Where an agent that is online notes which commands it starts.
    pub fn journal(&self) -> Option<&JournalId> {
        self.online()?.memory.journal.as_ref()
    }

    /// What the Worker asks for.
    pub fn status(&self) -> Status {
        let memory = self.online().map(|link| &link.memory);
        Status {
            connected: memory.is_some(),
            metrics: memory.and_then(|memory| memory.latest.clone()),
            last_seen_ms: memory.map(|memory| memory.last_seen),
        }
    }

    /// Since when a viewer waits for the agent that is not there, if it has itself been here since `connected`.
    pub fn awaited_since(&self, connected: u64) -> u64 {
        connected.max(self.gone_since)
    }

    /// When an agent that says nothing more counts as gone: so long after it connected, or after it was last heard.
    pub fn silent_at(&self, greeting_ms: u64, offline_after: u64) -> Option<u64> {
        let memory = &self.link.as_ref()?.memory;
        let patience = if memory.greeted { offline_after } else { greeting_ms };
        Some(memory.last_seen + patience)
    }

    /// A socket was accepted as the agent's.
    pub fn connected(&mut self, now: u64, socket: Socket, context: AgentContext, out: &mut Outbox) {
        let memory = AgentMemory {
            context,
            greeted: false,
            journal: None,
            latest: None,
            written: None,
            last_seen: now,
        };
        self.link = Some(Link::new(socket, memory));
        out.remember(socket);
    }

    /// It said hello: it is welcome.
    pub fn greeted(&mut self, heartbeat_seconds: u32, journal: Option<JournalId>, out: &mut Outbox) {
        let Some(link) = self.link.as_mut() else { return };
        link.memory.greeted = true;
        link.memory.journal = journal;
        let welcome = ToAgent::Welcome {
            protocol: PROTOCOL,
            agent_id: link.memory.context.agent_id.clone(),
            heartbeat_seconds,
            command_log: true,
            command_output: true,
        };
        out.say(link.socket, &welcome);
        out.remember(link.socket);
    }

    /// It said something.
    pub fn heard(&mut self, now: u64) {
        if let Some(link) = self.link.as_mut() {
            link.memory.last_seen = now;
            link.heard += 1;
        }
    }

    /// The platform answered a keep-alive of it for us.
    pub fn kept_alive(&mut self, at: u64) {
        if let Some(link) = self.link.as_mut() {
            link.memory.last_seen = link.memory.last_seen.max(at);
        }
    }

    /// It said how its machine does. The directory hears of it when that is worth a write.
    pub fn heartbeat(&mut self, now: u64, metrics: Metrics, out: &mut Outbox) {
        let Some(link) = self.link.as_mut() else { return };
        if link.measured.is_some_and(|at| now.saturating_sub(at) < METRICS_APART) {
            return;
        }
        link.measured = Some(now);
        let due = link.memory.written.as_ref().is_none_or(|(written, at)| {
            now.saturating_sub(*at) >= METRICS_EVERY
                || (written.cpu_percent - metrics.cpu_percent).abs() >= METRICS_STEP
                || (written.memory_percent - metrics.memory_percent).abs() >= METRICS_STEP
                || (written.disk_percent - metrics.disk_percent).abs() >= METRICS_STEP
        });
        link.memory.latest = Some(metrics.clone());
        if due {
            link.memory.written = Some((metrics.clone(), now));
            out.notify(Notice::Metrics { metrics, at: now });
        }
        out.remember(link.socket);
    }

    /// Says something to an agent that is online; another will be told when it comes.
    pub fn tell(&self, message: &ToAgent, out: &mut Outbox) {
        if let Some(link) = self.online() {
            out.say(link.socket, message);
        }
    }

    /// Sends a frame to an agent that is online.
    pub fn send(&self, frame: &Frame, out: &mut Outbox) {
        if let Some(link) = self.online() {
            out.frame(link.socket, frame);
        }
    }

    /// Closes its socket; [`Self::gone`] is to follow.
    pub fn close(&self, close: Close, out: &mut Outbox) {
        if let Some(link) = &self.link {
            out.close(link.socket, close);
        }
    }

    /// The link is gone. Answers whether the agent was online.
    pub fn gone(&mut self, now: u64) -> bool {
        let Some(link) = self.link.take() else { return false };
        self.gone_since = now;
        link.memory.greeted
    }

    fn online(&self) -> Option<&Link> {
        self.link.as_ref().filter(|link| link.memory.greeted)
    }
}
