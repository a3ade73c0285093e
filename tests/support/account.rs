//! A person who uses the product.
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::stack::Stack;

/// The password of every account in the tests.
pub const PASSWORD: &str = "correct horse battery";

/// An answer of the REST API.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; text that is no JSON as a string.
    pub body: Value,
}

impl Answer {
    /// The body of a success.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:#?}");
        self.body
    }

    /// The status and the `error` text of a refusal, whose body must have the form that all refusals have.
    pub fn refusal(self) -> (u16, String) {
        if let Some(error) = self.body["error"].as_object() {
            return self.refusal_of_v1(error);
        }
        let error = self.body["error"]
            .as_str()
            .unwrap_or_else(|| panic!("no error body: {self:#?}"));
        assert!(!error.is_empty(), "{self:#?}");
        assert_eq!(self.body["detail"], self.body["error"], "{self:#?}");
        let code = self.body["code"].as_str().unwrap_or_default();
        assert!(
            !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{self:#?}"
        );
        (self.status, error.to_owned())
    }
}

impl Answer {
    /// The same in the form of `/v1`.
    fn refusal_of_v1(&self, error: &serde_json::Map<String, Value>) -> (u16, String) {
        let (code, message) = (error["code"].as_str(), error["message"].as_str());
        let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
        let expected = json!({"success": false, "error": {"code": code, "message": message}});
        assert_eq!(self.body, expected);
        assert!(
            !message.is_empty() && !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'),
            "{self:#?}"
        );
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert!(self.headers.contains_key(name), "{name}: {self:#?}");
        }
        (self.status, message.to_owned())
    }
}

/// Anybody: requests without a token.
#[derive(Clone)]
pub struct Anonymous {
    /// Where.
    pub url: String,
    http: reqwest::Client,
}

impl Anonymous {
    /// Somebody at this stack.
    pub fn at(stack: &Stack) -> Self {
        // No connection is kept: tests share accounts, and each test has a runtime of its own.
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        Self {
            url: stack.url.clone(),
            http,
        }
    }

    /// A request that can still be changed.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Asks, with a JSON body if there is one.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }
}

/// Sends a request and reads the whole answer.
pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("the edge answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body }
}

/// Somebody with an account of their own, in an organization of their own.
#[derive(Clone)]
pub struct Account {
    /// What they could ask without their token.
    pub anonymous: Anonymous,
    /// Their id.
    pub id: String,
    /// Their unique name.
    pub username: String,
    /// Their address.
    pub email: String,
    /// Their token.
    pub token: String,
    /// Their API key.
    pub api_key: String,
}

impl Account {
    /// Signs somebody up whose name nobody has.
    pub async fn new(stack: &Stack) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let username = format!("user{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let email = format!("{username}@example.com");
        let anonymous = Anonymous::at(stack);
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        let body = anonymous.ask(Method::POST, "/api/signup", Some(body)).await.ok();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{body:#}")).to_owned();
        Self {
            id: text(&body["user"]["id"]),
            token: text(&body["token"]),
            api_key: text(&body["api_key"]),
            anonymous,
            username,
            email,
        }
    }

    /// A request with their token that can still be changed.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.anonymous.request(method, path).bearer_auth(&self.token)
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// Writes.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    /// Changes.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PUT, path).json(&body)).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }
}
