//! Passwords that are changed, forgotten and chosen for the first time.
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::account::{Account, Anonymous, Answer, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::mail::{letter, letters};
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

const NEW: &str = "another horse battery";

async fn login(anyone: &Anonymous, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    anyone.ask(Method::POST, "/api/auth/login", Some(body)).await
}

async fn post(anyone: &Anonymous, path: &str, body: Value) -> Answer {
    anyone.ask(Method::POST, path, Some(body)).await
}

fn token_of(link: &str) -> String {
    link.rsplit('/').next().expect("a token").to_owned()
}

#[tokio::test]
async fn a_forgotten_password_is_reset_by_mail_once_and_ends_all_sign_ins() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    let known = post(
        &anyone,
        "/api/auth/forgot-password",
        json!({"email": somebody.email.to_uppercase()}),
    )
    .await;
    let unknown = post(
        &anyone,
        "/api/auth/forgot-password",
        json!({"email": "nobody@example.com"}),
    )
    .await;
    assert_eq!(known.body, unknown.body);
    assert_eq!(known.ok()["status"], "ok");
    let link = letter(stack, &somebody.email, "Reset your password")
        .await
        .link("/reset-password/");
    let first = token_of(&link);
    assert!(link.starts_with(&stack.url), "{link}");

    // Asking again voids the first.
    post(&anyone, "/api/auth/forgot-password", json!({"email": somebody.email}))
        .await
        .ok();
    let second = eventually("another link", async || {
        let links = letters(stack, &somebody.email)
            .into_iter()
            .filter(|mail| mail.subject.contains("Reset"));
        links
            .map(|mail| token_of(&mail.link("/reset-password/")))
            .find(|token| *token != first)
    })
    .await;
    let reset = async |token: &str| {
        post(
            &anyone,
            &format!("/api/auth/password-reset/{token}"),
            json!({"password": NEW}),
        )
        .await
    };
    let invalid = (400, "Invalid or expired reset token".to_owned());
    assert_eq!(reset(&first).await.refusal(), invalid);
    assert_eq!(
        post(
            &anyone,
            &format!("/api/auth/password-reset/{second}"),
            json!({"password": "short"})
        )
        .await
        .refusal()
        .0,
        400
    );
    assert_eq!(reset(&second).await.ok()["status"], "ok");
    assert_eq!(reset(&second).await.refusal(), invalid);
    assert_eq!(reset("unknown").await.refusal(), invalid);

    assert_eq!(somebody.get("/api/auth/me").await.refusal().0, 401);
    assert_eq!(login(&anyone, &somebody.email, PASSWORD).await.refusal().0, 401);
    login(&anyone, &somebody.email, NEW).await.ok();
    letter(stack, &somebody.email, "password was changed").await;
}

#[tokio::test]
async fn a_link_to_reset_a_password_works_in_the_body_too_and_not_after_an_hour() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    let ask = async |seen: usize| {
        post(&anyone, "/api/auth/forgot-password", json!({"email": somebody.email}))
            .await
            .ok();
        eventually("a link", async || {
            let links = letters(stack, &somebody.email)
                .into_iter()
                .filter(|mail| mail.subject.contains("Reset"));
            let links: Vec<String> = links.map(|mail| token_of(&mail.link("/reset-password/"))).collect();
            (links.len() > seen).then_some(links)
        })
        .await
    };
    let old = ask(0).await.remove(0);
    let expiry = format!(
        "UPDATE mailed_tokens SET expires_at = '2020-01-01T00:00:00.000Z' WHERE user_id = '{}'",
        somebody.id
    );
    stack.sql(&expiry);
    let reset = async |token: &str| {
        post(
            &anyone,
            "/api/auth/reset-password",
            json!({"token": token, "new_password": NEW}),
        )
        .await
    };
    assert_eq!(reset(&old).await.refusal().0, 400);
    let new = ask(1).await.into_iter().find(|token| *token != old).expect("another");
    reset(&new).await.ok();
    login(&anyone, &somebody.email, NEW).await.ok();
}

#[tokio::test]
async fn changing_the_password_ends_every_sign_in_and_terminal_and_gives_a_new_token() {
    let stack = Stack::shared().await;
    let here = Account::new(stack).await;
    let agent = Agent::new(&here, "password-change").await;
    let signed_in = login(&here.anonymous, &here.email, PASSWORD).await.ok();
    let elsewhere = Account {
        token: signed_in["token"].as_str().expect("a token").to_owned(),
        ..here.clone()
    };
    let mut mine = Viewer::attached(&here, &agent, "mine").await;
    let mut theirs = Viewer::attached(&elsewhere, &agent, "theirs").await;

    let change = async |body: Value| here.post("/api/auth/change-password", body).await;
    let wrong = change(json!({"current_password": "wrong", "new_password": NEW})).await;
    assert_eq!(wrong.refusal(), (400, "Current password is incorrect".to_owned()));
    assert_eq!(change(json!({"new_password": NEW})).await.refusal().0, 400);
    assert_eq!(
        change(json!({"current_password": PASSWORD, "new_password": "short"}))
            .await
            .refusal()
            .0,
        400
    );
    let changed = change(json!({"current_password": PASSWORD, "new_password": NEW}))
        .await
        .ok();
    assert_eq!(
        (&changed["status"], &changed["message"]),
        (&json!("ok"), &json!("Password changed successfully"))
    );
    assert_eq!(changed["user"]["id"], here.id);

    assert_eq!(theirs.wait_closed().await.0, 1008);
    assert_eq!(mine.wait_closed().await.0, 1008);
    for old in [&here, &elsewhere] {
        assert_eq!(old.get("/api/auth/me").await.refusal().0, 401);
    }
    let now = Account {
        token: changed["token"].as_str().expect("a token").to_owned(),
        ..here.clone()
    };
    now.get("/api/auth/me").await.ok();
    letter(stack, &here.email, "password was changed").await;

    // By its other name, and without the current one where it must be changed.
    stack.sql(&format!(
        "UPDATE users SET must_reset_password = 1 WHERE id = '{}'",
        here.id
    ));
    let forced = login(&here.anonymous, &here.email, NEW).await.ok();
    assert_eq!(forced["must_reset_password"], true);
    let token = forced["token"].as_str().expect("a token");
    let request = here
        .anonymous
        .request(Method::POST, "/api/users/password")
        .bearer_auth(token);
    let changed = send(request.json(&json!({"new_password": "third horse battery"})))
        .await
        .ok();
    assert_eq!(changed["user"]["must_reset_password"], false);
}

#[tokio::test]
async fn an_invitation_is_accepted_once_and_not_by_an_account_that_was_disabled_since() {
    let stack = Stack::shared().await;
    let anyone = Anonymous::at(stack);
    let invited = async |token: &str| {
        let somebody = Account::new(stack).await;
        stack.sql(&format!(
            "UPDATE users SET pending = 1, password_hash = '' WHERE id = '{}'",
            somebody.id
        ));
        stack.sql(&format!(
            "INSERT INTO mailed_tokens (token_hash, user_id, purpose, created_at, expires_at)
             VALUES ('{}', '{}', 'invite', '2026-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z')",
            hex::encode(Sha256::digest(token)),
            somebody.id
        ));
        somebody
    };
    let accept = async |token: &str| {
        let body = json!({"password": NEW, "display_name": "Ann", "username": "ignored"});
        post(&anyone, &format!("/api/auth/invite/{token}"), body).await
    };
    let invalid = (400, "Invalid or expired invite token".to_owned());

    let somebody = invited("invitation-1").await;
    assert_eq!(login(&anyone, &somebody.email, "").await.status, 400);
    assert_eq!(login(&anyone, &somebody.email, PASSWORD).await.refusal().0, 401);
    assert_eq!(somebody.get("/api/auth/me").await.refusal().0, 401);
    let signed_in = accept("invitation-1").await.ok();
    assert_eq!(signed_in["token"], signed_in["access_token"]);
    assert_eq!(signed_in["user"]["id"], somebody.id);
    assert_eq!(
        (&signed_in["user"]["display_name"], &signed_in["user"]["email_verified"]),
        (&json!("Ann"), &json!(true))
    );
    login(&anyone, &somebody.email, NEW).await.ok();
    assert_eq!(accept("invitation-1").await.refusal(), invalid);
    assert_eq!(accept("invitation-0").await.refusal(), invalid);

    let disabled = invited("invitation-2").await;
    stack.sql(&format!(
        "UPDATE users SET disabled_at = '2026-01-01T00:00:00.000Z' WHERE id = '{}'",
        disabled.id
    ));
    let body = json!({"token": "invitation-2", "password": NEW});
    assert_eq!(post(&anyone, "/api/auth/accept-invite", body).await.refusal(), invalid);
    assert_eq!(login(&anyone, &disabled.email, NEW).await.refusal().0, 401);
}

#[tokio::test]
async fn a_reset_by_mail_takes_an_account_from_whoever_waited_in_it_and_nothing_from_its_owner() {
    let stack = Stack::shared().await;
    for (verified, left) in [(false, 401), (true, 200)] {
        let somebody = Account::new(stack).await;
        let flag = i32::from(verified);
        stack.sql(&format!(
            "UPDATE users SET email_verified = {flag} WHERE id = '{}'",
            somebody.id
        ));
        let key = somebody.post("/api/api-keys", json!({"name": "later"})).await.ok()["key"].take();
        post(
            &somebody.anonymous,
            "/api/auth/forgot-password",
            json!({"email": somebody.email}),
        )
        .await
        .ok();
        let link = letter(stack, &somebody.email, "Reset your password")
            .await
            .link("/reset-password/");
        let path = format!("/api/auth/password-reset/{}", token_of(&link));
        post(&somebody.anonymous, &path, json!({"password": NEW})).await.ok();
        let program = Account {
            token: key.as_str().expect("a key").to_owned(),
            ..somebody.clone()
        };
        assert_eq!(program.get("/api/auth/me").await.status, left, "verified: {verified}");
        let user = login(&somebody.anonymous, &somebody.email, NEW).await.ok()["user"].take();
        assert_eq!(user["email_verified"], true);
        assert_eq!(user["api_key"] == json!(somebody.api_key), verified);
    }
}
