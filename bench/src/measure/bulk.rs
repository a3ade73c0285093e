//! How fast a lot of output arrives, with every byte checked.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use protocol::recording::CHUNK_BYTES;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::Clock;
use crate::http::Http;
use crate::process::Runtime;
use crate::source::Verifier;
use crate::terminal::Terminal;

/// How long output may stand still.
const OUTPUT_WITHIN: Duration = Duration::from_secs(20);

/// What one run gave.
#[derive(Debug, Clone, Copy)]
pub struct Bulk {
    /// MB/s.
    pub rate: f64,
    /// Seconds of workerd's processor time for each GB, where there is one.
    pub workerd: Option<f64>,
    /// Seconds of the agent's, where there is one.
    pub agent: Option<f64>,
}

/// Reads `len` bytes of the source, of which `begun` came already.
pub async fn measure(
    terminal: &mut impl Terminal,
    begun: Bytes,
    len: u64,
    workerd: Clock<'_>,
    agent: Clock<'_>,
) -> Result<Bulk> {
    let [workerd_before, agent_before] = [workerd, agent].map(|clock| clock.map(|now| now()).transpose());
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
    let bytes = (len - begun.len() as u64) as f64;
    let per_gb = |clock: Clock<'_>, before: Option<Duration>| -> Result<Option<f64>> {
        let Some((now, before)) = clock.zip(before) else {
            return Ok(None);
        };
        Ok(Some((now()? - before).as_secs_f64() * 1e9 / bytes))
    };
    Ok(Bulk {
        rate: bytes / 1e6 / seconds,
        workerd: per_gb(workerd, workerd_before?)?,
        agent: per_gb(agent, agent_before?)?,
    })
}

/// Has the floor put `len` bytes into its bucket, in chunks like a recorder's.
pub async fn puts(floor: &Runtime, len: u64) -> Result<Bulk> {
    let mut http = Http::open(&floor.url, None).await?;
    let (began, before) = (Instant::now(), floor.processor_time()?);
    let path = format!("/put?chunks={}&bytes={CHUNK_BYTES}", len / CHUNK_BYTES);
    let (status, answer) = http.get(&path).await?;
    ensure!(status.is_success(), "{path} answered {status}");
    let answer: Value = serde_json::from_slice(&answer)?;
    ensure!(
        answer == json!({ "put": len / CHUNK_BYTES }),
        "{path} answered {answer}"
    );
    let taken = (floor.processor_time()? - before).as_secs_f64();
    Ok(Bulk {
        rate: len as f64 / 1e6 / began.elapsed().as_secs_f64(),
        workerd: Some(taken * 1e9 / len as f64),
        agent: None,
    })
}

/// Reads until at least `until` bytes of the source have come.
pub async fn read(terminal: &mut impl Terminal, verifier: &mut Verifier, until: u64) -> Result<()> {
    while verifier.verified() < until {
        let output = timeout(OUTPUT_WITHIN, terminal.output()).await;
        verifier.check(&output.with_context(|| format!("nothing came after {} bytes", verifier.verified()))??)?;
    }
    Ok(())
}
