//! What it costs whoever types that others watch.
use std::pin::pin;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow, ensure};
use futures_util::future::{Either, select, try_join_all};
use tokio::sync::oneshot;

use super::echo::{BY_HAND, Keys, typed};
use super::memory::CROWD;
use crate::product::{Product, join};
use crate::terminal::{Attachment, StreamTerminal, Terminal, echoes};

/// Types as a person does, while nobody watches, or while a crowd does.
pub async fn measure(product: &Product, watched: bool) -> Result<Keys> {
    let (edge, agent) = (|| product.edge.processor_time(), || product.agent_time());
    let session = product.session()?;
    let mut typist = StreamTerminal::attach(&session.attachment).await?;
    echoes(&mut typist).await?;
    let crowd = match watched {
        true => Some(Crowd::gather(product.share(&session).await?).await?),
        false => None,
    };
    let keys = typed(&mut typist, BY_HAND, Some(&edge), Some(&agent)).await?;
    if let Some(crowd) = crowd {
        crowd.leave()?;
    }
    product.close(&session).await?;
    Ok(keys)
}

/// Those who watch. They read on a thread of their own: whoever types does not wait for them to draw.
struct Crowd {
    leave: oneshot::Sender<()>,
    reads: JoinHandle<Result<()>>,
}

impl Crowd {
    async fn gather(seat: Attachment) -> Result<Self> {
        let (leave, left) = oneshot::channel();
        let (gathered, all_there) = oneshot::channel();
        let reads = thread::spawn(move || watch(&seat, gathered, left));
        let crowd = Self { leave, reads };
        match all_there.await {
            Ok(()) => Ok(crowd),
            Err(_) => Err(crowd.leave().err().context("the crowd is not there")?),
        }
    }

    fn leave(self) -> Result<()> {
        // One that has left already says why below.
        let _ = self.leave.send(());
        self.reads.join().map_err(|_| anyhow!("the crowd panicked"))?
    }
}

fn watch(seat: &Attachment, gathered: oneshot::Sender<()>, left: oneshot::Receiver<()>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut watchers = try_join_all((0..CROWD).map(|_| join(seat)))
            .await
            .context("who watches did not get in")?;
        let _ = gathered.send(());
        let mut seen = vec![0; CROWD];
        let reads = try_join_all(
            watchers
                .iter_mut()
                .zip(&mut seen)
                .map(async |(watcher, seen)| -> Result<()> {
                    loop {
                        *seen += watcher.output().await?.len();
                    }
                }),
        );
        if let Either::Right((read, _)) = select(left, pin!(reads)).await {
            read.context("a watcher left")?;
        }
        let least = seen.iter().min().copied().unwrap_or_default();
        ensure!(least >= BY_HAND.counted(), "a watcher saw {least} bytes and no more");
        Ok(())
    })
}
