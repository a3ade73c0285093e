//! Signing in with a mailed code.
use serde_json::json;

use crate::support::account::{Account, Anonymous, PASSWORD};
use crate::support::redact::take;
use crate::support::sign_in::{ask, code, login, me, policy};
use crate::support::stack::Stack;

#[tokio::test]
async fn a_mailed_code_is_needed_where_the_organization_says_so_and_no_route_goes_round_it() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    policy(stack, &somebody, "on").await;
    let credentials = json!({"email": somebody.email, "password": PASSWORD});

    let challenge = login(&anyone, credentials.clone()).await;
    assert_eq!(
        (&challenge["requires_otp"], &challenge["mfa_required"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(challenge["message"], "OTP sent to your email");
    assert_eq!(
        (&challenge["username"], &challenge["otp_expires_in_min"]),
        (&json!(somebody.username), &json!(10))
    );
    assert!(
        challenge.get("token").is_none()
            && challenge["tenants"]
                .as_array()
                .is_some_and(|tenants| tenants.len() == 1)
    );
    let mut seen = Vec::new();
    let first = code(stack, &somebody.email, &mut seen).await;

    // What the first step gave is no way round the second.
    let select = json!({"session_token": challenge["session_token"], "tenant_id": somebody.username});
    let as_cli = ask(&anyone, Some("cli"), "/api/auth/select-tenant", select).await.ok();
    assert_eq!(as_cli["requires_otp"], true, "the source is that of the password");
    code(stack, &somebody.email, &mut seen).await;
    let community = ask(&anyone, None, "/api/login", credentials.clone()).await.ok();
    assert_eq!(community["requires_otp"], true);
    for token in [&challenge["session_token"], &challenge["mfa_token"]] {
        let refused = me(&anyone, token).await.refusal();
        assert_eq!(refused, (401, "Invalid user ID in token".to_owned()));
    }

    // A new code takes the place of the one before, and works once.
    let current = code(stack, &somebody.email, &mut seen).await;
    let verify = async |code: &str| {
        let body = json!({"username": somebody.username, "otp_code": code});
        ask(&anyone, None, "/api/auth/verify-otp", body).await
    };
    assert_eq!(
        verify(&first).await.refusal(),
        (401, "Invalid or expired OTP".to_owned())
    );
    let signed_in = verify(&current).await.ok();
    assert_eq!(signed_in["user"]["id"], somebody.id);
    me(&anyone, &signed_in["token"]).await.ok();
    assert_eq!(verify(&current).await.refusal().0, 401);

    // Who has proven to read the mail switches without another.
    let select = json!({"session_token": signed_in["session_token"], "tenant_id": somebody.username});
    let again = ask(&anyone, None, "/api/auth/select-tenant", select).await.ok();
    assert!(again["token"].is_string());

    // What a client says of itself is no way round it either.
    for source in ["cli", "vscode", "my-tool"] {
        let answer = ask(&anyone, Some(source), "/api/auth/login", credentials.clone())
            .await
            .ok();
        assert_eq!(answer["requires_otp"], true, "{source}");
    }
}

#[tokio::test]
async fn three_wrong_codes_use_a_challenge_up() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    policy(stack, &somebody, "on").await;
    let credentials = json!({"username": somebody.username, "password": PASSWORD});
    let challenge = login(&anyone, credentials.clone()).await;
    let mut seen = Vec::new();
    let right = code(stack, &somebody.email, &mut seen).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let verify = async |code: &str| {
        let body = json!({"username": somebody.username, "otp": code});
        ask(&anyone, None, "/api/auth/verify-otp", body).await
    };
    for _ in 0..3 {
        assert_eq!(
            verify(wrong).await.refusal(),
            (401, "Invalid or expired OTP".to_owned())
        );
    }
    assert_eq!(verify(&right).await.refusal().0, 401, "the third wrong one ended it");
    let body = json!({"mfa_token": challenge["mfa_token"], "code": right});
    assert_eq!(ask(&anyone, None, "/api/auth/mfa/verify", body).await.refusal().0, 401);

    // Signing in again sends another, and the clients that know only `mfa_token` use it as well.
    let challenge = login(&anyone, credentials).await;
    let new = code(stack, &somebody.email, &mut seen).await;
    let body = json!({"mfa_token": challenge["mfa_token"], "code": new});
    let signed_in = ask(&anyone, None, "/api/auth/mfa/verify", body).await.ok();
    assert_eq!(signed_in["user"]["id"], somebody.id);
    let nobody = json!({"username": "nobody-at-all", "otp_code": "123456"});
    let refused = ask(&anyone, None, "/api/auth/verify-otp", nobody).await.refusal();
    assert_eq!(refused, (401, "Invalid or expired OTP".to_owned()));
}

#[tokio::test]
async fn without_mail_a_needed_code_is_no_reason_to_let_somebody_in() {
    let stack = Stack::start(&[("MAIL_TRANSPORT", "")]).await;
    let (somebody, anyone) = (Account::new(&stack).await, Anonymous::at(&stack));
    policy(&stack, &somebody, "on").await;
    let credentials = json!({"email": somebody.email, "password": PASSWORD});
    let mut refused = ask(&anyone, None, "/api/auth/login", credentials).await;
    assert_eq!(refused.status, 503);
    assert!(take(&mut refused.body, "request_id").is_string());
    assert_eq!(
        refused.body,
        json!({"error": "Failed to send OTP email", "code": "mail_failed",
            "detail": "This server cannot send mail: its mail settings are missing"})
    );
    assert_eq!(
        somebody.post("/api/auth/verify-email", json!({})).await.refusal().0,
        503
    );
    // Nobody is told whether there is an account.
    for email in [somebody.email.as_str(), "nobody@example.com"] {
        ask(&anyone, None, "/api/auth/forgot-password", json!({"email": email}))
            .await
            .ok();
    }
}
