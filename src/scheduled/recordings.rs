//! The end of recordings that are kept no longer.
use chrono::{DateTime, Utc};

use crate::features::log_management;
use crate::features::recordings::store;
use crate::platform::context::App;
use crate::platform::db::stored;
use crate::platform::error::ApiError;

/// Most recordings of one run that are removed; the next goes on.
const AT_ONCE: i64 = 20;

/// Removes some of what has expired by now: first from the bucket, at most a thousand parts of each in one run, and then the row,
/// so that nothing stays behind that no row names.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let (db, now) = (app.db()?, stored(now));
    let expired = db.run(store::expired(&now, AT_ONCE)).await?;
    if expired.is_empty() {
        return Ok(());
    }
    let recordings = app.recordings()?;
    for recording in expired {
        if recordings.remove_some(&recording.id).await? {
            let noted = log_management::store::note_recording(&recording.id, &now);
            db.run((noted, store::delete_expired(&recording, &now))).await?;
        }
    }
    Ok(())
}
