//! What is wrong with a request is said in the form of its surface, and is never a failure of ours.
use reqwest::Method;
use reqwest::header::{ALLOW, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, send};
use crate::support::openapi::{Operation, operations};
use crate::support::stack::Stack;
use crate::support::team::super_admin;

#[tokio::test]
async fn the_server_says_that_it_answers() {
    let answer = Anonymous::at(Stack::shared().await)
        .ask(Method::GET, "/health", None)
        .await;
    assert_eq!(answer.ok()["status"], "ok");
}

#[tokio::test]
async fn the_server_says_whether_it_can_work() {
    let stack = Stack::start(&[]).await;
    let anyone = Anonymous::at(&stack);
    let ready = anyone.ask(Method::GET, "/ready", None).await.ok();
    assert_eq!(ready["status"], "ready");
    // As after a deploy whose migrations were forgotten.
    let schema = ready["schema"].as_str().expect("the newest migration");
    stack.sql(&format!("DELETE FROM d1_migrations WHERE name = '{schema}'"));
    for _ in 0..2 {
        let answer = anyone.ask(Method::GET, "/ready", None).await;
        assert_eq!(answer.body["code"], "schema_outdated");
        let (status, error) = answer.refusal();
        assert!(status == 503 && error.contains(schema), "{error}");
        stack.sql("DROP TABLE IF EXISTS d1_migrations");
    }
}

/// What monitors and strangers ask for, and what such programs say that they take.
#[tokio::test]
async fn a_program_never_gets_the_consoles_page_for_something_that_is_not_there() {
    let anyone = Anonymous::at(Stack::shared().await);
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    for path in [
        "/healthz",
        "/API/machines",
        "/Api/x",
        "/v1/nothing",
        "/.env",
        "/wp-login.php",
    ] {
        for accept in [
            "*/*",
            "application/json",
            "application/openmetrics-text;version=1.0.0,*/*;q=0.1",
        ] {
            let answer = send(anyone.request(Method::GET, path).header("accept", accept)).await;
            assert_eq!(answer.status, 404, "{path} {accept}");
            let kind = answer.headers[CONTENT_TYPE].to_str().expect("ASCII");
            assert!(kind.starts_with("application/json"), "{path} {accept}: {kind}");
        }
        let answer = send(anyone.request(Method::POST, path).header("accept", browser)).await;
        assert_eq!(answer.status, 404, "POST {path}");
    }
    for path in ["/API/machines", "/V1/sessions"] {
        let answer = send(anyone.request(Method::GET, path).header("accept", browser)).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    // A page that is reloaded is not a file, and has the headers that the console's files have.
    let file = send(anyone.request(Method::GET, "/").header("accept", browser)).await;
    let page = send(anyone.request(Method::GET, "/admin/people").header("accept", browser)).await;
    assert_eq!((page.status, &page.body), (200, &file.body));
    for name in [
        "content-type",
        "content-security-policy",
        "x-frame-options",
        "referrer-policy",
    ] {
        assert_eq!(page.headers.get(name), file.headers.get(name), "{name}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_in_the_form_of_its_surface() {
    let anyone = Anonymous::at(Stack::shared().await);
    for path in ["/api/nothing", "/api/", "/api/machines/a/b/c", "/agent/nothing"] {
        assert_eq!(
            anyone.ask(Method::GET, path, None).await.refusal(),
            (404, "Not found".to_owned()),
            "{path}"
        );
    }
    let answer = anyone.ask(Method::GET, "/v1/nothing", None).await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.body,
        json!({"success": false, "error": {"code": "NOT_FOUND", "message": "Not found"}})
    );
}

#[tokio::test]
async fn a_known_path_with_another_method_is_405_and_says_which_are_allowed() {
    let anyone = Anonymous::at(Stack::shared().await);
    for (method, path, allowed) in [
        (Method::PATCH, "/api/machines", "GET"),
        (Method::GET, "/api/login", "POST"),
        (Method::PATCH, "/api/machines/000000000000", "DELETE"),
        (Method::PATCH, "/api/machines/000000000000", "PUT"),
    ] {
        let answer = anyone.ask(method, path, None).await;
        let allow = answer.headers[ALLOW].to_str().expect("ASCII").to_owned();
        assert!(allow.contains(allowed), "{path}: {allow}");
        assert_eq!(answer.refusal(), (405, "Method not allowed".to_owned()), "{path}");
    }
}

/// Bodies that are wrong whatever the route, and how they are sent.
const BAD_BODIES: [(&str, &str); 8] = [
    ("application/json", "{"),
    ("application/json", "nonsense"),
    ("application/json", "[]"),
    ("application/json", "null"),
    ("application/json", "\"text\""),
    ("application/json", "{} {}"),
    ("text/plain", "{}"),
    ("application/x-www-form-urlencoded", "email=a&password=b"),
];

fn with_body(operation: &Operation) -> bool {
    operation.takes_body
}

#[tokio::test]
async fn a_body_that_is_not_what_the_route_wants_is_400_on_every_route() {
    // Who may do everything, so that nothing but the body is in the way.
    let somebody = super_admin(Stack::shared().await).await;
    let mut checked = 0;
    for operation in operations(&somebody.anonymous).await.into_iter().filter(with_body) {
        let path = operation.path_with(|_| "000000000000".to_owned());
        for (content_type, body) in BAD_BODIES {
            let request = somebody
                .request(operation.method.clone(), &path)
                .header(CONTENT_TYPE, content_type);
            let (status, error) = send(request.body(body)).await.refusal();
            assert_eq!(status, 400, "{} {path} with {body}: {error}", operation.method);
            checked += 1;
        }
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let request = somebody
            .request(operation.method.clone(), &path)
            .header(CONTENT_TYPE, "application/json");
        assert_eq!(send(request.body(deep)).await.refusal().0, 400, "{path}");
    }
    assert!(checked >= 5 * BAD_BODIES.len(), "the API document lists its routes");
}

#[tokio::test]
async fn a_body_over_its_bound_is_413_on_every_route() {
    let somebody = Account::new(Stack::shared().await).await;
    let huge = json!({"name": "x".repeat(1024 * 1024)}).to_string();
    for operation in operations(&somebody.anonymous).await.into_iter().filter(with_body) {
        let path = operation.path_with(|_| "000000000000".to_owned());
        if path == "/api/community/upload" {
            // Pictures may be larger, in a form, and `community.rs` sends one that is too large.
            continue;
        }
        let request = somebody
            .request(operation.method, &path)
            .header(CONTENT_TYPE, "application/json");
        assert_eq!(send(request.body(huge.clone())).await.refusal().0, 413, "{path}");
    }
}

#[tokio::test]
async fn each_field_that_breaks_its_rule_is_named() {
    let somebody = Account::new(Stack::shared().await).await;
    let table = [
        (
            "/api/signup",
            json!({"username": "-", "email": "x", "password": "12345"}),
            &["username", "email", "password"][..],
        ),
        (
            "/api/signup",
            json!({"username": 5, "email": "a@b.cd", "password": "123456"}),
            &["username"],
        ),
        ("/api/login", json!({"password": "x"}), &["email"]),
        ("/api/machines", json!({}), &["name"]),
        (
            "/api/machines",
            json!({"name": "x".repeat(101), "tags": ["a", ""]}),
            &["name", "tags[1]"],
        ),
        ("/api/machines", json!({"name": "a", "tags": "b"}), &["tags"]),
        (
            "/api/machines",
            json!({"name": "a", "linux_user": "no such"}),
            &["linux_user"],
        ),
        ("/agent/enroll", json!({}), &["token"]),
    ];
    for (path, body, expected) in table {
        let answer = somebody.post(path, body.clone()).await;
        let fields: Vec<Value> = answer.body["fields"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = fields.iter().filter_map(|fault| fault["field"].as_str()).collect();
        assert_eq!(names, expected, "{path} {body}: {answer:#?}");
        assert!(
            fields
                .iter()
                .all(|fault| fault["message"].as_str().is_some_and(|text| !text.is_empty()))
        );
        assert_eq!(answer.refusal().0, 400);
    }
}

#[tokio::test]
async fn hostile_requests_are_refused_and_never_a_failure_of_ours() {
    let somebody = Account::new(Stack::shared().await).await;
    let long = "x".repeat(8000);
    let paths = [
        "/api/machines/%00",
        "/api/machines/%ff",
        "/api/machines/..%2f..%2fetc",
        "/api/machines/'%20OR%201=1--",
        "/api/machines/by-id/%F0%9F%92%A9",
        "/api/machines/by-id/XYZ",
        "/api/terminal/sessions/%00%01",
        "/api/machines?page=-1&limit=999999999999999999999",
        "/api/machines?limit=%00",
        "/api/machines?search=%25_%00'\"",
        "/api/machines?status=nonsense&tag=%ff",
        "/api/terminal/000000000000/ws",
        "/api/terminal/%00/ws?cols=0&rows=-5",
        "/api/terminal/000000000000/ws?session_id=a%20b",
        "/agent/connect",
        "//api//machines",
        "/api/%2e%2e/health",
    ];
    for path in paths
        .map(str::to_owned)
        .into_iter()
        .chain([format!("/api/machines/{long}"), format!("/api/machines?search={long}")])
    {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = send(somebody.request(method.clone(), &path)).await;
            assert!(answer.status < 500, "{method} {path}: {answer:#?}");
            if answer.status >= 400 && path.starts_with("/api/") {
                answer.refusal();
            }
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_query_or_an_encoding_is_said_in_our_words() {
    let somebody = Account::new(Stack::shared().await).await;
    for path in ["/api/machines", "/api/groups", "/api/audit"] {
        let answer = somebody.get(&format!("{path}?page=1&page=2")).await;
        assert_eq!(answer.body["fields"][0]["field"], "page", "{answer:#?}");
        assert_eq!(answer.refusal(), (400, "page must be given once".to_owned()));
    }
    for (encoding, status) in [("gzip", 415), ("br", 415), ("identity", 201)] {
        let body = json!({"name": format!("sent-{encoding}")});
        let request = somebody.request(Method::POST, "/api/machines").json(&body);
        let answer = send(request.header("content-encoding", encoding)).await;
        assert_eq!(answer.status, status, "{encoding}: {answer:#?}");
    }
}

#[tokio::test]
async fn answers_are_not_kept_by_caches_and_not_guessed_at_by_browsers() {
    let somebody = Account::new(Stack::shared().await).await;
    for path in ["/api/auth/me", "/api/machines", "/api/nothing"] {
        let answer = somebody.get(path).await;
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert!(
            answer.headers[CONTENT_TYPE]
                .to_str()
                .expect("ASCII")
                .starts_with("application/json"),
            "{path}"
        );
    }
}
