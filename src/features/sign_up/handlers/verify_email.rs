//! Proving that a mail address is its account's.
use protocol::api::auth::StatusOk;
use protocol::api::error::ErrorBody;

use crate::audit::{self, Action, RequestContext, Resource};
use crate::auth::caller::Credentials;
use crate::auth::throttle;
use crate::features::accounts::email_link::{self, Purpose};
use crate::features::accounts::new_account::Welcome;
use crate::features::accounts::store;
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::mail::NotSent;

/// Proves the address of an account with the link of a mail.
#[utoipa::path(post, path = "/api/auth/verify-email/{token}", summary = "Confirm a mail address",
    params(("token" = String, Path, description = "From the mail")),
    responses((status = 200, description = "The address is confirmed", body = StatusOk),
        (status = 400, description = "The link does not work", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn verify(
    app: App,
    context: RequestContext,
    PathParam(token): PathParam,
) -> Result<Json<StatusOk>, ApiError> {
    throttle::attempt(&app, &context.client, &format!("token:{token}")).await?;
    let account = email_link::redeem(&app, &token, Purpose::Verify)
        .await?
        .filter(|account| account.deleted_at.is_none());
    let account = account.ok_or_else(|| ApiError::bad_request("Invalid or expired verification token"))?;
    let event = context
        .event(Action::EmailVerified, Resource::User)
        .by(&account.id, &account.username)
        .within(&account.organization_id)
        .on(&account.id);
    app.db()?
        .run((store::address::verify(&account.id, &now()), audit::record(&event)))
        .await?;
    Ok(Json(ok("Your mail address is confirmed")))
}

/// Mails the link again. The one before no longer works.
#[utoipa::path(post, path = "/api/auth/verify-email", summary = "Ask for the mail that confirms one's address",
    responses((status = 200, description = "The mail is on its way", body = StatusOk),
        (status = 400, description = "The account has no address", body = ErrorBody),
        (status = 409, description = "The address is confirmed already", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn send_again(app: App, credentials: Credentials) -> Result<Json<StatusOk>, ApiError> {
    let account = store::find_account(credentials.user_id());
    let (caller, accounts) = credentials.load(&app.db()?, account).await?;
    let account = accounts
        .first()
        .ok_or_else(|| ApiError::internal("the caller has no account"))?;
    throttle::attempt(&app, &caller.context().client, &format!("verify:{}", caller.id())).await?;
    throttle::letter(&app, &account.email).await?;
    if account.email_verified {
        return Err(ApiError::conflict(
            "already_verified",
            "The address is confirmed already",
        ));
    }
    if account.email.is_empty() {
        return Err(ApiError::bad_request(
            "This account has no mail address; add one to your profile first",
        ));
    }
    let (Some(welcome), rows) = Welcome::prepare(&app, caller.id(), &now())? else {
        return Err(NotSent::NotConfigured.into());
    };
    app.db()?.run(rows).await?;
    welcome.post(&app, &account.username, &account.email);
    Ok(Json(ok("The mail is on its way")))
}

fn ok(message: &str) -> StatusOk {
    StatusOk {
        status: "ok".to_owned(),
        message: message.to_owned(),
    }
}
