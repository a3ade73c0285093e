//! The console's sign-in, in cookies that its script cannot read.
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, Answer, PASSWORD, send};
use crate::support::sign_in::somebody_of_two;
use crate::support::stack::Stack;

/// A console in a browser: what it is answered in cookies, it brings along.
struct Console {
    anyone: Anonymous,
    cookies: Vec<(String, String)>,
}

impl Console {
    fn at(stack: &Stack) -> Self {
        Self {
            anyone: Anonymous::at(stack),
            cookies: Vec::new(),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.anyone.request(method, path).header("cookie", cookies.join("; "))
    }

    /// Asks as the console's own page does.
    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self
            .request(method, path)
            .header("x-vsay-console", "1")
            .header("sec-fetch-site", "same-origin");
        let answer = send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await;
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().expect("a text");
            let (pair, attributes) = text.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            assert!(attributes.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{text}");
            self.cookies.retain(|(of, _)| of != name);
            if !attributes.starts_with("Max-Age=0;") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    async fn sign_in(&mut self, email: &str) -> Answer {
        let credentials = json!({"email": email, "password": PASSWORD});
        self.ask(Method::POST, "/api/auth/login", Some(credentials)).await
    }
}

/// Whether an answer holds anything that signs in.
fn has_token(answer: &Answer) -> bool {
    ["\"token\"", "access_token", "session_token"]
        .iter()
        .any(|name| answer.body.to_string().contains(name))
}

#[tokio::test]
async fn a_console_signs_in_goes_on_and_signs_out_without_seeing_a_token() {
    let stack = Stack::shared().await;
    let somebody = Account::new(stack).await;
    let mut console = Console::at(stack);
    let signed_in = console.sign_in(&somebody.email).await;
    assert!(!has_token(&signed_in), "{signed_in:#?}");
    assert_eq!(
        (&signed_in.body["user"]["id"], &signed_in.body["expires_in"]),
        (&json!(somebody.id), &json!(86400))
    );
    assert_eq!(console.cookies.len(), 2);
    let me = console.ask(Method::GET, "/api/auth/me", None).await.ok();
    assert_eq!(me["id"], somebody.id);

    let renewed = console.ask(Method::POST, "/api/auth/refresh", None).await;
    assert_eq!(renewed.body["expires_in"], 86400);
    assert!(!has_token(&renewed), "{renewed:#?}");
    let change = json!({"current_password": PASSWORD, "new_password": "another horse battery"});
    let changed = console
        .ask(Method::POST, "/api/auth/change-password", Some(change))
        .await;
    assert!(changed.status == 200 && !has_token(&changed), "{changed:#?}");
    console.ask(Method::GET, "/api/auth/me", None).await.ok();

    let kept = console.cookies.clone();
    console
        .ask(Method::POST, "/api/auth/logout", Some(json!({})))
        .await
        .ok();
    assert!(console.cookies.is_empty(), "{:?}", console.cookies);
    console.cookies = kept;
    let (status, _) = console.ask(Method::GET, "/api/auth/me", None).await.refusal();
    assert_eq!(status, 401, "nor is it worth anything to whoever kept it");
}

#[tokio::test]
async fn a_cookie_alone_does_nothing_whoever_sends_it() {
    let stack = Stack::shared().await;
    let somebody = Account::new(stack).await;
    let mut console = Console::at(stack);
    console.sign_in(&somebody.email).await.ok();
    console
        .ask(Method::POST, "/api/machines", Some(json!({"name": "mine"})))
        .await
        .ok();
    let agent_id = somebody.get("/api/machines").await.ok()["machines"][0]["agent_id"].clone();
    let socket = format!("/api/terminal/{}/ws", agent_id.as_str().expect("an agent id"));
    for (method, path) in [
        (Method::GET, "/api/auth/me"),
        (Method::POST, "/api/auth/logout"),
        (Method::GET, &socket),
    ] {
        let plain = console.request(method.clone(), path);
        let form = console
            .request(method.clone(), path)
            .header("sec-fetch-site", "same-origin");
        let foreign = console
            .request(method.clone(), path)
            .header("x-vsay-console", "1")
            .header("sec-fetch-site", "cross-site")
            .header("origin", "https://evil.example");
        for request in [plain, form, foreign] {
            let (status, error) = send(request).await.refusal();
            assert_eq!(status, 401, "{method} {path}: {error}");
        }
    }
    // A page of another origin asks first, and is not told that it may bring cookies.
    let preflight = console
        .request(Method::OPTIONS, "/api/auth/me")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "x-vsay-console");
    let answer = send(preflight).await;
    assert!(
        !answer.headers.contains_key("access-control-allow-credentials"),
        "{answer:#?}"
    );
}

#[tokio::test]
async fn a_console_goes_to_another_organization_by_its_cookie() {
    let stack = Stack::shared().await;
    let mut console = Console::at(stack);
    let (email, names) = somebody_of_two(&console.anyone).await;
    let choice = console.sign_in(&email).await.ok();
    let select = |name: &str, proof: Option<&Value>| {
        let mut body = json!({"tenant_id": name});
        if let Some(proof) = proof {
            body["session_token"] = proof.clone();
        }
        Some(body)
    };
    let tenants: Vec<String> = choice["tenants"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|tenant| tenant["tenant_id"].as_str().expect("a slug").to_owned())
        .collect();
    assert_eq!(tenants.len(), 2, "{names:?}");
    let first = select(&tenants[0], Some(&choice["session_token"]));
    let first = console.ask(Method::POST, "/api/auth/select-tenant", first).await;
    assert!(first.status == 200 && !has_token(&first), "{first:#?}");
    let second = console
        .ask(Method::POST, "/api/auth/select-tenant", select(&tenants[1], None))
        .await;
    assert!(second.status == 200 && !has_token(&second), "{second:#?}");
    let me = console.ask(Method::GET, "/api/auth/me", None).await.ok();
    assert_eq!(me["tenant_id"], tenants[1].as_str());

    let without = send(
        console
            .anyone
            .request(Method::POST, "/api/auth/select-tenant")
            .json(&json!({"tenant_id": "x"})),
    )
    .await;
    assert_eq!(
        without.body["fields"],
        json!([{"field": "session_token", "message": "is required"}])
    );
}
