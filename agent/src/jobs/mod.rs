//! Jobs: scripts of services that run on a runner ([`run`]), whose output is kept until the edge has stored it ([`keep`]). They outlive
//! links, and end with the agent; [`notes`] of them do not.
mod command;
mod environment;
mod keep;
mod mask;
mod notes;
mod private;
mod recap;
mod run;
mod script;
mod text;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use protocol::ids::JobId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::jobs::{JobEnd, MAX_JOBS, Outputs, StartJob};
use protocol::terminal::services::Refusal;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::config::Config;
use crate::session::Outbox;
use crate::stream_log::Limits;
use crate::system::System;
use crate::timer::reach;
use keep::{Beginning, Order};
use notes::{Left, Notes};
use run::Spec;

/// Orders that a job may have waiting; it takes them at once.
const ORDERS: usize = 8;

/// When the edge is told again which jobs there are, while there are some, and once after a link was made: an order that got lost with the
/// link before is missed then, and so is one to call a job off.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// How long killed jobs may take to be gone when the agent stops.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// The jobs of a machine over all links of one run.
#[derive(Debug)]
pub struct Jobs {
    config: Config,
    system: System,
    /// Or in words why there are none: nothing is run then.
    notes: Result<Notes, String>,
    running: HashMap<JobId, Handle>,
    /// Tasks of jobs that were forgotten.
    leaving: Vec<JoinHandle<()>>,
    link: Option<Outbox>,
    /// When it is told which there are.
    tell_at: Option<Instant>,
    told_once: bool,
}

#[derive(Debug)]
struct Handle {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

impl Jobs {
    /// The jobs of a configuration: what an agent before this one has left of them. Must be called within a tokio runtime.
    pub fn of(config: &Config, system: System) -> Self {
        let (notes, left) = match Self::notes(config) {
            Ok((notes, left)) => (Ok(notes), left),
            Err(error) => (Err(error), Vec::new()),
        };
        let mut jobs = Self {
            config: config.clone(),
            system,
            notes,
            running: HashMap::new(),
            leaving: Vec::new(),
            link: None,
            tell_at: None,
            told_once: false,
        };
        for (job, end) in left {
            private::remove(&config.storage.job_files(&config.agent.id, &job));
            jobs.spawn(job, Beginning::Left(end));
        }
        jobs
    }

    /// One that is no runner leaves no folder behind.
    fn notes(config: &Config) -> Result<(Notes, Left), String> {
        if config.services.is_none() {
            return Err("this machine is no runner".to_owned());
        }
        Notes::open(config.storage.jobs(&config.agent.id)).map_err(|error| {
            tracing::warn!(%error, "jobs cannot be noted on this machine's disk, and are refused");
            format!("it cannot be noted on the machine's disk that it starts: {error}")
        })
    }

    /// There is a new link, whose relay has not said that it takes any.
    pub async fn attach(&mut self, outbox: &Outbox) {
        (self.link, self.tell_at, self.told_once) = (Some(outbox.clone()), None, false);
        for job in self.running.values() {
            job.tell(Order::Attach(outbox.clone())).await;
        }
    }

    /// The link is gone.
    pub async fn detach(&mut self) {
        (self.link, self.tell_at) = (None, None);
        for job in self.running.values() {
            job.tell(Order::Detach).await;
        }
    }

    /// The relay takes jobs.
    pub fn welcome(&mut self) {
        self.tell_at = self.config.services.as_ref().map(|_| Instant::now());
    }

    /// Waits until it is time to tell which jobs there are.
    pub async fn due(&self) {
        reach(self.tell_at).await;
    }

    /// Which jobs there are.
    pub fn tell(&mut self) -> FromAgent {
        self.leaving.retain(|task| !task.is_finished());
        self.drop_refused();
        let again = !self.running.is_empty() || !std::mem::replace(&mut self.told_once, true);
        self.tell_at = again.then(|| Instant::now() + TELL_EVERY);
        let jobs = self.running.keys().cloned().collect();
        FromAgent::Jobs { jobs }
    }

    /// Does what the relay says of jobs. What can be answered at once is.
    pub async fn obey(&mut self, message: ToAgent) -> Option<FromAgent> {
        match message {
            ToAgent::Job { job } => return self.run(job),
            ToAgent::JobStored { job, offset } => self.order(&job, Order::Stored(offset)).await,
            ToAgent::CancelJob { job, username } => self.order(&job, Order::Cancel(username)).await,
            ToAgent::ForgetJob { job } => {
                if let Some(handle) = self.running.remove(&job) {
                    handle.tell(Order::Forget).await;
                    self.leaving.push(handle.task);
                }
            }
            _ => {}
        }
        None
    }

    /// Runs a job; whether it begins, what it writes and how it ends follows. One that is known goes on. What can be answered at once is.
    fn run(&mut self, start: StartJob) -> Option<FromAgent> {
        self.drop_refused();
        if self.running.contains_key(&start.job) {
            return start.number.map(|number| script::answer(number, None));
        }
        let refused = |refusal: Refusal, why: &str| {
            if let Some(number) = start.number {
                return Some(script::answer(number, Some(refusal)));
            }
            let end = JobEnd {
                job: start.job.clone(),
                code: None,
                signal: None,
                note: Some(format!("[ERROR: {why}]")),
                outputs: Outputs::default(),
            };
            Some(FromAgent::JobEnded { end })
        };
        if self.running.len() >= MAX_JOBS {
            return refused(Refusal::Busy, &format!("this machine already runs {MAX_JOBS} jobs"));
        }
        if let Err(why) = &self.notes {
            return refused(Refusal::Failed { error: why.clone() }, why);
        }
        let (Some(services), Some(link)) = (&self.config.services, &self.link) else {
            return refused(Refusal::NoService, "this machine is no runner");
        };
        let job = start.job.clone();
        tracing::info!(%job, service = start.service, file = start.file, username = start.username, "a job is run");
        let spec = Spec {
            start,
            root: services.directory.clone(),
            account: self.config.linux_user.username.clone(),
            privileges: self.config.permissions.allow_sudo,
            system: self.system.clone(),
            edge: self.config.server.endpoint().host_str().unwrap_or_default().to_owned(),
            pass_environment: services.pass_environment.clone(),
            files: self.config.storage.job_files(&self.config.agent.id, &job),
        };
        let beginning = Beginning::New(Box::new(spec), link.clone());
        self.spawn(job, beginning);
        // While there is one, it is told.
        self.tell_at.get_or_insert_with(|| Instant::now() + TELL_EVERY);
        None
    }

    /// A job that was refused is none. Those that run, or whose end is not stored, have a task.
    fn drop_refused(&mut self) {
        self.running.retain(|_, handle| !handle.task.is_finished());
    }

    fn spawn(&mut self, job: JobId, beginning: Beginning) {
        let Ok(notes) = self.notes.clone() else { return };
        let (orders, inbox) = mpsc::channel(ORDERS);
        let limits = Limits::in_directory(self.directory());
        let task = tokio::spawn(keep::keep(job.clone(), beginning, notes, limits, inbox));
        self.running.insert(job, Handle { orders, task });
    }

    fn directory(&self) -> PathBuf {
        self.config.storage.directory.clone()
    }

    async fn order(&self, job: &JobId, order: Order) {
        match self.running.get(job) {
            Some(handle) => handle.tell(order).await,
            None => tracing::debug!(%job, "the relay names a job that is not here; ignored"),
        }
    }

    /// Kills all jobs and waits until they are gone. How they ended is noted.
    pub async fn close(&mut self) {
        let handles = self.running.drain().map(|(_, job)| job.task);
        let tasks: Vec<_> = self.leaving.drain(..).chain(handles).collect();
        if timeout(STOP_GRACE, futures_util::future::join_all(tasks))
            .await
            .is_err()
        {
            tracing::warn!("some jobs did not end in time");
        }
    }
}

impl Handle {
    async fn tell(&self, order: Order) {
        // A task takes orders until its handle is dropped.
        let _ = self.orders.send(order).await;
    }
}
