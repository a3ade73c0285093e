//! Commands: programs that run without a terminal, and whose output is kept until the relay has passed it on. They outlive
//! links.
mod captured;
mod run;
mod task;

use std::collections::HashMap;
use std::time::Duration;

use protocol::ids::StreamId;
use protocol::limits::{COMMAND_SECONDS, MAX_COMMANDS};
use protocol::terminal::agent::FromAgent;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::process::Origin;
use crate::session::Outbox;
use crate::system::System;

/// Orders that a command may have waiting; it takes them at once.
const ORDERS: usize = 8;

/// How long killed commands may take to be gone when the agent stops.
const STOP_GRACE: Duration = Duration::from_secs(2);

const UNKNOWN: &str = "the machine knows nothing of this command: it was not run, or the agent was restarted meanwhile";

/// A command to run.
#[derive(Debug)]
pub struct Spec {
    /// The number it goes by.
    pub stream: StreamId,
    /// What a POSIX shell is to run.
    pub command: String,
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
}

/// A time that the relay asks for, brought within bounds.
pub fn within_bounds(seconds: u32) -> Duration {
    let seconds = seconds.clamp(*COMMAND_SECONDS.start(), *COMMAND_SECONDS.end());
    Duration::from_secs(seconds.into())
}

/// What a command is told.
#[derive(Debug)]
enum Order {
    /// There is a new link.
    Attach(Outbox),
    /// The link is gone.
    Detach,
    /// The result is wanted, once there is one.
    Collect,
    /// It is to be killed.
    Kill,
}

/// All commands, by number.
#[derive(Debug, Default)]
pub struct Commands {
    running: HashMap<StreamId, Handle>,
    /// Tasks whose command was forgotten and is being killed.
    leaving: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Handle {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

impl Commands {
    /// Runs a command; its result follows on the outbox. One that is known goes on. Must be called within a tokio runtime.
    /// The answer, if there is one, is that it cannot be run.
    pub fn run(&mut self, spec: Spec, outbox: &Outbox) -> Option<FromAgent> {
        let stream = spec.stream;
        if self.running.contains_key(&stream) {
            return None;
        }
        if self.running.len() >= MAX_COMMANDS {
            let error = format!("this machine already runs {MAX_COMMANDS} commands");
            return Some(FromAgent::RunFailed { stream, error });
        }
        let (orders, inbox) = mpsc::channel(ORDERS);
        let task = tokio::spawn(task::run(spec, outbox.clone(), inbox));
        self.running.insert(stream, Handle { orders, task });
        None
    }

    /// Has a result sent once it is there. The answer, if there is one, is that no such command is known.
    pub async fn collect(&self, stream: StreamId) -> Option<FromAgent> {
        if let Some(command) = self.running.get(&stream) {
            command.tell(Order::Collect).await;
            return None;
        }
        let error = UNKNOWN.to_owned();
        Some(FromAgent::RunFailed { stream, error })
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
    pub fn forget(&mut self, stream: StreamId) -> bool {
        self.leaving.retain(|task| !task.is_finished());
        let command = self.running.remove(&stream);
        let found = command.is_some();
        self.leaving.extend(command.map(|command| command.task));
        found
    }

    /// Gives all commands a new link. Answers which there are.
    pub async fn attach(&self, outbox: &Outbox) -> Vec<StreamId> {
        for command in self.running.values() {
            command.tell(Order::Attach(outbox.clone())).await;
        }
        self.known()
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

    /// Kills all commands and waits until they are gone.
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

impl Handle {
    async fn tell(&self, order: Order) {
        // A task takes orders until its handle is dropped.
        let _ = self.orders.send(order).await;
    }
}
