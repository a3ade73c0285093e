//! The task of a command: runs it, and keeps its result until it is forgotten.
use std::pin::pin;

use protocol::terminal::agent::FromAgent;
use tokio::sync::{Notify, mpsc};

use super::run::execute;
use super::{Order, Spec};
use crate::session::{Outbox, Outgoing};

/// Runs until the handle is dropped, and then until the command is gone.
pub async fn run(spec: Spec, outbox: Outbox, mut orders: mpsc::Receiver<Order>) {
    let kill = Notify::new();
    let mut running = pin!(execute(spec, &kill));
    let mut link = Some(outbox);
    let mut result: Option<FromAgent> = None;
    // Whether the result is to be sent on this link.
    let mut owed = true;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Attach(outbox)) => link = Some(outbox),
                Some(Order::Detach) => link = None,
                Some(Order::Collect) => owed = true,
                Some(Order::Kill) => kill.notify_one(),
                None => break,
            },
            ended = &mut running, if result.is_none() => result = Some(ended),
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
    }
}

/// Room for one message, unless the link is gone.
async fn reserve(link: Option<Outbox>) -> Option<mpsc::OwnedPermit<Outgoing>> {
    link?.reserve_owned().await.ok()
}
