//! What commands wrote: a range of their terminal's output, read from its recording.
use futures_util::future::join_all;
use protocol::api::command_logs::CommandLog;

use crate::features::recordings::output::{self, MAX_OUTPUT};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// What a row of a search shows: enough to know it again. Each is two or three requests to the bucket.
const EXCERPT: u64 = 4 * 1024;

/// Reads what one command wrote, and when in the recording it began to.
pub async fn whole(app: &App, log: &mut CommandLog) -> Result<(), ApiError> {
    read(app, log, MAX_OUTPUT).await
}

/// Reads the beginning of what each wrote.
pub async fn excerpts(app: &App, logs: &mut [CommandLog]) -> Result<(), ApiError> {
    each(app, logs, EXCERPT).await
}

/// Reads what each wrote, as of one.
pub async fn all(app: &App, logs: &mut [CommandLog]) -> Result<(), ApiError> {
    each(app, logs, MAX_OUTPUT).await
}

async fn each(app: &App, logs: &mut [CommandLog], most: u64) -> Result<(), ApiError> {
    let reading = logs.iter_mut().map(async |log| {
        read(app, log, most).await?;
        log.recording_at_ms = None;
        Ok(())
    });
    join_all(reading).await.into_iter().collect()
}

/// Nothing is read of what has no recording. One that wrote nothing is looked for by what came after it.
async fn read(app: &App, log: &mut CommandLog, most: u64) -> Result<(), ApiError> {
    let (Some(recording), Some(from), Some(to)) = (&log.recording_id, log.output_from, log.output_to) else {
        return Ok(());
    };
    let found = output::read(app, recording, from, to.max(from.saturating_add(1)), most).await?;
    log.recording_at_ms = found.at;
    if to > from {
        log.output = String::from_utf8_lossy(&found.bytes).into_owned();
        log.output_truncated = found.truncated;
        // Not there yet, or not any more.
        log.output_available = !found.missing;
    }
    Ok(())
}
