//! Records of commands on one link: a message at a time, and the next when the relay says that it has stored that.
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use protocol::api::command_policy::Policies;
use protocol::ids::ObjectId;
use protocol::terminal::agent::FromAgent;
use protocol::terminal::command_record::CommandRecord;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::command_log::SharedJournal;
use crate::policy::{Place, Verdict, reader};
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
    /// These are looked at before they are said: what policies say of each.
    Judged(Vec<CommandRecord>, JoinHandle<Vec<Verdict>>),
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

    /// Waits until there is something to do: what policies say of what is to be said, once that is known.
    pub async fn due(&mut self) -> Option<Vec<Verdict>> {
        let has_waiting = self.journal.lock().has_waiting();
        match &mut self.state {
            State::Unwanted => pending().await,
            State::Judged(_, judged) => return Some(judged.await.unwrap_or_default()),
            State::Sent(at) => sleep_until(*at + AGAIN_AFTER).await,
            State::Idle if has_waiting => {}
            State::Idle => self.journal.changed().await,
        }
        None
    }

    /// What is to be said. Where there are policies, it is what [`Self::due`] has waited for; otherwise they are asked first.
    pub fn next(
        &mut self,
        verdicts: Option<Vec<Verdict>>,
        policies: impl FnOnce() -> (Policies, Place),
    ) -> Option<FromAgent> {
        let records = match (std::mem::replace(&mut self.state, State::Idle), verdicts) {
            (State::Judged(mut records, _), Some(verdicts)) => {
                for (record, verdict) in records.iter_mut().zip(verdicts) {
                    record.against_policy = verdict != Verdict::Allowed && !record.command.is_empty();
                }
                records
            }
            _ => {
                let records = self.journal.lock().batch();
                let (policies, place) = policies();
                if !policies.are_empty() && !records.is_empty() {
                    let texts = records.iter().map(|record| text(record, &place)).collect();
                    let judged = tokio::spawn(reader::verdicts(texts, policies));
                    self.state = State::Judged(records, judged);
                    return None;
                }
                records
            }
        };
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

/// What was run, and where.
fn text(record: &CommandRecord, place: &Place) -> (String, Place) {
    let place = Place {
        path: place.path.clone(),
        directory: record.cwd.as_str().into(),
    };
    (record.command.clone(), place)
}
