//! How long a viewer whose connection was cut waits for the byte after the last it has.
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep, timeout};

use super::bulk::read;
use crate::product::Product;
use crate::source::Verifier;
use crate::stats::Latency;
use crate::terminal::{StreamTerminal, Terminal, pours};

/// How often the connection is cut.
pub const CUTS: usize = 100;

/// What is read between cuts: enough that a cut meets full buffers.
const BETWEEN_CUTS: u64 = 512 * 1024;

/// How long the viewer stays away after every other cut: long enough that the relay no longer has the next byte and must
/// fetch it from the agent's log.
const AWAY: Duration = Duration::from_millis(100);

/// How long a byte may take at all.
const BYTE_WITHIN: Duration = Duration::from_secs(20);

/// Cuts a viewer off in the middle of bulk output, again and again. A byte that is lost or comes twice is an error.
pub async fn measure(product: &Product) -> Result<Latency> {
    let session = product.session()?;
    let mut terminal = StreamTerminal::attach(&session.attachment).await?;
    let mut verifier = Verifier::default();
    verifier.check(&pours(&mut terminal, u64::MAX).await?)?;
    let mut samples = Vec::with_capacity(CUTS);
    for number in 0..CUTS {
        let until = verifier.verified() + BETWEEN_CUTS;
        read(&mut terminal, &mut verifier, until).await?;
        let cut = terminal.cut();
        if number % 2 == 1 {
            sleep(AWAY).await;
        }
        let back = Instant::now();
        terminal = cut.resume(&session.attachment).await?;
        let output = timeout(BYTE_WITHIN, terminal.output())
            .await
            .context("nothing came after a cut")??;
        samples.push(back.elapsed());
        verifier.check(&output)?;
    }
    product.close(&session).await?;
    Latency::of(samples).context("nothing was cut")
}
