//! Signing in with another provider, for a client that takes the code from the provider itself. The attempt is the server's as ever
//! (`features/oidc`): its state, its address to come back to, and a cookie that only the browser that started has.
use axum::http::{HeaderValue, Method, header};
use base64ct::{Base64Url, Encoding};
use form_urlencoded::Serializer;
use protocol::api::v1::{V1, V1ErrorBody};
use protocol::api::v1_auth::{V1LoginAnswer, V1OidcCallback};
use serde_json::{Map, Value};

use super::auth::{expires_at, signed_in};
use super::call::{Call, Reply, data};
use crate::platform::error::ApiError;
use crate::platform::settings::oidc::{Kind, OidcSettings};

/// What the published providers are here. An issuer of one's own is whatever the settings of the server name.
fn kind(provider: &str) -> Result<Kind, ApiError> {
    match provider {
        "azure" => Ok(Kind::Microsoft),
        "okta" | "google" => Ok(Kind::Sso),
        "github" => Ok(Kind::Github),
        _ => Err(ApiError::invalid_field(
            "provider",
            "must be okta, azure, google or github",
        )),
    }
}

fn is_set_up(oidc: &OidcSettings, kind: Kind) -> Result<(), ApiError> {
    match oidc.provider(kind) {
        Some(_) => Ok(()),
        None => Err(ApiError::not_implemented(format!(
            "{} login is not configured",
            oidc.label(kind)
        ))),
    }
}

/// Sends a browser to a provider to sign in. The address to come back to is the one that the provider knows for this server, and
/// no other; the state in the answer's `Location` is the server's, which comes back with the code.
#[utoipa::path(get, path = "/v1/auth/oidc/authorize", summary = "Sign in with another provider", operation_id = "v1_oidc_authorize",
    params(
        ("provider" = String, Query, description = "`azure`, `okta`, `google` or `github`. `okta` and `google` mean the issuer of this server's settings",
            pattern = "^(azure|okta|google|github)$"),
        ("redirect_uri" = String, Query, min_length = 1, description = "`/api/auth/oidc/{microsoft,sso,github}/callback` at this server's address"),
        ("state" = String, Query, min_length = 1, description = "As published. The server has a state of its own")),
    responses((status = 302, description = "To the provider"),
        (status = 501, description = "The provider is not set up on this server", body = V1ErrorBody)))]
pub fn authorize(call: Call) -> Reply {
    Box::pin(async move {
        let required = |name: &str| {
            call.param(name)
                .ok_or_else(|| ApiError::invalid_field(name, "is required"))
        };
        let kind = kind(&required("provider")?)?;
        let redirect_uri = required("redirect_uri")?;
        required("state")?;
        let oidc = &call.app.config.oidc;
        is_set_up(oidc, kind)?;
        let ours = oidc.redirect_uri(kind);
        if redirect_uri != ours {
            return Err(ApiError::invalid_field(
                "redirect_uri",
                format!("must be {ours}, which the provider knows"),
            ));
        }
        let path = format!("/api/auth/oidc/{}", kind.slug());
        let mut response = call.respond(Method::GET, &path, None).await?;
        // Besides the provider's way back, for who brings the code to the operation below.
        let cookie = response.headers().get(header::SET_COOKIE);
        let cookie = cookie.and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
        let here = cookie.replace(&format!("Path={path}"), "Path=/v1/auth/oidc");
        if let Ok(cookie) = HeaderValue::try_from(here) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    })
}

/// Trades what a provider sent a browser back with for a token, or for what is needed first. The cookie of the attempt must come along.
#[utoipa::path(post, path = "/v1/auth/oidc/callback", summary = "Come back from another provider", operation_id = "v1_oidc_callback",
    request_body = V1OidcCallback,
    responses((status = 200, description = "A token, or what else is needed", body = V1<V1LoginAnswer>),
        (status = 401, description = "Nobody is signed in; the words say why", body = V1ErrorBody),
        (status = 501, description = "The provider is not set up on this server", body = V1ErrorBody)))]
pub fn finish(call: Call) -> Reply {
    Box::pin(async move {
        let fields = call.fields()?;
        let (code, state) = (fields.required("code")?, fields.required("state")?);
        let kind = kind(fields.required("provider")?)?;
        is_set_up(&call.app.config.oidc, kind)?;
        let path = way_back(kind, code, state);
        let response = call.respond(Method::GET, &path, None).await?;
        let page = response.headers().get(header::LOCATION);
        let page = page.and_then(|page| page.to_str().ok()).unwrap_or_default();
        data(signed_in(result(page)?, &expires_at(&call)))
    })
}

fn way_back(kind: Kind, code: &str, state: &str) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("code", code).append_pair("state", state);
    format!("/api/auth/oidc/{}/callback?{}", kind.slug(), query.finish())
}

/// What the page says that a browser is sent to.
fn result(page: &str) -> Result<Value, ApiError> {
    let Some((_, fragment)) = page.split_once('#') else {
        let query = page.split_once('?').map_or("", |(_, query)| query);
        let error = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "error");
        let error = error.map_or_else(String::new, |(_, text)| text.into_owned());
        return Err(match error.starts_with("Too many") {
            true => ApiError::too_many_requests(),
            false => ApiError::unauthorized(error),
        });
    };
    let said = form_urlencoded::parse(fragment.as_bytes()).map(|(name, text)| match name.as_ref() {
        "user" | "tenants" => {
            let decoded = Base64Url::decode_vec(&text).ok();
            let value = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            (name.into_owned(), value.unwrap_or_default())
        }
        "requires_selection" => ("requires_tenant_selection".to_owned(), Value::Bool(true)),
        "mfa_required" => (name.into_owned(), Value::Bool(true)),
        _ => (name.into_owned(), text.into_owned().into()),
    });
    Ok(Value::Object(said.collect::<Map<_, _>>()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_says_who_signed_in_or_why_nobody_did() {
        let user = Base64Url::encode_string(br#"{"id":"0a"}"#);
        let tenants = Base64Url::encode_string(b"[]");
        let page = format!("https://edge.example.com/oauth/callback#token=a.b.c&user={user}&tenants={tenants}");
        assert_eq!(
            result(&page).unwrap(),
            json!({"token": "a.b.c", "user": {"id": "0a"}, "tenants": []})
        );
        let page = "/oauth/callback#session_token=d&requires_selection=true";
        assert_eq!(
            result(page).unwrap(),
            json!({"session_token": "d", "requires_tenant_selection": true})
        );
        let error = result("/oauth/callback?error=Invalid+state.").unwrap_err();
        assert_eq!((error.status().as_u16(), error.text()), (401, "Invalid state."));
        let error = result("/oauth/callback?error=Too+many+attempts").unwrap_err();
        assert_eq!(error.status().as_u16(), 429);
    }

    #[test]
    fn each_published_provider_is_one_of_ours() {
        for (provider, slug) in [
            ("azure", "microsoft"),
            ("okta", "sso"),
            ("google", "sso"),
            ("github", "github"),
        ] {
            assert_eq!(kind(provider).unwrap().slug(), slug);
        }
        assert!(kind("custom").unwrap_err().text().starts_with("provider must be"));
    }
}
