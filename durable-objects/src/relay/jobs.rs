//! Jobs of a runner on their way: orders to it, and what it says of them to the directory. The agent keeps what a job writes until it is
//! stored, and the rows say how much of it is, so nothing of a job is kept here.
use protocol::ids::JobId;
use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::jobs::{JobEnd, JobOutput, MAX_JOB_OUTPUT, MAX_JOB_PART, MAX_JOB_REMARKS, MAX_JOBS, StartJob};
use protocol::terminal::services::{Answer, Refusal};

use super::RelayState;

/// Longest note of a job, in bytes: a sentence.
const MAX_NOTE: usize = 1000;

/// What a runner says of its jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobNews {
    /// It has a note of these and of no others.
    Known(Vec<JobId>),
    /// One has written more.
    Output(JobOutput),
    /// One is over.
    Ended(JobEnd),
}

impl JobNews {
    /// Whether it is within what a runner may say.
    fn is_within_bounds(&self) -> bool {
        match self {
            Self::Known(jobs) => jobs.len() <= MAX_JOBS,
            Self::Output(JobOutput { offset, text, .. }) => {
                let end = offset.saturating_add(text.len() as u64);
                (1..=MAX_JOB_PART).contains(&text.len()) && end <= MAX_JOB_OUTPUT + MAX_JOB_REMARKS
            }
            Self::Ended(end) => {
                end.note.as_ref().is_none_or(|note| note.len() <= MAX_NOTE) && end.outputs.is_within_bounds()
            }
        }
    }
}

impl RelayState {
    /// Has the runner run a job whose row is there, under the number that is answered, or says why not.
    pub fn start_job(&mut self, now: u64, job: StartJob) -> Result<u64, RunnerAnswer> {
        // It would have bash run the playbook.
        if job.playbook.is_some() && self.agent.is_runner() && !self.agent.runs_playbooks() {
            let refusal = Refusal::TooOld;
            let answer = Answer::Refused { refusal };
            return Err(RunnerAnswer::Answered { answer });
        }
        let number = self.begin_to_ask(now, Some(job.job.clone()))?;
        let job = StartJob {
            number: Some(number),
            ..job
        };
        self.tell_agent(&ToAgent::Job { job });
        Ok(number)
    }

    /// The runner says something of its jobs.
    pub(super) fn job_news(&mut self, now: u64, news: JobNews) {
        match self.agent.is_runner() && news.is_within_bounds() {
            true => {
                if let JobNews::Output(JobOutput { job, .. }) | JobNews::Ended(JobEnd { job, .. }) = &news {
                    self.asks.was_run(job);
                }
                self.out.job(news);
            }
            false => self.drop_agent(now, Close::ProtocolError),
        }
    }

    /// What there is to say to the runner of its jobs: what became of what it said, or that one is to end.
    pub fn tell_of_jobs(&mut self, messages: &[ToAgent]) {
        for message in messages {
            self.tell_agent(message);
        }
    }
}
