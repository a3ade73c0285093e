//! What the operations on one's own account answer, field by field: a field more is as much a change as a field less.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, PASSWORD, send};
use crate::support::redact::{hex, is_recent, take};
use crate::support::sign_in::{ask, company, login, me, policy, somebody_of_two, text, unique};
use crate::support::stack::Stack;

const NEW: &str = "another horse battery";

/// Takes a token out.
fn take_token(body: &mut Value, field: &str) -> String {
    let token = text(&take(body, field));
    assert_eq!(token.split('.').count(), 3, "{field}: {token}");
    token
}

/// Takes a text out that begins like this and goes on with 48 hex digits.
fn take_key(body: &mut Value, field: &str, prefix: &str) -> String {
    let key = text(&take(body, field));
    assert!(
        key.strip_prefix(prefix).is_some_and(|rest| hex(rest, 48)),
        "{field}: {key}"
    );
    key
}

/// What every way to sign in answers at its end, to somebody in one organization.
async fn assert_signed_in(somebody: &Account, mut body: Value, must_reset_password: bool) {
    let token = take_token(&mut body, "token");
    assert_eq!(take_token(&mut body, "access_token"), token);
    take_token(&mut body, "session_token");
    let mut user = me(&somebody.anonymous, &json!(token)).await.ok();
    user["last_login"] = body["user"]["last_login"].clone();
    user["last_login_at"] = body["user"]["last_login_at"].clone();
    assert_eq!(user["id"], somebody.id);
    assert_eq!(
        body,
        json!({
            "token_type": "bearer",
            "expires_in": 86400,
            "permissions": user["permissions"],
            "user": user,
            "must_reset_password": must_reset_password,
            "available_tenants": [{"tenant_id": somebody.username, "tenant_name": somebody.username,
                "username": somebody.username, "user_id": somebody.id}],
        })
    );
}

#[tokio::test]
async fn signing_up() {
    let anyone = Anonymous::at(Stack::shared().await);
    let username = unique("ann");
    let email = format!("{username}@example.com");
    let body = json!({"username": username, "email": email, "password": PASSWORD});
    let answer = ask(&anyone, None, "/api/signup", body).await;
    assert_eq!(answer.status, 201);
    let mut body = answer.ok();
    assert_eq!(take(&mut body, "message"), "User registered successfully");
    let mut copy = take(&mut body, "data");
    for body in [&mut body, &mut copy] {
        let token = take_token(body, "token");
        assert_eq!(take_token(body, "access_token"), token);
        let api_key = take_key(body, "api_key", "vsay_ak_");
        assert!(hex(&text(&take(&mut body["user"], "id")), 24));
        assert!(take(&mut body["user"], "int_id").is_i64());
        assert_eq!(
            *body,
            json!({"user": {"username": username, "email": email, "api_key": api_key}, "expires_in": 86400})
        );
    }

    let (username, organization) = (unique("ann"), unique("acme"));
    let body = company(&username, &format!("{username}@example.com"), &organization);
    let answer = ask(&anyone, None, "/api/auth/signup", body).await;
    assert_eq!(answer.status, 201);
    let mut body = answer.ok();
    assert!(hex(&text(&take(&mut body, "user_id")), 24));
    assert_eq!(
        body,
        json!({"message": "User created successfully. Please check your email to verify your account.", "username": username,
            "organization": "The Company"})
    );
}

#[tokio::test]
async fn signing_in() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    let credentials = json!({"email": somebody.email, "password": PASSWORD});
    let body = login(&anyone, credentials.clone()).await;
    let select = json!({"session_token": body["session_token"], "tenant_id": somebody.username});
    assert_signed_in(&somebody, body, false).await;
    let body = ask(&anyone, None, "/api/auth/select-tenant", select.clone()).await.ok();
    assert_eq!(body["session_token"], select["session_token"]);
    assert_signed_in(&somebody, body, false).await;

    let mut body = ask(&anyone, None, "/api/login", credentials.clone()).await.ok();
    assert_eq!(take(&mut body, "message"), "Login successful");
    assert_eq!(take(&mut body, "data"), body);
    assert_signed_in(&somebody, body, false).await;

    policy(stack, &somebody, "on").await;
    let tenant = json!({"tenant_id": somebody.username, "tenant_name": somebody.username, "username": somebody.username,
        "user_id": somebody.id});
    let mut body = login(&anyone, credentials).await;
    take_token(&mut body, "mfa_token");
    take_token(&mut body, "session_token");
    assert_eq!(
        body,
        json!({"message": "OTP sent to your email", "requires_otp": true, "mfa_required": true, "mfa_method": "mail",
            "username": somebody.username, "otp_expires_in_min": 10, "tenants": [tenant]})
    );

    let (email, _) = somebody_of_two(&anyone).await;
    let mut body = login(&anyone, json!({"email": email, "password": PASSWORD})).await;
    take_token(&mut body, "session_token");
    let tenants = take(&mut body, "tenants");
    assert_eq!(tenants.as_array().map(Vec::len), Some(2));
    assert_eq!(body, json!({"requires_tenant_selection": true}));
}

#[tokio::test]
async fn a_sign_in_that_goes_on_and_ends() {
    let somebody = Account::new(Stack::shared().await).await;
    let mut body = send(somebody.request(Method::POST, "/api/auth/refresh")).await.ok();
    assert_eq!(take(&mut body, "message"), "Success");
    assert_eq!(take(&mut body, "data"), body);
    take_token(&mut body, "token");
    assert_eq!(body, json!({"expires_in": 86400}));

    let change = json!({"current_password": PASSWORD, "new_password": NEW});
    let mut body = somebody.post("/api/auth/change-password", change).await.ok();
    let token = take_token(&mut body, "token");
    assert_eq!(take_token(&mut body, "access_token"), token);
    let user = me(&somebody.anonymous, &json!(token)).await.ok();
    assert_eq!(
        body,
        json!({"message": "Password changed successfully", "status": "ok", "token_type": "bearer", "expires_in": 86400,
            "user": user})
    );

    let somebody = Account { token, ..somebody };
    let change = json!({"current_password": NEW, "new_password": PASSWORD});
    let mut body = somebody.post("/api/profile/reset-password", change).await.ok();
    assert_eq!(take(&mut body, "message"), "Password updated successfully");
    assert_eq!(take(&mut body, "data"), body);
    let token = take_token(&mut body, "token");
    assert_eq!(body, json!({"expires_in": 86400}));

    let somebody = Account { token, ..somebody };
    assert_eq!(
        somebody.post("/api/auth/logout", json!({})).await.ok(),
        json!({"message": "Logged out successfully"})
    );
    assert_eq!(
        ask(
            &somebody.anonymous,
            None,
            "/api/auth/forgot-password",
            json!({"email": somebody.email})
        )
        .await
        .ok(),
        json!({"status": "ok", "message": "If an account exists with that email, a reset link has been sent."})
    );
}

#[tokio::test]
async fn a_second_factor() {
    let somebody = Account::new(Stack::shared().await).await;
    let status = async || somebody.get("/api/auth/mfa/status").await.ok();
    assert_eq!(
        status().await,
        json!({"enabled": false, "mfa_enabled": false, "pending": false, "backup_codes_remaining": 0})
    );
    let mut body = somebody.post("/api/auth/mfa/enroll", json!({})).await.ok();
    for (field, prefix) in [
        ("secret", ""),
        ("otpauth_uri", "otpauth://totp/"),
        ("qr_code", "data:image/svg+xml;base64,"),
    ] {
        let value = text(&take(&mut body, field));
        assert!(value.starts_with(prefix) && value.len() >= 32, "{field}: {value}");
    }
    assert_eq!(body, json!({}));
    assert_eq!(
        status().await,
        json!({"enabled": false, "mfa_enabled": false, "pending": true, "backup_codes_remaining": 0})
    );
}

#[tokio::test]
async fn keys() {
    let somebody = Account::new(Stack::shared().await).await;
    assert_eq!(
        somebody.get("/api/api-keys").await.ok(),
        json!({"keys": [], "total": 0})
    );
    let answer = somebody
        .post(
            "/api/api-keys",
            json!({"name": "ci", "expires_in_days": 1, "scope": "read"}),
        )
        .await;
    assert_eq!(answer.status, 201);
    let mut made = answer.ok();
    let key = take_key(&mut made, "key", "vsay_");
    assert_eq!(
        somebody.get("/api/api-keys").await.ok(),
        json!({"keys": [made.clone()], "total": 1})
    );
    let id = text(&take(&mut made, "id"));
    assert!(hex(&id, 24) && is_recent(&take(&mut made, "created_at")));
    assert!(take(&mut made, "expires_at").is_string());
    assert_eq!(
        made,
        json!({"name": "ci", "key_prefix": key[..12], "scope": "read", "last_used_at": null})
    );
    assert_eq!(
        somebody.delete(&format!("/api/api-keys/{id}")).await.ok(),
        json!({"message": "API key revoked"})
    );

    let mut body = somebody.post("/api/profile/regenerate-api-key", json!({})).await.ok();
    assert_eq!(take(&mut body, "message"), "API key regenerated");
    assert_eq!(take(&mut body, "data"), body);
    assert_ne!(take_key(&mut body, "api_key", "vsay_ak_"), somebody.api_key);
    assert_eq!(body, json!({}));
}

#[tokio::test]
async fn a_profile() {
    let somebody = Account::new(Stack::shared().await).await;
    let user = somebody.get("/api/auth/me").await.ok();
    let with = |more: &[(&str, &Value)]| {
        let mut body = user.clone();
        for (name, value) in more {
            body[*name] = (*value).clone();
        }
        body
    };
    assert_eq!(somebody.get("/api/users/me").await.ok(), with(&[("user", &user)]));
    let data = with(&[("user", &user)]);
    assert_eq!(
        somebody.get("/api/profile").await.ok(),
        with(&[("user", &user), ("message", &json!("Success")), ("data", &data)])
    );
    for path in ["/api/users/profile", "/api/auth/me"] {
        let mut body = somebody.put(path, json!({"display_name": "Ann"})).await.ok();
        assert!(is_recent(&take(&mut body, "updated_at")));
        let mut expected = with(&[("display_name", &json!("Ann"))]);
        take(&mut expected, "updated_at");
        assert_eq!(body, expected, "{path}");
    }
    let avatar = json!({"avatar_url": "https://example.org/ann.png"});
    assert_eq!(
        somebody.post("/api/profile/upload-avatar", avatar.clone()).await.ok(),
        json!({"message": "Avatar updated", "avatar_url": avatar["avatar_url"], "data": avatar})
    );
    assert_eq!(
        somebody.delete("/api/profile/avatar").await.ok(),
        json!({"message": "Avatar removed"})
    );
    assert_eq!(
        somebody.post("/api/auth/verify-email", json!({})).await.ok(),
        json!({"status": "ok", "message": "The mail is on its way"})
    );
    let status = somebody.anonymous.ask(Method::GET, "/api/auth/status", None).await.ok();
    assert_eq!(
        status,
        json!({"setup_required": false, "setup_complete": true, "vault_set": false})
    );
}
