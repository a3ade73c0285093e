//! What was measured, as Markdown.
use std::fmt::{Display, Formatter, Result};
use std::fs;
use std::time::Duration;

use crate::measure::bulk::Bulk;
use crate::measure::bundle::Bundle;
use crate::measure::echo::Keys;
use crate::measure::memory::{Held, Memory};
use crate::measure::{resume, search};
use crate::runs::{
    ALONE, FEW_NEWEST, HEALTH, LIST, MANY_NEWEST, ME, NOWHERE, NOWHERE_OF_COMMON, PAGE, PUBLISHED, QUERY, RARE, RELAY,
    ROLES, ROW, Runs, SLOWLY, STREAM, THINGS, TTYD, UNRECORDED, WATCHED,
};
use crate::stats::{Latency, Summary};

/// A processor that does other things while it measures makes numbers of little worth.
const QUIET: f64 = 0.5;

/// Everything that was measured; what was not is empty.
#[derive(Default)]
pub struct Report {
    /// Keystrokes.
    pub echo: Runs<Keys>,
    /// Bulk output.
    pub bulk: Runs<Bulk>,
    /// Keystrokes, recorded and not.
    pub recorded_echo: Runs<Keys>,
    /// Bulk output, recorded and not.
    pub recorded_bulk: Runs<Bulk>,
    /// Keystrokes, watched and not.
    pub watched: Runs<Keys>,
    /// Requests/s.
    pub requests: Runs<f64>,
    /// Searches of the command log.
    pub search: Runs<Latency>,
    /// The Worker's size.
    pub bundle: Option<Bundle>,
    /// First byte after a cut.
    pub resume: Option<Latency>,
    /// First lines of jobs and of terminals.
    pub starts: Runs<Latency>,
    /// Lines/s of both.
    pub lines: Runs<f64>,
    /// Requests/s of small reads.
    pub inventory: Runs<f64>,
    /// Pages of an inventory.
    pub pages: Runs<Latency>,
    /// Of workerd, by who reads.
    pub memory: Vec<(&'static str, Memory)>,
    machine: String,
    load: f64,
}

impl Report {
    /// Looks at the machine before anything is measured.
    pub fn begin() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo").lines().find_map(|line| {
            Some(
                line.split_once(": ")
                    .filter(|(key, _)| key.starts_with("model name"))?
                    .1
                    .to_owned(),
            )
        });
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let load = read("/proc/loadavg")
            .split(' ')
            .next()
            .and_then(|load| load.parse().ok())
            .unwrap_or_default();
        Self {
            machine: format!("{} × {cores}", processor.as_deref().unwrap_or("unknown processor")),
            load,
            ..Self::default()
        }
    }

    fn targets(&self) -> Vec<(&'static str, &'static str, String, bool)> {
        let p50 = |name| of(&self.echo, name, |run| ms(run.latency.p50));
        let bulk = |name| of(&self.bulk, name, |run| run.rate);
        let rate = |name| of(&self.requests, name, |run| *run);
        let mut targets = Vec::new();
        if let (Some(ours), Some(relay)) = (p50(STREAM), p50(RELAY)) {
            let times = ours / relay;
            targets.push((
                "keystroke echo, p50",
                "≤ 1.35 × bare relay",
                format!("{times:.2} ×"),
                times <= 1.35,
            ));
        }
        if let (Some(ours), Some(relay)) = (bulk(STREAM), bulk(RELAY)) {
            let percent = 100.0 * ours / relay;
            targets.push((
                "bulk output",
                "≥ 50 % of bare relay",
                format!("{percent:.0} %"),
                percent >= 50.0,
            ));
        }
        if let (Some(ours), Some(ttyd)) = (bulk(STREAM), bulk(TTYD)) {
            targets.push((
                "bulk output",
                "above ttyd",
                format!("{ours:.0} to {ttyd:.0} MB/s"),
                ours > ttyd,
            ));
        }
        if let (Some(ours), Some(bare)) = (rate(LIST), rate(QUERY)) {
            let percent = 100.0 * ours / bare;
            targets.push((
                "`GET /api/machines`",
                "≥ 80 % of bare Worker with one query",
                format!("{percent:.0} %"),
                percent >= 80.0,
            ));
        }
        let echo = |name| of(&self.recorded_echo, name, |run| ms(run.latency.p50));
        let bulk = |name| of(&self.recorded_bulk, name, |run| 1.0 / run.rate);
        for (what, slow, fast) in [
            ("echo, recorded into a slow bucket", echo(SLOWLY), echo(UNRECORDED)),
            (
                "time of bulk output, recorded into a slow bucket",
                bulk(SLOWLY),
                bulk(UNRECORDED),
            ),
        ] {
            if let (Some(slow), Some(fast)) = (slow, fast) {
                let times = slow / fast;
                targets.push((what, "≤ 1.1 × not recorded", format!("{times:.2} ×"), times <= 1.1));
            }
        }
        let p50 = |name| of(&self.watched, name, |run| ms(run.latency.p50));
        if let (Some(watched), Some(alone)) = (p50(WATCHED), p50(ALONE)) {
            let times = watched / alone;
            targets.push((
                "keystroke echo with 100 watchers, p50",
                "≤ 1.3 × alone",
                format!("{times:.2} ×"),
                times <= 1.3,
            ));
        }
        let p95 = |name| of(&self.search, name, |run| ms(run.p95));
        for (what, name) in [
            ("search for what is rare, p95", RARE),
            ("search for what is nowhere, p95", NOWHERE),
            ("the same, of common words", NOWHERE_OF_COMMON),
        ] {
            if let (Some(found), Some(page)) = (p95(name), p95(PAGE)) {
                let times = found / page;
                targets.push((
                    what,
                    "≤ 3 × a page of the newest",
                    format!("{times:.2} ×"),
                    times <= 3.0,
                ));
            }
        }
        let rate = |name| of(&self.inventory, name, |run| *run);
        for (what, name, least) in [
            ("50 things of the inventory", THINGS, 100.0),
            ("roles", ROLES, 30.0),
            ("`GET /api/auth/me`", ME, 179.0),
        ] {
            if let Some(rate) = rate(name) {
                let target = match name {
                    THINGS => "≥ 100/s, ten times upstream's",
                    ROLES => "≥ 30/s, ten times upstream's",
                    _ => "above 179/s, upstream's",
                };
                targets.push((what, target, format!("{rate:.0}/s"), rate >= least));
            }
        }
        if let (Some(me), Some(row)) = (rate(ME), rate(ROW)) {
            let percent = 100.0 * me / row;
            targets.push((
                "the same",
                "≥ 70 % of bare Worker with one query of one row",
                format!("{percent:.0} %"),
                percent >= 70.0,
            ));
        }
        let page = |name| of(&self.pages, name, |run| ms(run.p95));
        if let (Some(many), Some(few)) = (page(MANY_NEWEST), page(FEW_NEWEST)) {
            let times = many / few;
            targets.push((
                "a page of 100,000 things, p95",
                "≤ 2 × one of 1,000",
                format!("{times:.2} ×"),
                times <= 2.0,
            ));
        }
        if let Some(bundle) = &self.bundle {
            targets.push((
                "Worker bundle, gzip",
                "≤ 1.5 MB",
                format!("{} kB", bundle.gzip / 1000),
                bundle.gzip <= 1_500_000,
            ));
        }
        if let Some(resume) = self.resume {
            let met = resume.p95 < Duration::from_secs(1);
            targets.push((
                "resume after a cut, p95",
                "< 1 s, 0 bytes lost",
                format!("{:.0} ms, 0 bytes", ms(resume.p95)),
                met,
            ));
        }
        targets
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}. Load before: {:.2}.", self.machine, self.load)?;
        if self.load > QUIET {
            writeln!(f, "**The machine was busy with other work: these numbers are noisy.**")?;
        }
        writeln!(f, "\n| Number | Target | Measured | |\n|---|---|---|---|")?;
        for (what, target, measured, met) in self.targets() {
            writeln!(
                f,
                "| {what} | {target} | {measured} | {} |",
                if met { "met" } else { "**missed**" }
            )?;
        }
        for (title, runs) in [
            ("Keystroke echo, ms", &self.echo),
            ("Keystroke echo while it is recorded, ms", &self.recorded_echo),
            ("Keystroke echo while others watch, ms", &self.watched),
        ] {
            echo_table(f, title, runs)?;
        }
        if !self.echo.is_empty() && !self.echo.iter().any(|(name, _)| *name == TTYD) {
            writeln!(f, "\nttyd is not installed.")?;
        }
        for (title, runs) in [
            ("Bulk output", &self.bulk),
            ("Bulk output while it is recorded", &self.recorded_bulk),
        ] {
            bulk_table(f, title, runs)?;
        }
        if !self.bulk.is_empty() {
            writeln!(
                f,
                "\n\"{PUBLISHED}\" is bounded by design: such a client acknowledges nothing, so time must."
            )?;
        }
        if !self.requests.is_empty() {
            table(f, "Requests/s", &["rate"], &self.requests, |run, _| Some(*run))?;
            if let (Some(health), Some(list)) = (
                of(&self.requests, HEALTH, |run| *run),
                of(&self.requests, LIST, |run| *run),
            ) {
                writeln!(f, "\nOne list takes as long as {:.1} signs of life.", health / list)?;
            }
        }
        if !self.search.is_empty() {
            let title = format!("First page of the command log, {} rows, ms", search::ROWS);
            table(f, &title, &["p50", "p95"], &self.search, |run, column| {
                Some(ms([run.p50, run.p95][column]))
            })?;
        }
        if let Some(bundle) = &self.bundle {
            writeln!(
                f,
                "\n### Worker bundle\n\n{} bytes, {} after gzip.",
                bundle.plain, bundle.gzip
            )?;
        }
        if let Some(Latency { p50, p95, p99 }) = self.resume {
            writeln!(
                f,
                "\n### First byte after a cut, ms\n\n{} cuts: p50 {:.1}, p95 {:.1}, p99 {:.1}; every byte was checked.",
                resume::CUTS,
                ms(p50),
                ms(p95),
                ms(p99)
            )?;
        }
        if !self.starts.is_empty() {
            table(f, "First line, ms", &["p50", "p95"], &self.starts, |run, column| {
                Some(ms([run.p50, run.p95][column]))
            })?;
            table(f, "Lines/s", &["rate"], &self.lines, |run, _| Some(*run))?;
        }
        if !self.inventory.is_empty() {
            table(f, "Small reads, requests/s", &["rate"], &self.inventory, |run, _| {
                Some(*run)
            })?;
            table(
                f,
                "First page of an inventory, ms",
                &["p50", "p95"],
                &self.pages,
                |run, column| Some(ms([run.p50, run.p95][column])),
            )?;
        }
        if !self.memory.is_empty() {
            let mb = |held: Held| format!("{:.0}, {:.0}", held.resident as f64 / 1e6, held.heap as f64 / 1e6);
            writeln!(
                f,
                "\n### Memory during bulk output, MB: resident of workerd, and the heap of Worker and object with its garbage\n"
            )?;
            writeln!(
                f,
                "| | at rest | at most while reading | at most while not reading | WebAssembly's own |\n|---|---|---|---|---|"
            )?;
            for (name, memory) in &self.memory {
                let stalled = memory.stalled.map_or_else(|| "–".to_owned(), mb);
                writeln!(
                    f,
                    "| {name} | {} | {} | {stalled} | {:.0} |",
                    mb(memory.at_rest),
                    mb(memory.reading),
                    memory.linear as f64 / 1e6
                )?;
            }
        }
        Ok(())
    }
}

fn echo_table(f: &mut Formatter<'_>, title: &str, runs: &Runs<Keys>) -> Result {
    if runs.is_empty() {
        return Ok(());
    }
    let columns = [
        "p50",
        "p95",
        "p99",
        "workerd, processor µs/key",
        "agent, processor µs/key",
    ];
    table(f, title, &columns, runs, |run, column| {
        let Latency { p50, p95, p99 } = run.latency;
        [Some(ms(p50)), Some(ms(p95)), Some(ms(p99)), run.workerd, run.agent][column]
    })
}

fn bulk_table(f: &mut Formatter<'_>, title: &str, runs: &Runs<Bulk>) -> Result {
    if runs.is_empty() {
        return Ok(());
    }
    let columns = ["MB/s", "workerd, processor s/GB", "agent, processor s/GB"];
    table(f, title, &columns, runs, |run, column| {
        [Some(run.rate), run.workerd, run.agent][column]
    })
}

/// Median, minimum and maximum over the runs of each column of each candidate.
fn table<T>(
    f: &mut Formatter<'_>,
    title: &str,
    columns: &[&str],
    runs: &Runs<T>,
    value: impl Fn(&T, usize) -> Option<f64>,
) -> Result {
    let count = runs.iter().map(|(_, all)| all.len()).max().unwrap_or_default();
    writeln!(
        f,
        "\n### {title}\n\nMedians of {count} runs (smallest – largest).\n\n| | {} |",
        columns.join(" | ")
    )?;
    writeln!(f, "|---|{}", "---|".repeat(columns.len()))?;
    for (name, all) in runs {
        write!(f, "| {name} |")?;
        for column in 0..columns.len() {
            match Summary::of(all.iter().filter_map(|run| value(run, column))) {
                Some(Summary { median, min, max }) => {
                    let digits = if max < 10.0 { 3 } else { 0 };
                    write!(f, " {median:.digits$} ({min:.digits$} – {max:.digits$}) |")?;
                }
                None => write!(f, " – |")?,
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

/// The median over the runs of one candidate.
fn of<T>(runs: &Runs<T>, name: &str, value: impl Fn(&T) -> f64) -> Option<f64> {
    let (_, all) = runs.iter().find(|(candidate, _)| *candidate == name)?;
    Some(Summary::of(all.iter().map(value))?.median)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
