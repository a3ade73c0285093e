//! Passwords that are changed and forgotten.
use protocol::api::auth::{
    ChangePassword, ForgotPassword, PasswordChanged, PasswordReset, PasswordResetByToken, StatusOk,
};
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;

use crate::audit::{self, Action, RequestContext, Resource};
use crate::auth::caller::Credentials;
use crate::auth::throttle;
use crate::features::accounts::email_link::{self, Purpose};
use crate::features::accounts::row::AccountRow;
use crate::features::accounts::{body, claim_address, password, password_change, store};
use crate::features::sign_in::finish;
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;
use crate::platform::mail::{Letter, Link};

/// Changes the caller's password and ends all other sign-ins of the account.
#[utoipa::path(post, path = "/api/auth/change-password", summary = "Change one's password",
    request_body = ChangePassword,
    responses((status = 200, description = "A token in place of the one that asked", body = PasswordChanged),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn change(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<ChangePassword>,
) -> Result<Json<PasswordChanged>, ApiError> {
    let account = store::find_account(credentials.user_id());
    let (caller, accounts) = credentials.load(&app.db()?, account).await?;
    throttle::attempt(&app, &caller.context().client, &format!("confirm:{}", caller.id())).await?;
    let account = accounts.first().ok_or_else(|| ApiError::not_found("User not found"))?;
    let changed = password_change::change(
        &app,
        &caller,
        account,
        request.current_password.as_ref(),
        &request.new_password,
    )
    .await?;
    let token = finish::issue(&app, &changed, caller.source(), &caller.sign_in())?;
    Ok(Json(PasswordChanged {
        message: "Password changed successfully".to_owned(),
        status: "ok".to_owned(),
        access_token: token.clone(),
        token,
        token_type: finish::TOKEN_TYPE.to_owned(),
        expires_in: app.config.token_lifetime_seconds(),
        user: body::user(&app.config, &changed)?,
    }))
}

/// Mails a link to choose a new password, if there is an account with that address. The answer does not tell.
#[utoipa::path(post, path = "/api/auth/forgot-password", summary = "Ask for a new password",
    request_body = ForgotPassword,
    responses((status = 200, description = "Whether or not there is such an account", body = StatusOk),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn forgot(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<ForgotPassword>,
) -> Result<Json<StatusOk>, ApiError> {
    throttle::attempt(&app, &context.client, &format!("forgot:{}", request.email)).await?;
    throttle::letter(&app, &request.email).await?;
    let accounts = app.db()?.run(store::find_logins(&request.email)).await?;
    // Writing the links and the mail takes a while, so it is done when the answer is out.
    let background = app.background().clone();
    background.run(async move {
        for account in &accounts {
            if let Err(error) = send_link(&app, &context, account).await {
                crate::platform::log::error(&format!("no link to reset a password: {}", error.cause()));
            }
        }
    });
    Ok(Json(StatusOk {
        status: "ok".to_owned(),
        message: "If an account exists with that email, a reset link has been sent.".to_owned(),
    }))
}

async fn send_link(app: &App, context: &RequestContext, account: &AccountRow) -> Result<(), ApiError> {
    let (token, rows) = email_link::new(&account.id, Purpose::Reset, &now())?;
    let event = context
        .event(Action::PasswordResetRequested, Resource::User)
        .claimed_by(&account.username)
        .within(&account.organization_id)
        .on(&account.id);
    app.db()?.run((rows, audit::record(&event))).await?;
    let link = Link {
        token: &token,
        lasts: Purpose::Reset.lasts(),
    };
    let letter = Letter::PasswordReset {
        username: &account.username,
        link,
    };
    // A failure is logged already.
    let _ = app.mailer().send(&account.email, &letter).await;
    Ok(())
}

/// Sets a new password with the link of a mail, and ends all sign-ins of the account.
#[utoipa::path(post, path = "/api/auth/password-reset/{token}", summary = "Choose a new password",
    params(("token" = String, Path, description = "From the mail")), request_body = PasswordReset,
    responses((status = 200, description = "The new password works", body = StatusOk),
        (status = 400, description = "The link does not work, or the password breaks its rule", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn reset(
    app: App,
    context: RequestContext,
    PathParam(token): PathParam,
    ValidJson(request): ValidJson<PasswordReset>,
) -> Result<Json<StatusOk>, ApiError> {
    reset_with(&app, &context, &token, &request.password).await.map(Json)
}

/// The same, with the token in the body.
#[utoipa::path(post, path = "/api/auth/reset-password", summary = "Choose a new password",
    request_body = PasswordResetByToken,
    responses((status = 200, description = "The new password works", body = StatusOk),
        (status = 400, description = "The link does not work, or a field breaks its rule", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn reset_by_body(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<PasswordResetByToken>,
) -> Result<Json<StatusOk>, ApiError> {
    reset_with(&app, &context, request.token.expose(), &request.password)
        .await
        .map(Json)
}

async fn reset_with(app: &App, context: &RequestContext, token: &str, new: &Secret) -> Result<StatusOk, ApiError> {
    throttle::attempt(app, &context.client, &format!("token:{token}")).await?;
    let account = email_link::redeem(app, token, Purpose::Reset)
        .await?
        .filter(|account| account.deleted_at.is_none());
    let invalid = || ApiError::bad_request("Invalid or expired reset token");
    let account = account.ok_or_else(invalid)?;
    let hash = password::hash(new.expose())?;
    // The link has just proven the address.
    let proven = match account.email_verified {
        true => Vec::new(),
        false => claim_address::prepare(app, context, &account, "mail")?,
    };
    let event = context
        .event(Action::PasswordReset, Resource::User)
        .by(&account.id, &account.username)
        .within(&account.organization_id)
        .on(&account.id);
    let batch = (
        proven,
        store::password::set(&account.id, &hash, &now()),
        audit::record(&event),
    );
    app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Refused => invalid(),
        other => other.into(),
    })?;
    password_change::after(app, &account).await?;
    Ok(StatusOk {
        status: "ok".to_owned(),
        message: "The new password works now".to_owned(),
    })
}
