//! SQL of pictures: who sent them, and what shows them.
use protocol::ids::ObjectId;

use crate::features::community::row::Picture;
use crate::platform::db::{Exists, Nothing, Query, statements};
use crate::platform::error::ApiError;
use crate::platform::images::{ImageId, Shelf};

/// Most pictures of one account that nothing shows: as many as five issues may have. Whoever sends more without using them keeps
/// files here.
pub const MAX_UNUSED: i64 = 50;

statements! {
    /// Notes a picture that is about to be kept. No row if its sender has too many that nothing shows.
    ADD = "INSERT INTO community_images (id, uploader_id, created_at)
         SELECT ?1, ?2, ?3 WHERE (SELECT COUNT(*) FROM community_images WHERE uploader_id = ?2 AND issue_id IS NULL AND fix_id IS NULL) < ?4
         RETURNING id";

    /// What an issue (?1) no longer shows (?2, a JSON array of what it does).
    RELEASE = "UPDATE community_images SET issue_id = NULL WHERE issue_id = ?1 AND id NOT IN (SELECT value FROM json_each(?2))";

    /// What an issue shows from now on, if its sender (?3) says so and nothing else shows it.
    CLAIM_FOR_ISSUE = "UPDATE community_images SET issue_id = ?1 WHERE id IN (SELECT value FROM json_each(?2)) AND uploader_id = ?3
         AND issue_id IS NULL AND fix_id IS NULL";

    CLAIM_FOR_FIX = "UPDATE community_images SET fix_id = ?1 WHERE id IN (SELECT value FROM json_each(?2)) AND uploader_id = ?3
         AND issue_id IS NULL AND fix_id IS NULL";

    UNUSED = "SELECT id FROM community_images WHERE issue_id IS NULL AND fix_id IS NULL AND created_at < ?1 ORDER BY created_at LIMIT ?2";

    /// Unless something shows it meanwhile.
    REMOVE = "DELETE FROM community_images WHERE id = ?1 AND issue_id IS NULL AND fix_id IS NULL RETURNING id";
}

/// Notes a picture of somebody's. No row if they have too many.
pub fn add(uploader: &ObjectId, id: &ImageId, now: &str) -> Query<Exists> {
    Query::new(
        ADD,
        [id.as_str().into(), uploader.into(), now.into(), MAX_UNUSED.into()],
    )
}

/// What an issue shows: the pictures of ours at these addresses, of those that the caller sent or that it has already.
pub fn show_in_issue(
    uploader: &ObjectId,
    issue: &ObjectId,
    addresses: &[String],
) -> Result<(Query<Nothing>, Query<Nothing>), ApiError> {
    let ids = ids(addresses)?;
    Ok((
        Query::new(RELEASE, [issue.into(), ids.as_str().into()]),
        Query::new(CLAIM_FOR_ISSUE, [issue.into(), ids.into(), uploader.into()]),
    ))
}

/// The same of a new fix.
pub fn show_in_fix(uploader: &ObjectId, fix: &ObjectId, addresses: &[String]) -> Result<Query<Nothing>, ApiError> {
    Ok(Query::new(
        CLAIM_FOR_FIX,
        [fix.into(), ids(addresses)?.into(), uploader.into()],
    ))
}

/// Some pictures (at most `limit`) that were sent before `time` and that nothing shows.
pub fn unused(time: &str, limit: i64) -> Query<Picture> {
    Query::new(UNUSED, [time.into(), limit.into()])
}

/// Forgets a picture. A row if nothing shows it.
pub fn remove(picture: &Picture) -> Query<Picture> {
    Query::new(REMOVE, [picture.id.as_str().into()])
}

fn ids(addresses: &[String]) -> Result<String, ApiError> {
    let ids = addresses.iter().filter_map(|address| Shelf::Community.at(address));
    let ids: Vec<String> = ids.map(|id| id.as_str().to_owned()).collect();
    serde_json::to_string(&ids).map_err(ApiError::internal)
}
