//! Records of what was run at prompts, on their way from the agent to the command log. The agent keeps them until they are
//! stored, so nothing of them is kept here: what fails comes again.
use protocol::ids::ObjectId;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::command_record::{CommandRecord, MAX_RECORDS};

use super::RelayState;

/// How far a machine's clock may be off before its times are corrected by ours, in milliseconds. What a message takes is within.
const CLOCK_TOLERANCE: u64 = 30_000;

impl RelayState {
    /// The agent has records. `clock` is what its machine's clock showed when it said so.
    pub(super) fn commands_run(&mut self, now: u64, clock: u64, records: Vec<CommandRecord>) {
        let mut records: Vec<_> = records.into_iter().take(MAX_RECORDS).collect();
        let is_off = now.abs_diff(clock) > CLOCK_TOLERANCE;
        for record in &mut records {
            if is_off {
                let ago = clock.saturating_sub(record.started_at);
                record.started_at = now.saturating_sub(ago);
            }
            // Nothing has begun that is to begin.
            record.started_at = record.started_at.min(now);
        }
        if !records.is_empty() {
            self.out.log(records);
        }
    }

    /// These are stored, and the agent may forget them.
    pub fn commands_stored(&mut self, ids: Vec<ObjectId>) {
        self.tell_agent(&ToAgent::CommandsStored { ids });
    }
}
