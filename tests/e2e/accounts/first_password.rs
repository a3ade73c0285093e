//! Somebody whose password an administrator chose: nothing goes before they have chosen one themselves.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::openapi::operations;
use crate::support::sign_in::{ask, login, me, text, unique};
use crate::support::stack::Stack;
use crate::support::viewer::{open, stream_headers};

/// What leads to a password of one's own.
const ALLOWED: [&str; 9] = [
    "GET /api/auth/me",
    "GET /api/users/me",
    "GET /api/profile",
    "GET /v1/auth/me",
    "POST /api/auth/change-password",
    "POST /api/users/password",
    "POST /api/profile/reset-password",
    "POST /api/auth/logout",
    "POST /v1/auth/logout",
];

fn refused(answer: Answer, what: &str) {
    if answer.body["error"].is_string() {
        assert_eq!(answer.body["code"], "password_change_required", "{what}: {answer:#?}");
    }
    let words = "Choose a password of your own first: POST /api/auth/change-password";
    assert_eq!(answer.refusal(), (403, words.to_owned()), "{what}");
}

/// Somebody for whom `admin` made an account with [`PASSWORD`], signed in.
async fn made_by(admin: &Account) -> Account {
    let username = unique("made");
    let email = format!("{username}@example.com");
    let body =
        json!({"username": username, "email": email, "password": PASSWORD, "first_name": "Made", "last_name": "Here"});
    admin.post("/api/users", body).await.ok();
    let answer = login(&admin.anonymous, json!({"email": email, "password": PASSWORD})).await;
    assert_eq!(
        (&answer["must_reset_password"], &answer["user"]["must_reset_password"]),
        (&json!(true), &json!(true))
    );
    Account {
        anonymous: admin.anonymous.clone(),
        id: text(&answer["user"]["id"]),
        token: text(&answer["token"]),
        api_key: text(&answer["user"]["api_key"]),
        username,
        email,
    }
}

#[tokio::test]
async fn whose_password_an_administrator_chose_sees_that_and_chooses_another_and_does_nothing_else_before() {
    let admin = Account::new(Stack::shared().await).await;
    let somebody = made_by(&admin).await;
    let mut checked = 0;
    for operation in operations(&somebody.anonymous).await {
        let name = operation.name();
        if operation.public || ALLOWED.contains(&name.as_str()) || operation.path == "/agent/connect" {
            continue;
        }
        // A terminal is tried below: without a handshake, the answer is about that.
        if operation.path.ends_with("/ws") {
            continue;
        }
        let path = operation.path_with(|_| "00000000000000000000000a".to_owned());
        let mut request = somebody.request(operation.method.clone(), &path);
        if let Some(body) = operation.least_body() {
            request = request.json(&body);
        }
        refused(send(request).await, &name);
        checked += 1;
    }
    assert!(checked > 60, "the API document lists its operations: {checked}");
    let url = format!(
        "{}/api/terminal/00000000000a/ws?token={}",
        somebody.anonymous.url, somebody.token
    );
    let Err((status, error)) = open(&url.replacen("http", "ws", 1), &stream_headers()).await else {
        panic!("a terminal opened");
    };
    assert!(
        status == 403 && error.contains("password_change_required"),
        "{status} {error}"
    );

    for path in ["/api/auth/me", "/api/users/me", "/api/profile"] {
        assert_eq!(somebody.get(path).await.ok()["must_reset_password"], true, "{path}");
    }
    let renewed = send(somebody.request(Method::POST, "/api/auth/refresh")).await.ok();
    refused(
        send(
            somebody
                .anonymous
                .request(Method::GET, "/api/machines")
                .bearer_auth(text(&renewed["token"])),
        )
        .await,
        "a renewed token",
    );

    let choose = async |new: &str| {
        somebody
            .post("/api/auth/change-password", json!({"new_password": new}))
            .await
    };
    let same = choose(PASSWORD).await;
    assert_eq!(same.body["fields"][0]["field"], "new_password");
    assert_eq!(same.refusal().0, 400);
    let changed = choose("a password of my own").await.ok();
    assert_eq!(changed["user"]["must_reset_password"], false);
    let somebody = Account {
        token: text(&changed["token"]),
        ..somebody
    };
    somebody.get("/api/machines").await.ok();
    // From now on, the password until now is asked for.
    let again = somebody
        .post("/api/auth/change-password", json!({"new_password": PASSWORD}))
        .await;
    assert_eq!(again.body["fields"][0]["field"], "current_password");
}

#[tokio::test]
async fn keys_of_somebody_who_must_choose_a_password_do_nothing_either() {
    let stack = Stack::shared().await;
    let somebody = Account::new(stack).await;
    let key = somebody.post("/api/api-keys", json!({"name": "ci"})).await.ok()["key"].take();
    let agent = Agent::enrolled(&somebody, "waiting", &somebody.anonymous.url).await;
    stack.sql(&format!(
        "UPDATE users SET must_reset_password = 1 WHERE id = '{}'",
        somebody.id
    ));
    let request = somebody
        .anonymous
        .request(Method::GET, "/api/machines")
        .bearer_auth(text(&key));
    refused(send(request).await, "a personal key");
    let error = agent
        .try_configure(&somebody.anonymous.url, &somebody.api_key)
        .await
        .expect_err("the account's key");
    assert!(error.contains("Choose a password of your own first"), "{error}");
}

#[tokio::test]
async fn whoever_was_invited_has_chosen_the_password_and_need_not_again() {
    let admin = Account::new(Stack::shared().await).await;
    let username = unique("invited");
    let body = json!({"username": username, "email": format!("{username}@example.com")});
    let invited: Value = admin.post("/api/users", body).await.ok();
    let path = format!("/api/auth/invite/{}", text(&invited["token"]));
    let answer = ask(&admin.anonymous, None, &path, json!({"password": PASSWORD}))
        .await
        .ok();
    assert_eq!(answer["must_reset_password"], false);
    assert_eq!(
        me(&admin.anonymous, &answer["token"]).await.ok()["must_reset_password"],
        false
    );
    let request = admin
        .anonymous
        .request(Method::GET, "/api/machines")
        .bearer_auth(text(&answer["token"]));
    send(request).await.ok();
}
