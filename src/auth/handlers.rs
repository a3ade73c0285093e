//! Signing up and in, renewing a token, and one's own account.
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use protocol::api::agents::API_KEY_PREFIX;
use protocol::api::auth::{Account, LoggedIn, Login, Refresh, Refreshed, Role, SignedUp, Signup, Tenant, User};
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;

use super::caller::{Credentials, bearer};
use super::store::{self, AccountRow, NewAccount};
use super::token::Subject;
use super::{password, throttle};
use crate::app::App;
use crate::client::Client;
use crate::db::{DbError, now};
use crate::envelope::{Envelope, Enveloped, SUCCESS};
use crate::error::ApiError;
use crate::extract::{OptionalJson, ValidJson};
use crate::{random, secrets};

/// Makes an account in an organization of its own and signs it in.
#[utoipa::path(post, path = "/api/signup", tag = "auth", summary = "Sign up", security(()), request_body = Signup,
    responses((status = 201, description = "The account", body = Enveloped<SignedUp>),
        (status = 403, description = "Signing up is closed here", body = ErrorBody),
        (status = 409, description = "The username or mail address is taken", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
#[worker::send]
pub async fn signup(
    app: App,
    client: Client,
    envelope: Envelope,
    ValidJson(request): ValidJson<Signup>,
) -> Result<Response, ApiError> {
    throttle::attempt(&app, &client, &request.email).await?;
    if !app.config.allow_signup {
        return Err(ApiError::forbidden(
            "signup_closed",
            "Signing up is closed on this server",
        ));
    }
    let email = request.email.to_lowercase();
    let mut slug = request.username.to_lowercase();
    let db = app.db()?;
    if let Some(taken) = db
        .run(store::find_taken(&request.username, &email, &slug))
        .await?
        .into_iter()
        .next()
    {
        if taken.username {
            return Err(ApiError::conflict("username_taken", "Username already exists"));
        }
        if taken.email {
            return Err(ApiError::conflict("email_taken", "Email already exists"));
        }
        if taken.slug {
            slug = format!("{slug}-{}", random::hex::<3>()?);
        }
    }
    let (id, organization_id) = (random::object_id()?, random::object_id()?);
    let api_key = Secret::from(format!("{API_KEY_PREFIX}{}", random::hex::<24>()?));
    let new = NewAccount {
        id: &id,
        organization_id: &organization_id,
        slug: &slug,
        username: &request.username,
        email: &email,
        password_hash: &password::hash(request.password.expose())?,
        api_key_hash: &secrets::digest(api_key.expose()),
        api_key_sealed: &app.config.sealing.seal(&api_key_place(&id), &api_key)?,
        now: &now(),
    };
    // Somebody may have taken a name since it was looked up.
    let inserted = db.run(store::insert_account(&new)).await.map_err(|error| match error {
        DbError::Duplicate => ApiError::conflict("username_taken", "Username or email already exists"),
        other => other.into(),
    })?;
    let int_id = inserted
        .1
        .first()
        .map(|row| row.int_id)
        .ok_or_else(|| ApiError::internal("an inserted account has no number"))?;
    let token = app.config.tokens.issue(&Subject {
        user_id: &id,
        uid: int_id,
        username: &request.username,
        email: &email,
        tenant_id: &slug,
        tenant_name: &request.username,
        role: Role::CompanyAdmin.as_str(),
        machine_role: "",
        source: &client.source,
        ver: 0,
    })?;
    let user = Account {
        id,
        int_id,
        username: request.username,
        email,
        api_key: api_key.clone(),
    };
    let body = SignedUp {
        token,
        api_key,
        user,
        expires_in: app.config.tokens.lifetime_seconds(),
    };
    envelope.reply(StatusCode::CREATED, "User registered successfully", &body)
}

/// Trades a password for a token.
#[utoipa::path(post, path = "/api/login", tag = "auth", summary = "Sign in", security(()), request_body = Login,
    responses((status = 200, description = "A token", body = Enveloped<LoggedIn>),
        (status = 401, description = "The account does not exist or the password is wrong", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
#[worker::send]
pub async fn login(
    app: App,
    client: Client,
    envelope: Envelope,
    ValidJson(request): ValidJson<Login>,
) -> Result<Response, ApiError> {
    let name = request.name().unwrap_or_default();
    throttle::attempt(&app, &client, name).await?;
    let db = app.db()?;
    let account = db.run(store::find_login(name)).await?.into_iter().next();
    let hash = account.as_ref().map(|account| account.password_hash.as_str());
    let right = password::verify(hash, request.password.expose())?;
    let account = account
        .filter(|_| right)
        .ok_or_else(|| ApiError::unauthorized("Invalid credentials"))?;
    db.run(store::touch_login(&account.id, &now())).await?;
    let body = LoggedIn {
        token: issue(&app, &account, &client.source)?,
        session_token: app
            .config
            .tokens
            .issue_session(&account.email, &[&account.tenant_id], &client.source)?,
        expires_in: app.config.tokens.lifetime_seconds(),
        available_tenants: vec![Tenant {
            tenant_id: account.tenant_id.clone(),
            tenant_name: account.tenant_name.clone(),
            username: account.username.clone(),
            user_id: account.id.clone(),
        }],
        user: Account {
            api_key: app
                .config
                .sealing
                .open(&api_key_place(&account.id), &account.api_key_sealed)?,
            id: account.id,
            int_id: account.int_id,
            username: account.username,
            email: account.email,
        },
    };
    envelope.reply(StatusCode::OK, "Login successful", &body)
}

/// Trades a token that has not expired for a new one, made from the account as it is now.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "auth", summary = "Renew a token", security((), ("bearer" = [])),
    request_body(content = Option<Refresh>, description = "The token; without a body, the one in `Authorization`"),
    responses((status = 200, description = "A new token", body = Enveloped<Refreshed>),
        (status = 401, description = "The token is wrong, expired or revoked, or its account is gone", body = ErrorBody),
        (status = 403, description = "The account is disabled", body = ErrorBody)))]
#[worker::send]
pub async fn refresh(
    app: App,
    envelope: Envelope,
    headers: HeaderMap,
    OptionalJson(request): OptionalJson<Refresh>,
) -> Result<Response, ApiError> {
    let token = match &request {
        Some(request) => request.token.expose(),
        None => bearer(&headers)?
            .ok_or_else(|| ApiError::invalid_field("token", "is required, in the body or as Authorization header"))?,
    };
    let invalid = || ApiError::unauthorized("Invalid token");
    let proof = app.config.tokens.verify(token).map_err(|_| invalid())?;
    let account = app
        .db()?
        .run(store::find_account(&proof.user_id))
        .await?
        .into_iter()
        .next();
    let account = account
        .filter(|account| account.deleted_at.is_none())
        .ok_or_else(|| ApiError::unauthorized("User not found"))?;
    if account.disabled_at.is_some() {
        return Err(ApiError::forbidden("account_disabled", "Account is disabled"));
    }
    if account.token_version != proof.version {
        return Err(invalid());
    }
    let body = Refreshed {
        token: issue(&app, &account, &proof.source)?,
        expires_in: app.config.tokens.lifetime_seconds(),
    };
    envelope.reply(StatusCode::OK, SUCCESS, &body)
}

/// The account that calls.
#[utoipa::path(get, path = "/api/auth/me", tag = "auth", summary = "Read one's own account",
    responses((status = 200, description = "The account", body = User)))]
#[worker::send]
pub async fn me(app: App, credentials: Credentials) -> Result<Json<User>, ApiError> {
    let account = store::find_account(credentials.user_id());
    let (_, accounts) = credentials.load(&app.db()?, account).await?;
    let account = accounts
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::internal("the caller has no account"))?;
    let api_key = app
        .config
        .sealing
        .open(&api_key_place(&account.id), &account.api_key_sealed)?;
    Ok(Json(user(account, api_key)))
}

fn issue(app: &App, account: &AccountRow, source: &str) -> Result<Secret, ApiError> {
    app.config.tokens.issue(&Subject {
        user_id: &account.id,
        uid: account.int_id,
        username: &account.username,
        email: &account.email,
        tenant_id: &account.tenant_id,
        tenant_name: &account.tenant_name,
        role: account.role.as_str(),
        machine_role: &account.machine_role,
        source,
        ver: account.token_version,
    })
}

fn user(row: AccountRow, api_key: Secret) -> User {
    let display_name = format!("{} {}", row.first_name, row.last_name).trim().to_owned();
    User {
        id: row.id,
        int_id: row.int_id,
        username: row.username,
        email: row.email,
        first_name: row.first_name,
        last_name: row.last_name,
        display_name: Some(display_name).filter(|name| !name.is_empty()),
        tenant_id: row.tenant_id,
        tenant_name: row.tenant_name,
        role: row.role,
        machine_role: row.machine_role,
        groups: Vec::new(),
        email_verified: row.email_verified,
        enabled: row.disabled_at.is_none(),
        permissions: permissions(row.role).iter().map(|&name| name.to_owned()).collect(),
        roles: Vec::new(),
        api_key,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_login: row.last_login_at,
        last_login_at: row.last_login_at,
    }
}

/// The permissions that come with a role, sorted (contract). Administrators also have `*`.
fn permissions(role: Role) -> &'static [&'static str] {
    match role {
        Role::SuperAdmin => &[
            "*",
            "manage_all_groups",
            "manage_all_machines",
            "manage_all_users",
            "manage_organizations",
            "system_configuration",
            "view_all_resources",
        ],
        Role::CompanyAdmin => &[
            "*",
            "manage_groups",
            "manage_machines",
            "manage_users",
            "view_org_resources",
        ],
        Role::User => &["use_assigned_machines", "view_assigned_machines", "view_own_profile"],
    }
}

/// Where an account's key is sealed for.
fn api_key_place(user: &protocol::ids::ObjectId) -> String {
    format!("users.api_key:{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_sorted_and_only_administrators_have_the_wildcard() {
        for role in [Role::SuperAdmin, Role::CompanyAdmin, Role::User] {
            let names = permissions(role);
            assert!(names.is_sorted(), "{role:?}");
            assert_eq!(names.contains(&"*"), role != Role::User);
        }
    }
}
