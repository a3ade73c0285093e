//! What a session's terminal wrote, as its recordings have it, for whoever asks for the log of a session that has no other.
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use protocol::ids::{ObjectId, SessionId};

use super::output::{self, MAX_OUTPUT};
use super::row::RecordingRow;
use super::store;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// The beginning of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When it began.
    pub at: DateTime<Utc>,
    /// What the terminal wrote first, up to [`MAX_OUTPUT`], with its escape sequences.
    pub output: String,
}

/// The beginnings of those recordings of a session that the caller may see, the oldest first, and how many there are. Of one that is being
/// made there is what is stored so far. Each is two or three requests to the bucket.
pub async fn beginnings(
    app: &App,
    caller: &ObjectId,
    (machine, session): (&ObjectId, &SessionId),
    window: (i64, i64),
) -> Result<(Vec<Recorded>, u64), ApiError> {
    let (rows, count) = app
        .db()?
        .run(store::list_of_session(caller, machine, session, window))
        .await?;
    let reading = rows.iter().map(|row| beginning(app, row));
    let read = join_all(reading).await.into_iter().collect::<Result<_, _>>()?;
    Ok((read, Count::of(&count)))
}

async fn beginning(app: &App, recording: &RecordingRow) -> Result<Recorded, ApiError> {
    let found = output::read(app, &recording.id, 0, u64::MAX, MAX_OUTPUT).await?;
    Ok(Recorded {
        at: recording.started_at,
        output: String::from_utf8_lossy(&found.bytes).into_owned(),
    })
}
