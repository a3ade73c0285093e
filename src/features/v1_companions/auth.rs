//! Signing in, staying signed in, and signing out.
use axum::http::Method;
use chrono::{SecondsFormat, Utc};
use protocol::api::v1::{V1, V1Done, V1ErrorBody};
use protocol::api::v1_auth::{V1Login, V1LoginAnswer, V1Me, V1Refresh, V1Refreshed};
use serde_json::{Map, Value, json};

use super::call::{Call, Reply, data, done};
use super::says::{person, pick};

/// Trades a password for a token, or for what is needed first: a choice of organizations, or a code.
#[utoipa::path(post, path = "/v1/auth/login", summary = "Sign in", operation_id = "v1_login", request_body = V1Login,
    responses((status = 200, description = "A token, or what else is needed", body = V1<V1LoginAnswer>),
        (status = 401, description = "The account does not exist or the password is wrong", body = V1ErrorBody)))]
pub fn login(call: Call) -> Reply {
    Box::pin(async move {
        let fields = call.fields()?;
        let body = json!({"email": fields.required("email")?, "password": fields.required("password")?});
        let answer = call.ask(Method::POST, "/api/auth/login", Some(body)).await?;
        data(signed_in(answer, &expires_at(&call)))
    })
}

/// Trades a token that has not expired for a new one.
#[utoipa::path(post, path = "/v1/auth/refresh", summary = "Renew a token", operation_id = "v1_refresh", request_body = V1Refresh,
    responses((status = 200, description = "A new token", body = V1<V1Refreshed>),
        (status = 401, description = "The token is wrong, expired or revoked, or its account is gone", body = V1ErrorBody),
        (status = 403, description = "The account is disabled", body = V1ErrorBody)))]
pub fn refresh(call: Call) -> Reply {
    Box::pin(async move {
        let body = json!({"token": call.fields()?.required("refresh_token")?});
        let answer = call.ask(Method::POST, "/api/auth/refresh", Some(body)).await;
        let answer = answer.map_err(|error| error.of_fields(&[("token", "refresh_token")]))?;
        data(Value::Object(tokens(&answer, &expires_at(&call))))
    })
}

/// Ends the caller's sign-in: its tokens, in all organizations it opened, and its terminals.
#[utoipa::path(post, path = "/v1/auth/logout", summary = "Sign out", operation_id = "v1_logout",
    responses((status = 200, description = "The token no longer works", body = V1Done)))]
pub fn logout(call: Call) -> Reply {
    Box::pin(async move {
        call.ask(Method::POST, "/api/auth/logout", None).await?;
        done("Logged out successfully")
    })
}

/// The account that calls.
#[utoipa::path(get, path = "/v1/auth/me", summary = "Read one's own account", operation_id = "v1_me",
    responses((status = 200, description = "The account", body = V1<V1Me>)))]
pub fn me(call: Call) -> Reply {
    Box::pin(async move {
        let account = call.get("/api/auth/me").await?;
        let mut me = person(&account, &[("created_at", "created_at")]);
        let organization = pick(&account, &[("id", "tenant_id"), ("name", "tenant_name")]);
        me.insert("organization".to_owned(), Value::Object(organization));
        data(Value::Object(me))
    })
}

/// When a token that is new is worth nothing any more.
pub fn expires_at(call: &Call) -> String {
    (Utc::now() + call.app.config.token_lifetime).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A token, which renews itself.
fn tokens(of: &Value, expires_at: &str) -> Map<String, Value> {
    let mut said = pick(of, &[("token", "token"), ("refresh_token", "token")]);
    said.insert("expires_at".to_owned(), expires_at.into());
    said
}

/// What a sign-in answers: who it is of, or as it is what it needs first.
pub fn signed_in(answer: Value, expires_at: &str) -> Value {
    let Some(user) = answer.get("user") else {
        return answer;
    };
    let mut signed_in = tokens(&answer, expires_at);
    signed_in.extend(pick(user, &[("must_reset_password", "must_reset_password")]));
    let user = person(user, &[("organization_id", "tenant_id")]);
    signed_in.insert("user".to_owned(), Value::Object(user));
    Value::Object(signed_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_says_whose_it_is_and_what_renews_it() {
        let user = json!({"id": "0a", "email": "ann@example.com", "username": "ann", "first_name": "", "last_name": "",
            "role": "company_admin", "tenant_id": "acme", "must_reset_password": false, "api_key": "secret"});
        let answer = json!({"token": "a.b.c", "access_token": "a.b.c", "session_token": "d", "user": user});
        assert_eq!(
            signed_in(answer, "2026-01-02T00:00:00Z"),
            json!({"token": "a.b.c", "refresh_token": "a.b.c", "expires_at": "2026-01-02T00:00:00Z", "must_reset_password": false,
                "user": {"id": "usr_0a", "email": "ann@example.com", "name": "ann", "role": "admin", "organization_id": "acme"}})
        );
        let challenge = json!({"mfa_required": true, "mfa_token": "x"});
        assert_eq!(signed_in(challenge.clone(), ""), challenge);
    }
}
