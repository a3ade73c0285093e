//! What a runner is asked to do with a service's files, for somebody who waits for the answer. Nothing of it is stored: who waits keeps the
//! object in memory.
use std::collections::BTreeMap;

use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::services::{Answer, Ask, MAX_ASKS, Refusal};

use super::RelayState;

/// How long a runner has to do what it is asked, in milliseconds: a disk that is busy, and a part of a file on a slow line. It is also
/// how long somebody waits for a page.
pub const ANSWERED_WITHIN: u64 = 10_000;

/// What is asked of a runner and not known yet by who asked.
#[derive(Debug, Default)]
pub struct Asks {
    /// The number of the last.
    last: u64,
    pending: BTreeMap<u64, Pending>,
}

#[derive(Debug)]
struct Pending {
    /// Until when somebody waits. They may go before.
    until: u64,
    answer: Option<RunnerAnswer>,
}

impl Asks {
    /// The number of another one. It is none of those that this object gave before it lost its memory, or a late answer to one of them
    /// would be taken for that to another: they follow the clock.
    fn begin(&mut self, now: u64) -> Option<u64> {
        self.pending.retain(|_, pending| now < pending.until);
        if self.pending.len() >= MAX_ASKS {
            return None;
        }
        self.last = now.max(self.last + 1);
        let until = now + ANSWERED_WITHIN;
        self.pending.insert(self.last, Pending { until, answer: None });
        Some(self.last)
    }

    /// Whoever waits no more is not told.
    fn answered(&mut self, number: u64, answer: Answer) {
        if let Some(pending) = self.pending.get_mut(&number) {
            pending.answer.get_or_insert(RunnerAnswer::Answered { answer });
        }
    }

    fn take(&mut self, now: u64, number: u64) -> Option<RunnerAnswer> {
        let pending = self.pending.remove(&number);
        let Some(Pending { until, answer }) = pending else {
            return Some(RunnerAnswer::Silent);
        };
        if answer.is_none() && now < until {
            self.pending.insert(number, Pending { until, answer });
            return None;
        }
        Some(answer.unwrap_or(RunnerAnswer::Silent))
    }

    /// The link is lost: what was not answered will not be.
    pub fn link_lost(&mut self) {
        for pending in self.pending.values_mut() {
            pending.answer.get_or_insert(RunnerAnswer::Silent);
        }
    }
}

impl RelayState {
    /// Asks the runner, under the number that is answered, or says why not.
    pub fn ask_runner(&mut self, now: u64, service: &str, ask: Ask) -> Result<u64, RunnerAnswer> {
        if !self.agent.is_runner() {
            return Err(RunnerAnswer::Offline);
        }
        let busy = || {
            let refusal = Refusal::Busy;
            RunnerAnswer::Answered {
                answer: Answer::Refused { refusal },
            }
        };
        let number = self.asks.begin(now).ok_or_else(busy)?;
        self.tell_agent(&ToAgent::Service {
            number,
            service: service.to_owned(),
            ask,
        });
        Ok(number)
    }

    /// What has come of what was asked under a number, once that is known. It is told once.
    pub fn runner_answer(&mut self, now: u64, number: u64) -> Option<RunnerAnswer> {
        self.asks.take(now, number)
    }

    /// The runner answers.
    pub(super) fn runner_answered(&mut self, number: u64, answer: Answer) {
        self.asks.answered(number, answer);
    }
}
