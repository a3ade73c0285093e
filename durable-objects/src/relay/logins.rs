//! Logins that did not pass the edge, on their way from the agent to the table. The agent keeps them until they are stored, so nothing
//! of them is kept here: what fails comes again.
use protocol::terminal::agent::ToAgent;
use protocol::terminal::logins::{LOGINS_APART_SECONDS, Logins, MAX_LOGINS};

use super::RelayState;

/// In how long, in milliseconds, no more than two messages are taken: what was there before, and then what is new. Agents wait longer; one
/// that breaks the rules writes hardly more rows than others.
const TWO_IN: u64 = (LOGINS_APART_SECONDS - 5) * 1000;

/// How far a machine's clock may be off before its times are corrected by ours, in milliseconds. What a message takes is within.
const CLOCK_TOLERANCE: u64 = 30_000;

impl RelayState {
    /// The agent has logins. `clock` is what its machine's clock showed when it said so.
    pub(super) fn logins(&mut self, now: u64, clock: u64, mut logins: Logins) {
        let [before, last] = self.logins_at;
        if before.is_some_and(|at| now.saturating_sub(at) < TWO_IN) {
            return;
        }
        self.logins_at = [last, Some(now)];
        logins.logins.truncate(MAX_LOGINS);
        let is_off = now.abs_diff(clock) > CLOCK_TOLERANCE;
        // Nothing has happened that is to happen.
        let time = |at: u64| match is_off {
            true => now.saturating_sub(clock.saturating_sub(at)),
            false => at.min(now),
        };
        for login in &mut logins.logins {
            login.login_at = time(login.login_at);
            login.logout_at = login.logout_at.map(time);
        }
        self.out.logins(logins);
    }

    /// The logins of a message are stored, and the agent may forget those that are over.
    pub fn logins_stored(&mut self, number: u64) {
        self.tell_agent(&ToAgent::LoginsStored { number });
    }
}
