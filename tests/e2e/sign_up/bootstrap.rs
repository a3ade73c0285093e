//! The super administrator that settings name.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Anonymous, Answer, PASSWORD};
use crate::support::sign_in::{ask, login, me};
use crate::support::stack::Stack;

const USERNAME: (&str, &str) = ("SUPER_ADMIN_USERNAME", "root");
const EMAIL: (&str, &str) = ("SUPER_ADMIN_EMAIL", "root@example.com");

async fn sign_in(anyone: &Anonymous) -> Answer {
    let body = json!({"email": EMAIL.1, "password": PASSWORD});
    ask(anyone, None, "/api/auth/login", body).await
}

async fn setup_status(anyone: &Anonymous) -> Value {
    anyone.ask(Method::GET, "/api/auth/setup-required", None).await.ok()
}

fn people(stack: &Stack) -> Value {
    stack.sql("SELECT username, role FROM users WHERE deleted_at IS NULL")
}

#[tokio::test]
async fn an_empty_server_makes_the_super_administrator_of_its_settings_once_and_nobody_else_sets_it_up() {
    let stack = Stack::start(&[USERNAME, EMAIL, ("SUPER_ADMIN_PASSWORD", PASSWORD)]).await;
    let anyone = Anonymous::at(&stack);
    let set_up = async || {
        let body = json!({"username": "stranger", "password": PASSWORD});
        ask(&anyone, None, "/api/auth/setup", body).await
    };
    let (stranger, one, two, status) =
        tokio::join!(set_up(), sign_in(&anyone), sign_in(&anyone), setup_status(&anyone));
    assert_eq!(stranger.refusal(), (400, "Setup already completed".to_owned()));
    assert_eq!(
        status,
        json!({"setup_required": false, "setup_complete": true, "vault_set": false})
    );
    one.ok();
    let account = me(&anyone, &two.ok()["token"]).await.ok();
    for (field, value) in [
        ("username", json!("root")),
        ("email", json!(EMAIL.1)),
        ("first_name", json!("Super")),
        ("last_name", json!("Admin")),
        ("role", json!("super_admin")),
        ("tenant_id", json!("super-admin")),
        ("tenant_name", json!("Super Admin Organization")),
        ("email_verified", json!(true)),
        ("must_reset_password", json!(false)),
    ] {
        assert_eq!(account[field], value, "{field}");
    }
    assert_eq!(people(&stack), json!([{"username": "root", "role": "super_admin"}]));
    let entries = stack.sql("SELECT details, source FROM audit_log WHERE action = 'auth.setup'");
    assert_eq!(
        entries,
        json!([{"details": "{\"by\":\"settings\"}", "source": "system"}])
    );
    assert!(!stack.log().contains(PASSWORD));

    // Whoever removed it meant it.
    stack.sql("UPDATE users SET deleted_at = '2026-01-01T00:00:00.000Z'");
    stack.kill();
    stack.start_again().await;
    assert_eq!(sign_in(&anyone).await.refusal().0, 401);
    assert_eq!(people(&stack), json!([]));
}

#[tokio::test]
async fn a_weak_password_makes_nobody_and_the_log_says_so_without_it() {
    let stack = Stack::start(&[USERNAME, EMAIL, ("SUPER_ADMIN_PASSWORD", "hunter2")]).await;
    let anyone = Anonymous::at(&stack);
    assert_eq!(setup_status(&anyone).await["setup_required"], true);
    assert_eq!(people(&stack), json!([]));
    let log = stack.log();
    assert!(
        log.contains("SUPER_ADMIN_PASSWORD must have at least 12 characters") && !log.contains("hunter2"),
        "{log}"
    );
    // The server works all the same.
    let body = json!({"username": "admin", "password": PASSWORD});
    ask(&anyone, None, "/api/auth/setup", body).await.ok();
    login(&anyone, json!({"username": "admin", "password": PASSWORD})).await;
}

#[tokio::test]
async fn a_server_that_somebody_runs_and_a_name_that_somebody_has_stay_as_they_are() {
    let organization = "INSERT INTO organizations (id, slug, name, created_at) VALUES ('aaaaaaaaaaaaaaaaaaaaaaaa', 'acme', 'Acme', '2026-01-01T00:00:00.000Z')";
    let user = "INSERT INTO users (id, organization_id, username, email, password_hash, role, api_key_hash, api_key_sealed, created_at, updated_at)
         VALUES ('bbbbbbbbbbbbbbbbbbbbbbbb', 'aaaaaaaaaaaaaaaaaaaaaaaa', 'Root', 'x@example.com', '', 'user', 'x', 'x',
           '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')";
    let setup = "INSERT INTO setup VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaa', '2026-01-01T00:00:00.000Z')";
    for (statements, found) in [
        (vec![organization, setup], json!([])),
        (vec![organization, user], json!([{"username": "Root", "role": "user"}])),
    ] {
        let stack = Stack::start(&[USERNAME, EMAIL, ("SUPER_ADMIN_PASSWORD", PASSWORD)]).await;
        for statement in statements {
            stack.sql(statement);
        }
        let anyone = Anonymous::at(&stack);
        assert_eq!(sign_in(&anyone).await.refusal().0, 401);
        assert_eq!(setup_status(&anyone).await["setup_complete"], true);
        assert_eq!(people(&stack), found);
    }
}
