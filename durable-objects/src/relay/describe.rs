//! What sessions do at this moment, for those who ask. Nothing of it is stored: the agent says it when it is asked, and it is asked when
//! somebody wants to know.
use protocol::relay_contract::{LiveSession, LiveViewer};
use protocol::terminal::agent::{Described, ToAgent};

use super::RelayState;
use super::session::Session;

/// How long what the agent has said is good, in milliseconds: those who ask at the same time ask once.
const GOOD_FOR: u64 = 1_000;

/// What was asked of the agent's link.
#[derive(Debug, Default)]
pub struct Describing {
    /// How often the agent has said it.
    told: u64,
    /// When it last did.
    told_at: Option<u64>,
    /// It was asked and did not say it in time: it is a version that does not know the question.
    deaf: bool,
}

impl RelayState {
    /// Asks the agent what its shells do, unless nothing runs or it has just said it. Answers what [`Self::descriptions`] is until it has.
    pub fn describe(&mut self, now: u64) -> Option<u64> {
        let is_good = |at: u64| now.saturating_sub(at) < GOOD_FOR;
        let runs = self.sessions.iter().any(Session::is_running);
        let asked = &self.describing;
        if !self.agent.is_online() || !runs || asked.deaf || asked.told_at.is_some_and(is_good) {
            return None;
        }
        self.tell_agent(&ToAgent::Describe);
        Some(self.describing.told)
    }

    /// How often the agent has said what its shells do.
    pub fn descriptions(&self) -> u64 {
        self.describing.told
    }

    /// The agent was asked and has not said it in time.
    pub fn not_described(&mut self) {
        self.describing.deaf = true;
    }

    /// The agent says what its shells do.
    pub(super) fn described(&mut self, now: u64, shells: Vec<Described>) {
        self.describing.told += 1;
        self.describing.told_at = Some(now);
        for shell in shells {
            if let Some(session) = self.sessions.get_mut(shell.stream) {
                session.described(shell.within_bounds());
            }
        }
    }

    /// An agent has come: it may know what the one before did not, and has said nothing yet.
    pub(super) fn describe_anew(&mut self) {
        self.describing.deaf = false;
        self.describing.told_at = None;
    }

    /// The sessions whose shells run, with what is known of each.
    pub fn live_sessions(&self) -> Vec<LiveSession> {
        let running = self.sessions.iter().filter(|session| session.is_running());
        running.map(|session| self.live(session)).collect()
    }

    fn live(&self, session: &Session) -> LiveSession {
        let viewers = self.viewers.of(session.stream()).map(|viewer| LiveViewer {
            username: viewer.context().username.clone(),
            can_type: viewer.can_type(),
        });
        LiveSession {
            session: session.id().clone(),
            size: session.size(),
            viewers: viewers.collect(),
            last_output_ms: session.last_output(),
            described: session.description().cloned(),
        }
    }
}
