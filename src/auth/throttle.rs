//! Limits on guessing, through the platform's rate-limit bindings.
use crate::app::App;
use crate::client::Client;
use crate::error::ApiError;
use crate::secrets;

/// Binding of the limit per network address.
const BY_ADDRESS: &str = "CREDENTIALS_BY_ADDRESS";

/// Binding of the limit per account.
const BY_ACCOUNT: &str = "CREDENTIALS_BY_ACCOUNT";

/// Counts one attempt by `client` on what `account` names, existing or not. Fails with 429 above either limit.
pub async fn attempt(app: &App, client: &Client, account: &str) -> Result<(), ApiError> {
    // A digest, so that no mail address or token is kept where the counters are.
    let account = secrets::digest(&account.trim().to_lowercase());
    for (binding, key) in [(BY_ADDRESS, client.address.clone()), (BY_ACCOUNT, account)] {
        if !app.rate_limiter(binding)?.limit(key).await?.success {
            return Err(ApiError::too_many_requests());
        }
    }
    Ok(())
}
