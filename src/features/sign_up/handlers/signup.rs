//! Making an organization and the account that administers it.
use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::auth::{Account, CompanySignedUp, CompanySignup, Role, SignedUp, Signup};
use protocol::api::error::ErrorBody;

use crate::audit::{self, Action, RequestContext, Resource};
use crate::auth::throttle;
use crate::features::accounts::new_account::{NewApiKey, Welcome};
use crate::features::accounts::row::{AccountRow, Taken};
use crate::features::accounts::store::insert::{NewAccount, insert_account};
use crate::features::accounts::{password, store};
use crate::features::organizations::store::{self as organizations, NewOrganization};
use crate::features::sign_in::finish;
use crate::http::envelope::{Envelope, Enveloped};
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;
use crate::platform::random;

/// Makes an account in an organization of its own and signs it in.
#[utoipa::path(post, path = "/api/signup", summary = "Sign up", request_body = Signup,
    responses((status = 201, description = "The account", body = Enveloped<SignedUp>),
        (status = 403, description = "Signing up is closed here", body = ErrorBody),
        (status = 409, description = "The username or mail address is taken", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn signup(
    app: App,
    context: RequestContext,
    envelope: Envelope,
    ValidJson(request): ValidJson<Signup>,
) -> Result<Response, ApiError> {
    admit(&app, &context, &request.email).await?;
    let email = request.email.to_lowercase();
    let mut slug = request.username.to_lowercase();
    let taken = find_taken(&app, &request.username, &email, &slug).await?;
    if taken.username {
        return Err(username_taken());
    }
    if taken.email {
        return Err(ApiError::conflict("email_taken", "Email already exists"));
    }
    // Nobody chose it, so another does as well.
    if taken.slug {
        slug = format!("{slug}-{}", random::hex::<3>()?);
    }
    let made = make(
        &app,
        &context,
        Founder {
            slug: &slug,
            organization: &request.username,
            username: &request.username,
            email: &email,
            community: true,
            password: request.password.expose(),
            first_name: "",
            last_name: "",
        },
    )
    .await?;
    let token = finish::issue(
        &app,
        &made.account,
        &context.client.source,
        random::object_id()?.as_str(),
    )?;
    let body = SignedUp {
        access_token: token.clone(),
        token,
        api_key: made.api_key.key.clone(),
        user: Account {
            id: made.account.id,
            int_id: made.account.int_id,
            username: request.username,
            email,
            api_key: made.api_key.key,
        },
        expires_in: app.config.token_lifetime_seconds(),
    };
    envelope.reply(StatusCode::CREATED, "User registered successfully", &body)
}

/// Makes an organization with a name of its own and its first administrator, who signs in next.
#[utoipa::path(post, path = "/api/auth/signup", summary = "Sign an organization up",
    request_body = CompanySignup,
    responses((status = 201, description = "The account, which is not signed in", body = CompanySignedUp),
        (status = 403, description = "Signing up is closed here", body = ErrorBody),
        (status = 409, description = "The username or organization is taken", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn company(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<CompanySignup>,
) -> Result<(StatusCode, Json<CompanySignedUp>), ApiError> {
    admit(&app, &context, &request.email).await?;
    let (email, slug) = (request.email.to_lowercase(), request.slug());
    let taken = find_taken(&app, &request.username, &email, &slug).await?;
    if taken.username {
        return Err(username_taken());
    }
    if taken.slug {
        return Err(ApiError::conflict("organization_taken", "Organization already exists"));
    }
    let company_name = request.company_name.trim().to_owned();
    let made = make(
        &app,
        &context,
        Founder {
            slug: &slug,
            organization: &company_name,
            username: &request.username,
            email: &email,
            community: false,
            password: request.password.expose(),
            first_name: request.first_name.trim(),
            last_name: request.last_name.trim(),
        },
    )
    .await?;
    let body = CompanySignedUp {
        message: "User created successfully. Please check your email to verify your account.".to_owned(),
        user_id: made.account.id,
        username: request.username,
        organization: company_name,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

async fn admit(app: &App, context: &RequestContext, email: &str) -> Result<(), ApiError> {
    throttle::attempt(app, &context.client, email).await?;
    match app.config.allow_signup {
        true => Ok(()),
        false => Err(ApiError::forbidden(
            "signup_closed",
            "Signing up is closed on this server",
        )),
    }
}

async fn find_taken(app: &App, username: &str, email: &str, slug: &str) -> Result<Taken, ApiError> {
    let rows = app.db()?.run(store::find_taken(username, email, slug)).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| ApiError::internal("a query of one row gave none"))
}

fn username_taken() -> ApiError {
    ApiError::conflict("username_taken", "Username already exists")
}

/// Who founds an organization.
struct Founder<'a> {
    slug: &'a str,
    organization: &'a str,
    username: &'a str,
    email: &'a str,
    community: bool,
    password: &'a str,
    first_name: &'a str,
    last_name: &'a str,
}

struct Made {
    account: AccountRow,
    api_key: NewApiKey,
}

/// Makes the organization and its administrator, both or neither, and writes to the administrator.
async fn make(app: &App, context: &RequestContext, founder: Founder<'_>) -> Result<Made, ApiError> {
    let (id, organization_id, now) = (random::object_id()?, random::object_id()?, now());
    let api_key = NewApiKey::make(app, &id)?;
    let organization = organizations::insert(&NewOrganization {
        id: &organization_id,
        slug: founder.slug,
        name: founder.organization,
        description: "",
        now: &now,
    });
    let user = insert_account(&NewAccount {
        id: &id,
        organization_id: &organization_id,
        username: founder.username,
        email: founder.email,
        community: founder.community,
        password_hash: &password::hash(founder.password)?,
        role: Role::CompanyAdmin,
        first_name: founder.first_name,
        last_name: founder.last_name,
        email_verified: false,
        api_key_hash: &api_key.hash,
        api_key_sealed: &api_key.sealed,
        now: &now,
        last_login_at: founder.community.then_some(now.as_str()),
    });
    let (welcome, link) = Welcome::prepare(app, &id, &now)?;
    let event = context
        .event(Action::Signup, Resource::Auth)
        .created()
        .by(&id, founder.username)
        .within(&organization_id)
        .on(&id);
    let batch = (
        organization,
        user,
        link,
        audit::record(&event),
        store::find_account(&id),
    );
    // Somebody may have taken a name since it was looked up.
    let (.., accounts) = app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Duplicate => ApiError::conflict("username_taken", "Username, email or organization already exists"),
        other => other.into(),
    })?;
    if let Some(welcome) = welcome {
        welcome.post(app, founder.username, founder.email);
    }
    let account = accounts.into_iter().next();
    Ok(Made {
        account: account.ok_or_else(|| ApiError::internal("a new account is not there"))?,
        api_key,
    })
}
