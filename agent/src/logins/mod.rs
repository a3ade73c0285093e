//! Logins on this machine that do not pass the edge: by SSH, or at its console. The kernel wakes the agent when the system writes one
//! down ([`watch`]); what is written is read then ([`source`]), and what is news told, now and then ([`ledger`]). Nothing is looked at
//! while nothing happens.
mod ledger;
mod logind;
mod source;
mod utmp;
mod watch;

use std::time::Duration;

use protocol::terminal::agent::FromAgent;
use protocol::terminal::logins::LOGINS_APART_SECONDS;
use tokio::time::{Instant, sleep_until};

use crate::session::wall_ms;
use crate::system::System;
use ledger::Ledger;
use source::Source;
pub(crate) use watch::Descriptor;
use watch::Watch;

/// How soon after it was read the system's record is read again: a program that logs in all the time keeps the agent no busier than that.
const READ_APART: Duration = Duration::from_millis(200);

/// How soon after the last message the next is said.
const SAID_APART: Duration = Duration::from_secs(LOGINS_APART_SECONDS);

/// When logins are said again that the relay has not said a word about: its database was out of reach, or it lost its memory.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How often a record that is not there, or was taken away, is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// Watches the logins of a machine over all links of one run.
pub struct Logins {
    system: System,
    source: Source,
    watch: Option<Watch>,
    ledger: Ledger,
    /// Whether the relay of this link takes logins.
    wanted: bool,
    /// When the record is read next.
    read_at: Option<Instant>,
    /// When a message was said last that had news…
    said_at: Option<Instant>,
    /// …and since when one waits for its answer.
    awaited_since: Option<Instant>,
    /// Whether the next is the first of this link, which says what was there before: the next has not to wait for it.
    is_first: bool,
}

impl Logins {
    /// Watches nothing before the first link.
    pub fn new(system: System) -> Self {
        Self {
            source: Source::find(&system),
            system,
            watch: None,
            ledger: Ledger::default(),
            wanted: false,
            read_at: None,
            said_at: None,
            awaited_since: None,
            is_first: true,
        }
    }

    /// There is a new link, whose relay has not said that it takes any.
    pub fn attach(&mut self) {
        self.wanted = false;
        self.awaited_since = None;
    }

    /// The relay takes logins: it is told at once which last, so that what is listed and does not is closed.
    pub fn welcome(&mut self) {
        self.wanted = true;
        self.is_first = true;
        self.ledger.tell_all();
        self.open();
    }

    /// The logins of a message are stored.
    pub fn stored(&mut self, number: u64) {
        if self.ledger.stored(number) {
            self.awaited_since = None;
        }
    }

    /// Waits until there is something to say, and meanwhile reads what the system writes down. Nothing is lost if this is dropped before it
    /// is done.
    pub async fn due(&mut self) {
        loop {
            if !self.wanted {
                return std::future::pending().await;
            }
            let now = Instant::now();
            if self.read_at.is_some_and(|at| at <= now) {
                self.read(now);
                continue;
            }
            let say = self.say_at(now);
            if say.is_some_and(|at| at <= now) {
                return;
            }
            let at = [self.read_at, say].into_iter().flatten().min();
            let reads = self.read_at.is_none();
            tokio::select! {
                changed = changed(&mut self.watch), if reads => match changed {
                    Ok(()) => self.read_at = Some(now),
                    // Its file or folder is gone.
                    Err(error) => {
                        tracing::debug!(%error, "logins are not watched");
                        self.watch = None;
                        self.read_at = Some(now + LOOK_AGAIN);
                    }
                },
                () = sleep_until(at.unwrap_or(now)), if at.is_some() => {}
            }
        }
    }

    /// What is to be said.
    pub fn next_message(&mut self) -> Option<FromAgent> {
        let logins = self.ledger.message()?;
        let now = Instant::now();
        if !std::mem::take(&mut self.is_first) {
            self.said_at = Some(now);
        }
        self.awaited_since = Some(now);
        Some(FromAgent::Logins { now: wall_ms(), logins })
    }

    /// When something is to be said, by somebody who looks now.
    fn say_at(&self, now: Instant) -> Option<Instant> {
        if let Some(since) = self.awaited_since {
            return Some(since + AGAIN_AFTER);
        }
        let earliest = self.said_at.map_or(now, |at| at + SAID_APART);
        let earliest = if self.is_first { now } else { earliest };
        self.ledger.has_news().then_some(earliest)
    }

    /// Begins to watch, and reads what was written before.
    fn open(&mut self) {
        self.source = Source::find(&self.system);
        self.watch = self.source.path().and_then(|path| {
            let watch = Watch::of(path);
            watch
                .inspect_err(|error| tracing::debug!(%error, "logins are not watched"))
                .ok()
        });
        self.ledger.observe(wall_ms(), self.source.read(&self.system));
        self.read_at = self.watch.is_none().then(|| Instant::now() + LOOK_AGAIN);
    }

    fn read(&mut self, now: Instant) {
        if self.watch.is_none() {
            return self.open();
        }
        self.ledger.observe(wall_ms(), self.source.read(&self.system));
        self.read_at = None;
        if let Some(watch) = &mut self.watch {
            watch.rest_until(now + READ_APART);
        }
    }
}

async fn changed(watch: &mut Option<Watch>) -> std::io::Result<()> {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
