//! What administrators do with webhooks.
pub mod deliveries;
pub mod one;
pub mod rotate_secret;

use super::access::WebhookControl;
use super::store;
use crate::auth::caller::Credentials;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Looks a webhook up for its administrator. A text that is no id names none.
async fn load(app: &App, credentials: Credentials, webhook_id: &str) -> Result<WebhookControl, ApiError> {
    let find = store::find(credentials.user_id(), webhook_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    WebhookControl::decide(caller, found)
}
