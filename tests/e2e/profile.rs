//! `/api/profile`, `/api/users/me` and SSH keys: one's own account.
use std::io::Write;

use reqwest::Method;
use reqwest::multipart::Form;
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::mail::letter;
use crate::support::picture::{GIF, gone, look, upload, uploaded};
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
async fn a_picture_is_uploaded_shown_to_everybody_replaced_and_removed() {
    let ann = Account::new(Stack::shared().await).await;
    let first = uploaded(&ann, GIF).await;
    let shown = ann
        .anonymous
        .request(Method::GET, &first)
        .send()
        .await
        .expect("an answer");
    assert_eq!(shown.status(), 200);
    for (name, value) in [
        ("content-type", "image/gif"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
        ("content-disposition", "inline"),
    ] {
        assert_eq!(shown.headers()[name], value, "{name}");
    }
    assert_eq!(shown.bytes().await.expect("a body"), GIF);

    let second = uploaded(&ann, GIF).await;
    assert_ne!(second, first);
    gone(&ann, &first).await;
    assert_eq!(look(&ann, &second).await, 200);

    let answer = ann.delete("/api/profile/avatar").await.ok();
    assert_eq!(answer, json!({"message": "Avatar removed"}));
    assert_eq!(ann.get("/api/profile").await.ok()["avatar_url"], Value::Null);
    gone(&ann, &second).await;
    ann.delete("/api/profile/avatar").await.ok();
}

#[tokio::test]
async fn a_file_that_is_no_picture_or_too_large_is_refused_and_nothing_changes() {
    let ann = Account::new(Stack::shared().await).await;
    let picture = uploaded(&ann, GIF).await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec();
    for bytes in [svg, Vec::new()] {
        let answer = upload(&ann, "image/png", bytes).await;
        assert_eq!(answer.body["fields"][0]["field"], "avatar", "{answer:#?}");
        assert_eq!(answer.refusal().0, 400);
    }
    let post = |form: Form| {
        let request = ann.request(Method::POST, "/api/profile/upload-avatar");
        send(request.multipart(form))
    };
    let answer = post(Form::new().text("avatar", "GIF89a")).await;
    assert_eq!(answer.body["fields"][0]["field"], "avatar", "a text is no file");
    for body in ["", "nonsense", "--x\r\n", "--x--\r\n"] {
        let request = ann
            .request(Method::POST, "/api/profile/upload-avatar")
            .header("content-type", "multipart/form-data; boundary=x");
        assert_eq!(send(request.body(body)).await.refusal().0, 400, "{body}");
    }
    let sized = |length: usize| {
        let mut bytes = GIF.to_vec();
        bytes.resize(length, 0);
        bytes
    };
    for length in [256 * 1024 + 1, 400 * 1024] {
        let (status, error) = upload(&ann, "image/gif", sized(length)).await.refusal();
        assert_eq!((status, error.as_str()), (413, "A picture may have at most 256 KiB"));
    }
    assert_eq!(look(&ann, &picture).await, 200, "it is as it was");
    uploaded(&ann, &sized(256 * 1024)).await;
}

#[tokio::test]
async fn whoever_names_the_picture_of_somebody_else_as_their_own_does_not_remove_it() {
    let stack = Stack::shared().await;
    let (ann, eve) = (Account::new(stack).await, Account::new(stack).await);
    let (picture, replaced) = (uploaded(&ann, GIF).await, uploaded(&eve, GIF).await);
    let url = format!("{}{picture}", ann.anonymous.url);
    eve.post("/api/profile/upload-avatar", json!({ "avatar_url": url }))
        .await
        .ok();
    gone(&eve, &replaced).await;
    eve.delete("/api/profile/avatar").await.ok();
    // What is removed after this one was removed after that one.
    let last = uploaded(&eve, GIF).await;
    eve.delete("/api/profile/avatar").await.ok();
    gone(&eve, &last).await;
    assert_eq!(look(&ann, &picture).await, 200);
}

#[tokio::test]
async fn what_is_no_name_of_a_picture_is_not_found() {
    let ann = Account::new(Stack::shared().await).await;
    for name in [
        &"0a".repeat(16),
        &"0A".repeat(16),
        "0a",
        "..%2f..%2frecordings",
        "%00",
        &"0a".repeat(2000),
    ] {
        let answer = ann
            .anonymous
            .ask(Method::GET, &format!("/api/avatars/{name}"), None)
            .await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.refusal(), (404, "Avatar not found".to_owned()), "{name}");
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
