//! What people do with schedules.
pub mod change;
pub mod read;

use super::access::ScheduleAccess;
use super::store;
use crate::auth::caller::Credentials;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Looks a schedule up. A text that is no id names none.
async fn load(app: &App, credentials: Credentials, id: &str) -> Result<ScheduleAccess, ApiError> {
    let find = store::find(credentials.user_id(), id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    ScheduleAccess::decide(caller, found)
}
