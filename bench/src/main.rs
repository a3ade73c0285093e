//! Measures VSAY Edge beside the least that could do its work, on this machine, in one run. `bench/README.md` says what
//! the numbers mean.
//!
//!   vsay-bench [--runs N] [part]...    measures these parts, or all there are
//!   vsay-bench [--runs N] compare [--unrecorded] FOLDER[:AGENT]...
//!                                      measures echo and bulk output of versions that are built in these folders
//!   vsay-bench source <bytes>          writes the bulk output that is measured
mod commands;
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

/// Runs of each measurement that is compared.
const RUNS: usize = 5;

/// What can be measured.
const PARTS: [&str; 11] = [
    "bundle",
    "echo",
    "bulk",
    "recording",
    "requests",
    "watchers",
    "search",
    "resume",
    "jobs",
    "inventory",
    "memory",
];

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, bytes] = arguments.as_slice()
        && command == "source"
    {
        return Ok(source::print(bytes.parse().context("how many bytes?")?)?);
    }
    let (runs, parts) = match arguments.as_slice() {
        [option, runs, parts @ ..] if option == "--runs" => (runs.parse().context("how many runs?")?, parts),
        parts => (RUNS, parts),
    };
    if let [command, versions @ ..] = parts
        && command == "compare"
    {
        return run(async {
            let mut report = Report::begin();
            (report.echo, report.bulk) = runs::compare(runs, versions).await?;
            Ok(report)
        });
    }
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        bail!("there is no part named {unknown}; parts: {}", PARTS.join(" "));
    }
    run(measure_all(parts, runs))
}

/// Measures, says what came of it, and keeps that.
fn run(measure: impl Future<Output = Result<Report>>) -> Result<()> {
    // One thread, as a terminal's user is one: what is measured has the other processor.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        // Whoever interrupts leaves nothing running: what is dropped ends.
        tokio::select! {
            report = measure => report,
            _ = ctrl_c() => bail!("interrupted"),
            _ = terminate.recv() => bail!("terminated"),
        }
    })?;
    let report = report.to_string();
    print!("{report}");
    fs::write(RESULTS, report).with_context(|| format!("{RESULTS} cannot be written"))
}

async fn measure_all(parts: &[String], runs: usize) -> Result<Report> {
    let mut report = Report::begin();
    for part in PARTS
        .into_iter()
        .filter(|part| parts.is_empty() || parts.iter().any(|wanted| wanted == part))
    {
        eprintln!("measuring {part}…");
        match part {
            "bundle" => report.bundle = Some(measure::bundle::measure()?),
            "echo" => report.echo = runs::echo(runs).await?,
            "bulk" => report.bulk = runs::bulk(runs).await?,
            "recording" => (report.recorded_echo, report.recorded_bulk) = runs::recording(runs).await?,
            "requests" => report.requests = runs::requests(runs).await?,
            "watchers" => report.watched = runs::watchers(runs).await?,
            "search" => report.search = runs::search(runs).await?,
            "resume" => report.resume = Some(runs::resume().await?),
            "inventory" => (report.inventory, report.pages) = runs::inventory(runs).await?,
            "jobs" => (report.starts, report.lines) = runs::jobs(runs).await?,
            _ => report.memory = runs::memory().await?,
        }
    }
    Ok(report)
}
