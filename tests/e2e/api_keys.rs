//! `/api/api-keys`: what programs call the API with in a person's name.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, send};
use crate::support::agent::Agent;
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::{Viewer, open, stream_headers};

async fn make(owner: &Account, body: Value) -> Value {
    let answer = owner.post("/api/api-keys", body).await;
    assert_eq!(answer.status, 201, "{answer:#?}");
    answer.ok()
}

async fn by_key(owner: &Account, key: &Value, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = owner
        .anonymous
        .request(method, path)
        .bearer_auth(key.as_str().expect("a key"));
    send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn a_key_acts_for_its_owner_until_it_is_revoked() {
    let ann = Account::new(Stack::shared().await).await;
    let made = make(&ann, json!({"name": "  backup job "})).await;
    let key = made["key"].as_str().expect("a key");
    assert_eq!((key.len(), &made["key_prefix"]), (53, &json!(key[..12])));
    assert_eq!(
        (&made["name"], &made["scope"], &made["expires_at"]),
        (&json!("backup job"), &json!("full"), &Value::Null)
    );
    let me = by_key(&ann, &made["key"], Method::GET, "/api/auth/me", None).await.ok();
    assert_eq!(me["id"], ann.id);

    let listed = ann.get("/api/api-keys").await.ok();
    assert_eq!(listed["total"], 1);
    assert!(
        listed["keys"][0]["last_used_at"].is_string() && !listed.to_string().contains(key),
        "{listed:#}"
    );

    let path = format!("/api/api-keys/{}", made["id"].as_str().expect("an id"));
    assert_eq!(ann.delete(&path).await.ok()["message"], "API key revoked");
    let (status, error) = by_key(&ann, &made["key"], Method::GET, "/api/auth/me", None)
        .await
        .refusal();
    assert_eq!((status, error.as_str()), (401, "Invalid API key"));
    assert_eq!(ann.delete(&path).await.refusal(), (404, "API key not found".to_owned()));
    assert_eq!(
        ann.delete("/api/api-keys/x").await.refusal(),
        (400, "invalid key id".to_owned())
    );
}

#[tokio::test]
async fn a_terminal_that_was_opened_with_a_key_ends_with_it_and_others_stay() {
    let ann = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&ann, "keyed").await;
    let made = make(&ann, json!({"name": "robot"})).await;
    let robot = Account {
        token: made["key"].as_str().expect("a key").to_owned(),
        ..ann.clone()
    };
    let mut opened = Viewer::attached(&robot, &agent, "by-key").await;
    let mut other = Viewer::attached(&ann, &agent, "by-token").await;
    opened.run("echo robot-$((1+1))", "robot-2").await;
    ann.delete(&format!("/api/api-keys/{}", made["id"].as_str().expect("an id")))
        .await
        .ok();
    assert_eq!(opened.wait_closed().await.0, 1008);
    other.run("echo still-$((1+2))", "still-3").await;
}

#[tokio::test]
async fn a_key_that_only_reads_changes_nothing_and_sees_no_secret() {
    let ann = Account::new(Stack::shared().await).await;
    let key = make(&ann, json!({"name": "watch", "scope": "read"})).await["key"].take();
    by_key(&ann, &key, Method::GET, "/api/machines", None).await.ok();
    let (status, _) = by_key(&ann, &key, Method::POST, "/api/machines", Some(json!({"name": "x"})))
        .await
        .refusal();
    assert_eq!(status, 403);
    for path in ["/api/profile", "/api/users/me"] {
        let seen = by_key(&ann, &key, Method::GET, path, None).await.ok();
        assert_eq!(seen["id"], ann.id);
        assert!(!seen.to_string().contains(&ann.api_key), "{path}");
    }
}

#[tokio::test]
async fn a_key_makes_no_keys_and_takes_over_no_account() {
    let ann = Account::new(Stack::shared().await).await;
    let made = make(&ann, json!({"name": "ci", "expires_in_days": 3650})).await;
    let own = format!("/api/api-keys/{}", made["id"].as_str().expect("an id"));
    for (method, path, body) in [
        (Method::POST, "/api/api-keys", json!({"name": "more"})),
        (Method::DELETE, &own, Value::Null),
        (Method::PUT, "/api/users/profile", json!({"email": "x@example.com"})),
        (Method::PUT, "/api/auth/me", json!({"email": "x@example.com"})),
        (Method::POST, "/api/profile/regenerate-api-key", Value::Null),
        (
            Method::POST,
            "/api/profile/reset-password",
            json!({"current_password": "x", "new_password": "secret"}),
        ),
        (Method::POST, "/api/auth/me/ssh-key", Value::Null),
    ] {
        let body = Some(body).filter(|body| !body.is_null());
        let (status, error) = by_key(&ann, &made["key"], method, path, body).await.refusal();
        assert_eq!(status, 403, "{path}: {error}");
        assert!(error.contains("sign in"), "{path}: {error}");
    }
}

#[tokio::test]
async fn no_key_is_shown_the_key_that_enrols_machines_or_becomes_anything_else() {
    let ann = Account::new(Stack::shared().await).await;
    for scope in ["full", "read"] {
        let key = make(&ann, json!({"name": scope, "scope": scope})).await["key"].take();
        for path in ["/api/auth/me", "/api/users/me", "/api/profile"] {
            let seen = by_key(&ann, &key, Method::GET, path, None).await.ok();
            assert_eq!(
                (&seen["id"], &seen["api_key"]),
                (&json!(ann.id), &json!("")),
                "{scope} {path}"
            );
            assert!(!seen.to_string().contains(&ann.api_key), "{scope} {path}");
            assert!(ann.get(path).await.ok().to_string().contains(&ann.api_key), "{path}");
        }
        let renewed = by_key(&ann, &key, Method::POST, "/api/auth/refresh", None).await;
        assert_eq!(renewed.refusal(), (401, "Invalid token".to_owned()), "{scope}");
        let body = json!({"token": key});
        let renewed = ann.anonymous.ask(Method::POST, "/api/auth/refresh", Some(body)).await;
        assert_eq!(renewed.refusal(), (401, "Invalid token".to_owned()), "{scope}");
        for (method, path, body) in [
            (Method::POST, "/api/auth/mfa/enroll", json!({})),
            (Method::POST, "/api/auth/logout", json!({})),
            (Method::POST, "/api/api-keys", json!({"name": "more"})),
        ] {
            assert_eq!(
                by_key(&ann, &key, method, path, Some(body)).await.refusal().0,
                403,
                "{scope} {path}"
            );
        }
    }
    // The account's own key enrols machines and is no bearer at all.
    let refused = by_key(&ann, &json!(ann.api_key), Method::GET, "/api/auth/me", None).await;
    assert_eq!(refused.refusal(), (401, "Invalid API key".to_owned()));
}

#[tokio::test]
async fn a_key_of_an_administrator_does_not_take_over_its_own_account_by_way_of_administration() {
    let stack = Stack::shared().await;
    let ann = Account::new(stack).await;
    let key = make(&ann, json!({"name": "ci", "scope": "people:admin"})).await["key"].take();
    let own = format!("/api/users/{}", ann.id);
    for (method, path, body) in [
        (Method::PUT, own.clone(), Some(json!({"email": "thief@example.com"}))),
        (Method::DELETE, format!("{own}/mfa"), None),
    ] {
        let (status, error) = by_key(&ann, &key, method, &path, body).await.refusal();
        assert!(status == 403 && error.contains("sign in"), "{path}: {error}");
    }
    // Others' accounts are what administrators' programs are for.
    let bob = join(stack, &ann, "user").await;
    let path = format!("/api/users/{}", bob.id);
    let body = json!({"display_name": "Bob"});
    by_key(&ann, &key, Method::PUT, &path, Some(body)).await.ok();
}

#[tokio::test]
async fn a_key_administers_people_only_if_it_was_made_for_that() {
    let stack = Stack::shared().await;
    let ann = Account::new(stack).await;
    let bob = join(stack, &ann, "company_admin").await;
    let key = make(&ann, json!({"name": "ci"})).await["key"].take();
    let document: Value = ann.anonymous.ask(Method::GET, "/openapi.json", None).await.ok();
    let (group, user) = ("00000000000000000000000a", bob.id.as_str());
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let nouns = ["/api/users", "/api/roles", "/api/groups"];
        let own = ["/api/users/me", "/api/users/profile", "/api/users/password"];
        if !nouns.iter().any(|noun| path.starts_with(noun))
            || own.contains(&path.as_str())
            || path.contains("/machines")
        {
            continue;
        }
        for method in item
            .as_object()
            .expect("methods")
            .keys()
            .filter(|method| *method != "get")
        {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            if !["POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
                continue;
            }
            let operation = crate::support::openapi::Operation {
                method: method.clone(),
                path: path.clone(),
                public: false,
                takes_body: true,
            };
            let path = operation.path_with(|name| match name {
                "user_id" => user.to_owned(),
                "role_id" => "1".to_owned(),
                _ => group.to_owned(),
            });
            let answer = by_key(&ann, &key, method.clone(), &path, operation.least_body()).await;
            assert_eq!(
                (answer.status, &answer.body["code"]),
                (403, &json!("key_scope")),
                "{method} {path}: {answer:#?}"
            );
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
    // What is no administration of people goes on, and a key that was made for it does it.
    by_key(
        &ann,
        &key,
        Method::POST,
        "/api/machines",
        Some(json!({"name": "by-key"})),
    )
    .await
    .ok();
    let key = make(&ann, json!({"name": "hr", "scope": "people:admin"})).await["key"].take();
    by_key(&ann, &key, Method::POST, "/api/roles", Some(json!({"name": "by-key"})))
        .await
        .ok();
}

#[tokio::test]
async fn a_key_that_only_reads_opens_no_terminal_and_a_program_may_name_itself() {
    let stack = Stack::shared().await;
    let ann = Account::new(stack).await;
    let read = make(&ann, json!({"name": "read", "scope": "read"})).await["key"].take();
    let read = read.as_str().expect("a key");
    let url = format!("{}/api/terminal/00000000000a/ws?token={read}", ann.anonymous.url);
    let Err((status, error)) = open(&url.replacen("http", "ws", 1), &stream_headers()).await else {
        panic!("a terminal opened");
    };
    assert!(status == 403 && error.contains("read_only_key"), "{status} {error}");

    let full = make(&ann, json!({"name": "full"})).await["key"].take();
    for (query, source) in [("", "api_key"), ("?source=backup-job", "backup-job")] {
        let body = json!({"name": format!("made-by-{source}")});
        by_key(&ann, &full, Method::POST, &format!("/api/machines{query}"), Some(body))
            .await
            .ok();
        let entries = stack.sql(&format!(
            "SELECT source FROM audit_log WHERE user_id = '{}' AND action = 'machine_created' ORDER BY created_at DESC LIMIT 1",
            ann.id
        ));
        assert_eq!(entries, json!([{ "source": source }]));
    }
}

#[tokio::test]
async fn an_account_has_five_keys_also_if_it_asks_for_more_at_once() {
    let ann = Account::new(Stack::shared().await).await;
    let asked = (0..8).map(|n| {
        let ann = ann.clone();
        tokio::spawn(async move { ann.post("/api/api-keys", json!({"name": format!("key {n}")})).await })
    });
    let mut made = 0;
    let too_many = (409, "You have 5 API keys; revoke one to make another".to_owned());
    for answer in asked.collect::<Vec<_>>() {
        let answer = answer.await.expect("it was asked");
        match answer.status {
            201 => made += 1,
            _ => assert_eq!(answer.refusal(), too_many),
        }
    }
    assert_eq!(made, 5, "nobody is refused while there is a place");
    let (status, error) = ann.post("/api/api-keys", json!({"name": "sixth"})).await.refusal();
    assert_eq!(
        (status, error.as_str()),
        (409, "You have 5 API keys; revoke one to make another")
    );
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x", "expires_in_days": 3651}),
        json!({"name": "x", "scope": "all"}),
    ] {
        assert_eq!(ann.post("/api/api-keys", body).await.status, 400);
    }
}
