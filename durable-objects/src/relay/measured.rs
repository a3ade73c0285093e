//! What an agent says of how its machine does: what of it the directory hears, and how often it is to be said.
use protocol::api::health::{Health, Thresholds};
use protocol::api::machines::Metrics;
use protocol::api::series::Series;
use protocol::relay_contract::Interest;
use protocol::terminal::agent::ToAgent;

use super::action::Figures;
use super::record::{AgentMemory, Watch};

/// How often the directory hears of figures that come all the time, in milliseconds: lists are never staler than that while
/// somebody reads them.
const WRITTEN_EVERY: u64 = 60 * 1000;

/// An agent that says how it does more often than this, in milliseconds, is not listened to: each is an attachment written.
const APART: u64 = 900;

/// Histories that come faster than this one after another, in milliseconds, are dropped: each is a row for a week.
const HISTORIES_APART: u64 = 30 * 1000;

/// How often, in seconds, a machine is measured that somebody has on the screen…
const PAGE_SECONDS: u32 = 3;

/// …and for how long after it was asked for it, in milliseconds. A page asks again while it is open.
const PAGE_MS: u64 = 30 * 1000;

/// How long a machine is measured after somebody has read of it, in milliseconds.
const READER_MS: u64 = 15 * 60 * 1000;

/// What is remembered of one link only as long as the object is in memory.
#[derive(Debug, Default)]
pub struct Measured {
    /// When the agent last said how it does.
    said: Option<u64>,
    /// When its last history came.
    history: Option<u64>,
}

impl Measured {
    /// Takes figures, and answers what the directory is to hear of them.
    pub fn take(
        &mut self,
        now: u64,
        metrics: Metrics,
        history: Option<Series>,
        memory: &mut AgentMemory,
    ) -> Option<Figures> {
        let too_soon = |last: Option<u64>, apart| last.is_some_and(|at| now.saturating_sub(at) < apart);
        if too_soon(self.said, APART) && history.is_none() {
            return None;
        }
        let history = history.filter(|series| !series.samples().is_empty() && !too_soon(self.history, HISTORIES_APART));
        self.said = Some(now);
        if history.is_some() {
            self.history = Some(now);
        }
        let health = memory.context.thresholds.judge(&metrics, memory.health);
        let stale = memory
            .written
            .as_ref()
            .is_none_or(|(_, at)| now.saturating_sub(*at) >= WRITTEN_EVERY);
        // The first figures of a link, too: the directory may have heard something else from the link before.
        let is_news = health != memory.health || memory.written.is_none();
        let worth_it = stale || is_news || history.is_some();
        memory.health = health;
        memory.latest = Some(metrics.clone());
        memory.measured_at = Some(now);
        worth_it.then(|| {
            memory.written = Some((metrics.clone(), now));
            Figures {
                metrics,
                at: now,
                history,
                health: is_news.then_some(health),
            }
        })
    }
}

/// Judges the last figures by other thresholds, and answers what the directory is to hear of that.
pub fn judge_by(thresholds: Thresholds, memory: &mut AgentMemory) -> Option<Figures> {
    memory.context.thresholds = thresholds;
    let metrics = memory.latest.clone()?;
    let at = memory.measured_at?;
    let health = thresholds.judge(&metrics, Health::default());
    if std::mem::replace(&mut memory.health, health) == health {
        return None;
    }
    Some(Figures {
        metrics,
        at,
        history: None,
        health: Some(health),
    })
}

/// Who looks at a machine.
pub struct Looked {
    /// Somebody has it on the screen.
    pub page: bool,
    /// Somebody has it there, or in a list, or reads of it now and then.
    pub list: bool,
}

/// Who looks at the machine of a link.
pub fn looked_at(now: u64, memory: &AgentMemory) -> Looked {
    let mut watches = memory.watches.iter().filter(|watch| watch.until > now).peekable();
    Looked {
        list: watches.peek().is_some(),
        page: watches.any(|watch| watch.every == PAGE_SECONDS),
    }
}

/// What to tell an agent of whose machine somebody wants to know, unless it knows that for a while.
pub fn watch(now: u64, interest: Interest, heartbeat_seconds: u32, memory: &mut AgentMemory) -> Option<ToAgent> {
    if !memory.pulled {
        return None;
    }
    let (every, lasts) = match interest {
        Interest::Page => (PAGE_SECONDS, PAGE_MS),
        Interest::Reader => (heartbeat_seconds, READER_MS),
    };
    memory.watches.retain(|watch| watch.until > now);
    let is_known = |watch: &Watch| watch.every == every && watch.until > now + lasts / 2;
    if memory.watches.iter().any(is_known) {
        return None;
    }
    memory.watches.retain(|watch| watch.every != every);
    memory.watches.push(Watch {
        every,
        until: now + lasts,
    });
    Some(ToAgent::Watch {
        every_seconds: every,
        for_seconds: u32::try_from(lasts / 1000).unwrap_or(u32::MAX),
    })
}
