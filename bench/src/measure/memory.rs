//! What bulk output costs workerd in memory when somebody does not read it, and when many read it.
//!
//! The resident memory of the whole process is what can be seen from outside. It contains the heap of the Worker and its object, which
//! the runtime's inspector tells of, beside what the runtime itself holds, such as the buffers of its sockets.
use std::cell::Cell;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use futures_util::future::{join, try_join_all};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::bulk::read;
use crate::process::Runtime;
use crate::product::{self, Product};
use crate::source::Verifier;
use crate::terminal::{StreamTerminal, Terminal, begun, pours};

/// How long the viewer does not read.
pub const STALL: Duration = Duration::from_secs(8);

/// How many read besides whoever has the output written.
pub const CROWD: usize = 100;

/// What the viewer reads before it stops reading, and again afterwards, to see that nothing is missing.
const VIEWER_READS: u64 = 16 * 1024 * 1024;

/// What each of the crowd reads.
const EACH_READS: u64 = 4 * 1024 * 1024;

/// How often the memory is looked at.
const SAMPLE: Duration = Duration::from_millis(50);

/// Memory in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    /// Of workerd, the whole process.
    pub resident: u64,
    /// Of JavaScript's objects and of its buffers, with garbage.
    pub heap: u64,
}

/// What is held during a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// With the agent connected and no session yet.
    pub at_rest: Held,
    /// At most while output is read.
    pub reading: Held,
    /// At most while it is not, if that was measured.
    pub stalled: Option<Held>,
    /// Of WebAssembly, at the end. It does not shrink.
    pub linear: u64,
}

impl Held {
    async fn now(edge: &mut Runtime) -> Result<Self> {
        Ok(Self {
            resident: edge.resident_memory()?,
            heap: edge.heap().await?,
        })
    }

    fn max(self, other: Self) -> Self {
        Self {
            resident: self.resident.max(other.resident),
            heap: self.heap.max(other.heap),
        }
    }
}

/// A viewer reads, then stops, then reads on.
pub async fn stall(product: &mut Product, open: impl Future<Output = Result<impl Terminal>>) -> Result<Memory> {
    let at_rest = Held::now(&mut product.edge).await?;
    let mut terminal = open.await?;
    let before = async {
        let begun = pours(&mut terminal, u64::MAX).await?;
        read_on(&mut terminal, begun, VIEWER_READS).await
    };
    let (reading, verifier) = peak(&mut product.edge, before).await?;
    let mut verifier = verifier?;
    // The relay trusts a client that it has just heard more than a silent one, and so this is the worst moment.
    terminal.send(b"x").await?;
    let (stalled, ()) = peak(&mut product.edge, sleep(STALL)).await?;
    read(&mut terminal, &mut verifier, 2 * VIEWER_READS).await?;
    Ok(Memory {
        at_rest,
        reading,
        stalled: Some(stalled),
        linear: product.edge.linear_memory().await?,
    })
}

/// A session and as many others as make a crowd, who may type or who watch, read what one of them has it write.
pub async fn crowd(product: &mut Product, watch: bool) -> Result<Memory> {
    let session = product.session()?;
    let mut typist = StreamTerminal::attach(&session.attachment).await?;
    let seat = match watch {
        true => &product.share(&session).await?,
        false => &session.attachment,
    };
    let at_rest = Held::now(&mut product.edge).await?;
    let crowd = async {
        let mut others = try_join_all((0..CROWD).map(|_| product::join(seat))).await?;
        let theirs = try_join_all(others.iter_mut().map(async |other| {
            let begun = begun(other).await?;
            read_on(other, begun, EACH_READS).await
        }));
        let its = async {
            let begun = pours(&mut typist, u64::MAX).await?;
            read_on(&mut typist, begun, EACH_READS).await
        };
        tokio::try_join!(theirs, its)
    };
    let (reading, read) = peak(&mut product.edge, crowd).await?;
    read?;
    product.close(&session).await?;
    Ok(Memory {
        at_rest,
        reading,
        stalled: None,
        linear: product.edge.linear_memory().await?,
    })
}

/// Reads what follows `begun` until there are `len` bytes in all.
async fn read_on(terminal: &mut impl Terminal, begun: Bytes, len: u64) -> Result<Verifier> {
    let mut verifier = Verifier::default();
    verifier.check(&begun)?;
    read(terminal, &mut verifier, len).await?;
    Ok(verifier)
}

/// The most memory that is held until something is done.
async fn peak<T>(edge: &mut Runtime, done: impl Future<Output = T>) -> Result<(Held, T)> {
    let over = Cell::new(false);
    let done = async {
        let result = done.await;
        over.set(true);
        result
    };
    // Each sample is waited for: its answer would be taken for the next one's.
    let samples = async {
        let mut peak = Held::default();
        let mut sample = interval(SAMPLE);
        sample.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !over.get() {
            sample.tick().await;
            peak = peak.max(Held::now(edge).await?);
        }
        anyhow::Ok(peak)
    };
    let (result, peak) = join(done, samples).await;
    Ok((peak?, result))
}
