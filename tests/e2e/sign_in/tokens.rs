//! `/api/login`, and the tokens it gives.
use chrono::{TimeDelta, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, Answer, PASSWORD, send};
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
