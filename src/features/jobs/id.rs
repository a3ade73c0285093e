//! Ids of jobs: so short, as they are published, that one may be taken.
use std::ops::AsyncFnMut;

use protocol::ids::JobId;

use crate::platform::db::DbError;
use crate::platform::error::ApiError;
use crate::platform::random;

/// How often another id is tried when one is taken. Of four thousand million there is hardly one that is.
const TRIES: usize = 3;

/// Adds a job under an id that no other has. `add` is asked again where the one it was given is taken.
pub async fn under_new<T>(
    mut add: impl AsyncFnMut(&JobId) -> Result<Result<T, DbError>, ApiError>,
) -> Result<(JobId, T), ApiError> {
    let mut tries = 0;
    loop {
        let id = random::hex::<4>()?.try_into().map_err(ApiError::internal)?;
        tries += 1;
        match add(&id).await? {
            Err(DbError::Duplicate) if tries < TRIES => {}
            added => return Ok((id, added?)),
        }
    }
}
