//! Where recordings are kept: in the bucket, a part at a time, each an object whose key and metadata say what it covers. The relays
//! put them there; nothing is ever changed.
use protocol::ids::ObjectId;
use protocol::recording::{BINDING, Span, chain, key, prefix};
use worker::{Bucket, Env, Include};

use super::error::ApiError;

/// Most objects that the bucket removes at once.
const REMOVED_AT_ONCE: u32 = 1000;

/// The recordings of this deployment.
pub struct Recordings(Bucket);

/// A part of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub key: String,
    pub span: Span,
    /// Its length in bytes.
    pub size: u64,
}

/// A walk along the parts of a recording that follow one another.
#[derive(Debug)]
pub struct Walk {
    recording: ObjectId,
    /// Where the next listing begins.
    from: u64,
    /// Where the part before ended.
    end: u64,
    /// Whether all is listed.
    over: bool,
}

impl Walk {
    /// From a part that begins at `offset` on.
    pub fn from(recording: &ObjectId, offset: u64) -> Self {
        Self {
            recording: recording.clone(),
            from: offset,
            end: offset,
            over: false,
        }
    }

    /// Whether there is nothing more.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Where the parts so far end: a walk from there on goes on with this one.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The next parts, at most `most`. There may be none of them though the walk is not over.
    pub async fn next(&mut self, recordings: &Recordings, most: u32) -> Result<Vec<Stored>, ApiError> {
        let (listed, more) = recordings.list(&self.recording, self.from, most).await?;
        self.from = listed
            .last()
            .map_or(self.from, |last| last.span.start.saturating_add(1));
        self.over = !more || listed.is_empty();
        let parts = chain(listed, self.end, |stored| stored.span);
        self.end = parts.last().map_or(self.end, |last| last.span.end);
        Ok(parts)
    }
}

impl Recordings {
    pub fn new(env: &Env) -> Result<Self, ApiError> {
        env.bucket(BINDING).map(Self).map_err(|_| ApiError::unbound(BINDING))
    }

    /// The parts that begin at `offset` or later, at most `most`, those that were put twice, too; and whether more follow.
    pub async fn list(&self, recording: &ObjectId, offset: u64, most: u32) -> Result<(Vec<Stored>, bool), ApiError> {
        let list = self.0.list().prefix(prefix(recording)).limit(most);
        let list = match offset.checked_sub(1) {
            Some(before) => list.start_after(key(recording, before)),
            None => list,
        };
        let found = list.include(vec![Include::CustomMetadata]).execute().await?;
        let mut parts = Vec::new();
        for object in found.objects() {
            let key = object.key();
            // What is no part of ours is in nobody's way.
            if let Some(span) = Span::of(&key, &object.custom_metadata()?) {
                let size = object.size();
                parts.push(Stored { key, span, size });
            }
        }
        Ok((parts, found.truncated()))
    }

    /// The lines of a part; nothing if it was removed meanwhile.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, ApiError> {
        let object = self.0.get(key).execute().await?;
        match object.as_ref().and_then(|object| object.body()) {
            Some(body) => Ok(Some(body.bytes().await?)),
            None => Ok(None),
        }
    }

    /// Removes some of a recording. Answers whether nothing is left of it.
    pub async fn remove_some(&self, recording: &ObjectId) -> Result<bool, ApiError> {
        let found = self
            .0
            .list()
            .prefix(prefix(recording))
            .limit(REMOVED_AT_ONCE)
            .execute()
            .await?;
        let keys: Vec<String> = found.objects().iter().map(|object| object.key()).collect();
        if !keys.is_empty() {
            self.0.delete_multiple(keys).await?;
        }
        Ok(!found.truncated())
    }
}
