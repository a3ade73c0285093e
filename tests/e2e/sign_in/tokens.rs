//! `/api/signup`, `/api/login`, `/api/auth/*`: accounts and tokens.
use chrono::{TimeDelta, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, Answer, PASSWORD, send};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;

async fn login(anyone: &Anonymous, name: &str, password: &str) -> Answer {
    let field = if name.contains('@') { "email" } else { "username" };
    anyone
        .ask(
            Method::POST,
            "/api/login",
            Some(json!({ field: name, "password": password })),
        )
        .await
}

#[tokio::test]
async fn somebody_who_signs_up_is_signed_in_and_administers_an_organization_of_their_own() {
    let somebody = Account::new(Stack::shared().await).await;
    let mut me = somebody.get("/api/auth/me").await.ok();
    assert!(is_recent(&take(&mut me, "created_at")) && is_recent(&take(&mut me, "updated_at")));
    assert!(take(&mut me, "int_id").as_i64().is_some_and(|id| id > 0));
    take(&mut me, "last_login");
    take(&mut me, "last_login_at");
    let permissions = take(&mut me, "permissions");
    for permission in ["*", "users.view", "manage_users"] {
        assert!(
            permissions
                .as_array()
                .is_some_and(|list| list.contains(&json!(permission))),
            "{permissions}"
        );
    }
    let roles = take(&mut me, "roles");
    assert_eq!(
        (roles.as_array().map(Vec::len), &roles[0]["name"]),
        (Some(1), &json!("super-admin"))
    );
    assert_eq!(
        me,
        json!({
            "id": somebody.id,
            "username": somebody.username,
            "email": somebody.email,
            "first_name": "",
            "last_name": "",
            "display_name": null,
            "avatar_url": null,
            "tenant_id": somebody.username,
            "tenant_name": somebody.username,
            "role": "company_admin",
            "machine_role": "",
            "groups": [],
            "group_ids": [],
            "email_verified": false,
            "enabled": true,
            "must_reset_password": false,
            "ssh_public_key": null,
            "mfa_enabled": false,
            "api_key": somebody.api_key,
            "keycloak_id": "",
        })
    );
    let key = somebody
        .api_key
        .strip_prefix("vsay_ak_")
        .expect("the prefix of API keys");
    assert!(hex(key, 48), "{key}");
}

#[tokio::test]
async fn one_signs_in_by_address_or_name_whatever_their_case() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    for name in [
        &somebody.email,
        &somebody.username,
        &somebody.email.to_uppercase(),
        &somebody.username.to_uppercase(),
    ] {
        let answer = login(&anyone, name, PASSWORD).await.ok();
        assert_eq!(answer["user"]["id"], somebody.id, "{name}");
        assert_eq!(answer["message"], "Login successful");
        assert_eq!(answer["data"]["token"], answer["token"], "the copy of the first API");
        let token = answer["token"].as_str().expect("a token").to_owned();
        let me = Account {
            token,
            ..somebody.clone()
        }
        .get("/api/auth/me")
        .await
        .ok();
        assert_eq!(me["username"], somebody.username);
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_are_answered_alike() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    let wrong = login(&anyone, &somebody.email, "wrong password").await;
    let unknown = login(&anyone, "nobody@example.com", PASSWORD).await;
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.refusal(), (401, "Invalid credentials".to_owned()));
    assert_eq!(unknown.status, 401);
}

#[tokio::test]
async fn a_name_or_address_that_is_taken_cannot_be_taken_again_whatever_its_case() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    let signup = async |username: &str, email: &str| {
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        anyone.ask(Method::POST, "/api/signup", Some(body)).await.refusal()
    };
    let taken = |what: &str| (409, format!("{what} already exists"));
    assert_eq!(signup(&somebody.username, "new@example.com").await, taken("Username"));
    assert_eq!(
        signup(&somebody.username.to_uppercase(), "new@example.com").await,
        taken("Username")
    );
    let new = format!("{}x", somebody.username);
    assert_eq!(signup(&new, &somebody.email.to_uppercase()).await, taken("Email"));
}

#[tokio::test]
async fn a_token_is_renewed_from_the_body_or_the_header() {
    let somebody = Account::new(Stack::shared().await).await;
    let by_header = somebody.request(Method::POST, "/api/auth/refresh");
    let by_body = somebody
        .anonymous
        .request(Method::POST, "/api/auth/refresh")
        .json(&json!({"token": somebody.token}));
    for request in [by_header, by_body] {
        let answer = send(request).await.ok();
        assert_eq!(answer["expires_in"], 86400);
        let token = answer["token"].as_str().expect("a token").to_owned();
        let me = Account {
            token,
            ..somebody.clone()
        }
        .get("/api/auth/me")
        .await
        .ok();
        assert_eq!(me["id"], somebody.id);
    }
    let (status, error) = somebody
        .anonymous
        .ask(Method::POST, "/api/auth/refresh", None)
        .await
        .refusal();
    assert_eq!(status, 400, "{error}");
    let garbage = Some(json!({"token": "garbage"}));
    let refused = somebody
        .anonymous
        .ask(Method::POST, "/api/auth/refresh", garbage)
        .await
        .refusal();
    assert_eq!(refused, (401, "Invalid token".to_owned()));
}

/// Signs what a token of `account` says with another secret or another life.
fn forged(account: &Account, secret: &str, expires_in: TimeDelta) -> String {
    let payload = account.token.split('.').nth(1).expect("a JSON Web Token");
    let payload = data(payload);
    let claims: Value = serde_json::from_slice(&payload).expect("claims");
    let Value::Object(mut claims) = claims else {
        panic!("an object")
    };
    claims.retain(|name, _| !matches!(name.as_str(), "exp" | "iat" | "nbf"));
    let mut claims = Claims::new(Value::Object(claims));
    claims.expiration = Some(Utc::now() + expires_in);
    Hs256
        .token(&Header::empty(), &claims, &Hs256Key::new(secret.as_bytes()))
        .expect("signed")
}

fn data(text: &str) -> Vec<u8> {
    use base64ct::{Base64UrlUnpadded, Encoding};
    Base64UrlUnpadded::decode_vec(text).expect("base64url")
}

#[tokio::test]
async fn every_fault_of_a_token_is_a_401_that_says_which() {
    let stack = Stack::start(&[]).await;
    let (somebody, elsewhere) = (Account::new(&stack).await, Account::new(Stack::shared().await).await);
    let secret = stack.secret("JWT_SECRET");
    let sound = Account {
        token: forged(&somebody, &secret, TimeDelta::minutes(5)),
        ..somebody.clone()
    };
    sound.get("/api/auth/me").await.ok();

    let session = login(&somebody.anonymous, &somebody.email, PASSWORD).await.ok();
    let session = session["session_token"].as_str().expect("a session token");
    let unsigned = format!(
        "eyJhbGciOiJub25lIn0.{}.",
        somebody.token.split('.').nth(1).expect("claims")
    );
    let invalid = "Invalid or expired token";
    let header = |token: &str| format!("Bearer {token}");
    for (authorization, error) in [
        (None, "Authorization header required"),
        (
            Some(somebody.token.clone()),
            "Invalid authorization format. Use: Bearer <token>",
        ),
        (
            Some(format!("Basic {}", somebody.token)),
            "Invalid authorization format. Use: Bearer <token>",
        ),
        (Some(header("garbage")), invalid),
        (Some(header(&format!("{}x", somebody.token))), invalid),
        (Some(header(&unsigned)), invalid),
        (Some(header(&elsewhere.token)), invalid),
        (
            Some(header(&forged(
                &somebody,
                "another secret of forty characters at least",
                TimeDelta::hours(1),
            ))),
            invalid,
        ),
        (
            Some(header(&forged(&somebody, &secret, TimeDelta::minutes(-5)))),
            invalid,
        ),
        (Some(header(session)), "Invalid user ID in token"),
        (Some(header("vsay_unknown")), "Invalid API key"),
    ] {
        for path in ["/api/auth/me", "/api/machines"] {
            let mut request = somebody.anonymous.request(Method::GET, path);
            if let Some(value) = &authorization {
                request = request.header(AUTHORIZATION, value);
            }
            let answer = send(request).await;
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert_eq!(
                answer.refusal(),
                (401, error.to_owned()),
                "{path} with {authorization:?}"
            );
        }
    }
}

#[tokio::test]
async fn signing_up_can_be_closed() {
    let stack = Stack::start(&[("ALLOW_SIGNUP", "false")]).await;
    let body = json!({"username": "somebody", "email": "somebody@example.com", "password": PASSWORD});
    let (status, error) = Anonymous::at(&stack)
        .ask(Method::POST, "/api/signup", Some(body))
        .await
        .refusal();
    assert_eq!(status, 403, "{error}");
}
