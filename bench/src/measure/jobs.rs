//! Jobs: how soon whoever deploys sees the first line, and how fast many lines come, beside a terminal of the same machine.
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt;
use hyper::Method;
use protocol::api::jobs::JobStarted;
use serde::Deserialize;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::http::Http;
use crate::product::Product;
use crate::stats::Latency;
use crate::terminal::{Socket, StreamTerminal, Terminal, begin, open};

/// Deployments of one run, and shells.
const STARTS: usize = 20;

/// Lines of one run: a third of what is kept of a job's output.
const LINES: usize = 200_000;

/// How long a job, or a terminal, may say nothing.
const SAYS_WITHIN: Duration = Duration::from_secs(20);

/// The service that is deployed.
pub const SERVICE: &str = "bench";

/// What a watcher of a job is told.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told {
    Status {},
    Output { data: String },
    Done { status: String },
}

/// A service of the product's machine, whose `deploy.sh` is ours to write.
pub struct Deployments<'a> {
    product: &'a Product,
    http: Http,
    script: PathBuf,
}

impl<'a> Deployments<'a> {
    /// Those of a product that runs with such a service.
    pub async fn of(product: &'a Product, script: PathBuf) -> Result<Self> {
        let http = Http::open(&product.edge.url, Some(&product.token)).await?;
        Ok(Self { product, http, script })
    }

    /// From the request to the first line that the script has written, at somebody who watches the job.
    pub async fn first_line(&mut self) -> Result<Latency> {
        fs::write(&self.script, "echo 1\n")?;
        let mut samples = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            let began = Instant::now();
            let mut watcher = self.deploys().await?;
            watcher.reads(1).await?;
            samples.push(began.elapsed());
            watcher.ends().await?;
        }
        Latency::of(samples).context("nothing was deployed")
    }

    /// Lines a second, from the first to the last.
    pub async fn lines(&mut self) -> Result<f64> {
        fs::write(&self.script, format!("seq {LINES}\n"))?;
        let mut watcher = self.deploys().await?;
        watcher.reads(1).await?;
        let began = Instant::now();
        watcher.reads(LINES).await?;
        let seconds = began.elapsed().as_secs_f64();
        watcher.ends().await?;
        Ok(LINES as f64 / seconds)
    }

    async fn deploys(&mut self) -> Result<Watcher> {
        let path = format!("/api/services/{SERVICE}/deploy");
        let started: JobStarted = self.http.call(Method::POST, &path, None).await?;
        let path = format!("/api/jobs/ws/{}", started.job_id);
        let socket = open(&self.product.edge.url, &path, Some(&self.product.token), None).await?;
        Ok(Watcher { socket, read: 0 })
    }
}

/// Somebody who watches a job that counts.
struct Watcher {
    socket: Socket,
    read: usize,
}

impl Watcher {
    /// Reads until the job has counted so far. A line that is missing, or comes twice, is an error.
    async fn reads(&mut self, until: usize) -> Result<()> {
        while self.read < until {
            match self.told().await? {
                Told::Output { data } if data == (self.read + 1).to_string() => self.read += 1,
                // Before it counts, what runs is said.
                Told::Output { data } => ensure!(self.read == 0, "{data} came after {}", self.read),
                Told::Status {} => {}
                Told::Done { status } => bail!("the job ended ({status}) after {}", self.read),
            }
        }
        Ok(())
    }

    async fn ends(mut self) -> Result<()> {
        loop {
            match self.told().await? {
                Told::Done { status } => {
                    ensure!(status == "completed", "the job is {status}");
                    return Ok(());
                }
                Told::Output { data } => bail!("{data} came at the end"),
                Told::Status {} => {}
            }
        }
    }

    async fn told(&mut self) -> Result<Told> {
        loop {
            let message = timeout(SAYS_WITHIN, self.socket.next()).await;
            match message.context("nothing came")?.context("the socket ended")?? {
                Message::Text(text) => return Ok(serde_json::from_str(&text)?),
                Message::Close(close) => bail!("the socket was closed: {close:?}"),
                _ => {}
            }
        }
    }
}

/// From opening a terminal to the first that its shell says.
pub async fn first_output(product: &Product) -> Result<Latency> {
    let mut samples = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let session = product.session()?;
        let began = Instant::now();
        let mut terminal = StreamTerminal::attach(&session.attachment).await?;
        let output = timeout(SAYS_WITHIN, terminal.output()).await;
        output.context("a shell says nothing")??;
        samples.push(began.elapsed());
        product.close(&session).await?;
    }
    Latency::of(samples).context("no shell was opened")
}

/// The same lines in a terminal, which nobody records.
pub async fn lines_of_terminal(product: &Product) -> Result<f64> {
    let session = product.session()?;
    let mut terminal = StreamTerminal::attach(&session.attachment).await?;
    let count = format!("stty raw -echo; printf '\\002begin\\003'; exec seq {LINES}");
    let mut text = begin(&mut terminal, &count).await?.to_vec();
    let began = Instant::now();
    let expected: String = (1..=LINES).map(|number| format!("{number}\n")).collect();
    while text.len() < expected.len() {
        let output = timeout(SAYS_WITHIN, terminal.output()).await;
        text.extend_from_slice(&output.with_context(|| format!("nothing came after {} bytes", text.len()))??);
    }
    let seconds = began.elapsed().as_secs_f64();
    ensure!(text == expected.as_bytes(), "the terminal gave other lines");
    Ok(LINES as f64 / seconds)
}
