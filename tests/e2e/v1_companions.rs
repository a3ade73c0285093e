//! The rest of `/v1`: what `/api` does, in other words, with its rights and its log.
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, Answer, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::redact::{hex, is_recent, take};
use crate::support::sign_in::{policy, somebody_of_two, text, unique};
use crate::support::stack::Stack;
use crate::support::team::{join, super_admin};

const LIMITS: [&str; 3] = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

/// The body of a success, whose headers are there once.
fn success(answer: Answer) -> Value {
    once(&answer.headers);
    let body = answer.ok();
    assert_eq!(body["success"], true, "{body:#}");
    body
}

fn once(headers: &HeaderMap) {
    for name in LIMITS {
        assert_eq!(headers.get_all(name).iter().count(), 1, "{name}: {headers:?}");
    }
}

/// The content of a success.
fn data(answer: Answer) -> Value {
    take(&mut success(answer), "data")
}

/// What a success says that has nothing else.
fn done(answer: Answer) -> String {
    let mut body = success(answer);
    assert_eq!(take(&mut body, "success"), true);
    let message = text(&take(&mut body, "message"));
    assert_eq!(body, json!({}));
    message
}

/// The code and the words of a refusal.
fn refused(answer: Answer) -> (u16, String, String) {
    once(&answer.headers);
    let code = text(&answer.body["error"]["code"]);
    let (status, message) = answer.refusal();
    (status, code, message)
}

/// That a field is what is wrong.
fn names(answer: Answer, field: &str) {
    let (status, code, message) = refused(answer);
    assert_eq!((status, code.as_str()), (400, "VALIDATION_ERROR"), "{message}");
    assert!(message.starts_with(&format!("{field} ")), "{field}: {message}");
}

async fn ask(anyone: &Anonymous, path: &str, body: Value) -> Answer {
    anyone.ask(Method::POST, path, Some(body)).await
}

/// What the log of somebody's organization has of an action, newest first.
async fn logged(admin: &Account, action: &str) -> Vec<Value> {
    let log = admin.get(&format!("/api/audit?action={action}&limit=100")).await.ok();
    log["logs"].as_array().expect("logs").clone()
}

#[tokio::test]
async fn somebody_signs_in_stays_so_and_signs_out() {
    let stack = Stack::shared().await;
    let ann = Account::new(stack).await;
    let anyone = &ann.anonymous;
    let body = json!({"email": ann.email, "password": PASSWORD});
    let mut signed_in = data(ask(anyone, "/v1/auth/login", body.clone()).await);
    let token = text(&take(&mut signed_in, "token"));
    assert_eq!(take(&mut signed_in, "refresh_token"), token);
    assert!(take(&mut signed_in, "expires_at").is_string());
    let user = json!({"id": format!("usr_{}", ann.id), "email": ann.email, "name": ann.username, "role": "admin"});
    let mut signed_in_user = user.clone();
    signed_in_user["organization_id"] = json!(ann.username);
    assert_eq!(signed_in, json!({"must_reset_password": false, "user": signed_in_user}));

    let mut renewed = data(ask(anyone, "/v1/auth/refresh", json!({"refresh_token": token})).await);
    assert!(take(&mut renewed, "expires_at").is_string());
    assert_eq!(take(&mut renewed, "refresh_token"), renewed["token"]);
    let again = Account {
        token: text(&renewed["token"]),
        ..ann.clone()
    };
    let mut me = data(again.get("/v1/auth/me").await);
    assert!(is_recent(&take(&mut me, "created_at")));
    let mut expected = user;
    expected["organization"] = json!({"id": ann.username, "name": ann.username});
    assert_eq!(me, expected);
    assert_eq!(
        done(again.post("/v1/auth/logout", json!({})).await),
        "Logged out successfully"
    );
    for request in [Method::GET, Method::POST] {
        let path = if request == Method::GET {
            "/v1/auth/me"
        } else {
            "/v1/auth/logout"
        };
        let answer = send(again.request(request, path)).await;
        assert_eq!(
            refused(answer),
            (401, "UNAUTHORIZED".into(), "Invalid or expired token".into())
        );
    }
    let answer = ask(anyone, "/v1/auth/refresh", json!({"refresh_token": token})).await;
    assert_eq!(refused(answer).0, 401);

    // Who did it, from where, with what, and as what: once.
    let logins = logged(&ann, "login").await;
    assert_eq!(logins.len(), 1, "{logins:#?}");
    let seen = ["endpoint", "method", "ip_address", "username"].map(|name| logins[0][name].clone());
    assert_eq!(
        seen,
        [
            json!("/v1/auth/login"),
            json!("POST"),
            json!("127.0.0.1"),
            json!(ann.username)
        ]
    );
    assert_eq!(logged(&ann, "logout").await[0]["endpoint"], "/v1/auth/logout");

    let wrong = json!({"email": ann.email, "password": "not this one"});
    let answer = ask(anyone, "/v1/auth/login", wrong).await;
    assert_eq!(
        refused(answer),
        (401, "UNAUTHORIZED".into(), "Invalid credentials".into())
    );
    names(
        ask(anyone, "/v1/auth/login", json!({"email": ann.email})).await,
        "password",
    );
    names(
        ask(anyone, "/v1/auth/login", json!({"email": 5, "password": "x"})).await,
        "email",
    );
    names(ask(anyone, "/v1/auth/refresh", json!({})).await, "refresh_token");
    names(
        ask(anyone, "/v1/auth/refresh", json!({"refresh_token": ""})).await,
        "refresh_token",
    );
}

#[tokio::test]
async fn a_sign_in_that_needs_more_says_so_inside() {
    let stack = Stack::shared().await;
    let ann = Account::new(stack).await;
    policy(stack, &ann, "on").await;
    let body = json!({"email": ann.email, "password": PASSWORD});
    let challenge = data(ask(&ann.anonymous, "/v1/auth/login", body).await);
    assert_eq!(
        (&challenge["mfa_required"], &challenge["requires_otp"]),
        (&json!(true), &json!(true))
    );
    assert!(challenge["mfa_token"].is_string() && challenge.get("token").is_none());
    let (email, _) = somebody_of_two(&ann.anonymous).await;
    let choice = data(
        ask(
            &ann.anonymous,
            "/v1/auth/login",
            json!({"email": email, "password": PASSWORD}),
        )
        .await,
    );
    assert_eq!(choice["requires_tenant_selection"], true);
    assert_eq!(choice["tenants"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_machine_is_made_and_changed_and_takes_no_credentials() {
    let stack = Stack::shared().await;
    let (ann, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let published = json!({"name": "web", "host": "10.0.0.5", "port": 22, "username": "ops", "auth_type": "key",
        "tags": ["a"], "description": "serves"});
    let answer = ann.post("/v1/machines", published).await;
    assert_eq!(answer.status, 201);
    let mut body = success(answer);
    assert_eq!(take(&mut body, "message"), "Machine created successfully");
    let mut made = take(&mut body, "data");
    let id = text(&take(&mut made, "id"));
    assert!(id.strip_prefix("mch_").is_some_and(|rest| hex(rest, 24)), "{id}");
    let agent_id = text(&take(&mut made, "agent_id"));
    let token = text(&take(&mut made, "registration_token"));
    assert!(text(&take(&mut made, "install_command")).contains(&token));
    assert!(is_recent(&take(&mut made, "created_at")));
    assert_eq!(made, json!({"name": "web", "host": "", "status": "pending"}));
    let machine = data(ann.get(&format!("/v1/machines/{id}")).await);
    assert_eq!(
        ["username", "description"].map(|name| machine[name].clone()),
        [json!("ops"), json!("serves")]
    );
    assert_eq!(machine["tags"], json!(["a"]));

    for named in [&id, &agent_id, &id["mch_".len()..].to_owned()] {
        let answer = ann
            .put(&format!("/v1/machines/{named}"), json!({"name": named, "tags": []}))
            .await;
        let mut body = success(answer);
        assert_eq!(take(&mut body, "message"), "Machine updated successfully");
        assert!(is_recent(&take(&mut body["data"], "updated_at")));
        assert_eq!(body["data"], json!({"id": id, "name": named}));
    }
    let entries = logged(&ann, "machine_updated").await;
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0]["endpoint"], "/v1/machines/{machine_id}");

    for (field, value) in [
        ("private_key", json!("-----BEGIN")),
        ("password", json!("hunter2")),
        ("jump_host_id", json!("mch_1")),
        ("auth_type", json!("none")),
        ("port", json!(-1)),
        ("username", json!("no such")),
        ("tags[0]", Value::Null),
    ] {
        let mut body = json!({"name": "other", "tags": ["t"]});
        match field {
            "tags[0]" => body["tags"] = json!([""]),
            field => body[field] = value,
        }
        names(ann.post("/v1/machines", body).await, field);
    }
    names(ann.post("/v1/machines", json!({"host": "a"})).await, "name");
    let path = format!("/v1/machines/{id}");
    for field in ["host", "port", "username", "auth_type", "private_key"] {
        names(ann.put(&path, json!({"name": "changed", field: "x"})).await, field);
    }
    assert_eq!(
        refused(ann.post("/v1/machines", json!({"name": id[4..]})).await).1,
        "CONFLICT"
    );
    let missing = (404, "NOT_FOUND".into(), "Machine not found".into());
    for path in [
        &path,
        "/v1/machines/mch_00000000000000000000000a",
        "/v1/machines/..%2Fx%3F",
    ] {
        assert_eq!(
            refused(stranger.put(path, json!({"name": "stolen"})).await),
            missing,
            "{path}"
        );
    }
    let colleague = join(stack, &ann, "user").await;
    assert_eq!(
        refused(colleague.put(&path, json!({"name": "stolen"})).await).1,
        "FORBIDDEN"
    );
    let denied = logged(&ann, "denied").await;
    assert_eq!(denied.len(), 1, "{denied:#?}");
    assert_eq!(denied[0]["endpoint"], "/v1/machines/{machine_id}");
    assert_eq!(data(ann.get(&path).await)["name"], id[4..]);
}

#[tokio::test]
async fn people_are_invited_changed_and_let_go() {
    let stack = Stack::shared().await;
    let (ann, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let machine = data(ann.post("/v1/machines", json!({"name": "lent"})).await);
    let name = unique("bob");
    let email = format!("{name}@example.com");
    let invite = json!({"email": email, "role": "member", "name": "Bob van Dyk", "machine_ids": [machine["id"]]});
    let answer = ann.post("/v1/users/invite", invite).await;
    assert_eq!(answer.status, 201);
    let mut invited = take(&mut success(answer), "data");
    let id = text(&take(&mut invited, "invitation_id"));
    assert!(take(&mut invited, "expires_at").is_string());
    assert!(take(&mut invited, "invite_url").is_string());
    assert_eq!(invited, json!({"email": email, "invite_sent": true}));
    let entries = logged(&ann, "user.invite").await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["endpoint"], "/v1/users/invite");

    let path = format!("/v1/users/{id}");
    let mut bob = data(ann.get(&path).await);
    assert!(is_recent(&take(&mut bob, "created_at")));
    let lent = json!({"machine_id": machine["id"], "agent_id": machine["agent_id"], "access_level": "full"});
    assert_eq!(
        bob,
        json!({"id": id, "email": email, "name": "Bob van Dyk", "role": "member", "status": "pending", "last_login": null,
            "permissions": {"machines": ["view", "connect"], "users": [], "sessions": ["view", "end"]}, "machine_access": [lent]})
    );
    // The username is taken: somebody else gets another one.
    let again = json!({"email": format!("{name}@example.org"), "role": "admin"});
    let other = text(&data(ann.post("/v1/users/invite", again).await)["invitation_id"]);
    let resent = ann.post(&format!("/v1/users/invitations/{id}/resend"), json!({})).await;
    assert_eq!(done(resent), "Invitation resent successfully");

    let total = async |query: &str| {
        let found = data(ann.get(&format!("/v1/users{query}")).await);
        (
            found["users"].as_array().expect("a list").len(),
            found["pagination"].clone(),
        )
    };
    let page = |page: u64, limit: u64, total: u64| json!({"page": page, "limit": limit, "total": total, "total_pages": total.div_ceil(limit)});
    assert_eq!(total("").await, (3, page(1, 20, 3)));
    assert_eq!(total("?page=2&limit=2").await, (1, page(2, 2, 3)));
    assert_eq!(total("?role=admin").await, (2, page(1, 20, 2)));
    assert_eq!(total("?role=member&search=van%20d").await, (1, page(1, 20, 1)));
    assert_eq!(total("?limit=1000&page=x").await, (3, page(1, 20, 3)));
    assert_eq!(total("?role=viewer").await.0, 0);
    names(ann.get("/v1/users?role=owner").await, "role");

    let mut changed = success(ann.put(&path, json!({"name": "Robert", "role": "admin"})).await);
    assert!(is_recent(&take(&mut changed["data"], "updated_at")));
    assert_eq!(changed["data"], json!({"id": id, "name": "Robert", "role": "admin"}));
    assert_eq!(logged(&ann, "role_changed").await.len(), 1);

    for (body, field) in [
        (json!({"role": "member"}), "email"),
        (json!({"email": "none", "role": "member"}), "email"),
        (json!({"email": "a@example.com"}), "role"),
        (json!({"email": "a@example.com", "role": "viewer"}), "role"),
        (
            json!({"email": "a@example.com", "role": "member", "name": "a\nb"}),
            "name",
        ),
        (
            json!({"email": "a@example.com", "role": "member", "machine_ids": [5]}),
            "machine_ids[0]",
        ),
    ] {
        names(ann.post("/v1/users/invite", body).await, field);
    }
    let elsewhere = data(stranger.post("/v1/machines", json!({"name": "theirs"})).await);
    let email = format!("{}@example.com", unique("cid"));
    let body = json!({"email": email, "role": "member", "machine_ids": [elsewhere["id"]]});
    assert_eq!(refused(ann.post("/v1/users/invite", body).await).2, "Machine not found");
    assert_eq!(total("").await.0, 3, "nobody was invited");
    names(ann.put(&path, json!({"role": "viewer"})).await, "role");
    names(ann.put(&path, json!({"name": " "})).await, "name");
    let missing = (404, "NOT_FOUND".to_owned(), "User not found".to_owned());
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::PUT, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::PUT, format!("{path}/permissions")),
        (Method::POST, format!("/v1/users/invitations/{id}/resend")),
    ] {
        let request = stranger.request(method, &path).json(&json!({"machine_access": []}));
        assert_eq!(refused(send(request).await), missing, "{path}");
    }
    assert_eq!(done(ann.delete(&path).await), "User deleted successfully");
    assert_eq!(refused(ann.get(&path).await), missing);
    assert_eq!(logged(&ann, "user_deleted").await.len(), 1);
    assert_eq!(data(ann.get(&format!("/v1/users/{other}")).await)["role"], "admin");
}

#[tokio::test]
async fn somebody_is_lent_the_machines_that_are_named_and_no_others() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (bob, cid) = (join(stack, &owner, "user").await, join(stack, &owner, "user").await);
    let made = async |name: &str| data(owner.post("/v1/machines", json!({"name": name})).await);
    let (one, two) = (made("one").await, made("two").await);
    let path = format!("/v1/users/usr_{}/permissions", bob.id);
    let set = async |by: &Account, machines: &[&Value]| {
        let list: Vec<Value> = machines
            .iter()
            .map(|id| json!({"machine_id": id, "access_level": "full"}))
            .collect();
        by.put(&path, json!({"machine_access": list})).await
    };
    let reached = async || {
        let found = data(bob.get("/v1/machines").await);
        let found = found["machines"].as_array().expect("a list").clone();
        found.iter().map(|machine| text(&machine["name"])).collect::<Vec<_>>()
    };
    assert_eq!(
        done(set(&owner, &[&one["id"], &two["agent_id"]]).await),
        "Permissions updated successfully"
    );
    assert_eq!(reached().await, ["one", "two"]);
    done(set(&owner, &[&two["id"]]).await);
    assert_eq!(reached().await, ["two"]);
    done(set(&owner, &[&two["agent_id"], &two["id"]]).await);
    let mut events = [
        logged(&owner, "access_granted").await.len(),
        logged(&owner, "access_revoked").await.len(),
    ];
    assert_eq!(events, [2, 1], "what is so already is not done again");
    assert_eq!(
        logged(&owner, "access_granted").await[0]["endpoint"],
        "/v1/users/{user_id}/permissions"
    );

    // Nothing of a request is done that has a fault.
    let unknown = json!("mch_00000000000000000000000a");
    assert_eq!(
        refused(set(&owner, &[&one["id"], &unknown]).await).2,
        "Machine not found"
    );
    for level in ["read_only", "connect_only", ""] {
        let body = json!({"machine_access": [{"machine_id": one["id"], "access_level": level}]});
        names(owner.put(&path, body).await, "machine_access[0].access_level");
    }
    names(owner.put(&path, json!({})).await, "machine_access");
    assert_eq!(refused(set(&cid, &[]).await).1, "FORBIDDEN");
    assert_eq!(refused(set(&bob, &[]).await).1, "FORBIDDEN");
    assert_eq!(reached().await, ["two"]);
    events[1] = logged(&owner, "access_revoked").await.len();
    assert_eq!(events, [2, 1]);
    done(set(&owner, &[]).await);
    assert!(reached().await.is_empty());
}

#[tokio::test]
async fn organizations_are_made_with_an_administrator_changed_and_deleted() {
    let stack = Stack::shared().await;
    let (root, ann) = (super_admin(stack).await, Account::new(stack).await);
    let slug = unique("initech");
    let email = format!("{}@example.com", unique("bill"));
    let body = json!({"name": "Initech", "slug": slug, "admin_email": email});
    let answer = root.post("/v1/organizations", body.clone()).await;
    assert_eq!(answer.status, 201);
    let mut made = take(&mut success(answer), "data");
    let invitation = take(&mut made, "admin_invitation");
    assert_eq!(
        (&invitation["email"], &invitation["invite_sent"]),
        (&json!(email), &json!(true))
    );
    let path = format!("/v1/organizations/{slug}");
    let mut read = data(root.get(&path).await);
    assert_eq!(read, made);
    assert!(is_recent(&take(&mut read, "created_at")));
    let settings = json!({"oidc_enabled": false, "oidc_provider": null, "allowed_domains": [], "session_timeout": 86400,
        "mfa_required": false});
    assert_eq!(
        read,
        json!({"id": slug, "slug": slug, "name": "Initech", "plan": null, "members_count": 1, "machines_count": 0,
            "settings": settings, "limits": {"max_users": null, "max_machines": null, "max_sessions": null},
            "usage": {"users": 1, "machines": 0, "active_sessions": 0}})
    );
    let listed = data(root.get(&format!("/v1/organizations?search={slug}")).await);
    assert_eq!(
        listed["pagination"],
        json!({"page": 1, "limit": 20, "total": 1, "total_pages": 1})
    );
    assert_eq!(listed["organizations"][0]["id"], slug.as_str());
    let mut members = data(root.get(&format!("{path}/members")).await);
    assert!(is_recent(&take(&mut members["members"][0], "joined_at")));
    let member = members["members"][0].clone();
    assert_eq!((&member["email"], &member["role"]), (&json!(email), &json!("admin")));

    let changed = data(
        root.put(&path, json!({"name": "Initrode", "settings": {"mfa_required": true}}))
            .await,
    );
    assert_eq!(
        (&changed["name"], &changed["settings"]["mfa_required"]),
        (&json!("Initrode"), &json!(true))
    );
    for (body, field) in [
        (json!({"plan": "pro"}), "plan"),
        (json!({"name": ""}), "name"),
        (json!({"settings": {"session_timeout": 60}}), "settings.session_timeout"),
    ] {
        names(root.put(&path, body).await, field);
    }
    for (change, field) in [
        (json!({"plan": "pro"}), "plan"),
        (json!({"slug": "a/b"}), "slug"),
        (json!({"name": ""}), "name"),
        (json!({"admin_email": 5}), "admin_email"),
    ] {
        let mut body = json!({"name": "Other", "slug": unique("other"), "admin_email": email});
        for (name, value) in change.as_object().expect("fields") {
            body[name] = value.clone();
        }
        names(root.post("/v1/organizations", body).await, field);
    }
    assert_eq!(refused(root.post("/v1/organizations", body).await).1, "CONFLICT");
    // One whose administrator cannot be invited is not left behind.
    let lonely = unique("lonely");
    let body = json!({"name": "Lonely", "slug": lonely, "admin_email": "nobody"});
    names(root.post("/v1/organizations", body).await, "admin_email");
    let missing = (404, "NOT_FOUND".to_owned(), "Organization not found".to_owned());
    assert_eq!(refused(root.get(&format!("/v1/organizations/{lonely}")).await), missing);

    let oidc = json!({"enabled": true, "provider": "okta", "client_id": "a", "client_secret": "b",
        "issuer_url": "https://id.example.com"});
    let (status, _, words) = refused(root.put(&format!("{path}/oidc"), oidc.clone()).await);
    assert!(status == 501 && words.contains("OIDC_ISSUER"), "{words}");
    assert_eq!(refused(root.put("/v1/organizations/nowhere/oidc", oidc).await), missing);
    names(
        root.put(&format!("{path}/oidc"), json!({"enabled": true})).await,
        "provider",
    );

    let forbidden = (403, "FORBIDDEN".to_owned(), "Super admin access required".to_owned());
    for path in ["/v1/organizations", &path, "/v1/organizations/nowhere"] {
        assert_eq!(refused(ann.get(path).await), forbidden, "{path}");
    }
    assert_eq!(refused(root.delete(&path).await).1, "CONFLICT");
    assert_eq!(
        done(root.delete(&format!("{path}?force=true")).await),
        "Organization deleted successfully"
    );
    assert_eq!(refused(root.get(&path).await), missing);
    let entries = logged(&root, "organization_deleted").await;
    let of = |name: &str| {
        entries
            .iter()
            .filter(|entry| entry["details"]["organization"] == name)
            .count()
    };
    assert_eq!((of(&slug), of(&lonely)), (1, 1));
}

#[tokio::test]
async fn all_of_it_has_other_addresses() {
    let stack = Stack::shared().await;
    let ann = Account::new(stack).await;
    let agent = Agent::new(&ann, "aliased").await;
    let body = json!({"machine_id": agent.agent_id});
    let id = text(&data(ann.post("/sessions", body).await)["session_id"]);
    for path in ["/v1", "/api/v1", ""] {
        let found = data(ann.get(&format!("{path}/sessions/{id}")).await);
        assert_eq!(found["id"], id.as_str(), "{path}");
        let nobody = send(ann.anonymous.request(Method::GET, &format!("{path}/sessions"))).await;
        assert_eq!(refused(nobody).0, 401, "{path}");
    }
    assert_eq!(data(ann.get("/api/v1/auth/me").await)["email"], ann.email);
    assert_eq!(
        refused(ann.get("/api/v1/nothing").await),
        (404, "NOT_FOUND".into(), "Not found".into())
    );
    let page = ann
        .anonymous
        .request(Method::GET, "/sessions")
        .header("accept", "text/html");
    let page = send(page).await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.as_str().is_some_and(|page| page.contains("<html")),
        "{page:?}"
    );
    done(ann.delete(&format!("/sessions/{id}")).await);
}
