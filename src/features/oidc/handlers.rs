//! Leaving for a provider, and coming back.
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use form_urlencoded::Serializer;
use protocol::api::auth::LoginAnswer;
use protocol::api::error::ErrorBody;
use protocol::api::oidc::OidcProviders;
use serde::Deserialize;
use utoipa::IntoParams;

use super::attempt::{Attempt, LIFETIME, StateKey};
use super::outcome::{Failure, failure_page, success_page};
use super::{discovery, identity, landing};
use crate::audit::RequestContext;
use crate::auth::throttle;
use crate::http::extract::QueryParams;
use crate::http::json_text::Json;
use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::secrets;
use crate::platform::settings::oidc::{Kind, OidcSettings, Provider};

/// Longest code that is passed on; Microsoft's have some 2000 characters.
const MAX_CODE: usize = 8192;

/// What a provider sends a browser back with.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Returned {
    /// What this server gave the provider.
    state: Option<String>,
    /// To be traded for the person's mail address.
    code: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// The same for people.
    error_description: Option<String>,
}

/// Which providers this server knows, for the buttons of a sign-in page.
#[utoipa::path(get, path = "/api/oidc/providers", summary = "List sign-in providers",
    responses((status = 200, description = "The providers", body = OidcProviders)))]
pub async fn oidc_providers(app: App) -> ([(HeaderName, &'static str); 2], Json<OidcProviders>) {
    let oidc = &app.config.oidc;
    let providers = OidcProviders {
        microsoft_enabled: oidc.provider(Kind::Microsoft).is_some(),
        github_enabled: oidc.provider(Kind::Github).is_some(),
        oidc_enabled: oidc.provider(Kind::Sso).is_some(),
        oidc_name: oidc
            .provider(Kind::Sso)
            .map(|sso| sso.label.clone())
            .unwrap_or_default(),
    };
    let fresh = [
        (header::CACHE_CONTROL, "no-store, no-cache, must-revalidate"),
        (header::PRAGMA, "no-cache"),
    ];
    (fresh, Json(providers))
}

/// Sends a browser to Microsoft to sign in.
#[utoipa::path(get, path = "/api/auth/oidc/microsoft", summary = "Sign in with Microsoft",
    responses((status = 302, description = "To Microsoft"),
        (status = 501, description = "Microsoft is not set up on this server", body = ErrorBody)))]
pub async fn start_microsoft(app: App) -> Result<Response, ApiError> {
    start(&app, Kind::Microsoft).await
}

/// Takes a browser back from Microsoft.
#[utoipa::path(get, path = "/api/auth/oidc/microsoft/callback", summary = "Come back from Microsoft",
    params(Returned), responses((status = 302, description = "To the console, with a token or an error")))]
pub async fn finish_microsoft(
    app: App,
    context: RequestContext,
    headers: HeaderMap,
    QueryParams(returned): QueryParams<Returned>,
) -> Result<Response, ApiError> {
    finish(&app, &context, Kind::Microsoft, &headers, &returned).await
}

/// Sends a browser to GitHub to sign in.
#[utoipa::path(get, path = "/api/auth/oidc/github", summary = "Sign in with GitHub",
    responses((status = 302, description = "To GitHub"),
        (status = 501, description = "GitHub is not set up on this server", body = ErrorBody)))]
pub async fn start_github(app: App) -> Result<Response, ApiError> {
    start(&app, Kind::Github).await
}

/// Takes a browser back from GitHub.
#[utoipa::path(get, path = "/api/auth/oidc/github/callback", summary = "Come back from GitHub",
    params(Returned), responses((status = 302, description = "To the console, with a token or an error")))]
pub async fn finish_github(
    app: App,
    context: RequestContext,
    headers: HeaderMap,
    QueryParams(returned): QueryParams<Returned>,
) -> Result<Response, ApiError> {
    finish(&app, &context, Kind::Github, &headers, &returned).await
}

/// Sends a browser to the issuer of this server's settings to sign in.
#[utoipa::path(get, path = "/api/auth/oidc/sso", summary = "Sign in with single sign-on",
    responses((status = 302, description = "To the issuer, or to the console if the issuer cannot be reached"),
        (status = 501, description = "No issuer is set up on this server", body = ErrorBody)))]
pub async fn start_sso(app: App) -> Result<Response, ApiError> {
    start(&app, Kind::Sso).await
}

/// Takes a browser back from the issuer.
#[utoipa::path(get, path = "/api/auth/oidc/sso/callback", summary = "Come back from single sign-on",
    params(Returned), responses((status = 302, description = "To the console, with a token or an error")))]
pub async fn finish_sso(
    app: App,
    context: RequestContext,
    headers: HeaderMap,
    QueryParams(returned): QueryParams<Returned>,
) -> Result<Response, ApiError> {
    finish(&app, &context, Kind::Sso, &headers, &returned).await
}

async fn start(app: &App, kind: Kind) -> Result<Response, ApiError> {
    let oidc = &app.config.oidc;
    let provider = oidc
        .provider(kind)
        .ok_or_else(|| ApiError::not_implemented(format!("{} login is not configured", oidc.label(kind))))?;
    let attempt = Attempt::begin()?;
    match authorization(&app.config, provider, kind, &attempt).await {
        Ok(location) => Ok(redirect(
            &location,
            &cookie(oidc, kind, attempt.secret(), LIFETIME.num_seconds()),
        )),
        Err(error) => {
            let page = failure_page(&oidc.frontend, &Failure::failed(&error));
            Ok(redirect(&page, &forget(oidc, kind)))
        }
    }
}

/// Where at the provider the attempt goes on.
async fn authorization(config: &Config, provider: &Provider, kind: Kind, attempt: &Attempt) -> Result<String, String> {
    let oidc = &config.oidc;
    let endpoints = discovery::endpoints(provider).await?;
    let state = StateKey::new(&config.token_secret)
        .issue(kind, attempt, Utc::now())
        .map_err(|error| error.cause().to_owned())?;
    let mut query = Serializer::new(String::new());
    query
        .append_pair("client_id", &provider.client_id)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", &oidc.redirect_uri(kind))
        .extend_pairs(endpoints.parameters)
        .append_pair("state", &state)
        .append_pair("nonce", &attempt.nonce())
        .append_pair("code_challenge", &attempt.challenge())
        .append_pair("code_challenge_method", "S256");
    // An issuer's address may have a query already.
    let mark = if endpoints.authorization.contains('?') {
        '&'
    } else {
        '?'
    };
    Ok(format!("{}{mark}{}", endpoints.authorization, query.finish()))
}

async fn finish(
    app: &App,
    context: &RequestContext,
    kind: Kind,
    headers: &HeaderMap,
    returned: &Returned,
) -> Result<Response, ApiError> {
    let oidc = &app.config.oidc;
    // Whatever comes of it, the browser is sent on.
    let context = &RequestContext {
        success: StatusCode::FOUND,
        ..context.clone()
    };
    let page = match sign_in(app, context, kind, headers, returned).await {
        Ok(answer) => success_page(&oidc.frontend, &answer)?,
        Err(failure) => failure_page(&oidc.frontend, &failure),
    };
    // An attempt ends here, however it ends: its cookie is good for nothing more.
    Ok(redirect(&page, &forget(oidc, kind)))
}

async fn sign_in(
    app: &App,
    context: &RequestContext,
    kind: Kind,
    headers: &HeaderMap,
    returned: &Returned,
) -> Result<LoginAnswer, Failure> {
    let oidc = &app.config.oidc;
    let label = oidc.label(kind);
    let provider = oidc
        .provider(kind)
        .ok_or_else(|| Failure::NotConfigured(label.to_owned()))?;
    let attempt = cookie_of(headers, kind).ok_or(Failure::State)?;
    let state = returned.state.as_deref().unwrap_or_default();
    if !StateKey::new(&app.config.token_secret).accepts(state, kind, &attempt, Utc::now()) {
        return Err(Failure::State);
    }
    throttle::attempt(app, &context.client, &secrets::digest(attempt.secret())).await?;
    if let Some(error) = &returned.error {
        return Err(Failure::told(
            label,
            error,
            returned.error_description.as_deref().unwrap_or_default(),
        ));
    }
    let code = returned
        .code
        .as_deref()
        .filter(|code| (1..=MAX_CODE).contains(&code.len()));
    let code = code.ok_or(Failure::Exchange)?;
    let endpoints = discovery::endpoints(provider)
        .await
        .map_err(|error| Failure::failed(&error))?;
    let identity = identity::find(provider, &endpoints, &oidc.redirect_uri(kind), code, &attempt).await;
    let (email, answer) = match identity {
        Ok(identity) => {
            let answer = landing::land(app, context, kind, &identity).await;
            (identity.email, answer)
        }
        Err(failure) => (String::new(), Err(failure)),
    };
    if let Err(failure) = &answer {
        landing::record_failure(app, context, kind, &email, failure).await?;
    }
    answer
}

/// Sends a browser on and sets a cookie. The address that it comes from may hold a code, which is nobody's business.
fn redirect(location: &str, cookie: &str) -> Response {
    let headers = [
        (header::LOCATION, location),
        (header::SET_COOKIE, cookie),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::FOUND, headers).into_response()
}

fn cookie_name(kind: Kind) -> String {
    format!("vsay_oidc_{}", kind.slug())
}

/// A cookie that only the provider's callback gets. `Lax`, since the provider's site sends the browser there.
fn cookie(oidc: &OidcSettings, kind: Kind, value: &str, seconds: i64) -> String {
    let secure = if oidc.redirect_base.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    format!(
        "{}={value}; Path=/api/auth/oidc/{}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
        cookie_name(kind),
        kind.slug()
    )
}

fn forget(oidc: &OidcSettings, kind: Kind) -> String {
    cookie(oidc, kind, "", 0)
}

fn cookie_of(headers: &HeaderMap, kind: Kind) -> Option<Attempt> {
    let name = cookie_name(kind);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .find_map(|(_, value)| Attempt::resume(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_found_among_the_cookies_of_a_browser() {
        let secret = "0a".repeat(32);
        let find = |text: &str| {
            let headers = [(header::COOKIE, text.parse().unwrap())].into_iter().collect();
            cookie_of(&headers, Kind::Github).map(|attempt| attempt.secret().to_owned())
        };
        assert_eq!(
            find(&format!("a=b; vsay_oidc_github={secret}; c")),
            Some(secret.clone())
        );
        for other in [
            "",
            "vsay_oidc_github=",
            "vsay_oidc_github=xyz",
            &format!("vsay_oidc_sso={secret}"),
        ] {
            assert_eq!(find(other), None, "{other}");
        }
    }
}
