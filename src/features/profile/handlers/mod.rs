//! Reading and changing one's own account.
pub mod avatar;
pub mod secrets;
pub mod ssh_key;

use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::auth::User;
use protocol::api::error::ErrorBody;
use protocol::api::profile::{OwnUser, UpdateProfile};

use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::features::accounts::body;
use crate::features::accounts::email_link::Purpose;
use crate::features::accounts::new_account::Welcome;
use crate::features::accounts::row::AccountRow;
use crate::features::accounts::store::{email_link, find_account, own};
use crate::http::envelope::{Envelope, Enveloped, SUCCESS};
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;

/// Reads the caller's profile.
#[utoipa::path(get, path = "/api/profile", summary = "Read one's profile",
    responses((status = 200, description = "The account", body = Enveloped<OwnUser>)))]
pub async fn read_profile(app: App, credentials: Credentials, envelope: Envelope) -> Result<Response, ApiError> {
    let (caller, account) = load(&app, credentials).await?;
    let user = body::own(&app.config, &caller, &account)?;
    envelope.reply(StatusCode::OK, SUCCESS, &OwnUser::from(user))
}

/// Reads the caller's account.
#[utoipa::path(get, path = "/api/users/me", summary = "Read one's own user",
    responses((status = 200, description = "The account", body = OwnUser)))]
pub async fn read_own_user(app: App, credentials: Credentials) -> Result<Json<OwnUser>, ApiError> {
    let (caller, account) = load(&app, credentials).await?;
    Ok(Json(body::own(&app.config, &caller, &account)?.into()))
}

/// Changes the caller's name for people and mail address. A new address must be proven: a letter goes there.
#[utoipa::path(put, path = "/api/users/profile", summary = "Change one's profile", request_body = UpdateProfile,
    responses((status = 200, description = "The account as it is now", body = User),
        (status = 400, description = "A field breaks its rule, or another account has the mail address", body = ErrorBody),
        (status = 403, description = "The caller uses an API key", body = ErrorBody)))]
pub async fn update_profile(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<UpdateProfile>,
) -> Result<Json<User>, ApiError> {
    let (caller, account) = load(&app, credentials).await?;
    let display_name = request.display_name.as_deref().map(str::trim);
    let email = request.email.map(|email| email.to_lowercase());
    let moved = email.as_deref().filter(|email| *email != account.email);
    let now = now();
    // Links that went to the old address are void, and a new one goes to the new address.
    let (proof, links) = match moved {
        Some(_) => {
            let old = [Purpose::Reset, Purpose::Verify].map(|purpose| email_link::void(caller.id(), purpose, &now));
            let (proof, new) = Welcome::prepare(&app, caller.id(), &now)?;
            (proof, Some((Vec::from(old), new)))
        }
        None => (None, None),
    };
    let mut event = caller.event(Action::ProfileUpdated, Resource::User).on(caller.id());
    if let Some(name) = display_name {
        event = event.detail("display_name", name);
    }
    if let Some(email) = moved {
        event = event.detail("email", email);
    }
    let batch = (
        own::update(&caller, display_name, moved, &now),
        links,
        audit::record(&event),
        find_account(caller.id()),
    );
    let (_, _, _, accounts) = app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Duplicate => ApiError::bad_request("Email already in use"),
        other => other.into(),
    })?;
    let account = the_one(accounts)?;
    if let Some(proof) = proof {
        proof.post(&app, &account.username, &account.email);
    }
    Ok(Json(body::own(&app.config, &caller, &account)?))
}

/// The caller and all of its account.
pub async fn load(app: &App, credentials: Credentials) -> Result<(Caller, AccountRow), ApiError> {
    let account = find_account(credentials.user_id());
    let (caller, accounts) = credentials.load(&app.db()?, account).await?;
    Ok((caller, the_one(accounts)?))
}

fn the_one(accounts: Vec<AccountRow>) -> Result<AccountRow, ApiError> {
    let account = accounts.into_iter().next();
    account.ok_or_else(|| ApiError::internal("the caller has no account"))
}
