//! The pictures of the community in the bucket.
use chrono::{DateTime, TimeDelta, Utc};

use super::store::pictures;
use crate::platform::context::App;
use crate::platform::db::stored;
use crate::platform::error::ApiError;
use crate::platform::images::{ImageId, Shelf};

/// How long a picture is kept that nothing shows: whoever sent it may still be writing what is to show it.
const KEPT_UNUSED: TimeDelta = TimeDelta::days(1);

/// Most pictures removed in one run: each is a request to the bucket.
const AT_ONCE: i64 = 50;

/// Removes the pictures that nothing shows at `now`: those that were never used, and those of what was deleted.
pub async fn purge(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let db = app.db()?;
    let unused = db.run(pictures::unused(&stored(now - KEPT_UNUSED), AT_ONCE)).await?;
    if unused.is_empty() {
        return Ok(());
    }
    let removed = db.run(unused.iter().map(pictures::remove).collect::<Vec<_>>()).await?;
    let ids = removed
        .iter()
        .flatten()
        .filter_map(|picture| ImageId::parse(&picture.id));
    app.images(Shelf::Community)?.remove(ids.collect()).await
}
