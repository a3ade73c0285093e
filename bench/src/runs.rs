//! Runs that take turns: the product, its floor, the product, its floor. What disturbs the machine disturbs both.
use std::fs;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::commands::{ABSENT, ABSENT_OF_COMMON, COMMON, SHORT};
use crate::http::Http;
use crate::measure::bulk::Bulk;
use crate::measure::echo::Keys;
use crate::measure::jobs::{self, Deployments};
use crate::measure::memory::Memory;
use crate::measure::requests::Load;
use crate::measure::search::Term;
use crate::measure::{bulk, echo, inventory, memory, pty, requests, resume, search, watchers};
use crate::process::Runtime;
use crate::product::{MACHINES, Product, Version};
use crate::stats::Latency;
use crate::terminal::{Echo, Peer, PublishedTerminal, StreamTerminal, Ttyd, TtydTerminal, begin, echoes, pipe, pours};

/// Output of one bulk run that is recorded: within what the recorder may be behind, where nobody waits for it.
const RECORDED_BULK: u64 = 40 * 1024 * 1024;

/// How much slower the bucket is made, in milliseconds.
const BUCKET_DELAY: &str = "200";

/// Output of one bulk run: a second or so.
const BULK: u64 = 128 * 1024 * 1024;

/// Output of one bulk run of a published client. The relay trusts one that says nothing with 32 MiB; more comes slower.
const PUBLISHED_BULK: u64 = 24 * 1024 * 1024;

/// Bulk runs of a published client: its rate is the relay's decision and hardly differs.
const PUBLISHED_RUNS: usize = 3;

/// What several runs of several candidates gave, by candidate.
pub type Runs<T> = Vec<(&'static str, Vec<T>)>;

/// The product by our own frames.
pub const STREAM: &str = "product, `vsay.stream.v1`";
/// The product by the published frames.
pub const PUBLISHED: &str = "product, published JSON frames";
/// A Durable Object between two sockets.
pub const RELAY: &str = "bare DO relay, two sockets, no PTY";
/// A program that reads a terminal and does nothing else.
pub const PTY: &str = "bare PTY, read by a plain loop, no network";
/// A Durable Object with one socket.
pub const ECHO: &str = "bare DO echo, one socket";
/// ttyd.
pub const TTYD: &str = "ttyd, no relay";
/// The product's liveness route.
pub const HEALTH: &str = "product, `GET /health`";
/// A Worker that does nothing.
pub const BARE: &str = "bare Worker, no query";
/// The product's list of machines.
pub const LIST: &str = "product, authenticated `GET /api/machines`, 50 machines";
/// Nobody watches.
pub const ALONE: &str = "ten keys a second, nobody watching";
/// A crowd watches.
pub const WATCHED: &str = "ten keys a second, 100 watching";
/// Nothing is recorded.
pub const UNRECORDED: &str = "not recorded";
/// The bucket of this computer.
pub const RECORDED: &str = "recorded";
/// The same, made slower.
pub const SLOWLY: &str = "recorded, each put 200 ms later";
/// The newest of the command log.
pub const PAGE: &str = "a page of the newest, by a plain index";
/// A deployment.
pub const DEPLOYMENT: &str = "a deployment, from the request to its first line at a watcher";
/// A terminal.
pub const SHELL: &str = "a terminal, from the request to the first that its shell says";
/// Many lines of a deployment.
pub const JOB_LINES: &str = "a job's, at a watcher";
/// The same lines in a terminal.
pub const TERMINAL_LINES: &str = "the same lines in a terminal that is not recorded";
/// What one command has in it.
pub const RARE: &str = "rare: in one row";
/// What none has.
pub const NOWHERE: &str = "absent";
/// What none has, though all its parts are common.
pub const NOWHERE_OF_COMMON: &str = "absent, of common words";
/// What many have.
pub const EVERYWHERE: &str = "common: in one row of seven";
/// What the index does not know.
pub const TWO_LETTERS: &str = "of two letters";
/// Things of the inventory.
pub const THINGS: &str = "product, authenticated `GET /api/inventory/few?per_page=50`";
/// The roles of the organization.
pub const ROLES: &str = "product, authenticated `GET /api/roles`";
/// The account that asks.
pub const ME: &str = "product, authenticated `GET /api/auth/me`";
/// A Worker that looks one row up.
pub const ROW: &str = "bare Worker, one D1 query of one row";
/// Pages of a type.
pub const FEW_NEWEST: &str = "the newest of 1,000";
/// The same of many.
pub const MANY_NEWEST: &str = "the newest of 100,000";
/// In another order.
pub const FEW_SORTED: &str = "sorted by a field, of 1,000";
/// The same of many.
pub const MANY_SORTED: &str = "sorted by a field, of 100,000";
/// What one has.
pub const FEW_FOUND: &str = "with a value, of 1,000";
/// The same of many.
pub const MANY_FOUND: &str = "with a value, of 100,000";
/// With a text, for which all texts are looked at.
pub const FEW_SEARCHED: &str = "with a text that one has, of 1,000";
/// The same of many.
pub const MANY_SEARCHED: &str = "with a text that one has, of 100,000";
/// What the bucket of this computer takes alone.
pub const PUTS: &str = "bare Worker that puts as much into the bucket, no terminal";
/// A Worker that does one query.
pub const QUERY: &str = "bare Worker, one D1 query of 50 rows";

/// Everything that is compared, running.
struct Candidates {
    product: Product,
    floor: Runtime,
    ttyd: Option<Ttyd>,
    // Last: the programs end before their data goes.
    _state: TempDir,
}

impl Candidates {
    async fn start() -> Result<Self> {
        let state = folder()?;
        Ok(Self {
            product: Product::start(&state.path().join("product")).await?,
            floor: Runtime::start("bench/floor.mjs", &[], &state.path().join("floor")).await?,
            ttyd: Ttyd::start().await?,
            _state: state,
        })
    }

    async fn end(self) {
        self.product.end().await;
        self.floor.end().await;
        if let Some(ttyd) = self.ttyd {
            ttyd.end().await;
        }
    }
}

/// Keystrokes.
pub async fn echo(count: usize) -> Result<Runs<Keys>> {
    let candidates = Candidates::start().await?;
    let Candidates {
        product, floor, ttyd, ..
    } = &candidates;
    let (edge, agent) = (|| product.edge.processor_time(), || product.agent_time());
    let relay = || floor.processor_time();
    let mut runs = Runs::new();
    for number in 0..count {
        add(&mut runs, STREAM, echo_of(product).await?);
        add(&mut runs, RELAY, echo_of_relay(floor, number).await?);

        let session = product.session()?;
        let mut terminal = PublishedTerminal::attach(&session.attachment).await?;
        echoes(&mut terminal).await?;
        add(
            &mut runs,
            PUBLISHED,
            echo::measure(&mut terminal, Some(&edge), Some(&agent)).await?,
        );
        product.close(&session).await?;

        let mut terminal = Echo::open(&floor.url, &format!("echo-one-{number}")).await?;
        add(&mut runs, ECHO, echo::measure(&mut terminal, Some(&relay), None).await?);

        if let Some(ttyd) = ttyd {
            let mut terminal = TtydTerminal::open(ttyd).await?;
            echoes(&mut terminal).await?;
            add(&mut runs, TTYD, echo::measure(&mut terminal, None, None).await?);
        }
    }
    candidates.end().await;
    Ok(runs)
}

/// Bulk output.
pub async fn bulk(count: usize) -> Result<Runs<Bulk>> {
    let candidates = Candidates::start().await?;
    let Candidates {
        product, floor, ttyd, ..
    } = &candidates;
    let (edge, agent) = (|| product.edge.processor_time(), || product.agent_time());
    let mut runs = Runs::new();
    for number in 0..count {
        add(&mut runs, STREAM, bulk_of(product, BULK).await?);
        add(&mut runs, RELAY, bulk_of_relay(floor, number).await?);
        add(&mut runs, PTY, pty::measure(BULK).await?);

        if let Some(ttyd) = ttyd {
            let mut terminal = TtydTerminal::open(ttyd).await?;
            let begun = pours(&mut terminal, BULK).await?;
            let run = bulk::measure(&mut terminal, begun, BULK, None, None).await?;
            add(&mut runs, TTYD, run);
        }
    }
    for _ in 0..count.min(PUBLISHED_RUNS) {
        let session = product.session()?;
        let mut terminal = PublishedTerminal::attach(&session.attachment).await?;
        let begun = pours(&mut terminal, PUBLISHED_BULK).await?;
        let run = bulk::measure(&mut terminal, begun, PUBLISHED_BULK, Some(&edge), Some(&agent)).await?;
        add(&mut runs, PUBLISHED, run);
    }
    candidates.end().await;
    Ok(runs)
}

/// Requests/s.
pub async fn requests(count: usize) -> Result<Runs<f64>> {
    let candidates = Candidates::start().await?;
    let Candidates { product, floor, .. } = &candidates;
    let (ours, bare, token) = (
        product.edge.url.as_str(),
        floor.url.as_str(),
        Some(product.token.as_str()),
    );
    let loads = [
        (
            LIST,
            Load {
                origin: ours,
                token,
                path: "/api/machines",
                lists: Some(MACHINES),
            },
        ),
        (
            QUERY,
            Load {
                origin: bare,
                token: None,
                path: "/machines",
                lists: Some(MACHINES),
            },
        ),
        (
            HEALTH,
            Load {
                origin: ours,
                token: None,
                path: "/health",
                lists: None,
            },
        ),
        (
            BARE,
            Load {
                origin: bare,
                token: None,
                path: "/",
                lists: None,
            },
        ),
    ];
    let mut runs = Runs::new();
    for number in 0..=count {
        for (name, load) in &loads {
            let rate = requests::measure(load).await?;
            // The first round warms up.
            if number > 0 {
                add(&mut runs, name, rate);
            }
        }
    }
    candidates.end().await;
    Ok(runs)
}

/// Keystrokes and bulk output while a session is recorded, and while it is not.
pub async fn recording(count: usize) -> Result<(Runs<Keys>, Runs<Bulk>)> {
    let state = folder()?;
    let start = async |name: &str, environment: &[(&str, &str)]| {
        Product::start_version(&Version::here(), &state.path().join(name), environment).await
    };
    let unrecorded = start("unrecorded", &[]).await?;
    unrecorded.record_nothing().await?;
    let candidates = [
        (UNRECORDED, unrecorded),
        (RECORDED, start("recorded", &[]).await?),
        (SLOWLY, start("slowly", &[("BUCKET_DELAY_MS", BUCKET_DELAY)]).await?),
    ];
    let floor = Runtime::start("bench/floor.mjs", &[], &state.path().join("floor")).await?;
    let (mut keys, mut bulks) = (Runs::new(), Runs::new());
    for _ in 0..count {
        for (name, product) in &candidates {
            add(&mut keys, name, echo_of(product).await?);
            add(&mut bulks, name, bulk_of(product, RECORDED_BULK).await?);
        }
        add(&mut bulks, PUTS, bulk::puts(&floor, RECORDED_BULK).await?);
    }
    floor.end().await;
    for (_, product) in candidates {
        product.end().await;
    }
    Ok((keys, bulks))
}

/// Keystrokes while nobody watches, and while a crowd does.
pub async fn watchers(count: usize) -> Result<Runs<Keys>> {
    let state = folder()?;
    let product = Product::start(state.path()).await?;
    let mut runs = Runs::new();
    for _ in 0..count {
        for (name, watched) in [(ALONE, false), (WATCHED, true)] {
            add(
                &mut runs,
                name,
                watchers::measure(&product, watched).await.context(name)?,
            );
        }
    }
    product.end().await;
    Ok(runs)
}

/// Searches of a log that is large.
pub async fn search(count: usize) -> Result<Runs<Latency>> {
    let state = folder()?;
    let mut product = Product::start(state.path()).await?;
    search::fill(&mut product).await?;
    let mut http = Http::open(&product.edge.url, Some(&product.token)).await?;
    let candidates = [
        (PAGE, Term::None),
        (RARE, Term::Rare),
        (NOWHERE, Term::Absent(ABSENT)),
        (NOWHERE_OF_COMMON, Term::Absent(ABSENT_OF_COMMON)),
        (EVERYWHERE, Term::Common(COMMON)),
        (TWO_LETTERS, Term::Common(SHORT)),
    ];
    let mut runs = Runs::new();
    for number in 0..count {
        for (name, term) in candidates {
            add(&mut runs, name, search::measure(&mut http, term, number as u64).await?);
        }
    }
    drop(http);
    product.end().await;
    Ok(runs)
}

/// Latency of the first byte after a cut.
pub async fn resume() -> Result<Latency> {
    let state = folder()?;
    let product = Product::start(state.path()).await?;
    let latency = resume::measure(&product).await?;
    product.end().await;
    Ok(latency)
}

/// Requests/s of small reads, and pages of an inventory that is small or large.
pub async fn inventory(count: usize) -> Result<(Runs<f64>, Runs<Latency>)> {
    let mut candidates = Candidates::start().await?;
    for (slug, things) in [("few", inventory::FEW), ("many", inventory::MANY)] {
        inventory::fill(&mut candidates.product, slug, things).await?;
    }
    let Candidates { product, floor, .. } = &candidates;
    let (ours, token) = (product.edge.url.as_str(), Some(product.token.as_str()));
    let of = |origin, token, path, lists| Load {
        origin,
        token,
        path,
        lists,
    };
    let listed = usize::try_from(inventory::LISTED)?;
    let loads = [
        (THINGS, of(ours, token, "/api/inventory/few?per_page=50", Some(listed))),
        (ROLES, of(ours, token, "/api/roles", None)),
        (ME, of(ours, token, "/api/auth/me", None)),
        (ROW, of(floor.url.as_str(), None, "/machine", None)),
    ];
    let pages = [
        (FEW_NEWEST, "few", ""),
        (MANY_NEWEST, "many", ""),
        (FEW_SORTED, "few", "&sort=hostname"),
        (MANY_SORTED, "many", "&sort=hostname"),
        (FEW_FOUND, "few", "&f.hostname=host-777"),
        (MANY_FOUND, "many", "&f.hostname=host-777"),
        (FEW_SEARCHED, "few", "&search=host-777"),
        (MANY_SEARCHED, "many", "&search=host-77777"),
    ];
    let mut http = Http::open(ours, token).await?;
    let (mut rates, mut latencies) = (Runs::new(), Runs::new());
    for number in 0..=count {
        for (name, load) in &loads {
            let rate = requests::measure(load).await?;
            // The first round warms up.
            if number > 0 {
                add(&mut rates, name, rate);
            }
        }
        for (name, slug, query) in pages {
            let latency = inventory::measure(&mut http, slug, query).await?;
            if number > 0 {
                add(&mut latencies, name, latency);
            }
        }
    }
    drop(http);
    candidates.end().await;
    Ok((rates, latencies))
}

/// First lines, and lines a second, of jobs and of terminals of the same machine.
pub async fn jobs(count: usize) -> Result<(Runs<Latency>, Runs<f64>)> {
    let state = folder()?;
    let services = state.path().join("services");
    let script = services.join(jobs::SERVICE).join("deploy.sh");
    fs::create_dir_all(services.join(jobs::SERVICE))?;
    fs::write(&script, "")?;
    let product = Product::start_with_services(&state.path().join("product"), &services).await?;
    product.record_nothing().await?;
    let mut deployments = Deployments::of(&product, script).await?;
    let (mut starts, mut lines) = (Runs::new(), Runs::new());
    for _ in 0..count {
        add(&mut starts, DEPLOYMENT, deployments.first_line().await?);
        add(&mut starts, SHELL, jobs::first_output(&product).await?);
        add(&mut lines, JOB_LINES, deployments.lines().await?);
        add(&mut lines, TERMINAL_LINES, jobs::lines_of_terminal(&product).await?);
    }
    drop(deployments);
    product.end().await;
    Ok((starts, lines))
}

/// Memory of workerd. Each measurement has a workerd of its own: memory that one left free would hide what the next takes.
pub async fn memory() -> Result<Vec<(&'static str, Memory)>> {
    let state = folder()?;
    let start = async |name: &str| {
        Product::start_version(&Version::here(), &state.path().join(name), &[("INSPECT", "1")]).await
    };

    let mut product = start("stream").await?;
    let session = product.session()?;
    let open = StreamTerminal::attach(&session.attachment);
    let stream = memory::stall(&mut product, open)
        .await
        .context("a viewer that stops reading")?;
    product.end().await;

    let mut product = start("published").await?;
    let session = product.session()?;
    let open = PublishedTerminal::attach(&session.attachment);
    let published = memory::stall(&mut product, open)
        .await
        .context("a client that stops reading")?;
    product.end().await;

    let mut product = start("crowd").await?;
    let crowd = memory::crowd(&mut product, false).await.context("a crowd")?;
    product.end().await;

    let mut product = start("watched").await?;
    let watched = memory::crowd(&mut product, true)
        .await
        .context("a crowd that watches")?;
    product.end().await;
    Ok(vec![
        ("one `vsay.stream.v1` viewer", stream),
        ("one published client", published),
        ("one and 100 `vsay.stream.v1` viewers who may type", crowd),
        ("one who types and 100 watchers", watched),
    ])
}

/// Keystrokes and bulk output of several versions, or agents, that take turns; with `--unrecorded` before them, none records.
pub async fn compare(count: usize, versions: &[String]) -> Result<(Runs<Keys>, Runs<Bulk>)> {
    let state = folder()?;
    let floor = Runtime::start("bench/floor.mjs", &[], &state.path().join("floor")).await?;
    let (records, versions) = match versions {
        [option, rest @ ..] if option == "--unrecorded" => (false, rest),
        all => (true, all),
    };
    let mut products = Vec::new();
    for (number, version) in versions.iter().enumerate() {
        let state = state.path().join(number.to_string());
        let product = Product::start_version(&Version::of(version)?, &state, &[]).await;
        // The name stays as long as this program.
        let name: &'static str = version.clone().leak();
        let product = product.context(name)?;
        if !records {
            // What does not know the setting has nothing to turn off.
            let _ = product.record_nothing().await;
        }
        products.push((name, product));
    }
    let (mut keys, mut bulks) = (Runs::new(), Runs::new());
    for number in 0..count {
        for (name, product) in &products {
            add(&mut keys, name, echo_of(product).await.context(*name)?);
            add(&mut bulks, name, bulk_of(product, BULK).await.context(*name)?);
        }
        add(&mut keys, RELAY, echo_of_relay(&floor, number).await?);
        add(&mut bulks, RELAY, bulk_of_relay(&floor, number).await?);
    }
    for (_, product) in products {
        product.end().await;
    }
    floor.end().await;
    Ok((keys, bulks))
}

async fn echo_of(product: &Product) -> Result<Keys> {
    let (edge, agent) = (|| product.edge.processor_time(), || product.agent_time());
    let session = product.session()?;
    let mut terminal = StreamTerminal::attach(&session.attachment).await?;
    echoes(&mut terminal).await?;
    let keys = echo::measure(&mut terminal, Some(&edge), Some(&agent)).await?;
    product.close(&session).await?;
    Ok(keys)
}

async fn bulk_of(product: &Product, len: u64) -> Result<Bulk> {
    let (edge, agent) = (|| product.edge.processor_time(), || product.agent_time());
    let session = product.session()?;
    let mut terminal = StreamTerminal::attach(&session.attachment).await?;
    let begun = pours(&mut terminal, len).await?;
    let bulk = bulk::measure(&mut terminal, begun, len, Some(&edge), Some(&agent)).await?;
    product.rest().await?;
    Ok(bulk)
}

async fn echo_of_relay(floor: &Runtime, number: usize) -> Result<Keys> {
    let (mut terminal, _peer) = pipe(&floor.url, &format!("echo-{number}"), Peer::Echo).await?;
    echo::measure(&mut terminal, Some(&|| floor.processor_time()), None).await
}

async fn bulk_of_relay(floor: &Runtime, number: usize) -> Result<Bulk> {
    let (mut terminal, _peer) = pipe(&floor.url, &format!("bulk-{number}"), Peer::Pour(BULK)).await?;
    let begun = begin(&mut terminal, "begin").await?;
    bulk::measure(&mut terminal, begun, BULK, Some(&|| floor.processor_time()), None).await
}

fn add<T>(runs: &mut Runs<T>, name: &'static str, run: T) {
    match runs.iter_mut().find(|(candidate, _)| *candidate == name) {
        Some((_, all)) => all.push(run),
        None => runs.push((name, vec![run])),
    }
}

fn folder() -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("vsay-bench-")
        .tempdir()
        .context("no folder for temporary data")
}
