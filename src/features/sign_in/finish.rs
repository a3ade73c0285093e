//! The end of every way to sign in: what else is needed is asked for, and then there is a token. Passwords, invitations and
//! sign-in by another provider all come here, so that none of them goes round a second factor.
use protocol::api::auth::{Factor, LoginAnswer, SignedIn};
use protocol::api::secret::Secret;

use super::otp;
use super::state::{SignInState, tenants};
use crate::audit::{self, Action, RequestContext, Resource};
use crate::auth::token::{Subject, TokenKey};
use crate::features::accounts::row::AccountRow;
use crate::features::accounts::{body, store};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// What kind of token it is.
pub const TOKEN_TYPE: &str = "bearer";

/// Signs in to `account`, one of the `rows` that `state` names, or asks for what is still needed: mails the code, if it is one.
pub async fn proceed(
    app: &App,
    context: &RequestContext,
    state: &SignInState,
    rows: &[AccountRow],
    account: &AccountRow,
) -> Result<LoginAnswer, ApiError> {
    let Some(factor) = state.needs(account) else {
        let signed_in = sign_in(app, context, state, rows, account).await?;
        return Ok(LoginAnswer::SignedIn(Box::new(signed_in)));
    };
    if factor == Factor::Mail {
        otp::send(app, context, state, account).await?;
    }
    let challenge = state.challenge(&TokenKey::of(&app.config), factor, account, rows)?;
    Ok(LoginAnswer::Challenge(challenge))
}

/// Lets somebody choose among several organizations.
pub fn choice(app: &App, state: &SignInState, rows: &[AccountRow]) -> Result<LoginAnswer, ApiError> {
    state.choice(&TokenKey::of(&app.config), rows).map(LoginAnswer::Choice)
}

/// Signs in to `account` without asking for more. Whoever calls this has asked [`SignInState::needs`].
pub async fn sign_in(
    app: &App,
    context: &RequestContext,
    state: &SignInState,
    rows: &[AccountRow],
    account: &AccountRow,
) -> Result<SignedIn, ApiError> {
    let now = now();
    let event = context
        .event(Action::Login, Resource::Auth)
        .by(&account.id, &account.username)
        .within(&account.organization_id)
        .on(&account.id)
        .detail("method", state.method.as_str());
    app.db()?
        .run((store::touch_login(&account.id, &now), audit::record(&event)))
        .await?;
    let token = issue(app, account, &state.source, state.sid.as_str())?;
    let account = AccountRow {
        last_login_at: now.parse().ok(),
        ..account.clone()
    };
    let user = body::user(&app.config, &account)?;
    Ok(SignedIn {
        access_token: token.clone(),
        token,
        token_type: TOKEN_TYPE.to_owned(),
        expires_in: app.config.token_lifetime_seconds(),
        permissions: user.permissions.clone(),
        must_reset_password: user.must_reset_password,
        user,
        session_token: state.session_token(&TokenKey::of(&app.config))?,
        available_tenants: tenants(rows),
    })
}

/// A bearer token of a sign-in, for the account as it is.
pub fn issue(app: &App, account: &AccountRow, source: &str, sign_in: &str) -> Result<Secret, ApiError> {
    TokenKey::of(&app.config).issue(&Subject {
        user_id: &account.id,
        uid: account.int_id,
        username: &account.username,
        email: &account.email,
        tenant_id: &account.tenant_id,
        tenant_name: &account.tenant_name,
        role: account.role.as_str(),
        machine_role: &account.machine_role,
        groups: account.groups.iter().map(|group| group.name.as_str()).collect(),
        source,
        sid: sign_in,
        ver: account.token_version,
    })
}
