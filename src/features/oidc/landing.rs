//! From a proven mail address to the accounts that have it.
use protocol::api::auth::{Factor, LoginAnswer};

use super::identity::Identity;
use super::outcome::Failure;
use super::store;
use crate::audit::{self, Action, RequestContext, Resource};
use crate::features::accounts::claim_address;
use crate::features::accounts::store::find_logins;
use crate::features::sign_in::finish;
use crate::features::sign_in::state::SignInState;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::settings::oidc::Kind;

/// The program that a sign-in by a browser is counted as, whatever the browser says.
const SOURCE: &str = "ui";

/// Signs in to the one account with the address, or lets choose among several. Nobody gets an account this way. Those whose
/// address was not proven until now lose what they were given before.
///
/// Who reads mail at the provider has shown more than a mailed code would; the code of an authenticator app is asked for all the
/// same, unless the provider did.
pub async fn land(
    app: &App,
    context: &RequestContext,
    kind: Kind,
    identity: &Identity,
) -> Result<LoginAnswer, Failure> {
    let db = app.db()?;
    let queries = (find_logins(&identity.email), store::find_disabled(&identity.email));
    let (mut accounts, disabled) = db.run(queries).await.map_err(ApiError::from)?;
    let unproven: Vec<_> = accounts.iter().filter(|account| !account.email_verified).collect();
    if !unproven.is_empty() {
        for account in unproven {
            claim_address::claim(app, context, account, kind.slug()).await?;
        }
        accounts = db.run(find_logins(&identity.email)).await.map_err(ApiError::from)?;
        accounts.retain(|account| account.email_verified);
    }
    let Some(first) = accounts.first() else {
        return Err(match disabled.first().is_some_and(|row| row.disabled) {
            true => Failure::Disabled,
            false => Failure::NoAccount,
        });
    };
    let mut state = SignInState::begin(SOURCE, kind.slug(), true, &accounts)?;
    if identity.second_factor {
        state = accounts
            .iter()
            .fold(state, |state, account| state.with(Factor::Totp, &account.id));
    }
    Ok(match accounts.len() {
        1 => finish::proceed(app, context, &state, &accounts, first).await?,
        _ => finish::choice(app, &state, &accounts)?,
    })
}

/// Writes down who was not let in, as far as that is known.
pub async fn record_failure(
    app: &App,
    context: &RequestContext,
    kind: Kind,
    email: &str,
    failure: &Failure,
) -> Result<(), ApiError> {
    let event = context
        .event(Action::LoginFailed, Resource::Auth)
        .claimed_by(email)
        .detail("method", kind.slug())
        .failed(401, &failure.to_string());
    app.db()?.run(audit::record(&event)).await?;
    Ok(())
}
