//! How fast a lot of output arrives, with every byte checked.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tokio::time::{Instant, timeout};

use crate::source::Verifier;
use crate::terminal::Terminal;

/// How long output may stand still.
const OUTPUT_WITHIN: Duration = Duration::from_secs(20);

/// Reads `len` bytes of the source, of which `begun` came already. Returns MB/s.
pub async fn measure(terminal: &mut impl Terminal, begun: Bytes, len: u64) -> Result<f64> {
    let began = Instant::now();
    let mut verifier = Verifier::default();
    verifier.check(&begun)?;
    read(terminal, &mut verifier, len).await?;
    ensure!(
        verifier.verified() == len,
        "{} bytes came in place of {len}",
        verifier.verified()
    );
    let seconds = began.elapsed().as_secs_f64();
    Ok((len - begun.len() as u64) as f64 / 1e6 / seconds)
}

/// Reads until at least `until` bytes of the source have come.
pub async fn read(terminal: &mut impl Terminal, verifier: &mut Verifier, until: u64) -> Result<()> {
    while verifier.verified() < until {
        let output = timeout(OUTPUT_WITHIN, terminal.output()).await;
        verifier.check(&output.with_context(|| format!("nothing came after {} bytes", verifier.verified()))??)?;
    }
    Ok(())
}
