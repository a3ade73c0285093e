//! What ends by time: an agent that fell silent, viewers and commands that waited too long for one, sessions nobody came back to.
use protocol::ids::StreamId;
use protocol::terminal::close::Close;

use super::RelayState;
use super::session::Session;
use super::viewer::Viewer;

/// How long a socket may be open without saying who it is. A hello is the first thing a client sends.
const GREETING_MS: u64 = 5_000;

const KEY_EXPIRED: &str = "The API key this terminal was opened with has expired";
const INVITATION_EXPIRED: &str = "The invitation to this terminal has expired";

impl RelayState {
    /// When [`Self::expire`] is to be called, in milliseconds since the Unix epoch.
    pub fn deadline(&self) -> Option<u64> {
        let agent = self.agent_due();
        let viewers = self.viewers.iter().filter_map(|(_, viewer)| self.viewer_due(viewer));
        let sessions = self.sessions.iter().filter_map(Session::expires_at);
        let recheck = self.machine.recheck_due();
        let commands = self.commands_due();
        let strangers = self.strangers.due();
        let fixed = agent.into_iter().chain(recheck).chain(commands).chain(strangers);
        fixed.chain(viewers).chain(sessions).min()
    }

    /// Ends what is due. `agent_seen` is the last keep-alive that the platform answered for us, if it knows one.
    pub fn expire(&mut self, now: u64, agent_seen: Option<u64>) {
        self.look(now, agent_seen);
        self.expire_viewers(now);
        self.expire_strangers(now);
        self.expire_commands(now);
        if self.machine.recheck_due().is_some_and(|at| now >= at) {
            self.recheck(now);
        }
        let due = |session: &&Session| session.expires_at().is_some_and(|at| now >= at);
        let abandoned: Vec<StreamId> = self.sessions.iter().filter(due).map(Session::stream).collect();
        for stream in abandoned {
            let close = Close::SessionTerminated;
            self.end_session(now, stream, close, close.reason(), "abandoned");
        }
    }

    fn expire_viewers(&mut self, now: u64) {
        let due = |viewer: &Viewer| self.viewer_due(viewer).is_some_and(|at| now >= at);
        for socket in self.viewers.sockets_where(due) {
            let viewer = self.viewers.get(socket);
            let expired = |viewer: &Viewer| viewer.context().proof.until.is_some_and(|until| now >= until);
            if viewer.is_some_and(expired) {
                let guest = viewer.is_some_and(Viewer::is_guest);
                let reason = if guest { INVITATION_EXPIRED } else { KEY_EXPIRED };
                self.dismiss(now, socket, Close::AccessRevoked, reason);
            } else if viewer.is_some_and(Viewer::is_greeting) {
                self.dismiss(now, socket, Close::ProtocolError, "No hello arrived");
            } else {
                self.dismiss(now, socket, Close::AgentOffline, Close::AgentOffline.reason());
            }
        }
    }

    /// Looks whether the agent is alive.
    pub(super) fn look(&mut self, now: u64, agent_seen: Option<u64>) {
        if let Some(seen) = agent_seen {
            self.agent.kept_alive(seen);
        }
        self.agent.looked(now);
        if self.agent_silent().is_some_and(|at| now >= at) {
            self.drop_agent(now, Close::AgentOffline);
        }
    }

    fn agent_silent(&self) -> Option<u64> {
        self.agent.silent_at(GREETING_MS, self.settings.offline_after)
    }

    /// When to look whether the agent is alive: as soon as it may be gone while somebody waits for it, and otherwise seldom.
    fn agent_due(&self) -> Option<u64> {
        let is_awaited = self.viewers.iter().next().is_some() || !self.commands.is_empty();
        let seldom = if is_awaited { None } else { self.agent.look_at() };
        seldom.or_else(|| self.agent_silent())
    }

    /// When a viewer has waited long enough, for its own hello or for the agent, or its key expires.
    fn viewer_due(&self, viewer: &Viewer) -> Option<u64> {
        let patience = if viewer.is_greeting() {
            Some(viewer.since() + GREETING_MS)
        } else {
            let awaited_since = self.agent.awaited_since(viewer.since());
            (!self.agent.is_online()).then_some(awaited_since + self.settings.agent_grace)
        };
        patience.into_iter().chain(viewer.context().proof.until).min()
    }
}
