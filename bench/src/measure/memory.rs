//! What bulk output costs workerd in memory when somebody does not read it, and when many read it.
//!
//! The resident memory of the whole process is what can be seen from outside. It contains the object's heap, and so bounds
//! it from above, beside what the runtime itself holds, such as the buffers of its sockets.
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use futures_util::future::try_join_all;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::bulk::read;
use crate::process::Runtime;
use crate::product::Product;
use crate::source::Verifier;
use crate::terminal::{StreamTerminal, Terminal, begun, pours};

/// How long the viewer does not read.
pub const STALL: Duration = Duration::from_secs(8);

/// How many watch.
pub const CROWD: usize = 100;

/// What is read before the viewer stops reading, and what each of the crowd reads: everything is at work then.
const AT_WORK: u64 = 4 * 1024 * 1024;

/// What the viewer reads afterwards, to see that nothing is missing: more than could wait for one that acknowledges.
const AFTERWARDS: u64 = 16 * 1024 * 1024;

/// How often the memory is looked at.
const SAMPLE: Duration = Duration::from_millis(50);

/// By how much workerd's memory grows at most while a viewer does not read, in bytes.
pub async fn stalled(product: &Product, terminal: &mut impl Terminal) -> Result<u64> {
    let begun = pours(terminal, u64::MAX).await?;
    let mut verifier = read_on(terminal, begun, AT_WORK).await?;
    let (growth, ()) = growth(&product.edge, sleep(STALL)).await?;
    read(terminal, &mut verifier, AT_WORK + AFTERWARDS).await?;
    Ok(growth)
}

/// By how much workerd's memory grows at most while a hundred who may type join a session and read it, in bytes.
pub async fn crowd(product: &Product) -> Result<u64> {
    let session = product.session()?;
    let mut typist = StreamTerminal::attach(&session.attachment).await?;
    let reading = async {
        let mut others = try_join_all((1..CROWD).map(|_| session.join())).await?;
        let theirs = try_join_all(others.iter_mut().map(async |other| {
            let begun = begun(other).await?;
            read_on(other, begun, AT_WORK).await
        }));
        let its = async {
            let begun = pours(&mut typist, u64::MAX).await?;
            read_on(&mut typist, begun, AT_WORK).await
        };
        tokio::try_join!(theirs, its)
    };
    let (growth, read) = growth(&product.edge, reading).await?;
    read?;
    product.close(&session).await?;
    Ok(growth)
}

/// Reads what follows `begun` until there are `len` bytes in all.
async fn read_on(terminal: &mut impl Terminal, begun: Bytes, len: u64) -> Result<Verifier> {
    let mut verifier = Verifier::default();
    verifier.check(&begun)?;
    read(terminal, &mut verifier, len).await?;
    Ok(verifier)
}

/// By how much workerd's memory grows at most until something is done.
async fn growth<T>(edge: &Runtime, done: impl Future<Output = T>) -> Result<(u64, T)> {
    let before = edge.resident_memory()?;
    let mut peak = before;
    let mut sample = interval(SAMPLE);
    sample.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done = std::pin::pin!(done);
    loop {
        tokio::select! {
            result = &mut done => return Ok((peak - before, result)),
            _ = sample.tick() => peak = peak.max(edge.resident_memory()?),
        }
    }
}
