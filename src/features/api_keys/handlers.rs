//! What people do with their keys.
use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use protocol::api::Message;
use protocol::api::api_keys::{ApiKeyList, CreateApiKey, MAX_KEYS, NewApiKey};
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use super::store::{self, NewKey};
use crate::audit::{self, Action, Resource};
use crate::auth::api_key::API_KEY_PREFIX;
use crate::auth::caller::Credentials;
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::{random, secrets};

/// How much of a key is kept to tell it from others, in characters: 28 of its 192 bits.
const SHOWN: usize = 12;

/// Lists the caller's keys.
#[utoipa::path(get, path = "/api/api-keys", summary = "List one's API keys",
    responses((status = 200, description = "The keys, oldest first", body = ApiKeyList)))]
pub async fn list_api_keys(app: App, credentials: Credentials) -> Result<Json<ApiKeyList>, ApiError> {
    let list = store::list(credentials.user_id());
    let (_, keys) = credentials.load(&app.db()?, list).await?;
    Ok(Json(ApiKeyList {
        total: keys.len(),
        keys: keys.into_iter().map(Into::into).collect(),
    }))
}

/// Makes a key.
#[utoipa::path(post, path = "/api/api-keys", summary = "Create an API key", request_body = CreateApiKey,
    responses((status = 201, description = "The key; it is never shown again", body = NewApiKey),
        (status = 403, description = "The caller uses an API key itself", body = ErrorBody),
        (status = 409, description = "The account has five keys", body = ErrorBody)))]
pub async fn create_api_key(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<CreateApiKey>,
) -> Result<(StatusCode, Json<NewApiKey>), ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let key = Secret::from(format!("{API_KEY_PREFIX}{}", random::hex::<24>()?));
    let created_at = Utc::now();
    let expires_at = request
        .expires_in_days
        .filter(|days| *days > 0)
        .map(|days| created_at + TimeDelta::days(days.into()));
    let id = random::object_id()?;
    let shown: String = key.expose().chars().take(SHOWN).collect();
    let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let end = expires_at.map(text);
    let new = NewKey {
        id: &id,
        name: request.name.trim(),
        key_hash: &secrets::digest(key.expose()),
        key_prefix: &shown,
        scope: request.scope,
        created_at: &text(created_at),
        expires_at: end.as_deref(),
    };
    let event = caller
        .event(Action::ApiKeyCreated, Resource::User)
        .created()
        .on(new.id)
        .detail("name", new.name)
        .detail("key_prefix", new.key_prefix)
        .detail("scope", new.scope.as_str());
    let (made, _) = db
        .run((store::insert(&caller, &new), audit::record_if_changed(&event)))
        .await?;
    let row = made.into_iter().next().ok_or_else(|| {
        ApiError::conflict(
            "too_many_keys",
            format!("You have {MAX_KEYS} API keys; revoke one to make another"),
        )
    })?;
    Ok((StatusCode::CREATED, Json(NewApiKey { about: row.into(), key })))
}

/// Revokes a key. Terminals that were opened with it end.
#[utoipa::path(delete, path = "/api/api-keys/{key_id}", summary = "Revoke an API key",
    params(("key_id" = String, Path, description = "The key's `id`: 24 lowercase hex characters")),
    responses((status = 200, description = "It works no more", body = Message),
        (status = 403, description = "The caller uses an API key itself", body = ErrorBody),
        (status = 404, description = "The caller has no such key", body = ErrorBody)))]
pub async fn delete_api_key(
    app: App,
    credentials: Credentials,
    PathParam(key_id): PathParam,
) -> Result<Json<Message>, ApiError> {
    let db = app.db()?;
    let list = store::list(credentials.user_id());
    let (caller, keys) = credentials.load(&db, list).await?;
    let id: ObjectId = key_id.parse().map_err(|_| ApiError::bad_request("invalid key id"))?;
    let key = keys
        .into_iter()
        .find(|key| key.id == id)
        .ok_or_else(|| ApiError::not_found("API key not found"))?;
    let event = caller
        .event(Action::ApiKeyRevoked, Resource::User)
        .on(&key.id)
        .detail("name", key.name)
        .detail("key_prefix", key.key_prefix);
    db.run((store::delete(&caller, &id), audit::record(&event))).await?;
    revocation::withdraw(&app, Whose::User(caller.id())).await?;
    Ok(Json(Message {
        message: "API key revoked".to_owned(),
    }))
}
