//! Limits on guessing, and on what strangers can have us mail, through the platform's rate-limit bindings.
use crate::http::client::Client;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::secrets;

/// Binding of the limit per network address.
const BY_ADDRESS: &str = "CREDENTIALS_BY_ADDRESS";

/// Binding of the limit per account.
const BY_ACCOUNT: &str = "CREDENTIALS_BY_ACCOUNT";

/// Binding of the limit on new tokens for an account's old ones.
const RENEWALS: &str = "RENEWALS_BY_ACCOUNT";

/// Binding of the limit on letters to one mail address.
const LETTERS: &str = "LETTERS_BY_RECIPIENT";

/// Counts one attempt by `client` on what `account` names, existing or not. Fails with 429 above either limit.
pub async fn attempt(app: &App, client: &Client, account: &str) -> Result<(), ApiError> {
    count(app, BY_ADDRESS, client.address.clone()).await?;
    count(app, BY_ACCOUNT, named(account)).await
}

/// Counts the renewal of a token of an account. Fails with 429 above the limit per account. Addresses do not count: a whole
/// office has one, and whoever renews has a token.
pub async fn renewal(app: &App, account: &str) -> Result<(), ApiError> {
    count(app, RENEWALS, account.to_owned()).await
}

/// Counts one letter to a mail address that anybody may ask for, whether it is sent or not. Fails with 429 above the limit.
pub async fn letter(app: &App, recipient: &str) -> Result<(), ApiError> {
    count(app, LETTERS, named(recipient)).await
}

/// A digest, so that no mail address or token is kept where the counters are.
fn named(text: &str) -> String {
    secrets::digest(&text.trim().to_lowercase())
}

async fn count(app: &App, binding: &str, key: String) -> Result<(), ApiError> {
    match app.rate_limiter(binding)?.limit(key).await?.success {
        true => Ok(()),
        false => Err(ApiError::too_many_requests()),
    }
}
