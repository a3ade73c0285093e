//! `/api/profile`, `/api/users/me` and SSH keys: one's own account.
use std::io::Write;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::mail::letter;
use crate::support::stack::Stack;
use crate::support::wait::eventually;

async fn put(account: &Account, path: &str, body: Value) -> Answer {
    send(account.request(Method::PUT, path).json(&body)).await
}

#[tokio::test]
async fn a_profile_is_flat_and_wrapped() {
    let ann = Account::new(Stack::shared().await).await;
    let profile = ann.get("/api/profile").await.ok();
    assert_eq!(profile["user"]["api_key"], ann.api_key);
    for field in ["id", "username", "email", "avatar_url", "tenant_id", "groups"] {
        assert_eq!(profile[field], profile["user"][field], "{field}");
        assert_eq!(profile[field], profile["data"][field], "{field}");
    }
    let user = ann.get("/api/users/me").await.ok();
    assert_eq!(user["user"], profile["user"]);
    assert_eq!((&user["id"], user.get("data")), (&json!(ann.id), None));
}

#[tokio::test]
async fn a_name_and_an_address_are_changed_and_the_address_is_proven_anew() {
    let stack = Stack::shared().await;
    let (ann, bob) = (Account::new(stack).await, Account::new(stack).await);
    let moved = format!("moved-{}", ann.email);
    stack.sql(&format!("UPDATE users SET email_verified = 1 WHERE id = '{}'", ann.id));
    let user = put(&ann, "/api/users/profile", json!({"display_name": " Ann Smith "}))
        .await
        .ok();
    assert_eq!(
        (&user["display_name"], &user["email_verified"]),
        (&json!("Ann Smith"), &json!(true))
    );
    let user = put(&ann, "/api/auth/me", json!({"email": moved.to_uppercase()}))
        .await
        .ok();
    assert_eq!(
        (&user["email"], &user["email_verified"]),
        (&json!(moved), &json!(false))
    );
    assert_eq!(user["display_name"], "Ann Smith");
    letter(stack, &moved, "").await;

    let (status, error) = put(&ann, "/api/auth/me", json!({"email": bob.email})).await.refusal();
    assert_eq!((status, error.as_str()), (400, "Email already in use"));
    assert_eq!(
        put(&ann, "/api/auth/me", json!({"email": "no address"})).await.status,
        400
    );
    assert_eq!(
        put(&ann, "/api/auth/me", json!({"display_name": "x".repeat(101)}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_picture_is_an_address_of_the_web() {
    let ann = Account::new(Stack::shared().await).await;
    let set = async |url: &str| {
        ann.post("/api/profile/upload-avatar", json!({ "avatar_url": url }))
            .await
    };
    let answer = set("https://example.org/ann.png").await.ok();
    assert_eq!(
        (&answer["message"], &answer["avatar_url"]),
        (&json!("Avatar updated"), &json!("https://example.org/ann.png"))
    );
    assert_eq!(
        ann.get("/api/profile").await.ok()["avatar_url"],
        "https://example.org/ann.png"
    );
    for bad in [
        "",
        "javascript:alert(1)",
        "ftp://example.org",
        "https://example.org/a b",
    ] {
        assert_eq!(set(bad).await.refusal().0, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_new_password_ends_the_old_one_and_other_tokens() {
    let ann = Account::new(Stack::shared().await).await;
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        ann.post("/api/profile/reset-password", body).await
    };
    let (status, error) = change("wrong", "secret").await.refusal();
    assert_eq!((status, error.as_str()), (400, "Current password is incorrect"));
    assert_eq!(change(PASSWORD, "short").await.refusal().0, 400);
    let answer = change(PASSWORD, "secret").await.ok();
    assert_eq!(answer["message"], "Password updated successfully");
    assert_eq!(ann.get("/api/profile").await.status, 401, "the token from before");
    let request = ann
        .anonymous
        .request(Method::GET, "/api/profile")
        .bearer_auth(answer["token"].as_str().expect("a token"));
    send(request).await.ok();
    let login = async |password: &str| {
        let body = json!({"email": ann.email, "password": password});
        ann.anonymous.ask(Method::POST, "/api/login", Some(body)).await.status
    };
    assert_eq!((login(PASSWORD).await, login("secret").await), (401, 200));
}

#[tokio::test]
async fn a_new_account_key_disconnects_what_enrolled_with_the_old_one() {
    let ann = Account::new(Stack::shared().await).await;
    let agent = Agent::enrolled(&ann, "keyed", &ann.anonymous.url).await;
    agent
        .try_configure(&ann.anonymous.url, &ann.api_key)
        .await
        .expect("the key enrols");
    agent.start().await;
    let machine = format!("/api/machines/{}", agent.agent_id);
    assert_eq!(ann.get(&machine).await.ok()["status"], "online");
    let answer = ann.post("/api/profile/regenerate-api-key", json!({})).await.ok();
    assert_eq!(answer["message"], "API key regenerated");
    let key = answer["api_key"].as_str().expect("a key");
    assert!(key.starts_with("vsay_ak_") && key.len() == 56 && key != ann.api_key);
    assert_eq!(ann.get("/api/profile").await.ok()["api_key"], key);
    eventually("the machine to be offline", async || {
        let found = ann.get(&machine).await.ok();
        (found["status"] == "offline" && found["is_connected"] == false).then_some(())
    })
    .await;
    let old = agent.try_configure(&ann.anonymous.url, &ann.api_key).await;
    assert!(old.is_err(), "the old key enrols nothing");
    agent.kill();
    agent
        .try_configure(&ann.anonymous.url, key)
        .await
        .expect("the new key enrols");
    agent.start().await;
}

#[tokio::test]
async fn an_ssh_key_is_made_shown_to_colleagues_and_removed() {
    let stack = Stack::shared().await;
    let (ann, bob, eve) = (
        Account::new(stack).await,
        Account::new(stack).await,
        Account::new(stack).await,
    );
    stack.sql(&format!(
        "UPDATE users SET organization_id = (SELECT organization_id FROM users WHERE id = '{}') WHERE id = '{}'",
        ann.id, bob.id
    ));
    let none = ann.get("/api/auth/me/ssh-key").await.ok();
    assert_eq!(none, json!({"ssh_public_key": null}));
    let pair = ann.post("/api/auth/me/ssh-key", json!({})).await.ok();
    let public = pair["public_key"].as_str().expect("a key");
    assert!(
        public.starts_with("ssh-ed25519 ") && public.ends_with(&format!(" {}@cloudlab", ann.username)),
        "{public}"
    );
    assert_eq!(
        openssh_public_key(pair["private_key"].as_str().expect("a key")),
        public.rsplit_once(' ').expect("a comment").0
    );
    assert_eq!(ann.get("/api/auth/me/ssh-key").await.ok()["ssh_public_key"], public);

    let seen = bob.get("/api/auth/ssh-keys").await.ok();
    assert_eq!(
        seen["keys"],
        json!([{"user_id": seen["keys"][0]["user_id"], "id": ann.id, "username": ann.username, "display_name": null,
            "ssh_public_key": public, "is_self": false}])
    );
    assert_eq!(eve.get("/api/auth/ssh-keys").await.ok()["keys"], json!([]));
    assert_eq!(ann.delete("/api/auth/me/ssh-key").await.ok()["status"], "ok");
    assert_eq!(ann.get("/api/auth/me/ssh-key").await.ok(), none);
    assert_eq!(bob.get("/api/auth/ssh-keys").await.ok()["keys"], json!([]));
}

/// What OpenSSH itself takes the public key of a private one to be.
fn openssh_public_key(private: &str) -> String {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(private.as_bytes()).expect("it can be written");
    let output = std::process::Command::new("ssh-keygen")
        .args(["-y", "-f"])
        .arg(file.path())
        .output()
        .expect("OpenSSH is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
