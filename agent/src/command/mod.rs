//! Commands: programs that run without a terminal, and whose output is kept until the relay has passed it on or stored it. They
//! outlive links, and their results outlive the agent.
mod approval;
mod captured;
mod journal;
mod run;
mod task;

use std::collections::HashMap;
use std::time::Duration;

use protocol::api::command_policy::Policies;
use protocol::ids::{AgentId, JournalId, StreamId};
use protocol::limits::{COMMAND_SECONDS, MAX_COMMANDS, SCRIPT_SECONDS};
use protocol::terminal::agent::{FromAgent, NoResult};
use protocol::terminal::limits::SessionLimits;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use journal::Journal;
use task::Beginning;

use crate::cgroup::Cgroups;
use crate::config::Config;
use crate::process::Origin;
use crate::session::Outbox;
use crate::system::System;

/// Orders that a command may have waiting; it takes them at once.
const ORDERS: usize = 8;

/// How long killed commands may take to be gone when the agent stops.
const STOP_GRACE: Duration = Duration::from_secs(2);

const UNKNOWN: &str = "the machine knows nothing of this command: it was not run";

/// A command to run.
#[derive(Debug)]
pub struct Spec {
    /// The number it goes by.
    pub stream: StreamId,
    /// What bash is to run.
    pub command: String,
    /// Whether it ends at the first command that fails, and its output is also kept in a file.
    pub script: bool,
    /// After how long it is killed.
    pub timeout: Duration,
    /// Name of the account it runs as.
    pub account: String,
    /// Whether it may gain privileges.
    pub privileges: bool,
    /// Whose accounts and files these are.
    pub system: System,
    /// Who asked for it.
    pub origin: Origin,
    /// What it may do…
    pub limits: SessionLimits,
    /// …and what binds it.
    pub cgroups: Cgroups,
    /// What may run.
    pub policies: Policies,
    /// What is to prove that somebody approved it, if that was said.
    pub approval: Option<String>,
    /// The machine that it is for.
    pub agent_id: AgentId,
}

/// A time that the relay asks for, brought within bounds.
pub fn within_bounds(seconds: u32, script: bool) -> Duration {
    let longest = if script { SCRIPT_SECONDS } else { *COMMAND_SECONDS.end() };
    let seconds = seconds.clamp(*COMMAND_SECONDS.start(), longest);
    Duration::from_secs(seconds.into())
}

/// What a command is told.
#[derive(Debug)]
enum Order {
    /// There is a new link.
    Attach(Outbox),
    /// The link is gone.
    Detach,
    /// The link takes what it writes as it comes.
    Follow,
    /// The result is wanted, once there is one.
    Collect,
    /// It is to be killed.
    Kill,
    /// It is to be killed if it runs, and nobody will ask for its result.
    Forget,
}

/// All commands, by number.
#[derive(Debug)]
pub struct Commands {
    /// Or in words why there is none: nothing is run then.
    journal: Result<Journal, String>,
    running: HashMap<StreamId, Handle>,
    /// Tasks whose command was forgotten and is being killed.
    leaving: Vec<JoinHandle<()>>,
    /// Whether the link takes what commands write as it comes.
    follows: bool,
}

#[derive(Debug)]
struct Handle {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

impl Commands {
    /// The commands of a configuration: what an agent before this one has left of them. Must be called within a tokio runtime.
    pub fn of(config: &Config) -> Self {
        let (journal, left) = match Journal::of(config) {
            Ok((journal, left)) => (Ok(journal), left),
            Err(error) => {
                tracing::warn!(%error, "commands cannot be noted on this machine's disk, and are refused");
                (Err(error.to_string()), Vec::new())
            }
        };
        let mut commands = Self {
            journal,
            running: HashMap::new(),
            leaving: Vec::new(),
            follows: false,
        };
        for (stream, result) in left {
            commands.spawn(stream, Beginning::Ended(result));
        }
        commands
    }

    /// The name of the journal, if there is one.
    pub fn journal(&self) -> Option<&JournalId> {
        self.journal.as_ref().ok().map(Journal::name)
    }

    /// Runs a command; its result follows on the outbox. One that is known goes on. Must be called within a tokio runtime.
    /// The answer, if there is one, is that it cannot be run.
    pub fn run(&mut self, spec: Spec, outbox: &Outbox) -> Option<FromAgent> {
        let stream = spec.stream;
        if self.running.contains_key(&stream) {
            return None;
        }
        if self.running.len() >= MAX_COMMANDS {
            return Some(not_run(
                stream,
                format!("this machine already runs {MAX_COMMANDS} commands"),
            ));
        }
        if let Err(why) = &self.journal {
            let error = format!("it cannot be noted on the machine's disk that it starts: {why}");
            return Some(not_run(stream, error));
        }
        self.spawn(stream, Beginning::New(spec, outbox.clone(), self.follows));
        None
    }

    fn spawn(&mut self, stream: StreamId, beginning: Beginning) {
        let Ok(journal) = self.journal.clone() else { return };
        let (orders, inbox) = mpsc::channel(ORDERS);
        let task = tokio::spawn(task::run(stream, beginning, journal, inbox));
        self.running.insert(stream, Handle { orders, task });
    }

    /// Has a result sent once it is there. The answer, if there is one, is that no such command is known.
    pub async fn collect(&self, stream: StreamId) -> Option<FromAgent> {
        if let Some(command) = self.running.get(&stream) {
            command.tell(Order::Collect).await;
            return None;
        }
        Some(FromAgent::RunFailed {
            stream,
            error: UNKNOWN.to_owned(),
            reason: NoResult::NotKnown,
        })
    }

    /// Kills a command. Answers whether there is one.
    pub async fn kill(&self, stream: StreamId) -> bool {
        let command = self.running.get(&stream);
        if let Some(command) = command {
            command.tell(Order::Kill).await;
        }
        command.is_some()
    }

    /// Drops a command's result, and kills the command if it still runs. Answers whether there was one.
    pub async fn forget(&mut self, stream: StreamId) -> bool {
        self.leaving.retain(|task| !task.is_finished());
        let Some(command) = self.running.remove(&stream) else {
            return false;
        };
        command.tell(Order::Forget).await;
        self.leaving.push(command.task);
        // A line. One that still runs is noted once more when it ends, and its task removes that.
        if let Ok(journal) = &self.journal {
            journal.forget(stream);
        }
        true
    }

    /// Gives all commands a new link. Answers which there are.
    pub async fn attach(&mut self, outbox: &Outbox) -> Vec<StreamId> {
        self.follows = false;
        for command in self.running.values() {
            command.tell(Order::Attach(outbox.clone())).await;
        }
        self.known()
    }

    /// The link takes what commands write as it comes.
    pub async fn follow(&mut self) {
        self.follows = true;
        for command in self.running.values() {
            command.tell(Order::Follow).await;
        }
    }

    /// The link is gone.
    pub async fn detach(&self) {
        for command in self.running.values() {
            command.tell(Order::Detach).await;
        }
    }

    /// The commands that run, or whose result nobody has taken.
    pub fn known(&self) -> Vec<StreamId> {
        self.running.keys().copied().collect()
    }

    /// Kills all commands and waits until they are gone. What came of them is noted.
    pub async fn close(&mut self) {
        let handles = self.running.drain().map(|(_, command)| command.task);
        let tasks: Vec<_> = self.leaving.drain(..).chain(handles).collect();
        if timeout(STOP_GRACE, futures_util::future::join_all(tasks))
            .await
            .is_err()
        {
            tracing::warn!("some commands did not end in time");
        }
    }
}

fn not_run(stream: StreamId, error: String) -> FromAgent {
    FromAgent::RunFailed {
        stream,
        error,
        reason: NoResult::NotRun,
    }
}

impl Handle {
    async fn tell(&self, order: Order) {
        // A task takes orders until its handle is dropped.
        let _ = self.orders.send(order).await;
    }
}
