//! Defects that services like this one were seen to have, and that no feature's own tests would notice.
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::support::account::{Account, Anonymous, PASSWORD, send};
use crate::support::agent::{Agent, World};
use crate::support::mail::letter;
use crate::support::redact::hex;
use crate::support::sign_in::{ask, code, company, login, policy, text, unique};
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::{Viewer, open, stream_headers};

#[tokio::test]
async fn headers_that_name_somebody_prove_nothing() {
    let world = World::shared().await;
    let stranger = Account::new(world.stack).await;
    let path = format!("/api/machines/{}", world.agent.agent_id);
    let claims = |mut request: reqwest::RequestBuilder| {
        for (name, value) in [
            ("x-user-id", world.owner.id.as_str()),
            ("x-username", "system"),
            ("x-tenant-id", &world.owner.username),
            ("x-user-role", "super_admin"),
            ("x-role", "super_admin"),
            ("x-internal", "true"),
            ("x-relay-context", "{}"),
        ] {
            request = request.header(name, value);
        }
        request
    };
    let answer = send(claims(stranger.request(Method::GET, &path))).await;
    assert_eq!(answer.refusal(), (404, "Machine not found".to_owned()));
    let answer = send(claims(stranger.anonymous.request(Method::GET, &path))).await;
    assert_eq!(answer.status, 401);
    let admin = "/api/admin/organizations";
    assert_eq!(send(claims(stranger.request(Method::GET, admin))).await.status, 403);
}

#[tokio::test]
async fn no_secret_gets_into_the_log() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "logged").await;
    agent.start().await;
    let mut viewer = Viewer::attached(&owner, &agent, "logged-1").await;
    viewer.run("echo one", "one").await;
    viewer.leave().await;
    let machine = owner.post("/api/machines", json!({"name": "waiting"})).await.ok();
    let key = owner.post("/api/api-keys", json!({"name": "ci"})).await.ok();
    let wrong = json!({"email": owner.email, "password": "a wrong password"});
    owner.anonymous.ask(Method::POST, "/api/auth/login", Some(wrong)).await;
    let socket = format!("/api/terminal/{}/ws?token={}", agent.agent_id, owner.token);
    owner.anonymous.ask(Method::GET, &socket, None).await;

    let (log, entries) = (stack.log(), stack.sql("SELECT * FROM audit_log").to_string());
    assert!(entries.contains("login_failed"));
    for secret in [
        PASSWORD,
        "a wrong password",
        &owner.token,
        &owner.api_key,
        machine["registration_token"].as_str().expect("a token"),
        key["key"].as_str().expect("a key"),
    ] {
        assert!(!log.contains(secret), "the log has a secret:\n{log}");
        assert!(!entries.contains(secret), "the audit log has a secret: {entries}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_says_nothing_of_whose_it_is() {
    let stack = Stack::shared().await;
    let (taken, admin) = (Account::new(stack).await, Account::new(stack).await);
    stack.sql(&format!(
        "UPDATE organizations SET slug = 'secret-' || slug, name = 'Secret' WHERE slug = '{}'",
        taken.username
    ));
    let email = format!("other-{}", taken.email);
    let mut company = company(&taken.username, &email, &unique("taken"));
    company["company_name"] = json!("Mine");
    for (path, body) in [
        (
            "/api/users",
            json!({"username": taken.username, "email": email, "password": PASSWORD}),
        ),
        ("/api/users/invite", json!({"username": taken.username, "email": email})),
        (
            "/api/signup",
            json!({"username": taken.username, "email": email, "password": PASSWORD}),
        ),
        ("/api/auth/signup", company),
    ] {
        let answer = admin.post(path, body).await;
        assert!(matches!(answer.status, 400 | 409), "{path}: {answer:#?}");
        let text = answer.body.to_string().to_lowercase();
        for secret in ["secret", taken.email.as_str(), &taken.id] {
            assert!(!text.contains(secret), "{path} tells {secret}: {text}");
        }
    }
}

#[tokio::test]
async fn a_code_opens_no_organization_whose_password_was_not_given() {
    let stack = Stack::shared().await;
    let somebody = Account::new(stack).await;
    let anyone = &somebody.anonymous;
    let elsewhere = unique("elsewhere");
    let mut body = company(&unique("user"), &somebody.email, &elsewhere);
    body["password"] = json!("another password");
    body["confirm_password"] = json!("another password");
    ask(anyone, None, "/api/auth/signup", body).await.ok();
    policy(stack, &somebody, "on").await;

    let challenge = login(anyone, json!({"email": somebody.email, "password": PASSWORD})).await;
    assert_eq!(challenge["requires_otp"], true);
    let code = code(stack, &somebody.email, &mut Vec::new()).await;
    let body = json!({"username": somebody.username, "otp_code": code});
    let signed_in = ask(anyone, None, "/api/auth/verify-otp", body).await.ok();
    assert_eq!(signed_in["user"]["id"], somebody.id);
    assert!(!signed_in.to_string().contains(&elsewhere), "{signed_in:#}");
    let select = json!({"session_token": signed_in["session_token"], "tenant_id": elsewhere});
    assert_eq!(ask(anyone, None, "/api/auth/select-tenant", select).await.status, 403);
}

#[tokio::test]
async fn keys_and_tokens_are_not_guessed_from_names_or_from_one_another() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let mut secrets = vec![owner.api_key.clone(), Account::new(stack).await.api_key];
    for name in ["one", "two"] {
        let key = owner.post("/api/api-keys", json!({"name": name})).await.ok();
        let machine = owner.post("/api/machines", json!({"name": name})).await.ok();
        let (token, agent_id) = (text(&machine["registration_token"]), text(&machine["agent_id"]));
        assert!(
            !token.contains(&agent_id) && !agent_id.contains(&token[..8]),
            "{agent_id} {token}"
        );
        secrets.extend([text(&key["key"]), token]);
    }
    // A time or a counter would show at the beginning, or give few digits.
    let random: Vec<&str> = secrets.iter().filter_map(|secret| secret.rsplit('_').next()).collect();
    for (index, secret) in random.iter().enumerate() {
        assert!(secret.len() >= 48 && hex(secret, secret.len()), "192 bits: {secret}");
        let mut others = random.iter().skip(index + 1);
        assert!(others.all(|other| other[..8] != secret[..8]), "{random:?}");
    }
}

#[tokio::test]
async fn a_shell_is_nobodys_but_whose_session_it_is() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "takeover").await;
    viewer.run("echo mine-$((40+2))", "mine-42").await;
    let other = join(world.stack, &world.owner, "company_admin").await;
    let url = format!(
        "{}/api/terminal/{}/ws?session_id=takeover&token={}",
        world.stack.url, world.agent.agent_id, other.token
    );
    for headers in [stream_headers(), HeaderMap::new()] {
        let (status, body) = open(&url, &headers).await.expect_err("no upgrade");
        assert_eq!(status, 403, "{body}");
    }
    viewer.run("echo still-$((40+2))", "still-42").await;
}

#[tokio::test]
async fn links_in_letters_lead_to_this_server_whatever_host_a_request_names() {
    let stack = Stack::shared().await;
    let somebody = Account::new(stack).await;
    let mut request = somebody.anonymous.request(Method::POST, "/api/auth/forgot-password");
    for name in ["host", "x-forwarded-host", "x-original-host", "forwarded"] {
        request = request.header(
            name,
            if name == "forwarded" {
                "host=evil.example"
            } else {
                "evil.example"
            },
        );
    }
    send(request.json(&json!({"email": somebody.email}))).await.ok();
    let mail = letter(stack, &somebody.email, "password").await;
    assert!(mail.link("/reset-password/").starts_with(&stack.url), "{mail:#?}");
    assert!(!mail.text.contains("evil.example") && !mail.html.contains("evil.example"));
}

#[tokio::test]
async fn no_path_leads_to_files_of_the_server() {
    let anyone = Anonymous::at(Stack::shared().await);
    for path in [
        "/..%2f..%2f..%2f..%2fetc/passwd",
        "/assets/..%2f..%2f.dev.vars",
        "/%2e%2e%2f.dev.vars",
        "/api/..%2f.dev.vars",
        "/.dev.vars",
        "/wrangler.toml",
        "/src/lib.rs",
    ] {
        let answer = anyone.ask(Method::GET, path, None).await;
        let text = answer.body.to_string();
        for secret in ["root:", "JWT_SECRET", "[package]", "[[d1_databases]]", "//!"] {
            assert!(!text.contains(secret), "{path}: {text}");
        }
        assert!(answer.status < 500, "{path}: {answer:#?}");
    }
}
