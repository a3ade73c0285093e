//! What people do with recordings.
pub mod download;
pub mod list;
pub mod live;
pub mod remove;
pub mod segments;

use protocol::ids::ObjectId;

use super::access::RecordingAccess;
use super::store;
use crate::auth::caller::Credentials;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Looks a recording up for the caller.
async fn load(app: &App, credentials: Credentials, recording: &str) -> Result<RecordingAccess, ApiError> {
    let id: ObjectId = recording
        .parse()
        .map_err(|_| ApiError::bad_request("Invalid recording ID"))?;
    let find = store::find(credentials.user_id(), &id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    RecordingAccess::decide(caller, found)
}
