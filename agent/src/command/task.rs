//! The task of a command: notes it, runs it, and keeps its result until it is forgotten.
use std::io;
use std::pin::pin;

use protocol::ids::StreamId;
use protocol::terminal::agent::{FromAgent, NoResult};
use tokio::sync::{Notify, mpsc};
use tokio::task::spawn_blocking;

use super::approval::objection;
use super::journal::Journal;
use super::run::execute;
use super::{Order, Spec};
use crate::session::{Outbox, Outgoing};

/// What a task begins with.
#[derive(Debug)]
pub enum Beginning {
    /// A command to run, the link that asked for it, and whether that takes what it writes as it comes.
    New(Spec, Outbox, bool),
    /// A result of an agent before this one.
    Ended(FromAgent),
}

/// Runs until the handle is dropped, and then until the command is gone. Notes what came of it, unless it is to be forgotten.
pub async fn run(stream: StreamId, beginning: Beginning, journal: Journal, mut orders: mpsc::Receiver<Order>) {
    let kill = Notify::new();
    let (spec, mut link, mut follows, mut result) = match beginning {
        Beginning::New(spec, link, follows) => (Some(spec), Some(link), follows, None),
        Beginning::Ended(result) => (None, None, false, Some(result)),
    };
    let (say, mut parts) = mpsc::channel(1);
    let mut running = pin!(start_and_end(stream, spec, &journal, &kill, &say));
    // What it wrote and the link has not taken.
    let mut part = None;
    // Whether the result is to be sent on this link.
    let mut owed = result.is_none();
    let mut forgotten = false;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Attach(outbox)) => (link, follows) = (Some(outbox), false),
                Some(Order::Detach) => link = None,
                Some(Order::Follow) => follows = true,
                Some(Order::Collect) => owed = true,
                Some(Order::Kill) => kill.notify_one(),
                Some(Order::Forget) => {
                    forgotten = true;
                    break;
                }
                None => break,
            },
            ended = &mut running, if result.is_none() => result = Some(ended),
            Some(next) = parts.recv(), if result.is_none() && part.is_none() => part = Some(next),
            permit = reserve(link.clone()), if result.is_none() && part.is_some() && follows && link.is_some() => {
                match (permit, part.take()) {
                    (Some(permit), Some(part)) => drop(permit.send(Outgoing::from(part))),
                    // The result will have it.
                    _ => link = None,
                }
            }
            permit = reserve(link.clone()), if owed && link.is_some() && result.is_some() => {
                match (permit, &result) {
                    (Some(permit), Some(result)) => {
                        let _ = permit.send(result.clone().into());
                        owed = false;
                    }
                    // The link is gone; the relay asks again on the next.
                    _ => link = None,
                }
            }
        }
    }
    if result.is_none() {
        kill.notify_one();
        running.await;
        if forgotten {
            on_disk(&journal, move |journal| journal.forget(stream)).await;
        }
    }
}

/// Runs a command once it is noted on the disk that it starts, and notes what came of it before anybody is told.
async fn start_and_end(
    stream: StreamId,
    spec: Option<Spec>,
    journal: &Journal,
    kill: &Notify,
    parts: &mpsc::Sender<FromAgent>,
) -> FromAgent {
    let failed = |error: String, reason| FromAgent::RunFailed { stream, error, reason };
    let Some(spec) = spec else {
        // Never waited for: there is a result already.
        return failed(String::new(), NoResult::NotRun);
    };
    if let Some((why, reason)) = objection(&spec).await {
        tracing::info!(%stream, %why, ?reason, "a command is not run");
        return failed(why, reason);
    }
    let noted = on_disk(journal, move |journal| journal.start(stream)).await;
    match noted.unwrap_or_else(|| Err(io::Error::other("the agent stops"))) {
        Ok(()) => {}
        // An order to run what was run, and whose result is gone.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return failed("it was started before".to_owned(), NoResult::Lost);
        }
        Err(error) => {
            return failed(
                format!("it cannot be noted on the machine's disk that it starts: {error}"),
                NoResult::NotRun,
            );
        }
    }
    let result = execute(spec, kill, parts).await;
    let kept = result.clone();
    if let Some(Err(error)) = on_disk(journal, move |journal| journal.end(stream, &kept)).await {
        tracing::warn!(%stream, %error, "the result of a command is in memory only");
    }
    result
}

/// A disk may take its time. Nothing if the runtime ends.
async fn on_disk<T: Send + 'static>(journal: &Journal, work: impl FnOnce(&Journal) -> T + Send + 'static) -> Option<T> {
    let journal = journal.clone();
    spawn_blocking(move || work(&journal)).await.ok()
}

/// Room for one message, unless the link is gone.
async fn reserve(link: Option<Outbox>) -> Option<mpsc::OwnedPermit<Outgoing>> {
    link?.reserve_owned().await.ok()
}
