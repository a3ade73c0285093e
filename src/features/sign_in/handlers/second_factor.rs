//! Setting a second factor up and taking it off.
use protocol::api::auth::{ConfirmedBy, Enrolment, RecoveryCodes, SecondFactorChanged, SecondFactorStatus, TotpCode};
use protocol::api::error::ErrorBody;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::auth::throttle;
use crate::features::accounts::row::AccountRow;
use crate::features::accounts::totp::{self, Shared};
use crate::features::accounts::{password, second_factor, store};
use crate::features::users;
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{Count, now};
use crate::platform::error::ApiError;
use crate::platform::mail::Letter;

/// Whether signing in needs a second factor.
#[utoipa::path(get, path = "/api/auth/mfa/status", operation_id = "second_factor_status", summary = "Read the state of the second factor",
    responses((status = 200, description = "The state", body = SecondFactorStatus)))]
pub async fn status(app: App, credentials: Credentials) -> Result<Json<SecondFactorStatus>, ApiError> {
    let id = credentials.user_id().clone();
    let batch = (
        store::find_account(&id),
        store::second_factor::count_recovery_codes(&id),
    );
    let (_, (accounts, counts)) = credentials.load(&app.db()?, batch).await?;
    let account = own(accounts)?;
    let enabled = account.totp_confirmed_at.is_some();
    Ok(Json(SecondFactorStatus {
        enabled,
        mfa_enabled: enabled,
        pending: !enabled && account.totp_sealed.is_some(),
        backup_codes_remaining: i64::try_from(Count::of(&counts)).unwrap_or(i64::MAX),
    }))
}

/// Makes a secret for an authenticator app. It counts once confirmed.
#[utoipa::path(post, path = "/api/auth/mfa/enroll", operation_id = "enroll_second_factor", summary = "Set a second factor up",
    responses((status = 200, description = "The secret", body = Enrolment),
        (status = 409, description = "There is a second factor already", body = ErrorBody)))]
pub async fn enroll(app: App, credentials: Credentials) -> Result<Json<Enrolment>, ApiError> {
    let (caller, account) = load(&app, credentials).await?;
    if account.totp_confirmed_at.is_some() {
        return Err(already());
    }
    let shared = Shared::make()?;
    app.db()?.run(second_factor::enrol(&app, caller.id(), &shared)?).await?;
    let otpauth_uri = shared.uri(&account.username);
    Ok(Json(Enrolment {
        secret: shared.base32(),
        qr_code: totp::qr(&otpauth_uri)?,
        otpauth_uri,
    }))
}

/// Makes the second factor count, and gives the recovery codes.
#[utoipa::path(post, path = "/api/auth/mfa/confirm", summary = "Confirm the second factor", request_body = TotpCode,
    responses((status = 200, description = "The recovery codes, this once", body = RecoveryCodes),
        (status = 409, description = "There is a second factor already, or none was set up", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn confirm(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<TotpCode>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let (caller, account) = load(&app, credentials).await?;
    if account.totp_confirmed_at.is_some() {
        return Err(already());
    }
    if account.totp_sealed.is_none() {
        return Err(ApiError::conflict("not_enrolled", "Set the second factor up first"));
    }
    if !second_factor::check(&app, caller.id(), &request.code).await? {
        return Err(wrong_code());
    }
    let (codes, rows) = second_factor::recovery_codes(caller.id())?;
    let event = caller.event(Action::TotpEnabled, Resource::User).on(caller.id());
    app.db()?
        .run((
            store::second_factor::confirm(caller.id(), &now()),
            rows,
            audit::record(&event),
        ))
        .await?;
    Ok(Json(RecoveryCodes {
        message: "From now on, signing in needs a code of your app".to_owned(),
        backup_codes: codes,
    }))
}

/// Takes the caller's own second factor off.
#[utoipa::path(post, path = "/api/auth/mfa/disable", summary = "Remove the second factor", request_body = ConfirmedBy,
    responses((status = 200, description = "The password alone signs in again", body = SecondFactorChanged),
        (status = 409, description = "There is no second factor", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn disable(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<ConfirmedBy>,
) -> Result<Json<SecondFactorChanged>, ApiError> {
    let caller = confirmed(&app, credentials, &request).await?;
    let event = caller.event(Action::TotpDisabled, Resource::User).on(caller.id());
    app.db()?
        .run((store::second_factor::remove(caller.id()), audit::record(&event)))
        .await?;
    Ok(Json(removed()))
}

/// Gives new recovery codes; those before no longer work.
#[utoipa::path(post, path = "/api/auth/mfa/backup-codes/regenerate", summary = "Replace the recovery codes",
    request_body = ConfirmedBy,
    responses((status = 200, description = "The recovery codes, this once", body = RecoveryCodes),
        (status = 409, description = "There is no second factor", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn replace_codes(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<ConfirmedBy>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let caller = confirmed(&app, credentials, &request).await?;
    let (codes, rows) = second_factor::recovery_codes(caller.id())?;
    let event = caller
        .event(Action::RecoveryCodesReplaced, Resource::User)
        .on(caller.id());
    app.db()?.run((rows, audit::record(&event))).await?;
    Ok(Json(RecoveryCodes {
        message: "The recovery codes until now no longer work".to_owned(),
        backup_codes: codes,
    }))
}

/// Takes the second factor off somebody else's account, who has lost it.
#[utoipa::path(delete, path = "/api/users/{user_id}/mfa", operation_id = "reset_second_factor", tag = "users", summary = "Remove somebody's second factor",
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The password alone signs in again", body = SecondFactorChanged),
        (status = 400, description = "The account is the caller's own", body = ErrorBody),
        (status = 403, description = "The caller may not change it", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "There is no second factor", body = ErrorBody)))]
pub async fn reset(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
) -> Result<Json<SecondFactorChanged>, ApiError> {
    let control = users::load::load(&app, credentials, &user_id).await?.control()?;
    if control.is_own() {
        // That takes proof.
        return Err(ApiError::bad_request(
            "Remove your own second factor with a code or your password: POST /api/auth/mfa/disable",
        ));
    }
    let row = control.row();
    if !row.mfa_enabled {
        return Err(none());
    }
    let event = control
        .caller()
        .event(Action::TotpReset, Resource::User)
        .within(control.organization_id())
        .on(control.id());
    app.db()?
        .run((store::second_factor::remove(control.id()), audit::record(&event)))
        .await?;
    if !row.email.is_empty() {
        let letter = Letter::SecondFactorReset {
            username: &row.username,
        };
        app.mailer().post(&row.email, &letter);
    }
    Ok(Json(removed()))
}

async fn load(app: &App, credentials: Credentials) -> Result<(Caller, AccountRow), ApiError> {
    let account = store::find_account(credentials.user_id());
    let (caller, accounts) = credentials.load(&app.db()?, account).await?;
    Ok((caller, own(accounts)?))
}

fn own(accounts: Vec<AccountRow>) -> Result<AccountRow, ApiError> {
    accounts
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::internal("the caller has no account"))
}

/// The caller, who has a second factor and has proven again to be there.
async fn confirmed(app: &App, credentials: Credentials, proof: &ConfirmedBy) -> Result<Caller, ApiError> {
    let (caller, account) = load(app, credentials).await?;
    throttle::attempt(app, &caller.context().client, &format!("confirm:{}", caller.id())).await?;
    if account.totp_confirmed_at.is_none() {
        return Err(none());
    }
    match (&proof.code, &proof.password) {
        (Some(code), _) if !second_factor::check(app, caller.id(), code).await? => Err(wrong_code()),
        (None, Some(password)) => {
            let hash = Some(account.password_hash.as_str()).filter(|hash| !hash.is_empty());
            match password::verify(hash, password.expose())? {
                true => Ok(caller),
                false => Err(ApiError::invalid_field("password", "is not right")),
            }
        }
        _ => Ok(caller),
    }
}

fn already() -> ApiError {
    ApiError::conflict("already_enrolled", "There is a second factor already; remove it first")
}

fn none() -> ApiError {
    ApiError::conflict("not_enrolled", "There is no second factor")
}

fn wrong_code() -> ApiError {
    ApiError::invalid_field("code", "is not right, or was used before")
}

fn removed() -> SecondFactorChanged {
    SecondFactorChanged {
        status: "ok".to_owned(),
        message: "The second factor was removed".to_owned(),
    }
}
