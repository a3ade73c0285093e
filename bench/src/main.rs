//! Measures VSAY Edge beside the least that could do its work, on this machine, in one run. `bench/README.md` says what
//! the numbers mean.
//!
//!   vsay-bench [echo] [bulk] [recording] [requests] [bundle] [resume] [memory]    measures these, or everything
//!   vsay-bench source <bytes>                                                     writes the bulk output that is measured
mod http;
mod measure;
mod process;
mod product;
mod report;
mod runs;
mod source;
mod stats;
mod terminal;

use std::env;
use std::fs;

use anyhow::{Context, Result, bail};
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

use crate::report::Report;

/// Where the report is kept, from the root of the project.
const RESULTS: &str = "bench/results.md";

const PARTS: [&str; 7] = ["bundle", "echo", "bulk", "recording", "requests", "resume", "memory"];

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, bytes] = arguments.as_slice()
        && command == "source"
    {
        return Ok(source::print(bytes.parse().context("how many bytes?")?)?);
    }
    if let Some(unknown) = arguments.iter().find(|argument| !PARTS.contains(&argument.as_str())) {
        bail!("there is no part named {unknown}; parts: {}", PARTS.join(" "));
    }
    // One thread, as a terminal's user is one: what is measured has the other processor.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        // Whoever interrupts leaves nothing running: what is dropped ends.
        tokio::select! {
            report = measure_all(&arguments) => report,
            _ = ctrl_c() => bail!("interrupted"),
            _ = terminate.recv() => bail!("terminated"),
        }
    })?;
    let report = report.to_string();
    print!("{report}");
    fs::write(RESULTS, report).with_context(|| format!("{RESULTS} cannot be written"))
}

async fn measure_all(parts: &[String]) -> Result<Report> {
    let mut report = Report::begin();
    for part in PARTS
        .into_iter()
        .filter(|part| parts.is_empty() || parts.iter().any(|wanted| wanted == part))
    {
        eprintln!("measuring {part}…");
        match part {
            "bundle" => report.bundle = Some(measure::bundle::measure()?),
            "echo" => report.echo = runs::echo().await?,
            "bulk" => report.bulk = runs::bulk().await?,
            "recording" => (report.recorded_echo, report.recorded_bulk) = runs::recording().await?,
            "requests" => report.requests = runs::requests().await?,
            "resume" => report.resume = Some(runs::resume().await?),
            _ => report.memory = runs::memory().await?,
        }
    }
    Ok(report)
}
