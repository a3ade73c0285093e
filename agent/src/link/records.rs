//! Records of commands on one link: a message at a time, and the next when the relay says that it has stored that.
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use protocol::ids::ObjectId;
use protocol::terminal::agent::FromAgent;
use tokio::time::{Instant, sleep_until};

use crate::command_log::SharedJournal;
use crate::session::wall_ms;

/// When records are said again that the relay has not said a word about: its database was out of reach, or it lost its memory.
const AGAIN_AFTER: Duration = Duration::from_secs(20);

/// What a link knows of them.
pub struct Records {
    journal: Arc<SharedJournal>,
    state: State,
}

enum State {
    /// The relay has not said that it takes any.
    Unwanted,
    /// None are on their way.
    Idle,
    /// Some are, since this moment.
    Sent(Instant),
}

impl Records {
    /// On a link that was just made.
    pub fn new(journal: Arc<SharedJournal>) -> Self {
        Self {
            journal,
            state: State::Unwanted,
        }
    }

    /// The relay takes records.
    pub fn welcome(&mut self) {
        self.state = State::Idle;
    }

    /// Waits until something is to be said.
    pub async fn due(&self) {
        let has_waiting = self.journal.lock().has_waiting();
        match self.state {
            State::Unwanted => pending().await,
            State::Sent(at) => sleep_until(at + AGAIN_AFTER).await,
            State::Idle if has_waiting => {}
            State::Idle => self.journal.changed().await,
        }
    }

    /// What is to be said.
    pub fn next(&mut self) -> Option<FromAgent> {
        let records = self.journal.lock().batch();
        self.state = State::Idle;
        if records.is_empty() {
            return None;
        }
        self.state = State::Sent(Instant::now());
        Some(FromAgent::Commands {
            now: wall_ms(),
            records,
        })
    }

    /// The relay has stored these.
    pub fn stored(&mut self, ids: &[ObjectId]) {
        self.journal.lock().stored(ids);
        if matches!(self.state, State::Sent(_)) {
            self.state = State::Idle;
        }
    }
}
