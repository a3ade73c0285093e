//! Whoever guesses learns nothing from the time an answer takes, and is slowed down.
use std::time::Duration;

use serde_json::json;

use crate::support::account::{Account, Anonymous, PASSWORD};
use crate::support::sign_in::{ask, company};
use crate::support::stack::Stack;

#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() {
    let stack = Stack::start(&[]).await;
    let (somebody, anyone) = (Account::new(&stack).await, Anonymous::at(&stack));
    let time = async |email: &str| {
        let begun = tokio::time::Instant::now();
        let body = json!({"email": email, "password": "a wrong password"});
        assert_eq!(ask(&anyone, None, "/api/auth/login", body).await.status, 401);
        begun.elapsed()
    };
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    time(&somebody.email).await;
    // In turns, so that whatever else the machine does slows both. Other work may spoil one round, a difference spoils all.
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
        for _ in 0..15 {
            wrong.push(time(&somebody.email).await);
            unknown.push(time("nobody@example.com").await);
        }
        let ratio = median(unknown) / median(wrong);
        if (0.8..=1.25).contains(&ratio) {
            return;
        }
        ratios.push(ratio);
    }
    panic!("an unknown account can be told by the time: {ratios:?}");
}

#[tokio::test]
async fn guessing_is_slowed_down_per_account_and_per_address_whether_the_account_exists_or_not() {
    let stack = Stack::start(&[("CREDENTIALS_BY_ACCOUNT", "3")]).await;
    let (somebody, other) = (Account::new(&stack).await, Account::new(&stack).await);
    let sign_in = async |name: &str, password: &str| {
        let body = json!({"email": name, "password": password});
        ask(&somebody.anonymous, None, "/api/login", body).await
    };
    // Eight attempts are more than two whole minutes allow, should one end meanwhile.
    let until_refused = async |name: &str, password: &str| {
        let mut statuses = Vec::new();
        for _ in 0..8 {
            let answer = sign_in(name, password).await;
            if answer.status == 429 {
                assert_eq!(answer.headers["retry-after"], "60");
                answer.refusal();
                return statuses;
            }
            statuses.push(answer.status);
        }
        panic!("no limit: {statuses:?}");
    };
    for name in [somebody.email.as_str(), "nobody@example.com"] {
        let statuses = until_refused(name, "guess").await;
        assert!(
            statuses.len() >= 2 && statuses.iter().all(|status| *status == 401),
            "{statuses:?}"
        );
    }
    until_refused(&somebody.email, PASSWORD).await;
    sign_in(&other.email, PASSWORD).await.ok();
}

#[tokio::test]
async fn every_route_that_takes_a_credential_slows_guessing_down() {
    let stack = Stack::start(&[("CREDENTIALS_BY_ACCOUNT", "3")]).await;
    let anyone = Anonymous::at(&stack);
    let password = "some password";
    for (path, body) in [
        (
            "/api/auth/login",
            json!({"email": "a@example.com", "password": password}),
        ),
        (
            "/api/auth/signup",
            json!({"username": "-", "email": "b@example.com", "password": password}),
        ),
        ("/api/auth/setup", json!({"username": "root_1", "password": password})),
        (
            "/api/auth/select-tenant",
            json!({"session_token": "x", "tenant_id": "x"}),
        ),
        (
            "/api/auth/verify-otp",
            json!({"username": "somebody", "otp_code": "000000"}),
        ),
        ("/api/auth/mfa/verify", json!({"mfa_token": "x", "code": "000000"})),
        ("/api/auth/forgot-password", json!({"email": "c@example.com"})),
        ("/api/auth/reset-password", json!({"token": "x", "password": password})),
        ("/api/auth/accept-invite", json!({"token": "y", "password": password})),
        ("/api/auth/password-reset/z", json!({"password": password})),
        ("/api/auth/invite/zz", json!({"password": password})),
        ("/api/auth/verify-email/zzz", json!({})),
    ] {
        // What is not valid is not counted; the rest is, whatever it is answered.
        let mut body = body;
        if path == "/api/auth/signup" {
            body = company("somebody", "b@example.com", "somewhere");
        }
        let mut statuses = Vec::new();
        // Eight attempts are more than two whole minutes allow, should one end meanwhile.
        for _ in 0..8 {
            let answer = ask(&anyone, None, path, body.clone()).await;
            if answer.status == 429 {
                assert_eq!(answer.headers["retry-after"], "60");
            }
            statuses.push(answer.status);
        }
        assert!(statuses.contains(&429), "{path}: {statuses:?}");
        assert_ne!(statuses[0], 429, "{path}: {statuses:?}");
    }
}

#[tokio::test]
async fn by_themselves_five_guesses_three_letters_and_thirty_renewals_a_minute_are_allowed() {
    // As wrangler.toml has them: what is empty is not set.
    let stack = Stack::start(&[
        ("CREDENTIALS_BY_ACCOUNT", ""),
        ("LETTERS_BY_RECIPIENT", ""),
        ("RENEWALS_BY_ACCOUNT", ""),
    ])
    .await;
    let anyone = Anonymous::at(&stack);
    for (path, allowed) in [
        ("/api/auth/login", 5),
        ("/api/auth/forgot-password", 3),
        ("/api/auth/refresh", 30),
    ] {
        // The end of a minute may come between: then more are allowed in a row, but hardly twice.
        let mut rows = Vec::new();
        for _ in 0..3 {
            let somebody = Account::new(&stack).await;
            let email = format!("nobody-{}", somebody.email);
            let body = json!({"email": email, "password": "a wrong password", "token": somebody.token});
            let mut row = 0;
            while row < 3 * allowed && ask(&anyone, None, path, body.clone()).await.status != 429 {
                row += 1;
            }
            rows.push(row);
        }
        assert!(rows.contains(&allowed), "{path}: {rows:?}");
    }
}
