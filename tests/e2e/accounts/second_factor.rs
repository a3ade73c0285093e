//! Authenticator apps: setting one up, signing in with its codes, and losing it.
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Algorithm, Builder, Secret};

use crate::support::account::{Account, Answer, PASSWORD, send};
use crate::support::mail::letter;
use crate::support::stack::Stack;

/// An app that shares a secret with the server.
struct App {
    secret: String,
}

impl App {
    /// The code it shows now.
    fn code(&self) -> String {
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_secret(Secret::try_from_base32(&self.secret).expect("Base32"))
            .build()
            .expect("a secret");
        totp.generate(chrono::Utc::now().timestamp().unsigned_abs()).to_string()
    }
}

/// Somebody who has set an app up, and their recovery codes.
async fn enrolled(stack: &Stack) -> (Account, App, Vec<String>) {
    let somebody = Account::new(stack).await;
    let enrolment = somebody.post("/api/auth/mfa/enroll", json!({})).await.ok();
    let app = App {
        secret: enrolment["secret"].as_str().expect("a secret").to_owned(),
    };
    let uri = enrolment["otpauth_uri"].as_str().expect("a uri");
    assert!(
        uri.starts_with("otpauth://totp/") && uri.contains(&app.secret) && uri.contains(&somebody.username),
        "{uri}"
    );
    assert!(
        enrolment["qr_code"]
            .as_str()
            .is_some_and(|image| image.starts_with("data:image/svg+xml;base64,"))
    );
    assert_eq!(somebody.get("/api/auth/mfa/status").await.ok()["pending"], true);
    let confirmed = somebody
        .post("/api/auth/mfa/confirm", json!({"code": app.code()}))
        .await
        .ok();
    let codes: Vec<String> = serde_json::from_value(confirmed["backup_codes"].clone()).expect("codes");
    (somebody, app, codes)
}

/// Lets the app's present code count again, so that a test need not wait for the next.
fn forget_codes(stack: &Stack, somebody: &Account) {
    stack.sql(&format!("UPDATE users SET totp_step = 0 WHERE id = '{}'", somebody.id));
}

async fn login(somebody: &Account, path: &str, source: &str) -> Value {
    let body = json!({"email": somebody.email, "password": PASSWORD});
    let request = somebody
        .anonymous
        .request(Method::POST, path)
        .header("X-Source", source);
    send(request.json(&body)).await.ok()
}

async fn verify(somebody: &Account, challenge: &Value, code: &str) -> Answer {
    let body = json!({"mfa_token": challenge["mfa_token"], "code": code});
    somebody
        .anonymous
        .ask(Method::POST, "/api/auth/mfa/verify", Some(body))
        .await
}

#[tokio::test]
async fn with_an_app_every_sign_in_by_password_needs_a_code_and_each_code_works_once() {
    let stack = Stack::shared().await;
    let (somebody, app, codes) = enrolled(stack).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(
        somebody.get("/api/auth/mfa/status").await.ok(),
        json!({"enabled": true, "mfa_enabled": true, "pending": false, "backup_codes_remaining": 10})
    );
    for path in ["/api/login", "/api/auth/login"] {
        for source in ["ui", "cli", "vscode"] {
            let challenge = login(&somebody, path, source).await;
            assert_eq!(
                (&challenge["mfa_required"], &challenge["requires_otp"]),
                (&json!(true), &json!(false)),
                "{challenge:#}"
            );
            assert!(challenge.get("token").is_none() && challenge.get("access_token").is_none());
            let mut as_bearer = somebody.clone();
            as_bearer.token = challenge["mfa_token"].as_str().expect("a token").to_owned();
            assert_eq!(as_bearer.get("/api/auth/me").await.refusal().0, 401);
        }
    }
    let challenge = login(&somebody, "/api/auth/login", "ui").await;
    forget_codes(stack, &somebody);
    let code = app.code();
    let signed_in = verify(&somebody, &challenge, &code).await.ok();
    assert_eq!(signed_in["user"]["id"], somebody.id);
    assert_eq!(signed_in["user"]["mfa_enabled"], true);
    assert_eq!(
        verify(&somebody, &challenge, &code).await.refusal(),
        (401, "Invalid code".to_owned()),
        "a code works once"
    );
    assert_eq!(
        verify(&somebody, &json!({"mfa_token": somebody.token}), &code)
            .await
            .refusal()
            .0,
        401
    );

    // Having given it once, one switches without another.
    let select = json!({"session_token": signed_in["session_token"], "tenant_id": somebody.username});
    let again = somebody
        .anonymous
        .ask(Method::POST, "/api/auth/select-tenant", Some(select))
        .await
        .ok();
    assert!(again["token"].is_string());
    let before = json!({"session_token": challenge["session_token"], "tenant_id": somebody.username});
    let asked = somebody
        .anonymous
        .ask(Method::POST, "/api/auth/select-tenant", Some(before))
        .await
        .ok();
    assert_eq!(asked["mfa_required"], true);
}

#[tokio::test]
async fn a_recovery_code_signs_in_once_and_new_ones_void_the_others() {
    let stack = Stack::shared().await;
    let (somebody, _, codes) = enrolled(stack).await;
    let challenge = login(&somebody, "/api/auth/login", "ui").await;
    verify(&somebody, &challenge, &codes[0].to_uppercase().replace('-', " "))
        .await
        .ok();
    assert_eq!(verify(&somebody, &challenge, &codes[0]).await.refusal().0, 401);
    assert_eq!(
        somebody.get("/api/auth/mfa/status").await.ok()["backup_codes_remaining"],
        9
    );

    let regenerate = async |body: Value| somebody.post("/api/auth/mfa/backup-codes/regenerate", body).await;
    assert_eq!(regenerate(json!({})).await.refusal().0, 400);
    assert_eq!(regenerate(json!({"password": "wrong"})).await.refusal().0, 400);
    let new = regenerate(json!({"password": PASSWORD})).await.ok();
    assert_eq!(verify(&somebody, &challenge, &codes[1]).await.refusal().0, 401);
    verify(&somebody, &challenge, new["backup_codes"][1].as_str().expect("a code"))
        .await
        .ok();
}

#[tokio::test]
async fn after_ten_wrong_codes_none_is_looked_at_for_a_while() {
    let stack = Stack::shared().await;
    let (somebody, app, _) = enrolled(stack).await;
    let challenge = login(&somebody, "/api/auth/login", "ui").await;
    forget_codes(stack, &somebody);
    for attempt in 0..10 {
        let answer = verify(&somebody, &challenge, "wrong-code").await;
        assert_eq!(answer.status, 401, "{attempt}");
    }
    assert_eq!(verify(&somebody, &challenge, &app.code()).await.refusal().0, 429);
}

#[tokio::test]
async fn an_app_counts_only_once_confirmed_and_is_removed_with_proof_only() {
    let stack = Stack::shared().await;
    let somebody = Account::new(stack).await;
    assert_eq!(
        somebody
            .post("/api/auth/mfa/confirm", json!({"code": "000000"}))
            .await
            .refusal()
            .0,
        409
    );
    assert_eq!(
        somebody
            .post("/api/auth/mfa/disable", json!({"password": PASSWORD}))
            .await
            .refusal()
            .0,
        409
    );
    somebody.post("/api/auth/mfa/enroll", json!({})).await.ok();
    assert!(
        login(&somebody, "/api/auth/login", "ui").await["token"].is_string(),
        "it was not confirmed"
    );
    assert_eq!(
        somebody
            .post("/api/auth/mfa/confirm", json!({"code": "abcdef"}))
            .await
            .refusal()
            .0,
        400
    );

    let (somebody, app, _) = enrolled(stack).await;
    assert_eq!(somebody.post("/api/auth/mfa/enroll", json!({})).await.refusal().0, 409);
    for wrong in [json!({}), json!({"password": "wrong"}), json!({"code": "wrong-code"})] {
        assert_eq!(somebody.post("/api/auth/mfa/disable", wrong).await.refusal().0, 400);
    }
    forget_codes(stack, &somebody);
    somebody
        .post("/api/auth/mfa/disable", json!({"code": app.code()}))
        .await
        .ok();
    assert!(login(&somebody, "/api/auth/login", "ui").await["token"].is_string());
}

#[tokio::test]
async fn an_administrator_takes_a_lost_app_off_an_account_of_the_organization() {
    let stack = Stack::shared().await;
    let ((lost, _, _), stranger, colleague) = (
        enrolled(stack).await,
        Account::new(stack).await,
        Account::new(stack).await,
    );
    let admin = Account::new(stack).await;
    for member in [&lost, &colleague] {
        stack.sql(&format!(
            "UPDATE users SET role = 'user', organization_id = (SELECT organization_id FROM users WHERE id = '{}') WHERE id = '{}'",
            admin.id, member.id
        ));
    }
    let path = format!("/api/users/{}/mfa", lost.id);
    assert_eq!(send(lost.anonymous.request(Method::DELETE, &path)).await.status, 401);
    assert_eq!(colleague.delete(&path).await.status, 403);
    let foreign = stranger.delete(&path).await;
    let unknown = stranger.delete("/api/users/00000000000000000000000a/mfa").await;
    assert_eq!((foreign.status, &foreign.body), (404, &unknown.body));
    // Who is a super administrator is above the administrators of one organization.
    stack.sql(&format!(
        "UPDATE users SET role = 'super_admin' WHERE id = '{}'",
        lost.id
    ));
    assert_eq!(admin.delete(&path).await.status, 403);
    stack.sql(&format!("UPDATE users SET role = 'user' WHERE id = '{}'", lost.id));

    // One's own takes proof.
    let own = format!("/api/users/{}/mfa", admin.id);
    let (status, error) = admin.delete(&own).await.refusal();
    assert!(
        status == 400 && error.contains("/api/auth/mfa/disable"),
        "{status} {error}"
    );

    assert_eq!(admin.delete(&path).await.ok()["status"], "ok");
    assert_eq!(admin.delete(&path).await.status, 409);
    letter(stack, &lost.email, "second factor was removed").await;
    assert!(login(&lost, "/api/auth/login", "ui").await["token"].is_string());
}
