//! What people do with the inventory.
pub mod change;
pub mod files;
pub mod objects;
pub mod rules;
pub mod synced;
pub mod tag_permissions;
pub mod tags;
pub mod types;

use protocol::api::inventory::objects::Done;

use super::access::Known;
use super::store;
use crate::auth::caller::Credentials;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::Batch;
use crate::platform::error::ApiError;

/// Looks a thing up.
async fn known(app: &App, credentials: Credentials, slug: &str, id: &str) -> Result<Known, ApiError> {
    Ok(known_with(app, credentials, slug, id, ()).await?.0)
}

/// The same, with what else is needed.
async fn known_with<B: Batch>(
    app: &App,
    credentials: Credentials,
    slug: &str,
    id: &str,
    more: B,
) -> Result<(Known, B::Rows), ApiError> {
    let find = store::objects::find(credentials.user_id(), slug, id);
    let (caller, (found, more)) = credentials.load(&app.db()?, (find, more)).await?;
    Ok((Known::decide(caller, found, slug)?, more))
}

/// Others were quicker, again and again.
fn busy() -> ApiError {
    ApiError::conflict("busy", "Many are changing this at this moment, try again")
}

/// The answer that something is gone (contract).
fn deleted() -> Json<Done> {
    Json(Done {
        status: "deleted".to_owned(),
    })
}
