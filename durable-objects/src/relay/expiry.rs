//! What ends by time: an agent that fell silent, viewers that waited too long for one, sessions nobody came back to.
use protocol::terminal::close::Close;

use super::RelayState;
use super::action::Socket;
use super::session::Stage;

/// How long a socket may be open without saying who it is. A hello is the first thing a client sends.
const GREETING_MS: u64 = 10_000;

impl RelayState {
    /// When [`Self::expire`] is to be called, in milliseconds since the Unix epoch.
    pub fn deadline(&self) -> Option<u64> {
        let agent = self.agent_due();
        let viewers = self.viewers.values().filter_map(|viewer| match viewer.stage {
            Stage::Greeting => Some(viewer.since + GREETING_MS),
            _ if !self.agent.is_online() => Some(self.agent.awaited_since(viewer.since) + self.settings.agent_grace),
            _ => None,
        });
        let sessions = self
            .sessions
            .values()
            .filter_map(|s| Some(s.record.empty_since? + s.record.keep_ms));
        agent.into_iter().chain(viewers).chain(sessions).min()
    }

    /// Ends what is due. `agent_seen` is the last keep-alive that the platform answered for us, if it knows one.
    pub fn expire(&mut self, now: u64, agent_seen: Option<u64>) {
        if let Some(seen) = agent_seen {
            self.agent.kept_alive(seen);
        }
        if self.agent_due().is_some_and(|at| now >= at) {
            self.drop_agent(now, Close::AgentOffline);
        }
        self.expire_viewers(now);
        let abandoned: Vec<_> = self
            .sessions
            .iter()
            .filter(|(_, s)| {
                s.record
                    .empty_since
                    .is_some_and(|since| now >= since + s.record.keep_ms)
            })
            .map(|(stream, _)| *stream)
            .collect();
        for stream in abandoned {
            self.end_session(
                now,
                stream,
                Close::SessionTerminated,
                Close::SessionTerminated.reason(),
                "abandoned",
            );
        }
    }

    fn expire_viewers(&mut self, now: u64) {
        let offline = !self.agent.is_online();
        let due: Vec<(Socket, Stage)> = self
            .viewers
            .iter()
            .filter(|(_, viewer)| match viewer.stage {
                Stage::Greeting => now >= viewer.since + GREETING_MS,
                _ => offline && now >= self.agent.awaited_since(viewer.since) + self.settings.agent_grace,
            })
            .map(|(socket, viewer)| (*socket, viewer.stage))
            .collect();
        for (socket, stage) in due {
            if stage == Stage::Greeting {
                self.dismiss(now, socket, Close::ProtocolError, "No hello arrived");
            } else {
                self.dismiss(now, socket, Close::AgentOffline, Close::AgentOffline.reason());
            }
        }
    }

    fn agent_due(&self) -> Option<u64> {
        self.agent.silent_at(GREETING_MS, self.settings.offline_after)
    }
}
