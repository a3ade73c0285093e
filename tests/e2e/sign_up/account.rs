//! `/api/signup`: an account, and an organization of its own.
use reqwest::Method;
use serde_json::json;

use crate::support::account::{Account, Anonymous, PASSWORD};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;

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
async fn signing_up_can_be_closed() {
    let stack = Stack::start(&[("ALLOW_SIGNUP", "false")]).await;
    let body = json!({"username": "somebody", "email": "somebody@example.com", "password": PASSWORD});
    let (status, error) = Anonymous::at(&stack)
        .ask(Method::POST, "/api/signup", Some(body))
        .await
        .refusal();
    assert_eq!(status, 403, "{error}");
}
