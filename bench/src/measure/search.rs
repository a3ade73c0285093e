//! How long it takes to find commands in a log of a million.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hyper::Method;
use protocol::api::command_logs::CommandLogPage;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::commands::{command, has_number, number};
use crate::http::Http;
use crate::product::Product;
use crate::stats::Latency;

/// Rows of the log.
pub const ROWS: u64 = 1_000_000;

/// Requests of one run.
const REQUESTS: u64 = 40;

/// Longest list of commands in one statement, in bytes: D1 takes statements of 100,000.
const STATEMENT: usize = 90_000;

/// Rows of one terminal, one after the other.
const OF_A_SESSION: u64 = 200;

/// How long a command that was run may take to be in the log.
const LOGGED_WITHIN: Duration = Duration::from_secs(20);

/// Seconds between rows, so that all of them are younger than what is removed.
const APART: u64 = 6;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Term {
    /// Nothing in particular: a page by a plain index.
    None,
    /// What one row has; in each request another.
    Rare,
    /// What no row has.
    Absent(&'static str),
    /// What more rows have than are looked at.
    Common(&'static str),
}

/// Fills the log of the account's organization, as machines do: row by row, in their order, with all its indexes.
pub async fn fill(product: &mut Product) -> Result<()> {
    // The product gives the first row its key; the others follow it.
    product.run("true").await?;
    let key = first_key(product).await?;
    let edge = &mut product.edge;
    let (mut first, mut commands) = (0, Vec::new());
    let mut len = 0;
    for row in 0..ROWS {
        let command = command(row);
        // Quotes and backslashes take two.
        len += 2 * command.len();
        commands.push(command);
        if len > STATEMENT || row + 1 == ROWS {
            edge.sql(&insert(key, first, &commands)).await?;
            first = row + 1;
            len = 0;
            commands.clear();
        }
    }
    let rows = edge.sql("SELECT COUNT(*) AS rows FROM command_logs").await?;
    ensure!(rows == json!([{ "rows": ROWS + 1 }]), "the log has {rows}");
    Ok(())
}

/// The key of the first row, once it is there.
async fn first_key(product: &Product) -> Result<u64> {
    let mut http = Http::open(&product.edge.url, Some(&product.token)).await?;
    let deadline = Instant::now() + LOGGED_WITHIN;
    loop {
        let page: CommandLogPage = http.call(Method::GET, "/api/command-logs", None).await?;
        if let Some(log) = page.logs.first() {
            return Ok(log.key);
        }
        ensure!(Instant::now() < deadline, "a command that was run is not in the log");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Adds rows from `first` on, behind the row with this key, on machine after machine.
fn insert(key: u64, first: u64, commands: &[String]) -> String {
    let commands = json!(commands).to_string().replace('\'', "''");
    format!(
        "INSERT INTO command_logs (key, id, organization_id, machine_id, machine_name, agent_id, user_id, username, session_id, source, \
           browser, os_info, ip_address, command, text, cwd, outcome, exit_code, started_at, duration_ms, stream, output_from, \
           output_to) \
         SELECT {key} + 1 + r.row, printf('%024x', r.row), m.organization_id, m.id, m.name, m.agent_id, m.owner_id, 'bench', \
           'sess_' || (r.row / {OF_A_SESSION}), 'ui', 'Firefox', 'Linux', '192.0.2.1', r.command, 'whole', '/srv/app', 'exited', \
           r.row % 20 = 0, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || (({ROWS} - r.row) * {APART}) || ' seconds'), 120, 3, \
           r.row * 100, r.row * 100 + 100 \
         FROM (SELECT {first} + key AS row, value AS command FROM json_each('{commands}')) r \
         JOIN machines m ON m.name = printf('machine-%02d', r.row / {OF_A_SESSION} % 50) ORDER BY r.row"
    )
}

/// Asks for a first page, one request after the other; `run` is which run this is.
pub async fn measure(http: &mut Http, term: Term, run: u64) -> Result<Latency> {
    let mut samples = Vec::new();
    let mut rare = (0..ROWS)
        .rev()
        .skip((run * ROWS / 10) as usize)
        .filter(|row| has_number(*row));
    for _ in 0..REQUESTS {
        let text = match term {
            Term::None => String::new(),
            Term::Rare => number(rare.next().context("no row has a number")?),
            Term::Absent(text) | Term::Common(text) => text.to_owned(),
        };
        // A blank is the only one of their characters that an address has in another way.
        let path = format!("/api/command-logs?q={}", text.replace(' ', "+"));
        let began = Instant::now();
        let (status, answer) = http.get(&path).await?;
        samples.push(began.elapsed());
        ensure!(status.is_success(), "{path} answered {status}");
        let page: CommandLogPage = serde_json::from_slice(&answer).with_context(|| path.clone())?;
        let right = match term {
            Term::None => page.logs.len() as u64 == page.limit,
            Term::Rare => page.total == 1 && page.complete && page.logs.iter().all(|log| log.command.contains(&text)),
            Term::Absent(_) => page.total == 0 && page.complete,
            Term::Common(_) => page.logs.len() as u64 == page.limit && !page.complete,
        };
        ensure!(
            right,
            "{path} found {} commands, {} of them on the page; complete: {}",
            page.total,
            page.logs.len(),
            page.complete
        );
    }
    Latency::of(samples).context("nothing was asked")
}
