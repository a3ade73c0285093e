//! Which machine this object relays for, and the numbers of its streams.
use protocol::ids::{AgentId, ObjectId, StreamId};

use super::outbox::Outbox;
use super::record::{MachineRecord, Record};

/// Tokens that are remembered as spent. Each is good for two minutes, and an agent waits a little between links.
const SPENT_TOKENS: usize = 64;

/// The machine, once somebody connected.
#[derive(Debug, Default)]
pub struct Machine(Option<MachineRecord>);

impl Machine {
    /// The machine from storage.
    pub fn restored(record: MachineRecord) -> Self {
        Self(Some(record))
    }

    /// Its row.
    pub fn id(&self) -> Option<&ObjectId> {
        self.0.as_ref().map(|machine| &machine.machine)
    }

    /// Learns which it is from the first who connects.
    pub fn learn(&mut self, machine: &ObjectId, agent_id: &AgentId, out: &mut Outbox) {
        if self.0.is_some() {
            return;
        }
        let machine = MachineRecord {
            machine: machine.clone(),
            agent_id: agent_id.clone(),
            next_stream: 1,
            online: false,
            tokens: Vec::new(),
            recheck_at: None,
        };
        out.save(Record::Machine(machine.clone()));
        self.0 = Some(machine);
    }

    /// A number no stream of this machine ever had.
    pub fn mint_stream(&mut self, out: &mut Outbox) -> Option<StreamId> {
        let machine = self.0.as_mut()?;
        let stream = StreamId(machine.next_stream);
        machine.next_stream = machine.next_stream.checked_add(1)?;
        out.save(Record::Machine(machine.clone()));
        Some(stream)
    }

    /// Whether a token has opened a link.
    pub fn is_spent(&self, token: &str) -> bool {
        let machine = self.0.as_ref();
        machine.is_some_and(|machine| machine.tokens.iter().any(|spent| spent == token))
    }

    /// A token opens a link, and no other.
    pub fn spend(&mut self, token: &str, out: &mut Outbox) {
        if let Some(machine) = self.0.as_mut().filter(|_| !token.is_empty()) {
            if machine.tokens.len() >= SPENT_TOKENS {
                machine.tokens.remove(0);
            }
            machine.tokens.push(token.to_owned());
            out.save(Record::Machine(machine.clone()));
        }
    }

    /// Its agent is online, as the directory is told.
    pub fn went_online(&mut self, out: &mut Outbox) {
        if let Some(machine) = self.0.as_mut().filter(|machine| !machine.online) {
            machine.online = true;
            out.save(Record::Machine(machine.clone()));
        }
    }

    /// Its agent is not. Answers whether the directory was told otherwise.
    pub fn went_offline(&mut self, out: &mut Outbox) -> bool {
        let Some(machine) = self.0.as_mut().filter(|machine| machine.online) else {
            return false;
        };
        machine.online = false;
        out.save(Record::Machine(machine.clone()));
        true
    }

    /// When all rights are to be asked about again.
    pub fn recheck_due(&self) -> Option<u64> {
        self.0.as_ref()?.recheck_at
    }

    pub fn recheck_at(&mut self, at: Option<u64>, out: &mut Outbox) {
        if let Some(machine) = self.0.as_mut().filter(|machine| machine.recheck_at != at) {
            machine.recheck_at = at;
            out.save(Record::Machine(machine.clone()));
        }
    }

    /// It is gone for good.
    pub fn forget(&mut self) {
        self.0 = None;
    }
}
