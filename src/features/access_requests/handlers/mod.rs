//! What people do with requests.
pub mod ask;
pub mod decide;
pub mod list;

use protocol::api::access_requests::AccessRequest;
use protocol::ids::ObjectId;

use super::row::Found;
use crate::platform::error::ApiError;

/// The id in a path.
fn request_key(text: &str) -> Result<ObjectId, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("Invalid request ID"))
}

/// The request after a change that succeeded. Its machine may be deleted in between.
fn exactly_one(found: Vec<Found>) -> Result<AccessRequest, ApiError> {
    let found = found.into_iter().next();
    found
        .map(|found| found.request)
        .ok_or_else(|| ApiError::not_found("Access request not found"))
}
