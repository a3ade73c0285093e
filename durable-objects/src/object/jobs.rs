//! Jobs: orders that the Worker hands over, and what the runner says of them.
use protocol::relay_contract::{CancelJob, NamedJob};
use protocol::terminal::agent::ToAgent;
use protocol::terminal::jobs::StartJob;
use worker::{Request, Response, Result};

use super::Relay;
use super::arrival::told;
use crate::jobs;
use crate::log;
use crate::relay::JobNews;

impl Relay {
    pub(super) async fn start_job(&self, mut req: Request) -> Result<Response> {
        let job: StartJob = told(&mut req).await?;
        let answer = self.ask_and_wait(|relay, now| relay.start_job(now, job)).await;
        Response::from_json(&answer)
    }

    /// One that is not connected hears it when it says which jobs it has.
    pub(super) async fn cancel_job(&self, mut req: Request) -> Result<Response> {
        let CancelJob { job, username } = told(&mut req).await?;
        self.event(|relay, _| relay.tell_of_jobs(&[ToAgent::CancelJob { job, username }]))
            .await;
        Response::empty().map(|response| response.with_status(204))
    }

    /// Tells those who watch a job of the edge here what it has written. Its lines are stored already.
    pub(super) async fn tell_of_job(&self, mut req: Request) -> Result<Response> {
        let NamedJob { job } = req.json().await?;
        self.hint_watchers(Some(&job));
        self.run_watchers().await;
        Response::empty().map(|response| response.with_status(204))
    }

    /// Stores what the runner says of jobs and tells it. What fails it says again.
    pub(super) async fn store_job_news(&self, news: JobNews) {
        let Some(machine) = self.live.borrow().relay.machine().cloned() else {
            return;
        };
        let job = match &news {
            JobNews::Known(_) => None,
            JobNews::Output(output) => Some(output.job.clone()),
            JobNews::Ended(end) => Some(end.job.clone()),
        };
        let messages = match jobs::store(&self.env, &machine, news).await {
            Ok(messages) => messages,
            Err(error) => return log::error(&format!("what a runner says of jobs is not stored yet: {error}")),
        };
        let actions = {
            let mut live = self.live.borrow_mut();
            live.relay.tell_of_jobs(&messages);
            live.relay.take_actions()
        };
        // Nothing but messages to the agent.
        drop(self.perform(actions));
        self.hint_watchers(job.as_ref());
    }
}
