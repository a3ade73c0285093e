//! The link to the agent: there, or gone since some time. Everything that is said to the agent goes through it.
use std::hash::{DefaultHasher, Hash, Hasher};

use protocol::api::command_policy::Policies;
use protocol::api::health::{Health, Thresholds};
use protocol::api::machines::Metrics;
use protocol::api::series::Series;
use protocol::ids::{BootId, JournalId};
use protocol::live::Topic;
use protocol::relay_contract::{AgentContext, Interest, Status};
use protocol::terminal::PROTOCOL;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::frame::Frame;

use super::action::Socket;
use super::measured::{self, Measured};
use super::outbox::Outbox;
use super::record::AgentMemory;

/// How often a link of which nobody wants anything is looked at, in milliseconds. Each time is a request and a row to pay for; until
/// then a machine that fell silent is listed as online, unless somebody asks for it.
const LOOK_EVERY: u64 = 60 * 60 * 1000;

/// How often an agent says how it does that does not measure when it is told to, in seconds: a list is never staler than that.
const UNASKED_SECONDS: u32 = 300;

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
    /// When it was last looked whether it is alive.
    looked: u64,
    measured: Measured,
    /// What it will be told when it says hello that commands may run; nothing once the object has lost its memory.
    policies: Option<Policies>,
}

/// What an agent says of itself in its hello that is remembered as long as its link stands.
#[derive(Debug)]
pub struct Says {
    /// Where it notes which commands it starts, if it does.
    pub journal: Option<JournalId>,
    /// Whether it measures when it is told to.
    pub pulled_metrics: bool,
    /// Whether it holds to policies.
    pub policed: bool,
    /// Whether it has services.
    pub services: bool,
    /// Whether it has Ansible run playbooks.
    pub playbooks: bool,
    /// Whether it opens shells on other hosts.
    pub ssh: bool,
}

impl Link {
    fn new(socket: Socket, memory: AgentMemory, now: u64) -> Self {
        Self {
            socket,
            memory,
            heard: 0,
            looked: now,
            measured: Measured::default(),
            policies: None,
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
    pub fn restore(&mut self, now: u64, socket: Socket, memory: AgentMemory) {
        self.link = Some(Link::new(socket, memory, now));
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
            metrics_at_ms: memory.and_then(|memory| memory.measured_at),
            health: memory.map(|memory| memory.health).unwrap_or_default(),
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

    /// When to look whether it is alive of which nobody wants anything; nothing if it is not online.
    pub fn look_at(&self) -> Option<u64> {
        Some(self.online()?.looked + LOOK_EVERY)
    }

    /// It was looked.
    pub fn looked(&mut self, now: u64) {
        if let Some(link) = self.link.as_mut() {
            link.looked = now;
        }
    }

    /// A socket was accepted as the agent's.
    pub fn connected(&mut self, now: u64, socket: Socket, mut context: AgentContext, out: &mut Outbox) {
        let policies = context.policies.take().map(|policies| *policies);
        let memory = AgentMemory {
            context,
            greeted: false,
            journal: None,
            pulled: false,
            policed: false,
            services: false,
            playbooks: false,
            ssh: false,
            told_policies: None,
            restricted: policies.as_ref().is_some_and(|policies| !policies.are_empty()),
            latest: None,
            measured_at: None,
            health: Health::default(),
            written: None,
            watches: Vec::new(),
            last_seen: now,
        };
        let mut link = Link::new(socket, memory, now);
        link.policies = policies;
        self.link = Some(link);
        out.remember(socket);
    }

    /// Whether it was told what commands may run. Not at first, if the object lost its memory between its connecting and its hello.
    pub fn was_told_policies(&self) -> bool {
        self.online().is_some_and(|link| link.memory.told_policies.is_some())
    }

    /// Whether it was asked to tell of services.
    pub fn is_runner(&self) -> bool {
        self.online().is_some_and(|link| link.memory.services)
    }

    /// Whether it has Ansible run playbooks.
    pub fn runs_playbooks(&self) -> bool {
        self.online().is_some_and(|link| link.memory.playbooks)
    }

    /// Whether it opens shells on other hosts.
    pub fn opens_ssh(&self) -> bool {
        self.online().is_some_and(|link| link.memory.ssh)
    }

    /// Whether it would run what it must not.
    pub fn is_too_old(&self) -> bool {
        self.online()
            .is_some_and(|link| link.memory.restricted && !link.memory.policed)
    }

    /// It is to hold to this from now on. One that has not said hello hears it then.
    pub fn police(&mut self, policies: Policies, out: &mut Outbox) {
        let Some(link) = self.link.as_mut() else { return };
        let told = Some(digest(&policies));
        if link.memory.told_policies == told {
            return;
        }
        link.memory.restricted = !policies.are_empty();
        if !link.memory.greeted {
            link.policies = Some(policies);
        } else {
            link.memory.told_policies = told;
            if link.memory.policed {
                out.say(link.socket, &ToAgent::Policies { policies });
            }
        }
        out.remember(link.socket);
    }

    /// It said hello: it is welcome.
    pub fn greeted(&mut self, says: Says, out: &mut Outbox) {
        let Some(link) = self.link.as_mut() else { return };
        let Says {
            journal,
            pulled_metrics,
            policed,
            services,
            playbooks,
            ssh,
        } = says;
        link.memory.greeted = true;
        link.memory.journal = journal;
        link.memory.pulled = pulled_metrics;
        link.memory.policed = policed;
        link.memory.services = services;
        link.memory.playbooks = playbooks;
        link.memory.ssh = ssh;
        let policies = link.policies.take();
        link.memory.told_policies = policies.as_ref().map(digest);
        let welcome = ToAgent::Welcome {
            protocol: PROTOCOL,
            agent_id: link.memory.context.agent_id.clone(),
            heartbeat_seconds: UNASKED_SECONDS,
            command_log: true,
            command_output: true,
            pulled_metrics,
            thresholds: link.memory.context.thresholds,
            logins: true,
            services,
            policies: policies.unwrap_or_default(),
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

    /// It said how its machine does, and perhaps how it did since it last said that.
    pub fn measured(&mut self, now: u64, metrics: Metrics, history: Option<Series>, out: &mut Outbox) {
        let Some(link) = self.link.as_mut() else { return };
        let looked = measured::looked_at(now, &link.memory);
        if let Some(figures) = link.measured.take(now, metrics, history, &mut link.memory) {
            out.tell(figures);
            if looked.list {
                out.announce(Topic::Machines);
            }
        }
        if looked.page {
            out.announce(Topic::Figures);
        }
        out.remember(link.socket);
    }

    /// What its machine's figures are judged by has changed.
    pub fn judge_by(&mut self, thresholds: Thresholds, out: &mut Outbox) {
        let Some(link) = self.link.as_mut() else { return };
        if let Some(figures) = measured::judge_by(thresholds, &mut link.memory) {
            out.tell(figures);
        }
        if link.memory.greeted && link.memory.pulled {
            out.say(link.socket, &ToAgent::Thresholds { thresholds });
        }
        out.remember(link.socket);
    }

    /// The directory did not hear what it was told last: the next figures are told again.
    pub fn untold(&mut self, out: &mut Outbox) {
        if let Some(link) = self.link.as_mut() {
            link.memory.written = None;
            out.remember(link.socket);
        }
    }

    /// Somebody wants to know how its machine does.
    pub fn watch(&mut self, now: u64, interest: Interest, heartbeat_seconds: u32, out: &mut Outbox) {
        let Some(link) = self.link.as_mut().filter(|link| link.memory.greeted) else {
            return;
        };
        if let Some(watch) = measured::watch(now, interest, heartbeat_seconds, &mut link.memory) {
            out.say(link.socket, &watch);
            out.remember(link.socket);
        }
    }

    /// It is to replace its key. Answers whether it is online.
    pub fn rotate_key(&self, challenge: String, out: &mut Outbox) -> bool {
        let online = self.online();
        if let Some(link) = online {
            out.say(link.socket, &ToAgent::RotateKey { challenge });
        }
        online.is_some()
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

/// Policies in few bytes, as they are too much for what is kept of a socket. Another version of this may have another: then an agent is
/// told what it knows.
fn digest(policies: &Policies) -> u64 {
    let mut hasher = DefaultHasher::new();
    policies.hash(&mut hasher);
    hasher.finish()
}
