//! What people have done with things.
pub mod configs;
pub mod run;

use super::access::ActionRight;
use crate::auth::caller::Credentials;
use crate::features::inventory::access::Known;
use crate::features::inventory::store::objects;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Looks a thing up.
async fn known(app: &App, credentials: Credentials, slug: &str, id: &str) -> Result<Known, ApiError> {
    let find = objects::find(credentials.user_id(), slug, id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    Known::decide(caller, found, slug)
}
