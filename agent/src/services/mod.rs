//! What makes an agent a runner: a directory of services, of which it tells the edge ([`catalog`], [`scan`]), and whose files it reads and
//! writes when it is asked ([`files`]), never outside of it ([`confined`]).
//!
//! That something changed there, the kernel says at once ([`watch`]), but not always. So that is only a hint, and every half minute all of
//! it is looked at. It is told of when it is another than what the edge has stored.
mod asks;
pub mod catalog;
pub mod confined;
pub mod files;
pub mod scan;
mod watch;
pub mod yaml;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::terminal::agent::FromAgent;
use protocol::terminal::services::{Answer, Ask, CatalogPart, MAX_ASKS, Refusal};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use crate::session::Outbox;
use catalog::Catalog;
use watch::Watch;

/// How long nothing more must have happened before it is looked at what did: a directory that is copied is many events.
const SETTLED: Duration = Duration::from_millis(200);

/// How long after the first event it is looked at the latest, whatever goes on: what is copied in appears within a second.
const AT_LATEST: Duration = Duration::from_millis(600);

/// How often it is looked though nothing was said to have changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// When a catalog is told of again of which the relay has not said a word: its database was out of reach, or it lost its memory.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The services of a machine over all links of one run.
pub struct Services {
    /// Where they are, if this machine is a runner.
    root: Option<PathBuf>,
    /// Whether the relay of this link takes catalogs.
    wanted: bool,
    eye: Eye,
    /// What the relay has stored.
    stored: Option<[u8; 32]>,
    /// What it was told of, and has not said that it has.
    told: Option<Told>,
    number: u64,
    /// What may be under way.
    asks: Arc<Semaphore>,
    /// Files are changed one after another: of two that write the same, one has the backup of the other.
    changes: Arc<Mutex<()>>,
}

struct Told {
    number: u64,
    digest: [u8; 32],
    at: Instant,
}

/// What looks at the directory.
#[derive(Default)]
struct Eye {
    watch: Option<Arc<Watch>>,
    /// What is watched, and of which directory.
    known: HashSet<PathBuf>,
    root: Option<(u64, u64)>,
    looking: Option<JoinHandle<Look>>,
    /// When it is looked next…
    look_at: Option<Instant>,
    /// …and since when something has been changing.
    changing_since: Option<Instant>,
}

/// What was seen.
struct Look {
    catalog: nix::Result<Catalog>,
    folders: HashSet<PathBuf>,
    root: Option<(u64, u64)>,
}

impl Services {
    /// Of a runner, if there is a directory.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self {
            root,
            wanted: false,
            eye: Eye::default(),
            stored: None,
            told: None,
            number: 0,
            asks: Arc::new(Semaphore::new(MAX_ASKS)),
            changes: Arc::default(),
        }
    }

    /// Whether this machine is a runner.
    pub fn is_runner(&self) -> bool {
        self.root.is_some()
    }

    /// There is a new link, whose relay has not said that it takes any.
    pub fn attach(&mut self) {
        self.wanted = false;
        self.told = None;
    }

    /// The relay takes catalogs.
    pub fn welcome(&mut self) {
        self.wanted = true;
        self.eye.look_at = Some(Instant::now());
    }

    /// A catalog is stored.
    pub fn stored(&mut self, number: u64) {
        if let Some(told) = self.told.take_if(|told| told.number == number) {
            self.stored = Some(told.digest);
        }
    }

    /// Waits until there is a catalog to tell of, and answers its parts. Nothing is lost if this is dropped before it is done.
    pub async fn due(&mut self) -> Vec<CatalogPart> {
        let (true, Some(root)) = (self.wanted, self.root.clone()) else {
            return std::future::pending().await;
        };
        loop {
            match self.eye.look(&root).await {
                Ok(catalog) => {
                    if let Some(parts) = self.news(catalog) {
                        return parts;
                    }
                }
                Err(error) => tracing::warn!(directory = %root.display(), %error, "the services cannot be looked at"),
            }
        }
    }

    /// The parts of a catalog that the relay does not have.
    fn news(&mut self, catalog: Catalog) -> Option<Vec<CatalogPart>> {
        let digest = catalog.digest();
        let now = Instant::now();
        let is_told = |told: &Told| told.digest == digest && now.duration_since(told.at) < AGAIN_AFTER;
        if self.told.as_ref().is_some_and(is_told) || self.told.is_none() && self.stored == Some(digest) {
            return None;
        }
        self.number += 1;
        self.told = Some(Told {
            number: self.number,
            digest,
            at: now,
        });
        Some(catalog.parts(self.number))
    }

    /// Does what it is asked to, beside everything else; the answer goes to the outbox. What cannot begin is answered at once.
    pub fn ask(&self, number: u64, service: String, ask: Ask, outbox: &Outbox) -> Option<FromAgent> {
        let refused = |refusal| {
            let answer = Answer::Refused { refusal };
            Some(FromAgent::Service { number, answer })
        };
        let Some(root) = self.root.clone() else {
            return refused(Refusal::NoService);
        };
        let Ok(under_way) = Arc::clone(&self.asks).try_acquire_owned() else {
            return refused(Refusal::Busy);
        };
        let (changes, outbox) = (Arc::clone(&self.changes), outbox.clone());
        let done = spawn_blocking(move || {
            let is_change = matches!(ask, Ask::Write { .. } | Ask::Delete { .. });
            let _one = is_change.then(|| changes.lock().unwrap_or_else(PoisonError::into_inner));
            files::answer(&root, &service, ask)
        });
        tokio::spawn(async move {
            let answer = done.await.unwrap_or_else(|error| Answer::Refused {
                refusal: Refusal::Failed {
                    error: error.to_string(),
                },
            });
            // If the link is gone, nobody waits.
            let _ = outbox.send(FromAgent::Service { number, answer }.into()).await;
            drop(under_way);
        });
        None
    }
}

/// Says the parts of a catalog, as fast as the link takes them.
pub fn say(parts: Vec<CatalogPart>, outbox: &Outbox) {
    let outbox = outbox.clone();
    tokio::spawn(async move {
        for part in parts {
            if outbox.send(FromAgent::Catalog { part }.into()).await.is_err() {
                return;
            }
        }
    });
}

impl Eye {
    /// Waits until it is time to look, and answers what is there.
    async fn look(&mut self, root: &Path) -> nix::Result<Catalog> {
        loop {
            if let Some(looking) = &mut self.looking {
                let looked = looking.await;
                self.looking = None;
                match looked {
                    Ok(look) => return self.seen(look),
                    Err(error) => tracing::warn!(%error, "looking at the services failed"),
                }
            }
            let now = Instant::now();
            let look_at = *self.look_at.get_or_insert(now + LOOK_EVERY);
            if look_at <= now {
                self.begin(root);
                continue;
            }
            tokio::select! {
                changed = changed(self.watch.as_deref()) => match changed {
                    Ok(()) => self.changes(Instant::now()),
                    Err(error) => {
                        tracing::debug!(%error, "services are not watched");
                        self.forget();
                    }
                },
                () = sleep_until(look_at) => {}
            }
        }
    }

    fn changes(&mut self, now: Instant) {
        let since = *self.changing_since.get_or_insert(now);
        self.look_at = Some((now + SETTLED).min(since + AT_LATEST));
    }

    fn begin(&mut self, root: &Path) {
        if self.watch.is_none() {
            let watch = Watch::new().inspect_err(|error| tracing::debug!(%error, "services are not watched"));
            self.watch = watch.ok().map(Arc::new);
        }
        self.look_at = None;
        self.changing_since = None;
        let (root, watch) = (root.to_owned(), self.watch.clone());
        self.looking = Some(spawn_blocking(move || look(&root, watch.as_deref())));
    }

    fn seen(&mut self, look: Look) -> nix::Result<Catalog> {
        if self.root.is_some() && self.root != look.root {
            // Another directory has its name now: what is watched is the old one.
            self.forget();
            self.look_at = Some(Instant::now());
        } else if !look.folders.is_subset(&self.known) {
            // What happened in those before they were watched, nobody has said.
            self.changes(Instant::now());
        }
        self.root = look.root;
        self.known = look.folders;
        look.catalog
    }

    fn forget(&mut self) {
        self.watch = None;
        self.known.clear();
    }
}

/// Looks, and has watched what is seen. All of it may wait for a disk.
fn look(root: &Path, watch: Option<&Watch>) -> Look {
    // The directory itself may be a link, and a link is not watched.
    let place = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let add = |folders: &HashSet<PathBuf>| watch.into_iter().for_each(|watch| watch.add(folders));
    add(&HashSet::from([place.clone()]));
    let catalog = scan::scan(root);
    let services = catalog.iter().flat_map(|catalog| &catalog.services);
    let folders = watch::folders(&place, services.map(|service| service.name.as_str()));
    add(&folders);
    Look {
        root: confined::Folder::root(root).and_then(|root| root.id()).ok(),
        catalog,
        folders,
    }
}

async fn changed(watch: Option<&Watch>) -> std::io::Result<()> {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
