//! What a runner is asked to do with a service's files, or to run, for somebody who waits for the answer. Nothing of it is stored: who waits keeps the
//! object in memory.
use std::collections::BTreeMap;

use protocol::ids::JobId;
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
    /// The job that is to run.
    job: Option<JobId>,
}

impl Asks {
    /// The number of another one. It is none of those that this object gave before it lost its memory, or a late answer to one of them
    /// would be taken for that to another: they follow the clock.
    fn begin(&mut self, now: u64, job: Option<JobId>) -> Option<u64> {
        self.pending.retain(|_, pending| now < pending.until);
        if self.pending.len() >= MAX_ASKS {
            return None;
        }
        self.last = now.max(self.last + 1);
        let until = now + ANSWERED_WITHIN;
        let answer = None;
        self.pending.insert(self.last, Pending { until, answer, job });
        Some(self.last)
    }

    /// Whoever waits no more is not told.
    fn answered(&mut self, number: u64, answer: Answer) {
        if let Some(pending) = self.pending.get_mut(&number) {
            pending.answer.get_or_insert(RunnerAnswer::Answered { answer });
        }
    }

    /// What writes or has ended was run, also by a runner that does not answer.
    pub fn was_run(&mut self, job: &JobId) {
        let mut pending = self.pending.values_mut();
        if let Some(pending) = pending.find(|pending| pending.job.as_ref() == Some(job)) {
            let answer = Answer::Done;
            pending.answer.get_or_insert(RunnerAnswer::Answered { answer });
        }
    }

    fn take(&mut self, now: u64, number: u64) -> Option<RunnerAnswer> {
        let Some(pending) = self.pending.get_mut(&number) else {
            return Some(RunnerAnswer::Silent);
        };
        let answer = pending.answer.take();
        if answer.is_none() && now < pending.until {
            return None;
        }
        self.pending.remove(&number);
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
        let number = self.begin_to_ask(now, None)?;
        self.tell_agent(&ToAgent::Service {
            number,
            service: service.to_owned(),
            ask,
        });
        Ok(number)
    }

    /// The number of what the runner is about to be asked.
    pub(super) fn begin_to_ask(&mut self, now: u64, job: Option<JobId>) -> Result<u64, RunnerAnswer> {
        if !self.agent.is_runner() {
            return Err(RunnerAnswer::Offline);
        }
        let busy = || {
            let refusal = Refusal::Busy;
            RunnerAnswer::Answered {
                answer: Answer::Refused { refusal },
            }
        };
        self.asks.begin(now, job).ok_or_else(busy)
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
