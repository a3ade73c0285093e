//! Which agent is the machine's. A machine has one; a copy of it has the same key, but each run of an agent has a name of its
//! own, so the relay can tell a copy from an agent that comes back, and asks before it lets one take the other's place.
use protocol::ids::BootId;
use protocol::relay_contract::AgentContext;
use protocol::terminal::agent::ToAgent;

use super::RelayState;

/// How long the agent that is connected has to answer, in milliseconds. One that is alive answers within a round trip; one
/// behind a network that swallows everything is replaced after this.
const ANSWER_WITHIN: u64 = 5_000;

/// The question whether the agent that is connected is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which run of the agent was asked.
    boot: Option<BootId>,
    /// How often it had been heard by then.
    heard: u64,
    /// Until when it may answer.
    until: u64,
}

/// What becomes of an agent that wants to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It may, now.
    Welcome,
    /// The one that is connected was asked; ask again in a moment.
    Wait(Asked),
    /// The one that is connected is alive: this is a copy of the machine.
    Duplicate,
    /// Its token has opened a link before: somebody else has seen it.
    Spent,
}

impl RelayState {
    /// An agent wants to connect; `asked` is what the last call answered.
    pub fn arrival(&mut self, now: u64, context: &AgentContext, asked: Option<Asked>) -> Arrival {
        if self.machine.is_spent(&context.token) {
            return Arrival::Spent;
        }
        let Some((boot, heard)) = self.agent.run() else {
            return Arrival::Welcome;
        };
        // The same run has lost its link and made another. One that does not say which run it is cannot be told from that.
        if boot.is_none() || context.boot.is_none() || boot == context.boot.as_ref() {
            return Arrival::Welcome;
        }
        match asked.filter(|asked| asked.boot.as_ref() == boot) {
            Some(asked) if heard > asked.heard => Arrival::Duplicate,
            Some(asked) if now >= asked.until => Arrival::Welcome,
            Some(asked) => Arrival::Wait(asked),
            None => {
                let boot = boot.cloned();
                self.tell_agent(&ToAgent::Report);
                Arrival::Wait(Asked {
                    boot,
                    heard,
                    until: now + ANSWER_WITHIN,
                })
            }
        }
    }
}
