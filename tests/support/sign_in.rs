//! Signing up and in, as a client does it step by step.
use reqwest::Method;
use serde_json::{Value, json};

use super::account::{Account, Anonymous, Answer, PASSWORD, send};
use super::mail::letters;
use super::stack::Stack;
use super::wait::eventually;

/// Asks without a token, as a browser or, with a source, as that program.
pub async fn ask(anyone: &Anonymous, source: Option<&str>, path: &str, body: Value) -> Answer {
    let mut request = anyone.request(Method::POST, path).json(&body);
    if let Some(source) = source {
        request = request.header("X-Source", source);
    }
    send(request).await
}

/// Signs in; gives the answer, whatever it asks for.
pub async fn login(anyone: &Anonymous, body: Value) -> Value {
    ask(anyone, None, "/api/auth/login", body).await.ok()
}

/// A text in JSON.
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value:#}"))
        .to_owned()
}

/// A name that nobody has.
pub fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{prefix}{}x{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// What an organization signs up with.
pub fn company(username: &str, email: &str, organization: &str) -> Value {
    json!({"username": username, "email": email, "password": PASSWORD, "confirm_password": PASSWORD, "first_name": "Ann",
        "last_name": "Smith", "organization_name": organization, "company_name": "The Company"})
}

/// Somebody with accounts in two organizations, under one address and password.
pub async fn somebody_of_two(anyone: &Anonymous) -> (String, [String; 2]) {
    let email = format!("{}@example.com", unique("two"));
    let organizations = [unique("one"), unique("other")];
    for organization in &organizations {
        let body = company(&unique("user"), &email, organization);
        ask(anyone, None, "/api/auth/signup", body).await.ok();
    }
    (email, organizations)
}

/// The account behind a token.
pub async fn me(anyone: &Anonymous, token: &Value) -> Answer {
    send(anyone.request(Method::GET, "/api/auth/me").bearer_auth(text(token))).await
}

/// Whether signing in to somebody's organization needs a mailed code.
pub async fn policy(stack: &Stack, somebody: &Account, otp: &str) {
    stack.sql(&format!(
        "UPDATE organizations SET otp = '{otp}' WHERE slug = '{}'",
        somebody.username
    ));
}

/// The next code that is mailed, not among those `seen`; it is one of them then.
pub async fn code(stack: &Stack, email: &str, seen: &mut Vec<String>) -> String {
    let new = eventually("a code by mail", async || {
        let mails = letters(stack, email).into_iter();
        let mails = mails.filter(|mail| mail.subject.contains("sign-in code"));
        mails.map(|mail| digits(&mail.text)).find(|code| !seen.contains(code))
    })
    .await;
    seen.push(new.clone());
    new
}

fn digits(text: &str) -> String {
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
    text.split_whitespace().find(is_code).expect("six digits").to_owned()
}
