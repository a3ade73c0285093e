//! Signing organizations up, and setting a server up.
mod account;
mod bootstrap;

use reqwest::Method;
use serde_json::json;

use crate::support::account::{Anonymous, PASSWORD};
use crate::support::mail::letter;
use crate::support::sign_in::{ask, company, login, me, text, unique};
use crate::support::stack::Stack;

#[tokio::test]
async fn an_organization_signs_up_and_its_first_account_administers_it_and_proves_its_address() {
    let stack = Stack::shared().await;
    let anyone = Anonymous::at(stack);
    let (username, organization) = (unique("ann"), unique("Acme Inc "));
    let email = format!("{username}@example.com");
    let made = ask(
        &anyone,
        None,
        "/api/auth/signup",
        company(&username, &email.to_uppercase(), &organization),
    )
    .await;
    assert_eq!(made.status, 201);
    let made = made.ok();
    assert_eq!(made["organization"], "The Company");
    assert_eq!(made["username"], username);
    assert!(made.get("token").is_none(), "{made:#}");

    let answer = login(&anyone, json!({"email": email, "password": PASSWORD})).await;
    let user = &answer["user"];
    assert_eq!(user["role"], "company_admin");
    assert_eq!(user["tenant_id"], organization.to_lowercase().replace(' ', "-"));
    assert_eq!(user["tenant_name"], "The Company");
    assert_eq!(
        (&user["first_name"], &user["display_name"]),
        (&json!("Ann"), &json!("Ann Smith"))
    );
    assert_eq!(user["email_verified"], false);

    let link = letter(stack, &email, "Welcome").await.link("/verify-email/");
    let token = link.rsplit('/').next().expect("a token");
    let path = format!("/api/auth/verify-email/{token}");
    ask(&anyone, None, &path, json!({})).await.ok();
    assert_eq!(me(&anyone, &answer["token"]).await.ok()["email_verified"], true);
    let again = ask(&anyone, None, &path, json!({})).await.refusal();
    assert_eq!(again, (400, "Invalid or expired verification token".to_owned()));
}

#[tokio::test]
async fn a_name_or_organization_that_is_taken_leaves_nothing_behind() {
    let anyone = Anonymous::at(Stack::shared().await);
    let (username, organization) = (unique("ann"), unique("acme"));
    let email = format!("{username}@example.com");
    let sign_up = async |username: &str, organization: &str| {
        ask(
            &anyone,
            None,
            "/api/auth/signup",
            company(username, &email, organization),
        )
        .await
    };
    sign_up(&username, &organization).await.ok();
    let other = unique("other");
    assert_eq!(
        sign_up(&username.to_uppercase(), &other).await.refusal(),
        (409, "Username already exists".to_owned())
    );
    let free = unique("bob");
    assert_eq!(
        sign_up(&free, &organization.to_uppercase()).await.refusal(),
        (409, "Organization already exists".to_owned())
    );
    sign_up(&free, &other).await.ok();
}

#[tokio::test]
async fn a_server_is_set_up_once_however_many_try_at_the_same_time() {
    let stack = Stack::start(&[]).await;
    let anyone = Anonymous::at(&stack);
    let status = async || anyone.ask(Method::GET, "/api/auth/setup-required", None).await.ok();
    assert_eq!(
        status().await,
        json!({"setup_required": true, "setup_complete": false, "vault_set": false})
    );
    let refused = ask(
        &anyone,
        None,
        "/api/auth/login",
        json!({"username": "root", "password": PASSWORD}),
    )
    .await;
    assert_eq!(refused.refusal(), (400, "Setup not completed".to_owned()));
    let refused = ask(
        &anyone,
        None,
        "/api/auth/login",
        json!({"email": "a@b.cd", "password": PASSWORD}),
    )
    .await;
    assert_eq!(refused.refusal().0, 401);

    let set_up = async |name: &str| {
        let body = json!({"username": name, "password": PASSWORD, "vault_password": "open sesame"});
        ask(&anyone, None, "/api/auth/setup", body).await
    };
    let (one, two, three) = tokio::join!(set_up("root_1"), set_up("root_2"), set_up("root_3"));
    let (made, refused): (Vec<_>, Vec<_>) = [one, two, three].into_iter().partition(|answer| answer.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 2));
    for answer in refused {
        assert_eq!(answer.refusal(), (400, "Setup already completed".to_owned()));
    }
    let made = made.into_iter().next().expect("one").ok();
    assert_eq!(made["token"], made["access_token"]);
    assert_eq!(made["token_type"], "bearer");
    let permissions = made["permissions"].as_array().expect("permissions");
    assert!(
        permissions.contains(&json!("*")) && permissions.contains(&json!("users.view")),
        "{permissions:?}"
    );
    let me = me(&anyone, &made["token"]).await.ok();
    assert_eq!((&me["role"], &me["email"]), (&json!("super_admin"), &json!("")));
    assert_eq!(me["email_verified"], false, "there is none");
    for path in ["/api/auth/setup-required", "/api/auth/status"] {
        let status = anyone.ask(Method::GET, path, None).await.ok();
        assert_eq!(
            status,
            json!({"setup_required": false, "setup_complete": true, "vault_set": true})
        );
    }
    assert_eq!(set_up("root_4").await.refusal().0, 400);
    assert_eq!(stack.sql("SELECT COUNT(*) AS n FROM organizations")[0]["n"], 1);
    let sealed = text(&stack.sql("SELECT vault_sealed FROM organizations")[0]["vault_sealed"]);
    assert!(!sealed.contains("sesame"));
    // It needs no organization of its own to exist: a deleted account does not open the door again.
    stack.sql("UPDATE users SET deleted_at = '2026-01-01T00:00:00.000Z'");
    assert_eq!(set_up("root_5").await.refusal().0, 400);
}
