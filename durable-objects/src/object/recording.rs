//! Bringing recordings to the bucket.
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use protocol::recording::{BINDING, MEDIA_TYPE};
use worker::{Delay, HttpMetadata, Result};

use super::{Relay, now};
use crate::log;
use crate::relay::Chunk;

/// How long a put may take. One that takes longer is made again: it has the same name.
const PUT_TIMEOUT: Duration = Duration::from_secs(20);

/// A wait that should have been over for so many milliseconds is nobody's any more: whatever waited was ended by the platform.
const OVERDUE: u64 = 5_000;

impl Relay {
    /// Whether something is to be put, or time has to pass for it and nobody lets it.
    pub(super) fn has_to_record(&self) -> bool {
        !self.live.borrow().puts.is_empty() || self.recording_wait().is_some()
    }

    /// Puts what is to be put, and lets time pass as long as something waits for that. Meanwhile the object stays in memory, so
    /// that what has not been put is not read a second time.
    pub(super) async fn record(&self) {
        let mut puts = FuturesUnordered::new();
        loop {
            let waiting = std::mem::take(&mut self.live.borrow_mut().puts);
            puts.extend(waiting.into_iter().map(|chunk| self.put(chunk)));
            if puts.next().await.is_some() {
                continue;
            }
            let Some((at, wait)) = self.recording_wait() else {
                return;
            };
            self.live.borrow_mut().recording_at = Some(at);
            Delay::from(wait).await;
            self.live.borrow_mut().recording_at = None;
            self.event(|relay, now| relay.record(now)).await;
        }
    }

    /// Until when to wait and for how long, unless somebody does already.
    fn recording_wait(&self) -> Option<(u64, Duration)> {
        let live = self.live.borrow();
        let (due, now) = (live.relay.recording_due()?, now());
        let waits = |at: u64| at <= due && now <= at + OVERDUE;
        let wait = Duration::from_millis(due.saturating_sub(now));
        (!live.recording_at.is_some_and(waits)).then_some((due, wait))
    }

    async fn put(&self, chunk: Chunk) {
        let (stream, start) = (chunk.stream, chunk.span.start);
        let put = std::pin::pin!(self.put_now(chunk));
        let stored = match select(put, Delay::from(PUT_TIMEOUT)).await {
            Either::Left((Ok(()), _)) => true,
            Either::Left((Err(error), _)) => {
                log::error(&format!("a part of a recording was not stored: {error}"));
                false
            }
            Either::Right(_) => {
                log::error("a part of a recording was not stored in time");
                false
            }
        };
        self.event(|relay, now| relay.stored(now, stream, start, stored)).await;
    }

    async fn put_now(&self, chunk: Chunk) -> Result<()> {
        let about = HttpMetadata {
            content_type: Some(MEDIA_TYPE.to_owned()),
            ..HttpMetadata::default()
        };
        let bucket = self.env.bucket(BINDING)?;
        let put = bucket
            .put(chunk.key, chunk.body.to_vec())
            .http_metadata(about)
            .custom_metadata(chunk.span.metadata());
        put.execute().await?;
        Ok(())
    }
}
