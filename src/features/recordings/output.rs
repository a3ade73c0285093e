//! What a session's terminal wrote between two offsets, for whoever knows them, such as the log of commands.
use protocol::ids::ObjectId;
use protocol::limits::MAX_PAYLOAD;
use protocol::recording::{CHUNK_BYTES, output_between};

use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Most bytes of output that are read: what a person looks at. The whole is in the recording.
pub const MAX_OUTPUT: u64 = 64 * 1024;

/// A part is not longer than this: it is cut by the frame that fills it.
const PART_SPAN: u64 = CHUNK_BYTES + MAX_PAYLOAD as u64;

/// Parts listed at once: those that [`MAX_OUTPUT`] lies in and those that were put twice, if a relay died, with many short ones of
/// somebody who types.
const LISTED: u32 = 1000;

/// Output as it was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// When the terminal wrote the first byte asked for, in milliseconds since the recording began, if it is there.
    pub at: Option<u64>,
    /// From the first byte asked for on.
    pub bytes: Vec<u8>,
    /// Whether more was asked for than [`MAX_OUTPUT`].
    pub truncated: bool,
    /// Whether some of it is not in the bucket: not yet, or not any more.
    pub missing: bool,
}

/// Reads the output of a recording from `from` up to `to`, and no more of it than `most`, which is [`MAX_OUTPUT`] or less. Whether
/// the caller may see it, whoever asks has to find out.
pub async fn read(app: &App, recording: &ObjectId, from: u64, to: u64, most: u64) -> Result<Output, ApiError> {
    let end = to.min(from.saturating_add(most));
    let mut output = Output {
        truncated: end < to,
        ..Output::default()
    };
    let recordings = app.recordings()?;
    let (mut at, mut listed_from) = (from, from.saturating_sub(PART_SPAN));
    while at < end {
        let (parts, more) = recordings.list(recording, listed_from, LISTED).await?;
        for part in &parts {
            if part.span.start <= at
                && at < part.span.end
                && at < end
                && let Some(text) = recordings.read(&part.key).await?
            {
                let found = output_between(&text, part.span.start, at, end).map_err(ApiError::internal)?;
                at += found.bytes.len() as u64;
                output.at = output.at.or(found.at);
                output.bytes.extend(found.bytes);
            }
        }
        match parts.last() {
            Some(last) if more && last.span.start < end => listed_from = last.span.start + 1,
            _ => break,
        }
    }
    output.missing = at < end;
    Ok(output)
}
